"""Documents as flat query parameters with dotted names, and back: `result.issuer.scheme=nando`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from msgspec import inspect

from cab_registry.domain.errors import MOST_FAULTS, Fault, Refusal
from cab_registry.domain.nearest import find_nearest
from cab_registry.register.schema_faults import point

MOST_PARTS: Final = 4
"""How many objects of a list (subcontractors) have flat names; more of them go by POST."""

MOST_PARAMETERS: Final = 500


class Unreadable(Refusal):
    """What was sent cannot be read at all: no JSON, no UTF-8."""


@dataclass(frozen=True, slots=True)
class FlatField:
    """One flat name: where its value stands in the document, and whether it may be repeated."""

    name: str
    path: tuple[str | int, ...]
    repeated: bool
    kind: inspect.Type
    description: str = ""

    @property
    def pointer(self) -> str:
        """JSON Pointer into the document."""
        return point(self.path)


def list_fields(kind: type[msgspec.Struct]) -> dict[str, FlatField]:
    """Return the flat names of a document, in the order of its fields."""
    described = inspect.type_info(kind)
    if not isinstance(described, inspect.StructType):
        raise TypeError(f"{kind} is no Struct")
    return {field.name: field for field in _walk_struct(described, ())}


def _walk_struct(kind: inspect.StructType, path: tuple[str | int, ...]) -> Iterator[FlatField]:
    for field in kind.fields:
        yield from _walk(field.type, (*path, field.encode_name), "")


def _walk(kind: inspect.Type, path: tuple[str | int, ...], description: str) -> Iterator[FlatField]:
    while isinstance(kind, inspect.Metadata):
        description = description or str((kind.extra_json_schema or {}).get("description", ""))
        kind = kind.type
    name = ".".join(map(str, path))
    if isinstance(kind, inspect.UnionType):
        for part in kind.types:
            if not isinstance(part, inspect.NoneType):
                yield from _walk(part, path, description)
    elif isinstance(kind, inspect.StructType):
        yield from _walk_struct(kind, path)
    elif isinstance(kind, inspect.VarTupleType | inspect.ListType):
        item = kind.item_type
        if isinstance(item, inspect.StructType):
            for index in range(MOST_PARTS):
                yield from _walk_struct(item, (*path, index))
        else:
            yield FlatField(name, path, repeated=True, kind=item, description=description)
    else:
        yield FlatField(name, path, repeated=False, kind=kind, description=description)


def read_pairs(query: bytes | str) -> list[tuple[str, str]]:
    """Read a query string.

    Raises:
        Unreadable: it is no UTF-8, or has too many parameters.
    """
    try:
        text = query.decode("ascii") if isinstance(query, bytes) else query
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except UnicodeError:
        raise Unreadable("the query string is no UTF-8") from None
    except ValueError:
        raise Unreadable(f"the query string has more than {MOST_PARAMETERS} parameters") from None


def build_document(
    pairs: Iterable[tuple[str, str]], fields: Mapping[str, FlatField]
) -> tuple[dict[str, Any], list[Fault]]:
    """Build a document from flat parameters, with the faults that lie in the names themselves, one beyond the most."""
    document: dict[str, Any] = {}
    faults: list[Fault] = []
    seen: set[str] = set()
    for name, value in pairs:
        if len(faults) > MOST_FAULTS:
            break
        field = fields.get(name)
        if field is None:
            faults.append(Fault(point([name]), suggest(name, fields)))
        elif field.repeated:
            _place(document, field.path, value, faults, repeated=True)
        elif name in seen:
            faults.append(Fault(field.pointer, f"{name} is given more than once"))
        else:
            _place(document, field.path, value, faults, repeated=False)
        seen.add(name)
    return _close_lists(document, faults, ()), list(dict.fromkeys(faults))


def suggest(name: str, allowed: Iterable[str]) -> str:
    """Say that a name is unknown, with the nearest known one or all of them."""
    known = sorted(allowed)
    near = find_nearest(name, known)
    return f"unknown parameter; did you mean {near}?" if near else f"unknown parameter; allowed: {', '.join(known)}"


def _place(
    document: dict[str, Any], path: Sequence[str | int], value: str, faults: list[Fault], *, repeated: bool
) -> None:
    place: dict[Any, Any] = document
    for step in path[:-1]:
        inner = place.setdefault(step, {})
        if not isinstance(inner, dict):
            faults.append(Fault(point(path[:-1]), "is given both as one value and in parts"))
            return
        place = inner
    if repeated:
        place.setdefault(path[-1], []).append(value)
    elif isinstance(place.get(path[-1]), dict):
        faults.append(Fault(point(path), "is given both as one value and in parts"))
    else:
        place[path[-1]] = value


def _close_lists(value: Any, faults: list[Fault], path: tuple[str | int, ...]) -> Any:
    """Turn objects keyed by 0, 1, 2 into lists."""
    if not isinstance(value, dict):
        return value
    closed = {key: _close_lists(part, faults, (*path, key)) for key, part in value.items()}
    if closed and all(isinstance(key, int) for key in closed):
        if sorted(closed) != list(range(len(closed))):
            faults.append(Fault(point(path), "is numbered from 0 without a gap"))
        return [closed[key] for key in sorted(closed)]
    return closed


def write_flat(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the flat parameters of a plain document, in its order; nulls are left out."""
    return list(_flatten(document, ()))


def _flatten(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flatten(part, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from _flatten(part, (*path, str(index)) if isinstance(part, Mapping) else path)
    elif value is not None:
        yield ".".join(path), str(value)
