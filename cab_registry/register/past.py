"""What a new version of a record must leave as it is: events that happened, and the past of what has dates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from cab_registry.domain.days import NEVER, When
from cab_registry.domain.errors import Fault
from cab_registry.domain.records import AnyRecord, Designation, Record
from cab_registry.domain.records.common import Dated
from cab_registry.domain.records.rights import Right, RightEvent, ScopeItem
from cab_registry.register.walking import walk

_STARTS: Final = ("from_", "on")
_APART: Final = frozenset({"from_", "on", "until", "invalid_from", "source", "confidence", "citation", "refers_to"})
"""Days are compared on their own; a better source or citation changes no fact."""

_NAMES: Final = ("event", "state", "key", "name", "value", "union", "authority", "arrangement", "fact", "id")
_HEADING: Final = ("body", "site", "by", "agreement", "annex", "scheme", "standard", "edition", "number")
"""What tells one right from another."""

_ASKS: Final = frozenset({"proposed", "notified"})
_INDEX: Final = re.compile(r"/\d+(?=/|$)")
_REMEDY: Final = "a past is changed by `correction` only, with a public reason"


class _Timed(NamedTuple):
    """A part of a record that has days: what it says, and when."""

    pointer: str
    place: str
    key: str
    says: Any
    start: When
    end: When
    name: str


def find_changed_past(old: AnyRecord, new: AnyRecord, today: int) -> Iterator[Fault]:
    """Yield a fault for each past event that the new version drops or moves, and each past interval that it changes."""
    left: dict[tuple[str, Any], list[_Timed]] = {}
    for part in _timed(new):
        left.setdefault((part.place, part.says), []).append(part)
    changed: list[_Timed] = []
    yield from _changed_heading(old, new, today)
    for part in _timed(old):
        same = left.get((part.place, part.says), [])
        match = next((other for other in same if other.start == part.start and _same_past(part, other, today)), None)
        if match is not None:
            same.remove(match)
        elif part.start.earliest <= today:
            changed.append(part)
    for part in changed:
        yield _describe(part, left.get((part.place, part.says), []))


def _changed_heading(old: AnyRecord, new: AnyRecord, today: int) -> Iterator[Fault]:
    """Yield what makes another right of one that has a past; a number that was not on record may be filled in."""
    if not isinstance(old, Right) or not has_past(old, today):
        return
    for name in _HEADING:
        one, two = getattr(old, name, None), getattr(new, name, None)
        if one != two and not (name == "number" and one is None):
            text = f"`{name}` changes from {one or 'none'} to {two or 'none'}: {_REMEDY}"
            yield Fault(f"/{name}", f"{text}; another right is a record of its own")


def has_past(record: AnyRecord, today: int) -> bool:
    """Whether anything that the record says lies in the past."""
    return any(part.start.earliest <= today for part in _timed(record))


def _same_past(old: _Timed, new: _Timed, today: int) -> bool:
    """Whether both say the same of every day before today; an end of yesterday takes none of those away."""
    return old.end == new.end or min(old.end.earliest, new.end.earliest) >= today - 1


def _describe(old: _Timed, others: list[_Timed]) -> Fault:
    if not others:
        return Fault(old.place.rstrip("/"), f"{old.name} on {old.start} is gone: {_REMEDY}")
    other = others.pop(0)
    if other.start != old.start:
        return Fault(f"{other.pointer}/{other.key}", f"{old.name} moved from {old.start} to {other.start}: {_REMEDY}")
    return Fault(other.pointer, f"{old.name} from {old.start} ended on {old.end}, now on {other.end}: {_REMEDY}")


def _timed(record: AnyRecord) -> Iterator[_Timed]:
    """Yield the parts that have days; what a designation was only asked for was never held, and has no past."""
    only_asked = _is_only_asked(record)
    for pointer, part in walk(record):
        if only_asked and isinstance(part, ScopeItem):
            continue
        field = next((name for name in _STARTS if isinstance(getattr(part, name, None), When)), None)
        if field is None:
            continue
        end = part.period.end if isinstance(part, Dated) else getattr(part, "until", None) or NEVER
        says = type(part).__name__ if isinstance(part, Record) else _content(part, record)
        yield _Timed(pointer, _INDEX.sub("", pointer), field.rstrip("_"), says, getattr(part, field), end, _name(part))


def _is_only_asked(record: AnyRecord) -> bool:
    if not isinstance(record, Designation) or record.from_ is not None or not record.timeline:
        return False
    return all(event.event in _ASKS for event in record.timeline)


def _content(part: msgspec.Struct, record: AnyRecord) -> Any:
    """Return what a part says, its days apart; parts inside it that have days are looked at on their own."""
    plain = tuple(
        (name, getattr(part, name))
        for name in part.__struct_fields__
        if name not in _APART and not _holds_parts(getattr(part, name))
    )
    if isinstance(part, RightEvent) and isinstance(record, Right) and part.refers_to is not None:
        answered = record.timeline[part.refers_to] if part.refers_to < len(record.timeline) else None
        return (*plain, None if answered is None else (answered.event, answered.on))
    return plain


def _holds_parts(value: object) -> bool:
    if isinstance(value, tuple):
        return any(isinstance(item, msgspec.Struct) for item in value)
    return isinstance(value, msgspec.Struct | dict)


def _name(part: msgspec.Struct) -> str:
    if isinstance(part, Record):
        return "what begins"
    shown = next((str(getattr(part, name)) for name in _NAMES if isinstance(getattr(part, name, None), str)), "")
    kind = "event" if isinstance(part, RightEvent) or hasattr(part, "state") else "item"
    return f"{kind} `{shown}`" if shown else kind
