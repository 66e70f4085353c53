"""What changed, for everyone; and what waits, for those whom it waits for."""

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any
from uuid import UUID, uuid5
from xml.etree import ElementTree as ET

import httpx
import pytest
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.services.submissions import load_catalogue
from tests.api.conftest import client_of
from tests.api.test_following import accept, given_documents
from tests.api.test_problems import check_shape
from tests.api.test_submissions import Office, engine, office, recognition, request, restricted, send

__all__ = ["engine", "office"]
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
async def changed(office: Office) -> dict[str, Any]:
    told: dict[str, Any] = (await send(await office.person("us-fcc"), request(restricted()))).json()
    return told


async def test_a_change_is_told_with_authority_reason_before_and_after(office: Office, changed: dict[str, Any]) -> None:
    nobody = await office.client()
    position = changed["position"]
    for path in ("/v1/bodies/x-kr-lab/history", f"/v1/records/{recognition()['id']}/history"):
        found = await nobody.get(path, params={"at_least": position})
        last = found.json()["entries"][-1]
        assert (last["position"], last["authority"]["id"], last["public_reason"]) == (
            position,
            "us-fcc",
            "Failed an inspection",
        )
        assert len(last["after"]["timeline"]) == len(last["before"].get("timeline", ())) + 2
        assert any("suspended" in line for line in last["words"])
        again = await nobody.get(path, params={"at_least": position}, headers={"if-none-match": found.headers["etag"]})
        assert again.status_code == 304
        then = await nobody.get(path, params={"known_at": (datetime.now(UTC) - timedelta(days=1)).isoformat()})
        assert position not in [each["position"] for each in then.json()["entries"]]
    for path in ("/v1/bodies/none/history", "/v1/records/none/history"):
        assert check_shape(await nobody.get(path))["type"] == "/problems/no-such-record"
    for query in ("known_at=yesterday", "limit=0", "after=-1", "sector=x"):
        wrong = await nobody.get(f"/v1/bodies/x-kr-lab/history?{query}")
        assert check_shape(wrong)["type"] == "/problems/wrong-parameters"


async def test_the_feed_is_followed_by_position(office: Office, changed: dict[str, Any]) -> None:
    nobody = await office.client()
    position = changed["position"]
    page = (await nobody.get("/v1/changes", params={"limit": 50})).json()
    assert [each["position"] for each in page["entries"]] == list(range(1, 51))
    assert (page["next"], page["complete"]) == (50, False)
    for filters, seen in (
        ({}, True),
        ({"authority": "us-fcc", "body": "x-kr-lab", "agreement": "apec-tel-us-kr"}, True),
        ({"sector": "telecom_radio"}, True),
        ({"sector": "pharma_gmp_human"}, False),
        ({"authority": "us-nist"}, False),
        ({"authority": "FCC", "sector": "Telecom radio", "body": "X-KR-LAB"}, True),
    ):
        found = (await nobody.get("/v1/changes", params={"after": position - 1, **filters})).json()
        assert [each["position"] for each in found["entries"]] == ([position] if seen else [])
        assert (found["next"], found["complete"]) == (position, True)
    atom = await nobody.get("/v1/changes.atom", params={"limit": 2, "authority": "us-fcc"})
    assert atom.headers["content-type"].startswith("application/atom+xml")
    entries = ET.fromstring(atom.content).findall(f"{ATOM}entry")  # noqa: S314 - made by the service
    assert len(entries) == 2
    assert "Failed an inspection" in str(entries[0].findtext(f"{ATOM}summary"))
    headers = {"if-none-match": atom.headers["etag"]}
    same = await nobody.get("/v1/changes.atom", params={"limit": 2, "authority": "us-fcc"}, headers=headers)
    assert same.status_code == 304


async def test_a_feed_of_what_names_nothing_is_refused(office: Office, changed: dict[str, Any]) -> None:
    nobody = await office.client()
    wanted = {"authority": "asdf", "body": "asdf", "agreement": "asdf", "sector": "asdf"}
    for path in ("/v1/changes", "/v1/changes.atom"):
        refused = await nobody.get(path, params=wanted)
        assert refused.status_code == 422
        assert {fault["pointer"].removeprefix("/") for fault in refused.json()["faults"]} == set(wanted)
        assert (await nobody.get(path, params={"body": "x-kr-lab"})).status_code == 200


FACETS = {"authority": "us-fcc", "body": "x-kr-lab", "agreement": "apec-tel-us-kr", "sector": "telecom_radio"}


async def test_the_feed_leaves_out_no_facet_of_the_search(office: Office, changed: dict[str, Any]) -> None:
    """Whatever is filtered for, a feed reader sees what the search sees, and nothing else."""
    nobody = await office.client()
    everything: set[str] = set()
    for count in range(len(FACETS) + 1):
        for chosen in combinations(FACETS, count):
            # The first load holds all the law: what is compared is its end, and what came after it.
            filters = {name: FACETS[name] for name in chosen} | {"after": changed["position"] - 60, "limit": 500}
            searched = (await nobody.get("/v1/changes", params=filters)).json()
            feed = await nobody.get("/v1/changes.atom", params=filters)
            ids = [
                str(entry.findtext(f"{ATOM}id"))
                for entry in ET.fromstring(feed.content).findall(f"{ATOM}entry")  # noqa: S314 - made by the service
            ]
            expected = [
                f"urn:uuid:{uuid5(UUID(searched['log']), str(each['position']))}" for each in searched["entries"]
            ]
            assert ids == expected[::-1], filters
            assert searched["complete"]
            everything = everything or set(ids)
            assert set(ids) <= everything
            if chosen:
                assert len(ids) < len(everything)
                assert ids


async def test_a_record_of_any_type_is_read_with_its_version(office: Office, changed: dict[str, Any]) -> None:
    nobody = await office.client()
    wait = {"at_least": changed["position"]}
    found = (await nobody.get(f"/v1/records/{recognition()['id']}", params=wait)).json()
    assert (found["version"], found["record"]["type"]) == (2, "recognition")
    assert check_shape(await nobody.get("/v1/records/none"))["type"] == "/problems/no-such-record"
    listed = (await nobody.get("/v1/records", params={"body": "x-kr-lab", "limit": 3})).json()
    rest = (await nobody.get("/v1/records", params={"body": "x-kr-lab", "limit": 3, "cursor": listed["next"]})).json()
    types = [each["record"]["type"] for each in listed["items"] + rest["items"]]
    assert sorted(types) == ["accreditation", "body", "designation", "recognition"]
    for filters, kinds in (
        ({"type": "recognition", "by": "us-fcc", "agreement": "apec-tel-us-kr"}, {"recognition"}),
        ({"owner": "us-fcc", "body": "x-kr-lab"}, {"recognition"}),
        # The law of the cases, with which this office begins, says nothing on how complete a list is.
        ({"agreement": "apec-tel-us-kr"}, {"agreement", "designation", "recognition", "route"}),
    ):
        some = (await nobody.get("/v1/records", params=filters)).json()["items"]
        assert {each["record"]["type"] for each in some} == kinds


async def test_what_waits_is_sorted_by_its_clock(office: Office, engine: AsyncEngine, served: Litestar) -> None:
    today = datetime.now(UTC).date()
    ends, later = (today + timedelta(days=days) for days in (30, 200))
    right = next(each for each in given_documents() if each["type"] == "designation")
    scope = [{**right["scope"][0], "key": key, "until": day.isoformat()} for key, day in (("a", ends), ("b", later))]
    proposal = {
        **{key: right[key] for key in ("type", "body", "by", "agreement")},
        "annex": "phase-2",
        "id": "x-proposal",
        "owner": "kr-rra",
        "scope": [{**right["scope"][0], "key": "p"}],
        "timeline": [{"on": (today - timedelta(days=9)).isoformat(), "event": "proposed"}],
    }
    await load_catalogue(engine, [{**right, "owner": "kr-rra", "id": "x-ending", "scope": scope}], validate=accept)
    assert (await load_catalogue(engine, [proposal], validate=accept)).added
    position = (await load_catalogue(engine, [proposal], validate=accept)).position
    rra = await office.person("kr-rra", "submitter", "approver")
    other = await office.person("kr-rra")
    policy = {"authority": "kr-rra", "four_eyes": True, "scope_wider": "warn"}
    asked = {"kind": "policy", "authority": "kr-rra", "public_reason": "Two of us", "records": [{"document": policy}]}
    approver = await office.person("kr-rra", "approver")
    sent = (await send(rra, asked)).json()
    inbox = (await approver.get("/v1/inbox", params={"at_least": position})).json()
    assert (inbox["authority"], inbox["as_of"]) == ("kr-rra", today.isoformat())
    kinds = [(each["kind"], each["due"]) for each in inbox["items"]]
    assert ("expiry", ends.isoformat()) in kinds
    assert ("expiry", later.isoformat()) not in kinds
    expiry = next(each for each in inbox["items"] if each["kind"] == "expiry")
    assert (expiry["record"], "items a" in expiry["words"]) == ("x-ending", True)
    assert [each["submission"] for each in inbox["items"] if each["kind"] == "approval"] == [sent["id"]]
    assert [due or "~" for _, due in kinds] == sorted(due or "~" for _, due in kinds)
    assert "approval" not in [each["kind"] for each in (await other.get("/v1/inbox")).json()["items"]]
    assert "approval" not in [each["kind"] for each in (await rra.get("/v1/inbox")).json()["items"]]
    taken_up = (await (await office.person("us-fcc")).get("/v1/inbox")).json()["items"]
    assert {(each["kind"], each["record"]) for each in taken_up} == {("proposal", "x-proposal"), ("expiry", "x-ending")}
    async with client_of(served) as nobody:
        assert check_shape(await nobody.get("/v1/inbox"))["type"] == "/problems/unauthenticated"


async def test_following_needs_a_sane_position(office: Office) -> None:
    nobody: httpx.AsyncClient = await office.client()
    for query in ("after=x", "limit=501", "newest=maybe", "body=", "bdy=x", "after=1&after=2"):
        for path in ("/v1/changes", "/v1/changes.atom"):
            assert check_shape(await nobody.get(f"{path}?{query}"))["type"] == "/problems/wrong-parameters"
