"""Semantic checks: what a well-formed record may still have wrong, alone, beside others, and in the whole catalogue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from cab_registry.domain.days import Period, When
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.domain.folding import fold
from cab_registry.domain.lettering import list_lettering
from cab_registry.domain.records import (
    RECORD_TYPES,
    AnyRecord,
    Authority,
    Body,
    Notice,
    Position,
    Record,
    Requirement,
    Route,
)
from cab_registry.domain.records.common import Dated, Sourced
from cab_registry.domain.records.law import Economy, Objection
from cab_registry.domain.schemes import canonise
from cab_registry.register.catalogue import Entry, catalogue_folder, load_catalogue, read_folder
from cab_registry.register.counting import Counts, count_entries
from cab_registry.register.intervals import find_bad_intervals, find_overlaps, overlap, show_period
from cab_registry.register.references import Known, find_unknown, list_known
from cab_registry.register.rows import PartCount, check_rows
from cab_registry.register.walking import walk


class CatalogueReport(msgspec.Struct, frozen=True):
    """What the catalogue holds, and what is wrong in it."""

    counts: Counts
    faults: tuple[Fault, ...]
    tables: tuple[PartCount, ...] = ()


_SOURCED = Sourced | Route | Position | Notice


def check_record(
    record: AnyRecord, document: Mapping[str, Any], known: Known, *, sourced: bool = True, lettering: bool = True
) -> list[Fault]:
    """List what is wrong in one well-formed record, by JSON Pointer.

    Args:
        record: the record.
        document: the plain form that it was read from.
        known: what records may refer to.
        lettering: whether its texts are looked at sign by sign.
        sourced: whether each fact must name its source; an authority's own act has a source in who submits it.
    """
    return [
        *_null_days(document),
        *(Fault(pointer, message) for pointer, _, message in list_lettering(document) if lettering),
        *(find_unsourced(record) if sourced else ()),
        *_unstated_sources(record),
        *_incomplete_route(record, document),
        *find_unknown(record, known),
        *find_bad_intervals(record),
        *find_overlaps(record),
    ]


def check_entries(entries: Sequence[Entry]) -> list[Fault]:
    """List what is wrong in entries that stand together, each fault with file and line."""
    known = list_known(entry.record for entry in entries)
    own = [
        Fault(fault.pointer, fault.message, entry.located.place(fault.pointer))
        for entry in entries
        for fault in check_record(entry.record, entry.document, known)
    ]
    return [*own, *_shared(latest_entries(entries))]


def check_catalogue(folder: Path | None = None) -> CatalogueReport:
    """Check the whole catalogue, or one in another folder: how it reads, what its records say, and what they carry."""
    root = folder or catalogue_folder()
    faults: list[Fault] = []
    try:
        entries = load_catalogue(folder=root)
    except Refusal as refusal:
        faults.extend(refusal.faults)
        entries = [entry for part in ("law", "bodies") for entry in _readable(root / part, root)]
    faults.extend(check_entries(entries))
    tables, uncarried = check_rows(root, entries)
    faults.extend(uncarried)
    return CatalogueReport(count_entries(entries), tuple(sorted(faults, key=_by_place)), tables)


def check_folder(folder: Path) -> CatalogueReport:
    """Check records of one's own, such as those of an agreement, beside the packaged law on which they rest."""
    entries, faults = read_folder(folder)
    beside = check_entries([*load_catalogue(("law",)), *entries])
    return CatalogueReport(count_entries(entries), tuple(sorted((*faults, *beside), key=_by_place)))


def _readable(folder: Path, root: Path) -> list[Entry]:
    return read_folder(folder, root)[0] if folder.is_dir() else []


def _by_place(fault: Fault) -> tuple[str, int, str, str]:
    file, _, line = fault.place.rpartition(":")
    return file, int(line or 0), fault.pointer, fault.message


def latest_entries(entries: Iterable[Entry]) -> list[Entry]:
    """Return the last version of each record: the one that became known last."""
    latest: dict[str, Entry] = {}
    for entry in entries:
        before = latest.get(entry.record.id)
        if before is None or _known_from(entry.record) >= _known_from(before.record):
            latest[entry.record.id] = entry
    return list(latest.values())


def _known_from(record: Record) -> int:
    return record.known_from.latest if record.known_from is not None else -1


@cache
def day_keys() -> frozenset[str]:
    """Return the keys under which records have moments."""
    found: set[str] = set()
    seen: set[type] = set()
    open_types: list[Any] = [msgspec.inspect.type_info(struct) for struct in RECORD_TYPES.values()]
    while open_types:
        kind = open_types.pop()
        if isinstance(kind, msgspec.inspect.StructType) and kind.cls not in seen:
            seen.add(kind.cls)
            for field in kind.fields:
                parts = _parts(field.type)
                if any(isinstance(part, msgspec.inspect.CustomType) and part.cls is When for part in parts):
                    found.add(field.encode_name)
                open_types.extend(parts)
    return frozenset(found | {"not_before", "not_after"})


def _parts(kind: Any) -> list[Any]:
    if isinstance(kind, msgspec.inspect.Metadata):
        return _parts(kind.type)
    if isinstance(kind, msgspec.inspect.UnionType):
        return [part for item in kind.types for part in _parts(item)]
    if isinstance(kind, msgspec.inspect.VarTupleType):
        return _parts(kind.item_type)
    if isinstance(kind, msgspec.inspect.DictType):
        return _parts(kind.value_type)
    return [kind]


def _null_days(value: object, pointer: str = "") -> Iterator[Fault]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            place = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
            if part is None and key in day_keys():
                yield Fault(place, "a day is never null: leave the key out, or write the window in which it lies")
            yield from _null_days(part, place)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _null_days(part, f"{pointer}/{index}")


def find_unsourced(record: AnyRecord) -> Iterator[Fault]:
    """Yield the facts without a source: each dated item names one; another part may stand inside a part that does."""
    for pointer, _ in list_unsourced(record):
        yield Fault(pointer, "names no source")


def list_unsourced(record: AnyRecord) -> Iterator[tuple[str, msgspec.Struct]]:
    """Yield the facts without a source, each after the place where it would name one."""
    sourced: list[str] = []
    for pointer, part in walk(record):
        if not isinstance(part, _SOURCED):
            continue
        if isinstance(part, Sourced) and part.source is not None:
            sourced.append(f"{pointer}/")
        if part.source is None:
            inside = not isinstance(part, Dated) and pointer.startswith(tuple(sourced))
            silent = isinstance(part, Objection) and part.silence == "silent"
            if not inside and not silent:
                yield f"{pointer}/source", part


def _unstated_sources(record: AnyRecord) -> Iterator[Fault]:
    for pointer, part in walk(record):
        if isinstance(part, _SOURCED) and part.source is not None and part.source not in record.sources:
            yield Fault(f"{pointer}/source", f"the record has no source {part.source!r}")


def _incomplete_route(record: AnyRecord, document: Mapping[str, Any]) -> Iterator[Fault]:
    if not isinstance(record, Route):
        return
    if "confidence" not in document:
        yield Fault("/confidence", "a route says how far its reading can be trusted: high, medium or low")
    if record.agreement is None and record.scheme is None:
        yield Fault("/scheme", "a route rests on an agreement, or has a scheme")
    if record.agreement is None and not record.instrument:
        yield Fault("/instrument", "a route without an agreement states its own legal force")


def _shared(entries: Sequence[Entry]) -> Iterator[Fault]:
    """Check what two records may not both have: a number on the same day, an economy's code, a citation."""
    numbers: dict[tuple[str, str], list[tuple[str, Period]]] = defaultdict(list)
    codes: dict[str, str] = {}
    citations: dict[str, str] = {}
    for entry in entries:
        record = entry.record
        if isinstance(record, Body | Authority):
            yield from _taken_numbers(record, entry, numbers)
        elif isinstance(record, Economy):
            yield from _taken(codes, record.code, record.code, "/code", entry)
        elif isinstance(record, Requirement):
            for index, text in enumerate((record.citation, *record.other_citations)):
                pointer = "/citation" if index == 0 else f"/other_citations/{index - 1}"
                yield from _taken(citations, fold(text), text, pointer, entry)


def _taken(owners: dict[str, str], key: str, name: str, pointer: str, entry: Entry) -> Iterator[Fault]:
    owner = owners.setdefault(key, entry.record.id)
    if owner != entry.record.id:
        yield Fault(pointer, f"{owner!r} has it already: {name!r}", entry.located.place(pointer))


def _taken_numbers(
    owner: Body | Authority, entry: Entry, numbers: dict[tuple[str, str], list[tuple[str, Period]]]
) -> Iterator[Fault]:
    for index, item in enumerate(owner.identifiers):
        pointer = f"/identifiers/{index}"
        key = (item.scheme, canonise(item.scheme, item.value))
        for other, period in numbers[key]:
            if other != owner.id and overlap(item.period, period):
                text = (
                    f"{other!r} has the number {item.value!r} of {item.scheme} at the same time: {show_period(period)}"
                )
                yield Fault(pointer, text, entry.located.place(pointer))
                break
        numbers[key].append((owner.id, item.period))
