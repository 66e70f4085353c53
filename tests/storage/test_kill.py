import asyncio
import json
import random
import sys
from collections import Counter
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.storage.log import stream_entries
from cab_registry.storage.rebuilding import rebuild
from cab_registry.storage.verification import verify

KILLS = 100
SIZE = 6


async def test_a_hundred_killed_writers_leave_whole_submissions_only(
    engine: AsyncEngine, owner_engine: AsyncEngine, database_url: str
) -> None:
    seed = random.randrange(2**32)
    program = Path(__file__).with_name("submit_until_killed.py")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(program), database_url, str(KILLS), str(SIZE), str(seed)), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    said = json.loads(output)
    assert said["died"] == [-9] * KILLS, f"seed {seed}"
    # The server may still be finishing what the last writer sent.
    async with owner_engine.begin() as connection:
        rebuilt = await rebuild(connection)
    assert (rebuilt.differing, rebuilt.faults) == ({}, ())
    async with engine.connect() as connection:
        assert await verify(connection) == []
        entries = [entry async for entry in stream_entries(connection)]
        private = await connection.scalar(text("SELECT count(*) FROM entry_private"))
    asked = Counter(entry.id.rpartition("-")[0] for entry in entries)
    assert set(asked.values()) == set(Counter(entry.submission for entry in entries).values()) == {SIZE}
    assert private == len(entries)
    assert said["acknowledged"]
    assert set(said["acknowledged"]) <= asked.keys(), f"seed {seed}"
