"""What every test may ask for: a database of its own, cloned from one that was migrated once for the session.

Tests log in as the service does, as a role that has cab_app and no other right. What needs the owner of the tables
(migrations, tampering, rebuilding) says so: `owner_database_url`, `as_owner`.

Nothing is started before a test asks. Each xdist worker has a server of its own, or, where CAB_TEST_DATABASE_URL names
a server, names of its own on that one.
"""

import asyncio
import contextlib
import functools
import gc
import os
import secrets
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import asyncpg
import pytest
import typer.main
import typer.testing
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy.engine import URL, make_url

from cab_registry.settings import asyncpg_url
from cab_registry.storage.cluster import Cluster, find_binaries

MOST_CLONES = 100
LONG = ("tests/story/", "tests/jobs/test_year", "tests/jobs/test_many_watches")
Result = TypeVar("Result")

# A shared machine makes single examples slow now and then; the time limit of the whole test stands.
hypothesis_settings.register_profile("cab", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("cab")


def pytest_configure() -> None:
    """Look for garbage seldom: tests make registers of many objects that live long, and each look goes over all."""
    gc.set_threshold(200_000, 50, 100)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, so that no worker waits for one of them at the end."""
    items.sort(key=lambda item: not any(part in item.path.as_posix() for part in LONG))


class DatabaseServer:
    """A server on which tests make databases by the name, over one connection that tests do not see."""

    def __init__(self, url_of: Callable[[str], str], maintenance: str, *, lasting: bool) -> None:
        self.owner_url = url_of
        self.lasting = lasting
        self._prefix = f"cab_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{secrets.token_hex(4)}"
        self._login = f"{self._prefix}_service"
        self._password = secrets.token_hex(8)
        self._made: list[str] = []
        self._kept: list[str] = []
        self._count = 0
        # Tests may run an event loop of their own in this thread, so this one lives in another.
        self._thread = ThreadPoolExecutor(1)
        self._runner = asyncio.Runner()
        self._connection: asyncpg.Connection = self._run(lambda: self._connect(maintenance))

    async def _connect(self, url: str) -> asyncpg.Connection:
        return await asyncpg.connect(url.replace("+asyncpg", "", 1))

    async def _execute(self, statement: str) -> None:
        await self._connection.execute(statement)

    def _run(self, work: Callable[[], Coroutine[None, None, Result]]) -> Result:
        return self._thread.submit(lambda: self._runner.run(work())).result()

    def execute(self, statement: str) -> None:
        self._run(lambda: self._execute(statement))

    def url(self, name: str) -> str:
        """The address of a database for the login of the service."""
        parts = make_url(self.owner_url(name)).set(username=self._login, password=self._password)
        return parts.render_as_string(hide_password=False)

    def as_owner(self, url: str | URL) -> str:
        """The address of the same database for the owner of its tables."""
        return self.owner_url(make_url(url).database or "")

    def make_login(self) -> None:
        """Make the login of the service, once the first migration has made the role that it has."""
        self.execute(f"CREATE ROLE \"{self._login}\" LOGIN PASSWORD '{self._password}' IN ROLE cab_app")

    def create(self, template: str | None = None, *, kept: bool = False) -> str:
        """Make a database, empty or as a clone, and give back its name.

        Old clones make room when there are many, unless they are to be kept for several tests.
        """
        if len(self._made) >= MOST_CLONES:
            self.drop(self._made[: MOST_CLONES // 2])
        self._count += 1
        name = f"{self._prefix}_{self._count}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template or "template0"}" STRATEGY FILE_COPY')
        if template is not None:
            (self._kept if kept else self._made).append(name)
        return name

    def drop(self, names: list[str]) -> None:
        for name in list(names):
            self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            with contextlib.suppress(ValueError):
                self._made.remove(name)

    def close(self) -> None:
        if self.lasting:
            self.drop([*self._made, *self._kept])
            self.execute(f'DROP ROLE IF EXISTS "{self._login}"')
        self._run(self._connection.close)
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()


@pytest.fixture(autouse=True, scope="session")
def commands_put_together_once() -> Iterator[None]:
    """All commands are the same for each run; putting them together takes longer than most of them."""
    with pytest.MonkeyPatch.context() as patch:
        made = functools.cache(typer.main.get_command)
        patch.setattr(typer.testing, "_get_command", made)
        patch.setattr(typer.main, "get_command", made)
        yield


@pytest.fixture(scope="session")
def database_server() -> Iterator[DatabaseServer]:
    """The server of this worker: the one that CAB_TEST_DATABASE_URL names, else a throw-away one of our own."""
    if named := os.environ.get("CAB_TEST_DATABASE_URL", "").strip():
        base, mark, query = asyncpg_url(named).partition("?")
        stem = base.rpartition("/")[0]
        with contextlib.closing(
            DatabaseServer(lambda name: f"{stem}/{name}{mark}{query}", base + mark + query, lasting=True)
        ) as server:
            yield server
        return
    with (
        Cluster.throwaway(find_binaries(os.environ)) as cluster,
        contextlib.closing(DatabaseServer(cluster.url, cluster.url(), lasting=False)) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def migrated_template(database_server: DatabaseServer) -> Iterator[str]:
    """The name of a database with every migration in it and no connection to it, to clone from."""
    from cab_registry.storage.migration import upgrade

    name = database_server.create()
    upgrade(database_server.owner_url(name))
    database_server.make_login()
    yield name
    if database_server.lasting:
        database_server.drop([name])


@pytest.fixture
def database_url(database_server: DatabaseServer, migrated_template: str) -> str:
    """A migrated database that no other test sees, as postgresql+asyncpg://..., for the login of the service."""
    return database_server.url(database_server.create(migrated_template))


@pytest.fixture
def owner_database_url(database_server: DatabaseServer, database_url: str) -> str:
    """The database of `database_url` for the owner of its tables."""
    return database_server.as_owner(database_url)


@pytest.fixture
def as_owner(database_server: DatabaseServer) -> Callable[[str | URL], str]:
    """Give the address of a database for the owner of its tables, from its address for the service."""
    return database_server.as_owner


@pytest.fixture
def empty_database_url(database_server: DatabaseServer) -> Iterator[str]:
    """A database with nothing in it, for what migrates it: for its owner."""
    name = database_server.create()
    yield database_server.owner_url(name)
    database_server.drop([name])
