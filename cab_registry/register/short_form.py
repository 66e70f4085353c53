"""The short form of facts in acceptance cases, turned into the register's own records.

`given` holds bodies, rights, positions, notices, statements of coverage, and events added to agreements and
authorities; each may carry `recorded`, the day on which the register learned it. Facts of one kind, subject and
number whose `recorded` differ are versions of one record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

import msgspec

from cab_registry.domain.codes import OperationState
from cab_registry.domain.days import EARLIEST, When, parse_day, parse_when
from cab_registry.domain.records import Agreement, AnyRecord, Authority, Recognition, Route, read_record
from cab_registry.domain.records.law import Annex, InstrumentEvent, OperationEvent
from cab_registry.domain.records.rights import Right, RightEvent, ScopeItem
from cab_registry.register.compiled import Register, Versioned
from cab_registry.register.short_statuses import has_status, with_status

OWNER = "registrar"
_WORKING: frozenset[str] = frozenset(get_args(OperationState))
_ANSWERS = ("notified", "objected")
_BEGINS = ("in_force", "provisionally_applied")


@dataclass(frozen=True, slots=True)
class Given:
    """One fact as a record, and from which day on the register knows it."""

    record: AnyRecord
    known: int
    identity: tuple[str, ...]


def read_given(given: Iterable[dict[str, Any]], register: Register, known_on: int | None) -> list[Versioned]:
    """Return the records that the facts make, as known at the end of a day; None: everything is known."""
    facts = [next(iter(fact.items())) for fact in given]
    records: list[Given] = []
    for index, (kind, body) in enumerate(facts):
        if kind in _READERS:
            known = parse_day(body["recorded"]) if "recorded" in body else EARLIEST
            if known_on is None or known <= known_on:
                records.extend(_READERS[kind](body, index, known, known_on, register))
    latest = {
        item.identity: max(other.known for other in records if other.identity == item.identity) for item in records
    }
    kept: dict[str, Versioned] = {}
    for item in records:
        if item.known == latest[item.identity]:
            kept[item.record.id] = Versioned(item.record, 1)
    return list(_with_events(kept, facts, register, known_on).values())


def _read(kind: str, identifier: str, fields: dict[str, Any]) -> AnyRecord:
    return read_record({"type": kind, "id": identifier, "owner": OWNER, **fields})


def _body(fact: dict[str, Any], _index: int, known: int, _known_on: int | None, _register: Register) -> Iterator[Given]:
    fields = {
        "names": [{"name": fact["name"], "from": "always"}],
        "economy": fact["economy"],
        "kinds": [fact["kind"]],
        "sites": [{"key": site["id"], "economy": site["economy"]} for site in fact.get("sites", ())],
        "identifiers": [
            {key: item[key] for key in ("scheme", "value", "site") if key in item} | {"from": "always"}
            for item in fact.get("identifiers", ())
        ],
        "ownership": list(_ownership(fact.get("ownership", ""))),
    }
    yield Given(_read("body", fact["id"], fields), known, ("body", fact["id"]))


def _ownership(text: str) -> Iterator[dict[str, Any]]:
    folded = text.casefold()
    if "prohibited" in folded:
        share = re.search(r"(\d+)\s*%", folded)
        yield {"fact": "prohibited_entity", "from": "always"} | ({"share": int(share[1])} if share else {})
    elif "first party" in folded:
        yield {"fact": "first_party", "from": "always"}
    elif "third party" in folded:
        yield {"fact": "independent_third_party", "from": "always"}


def _scope(fact: dict[str, Any], register: Register) -> list[dict[str, Any]]:
    shared = {key: fact[key] for key in ("product_classes", "procedures", "result_kinds") if fact.get(key)}
    items = []
    for name in fact.get("scope") or ():
        item = {"key": name, "from": "always", **shared}
        if name in register.facts.requirements:
            item["requirement"] = name
        else:
            item["standards"], item["text"] = [name], name
        items.append(item)
    if not items and shared:
        items.append({"key": "classes", "from": "always", **shared})
    return items


def _first_day(event: dict[str, Any]) -> int:
    """Return the day of an event, or the first day of its window."""
    when = event["on"]
    if isinstance(when, dict):
        when = when.get("not_before") or when.get("not_after") or "always"
    return EARLIEST if when == "always" else parse_day(when)


def _events(fact: dict[str, Any], known_on: int | None) -> list[dict[str, Any]]:
    """Return the events in the order of days, in whatever order they are written down."""
    found = []
    for event in sorted(fact.get("events", ()), key=_first_day):
        if known_on is not None and "recorded" in event and parse_day(event["recorded"]) > known_on:
            continue
        item = {key: event[key] for key in ("event", "on", "until", "kind") if key in event}
        if event.get("scope"):
            item["items"] = event["scope"]
        found.append(item)
    return found


def _right(kind: str) -> Any:
    def read(fact: dict[str, Any], index: int, known: int, known_on: int | None, register: Register) -> Iterator[Given]:
        names = ("body", "site", "by", "standard", "edition", "number", "agreement", "annex", "scheme", "until")
        fields = {key: fact[key] for key in names if fact.get(key) is not None}
        if "from" in fact:
            fields["from"] = fact["from"]
        fields["scope"] = _scope(fact, register)
        events = _events(fact, known_on)
        fields["timeline"] = events
        if kind == "accreditation":
            fields["validity"] = fact.get("validity") or ("dated" if "until" in fact else "open_ended")
            identity = tuple(str(fact.get(key)) for key in ("body", "site", "by", "standard", "number"))
        else:
            identity = tuple(str(fact.get(key)) for key in ("body", "site", "by", "agreement", "annex", "scheme"))
        yield Given(_read(kind, f"given-{kind}-{index}", fields), known, (kind, *identity))
        if kind == "designation" and any(event["event"] in _ANSWERS for event in events):
            yield from _asked_recognition(fact, index, known, fields, register)

    return read


def _asked_recognition(
    fact: dict[str, Any], index: int, known: int, fields: dict[str, Any], register: Register
) -> Iterator[Given]:
    """`notified` and `objected` belong to the importing side: put them on its own recognition record."""
    agreement = register.facts.agreements.get(fact.get("agreement") or "")
    if agreement is None:
        return
    answers = [event for event in fields["timeline"] if event["event"] in _ANSWERS]
    for party in agreement.parties:
        record = {key: value for key, value in fields.items() if key not in ("from", "until")}
        record |= {"by": party, "timeline": answers}
        identifier = f"given-recognition-{index}-{party.lower()}"
        yield Given(_read("recognition", identifier, record), known, ("asked", identifier))


def _position(
    fact: dict[str, Any], index: int, known: int, _known_on: int | None, register: Register
) -> Iterator[Given]:
    about = dict(fact.get("about", {}))
    conditions = [about.pop("condition")] if "condition" in about else []
    fields: dict[str, Any] = {key: fact[key] for key in ("by", "says", "until") if key in fact}
    fields |= {"about": about, "conditions": conditions, "from": fact.get("from", "always")}
    if "ground" in about:
        fields["ground"] = about.pop("ground")
    home = register.facts.economy_of(fact["by"])
    fields["binds_in"] = fact.get("binds_in") or ([home] if home is not None else [])
    # Each key narrows: without `agreement` the position speaks of every route, under an agreement or not.
    grounds = [about.get("agreement")] if "agreement" in about else [None, *sorted(register.facts.agreements)]
    for number, agreement in enumerate(grounds):
        narrowed = {**fields, "about": {**about, "agreement": agreement}}
        identifier = f"given-position-{index}" + (f"-{number}" if number else "")
        yield Given(_read("position", identifier, narrowed), known, ("position", str(index), str(number)))


def _notice(
    fact: dict[str, Any], index: int, known: int, _known_on: int | None, _register: Register
) -> Iterator[Given]:
    fields: dict[str, Any] = {key: fact[key] for key in ("about", "effect", "by") if key in fact}
    fields["on"] = fact.get("on", "always")
    yield Given(_read("notice", f"given-notice-{index}", fields), known, ("notice", str(index)))


def _coverage(
    fact: dict[str, Any], index: int, known: int, _known_on: int | None, _register: Register
) -> Iterator[Given]:
    names = ("by", "agreement", "annex", "scheme", "kinds", "completeness", "list")
    fields: dict[str, Any] = {key: fact[key] for key in names if fact.get(key) is not None}
    fields["as_of"] = fact.get("as_of", "always")
    ground = (str(fact.get(key)) for key in ("by", "agreement", "annex", "scheme", "kinds"))
    yield Given(_read("coverage", f"given-coverage-{index}", fields), known, ("coverage", *ground))


_READERS: dict[str, Any] = {
    "body": _body,
    "accreditation": _right("accreditation"),
    "designation": _right("designation"),
    "recognition": _right("recognition"),
    "position": _position,
    "notice": _notice,
    "coverage": _coverage,
}


def _with_events(
    kept: dict[str, Versioned], facts: list[tuple[str, dict[str, Any]]], register: Register, known_on: int | None
) -> dict[str, Versioned]:
    """Add the events that cases put on agreements and on recognitions of authorities."""
    for index, (kind, fact) in enumerate(facts):
        if "recorded" in fact and known_on is not None and parse_day(fact["recorded"]) > known_on:
            continue
        if kind == "agreement_event":
            for record in _agreement_event(fact, kept, register):
                kept[record.id] = Versioned(record, 1)
        elif kind in ("authority_event", "recognition"):
            name = fact["authority"] if kind == "authority_event" else fact["body"]
            authority = _current(name, kept, register)
            if isinstance(authority, Authority) and has_status(fact, register):
                kept[name] = Versioned(with_status(authority, kind, fact, register), 1)
            elif kind == "authority_event":
                for record in _authority_event(fact, index, kept, register):
                    kept[record.id] = Versioned(record, 1)
    return kept


def _current(identifier: str, kept: dict[str, Versioned], register: Register) -> AnyRecord | None:
    versioned = kept.get(identifier) or register.records.get(identifier)
    return versioned.record if versioned is not None else None


def _agreement_event(fact: dict[str, Any], kept: dict[str, Versioned], register: Register) -> Iterator[AnyRecord]:
    """An event with a day takes the place of a window or a gap in the timeline for its state."""
    agreement = _current(fact["agreement"], kept, register)
    if not isinstance(agreement, Agreement):
        return
    annex = fact.get("annex")
    until = parse_when(fact["until"]) if "until" in fact and not fact["state"].endswith("_notified") else None
    day = parse_when(fact["on"])
    if fact["state"] not in _WORKING:
        event = InstrumentEvent(state=fact["state"], on=day, until=until)
        if annex is None:
            yield msgspec.structs.replace(
                agreement,
                instrument=_replaced(agreement.instrument, event),
                annexes={key: _settled(part, event) for key, part in agreement.annexes.items()},
            )
        elif annex in agreement.annexes:
            agreement = _in_force_by(agreement, None, day) if fact["state"] in _BEGINS else agreement
            part = agreement.annexes[annex]
            part = msgspec.structs.replace(part, instrument=_replaced(part.instrument, event))
            yield msgspec.structs.replace(agreement, annexes={**agreement.annexes, annex: part})
        return
    working = OperationEvent(state=fact["state"], on=day, until=until)
    if fact["state"] == "operational":
        agreement = _in_force_by(agreement, annex, day)
        yield agreement
    if annex in agreement.annexes:
        part = agreement.annexes[annex]
        part = msgspec.structs.replace(part, timeline=_replaced(part.timeline, working))
        yield msgspec.structs.replace(agreement, annexes={**agreement.annexes, annex: part})
    for key in register.facts.routes:
        route = _current(key, kept, register)
        if isinstance(route, Route) and route.agreement == agreement.id and annex in (None, route.annex):
            if route.operation or annex is None:
                yield msgspec.structs.replace(route, operation=_replaced(route.operation, working))


def _settled(annex: Annex, event: InstrumentEvent) -> Annex:
    """An event of the whole agreement settles the same event of an annex whose day is a window around it."""
    windows = [old for old in annex.instrument if old.state == event.state and old.on is not None and not old.on.exact]
    if event.on is None or not any(old.on and old.on.earliest <= event.on.earliest <= old.on.latest for old in windows):
        return annex
    return msgspec.structs.replace(annex, instrument=_replaced(annex.instrument, event))


def _in_force_by(agreement: Agreement, annex: str | None, day: When) -> Agreement:
    """What works is in force, and an annex in force stands in an agreement in force: windows end on that day."""
    annexes = dict(agreement.annexes)
    if annex in annexes:
        part = annexes[annex]
        annexes[annex] = msgspec.structs.replace(part, instrument=_bounded(part.instrument, day))
    return msgspec.structs.replace(agreement, instrument=_bounded(agreement.instrument, day), annexes=annexes)


def _bounded(events: tuple[InstrumentEvent, ...], day: When) -> tuple[InstrumentEvent, ...]:
    return tuple(
        msgspec.structs.replace(event, on=When(min(event.on.earliest, day.latest), min(event.on.latest, day.latest)))
        if event.state in _BEGINS and event.on is not None and not event.on.exact
        else event
        for event in events
    )


def _replaced(events: tuple[Any, ...], event: Any) -> tuple[Any, ...]:
    kept = [old for old in events if old.state != event.state or (old.on is not None and old.on.exact)]
    return (*kept, event)


def _authority_event(
    fact: dict[str, Any], index: int, kept: dict[str, Versioned], register: Register
) -> Iterator[AnyRecord]:
    if fact["state"] == "recognised":
        fields = {key: fact[key] for key in ("by", "agreement", "annex", "until") if fact.get(key) is not None}
        scope = _scope(fact, register) or _whole_annex(fact, register)
        fields |= {"body": fact["authority"], "from": fact["on"], "scope": scope}
        yield _read("recognition", f"given-authority-event-{index}", fields)
        return
    ids = {*register.by_body.get(fact["authority"], ()), *kept}
    for identifier in sorted(ids):
        record = _current(identifier, kept, register)
        if not isinstance(record, Right) or not _concerns(fact, record, register):
            continue
        items = _touched(fact, record, register)
        if items is None:
            continue
        event = RightEvent(
            event=fact["state"],
            on=parse_when(fact["on"]),
            until=parse_when(fact["until"]) if "until" in fact else None,
            items=items,
        )
        yield msgspec.structs.replace(record, timeline=(*record.timeline, event))


def _whole_annex(fact: dict[str, Any], register: Register) -> list[dict[str, Any]]:
    """Return what an annex lists in the sectors in which an authority inspects; else one item without limits."""
    authority, rules = register.facts.authorities.get(fact["authority"]), register.facts.requirements
    listed = {
        item.id
        for rf in register.facts.routes.values()
        if rf.route.agreement == fact.get("agreement") and fact.get("annex") in (None, rf.route.annex)
        for item in rf.route.requirements
        if authority is not None and item.id in rules and rules[item.id].sector in authority.inspects
    }
    items = [{"key": name, "from": "always", "requirement": name} for name in sorted(listed)]
    return items or [{"key": fact.get("annex") or "all", "from": "always"}]


def _concerns(fact: dict[str, Any], record: Right, register: Register) -> bool:
    if not isinstance(record, Recognition) or record.body != fact["authority"]:
        return False
    facts = register.facts
    same = record.by in facts.same_authority(fact["by"]) or facts.economy_of(record.by) == facts.economy_of(fact["by"])
    agreement = "agreement" not in fact or record.agreement == fact["agreement"]
    return same and agreement and (fact.get("annex") is None or record.annex in (None, fact["annex"]))


def _touched(fact: dict[str, Any], record: Right, register: Register) -> tuple[str, ...] | None:
    """Return the event's classes where an item speaks of them; () for all, None where no item does."""
    classes = set(fact.get("product_classes") or ())
    if not classes:
        return ()
    ruled = register.facts.requirements
    sectors = _sectors_of(classes, register)
    requirements = {
        item.id
        for rf in register.facts.routes.values()
        if rf.route.agreement == fact.get("agreement")
        and (not rf.route.product_classes or classes & {item.product_class for item in rf.route.product_classes})
        for item in rf.route.requirements
        if not sectors or item.id not in ruled or ruled[item.id].sector in sectors
    }
    spoken = any(_speaks_of(item, classes, requirements) for item in record.scope)
    return tuple(sorted(classes)) if spoken else None


def _sectors_of(classes: set[str], register: Register) -> set[str]:
    """Return the sectors to which classes belong, as the routes of one sector that cover them tell."""
    routes = (rf.route for rf in register.facts.routes.values() if len(rf.route.sectors) == 1)
    return {route.sectors[0] for route in routes if classes & {item.product_class for item in route.product_classes}}


def _speaks_of(item: ScopeItem, classes: set[str], requirements: set[str]) -> bool:
    if item.product_classes:
        return bool(classes & set(item.product_classes))
    return item.requirement is None or item.requirement in requirements
