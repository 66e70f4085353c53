"""Piecewise constant functions of the day, and how they are built from dated events with uncertain days."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Generic, TypeVar

from cab_registry.domain.days import EARLIEST, LATEST, When

State = TypeVar("State")
Payload = TypeVar("Payload")

_MANY = 6
"""With more overlapping windows than this, the possible worlds are not enumerated one by one."""


class Timeline(Generic[State]):
    """A value for each day. Between two starts nothing changes; the first start is before every day."""

    __slots__ = ("_single", "starts", "states")

    def __init__(self, starts: Sequence[int], states: Sequence[State]) -> None:
        self.starts = tuple(starts)
        self.states = tuple(states)
        self._single = len(self.states) == 1

    def __eq__(self, other: object) -> bool:
        """Two timelines are equal when they give the same on every day."""
        return isinstance(other, Timeline) and (self.starts, self.states) == (other.starts, other.states)

    def __hash__(self) -> int:
        return hash(self.starts)

    def at(self, day: int) -> State:
        """Return the value on a day."""
        if self._single:
            return self.states[0]
        return self.states[bisect_right(self.starts, day) - 1]

    def stretch(self, day: int) -> tuple[int, int]:
        """Return the first and last day around `day` on which the value is the same; may be the sentinels."""
        if self._single:
            return EARLIEST, LATEST
        index = bisect_right(self.starts, day) - 1
        last = self.starts[index + 1] - 1 if index + 1 < len(self.starts) else LATEST
        return self.starts[index], last

    def over(self, first: int, last: int) -> Iterator[State]:
        """Yield each value that occurs from `first` to `last`, both inclusive."""
        index = bisect_right(self.starts, first) - 1
        yield self.states[index]
        for following in range(index + 1, len(self.starts)):
            if self.starts[following] > last:
                return
            yield self.states[following]


def constant(state: State) -> Timeline[State]:
    """Return the timeline that never changes."""
    return Timeline((EARLIEST,), (state,))


def build(
    events: Sequence[tuple[When, Payload]],
    settle: Callable[[tuple[Payload, ...], int], State],
    merge: Callable[[list[State]], State],
    further: Sequence[int] = (),
) -> Timeline[State]:
    """Build a timeline from events.

    On each stretch of days the events that have certainly come are settled to a state; for an event
    whose day is a window both worlds are settled and merged. `further` names days on which the state
    may change by itself.
    """
    starts = {EARLIEST, *further}
    for when, _ in events:
        starts.update(day for day in (when.earliest, when.latest) if day < LATEST)
    kept: list[int] = []
    states: list[State] = []
    for start in sorted(starts):
        state = _state_on(start, events, settle, merge)
        if not states or states[-1] != state:
            kept.append(start)
            states.append(state)
    return Timeline(kept, states)


def _state_on(
    day: int,
    events: Sequence[tuple[When, Payload]],
    settle: Callable[[tuple[Payload, ...], int], State],
    merge: Callable[[list[State]], State],
) -> State:
    open_indexes = [i for i, (when, _) in enumerate(events) if when.earliest <= day < when.latest]
    come = [day >= when.latest for when, _ in events]
    if not open_indexes:
        return settle(tuple(payload for (_, payload), has in zip(events, come, strict=True) if has), day)
    worlds = product((False, True), repeat=min(len(open_indexes), _MANY))
    states: list[State] = []
    for world in worlds:
        for position, has in enumerate(world):
            come[open_indexes[position]] = has
        state = settle(tuple(payload for (_, payload), has in zip(events, come, strict=True) if has), day)
        if state not in states:
            states.append(state)
    return merge(states) if len(states) > 1 else states[0]
