"""Names for ids and codes, so that people read names."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.domain.records import write_record
from cab_registry.register.compiled import Register
from cab_registry.services.describing import NameOf, own_name

_NAMES = text(
    "SELECT id, payload ->> 'code', payload FROM record_version"
    " WHERE from_position <= :position AND (until_position IS NULL OR until_position > :position)"
    " AND (id = ANY(:ids) OR (type = 'economy' AND payload ->> 'code' = ANY(:ids)))"
)


_SLICE: Final = 20
"""So many documents are looked through before the event loop does something else."""


def name_in(register: Register) -> NameOf:
    """Return a function that names ids and codes as a register does; what it does not know stays as it is."""

    def name_of(key: str) -> str:
        economy = register.facts.economies.get(key)
        if economy is not None:
            return own_name(write_record(economy)) or key
        versioned = register.records.get(key)
        return (own_name(write_record(versioned.record)) if versioned is not None else None) or key

    return name_of


async def read_names(connection: AsyncConnection, documents: Iterable[Mapping[str, Any]], position: int) -> NameOf:
    """Read the names of everything that documents mention, as they stood at a position of the log."""
    words: set[str] = set()
    for number, document in enumerate(documents, 1):
        words.update(_words(document))
        if not number % _SLICE:
            await asyncio.sleep(0)
    names: dict[str, str] = {}
    found = await connection.execute(_NAMES, {"ids": sorted(words), "position": position})
    for rows in found.partitions(_SLICE):
        for key, code, payload in rows:
            name = own_name(payload)
            if name is not None:
                names[key] = name
                if code is not None:
                    names[code] = name
        await asyncio.sleep(0)
    return lambda key: names.get(key, key)


def _words(value: Any) -> Iterator[str]:
    """Yield the texts of a document that may be an id or a code."""
    if isinstance(value, str):
        if 2 <= len(value) <= 120 and " " not in value:
            yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _words(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _words(part)
