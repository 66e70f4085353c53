import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.storage.acts.act import OPERATOR, Act, NewAct, act_hash, acts_genesis
from cab_registry.storage.acts.append import COLUMNS, acts_head, append_act, read_acts, stream_acts
from cab_registry.storage.acts.images import COMMITTED, gone, image_of, read_image
from cab_registry.storage.acts.tables import act as act_table
from cab_registry.storage.canonical import NotCanonical
from cab_registry.storage.clocks import WrongClock
from cab_registry.storage.log import head, read_entries
from cab_registry.storage.principals import insert_principal, set_disabled
from cab_registry.storage.tables import metadata
from tests.storage.samples import body, put

WHO = "p-0123456789abcdef"
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def made(subject: str = WHO, **more: Any) -> NewAct:
    return NewAct(kind="principal_made", actor=OPERATOR, subject=subject, **more)


async def do(engine: AsyncEngine, *acts: NewAct) -> list[Act]:
    async with engine.begin() as connection:
        return [await append_act(connection, each) for each in acts]


async def test_an_act_continues_the_chain_and_names_the_end_of_the_log(
    engine: AsyncEngine, reading: AsyncConnection
) -> None:
    async with engine.begin() as connection:
        before = await acts_head(connection)
        log_id = (await head(connection)).log_id
    assert (before.position, before.act_hash) == (0, acts_genesis(log_id))
    (first,) = await do(engine, made())
    await put(engine, body(1), body(2))
    (third,) = await do(engine, made("p-2", details={"text": "Ø"}))
    found = await read_acts(reading)
    assert [each.position for each in found] == [1, 2, 3]
    assert found == [each async for each in stream_acts(reading)]
    assert [each.previous_hash for each in found] == [acts_genesis(log_id), first.act_hash, found[1].act_hash]
    assert [act_hash(each) for each in found] == [each.act_hash for each in found]
    assert [each.log_position for each in found] == [0, 0, 2]
    entries = await read_entries(reading)
    assert third.log_hash == entries[-1].entry_hash
    assert {each.act_hash for each in entries} == {found[1].act_hash}
    assert found[1].details()["entries"]["last"] == 2
    assert found[2].details() == {"text": "Ø"}
    assert await acts_head(reading) == type(before)(3, found[2].recorded, found[2].act_hash)
    assert [each.position for each in await read_acts(reading, subject="p-2")] == [3]


async def test_acts_are_gap_free_whoever_appends_at_once(engine: AsyncEngine, reading: AsyncConnection) -> None:
    async def undo() -> None:
        async with engine.connect() as connection:
            await append_act(connection, made())
            await connection.rollback()

    await asyncio.gather(*(do(engine, made(), made()) for _ in range(8)), *(undo() for _ in range(4)))
    assert [each.position for each in await read_acts(reading)] == list(range(1, 17))
    moments = [each.recorded for each in await read_acts(reading)]
    assert moments == sorted(set(moments))


async def test_an_act_commits_to_rows_as_they_stand(engine: AsyncEngine, reading: AsyncConnection) -> None:
    async with engine.begin() as connection:
        await insert_principal(connection, WHO, "person", "Ada", NOW)
        await append_act(connection, made(rows=(await read_image(connection, "principal", id=WHO),)))
        await set_disabled(connection, WHO, NOW)
        after = await read_image(connection, "principal", id=WHO)
        await append_act(connection, NewAct(kind="principal_disabled", actor=OPERATOR, subject=WHO, rows=(after,)))
    first, second = await read_acts(reading)
    assert first.rows()[0].values == {"kind": "person", "created": "2026-12-01T12:00:00.000000Z", "disabled": None}
    assert second.rows() == [after]
    assert b"Ada" not in first.content + second.content


def test_every_column_of_a_committed_table_is_committed_to_or_left_out_for_a_reason() -> None:
    for name, committed in COMMITTED.items():
        named = (*committed.key, *committed.values, *committed.hidden, *committed.sealed, *committed.apart)
        assert committed.table is metadata.tables[name]
        assert sorted(named) == sorted(column.name for column in committed.table.columns), name
        assert [column.name for column in committed.table.primary_key] == list(committed.key)
        assert all(committed.apart.values())


def test_secrets_and_sealed_parts_are_hashed() -> None:
    row = {"submission": "s", "part": "request", "salt": b"a" * 32, "content": b"secret"}
    image = image_of("submission_private", row)
    assert image.key == ("s", "request")
    assert image.values is not None
    assert list(image.values) == ["seal"]
    assert gone("submission_private", submission="s", part="request").values is None


def test_the_columns_of_an_act_are_those_of_its_table() -> None:
    assert sorted(COLUMNS) == sorted(column.name for column in act_table.columns)


async def test_a_detail_without_a_spelling_is_refused(engine: AsyncEngine) -> None:
    with pytest.raises(NotCanonical):
        await do(engine, made(details={"share": 0.5}))


@pytest.mark.parametrize("off", [timedelta(seconds=61), -timedelta(seconds=61), timedelta(days=70 * 365)])
async def test_an_act_is_refused_where_the_clocks_do_not_agree(engine: AsyncEngine, off: timedelta) -> None:
    async with engine.connect() as connection:
        with pytest.raises(WrongClock, match=r"clock of the database says .* that of this process"):
            await append_act(connection, made(), lambda: datetime.now(UTC) + off)


AGAIN = (
    "INSERT INTO act SELECT {}, format, recorded, kind, actor, token, authority, subject, content, log_position,"
    " log_hash, act_hash, previous_hash FROM act"
)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE act SET actor = 'x'", "DELETE FROM act", "TRUNCATE act", AGAIN.format(3), AGAIN.format(2)],
)
async def test_the_database_refuses_to_rewrite_acts(
    engine: AsyncEngine, owner_engine: AsyncEngine, statement: str
) -> None:
    await do(engine, made())
    async with owner_engine.connect() as connection:
        with pytest.raises(DBAPIError, match=r"takes no|does not continue"):
            await connection.execute(text(statement))
