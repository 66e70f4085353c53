"""Every acceptance case gets by HTTP the library's answer."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from cab_registry.app import create_scratch_app
from cab_registry.services.cases import Case, ScratchRegisters, ask_library, catalogue_scratch, read_cases
from tests.api.conftest import client_of
from tests.case_files import OWN, shared_files


@pytest.fixture(scope="module")
def registers() -> ScratchRegisters:
    return catalogue_scratch()


async def ask_http(client: httpx.AsyncClient, case: Case) -> dict[str, Any]:
    content = json.dumps(case.ask, default=str)
    response = await client.post("/v1/acceptance", content=content, headers={"content-type": "application/json"})
    assert response.status_code == 200, (case.id, response.text)
    answer: dict[str, Any] = response.json()
    return answer


@pytest.mark.parametrize(
    "path", [*sorted(OWN.glob("*.yaml")), *shared_files()], ids=lambda path: f"{path.parent.parent.name}-{path.stem}"
)
async def test_http_gives_the_librarys_answers(path: Path, registers: ScratchRegisters) -> None:
    cases = read_cases(path)
    case, register = cases[0], registers.base(None)
    app = create_scratch_app(lambda: register, lambda: case.today)
    async with client_of(app) as client:
        for case in cases:
            register = registers.of_case(case)
            by_http = await ask_http(client, case)
            by_library = ask_library(case, register)
            assert (
                by_http["asked"].items()
                >= {
                    key: value
                    for key, value in by_library["asked"].items()
                    if key in ("presented_on", "known_on", "engine")
                }.items()
            )
            assert by_http | {"asked": None} == by_library | {"asked": None}, case.id
