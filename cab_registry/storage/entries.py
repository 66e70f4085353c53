"""Values of the log: an entry, how it is hashed, and what is handed in to be appended."""

import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final, Literal, Self

import msgspec

from cab_registry.storage.acts.act import NewAct
from cab_registry.storage.canonical import (
    Document,
    NotCanonical,
    canonical_bytes,
    canonical_hash,
    sha256,
    spell_instant,
)

FORMAT: Final = 2
"""Of entries that are made now. Those of format 1 are from before there were acts, and name none."""
FORMATS: Final = (1, 2)
SALT_LENGTH: Final = 32
# The reserved id of the submission that counts as recorded before everything. It stands in every entry's hashed header,
# so that which entries are of the initial load is itself part of what the chain protects.
INITIAL_SUBMISSION: Final = "initial"
KNOWN_FROM: Final = "known_from"

Change = Literal["new", "amend", "correction", "retire"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One record version as the log holds it, and the hash of the act that entered it.

    `recorded` is an instant in UTC with microseconds; hashes are 32 bytes; `payload` is canonical bytes.
    """

    format: int
    position: int
    recorded: datetime
    submission: str
    type: str
    id: str
    version: int
    owner: str
    principal: str
    change: Change
    public_reason: str
    payload: bytes
    payload_hash: bytes
    private_hash: bytes | None
    previous_hash: bytes
    entry_hash: bytes
    act_hash: bytes | None

    @property
    def initial(self) -> bool:
        """Whether the entry belongs to the initial load."""
        return self.submission == INITIAL_SUBMISSION

    def document(self) -> dict[str, Any]:
        """Decode the payload, without the day on which it became known.

        Raises:
            msgspec.DecodeError: the payload is no JSON object; verification says so of a damaged log.
        """
        document = msgspec.json.decode(self.payload, type=dict[str, Any])
        document.pop(KNOWN_FROM, None)
        return document


class Private(msgspec.Struct, frozen=True):
    """What stands apart from the public bytes: the internal reason and evidence that names people."""

    reason: str | None = None
    evidence: tuple[Any, ...] = ()

    def content(self) -> bytes:
        """Spell it canonically.

        Raises:
            NotCanonical: as canonical_bytes.
        """
        return canonical_bytes({"evidence": self.evidence, "reason": self.reason})


class NewRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record version that is to be appended, already spelled, so that no lock is held while spelling."""

    type: str
    id: str
    owner: str
    change: Change
    document: Document
    payload: bytes
    known_from: date | None
    private: Private | None

    @property
    def digest(self) -> bytes:
        """What tells whether the record differs from another version: the hash of the document, known_from apart."""
        return sha256(self.payload) if self.known_from is None else canonical_hash(self.document)

    @classmethod
    def of(cls, document: Document, change: Change, private: Private | None = None) -> Self:
        """Spell a document.

        Raises:
            NotCanonical: the document has no canonical form, lacks `type`, `id` or `owner`, or its `known_from` is no
                day.
        """
        payload = canonical_bytes(document)
        public = {key: value for key, value in document.items() if key != KNOWN_FROM}
        return cls(
            type=_required(document, "type"),
            id=_required(document, "id"),
            owner=_required(document, "owner"),
            change=change,
            document=public,
            payload=payload,
            known_from=known_from(document),
            private=private,
        )


class NewSubmission(msgspec.Struct, frozen=True, kw_only=True):
    """Record versions that enter together or not at all.

    Attributes:
        id: the submission's id; `initial` is reserved for the initial load.
        principal: opaque id of who submits.
        public_reason: stands in each entry; may be empty only where every record is new.
        records: in the order in which they get positions; one record more than once only in the initial load.
        expected: by record id the version that the checks of this submission read, zero for "there was none". May
            name records that the submission does not change.
        initial: the first load of an empty log, which counts as recorded before everything.
        idempotency_key: what the principal calls this request; a second one with the same key is refused.
        request_hash: the hash of what was asked, to tell a repetition from another request with the same key.
        stored: its row is kept already, in the state `submitted`, and the append makes it `approved`.
        decided_by: opaque id of who approves it, where it was stored and another's approval was needed.
        act: what somebody does by it; none for what is loaded without a token, the catalogue.
    """

    id: str
    principal: str
    public_reason: str
    records: tuple[NewRecord, ...]
    expected: Mapping[str, int] = {}
    initial: bool = False
    idempotency_key: str | None = None
    request_hash: bytes | None = None
    stored: bool = False
    decided_by: str | None = None
    act: NewAct | None = None


class Appended(msgspec.Struct, frozen=True):
    """What an append wrote: `first` and `last` position, both inclusive, and their one recorded instant."""

    submission: str
    recorded: datetime
    first: int
    last: int
    entries: tuple[Entry, ...]


class Head(msgspec.Struct, frozen=True):
    """The end of the log.

    Position zero, no recorded instant and the hash of the log's id stand for an empty log.
    """

    position: int
    recorded: datetime | None
    entry_hash: bytes
    log_id: str


def known_from(document: Document) -> date | None:
    """Read the day on which an initial record became known.

    Raises:
        NotCanonical: the value is no day.
    """
    stated = document.get(KNOWN_FROM)
    if stated is None:
        return None
    if isinstance(stated, date) and not isinstance(stated, datetime):
        return stated
    try:
        return date.fromisoformat(stated)
    except (TypeError, ValueError):
        raise NotCanonical(f"/{KNOWN_FROM}", "no day (YYYY-MM-DD)") from None


def start_of(day: date) -> datetime:
    """Give the first instant of a day in UTC."""
    return datetime.combine(day, time(), tzinfo=UTC)


def genesis_hash(log_id: str) -> bytes:
    """Give the hash that stands before the first entry of a log."""
    return sha256(canonical_bytes({"format": 1, "log": log_id}))


def make_salt() -> bytes:
    """Make a salt that nobody can guess, so that a short private reason cannot be found by trying."""
    return secrets.token_bytes(SALT_LENGTH)


def private_hash(salt: bytes, content: bytes) -> bytes:
    """Hash a private part so that the chain can vouch for it without showing it."""
    return sha256(salt + content)


def entry_hash(entry: Entry) -> bytes:
    """Hash an entry's header, and through the hashes in it its payload, its private part and all entries before.

    The stored `entry_hash` itself is not read.
    """
    header: dict[str, Any] = {
        "format": entry.format,
        "position": entry.position,
        "recorded": spell_instant(entry.recorded),
        "submission": entry.submission,
        "type": entry.type,
        "id": entry.id,
        "version": entry.version,
        "owner": entry.owner,
        "principal": entry.principal,
        "change": entry.change,
        "public_reason": entry.public_reason,
        "payload_hash": entry.payload_hash.hex(),
        "private_hash": None if entry.private_hash is None else entry.private_hash.hex(),
        "previous_hash": entry.previous_hash.hex(),
    }
    if entry.format > 1:
        header["act_hash"] = None if entry.act_hash is None else entry.act_hash.hex()
    return sha256(canonical_bytes(header))


def _required(document: Document, key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value:
        raise NotCanonical(f"/{key}", "every record states it, as a string that is not empty")
    return value
