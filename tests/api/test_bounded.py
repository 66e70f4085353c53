"""What is wrong costs little: a hundred faults are listed, off the event loop, and that there are more is said."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import pytest
from litestar import Litestar

from cab_registry.api.problem_kinds import BUSY, REFUSED, TOO_LARGE, UNREADABLE
from cab_registry.register.compiled import Register
from cab_registry.register.schema_faults import MOST_NODES
from cab_registry.register.schemas import list_faults, list_question_faults
from cab_registry.services.asking import ImpossibleQuestion, QuestionReader
from cab_registry.services.meant import list_meant
from tests.api.conftest import Asker, client_of, question

LIMIT: Final = 65_536
SLOW: Final = 5.0
"""Seconds: far below what it took, and far above what it takes on a machine that does much else."""

WORK_SECONDS: Final = 0.1
"""Seconds of the processor, of which one long text took more than twice as many."""


def filled(start: bytes, part: bytes, end: bytes, size: int = LIMIT) -> bytes:
    """A body of nearly a size, with a part again and again."""
    return start + b",".join([part] * ((size - len(start) - len(end)) // (len(part) + 1))) + end


RESULT: Final = b'{"destination":"US","result":{"kind":"certificate","issuer":{"id":"x"},"issued_on":"2020-01-01",'
BODIES: Final = {
    "numbers": filled(RESULT + b'"subcontractors":[', b"0", b"]}}"),
    "empty objects": filled(RESULT + b'"attests":[', b"{}", b"]}}"),
    "objects": filled(RESULT + b'"subcontractors":[', b'{"id":0}', b"]}}"),
    "unknown keys": b"{" + b",".join(b'"k%d":0' % number for number in range(6_000)) + b"}",
    "a long key": b'{"' + b"k" * 60_000 + b'":0}',
    "a long text": b'{"destination":"' + b"x" * 60_000 + b'"}',
    "long texts": filled(RESULT + b'"attests":[', b'"' + b"x" * 400 + b'"', b"]}}"),
    "digits": b'{"destination":' + b"1" * 60_000 + b"}",
    "a large number": b'{"destination":' + b"1" * 4_000 + b"}",
    "depth": b'{"destination":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "deep keys": b'{"a":' * 10_000 + b"0" + b"}" * 10_000,
}


async def longest_pause(work: Callable[[], Awaitable[httpx.Response]]) -> tuple[httpx.Response, float]:
    """Return what came of work, and for how long the event loop did nothing else."""
    pauses = [0.0]

    async def tick() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.001)
            pauses.append(time.monotonic() - began)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0)
    try:
        return await work(), max(pauses)
    finally:
        ticking.cancel()


@pytest.mark.parametrize("name", BODIES)
async def test_a_wrong_question_is_refused_with_a_hundred_faults(ask: Asker, name: str) -> None:
    began = time.monotonic()
    response, pause = await longest_pause(lambda: ask.post(BODIES[name]))
    assert response.status_code in (400, 422)
    problem = response.json()
    assert len(problem["faults"]) <= 100
    assert problem.get("more") in ((True,) if name in {"numbers", "objects", "unknown keys"} else (True, None))
    assert len(response.content) < LIMIT * 2
    assert time.monotonic() - began < SLOW
    assert pause < 1


async def test_a_body_that_needs_no_token_is_small(ask: Asker) -> None:
    response = await ask.post(b" " * (LIMIT + 1))
    assert response.status_code == 413
    assert response.json()["type"] == TOO_LARGE.type


@pytest.mark.parametrize("path", ["/v1/acceptance", "/answer", "/v1/bodies", "/v1/expiries", "/v1/impact/us-fcc"])
async def test_wrong_parameters_are_refused_with_a_hundred_faults(ask: Asker, path: str) -> None:
    query = urlencode([(f"unknown{number}", "x" * 50) for number in range(499)])
    response, pause = await longest_pause(lambda: ask.get(f"{path}?{query}"))
    assert response.status_code == 422
    if path != "/answer":
        problem = response.json()
        assert (len(problem["faults"]), problem["more"]) == (100, True)
    assert pause < 1
    response = await ask.get(f"{path}?{urlencode([('limit', '1')] * 2_000)}")
    assert response.status_code == 400
    assert path == "/answer" or response.json()["type"] == UNREADABLE.type


def test_a_long_document_is_looked_through_in_part() -> None:
    wrong = {"id": 0}
    began = time.monotonic()
    (fault,) = list_faults({"type": "body", "sites": [{"key": "a"}] * (MOST_NODES * 50)})[-1:]
    assert "too long" in fault.message or fault.message
    assert len(list_question_faults({"result": {"subcontractors": [wrong] * 1_000_000}})) <= 102
    assert list_question_faults({"result": {f"k{number}": 0 for number in range(MOST_NODES + 1)}})
    assert time.monotonic() - began < SLOW


@pytest.fixture
async def stored(served: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(served) as client:
        yield client


async def test_watches_without_an_account_are_small(stored: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json"}
    target = b'{"kind":"question","question":0,"x":0}'
    wrong = filled(b'{"mail":"a@b.example","targets":[', target, b"]}")
    response, pause = await longest_pause(lambda: stored.post("/v1/watches", content=wrong, headers=headers))
    assert (response.status_code, response.json()["type"]) == (422, REFUSED.type)
    assert (len(response.json()["faults"]), response.json()["more"]) == (100, True)
    assert pause < 1

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * 30_000

    for content in (b" " * (LIMIT + 1), pieces()):
        response = await stored.post("/v1/watches", content=content, headers=headers)
        assert (response.status_code, response.json()["type"]) == (413, TOO_LARGE.type)
    form = await stored.post("/watches/confirm", content=b"token=" + b"x" * LIMIT)
    assert form.status_code == 413


async def test_a_plain_question_is_answered_while_dear_ones_wait(ask: Asker, scratch_app: Litestar) -> None:
    dear: dict[str, Any] = question(result__attests=[f"Directive {number} of nobody" for number in range(100)])
    plain = question()
    tasks = [asyncio.create_task(ask.post({**dear, "presented_on": f"2024-01-{day:02d}"})) for day in range(1, 29)]
    await asyncio.sleep(0.2)
    began = time.monotonic()
    assert (await ask.post(plain)).status_code == 200
    assert time.monotonic() - began < SLOW / 5
    assert not all(task.done() for task in tasks)
    found = await asyncio.gather(*tasks)
    shed = [each for each in found if each.status_code == 503]
    assert {each.status_code for each in found} == {200, 503}
    assert all((each.json()["type"], each.headers["retry-after"]) == (BUSY.type, "2") for each in shed)
    assert all("cut short" in each.json()["asked"]["notes"][-1] for each in found if each.status_code == 200)
    assert json.loads((await ask.post(plain)).content)["asked"]["notes"] == []
    del scratch_app


@pytest.mark.parametrize("text", ["x" * 56_000, "a b " * 14_000, "1 " * 28_000, "é" * 28_000])
def test_a_text_that_is_too_long_is_compared_with_nothing(scratch_register: Register, text: str) -> None:
    facts = scratch_register.facts
    document = question(destination=text)
    began = time.process_time()
    with pytest.raises(ImpossibleQuestion) as refused:
        QuestionReader().read_document(document, facts.economies)
    assert [fault.pointer for fault in refused.value.faults] == ["/destination"]
    likeness = facts.likeness
    looks = (likeness.ids, likeness.issuers, likeness.beginning, likeness.rules, likeness.economies)
    assert [look(text) for look in looks] == [()] * len(looks)
    assert (likeness.words("requirement", text), list_meant(text, facts)) == ((), ())
    assert time.process_time() - began < WORK_SECONDS
