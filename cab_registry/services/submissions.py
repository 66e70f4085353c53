"""Loading the catalogue: its records become a submission of its own, and that becomes entries of the log."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final
from uuid import uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.services.sameness import are_same
from cab_registry.storage.canonical import Document, NotCanonical
from cab_registry.storage.entries import (
    INITIAL_SUBMISSION,
    KNOWN_FROM,
    Change,
    NewRecord,
    NewSubmission,
)
from cab_registry.storage.errors import NotInitial, operational_faults
from cab_registry.storage.log import append, head, lock_log
from cab_registry.storage.records import RecordVersion, latest_versions

CATALOGUE: Final = "catalogue"

# Gives everything that is wrong with one document, with JSON Pointers into it; nothing where it is valid.
Validate = Callable[[Document], Sequence[Fault]]


class CatalogueReport(msgspec.Struct, frozen=True, kw_only=True):
    """What loading the catalogue did, as record ids in the catalogue's order.

    Attributes:
        added: were not there.
        unchanged: were the same.
        amended: had another text from an earlier catalogue, and now have this one.
        conflicts: differ, and were last changed by somebody else; left as they are.
        position: the head afterwards.
    """

    added: tuple[str, ...]
    unchanged: tuple[str, ...]
    amended: tuple[str, ...]
    conflicts: tuple[str, ...]
    position: int


async def load_catalogue(
    engine: AsyncEngine,
    documents: Sequence[Document],
    *,
    validate: Validate,
    public_reason: str = "Catalogue of the registry",
) -> CatalogueReport:
    """Bring the register up to the catalogue: all of it into an empty log, else what changed.

    Into an empty log it is the initial load, which counts as recorded before everything, or from the day that a
    document states as `known_from`. Later, `known_from` means nothing, and of several versions the last counts.

    Raises:
        Refusal: documents are not valid; all faults are listed and nothing is loaded.
        StorageBusy: the database cannot serve now.
    """
    if not documents:
        raise Refusal("the catalogue is empty")
    with operational_faults():
        async with engine.connect() as connection:
            empty = (await head(connection)).position == 0
        if empty:
            try:
                return await _load_first(engine, documents, validate, public_reason)
            except NotInitial:
                pass  # another process was first; what follows compares with what it loaded
        return await _load_changes(engine, documents, validate, public_reason)


async def _load_first(
    engine: AsyncEngine, documents: Sequence[Document], validate: Validate, public_reason: str
) -> CatalogueReport:
    seen: set[str] = set()
    changes: list[tuple[Document, Change]] = []
    for document in documents:
        record_id = str(document.get("id"))
        changes.append((document, "amend" if record_id in seen else "new"))
        seen.add(record_id)
    submission = NewSubmission(
        id=INITIAL_SUBMISSION,
        principal=CATALOGUE,
        public_reason=public_reason,
        records=tuple(_spell(changes, validate)),
        initial=True,
    )
    async with engine.begin() as connection:
        appended = await append(connection, submission)
    added = tuple(dict.fromkeys(entry.id for entry in appended.entries))
    return CatalogueReport(added=added, unchanged=(), amended=(), conflicts=(), position=appended.last)


async def _load_changes(
    engine: AsyncEngine, documents: Sequence[Document], validate: Validate, public_reason: str
) -> CatalogueReport:
    last = {document.get("id"): document for document in documents}
    plain = ({key: value for key, value in document.items() if key != KNOWN_FROM} for document in last.values())
    records = _spell(((document, "new") for document in plain), validate)
    found: dict[str, list[str]] = {"added": [], "unchanged": [], "amended": [], "conflicts": []}
    async with engine.begin() as connection:
        await lock_log(connection)
        current = await latest_versions(connection, [new.id for new in records])
        entering: list[NewRecord] = []
        for new in records:
            group = _compare(new, current.get(new.id))
            found[group].append(new.id)
            if group in {"added", "amended"}:
                entering.append(msgspec.structs.replace(new, change="new" if group == "added" else "amend"))
        position = await _append_catalogue(connection, entering, public_reason)
    return CatalogueReport(position=position, **{group: tuple(ids) for group, ids in found.items()})


async def _append_catalogue(connection: AsyncConnection, records: Sequence[NewRecord], public_reason: str) -> int:
    if not records:
        return (await head(connection)).position
    submission = NewSubmission(
        id=str(uuid4()), principal=CATALOGUE, public_reason=public_reason, records=tuple(records)
    )
    return (await append(connection, submission)).last


def _compare(new: NewRecord, current: RecordVersion | None) -> str:
    if current is None:
        return "added"
    if not current.retired and _is_same(new, current):
        return "unchanged"
    # A retired record is a decision of its own, even where the catalogue's own principal took it.
    return "amended" if current.principal == CATALOGUE and not current.retired else "conflicts"


def _is_same(new: NewRecord, current: RecordVersion) -> bool:
    return current.digest == new.digest or are_same(current.document, new.document)


def _spell(documents: Iterable[tuple[Document, Change]], validate: Validate) -> list[NewRecord]:
    records: list[NewRecord] = []
    faults: list[Fault] = []
    for document, change in documents:
        place = str(document.get("id", ""))
        found = [Fault(each.pointer, each.message, each.place or place) for each in validate(document)]
        if not found:
            try:
                records.append(NewRecord.of(document, change))
            except NotCanonical as fault:
                found = [Fault(fault.pointer, fault.reason, place)]
        faults.extend(found)
    if faults:
        raise Refusal("the records are not valid", tuple(faults))
    return records
