"""Appending to the chain of acts, and reading it."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.acts.act import ACT_FORMAT, Act, ActsHead, NewAct, act_hash, acts_genesis
from cab_registry.storage.acts.tables import act as act_table
from cab_registry.storage.clocks import Wall, refuse_wrong_clock, tell_wall
from cab_registry.storage.entries import genesis_hash

ACTS_LOCK: Final = 0x4341_4241_4354
STREAM_BATCH: Final = 1000
LARGEST_PAGE: Final = 1000

COLUMNS: Final = Act.__struct_fields__
_ACT: Final = select(*(act_table.c[name] for name in COLUMNS)).order_by(act_table.c.position)
_ENDS: Final = text(
    "SELECT log_identity.log_id, coalesce(done.position, 0) AS position, done.recorded, done.act_hash,"
    " coalesce(log.position, 0) AS log_position, log.entry_hash, clock_timestamp() AS now,"
    " greatest(clock_timestamp(), done.recorded + interval '1 microsecond') AS moment FROM log_identity"
    " LEFT JOIN LATERAL (SELECT position, recorded, act_hash FROM act ORDER BY position DESC LIMIT 1) AS done ON true"
    " LEFT JOIN LATERAL (SELECT position, entry_hash FROM entry ORDER BY position DESC LIMIT 1) AS log ON true"
)


async def append_act(connection: AsyncConnection, new: NewAct, wall: Wall = tell_wall) -> Act:
    """Append an act to the chain, in the transaction of what it does, after its rows were written.

    Takes the lock of the acts, which is held until the transaction ends. It is the last lock of a transaction: the
    order is log, row of the submission, roles, acts. The transaction must be READ COMMITTED, the default.

    Raises:
        WrongClock: the clocks do not agree on what time it is.
        NotCanonical: a detail has no canonical form.
    """
    content = new.content()
    await connection.execute(select(func.pg_advisory_xact_lock(ACTS_LOCK)))
    ends = (await connection.execute(_ENDS)).one()
    # A correction of the clock is what brings the chain back from a future in which the last act was recorded.
    corrects = new.kind == "clock_corrected"
    refuse_wrong_clock(ends.now, wall(), None if corrects else ends.recorded)
    unsealed = Act(
        position=ends.position + 1,
        format=ACT_FORMAT,
        recorded=ends.now if corrects else ends.moment,
        kind=new.kind,
        actor=new.actor,
        token=new.token,
        authority=new.authority,
        subject=new.subject,
        content=content,
        log_position=ends.log_position,
        log_hash=ends.entry_hash or genesis_hash(ends.log_id),
        previous_hash=ends.act_hash or acts_genesis(ends.log_id),
        act_hash=b"",
    )
    done = msgspec.structs.replace(unsealed, act_hash=act_hash(unsealed))
    await connection.execute(act_table.insert().values(**msgspec.structs.asdict(done)))
    return done


async def acts_head(connection: AsyncConnection) -> ActsHead:
    """Read the end of the chain of acts."""
    ends = (await connection.execute(_ENDS)).one()
    return ActsHead(ends.position, ends.recorded, ends.act_hash or acts_genesis(ends.log_id))


async def read_acts(
    connection: AsyncConnection, after: int = 0, limit: int = 100, *, subject: str | None = None
) -> list[Act]:
    """Read a page of acts in order of position, all or those on one subject.

    Raises:
        ValueError: the limit is not within 1 to 1000.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"limit {limit} is not within 1 to {LARGEST_PAGE}")
    statement = _ACT.where(act_table.c.position > after).limit(limit)
    if subject is not None:
        statement = statement.where(act_table.c.subject == subject)
    return [act_of(row) for row in await connection.execute(statement)]


async def stream_acts(connection: AsyncConnection) -> AsyncIterator[Act]:
    """Stream all acts, in order of position."""
    async with connection.stream(_ACT, execution_options={"yield_per": STREAM_BATCH}) as rows:
        async for row in rows:
            yield act_of(row)


def act_of(row: Sequence[Any]) -> Act:
    """Read an act from a row, selected in the order of COLUMNS."""
    return Act(**dict(zip(COLUMNS, row, strict=True)))
