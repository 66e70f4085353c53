"""Requests by chance to everything that the service serves: no fault of its own, flat memory, no long answer.

The suite sends twelve hundred; `make soak` sends two hundred thousand, and measures.
"""

import asyncio
import json
import random
import re
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from cab_registry.app import create_app
from cab_registry.register.catalogue import load_catalogue
from cab_registry.settings import Settings
from tests.api.conftest import question
from tests.cli.officers import Office
from tests.services.office import body
from tests.sizes import SOAK
from tests.soak import MOST_SECONDS, REQUESTS, SEED, was_ridden, write_round
from tests.story.fuzzing import Fuzzer, Operation, read_operations
from tests.story.served import Served
from tests.story.wire import Got, Sent, Wire

CHECKOUT = Path(__file__).resolve().parents[2]
CONNECTIONS = 4
MOST_GROWTH = 1.1
WARM = 0.25
MOST_TOLD = 40
# Nothing is delivered here, since that is another process; addresses and watches are kept all the same.
SETTINGS = {
    "CAB_SECRET_KEYS": b64encode(b"k" * 32).decode(),
    "CAB_SMTP_URL": "smtp://127.0.0.1:1",
    "CAB_MAIL_FROM": "Register <notices@register.example>",
    "CAB_PUBLIC_ADDRESS": "https://register.example",
    "CAB_LOG_LEVEL": "error",
}
PEOPLE = (("kr-rra", "submitter"), ("us-fcc", "submitter"), ("us-fcc", "approver"), ("us-nist", "auditor"))


@dataclass
class Findings:
    """What was asked, and what should not have been answered so."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    longest: float = 0.0

    def look(self, number: int, sent: Sent, got: Got) -> None:
        self.counts[f"answers_{got.status // 100}xx"] += 1
        self.longest = max(self.longest, got.seconds)
        fault = find_fault(sent, got)
        if fault is None and SOAK and got.seconds > MOST_SECONDS:
            fault = f"{got.seconds:.1f} s"
        if fault is not None:
            self.wrong.append(f"request {number}: {fault}: {sent}")


def find_fault(sent: Sent, got: Got) -> str | None:
    """Say what is wrong with an answer, if anything is."""
    if got.status == 0:
        return "the connection ended without an answer"
    if got.status == httpx.codes.SERVICE_UNAVAILABLE:
        return None if "retry-after" in got.headers else "503 without Retry-After"
    if got.status >= 500:
        return f"{got.status} {got.body[:300]!r}"
    if got.status < 400 or not got.body or not sent.target.startswith(b"/v1/"):
        return None
    if got.headers.get("content-type") != "application/problem+json":
        # What is not HTTP never comes as far as the application.
        return (
            None if got.status == httpx.codes.BAD_REQUEST and got.headers.get("connection") == "close" else "no problem"
        )
    problem = json.loads(got.body)
    return None if problem["status"] == got.status and problem["type"] else "a problem of another status"


@pytest.fixture
def service(database_url: str, tmp_path: Path) -> Iterator[Served]:
    with Served(database_url, tmp_path / "log", **SETTINGS) as served:
        yield served


def list_pages(known: Sequence[Operation]) -> list[Operation]:
    """Find every path of the service that the OpenAPI document leaves out, with the methods that it takes."""
    app = create_app(Settings(database_url="postgresql://nowhere/nothing", metrics_port=0))
    named = {each.path for each in known}
    found = []
    for route in app.routes:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path_format if hasattr(route, "path_format") else route.path)
        if path not in named:
            queries = [{"name": name, "in": "query", "schema": {}} for name in ("name", "token", "known_at", "q")]
            methods = sorted(getattr(route, "methods", {"GET"}) - {"OPTIONS"})
            found += [Operation(method, path, queries, [{}] if method == "POST" else ()) for method in methods]
    return found


def good_questions() -> list[Any]:
    stands = question(presented_on=...)
    by_name = question(result__issuer={"name": "Prüflabor Suwon"}, result__subcontractors=[{"name": "Another"}])
    return [question(), stands, by_name, question(destination="Korea"), question(subject__standards=["ISO/IEC 17025"])]


def good_submissions() -> list[Any]:
    """Bodies that Korea may hand in, few by name, so that what is entered does not grow with what is asked."""
    plain = {"type": "body", "owner": "kr-rra", "economy": "KR"}
    documents = [{**body(number), **plain, "id": f"kr-lab-{number}", "identifiers": []} for number in range(1, 9)]
    for document in documents:
        document["sites"] = [{"key": "main", "economy": "KR"}]
    return [
        {"authority": "kr-rra", "public_reason": "as decided", "records": [{"document": each}], **more}
        for each in documents
        for more in ({}, {"dry_run": True}, {"private_reason": "about it"})
    ]


def make_words() -> dict[str, Sequence[str]]:
    """Good values by the names of parameters, of paths and of keys."""
    ids: dict[str, list[str]] = {}
    for entry in load_catalogue(("law",)):
        ids.setdefault(entry.document["type"], []).append(entry.document["id"])
    bodies = [f"kr-lab-{number}" for number in range(1, 9)]
    authorities = ids["authority"]
    day = ["2026-11-20", "2019-06-10", "2021-06-30", "2030-01-01", "0001-01-01", "9999-12-31"]
    return {
        "any": ["a", "Laboratory 1", "kr-rra", "US", "telecom_radio", "problem"],
        "agreements": ids["agreement"], "agreement": ids["agreement"], "routes": ids["route"],
        "authorities": authorities,
        "requirements": ids["requirement"], "requirement": ids["requirement"], "bodies": bodies, "body": bodies,
        "records": [*ids["agreement"], *bodies], "impact": [*ids["agreement"], *bodies, *authorities],
        "authority": authorities, "by": authorities, "owner": authorities, "accreditation_body": authorities,
        "destination": ["US", "KR", "EU", "DE", "CH", "Korea"], "economy": ["KR", "US"], "party": ["US", "KR", "CH"],
        "performed_in": ["KR", "US"], "origin": ["KR"], "issuer_economy": ["KR"], "id": bodies,
        "sector": ["telecom_radio", "pharma"],
        "kind": ["test_report", "certificate", "standing", "question", "body"], "day": day,
        "known_at": [*day, "2026-11-20T12:00:00Z"],
        "within": ["30d", "120", "3660"], "scheme": ["nando", "fcc-designation"], "value": ["0123", "KR0001"],
        "role": ["submitter"],
        "presented_on": day, "performed_on": day, "issued_on": day, "type": ["body", "route"], "slug": ["not-found"],
        "mail": ["a@register.example", "b@register.example"],
        "name": ["Laboratory", "Laboratory 1", "A B C", "body", "question"],
    }  # fmt: skip


def make_fuzzer(tokens: Sequence[str], kept_out: set[str]) -> Fuzzer:
    operations = read_operations(json.loads((CHECKOUT / "docs/openapi.json").read_text()))
    good = {"/v1/acceptance": good_questions(), "/v1/submissions": good_submissions()}
    operations = [
        Operation(each.method, each.path, each.parameters, [*each.bodies, *good.get(each.path, ())])
        if each.method == "POST"
        else each
        for each in operations
    ]
    return Fuzzer(random.Random(SEED), operations, list_pages(operations), make_words(), tokens, kept_out)


@pytest.fixture
def fuzzer(office: Office) -> Fuzzer:
    """What draws requests, some of them of people with a token; the ids on which these hang are kept out."""
    officers = [office.registrar, *(office.officer(*person) for person in PEOPLE)]
    kept_out: set[str] = set()
    for officer in officers:
        me = httpx.get(f"{officer.server}/v1/me", headers={"authorization": f"Bearer {officer.token}"}).text
        kept_out |= set(re.findall(r"\b[a-z]-[0-9a-f]{16}\b", me))
    return make_fuzzer([each.token for each in officers], kept_out)


@pytest.mark.timeout(7200)
async def test_no_request_brings_the_service_to_fail(service: Served, fuzzer: Fuzzer) -> None:
    if SOAK and was_ridden("requests", SEED, REQUESTS):
        pytest.skip("sent already, by the journal")
    print(f"seed {SEED}, {REQUESTS} requests")  # noqa: T201 - shown where it fails
    began, found, memory = time.monotonic(), Findings(), []
    place = urlsplit(service.address)
    numbers = iter(range(REQUESTS))

    async def ask() -> None:
        async with Wire(str(place.hostname), int(place.port or 0)) as wire:
            for number in numbers:
                sent = fuzzer.draw()
                got = await wire.send(sent)
                fuzzer.learn(sent, got)
                found.look(number, sent, got)
                if number in {round(REQUESTS * WARM), REQUESTS - 1}:
                    memory.append(service.resident())
                assert len(found.wrong) < MOST_TOLD, "\n".join(found.wrong)

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(ask())
    assert not found.wrong, "\n".join(found.wrong)
    assert found.counts["answers_2xx"] > REQUESTS / 10
    warm, last = memory
    if SOAK:
        seconds = round(time.monotonic() - began, 1)
        most = {"most_seconds": round(found.longest, 2), "most_growth": round(last / warm, 3)}
        assert last < warm * MOST_GROWTH, f"{warm} bytes, then {last}"
        write_round("requests", SEED, REQUESTS, **found.counts, **most, seconds=seconds)
