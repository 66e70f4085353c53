"""The tables that the catalogue was made from: which records carry each of their rows.

`rows.yaml` in the folder of the catalogue holds one YAML document for each table: `{part, title, rows}`. A row is
`{row, says, records}`, or `{row, says, none}` where the table itself says that there is nothing to carry; `key` names
the key under which each of the records has it, where naming the record alone would prove little.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from cab_registry.domain.errors import Fault
from cab_registry.register.catalogue import Entry
from cab_registry.register.yaml_text import read_yaml_file

ROWS: Final = "rows.yaml"
_KEYS: Final = ("part", "title", "rows")
_ROW_KEYS: Final = ("row", "says", "records", "none", "key")


class PartCount(msgspec.Struct, frozen=True, kw_only=True):
    """One table in numbers: its rows, those that records carry, those with nothing to carry, and the records."""

    part: str
    title: str
    rows: int
    carried: int
    without: int
    records: int


Documents = Mapping[str, Sequence[Mapping[str, Any]]]


def check_rows(root: Path, entries: Sequence[Entry]) -> tuple[tuple[PartCount, ...], list[Fault]]:
    """Check that every row of the tables is carried by records that exist; no file, no tables.

    Args:
        root: the folder of the catalogue.
        entries: its records.
    """
    file = root / ROWS
    if not file.is_file():
        return (), []
    located, faults = read_yaml_file(file, ROWS)
    documents: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        documents.setdefault(entry.record.id, []).append(entry.document)
    counts = []
    parts: set[str] = set()
    for table in located:
        wrong = [*_wrong_table(table.value, parts)]
        if not wrong:
            parts.add(table.value["part"])
            for index, row in enumerate(table.value["rows"]):
                wrong.extend(_wrong_row(row, f"/rows/{index}", documents))
            wrong.extend(_repeated(table.value["rows"]))
            counts.append(_count(table.value, documents))
        faults.extend(Fault(fault.pointer, fault.message, table.place(fault.pointer)) for fault in wrong)
    return tuple(counts), faults


def _wrong_table(value: object, parts: set[str]) -> Iterator[Fault]:
    if not isinstance(value, dict) or set(value) != set(_KEYS):
        yield Fault("", f"a table has the keys {', '.join(_KEYS)}")
        return
    yield from (Fault(f"/{key}", "must be a text") for key in ("part", "title") if not _is_text(value[key]))
    if value["part"] in parts:
        yield Fault("/part", f"the table {value['part']!r} stands twice")
    if not isinstance(value["rows"], list) or not value["rows"]:
        yield Fault("/rows", "must be a list of rows")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _wrong_row(row: object, place: str, documents: Documents) -> Iterator[Fault]:
    if not isinstance(row, dict):
        yield Fault(place, "a row is a mapping of keys")
        return
    for key in row:
        if key not in _ROW_KEYS:
            yield Fault(f"{place}/{key}", f"unknown key `{key}`; allowed: {', '.join(_ROW_KEYS)}")
        elif key != "records" and not _is_text(row[key]):
            yield Fault(f"{place}/{key}", "must be a text")
    yield from (Fault(place, f"`{key}` is missing") for key in ("row", "says") if key not in row)
    if ("records" in row) == ("none" in row):
        yield Fault(place, "a row names the records that carry it, or says in `none` why there is nothing to carry")
    if "records" in row:
        yield from _wrong_records(row, f"{place}/records", documents)


def _wrong_records(row: Mapping[str, Any], place: str, documents: Documents) -> Iterator[Fault]:
    records = row["records"]
    if not isinstance(records, list) or not records:
        yield Fault(place, "must be a list of ids")
        return
    for number, name in enumerate(records):
        found = documents.get(name, ()) if isinstance(name, str) else ()
        key = row.get("key")
        if not found:
            yield Fault(f"{place}/{number}", f"no record has the id {name!r}")
        elif key is not None and not any(document.get(key) for document in found):
            yield Fault(f"{place}/{number}", f"the record {name!r} has nothing under `{key}`")
        if name in records[:number]:
            yield Fault(f"{place}/{number}", f"{name!r} stands twice")


def _names(rows: Sequence[Any]) -> list[object]:
    return [row.get("row") if isinstance(row, dict) else None for row in rows]


def _repeated(rows: Sequence[Any]) -> Iterator[Fault]:
    names = _names(rows)
    for index, name in enumerate(names):
        if name is not None and name in names[:index]:
            yield Fault(f"/rows/{index}/row", f"the row {name!r} stands twice")


def _count(table: Mapping[str, Any], documents: Documents) -> PartCount:
    rows = [row for row in table["rows"] if isinstance(row, dict)]
    known = [_known(row, documents) for row in rows]
    return PartCount(
        part=table["part"],
        title=table["title"],
        rows=len(table["rows"]),
        carried=sum(bool(found) for found in known),
        without=sum("none" in row and not found for row, found in zip(rows, known, strict=True)),
        records=len(set[str]().union(*known)),
    )


def _known(row: Mapping[str, Any], documents: Documents) -> set[str]:
    """Return the records that a row names and that exist."""
    records = row.get("records")
    named = records if isinstance(records, list) else []
    return {name for name in named if isinstance(name, str) and name in documents}
