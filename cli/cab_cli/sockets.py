"""Listening sockets, taken before a server starts, so that a port in use is told in words."""

import errno
import os
import socket

from cab_registry.domain.errors import OperationalFault

BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """Take a port; 0 takes a free one.

    The protocol is named, since asyncio sends small replies at once only on sockets that say they are TCP.

    Raises:
        OperationalFault: the port is in use, or the address is none of this machine.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )[0]
        taken = socket.socket(family, kind, socket.IPPROTO_TCP)
    except OSError as error:
        raise OperationalFault(f"{host} is no address of this machine: {error.strerror or error}") from None
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
        taken.listen(BACKLOG)
    except OSError as error:
        taken.close()
        if error.errno == errno.EADDRINUSE:
            raise OperationalFault(
                f"Port {port} on {host} is in use; is the service running already? Name another in CAB_PORT."
            ) from None
        raise OperationalFault(f"{host}:{port} cannot be taken: {os.strerror(error.errno or 0)}") from None
    return taken


def address_of(taken: socket.socket) -> str:
    """Write the address at which a listening socket is reached from this machine."""
    host, port = taken.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
