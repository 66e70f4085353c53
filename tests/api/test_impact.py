"""The blast radius over HTTP: who asks needs no account, and every way of asking wrong is told."""

from typing import Any

import pytest
from litestar import Litestar

from cab_registry.app import create_scratch_app
from cab_registry.register.compiled import Register
from tests.api.conftest import TODAY, Asker, client_of
from tests.api.test_problems import check_shape
from tests.api.test_records import logged, writer

__all__ = ["logged", "writer"]
LAB = "x-kr-lab"


async def read(ask: Asker, record_id: str, **parameters: Any) -> dict[str, Any]:
    response = await ask.get(f"/v1/impact/{record_id}", params=parameters)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    found: dict[str, Any] = response.json()
    return found


async def test_a_body_that_is_suspended_loses_its_markets(ask: Asker) -> None:
    found = await read(ask, LAB, **{"if": "suspended", "on": "2027-01-01", "horizon": 30})
    assert (found["id"], found["if"], found["what"], found["on"]) == (LAB, "suspended", None, "2027-01-01")
    assert (found["since"], found["until"], found["complete"]) == ("2027-01-01", "2027-01-31", True)
    assert len(found["changed"]) == 3
    (body,) = found["bodies"]
    assert (body["id"], body["economy"], body["scopes"]) == (LAB, "KR", ["us-47cfr-15c"])
    assert "US" in body["destinations"]
    for flip in body["flips"]:
        assert (flip["question"]["body"], flip["on"], flip["falls_with"]) == (LAB, "2027-01-01", "rights")
    assert found["counts"]["flips"] == len(body["flips"]) > 0
    assert found["sentences"][0].startswith(f"{len(body['flips'])} standing answer")
    assert found["supposed"].endswith("suspended from 2027-01-01 on.")
    assert found["watched"] is None
    asked = body["flips"][0]["question"]
    flat = {
        "destination": asked["destination"],
        "result.kind": asked["result_kind"],
        "result.issuer.id": LAB,
        "result.performed_in": "KR",
        "subject.requirement": asked["requirement"],
        "subject.sector": asked["sector"],
        "subject.procedure": asked["procedure"] or "",
        "standing_on": "2027-01-01",
    }
    now = await ask.get("/v1/acceptance", params={name: value for name, value in flat.items() if value})
    assert now.json()["verdict"] == body["flips"][0]["before"]


async def test_of_an_accreditation_body_its_parts_can_be_asked_apart(ask: Asker) -> None:
    whole = await read(ask, "kr-kolas")
    assert (whole["if"], whole["what"], whole["on"]) == ("suspended", "all", TODAY.isoformat())
    assert [each["id"] for each in whole["bodies"]] == [LAB]
    assert {flip["falls_with"] for flip in whole["bodies"][0]["flips"]} == {"accreditations"}
    assert (await read(ask, "kr-kolas", what="status"))["bodies"] == []
    given = await read(ask, "kr-kolas", what="accreditations")
    assert [each["id"] for each in given["bodies"]] == [LAB]
    assert (await read(ask, "us-a2la"))["bodies"] == []


@pytest.mark.parametrize(
    ("path", "kind", "pointer"),
    [
        ("nobody", "no-such-record", None),
        ("us-47cfr-15c", "refused", "/record_id"),
        ("apec-tel-us-kr", "refused", "/record_id"),
        (f"{LAB}?what=status", "refused", "/what"),
        (f"{LAB}?on=2016-12-31", "refused", "/on"),
        (f"{LAB}?on=9999-12-31", "refused", "/on"),
        (f"{LAB}?on=tomorrow", "wrong-parameters", "/on"),
        (f"{LAB}?if=lost", "wrong-parameters", "/if"),
        (f"{LAB}?if_=suspended", "wrong-parameters", "/if_"),
        (f"{LAB}?horizon=-1", "wrong-parameters", "/horizon"),
        (f"{LAB}?horizon=3661", "wrong-parameters", "/horizon"),
        (f"{LAB}?what=none&known_at=then", "wrong-parameters", "/what"),
        (f"{LAB}?known_at=then", "wrong-parameters", "/known_at"),
    ],
)
async def test_what_cannot_be_supposed_is_refused(ask: Asker, path: str, kind: str, pointer: str | None) -> None:
    problem = check_shape(await ask.get(f"/v1/impact/{path}"))
    assert problem["type"] == f"/problems/{kind}"
    assert [each["pointer"] for each in problem["faults"]] == ([] if pointer is None else [pointer])


async def test_an_impact_is_told_at_the_head_and_as_it_was_known(logged: Asker) -> None:
    found = await read(logged, LAB, on="2019-01-01", horizon=30)
    assert found["counts"]["flips"] > 0
    assert found["state"]["position"] > 0
    known = await read(logged, LAB, on="2019-01-01", horizon=30, known_at="2099-01-01")
    assert known["bodies"] == found["bodies"]
    stored = await logged.get(f"/v1/records/{found['changed'][0]}")
    assert stored.json()["version"] == 1
    problem = check_shape(await logged.get(f"/v1/impact/{LAB}", params={"at_least": 10**9}))
    assert problem["type"] == "/problems/wrong-parameters"


async def test_nothing_is_left_of_what_was_supposed(scratch_register: Register) -> None:
    app: Litestar = create_scratch_app(lambda: scratch_register, lambda: TODAY)
    async with client_of(app) as client:
        ask = Asker(client)
        before = (await ask.get(f"/v1/bodies/{LAB}")).json()
        once = await read(ask, LAB)
        assert await read(ask, LAB) == once
        assert (await ask.get(f"/v1/bodies/{LAB}")).json() == before
