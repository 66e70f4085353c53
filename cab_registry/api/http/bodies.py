"""Bodies of requests while they come: in time, fast enough, and within the memory of the process."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

from litestar.types import HTTPReceiveMessage, Receive

from cab_registry.api.http.refusals import BodyTooSlow, Overloaded
from cab_registry.api.http.shares import Shares, whole_of
from cab_registry.limits import Limits

SMALL: Final = 65_536
"""Bytes of a body that find room although large bodies have taken all that large ones may."""

_PATIENCE_SECONDS: Final = 2.0

_SPARED_SECONDS: Final = 1.0
"""A body that is so little late gives way to none of a client that has as many."""


class BodyMemory:
    """All bodies that a process receives: how many, and their bytes, of which one client has half at most."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.bytes = 0
        self._bytes_of: Counter[str] = Counter()
        self._shares = Shares.of(limits.bodies_limit)
        self._coming: set[Intake] = set()
        self._waiting: dict[asyncio.Future[None], tuple[bool, int]] = {}

    @property
    def bodies(self) -> int:
        """How many bodies are received or in use."""
        return self._shares.all

    def begin(self, intake: Intake) -> None:
        """Let a body come, in the place of one that comes too slowly where there is no other place.

        Raises:
            Overloaded: as many bodies come already as may, and none is late.
        """
        crowded = not self._shares.has_room(intake.client)
        if crowded or self.bodies >= self.limits.bodies_limit:
            self._evict_for(intake.client, crowded=crowded)
        self._shares.add(intake.client, 1)
        self._coming.add(intake)

    def _evict_for(self, client: str | None, *, crowded: bool) -> None:
        """Evict the latest body of whoever has the most, or of the client itself where it has its share already."""
        rivals = [each for each in self._coming if each.waits]
        if crowded:
            neighbours = [each for each in rivals if whole_of(each.client) == whole_of(client)]
            rivals = [each for each in neighbours if each.client == client] or neighbours
        latest = max(rivals, key=lambda each: (self._shares.held(each.client), each.lateness()), default=None)
        if latest is None or (
            latest.lateness() < _SPARED_SECONDS and self._shares.held(latest.client) <= self._shares.held(client) + 1
        ):
            raise Overloaded("as many request bodies are being received as this process takes at once")
        latest.evict()

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

    def settle(self, intake: Intake) -> None:
        """Note that a body has come as a whole, and is late no more."""
        self._coming.discard(intake)

    def end(self, intake: Intake, size: int) -> None:
        """Give back what a body had."""
        self.settle(intake)
        self._shares.add(intake.client, -1)
        self.bytes -= size
        if intake.client is not None:
            self._bytes_of[intake.client] -= size
            if self._bytes_of[intake.client] <= 0:
                del self._bytes_of[intake.client]
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
        self.client = client
        self._memory = memory
        self._receive = receive
        self._count = count
        self._began: float | None = None
        self._size = 0
        self._whole = self._evicted = False
        self._waiting: asyncio.Timeout | None = None

    async def receive(self) -> HTTPReceiveMessage:
        """Receive the next part.

        Raises:
            BodyTooSlow: it did not come in time, or the client hung up.
            Overloaded: there is no room for it.
        """
        if self._whole:
            return await self._receive()  # type: ignore[return-value]  # no websocket is served
        if self._began is None:
            self._memory.begin(self)
            self._began = asyncio.get_running_loop().time()
        message = await self._wait(self._began)
        self._check_evicted()
        if message["type"] == "http.disconnect":
            raise BodyTooSlow("the client hung up before the whole body had come")
        if message["type"] == "http.request":
            size = len(message.get("body", b""))
            await self._memory.take(self.client, size, self._size)
            self._size += size
            self._whole = not message.get("more_body", False)
            if self._whole:
                self._memory.settle(self)
        return message

    @property
    def waits(self) -> bool:
        """Whether it waits for its client."""
        return self._waiting is not None

    def lateness(self) -> float:
        """Return the seconds that the body took beyond those that its bytes are worth."""
        began = self._began
        if began is None:
            return 0.0
        earned = self._size / self._memory.limits.body_bytes_per_second
        return asyncio.get_running_loop().time() - began - earned

    def evict(self) -> None:
        """Give the place to another body; what has come is not used."""
        self.end()
        self._evicted = True
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(asyncio.get_running_loop().time())

    def end(self) -> None:
        """Give back the memory."""
        if self._began is not None and not self._evicted:
            self._memory.end(self, self._size)

    async def _wait(self, began: float) -> HTTPReceiveMessage:
        """Wait for the client, who holds no place of work meanwhile."""
        loop = asyncio.get_running_loop()
        self._count(-1)
        try:
            async with asyncio.timeout_at(began + self._allowed()) as self._waiting:
                return await self._receive()  # type: ignore[return-value]  # no websocket is served
        except TimeoutError:
            self._check_evicted()
            raise BodyTooSlow(
                f"{self._size} bytes of the body came in {loop.time() - began:.0f} s; a body is to come at "
                f"{self._memory.limits.body_bytes_per_second} bytes a second at least"
            ) from None
        finally:
            self._waiting = None
            self._count(1)

    def _check_evicted(self) -> None:
        if self._evicted:
            raise Overloaded("the body came more slowly than others that waited for its place; send it again")

    def _allowed(self) -> float:
        limits = self._memory.limits
        return min(limits.body_seconds, limits.body_grace_seconds + self._size / limits.body_bytes_per_second)
