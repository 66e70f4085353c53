"""Timelines of rights: what an accreditation, designation or recognition is worth on each day, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cab_registry.domain.days import ALWAYS, EARLIEST, LATEST, NEVER, When
from cab_registry.domain.records.rights import Accreditation, Right, RightEvent, ScopeItem
from cab_registry.engine.facts import ItemFacts, Lane, RightState, Status
from cab_registry.engine.timeline import Timeline, build
from cab_registry.register.narrowing import Parted, names_of

_GIVES: Final = {
    "accreditation": ("granted", "renewed"),
    "designation": ("designated", "granted"),
    "recognition": ("recognised", "granted"),
}
_ASKED: Final = frozenset(("proposed", "notified"))
_ONLY_ASKED: Final = ("proposed", "notified", "objected", "contested", "verified", "renewal_requested")
_SUSPENDS: Final = ("suspended", "inactive", "restricted", "reduced")
_TAKES: Final = ("withdrawn", "resigned")


@dataclass(frozen=True, slots=True)
class _Move:
    """One step in the life of an item: what it is and, for an end or a renewal, the new last day."""

    name: str
    on: When
    until: When | None
    index: int
    lifts: int | None = None
    """The one suspension that a reinstatement names; it lifts no other, and no withdrawal."""


def _moves_of(right: Right, item: ScopeItem | None, edition_end: When | None) -> list[_Move]:
    moves = []
    for index, event in enumerate(right.timeline):
        if event.items and (item is None or not touches(event, item)):
            continue
        moves.append(_Move(event.event, event.on, event.until, index, _lifts(right, event)))
    if edition_end is not None:
        moves.append(_Move("edition_ended", edition_end, None, len(right.timeline)))
    return moves


def _lifts(right: Right, event: RightEvent) -> int | None:
    named = event.refers_to if event.event == "reinstated" else None
    known = named is not None and named < len(right.timeline) and right.timeline[named].event in _SUSPENDS
    return named if known else None


def touches(event: RightEvent, item: ScopeItem) -> bool:
    """Whether an event speaks of a scope item; one that names no item speaks of all."""
    return not event.items or not names_of(item).isdisjoint(event.items)


def _start_of(kind: str, right: Right, item: ScopeItem | None, moves: Sequence[_Move]) -> When | None:
    """Return the first day: the latest of what right, first giving event and item say; None: never given so far."""
    given = [move.on for move in moves if move.name in _GIVES[kind] and move.name != "renewed"]
    starts = []
    if right.from_ is not None:
        starts.append(right.from_)
    elif given:
        starts.append(min(given, key=lambda when: (when.earliest, when.latest)))
    if item is not None and not (item.from_ == ALWAYS and starts):
        starts.append(item.from_)
    if not starts or (starts == [ALWAYS] and right.from_ is None and _only_asked(kind, right)):
        return None if _only_asked(kind, right) else ALWAYS
    start = starts[0]
    for other in starts[1:]:
        start = start.later_of(other)
    return start


def _only_asked(kind: str, right: Right) -> bool:
    """A right whose only events are proposed or notified (or an answer to that, a denial too) has not been given.

    Nor has a recognition that was asked for and then lost, as long as no act or day gives it: silence may.
    """
    events = {event.event for event in right.timeline}
    if kind == "recognition" and events & _ASKED:
        return True
    answered = {*_ONLY_ASKED, "renewal_denied"} if events & _ASKED else {*_ONLY_ASKED}
    return bool(events) and events <= answered


def _end_of(right: Right, item: ScopeItem | None) -> When:
    end = right.until or NEVER
    return end.earlier_of(item.period.end) if item is not None else end


@dataclass(slots=True)
class _Life:
    """An item's state while its events are lived through, one after another."""

    last: When
    day: int
    begun: bool = False
    state: RightState = RightState.NOT_YET
    cause: str | None = None
    since: When | None = None
    lost: When | None = None
    superseded_on: When | None = None
    waiting: _Move | None = None
    over: list[_Move] = field(default_factory=list)
    further: list[_Move] = field(default_factory=list)
    """The suspensions that last, the one that counts first."""
    gone: bool = False

    def become(self, state: RightState, cause: str | None = None, since: When | None = None) -> None:
        """Take a state; what is lost while it is suspended was lost on the day of the suspension."""
        ends = state in (RightState.WITHDRAWN, RightState.EXPIRED)
        self.lost = self._suspended_from(since) if ends and since is not None else None
        self.state, self.cause, self.since = state, cause, since

    def live(self, move: _Move) -> None:
        """Take one step. Before the right has begun, an edition can end, and what is suspended stays so."""
        name = move.name
        if name == "begin":
            self.begun = True
            self.become(RightState.HELD)
            if self.waiting is not None:
                self.further.append(self.waiting)
                self.become(RightState.SUSPENDED, self.waiting.name, self.waiting.on)
        elif name == "edition_ended":
            self.superseded_on = move.on
        elif name == "renewed":
            self.last = move.until or NEVER
            if self.begun and self.state in (RightState.HELD, RightState.EXPIRED) and not self.gone:
                self.become(RightState.HELD)
        elif self.begun:
            self._lose_or_regain(move)
        elif name in _SUSPENDS and not self._lifted(move):
            self.waiting = self.waiting or move
        elif name == "reinstated":
            self.waiting = None

    def _lifted(self, move: _Move) -> bool:
        """Whether a suspension with a last day is over on the day asked about."""
        over = move.until is not None and self.day > move.until.latest
        if over:
            self.over.append(move)
        return over

    def _suspended_from(self, day: When) -> When | None:
        """Return the first day of a suspension that lasted until a later loss; None where there was none."""
        found = [self.since] if self.state is RightState.SUSPENDED and self.since is not None else []
        found += [move.on for move in self.over if move.until is not None and move.until.latest >= day.earliest - 1]
        return min(found, key=lambda when: (when.earliest, when.latest)) if found else None

    def _lose_or_regain(self, move: _Move) -> None:
        name = move.name
        if name in _SUSPENDS and self.state in (RightState.HELD, RightState.SUSPENDED) and not self._lifted(move):
            self.further.append(move)
            if self.state is RightState.HELD:
                self.become(RightState.SUSPENDED, name, move.on)
        elif name == "reinstated" and self.state in (RightState.SUSPENDED, RightState.WITHDRAWN, RightState.HELD):
            self._regain(move)
        elif name in _TAKES or name == "expired":
            self._lose(move)

    def _regain(self, move: _Move) -> None:
        """Lift what a reinstatement names: one suspension, or everything that was taken."""
        if move.lifts is not None and self.state is RightState.WITHDRAWN:
            return
        self.further = [other for other in self.further if move.lifts not in (None, other.index)]
        self.over.clear()
        if self.further:
            self.become(RightState.SUSPENDED, self.further[0].name, self.further[0].on)
        else:
            self.become(RightState.HELD)

    def _lose(self, move: _Move) -> None:
        """Lose the right; on one that is lost already a further event does not move the day of the loss."""
        if self.state in (RightState.WITHDRAWN, RightState.EXPIRED):
            self.gone = self.gone or move.name in _TAKES
        elif move.on.earliest > self.last.latest:
            self.gone = move.name in _TAKES
            self.become(RightState.EXPIRED, "expired", self.last.moved(1))
        else:
            self.become(RightState.EXPIRED if move.name == "expired" else RightState.WITHDRAWN, move.name, move.on)

    def close(self, start: When) -> Status:
        """Say what the right is worth once its own end and the end of its edition are looked at."""
        alive = self.state in (RightState.HELD, RightState.SUSPENDED)
        if alive and self.day > self.last.latest:
            gone = self.last.moved(1)
            return Status(RightState.EXPIRED, "expired", gone, start, self.last, lost=self._suspended_from(gone))
        if alive and self.superseded_on is not None:
            return Status(RightState.EDITION_ENDED, "edition_ended", self.superseded_on, start, self.last)
        # What is suspended is not held, whether its own end has come already or not.
        if self.state is RightState.HELD and self.day > self.last.earliest:
            possible = frozenset((RightState.HELD, RightState.EXPIRED))
            return Status(RightState.UNKNOWN, "window", self.last.moved(1), start, self.last, possible)
        return Status(self.state, self.cause, self.since, start, self.last, lost=self.lost)


def _settle(moves: tuple[_Move, ...], day: int, start: When, end: When, annulled: frozenset[int]) -> Status:
    """Live through the events that have come and say what the right is worth on a day."""
    life = _Life(end, day)
    for move in moves:
        if move.index not in annulled:
            life.live(move)
    return life.close(start)


def _merge(states: list[Status]) -> Status:
    possible = frozenset(state.state for state in states).union(*(state.possible for state in states))
    best = max(states, key=lambda status: status.state)
    if len(possible) == 1:
        return best
    on = next((status.on for status in states if status.on is not None), None)
    return Status(RightState.UNKNOWN, "window", on, best.start, best.end, possible)


_NEVER_GIVEN: Final = Status(RightState.NOT_YET, None, None, NEVER, NEVER)


def _timeline(moves: list[_Move], start: When | None, end: When, annulled: frozenset[int]) -> Timeline[Status]:
    if start is None:
        asked = any(move.name in _ASKED for move in moves)
        return Timeline((EARLIEST,), (_NEVER_GIVEN if asked else _NEVER_GIVEN._replace(event="not_asked"),))
    dated = [(start, _Move("begin", start, None, -1))]
    dated.extend((move.on, move) for move in moves)
    dated.sort(key=lambda pair: (pair[0].earliest, pair[0].latest, pair[1].index))
    further: set[int] = set()
    ends = [end, *(move.until for move in moves if move.until is not None)]
    for moment in ends:
        further.update(day + 1 for day in (moment.earliest, moment.latest) if EARLIEST < day < LATEST)
    return build(dated, lambda come, day: _settle(come, day, start, end, annulled), _merge, sorted(further))


def _annulments(moves: list[_Move], events: Sequence[RightEvent]) -> list[tuple[int, int]]:
    """Return (day of presentation from which it counts, index of the adverse decision that falls away)."""
    found = []
    for position, move in enumerate(moves):
        if move.name != "annulled":
            continue
        target = events[move.index].refers_to if move.index < len(events) else None
        if target is None:
            adverse = [
                other.index
                for other in moves[:position]
                if other.name in (*_SUSPENDS, *_TAKES, "expired") and other.index < move.index
            ]
            target = adverse[-1] if adverse else None
        if target is not None:
            found.append((move.on.latest, target))
    return sorted(found)


def resolve_lanes(kind: str, right: Right, item: ScopeItem | None, edition_end: When | None = None) -> tuple[Lane, ...]:
    """Return the lanes of one scope item: one for each state of annulments, by day of presentation."""
    moves = _moves_of(right, item, edition_end)
    return _lanes(right, moves, _start_of(kind, right, item, moves), _end_of(right, item))


def _beyond(kind: str, right: Right, item: ScopeItem | None) -> tuple[Lane, ...]:
    """Return the lanes without the own end, for a right that may be carried over by law; () where no event follows."""
    end = _end_of(right, item)
    if kind == "accreditation" or end == NEVER:
        return ()
    moves = _moves_of(right, item, None)
    if not any(move.on.latest > end.earliest for move in moves):
        return ()
    return _lanes(right, moves, _start_of(kind, right, item, moves), NEVER)


def _lanes(right: Right, moves: list[_Move], start: When | None, end: When) -> tuple[Lane, ...]:
    lanes = [Lane(EARLIEST, _timeline(moves, start, end, frozenset()))]
    gone: set[int] = set()
    for day, index in _annulments(moves, right.timeline):
        gone.add(index)
        lanes.append(Lane(day, _timeline(moves, start, end, frozenset(gone))))
    return tuple(lanes)


def resolve_items(kind: str, right: Right, edition_end: When | None = None) -> tuple[ItemFacts, ...]:
    """Return the scope items of a right; a right without any item cannot be matched and stands as words only."""
    if not right.scope:
        lanes = _unread_validity(right, resolve_lanes(kind, right, None, edition_end))
        return (
            ItemFacts(
                None,
                frozenset(),
                frozenset(),
                frozenset(),
                frozenset(),
                text_only=True,
                lanes=lanes,
                beyond=_beyond(kind, right, None),
            ),
        )
    return tuple(
        ItemFacts(
            item.requirement,
            frozenset(item.standards),
            frozenset(item.product_classes),
            frozenset(item.procedures),
            frozenset(item.result_kinds),
            text_only=_text_only(item),
            without=item.without if isinstance(item, Parted) else frozenset(),
            lanes=_unread_validity(right, resolve_lanes(kind, right, item, edition_end)),
            beyond=_beyond(kind, right, item),
        )
        for item in right.scope
    )


def _text_only(item: ScopeItem) -> bool:
    """An item in words alone cannot be matched; one that names nothing at all limits nothing."""
    named = item.requirement or item.standards or item.product_classes or item.procedures or item.result_kinds
    return bool(item.text) and not named


def _unread_validity(right: Right, lanes: tuple[Lane, ...]) -> tuple[Lane, ...]:
    """An accreditation of which nobody read whether it ends may have ended any day after it began."""
    if not isinstance(right, Accreditation) or right.validity != "unknown":
        return lanes
    return tuple(Lane(lane.presented_from, _open_end(lane.timeline)) for lane in lanes)


def _open_end(timeline: Timeline[Status]) -> Timeline[Status]:
    states = [
        status._replace(
            state=RightState.UNKNOWN,
            event="validity_unknown",
            possible=frozenset((RightState.HELD, RightState.EXPIRED)),
        )
        if status.state is RightState.HELD
        else status
        for status in timeline.states
    ]
    return Timeline(timeline.starts, states)
