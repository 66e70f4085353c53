"""Everything derived, made again from the log: the proof that the log is all that is needed."""

from typing import Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.chain import LogFault
from cab_registry.storage.corrections import read_corrections, remake_corrections
from cab_registry.storage.errors import LogDamaged
from cab_registry.storage.log import lock_log, read_entries
from cab_registry.storage.projection import project
from cab_registry.storage.search import refresh_after
from cab_registry.storage.verification import verify, verify_chain

DERIVED: Final = ("record_version", "body_search", "body_identifier")
BATCH: Final = 2000


class Rebuilt(msgspec.Struct, frozen=True):
    """What a rebuild made.

    Attributes:
        entries: read from the log.
        differing: by derived table the rows that were there before and not after, and the other way round; a table
            that was right is not listed.
        faults: what verification still finds; none unless the program itself is wrong, or submissions are damaged.
    """

    entries: int
    differing: dict[str, int]
    faults: tuple[LogFault, ...]


async def rebuild(connection: AsyncConnection) -> Rebuilt:
    """Make all derived tables again from the log and compare them with what was there.

    All in the caller's transaction, which holds the log's lock, and keeps readers of the derived tables waiting, until
    it ends. Needs the role that owns the tables: the application role may not empty them.

    Raises:
        LogDamaged: the log itself has faults; the derived tables stay as they are, being perhaps all that is right.
    """
    await lock_log(connection)
    await remake_corrections(connection)
    damage = await verify_chain(connection)
    if damage:
        raise LogDamaged(f"the log has {len(damage)} faults, so nothing is derived from it: {damage[0].message}")
    await connection.execute(text("SET LOCAL cab.rebuild = 'on'"))
    for table in DERIVED:
        await connection.execute(text(f"CREATE TEMPORARY TABLE {table}_before ON COMMIT DROP AS TABLE {table}"))
    await connection.execute(text(f"TRUNCATE {', '.join(DERIVED)}"))
    corrections = await read_corrections(connection)
    entries = 0
    while page := await read_entries(connection, entries, BATCH):
        await refresh_after(connection, await project(connection, page, corrections))
        entries = page[-1].position
    await connection.execute(text("SET LOCAL cab.rebuild = 'off'"))
    differing = {table: await _count_differing(connection, table) for table in DERIVED}
    faults = await verify(connection)
    return Rebuilt(entries, {table: count for table, count in differing.items() if count}, tuple(faults))


async def _count_differing(connection: AsyncConnection, table: str) -> int:
    statement = (
        f"SELECT (SELECT count(*) FROM (TABLE {table} EXCEPT TABLE {table}_before) AS added)"  # noqa: S608 - names above
        f" + (SELECT count(*) FROM (TABLE {table}_before EXCEPT TABLE {table}) AS gone)"
    )
    return int(await connection.scalar(text(statement)) or 0)
