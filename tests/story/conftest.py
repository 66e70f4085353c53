"""What the proofs share: a registry with the packaged law, served by a process of its own."""

import os
from collections.abc import Iterator

import pytest

from tests.cli.officers import Office, load_law
from tests.story.served import Served


@pytest.fixture(autouse=True, scope="session")
def no_settings_of_this_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - {"CAB_TEST_DATABASE_URL", "CAB_PG_BIN"}:
            if name.startswith("CAB_"):
                patch.delenv(name)
        yield


@pytest.fixture
def service(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    load_law(database_url)
    with Served(database_url, tmp_path_factory.mktemp("service") / "log") as served:
        yield served


@pytest.fixture
def office(database_url: str, service: Served, tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office(database_url, service.address, tmp_path_factory.mktemp("office"))
