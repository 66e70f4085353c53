"""Reading the register: its records, and the bodies with the states of their rights as of a day."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from cab_registry.domain.days import LATEST, show_day
from cab_registry.domain.records import (
    Accreditation,
    Agreement,
    AnyRecord,
    Authority,
    Body,
    Designation,
    Notice,
    Recognition,
    Requirement,
    Route,
    write_record,
)
from cab_registry.domain.records.rights import SchemeIdentifier
from cab_registry.domain.schemes import canonise, find_scheme, list_numbers, states_number
from cab_registry.domain.spelling import parts_spelled
from cab_registry.engine.facts import Facts, IssuerFacts, ItemFacts, RightFacts, RightState
from cab_registry.engine.meaning import find_rule
from cab_registry.register.compiled import Register, Versioned
from cab_registry.services.views import Given, NoSuchRecord, Paging, State, View, Viewing, cut_page

Document = Annotated[dict[str, Any], Meta(description="The record; /v1/schemas/{type} describes it.")]
RightStatus = Literal["held", "suspended", "withdrawn", "expired", "edition_ended", "not_yet", "unknown", "none"]
Kind = type[Agreement] | type[Authority] | type[Requirement] | type[Route]


class RecordShown(msgspec.Struct, frozen=True, kw_only=True):
    """One record with its version."""

    version: Annotated[int, Meta(description="How often it was written, corrections included.")]
    record: Document


class RecordFound(RecordShown, frozen=True, kw_only=True):
    """One record, and the state of the register in which it was found."""

    state: State


class AgreementFound(RecordFound, frozen=True, kw_only=True):
    """An agreement with the routes that rest on it."""

    routes: list[RecordShown]


class RecordPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list."""

    items: list[RecordShown]
    next: Annotated[str | None, Meta(description="Cursor of the next page; null: this is the last.")]
    state: State


class ItemState(msgspec.Struct, frozen=True, kw_only=True):
    """A scope item on the day asked about."""

    key: str | None
    requirement: str | None
    status: RightStatus
    event: Annotated[str | None, Meta(description="What brought the status.")] = None
    on: Annotated[Any, Meta(description="When it came: a day, or the window in which the day lies.")] = None
    since: Annotated[str | None, Meta(description="First day of this status; null: as far back as asked.")] = None
    until: Annotated[str | None, Meta(description="Last day of this status; null: no end known.")] = None


class RightShown(RecordShown, frozen=True, kw_only=True):
    """An accreditation, designation or recognition, resolved for a day."""

    kind: Literal["accreditation", "designation", "recognition"]
    status: Annotated[RightStatus, Meta(description="The best of its items.")]
    by_silence: Annotated[bool, Meta(description="It follows from an objection period that nobody used.")] = False
    items: list[ItemState]


class BodyFound(RecordFound, frozen=True, kw_only=True):
    """A body with everything recorded about it, its rights resolved for a day."""

    as_of: str
    rights: list[RightShown]
    notices: list[RecordShown]


class IdentifierShown(msgspec.Struct, frozen=True):
    """A number under a scheme."""

    scheme: str
    value: str


class BodyLine(msgspec.Struct, frozen=True, kw_only=True):
    """A body in a list."""

    id: str
    name: str
    economy: str
    kinds: list[str]
    identifiers: list[IdentifierShown]
    status: Annotated[RightStatus, Meta(description="The best status of its designations and recognitions that fit.")]


class BodyPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of bodies."""

    items: list[BodyLine]
    next: Annotated[str | None, Meta(description="Cursor of the next page; null: this is the last.")]
    as_of: str
    state: State


class BodySearch(Paging, frozen=True, kw_only=True):
    """What bodies are looked for; every parameter given must be met."""

    name: Annotated[Given | None, Meta(description="Part of one of its names, past ones included.")] = None
    scheme: Annotated[Given | None, Meta(description="Scheme of an identifier.")] = None
    value: Annotated[Given | None, Meta(description="The identifier.")] = None
    economy: Annotated[Given | None, Meta(description="Economy of the body or of a site.")] = None
    sector: Annotated[Given | None, Meta(description="A right in this sector.")] = None
    requirement: Annotated[Given | None, Meta(description="A right for this requirement, by id or citation.")] = None
    status: Annotated[RightStatus | None, Meta(description="Status of its best fitting right on the day.")] = None
    as_of: Annotated[date | None, Meta(description="The day for states. Default: today.")] = None


class BodyViewing(Viewing, frozen=True, kw_only=True):
    """Parameters of one body."""

    as_of: Annotated[date | None, Meta(description="The day for states. Default: today.")] = None


class AgreementList(Paging, frozen=True, kw_only=True):
    """Which agreements are listed."""

    party: Annotated[Given | None, Meta(description="Economy or union that is a party.")] = None
    family: Annotated[
        Literal["technical", "aeo", "accreditation", "unilateral", "internal_market"] | None,
        Meta(description="What kind of recognition it gives."),
    ] = None


def show_record(versioned: Versioned) -> RecordShown:
    """Return a record as it is shown."""
    return RecordShown(version=versioned.version, record=write_record(versioned.record))


def list_records(view: View, kind: Kind, paging: Paging) -> RecordPage:
    """Return a page of the records of one kind, in order of id."""
    found = [each for each in view.held.register.records.values() if isinstance(each.record, kind)]
    if isinstance(paging, AgreementList):
        found = [each for each in found if isinstance(each.record, Agreement) and _fits(each.record, paging)]
    found.sort(key=lambda each: each.record.id)
    page, following = cut_page(found, lambda each: each.record.id, paging, view)
    return RecordPage(items=[show_record(each) for each in page], next=following, state=view.state)


def _fits(agreement: Agreement, wanted: AgreementList) -> bool:
    party = wanted.party is None or wanted.party in agreement.parties
    return party and wanted.family in (None, agreement.family)


def find_record(view: View, kind: Kind | type[Body], record_id: str) -> Versioned:
    """Return one record.

    Raises:
        NoSuchRecord: there is none of that kind with that id.
    """
    versioned = view.held.register.records.get(record_id)
    if versioned is None or not isinstance(versioned.record, kind):
        raise NoSuchRecord(kind.__name__.lower(), record_id)
    return versioned


def read_record(view: View, kind: Kind, record_id: str) -> RecordFound:
    """Return one record with the state of the register; an agreement comes with its routes.

    Raises:
        NoSuchRecord: there is none of that kind with that id.
    """
    shown = show_record(find_record(view, kind, record_id))
    if kind is not Agreement:
        return RecordFound(version=shown.version, record=shown.record, state=view.state)
    routes = [show_record(each) for each in routes_of(view.held.register, record_id)]
    return AgreementFound(version=shown.version, record=shown.record, state=view.state, routes=routes)


def routes_of(register: Register, agreement: str) -> list[Versioned]:
    """Return the routes that rest on an agreement, in order of id."""
    keys = sorted(key for key, rf in register.facts.routes.items() if rf.route.agreement == agreement)
    return [register.records[key] for key in keys]


def read_body(view: View, body_id: str, as_of: date | None = None) -> BodyFound:
    """Return a body with its rights, resolved for a day.

    Raises:
        NoSuchRecord: there is no such body.
    """
    register = view.held.register
    shown = show_record(find_record(view, Body, body_id))
    day = as_of or view.today
    issuer = register.facts.issuers[body_id]
    own = register.records_of(body_id)
    return BodyFound(
        version=shown.version,
        record=shown.record,
        state=view.state,
        as_of=day.isoformat(),
        rights=[_show_right(right, register.records, day.toordinal()) for right in _rights(issuer)],
        notices=[show_record(each) for each in own if isinstance(each.record, Notice)],
    )


def search_bodies(view: View, wanted: BodySearch) -> BodyPage:
    """Return a page of the bodies that meet every criterion, in order of id."""
    facts = view.held.register.facts
    day = wanted.as_of or view.today
    found: list[tuple[Body, str, RightStatus]] = []
    for body, issuer in sorted(_candidates(facts, wanted), key=lambda pair: pair[0].id):
        status = _best(_fitting(facts, issuer, wanted), day.toordinal())
        narrowed = wanted.sector is not None or wanted.requirement is not None
        if wanted.status not in (None, status) or (narrowed and wanted.status is None and status == "none"):
            continue
        found.append((body, issuer.name, status))
    page, following = cut_page(found, lambda each: each[0].id, wanted, view)
    return BodyPage(
        items=[_show_line(body, name, status) for body, name, status in page],
        next=following,
        as_of=day.isoformat(),
        state=view.state,
    )


def _candidates(facts: Facts, wanted: BodySearch) -> Iterator[tuple[Body, IssuerFacts]]:
    for issuer in _named(facts, wanted.name):
        body = issuer.body
        if body is None:
            continue
        if wanted.economy is not None and wanted.economy not in {body.economy, *(site.economy for site in body.sites)}:
            continue
        if (wanted.scheme or wanted.value) and not any(_is_number(wanted, each) for each in body.identifiers):
            continue
        yield body, issuer


def _named(facts: Facts, name: str | None) -> Collection[IssuerFacts]:
    """Return the bodies in whose names a text stands; where in none, those with such a number or a name like it."""
    if name is None:
        return facts.issuers.values()
    spelled = parts_spelled(name)
    bodies = [issuer for issuer in facts.issuers.values() if issuer.body is not None]
    called = [issuer for issuer in bodies if _is_called(issuer, spelled)]
    if called:
        return called
    stated = list_numbers(name) if states_number(name) else ()
    borne = [row for each in stated for row in facts.identifiers.get(each, ())]
    found = dict.fromkeys(body for body, _, _ in borne) or facts.likeness.issuers(name)
    return [facts.issuers[key] for key in found]


def _is_called(issuer: IssuerFacts, spelled: Collection[str]) -> bool:
    """Whether a part of one of its names is spelled so, as words or with legal forms as they are abbreviated."""
    return any(each in known for called in issuer.called for known in (called.key, called.plain) for each in spelled)


def _is_number(wanted: BodySearch, number: SchemeIdentifier) -> bool:
    scheme = None if wanted.scheme is None else find_scheme(wanted.scheme)
    if scheme not in (None, number.scheme):
        return False
    return wanted.value is None or canonise(number.scheme, wanted.value) == canonise(number.scheme, number.value)


def _fitting(facts: Facts, issuer: IssuerFacts, wanted: BodySearch) -> Iterator[ItemFacts]:
    requirements: set[str] | None = None
    if wanted.requirement is not None:
        ids = find_rule(wanted.requirement, facts).ids or (wanted.requirement,)
        requirements = {wider for each in ids for wider in facts.spell(each)}
    for right in (*issuer.designations, *issuer.recognitions):
        for item in right.items:
            if requirements is not None and item.requirement not in requirements:
                continue
            if wanted.sector is not None and wanted.sector not in _sectors(facts, right, item):
                continue
            yield item


def _sectors(facts: Facts, right: RightFacts, item: ItemFacts) -> set[str | None]:
    requirement = facts.requirements.get(item.requirement or "")
    if requirement is not None:
        return {requirement.sector}
    agreement = facts.agreements.get(right.agreement or "")
    annex = agreement.annexes.get(right.annex or "") if agreement is not None else None
    return set(annex.sectors) if annex is not None else set()


def _best(items: Iterator[ItemFacts], day: int) -> RightStatus:
    state = max((item.timeline(day).at(day).state for item in items), default=RightState.NONE)
    return _status(state)


def _status(state: RightState) -> RightStatus:
    name: RightStatus = state.name.lower()  # type: ignore[assignment]  # the members of RightState are the literals
    return name


def _rights(issuer: IssuerFacts) -> tuple[RightFacts, ...]:
    return (*issuer.recognitions, *issuer.designations, *issuer.accreditations)


def _show_right(right: RightFacts, records: Any, day: int) -> RightShown:
    versioned: Versioned = records[right.record]
    shown = show_record(versioned)
    keys = _keys(versioned.record, len(right.items))
    states = [_show_item(item, key, day) for item, key in zip(right.items, keys, strict=True)]
    return RightShown(
        version=shown.version,
        record=shown.record,
        kind=right.kind,  # type: ignore[arg-type]  # the compiler of rights knows these three
        status=_best(iter(right.items), day),
        by_silence=right.silence_from is not None,
        items=states,
    )


def _keys(record: AnyRecord, count: int) -> list[str | None]:
    """Return the scope keys of resolved items, where they are resolved one by one."""
    scope = record.scope if isinstance(record, Accreditation | Designation | Recognition) else ()
    return [item.key for item in scope] if len(scope) == count else [None] * count


def _show_item(item: ItemFacts, key: str | None, day: int) -> ItemState:
    timeline = item.timeline(day)
    status = timeline.at(day)
    first, last = timeline.stretch(day)
    return ItemState(
        key=key,
        requirement=item.requirement,
        status=_status(status.state),
        event=status.event,
        on=None if status.on is None else status.on.plain(),
        since=None if first < 1 else show_day(first),
        until=None if last >= LATEST else show_day(last),
    )


def _show_line(body: Body, name: str, status: RightStatus) -> BodyLine:
    return BodyLine(
        id=body.id,
        name=name,
        economy=body.economy,
        kinds=list(body.kinds),
        identifiers=[IdentifierShown(each.scheme, each.value) for each in body.identifiers],
        status=status,
    )
