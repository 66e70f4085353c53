"""Shares: how much of what a process has at once a client holds, and a network in which clients are neighbours."""

from __future__ import annotations

from collections import Counter

from cab_registry.services.runtime.networks import network_of


class Shares:
    """What clients hold of one thing; a client without limits is counted, and never bounded."""

    def __init__(self, of_client: int, of_network: int) -> None:
        """Begin with nothing held.

        Args:
            of_client: how much one client may hold.
            of_network: how much a /48 of IPv6 may hold, which may be one customer's.
        """
        self.all = 0
        self._of_client = max(1, of_client)
        self._of_network = max(1, of_network)
        self._held: Counter[str | None] = Counter()

    @classmethod
    def of(cls, most: int) -> Shares:
        """Return the shares of something of which there is so much: an eighth for a client, a quarter for a network."""
        return cls(most // 8, most // 4)

    def has_room(self, client: str | None, more: int = 1) -> bool:
        """Whether a client may hold so much more."""
        if client is None:
            return True
        network = network_of(client)
        return self._held[client] + more <= self._of_client and (
            network is None or self._held[network] + more <= self._of_network
        )

    def add(self, client: str | None, change: int) -> None:
        """Count what a client takes, or gives back where it is less than nothing."""
        self.all += change
        for each in {client, whole_of(client)}:
            self._held[each] += change
            if not self._held[each]:
                del self._held[each]

    def held(self, client: str | None) -> int:
        """Return how much is held by a client and its neighbours."""
        return self._held[whole_of(client)]


def whole_of(client: str | None) -> str | None:
    """Return the widest that may be one customer: the network of a client, or else itself."""
    return None if client is None else network_of(client) or client
