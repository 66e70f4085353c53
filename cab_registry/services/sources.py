"""Records as they were recorded at a moment: one port, read from PostgreSQL or from memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

import msgspec
from sqlalchemy import CursorResult, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.errors import Defect
from cab_registry.domain.folding import fold
from cab_registry.domain.records import (
    Agreement,
    Authority,
    Coverage,
    Economy,
    Notice,
    Position,
    Requirement,
    Route,
    read_record,
)
from cab_registry.register.compiled import Register, Versioned, change_register, subject_of
from cab_registry.services.bearers import find_bearing, find_called, find_named_in_turns, find_numbered
from cab_registry.services.heads import Held
from cab_registry.services.runtime.work import READINGS_WAITING, WorkRoom
from cab_registry.storage.engine import read_latest, read_only
from cab_registry.storage.entries import Entry
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.log import head, is_past, position_at, recorded_at
from cab_registry.storage.projection import LAW_TYPES
from cab_registry.storage.records import RecordVersion, records_as_known

Moment = datetime | int
"""An instant, or a position of the log."""

_SLICE: Final = 200
"""So many rows are read before the event loop does something else."""

_LAW: Final = (Economy, Authority, Requirement, Agreement, Route, Position, Coverage)


_TURNED_INSTANT: Final = text(
    "SELECT max(turned) FROM record_version, unnest(ARRAY[lower(recorded), upper(recorded)]) AS turned"
    " WHERE type = ANY(:law) AND turned <= CAST(:moment AS timestamptz)"
)
_TURNED_POSITION: Final = text(
    "SELECT max(turned) FROM record_version, unnest(ARRAY[from_position, until_position]) AS turned"
    " WHERE type = ANY(:law) AND turned <= :moment"
)


@dataclass(frozen=True, slots=True)
class KnownState:
    """What a moment of knowledge resolves to; `beyond`: it is not past yet, so that it means the head for now."""

    moment: Moment
    position: int
    recorded: datetime | None
    log_id: str | None
    beyond: bool


@dataclass(frozen=True, slots=True)
class Sought:
    """What a question can reach beside the law: issuers by id, by identifier or by name, and notices by number.

    `identifiers` are pairs of scheme and value in its canonical form.
    """

    ids: tuple[str, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()
    number: str | None = None


class RecordSource(Protocol):
    """Gives records as they were recorded at a moment, retired ones left out."""

    async def resolve(self, instant: datetime) -> KnownState:
        """Find the position that an instant means."""

    async def describe(self, position: int) -> KnownState:
        """Describe a position of the log."""

    async def mark_law(self, moment: Moment) -> Hashable:
        """Return what is the same for two moments between which the law did not change."""

    async def read_law(self, moment: Moment) -> list[Versioned]:
        """Read economies, authorities, requirements, agreements, routes, positions and coverages."""

    async def read_reachable(self, moment: Moment, sought: Sought) -> list[Versioned]:
        """Read the issuers sought, everything that is recorded about them, and the notices that can touch a result."""

    async def read_bodies(self, moment: Moment) -> list[Versioned]:
        """Read everything that is not law."""


class DatabaseRecords:
    """Reads from the log's record versions."""

    def __init__(self, engine: AsyncEngine, readings: WorkRoom | None = None) -> None:
        """Read from a database.

        Args:
            engine: of the database.
            readings: where names are compared and documents are read.
        """
        self._readings = readings or WorkRoom("records", waiting=READINGS_WAITING)
        self._engine = read_only(engine)
        self._latest = read_latest(engine)

    async def resolve(self, instant: datetime) -> KnownState:
        """Find the position that an instant means: for good where it is past."""
        with operational_faults():
            async with self._latest.connect() as connection:
                end = await head(connection)
                if end.recorded is None or instant > end.recorded:
                    past = await is_past(connection, instant)
                    end = await head(connection)
                    if not past:
                        return KnownState(end.position, end.position, end.recorded, end.log_id, beyond=True)
                position = await position_at(connection, instant)
                recorded = await recorded_at(connection, position)
                return KnownState(instant, position, recorded, end.log_id, beyond=False)

    async def describe(self, position: int) -> KnownState:
        """Describe a position of the log."""
        with operational_faults():
            async with self._engine.connect() as connection:
                end = await head(connection)
                return KnownState(position, position, await recorded_at(connection, position), end.log_id, beyond=False)

    async def mark_law(self, moment: Moment) -> Hashable:
        """Return what is the same for two moments between which the law did not change."""
        with operational_faults():
            async with self._engine.connect() as connection:
                turned = _TURNED_INSTANT if isinstance(moment, datetime) else _TURNED_POSITION
                values = {"moment": moment, "law": sorted(LAW_TYPES)}
                log_id = (await head(connection)).log_id
                return log_id, type(moment).__name__, await connection.scalar(turned, values)

    async def read_law(self, moment: Moment) -> list[Versioned]:
        """Read economies, authorities, requirements, agreements, routes, positions and coverages."""
        with operational_faults():
            async with self._engine.connect() as connection:
                versions = await records_as_known(connection, moment, law=True)
        return await self._readings.run(lambda: read_versions(versions))

    async def read_reachable(self, moment: Moment, sought: Sought) -> list[Versioned]:
        """Read the issuers sought, everything that is recorded about them, and the notices that can touch a result."""
        with operational_faults():
            async with self._engine.connect() as connection:
                ids = set(sought.ids)
                if sought.identifiers:
                    numbered = await _read_bearers(connection, moment, sought.identifiers)
                    ids.update(await self._readings.run(lambda: find_bearing(sought.identifiers, numbered)))
                if sought.names:
                    borne = await _read_names(connection, moment)
                    ids.update(await self._readings.run_in_turns(find_named_in_turns(sought.names, borne)))
                notices = await _find_notices(connection, moment, ids, sought.number)
                versions = await records_as_known(connection, moment, ids=notices, bodies=ids)
        return await self._readings.run(lambda: read_versions(versions))

    async def read_bodies(self, moment: Moment) -> list[Versioned]:
        """Read everything that is not law."""
        with operational_faults():
            async with self._engine.connect() as connection:
                ids = await _ids(connection, moment, "type <> ALL(:law)", {"law": sorted(LAW_TYPES)})
                versions = await records_as_known(connection, moment, ids=ids)
        return await self._readings.run(lambda: read_versions(versions))


class MemoryRecords:
    """Reads from a register in memory, which knows one state only: every moment gives it, none after it for good."""

    def __init__(self, held: Held) -> None:
        self._held = held

    async def resolve(self, instant: datetime) -> KnownState:
        """Find the register's own position, whatever the instant."""
        held = self._held
        beyond = held.recorded is not None and instant > held.recorded
        return KnownState(held.position, held.position, held.recorded, held.log_id, beyond=beyond)

    async def describe(self, position: int) -> KnownState:
        """Describe the register's own position, the only one that it knows."""
        del position
        return KnownState(
            self._held.position, self._held.position, self._held.recorded, self._held.log_id, beyond=False
        )

    async def mark_law(self, moment: Moment) -> Hashable:
        """Return what is the same for every moment: the law is the register's own."""
        del moment
        return self._held.log_id

    async def read_law(self, moment: Moment) -> list[Versioned]:
        """Read economies, authorities, requirements, agreements, routes, positions and coverages."""
        del moment
        return [each for each in self._held.register.records.values() if _is_law(each)]

    async def read_reachable(self, moment: Moment, sought: Sought) -> list[Versioned]:
        """Read the issuers sought, everything that is recorded about them, and the notices that can touch a result."""
        del moment
        facts = self._held.register.facts
        ids = set(sought.ids)
        for identifier in sought.identifiers:
            ids.update(body for body, _, _ in facts.identifiers.get(identifier, ()))
        ids.update(find_called(sought.names, facts))
        return [
            each
            for each in self._held.register.records.values()
            if not _is_law(each) and (subject_of(each.record) in ids or _touches(each, ids, sought.number))
        ]

    async def read_bodies(self, moment: Moment) -> list[Versioned]:
        """Read everything that is not law."""
        del moment
        return [each for each in self._held.register.records.values() if not _is_law(each)]


class Changes:
    """What entries of the log change, taken in their order; of each record the last word counts."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._changed: dict[str, Versioned] = {}
        self._removed: dict[str, None] = {}
        for entry in entries:
            self.take(entry)

    def take(self, entry: Entry) -> None:
        """Take one entry, later than those before.

        Raises:
            Defect: the log holds a document that this program cannot read; a newer program wrote it.
        """
        if entry.change == "retire":
            self._changed.pop(entry.id, None)
            self._removed[entry.id] = None
        else:
            self._changed[entry.id] = read_version(entry.id, entry.document(), entry.version)

    def apply(self, register: Register, position: int) -> Register:
        """Return a register with them, at the position of the last of them."""
        return change_register(register, self._changed.values(), removed=self._removed, position=position)


def read_versions(versions: Iterable[RecordVersion]) -> list[Versioned]:
    """Read record documents of the log.

    Raises:
        Defect: the log holds a document that this program cannot read; a newer program wrote it.
    """
    return [read_version(each.id, each.document, each.version) for each in versions]


def read_version(record_id: str, document: dict[str, Any], version: int) -> Versioned:
    """Read one record document of the log.

    Raises:
        Defect: this program cannot read it; a newer program wrote it.
    """
    try:
        return Versioned(read_record(document), version)
    except msgspec.ValidationError as error:
        raise Defect(f"the log holds {record_id}, version {version}, which this program cannot read: {error}") from None


def _is_law(versioned: Versioned) -> bool:
    return isinstance(versioned.record, _LAW)


def _touches(versioned: Versioned, ids: Collection[str], number: str | None) -> bool:
    record = versioned.record
    if not isinstance(record, Notice):
        return False
    if record.about.site is not None or (record.about.body is None and record.by in ids):
        return True
    return number is not None and record.about.number is not None and fold(record.about.number) == fold(number)


async def _ids(connection: AsyncConnection, moment: Moment, where: str, values: dict[str, Any]) -> list[str]:
    statement = text(f"SELECT id FROM record_version WHERE NOT retired AND {_known(moment)} AND {where}")  # noqa: S608 - fixed texts only
    return list((await connection.scalars(statement, {"moment": moment, **values})).all())


def _known(moment: Moment) -> str:
    if isinstance(moment, datetime):
        return "recorded @> CAST(:moment AS timestamptz)"
    return "from_position <= :moment AND (until_position IS NULL OR until_position > :moment)"


async def _read_bearers(
    connection: AsyncConnection, moment: Moment, wanted: Collection[tuple[str, str]]
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Numbers are compared in the form of their scheme, which SQL cannot give them."""
    statement = text(
        "SELECT id, payload -> 'identifiers' FROM record_version"  # noqa: S608 - fixed texts only
        f" WHERE type = 'body' AND NOT retired AND {_known(moment)}"
        " AND jsonb_path_query_array(payload, '$.identifiers[*].scheme') ?| CAST(:schemes AS text[])"
    )
    schemes = sorted({scheme for scheme, _ in wanted})
    found = await connection.execute(statement, {"moment": moment, "schemes": schemes})
    return [(body, borne or []) async for body, borne in _in_slices(found)]


async def _read_names(connection: AsyncConnection, moment: Moment) -> list[tuple[str, str]]:
    """Read who bears which names, which are compared folded, and by likeness, as SQL cannot do; bodies then are few."""
    statement = text(
        "SELECT id, jsonb_path_query_array(payload, '$.names[*].name') FROM record_version"  # noqa: S608 - fixed texts only
        f" WHERE type = 'body' AND NOT retired AND {_known(moment)}"
    )
    found = await connection.execute(statement, {"moment": moment})
    return [(body, name) async for body, borne in _in_slices(found) for name in borne]


async def _in_slices(found: CursorResult[Any]) -> AsyncIterator[tuple[Any, ...]]:
    """Yield rows; the event loop does something else now and then."""
    for rows in found.partitions(_SLICE):
        for row in rows:
            yield tuple(row)
        await asyncio.sleep(0)


async def _find_notices(
    connection: AsyncConnection, moment: Moment, ids: Collection[str], number: str | None
) -> Sequence[str]:
    """Find the notices on a site, on the document of this number, and those of the issuer on its own documents."""
    numbers: list[str] = []
    if number is not None:
        statement = text(
            "SELECT DISTINCT payload -> 'about' ->> 'number' FROM record_version WHERE NOT retired"  # noqa: S608 - fixed texts only
            f" AND type = 'notice' AND payload -> 'about' ? 'number' AND {_known(moment)}"
        )
        numbers = find_numbered(number, (await connection.scalars(statement, {"moment": moment})).all())
    where = "type = 'notice' AND (payload -> 'about' ? 'site' OR payload -> 'about' ->> 'number' = ANY(:numbers)"
    where += " OR (NOT payload -> 'about' ? 'body' AND payload ->> 'by' = ANY(:ids)))"
    return await _ids(connection, moment, where, {"numbers": numbers, "ids": sorted(ids)})
