"""One step in the life of a right, beside what came before it and what surrounds the right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from cab_registry.domain.codes import EventName
from cab_registry.domain.days import When
from cab_registry.domain.records import Accreditation, Agreement, Designation, Recognition
from cab_registry.domain.records.law import Procedure
from cab_registry.domain.records.rights import RightEvent, ScopeItem
from cab_registry.register.compiled import Register
from cab_registry.register.compiled_rights import AnyRight
from cab_registry.register.right_timelines import touches

ASKS: Final = ("proposed", "notified")
SUSPENDS: Final = ("suspended", "restricted", "reduced", "inactive")
TAKES: Final = ("withdrawn", "resigned")
GIVES: Final = ("recognised", "designated", "granted")
ADVERSE: Final[tuple[EventName, ...]] = (*SUSPENDS, *TAKES, "expired", "renewal_denied")


class No(NamedTuple):
    """Why a step is refused; `part` is the part of the event that is wrong."""

    reason: str
    article: str | None = None
    part: str = "event"
    not_before: When | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One event of a right, with the events before it and what surrounds the right."""

    right: AnyRight
    event: RightEvent
    index: int
    past: tuple[RightEvent, ...]
    elsewhere: tuple[Designation, ...]
    agreement: Agreement | None
    procedure: Procedure | None
    register: Register
    today: int

    def last(self, *names: str) -> int:
        """Place of the latest of these events among those before that touch the same items, or -1."""
        return max(
            (place for place, event in enumerate(self.past) if event.event in names and self.meets(event)), default=-1
        )

    def meets(self, other: RightEvent) -> bool:
        """Whether another event of the right touches a scope item that this one touches."""
        return meet(self.right, self.event, other)

    def decided_at_home(self) -> bool:
        """Whether the designating side has by then suspended or taken back its own designation."""
        return any(
            event.event in (*SUSPENDS, *TAKES) and event.on.earliest <= self.event.on.latest
            for designation in self.elsewhere
            for event in designation.timeline
        )

    def asked_elsewhere(self) -> bool:
        """Whether the designating side has proposed or notified the body by then."""
        return any(
            event.event in ASKS and event.on.earliest <= self.event.on.latest
            for designation in self.elsewhere
            for event in designation.timeline
        )


def make_case(right: AnyRight, index: int, register: Register, today: int) -> Case:
    """Put an event beside what came before it, in the order of days, then of entry."""
    event = right.timeline[index]
    key = (event.on.earliest, event.on.latest, index)
    past = [
        (other.on.earliest, other.on.latest, place, other)
        for place, other in enumerate(right.timeline)
        if (other.on.earliest, other.on.latest, place) < key
    ]
    past.sort(key=lambda item: item[:3])
    agreement = agreement_of(right, register)
    procedure = procedure_of(right, agreement)
    events = tuple(other for *_, other in past)
    return Case(
        right, event, index, events, designations_behind(right, register), agreement, procedure, register, today
    )


def touched(right: AnyRight, event: RightEvent) -> tuple[ScopeItem, ...]:
    """Return the scope items of which an event speaks; none for a right without items, or for a part of one."""
    return tuple(item for item in right.scope if touches(event, item))


def meet(right: AnyRight, one: RightEvent, two: RightEvent) -> bool:
    """Whether two events touch a scope item in common; an event without items touches all."""
    if not one.items or not two.items or set(one.items) & set(two.items):
        return True
    return any(touches(two, item) for item in touched(right, one))


def agreement_of(right: AnyRight, register: Register) -> Agreement | None:
    """Return the agreement under which a designation or recognition is held."""
    named = None if isinstance(right, Accreditation) else right.agreement
    return register.facts.agreements.get(named or "")


def procedure_of(right: AnyRight, agreement: Agreement | None) -> Procedure | None:
    """Return the procedure of the agreement for the right's annex: only the importing side's list has one."""
    if agreement is None or not isinstance(right, Recognition):
        return None
    fits = (each for each in agreement.procedure if not each.annexes or right.annex in each.annexes)
    return next(fits, None)


def same_cover(one: Designation | Recognition, two: Designation | Recognition) -> bool:
    """Whether two acts are about the same body under the same agreement and annex."""
    annexes = {one.annex, two.annex}
    return (
        one.body == two.body
        and one.agreement is not None
        and one.agreement == two.agreement
        and (None in annexes or len(annexes) == 1)
    )


def designations_behind(right: AnyRight, register: Register) -> tuple[Designation, ...]:
    """Return the designations that stand behind a recognition."""
    if not isinstance(right, Recognition):
        return ()
    return tuple(
        record
        for record, _ in register.records_of(right.body)
        if isinstance(record, Designation) and same_cover(right, record)
    )


def asked_items(designation: Designation, asks: RightEvent) -> tuple[ScopeItem, ...]:
    """Return the scope items that a proposal or notification asks for.

    One that names none asks for what stood in the scope then: not for what a later event brought in by name.
    """
    if asks.items:
        return touched(designation, asks)
    place = designation.timeline.index(asks)
    earlier, later = designation.timeline[:place], designation.timeline[place + 1 :]
    adds = ("extended", *GIVES) if any(event.event in GIVES for event in earlier) else ("extended",)
    named = [event for event in later if event.items and event.event in adds]
    known = [event for event in earlier if event.items]
    return tuple(
        item
        for item in designation.scope
        if not any(touches(event, item) for event in named) or any(touches(event, item) for event in known)
    )


def say(event: str) -> str:
    """Return the name of an event in words."""
    return event.replace("_", " ")


def list_keys(items: Iterable[ScopeItem]) -> str:
    """Name scope items by their keys."""
    return ", ".join(item.key for item in items)
