"""Bodies of requests while they come: in time, fast enough, and within the memory of the process."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

from litestar.types import HTTPReceiveMessage, Receive

from cab_registry.api.http.refusals import BodyTooSlow, Overloaded
from cab_registry.limits import Limits

SMALL: Final = 65_536
"""Bytes of a body that find room although large bodies have taken all that large ones may."""

_PATIENCE_SECONDS: Final = 2.0


class BodyMemory:
    """The bytes of all bodies that a process holds; one client has half of them at most."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.bytes = 0
        self.bodies = 0
        self._bytes_of: Counter[str] = Counter()
        self._bodies_of: Counter[str] = Counter()
        self._waiting: dict[asyncio.Future[None], tuple[bool, int]] = {}

    def begin(self, client: str | None) -> None:
        """Let a body come.

        Raises:
            Overloaded: as many bodies come already as may.
        """
        half = max(1, self.limits.bodies_limit // 2)
        if self.bodies >= self.limits.bodies_limit or (client is not None and self._bodies_of[client] >= half):
            raise Overloaded("as many request bodies are being received as this process takes at once")
        self.bodies += 1
        if client is not None:
            self._bodies_of[client] += 1

    async def take(self, client: str | None, size: int, so_far: int) -> None:
        """Take memory for a part of a body, and wait a moment for it where there is none.

        Where several wait, the one of which most has come waits longer, so that not all give up together.

        Raises:
            Overloaded: there was none in time.
        """
        loop = asyncio.get_running_loop()
        until, patient = loop.time() + _PATIENCE_SECONDS, False
        while not self._has_room(client, size, so_far):
            freed: asyncio.Future[None] = loop.create_future()
            self._waiting[freed] = (patient, so_far)
            try:
                async with asyncio.timeout_at(until):
                    await freed
            except TimeoutError:
                if not patient and max(self._waiting, key=self._waiting.__getitem__) is freed:
                    until, patient = until + _PATIENCE_SECONDS, True
                    continue
                raise Overloaded("the memory for request bodies is in use; send the request again later") from None
            finally:
                self._waiting.pop(freed, None)
        self.bytes += size
        if client is not None:
            self._bytes_of[client] += size

    def end(self, client: str | None, size: int) -> None:
        """Give back what a body had."""
        self.bodies -= 1
        self.bytes -= size
        if client is not None:
            for counted, less in ((self._bodies_of, 1), (self._bytes_of, size)):
                counted[client] -= less
                if counted[client] <= 0:
                    del counted[client]
        for freed in self._waiting:
            if not freed.done():
                freed.set_result(None)

    def _has_room(self, client: str | None, size: int, so_far: int) -> bool:
        most = self.limits.body_memory_bytes
        if client is not None and self._bytes_of[client] + size > most // 2:
            return False
        return self.bytes + size <= (most if so_far + size <= SMALL else most * 3 // 4)


class Intake:
    """The body of one request."""

    def __init__(self, memory: BodyMemory, client: str | None, receive: Receive, count: Callable[[int], None]) -> None:
        """Make the intake; nothing is received before somebody asks.

        Args:
            memory: of the process.
            client: whose share it counts to; none for a client without limits.
            receive: gives what comes.
            count: takes -1 before each wait for the client and 1 after it, to count requests that are worked on.
        """
        self._memory = memory
        self._client = client
        self._receive = receive
        self._count = count
        self._began: float | None = None
        self._size = 0
        self._whole = False

    async def receive(self) -> HTTPReceiveMessage:
        """Receive the next part.

        Raises:
            BodyTooSlow: it did not come in time, or the client hung up.
            Overloaded: there is no room for it.
        """
        if self._whole:
            return await self._receive()  # type: ignore[return-value]
        loop = asyncio.get_running_loop()
        if self._began is None:
            self._memory.begin(self._client)
            self._began = loop.time()
        self._count(-1)
        try:
            async with asyncio.timeout_at(self._began + self._allowed()):
                message = await self._receive()
        except TimeoutError:
            raise BodyTooSlow(
                f"{self._size} bytes of the body came in {loop.time() - self._began:.0f} s; a body is to come at "
                f"{self._memory.limits.body_bytes_per_second} bytes a second at least"
            ) from None
        finally:
            self._count(1)
        if message["type"] == "http.disconnect":
            raise BodyTooSlow("the client hung up before the whole body had come")
        if message["type"] == "http.request":
            size = len(message.get("body", b""))
            await self._memory.take(self._client, size, self._size)
            self._size += size
            self._whole = not message.get("more_body", False)
        return message  # type: ignore[return-value]

    def end(self) -> None:
        """Give back the memory."""
        if self._began is not None:
            self._memory.end(self._client, self._size)

    def _allowed(self) -> float:
        limits = self._memory.limits
        return min(limits.body_seconds, limits.body_grace_seconds + self._size / limits.body_bytes_per_second)
