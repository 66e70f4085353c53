"""Which client a request comes from, as far as it can be believed."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from litestar.datastructures import Headers

from cab_registry.settings import Network

Address = IPv4Address | IPv6Address

_WITH_PORT: Final = re.compile(r"\[(?P<six>[^\]]*)\](?::\d*)?|(?P<four>[^:]*):\d*")
"""An address as proxies write it that add the port: `203.0.113.5:4711`, `[2001:db8::1]:4711`, `[2001:db8::1]`."""


def peer_of(scope: Any) -> Address | None:
    """Return the other end of the connection; nothing for a socket file, or what is not an address."""
    client = scope.get("client")
    return None if client is None else read_address(client[0])


def client_of(scope: Any, trusted: Network | None) -> Address | None:
    """Return the address of the client.

    Behind a trusted proxy it is the last address of X-Forwarded-For that is not such a proxy's: what stands before
    that, the client may have written itself. Where the proxy names none that can be read, the client is the proxy.
    Without a trusted proxy the header counts for nothing.
    """
    address = peer_of(scope)
    if address is None or not is_trusted(address, trusted):
        return address
    stated = Headers.from_scope(scope).getall("x-forwarded-for", [])
    for part in reversed(",".join(stated).split(",")):
        found = _read_forwarded(part.strip())
        if found is None:
            break
        address = found
        if not is_trusted(found, trusted):
            break
    return address


def is_trusted(address: Address, trusted: Network | None) -> bool:
    """Whether an address is that of a proxy that is believed."""
    return trusted is not None and address in trusted


def _read_forwarded(text: str) -> Address | None:
    found = _WITH_PORT.fullmatch(text)
    return read_address(text if found is None else found["six"] or found["four"] or "")


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
