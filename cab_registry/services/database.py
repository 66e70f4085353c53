"""Behind `cab db`: bring a database up to this program, look at it, prove it, and make its derived tables again."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.domain.errors import Refusal
from cab_registry.storage import mending, migration, rebuilding, verification
from cab_registry.storage.acts.append import acts_head
from cab_registry.storage.chain import LogFault
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.guards import EXTENSIONS
from cab_registry.storage.log import head
from cab_registry.storage.mending import ClockCorrected
from cab_registry.storage.rebuilding import Rebuilt


class Upgraded(msgspec.Struct, frozen=True):
    """The revisions before (none: an empty database) and after an upgrade; equal where there was nothing to do."""

    before: str | None
    after: str


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What a database is.

    Attributes:
        server: PostgreSQL's version.
        revision: what the database is at; none for one that was never migrated, whose log's values are none then.
        newest: what this program needs.
        missing_extensions: extensions that the database lacks; its owner can create them, an upgrade does.
        log_id: which log this is.
        position: of the last entry; zero for an empty log.
        recorded: when it was recorded.
        entry_hash: its hash, hexadecimal: keep it elsewhere and give it to verify.
        records: how many records are current.
    """

    server: str
    revision: str | None
    newest: str
    missing_extensions: tuple[str, ...]
    log_id: str | None = None
    position: int | None = None
    recorded: datetime | None = None
    entry_hash: str | None = None
    records: int | None = None


class Verified(msgspec.Struct, frozen=True):
    """What a verification went over, log and acts, with the hashes of both ends, and every fault that it found."""

    position: int
    entry_hash: str
    acts: int
    act_hash: str
    faults: tuple[LogFault, ...]


def upgrade(url: str) -> Upgraded:
    """Migrate the database at an address to this program's newest revision.

    Raises:
        StorageBusy: the database cannot be reached, or a table stayed locked.
        sqlalchemy.exc.SQLAlchemyError: a revision failed and was rolled back.
    """
    with operational_faults():
        before = migration.current(url)
        migration.upgrade(url)
        return Upgraded(before, migration.head())


async def status(engine: AsyncEngine) -> Status:
    """Look at a database, migrated or not.

    Raises:
        StorageBusy: the database cannot be reached.
    """
    with operational_faults():
        async with read_only(engine).connect() as connection:
            server = str(await connection.scalar(text("SHOW server_version")))
            present = set((await connection.scalars(text("SELECT extname FROM pg_extension"))).all())
            missing = tuple(name for name in EXTENSIONS if name not in present)
            revision = None
            if await connection.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL")):
                revision = await connection.scalar(text("SELECT version_num FROM alembic_version"))
            if revision is None:
                return Status(server=server, revision=None, newest=migration.head(), missing_extensions=missing)
            end = await head(connection)
            count = text("SELECT count(*) FROM record_version WHERE until_position IS NULL AND NOT retired")
            return Status(
                server=server,
                revision=revision,
                newest=migration.head(),
                missing_extensions=missing,
                log_id=end.log_id,
                position=end.position,
                recorded=end.recorded,
                entry_hash=end.entry_hash.hex(),
                records=await connection.scalar(count),
            )


async def rebuild(engine: AsyncEngine) -> Rebuilt:
    """Make everything derived again from the log, and say what differed before.

    Raises:
        LogDamaged: the log itself has faults; nothing was changed.
        StorageBusy: the database cannot serve now; nothing was changed.
    """
    with operational_faults():
        async with engine.begin() as connection:
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            return await rebuilding.rebuild(connection)


async def verify(engine: AsyncEngine, kept_head: str | None = None) -> Verified:
    """Check the log and everything derived from it, on one state of the database.

    Args:
        engine: where the log is.
        kept_head: hexadecimal hash of an entry or an act that was kept elsewhere; without it a log whose end was cut
            looks whole.

    Raises:
        Refusal: the kept head is no hash of 64 hexadecimal digits.
        StorageBusy: the database cannot serve now.
    """
    kept = None if kept_head is None else _parse_hash(kept_head)
    with operational_faults():
        async with read_only(engine).connect() as connection:
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            faults = await verification.verify(connection, kept)
            if any(fault.kind == "identity" for fault in faults):
                return Verified(0, "", 0, "", tuple(faults))
            end, acts = await head(connection), await acts_head(connection)
            return Verified(end.position, end.entry_hash.hex(), acts.position, acts.act_hash.hex(), tuple(faults))


async def erase_private(engine: AsyncEngine, submission: str, reason: str) -> int:
    """Erase the private parts of a submission for good, by an act, and return how many there were.

    Raises:
        Refusal: there are none, or no reason is given.
        StorageBusy: the database cannot serve now.
    """
    with operational_faults():
        async with engine.begin() as connection:
            return await mending.erase_private(connection, submission, reason)


async def correct_clock(
    engine: AsyncEngine, *, first: int, last: int, ahead_by: timedelta, reason: str
) -> ClockCorrected:
    """State by an act that entries were recorded with a wrong clock, and make what is derived of them again.

    Raises:
        Refusal: the span or the shift cannot be.
        WrongClock: the clocks of database and process do not agree.
        LogDamaged: the log has faults; nothing was changed.
        StorageBusy: the database cannot serve now; nothing was changed.
    """
    with operational_faults():
        async with engine.begin() as connection:
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            return await mending.correct_clock(connection, first=first, last=last, ahead_by=ahead_by, reason=reason)


def _parse_hash(written: str) -> bytes:
    try:
        parsed = bytes.fromhex(written)
    except ValueError:
        parsed = b""
    if len(parsed) != 32:
        raise Refusal("a head is the hash of an entry or of an act: 64 hexadecimal digits")
    return parsed
