"""Records proved as they are read: whatever an answer rests on must be what the log holds, byte for byte."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Select, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.canonical import sha256
from cab_registry.storage.entries import KNOWN_FROM, Entry, entry_hash
from cab_registry.storage.errors import RecordDamaged
from cab_registry.storage.tables import entry, record_version

_FIELDS: Final = Entry.__struct_fields__
_NEXT: Final = entry.alias("following")
_COLUMNS: Final = (*(entry.c[name] for name in _FIELDS), _NEXT.c.previous_hash.label("follows"))

# All versions, past ones too: the same rows, closed where the next one begins, with the payloads of their entries.
_PROJECTION: Final = text(
    "SELECT coalesce(said.position, made.from_position), coalesce(said.id, made.id)"
    " FROM entry AS said FULL JOIN record_version AS made ON made.from_position = said.position"
    " LEFT JOIN entry AS later ON later.id = said.id AND later.version = said.version + 1"
    " LEFT JOIN record_version AS closing ON closing.from_position = later.position"
    " LEFT JOIN LATERAL (SELECT convert_from(said.payload, 'UTF8')::jsonb AS doc OFFSET 0) AS parsed ON true"
    " WHERE (CASE WHEN said.position IS NULL OR made.id IS NULL THEN false"
    " WHEN (made.id, made.version, made.type, made.owner, made.principal, made.retired, made.until_position)"
    " IS DISTINCT FROM (said.id, said.version, said.type, said.owner, said.principal, said.change = 'retire',"
    " later.position) THEN false"
    " WHEN upper(made.recorded) IS DISTINCT FROM lower(closing.recorded) THEN false"
    " WHEN lower(made.recorded) IS DISTINCT FROM CASE WHEN said.submission = 'initial'"
    " THEN (doc ->> 'known_from')::timestamp AT TIME ZONE 'UTC' ELSE said.recorded - coalesce((SELECT ahead_by FROM"
    " clock_correction WHERE said.position BETWEEN first_position AND last_position), 0) * interval '1 microsecond' END"
    " THEN false"
    " WHEN made.body IS DISTINCT FROM CASE WHEN said.type = 'body' THEN said.id"
    " ELSE coalesce(doc ->> 'body', doc -> 'about' ->> 'body') END THEN false"
    " WHEN sha256(said.payload) <> said.payload_hash THEN false"
    " ELSE made.payload = doc - 'known_from' END) IS NOT TRUE"
    " ORDER BY 1 LIMIT 1"
)
_DATA_EXCEPTION: Final = "22"


def with_proof(columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
    """Select record versions together with their entries and what the next entry says of them."""
    joined = record_version.outerjoin(entry, entry.c.position == record_version.c.from_position).outerjoin(
        _NEXT, _NEXT.c.position == record_version.c.from_position + 1
    )
    return select(*columns, *_COLUMNS).select_from(joined)


def refuse_damaged(record_id: str, version: int, digest: bytes, document: Any, proof: Sequence[Any]) -> None:
    """Hold that a record version is the one that its entry holds, and that the chain vouches for the entry.

    Args:
        record_id: of the version as stored.
        version: likewise.
        digest: likewise.
        document: likewise, decoded.
        proof: what with_proof adds to a row.

    Raises:
        RecordDamaged: it is not so.
    """
    *values, follows = proof
    found = Entry(**dict(zip(_FIELDS, values, strict=True)))
    if found.position is None:
        raise RecordDamaged(record_id, None, "no entry of the log yields it")
    if (found.id, found.version) != (record_id, version):
        raise RecordDamaged(record_id, found.position, "its entry is another record's")
    if entry_hash(found) != found.entry_hash or follows not in {None, found.entry_hash}:
        raise RecordDamaged(record_id, found.position, "its entry is not the one that was chained")
    if sha256(found.payload) != found.payload_hash:
        raise RecordDamaged(record_id, found.position, "its entry holds another text than was chained")
    stated = msgspec.json.decode(found.payload, type=dict[str, Any])
    # Where it became known by a day that the load states, the digest leaves that day out, and the text is compared.
    dated = stated.pop(KNOWN_FROM, None) is not None
    if stated != document or not (dated or digest == found.payload_hash):
        raise RecordDamaged(record_id, found.position, "what is derived of it is not what its entry holds")


def refuse_broken(found: Entry, previous: bytes | None) -> None:
    """Hold that an entry is as it was chained.

    Args:
        found: as stored.
        previous: the hash of the entry before it; none where that was not read.

    Raises:
        RecordDamaged: it is not.
    """
    whole = sha256(found.payload) == found.payload_hash and entry_hash(found) == found.entry_hash
    if not whole or previous not in {None, found.previous_hash}:
        raise RecordDamaged(found.id, found.position, "its entry is not the one that was chained")


async def prove_projection(connection: AsyncConnection) -> None:
    """Hold that every record version, past ones included, is what the log yields; by the database alone.

    Raises:
        RecordDamaged: one is not, is missing, or was slipped in; the first of them is named.
    """
    try:
        row = (await connection.execute(_PROJECTION)).one_or_none()
    except DBAPIError as fault:
        if not str(getattr(fault.orig, "sqlstate", "")).startswith(_DATA_EXCEPTION):
            raise
        raise RecordDamaged("(unknown)", None, "a payload of the log cannot be read") from fault
    if row is not None:
        raise RecordDamaged(row[1], row[0], "what is derived of it is not what its entry holds")
