"""Which watched answers would flip, if the register were another one."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.days import show_day
from cab_registry.register.compiled import Register
from cab_registry.register.differences import find_touched_reads
from cab_registry.services.blast import Watched, WatchedFlip, WatchedTold
from cab_registry.services.tokens import Principal
from cab_registry.services.watching.noticing import Step, tell_title
from cab_registry.services.watching.watched_answers import Asker, split_reach
from cab_registry.services.watching.watcher import subject_of_row
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.watch_tables import watch
from cab_registry.storage.watches import Watched as Row
from cab_registry.storage.watches import find_touched

_EVERY_POSITION: Final = 2**62


def tell_watched(engine: AsyncEngine, principal: Principal | None, on: int) -> Watched:
    """Make what tells, for who asks, which watched answers flip on a day; it is called in a thread of its own.

    Args:
        engine: the database.
        principal: whose own watches are named; none: they are counted only, with everybody's.
        on: the day for which questions without a day of their own are asked.
    """
    loop = asyncio.get_running_loop()

    def tell(before: Register, after: Register) -> WatchedTold:
        return asyncio.run_coroutine_threadsafe(_tell(engine, principal, on, before, after), loop).result()

    return tell


async def _tell(
    engine: AsyncEngine, principal: Principal | None, on: int, before: Register, after: Register
) -> WatchedTold:
    own, law = split_reach(await asyncio.to_thread(find_touched_reads, before.facts, after.facts))
    with operational_faults():
        async with read_only(engine).connect() as connection:
            touched = await find_touched(connection, own, law, _EVERY_POSITION)
            mine = await _find_own(connection, principal)
    return await asyncio.to_thread(_compare, touched, mine, on, before, after)


async def _find_own(connection: AsyncConnection, principal: Principal | None) -> frozenset[str]:
    if principal is None:
        return frozenset()
    found = await connection.scalars(
        select(watch.c.id).where(
            watch.c.principal == principal.id, watch.c.authority == principal.authority, watch.c.ended.is_(None)
        )
    )
    return frozenset(found.all())


def _compare(touched: Sequence[Row], mine: Collection[str], on: int, before: Register, after: Register) -> WatchedTold:
    was, then = (Asker(side.facts, on) for side in (before, after))
    step = Step(before, after, on)
    count, own = 0, []
    for row in touched:
        subject = subject_of_row(row)
        if subject.target.question is None:
            continue
        one, two = (asker.ask(subject.target).answered.verdict for asker in (was, then))
        if one == two:
            continue
        count += 1
        if row.watch in mine:
            day = subject.target.pose(date.fromordinal(on)).presented_on
            words = tell_title(step, subject)
            own.append(WatchedFlip(watch=row.watch, words=words, before=one, after=two, on=show_day(day)))
    return WatchedTold(count=count, own=own)
