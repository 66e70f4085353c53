"""Answers over HTTP, beside a constant body of the same server in the same run, on kept-alive connections."""

from __future__ import annotations

import asyncio
import datetime as dt
import multiprocessing
import socket
import time
from typing import NamedTuple

import uvicorn

from cab_registry.app import create_scratch_app
from cab_registry.register.compiled import Register
from cab_registry.services.cases import catalogue_scratch
from cab_registry.services.memory import keep_in_memory

CONNECTIONS = 8
SECONDS = 4.0


class HttpRate(NamedTuple):
    """Requests a second: full answers by POST, and the constant body of /health."""

    posted: float
    constant: float

    @property
    def ratio(self) -> float:
        """How much of the bare server's rate the answers reach."""
        return self.posted / self.constant


def serve(port: int) -> None:
    """Serve the packaged law, as a process of its own does."""
    register: Register = catalogue_scratch().base(None)
    app = create_scratch_app(lambda: register, lambda: dt.datetime.now(dt.UTC).date())
    keep_in_memory()
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="critical", access_log=False)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to a server that may not listen yet."""
    for _ in range(200):
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
    raise TimeoutError("the server did not start")


def post(body: bytes) -> bytes:
    """Make the request that asks a question."""
    head = (
        "POST /v1/acceptance HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    """Send a request, read its answer to the end, and return the status."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    await reader.readexactly(length)
    return int(head.split(maxsplit=2)[1])


async def _hammer(port: int, requests: list[bytes], until: float) -> int:
    """Send requests one after another on one connection; return how many were answered with 200."""
    reader, writer = await connect(port)
    done = 0
    while time.monotonic() < until:
        if (status := await send(reader, writer, requests[done % len(requests)])) != 200:
            raise RuntimeError(f"answered with {status}")
        done += 1
    writer.close()
    return done


async def _rate(port: int, requests: list[bytes]) -> float:
    begun = time.monotonic()
    counts = await asyncio.gather(*(_hammer(port, requests, begun + SECONDS) for _ in range(CONNECTIONS)))
    return sum(counts) / (time.monotonic() - begun)


async def _measure(port: int, bodies: list[bytes]) -> HttpRate:
    posts = [post(body) for body in bodies]
    constant = [b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"]
    await _rate(port, posts[:1])
    return HttpRate(posted=await _rate(port, posts), constant=await _rate(port, constant))


def measure(bodies: list[bytes]) -> HttpRate:
    """Start the server in a process of its own and load it from this one."""
    port = free_port()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(port,), daemon=True)
    server.start()
    try:
        return asyncio.run(_measure(port, bodies))
    finally:
        server.terminate()
        server.join()
