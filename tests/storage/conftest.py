from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.storage.engine import create_engine, read_only


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_engine(database_url, pool_size=20)
    yield made
    await made.dispose()


@pytest.fixture
async def owner_engine(owner_database_url: str) -> AsyncIterator[AsyncEngine]:
    """The same database for the owner of its tables, who tampers and rebuilds."""
    made = create_engine(owner_database_url)
    yield made
    await made.dispose()


@pytest.fixture
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with read_only(engine).connect() as connection:
        yield connection
