"""Holding the register at the head of the log: loaded once, then following entry by entry."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from math import inf
from time import monotonic
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.errors import Defect, OperationalFault
from cab_registry.register.compiled import compile_register
from cab_registry.services.heads import Held, NotLoaded, PositionNotReached, PositionNotWritten
from cab_registry.services.logs import make_logger
from cab_registry.services.sources import Changes, read_version
from cab_registry.services.tasks import end_task
from cab_registry.storage.engine import read_only
from cab_registry.storage.entries import Entry, Head
from cab_registry.storage.errors import RecordDamaged, operational_faults
from cab_registry.storage.listening import LISTEN_TIMEOUT, listening
from cab_registry.storage.log import CHANNEL, head, stream_entries
from cab_registry.storage.proving import prove_projection, refuse_broken
from cab_registry.storage.records import current_records

_KEPT: Final = 8
"""How many former registers are kept, so that a reader can turn pages; they share what did not change."""

_SLOWEST: Final = 4.0
"""The longest pause, in seconds: a database that is back is followed again within it."""


class RegisterHolder:
    """Holds the register at the head, and keeps it there.

    A notification only wakes it; the log is read from the position held, so that a lost one costs one poll at most.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        poll_seconds: float,
        patience_seconds: float,
        count_damage: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._reading = read_only(engine)
        self._poll = poll_seconds
        self._patience = patience_seconds
        self._held: Held | None = None
        self._recent: OrderedDict[int, Held] = OrderedDict()
        self._wake = asyncio.Event()
        self._moved = asyncio.Condition()
        self._checked: float | None = None
        self._seen = -inf
        self._born = monotonic()
        self._log = make_logger()
        self._damage: RecordDamaged | None = None
        self._count_damage = count_damage

    @property
    def damage(self) -> str | None:
        """What of the register is not what was recorded, so that nothing may be answered that rests on it; or none."""
        return None if self._damage is None else str(self._damage)

    def note_damage(self, damage: RecordDamaged) -> None:
        """Note that something read was not what was recorded, until the whole is found sound again."""
        if self._damage is not None and str(self._damage) == str(damage):
            return
        self._damage = damage
        self._count_damage()
        self._log.error("register_damaged", record=damage.record, position=damage.position, reason=str(damage))

    def current(self) -> Held:
        """Return the register as it is now.

        Raises:
            NotLoaded: it was not loaded yet.
            RecordDamaged: it cannot be, since a record is not what was recorded.
        """
        if self._held is None and self._damage is not None:
            raise self._damage
        if self._held is None:
            raise NotLoaded("the register is being loaded")
        return self._held

    def recent(self, position: int) -> Held | None:
        """Return the register at a position that was the head a short while ago, if it is still held."""
        return self._recent.get(position)

    @property
    def position(self) -> int:
        """Position of the register held; zero before it is loaded."""
        return 0 if self._held is None else self._held.position

    @property
    def lag(self) -> float:
        """Seconds since the log was last read to its end."""
        return monotonic() - (self._born if self._checked is None else self._checked)

    @property
    def stale(self) -> bool:
        """Whether the log could not be read for so long that answers may be behind it."""
        return self._held is None or self.lag > 3 * self._poll + LISTEN_TIMEOUT

    async def at_least(self, position: int) -> Held:
        """Return the register as soon as it has reached a position.

        Raises:
            PositionNotWritten: the log, read since, has no such position.
            PositionNotReached: the log could not be read that far in time.
            NotLoaded: it was not loaded in time.
        """
        if self._held is not None and self._held.position >= position:
            return self._held
        asked = monotonic()
        self._wake.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience), self._moved:
                await self._moved.wait_for(lambda: self.position >= position or self._seen >= asked)
        held = self.current()
        if held.position < position:
            if self._seen >= asked:
                raise PositionNotWritten(position, held.position)
            raise PositionNotReached(position, held.position)
        return held

    @asynccontextmanager
    async def following(self) -> AsyncIterator[RegisterHolder]:
        """Load the register, and follow the log for as long as the context lasts.

        Where the database does not serve yet, this goes on without a register and loads it when it can.
        """
        try:
            await self.catch_up()
        except OperationalFault as fault:
            self._log.warning("register_not_loaded", reason=str(fault))
        task = asyncio.create_task(self._follow())
        try:
            yield self
        finally:
            await end_task(task)

    async def catch_up(self) -> None:
        """Read the log to its end, once.

        Raises:
            OperationalFault: the database does not serve now.
            RecordDamaged: what was read is not what was recorded; what is held goes on being held.
            Defect: the log holds what this program cannot read.
        """
        began = monotonic()
        try:
            with operational_faults():
                async with self._reading.connect() as connection:
                    await self._read_to_end(connection)
        except RecordDamaged as damage:
            self.note_damage(damage)
            raise
        self._damage = None
        self._checked = monotonic()
        async with self._moved:
            self._seen = began
            self._moved.notify_all()

    async def _read_to_end(self, connection: AsyncConnection) -> None:
        end = await head(connection)
        held = self._held
        if self._damage is not None and held is not None:
            await prove_projection(connection)
        if held is None or held.log_id != end.log_id or held.position > end.position:
            await self._swap(await _load(connection, end))
        elif held.position < end.position:
            await self._swap(await _advance(connection, held, end))

    async def _swap(self, held: Held) -> None:
        async with self._moved:
            if self._held is not None and self._held.log_id != held.log_id:
                self._recent.clear()
            self._held = held
            self._recent[held.position] = held
            while len(self._recent) > _KEPT:
                self._recent.popitem(last=False)
            self._moved.notify_all()

    async def _follow(self) -> None:
        pause = self._poll
        while True:
            try:
                async with listening(self._engine, CHANNEL, self._wake, name="cab-registry follower") as lost:
                    while not lost.is_set():
                        self._wake.clear()
                        await self.catch_up()
                        pause = self._poll
                        with suppress(TimeoutError):
                            async with asyncio.timeout(self._poll):
                                await self._wake.wait()
            except OperationalFault as fault:
                self._log.warning("follower_waits", reason=str(fault), seconds=pause)
            except Defect as fault:
                self._log.error("follower_stuck", reason=str(fault), seconds=pause)
            except Exception as fault:  # noqa: BLE001 - a bug here must not end the following; staleness shows it
                self._log.error("follower_failed", error=type(fault).__name__, seconds=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _SLOWEST)


async def _load(connection: AsyncConnection, end: Head) -> Held:
    await prove_projection(connection)
    records = [read_version(each.id, each.document, each.version) async for each in current_records(connection)]
    register = await asyncio.to_thread(compile_register, records, position=end.position)
    return Held(register, end.recorded, end.log_id)


async def _advance(connection: AsyncConnection, held: Held, end: Head) -> Held:
    entries: list[Entry] = []
    previous: bytes | None = None
    async for entry in stream_entries(connection, held.position):
        refuse_broken(entry, previous)
        previous = entry.entry_hash
        entries.append(entry)
    register = await asyncio.to_thread(lambda: Changes(entries).apply(held.register, end.position))
    return Held(register, end.recorded, end.log_id)
