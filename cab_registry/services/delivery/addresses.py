"""Vetting of addresses that others name: where this registry connects, and where it never does."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.services.logs import make_logger
from cab_registry.settings import Network

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives all IP addresses of a host name, the best first; raises OSError where it has none."""

LONGEST: Final = 2048
NOWHERE: Final = "expected https, port 443 or one from 1024 on, and a host that has public addresses and no other"
LONGEST_MAIL: Final = 254

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_FIRST_OPEN_PORT: Final = 1024
_PRINTABLE: Final = re.compile(r"[^\x00-\x20\x7f-\xa0\\<>\"^`{|}\u2028\u2029]+")
# What the registries of special-purpose addresses keep out of the public internet, whichever Python this is.
_NOT_PUBLIC: Final = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    )
)  # fmt: skip
_GLOBAL_IPV6: Final = ip_network("2000::/3")
_NAT64: Final = ip_network("64:ff9b::/96")
_MAILBOX: Final = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*@[^@\s]+")
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class AddressRefused(Refusal):
    """To this address nothing is sent, ever: it is seen by its text."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the address is refused: {reason}", (Fault("/address", reason),))
        self.reason = reason


class AddressForbidden(AddressRefused):
    """Where the host leads now, nothing is sent. All say the same, so that nobody learns what a name leads to.

    Attributes:
        detail: why, for the operator alone.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(NOWHERE)
        self.detail = detail


class AddressUnknown(AddressForbidden):
    """The name of the host leads nowhere now."""

    def __init__(self, host: str) -> None:
        super().__init__(f"the name {host} has no address")


class Vetted(msgspec.Struct, frozen=True, kw_only=True):
    """An address to which a connection may be made, with every IP address that it may go to, the best first."""

    url: str
    host: str
    port: int
    ips: tuple[str, ...]

    @property
    def ip(self) -> str:
        """The IP address to try first."""
        return self.ips[0]

    def url_at(self, ip: str) -> str:
        """The same address with an IP address in place of the name."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=f"{f'[{ip}]' if ':' in ip else ip}:{self.port}").geturl()

    @property
    def authority(self) -> str:
        """Host and port as the header Host spells them."""
        return urlsplit(self.url).netloc


async def vet(address: str, resolver: Resolver, allowed_networks: Sequence[Network] = ()) -> Vetted:
    """Hold that a connection to an address may be made, and say to which IP addresses.

    Every IP address of the host is public or lies in an allowed network; it is https, or http to allowed networks only.

    Raises:
        AddressRefused: it may not.
        AddressForbidden: it may not, for where its host leads; `AddressUnknown` where it leads nowhere now.
    """
    scheme, host, port, rest = _read(address)
    ips = [ip_address(each) for each in await _resolve(host, port, resolver)]
    outside = [ip for ip in ips if not any(ip in network for network in allowed_networks)]
    if any(not is_public(ip) for ip in outside):
        raise AddressForbidden(f"{host} leads to a network that is not public")
    if scheme == "http" and outside:
        raise AddressForbidden("expected https")
    if port < _FIRST_OPEN_PORT and port != _DEFAULT_PORTS[scheme] and outside:
        raise AddressForbidden(f"port {port} is another service's")
    name = f"[{host}]" if ":" in host else host
    place = name if port == _DEFAULT_PORTS[scheme] else f"{name}:{port}"
    return Vetted(url=f"{scheme}://{place}{rest}", host=host, port=port, ips=tuple(str(ip) for ip in ips))


async def vet_alike(address: str, resolver: Resolver, allowed_networks: Sequence[Network], seconds: float) -> Vetted:
    """Vet an address for somebody who may only learn whether it is taken: each refusal takes the same time.

    Args:
        address: what is named.
        resolver: finds the IP addresses of its host.
        allowed_networks: that are not public and may be connected to all the same.
        seconds: what a refusal takes, and at most the look-up.

    Raises:
        AddressRefused: a connection may not be made.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        async with asyncio.timeout(seconds):
            return await vet(address, resolver, allowed_networks)
    except (AddressForbidden, TimeoutError) as fault:
        detail = fault.detail if isinstance(fault, AddressForbidden) else "the look-up took too long"
    make_logger().info("address_refused", reason=detail)
    await asyncio.sleep(started + seconds - loop.time())
    raise AddressForbidden(detail)


def is_public(ip: Address) -> bool:
    """Whether an IP address belongs to one host of the public internet; one that wraps another is what it wraps."""
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(ip.ipv4_mapped)
        if ip in _NAT64:
            return is_public(IPv4Address(int(ip) & 0xFFFF_FFFF))
        if ip not in _GLOBAL_IPV6 or ip.scope_id is not None:
            return False
    return ip.is_global and not any(ip in network for network in _NOT_PUBLIC)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system for all IP addresses of a host.

    Raises:
        OSError: it has none, or nobody answered.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


def check_mail_address(text: str) -> str:
    """Give a mail address in the form in which it is kept: plain, without a name, its domain in small letters.

    Raises:
        AddressRefused: it is none that mail can be sent to.
    """
    address = text.strip()
    local, _, domain = address.rpartition("@")
    if not _MAILBOX.fullmatch(address) or len(address.encode()) > LONGEST_MAIL or len(local.encode()) > 64:
        raise AddressRefused("expected a mail address such as name@authority.example")
    domain = _ascii_host(domain)
    labels = domain.split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        raise AddressRefused(f"{domain} is no domain that has mailboxes")
    return f"{local}@{domain}"


def _read(address: str) -> tuple[str, str, int, str]:
    if len(address) > LONGEST or not _PRINTABLE.fullmatch(address):
        raise AddressRefused(f"expected at most {LONGEST} characters, without spaces and control characters")
    try:
        parts = urlsplit(address)
        given = parts.port
    except ValueError:
        raise AddressRefused("it cannot be read") from None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise AddressRefused("expected https")
    if "@" in parts.netloc:
        raise AddressRefused("expected no user name and no password in it")
    if "#" in address:
        raise AddressRefused("expected no fragment")
    if not parts.hostname or given == 0 or ("[" in parts.netloc and ":" not in parts.hostname):
        raise AddressRefused("expected a host, and a port between 1 and 65535")
    rest = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    if not rest.isascii():
        raise AddressRefused("expected path and query to be percent-encoded")
    host = parts.hostname if ":" in parts.hostname else _ascii_host(parts.hostname)
    return scheme, host, given or _DEFAULT_PORTS[scheme], rest


def _ascii_host(host: str) -> str:
    try:
        name = httpx.URL(scheme="https", host=host).raw_host.decode().lower().removesuffix(".")
    except (httpx.InvalidURL, UnicodeError):
        raise AddressRefused(f"{host} is no host name") from None
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise AddressRefused(f"{host} is no host name")
    return name


async def _resolve(host: str, port: int, resolver: Resolver) -> Sequence[str]:
    try:
        return (str(ip_address(host)),)
    except ValueError:
        if ":" in host:
            raise AddressRefused(f"{host} is no host name") from None
    try:
        found = await resolver(host, port)
    except OSError:
        raise AddressUnknown(host) from None
    if not found:
        raise AddressUnknown(host)
    return found
