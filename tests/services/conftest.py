import asyncio
import itertools
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.services.tokens import Principal
from cab_registry.storage.engine import create_engine
from cab_registry.storage.verification import verify
from tests.conftest import DatabaseServer
from tests.letting_in import Registrars
from tests.services.office import Office, opened

HIRES = (
    ("officer", "xa-ministry", ("submitter",)),
    ("second", "xa-ministry", ("submitter", "approver")),
    ("auditor", "xa-ministry", ("auditor",)),
    ("accreditor", "xa-service", ("submitter",)),
    ("regulator", "xb-office", ("submitter",)),
    ("chief", "xb-office", ("approver",)),
)


@dataclass(frozen=True)
class Furnished:
    """A database with the office in it, to clone from, and what the office knows beside."""

    database: str
    people: dict[str, Principal]
    registrars: Registrars
    counted: int


@pytest.fixture(scope="session")
def furnished(database_server: DatabaseServer, migrated_template: str) -> Furnished:
    """The register with its law and officers, entered once; each test has a clone of it."""
    name = database_server.create(migrated_template, kept=True)

    async def furnish() -> Furnished:
        engine = create_engine(database_server.url(name))
        async with opened(engine, HIRES) as made:
            people, counted = dict(made.people), next(made.count)
        await engine.dispose()
        return Furnished(name, people, made.registrars, counted)

    # Tests may run an event loop of their own in this thread.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, furnish()).result()


async def proved(url: str) -> AsyncIterator[AsyncEngine]:
    """An engine over a database whose log holds when the test is over."""
    made = create_engine(url)
    yield made
    async with made.connect() as connection:
        assert await verify(connection) == []
    await made.dispose()


@pytest.fixture
async def office_engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine over a database without an office."""
    async for made in proved(database_url):
        yield made


@pytest.fixture
async def furnished_engine(database_server: DatabaseServer, furnished: Furnished) -> AsyncIterator[AsyncEngine]:
    """An engine over a database with the office."""
    async for made in proved(database_server.url(database_server.create(furnished.database))):
        yield made


@pytest.fixture
def office(furnished_engine: AsyncEngine, furnished: Furnished) -> Office:
    """A register with its law, and officers of three authorities."""
    return Office(
        furnished_engine,
        people=dict(furnished.people),
        registrars=furnished.registrars,
        count=itertools.count(furnished.counted),
    )
