"""Sources on the command line: TITLE=ADDRESS becomes a source of each record that a command writes."""

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from cab_registry.domain.errors import Fault, Refusal

Document = dict[str, Any]
FLAG: Final = "--source"
_ADDRESS: Final = re.compile(r"=(?=https?://)")
_LONGEST_KEY: Final = 40


class Citation(NamedTuple):
    """A source as it is written on the command line; the address is empty where it has none."""

    title: str
    address: str


def read_citations(written: Sequence[str]) -> list[Citation]:
    """Read sources, each once.

    Raises:
        Refusal: some are not TITLE=ADDRESS; every fault is listed.
    """
    found: dict[Citation, None] = {}
    faults = []
    for each in written:
        split = _ADDRESS.search(each)
        title, equals, address = (
            (each[: split.start()], "=", each[split.end() :]) if split is not None else each.partition("=")
        )
        if title.strip() and equals:
            found[Citation(title.strip(), address.strip())] = None
        else:
            hint = "write TITLE=ADDRESS, for example 'List of 3 June=https://authority.example/list'"
            faults.append(Fault(FLAG, f"{each!r} has no title or no equals sign; {hint}; the address may be empty"))
    if faults:
        raise Refusal("a source cannot be read", tuple(faults))
    return list(found)


def cite(document: Document, before: Mapping[str, Any] | None, citations: Sequence[Citation], read_on: str) -> Document:
    """Return a record with sources, and with the first of them at each new fact that names none.

    Args:
        document: the record as it is to stand; with or without an id.
        before: the record as it was; its facts keep what they name.
        citations: the sources; the record is returned as it is where there are none.
        read_on: the day on which they were read, ISO.
    """
    if not citations:
        return document
    cited = copy.deepcopy(document)
    sources = cited.setdefault("sources", {})
    stated = (before or {}).get("sources", {})
    keys = [_place(sources, each, stated, read_on) for each in citations]
    old = {_spell(fact) for _, fact in _list_unsourced(before)} if before is not None else set()
    new = [fact for _, fact in _list_unsourced(cited) if _spell(fact) not in old]
    for fact in [*new, *_list_changed(cited, before or {})]:
        fact["source"] = keys[0]
    return cited


def _place(sources: Document, citation: Citation, before: Mapping[str, Any], read_on: str) -> str:
    """Put a source among those of a record, and return its key; one that is there already stays as it is."""
    for key, source in (*sources.items(), *before.items()):
        same = (source.get("title"), source.get("address", "")) == citation
        if same and sources.setdefault(key, source) == source:
            return str(key)
    stem = re.sub(r"[^a-z0-9]+", "-", citation.title.casefold()).strip("-")[:_LONGEST_KEY].strip("-") or "source"
    key, number = stem, 1
    while key in sources:
        number += 1
        key = f"{stem}-{number}"
    address = {"address": citation.address} if citation.address else {}
    sources[key] = {"title": citation.title, **address, "read_on": read_on}
    return key


def _list_unsourced(document: Mapping[str, Any]) -> Iterator[tuple[str, Document]]:
    """Yield the facts of a record that name no source, with their places; none where it is not well-formed yet."""
    from cab_registry.register.checking import find_unsourced

    record = _read(document)
    for fault in find_unsourced(record) if record is not None else ():
        pointer = fault.pointer.rpartition("/")[0]
        if isinstance(part := _part_at(document, pointer), dict):
            yield pointer, part


def _list_changed(document: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Document]:
    """Yield the facts that say something else than before and still name the source of what they said."""
    from cab_registry.domain.records.common import Sourced
    from cab_registry.register.walking import walk

    record = _read(document) if before else None
    for pointer, part in walk(record) if record is not None else ():
        if isinstance(part, Sourced) and part.source is not None:
            one, two = _part_at(before, pointer), _part_at(document, pointer)
            if isinstance(one, dict) and isinstance(two, dict) and one != two and one.get("source") == part.source:
                yield two


def _read(document: Mapping[str, Any]) -> Any:
    import msgspec

    from cab_registry.domain.records import read_record

    try:
        return read_record({"id": "unnamed", "owner": "unnamed", **document})
    except msgspec.ValidationError:
        return None


def _part_at(document: Mapping[str, Any], pointer: str) -> Any:
    part: Any = document
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(part, list):
            part = part[int(name)] if int(name) < len(part) else None
        else:
            part = part.get(name) if isinstance(part, Mapping) else None
    return part


def _spell(fact: Document) -> str:
    return json.dumps(fact, ensure_ascii=False, sort_keys=True)
