"""The databases that tests get are migrated, apart from each other, and quick to have."""

import asyncpg
import pytest

from cab_registry.storage.migration import current, head


async def _mark(url: str) -> int:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute("CREATE TABLE mark (made int)")
        marks: int = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE tablename = 'mark'")
    finally:
        await connection.close()
    return marks


@pytest.mark.parametrize("_time", ["first", "second"])
async def test_each_test_has_a_database_of_its_own(owner_database_url: str, _time: str) -> None:
    assert await _mark(owner_database_url) == 1


def test_a_database_is_at_the_newest_revision(database_url: str) -> None:
    assert current(database_url) == head()


async def test_an_empty_database_holds_nothing(empty_database_url: str) -> None:
    connection = await asyncpg.connect(empty_database_url.replace("+asyncpg", ""))
    try:
        query = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        assert await connection.fetchval(query) == 0
    finally:
        await connection.close()
