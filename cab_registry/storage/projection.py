"""Record versions with their recorded periods: what the log says, turned into rows that can be asked."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from asyncpg import Range
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.canonical import Document, canonical_bytes, sha256
from cab_registry.storage.corrections import Corrections
from cab_registry.storage.entries import KNOWN_FROM, Entry, known_from, start_of
from cab_registry.storage.errors import LogDamaged

# What the rules of the field are made of, as against what is said of single bodies.
LAW_TYPES: Final = frozenset({"economy", "authority", "requirement", "agreement", "route", "position", "coverage"})

_COLUMNS: Final = (
    "id",
    "version",
    "retired",
    "type",
    "owner",
    "principal",
    "body",
    "from_position",
    "until_position",
    "recorded",
    "digest",
    "payload",
)


NONE: Final = Corrections()


class VersionRow(msgspec.Struct, kw_only=True):
    """A row of record_version.

    The recorded period runs from `lower` (none: before everything) to `upper`, not included (none: open).
    """

    id: str
    version: int
    retired: bool
    type: str
    owner: str
    principal: str
    body: str | None
    from_position: int
    until_position: int | None
    lower: datetime | None
    upper: datetime | None
    digest: bytes
    payload: bytes


def version_of(entry: Entry, corrections: Corrections = NONE) -> VersionRow:
    """Derive the row of an entry, still open, with the instant at which it was recorded as corrected.

    Raises:
        msgspec.DecodeError, NotCanonical: the payload is no canonical document; only in a damaged log.
    """
    document = msgspec.json.decode(entry.payload, type=dict[str, Any])
    day = known_from(document)
    payload = entry.payload if day is None else canonical_bytes({k: v for k, v in document.items() if k != KNOWN_FROM})
    lower: datetime | None = corrections.instant(entry.position, entry.recorded)
    if entry.initial:
        lower = None if day is None else start_of(day)
    return VersionRow(
        id=entry.id,
        version=entry.version,
        retired=entry.change == "retire",
        type=entry.type,
        owner=entry.owner,
        principal=entry.principal,
        body=body_of(entry.type, document),
        from_position=entry.position,
        until_position=None,
        lower=lower,
        upper=None,
        digest=sha256(payload),
        payload=payload,
    )


def body_of(record_type: str, document: Document) -> str | None:
    """Name the body that a record is about: itself for a body, else its `body` or `about.body`, else none."""
    if record_type == "body":
        return str(document["id"])
    about = document.get("about")
    stated = document.get("body", about.get("body") if isinstance(about, Mapping) else None)
    return stated if isinstance(stated, str) else None


def close_in_order(rows: Iterable[VersionRow]) -> tuple[list[VersionRow], dict[str, VersionRow]]:
    """Close, among rows in order of position, each that a later one follows.

    Returns:
        The rows, and by record id the first of those rows that follows a version which is not among them.
    """
    done: list[VersionRow] = []
    latest: dict[str, VersionRow] = {}
    following: dict[str, VersionRow] = {}
    for row in rows:
        before = latest.get(row.id)
        if before is not None:
            before.until_position, before.upper = row.from_position, row.lower
        elif row.version > 1:
            following[row.id] = row
        latest[row.id] = row
        done.append(row)
    return done, following


async def project(
    connection: AsyncConnection, entries: Sequence[Entry], corrections: Corrections = NONE
) -> Collection[VersionRow]:
    """Write the record versions of entries that follow, in order, on those projected before.

    Raises:
        LogDamaged: a version that an entry follows is not there, or closed already.
    """
    rows, following = close_in_order(version_of(entry, corrections) for entry in entries)
    if following:
        await _close(connection, following)
    await copy_rows(connection, "record_version", _COLUMNS, (_record(row) for row in rows))
    return rows


async def copy_rows(
    connection: AsyncConnection, table: str, columns: Sequence[str], records: Iterable[tuple[Any, ...]]
) -> None:
    """Write rows with COPY, within the connection's transaction, which must have begun."""
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    await driver.copy_records_to_table(table, records=records, columns=columns)


async def _close(connection: AsyncConnection, following: Mapping[str, VersionRow]) -> None:
    closed = await connection.execute(
        text(
            "UPDATE record_version AS version"
            " SET recorded = tstzrange(lower(version.recorded), closing.instant), until_position = closing.position"
            " FROM unnest(CAST(:ids AS text[]), CAST(:positions AS bigint[]), CAST(:instants AS timestamptz[]))"
            " AS closing (id, position, instant)"
            " WHERE version.id = closing.id AND version.until_position IS NULL"
        ),
        {
            "ids": list(following),
            "positions": [row.from_position for row in following.values()],
            "instants": [row.lower for row in following.values()],
        },
    )
    if closed.rowcount != len(following):
        raise LogDamaged("record versions do not follow from the log; run `cab db verify`, then `cab db rebuild`")


def _record(row: VersionRow) -> tuple[Any, ...]:
    return (
        row.id,
        row.version,
        row.retired,
        row.type,
        row.owner,
        row.principal,
        row.body,
        row.from_position,
        row.until_position,
        Range(row.lower, row.upper),
        row.digest,
        row.payload.decode(),
    )
