"""Ending what runs beside."""

from __future__ import annotations

import asyncio
from typing import Any, Final

_CANCEL_AGAIN: Final = 1.0


async def end_task(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait until it has ended; what it raised stays in it.

    A cancellation that meets a driver just as it is done may be lost in it; so it is repeated.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait((task,), timeout=_CANCEL_AGAIN)
