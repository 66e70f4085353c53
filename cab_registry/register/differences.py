"""What differs between two registers, as the reads of answers that the difference can touch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from cab_registry.engine.facts import Facts
from cab_registry.engine.reads import (
    EVERY,
    TABLES,
    Read,
    reads_of_coverage,
    reads_of_position,
    spell_key,
)

Row = TypeVar("Row")


def find_touched_reads(before: Facts, after: Facts) -> set[Read]:
    """Return the reads that give something else after a change than before it.

    An answer none of whose reads is among them is the same on both sides. Parts that are the same object on both
    sides are not looked into, so that this costs what the change costs.
    """
    touched: set[Read] = set()
    for name in TABLES:
        one, two = getattr(before, name), getattr(after, name)
        if one is not two:
            touched.update((name, spell_key(key)) for key in _changed_keys(one, two))
    touched.update((table, EVERY) for table in {table for table, _ in touched})
    for position, _ in _changed_rows(before.positions, after.positions):
        touched.update(reads_of_position(position))
    for coverage in _changed_rows(before.coverage, after.coverage):
        touched.update(reads_of_coverage(coverage))
    return touched


def _changed_keys(one: Mapping[Any, Any], two: Mapping[Any, Any]) -> Iterator[Any]:
    for key, value in one.items():
        other = two.get(key)
        if other is not value and other != value:
            yield key
    yield from (key for key in two if key not in one)


def _changed_rows(one: Sequence[Row], two: Sequence[Row]) -> Iterable[Row]:
    if one is two:
        return ()
    kept_one, kept_two = ({id(_part(row)): row for row in rows} for rows in (one, two))
    return [row for key, row in kept_one.items() if key not in kept_two] + [
        row for key, row in kept_two.items() if key not in kept_one
    ]


def _part(row: Any) -> Any:
    """Return the record of a row: that of a register before is the same object in the register after."""
    return row[0] if isinstance(row, tuple) else row
