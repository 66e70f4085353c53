"""What many ask for at once is made once, and the last few are kept."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from cab_registry.services.runtime.work import PAYER, SHARE, Shed

Value = TypeVar("Value")


class Shared(Generic[Value]):
    """Makes values by their keys. Who asks while one is made waits for that one; who gives up does not end it."""

    def __init__(self, *, kept: int, at_once: int) -> None:
        """Begin without any.

        Args:
            kept: how many values are kept, those that were asked for last.
            at_once: how many are made at the same time at most, a quarter of them for one client; whoever asks for a
                further one is shed.
        """
        self._most = kept
        self._at_once = at_once
        self._share = max(1, at_once // SHARE)
        self._held: Counter[str] = Counter()
        self._kept: OrderedDict[Hashable, Value] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[Value]] = {}

    async def find(self, key: Hashable, make: Callable[[], Awaitable[Value]]) -> Value:
        """Return the value of a key, made where there is none.

        Raises:
            Shed: too many others are being made.
        """
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        task = self._making.get(key)
        if task is None:
            payer = PAYER.get()
            client = None if payer is None else payer.name
            if len(self._making) >= self._at_once or (client is not None and self._held[client] >= self._share):
                raise Shed
            if client is not None:
                self._held[client] += 1
            task = self._making[key] = asyncio.create_task(self._make(key, client, make))
        return await asyncio.shield(task)

    async def _make(self, key: Hashable, client: str | None, make: Callable[[], Awaitable[Value]]) -> Value:
        try:
            value = self._kept[key] = await make()
        finally:
            del self._making[key]
            if client is not None:
                self._held[client] -= 1
                self._held += Counter()
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return value
