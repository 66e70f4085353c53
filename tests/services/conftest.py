from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.storage.engine import create_engine
from cab_registry.storage.verification import verify
from tests.services.office import Office, opened

HIRES = (
    ("officer", "xa-ministry", ("submitter",)),
    ("second", "xa-ministry", ("submitter", "approver")),
    ("auditor", "xa-ministry", ("auditor",)),
    ("accreditor", "xa-service", ("submitter",)),
    ("regulator", "xb-office", ("submitter",)),
    ("chief", "xb-office", ("approver",)),
)


@pytest.fixture
async def office_engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_engine(database_url)
    yield made
    async with made.connect() as connection:
        assert await verify(connection) == []
    await made.dispose()


@pytest.fixture
async def office(office_engine: AsyncEngine) -> AsyncIterator[Office]:
    """A register with its law, and officers of three authorities."""
    async with opened(office_engine, HIRES) as made:
        yield made
