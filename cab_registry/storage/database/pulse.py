"""Noticing that the database is silent: it neither answers nor refuses, as where it is frozen or the network is gone.

No time limit on statements tells a slow statement from a silent server. So a connection of its own asks a small
question every second. When that stays without an answer, everything that waits for the server is given up at once, and
nobody tries to connect until an answer comes. Whoever asks whether it answers hears no as soon as an answer is late, or
where the server has no place for a further connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from time import monotonic
from typing import Any, Final, Generic, TypeVar
from weakref import WeakSet

import asyncpg
from sqlalchemy import Dialect, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import NullPool

from cab_registry.storage.engine import create_engine
from cab_registry.storage.errors import StorageBusy, operational_faults

BEAT_SECONDS: Final = 1.0
"""How often the database is asked."""

SLOW_PAUSE: Final = 4.0
"""Seconds after an attempt to connect that hung: it may still hold a thread that looks up the name of the server."""

_FIRST_PAUSE: Final = 0.1
"""Seconds after an attempt that was refused at once; then twice as long each time, a beat at most."""

_MISSES: Final = 2
"""Questions in a row without an answer: a process that was busy itself may read one answer too late."""

_TARDY_SECONDS: Final = 0.7
"""A question that waits longer for its answer makes the database unready, long before it counts as silent."""

_LOCKED: Final = "55P03"
_NO_PLACE: Final = "53300"

Seen = TypeVar("Seen")


class ServerSilent(StorageBusy):
    """The database has not answered for a while, so that it is not asked before it answers again."""


class Pulse(Generic[Seen]):
    """Asks the database every second whether it answers, and gives up what waits for it when it does not.

    Args:
        url: the database.
        ask: the question; it must be quick, and what it gives is kept in `seen`.
        patience: seconds in which a question must be answered; after twice as long the database counts as silent.
    """

    def __init__(
        self,
        url: str,
        ask: Callable[[AsyncConnection], Awaitable[Seen]],
        *,
        patience: float,
        name: str = "cab-registry",
    ) -> None:
        self.seen: Seen | None = None
        self._ask = ask
        self._patience = patience
        self._engine = create_engine(
            url,
            application_name=f"{name} pulse",
            lock_timeout=timedelta(seconds=min(patience, _TARDY_SECONDS) / 2),
            connect_timeout=2 * patience,
            poolclass=NullPool,
        )
        self._open: WeakSet[Any] = WeakSet()
        self._fault: str | None = None
        self._answered = False
        self._asked_at: float | None = None
        self._full = False
        self._tried = asyncio.Event()
        event.listen(self._engine.sync_engine, "connect", self._note)

    @property
    def fault(self) -> str | None:
        """Why the database cannot be used, in words; None while it answers, and before it was asked."""
        return self._fault

    @property
    def answers(self) -> bool:
        """Whether the database answered when it was last asked, and takes the connections that this process makes."""
        tardy = self._asked_at is not None and monotonic() - self._asked_at > _TARDY_SECONDS
        return self._answered and self._fault is None and not tardy and not self._full

    def guard(self, engine: AsyncEngine) -> None:
        """Give up the connections of an engine when the database falls silent, and open none while it is."""
        event.listen(engine.sync_engine, "connect", self._note)
        event.listen(engine.sync_engine, "do_connect", self._connect)

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[Pulse[Seen]]:
        """Ask for as long as the context lasts; it begins when the first question was answered, or was not."""
        task = asyncio.create_task(self._beat())
        try:
            await self._tried.wait()
            yield self
        finally:
            task.cancel()
            await asyncio.wait((task,), timeout=self._patience)
            if not task.done():
                self._give_up()
                await asyncio.wait((task,))

    def _note(self, connection: Any, _: object) -> None:
        self._open.add(connection.driver_connection)
        self._full = False

    def _connect(self, dialect: Dialect, _: object, given: Any, named: Any) -> Any:
        if self._fault is not None:
            raise ServerSilent(self._fault)
        try:
            return dialect.connect(*given, **named)
        except Exception as fault:
            # As the driver raises it, or as the dialect does.
            self._full = self._full or getattr(fault, "sqlstate", None) == _NO_PLACE
            raise

    async def _beat(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            heard, began = False, monotonic()
            try:
                with operational_faults():
                    async with self._engine.connect() as connection:
                        while await self._hear(connection):
                            heard, pause = True, _FIRST_PAUSE
                            await self._knock()
                            await asyncio.sleep(BEAT_SECONDS)
            except StorageBusy as fault:
                # One lost connection says nothing of the server: that another one fails does.
                if heard:
                    continue
                self._fault = str(fault)
            except Exception:  # noqa: BLE001 - the asking must go on; a bug in it shows as a database that is not ready
                # The server answers and refuses; whoever connects is told why by itself.
                self._answered, self._fault = False, None
            self._tried.set()
            await asyncio.sleep(SLOW_PAUSE if monotonic() - began >= self._patience else pause)
            pause = min(pause * 2, BEAT_SECONDS)

    async def _hear(self, connection: AsyncConnection) -> bool:
        """Ask once more; False where the database is silent, after everything that waited was given up."""
        asking, self._asked_at = asyncio.create_task(self._question(connection)), monotonic()
        try:
            for _ in range(_MISSES):
                done, _ = await asyncio.wait((asking,), timeout=self._patience)
                if done:
                    self.seen = asking.result()
                    self._answered, self._fault, self._asked_at = True, None, None
                    self._tried.set()
                    return True
            self._fault = f"the database has not answered for {_MISSES * self._patience:g} seconds"
            self._give_up()
            return False
        finally:
            asking.cancel()
            await asyncio.wait((asking,), timeout=self._patience)
            if asking.done() and not asking.cancelled():
                asking.exception()

    async def _knock(self) -> None:
        """Look whether the server takes a further connection again, where it last refused one."""
        if self._full:
            with suppress(DBAPIError, OSError, asyncpg.PostgresError):
                async with asyncio.timeout(self._patience), self._engine.connect():
                    pass

    async def _question(self, connection: AsyncConnection) -> Seen | None:
        try:
            found: Seen | None = await self._ask(connection)
        except DBAPIError as fault:
            if getattr(fault.orig, "sqlstate", None) != _LOCKED:
                raise
            # Somebody holds the table; the server answers.
            found = self.seen
        await connection.rollback()
        return found

    def _give_up(self) -> None:
        for connection in list(self._open):
            with suppress(OSError, asyncpg.InterfaceError):
                connection.terminate()


async def ask_nothing(connection: AsyncConnection) -> None:
    """Ask whether the database answers, and nothing else."""
    await connection.execute(text("SELECT 1"))
