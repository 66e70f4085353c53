"""The log: the one way in, and the ways to read it."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from cab_registry.storage.acts.act import NewAct
from cab_registry.storage.acts.append import append_act
from cab_registry.storage.acts.images import COMMITTED, RowImage, image_of
from cab_registry.storage.canonical import sha256
from cab_registry.storage.clocks import Wall, find_clock_faults, refuse_wrong_clock, tell_wall
from cab_registry.storage.corrections import read_corrections
from cab_registry.storage.entries import (
    FORMAT,
    INITIAL_SUBMISSION,
    Appended,
    Entry,
    Head,
    NewRecord,
    NewSubmission,
    entry_hash,
    genesis_hash,
    make_salt,
    private_hash,
    start_of,
)
from cab_registry.storage.errors import Moved, NotInitial, RepeatedSubmission, StaleVersion, UnfitChange
from cab_registry.storage.projection import copy_rows, project
from cab_registry.storage.search import refresh_after
from cab_registry.storage.tables import entry as entry_table
from cab_registry.storage.tables import record_version
from cab_registry.storage.tables import submission as submission_table

LOG_LOCK: Final = 0x4341_424C_4F47
CHANNEL: Final = "registry"
STREAM_BATCH: Final = 1000
LARGEST_PAGE: Final = 10_000

COLUMNS: Final = Entry.__struct_fields__
_COMMITTED: Final = tuple(submission_table.c[name] for name in COMMITTED["submission"].read)
_ENTRY: Final = select(*(entry_table.c[name] for name in COLUMNS)).order_by(entry_table.c.position)
# One clock reading for the whole submission, and never one that a reader was told before.
_END: Final = text(
    "SELECT log_identity.log_id, coalesce(last.position, 0), last.recorded, last.entry_hash, clock_timestamp(),"
    " greatest(clock_timestamp(), last.recorded + interval '1 microsecond')"
    " FROM log_identity LEFT JOIN LATERAL"
    " (SELECT entry.position, entry.recorded - coalesce(ahead_by, 0) * interval '1 microsecond' AS recorded, entry_hash"
    " FROM entry LEFT JOIN clock_correction ON entry.position BETWEEN first_position AND last_position"
    " ORDER BY entry.position DESC LIMIT 1) AS last ON true"
)
# Entries that a wrong clock dated are found by their instants as corrected; all others by the index on them.
_POSITION_AT: Final = text(
    "SELECT max(position) FROM ((SELECT position FROM entry WHERE recorded <= :instant AND NOT EXISTS (SELECT"
    " FROM clock_correction WHERE entry.position BETWEEN first_position AND last_position)"
    " ORDER BY recorded DESC, position DESC LIMIT 1) UNION ALL SELECT (SELECT position FROM entry WHERE"
    " position BETWEEN first_position AND last_position AND recorded <= :instant + ahead_by * interval '1 microsecond'"
    " ORDER BY position DESC LIMIT 1) FROM clock_correction) AS found"
)


class _Span(msgspec.Struct, frozen=True):
    """Where the entries of a submission come to stand, both positions inclusive, and their one recorded instant."""

    first: int
    last: int
    recorded: datetime


class _Known(msgspec.Struct):
    """What is there of a record while a submission is appended."""

    type: str
    version: int
    retired: bool
    known_from: datetime | None = None


async def append(connection: AsyncConnection, submission: NewSubmission, wall: Wall = tell_wall) -> Appended:
    """Append a submission's records and its act, project them and wake the readers; all in the caller's transaction.

    Takes the locks of log and acts, held until the caller commits or rolls back: commit soon. The transaction must be
    READ COMMITTED, the default, so that what the last holder of the lock committed is seen.

    Raises:
        StaleVersion: a version that the submission's checks read is no longer the current one.
        UnfitChange: a change does not fit its record, or states `known_from` outside the initial load.
        NotInitial: an initial load, and the log is not empty.
        RepeatedSubmission: the principal used the idempotency key before.
        LogDamaged: the derived tables do not follow from the log.
        WrongClock: the clocks do not agree on what time it is.
    """
    if not submission.records:
        raise ValueError("a submission without a record has nothing to append")
    if submission.initial != (submission.id == INITIAL_SUBMISSION):
        raise ValueError(f"the id {INITIAL_SUBMISSION!r} is the initial load's, and its only one")
    await lock_log(connection)
    await _refuse_repetition(connection, submission)
    end, now, moment = await _read_end(connection)
    refuse_wrong_clock(now, wall(), end.recorded)
    if submission.initial and end.position:
        raise NotInitial(f"the log holds {end.position} entries: the initial load is over")
    known = await _read_known(connection, {*submission.expected, *(each.id for each in submission.records)})
    _refuse_stale(submission.expected, known)
    versions = list(_fit(submission, known, moment))
    salts = [None if each.private is None else make_salt() for each in submission.records]
    span = _Span(end.position + 1, end.position + len(versions), moment)
    image = await _keep_submission(connection, submission, span)
    act = await append_act(connection, _act_of(submission, image, span), wall)
    entries = tuple(_chain(submission, versions, salts, end, moment, act.act_hash))
    await copy_rows(connection, "entry", COLUMNS, (msgspec.structs.astuple(each) for each in entries))
    private = (
        (each.position, salt, new.private.content())
        for each, new, salt in zip(entries, submission.records, salts, strict=True)
        if new.private is not None
    )
    await copy_rows(connection, "entry_private", ("position", "salt", "content"), private)
    await refresh_after(connection, await project(connection, entries))
    await connection.execute(select(func.pg_notify(CHANNEL, str(entries[-1].position))))
    return Appended(submission.id, moment, entries[0].position, entries[-1].position, entries)


async def _keep_submission(connection: AsyncConnection, submission: NewSubmission, span: _Span) -> RowImage:
    entered = {
        "state": "approved",
        "recorded": span.recorded,
        "first_position": span.first,
        "last_position": span.last,
    }
    statement: ReturningInsert[Any] | ReturningUpdate[Any]
    if submission.stored:
        decided = None if submission.decided_by is None else span.recorded
        statement = (
            submission_table.update()
            .where(submission_table.c.id == submission.id, submission_table.c.state == "submitted")
            .values(decided_by=submission.decided_by, decided=decided, **entered)
            .returning(*_COMMITTED)
        )
    else:
        statement = (
            submission_table.insert()
            .values(
                id=submission.id,
                principal=submission.principal,
                public_reason=submission.public_reason,
                idempotency_key=submission.idempotency_key,
                request_hash=submission.request_hash,
                **entered,
            )
            .returning(*_COMMITTED)
        )
    row = (await connection.execute(statement)).mappings().one_or_none()
    if row is None:
        raise ValueError(f"the submission {submission.id} is not waiting")
    return image_of("submission", dict(row))


def _act_of(submission: NewSubmission, image: RowImage, span: _Span) -> NewAct:
    """Give the act of a submission, with what it enters: any cut or exchange of its entries shows beside it."""
    payloads = sha256(b"".join(sha256(new.payload) for new in submission.records)).hex()
    entered = {"first": span.first, "last": span.last, "payloads": payloads}
    given = submission.act or NewAct(kind="records_loaded", actor=submission.principal, subject=submission.id)
    return msgspec.structs.replace(given, rows=(image, *given.rows), details={**given.details, "entries": entered})


async def lock_log(connection: AsyncConnection) -> None:
    """Wait until nobody else appends, and let nobody else until the end of the transaction."""
    await connection.execute(select(func.pg_advisory_xact_lock(LOG_LOCK)))


async def is_past(connection: AsyncConnection, instant: datetime) -> bool:
    """Whether an instant is past for good: whatever is recorded from now on is recorded after it.

    Who appends reads the clock under the log's lock, so an instant that only just passed is past for good when nobody
    appends. The connection must see what others commit meanwhile: each of its statements sees the state of its own.

    Raises:
        ValueError: the instant has no offset from UTC.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset from UTC")
    if instant >= (await connection.execute(select(func.clock_timestamp()))).scalar_one():
        return False
    await connection.execute(select(func.pg_advisory_xact_lock_shared(LOG_LOCK)))
    return True


async def head(connection: AsyncConnection) -> Head:
    """Read the end of the log."""
    end, _, _ = await _read_end(connection)
    return end


async def read_clock_faults(connection: AsyncConnection, wall: Wall = tell_wall) -> tuple[str, ...]:
    """Say what is wrong with the clocks of database and process, or with the last recorded instant; or nothing."""
    end, now, _ = await _read_end(connection)
    return find_clock_faults(now, wall(), end.recorded)


async def read_entries(connection: AsyncConnection, after: int = 0, limit: int = 1000) -> list[Entry]:
    """Read a page of entries in order of position.

    A page may end within a submission; who must see submissions whole uses stream_entries, or goes on until the
    recorded instant changes or the head is reached.

    Args:
        connection: where to read.
        after: the position to go on from; not included.
        limit: 1 to 10 000.

    Raises:
        ValueError: the limit is out of bounds.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"limit {limit} is not within 1 to {LARGEST_PAGE}")
    found = await connection.execute(_ENTRY.where(entry_table.c.position > after).limit(limit))
    return [entry_of(row) for row in found]


async def read_submission_after(connection: AsyncConnection, after: int = 0) -> list[Entry]:
    """Read the entries of the first submission after a position, in order; none at the head."""
    first = select(entry_table.c.submission).where(entry_table.c.position == after + 1).scalar_subquery()
    found = await connection.execute(_ENTRY.where(entry_table.c.position > after, entry_table.c.submission == first))
    return [entry_of(row) for row in found]


async def entries_of(connection: AsyncConnection, record_id: str, since: int = 1) -> list[Entry]:
    """Read the entries of one record from a version on, in order."""
    found = await connection.execute(_ENTRY.where(entry_table.c.id == record_id, entry_table.c.version >= since))
    return [entry_of(row) for row in found]


async def stream_entries(connection: AsyncConnection, after: int = 0) -> AsyncIterator[Entry]:
    """Stream all entries after a position, to the head as it is when the stream begins."""
    async with connection.stream(
        _ENTRY.where(entry_table.c.position > after), execution_options={"yield_per": STREAM_BATCH}
    ) as rows:
        async for row in rows:
            yield entry_of(row)


async def position_at(connection: AsyncConnection, instant: datetime) -> int:
    """Give the last position that was recorded at an instant or before.

    An instant after the head gives the head. An instant before everything gives the end of the initial load, which
    counts as recorded before everything, or zero for a log that had none.

    Raises:
        ValueError: the instant has no offset from UTC.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset from UTC")
    found = await connection.scalar(_POSITION_AT, {"instant": instant})
    if found is None:
        found = await connection.scalar(
            select(submission_table.c.last_position).where(submission_table.c.id == INITIAL_SUBMISSION)
        )
    return found or 0


async def recorded_at(connection: AsyncConnection, position: int) -> datetime | None:
    """Give the instant at which a position was recorded; none where the log has no such position."""
    recorded = await connection.scalar(select(entry_table.c.recorded).where(entry_table.c.position == position))
    return None if recorded is None else (await read_corrections(connection)).instant(position, recorded)


def entry_of(row: Sequence[Any]) -> Entry:
    """Read an entry from the first columns of a row, selected in the order of COLUMNS."""
    return Entry(**dict(zip(COLUMNS, row, strict=False)))


async def _read_end(connection: AsyncConnection) -> tuple[Head, datetime, datetime]:
    """Read the end of the log, the instant that it is, and the one that an entry recorded now would get."""
    log_id, position, recorded, last_hash, now, moment = (await connection.execute(_END)).one()
    return Head(position, recorded, last_hash or genesis_hash(log_id), log_id), now, moment


async def _refuse_repetition(connection: AsyncConnection, submission: NewSubmission) -> None:
    if submission.idempotency_key is None or submission.stored:
        return
    earlier = await connection.scalar(
        select(submission_table.c.id).where(
            submission_table.c.principal == submission.principal,
            submission_table.c.idempotency_key == submission.idempotency_key,
        )
    )
    if earlier is not None:
        raise RepeatedSubmission(earlier)


async def _read_known(connection: AsyncConnection, ids: set[str]) -> dict[str, _Known]:
    found = await connection.execute(
        select(record_version.c.id, record_version.c.type, record_version.c.version, record_version.c.retired).where(
            record_version.c.id == func.any(sorted(ids)), record_version.c.until_position.is_(None)
        )
    )
    return {record_id: _Known(kind, version, retired) for record_id, kind, version, retired in found}


def _refuse_stale(expected: Mapping[str, int], known: Mapping[str, _Known]) -> None:
    found = {record_id: known[record_id].version if record_id in known else 0 for record_id in expected}
    moved = [Moved(each, expected[each], found[each]) for each in sorted(expected) if expected[each] != found[each]]
    if moved:
        raise StaleVersion(moved)


def _fit(submission: NewSubmission, known: dict[str, _Known], moment: datetime) -> Iterator[int]:
    """Give the version that each record gets, in order; `known` follows along."""
    changed: set[str] = set()
    for new in submission.records:
        before = known.get(new.id)
        reason = _misfit(new, before) or _misfit_in_time(submission, new, before, changed, moment)
        if reason is None and new.change != "new" and not submission.public_reason:
            reason = "a change of what is recorded needs a public reason"
        if reason is not None:
            raise UnfitChange(new.id, reason)
        version = 1 if before is None else before.version + 1
        since = None if new.known_from is None else start_of(new.known_from)
        known[new.id] = _Known(new.type, version, new.change == "retire", since)
        changed.add(new.id)
        yield version


def _misfit(new: NewRecord, before: _Known | None) -> str | None:
    if before is None:
        return None if new.change == "new" else f"there is no such record to {new.change}"
    if before.type != new.type:
        return f"this id belongs to a record of type {before.type}"
    if new.change == "new":
        return "the record exists already, and ids are never reused"
    if before.retired and new.change != "correction":
        return "the record is retired; only a correction can bring it back"
    return None


def _misfit_in_time(
    submission: NewSubmission, new: NewRecord, before: _Known | None, changed: set[str], moment: datetime
) -> str | None:
    if not submission.initial:
        if new.known_from is not None:
            return "only the initial load may state known_from"
        return "the submission holds this record twice" if new.id in changed else None
    since = None if new.known_from is None else start_of(new.known_from)
    if since is not None and since >= moment:
        return "known_from lies in the future"
    if before is None:
        return None
    if since is None or (before.known_from is not None and since <= before.known_from):
        return "each further version in the initial load became known on a later day than the one before"
    return None


def _chain(
    submission: NewSubmission,
    versions: Sequence[int],
    salts: Sequence[bytes | None],
    end: Head,
    moment: datetime,
    act: bytes,
) -> Iterator[Entry]:
    previous = end.entry_hash
    for offset, (new, version, salt) in enumerate(zip(submission.records, versions, salts, strict=True), 1):
        hidden = None if salt is None or new.private is None else private_hash(salt, new.private.content())
        unsealed = Entry(
            format=FORMAT,
            position=end.position + offset,
            recorded=moment,
            submission=submission.id,
            type=new.type,
            id=new.id,
            version=version,
            owner=new.owner,
            principal=submission.principal,
            change=new.change,
            public_reason=submission.public_reason,
            payload=new.payload,
            payload_hash=sha256(new.payload),
            private_hash=hidden,
            previous_hash=previous,
            entry_hash=b"",
            act_hash=act,
        )
        previous = entry_hash(unsealed)
        yield msgspec.structs.replace(unsealed, entry_hash=previous)
