"""The reference says what the service does; it was asked by schemathesis too."""

import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from litestar import Litestar
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from cab_registry.api.openapi import make_document, render
from cab_registry.api.operations import list_operations
from cab_registry.api.problem_kinds import KINDS
from cab_registry.app import create_app
from cab_registry.settings import Settings
from tests.api.conftest import Asker
from tests.sizes import sized

ROOT = Path(__file__).resolve().parents[2]


def test_the_copy_in_docs_is_current() -> None:
    copy = (ROOT / "docs" / "openapi.json").read_text("utf-8")
    assert copy == render(), "python -m cab_registry.api.openapi > docs/openapi.json"


def operations_of(app: Litestar) -> set[tuple[str, str]]:
    return {
        (path.replace(":str", ""), method.lower())
        for route in app.routes
        if (path := route.path_format).startswith(("/v1", "/health", "/ready", "/openapi"))
        for method in getattr(route, "methods", ())
        if method != "OPTIONS"
    }


def test_every_route_is_described_and_no_other() -> None:
    served = operations_of(create_app(Settings(database_url="postgresql://nobody@127.0.0.1:1/nothing")))
    described = {(path, method) for path, methods in make_document()["paths"].items() for method in methods}
    assert served == described


def test_operations_are_complete() -> None:
    operations = [each for methods in make_document()["paths"].values() for each in methods.values()]
    assert len({each["operationId"] for each in operations}) == len(operations)
    for each in operations:
        assert each["summary"]
        assert each["description"]
        assert "500" in each["responses"]
        assert all(parameter.get("description") for parameter in each["parameters"]), each["operationId"]


def test_nothing_is_loaded_from_elsewhere() -> None:
    text = json.dumps({key: part for key, part in make_document().items() if key != "jsonSchemaDialect"})
    assert "cdn" not in text.lower()


def test_every_problem_is_documented_or_general() -> None:
    text = render()
    general = {"not-found", "method-not-allowed", "refused", "bad-request"}
    for kind in KINDS:
        assert kind.slug in general or f'"{kind.type}"' in text


STORED = ("Submissions", "History", "Watches", "Accounts")


def test_a_scratch_register_serves_what_needs_no_database(scratch_app: Litestar) -> None:
    described = {(each.path, each.method) for each in list_operations() if each.tag not in STORED}
    assert operations_of(scratch_app) == described


def list_described() -> list[str]:
    # Schemathesis leaves its own source out.
    return [each.id for each in list_operations() if each.id != "openapi" and each.tag not in STORED]


@pytest.fixture(scope="module")
def reference(scratch_app: Litestar) -> dict[str, APIOperation[Any, Any, Any, Any]]:
    schema = schemathesis.openapi.from_asgi("/openapi.json", scratch_app)
    operations = [found.ok() for found in schema.get_all_operations()]
    return {each.definition.raw["operationId"]: each for each in operations}


# A well-formed code of an economy that the register does not have is refused, which no schema can say.
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("operation_id", list_described())
def test_the_service_keeps_to_its_reference(
    reference: dict[str, APIOperation[Any, Any, Any, Any]], operation_id: str, mode: GenerationMode
) -> None:
    strategy = reference[operation_id].as_strategy(generation_mode=mode)

    @given(strategy)
    @settings(max_examples=sized(10, whole=100), suppress_health_check=list(HealthCheck), deadline=None)
    def ask(case: schemathesis.Case) -> None:
        response = case.call()
        case.validate_response(response, excluded_checks=[positive_data_acceptance])

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "nothing fits the reference"


async def test_options_names_every_method_of_a_path(ask: Asker) -> None:
    methods: dict[str, set[str]] = {}
    for each in list_operations():
        if each.tag not in STORED:
            methods.setdefault(each.path, {"options"}).add(each.method)
    assert any(len(several) > 2 for several in methods.values())
    for path, several in methods.items():
        response = await ask.client.options(path.replace("{", "").replace("}", ""))
        assert response.status_code == 204, path
        assert {each.strip().lower() for each in response.headers["allow"].split(",")} == several, path
