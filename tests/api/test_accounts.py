"""Accounts over HTTP: who is let in, over which connection, as what, and for how long."""

import json
import logging
import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.app import create_app
from cab_registry.register.ownership import REGISTRAR
from cab_registry.services.principals import init_registrar
from cab_registry.services.submissions import load_catalogue
from cab_registry.settings import Settings
from cab_registry.storage.engine import create_engine
from tests.api.test_following import accept, law_documents
from tests.api.test_problems import check_shape
from tests.letting_in import Registrars, let_in

Knock = Callable[..., httpx.AsyncClient]


class Clock:
    """The time of the service, which a test can turn on."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_engine(database_url)
    await load_catalogue(made, law_documents(), validate=accept)
    yield made
    await made.dispose()


@pytest.fixture
async def knock(engine: AsyncEngine, settings: Settings, clock: Clock) -> AsyncIterator[Knock]:
    """Makes clients with a token, an address of their own, and a scheme; accounts do not need the register loaded."""
    made: list[Litestar] = []

    def make(
        token: str | None = None,
        *,
        host: str = "127.0.0.1",
        base: str = "http",
        trusted: str | None = None,
        given: Settings = settings,
    ) -> Any:
        app = create_app(msgspec.structs.replace(given, trusted_proxy=trusted), clock=clock)
        made.append(app)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(host, 5))
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return httpx.AsyncClient(transport=transport, base_url=f"{base}://register.test", headers=headers)

    yield make
    for app in made:
        await app.state.engine.dispose()


@pytest.fixture
async def registrar(engine: AsyncEngine, clock: Clock) -> str:
    return await init_registrar(engine, "First Registrar", clock, os.urandom)


@pytest.fixture
async def second(engine: AsyncEngine, registrar: str, clock: Clock) -> str:
    """The token of a second registrar."""
    alone = Registrars(registrar, registrar)
    return (await let_in(engine, alone, REGISTRAR, "registrar", clock=clock, random=os.urandom)).token


async def enrol(
    knock: Knock, registrars: tuple[str, str], authority: str, *roles: str, name: str = "Ana Example"
) -> dict[str, Any]:
    """Let a person in with roles at an authority; gives the principal's id and the token."""
    async with knock(registrars[0]) as first, knock(registrars[1]) as other, knock() as nobody:
        principal = (await first.post("/v1/principals", json={"name": name})).json()["id"]
        asked = {"principal": principal, "authority": authority}
        proposed = [(await first.post("/v1/grants", json={**asked, "role": role})).json() for role in roles]
        invited = await first.post("/v1/invitations", json={**asked, "roles": roles})
        assert invited.status_code == 201, invited.text
        redeemed = await nobody.post("/v1/invitations/redeem", json={"code": invited.json()["code"], "name": "office"})
        assert redeemed.status_code == 201, redeemed.text
        for each in proposed:
            approved = await other.post(f"/v1/grants/{each['id']}/approve")
            assert approved.json()["outcome"] == "granted", approved.text
    return {"id": principal, "text": redeemed.json()["text"], "token": redeemed.json()["token"]["id"]}


async def test_registrars_let_people_in_and_out(knock: Knock, registrar: str, second: str) -> None:
    async with knock(registrar) as first:
        ana = await enrol(knock, (registrar, second), "us-nist", "submitter", "approver")
        async with knock(ana["text"]) as client:
            me = (await client.get("/v1/me")).json()
            assert me["principal"]["name"] == "Ana Example"
            assert [(each["authority"], each["role"]) for each in me["principal"]["grants"]] == [
                ("us-nist", "approver"),
                ("us-nist", "submitter"),
            ]
            assert (me["token"]["id"], me["token"]["authority"]) == (ana["token"], "us-nist")
            assert me["token"]["last_used"]
            assert (me["policy"]["authority"], me["policy"]["version"], me["policy"]["four_eyes"]) == (
                "us-nist",
                0,
                False,
            )
            assert "secret" not in json.dumps(me)
            for path in ("/v1/principals", f"/v1/tokens?principal={me['principal']['id'][::-1]}"):
                assert check_shape(await client.get(path))["type"] == "/problems/not-permitted"
        params = {"principal": ana["id"], "authority": "us-nist", "role": "approver"}
        assert len((await first.delete("/v1/grants", params=params)).json()["grants"]) == 1
        missing = check_shape(await first.delete("/v1/grants", params={"role": "approver"}))
        assert [each["pointer"] for each in missing["faults"]] == ["/principal", "/authority"]
        page = (await first.get("/v1/principals", params={"limit": 1})).json()
        rest = (await first.get("/v1/principals", params={"after": page["next"]})).json()
        assert {each["id"] for each in page["items"] + rest["items"]} >= {ana["id"]}
        assert len(page["items"] + rest["items"]) == 3
        assert (await first.delete(f"/v1/principals/{ana['id']}")).json()["disabled"]
        async with knock(ana["text"]) as client:
            assert check_shape(await client.get("/v1/me"))["type"] == "/problems/token-refused"
        assert check_shape(await first.get("/v1/principals/p-none"))["type"] == "/problems/no-such-account"


async def test_a_token_is_shown_once_rotated_and_revoked(knock: Knock, registrar: str, clock: Clock) -> None:
    async with knock(registrar) as first:
        rotated = await first.post("/v1/tokens/current/rotate", json={"days": 2})
        assert rotated.status_code == 201
        assert rotated.headers["cache-control"] == "no-store"
        text = rotated.json()["text"]
        assert (await first.get("/v1/me")).status_code == 200  # within the overlap
    async with knock(text) as second:
        listed = (await second.get("/v1/tokens")).json()["items"]
        assert len(listed) == 2
        assert not [each for each in listed if text.rpartition("_")[2] in json.dumps(each)]
        further = {"authority": "registrar", "roles": ["registrar"], "name": "further"}
        issued = (await second.post("/v1/tokens", json=further)).json()["text"]
        assert check_shape(await second.delete("/v1/tokens/none"))["status"] == 404
        async with knock(issued) as third:
            assert (await third.delete("/v1/tokens/current")).json()["revoked"]
            assert check_shape(await third.get("/v1/me"))["detail"].startswith("the token was revoked")
    clock.now += timedelta(minutes=11)
    async with knock(registrar) as first, knock(text) as second:
        assert (await second.get("/v1/me")).status_code == 200
        reused = await first.get("/v1/me")
        assert check_shape(reused)["type"] == "/problems/token-refused"
        assert "every token that came of it is revoked" in reused.json()["detail"]
        assert reused.headers["www-authenticate"] == 'Bearer realm="cab-registry", error="invalid_token"'
        assert check_shape(await second.get("/v1/me"))["detail"].startswith("the token was revoked")
    async with knock() as nobody:
        refused = await nobody.get("/v1/me")
        assert check_shape(refused)["type"] == "/problems/unauthenticated"
        assert refused.headers["www-authenticate"] == 'Bearer realm="cab-registry"'


async def test_every_fault_of_a_body_is_listed(knock: Knock, registrar: str) -> None:
    async with knock(registrar) as first:
        asked = {"authority": "", "roles": ["king"], "days": 0, "nmae": "x"}
        problem = check_shape(await first.post("/v1/tokens", json=asked))
        pointers = [each["pointer"] for each in problem["faults"]]
        assert pointers == ["/authority", "/days", "/name", "/nmae", "/roles/0"]
        assert check_shape(await first.post("/v1/tokens", content=b"{}"))["status"] == 415
        typed = {"content-type": "application/json"}
        for content, kind in ((b"{", "unreadable"), (b"[]", "refused"), (b"\xff", "unreadable"), (b"", "refused")):
            given = await first.post("/v1/grants", content=content, headers=typed)
            assert check_shape(given)["type"] == f"/problems/{kind}"


@pytest.mark.parametrize(
    ("trusted", "host", "base", "headers", "taken"),
    [
        (None, "127.0.0.1", "http", {}, True),
        (None, "::1", "http", {}, True),
        (None, "::ffff:127.0.0.1", "http", {}, True),
        (None, "192.0.2.7", "http", {}, False),
        (None, "192.0.2.7", "https", {}, True),
        (None, "somewhere", "http", {}, False),
        (None, "127.0.0.1", "http", {"x-forwarded-proto": "https"}, False),
        (None, "127.0.0.1", "http", {"x-forwarded-for": "192.0.2.7"}, False),
        ("192.0.2.0/24", "192.0.2.7", "http", {"x-forwarded-proto": "https"}, True),
        ("192.0.2.0/24", "192.0.2.7", "http", {"x-forwarded-proto": "http"}, False),
        ("192.0.2.0/24", "192.0.2.7", "http", {"x-forwarded-proto": "http, https"}, False),
        ("192.0.2.0/24", "192.0.2.7", "http", {"x-forwarded-for": "127.0.0.1"}, False),
        ("192.0.2.0/24", "198.51.100.1", "http", {"x-forwarded-proto": "https"}, False),
        ("192.0.2.0/24", "192.0.2.7", "http", {}, False),
    ],
)
async def test_a_token_comes_where_nobody_listens(
    knock: Knock,
    registrar: str,
    trusted: str | None,
    host: str,
    base: str,
    headers: dict[str, str],
    taken: bool,
) -> None:
    async with knock(registrar, trusted=trusted, host=host, base=base) as client:
        response = await client.get("/v1/me", headers=headers)
        if taken:
            assert response.status_code == 200
        else:
            assert check_shape(response)["type"] == "/problems/plain-http"
            assert check_shape(await client.get("/v1/schemas", headers=headers))["type"] == "/problems/plain-http"
            assert (await client.get("/v1/schemas", headers=headers | {"authorization": ""})).status_code == 403


async def test_no_token_reaches_a_log(knock: Knock, registrar: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for text in (registrar, registrar[:-1] + "g", "Basic hush", registrar + "0"):
            async with knock(text) as client:
                await client.get("/v1/me")
                await client.get(f"/v1/me?token={text}")
                await client.delete(f"/v1/tokens/{text.removeprefix('Basic ').replace('hush', registrar)}")
                await client.post("/v1/tokens", json={"name": text})
    secret = registrar.rpartition("_")[2][:-1]
    ours = [each for each in caplog.records if each.name.startswith("cab_registry")]
    assert len(ours) >= 16
    assert not [each for each in ours if secret in each.getMessage() or "hush" in each.getMessage()]


async def test_without_the_database_the_client_is_told_to_come_again(knock: Knock, settings: Settings) -> None:
    away = msgspec.structs.replace(settings, database_url="postgresql://nobody@127.0.0.1:1/nothing")
    async with knock("cab_" + "0" * 16 + "_" + "0" * 64, given=away) as client:
        for path in ("/v1/me", "/v1/submissions"):
            assert check_shape(await client.get(path))["type"] == "/problems/unavailable"
        sent = await client.post("/v1/submissions", json={}, headers={"idempotency-key": "k"})
        assert check_shape(sent)["type"] == "/problems/unavailable"
    async with knock(given=away) as nobody:
        assert check_shape(await nobody.get("/v1/changes"))["type"] == "/problems/unavailable"
