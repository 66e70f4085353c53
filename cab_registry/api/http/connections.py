"""Connections: how many there may be, how long they may be silent, and when a slow reader is given up.

A deadline holds for each stage in which a client can keep a connection without being served: before the first byte,
within the headers, after an answer, and while an answer is not taken. Bodies are bounded in `bodies`.
"""

from __future__ import annotations

import asyncio
import heapq
from typing import Final, Protocol

from cab_registry.api.http.client_address import Address, client_key, is_trusted
from cab_registry.api.http.shares import Shares
from cab_registry.api.problem_kinds import SHED, TOO_MANY_CONNECTIONS, Kind
from cab_registry.limits import Limits
from cab_registry.services.metrics import Metrics
from cab_registry.services.runtime.networks import NEIGHBOURS
from cab_registry.settings import Network

UNSENT_BYTES: Final = 134_217_728
"""Bytes of answers that clients have not taken yet, in one process."""

_EVERY_SECONDS: Final = 1.0
_EVICTED_AT_ONCE: Final = 64
"""One of so many places is freed at once, so that looking for them costs little for each that comes."""


class Guarded(Protocol):
    """A connection as the guard sees it."""

    def waits_since(self) -> float | None:
        """The instant since which it waits for its client; none while a request is worked on."""

    def overstays(self, now: float) -> bool:
        """Whether a deadline has passed."""

    def unsent(self) -> int:
        """Bytes of answers that the client has not taken."""

    def hang_up(self) -> None:
        """Close it, and say why where a request had begun."""

    def abort(self) -> None:
        """Close it without waiting for what is unsent."""


class ConnectionGuard:
    """The connections of one process: counted by client, closed when they overstay, evicted when there are too many."""

    def __init__(self, limits: Limits, trusted: Network | None, metrics: Metrics) -> None:
        """Make a guard.

        Args:
            limits: of this process.
            trusted: the proxies, which bring the connections of many clients.
            metrics: counts what the guard closes or refuses, and shows how many there are.
        """
        self.limits = limits
        self.held: dict[Guarded, str | None] = {}
        self._most = limits.connection_limit
        self._trusted = trusted
        self._count_closed = metrics.count_closed
        metrics.watch_connections(lambda: len(self.held))
        most = limits.client_connection_limit
        self._shares = Shares(most, most * NEIGHBOURS)
        self._sweeper: asyncio.TimerHandle | None = None

    def lower(self, most: int) -> None:
        """Hold no more connections than the system has descriptors for."""
        self._most = max(1, min(self._most, most))

    def admit(self, connection: Guarded, address: Address | None, loop: asyncio.AbstractEventLoop) -> Kind | None:
        """Take a connection in, or say why it is refused."""
        if self._sweeper is None:
            self._sweeper = loop.call_later(_EVERY_SECONDS, self._sweep, loop)
        client = self._counted(address)
        if not self._shares.has_room(client):
            self._count_closed("client_limit")
            return TOO_MANY_CONNECTIONS
        if len(self.held) >= self._most and not self._evict():
            self._count_closed("full")
            return SHED
        self.held[connection] = client
        self._shares.add(client, 1)
        return None

    def forget(self, connection: Guarded) -> None:
        """Let a connection go that has ended; one that was not taken in, or was evicted, is gone already."""
        if connection in self.held:
            self._shares.add(self.held.pop(connection), -1)

    def _counted(self, address: Address | None) -> str | None:
        if address is None:
            return None
        if address.is_loopback and not self.limits.limit_loopback:
            return None
        if is_trusted(address, self._trusted):
            return None
        return client_key(address)

    def _evict(self) -> bool:
        waiting = [(since, id(each), each) for each in self.held if (since := each.waits_since()) is not None]
        for _, _, each in heapq.nsmallest(max(1, self._most // _EVICTED_AT_ONCE), waiting):
            self._count_closed("evicted")
            self.forget(each)
            each.abort()
        return bool(waiting)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweeper = loop.call_later(_EVERY_SECONDS, self._sweep, loop) if self.held else None
        now, unsent = loop.time(), 0
        for each in list(self.held):
            unsent += each.unsent()
            if each.overstays(now):
                self._count_closed("deadline")
                each.hang_up()
        if unsent > UNSENT_BYTES:
            for each in sorted(self.held, key=lambda one: one.unsent(), reverse=True):
                if unsent <= UNSENT_BYTES:
                    break
                unsent -= each.unsent()
                self._count_closed("unsent")
                each.abort()
