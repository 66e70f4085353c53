import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import asyncpg
import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.errors import OperationalFault
from cab_registry.storage.canonical import NotCanonical
from cab_registry.storage.engine import create_engine
from cab_registry.storage.entries import Change, NewRecord, Private, entry_hash, genesis_hash
from cab_registry.storage.errors import (
    NotInitial,
    RepeatedSubmission,
    StaleVersion,
    StorageBusy,
    UnfitChange,
    operational_faults,
)
from cab_registry.storage.log import (
    append,
    head,
    lock_log,
    position_at,
    read_entries,
    recorded_at,
    stream_entries,
)
from cab_registry.storage.mending import erase_private
from cab_registry.storage.verification import verify
from tests.storage.samples import body, put, put_history, recognition, requirement, submission


async def test_an_empty_log_has_a_head_at_zero(reading: AsyncConnection) -> None:
    end = await head(reading)
    assert (end.position, end.recorded, end.entry_hash) == (0, None, genesis_hash(end.log_id))
    assert await position_at(reading, datetime.now(UTC)) == 0
    assert await verify(reading) == []
    assert await verify(reading, end.entry_hash) == []


async def test_entries_are_chained_in_order_with_one_instant_per_submission(
    engine: AsyncEngine, reading: AsyncConnection
) -> None:
    last = await put_history(engine)
    entries = await read_entries(reading)
    end = await head(reading)
    assert [entry.position for entry in entries] == list(range(1, 8))
    assert entries[0].previous_hash == genesis_hash(end.log_id)
    for before, after in pairwise(entries):
        assert after.previous_hash == before.entry_hash == entry_hash(before)
        assert (after.recorded == before.recorded) is (after.submission == before.submission)
        assert after.recorded >= before.recorded
    assert (end.position, end.recorded, end.entry_hash) == (7, last.recorded, entries[-1].entry_hash)
    assert entries[-1] == last.entries[0]
    assert [entry.change for entry in entries] == ["new", "new", "new", "new", "amend", "amend", "retire"]


async def test_pages_and_streams_go_on_after_a_position(engine: AsyncEngine, reading: AsyncConnection) -> None:
    await put_history(engine)
    assert [entry.position for entry in await read_entries(reading, after=2, limit=3)] == [3, 4, 5]
    assert [entry.position async for entry in stream_entries(reading, after=5)] == [6, 7]
    for limit in (0, 10_001):
        with pytest.raises(ValueError, match="limit"):
            await read_entries(reading, limit=limit)


async def test_an_instant_resolves_to_the_last_position_recorded_by_then(
    engine: AsyncEngine, reading: AsyncConnection
) -> None:
    first = await put(engine, body(1), body(2), initial=True)
    second = await put(engine, body(3))
    before = first.recorded - timedelta(days=9000)
    assert await position_at(reading, before) == 2
    assert await position_at(reading, first.recorded) == 2
    assert await position_at(reading, second.recorded - timedelta(microseconds=1)) == 2
    assert await position_at(reading, second.recorded) == 3
    assert await position_at(reading, second.recorded + timedelta(days=1)) == 3
    assert await recorded_at(reading, 3) == second.recorded
    assert await recorded_at(reading, 4) is None
    with pytest.raises(ValueError, match="offset"):
        await position_at(reading, datetime(2026, 1, 1))  # noqa: DTZ001 - the missing offset is the case


async def test_nothing_was_known_before_a_log_without_an_initial_load(
    engine: AsyncEngine, reading: AsyncConnection
) -> None:
    first = await put(engine, body(1))
    assert await position_at(reading, first.recorded - timedelta(seconds=1)) == 0


async def test_twenty_writers_at_once_lose_nothing(engine: AsyncEngine, reading: AsyncConnection) -> None:
    async def write(writer: int) -> list[int]:
        positions = []
        for turn in range(5):
            done = await put(engine, body(writer * 100 + turn), recognition(writer * 100 + turn))
            positions.append(done.last)
        return positions

    async with asyncio.timeout(60):
        seen = await asyncio.gather(*(write(writer) for writer in range(20)))
    entries = [entry async for entry in stream_entries(reading)]
    assert [entry.position for entry in entries] == list(range(1, 201))
    assert sorted(position for each in seen for position in each) == list(range(2, 201, 2))
    assert all(one.recorded < other.recorded for one, other in pairwise(entries[::2]))
    assert all(one.submission == other.submission for one, other in zip(entries[::2], entries[1::2], strict=True))
    assert await verify(reading) == []


async def test_positions_become_visible_in_their_order(engine: AsyncEngine) -> None:
    """A reader that remembers the last position it saw never misses one that is committed later."""
    stop = asyncio.Event()
    seen: list[int] = []

    async def follow() -> None:
        while not stop.is_set():
            async with engine.connect() as connection:
                seen.extend(entry.position for entry in await read_entries(connection, after=seen[-1] if seen else 0))

    reader = asyncio.create_task(follow())
    await asyncio.gather(*(put(engine, body(number), requirement(id=f"r-{number}")) for number in range(15)))
    await asyncio.sleep(0.05)
    stop.set()
    await reader
    assert seen == list(range(1, 31))


async def test_of_two_writers_that_read_the_same_version_one_is_told(engine: AsyncEngine) -> None:
    await put(engine, body(1))

    async def amend(note: str) -> int:
        return (await put(engine, body(1, note=note), change="amend", expected={"fcc-tw0001": 1})).last

    results = await asyncio.gather(amend("a"), amend("b"), return_exceptions=True)
    (stale,) = [result for result in results if isinstance(result, StaleVersion)]
    assert [(each.id, each.expected, each.found) for each in stale.moved] == [("fcc-tw0001", 1, 2)]
    assert 2 in results


async def test_a_record_that_was_only_read_counts_too(engine: AsyncEngine) -> None:
    await put(engine, requirement())
    await put(engine, requirement("telecom_terminal"), change="amend")
    with pytest.raises(StaleVersion):
        await put(engine, body(1), expected={"us-47cfr-15c": 1})
    with pytest.raises(StaleVersion):
        await put(engine, body(1), expected={"us-47cfr-15c": 0})
    await put(engine, body(1), expected={"us-47cfr-15c": 2, "not-there": 0})


@pytest.mark.parametrize(
    ("documents", "change", "said"),
    [
        ([body(1)], "new", "exists already"),
        ([body(9)], "amend", "no such record"),
        ([requirement(id="fcc-tw0001")], "amend", "of type body"),
        ([requirement(id="fcc-tw0001")], "new", "of type body"),
        ([body(2, note="back")], "amend", "retired"),
        ([body(2)], "retire", "retired"),
        ([body(1, known_from="2020-01-01")], "amend", "only the initial load"),
        ([body(1, note="x"), body(1, note="y")], "amend", "twice"),
    ],
)
async def test_a_change_that_does_not_fit_is_refused_whole(
    engine: AsyncEngine, reading: AsyncConnection, documents: list[dict[str, Any]], change: str, said: str
) -> None:
    await put(engine, body(1), body(2))
    await put(engine, body(2), change="retire")
    records = (NewRecord.of(requirement(id="r-new"), "new"), *(NewRecord.of(each, change) for each in documents))
    mixed = msgspec.structs.replace(submission(), records=records)
    with pytest.raises(UnfitChange, match=said):
        async with engine.begin() as connection:
            await append(connection, mixed)
    assert (await head(reading)).position == 3


async def test_a_change_needs_a_public_reason(engine: AsyncEngine) -> None:
    await put(engine, body(1), public_reason="")
    with pytest.raises(UnfitChange, match="public reason"):
        await put(engine, body(1, note="x"), change="amend", public_reason="")


async def test_a_correction_brings_a_retired_record_back(engine: AsyncEngine, reading: AsyncConnection) -> None:
    await put(engine, body(1))
    await put(engine, body(1), change="retire")
    await put(engine, body(1), change="correction")
    assert [entry.version for entry in await read_entries(reading)] == [1, 2, 3]
    assert await verify(reading) == []


async def test_only_an_empty_log_takes_an_initial_load(engine: AsyncEngine) -> None:
    await put(engine, body(1), initial=True)
    with pytest.raises(NotInitial):
        await put(engine, body(2), initial=True)
    with pytest.raises(ValueError, match="initial"):
        async with engine.begin() as connection:
            await append(connection, submission(body(3), id="initial"))


async def test_a_submission_without_records_is_a_mistake(engine: AsyncEngine) -> None:
    with pytest.raises(ValueError, match="without a record"):
        await put(engine)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (None, None, "later day"),
        ("2020-01-01", "2020-01-01", "later day"),
        ("2020-01-01", None, "later day"),
        (None, "2999-01-01", "future"),
    ],
)
async def test_further_versions_of_the_initial_load_became_known_later(
    engine: AsyncEngine, first: str | None, second: str | None, said: str
) -> None:
    def version(change: Change, day: str | None) -> NewRecord:
        document = body(1, note=str(day)) if day is None else body(1, known_from=day)
        return NewRecord.of(document, change)

    records = (version("new", first), version("amend", second))
    load = msgspec.structs.replace(submission(initial=True), records=records)
    with pytest.raises(UnfitChange, match=said):
        async with engine.begin() as connection:
            await append(connection, load)


def test_known_from_may_be_a_day_as_python_holds_it() -> None:
    new = NewRecord.of(body(1, known_from=date(2020, 1, 1)), "new")
    assert new.known_from == date(2020, 1, 1)
    assert b'"known_from":"2020-01-01"' in new.payload


@pytest.mark.parametrize("stated", ["someday", 2020, "2020-13-01"])
def test_known_from_is_a_day(stated: object) -> None:
    with pytest.raises(NotCanonical, match="known_from"):
        NewRecord.of(body(1, known_from=stated), "new")


@pytest.mark.parametrize("key", ["type", "id", "owner"])
def test_every_record_has_its_head(key: str) -> None:
    with pytest.raises(NotCanonical, match=key):
        NewRecord.of({**body(1), key: ""}, "new")


async def test_an_idempotency_key_is_taken_once_per_principal(engine: AsyncEngine) -> None:
    first = await put(engine, body(1), idempotency_key="k")
    with pytest.raises(RepeatedSubmission) as repeated:
        await put(engine, body(2), idempotency_key="k")
    assert repeated.value.submission == first.submission
    await put(engine, body(2), idempotency_key="k", principal="p-2")


async def test_a_rolled_back_submission_leaves_nothing(engine: AsyncEngine, reading: AsyncConnection) -> None:
    connection = await engine.connect()
    await append(connection, submission(body(1), private=Private("secret")))
    await connection.rollback()
    await connection.close()
    for table in ("entry", "entry_private", "submission", "record_version", "body_search", "body_identifier"):
        assert await reading.scalar(text(f"SELECT count(*) FROM {table}")) == 0  # noqa: S608 - a name of ours


async def test_private_parts_stand_apart_and_can_be_erased(engine: AsyncEngine, reading: AsyncConnection) -> None:
    done = await put(engine, body(1), private=Private("a name", ({"signed_by": "somebody"},)))
    (entry,) = done.entries
    assert entry.private_hash is not None
    assert b"somebody" not in entry.payload
    again = await put(engine, body(2), private=Private("a name", ({"signed_by": "somebody"},)))
    assert again.entries[0].private_hash != entry.private_hash
    async with engine.begin() as connection:
        assert await erase_private(connection, done.submission, "asked for") == 1
    assert await verify(reading) == []
    await reading.rollback()
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM entry_private WHERE position = 2"))
    assert [(fault.kind, fault.position) for fault in await verify(reading)] == [("private", 2)]


async def test_readers_are_woken_after_commit_only(engine: AsyncEngine, database_url: str) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    listener = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    await listener.add_listener("registry", lambda *call: heard.put_nowait(call[3]))
    connection = await engine.connect()
    await append(connection, submission(body(1), body(2)))
    await asyncio.sleep(0.05)
    assert heard.empty()
    await connection.commit()
    assert await asyncio.wait_for(heard.get(), 5) == "2"
    await connection.close()
    await listener.close()


async def test_who_waits_too_long_for_the_lock_is_told_to_come_again(engine: AsyncEngine, database_url: str) -> None:
    impatient = create_engine(
        database_url, lock_timeout=timedelta(milliseconds=50), statement_timeout=timedelta(seconds=5)
    )
    async with engine.begin() as holder:
        await lock_log(holder)
        with pytest.raises(StorageBusy) as busy, operational_faults():
            await put(impatient, body(1))
    assert isinstance(busy.value, OperationalFault)
    await impatient.dispose()


async def test_a_lock_that_is_met_during_the_copy_is_an_operational_fault(
    owner_engine: AsyncEngine, database_url: str
) -> None:
    impatient = create_engine(database_url, lock_timeout=timedelta(milliseconds=50))
    async with owner_engine.begin() as holder:
        await holder.execute(text("LOCK TABLE record_version IN SHARE MODE"))
        with pytest.raises(StorageBusy), operational_faults():
            await put(impatient, body(1))
    await put(impatient, body(1))
    await impatient.dispose()


@pytest.mark.parametrize("moment", ["before", "between"])
async def test_a_lost_connection_is_an_operational_fault(
    engine: AsyncEngine, reading: AsyncConnection, moment: str
) -> None:
    async def put_while_cut_off() -> None:
        async with engine.begin() as connection:
            if moment == "between":
                await append(connection, submission(body(1)))
            process = await connection.scalar(text("SELECT pg_backend_pid()"))
            async with engine.connect() as other:
                await other.execute(text(f"SELECT pg_terminate_backend({process}, 1000)"))
            await append(connection, submission(body(2)))

    with pytest.raises(StorageBusy), operational_faults():
        await put_while_cut_off()
    assert (await head(reading)).position == 0
    await put(engine, body(1))


async def test_faults_of_ours_are_not_called_operational(engine: AsyncEngine) -> None:
    with pytest.raises(DBAPIError), operational_faults():
        async with engine.connect() as connection:
            await connection.execute(text("SELECT nothing FROM nowhere"))


async def test_a_server_that_is_not_there_is_an_operational_fault() -> None:
    nowhere = create_engine("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(StorageBusy), operational_faults():
        async with nowhere.connect():
            pass
    await nowhere.dispose()


def test_other_databases_are_refused() -> None:
    with pytest.raises(ValueError, match="postgresql"):
        create_engine("sqlite:///here")


async def test_a_read_only_engine_writes_nothing(reading: AsyncConnection) -> None:
    with pytest.raises(DBAPIError, match="read-only"):
        await append(reading, submission(body(1)))
