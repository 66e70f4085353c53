"""What falls in a storm: servers, jobs, connections, backends and the whole database, one after another."""

import asyncio
import os
import random
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from cab_registry.storage.cluster import Cluster
from tests.story.killable import JOBS, SERVERS
from tests.story.served import plain_environment
from tests.story.storm import Storm

SHARES = {"connections": 14, "server": 3, "jobs": 1, "backend": 1, "database": 1}
"""Of twenty kills; what makes all start again costs most."""
CHOSEN = """
SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'cab-%' AND pid <> pg_backend_pid()
ORDER BY random() LIMIT $1
"""
CUT = f"SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM ({CHOSEN}) AS chosen"  # noqa: S608 - ours
PATIENCE_SECONDS = 60


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


class Killable:
    """The processes of the service, each of which can be killed by its number."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def read(self) -> str:
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode().strip()

    async def kill(self, number: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{number}\n".encode())
        assert await self.read() == str(int(signal.SIGKILL)), f"process {number} had ended before it was killed"


@asynccontextmanager
async def killable(url: str, log: Path) -> AsyncIterator[Killable]:
    program = str(Path(__file__).with_name("killable.py"))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, program, url, str(log), stdin=pipe, stdout=pipe, env=plain_environment()
    )
    try:
        yield Killable(process)
    finally:
        await process.communicate(b"")


def draw_strikes(count: int, chance: random.Random) -> list[str]:
    """Draw what falls when: each kind by its share, in any order."""
    whole = sum(SHARES.values())
    drawn = [kind for kind, share in SHARES.items() for _ in range(share)]
    kinds = [drawn[number % whole] for number in range(count)]
    chance.shuffle(kinds)
    return kinds


async def strike_all(
    storm: Storm, service: Killable, cluster: Crashing, url: str, chance: random.Random
) -> Counter[str]:
    """Kill one after another, spread over the whole of the work."""
    struck: Counter[str] = Counter()
    for number, kind in enumerate(draw_strikes(storm.kills, chance)):
        await storm.reach(number * storm.size / storm.kills)
        await asyncio.sleep(chance.uniform(0, 0.05))
        if kind == "server":
            await service.kill(chance.randrange(SERVERS))
        elif kind == "jobs":
            await service.kill(JOBS)
        elif kind == "database":
            await asyncio.to_thread(cluster.crash)
        else:
            await hit(url, cut_connections if kind == "connections" else kill_backend, chance)
        struck[kind] += 1
        await storm.strike()
    return struck


Hit = Callable[[Any, random.Random], Awaitable[int]]


async def cut_connections(connection: Any, chance: random.Random) -> int:
    """End some of the connections to the database, as a network does."""
    return int(await connection.fetchval(CUT, chance.randint(1, 4)))


async def kill_backend(connection: Any, chance: random.Random) -> int:
    """Kill the process behind one connection, at which PostgreSQL ends all others and recovers."""
    chosen = await connection.fetch(CHOSEN, 1)
    for row in chosen:
        os.kill(row["pid"], signal.SIGKILL)
    return len(chosen)


async def hit(url: str, strike: Hit, chance: random.Random) -> None:
    """Strike as soon as there is something to be struck: the database may be recovering, and nobody connected."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                connection = await asyncpg.connect(url.replace("+asyncpg", "", 1), timeout=5)
            except (OSError, TimeoutError, asyncpg.PostgresError):
                await asyncio.sleep(0.02)
                continue
            try:
                if await strike(connection, chance):
                    return
            except (asyncpg.PostgresError, asyncpg.InterfaceError, ProcessLookupError):
                continue
            finally:
                connection.terminate()
            await asyncio.sleep(0.02)
