"""The reference says what the operations over a database do: schemathesis asks a served registry, with a token."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import AcceptedNegativeData, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from cab_cli.databases import run_on
from cab_registry.api.operations import list_operations
from cab_registry.services.principals import init_registrar
from tests.api.test_openapi import STORED
from tests.cli.officers import load_law, serving
from tests.conftest import DatabaseServer
from tests.sizes import sized

Reference = dict[str, APIOperation[Any, Any, Any, Any]]


@pytest.fixture(scope="module")
def registry(database_server: DatabaseServer, migrated_template: str) -> Iterator[tuple[Reference, str]]:
    """The operations of a served registry with the packaged law, and the token of its registrar."""
    url = database_server.url(database_server.create(migrated_template, kept=True))
    load_law(url)
    token = run_on(
        url, lambda engine: init_registrar(engine, "Registrar", lambda: datetime.now(UTC), secrets.token_bytes)
    )
    with serving(url) as address:
        schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
        operations = [found.ok() for found in schema.get_all_operations()]
        yield {each.definition.raw["operationId"]: each for each in operations}, token


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/v1/grants?role=approver&authority=us-fcc&principal=%00", None),
        ("GET", "/v1/principals/%00", None),
        ("GET", "/v1/watches/%00", None),
        ("GET", "/v1/changes?body=%00", None),
        ("POST", "/v1/principals", {"name": "\0", "kind": "person"}),
        ("POST", "/v1/grants", {"principal": "\0", "authority": "us-fcc", "role": "approver"}),
        ("POST", "/v1/watches", {"name": "\0", "targets": [{"kind": "body", "id": "\0"}]}),
    ],
)
def test_what_no_text_holds_is_refused(
    registry: tuple[Reference, str], method: str, path: str, body: dict[str, Any] | None
) -> None:
    reference, token = registry
    base = str(next(iter(reference.values())).base_url)
    found = httpx.request(method, base + path, json=body, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    assert 400 <= found.status_code < 500, found.text
    assert found.json()["type"] != "/problems/internal"


# What is well formed may name what is not there, belongs to others or was done before, which no schema can say.
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("operation_id", [each.id for each in list_operations() if each.tag in STORED])
def test_the_service_keeps_to_its_reference(
    registry: tuple[Reference, str], operation_id: str, mode: GenerationMode
) -> None:
    reference, token = registry
    strategy = reference[operation_id].as_strategy(generation_mode=mode)
    known = {each["name"] for each in reference[operation_id].definition.raw.get("parameters", ())}

    @given(strategy)
    @settings(max_examples=sized(3, whole=50), suppress_health_check=list(HealthCheck), deadline=None)
    def ask(case: schemathesis.Case) -> None:
        response = case.call(headers={"Authorization": f"Bearer {token}"})
        try:
            case.validate_response(response, excluded_checks=[positive_data_acceptance])
        except FailureGroup as failed:
            # Of a parameter that nobody knows nothing is sent where it has no value.
            unsent = all(isinstance(each, AcceptedNegativeData) for each in failed.exceptions)
            sent = httpx.URL(str(response.request.url)).params.keys()
            if not (unsent and sent <= known and "additionalProperties" in str(failed.exceptions[0])):
                raise

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "nothing fits the reference"
