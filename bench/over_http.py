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


def _serve(port: int) -> None:
    register: Register = catalogue_scratch().base(None)
    app = create_scratch_app(lambda: register, lambda: dt.datetime.now(dt.UTC).date())
    keep_in_memory()
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="critical", access_log=False)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def _wait(port: int) -> None:
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        return
    raise TimeoutError("the server did not start")


async def _hammer(port: int, requests: list[bytes], until: float) -> int:
    """Send requests one after another on one connection; return how many were answered with 200."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    done = 0
    while time.monotonic() < until:
        writer.write(requests[done % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode("latin-1"))
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(length)
        done += 1
    writer.close()
    return done


async def _rate(port: int, requests: list[bytes]) -> float:
    begun = time.monotonic()
    counts = await asyncio.gather(*(_hammer(port, requests, begun + SECONDS) for _ in range(CONNECTIONS)))
    return sum(counts) / (time.monotonic() - begun)


async def _measure(port: int, bodies: list[bytes]) -> HttpRate:
    await _wait(port)
    head = (
        "POST /v1/acceptance HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n"
    )
    posts = [head.format(len(body)).encode() + body for body in bodies]
    constant = [b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"]
    await _rate(port, posts[:1])
    return HttpRate(posted=await _rate(port, posts), constant=await _rate(port, constant))


def measure(bodies: list[bytes]) -> HttpRate:
    """Start the server in a process of its own and load it from this one."""
    port = _free_port()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(port,), daemon=True)
    server.start()
    try:
        return asyncio.run(_measure(port, bodies))
    finally:
        server.terminate()
        server.join()
