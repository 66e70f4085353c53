"""What the tests of the command line share: the packaged law, read once, and a small question about it."""

from typing import Any

import pytest

from cab_registry.services import cases
from cab_registry.services.cases import ScratchRegisters


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
