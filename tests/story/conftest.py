"""What the proofs share: a registry with the packaged law, served by a process of its own."""

import os
from collections.abc import Iterator

import pytest

from tests.cli.officers import Office, load_law
from tests.conftest import DatabaseServer
from tests.story.served import Served


@pytest.fixture(autouse=True, scope="session")
def no_settings_of_this_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - {"CAB_TEST_DATABASE_URL", "CAB_PG_BIN"}:
            if name.startswith("CAB_"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def law_template(database_server: DatabaseServer, migrated_template: str) -> str:
    """The name of a database with the packaged law in it, to clone from."""
    name = database_server.create(migrated_template, kept=True)
    load_law(database_server.url(name))
    return name


@pytest.fixture
def database_url(database_server: DatabaseServer, law_template: str) -> str:
    """A database with the packaged law that no other test sees, for the login of the service."""
    return database_server.url(database_server.create(law_template))


@pytest.fixture
def service(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(database_url, tmp_path_factory.mktemp("service") / "log") as served:
        yield served


@pytest.fixture
def office(database_url: str, service: Served, tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office(database_url, service.address, tmp_path_factory.mktemp("office"))
