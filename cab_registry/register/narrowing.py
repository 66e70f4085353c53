"""Scope items parted by events that name a class, a procedure or a kind of result alone (domain.md, section 9, 5).

What such an event touches becomes an item of its own; the rest of the item goes on without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeVar, get_args

import msgspec

from cab_registry.domain.codes import ResultKind
from cab_registry.domain.records.rights import Right, RightEvent, ScopeItem
from cab_registry.register.compiled_law import Law

_Right = TypeVar("_Right", bound=Right)
_TABLES: Final = {"product_classes": "product_class", "procedures": "procedure"}
_KINDS: Final = frozenset(get_args(ResultKind))


class Parted(ScopeItem, frozen=True, kw_only=True):
    """A scope item from which classes, procedures or kinds of results were taken out."""

    without: frozenset[str] = frozenset()


def part_items(right: _Right, events: Iterable[RightEvent], law: Law) -> _Right:
    """Return the right with an item of its own for each class, procedure or kind that an event names alone."""
    named = dict.fromkeys(name for event in events for name in event.items)
    keys = {name for item in right.scope for name in (item.key, item.requirement, *item.standards)}
    fields = {name: field for name in named if name not in keys and (field := _field_of(name, right.scope, law))}
    if not fields:
        return right
    scope = list(right.scope)
    for name, field in fields.items():
        sectors = _sectors_of(name, law) if field == "product_classes" else frozenset[str]()
        scope = [
            part for item in scope for part in (_part(item, name, field) if _is_about(item, sectors, law) else (item,))
        ]
    return msgspec.structs.replace(right, scope=tuple(scope))


def widen_unread(right: _Right, law: Law) -> _Right:
    """Return the right with each event whose words name nothing speaking of all of it."""
    known = {name for item in right.scope for name in names_of(item)}
    timeline = tuple(
        msgspec.structs.replace(event, items=())
        if event.items and not any(name in known or _is_known(name, right.scope, law) for name in event.items)
        else event
        for event in right.timeline
    )
    return right if timeline == right.timeline else msgspec.structs.replace(right, timeline=timeline)


def names_of(item: ScopeItem) -> frozenset[str]:
    """Return the words by which an event may speak of a scope item."""
    words = (item.key, item.requirement, *item.standards, *item.product_classes, *item.procedures, *item.result_kinds)
    return frozenset(word for word in words if word is not None)


def _is_known(name: str, scope: Iterable[ScopeItem], law: Law) -> bool:
    return name in law.requirements or _field_of(name, scope, law) is not None


def _field_of(name: str, scope: Iterable[ScopeItem], law: Law) -> str | None:
    """Return the part of a scope item that a word limits: its classes, procedures or kinds of results."""
    for field, table in _TABLES.items():
        if any(name in getattr(item, field) for item in scope) or _is_code((table, name), law):
            return field
    return "result_kinds" if name in _KINDS else None


def _is_code(code: tuple[str, str], law: Law) -> bool:
    return code in law.codes or any(code in rf.vocabulary for rf in law.routes.values())


def _sectors_of(product_class: str, law: Law) -> frozenset[str]:
    """Return the sectors to which a class belongs, as the routes of one sector that cover it tell."""
    return frozenset(
        rf.route.sectors[0] for rf in law.routes.values() if len(rf.route.sectors) == 1 and product_class in rf.classes
    )


def _is_about(item: ScopeItem, sectors: frozenset[str], law: Law) -> bool:
    """Whether a scope item may hold a class of these sectors."""
    requirement = law.requirements.get(item.requirement or "")
    return not sectors or requirement is None or requirement.sector is None or requirement.sector in sectors


def _part(item: ScopeItem, name: str, field: str) -> list[ScopeItem]:
    """Return the part of an item of which a word speaks, and the rest; only the item, where it does not hold it."""
    values: tuple[str, ...] = getattr(item, field)
    without = item.without if isinstance(item, Parted) else frozenset[str]()
    if name in without or (values and name not in values) or values == (name,):
        return [item]
    spoken = msgspec.structs.replace(item, **{field: (name,)})
    rest = tuple(value for value in values if value != name)
    if rest:
        return [spoken, msgspec.structs.replace(item, **{field: rest})]
    fields = {key: getattr(item, key) for key in ScopeItem.__struct_fields__}
    return [spoken, Parted(**fields, without=without | {name})]
