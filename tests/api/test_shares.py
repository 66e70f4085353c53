"""Shares: who takes no answers, sends no bodies, or asks from many addresses of one network, stops nobody else."""

import asyncio
import json
import socket
import time
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from litestar import Request, Response

from cab_registry.api.http.admission import Admission
from cab_registry.api.http.connections import ConnectionGuard
from cab_registry.api.http.rate_limits import RateLimits
from cab_registry.api.http.shares import Shares
from cab_registry.api.problem_kinds import TOO_MANY_CONNECTIONS
from cab_registry.api.problems import answer_problem
from cab_registry.app import create_app
from cab_registry.limits import Limits
from cab_registry.register.compiled import Register
from cab_registry.services.metrics import Metrics
from cab_registry.services.runtime.networks import NEIGHBOURS
from cab_registry.settings import Settings
from tests.api.conftest import question
from tests.api.serving import serving
from tests.api.test_connections import problem, status

STUCK = 12
AHEAD = 16
NEVER = b"POST /v1/acceptance HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"


class Desk:
    """An application that answers when it is told to, and counts who waits."""

    def __init__(self, limits: Limits) -> None:
        self.told = asyncio.Event()
        self.at_work = 0
        rates = RateLimits(limits, time.monotonic)
        trusted = ip_network("127.0.0.1/32")
        self._admission = Admission(self._answer, limits, rates, trusted, _refuse, Metrics())
        self._asked: list[asyncio.Task[int]] = []

    async def ask(self, client: str, path: str = "/v1/bodies", *, taken: asyncio.Event | None = None) -> int | None:
        """Ask from an address, and give the status where it is refused at once."""
        asking = asyncio.create_task(self._ask(client, path, taken))
        self._asked.append(asking)
        await asyncio.sleep(0.01)
        return asking.result() if asking.done() else None

    async def end(self) -> list[int]:
        """Answer everybody."""
        self.told.set()
        return await asyncio.gather(*self._asked)

    async def _ask(self, client: str, path: str, taken: asyncio.Event | None) -> int:
        said: list[int] = []

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                said.append(message["status"])
            if taken is not None:
                await taken.wait()

        async def receive() -> Any:
            raise AssertionError

        state: dict[str, Any] = {"request_id": "x"}
        scope: Any = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
        await self._admission(scope | {"client": (client, 5), "state": state}, receive, send)
        return said[0]

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        del receive
        self.at_work += 1
        if scope["path"] == "/v1/bodies":
            await self.told.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def _refuse(request: Request[Any, Any, Any], fault: Exception) -> Response[bytes]:
    return answer_problem(request, fault)


async def test_a_client_has_an_eighth_of_the_places_and_a_network_a_quarter() -> None:
    desk = Desk(Limits(request_limit=16))
    assert [await desk.ask("198.51.100.7") for _ in range(3)] == [None, None, 429]
    assert [await desk.ask("2001:db8:0:1::1") for _ in range(3)] == [None, None, 429]
    assert [await desk.ask(f"2001:db8:0:{each}::1") for each in (2, 3, 4)] == [None, None, 429]
    assert await desk.ask("2001:db8:1::1") is None
    assert await desk.end()
    assert await desk.ask("198.51.100.7") == 200


async def test_operators_have_places_of_their_own() -> None:
    desk = Desk(Limits(request_limit=4, limit_loopback=True))
    assert [await desk.ask(f"198.51.100.{each}") for each in range(5)] == [None, None, None, None, 503]
    for path in ("/health", "/ready"):
        assert await desk.ask("127.0.0.1", path) == 200
    await desk.end()


async def test_a_request_has_no_place_while_its_answer_is_taken() -> None:
    desk, taken = Desk(Limits(request_limit=1)), asyncio.Event()
    for _ in range(3):
        assert await desk.ask("198.51.100.7", "/v1/agreements", taken=taken) is None
    assert desk.at_work == 3
    taken.set()
    assert await desk.end() == [200, 200, 200]


def _fall_asleep(port: int, begin: bytes, buffer: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    made.settimeout(20)
    made.connect(("127.0.0.1", port))
    made.sendall(begin)
    return made


async def test_who_takes_no_answers_holds_no_places(scratch_register: Register) -> None:
    begin = b"GET /reference HTTP/1.1\r\nHost: x\r\n\r\n" * AHEAD
    with serving(scratch_register, Limits(request_limit=STUCK // 2, client_points=100_000)) as port:
        held = [_fall_asleep(port, begin, 2_048) for _ in range(STUCK)]
        late = _fall_asleep(port, begin, 65_536)
        await asyncio.sleep(1)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            found = [(await client.get(path)).status_code for path in ("/ready", "/v1/agreements", "/reference") * 4]
        # Who takes them late gets them all, one after another.
        said = b""
        while said.count(b"HTTP/1.1 200 ") < AHEAD:
            part = late.recv(1 << 20)
            assert part
            said += part
        for each in (*held, late):
            each.close()
    assert set(found) == {200}


class Bodies:
    """Connections on which bodies come, or do not."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._kept: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, host: str, sent: bytes = NEVER) -> asyncio.StreamReader:
        """Send something from an address, and keep the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, local_addr=(host, 0))
        self._kept.append((reader, writer))
        writer.write(sent)
        return reader

    async def close(self) -> None:
        """Close all."""
        for _, writer in self._kept:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in self._kept), return_exceptions=True)


def _has_come(reader: asyncio.StreamReader) -> bool:
    return bool(reader._buffer)  # type: ignore[attr-defined]


async def test_a_body_that_does_not_come_gives_way_to_one_that_does(scratch_register: Register) -> None:
    asked = json.dumps(question()).encode()
    whole = NEVER[:-1].replace(b" 1000", f" {len(asked)}\r\nConnection: close".encode()) + asked
    with serving(scratch_register, Limits(bodies_limit=8, limit_loopback=True)) as port:
        bodies = Bodies(port)
        crowd = [await bodies.post(f"127.0.0.{each}") for each in range(2, 10)]
        await asyncio.sleep(1.2)
        for each in range(20, 23):
            assert status(await (await bodies.post(f"127.0.0.{each}", whole)).read()) == 200
        # One place was enough for all three; who has a share already makes room of its own.
        assert sum(map(_has_come, crowd)) == 1
        again = await bodies.post("127.0.0.9")
        assert problem(await asyncio.wait_for(crowd[-1].read(), 5)) == "/problems/overloaded"
        assert not _has_come(again)
        assert sum(map(_has_come, crowd)) == 1
        await bodies.close()


async def test_who_has_most_bodies_gives_way_first(scratch_register: Register) -> None:
    with serving(scratch_register, Limits(bodies_limit=16, limit_loopback=True)) as port:
        bodies = Bodies(port)
        first = await bodies.post("127.0.0.2")
        crowd = [await bodies.post(f"127.0.0.{3 + each % 8}") for each in range(15)]
        await asyncio.sleep(0.1)
        newcomer = await bodies.post("127.0.0.30")
        await asyncio.sleep(0.3)
        assert not _has_come(first)
        assert not _has_come(newcomer)
        assert sum(map(_has_come, crowd)) == 1
        await bodies.close()


@pytest.mark.parametrize(
    "forwarded", ["203.0.113.5:4711", "[2001:db8::1]:4711", "203.0.113.5, junk", "", None, "127.0.0.1"]
)
async def test_behind_a_proxy_everybody_is_limited(forwarded: str | None) -> None:
    app = create_app(Settings(database_url="postgresql+asyncpg://nobody@localhost/nothing", trusted_proxy="127.0.0.1"))
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://register.test", headers=headers) as client:
        assert (await client.get("/health")).headers["ratelimit"] == '"client";r=399;t=1'


class Silent:
    """A connection that says nothing."""

    waits_since = overstays = unsent = hang_up = abort = lambda *_: None


async def test_a_network_has_connections_as_a_few_clients_have() -> None:
    guard = ConnectionGuard(Limits(client_connection_limit=2), None, Metrics())
    loop = asyncio.get_running_loop()
    found = [
        guard.admit(Silent(), ip_network(f"2001:db8:0:{each:x}::/64")[1], loop)
        for each in range(NEIGHBOURS + 1)
        for _ in range(2)
    ]
    assert found == [None] * (2 * NEIGHBOURS) + [TOO_MANY_CONNECTIONS] * 2
    for connection in list(guard.held):
        guard.forget(connection)
    assert guard._shares.all == 0


def test_shares_are_given_back_as_a_whole() -> None:
    shares = Shares(1, 2)
    for client in ("192.0.2.1", "2001:db8::/64", None):
        shares.add(client, 1)
        assert shares.has_room(client) is (client is None)
        shares.add(client, -1)
    assert (shares.all, dict(shares._held)) == (0, {})
