"""Being woken by what others commit: a connection of its own that listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.storage.errors import operational_faults

LISTEN_TIMEOUT: Final = 5.0
"""Seconds in which the connection must come about, and in which it must answer."""


@asynccontextmanager
async def listening(
    engine: AsyncEngine, channel: str, wake: asyncio.Event, *, name: str
) -> AsyncIterator[asyncio.Event]:
    """Listen on a channel for as long as the context lasts; each notification sets `wake`.

    A notification only wakes: one that is lost must cost a poll at most. The event that is given says that the
    connection is lost, which sets `wake` too.

    Args:
        engine: the database.
        channel: what is listened to.
        wake: set by each notification.
        name: how the connection is named in pg_stat_activity.

    Raises:
        StorageBusy: the database cannot be reached.
    """
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with operational_faults():
        connection = await asyncpg.connect(
            url, timeout=LISTEN_TIMEOUT, command_timeout=LISTEN_TIMEOUT, server_settings={"application_name": name}
        )
    try:
        lost = asyncio.Event()

        def call(*_: Any) -> None:
            wake.set()

        def lose(*_: Any) -> None:
            lost.set()
            wake.set()

        connection.add_termination_listener(lose)
        with operational_faults():
            await connection.add_listener(channel, call)
        yield lost
    finally:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            await connection.close(timeout=1)
