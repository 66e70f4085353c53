"""Connections that say nothing, say it slowly, or do not listen: each ends, and nobody else waits for it."""

import asyncio
import json
import time
from collections.abc import Iterator

import pytest

from cab_registry.limits import Limits
from cab_registry.register.compiled import Register
from tests.api.conftest import question
from tests.api.serving import serving

HELLO = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
PATIENCE_SECONDS = 30
SHORT = Limits(
    header_seconds=1,
    idle_seconds=1,
    body_grace_seconds=1,
    connection_limit=40,
    client_connection_limit=1000,
    limit_loopback=True,
    client_points=100_000,
    body_memory_bytes=1_000_000,
)


@pytest.fixture(scope="module")
def port(scratch_register: Register) -> Iterator[int]:
    with serving(scratch_register, SHORT) as taken:
        yield taken


async def talk(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send parts with pauses between them, until the server hangs up; gives all that it said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(pause)

    sending = asyncio.create_task(send())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await _read_all(reader)
    finally:
        sending.cancel()
        writer.close()


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    said = b""
    try:
        while part := await reader.read(65_536):
            said += part
    except ConnectionError:
        pass
    return said


def status(said: bytes) -> int:
    return int(said.split(b" ", 2)[1])


def problem(said: bytes) -> str:
    found: str = json.loads(said.partition(b"\r\n\r\n")[2])["type"]
    return found


async def test_a_silent_connection_ends(port: int) -> None:
    assert await talk(port) == b""


async def test_headers_that_come_byte_by_byte_end(port: int) -> None:
    began = time.monotonic()
    said = await talk(port, *([b"GET / HTTP/1.1\r\n"] + [b"x: y\r\n"] * 500), pause=0.1)
    assert (status(said), problem(said)) == (408, "/problems/headers-too-slow")
    assert time.monotonic() - began < PATIENCE_SECONDS / 2


async def test_a_connection_without_a_further_request_ends(port: int) -> None:
    assert (await talk(port, HELLO)).count(b"HTTP/1.1 200") == 1


@pytest.mark.parametrize("head", [b"Content-Length: 60000\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_a_body_that_comes_slowly_ends(port: int, head: bytes) -> None:
    begin = b"POST /v1/acceptance HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + head + b"\r\n"
    said = await talk(port, begin, *([b"1\r\n \r\n"] * 500), pause=0.1)
    assert (status(said), problem(said)) == (408, "/problems/body-too-slow")
    assert b"connection: close" in said.lower()


async def test_a_body_that_nobody_reads_does_not_keep_a_connection(port: int) -> None:
    begin = b"POST /v1/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
    assert status(await talk(port, begin, *([b" "] * 500), pause=0.1)) == 404


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 200 + b"\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"y" * 100_000,
        HELLO * 100,
    ],
    ids=["address", "many", "endless", "pipelined"],
)
async def test_heads_are_bounded(port: int, head: bytes) -> None:
    said = await talk(port, head)
    assert b"HTTP/1.1 431" in said


async def test_what_is_not_http_is_told_as_every_problem(port: int) -> None:
    said = await talk(port, b"\x16\x03\x01 hello\r\n\r\n")
    assert (status(said), problem(said)) == (400, "/problems/bad-request")


async def test_who_comes_when_all_places_are_taken_by_silence_is_answered(port: int) -> None:
    crowd = [asyncio.create_task(talk(port)) for _ in range(200)]
    await asyncio.sleep(0.2)
    for _ in range(5):
        began = time.monotonic()
        assert b"HTTP/1.1 200" in await talk(port, HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert time.monotonic() - began < 5
    assert await asyncio.gather(*crowd) == [b""] * 200


async def test_one_client_has_so_many_connections(scratch_register: Register) -> None:
    limits = Limits(client_connection_limit=3, limit_loopback=True)
    with serving(scratch_register, limits) as port:
        kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for _, writer in kept:
            writer.write(HELLO)
        said = await talk(port, HELLO)
        assert (status(said), problem(said)) == (429, "/problems/too-many-connections")
        assert b"retry-after: 10" in said
        kept[0][1].close()
        await asyncio.sleep(0.2)
        again = await asyncio.open_connection("127.0.0.1", port)
        again[1].write(HELLO)
        assert b"200" in await again[0].readline()
        for _, writer in [*kept[1:], again]:
            writer.close()


async def test_large_bodies_share_the_memory_and_small_ones_pass(
    scratch_register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cab_registry.app.SCRATCH_BODY_LIMIT", 1_000_000)
    limits = Limits(body_memory_bytes=2_000_000)
    begin = (
        b"POST /v1/acceptance HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n"
    )
    asked = json.dumps(question()).encode()
    small = b"POST /v1/acceptance HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    with serving(scratch_register, limits) as port:
        large = [asyncio.create_task(talk(port, begin + b" " * 800_000)) for _ in range(6)]
        await asyncio.sleep(0.3)
        said = await talk(port, small + f"Content-Length: {len(asked)}\r\n\r\n".encode() + asked)
        assert status(said) == 200
        done, still = await asyncio.wait(large, timeout=6)
        assert still
        for each in done:
            assert problem(each.result()) == "/problems/overloaded"
            assert b"retry-after: 2" in each.result()
        assert len(done) >= 4
        for each in still:
            each.cancel()
        await asyncio.gather(*still, return_exceptions=True)
