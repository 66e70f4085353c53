"""Networks of clients: of IPv6, one customer may have a whole /48, and so 65,536 clients that are a /64 each."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_network
from typing import Final

NEIGHBOURS: Final = 5
"""Clients' worth of requests, points and connections that a whole /48 of IPv6 has."""

_NETWORK_BITS: Final = 48


@lru_cache(maxsize=1 << 12)
def network_of(client: str) -> str | None:
    """Return the network in which a client has neighbours; none for an address of IPv4, which is one by itself.

    Args:
        client: an IPv4 address, or a /64 of IPv6.
    """
    if ":" not in client:
        return None
    return str(ip_network(client).supernet(new_prefix=_NETWORK_BITS))
