"""What holds for every right, whatever its agreement says: steps that cannot be, and scope that nothing gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from cab_registry.domain.days import ALWAYS
from cab_registry.domain.errors import Fault
from cab_registry.domain.records import Recognition
from cab_registry.domain.records.rights import RightEvent, ScopeItem
from cab_registry.register.compiled_rights import AnyRight
from cab_registry.register.procedure_case import (
    ADVERSE,
    ASKS,
    GIVES,
    SUSPENDS,
    TAKES,
    Case,
    No,
    asked_items,
    list_keys,
    meet,
    say,
    touched,
)
from cab_registry.register.right_timelines import touches

_SPOKEN: Final = (*ASKS, "objected", "contested", "verified", "notice_of_withdrawal", "renewal_requested", "confirmed")
_NEEDS_A_RIGHT: Final = (
    *(*SUSPENDS, *TAKES, "notice_of_withdrawal", "contested", "confirmed"),
    *("renewed", "renewal_requested", "renewal_denied"),
)
_MENDS: Final = (*GIVES, "reinstated")


def in_the_future(case: Case) -> No | None:
    """What is only said or asked is entered when it has happened."""
    event = case.event
    if event.event not in _SPOKEN or event.on.earliest <= case.today:
        return None
    return No(f"{say(event.event)} is entered when it has happened, and {event.on} is still to come", part="on")


def said_already(case: Case) -> No | None:
    """The same event is entered once."""
    events = case.right.timeline
    if not any(_spell(case.right, each) == _spell(case.right, case.event) for each in events[: case.index]):
        return None
    items = f" for {', '.join(case.event.items)}" if case.event.items else ""
    return No(f"the record has this event already: {say(case.event.event)} on {case.event.on}{items}")


def _spell(right: AnyRight, event: RightEvent) -> tuple[object, ...]:
    target = event.refers_to
    answered = right.timeline[target] if target is not None and target < len(right.timeline) else None
    return event.event, event.on, event.until, frozenset(event.items), answered


def nothing_lost(case: Case) -> No | None:
    """Only what is lost can be reinstated: not what never was, nor what was lifted or ran out."""
    event, events = case.event, case.right.timeline
    if event.event != "reinstated":
        return None
    target = event.refers_to
    if target is not None and target < len(events) and events[target].event not in (*SUSPENDS, *TAKES):
        return No("names no event that suspended, restricted or ended the right", part="refers_to")
    if not any(each.event in (*SUSPENDS, *TAKES) and case.meets(each) for each in case.past):
        return No("nothing was suspended, restricted or withdrawn before that could be reinstated")
    if any(_find_loss(case, item, ("reinstated",)) is not None for item in _targets(case)):
        return None
    return No(f"nothing is suspended, restricted or withdrawn on {event.on} any more{_by_what(case)}")


def _by_what(case: Case) -> str:
    """Name what lifted the last loss, or the day on which it ran out."""
    place = case.last("reinstated", "annulled")
    lost = case.last(*SUSPENDS, *TAKES)
    if place > lost:
        return f": {say(case.past[place].event)} on {case.past[place].on}"
    until = case.past[lost].until
    return f": the suspension ended on {until}" if until is not None else ""


def nothing_decided(case: Case) -> No | None:
    """Only a decision against the right can be annulled."""
    if case.event.event != "annulled":
        return None
    events, target = case.right.timeline, case.event.refers_to
    if target is not None:
        if target < len(events) and target != case.index and events[target].event in ADVERSE:
            return None
        return No("names no event that suspended, restricted, ended or denied the right", part="refers_to")
    if any(event.event in ADVERSE for event in events[: case.index]):
        return None
    return No("there is no decision before it that could be annulled")


def ended_already(case: Case) -> No | None:
    """What was withdrawn is not taken again, nor renewed or confirmed, before it is given again."""
    if case.event.event not in _NEEDS_A_RIGHT:
        return None
    losses = [_find_loss(case, item, _MENDS) for item in _targets(case)]
    if any(loss is None or loss.event not in TAKES for loss in losses):
        return None
    ended = next(loss for loss in losses if loss is not None)
    whole = ", ".join(case.event.items) if case.event.items and ended.items else "the right"
    return No(f"{whole} was {say(ended.event)} on {ended.on}, and not given again since")


def extends_what_ended(case: Case) -> No | None:
    """A right that ended as a whole is given again, not extended."""
    if case.event.event != "extended":
        return None
    ended = max((place for place, each in enumerate(case.past) if each.event in TAKES and not each.items), default=-1)
    if ended < 0 or case.past[ended] in _annulled(case):
        return None
    if any(each.event in _MENDS for each in case.past[ended + 1 :]):
        return None
    gone = case.past[ended]
    return No(f"the right was {say(gone.event)} on {gone.on}, and not given again since")


def extended_too_early(case: Case) -> No | None:
    """What begins before the right does is given from its own day: as an extension it would not count."""
    event, right = case.event, case.right
    given = [each.on for each in right.timeline if each.event in GIVES]
    if event.event != "extended" or right.from_ is not None or not given:
        return None
    first = min(given, key=lambda day: (day.earliest, day.latest))
    if event.on.latest >= first.earliest:
        return None
    name = next(each.event for each in right.timeline if each.event in GIVES)
    text = f"the right was {say(name)} on {first}, and cannot be extended on {event.on}, before that"
    return No(f"{text}; what was given earlier is `{name}` on that day, for these items", part="on")


def not_notified(case: Case) -> No | None:
    """Silence recognises what was notified: an act that the other side's own record does not ask for was not."""
    if case.event.event != "notified":
        return None
    asks = [
        (designation, event)
        for designation in case.elsewhere
        for event in designation.timeline
        if event.event in ASKS and event.on.earliest <= case.event.on.latest
    ]
    asked = [item for designation, event in asks for item in asked_items(designation, event)]
    if not asked or not case.right.scope:
        return None
    more = [item for item in touched(case.right, case.event) if not any(_overlap(item, each, case) for each in asked)]
    if not more:
        return None
    ids = ", ".join(dict.fromkeys(designation.id for designation, _ in asks))
    named = ", ".join(dict.fromkeys(item.requirement or item.key for item in asked))
    text = f"the other side did not propose or notify {list_keys(more)}: {ids} asks for {named}"
    return No(f"{text}; name only these as `items`, or let the other side notify the rest", part="items")


def _overlap(one: ScopeItem, two: ScopeItem, case: Case) -> bool:
    """Whether two items may speak of the same requirement, or one of a part of the other's."""
    if one.requirement is None or two.requirement is None or one.requirement == two.requirement:
        return True
    wider = case.register.law.wider
    return one.requirement in wider.get(two.requirement, ()) or two.requirement in wider.get(one.requirement, ())


def _targets(case: Case) -> Sequence[ScopeItem | None]:
    """Return the scope items that the event touches; None for a right that has none, or for a part of an item."""
    return touched(case.right, case.event) or (None,)


def _find_loss(case: Case, item: ScopeItem | None, mends: Sequence[str]) -> RightEvent | None:
    """Return the event by which an item is lost on the day of the case; none where it is not, or not any more.

    Args:
        case: the event and what came before it.
        item: the scope item; None: what the event of the case names.
        mends: events after which it is not lost any more.
    """
    gone = _annulled(case)
    lost: RightEvent | None = None
    for event in case.past:
        if not (case.meets(event) if item is None else touches(event, item)):
            continue
        if event.event in mends or (event.event == "extended" and event.items and "recognised" in mends):
            lost = None
        elif event in gone:
            continue
        elif event.event in TAKES:
            lost = event if lost is None or lost.event not in TAKES else lost
        elif event.event in SUSPENDS and (event.until is None or case.event.on.earliest <= event.until.latest):
            lost = lost or event
    return lost


def _annulled(case: Case) -> list[RightEvent]:
    """Return the decisions that were annulled before the event of the case."""
    events = case.right.timeline
    found = []
    for event in case.past:
        if event.event != "annulled":
            continue
        place = events.index(event)
        if event.refers_to is not None:
            found += [events[event.refers_to]] if event.refers_to < len(events) else []
        else:
            found += [each for each in events[:place] if each.event in ADVERSE and meet(case.right, event, each)][-1:]
    return found


RULES: Final[Sequence[Callable[[Case], No | None]]] = (
    in_the_future,
    said_already,
    nothing_lost,
    nothing_decided,
    ended_already,
    extends_what_ended,
    extended_too_early,
    not_notified,
)


def find_unfounded(before: AnyRight | None, after: AnyRight) -> Iterator[Fault]:
    """Yield scope items that no event gives though events give others, or that begin before any event gives them.

    The first would count as held from always on, the second not before that event. What stood so already is left.
    """
    known = {fault.message for fault in _list_unfounded(before)} if before is not None else set()
    for fault in _list_unfounded(after):
        if fault.message not in known:
            yield fault


def _list_unfounded(right: AnyRight) -> Iterator[Fault]:
    given = [event for event in right.timeline if event.event in GIVES]
    asked = isinstance(right, Recognition) and any(event.event in ASKS for event in right.timeline)
    if right.from_ is not None or not given:
        return
    for index, item in enumerate(right.scope):
        own = [event for event in given if touches(event, item)]
        first = min((event.on for event in own), key=lambda day: (day.earliest, day.latest), default=None)
        if first is None:
            if item.from_ == ALWAYS and not asked:
                text = f"no event gives {item.key}, and the events that give other items do not name it"
                yield Fault(f"/scope/{index}/from", f"{text}: name it in one of them, or say from which day it holds")
        elif item.from_ != ALWAYS and item.from_.latest < first.earliest:
            name = say(next(event.event for event in own if event.on == first))
            text = f"{item.key} begins on {item.from_}, and was {name} on {first} only: it would count from then"
            yield Fault(f"/scope/{index}/from", f"{text}; add an event `{own[0].event}` on its own day that names it")
