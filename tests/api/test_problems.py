"""Every error has one shape and a documented type; nothing of what was asked reaches a log."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.exceptions import HTTPException

from cab_registry.api import problem_kinds
from cab_registry.api.problem_kinds import KINDS
from cab_registry.api.problems import kind_of, log_failure, show_problem
from cab_registry.app import create_scratch_app
from cab_registry.domain.errors import Defect, Fault, OperationalFault, Refusal
from cab_registry.register.compiled import Register
from cab_registry.services.asking import ImpossibleQuestion
from cab_registry.services.flat import Unreadable
from cab_registry.services.heads import NotLoaded, PositionNotReached
from cab_registry.services.views import NoSuchRecord, WrongParameters
from cab_registry.storage.errors import StorageBusy, operational_faults
from tests.api.conftest import TODAY, Asker, client_of, question

HUSH = "secret-word"


def fail() -> Register:
    raise Defect(HUSH)


@pytest.fixture
async def broken() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_scratch_app(fail, lambda: TODAY)) as client:
        yield client


def check_shape(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert list(problem)[:6] == ["type", "title", "status", "detail", "faults", "request_id"]
    assert set(list(problem)[6:]) <= {"owners", "differences", "state", "more"}
    assert problem["status"] == response.status_code
    assert problem["request_id"] == response.headers.get("x-request-id")
    kind = next(each for each in KINDS if each.type == problem["type"])
    assert (kind.status, kind.title) == (problem["status"], problem["title"])
    assert (response.headers.get("retry-after") is None) == (kind.retry_after is None)
    assert response.headers.get("www-authenticate") == kind.challenge
    assert response.headers["cache-control"] == "no-store"
    assert all(set(fault) == {"pointer", "message"} for fault in problem["faults"])
    return problem


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/nowhere", problem_kinds.NOT_FOUND),
        ("GET", "/v1/nothing/here", problem_kinds.NOT_FOUND),
        ("DELETE", "/v1/acceptance", problem_kinds.NOT_ALLOWED),
        ("POST", "/v1/agreements", problem_kinds.NOT_ALLOWED),
        ("GET", "/v1/agreements/none-such", problem_kinds.NO_SUCH_RECORD),
        ("GET", "/v1/bodies/us-fcc", problem_kinds.NO_SUCH_RECORD),
        ("GET", "/v1/schemas/none", problem_kinds.NO_SUCH_RECORD),
        ("GET", "/v1/bodies?limit=0", problem_kinds.WRONG_PARAMETERS),
        ("GET", "/v1/bodies?at_least=null", problem_kinds.WRONG_PARAMETERS),
        ("GET", "/v1/bodies?status=null", problem_kinds.WRONG_PARAMETERS),
        ("GET", "/v1/bodies?cursor=abc", problem_kinds.WRONG_PARAMETERS),
        ("GET", "/v1/bodies?known_at=2020-01-01T00:00:00", problem_kinds.WRONG_PARAMETERS),
        ("GET", "/v1/bodies?name=%ff", problem_kinds.UNREADABLE),
        ("GET", "/v1/acceptance", problem_kinds.IMPOSSIBLE),
        ("GET", "/v1/agreements?at_least=9", problem_kinds.WRONG_PARAMETERS),
    ],
)
async def test_errors_have_one_shape(ask: Asker, method: str, path: str, kind: problem_kinds.Kind) -> None:
    response = await ask.client.request(method, path)
    assert check_shape(response)["type"] == kind.type
    if kind is problem_kinds.NOT_ALLOWED:
        assert response.headers["allow"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Unreadable("x"), problem_kinds.UNREADABLE),
        (ImpossibleQuestion([Fault("/a", "b")]), problem_kinds.IMPOSSIBLE),
        (WrongParameters([]), problem_kinds.WRONG_PARAMETERS),
        (NoSuchRecord("body", "x"), problem_kinds.NO_SUCH_RECORD),
        (Refusal("x"), problem_kinds.REFUSED),
        (PositionNotReached(2, 1), problem_kinds.NOT_REACHED),
        (NotLoaded("x"), problem_kinds.NOT_LOADED),
        (StorageBusy("x"), problem_kinds.UNAVAILABLE),
        (OperationalFault("x"), problem_kinds.UNAVAILABLE),
        (Defect("x"), problem_kinds.INTERNAL),
        (KeyError("x"), problem_kinds.INTERNAL),
        (HTTPException(status_code=413), problem_kinds.TOO_LARGE),
        (HTTPException(status_code=400), problem_kinds.OTHER),
        (HTTPException(status_code=500), problem_kinds.INTERNAL),
    ],
)
def test_each_family_of_exceptions_has_its_kind(fault: Exception, kind: problem_kinds.Kind) -> None:
    assert kind_of(fault) is kind
    shown = show_problem(kind, fault, "r-1")
    assert shown.type == f"/problems/{kind.slug}"
    assert shown.request_id == "r-1"


def test_what_the_driver_says_is_for_the_operator_alone(caplog: pytest.LogCaptureFixture) -> None:
    said = "[Errno 111] Connect call failed ('10.1.2.3', 5432)"
    with pytest.raises(StorageBusy) as busy, operational_faults():
        raise ConnectionRefusedError(111, "Connect call failed ('10.1.2.3', 5432)")
    problem = show_problem(problem_kinds.UNAVAILABLE, busy.value, "r-1")
    assert "10.1.2.3" not in str(problem)
    assert problem.detail == "the database is unavailable; send the same request again later"
    with caplog.at_level(logging.WARNING, "cab_registry"):
        log_failure(problem_kinds.UNAVAILABLE, busy.value, "r-1")
    assert said in caplog.text
    assert "r-1" in caplog.text


def test_kinds_are_told_apart_by_their_type() -> None:
    assert len({kind.type for kind in KINDS}) == len(KINDS)
    assert all(kind.title and kind.advice for kind in KINDS)


async def test_a_bug_gives_an_id_that_the_log_explains(
    broken: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = await Asker(broken).post(question())
    problem = check_shape(response)
    assert problem["type"] == "/problems/internal"
    assert HUSH not in response.text
    told = [json.loads(each.getMessage()) for each in caplog.records if "failed" in each.getMessage()]
    assert told[0]["request_id"] == problem["request_id"] == response.headers["x-request-id"]
    assert told[0]["error"] == "Defect"
    assert HUSH not in caplog.text


async def test_no_query_string_reaches_a_log(
    ask: Asker, broken: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for client in (ask.client, broken):
            for path in ("/v1/acceptance", "/v1/bodies", "/v1/bodies/x", "/nowhere", "/v1/agreements"):
                for query in ("name=hush-hush", "destination=hush-hush&result.number=hush-hush", "hush-hush=1", "%ff"):
                    await client.get(f"{path}?{query}")
                await client.post(path, params="hush-hush=1", content=b'{"destination": "hush-hush"}')
    ours = [each for each in caplog.records if each.name.startswith("cab_registry")]
    assert len(ours) >= 50
    assert not [each for each in ours if "hush-hush" in each.getMessage() or "hush-hush" in str(each.exc_info)]
    lines = [json.loads(each.getMessage()) for each in ours if each.name == "cab_registry.access"]
    assert {"method", "path", "status", "ms", "request_id"} <= set(lines[0])
    assert not [each for each in caplog.records if "hush-hush" in each.getMessage() and each.name != "httpx"]


async def test_every_response_is_hardened(ask: Asker, scratch_app: Litestar) -> None:
    for path in ("/health", "/nowhere", "/v1/bodies", "/openapi.json"):
        headers = (await ask.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-request-id"]
        if path != "/nowhere":
            assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
