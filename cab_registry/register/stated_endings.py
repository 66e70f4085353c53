"""Endings that a record of law states: how they are made, and what of dated lists and timelines ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from cab_registry.domain.days import LATEST, NEVER, Period, When
from cab_registry.domain.records import AnyRecord
from cab_registry.domain.records.common import Dated
from cab_registry.domain.records.law import OperationEvent, Tail
from cab_registry.engine.facts import Force, ForceState, Working
from cab_registry.engine.timeline import Timeline
from cab_registry.register.compiled import Register
from cab_registry.register.ending import Ending, EndingKind, find_turns, make_key
from cab_registry.register.law_timelines import own_working

Item = TypeVar("Item", bound=Dated)


class Stated:
    """A record of law from which endings are read, with what all of its endings have in common."""

    def __init__(self, record: AnyRecord, version: int, register: Register, **common: Any) -> None:
        self._record = record
        self._version = version
        self._facts = register.facts
        self._common = common

    def end(self, kind: EndingKind, fact: str, on: When, what: str, **more: Any) -> Ending:
        """Make an ending of a fact of this record."""
        record = self._record
        given = {**self._common, **more}
        return Ending(
            key=make_key(record.id, fact, on),
            kind=kind,
            record=record.id,
            version=self._version,
            owner=record.owner,
            on=on,
            what=what,
            **given,
        )

    def name(self, record_id: str) -> str:
        """Name a requirement by its citation and an agreement by its short name; others stay as they are."""
        requirement = self._facts.requirements.get(record_id)
        if requirement is not None:
            return requirement.citation
        agreement = self._facts.agreements.get(record_id)
        return (agreement.short or agreement.title or record_id) if agreement is not None else record_id


def find_lasting(items: Iterable[Item], same: Callable[[Item], str]) -> Iterator[tuple[Item, When]]:
    """Yield the dated items that end and after which none of the same goes on, each with its last day."""
    listed = list(items)
    for item in listed:
        period = item.period
        if period.end == NEVER:
            continue
        others = (other for other in listed if other is not item and same(other) == same(item))
        if not any(_goes_on(period, other.period) for other in others):
            yield item, period.end


def _goes_on(period: Period, other: Period) -> bool:
    return other.start.latest <= period.end.earliest + 1 and other.end.latest > period.end.latest


def find_losses(timeline: Timeline[ForceState]) -> Iterator[tuple[When, str]]:
    """Yield the last days of legal force, with the state that follows, in words."""
    over = (Force.ENDED, Force.SUSPENDED)
    turns = find_turns(
        timeline,
        lambda state: state.force is Force.IN_FORCE,
        lambda state: state.force in over,
        lambda state: state.force is Force.UNKNOWN,
    )
    for turn in turns:
        after = timeline.states[turn.after]
        yield turn.last, say((after.state if after.force in over else None) or "ended")


def find_stops(events: tuple[OperationEvent, ...]) -> Iterator[tuple[When, str, str]]:
    """Yield the last days of working, and of other states that end by themselves: what ends, and what follows."""
    timeline = own_working(events)
    told: set[When] = set()
    over = (Working.ENDED, Working.NOT_YET)
    turns = find_turns(
        timeline,
        lambda state: state.working in (Working.OPERATIONAL, Working.PILOT),
        lambda state: state.working in over,
        lambda state: state.working is Working.UNKNOWN,
    )
    for turn in turns:
        after = timeline.states[turn.after]
        told.add(turn.last)
        yield turn.last, "the working", say((after.state if after.working in over else None) or "ended")
    for event in events:
        last = event.until
        if event.on is None or last is None or last in told or last.latest >= LATEST:
            continue
        if timeline.at(last.earliest).state == event.state:
            yield last, f"the state {say(event.state)}", ""


def say_clock(tail: Tail) -> str:
    """Say on which clock the last day of a changeover counts."""
    return f"counted by the day on which the result is {tail.clock}"


def say(code: str) -> str:
    """Write a code as words."""
    return code.replace("_", " ")
