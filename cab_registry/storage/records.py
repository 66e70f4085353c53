"""Record versions: as they stand at the head, and as they were recorded at a moment.

Each is proved against its entry as it is read; whatever reads them raises RecordDamaged where that fails.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Row, and_, false, func, literal, or_
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.projection import LAW_TYPES
from cab_registry.storage.proving import refuse_damaged, with_proof
from cab_registry.storage.tables import record_version

STREAM_BATCH: Final = 1000

_SLICE: Final = 20
"""So many versions are read and proved before the event loop does something else."""

_COLUMNS: Final = (
    record_version.c.type,
    record_version.c.id,
    record_version.c.version,
    record_version.c.owner,
    record_version.c.principal,
    record_version.c.retired,
    record_version.c.body,
    record_version.c.from_position,
    record_version.c.until_position,
    func.lower(record_version.c.recorded, type_=TIMESTAMP(timezone=True)),
    func.upper(record_version.c.recorded, type_=TIMESTAMP(timezone=True)),
    record_version.c.digest,
    record_version.c.payload,
)
_SELECT: Final = with_proof(_COLUMNS).order_by(record_version.c.from_position)


class RecordVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a record and the period in which it was what the register said.

    `recorded_from` is included, none standing for "before everything"; `recorded_until` is not included, none standing
    for "still"; positions likewise. `body` is the body that it is about, its own id for a body. `digest` is the hash of
    the canonical bytes of `document`, which never holds `known_from`.
    """

    type: str
    id: str
    version: int
    owner: str
    principal: str
    retired: bool
    body: str | None
    from_position: int
    until_position: int | None
    recorded_from: datetime | None
    recorded_until: datetime | None
    digest: bytes
    document: dict[str, Any]


async def current_records(connection: AsyncConnection) -> AsyncIterator[RecordVersion]:
    """Stream the current version of every record that is not retired, in order of position."""
    statement = _SELECT.where(record_version.c.until_position.is_(None), record_version.c.retired.is_(False))
    async with connection.stream(statement, execution_options={"yield_per": STREAM_BATCH}) as rows:
        async for row in rows:
            yield _version_of(row)


async def stream_as_known(connection: AsyncConnection, position: int) -> AsyncIterator[RecordVersion]:
    """Stream every record as it stood at a position of the log, retired ones left out, in order of position."""
    statement = _SELECT.where(
        record_version.c.retired.is_(False),
        record_version.c.from_position <= position,
        or_(record_version.c.until_position.is_(None), record_version.c.until_position > position),
    )
    async with connection.stream(statement, execution_options={"yield_per": STREAM_BATCH}) as rows:
        async for row in rows:
            yield _version_of(row)


async def records_as_known(
    connection: AsyncConnection,
    moment: datetime | int,
    *,
    ids: Collection[str] = (),
    bodies: Collection[str] = (),
    law: bool = False,
) -> list[RecordVersion]:
    """Read record versions as they were recorded at a moment, retired ones left out, in order of position.

    Args:
        connection: where to read.
        moment: an instant, or a position. Only an instant tells apart what became known when before the initial load;
            a position within a submission shows a part of it, and position_at gives none such.
        ids: records by id.
        bodies: the records of and about these bodies, or about these authorities as issuers.
        law: also all economies, authorities, requirements, agreements, routes, positions and coverages.

    Raises:
        ValueError: the instant has no offset from UTC.
    """
    wanted: list[ColumnElement[bool]] = [false()]
    if ids:
        wanted.append(record_version.c.id == func.any(sorted(ids)))
    if bodies:
        wanted.append(record_version.c.body == func.any(sorted(bodies)))
    if law:
        wanted.append(record_version.c.type == func.any(sorted(LAW_TYPES)))
    found = await connection.execute(
        _SELECT.where(_recorded_at(moment), record_version.c.retired.is_(False), or_(*wanted))
    )
    versions: list[RecordVersion] = []
    for rows in found.partitions(_SLICE):
        versions.extend(map(_version_of, rows))
        await asyncio.sleep(0)
    return versions


async def versions_of(connection: AsyncConnection, record_id: str) -> list[RecordVersion]:
    """Read all versions of one record, retired ones included, the oldest first."""
    found = await connection.execute(_SELECT.where(record_version.c.id == record_id))
    return [_version_of(row) for row in found]


async def latest_versions(connection: AsyncConnection, ids: Collection[str]) -> dict[str, RecordVersion]:
    """Read the latest version of each given record that exists, retired ones included."""
    found = await connection.execute(
        _SELECT.where(record_version.c.until_position.is_(None), record_version.c.id == func.any(sorted(ids)))
    )
    return {version.id: version for version in map(_version_of, found)}


def _recorded_at(moment: datetime | int) -> ColumnElement[bool]:
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError("an instant needs an offset from UTC")
        return record_version.c.recorded.contains(literal(moment, TIMESTAMP(timezone=True)))
    until = record_version.c.until_position
    return and_(record_version.c.from_position <= moment, or_(until.is_(None), until > moment))


def _version_of(row: Row[Any]) -> RecordVersion:
    width = len(_COLUMNS)
    version = RecordVersion(**dict(zip(RecordVersion.__struct_fields__, row[:width], strict=True)))
    refuse_damaged(version.id, version.version, version.digest, version.document, row[width:])
    return version
