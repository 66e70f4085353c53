"""Whether two documents say the same: the order of lists does not count where it decides nothing, nor a stated default.

Events are in the order of their days, and their order counts on one day, and where an event refers to another by its
place. Of clocks, procedures and rules on survival the first that fits applies, so their order counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from cab_registry.domain.records import read_record, write_record

Document = Mapping[str, Any]

BY_DAYS: Final = frozenset(("timeline", "instrument", "operation"))
BY_PLACE: Final = frozenset(("objection", "procedures", "survival"))


def are_same(one: Document | None, two: Document | None) -> bool:
    """Whether two documents of records say the same."""
    if one is None or two is None:
        return one is two
    return spell_alike(one) == spell_alike(two) or spell_alike(state(one)) == spell_alike(state(two))


def state(document: Document) -> Document:
    """Return a document without what is only stated by default; as it is, if it is not that of a record."""
    try:
        written = write_record(read_record(dict(document)))
    except msgspec.ValidationError:
        return document
    stated: Document = _order_like(written, document)
    return stated


def _order_like(written: Any, document: Any) -> Any:
    """Give the keys of what was written the order that they have in the document."""
    if isinstance(written, Mapping) and isinstance(document, Mapping):
        names = dict.fromkeys((*(name for name in document if name in written), *written))
        return {name: _order_like(written[name], document.get(name)) for name in names}
    if isinstance(written, list | tuple) and isinstance(document, list | tuple):
        return [_order_like(one, two) for one, two in zip(written, document, strict=True)]
    return written


def spell_alike(value: Any, key: str = "") -> str:
    """Return one text for all values that say the same, and for no others.

    Args:
        value: what JSON can hold.
        key: under which key of its object it stands, which decides whether its order counts.
    """
    return json.dumps(_settle(value, key), ensure_ascii=False, sort_keys=True)


def _settle(value: Any, key: str) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _settle(part, str(name)) for name, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return _settle_list([_settle(part, key) for part in value], key)
    return value


def _settle_list(items: list[Any], key: str) -> list[Any]:
    objects = all(isinstance(item, Mapping) for item in items)
    if key in BY_DAYS and objects:
        return items if any("refers_to" in item for item in items) else sorted(items, key=_first_day)
    if key in BY_PLACE and objects:
        return items
    return sorted(items, key=lambda item: json.dumps(item, ensure_ascii=False, sort_keys=True))


def _first_day(event: Mapping[str, Any]) -> str:
    day = event.get("on")
    if isinstance(day, Mapping):
        day = day.get("not_before") or day.get("not_after")
    return str(day or "")
