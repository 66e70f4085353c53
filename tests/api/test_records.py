import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.register.compiled import Register
from cab_registry.services.submissions import load_catalogue
from cab_registry.storage.engine import create_engine
from tests.api.conftest import Asker, client_of, law
from tests.api.test_following import accept, given_documents, law_documents, submit, suspended

CHECKOUT: Final = Path(__file__).resolve().parents[2]


@pytest.fixture
async def writer(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    await load_catalogue(engine, [*law_documents(), *given_documents()], validate=accept)
    yield engine
    await engine.dispose()


@pytest.fixture
async def logged(writer: AsyncEngine, served: Litestar) -> AsyncIterator[Asker]:
    async with client_of(served) as client:
        yield Asker(client)


async def read(ask: Asker, path: str) -> dict[str, Any]:
    response = await ask.get(path)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def turn(ask: Asker, path: str) -> list[dict[str, Any]]:
    page = await read(ask, path)
    items = list(page["items"])
    while page["next"]:
        page = await read(ask, f"{path}&cursor={page['next']}")
        items += page["items"]
    return items


@pytest.mark.parametrize("name", ["agreements", "authorities", "requirements"])
async def test_pages_give_each_record_once(ask: Asker, name: str) -> None:
    kind = {"agreements": "agreement", "authorities": "authority", "requirements": "requirement"}[name]
    items = await turn(ask, f"/v1/{name}?limit=40")
    ids = [each["record"]["id"] for each in items]
    assert ids == sorted(ids)
    assert set(ids) == {key for key, each in law().records.items() if type(each.record).__name__.lower() == kind}


async def test_agreements_by_party_and_family(ask: Asker) -> None:
    items = await turn(ask, "/v1/agreements?party=KR&family=technical")
    assert "apec-tel-us-kr" in [each["record"]["id"] for each in items]
    assert all("KR" in each["record"]["parties"] and each["record"]["family"] == "technical" for each in items)


async def test_an_agreement_comes_with_its_routes(ask: Asker) -> None:
    found = await read(ask, "/v1/agreements/apec-tel-us-kr")
    assert found["record"]["id"] == "apec-tel-us-kr"
    assert "apec-tel-us-kr-us-reports" in [each["record"]["id"] for each in found["routes"]]
    route = await read(ask, "/v1/routes/apec-tel-us-kr-us-reports")
    assert route["record"]["agreement"] == "apec-tel-us-kr"
    assert (await read(ask, "/v1/authorities/us-fcc"))["record"]["type"] == "authority"
    assert (await read(ask, "/v1/requirements/us-47cfr-15c"))["record"]["economy"] == "US"


async def test_a_body_with_its_rights_as_of_a_day(ask: Asker) -> None:
    now = await read(ask, "/v1/bodies/x-kr-lab")
    assert {right["kind"]: right["status"] for right in now["rights"]} == {
        "recognition": "held",
        "designation": "held",
        "accreditation": "held",
    }
    before = await read(ask, "/v1/bodies/x-kr-lab?as_of=2017-02-15")
    assert {right["kind"]: right["status"] for right in before["rights"]} == {
        "recognition": "not_yet",
        "designation": "held",
        "accreditation": "held",
    }
    item = before["rights"][1]["items"][0]
    assert (item["key"], item["since"], item["until"]) == ("us-47cfr-15c", "2017-02-01", None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("name=pruflabor", True),
        ("name=nobody", False),
        ("scheme=fcc-designation&value=KR9999", True),
        ("scheme=nando&value=KR9999", False),
        ("value=KR9999", True),
        ("economy=KR", True),
        ("economy=JP", False),
        ("sector=telecom_radio", True),
        ("sector=pharma_gmp_human", False),
        ("requirement=us-47cfr-15c", True),
        ("requirement=47 cfr part 15 subpart c", True),
        ("requirement=ca-rss-247", False),
        ("economy=Korea", True),
        ("economy=KOR&sector=Telecom radio", True),
        ("scheme=FCC designation number&value=kr 9999", True),
        ("status=held", True),
        ("status=held&as_of=2016-01-01", False),
        ("status=not_yet&as_of=2016-01-01", True),
        ("status=suspended", False),
    ],
)
async def test_searching_bodies(ask: Asker, query: str, found: bool) -> None:
    items = await turn(ask, f"/v1/bodies?{query}")
    assert ("x-kr-lab" in [each["id"] for each in items]) == found


@pytest.mark.parametrize(
    ("path", "pointer", "message"),
    [
        ("bodies?economy=Untied States", "/economy", "unknown economy Untied States. Did you mean US (United States)?"),
        ("bodies?economy=Nigeria", "/economy", "unknown economy Nigeria; write a code such as DE"),
        ("bodies?sector=pharma", "/sector", "unknown sector pharma. Did you mean pharma_gmp_human or pharma_gmp_vet?"),
        ("bodies?sector=asdf", "/sector", "unknown sector asdf; there are accreditation, "),
        ("bodies?requirement=asdf", "/requirement", "unknown requirement asdf; write its id or its citation"),
        ("bodies?requirement=LVD", "/requirement", "LVD can mean eu-lvd-2006-95 (Directive 2006/95/EC) or "),
        ("bodies?scheme=asdf&value=1", "/scheme", "unknown scheme asdf; there are a2la, "),
        ("agreements?party=Untied States", "/party", "unknown economy Untied States. Did you mean US"),
        ("records?by=asdf", "/by", "unknown authority asdf; /v1/authorities lists all of them"),
        ("records?owner=us-fcx", "/owner", "unknown authority us-fcx"),
        ("records?agreement=asdf", "/agreement", "unknown agreement asdf; /v1/agreements lists all of them"),
        ("records?body=x-kr-lob", "/body", "unknown body x-kr-lob"),
        ("expiries?authority=asdf", "/authority", "unknown authority asdf"),
        ("expiries?accreditation_body=asdf", "/accreditation_body", "unknown authority asdf"),
        ("expiries.csv?body=asdf", "/body", "unknown body asdf"),
        ("expiries?within=soon", "/within", "'soon' has not the right form: How many days ahead, as `120d`"),
        ("bodies?as_of=01/02/2026", "/as_of", "'01/02/2026' can mean two days: write 2026-01-02 or 2026-02-01"),
    ],
)
async def test_words_that_name_nothing_do_not_leave_a_list_empty(
    ask: Asker, path: str, pointer: str, message: str
) -> None:
    response = await ask.get(f"/v1/{path}")
    assert response.status_code == 422, response.text
    (fault,) = response.json()["faults"]
    assert fault["pointer"] == pointer
    assert fault["message"].startswith(message), fault["message"]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("agreements?party=Korea", "agreements?party=KR"),
        ("agreements?party=UK", "agreements?party=GB"),
        ("records?by=FCC", "records?by=us-fcc"),
        ("records?agreement=US-FCC", None),
        ("expiries?authority=FCC", "expiries?authority=us-fcc"),
        ("bodies?economy=Republic of Korea", "bodies?economy=KR"),
    ],
)
async def test_words_narrow_a_list_as_their_codes_do(ask: Asker, written: str, code: str | None) -> None:
    if code is None:
        assert (await ask.get(f"/v1/{written}")).status_code == 422
        return
    assert (await read(ask, f"/v1/{written}"))["items"] == (await read(ask, f"/v1/{code}"))["items"]


async def test_several_words_that_name_nothing_are_told_at_once(ask: Asker) -> None:
    response = await ask.get("/v1/bodies?economy=Nowhere&sector=asdf&requirement=asdf&scheme=asdf&value=1")
    assert [fault["pointer"] for fault in response.json()["faults"]] == [
        "/economy",
        "/scheme",
        "/sector",
        "/requirement",
    ]


async def test_authorities_are_found_by_their_names(ask: Asker) -> None:
    found = await read(ask, "/v1/authorities?name=MHRA")
    assert "gb-mhra" in [each["record"]["id"] for each in found["items"]]
    assert (await read(ask, "/v1/authorities?name=x-kr-lab"))["items"] == []


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("records/US-FDA", "us-fda"),
        ("records/FDA", "us-fda"),
        ("authorities/US-FCC", "us-fcc"),
        ("bodies/X-KR-LAB", "x-kr-lab"),
        ("agreements/APEC TEL US KR", "apec-tel-us-kr"),
        ("records/Germany", "de"),
    ],
)
async def test_an_id_that_nothing_has_is_told_with_what_was_meant(ask: Asker, path: str, meant: str) -> None:
    response = await ask.get(f"/v1/{path}")
    assert response.status_code == 404
    assert f"did you mean {meant}" in response.json()["detail"]


async def test_a_cursor_belongs_to_its_list(ask: Asker) -> None:
    page = await read(ask, "/v1/agreements?limit=1")
    other = await ask.get(f"/v1/agreements?limit=1&party=US&cursor={page['next']}")
    assert other.status_code == 422
    assert other.json()["faults"][0]["pointer"] == "/cursor"


async def test_lists_have_entity_tags(ask: Asker) -> None:
    first = await ask.get("/v1/agreements?limit=3")
    again = await ask.get("/v1/agreements?limit=3", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_schemas(ask: Asker) -> None:
    names = (await read(ask, "/v1/schemas"))["items"]
    assert set(names) == {path.stem for path in (CHECKOUT / "schemas").glob("*.json")}
    for name in names:
        schema = await read(ask, f"/v1/schemas/{name}")
        assert schema == json.loads((CHECKOUT / f"schemas/{name}.json").read_text("utf-8"))
        for given in schema["examples"]:
            Draft202012Validator(schema).validate(given)


async def test_a_cursor_keeps_to_its_state_when_the_register_moves(logged: Asker, writer: AsyncEngine) -> None:
    first = await read(logged, "/v1/authorities?limit=2")
    receipt = None
    for number in range(10):  # more changes than former registers are kept
        document = {**first["items"][0]["record"], "note": f"note {number}", "id": f"aa-{number}"}
        receipt = await submit(writer, document)
        await read(logged, f"/v1/agreements?at_least={receipt.last}&limit=1")
    second = await read(logged, f"/v1/authorities?limit=500&cursor={first['next']}")
    assert second["state"] == first["state"]
    assert not [each for each in second["items"] if each["record"]["id"].startswith("aa-")]
    assert receipt is not None
    assert (await read(logged, "/v1/authorities"))["state"]["position"] == receipt.last


async def test_lists_and_bodies_as_they_were_known(logged: Asker, writer: AsyncEngine) -> None:
    before = await read(logged, "/v1/bodies/x-kr-lab?as_of=2019-05-10")
    receipt = await submit(writer, suspended())
    after = await read(logged, f"/v1/bodies/x-kr-lab?as_of=2019-05-10&at_least={receipt.last}")
    assert [right["status"] for right in before["rights"]] == ["held", "held", "held"]
    assert [right["status"] for right in after["rights"]] == ["suspended", "held", "held"]
    moment = before["state"]["recorded"]
    assert await read(logged, f"/v1/bodies/x-kr-lab?as_of=2019-05-10&known_at={moment}") == before
    found = await read(logged, f"/v1/bodies?as_of=2019-05-10&status=held&limit=1&known_at={moment}")
    assert [each["id"] for each in found["items"]] == ["x-kr-lab"]
    later = await read(logged, "/v1/agreements?limit=1&known_at=2999-01-01")
    assert later["state"]["position"] == receipt.last
    paged = await read(logged, f"/v1/authorities?limit=1&known_at={moment}")
    following = await read(logged, f"/v1/authorities?limit=1&known_at={moment}&cursor={paged['next']}")
    assert following["state"] == paged["state"]


def test_the_scratch_register_is_the_catalogues(scratch_register: Register) -> None:
    assert set(law().records) < set(scratch_register.records)
