"""What ends in the rights of bodies: the rights, the editions to which they are accredited, and confirmations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from cab_registry.domain.days import ALWAYS, EARLIEST, LATEST, When
from cab_registry.domain.records import Accreditation, Designation, Recognition
from cab_registry.domain.records.rights import ScopeItem
from cab_registry.engine.facts import ItemFacts, RightFacts, RightState, Status
from cab_registry.register.compiled import Register
from cab_registry.register.compiled_rights import AnyRight, find_edition
from cab_registry.register.ending import CONFIRMED_FOR, Ending, EndingKind, earliest_of, find_turns, make_key
from cab_registry.register.stated_endings import say_clock

_GONE = frozenset({RightState.NONE, RightState.EXPIRED, RightState.EDITION_ENDED, RightState.WITHDRAWN})
_CARRIES: Final = frozenset({"accreditation", "edition", "designation", "recognition"})
"""Kinds of endings that concern whoever designated or recognised the body."""

_TAKEN: Final[Mapping[str, str]] = {
    "withdrawn": "withdrawn",
    "resigned": "given up by the body",
    "restricted": "the scope is restricted",
    "reduced": "the scope is reduced",
    "renewal_denied": "renewal was denied",
}
"""How a right ends before its own end, in words."""

_STANDS = frozenset({RightState.HELD, RightState.SUSPENDED, RightState.UNKNOWN})


def find_right_endings(register: Register) -> Iterator[Ending]:
    """Yield what ends in the rights of every body and inspectorate."""
    for issuer in register.facts.issuers.values():
        resting = (*issuer.designations, *issuer.recognitions)
        for right in (*issuer.accreditations, *resting):
            for ending in _of_right(issuer.id, right, register):
                yield _with_concerned(ending, right, resting, register) if ending.kind in _CARRIES else ending


def _with_concerned(ending: Ending, ended: RightFacts, resting: Sequence[RightFacts], register: Register) -> Ending:
    """Name whoever designated or recognised the body for what ends, if that stands to its end.

    Of a designation and a recognition, it is who gave the other one under the same title.
    """
    concerned = {
        right.by
        for right in resting
        if right is not ended
        and (ending.accreditation_body is not None or _same_title(right, ended))
        and (right.site is None or ended.site in (None, right.site))
        and any(_rests_on(item, ending, register) and _state(item, ending.due) in _STANDS for item in right.items)
    }
    return replace(ending, concerns=tuple(sorted(concerned - {ending.by})))


def _same_title(one: RightFacts, two: RightFacts) -> bool:
    either = one.annex is None or two.annex is None or one.annex == two.annex
    return (one.agreement, one.scheme) == (two.agreement, two.scheme) and either


def _rests_on(item: ItemFacts, ending: Ending, register: Register) -> bool:
    """Whether an item speaks of a requirement that ends, or a part of it, or one of the two does not say of which."""
    if item.requirement is None or not ending.requirements:
        return True
    return bool(register.facts.spell(item.requirement) & set(ending.requirements))


class _Held(NamedTuple):
    """A right with its record and the body that holds it."""

    body: str
    right: RightFacts
    record: AnyRight

    def end(
        self, kind: EndingKind, fact: str, on: When, what: str, indexes: Sequence[int] = (), then: str = ""
    ) -> Ending:
        """Make an ending of the right, or of those of its items that have these indexes."""
        right, record = self.right, self.record
        whole = len(indexes) in (0, max(len(record.scope), 1))
        chosen = [right.items[index] for index in indexes] if indexes else right.items
        return Ending(
            key=make_key(record.id, fact, on),
            kind=kind,
            record=record.id,
            version=right.version,
            owner=record.owner,
            on=on,
            what=what,
            then=then,
            by=right.by,
            body=self.body,
            agreement=right.agreement,
            accreditation_body=right.by if isinstance(record, Accreditation) else None,
            items=() if whole else _keys(right, record, indexes),
            requirements=tuple(sorted({item.requirement for item in chosen if item.requirement is not None})),
        )


_KINDS: Final[Mapping[type, EndingKind]] = {
    Accreditation: "accreditation",
    Designation: "designation",
    Recognition: "recognition",
}


def _of_right(body: str, right: RightFacts, register: Register) -> Iterator[Ending]:
    record = register.records[right.record].record
    if not isinstance(record, AnyRight):
        return
    held, kind = _Held(body, right, record), _KINDS[type(record)]
    for (last, _), indexes in _last_days_by_item(right, RightState.EXPIRED):
        yield held.end(kind, "expiry", last, f"the {kind}", indexes)
    for (last, event), indexes in _last_days_by_item(right, RightState.WITHDRAWN):
        then = _TAKEN.get(event or "", (event or "").replace("_", " "))
        yield held.end(kind, "withdrawal", last, f"the {kind}", indexes, then)
    if not isinstance(record, Accreditation):
        return
    for (last, _), indexes in _last_days_by_item(right, RightState.EDITION_ENDED):
        what = f"the accreditation to edition {record.edition} of {record.standard}"
        yield held.end("edition", "edition", last, what, indexes, "the edition is no longer in use")
    yield from _changeover(held, record, register)
    yield from _confirmation(held, record)


def _last_days_by_item(right: RightFacts, end: RightState) -> Iterable[tuple[tuple[When, str | None], list[int]]]:
    """Return each last day on which items turn from held to that end, with what ends them, and their indexes."""
    days: dict[tuple[When, str | None], list[int]] = {}
    for index, item in enumerate(right.items):
        for last in _last_days(item, end):
            days.setdefault(last, []).append(index)
    return days.items()


def _last_days(item: ItemFacts, end: RightState) -> Iterator[tuple[When, str | None]]:
    """Yield the last days on which an item is held before it ends, as seen on them, and the event that ends it."""
    for index, lane in enumerate(item.lanes):
        before = item.lanes[index + 1].presented_from if index + 1 < len(item.lanes) else LATEST
        states = lane.timeline.states
        turns = find_turns(
            lane.timeline,
            _held,
            lambda status: status.state is end,
            lambda status: status.state is RightState.UNKNOWN and {RightState.HELD, end} <= status.possible,
        )
        for turn in turns:
            last = When(EARLIEST, turn.last.latest) if _any_time(states[turn.before]) else turn.last
            if lane.presented_from <= earliest_of(last) < before:
                yield last, (states[turn.after].event if end is RightState.WITHDRAWN else None)


def _held(status: Status) -> bool:
    """Whether an item is held, be it until a day that is not known."""
    return status.state is RightState.HELD or status.event == "validity_unknown" or _any_time(status)


def _any_time(status: Status) -> bool:
    """Whether its own end may have come on any day so far: only the latest day is known."""
    return status.event == "window" and status.end.earliest == EARLIEST


def _keys(right: RightFacts, record: AnyRight, indexes: Sequence[int]) -> tuple[str, ...]:
    """Return the keys of scope items; those that silence recognises are some of the record's, in its order."""
    scope = record.scope
    if len(right.items) != len(scope):
        rest = iter(scope)
        scope = tuple(next(item for item in rest if _same(item, facts)) for facts in right.items)
    return tuple(scope[index].key for index in indexes)


def _same(item: ScopeItem, facts: ItemFacts) -> bool:
    lists = (item.standards, item.product_classes, item.procedures, item.result_kinds)
    resolved = (facts.standards, facts.product_classes, facts.procedures, facts.result_kinds)
    return item.requirement == facts.requirement and tuple(map(frozenset, lists)) == resolved


def _changeover(held: _Held, record: Accreditation, register: Register) -> Iterator[Ending]:
    """Yield the last day of the changeover from an edition, for an accreditation to it that still stands then."""
    edition = find_edition(record, register.law)
    if edition is None or edition.transition is None:
        return
    last = edition.transition.until
    day = earliest_of(last)
    standing = (RightState.HELD, RightState.EDITION_ENDED)
    indexes = [index for index, item in enumerate(held.right.items) if _state(item, day) in standing]
    if indexes:
        what = f"the changeover from edition {record.edition} of {record.standard}"
        yield held.end("edition", "changeover", last, what, indexes, say_clock(edition.transition))


def _confirmation(held: _Held, record: Accreditation) -> Iterator[Ending]:
    if record.validity != "open_ended":
        return
    confirmed = last_confirmed(record)
    last = confirmed if confirmed == ALWAYS else confirmed.moved(CONFIRMED_FOR)
    if all(_state(item, earliest_of(last)) in _GONE for item in held.right.items):
        return
    what = f"the open-ended accreditation to {record.standard}"
    yield held.end("confirmation", "confirmation", last, what)


def last_confirmed(record: Accreditation) -> When:
    """Return when it was last read or confirmed that an accreditation stands, else when it was given.

    What is not known to have been given on any day counts as never confirmed: `always`.
    """
    confirmed = [event.on for event in record.timeline if event.event == "confirmed"]
    read = [source.read_on for source in record.sources.values() if source.read_on is not None]
    given = [event.on for event in record.timeline if event.event == "granted"]
    known = [*confirmed, *read] or given or [when for when in (record.from_,) if when is not None]
    return max(known, key=lambda when: (when.earliest, when.latest), default=ALWAYS)


def stands_on(register: Register, ending: Ending, day: int) -> bool:
    """Whether the accreditation whose confirmation ended is still one on a day."""
    issuer = register.facts.issuers.get(ending.body or "")
    rights = issuer.accreditations if issuer is not None else ()
    return any(
        _state(item, day) in _STANDS for right in rights if right.record == ending.record for item in right.items
    )


def _state(item: ItemFacts, day: int) -> RightState:
    return item.timeline(day).at(day).state
