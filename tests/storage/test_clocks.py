"""A wrong clock: nothing is recorded by it, it is said, and what it dated is corrected without being rewritten."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.domain.errors import Refusal
from cab_registry.storage.clocks import WrongClock
from cab_registry.storage.engine import create_engine, read_only
from cab_registry.storage.log import append, head, position_at, read_clock_faults, recorded_at
from cab_registry.storage.mending import correct_clock
from cab_registry.storage.proving import prove_projection
from cab_registry.storage.records import records_as_known
from cab_registry.storage.verification import verify
from tests.storage.samples import body, put, submission

AHEAD = timedelta(days=70 * 365)
FAKED = """
CREATE SCHEMA faked;
CREATE FUNCTION faked.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
    $$ SELECT pg_catalog.clock_timestamp() + interval '25550 days' $$;
GRANT USAGE ON SCHEMA faked TO PUBLIC
"""


@pytest.fixture
async def ahead(engine: AsyncEngine, owner_engine: AsyncEngine, database_url: str) -> AsyncIterator[AsyncEngine]:
    """The same database with its clock seventy years ahead, for connections that are opened from now on."""
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    async with owner_engine.begin() as connection:
        for statement in FAKED.split(";\n"):
            await connection.execute(text(statement))
        name = await connection.scalar(text("SELECT current_database()"))
        await connection.execute(text(f'ALTER DATABASE "{name}" SET search_path = faked, pg_catalog, public'))
    made = create_engine(database_url)
    yield made
    await made.dispose()


async def put_ahead(ahead: AsyncEngine) -> None:
    """Append with both clocks seventy years ahead, which nobody can tell then."""
    async with ahead.begin() as connection:
        later = datetime.now(UTC) + AHEAD
        await append(connection, submission(body(2), body(3)), lambda: later)
    async with ahead.begin() as connection:
        later = datetime.now(UTC) + AHEAD
        await append(connection, submission(body(2, note="x"), change="amend"), lambda: later)


async def test_nothing_is_recorded_by_a_clock_that_jumped(engine: AsyncEngine, ahead: AsyncEngine) -> None:
    await put(engine, body(1))
    with pytest.raises(WrongClock, match=r"database says 20\d\d.* that of this process 20"):
        await put(ahead, body(2))
    async with read_only(ahead).connect() as connection:
        assert (await head(connection)).position == 1
        assert {each.kind for each in await verify(connection)} == {"clock"}
        assert len(await read_clock_faults(connection)) == 1


async def test_what_a_wrong_clock_dated_is_corrected_and_the_log_goes_on(
    engine: AsyncEngine, owner_engine: AsyncEngine, ahead: AsyncEngine
) -> None:
    await put(engine, body(1))
    before = datetime.now(UTC)
    await put_ahead(ahead)
    with pytest.raises(WrongClock, match="later than it is by the clock of this process"):
        await put(engine, body(4))
    async with read_only(engine).connect() as connection:
        assert {each.kind for each in await verify(connection)} == {"clock"}
        kept = (await head(connection)).entry_hash
        assert [each.id for each in await records_as_known(connection, datetime.now(UTC), law=False, bodies=IDS)] == [
            "fcc-tw0001"
        ]
    async with owner_engine.begin() as connection:
        done = await correct_clock(connection, first=2, last=4, ahead_by=AHEAD, reason="the host stood in 2096")
    assert done.rebuilt.faults == ()
    assert before < done.first < done.last < datetime.now(UTC)
    middle = datetime.now(UTC)
    await put(engine, body(4))
    await put(engine, body(2, note="y"), change="amend")
    async with read_only(engine).connect() as connection:
        assert await verify(connection, kept) == []
        await prove_projection(connection)
        assert [await position_at(connection, each) for each in (before, done.first, middle)] == [1, 3, 4]
        assert await position_at(connection, datetime.now(UTC)) == 6
        assert await recorded_at(connection, 2) == done.first
        found = await records_as_known(connection, middle, bodies=IDS)
        assert [each.document.get("note") for each in found] == [None, None, "x"]
        assert len(await records_as_known(connection, datetime.now(UTC), bodies=IDS)) == 4


IDS = [f"fcc-tw000{number}" for number in range(1, 5)]


@pytest.mark.parametrize(
    ("first", "last", "ahead_by", "says"),
    [
        (2, 9, AHEAD, "positions are 1 to 4"),
        (3, 4, AHEAD, "cuts through the submission"),
        (2, 2, AHEAD, "cuts through the submission"),
        (1, 4, timedelta(), "needs a reason"),
        (2, 4, timedelta(days=1), "would not lie between"),
        (2, 4, 2 * AHEAD, "would not lie between"),
        (4, 4, 2 * AHEAD, "would not lie between"),
    ],
)
async def test_a_correction_that_cannot_be_is_refused(
    owner_engine: AsyncEngine, ahead: AsyncEngine, first: int, last: int, ahead_by: timedelta, says: str
) -> None:
    await put(owner_engine, body(1))
    await put_ahead(ahead)
    async with owner_engine.connect() as connection:
        with pytest.raises(Refusal, match=says):
            await correct_clock(connection, first=first, last=last, ahead_by=ahead_by, reason="x")


async def test_the_first_load_has_no_instant_to_correct(owner_engine: AsyncEngine) -> None:
    await put(owner_engine, body(1), initial=True)
    async with owner_engine.connect() as connection:
        with pytest.raises(Refusal, match="before everything"):
            await correct_clock(connection, first=1, last=1, ahead_by=AHEAD, reason="x")


async def test_a_correction_that_no_act_states_is_a_fault(engine: AsyncEngine, owner_engine: AsyncEngine) -> None:
    await put(engine, body(1))
    async with owner_engine.begin() as connection:
        await connection.execute(text("INSERT INTO clock_correction VALUES (1, 1, 5, 1)"))
    async with read_only(engine).connect() as connection:
        assert "clock" in {each.kind for each in await verify(connection)}
