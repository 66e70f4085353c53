"""A record that is not what was recorded: nothing is answered that rests on it, and `/ready` says so."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.app import create_app
from cab_registry.services import database
from cab_registry.services.following import RegisterHolder
from cab_registry.services.sources import DatabaseRecords
from cab_registry.settings import Settings
from cab_registry.storage.engine import create_engine
from cab_registry.storage.errors import RecordDamaged
from cab_registry.storage.proving import prove_projection
from tests.api.conftest import Asker, client_of, question
from tests.api.test_following import writer
from tests.storage.test_verification import DAMAGE

__all__ = ["writer"]

Forge = Callable[..., Awaitable[None]]
LABORATORY = "UPDATE record_version SET payload = jsonb_set(payload, '{economy}', '\"XX\"') WHERE id = 'x-kr-lab'"
CHAINED = "UPDATE entry SET public_reason = 'forged' WHERE id = 'x-kr-lab'"


@pytest.fixture
async def owner(writer: AsyncEngine, as_owner: Callable[[URL], str]) -> AsyncIterator[AsyncEngine]:
    made = create_engine(as_owner(writer.url))
    yield made
    await made.dispose()


@pytest.fixture
def forge(owner: AsyncEngine) -> Forge:
    async def run(*statements: str) -> None:
        async with owner.begin() as connection:
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
            await connection.execute(text("ALTER TABLE record_version DROP CONSTRAINT record_version_closed_whole"))
            for statement in statements:
                assert (await connection.execute(text(statement))).rowcount, "nothing was changed"

    return run


def held(engine: AsyncEngine, counted: list[int] | None = None) -> RegisterHolder:
    counts = [] if counted is None else counted
    return RegisterHolder(engine, poll_seconds=60, patience_seconds=5, count_damage=lambda: counts.append(1))


@pytest.mark.parametrize("statement", [LABORATORY, CHAINED, "DELETE FROM record_version WHERE id = 'x-kr-lab'"])
async def test_a_forged_record_is_not_loaded(writer: AsyncEngine, forge: Forge, statement: str) -> None:
    await forge(statement)
    counted: list[int] = []
    holder = held(writer, counted)
    for _ in range(2):
        with pytest.raises(RecordDamaged, match="x-kr-lab"):
            await holder.catch_up()
    with pytest.raises(RecordDamaged):
        holder.current()
    assert "x-kr-lab" in (holder.damage or "")
    assert len(counted) == 1


@pytest.mark.parametrize("column", DAMAGE)
async def test_every_column_of_what_is_derived_is_proved(writer: AsyncEngine, forge: Forge, column: str) -> None:
    async with writer.connect() as connection:
        await prove_projection(connection)
    forged = {"recorded": "tstzrange('2020-01-01', NULL)", "until_position": "100000"}
    change = forged.get(column, DAMAGE[column])
    statement = f"UPDATE record_version SET {column} = {change} WHERE id = 'x-kr-lab'"  # noqa: S608 - own text
    await forge(statement)
    with pytest.raises(RecordDamaged):
        await held(writer).catch_up()


async def test_the_past_is_proved_as_it_is_read_and_the_register_is_sound_again_when_mended(
    writer: AsyncEngine, owner: AsyncEngine, forge: Forge
) -> None:
    holder, past = held(writer), DatabaseRecords(writer)
    await holder.catch_up()
    now = datetime.now(UTC)
    assert await past.read_law(now)
    await forge("UPDATE record_version SET payload = payload || '{\"note\"\\: 1}' WHERE type = 'route'")
    with pytest.raises(RecordDamaged) as damaged:
        await past.read_law(now)
    holder.note_damage(damaged.value)
    with pytest.raises(RecordDamaged):
        await holder.catch_up()
    assert holder.damage is not None
    await database.rebuild(owner)
    await holder.catch_up()
    assert holder.damage is None
    assert await past.read_law(now)


async def test_the_service_says_so(writer: AsyncEngine, forge: Forge, settings: Settings) -> None:
    async def ask_all() -> list[Any]:
        app = create_app(settings)
        async with app.lifespan(), client_of(app) as client:
            asker = Asker(client)
            answers = [await asker.get("/ready"), await asker.post(question()), await asker.get("/bodies")]
            return [*answers, await asker.get("/v1/bodies/x-kr-lab?known_at=2020-01-01"), await asker.get("/health")]

    ready, answer, *_ = await asyncio.create_task(ask_all())
    assert (ready.status_code, ready.json()["faults"], answer.status_code) == (200, [], 200)
    await forge(LABORATORY)
    ready, answer, page, past, health = await asyncio.create_task(ask_all())
    assert ready.status_code == 503
    assert "x-kr-lab" in ready.json()["faults"][0]
    assert [answer.status_code, page.status_code, past.status_code, health.status_code] == [503, 503, 503, 200]
    assert answer.json()["type"] == past.json()["type"] == "/problems/register-damaged"
