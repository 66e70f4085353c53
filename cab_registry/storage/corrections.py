"""Corrections of instants that a wrong clock gave: the log keeps what was recorded, and is read as corrected."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.acts.tables import act, clock_correction


class Correction(msgspec.Struct, frozen=True):
    """Entries, both positions inclusive, that lie ahead of the truth by so many microseconds; negative: behind it."""

    first: int
    last: int
    ahead_by: int


class Corrections:
    """All corrections of a log."""

    def __init__(self, found: Sequence[Correction] = ()) -> None:
        self._found = tuple(found)

    def instant(self, position: int, recorded: datetime) -> datetime:
        """Return the instant at which an entry was recorded, as corrected."""
        for each in self._found:
            if each.first <= position <= each.last:
                return recorded - timedelta(microseconds=each.ahead_by)
        return recorded

    def overlap(self, first: int, last: int) -> bool:
        """Whether an entry of a span is corrected already."""
        return any(each.first <= last and first <= each.last for each in self._found)


async def read_corrections(connection: AsyncConnection) -> Corrections:
    """Read all corrections."""
    table = clock_correction.c
    found = await connection.execute(select(table.first_position, table.last_position, table.ahead_by))
    return Corrections([Correction(*row) for row in found])


async def remake_corrections(connection: AsyncConnection) -> None:
    """Make the table of corrections again from the acts that state them; in the caller's transaction, as its owner."""
    stated = select(act.c.position, act.c.content).where(act.c.kind == "clock_corrected").order_by(act.c.position)
    rows = []
    for position, content in await connection.execute(stated):
        details = msgspec.json.decode(content)["details"]
        row = {"first_position": details["first"], "last_position": details["last"], "ahead_by": details["ahead_by"]}
        rows.append({**row, "act": position})
    await connection.execute(clock_correction.delete())
    if rows:
        await connection.execute(clock_correction.insert(), rows)
