"""A change that touches 10 of many watched questions asks these again, and no others; `make soak` takes 100,000."""

from __future__ import annotations

import asyncio
import json
import random
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.services.watching.targets import Target
from cab_registry.services.watching.watch_targets import ask_one
from cab_registry.services.watching.watched_answers import Asker
from cab_registry.storage.engine import create_engine
from cab_registry.storage.watches import NewWatch, NewWatched, insert_watch, lock_cursor
from tests.jobs.served import ServedJobs
from tests.jobs.test_year import Large
from tests.services.delivery.noticing import make_endpoint
from tests.services.delivery.receiving import Receiver, answer, receiving
from tests.services.office import body, given, law, right
from tests.services.watching.watchers import ROUTE, new_reports, report
from tests.sizes import SOAK, sized

BODIES = sized(800, whole=10_000)
EACH = 10
DEADLINE = 5.0
LOST = (BODIES // 2, 77, BODIES - 1)
DAYS = [f"2026-0{month}-01" for month in range(1, 6)]


def enter_all() -> Iterator[dict[str, Any]]:
    yield from law()
    issuer = {"recognition": ROUTE["issuer"]["recognition"]}
    yield {**ROUTE, "issuer": issuer, "sources": {"law": {"title": "Gazette", "confidence": "high"}}}
    for number in range(1, BODIES + 1):
        yield body(number)
        yield right("recognition", number)


def targets_of(number: int) -> list[Target]:
    """Ten different questions about a laboratory."""
    found = [report(number, day) for day in DAYS]
    found.append(new_reports(number))
    found.append(new_reports(number, scheme="numbers", value=f"A-{number}"))
    found.append(new_reports(number, name=f"Laboratory {number}"))
    found += [msgspec.structs.replace(report(number, day), row=f"copy of {day}") for day in DAYS[:2]]
    assert len(found) == EACH
    return found


def for_body(rows: list[NewWatched], number: int) -> list[NewWatched]:
    """What was asked of the first laboratory, as it is asked of another one: all of them are alike."""

    def renamed(value: Any) -> Any:
        plain = json.dumps(value)
        spellings = ("lab-{}", "A-{}", "numbers A{}", "aboratory {}", "aboratory{}", "aboratory{}(")
        for old, new in ((each.format(1), each.format(number)) for each in spellings):
            plain = plain.replace(f'{old}"', f'{new}"')
        return json.loads(plain)

    return [msgspec.structs.replace(row, target=renamed(row.target), keys=renamed(list(row.keys))) for row in rows]


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_engine(database_url)
    yield made
    await made.dispose()


async def until_told(receiver: Receiver, count: int) -> float:
    """Wait until so many notices have come, and give back how long it took."""
    began = time.monotonic()
    async with asyncio.timeout(60):
        while len(set(receiver.ids)) < count:  # noqa: ASYNC110 - the receiver has no event
            await asyncio.sleep(0.01)
    return time.monotonic() - began


@pytest.mark.timeout(300)
async def test_a_change_asks_only_what_it_can_touch(database_url: str, engine: AsyncEngine, tmp_path: Path) -> None:
    office = Large(engine, documents=list(enter_all()))
    office.now = datetime.now(UTC)
    await office.open()
    await office.hire("regulator", "xb-office", "submitter")
    held = await office.desk.heads.at_least(1)
    asker = Asker(held.register.facts, office.desk.today)
    first = [ask_one(asker, held.position, target) for target in targets_of(1)]
    for number in random.Random(7).sample(range(1, BODIES + 1), 30):
        asked = [ask_one(asker, held.position, target) for target in targets_of(number)]
        assert asked == for_body(first, number)

    async with receiving(answer(204)) as receiver:
        async with engine.begin() as connection:
            endpoint = await make_endpoint(connection, 1, receiver.url("127.0.0.1"))
            assert await lock_cursor(connection, share=True) == held.position
            for part in range(10):
                numbers = range(part * BODIES // 10 + 1, (part + 1) * BODIES // 10 + 1)
                watch = NewWatch(
                    id=f"w-{part:016x}",
                    endpoint=endpoint,
                    principal=None,
                    authority=None,
                    kind="portfolio",
                    target={},
                    name=f"part {part}",
                    created=office.now,
                )
                await insert_watch(connection, watch, (row for number in numbers for row in for_body(first, number)))
        async with engine.connect() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM watched")) == BODIES * EACH
        settings = {
            "CAB_SECRET_KEYS": b64encode(bytes(32)).decode(),
            "CAB_WEBHOOK_NETWORKS": "127.0.0.0/8",
        }
        with ServedJobs(database_url, tmp_path / "jobs.log", **settings) as jobs:
            await asyncio.to_thread(jobs.wait_until, "cab_watch_position", held.position)
            took = []
            for number in LOST:
                recognition = right("recognition", number)
                lost = [*recognition["timeline"], {"event": "suspended", "on": "2026-02-15"}]
                await office.submit("regulator", given({**recognition, "timeline": lost}, 1))
                took.append(await until_told(receiver, 6 * (len(took) + 1)))
            await asyncio.to_thread(jobs.wait_until, "cab_watch_position", held.position + len(LOST))
            asked_again = await asyncio.to_thread(jobs.measure, "cab_watch_asked")
            notices = await asyncio.to_thread(jobs.measure, "cab_watch_notices")
    # Of ten questions, the four about reports made before the loss are answered as before.
    assert asked_again == EACH * len(LOST)
    assert notices == len(set(receiver.ids)) == 6 * len(LOST)
    # Other tests run beside in the suite, and may hold up every change.
    if SOAK:
        assert min(took) < DEADLINE
