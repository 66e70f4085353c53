"""The log beside a model in memory: whatever is submitted, every moment of the past is answered as it was."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.errors import Refusal
from cab_registry.storage.entries import NewRecord
from cab_registry.storage.log import position_at
from cab_registry.storage.rebuilding import rebuild
from cab_registry.storage.records import current_records, records_as_known
from cab_registry.storage.verification import verify
from tests.storage.samples import body, notice, put, recognition, requirement

IDS = [NewRecord.of(make(number), "new").id for make in (body, recognition, notice) for number in range(1, 4)]
State = dict[str, dict[str, Any]]


def make_change(choose: random.Random) -> tuple[dict[str, Any], str]:
    number = choose.randint(1, 3)
    note = {"note": choose.choice(["a", "b", "c"])}
    document = choose.choice([body(number, **note), recognition(number, **note), notice(number), requirement(**note)])
    return document, choose.choice(["new", "amend", "amend", "correction", "retire"])


def expect(live: State, gone: set[str], document: dict[str, Any], change: str) -> bool:
    """Say whether the log must take a change, and carry it out on the model."""
    record_id = document["id"]
    if change == "new":
        taken = record_id not in live and record_id not in gone
    else:
        taken = record_id in live or (record_id in gone and change == "correction")
    if taken and change == "retire":
        live.pop(record_id)
        gone.add(record_id)
    elif taken:
        live[record_id] = document
        gone.discard(record_id)
    return taken


async def known(connection: AsyncConnection, moment: datetime | int) -> State:
    found = await records_as_known(connection, moment, ids=IDS, law=True)
    return {each.id: each.document for each in found}


@pytest.mark.parametrize("seed", range(4))
async def test_every_moment_is_answered_as_it_was(
    engine: AsyncEngine, owner_engine: AsyncEngine, reading: AsyncConnection, seed: int
) -> None:
    choose = random.Random(seed)
    live: State = {}
    gone: set[str] = set()
    past: list[tuple[datetime, int, State]] = []
    for _ in range(60):
        document, change = make_change(choose)
        taken = expect(live, gone, document, change)
        try:
            done = await put(engine, document, change=change)
        except Refusal:
            assert not taken
        else:
            assert taken
            past.append((done.recorded, done.last, dict(live)))
    assert len(past) > 10
    before: State = {}
    for recorded, position, state in past:
        assert await known(reading, recorded - timedelta(microseconds=1)) == before
        assert await known(reading, recorded) == await known(reading, position) == state
        assert await position_at(reading, recorded) == position
        before = state
    assert {each.id: each.document async for each in current_records(reading)} == live
    await reading.rollback()
    assert await verify(reading) == []
    await reading.rollback()
    async with owner_engine.begin() as connection:
        rebuilt = await rebuild(connection)
    assert (rebuilt.differing, rebuilt.faults) == ({}, ())
    for recorded, _, state in past:
        assert await known(reading, recorded) == state
