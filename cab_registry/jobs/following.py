"""Following the log, so that who watches is told within seconds."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.domain.errors import RegistryError
from cab_registry.jobs.metrics import JobMetrics
from cab_registry.services.logs import make_logger
from cab_registry.services.watching.watcher import Watcher
from cab_registry.storage.listening import listening
from cab_registry.storage.log import CHANNEL

_POLL: Final = 2.0
_LONGEST: Final = 4.0


async def follow_log(watcher: Watcher, engine: AsyncEngine, metrics: JobMetrics) -> None:
    """Tell of every submission as it comes, until cancelled; a database that goes away is waited for."""
    log = make_logger()
    pause = _POLL
    wake = asyncio.Event()
    while True:
        try:
            async with listening(engine, CHANNEL, wake, name="cab-registry watcher") as lost:
                while not lost.is_set():
                    wake.clear()
                    await watcher.catch_up()
                    metrics.position.set(watcher.position)
                    metrics.asked.set(watcher.counts.asked)
                    metrics.notices.set(watcher.counts.notices)
                    pause = _POLL
                    with suppress(TimeoutError):
                        await asyncio.wait_for(wake.wait(), _POLL)
        except (RegistryError, SQLAlchemyError) as fault:
            log.warning("watcher_waits", reason=str(fault), seconds=pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST)
