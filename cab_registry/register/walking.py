"""Walking through a record: every part of it with the JSON Pointer at which its document has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec


def walk(value: object, pointer: str = "") -> Iterator[tuple[str, msgspec.Struct]]:
    """Yield a record and every struct inside it, each with its pointer, in the order of the fields."""
    if isinstance(value, msgspec.Struct):
        yield pointer, value
        for name, key in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True):
            yield from walk(getattr(value, name), f"{pointer}/{key}")
    elif isinstance(value, tuple):
        for index, part in enumerate(value):
            yield from walk(part, f"{pointer}/{index}")
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from walk(part, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")
