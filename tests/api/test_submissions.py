"""Submissions over HTTP: seen before they are sent, entered once, decided by another, shown without what is private."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.services.submissions import load_catalogue
from cab_registry.storage.engine import create_engine
from cab_registry.storage.principals import Role
from tests.api.conftest import client_of, question
from tests.api.test_accounts import Clock
from tests.api.test_following import accept, given_documents, law_documents
from tests.api.test_problems import check_shape
from tests.letting_in import Registrars, let_in, open_registry

PATH = "/v1/submissions"
HUSH = "hush-hush"


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_engine(database_url)
    owned = [{**each, "owner": each.get("by", "kr-rra")} for each in given_documents()]
    await load_catalogue(made, [*law_documents(), *owned], validate=accept)
    yield made
    await made.dispose()


class Office:
    """Clients of one service: people of authorities, made as they are asked for."""

    def __init__(self, app: Litestar, registrars: Registrars, stack: AsyncExitStack) -> None:
        self.registrars = registrars
        self._app = app
        self._stack = stack

    async def person(self, authority: str, *roles: Role) -> httpx.AsyncClient:
        wanted: tuple[Role, ...] = roles or ("submitter",)
        engine = self._app.state.engine
        made = await let_in(engine, self.registrars, authority, *wanted, clock=Clock(), random=os.urandom)
        return await self.client(made.token)

    async def client(self, token: str | None = None) -> httpx.AsyncClient:
        client = await self._stack.enter_async_context(client_of(self._app))
        if token is not None:
            client.headers["authorization"] = f"Bearer {token}"
        return client


@pytest.fixture
async def office(engine: AsyncEngine, served: Litestar) -> AsyncIterator[Office]:
    registrars = await open_registry(engine, Clock(), os.urandom)
    async with AsyncExitStack() as stack:
        yield Office(served, registrars, stack)


def recognition(**more: Any) -> dict[str, Any]:
    found = next(each for each in given_documents() if each["type"] == "recognition")
    return {**found, "owner": "us-fcc", **more}


def restricted(on: str = "2019-05-01") -> dict[str, Any]:
    """The recognition, suspended from a day on after a contest, as the procedure wants it."""
    document = recognition()
    events = [{"on": "2019-04-01", "event": "contested"}, {"on": on, "event": "suspended"}]
    return {**document, "timeline": [*document.get("timeline", ()), *events]}


def request(*documents: dict[str, Any], **more: Any) -> dict[str, Any]:
    records = [{"document": each, "expected_version": 1, "change": "amend"} for each in documents]
    return {"authority": "us-fcc", "public_reason": "Failed an inspection", "records": records, **more}


async def send(client: httpx.AsyncClient, asked: dict[str, Any], key: str = "k-1") -> httpx.Response:
    return await client.post(PATH, json=asked, headers={"idempotency-key": key})


async def test_a_change_is_seen_before_it_is_sent_and_answered_after(office: Office) -> None:
    fcc = await office.person("us-fcc")
    asked = request(restricted(), private_reason=HUSH, evidence=[{"title": HUSH, "sha256": "0" * 64}])
    seen = (await fcc.post(PATH, json={**asked, "dry_run": True})).json()
    assert (seen["dry_run"], seen["state"], seen["records"][0]["version"]) == (True, "approved", 2)
    assert any("suspended" in line for line in seen["records"][0]["words"])
    assert seen["effect"]["since"] <= "2019-05-01"
    flips = [each for each in seen["effect"]["flips"] if each["question"]["destination"] == "US"]
    assert {(each["before"], each["after"]) for each in flips} == {("accepted", "not_accepted")}
    assert len(seen["effect"]["sentences"]) == len(seen["effect"]["flips"])

    done = await send(fcc, asked)
    assert done.status_code == 201, done.text
    told = done.json()
    assert (told["state"], told["repeated"], told["versions"][0]["version"]) == ("approved", False, 2)
    assert told["private"]["private_reason"] == HUSH
    answered = await fcc.post("/v1/acceptance", json=question(), params={"at_least": told["position"]})
    assert (answered.json()["verdict"], answered.json()["asked"]["position"]) == ("not_accepted", told["position"])

    again = await send(fcc, asked)
    assert (again.status_code, again.json()["repeated"]) == (200, True)
    assert again.json()["id"] == told["id"]
    assert check_shape(await send(fcc, {**asked, "public_reason": "another"}))["type"] == "/problems/key-reused"

    nobody = await office.client()
    public = await nobody.get(done.headers["location"])
    assert public.json()["private"] is None
    assert public.json()["records"][0]["document"]["id"] == recognition()["id"]
    for path in (f"{PATH}/{told['id']}", "/v1/changes", "/v1/changes.atom", "/v1/bodies/x-kr-lab/history"):
        assert HUSH not in (await nobody.get(path)).text
    other = await office.person("us-nist", "submitter", "approver")
    assert HUSH not in (await other.get(f"{PATH}/{told['id']}")).text
    assert (await other.get(PATH)).json()["items"] == []
    assert [each["id"] for each in (await fcc.get(PATH, params={"mine": "true"})).json()["items"]] == [told["id"]]


async def test_what_is_not_theirs_is_refused_and_nothing_is_kept(office: Office) -> None:
    nist = await office.person("us-nist")
    refused = check_shape(await send(nist, request(restricted(), authority="us-nist")))
    assert (refused["type"], refused["owners"]) == ("/problems/not-owner", ["us-fcc"])
    assert refused["faults"][0]["pointer"] == "/records/0/document/owner"
    assert check_shape(await send(nist, request(restricted())))["type"] == "/problems/not-permitted"
    auditor = await office.person("us-fcc", "auditor")
    assert check_shape(await send(auditor, request(restricted())))["type"] == "/problems/not-permitted"
    assert check_shape(await send(await office.client(), request(restricted())))["type"] == "/problems/unauthenticated"
    assert (await (await office.person("us-fcc")).get(PATH)).json()["items"] == []


async def test_every_fault_of_every_record_is_listed(office: Office) -> None:
    fcc = await office.person("us-fcc")
    wrong = {**recognition(), "scpoe": [], "by": 7}
    problem = check_shape(await send(fcc, request(wrong, {"type": "recognition"})))
    pointers = [each["pointer"] for each in problem["faults"]]
    assert problem["type"] == "/problems/refused"
    assert {"/records/0/document/scpoe", "/records/0/document/by", "/records/1/document/body"} <= set(pointers)
    for key in (None, "", "with blank", "x" * 201):
        headers = {} if key is None else {"idempotency-key": key}
        response = await fcc.post(PATH, json=request(restricted()), headers=headers)
        assert check_shape(response)["type"] == "/problems/refused"
    many = request(*[recognition()] * 501)
    assert check_shape(await send(fcc, many))["type"] == "/problems/too-many-records"
    large = json.dumps(request(recognition(note="x" * 9_000_000))).encode()
    headers = {"content-type": "application/json", "idempotency-key": "k"}
    assert check_shape(await fcc.post(PATH, content=large, headers=headers))["type"] == "/problems/body-too-large"


async def test_of_two_officers_one_is_told_what_changed(office: Office) -> None:
    first, second = await office.person("us-fcc"), await office.person("us-fcc")
    answers = await asyncio.gather(send(first, request(restricted())), send(second, request(restricted("2019-05-20"))))
    assert sorted(each.status_code for each in answers) == [201, 409]
    stale = check_shape(next(each for each in answers if each.status_code == 409))
    difference = stale["differences"][0]
    assert (difference["id"], difference["expected"], difference["found"]) == (recognition()["id"], 1, 2)
    assert difference["since"][0]["public_reason"] == "Failed an inspection"
    assert any("suspended" in line for line in difference["changes"])


async def test_a_second_person_approves_what_they_saw(office: Office) -> None:
    one = await office.person("us-fcc", "submitter", "approver")
    two = await office.person("us-fcc", "approver")
    policy = {"authority": "us-fcc", "four_eyes": True, "scope_wider": "warn"}
    asked = {"kind": "policy", "authority": "us-fcc", "public_reason": "Two of us", "records": [{"document": policy}]}
    seen = (await one.post(PATH, json={**asked, "dry_run": True})).json()
    assert (seen["state"], seen["records"][0]["type"], seen["effect"]) == ("submitted", "policy", None)
    waiting = (await send(one, asked, "policy")).json()
    assert (waiting["state"], waiting["position"]) == ("submitted", None)
    address = f"{PATH}/{waiting['id']}"
    digest = {"digest": waiting["digest"]}
    assert check_shape(await one.post(f"{address}/approve", json=digest))["type"] == "/problems/not-permitted"
    assert (await two.post(f"{address}/approve", json=digest)).json()["state"] == "approved"

    sent = (await send(one, request(restricted(), private_reason=HUSH), "change")).json()
    address = f"{PATH}/{sent['id']}"
    assert sent["state"] == "submitted"
    assert check_shape(await (await office.client()).get(address))["type"] == "/problems/no-such-submission"
    listed = (await two.get(PATH, params={"waiting": "true", "state": "submitted"})).json()["items"]
    assert [each["id"] for each in listed] == [sent["id"]]
    effect = (await two.get(f"{address}/effect")).json()
    assert (effect["state"], effect["records"][0]["id"]) == ("submitted", recognition()["id"])
    assert effect["effect"]["flips"]
    other = check_shape(await two.post(f"{address}/approve", json={"digest": "0" * 64}))
    assert other["type"] == "/problems/other-content"
    approved = (await two.post(f"{address}/approve", json={"digest": sent["digest"]})).json()
    assert (approved["state"], approved["versions"][0]["version"]) == ("approved", 2)
    again = (await two.post(f"{address}/approve", json={"digest": sent["digest"]})).json()
    assert (again["repeated"], again["position"]) == (True, approved["position"])
    late = check_shape(await two.post(f"{address}/reject", json={"reason": "too late"}))
    assert (late["type"], late["state"]) == ("/problems/already-decided", "approved")
    assert check_shape(await two.get(f"{address}/effect"))["type"] == "/problems/already-decided"

    third = (
        await send(
            one,
            {
                **request(recognition()),
                "records": [{"document": restricted("2019-06-01"), "expected_version": 2, "change": "correction"}],
            },
            "third",
        )
    ).json()
    assert check_shape(await one.post(f"{PATH}/{third['id']}/withdraw", json={}))["type"] == "/problems/refused"
    withdrawn = await one.post(f"{PATH}/{third['id']}/withdraw", json={"reason": HUSH})
    assert (withdrawn.json()["state"], withdrawn.json()["private"]["decision_reason"]) == ("withdrawn", HUSH)
    page = (await one.get(PATH, params={"limit": 2})).json()
    rest = (await one.get(PATH, params={"limit": 2, "cursor": page["next"]})).json()
    assert [each["kind"] for each in page["items"] + rest["items"]] == ["records", "records", "policy"]
    assert rest["next"] is None
    other = await office.person("us-fcc")
    foreign = check_shape(await other.get(PATH, params={"limit": 2, "cursor": page["next"]}))
    assert foreign["faults"][0]["pointer"] == "/cursor"
    both = check_shape(await one.get(PATH, params={"mine": "true", "waiting": "true"}))
    assert both["type"] == "/problems/wrong-parameters"
    assert check_shape(await one.get(PATH, params={"authority": "us-nist"}))["type"] == "/problems/not-permitted"
