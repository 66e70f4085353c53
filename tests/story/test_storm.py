"""Fifty writers while the server, PostgreSQL and connections are killed: nothing acknowledged is lost or doubled."""

import asyncio
import random
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.storage.cluster import Cluster, find_binaries
from cab_registry.storage.database.logins import make_service_login, service_url
from cab_registry.storage.engine import create_engine
from cab_registry.storage.log import stream_entries
from cab_registry.storage.migration import upgrade
from cab_registry.storage.rebuilding import rebuild
from cab_registry.storage.verification import verify
from tests.services.office import Office, body
from tests.sizes import sized
from tests.story.served import plain_environment

WRITERS = 50
SUBMISSIONS = sized(800, whole=2_000)
KILLS = sized(8, whole=20)  # of each kind
SHARED = 10
EACH = SUBMISSIONS // WRITERS
STRIKES = 3 * KILLS
PATH = "/v1/submissions"
CUT = """
SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM (
    SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'cab-registry%' AND pid <> pg_backend_pid()
    ORDER BY random() LIMIT 4
) AS chosen
"""
AMENDS, REFUSED, PAIR, KINDS = 5, 6, 7, 8
KNOWN = {200, 201, 403, 409, 422}


class Crashing(Cluster):
    """A throw-away server that writes as safely as a kept one, and comes back at its address after a crash."""

    port = 0

    def _configuration(self) -> list[str]:
        loose = ("port=", "fsync=", "full_page_writes=")
        kept = [each for each in super()._configuration() if not each.startswith(loose)]
        self.port = self.port or choose_port()
        return [*kept, f"port={self.port}", "fsync=on", "full_page_writes=on", "synchronous_commit=on"]

    def crash(self) -> None:
        """Stop as at a power cut, without writing anything more, and start again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
        self._server = None
        self._launch(self._initialised())


def choose_port() -> int:
    """Choose a port that no outgoing connection is given while the server is down."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@dataclass
class Storm:
    """What was handed in and what became of it, by idempotency key; and how far it has come."""

    address: str
    tokens: list[str]
    told: dict[str, tuple[int, Any]] = field(default_factory=dict)
    handed_in: int = 0
    known: int = 0
    struck: int = 0
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def hold(self) -> None:
        """Wait while the strikes are behind, so that each of them falls in the middle of the work."""
        async with self.moved:
            await self.moved.wait_for(lambda: self.handed_in < (self.struck + 3) * SUBMISSIONS / STRIKES)
            self.handed_in += 1

    async def learn(self) -> None:
        async with self.moved:
            self.known += 1
            self.moved.notify_all()

    async def strike(self) -> None:
        async with self.moved:
            self.struck += 1
            self.moved.notify_all()

    async def reach(self, count: float) -> None:
        async with self.moved:
            await self.moved.wait_for(lambda: self.known >= count)

    async def call(self, client: httpx.AsyncClient, method: str, path: str, **parts: Any) -> httpx.Response:
        """Call again and again until the answer is known."""
        while True:
            try:
                answer = await client.request(method, path, **parts)
            except httpx.TransportError:
                await asyncio.sleep(random.uniform(0.02, 0.1))
                continue
            if answer.status_code < 500:
                return answer
            await asyncio.sleep(random.uniform(0.02, 0.1))

    async def submit(self, client: httpx.AsyncClient, key: str, *records: dict[str, Any]) -> int:
        asked = {"authority": "xa-ministry", "public_reason": key, "private_reason": f"about {key}", "records": records}
        answer = await self.call(client, "POST", PATH, json=asked, headers={"idempotency-key": key})
        assert answer.status_code in KNOWN, answer.text
        self.told[key] = answer.status_code, answer.json()
        return answer.status_code

    async def write(self, client: httpx.AsyncClient, writer: int) -> None:
        for turn in range(EACH):
            await self.hold()
            await self.take_turn(client, writer, turn)
            await self.learn()

    async def take_turn(self, client: httpx.AsyncClient, writer: int, turn: int) -> None:
        key = f"w{writer}-{turn}"
        kind = kind_of(writer, turn)
        if kind == AMENDS:
            await self.amend(client, writer, key)
        elif kind == REFUSED:
            # One of two records is another's, or wrong in itself: neither may be entered.
            wrong = {"owner": "xb-office"} if (turn // KINDS + writer) % 2 else {"economy": "QQ"}
            assert await self.submit(client, key, new(f"{key}-a"), new(f"{key}-b", **wrong)) in {403, 422}
        elif kind == PAIR:
            pair = new(f"{key}-a"), new(f"{key}-b")
            assert await self.submit(client, key, *pair) in {200, 201}
            known = self.told[key][1]["id"]
            assert (await self.submit(client, key, *pair), self.told[key][1]["id"]) == (200, known)
        else:
            assert await self.submit(client, key, new(key)) in {200, 201}

    async def amend(self, client: httpx.AsyncClient, writer: int, key: str) -> None:
        """Change a record that others change too, from the version that was read; a refusal tells the one to read."""
        name = f"lab-{writer % SHARED + 1}"
        read = (await self.call(client, "GET", f"/v1/records/{name}")).json()
        version, standing = read["version"], read["record"]
        for attempt in range(1000):
            document = {**standing, "note": f"{key}-{attempt}"}
            record = {"document": document, "expected_version": version, "change": "amend"}
            if await self.submit(client, f"{key}-{attempt}", record) != 409:
                return
            (difference,) = self.told[f"{key}-{attempt}"][1]["differences"]
            version, standing = difference["found"], difference["since"][-1]["document"]
        pytest.fail(f"{key} never came to its turn")


def kind_of(writer: int, turn: int) -> int:
    """Say what a writer does next; not all of them the same at once."""
    return (writer // SHARED * 2 + turn) % KINDS


def new(name: str, **more: Any) -> dict[str, Any]:
    document = body(owner="xa-ministry", id=f"lab-{name}", names=[{"name": f"Laboratory {name}", "from": "always"}])
    return {"document": {**document, "identifiers": [], "sites": [], **more}, "expected_version": 0}


async def open_office(engine: AsyncEngine) -> list[str]:
    """Load a small law, let the writers in, and bring in the bodies that they share."""
    from datetime import UTC, datetime

    office = Office(engine, now=datetime.now(UTC))
    await office.open()
    texts: list[str] = []
    for writer in range(WRITERS):
        person = await office.hire(f"w{writer}", "xa-ministry", "submitter")
        issued = await issue(office, person.id)
        texts.append(issued)
    for number in range(1, SHARED + 1):
        await office.submit("w0", body(number))
    return texts


async def issue(office: Office, principal: str) -> str:
    from cab_registry.services.principals import issue_token

    issued = await issue_token(
        office.engine, office.people["registrar"], principal=principal, authority="xa-ministry", roles=("submitter",),
        name="storm", **office.means,
    )  # fmt: skip
    return issued.text


@asynccontextmanager
async def killable(url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    program = str(Path(__file__).with_name("serve_until_killed.py"))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, program, url, stdin=pipe, stdout=pipe, env=plain_environment()
    )
    try:
        yield process
    finally:
        await process.communicate(b"end\n")


async def say(process: asyncio.subprocess.Process, line: bytes) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line)
    return (await process.stdout.readline()).decode().strip()


async def cut_connections(url: str) -> None:
    """End some of the server's connections to the database, as a network does; one at least."""
    connection = await asyncpg.connect(url.replace("+asyncpg", "", 1))
    try:
        ended = 0
        for _ in range(1000):
            ended = await connection.fetchval(CUT)
            if ended:
                break
            await asyncio.sleep(0.02)
        assert ended
    finally:
        await connection.close()


async def strike_all(storm: Storm, server: asyncio.subprocess.Process, cluster: Crashing, url: str) -> Counter[str]:
    """Kill one after another, each kind twenty times, spread over the whole of the work."""
    struck: Counter[str] = Counter()
    for number in range(STRIKES):
        await storm.reach(number * SUBMISSIONS / STRIKES)
        await asyncio.sleep(random.uniform(0, 0.1))
        kind = ("server", "connections", "database")[number % 3]
        if kind == "server":
            assert await say(server, b"kill\n") == str(int(signal.SIGKILL))
        elif kind == "database":
            await asyncio.to_thread(cluster.crash)
        else:
            await cut_connections(url)
        struck[kind] += 1
        await storm.strike()
    return struck


@pytest.mark.timeout(300)
@pytest.mark.xdist_group("storm")
async def test_nothing_acknowledged_is_lost_or_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    with Crashing.throwaway(find_binaries(os.environ)) as cluster:
        url = cluster.url(through_socket=True)
        await asyncio.to_thread(upgrade, url)
        owner = create_engine(url)
        await make_service_login(owner)
        await owner.dispose()
        owner_url, url = url, service_url(url)
        engine = create_engine(url)
        tokens = await open_office(engine)
        await engine.dispose()
        async with killable(url) as server:
            assert server.stdout is not None
            storm = Storm((await server.stdout.readline()).decode().strip(), tokens)
            struck = await ride(storm, server, cluster, url)
        assert struck == {"server": KILLS, "connections": KILLS, "database": KILLS}
        assert storm.known == SUBMISSIONS
        engine = create_engine(owner_url)
        try:
            await hold_the_log(engine, storm)
        finally:
            await engine.dispose()


async def ride(storm: Storm, server: asyncio.subprocess.Process, cluster: Crashing, url: str) -> Counter[str]:
    limits = httpx.Limits(max_connections=1)
    async with asyncio.TaskGroup() as group:
        striking = group.create_task(strike_all(storm, server, cluster, url))

        async def work(writer: int) -> None:
            headers = {"authorization": f"Bearer {storm.tokens[writer]}"}
            async with httpx.AsyncClient(
                base_url=storm.address, headers=headers, limits=limits, timeout=20, trust_env=False
            ) as client:
                await storm.write(client, writer)

        for writer in range(WRITERS):
            group.create_task(work(writer))
    return striking.result()


async def hold_the_log(engine: AsyncEngine, storm: Storm) -> None:
    async with engine.begin() as connection:
        rebuilt = await rebuild(connection)
    assert (rebuilt.differing, rebuilt.faults) == ({}, ())
    async with engine.connect() as connection:
        assert await verify(connection) == []
        entries = [each async for each in stream_entries(connection) if each.id.startswith("lab-")]
    found = Counter((str(each.submission), each.id, each.version) for each in entries)
    acknowledged = Counter(
        (answer["id"], each["id"], each["version"])
        for status, answer in storm.told.values()
        if status in {200, 201}
        for each in answer["versions"]
    )
    shared = {f"lab-{number}" for number in range(1, SHARED + 1)}
    brought_in = {key for key in found if key[1] in shared and key[2] == 1}
    assert found.keys() - brought_in == acknowledged.keys()
    assert set(found.values()) == set(acknowledged.values()) == {1}
    reasons = {each.public_reason for each in entries}
    assert not reasons & {key for key, (status, _) in storm.told.items() if status not in {200, 201}}
    # No update is lost: each acknowledged change of a shared record rests on the one before it.
    for name in shared:
        versions = [each.version for each in entries if each.id == name]
        assert versions == list(range(1, len(versions) + 1))
    amended = sum(1 for each in entries if each.id in shared) - SHARED
    assert amended == sum(kind_of(writer, turn) == AMENDS for writer in range(WRITERS) for turn in range(EACH))
