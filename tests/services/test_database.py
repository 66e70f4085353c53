import pytest
from sqlalchemy import text

from cab_registry.domain.errors import Refusal
from cab_registry.services import database
from cab_registry.storage import migration
from cab_registry.storage.engine import create_engine
from cab_registry.storage.errors import LogDamaged, StorageBusy
from tests.storage.samples import body, put


async def test_an_empty_database_is_upgraded_once_and_described(empty_database_url: str) -> None:
    engine = create_engine(empty_database_url)
    before = await database.status(engine)
    assert (before.revision, before.position, before.log_id) == (None, None, None)
    assert before.newest == migration.head()
    assert set(before.missing_extensions) == {"btree_gist", "pg_trgm"}
    assert database.upgrade(empty_database_url) == database.Upgraded(None, migration.head())
    assert database.upgrade(empty_database_url) == database.Upgraded(migration.head(), migration.head())
    done = await put(engine, body(1), body(2))
    await put(engine, body(2), change="retire")
    after = await database.status(engine)
    assert (after.revision, after.missing_extensions, after.position, after.records) == (migration.head(), (), 3, 1)
    assert after.recorded is not None
    assert after.recorded > done.recorded
    await engine.dispose()


async def test_a_whole_log_verifies_with_its_head_and_rebuilds(owner_database_url: str) -> None:
    engine = create_engine(owner_database_url)
    await put(engine, body(1))
    described = await database.status(engine)
    verified = await database.verify(engine, described.entry_hash)
    assert (verified.position, verified.entry_hash, verified.faults) == (1, described.entry_hash, ())
    assert [fault.kind for fault in (await database.verify(engine, "00" * 32)).faults] == ["tail"]
    for odd in ("zz", "00", ""):
        with pytest.raises(Refusal, match="64 hexadecimal digits"):
            await database.verify(engine, odd)
    rebuilt = await database.rebuild(engine)
    assert (rebuilt.entries, rebuilt.differing, rebuilt.faults) == (1, {}, ())
    await engine.dispose()


async def test_a_damaged_log_is_not_rebuilt_from(owner_database_url: str) -> None:
    engine = create_engine(owner_database_url)
    await put(engine, body(1))
    async with engine.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        await connection.execute(text("UPDATE entry SET owner = 'somebody'"))
    with pytest.raises(LogDamaged):
        await database.rebuild(engine)
    assert len((await database.verify(engine)).faults) > 1
    await engine.dispose()


def test_a_server_that_is_not_there_can_be_tried_again() -> None:
    with pytest.raises(StorageBusy):
        database.upgrade("postgresql://nobody@127.0.0.1:1/none")
