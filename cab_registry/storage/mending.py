"""What an operator does to a log beyond appending, each by an act: erase private parts, correct a wrong clock."""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.storage.acts.act import OPERATOR, NewAct
from cab_registry.storage.acts.append import append_act
from cab_registry.storage.acts.images import RowImage, gone
from cab_registry.storage.canonical import spell_instant
from cab_registry.storage.clocks import Wall, tell_wall
from cab_registry.storage.corrections import read_corrections
from cab_registry.storage.entries import INITIAL_SUBMISSION
from cab_registry.storage.log import head, lock_log, recorded_at
from cab_registry.storage.rebuilding import Rebuilt, rebuild
from cab_registry.storage.tables import entry, entry_private, submission_private

_MICROSECOND: Final = timedelta(microseconds=1)


class ClockCorrected(msgspec.Struct, frozen=True):
    """What a correction of the clock did: the corrected instants of the first and the last entry, and the rebuild."""

    first: datetime
    last: datetime
    rebuilt: Rebuilt


async def erase_private(connection: AsyncConnection, submission_id: str, reason: str) -> int:
    """Erase the private parts of a submission for good, and return how many there were; the chain keeps their hashes.

    Raises:
        Refusal: there are none, or no reason is given.
    """
    if not reason.strip():
        raise Refusal("an erasure needs a reason", (Fault("/reason", "empty"),))
    positions = select(entry.c.position).where(entry.c.submission == submission_id)
    erased = (
        await connection.scalars(
            entry_private.delete().where(entry_private.c.position.in_(positions)).returning(entry_private.c.position)
        )
    ).all()
    parts = (
        await connection.scalars(
            submission_private.delete()
            .where(submission_private.c.submission == submission_id)
            .returning(submission_private.c.part)
        )
    ).all()
    rows = (
        *(RowImage("entry_private", (position,), None) for position in sorted(erased)),
        *(gone("submission_private", submission=submission_id, part=part) for part in sorted(parts)),
    )
    if not rows:
        raise Refusal(f"the submission {submission_id} has no private part")
    new = NewAct(kind="private_erased", actor=OPERATOR, subject=submission_id, rows=rows, details={"reason": reason})
    await append_act(connection, new)
    return len(rows)


async def correct_clock(
    connection: AsyncConnection, *, first: int, last: int, ahead_by: timedelta, reason: str, wall: Wall = tell_wall
) -> ClockCorrected:
    """State by an act that entries were recorded with a wrong clock, and read the log so from now on.

    Nothing is rewritten but what is derived, all of which is made again. Needs the owner of the tables.

    Args:
        connection: a transaction of its own.
        first: position of the first entry concerned; the first of its submission.
        last: of the last one; the last of its submission.
        ahead_by: how far their recorded instants lie ahead of the truth; negative for behind it.
        reason: how it is known.
        wall: the clock of this process.

    Raises:
        Refusal: the span is not whole submissions behind the initial load, is corrected already, or would come to lie
            out of order or in the future.
        WrongClock: the clocks of database and process do not agree: set them first.
        LogDamaged: the log has faults.
    """
    await lock_log(connection)
    before, corrected, after = await _check_span(connection, first, last, ahead_by)
    now: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
    if not reason.strip() or not ahead_by:
        raise Refusal("a correction needs a reason, and moves something")
    if corrected[1] > now or (before is not None and corrected[0] <= before) or (after and corrected[1] >= after):
        bounds = (spell_instant(each) for each in (*corrected, before or corrected[0], after or now))
        raise Refusal("as corrected, {} to {} would not lie between {} and {}".format(*bounds))
    details = {"first": first, "last": last, "ahead_by": ahead_by // _MICROSECOND, "reason": reason}
    new = NewAct(kind="clock_corrected", actor=OPERATOR, subject=f"{first}-{last}", details=details)
    await append_act(connection, new, wall)
    return ClockCorrected(*corrected, await rebuild(connection))


async def _check_span(
    connection: AsyncConnection, first: int, last: int, ahead_by: timedelta
) -> tuple[datetime | None, tuple[datetime, datetime], datetime | None]:
    """Return the instants before, of and after a span, its own as they would be corrected."""
    end = await head(connection)
    if not 1 <= first <= last <= end.position:
        raise Refusal(f"positions are 1 to {end.position}, the first no later than the last")
    around = select(entry.c.position, entry.c.submission, entry.c.recorded).where(
        entry.c.position.in_((first - 1, first, last, last + 1))
    )
    rows = {row.position: row for row in await connection.execute(around)}
    if rows[first].submission == INITIAL_SUBMISSION:
        raise Refusal("the first load counts as recorded before everything: it has no instant to correct")
    for inside, outside in ((first, first - 1), (last, last + 1)):
        if outside in rows and rows[outside].submission == rows[inside].submission:
            raise Refusal(f"the span cuts through the submission {rows[inside].submission}: take all of it")
    known = await read_corrections(connection)
    if known.overlap(first, last):
        raise Refusal("these entries are corrected already")
    initial = first > 1 and rows[first - 1].submission == INITIAL_SUBMISSION
    before = None if initial else await recorded_at(connection, first - 1)
    return (
        before,
        (rows[first].recorded - ahead_by, rows[last].recorded - ahead_by),
        await recorded_at(connection, last + 1),
    )
