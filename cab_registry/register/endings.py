"""Everything in a register that ends, in the order of its last days, and what of it is due."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from cab_registry.domain.days import LATEST
from cab_registry.domain.records import Designation, Recognition
from cab_registry.engine.representation import speaks_for
from cab_registry.register.compiled import Register
from cab_registry.register.ending import (
    CONFIRMATION_THRESHOLDS,
    THRESHOLDS,
    Ending,
    EndingKind,
    make_key,
    threshold_of,
)
from cab_registry.register.law_endings import find_law_endings
from cab_registry.register.procedure_clocks import Clock, find_clocks
from cab_registry.register.right_endings import find_right_endings, stands_on

__all__ = [
    "CONFIRMATION_THRESHOLDS",
    "THRESHOLDS",
    "Ending",
    "EndingKind",
    "due_within",
    "find_endings",
    "find_late",
    "find_running",
    "is_of",
    "threshold_of",
]


def find_endings(register: Register) -> tuple[Ending, ...]:
    """Return all that ends, has ended or will end, each fact and day once, sorted by its earliest possible last day.

    It depends on the register alone, not on the day on which one looks; see `find_running` for what does.
    """
    found: dict[str, Ending] = {}
    for ending in (*find_right_endings(register), *find_law_endings(register)):
        found.setdefault(ending.key, ending)
    return tuple(sorted(found.values(), key=_order))


def find_running(register: Register, today: int) -> tuple[Ending, ...]:
    """Return the clocks of procedures that run on a day and have a last day, sorted by it; late ones included."""
    found = (_of_clock(clock, register) for clock in find_clocks(register, today) if clock.last is not None)
    return tuple(sorted(found, key=_order))


def _of_clock(clock: Clock, register: Register) -> Ending:
    record, version = register.records[clock.record]
    if clock.last is None or not isinstance(record, Designation | Recognition):
        raise ValueError(f"{clock.record} has no clock with a last day")
    return Ending(
        key=make_key(clock.record, clock.kind, clock.last),
        kind=clock.kind,
        record=clock.record,
        version=version,
        owner=record.owner,
        on=clock.last,
        what=clock.then,
        by=record.by,
        body=clock.body,
        agreement=clock.agreement,
        requirements=tuple(sorted({item.requirement for item in record.scope if item.requirement is not None})),
        concerns=clock.waits_for,
    )


def due_within(endings: Sequence[Ending], today: int, days: int) -> tuple[Ending, ...]:
    """Return what may end on a day from today to so many days later, both inclusive.

    Args:
        endings: sorted by last day, as `find_endings` gives them.
        today: the day on which one looks.
        days: how far one looks.
    """
    first = bisect_left(endings, today, key=_due)
    return tuple(endings[first : bisect_right(endings, today + days, lo=first, key=_due)])


def find_late(register: Register, endings: Sequence[Ending], today: int) -> tuple[Ending, ...]:
    """Return what lies before today and is still open: overdue confirmations, and windows that have begun.

    A confirmation stays overdue for as long as the accreditation stands. A window is open from its first day to its
    last; one without a last day says only that the end has come at some time.
    """
    passed = endings[: bisect_left(endings, today, key=_due)]
    return tuple(
        ending
        for ending in passed
        if (stands_on(register, ending, today) if ending.kind == "confirmation" else _may_last(ending, today))
    )


def _may_last(ending: Ending, today: int) -> bool:
    return today <= ending.certain < LATEST


def is_of(ending: Ending, authority: str, register: Register) -> bool:
    """Whether an authority keeps the record, gives what ends, or is concerned by it.

    What a predecessor or the authority's economy gave counts as its own.
    """
    return any(speaks_for(authority, side, register.law) for side in (ending.owner, *ending.concerned))


def _due(ending: Ending) -> int:
    return ending.due


def _order(ending: Ending) -> tuple[int, str]:
    return ending.due, ending.key
