"""Intervals that contradict themselves, their record, or one another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from cab_registry.domain.days import ALL_TIME, ALWAYS, NEVER, Period, When
from cab_registry.domain.errors import Fault
from cab_registry.domain.records import AnyRecord, document, law, rights, route, statements
from cab_registry.domain.records.common import Dated
from cab_registry.register.walking import walk

_SPANS: Final[Mapping[type[msgspec.Struct], tuple[tuple[str, str], ...]]] = {
    law.InstrumentEvent: (("on", "until"),),
    law.OperationEvent: (("on", "until"),),
    rights.Right: (("from", "until"),),
    rights.RightEvent: (("on", "until"),),
    document.Prolongation: (("ends_from", "ends_until"), ("ends_from", "until")),
    route.AdmittedStandard: (("from", "until"),),
    route.Condition: (("from", "until"),),
    route.EarlyRule: (("presented_from", "presented_until"),),
    statements.Position: (("from", "until"),),
    statements.Notice: (("on", "until"),),
}
"""First and last day of what is no `Dated`, by the keys of the document."""


_IN_ORDER: Final[Mapping[type[msgspec.Struct], tuple[str, ...]]] = {
    law.Agreement: ("instrument",),
    law.Annex: ("instrument", "timeline"),
    route.Route: ("instrument", "operation"),
    rights.Accreditation: ("timeline",),
    rights.Designation: ("timeline",),
    rights.Recognition: ("timeline",),
}
"""Lists of events that stand in the order of their days."""


def find_bad_intervals(record: AnyRecord) -> Iterator[Fault]:
    """Yield intervals that end before they begin, state two ends or leave their right, and events out of order."""
    for pointer, part in walk(record):
        if isinstance(part, Dated):
            yield from _bad_dated(part, pointer)
        for kind in reversed(type(part).__mro__):
            for first, last in _SPANS.get(kind, ()):
                start, end = (getattr(part, "from_" if key == "from" else key) for key in (first, last))
                if start is not None and end is not None and end.latest < start.earliest:
                    yield Fault(f"{pointer}/{last}", f"ends on {end}, before it begins on {start}")
        if isinstance(part, law.Edition | route.ListedRequirement) and part.transition is not None:
            yield from _bad_tail(part.period.end, part.transition, f"{pointer}/transition")
        for field in _IN_ORDER.get(type(part), ()):
            yield from _out_of_order(getattr(part, field), f"{pointer}/{field}")
    if isinstance(record, rights.Right):
        yield from _outside_right(record)


def _out_of_order(events: Sequence[Any], pointer: str) -> Iterator[Fault]:
    before: When | None = None
    for index, event in enumerate(events):
        if event.on is None:
            continue
        if before is not None and event.on.latest < before.earliest:
            yield Fault(f"{pointer}/{index}/on", f"{event.on} stands after {before}: events stand in the order of days")
        before = event.on


def _bad_dated(part: Dated, pointer: str) -> Iterator[Fault]:
    if part.until is not None and part.invalid_from is not None:
        yield Fault(
            f"{pointer}/invalid_from", "states two ends: write until (last day) or invalid_from (first without)"
        )
        return
    end = part.period.end
    if end.latest < part.from_.earliest:
        key = "until" if part.until is not None else "invalid_from"
        yield Fault(f"{pointer}/{key}", f"ends on {end}, before it begins on {part.from_}")


def _bad_tail(end: When, tail: law.Tail, pointer: str) -> Iterator[Fault]:
    if end == NEVER:
        yield Fault(pointer, "a changeover after an end that is not stated")
    elif tail.until.latest < end.earliest:
        yield Fault(f"{pointer}/until", f"the changeover ends on {tail.until}, before the end on {end}")


def _outside_right(record: rights.Right) -> Iterator[Fault]:
    start, end = record.from_ or ALWAYS, record.until or NEVER
    for index, item in enumerate(record.scope):
        if item.from_ != ALWAYS and item.from_.latest < start.earliest:
            yield Fault(f"/scope/{index}/from", f"begins on {item.from_}, before the right on {start}")
        if item.from_.earliest > end.latest:
            yield Fault(f"/scope/{index}/from", f"begins on {item.from_}, after the right has ended on {end}")
        last = item.period.end
        if last != NEVER and last.earliest > end.latest:
            key = "until" if item.until is not None else "invalid_from"
            yield Fault(f"/scope/{index}/{key}", f"ends on {last}, after the right has ended on {end}")


Same = Callable[[Any, Any], bool]


def _meet(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether two lists, of which an empty one means everything, have something in common."""
    return not first or not second or bool(set(first) & set(second))


def _same(*names: str) -> Same:
    return lambda one, two: all(getattr(one, name) == getattr(two, name) for name in names)


def _same_legal_name(one: rights.BodyName, two: rights.BodyName) -> bool:
    return one.kind == two.kind == "legal"


def _same_signature(one: law.Signatory, two: law.Signatory) -> bool:
    return one.arrangement == two.arrangement and _meet(one.standards, two.standards)


def _same_accreditor(one: str | route.AdmittedAccreditor, two: str | route.AdmittedAccreditor) -> bool:
    if isinstance(one, str) or isinstance(two, str):
        return _accreditor(one) == _accreditor(two)
    return one.authority == two.authority and _meet(one.site_economies, two.site_economies)


def _accreditor(item: str | route.AdmittedAccreditor) -> str:
    return item if isinstance(item, str) else item.authority


def _same_party(one: str | route.Party, two: str | route.Party) -> bool:
    first, second = (item if isinstance(item, str) else item.economy for item in (one, two))
    return first == second


_ONCE: Final[Mapping[type[msgspec.Struct], Mapping[str, tuple[str, Same]]]] = {
    law.Economy: {"member_of": ("the membership of the same union", _same("union"))},
    law.Authority: {
        "active": ("the time in office", _same()),
        "identifiers": ("the same number", _same("scheme", "value", "site")),
        "signatory": ("the status in the same arrangement", _same_signature),
    },
    law.Requirement: {"editions": ("the edition of the same key", _same("key"))},
    route.Route: {
        "requirements": ("the same requirement", _same("id")),
        "importer": ("the same market", _same_party),
        "exporter": ("the same exporter", _same_party),
        "product_classes": ("the same product class", _same("product_class")),
        "excluded": ("the same product class", _same("product_class")),
        "activities": ("the same activity", _same("activity")),
    },
    route.AccreditationRule: {"by": ("the same accreditation body", _same_accreditor)},
    rights.Body: {
        "names": ("a legal name", _same_legal_name),
        "identifiers": ("the same number", _same("scheme", "value", "site")),
        "ownership": ("the same fact", _same("fact")),
    },
    rights.Right: {"scope": ("the scope item of the same key", _same("key"))},
}
"""Lists in which the same thing holds once at a time."""


def find_overlaps(record: AnyRecord) -> Iterator[Fault]:
    """Yield dated items of the same thing of which two hold on the same day."""
    for pointer, part in walk(record):
        for kind in reversed(type(part).__mro__):
            for field, (what, same) in _ONCE.get(kind, {}).items():
                yield from _overlapping(getattr(part, field), f"{pointer}/{field}", what, same)
    if isinstance(record, rights.Body):
        yield from _repeated_keys([site.key for site in record.sites], "/sites")
    if isinstance(record, law.Agreement):
        yield from _repeated_keys([article.key for article in record.articles], "/articles")


def overlap(one: Period, two: Period) -> bool:
    """Whether two periods certainly have a day in common."""
    return max(one.start.latest, two.start.latest) <= min(one.end.earliest, two.end.earliest)


def show_period(period: Period) -> str:
    """Return a period in words."""
    return f"{period.start} to {period.end}"


def _period(item: Any) -> Period:
    return item.period if isinstance(item, Dated) else ALL_TIME


def _overlapping(items: Sequence[Any], pointer: str, what: str, same: Same) -> Iterator[Fault]:
    for index, item in enumerate(items):
        for before, other in enumerate(items[:index]):
            if same(item, other) and overlap(_period(item), _period(other)):
                days = f"{show_period(_period(item))} here, {show_period(_period(other))} in item {before}"
                yield Fault(f"{pointer}/{index}", f"{what} holds twice at once: {days}")
                break


def _repeated_keys(keys: Sequence[str], pointer: str) -> Iterator[Fault]:
    for index, key in enumerate(keys):
        if key in keys[:index]:
            yield Fault(f"{pointer}/{index}/key", f"the key {key!r} stands twice")
