"""The one way in: record documents become a submission, and a submission becomes entries of the log."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.services.sameness import are_same
from cab_registry.storage.canonical import Document, NotCanonical, canonical_hash
from cab_registry.storage.entries import (
    INITIAL_SUBMISSION,
    KNOWN_FROM,
    Appended,
    Change,
    NewRecord,
    NewSubmission,
    Private,
)
from cab_registry.storage.errors import NotInitial, operational_faults
from cab_registry.storage.log import append, head, lock_log
from cab_registry.storage.records import RecordVersion, latest_versions
from cab_registry.storage.submissions import find_repeated, keep_receipt, keep_unchanging

CATALOGUE: Final = "catalogue"

# Gives everything that is wrong with one document, with JSON Pointers into it; nothing where it is valid.
Validate = Callable[[Document], Sequence[Fault]]


class KeyReused(Refusal):
    """An idempotency key came again with another request."""


class RecordChange(msgspec.Struct, frozen=True, kw_only=True):
    """A record document that is to become the record's next version.

    Attributes:
        document: the whole record.
        change: none for "new where there is none, else amend".
        expected_version: the version that the submitter saw, zero for none; none to go by what is there now.
        private_reason: an internal reason, instead of the submission's.
        evidence: what names people or must stay internal; JSON values.
    """

    document: Document
    change: Change | None = None
    expected_version: int | None = None
    private_reason: str | None = None
    evidence: tuple[Any, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """A record version that was appended, and where."""

    type: str
    id: str
    version: int
    change: Change
    position: int


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a submission did.

    Attributes:
        submission: its id.
        recorded: the one instant of its entries; none if nothing changed.
        position: the log's position that shows it: its last entry, or the head it was compared with.
        entry_hash: hexadecimal hash of that entry; noted elsewhere, it proves later that the log was not cut.
        appended: in order of position.
        unchanged: ids of records that were the same already, in the order given.
        repeated: whether this is the receipt of an earlier request with the same idempotency key.
    """

    submission: str
    recorded: datetime | None
    position: int
    entry_hash: str
    appended: tuple[Outcome, ...]
    unchanged: tuple[str, ...]
    repeated: bool = False


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


async def submit_records(  # noqa: PLR0913 - a submission has that many parts, all but two by name
    engine: AsyncEngine,
    documents: Sequence[RecordChange],
    *,
    principal: str,
    public_reason: str,
    validate: Validate,
    private_reason: str | None = None,
    idempotency_key: str | None = None,
    versions_read: Mapping[str, int] | None = None,
    initial: bool = False,
) -> Receipt:
    """Check, append and commit records together; when this returns, they are in the log.

    A record that is the same as its current version gets no new one.

    Args:
        engine: the database.
        documents: the records, in the order in which they get positions.
        principal: opaque id of who submits.
        public_reason: stands in each entry; may be empty only where every record is new.
        validate: gives the faults of one document.
        private_reason: kept apart from the public log; only a salted hash of it is chained.
        idempotency_key: with it, a repetition of the same request gets the receipt of the first.
        versions_read: by id the versions of other records that the caller's checks rested on, zero for "none there".
        initial: the first load of an empty log, which counts as recorded before everything.

    Raises:
        Refusal: documents are not valid (all faults are listed), or no document was given.
        StaleVersion: a record is not at the version that was expected or read.
        UnfitChange, NotInitial: as log.append.
        KeyReused: the principal used the idempotency key for another request.
        StorageBusy: the database cannot serve now. Where the connection was lost during commit, the submission is
            whole or absent; send it again with its idempotency key to learn which.
    """
    records = _spell(documents, validate, private_reason)
    request_hash = _hash_request(documents, public_reason, private_reason)
    submission = NewSubmission(
        id=INITIAL_SUBMISSION if initial else str(uuid4()),
        principal=principal,
        public_reason=public_reason,
        records=tuple(records),
        expected={
            **(versions_read or {}),
            **{
                new.id: given.expected_version
                for new, given in zip(records, documents, strict=True)
                if given.expected_version is not None
            },
        },
        initial=initial,
        idempotency_key=idempotency_key,
        request_hash=request_hash,
    )
    chosen = {new.id for new, given in zip(records, documents, strict=True) if given.change is not None}
    with operational_faults():
        async with engine.begin() as connection:
            # Compared under the lock: what is current stays so, and an idempotency key that is free stays free.
            await lock_log(connection)
            repeated = await _repeated_receipt(connection, submission)
            return repeated or await _append_changed(connection, submission, chosen)


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
    changes: list[RecordChange] = []
    for document in documents:
        record_id = str(document.get("id"))
        changes.append(RecordChange(document=document, change="amend" if record_id in seen else "new"))
        seen.add(record_id)
    submission = NewSubmission(
        id=INITIAL_SUBMISSION,
        principal=CATALOGUE,
        public_reason=public_reason,
        records=tuple(_spell(changes, validate, None)),
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
    records = _spell([RecordChange(document=document) for document in plain], validate, None)
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


async def _append_changed(connection: AsyncConnection, submission: NewSubmission, chosen: set[str]) -> Receipt:
    if submission.initial:
        return await _append(connection, submission, ())
    current = await latest_versions(connection, [new.id for new in submission.records])
    entering: list[NewRecord] = []
    unchanged: list[str] = []
    for new in submission.records:
        before = current.get(new.id)
        if before is not None and before.retired == (new.change == "retire") and _is_same(new, before):
            unchanged.append(new.id)
        elif before is not None and new.id not in chosen:
            entering.append(msgspec.structs.replace(new, change="amend"))
        else:
            entering.append(new)
    changed = msgspec.structs.replace(submission, records=tuple(entering))
    if entering:
        return await _append(connection, changed, tuple(unchanged))
    return await _keep_unchanging(connection, changed, tuple(unchanged))


async def _append(connection: AsyncConnection, submission: NewSubmission, unchanged: tuple[str, ...]) -> Receipt:
    receipt = _receipt_of(await append(connection, submission), unchanged)
    await keep_receipt(connection, receipt.submission, msgspec.to_builtins(receipt))
    return receipt


async def _keep_unchanging(
    connection: AsyncConnection, submission: NewSubmission, unchanged: tuple[str, ...]
) -> Receipt:
    end = await head(connection)
    receipt = Receipt(
        submission=submission.id,
        recorded=None,
        position=end.position,
        entry_hash=end.entry_hash.hex(),
        appended=(),
        unchanged=unchanged,
    )
    if submission.idempotency_key is not None and submission.request_hash is not None:
        await keep_unchanging(
            connection,
            submission_id=submission.id,
            principal=submission.principal,
            public_reason=submission.public_reason,
            idempotency_key=submission.idempotency_key,
            request_hash=submission.request_hash,
            receipt=msgspec.to_builtins(receipt),
        )
    return receipt


async def _repeated_receipt(connection: AsyncConnection, submission: NewSubmission) -> Receipt | None:
    if submission.idempotency_key is None:
        return None
    stored = await find_repeated(connection, submission.principal, submission.idempotency_key)
    if stored is None:
        return None
    if stored.request_hash != submission.request_hash or stored.receipt is None:
        raise KeyReused(f"the idempotency key {submission.idempotency_key!r} belongs to another request")
    return msgspec.structs.replace(msgspec.convert(stored.receipt, Receipt), repeated=True)


def _receipt_of(appended: Appended, unchanged: tuple[str, ...]) -> Receipt:
    return Receipt(
        submission=appended.submission,
        recorded=appended.recorded,
        position=appended.last,
        entry_hash=appended.entries[-1].entry_hash.hex(),
        appended=tuple(
            Outcome(entry.type, entry.id, entry.version, entry.change, entry.position) for entry in appended.entries
        ),
        unchanged=unchanged,
    )


def _spell(documents: Sequence[RecordChange], validate: Validate, private_reason: str | None) -> list[NewRecord]:
    if not documents:
        raise Refusal("a submission needs at least one record")
    records: list[NewRecord] = []
    faults: list[Fault] = []
    for given in documents:
        place = str(given.document.get("id", ""))
        found = [Fault(each.pointer, each.message, each.place or place) for each in validate(given.document)]
        if not found:
            try:
                records.append(NewRecord.of(given.document, given.change or "new", _private(given, private_reason)))
            except NotCanonical as fault:
                found = [Fault(fault.pointer, fault.reason, place)]
        faults.extend(found)
    if faults:
        raise Refusal("the records are not valid", tuple(faults))
    return records


def _private(given: RecordChange, private_reason: str | None) -> Private | None:
    reason = given.private_reason if given.private_reason is not None else private_reason
    return Private(reason, given.evidence) if reason is not None or given.evidence else None


def _hash_request(documents: Sequence[RecordChange], public_reason: str, private_reason: str | None) -> bytes:
    asked: Mapping[str, Any] = {
        "documents": [msgspec.structs.asdict(given) for given in documents],
        "private_reason": private_reason,
        "public_reason": public_reason,
    }
    return canonical_hash(asked)
