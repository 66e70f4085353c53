"""Documents made from the structs themselves: valid ones, and mutations that may or may not be valid."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from cab_registry.domain.days import When

ODD_VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    101,
    3.0,
    "",
    "always",
    "2020-02-29",
    "2021-02-29",
    "2021-02-30",
    "0000-01-01",
    "20210101",
    "2021-1-1",
    "2021-01-01T00:00:00Z",
    "not-there",
    "Not A Code",
    "xa\n",
    "XA\n",
    "medium",
    "route",
    [],
    ["issued"],
    [None],
    {},
    {"from": "2021-01-01", "to": "2021-01-02"},
    {"not_before": "2021-01-01"},
    {"not_after": None},
    {"not_before": "2021-02-01", "not_after": "2021-01-01"},
    {"not_before": "2021-01-01", "not_after": "2021-02-01"},
    {"not_before": "2021-01-01", "unless": "2021-02-01"},
]

DAYS = st.dates(min_value=date(1950, 1, 1), max_value=date(2060, 12, 31)).map(date.isoformat)


@st.composite
def moments(draw: Callable[..., Any]) -> Any:
    """A moment as records write it."""
    form = draw(st.sampled_from(("always", "day", "from", "to", "window")))
    if form == "always":
        return "always"
    first, last = sorted((draw(DAYS), draw(DAYS)))
    return {
        "day": first,
        "from": {"not_before": first},
        "to": {"not_after": last},
        "window": {"not_before": first, "not_after": last},
    }[form]


def values_of(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Plain values that a type takes."""
    if isinstance(kind, inspect.Metadata):
        return values_of(kind.type)
    if isinstance(kind, inspect.UnionType):
        return st.one_of([values_of(part) for part in kind.types])
    if isinstance(kind, inspect.StructType):
        return st.deferred(lambda: documents_of(kind))
    if isinstance(kind, inspect.VarTupleType | inspect.ListType | inspect.DictType):
        return _collections(kind)
    return _scalars(kind)


def _collections(kind: inspect.VarTupleType | inspect.ListType | inspect.DictType) -> st.SearchStrategy[Any]:
    least = kind.min_length or 0
    if isinstance(kind, inspect.DictType):
        return st.dictionaries(texts(1, 5), values_of(kind.value_type), min_size=least, max_size=least + 1)
    return st.lists(values_of(kind.item_type), min_size=least, max_size=least + 2)


def _scalars(kind: inspect.Type) -> st.SearchStrategy[Any]:
    if isinstance(kind, inspect.StrType):
        if kind.pattern is None:
            return texts(kind.min_length or 0, 12)
        return st.from_regex(kind.pattern).filter(lambda text: len(text) <= (kind.max_length or 1000))
    if isinstance(kind, inspect.IntType):
        return st.integers(min_value=kind.ge, max_value=kind.le)
    if isinstance(kind, inspect.LiteralType):
        return st.sampled_from(kind.values)
    if isinstance(kind, inspect.CustomType):
        assert kind.cls is When
        return moments()
    return {inspect.DateType: DAYS, inspect.BoolType: st.booleans(), inspect.NoneType: st.none()}[type(kind)]


def texts(least: int, most: int) -> st.SearchStrategy[str]:
    return st.text(min_size=least, max_size=most)


@st.composite
def documents_of(draw: Callable[..., Any], kind: inspect.StructType) -> dict[str, Any]:
    """A valid document of a struct: every required field, and a few of the others."""
    document: dict[str, Any] = {} if kind.tag_field is None else {kind.tag_field: kind.tag}
    optional = [field for field in kind.fields if not field.required]
    if optional:
        chosen = draw(st.lists(st.sampled_from(optional), max_size=3, unique_by=lambda field: field.name))
    else:
        chosen = []
    for field in (*(field for field in kind.fields if field.required), *chosen):
        document[field.encode_name] = draw(values_of(field.type))
    return document


def valid_documents(struct: type[msgspec.Struct]) -> st.SearchStrategy[dict[str, Any]]:
    kind = inspect.type_info(struct)
    assert isinstance(kind, inspect.StructType)
    return documents_of(kind)


def _places(node: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path]
    if isinstance(node, dict):
        for key, part in node.items():
            found.extend(_places(part, (*path, key)))
    elif isinstance(node, list):
        for index, part in enumerate(node):
            found.extend(_places(part, (*path, index)))
    return found


@st.composite
def changed(draw: Callable[..., Any], documents: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    """A document after one to three changes anywhere in it; it may still be valid."""
    document: dict[str, Any] = json.loads(json.dumps(draw(documents)))
    for _ in range(draw(st.integers(1, 3))):
        *parents, last = draw(st.sampled_from(_places(document)[1:] or [("type",)]))
        node: Any = document
        for step in parents:
            node = node[step]
        change = draw(st.sampled_from(("replace", "replace", "remove", "add")))
        odd = draw(st.sampled_from(ODD_VALUES))
        if change == "replace":
            node[last] = odd
        elif change == "add":
            if isinstance(node, dict):
                node[draw(st.sampled_from(("from", "until", "extra", "note", "type")))] = odd
            else:
                node.append(odd)
        elif isinstance(node, dict):
            node.pop(last, None)
        else:
            node.pop(last)
        document = json.loads(json.dumps(document))
    return document
