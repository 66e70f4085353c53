"""Timelines of instruments and of their working, resolved from dated events when records are loaded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from cab_registry.domain.days import LATEST, When
from cab_registry.domain.records import Agreement, Route
from cab_registry.domain.records.law import InstrumentEvent, OperationEvent
from cab_registry.engine.facts import Force, ForceState, Working, WorkingState
from cab_registry.engine.timeline import Timeline, build

_BEGINS: Final = ("in_force", "provisionally_applied", "reinstated")
_ENDS: Final = ("terminated", "superseded", "lapsed", "abandoned")
_NOTICES: Final = ("suspension_notified", "termination_notified")

NO_FORCE: Final = ForceState(Force.NONE, None, None)


def _settle_force(events: tuple[InstrumentEvent, ...], day: int, *, annex: bool, start: ForceState) -> ForceState:
    state, notice = start, start.notice
    for event in events:
        if state.force is Force.ENDED and event.state not in _BEGINS:
            continue
        if event.state in _NOTICES:
            notice = event.on
            state = state._replace(notice=notice)
        elif event.state in _BEGINS:
            state = ForceState(Force.IN_FORCE, event.state, event.on, annex, None)
            notice = None
        elif event.state == "suspended":
            if event.until is not None and day > event.until.latest:
                state = ForceState(Force.IN_FORCE, "reinstated", event.until.moved(1), annex, None)
            else:
                state = ForceState(Force.SUSPENDED, event.state, event.on, annex, notice)
        elif event.state in _ENDS:
            state = ForceState(Force.ENDED, event.state, event.on, annex, notice)
    return state


def _merge_force(states: list[ForceState]) -> ForceState:
    best = max(states, key=lambda state: state.force)
    if all(state.force is best.force for state in states):
        return best
    over = [state for state in states if state.force in (Force.ENDED, Force.SUSPENDED)]
    return (over[0] if over else best)._replace(force=Force.UNKNOWN)


def _force_of(events: Iterable[InstrumentEvent], *, annex: bool, start: ForceState = NO_FORCE) -> Timeline[ForceState]:
    dated = [(event.on, event) for event in events if event.on is not None]
    dated.sort(key=lambda pair: (pair[0].earliest, pair[0].latest))
    ends = [event.until.latest + 1 for event in events if event.until is not None and event.until.latest < LATEST]
    return build(dated, lambda come, day: _settle_force(come, day, annex=annex, start=start), _merge_force, ends)


def _weaker(one: ForceState, two: ForceState) -> ForceState:
    """Return the weaker of two forces; of two that are over, the one that was over first: a later end ends nothing."""
    over = one.force is two.force and one.force in (Force.ENDED, Force.SUSPENDED)
    if over and one.on is not None and two.on is not None:
        return one if one.on.latest <= two.on.latest else two
    return one if one.force <= two.force else two


def _both(first: Timeline[ForceState], second: Timeline[ForceState]) -> Timeline[ForceState]:
    """Return the weaker of two forces on each day; the notice of either is kept."""
    starts = sorted({*first.starts, *second.starts})
    kept: list[int] = []
    states: list[ForceState] = []
    for start in starts:
        one, two = first.at(start), second.at(start)
        state = _weaker(one, two)
        if state.notice is None:
            state = state._replace(notice=one.notice or two.notice)
        if not states or states[-1] != state:
            kept.append(start)
            states.append(state)
    return Timeline(kept, states)


def resolve_force(route: Route, agreement: Agreement | None) -> Timeline[ForceState]:
    """Return the legal force of a route's ground: agreement, annex, and what the route itself states."""
    if agreement is None:
        return own_force(route.instrument)
    force = own_force(agreement.instrument)
    annex = agreement.annexes.get(route.annex or "")
    if annex is not None and annex.instrument:
        force = _both(force, part_force(annex.instrument))
    if route.instrument:
        force = _both(force, part_force(route.instrument))
    return force


def own_force(events: Iterable[InstrumentEvent]) -> Timeline[ForceState]:
    """Return the legal force that the events of an agreement or a domestic rule give it."""
    return _force_of(events, annex=False)


def part_force(events: tuple[InstrumentEvent, ...]) -> Timeline[ForceState]:
    """Return the force of an annex; one whose own events begin with no start has been there since the agreement was."""
    starts = any(event.state in _BEGINS and event.state != "reinstated" for event in events)
    start = NO_FORCE if starts else ForceState(Force.IN_FORCE, None, None, annex=True)
    return _force_of(events, annex=True, start=start)


_WORKS: Final = {
    "planned": Working.NOT_YET,
    "transition": Working.NOT_YET,
    "receiving_designations": Working.NOT_YET,
    "pilot": Working.PILOT,
    "operational": Working.OPERATIONAL,
    "paused": Working.ENDED,
    "ended": Working.ENDED,
    "given_up": Working.ENDED,
}


def _settle_working(events: tuple[OperationEvent, ...], day: int, begins: When | None) -> WorkingState:
    state = WorkingState(Working.NOT_YET, None, None, begins)
    for event in events:
        if event.until is not None and day > event.until.latest:
            state = WorkingState(Working.ENDED, "ended", event.until.moved(1), begins)
        else:
            state = WorkingState(_WORKS[event.state], event.state, event.on, begins)
    return state


def _merge_working(states: list[WorkingState]) -> WorkingState:
    best = max(states, key=lambda state: state.working)
    if all(state.working is best.working for state in states):
        return best
    return best._replace(working=Working.UNKNOWN)


def operation_events(route: Route, agreement: Agreement | None) -> tuple[OperationEvent, ...]:
    """Return the events that govern a direction: its own, else its annex's."""
    if route.operation:
        return route.operation
    annex = agreement.annexes.get(route.annex or "") if agreement is not None else None
    return annex.timeline if annex is not None else ()


def resolve_working(route: Route, agreement: Agreement | None, force: Timeline[ForceState]) -> Timeline[WorkingState]:
    """Return the working of a direction; without events it works for as long as its instrument is in force."""
    events = operation_events(route, agreement)
    return own_working(events) if events else _as_force(force)


def own_working(events: Sequence[OperationEvent]) -> Timeline[WorkingState]:
    """Return the working that the events of an annex or a direction give it."""
    begins = next((event.on for event in events if event.state == "operational"), None)
    dated = [(event.on, event) for event in events if event.on is not None]
    dated.sort(key=lambda pair: (pair[0].earliest, pair[0].latest))
    ends = [event.until.latest + 1 for event in events if event.until is not None and event.until.latest < LATEST]
    return build(dated, lambda come, day: _settle_working(come, day, begins), _merge_working, ends)


def _as_force(force: Timeline[ForceState]) -> Timeline[WorkingState]:
    begins = next((state.on for state in force.states if state.force is Force.IN_FORCE), None)
    works = {
        Force.NONE: Working.NOT_YET,
        Force.UNKNOWN: Working.UNKNOWN,
        Force.IN_FORCE: Working.OPERATIONAL,
        Force.ENDED: Working.ENDED,
        Force.SUSPENDED: Working.ENDED,
    }
    states = [WorkingState(works[state.force], state.state, state.on, begins) for state in force.states]
    return Timeline(force.starts, states)


def was_given_up(events: tuple[OperationEvent, ...]) -> bool:
    """Whether a direction was given up without ever having worked."""
    states = {event.state for event in events if event.on is not None}
    return "given_up" in states and "operational" not in states
