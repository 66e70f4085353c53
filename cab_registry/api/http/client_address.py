"""Which client a request comes from, as far as it can be believed."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from litestar.datastructures import Headers

from cab_registry.settings import Network

Address = IPv4Address | IPv6Address


def peer_of(scope: Any) -> Address | None:
    """Return the other end of the connection; nothing for a socket file, or what is not an address."""
    client = scope.get("client")
    return None if client is None else read_address(client[0])


def client_of(scope: Any, trusted: Network | None) -> Address | None:
    """Return the address of the client.

    Behind a trusted proxy it is the last address of X-Forwarded-For that is not such a proxy's: what stands before
    that, the client may have written itself. Without a trusted proxy the header counts for nothing.
    """
    address = peer_of(scope)
    if trusted is None or address is None or address not in trusted:
        return address
    stated = Headers.from_scope(scope).getall("x-forwarded-for", [])
    for part in reversed(",".join(stated).split(",")):
        found = read_address(part.strip())
        if found is None:
            break
        address = found
        if found not in trusted:
            break
    return address


def client_key(address: Address) -> str:
    """Name the client for its limits: an IPv4 address, or the /64 of IPv6, all of which one client has."""
    return str(address) if isinstance(address, IPv4Address) else str(IPv6Network((address, 64), strict=False))


def read_address(text: str) -> Address | None:
    """Read an address, an IPv4 address in IPv6 clothing as what it is; nothing where it is none."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
