"""The catalogue: real law and real bodies as records in YAML files that a lawyer can read and amend.

A file holds one or more YAML documents; each is a record, a list of records, or `type: sources`
(sources that all records of the file may name; the loader copies those that a record uses).
A record marked `template: true` is never loaded: it is there for YAML anchors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.domain.records import AnyRecord, read_record
from cab_registry.register.yaml_text import Located, read_yaml_file


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the catalogue: the plain document, the record read from it, and where it stands."""

    document: dict[str, Any]
    record: AnyRecord
    located: Located

    @property
    def place(self) -> str:
        """`file:line` of the record's head."""
        return self.located.place("")


def named_sources(value: object) -> Iterator[str]:
    """Yield every source key that a document names, wherever it stands."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "source" and isinstance(part, str):
                yield part
            elif key != "sources":
                yield from named_sources(part)
    elif isinstance(value, list):
        for part in value:
            yield from named_sources(part)


def _records_in(located: Located) -> Iterator[Located]:
    if isinstance(located.value, list):
        for index in range(len(located.value)):
            yield located.part(f"/{index}")
    else:
        yield located


def _read_file(path: Path, name: str, shared: dict[str, Any]) -> tuple[list[Entry], list[Fault]]:
    documents, faults = read_yaml_file(path, name)
    sources = dict(shared)
    entries: list[Entry] = []
    for located in documents:
        for part in _records_in(located):
            value = part.value
            if not isinstance(value, dict):
                faults.append(Fault("", "a record is a mapping of keys", part.place("")))
            elif value.get("type") == "sources":
                sources.update({key: item for key, item in value.items() if key != "type"})
            elif not value.get("template"):
                entries.extend(_read_part(part, sources, faults))
    return entries, faults


def _read_part(part: Located, sources: dict[str, Any], faults: list[Fault]) -> Iterator[Entry]:
    document = dict(part.value)
    stated = document.get("sources") or {}
    if not isinstance(stated, dict):
        faults.append(Fault("/sources", "sources are a mapping of keys", part.place("/sources")))
        return
    own = dict(stated)
    for key in sorted(set(named_sources(document))):
        if key not in own:
            if key in sources:
                own[key] = sources[key]
            else:
                faults.append(Fault("/sources", f"the source {key!r} is named but stated nowhere", part.place("")))
    if own:
        document["sources"] = own
    try:
        record = read_record(document)
    except msgspec.ValidationError:
        from cab_registry.register.schemas import list_faults  # noqa: PLC0415 - slow to import, and seldom needed

        wrong = list_faults(document)
        faults.extend(Fault(fault.pointer, fault.message, part.place(fault.pointer)) for fault in wrong)
        return
    yield Entry(document, record, part)


def read_folder(folder: Path, root: Path | None = None) -> tuple[list[Entry], list[Fault]]:
    """Read every YAML file below a folder, in the order of their names.

    `sources.yaml` in a folder holds sources for all files of that folder and below.
    """
    root = root or folder
    entries: list[Entry] = []
    faults: list[Fault] = []
    _walk(folder, root, {}, entries, faults)
    return entries, faults


def _walk(folder: Path, root: Path, shared: dict[str, Any], entries: list[Entry], faults: list[Fault]) -> None:
    common = folder / "sources.yaml"
    if common.is_file():
        documents, found = read_yaml_file(common, str(common.relative_to(root)))
        faults.extend(found)
        for located in documents:
            if isinstance(located.value, dict):
                shared = {**shared, **{key: item for key, item in located.value.items() if key != "type"}}
            else:
                faults.append(Fault("", "sources are a mapping of keys", located.place("")))
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            _walk(path, root, shared, entries, faults)
        elif path.suffix == ".yaml" and path != common and path.is_file():
            found_entries, found = _read_file(path, str(path.relative_to(root)), shared)
            entries.extend(found_entries)
            faults.extend(found)


def catalogue_folder() -> Path:
    """Return the folder of the packaged catalogue."""
    return Path(__file__).resolve().parent.parent / "catalogue"


def load_catalogue(parts: Iterable[str] = ("law", "bodies"), folder: Path | None = None) -> list[Entry]:
    """Read the catalogue's parts: `law` (agreements, routes, authorities ...) and `bodies` (real bodies).

    Raises:
        Refusal: something is wrong in a file; every fault is listed with file and line.
    """
    root = folder or catalogue_folder()
    entries: list[Entry] = []
    faults: list[Fault] = []
    for part in parts:
        if (root / part).is_dir():
            found_entries, found = read_folder(root / part, root)
            entries.extend(found_entries)
            faults.extend(found)
    faults.extend(_repeated(entries))
    if faults:
        raise Refusal("the catalogue has faults", tuple(faults))
    return entries


def _repeated(entries: list[Entry]) -> Iterator[Fault]:
    """Ids are unique over all types; a second version needs a later `known_from`."""
    seen: dict[str, Entry] = {}
    for entry in entries:
        first = seen.setdefault(entry.record.id, entry)
        if first is not entry and (first.record.__class__ is not entry.record.__class__ or not entry.record.known_from):
            yield Fault("/id", f"the id {entry.record.id!r} stands already in {first.place}", entry.place)
