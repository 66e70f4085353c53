"""How long a plain question takes beside clients that ask dear ones: what one asker can do to another."""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import time
from typing import NamedTuple

import msgspec

from bench.over_http import connect, free_port, post, send, serve
from cab_cli.dev import FIRST_QUESTION

SECONDS = 10.0
DEAR_CLIENTS = 4
DEAR = {
    "a name of one letter": {**FIRST_QUESTION, "result": {**FIRST_QUESTION["result"], "issuer": {"name": "a"}}},
    "a presentation in the year 1": {**FIRST_QUESTION, "presented_on": "0001-01-01"},
    "a hundred documents": {
        **FIRST_QUESTION,
        "result": {**FIRST_QUESTION["result"], "attests": [f"Directive {number} of nobody" for number in range(100)]},
    },
    "next to nothing said": {"destination": "DE", "result": {"kind": "certificate"}},
}
"""By what makes them dear."""


class Waits(NamedTuple):
    """Milliseconds for which plain questions waited: half of them at most `half`, all but one of a hundred `p99`."""

    half: float
    p99: float
    most: float
    asked: int


async def _ask_plain(port: int, until: float) -> list[float]:
    plain = post(msgspec.json.encode(FIRST_QUESTION))
    reader, writer = await connect(port)
    waited = []
    while time.monotonic() < until:
        begun = time.monotonic()
        status = await send(reader, writer, plain)
        if status != 200:
            raise RuntimeError(f"a plain question was answered with {status}")
        waited.append((time.monotonic() - begun) * 1000)
        await asyncio.sleep(0.01)
    writer.close()
    return waited


async def _ask_dear(port: int, asked: bytes, until: float) -> None:
    reader, writer = await connect(port)
    while time.monotonic() < until:
        if await send(reader, writer, asked) == 503:
            await asyncio.sleep(0.1)
    writer.close()


async def _beside(port: int, dear: bytes | None) -> Waits:
    until = time.monotonic() + SECONDS
    crowd = [] if dear is None else [_ask_dear(port, dear, until) for _ in range(DEAR_CLIENTS)]
    plain = asyncio.create_task(_ask_plain(port, until))
    await asyncio.gather(plain, *crowd)
    waited = plain.result()
    cuts = statistics.quantiles(waited, n=100)
    return Waits(cuts[49], cuts[98], max(waited), len(waited))


async def _measure(port: int) -> dict[str, Waits]:
    found = {"nobody": await _beside(port, None)}
    for name, dear in DEAR.items():
        found[name] = await _beside(port, post(msgspec.json.encode(dear)))
    return found


def measure() -> dict[str, Waits]:
    """Ask a server of its own process, alone and beside four clients of each dear kind."""
    port = free_port()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(port,), daemon=True)
    server.start()
    try:
        return asyncio.run(_measure(port))
    finally:
        server.terminate()
        server.join()
