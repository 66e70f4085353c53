"""How many watches by mail a client may ask for without an account, in all and for one mail domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cab_registry.limits import Limits
from cab_registry.services.runtime.networks import NEIGHBOURS, network_of
from cab_registry.services.runtime.token_buckets import Policy, TokenBuckets

_DAY: Final = 86_400


class MailLimits:
    """Counts what each client asked for within a day, in the memory of this process."""

    def __init__(self, limits: Limits, seconds: Callable[[], float]) -> None:
        """Make the counts.

        Args:
            limits: how many requests there may be.
            seconds: a clock that never runs backwards.
        """

        def buckets(name: str, points: int) -> TokenBuckets:
            return TokenBuckets(Policy(name=name, points=points, per_second=points / _DAY), seconds)

        self._clients = buckets("client and day", limits.mail_client_requests)
        self._networks = buckets("network and day", limits.mail_client_requests * NEIGHBOURS)
        self._domains = buckets("client, mail domain and day", limits.mail_domain_requests)

    def spend(self, client: str | None, address: str) -> None:
        """Count a request of a client; one on this machine is not counted.

        Args:
            client: an IPv4 address, or a /64 of IPv6.
            address: where the mail is to go.

        Raises:
            TooManyRequests: the client asked for as many as it may.
        """
        if client is None:
            return
        self._clients.spend(client)
        self._domains.spend(f"{client} {address.rpartition('@')[2].lower()}")
        if (network := network_of(client)) is not None:
            self._networks.spend(network)
