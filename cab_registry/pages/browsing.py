"""Agreements and bodies as pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from cab_registry.domain.day_forms import say_day
from cab_registry.domain.days import DayError, parse_day
from cab_registry.domain.records import Agreement
from cab_registry.engine.facts import Facts, RouteFacts
from cab_registry.pages.form import Field, list_choices, tidy_pairs
from cab_registry.pages.rendering import Site, loosen
from cab_registry.pages.words import FAMILIES, STATUSES, Look, best_working, in_words, look_of_working
from cab_registry.services.flat import read_pairs
from cab_registry.services.reading import (
    BodySearch,
    ItemState,
    RightShown,
    find_record,
    read_body,
    routes_of,
    search_bodies,
    show_record,
)
from cab_registry.services.views import View, Viewing, Views, WrongParameters

AnyRequest = Request[Any, Any, Any]


class AgreementLine(NamedTuple):
    """An agreement in the list."""

    id: str
    name: str
    parties: list[str]
    look: Look
    routes: int


class RouteLine(NamedTuple):
    """A route of an agreement."""

    title: str
    citation: str
    exporter: str
    importer: str
    kinds: str
    look: Look


class ItemLine(NamedTuple):
    """A scope item of a right."""

    text: str
    look: Look
    span: str


class RightCard(NamedTuple):
    """A right of a body."""

    title: str
    under: str
    look: Look
    silence: bool
    items: list[ItemLine]
    events: list[Any]


class BodyRow(NamedTuple):
    """A body in the list."""

    line: Any
    look: Look


def make_browsing_routes(site: Site, views: Views) -> list[HTTPRouteHandler]:
    """Return the handlers of agreements and bodies."""

    @get("/agreements")
    async def get_agreements() -> Response[bytes]:
        view = await views.find(Viewing())
        shown = await views.rooms.readings.run(lambda: describe_agreements(view))
        return site.show("agreements.html", shown, here="agreements")

    @get("/agreements/{record_id:str}")
    async def get_agreement(record_id: FromPath[str]) -> Response[bytes]:
        view = await views.find(Viewing())
        shown = await views.rooms.readings.run(lambda: describe_agreement(view, record_id))
        return site.show("agreement.html", shown, here="agreements")

    @get("/bodies")
    async def get_bodies(request: AnyRequest) -> Response[bytes]:
        given = dict(tidy_pairs(read_pairs(request.scope["query_string"])))
        search, wrong = _read_search(given)
        view = await views.find(search)
        shown = await views.rooms.readings.run(lambda: _describe_bodies(view, search, given, wrong))
        return site.show("bodies.html", shown, here="bodies", status=422 if shown["wrong"] else 200)

    @get("/bodies/{record_id:str}")
    async def get_body(request: AnyRequest, record_id: FromPath[str]) -> Response[bytes]:
        given = dict(tidy_pairs(read_pairs(request.scope["query_string"]))).get("as_of")
        view = await views.find(Viewing())
        day, wrong = None, {}
        try:
            day = None if given is None else date.fromordinal(parse_day(given))
        except DayError as error:
            wrong = {"as_of": str(error)}
        shown = await views.rooms.readings.run(lambda: describe_body(view, record_id, day)) | {"wrong": wrong}
        return site.show("body.html", shown, here="bodies", status=422 if wrong else 200)

    return [get_agreements, get_agreement, get_bodies, get_body]


_SEARCHED = ("name", "scheme", "value", "economy", "sector", "requirement", "status", "as_of", "cursor")


def _read_search(given: Mapping[str, str]) -> tuple[BodySearch, dict[str, str]]:
    """Read what is looked for; what cannot be read is left out, and told by the name of its field."""
    read: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name in (name for name in given if name in _SEARCHED):
        try:
            read[name] = getattr(msgspec.convert({name: given[name]}, BodySearch), name)
        except msgspec.ValidationError:
            wrong[name] = say_day(given[name]) if name == "as_of" else "choose one of the list"
    return BodySearch(**read), wrong


def describe_agreements(view: View) -> dict[str, Any]:
    """Return what the list of agreements shows, family by family."""
    facts = view.held.register.facts
    today = view.today.toordinal()
    by_family: dict[str, list[AgreementLine]] = {family: [] for family in FAMILIES}
    for agreement in facts.agreements.values():
        routes = [rf for rf in facts.routes.values() if rf.route.agreement == agreement.id]
        look = best_working([rf.working.at(today) for rf in routes])
        line = AgreementLine(agreement.id, _name(agreement), _names(facts, agreement.parties), look, len(routes))
        by_family[agreement.family].append(line)
    families = [
        (FAMILIES[family], sorted(lines, key=lambda line: line.name.casefold()))
        for family, lines in by_family.items()
        if lines
    ]
    return {"families": families, "total": len(facts.agreements), "state": view.state}


def describe_agreement(view: View, record_id: str) -> dict[str, Any]:
    """Return what the page of an agreement shows.

    Raises:
        NoSuchRecord: there is none.
    """
    register = view.held.register
    facts = register.facts
    versioned = find_record(view, Agreement, record_id)
    agreement = facts.agreements[record_id]
    today = view.today.toordinal()
    routes = [facts.routes[each.record.id] for each in routes_of(register, record_id)]
    return {
        "record": loosen(show_record(versioned).record),
        "name": _name(agreement),
        "parties": _names(facts, agreement.parties),
        "look": best_working([rf.working.at(today) for rf in routes]),
        "routes": [_show_route(facts, rf, today) for rf in routes],
        "state": view.state,
    }


def _show_route(facts: Facts, rf: RouteFacts, today: int) -> RouteLine:
    route = rf.route
    return RouteLine(
        route.title or route.id,
        route.citation,
        ", ".join(_names(facts, [code for code, _ in rf.exporters])) or "any economy",
        ", ".join(_names(facts, [code for code, _ in rf.importers])),
        ", ".join(in_words(kind) for kind in route.result_kinds),
        look_of_working(rf.working.at(today)),
    )


def _name(agreement: Agreement) -> str:
    return agreement.short or agreement.title or agreement.id


def _names(facts: Facts, codes: Any) -> list[str]:
    return [facts.economies[code].names.get("en") or code if code in facts.economies else code for code in codes]


def _describe_bodies(
    view: View, search: BodySearch, asked: Mapping[str, str], wrong: Mapping[str, str]
) -> dict[str, Any]:
    choices = list_choices(view.held.register)
    page = None
    try:
        page = None if wrong else search_bodies(view, search)
    except WrongParameters as refusal:
        wrong = {fault.pointer.removeprefix("/"): fault.message for fault in refusal.faults}
    rest = {key: value for key, value in asked.items() if key in _SEARCHED and key != "cursor"}
    return {
        "fields": (
            Field("name", "Name or a part of it"),
            Field("economy", "Economy", "select", options=choices.economies),
            Field("scheme", "Scheme of a number", options=choices.schemes),
            Field("value", "Number"),
            Field("sector", "Sector", "select", options=choices.sectors),
            Field("requirement", "Requirement", hint="Id or citation of the rule.", options=choices.requirements),
            Field("status", "State of its rights", "select", options=_STATUSES),
            Field("as_of", "State on", "date"),
        ),
        "values": rest,
        "wrong": wrong,
        "page": page,
        "lines": [BodyRow(line, STATUSES[line.status]) for line in page.items] if page else [],
        "following": page and page.next and "/bodies?" + urlencode({**rest, "cursor": page.next}),
        "state": view.state,
    }


_STATUSES: Final = tuple((status, look.word) for status, look in STATUSES.items())


def describe_body(view: View, record_id: str, day: date | None) -> dict[str, Any]:
    """Return what the page of a body shows.

    Raises:
        NoSuchRecord: there is none.
    """
    found = read_body(view, record_id, day)
    facts = view.held.register.facts
    issuer = facts.issuers[record_id]
    return {
        "record": loosen(found.record),
        "name": issuer.name,
        "economy": _names(facts, [issuer.economy])[0],
        "as_of": Field("as_of", "State on", "date"),
        "values": {"as_of": found.as_of},
        "day": found.as_of,
        "rights": [_show_right(facts, right) for right in found.rights],
        "notices": [loosen(each.record) for each in found.notices],
        "state": view.state,
    }


def _show_right(facts: Facts, right: RightShown) -> RightCard:
    record = loosen(right.record)
    by = facts.authorities.get(record["by"])
    giver = (by.names.get("en") or by.id) if by is not None else str(record["by"])
    return RightCard(
        f"{in_words(right.kind)} by {giver}",
        _under(facts, record, right.kind),
        STATUSES[right.status],
        right.by_silence,
        [_show_item(facts, item) for item in right.items],
        record["timeline"] or [],
    )


def _under(facts: Facts, record: Any, kind: str) -> str:
    if kind == "accreditation":
        return " ".join(str(part) for part in (record["standard"], record["edition"], record["number"]) if part)
    agreement = facts.agreements.get(record["agreement"] or "")
    named = _name(agreement) if agreement is not None else str(record["scheme"] or "no agreement named")
    return f"{named}, {in_words(record['annex'])}" if record["annex"] else named


def _show_item(facts: Facts, item: ItemState) -> ItemLine:
    requirement = facts.requirements.get(item.requirement or "")
    text = requirement.citation if requirement is not None else (item.key or "Everything")
    first = f"from {item.since}" if item.since else ""
    last = f"to {item.until}" if item.until else ""
    return ItemLine(text, STATUSES[item.status], " ".join(part for part in (first, last) if part))
