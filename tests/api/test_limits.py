"""Limits of clients and the audit log: whose points pay, what is shed, and what is written of it."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client import generate_latest

from cab_registry.api.http.client_address import client_key, client_of, read_address
from cab_registry.api.http.rate_limits import PRICES
from cab_registry.app import create_app, create_scratch_app
from cab_registry.limits import Limits
from cab_registry.register.compiled import Register
from cab_registry.register.ownership import REGISTRAR
from cab_registry.services.runtime.audit_log import NAME, Act, AuditLog, configure_audit
from cab_registry.services.runtime.work import PAST
from cab_registry.settings import Settings
from tests.api.conftest import TODAY, question
from tests.api.test_accounts import Clock, Knock, clock, engine, enrol, knock, registrar, second
from tests.api.test_problems import check_shape

__all__ = ["clock", "engine", "knock", "registrar", "second"]

FAR = "198.51.100.7"
PROXIES = ip_network("10.0.0.0/8")


def scope(peer: str, *forwarded: str) -> dict[str, Any]:
    return {"type": "http", "client": (peer, 5), "headers": [(b"x-forwarded-for", each.encode()) for each in forwarded]}


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        (FAR, (), FAR),
        (FAR, ("192.0.2.1",), FAR),
        ("10.0.0.1", ("192.0.2.1",), "192.0.2.1"),
        ("10.0.0.1", ("192.0.2.9, 192.0.2.1, 10.0.0.2",), "192.0.2.1"),
        ("10.0.0.1", ("192.0.2.9", "192.0.2.1"), "192.0.2.1"),
        ("10.0.0.1", ("192.0.2.1, unknown",), "10.0.0.1"),
        ("::ffff:10.0.0.1", ("2001:db8::1",), "2001:db8::1"),
        ("10.0.0.1", ("192.0.2.9, 192.0.2.1:4711",), "192.0.2.1"),
        ("10.0.0.1", ("[2001:db8::1]:4711",), "2001:db8::1"),
        ("10.0.0.1", ("[2001:db8::1]",), "2001:db8::1"),
        ("10.0.0.1", ("[::ffff:192.0.2.1]:80",), "192.0.2.1"),
        ("10.0.0.1", ("192.0.2.1, 192.0.2.1:http",), "10.0.0.1"),
        ("10.0.0.1", ("192.0.2.1, [2001:db8::1",), "10.0.0.1"),
        ("10.0.0.1", ("192.0.2.1,",), "10.0.0.1"),
        ("10.0.0.1", ("192.0.2.1, [192.0.2.2]:443",), "192.0.2.2"),
        ("10.0.0.1", (), "10.0.0.1"),
    ],
)
def test_a_client_is_whom_a_trusted_proxy_names_last(peer: str, forwarded: tuple[str, ...], client: str) -> None:
    assert str(client_of(scope(peer, *forwarded), PROXIES)) == client


def test_a_client_of_ipv6_is_its_network() -> None:
    keys = {client_key(found) for text in ("2001:db8::1", "2001:db8::ffff:1") if (found := read_address(text))}
    assert keys == {"2001:db8::/64"}


@pytest.fixture
async def far(scratch_register: Register) -> AsyncIterator[httpx.AsyncClient]:
    limits = Limits(client_points=10, client_points_per_second=0.01, request_limit=5)
    app = create_scratch_app(lambda: scratch_register, lambda: TODAY, limits=limits)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(FAR, 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://register.test") as client:
        yield client


async def test_a_client_is_told_what_is_left_and_when_to_come_again(far: httpx.AsyncClient) -> None:
    # What does no work in a room has a fixed price.
    first = await far.get("/nowhere")
    assert first.headers["ratelimit-policy"] == '"client";q=10;w=1000'
    assert first.headers["ratelimit"] == '"client";r=9;t=100'
    dear = await far.get("/openapi.json")
    assert dear.headers["ratelimit"].startswith('"client";r=7;')
    for _ in range(7):
        assert (await far.get("/nowhere")).status_code == 404
    refused = await far.get("/v1/nowhere")
    assert check_shape(refused)["type"] == "/problems/too-many-requests"
    assert refused.status_code == 429
    assert refused.headers["ratelimit"].startswith('"client";r=0;')
    assert 1 <= int(refused.headers["retry-after"]) <= 100
    page = await far.get("/", headers={"accept": "text/html"})
    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (429, "text/html")
    assert f"Wait {page.headers['retry-after']} seconds and try again" in page.text
    assert not re.search("points|Retry-After|RateLimit", page.text)


@pytest.mark.parametrize("points", [1, 5, 20])
async def test_who_waits_as_told_is_answered_however_small_the_limit_is(
    scratch_register: Register, points: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("cab_registry.app.monotonic", lambda: now[0])
    limits = Limits(client_points=points, client_points_per_second=0.5)
    app = create_scratch_app(lambda: scratch_register, lambda: TODAY, limits=limits)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(FAR, 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://register.test") as client:
        assert (await client.get("/v1/expiries.ics")).status_code == 200
        now[0] += 2
        refused = await client.get("/v1/expiries.ics")
        if points > 1:
            assert check_shape(refused)["detail"].startswith(f"this costs {points} of {points} points")
            now[0] += int(refused.headers["retry-after"])
            refused = await client.get("/v1/expiries.ics")
        assert refused.status_code == 200


@pytest.mark.parametrize("query", ["known_at=2026-06-30", "known%5Fat=2026-06-30", "%6bnown_at=2026-06-30T12:00:00Z"])
async def test_the_past_has_its_price_however_it_is_asked_for(far: httpx.AsyncClient, query: str) -> None:
    def left(response: httpx.Response) -> int:
        return int(response.headers["ratelimit"].split("r=")[1].split(";")[0])

    assert left(await far.get(f"/v1/agreements?{query}")) == 10 - 1 - PAST
    refused = await far.post("/v1/acceptance", json=question(known_at="2026-06-30"))
    assert (refused.status_code, left(refused)) == (429, 10 - 1 - PAST - 1)


async def test_a_dear_question_is_paid_for_by_what_it_took(scratch_register: Register) -> None:
    limits = Limits(client_points=100, client_points_per_second=0.01)
    app = create_scratch_app(lambda: scratch_register, lambda: TODAY, limits=limits)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(FAR, 5))
    dear = question(result__attests=[f"Directive {number} of nobody" for number in range(100)])
    async with httpx.AsyncClient(transport=transport, base_url="http://register.test") as client:
        statuses = [(await client.post("/v1/acceptance", json=dear)).status_code for _ in range(20)]
    assert statuses[0] == 200
    assert statuses[-1] == 429


async def test_who_cannot_pay_a_price_pays_nothing_of_it(far: httpx.AsyncClient) -> None:
    await far.get("/nowhere")
    for _ in range(6):
        refused = await far.get("/openapi.json")
    assert refused.status_code == 429
    assert refused.headers["ratelimit"].startswith('"client";r=1;')
    assert "costs 2 of 10" in refused.json()["detail"]


async def test_nobody_on_this_machine_is_limited_unless_it_is_set(scratch_register: Register) -> None:
    for set_, status in ((False, 200), (True, 429)):
        limits = Limits(client_points=1, client_points_per_second=0.01, limit_loopback=set_)
        app = create_scratch_app(lambda: scratch_register, lambda: TODAY, limits=limits)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://register.test") as client:
            await client.get("/health")
            assert (await client.get("/health")).status_code == status


async def test_what_is_more_than_a_process_works_on_is_shed_at_once(scratch_register: Register) -> None:
    app = create_scratch_app(lambda: scratch_register, lambda: TODAY, limits=Limits(request_limit=2))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://register.test") as client:
        slow = [asyncio.create_task(client.get("/v1/agreements?limit=100")) for _ in range(20)]
        found = [await each for each in slow]
    shed = [each for each in found if each.status_code == 503]
    for each in shed:
        assert check_shape(each)["type"] == "/problems/overloaded"
        assert each.headers["retry-after"] == "2"
    assert {each.status_code for each in found} <= {200, 503}
    counted = generate_latest(app.state.metrics.registry).decode()
    if shed:
        assert f'cab_refusals_total{{kind="overloaded"}} {len(shed)}.0' in counted
    assert "cab_requests_at_work 0.0" in counted
    assert "cab_body_bytes 0.0" in counted


def test_each_price_is_of_an_operation_that_there_is() -> None:
    app = create_app(Settings(database_url="postgresql+asyncpg://nobody@localhost/nothing"))
    paths = {re.sub(r":[a-z]+}", "}", route.path) for route in app.routes}
    assert {path for _, path in PRICES} <= paths


@pytest.fixture
def acts() -> Any:
    """What the audit log says, line by line."""
    lines: list[dict[str, Any]] = []
    handler = logging.Handler()
    handler.emit = lambda each: lines.append(json.loads(each.getMessage()))  # type: ignore[method-assign]
    logger = logging.getLogger(NAME)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lines
    logger.removeHandler(handler)


async def test_who_did_what_from_where_is_written_down(
    knock: Knock, registrar: str, second: str, clock: Clock, acts: list[dict[str, Any]]
) -> None:
    async with knock(registrar, host=FAR, base="https") as first:
        made_id = (await first.post("/v1/principals", json={"name": "Ben Example"})).json()["id"]
    made = acts[0]
    assert {name: made[name] for name in ("operation", "outcome", "status", "client", "authority", "subject")} == {
        "operation": "POST /v1/principals",
        "outcome": "done",
        "status": 201,
        "client": FAR,
        "authority": REGISTRAR,
        "subject": made_id,
    }
    assert made["principal"].startswith("p-")
    assert made["token"] == registrar.split("_")[1]
    assert made["timestamp"]
    assert made["request_id"]
    ana = await enrol(knock, (registrar, second), "us-nist", "submitter")
    other = "1" if ana["text"].endswith("0") else "0"
    acts.clear()
    expected = []
    async with knock(ana["text"], host=FAR, base="https") as client:
        await client.get("/v1/me?x=secret-query")
        expected.append(("GET /v1/me", "wrong-parameters", None))
        await client.post("/v1/principals", json={"name": "secret-body"})
        expected.append(("POST /v1/principals", "not-permitted", "missing-role"))
        await client.get("/v1/me", headers={"authorization": f"Bearer {ana['text'][:-1]}{other}"})
        expected.append(("GET /v1/me", "token-refused", "unknown"))
        await client.get("/v1/me", headers={"authorization": "Bearer secret"})
        expected.append(("GET /v1/me", "token-refused", "malformed"))
        await client.post("/v1/acceptance", json=question())
        await client.get("/v1/agreements")
    now = clock.now
    clock.now = now.replace(year=now.year + 2)
    async with knock(ana["text"]) as client:
        await client.get("/v1/me")
        expected.append(("GET /v1/me", "token-refused", "expired"))
    clock.now = now
    async with knock(registrar) as first:
        await first.delete(f"/v1/tokens/{ana['token']}")
        expected.append(("DELETE /v1/tokens/{token_id}", "done", None))
        async with knock(ana["text"]) as client:
            await client.get("/v1/me")
            expected.append(("GET /v1/me", "token-refused", "revoked"))
            await first.delete(f"/v1/principals/{ana['id']}")
            expected.append(("DELETE /v1/principals/{principal_id}", "done", None))
            await client.get("/v1/me")
            expected.append(("GET /v1/me", "token-refused", "disabled"))
    async with knock(ana["text"], host=FAR) as client:
        await client.get("/v1/me")
        expected.append(("GET /v1/me", "plain-http", None))
    assert [(each["operation"], each["outcome"], each["reason"]) for each in acts] == expected
    assert acts[-2]["token"] == ana["token"]
    assert "secret" not in json.dumps(acts)
    assert not re.search(r"cab_[0-9a-f]{16}_", json.dumps(acts))


async def test_a_token_pays_for_itself_and_a_refused_one_costs_its_address(
    knock: Knock, registrar: str, settings: Settings
) -> None:
    given = msgspec.structs.replace(settings, client_points=30, client_points_per_second=0.001, token_points=60)
    async with knock(registrar, host=FAR, base="https", given=given) as client:
        me = await client.get("/v1/me")
        assert me.headers["ratelimit-policy"].startswith('"token";q=60')
        assert me.headers["ratelimit"].startswith('"token";r=59')
        bad = {"authorization": "Bearer cab_0000000000000000_" + "0" * 64}
        assert (await client.get("/v1/me", headers=bad)).status_code == 401
        left = int((await client.get("/nowhere")).headers["ratelimit"].split("r=")[1].split(";")[0])
        assert left == 30 - 3 - 10


def test_the_audit_log_has_a_file_of_its_own_that_turns_over(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    logger = logging.getLogger(NAME)
    try:
        configure_audit(Limits(audit_log=path, audit_log_bytes=65_536, audit_log_files=2))
        for number in range(1500):
            AuditLog().record(Act(operation="cab db upgrade", outcome="done", subject=f"{number:04}"))
        kept = sorted(each for each in tmp_path.iterdir() if not each.name.startswith("."))
        assert [each.name for each in kept] == ["audit.log", "audit.log.1", "audit.log.2"]
        line = len(path.read_bytes().splitlines(keepends=True)[-1])
        assert all(each.stat().st_size < 65_536 + line for each in kept)
        assert json.loads(path.read_text().splitlines()[-1])["subject"] == "1499"
        assert path.stat().st_mode & 0o077 == 0
    finally:
        for handler in logger.handlers[:]:
            logger.removeHandler(handler)
            handler.close()
        logger.propagate = True
