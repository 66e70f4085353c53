"""What the tests of the command line share: the packaged law, read once, and a small question about it."""

import os
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from cab_cli.faces import ScratchServer, scratch_server
from cab_registry.services import cases
from cab_registry.services.cases import ScratchRegisters
from tests.cli.officers import Office, load_law, serving
from tests.conftest import DatabaseServer

TODAY = date(2026, 11, 21)


@pytest.fixture(scope="session")
def packaged_law() -> ScratchRegisters:
    return cases.catalogue_scratch()


@pytest.fixture(autouse=True)
def law_read_once(packaged_law: ScratchRegisters, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the law takes a second; what is read is the same each time."""
    monkeypatch.setattr(cases, "catalogue_scratch", lambda: packaged_law)


@pytest.fixture
def question() -> dict[str, Any]:
    """An FDA inspection of a plant in the US, used in Germany: accepted."""
    return {
        "destination": "DE",
        "presented_on": "2020-04-01",
        "result": {
            "kind": "gmp_inspection",
            "issuer": {"id": "us-fda"},
            "issuer_economy": "US",
            "performed_in": "US",
            "performed_on": {"from": "2020-03-02", "to": "2020-03-06"},
            "issued_on": "2020-03-10",
            "findings": "NAI",
        },
        "subject": {
            "sector": "pharma_gmp_human",
            "requirement": "eu-gmp-human",
            "product_class": "human_finished",
            "activity": "surveillance",
        },
    }


@pytest.fixture(scope="session")
def scratch(packaged_law: ScratchRegisters) -> Iterator[ScratchServer]:
    """A real server over the packaged law, on a free port."""
    with scratch_server() as server:
        server.show(packaged_law.base(None), TODAY)
        yield server


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the developer has set for `cab` does not reach the tests; where PostgreSQL is, does."""
    for name in os.environ.keys() - {"CAB_TEST_DATABASE_URL", "CAB_PG_BIN"}:
        if name.startswith("CAB_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def office(
    database_server: DatabaseServer, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """A registry over the packaged law, served, with its first registrar; tests there mind their own bodies."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - {"CAB_TEST_DATABASE_URL", "CAB_PG_BIN"}:
            if name.startswith("CAB_"):
                patch.delenv(name)
        url = database_server.url(database_server.create(migrated_template, kept=True))
        load_law(url)
        with serving(url) as server:
            yield Office(url, server, tmp_path_factory.mktemp("office"))
