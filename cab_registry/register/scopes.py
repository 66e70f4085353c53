"""Rights beside what they rest on: the life of agreement and annex, designation, accreditation, and one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from cab_registry.domain.days import ALWAYS, NEVER, Period, When
from cab_registry.domain.errors import Fault
from cab_registry.domain.records import Accreditation, AnyRecord, Designation, Recognition
from cab_registry.domain.records.law import Agreement, Annex, InstrumentEvent, OperationEvent
from cab_registry.domain.records.rights import Right, ScopeItem
from cab_registry.register.intervals import overlap
from cab_registry.register.right_timelines import touches

_BEGINS: Final = frozenset(
    {"in_force", "provisionally_applied", "receiving_designations", "transition", "pilot", "operational"}
)
_ENDS: Final = frozenset({"terminated", "superseded", "lapsed", "abandoned", "ended", "given_up"})
_GIVES: Final = ("recognised", "designated", "granted")
_TAKES: Final = ("withdrawn", "resigned")
_LIMITS: Final = ("product_classes", "procedures", "result_kinds", "standards")


def find_outside_agreement(right: Right, agreement: Agreement | None) -> Iterator[Fault]:
    """Yield what of a right begins before the agreement or annex that it is given under, or after its end."""
    if agreement is None or not isinstance(right, Designation | Recognition):
        return
    annex = agreement.annexes.get(right.annex or "")
    for what, events in _lives(agreement, annex):
        begins = [event.on for event in events if event.state in _BEGINS and event.on is not None]
        ends = [event.on for event in events if event.state in _ENDS and event.on is not None]
        for index, item in enumerate(right.scope):
            pointer = f"/scope/{index}/from"
            start = item.from_
            if begins and start != ALWAYS and start.latest < min(begin.earliest for begin in begins):
                yield Fault(pointer, f"begins on {start}, before {what} begins to count")
            elif ends and start.earliest > max(event.latest for event in (*ends, *begins)):
                yield Fault(pointer, f"begins on {start}, after the end of {what}")


def _lives(
    agreement: Agreement, annex: Annex | None
) -> Iterator[tuple[str, Sequence[InstrumentEvent | OperationEvent]]]:
    if annex is not None and annex.instrument:
        yield "the annex", annex.instrument
    elif agreement.instrument:
        yield "the agreement", agreement.instrument
    if annex is not None and annex.timeline:
        yield "the work of the annex", annex.timeline


def find_wider(right: AnyRecord, others: Iterable[AnyRecord], wider: Mapping[str, frozenset[str]]) -> Iterator[Fault]:
    """Yield scope items that reach further than the designation or the accreditations that the body has on record.

    A body without any of them on record is not judged: not every agreement asks for them, nor is every list complete.

    Args:
        right: the right that is to be written.
        others: all rights of the same body.
        wider: by requirement all of which it is a part, itself included.
    """
    known = [other for other in others if isinstance(other, Right) and other.id != right.id]
    if isinstance(right, Recognition):
        designations = [other for other in known if isinstance(other, Designation) and _under_same(other, right)]
        yield from _wider(right, designations, wider, "designated")
    if isinstance(right, Recognition | Designation):
        accreditations = [other for other in known if isinstance(other, Accreditation) and _at_same_site(other, right)]
        yield from _wider(right, accreditations, wider, "accredited")


def _wider(right: Right, holding: Sequence[Right], wider: Mapping[str, frozenset[str]], how: str) -> Iterator[Fault]:
    grounds = [(item, _period_of(item, other)) for other in holding for item in other.scope]
    if not grounds or any(_in_words_only(item) for item, _ in grounds):
        return
    for index, item in enumerate(right.scope):
        if _in_words_only(item):
            continue
        asked = wider.get(item.requirement or "", frozenset({item.requirement}))
        covering = [period for ground, period in grounds if _covers(ground, item, asked)]
        if not covering:
            yield Fault(f"/scope/{index}", f"the body is not {how} for all of item {item.key!r}")
        elif not any(_lies_inside(_period_of(item, right), period) for period in covering):
            yield Fault(f"/scope/{index}", f"the body is not {how} for item {item.key!r} on all of its days")


def _covers(ground: ScopeItem, item: ScopeItem, asked: frozenset[str | None] | frozenset[str]) -> bool:
    if ground.requirement is not None and ground.requirement not in asked:
        return False
    for name in _LIMITS:
        allowed, claimed = set(getattr(ground, name)), set(getattr(item, name))
        # Standards name how; an item that names none claims nothing about them.
        if allowed and (not claimed <= allowed or (not claimed and name != "standards")):
            return False
    return True


def _lies_inside(inner: Period, outer: Period) -> bool:
    """Whether an item certainly does not step out; one without an end of its own ends with its ground."""
    if inner.start != ALWAYS and inner.start.latest < outer.start.earliest:
        return False
    if inner.start.earliest > outer.end.latest:
        return False
    return inner.end == NEVER or inner.end.earliest <= outer.end.latest


def _period_of(item: ScopeItem, right: Right) -> Period:
    start: When = item.from_ if right.from_ is None else item.from_.later_of(right.from_)
    end = item.period.end if right.until is None else item.period.end.earlier_of(right.until)
    return Period(start, end)


def _in_words_only(item: ScopeItem) -> bool:
    return item.requirement is None and not any(getattr(item, name) for name in _LIMITS)


def _under_same(one: Designation, two: Recognition) -> bool:
    if (one.agreement, one.annex, one.scheme) != (two.agreement, two.annex, two.scheme):
        return False
    return _at_same_site(one, two)


def _at_same_site(one: Right, two: Right) -> bool:
    return one.site is None or two.site is None or one.site == two.site


def find_doubled(right: AnyRecord, others: Iterable[AnyRecord]) -> Iterator[Fault]:
    """Yield other records of the same right: a new period of one thing is a new item of its record."""
    if not isinstance(right, Accreditation | Designation | Recognition):
        return
    for other in others:
        if type(other) is type(right) and other.id != right.id and _ground(other) == _ground(right):
            yield Fault("/body", f"{other.id} is the same right already: add an item or an event there instead")


def _ground(right: AnyRecord) -> tuple[object, ...]:
    names = ("body", "site", "by", "agreement", "annex", "scheme", "standard", "edition", "number")
    return tuple(getattr(right, name, None) for name in names)


def find_repeated(before: AnyRecord | None, after: AnyRecord) -> Iterator[Fault]:
    """Yield new scope items that say what another item of the right says of some of the same days.

    Each of them counts as long as it lasts: a wrong day is corrected on the item that has it.
    """
    known = {item.key for item in before.scope} if isinstance(before, Right) else set()
    if not isinstance(after, Right):
        return
    for index, item in enumerate(after.scope):
        same = (other for other in after.scope if other.key != item.key and _content(other) == _content(item))
        first = next((other for other in same if _holds_beside(other, item, after)), None)
        if item.key not in known and first is not None and (first.key in known or after.scope.index(first) < index):
            text = f"says what item {first.key!r} says already, on some of the same days"
            yield Fault(f"/scope/{index}", f"{text}; a wrong day is corrected on the item that has it")


def _holds_beside(one: ScopeItem, two: ScopeItem, right: Right) -> bool:
    """Whether two items hold at once: neither was only asked for, nor taken away before the other began."""
    given = [event for event in right.timeline if event.event in _GIVES]
    if given and not all(any(touches(event, item) for event in given) for item in (one, two)):
        return False
    taken = (event.on.latest for event in right.timeline if event.event in _TAKES and touches(event, one))
    if any(day <= two.from_.earliest for day in taken):
        return False
    return overlap(_period_of(one, right), _period_of(two, right))


def _content(item: ScopeItem) -> tuple[object, ...]:
    return (item.requirement, item.text, *(frozenset(getattr(item, name)) for name in _LIMITS))
