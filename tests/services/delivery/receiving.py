"""A receiver of webhooks that is real: it listens on a port of this machine, and behaves as badly as it is told."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_network

import trustme

from cab_registry.services.delivery.addresses import Resolver

HERE = (ip_network("127.0.0.0/8"),)
HOST = "hooks.example"


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


Behaviour = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


def answer(status: int, *, headers: str = "", body: bytes = b"") -> Behaviour:
    async def behave(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status} As asked\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)
        await writer.drain()

    return behave


def in_turn(*behaviours: Behaviour) -> Behaviour:
    left = list(behaviours)

    async def behave(request: Received, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(request, writer)

    return behave


async def hang(_: Received, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def hang_up(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def drip_head(_: Received, writer: asyncio.StreamWriter) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + b"X-Slow: 1\r\n" * 100 + b"\r\n":
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_body(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.02)


@dataclass
class Receiver:
    port: int
    secure: bool
    received: list[Received] = field(default_factory=list)

    def url(self, host: str = HOST, path: str = "/notices") -> str:
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}{path}"

    @property
    def ids(self) -> list[str]:
        return [each.headers["webhook-id"] for each in self.received]


@asynccontextmanager
async def receiving(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            receiver.received.append(Received(first.split()[1], headers, body))
            await behaviour(receiver.received[-1], writer)
        writer.close()

    running: set[asyncio.Task[None]] = set()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        with suppress(asyncio.CancelledError):
            await serve(reader, writer)
        writer.close()
        running.discard(task)

    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=tls)
    receiver = Receiver(server.sockets[0].getsockname()[1], tls is not None)
    try:
        yield receiver
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await server.wait_closed()


def resolving(*answers: Sequence[str]) -> Resolver:
    """A resolver that gives these answers in turn, the last one from then on."""
    left = list(answers)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


def certified(host: str, authority: trustme.CA) -> ssl.SSLContext:
    """What a server at a host shows."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """What a client uses that trusts one authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context
