"""What ends: one fact with its last day, whom it concerns, and how long before it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeVar

from cab_registry.domain.days import EARLIEST, LATEST, When, show_day
from cab_registry.engine.timeline import Timeline

State = TypeVar("State")

EndingKind = Literal[
    "accreditation",
    "designation",
    "recognition",
    "edition",
    "signatory",
    "agreement",
    "annex",
    "route",
    "requirement",
    "membership",
    "confirmation",
    "review",
    "proposal",
    "objection",
    "answer",
    "hearing",
    "withdrawal",
    "deadlock",
]

RIGHTS: Final = frozenset({"accreditation", "designation", "recognition"})
"""Kinds of endings that are a right's own."""

CLOCKS: Final = frozenset({"proposal", "objection", "answer", "hearing", "withdrawal", "deadlock"})
"""Kinds of endings that are clocks of procedures."""

THRESHOLDS: Final = (120, 90, 30, 7, 0)
"""How many days before a last day it is told."""

CONFIRMATION_THRESHOLDS: Final = (7, 0)
"""The same for confirmations: they are due every 31 days, so that 30 days before would be each time one is made."""

CONFIRMED_FOR: Final = 31
"""For how many days an open-ended accreditation counts as confirmed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A fact of the register that has an end.

    Attributes:
        key: names the fact and its last day; stays the same while these do.
        kind: what ends.
        record: id of the record that says so.
        version: of that record.
        owner: id of the authority whose record it is.
        on: the last valid day, or the window in which it lies.
        what: what ends, as a phrase for a sentence.
        then: what follows, in words; empty where nothing is said.
        by: the authority, or the party's code, that gives it.
        body: id of the body.
        agreement: id of the agreement or arrangement.
        accreditation_body: whose accreditation or whose status in an arrangement it is.
        items: keys of the scope items that end; empty: the whole.
        requirements: ids of the requirements that it touches.
        concerns: further authorities, by id or by the code of their economy, whom it concerns.
    """

    key: str
    kind: EndingKind
    record: str
    version: int
    owner: str
    on: When
    what: str
    then: str = ""
    by: str | None = None
    body: str | None = None
    agreement: str | None = None
    accreditation_body: str | None = None
    items: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    concerns: tuple[str, ...] = ()

    @property
    def due(self) -> int:
        """The earliest day that may be the last valid one: what reminders count to."""
        return earliest_of(self.on)

    @property
    def certain(self) -> int:
        """The day after which it has certainly ended; may be the sentinel for "no end known"."""
        return self.on.latest

    @property
    def concerned(self) -> tuple[str, ...]:
        """Whom it concerns, by id or code: who gives what ends, and the others; not who merely keeps the record."""
        return self.concerns if self.by is None else (self.by, *self.concerns)

    @property
    def thresholds(self) -> tuple[int, ...]:
        """How many days before its last day it is told."""
        return CONFIRMATION_THRESHOLDS if self.kind == "confirmation" else THRESHOLDS


def earliest_of(on: When) -> int:
    """Return the earliest day of a window that the calendar has; of one without a first day, the last."""
    if on.earliest > EARLIEST:
        return on.earliest
    return max(on.latest, 1)


def threshold_of(remaining: int, thresholds: Sequence[int] = THRESHOLDS) -> int | None:
    """Return the tightest threshold that is reached so many days before a last day; None: none yet, or it has passed.

    What is due on a day is the notice of this threshold if it was not given, so that a day on which nobody looked
    loses nothing but what was overtaken by a tighter one.
    """
    if remaining < 0:
        return None
    return min((each for each in thresholds if each >= remaining), default=None)


def make_key(record: str, fact: str, on: When) -> str:
    """Name a fact of a record with its last day."""
    return f"{record}/{fact}/{_spell(on)}"


def _spell(on: When) -> str:
    if on.exact:
        return show_day(on.earliest) if on.earliest > EARLIEST else "always"
    first = show_day(on.earliest) if on.earliest > EARLIEST else ""
    last = show_day(on.latest) if on.latest < LATEST else ""
    return f"{first}..{last}"


class Turn(NamedTuple):
    """Where a timeline turns from what was there to what is gone: the last day, and the indexes of both states."""

    last: When
    before: int
    after: int


def find_turns(
    timeline: Timeline[State],
    alive: Callable[[State], bool],
    gone: Callable[[State], bool],
    doubtful: Callable[[State], bool],
) -> Iterator[Turn]:
    """Yield the last days of what a timeline holds.

    Args:
        timeline: the states by day.
        alive: whether it is held in a state.
        gone: whether a state is the end that is looked for.
        doubtful: whether in a state it may have come to that end already: the days of a window.
    """
    starts, states = timeline.starts, timeline.states
    final = len(states) - 1
    for index in range(final):
        if not alive(states[index]):
            continue
        after = index + 1
        while after < final and doubtful(states[after]):
            after += 1
        first = starts[index + 1] - 1
        if gone(states[after]):
            yield Turn(When(first, starts[after] - 1), index, after)
        elif doubtful(states[after]):
            yield Turn(When(first, LATEST), index, after)
        elif after > index + 1 and not alive(states[after]):
            yield Turn(When(first, starts[after] - 1), index, after)
