"""A crowd of clients that take connections and say nothing, or say it slowly: whoever comes anew is answered."""

import asyncio
import time
from urllib.parse import urlsplit

import httpx

from tests.sizes import sized
from tests.story.served import Served

SILENT = sized(2_300, whole=3_000)  # more than the 2,048 places that once were all there were
SLOW_HEADERS = sized(200, whole=500)
SLOW_BODIES = 200
STAYS = sized(0, whole=1)  # whether the crowd is watched until its last client has been sent away
HEADS = b"GET /health HTTP/1.1\r\nHost: x\r\n"
BODY = b"POST /v1/acceptance HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
LONGEST_WAIT_SECONDS = 1
DEADLINES_SECONDS = 14
STRAIN_SECONDS = 6  # what a busy machine may add


class Crowd:
    """Clients in a process of the tests; `gone` counts those whom the service has left."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._clients: list[asyncio.Task[None]] = []
        self._arrived = asyncio.Semaphore(0)
        self.here = 0
        self.gone = 0

    async def come(self, count: int, begin: bytes = b"", more: bytes = b"") -> None:
        """Let clients come, a hundred at a time, and wait until all are there."""
        for _ in range(count):
            self._clients.append(asyncio.create_task(self._stay(begin, more)))
            if len(self._clients) % 100 == 0:
                await asyncio.sleep(0.01)
        for _ in range(count):
            await self._arrived.acquire()

    async def leave(self) -> None:
        """Let all go."""
        for each in self._clients:
            each.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _stay(self, begin: bytes, more: bytes) -> None:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        self.here += 1
        self._arrived.release()
        listening = asyncio.create_task(_until_closed(reader))
        try:
            writer.write(begin)
            while more and not listening.done():
                writer.write(more)
                await asyncio.wait([listening], timeout=1)
            await listening
            self.gone += 1
        finally:
            listening.cancel()
            writer.close()


async def _until_closed(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(65_536):
            pass
    except ConnectionError:
        pass


async def wait_of_a_newcomer(address: str) -> float:
    """Seconds until a client that nobody has seen is answered, the best of three."""
    waits = []
    for _ in range(3):
        began = time.monotonic()
        async with httpx.AsyncClient(base_url=address, timeout=20) as client:
            assert (await client.get("/v1/agreements?limit=1")).status_code == httpx.codes.OK
        waits.append(time.monotonic() - began)
    return min(waits)


async def test_a_crowd_keeps_nobody_else_out(service: Served) -> None:
    parts = urlsplit(service.address)
    assert parts.hostname is not None
    assert parts.port is not None
    crowd = Crowd(parts.hostname, parts.port)
    began = time.monotonic()
    try:
        async with asyncio.timeout(60):
            await crowd.come(SILENT)
            await crowd.come(SLOW_HEADERS, HEADS, b"x: y\r\n")
            await crowd.come(SLOW_BODIES, BODY, b" ")
        assert await wait_of_a_newcomer(service.address) < LONGEST_WAIT_SECONDS
        while STAYS and crowd.gone < crowd.here:
            assert time.monotonic() - began < DEADLINES_SECONDS + STRAIN_SECONDS, crowd.gone
            assert await wait_of_a_newcomer(service.address) < LONGEST_WAIT_SECONDS
            await asyncio.sleep(0.5)
    finally:
        await crowd.leave()
    assert await wait_of_a_newcomer(service.address) < LONGEST_WAIT_SECONDS
    assert service.memory() < 600 * 1024 * 1024
