"""One answer followed over HTTP: the address carries the question, and nothing else is needed."""

from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree import ElementTree as ET

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.services.flat import write_flat
from cab_registry.services.watching.feed_addresses import make_feed_address
from tests.api.conftest import client_of, question
from tests.api.test_history import changed
from tests.api.test_pages import HTML, Page, answer_path
from tests.api.test_problems import check_shape
from tests.api.test_submissions import Office, engine, office, recognition, request, restricted, send

__all__ = ["changed", "engine", "office"]
ATOM = "{http://www.w3.org/2005/Atom}"
JSON_PATH, ATOM_PATH = "/v1/acceptance/changes", "/v1/acceptance/changes.atom"


def flat(asked: dict[str, Any], path: str = JSON_PATH, **more: Any) -> str:
    return f"{path}?{urlencode([*write_flat(asked), *more.items()])}"


def standing() -> dict[str, Any]:
    """The question without its days."""
    return question(presented_on=..., result__performed_on=..., result__issued_on=...)


def read_feed(response: httpx.Response) -> ET.Element:
    assert response.headers["content-type"].startswith("application/atom+xml")
    return ET.fromstring(response.content)  # noqa: S314 - made by the service


async def test_a_loss_is_in_the_feed_with_authority_reason_and_what_is_held_now(
    office: Office, changed: dict[str, Any]
) -> None:
    nobody = await office.client()
    position = changed["position"]
    told = (await nobody.get(flat(question(), at_least=position))).json()
    assert (told["current"]["verdict"], told["position"], told["complete"]) == ("not_accepted", position, True)
    (entry,) = told["entries"]
    assert (entry["position"], entry["before"]["verdict"], entry["after"]["verdict"]) == (
        position,
        "accepted",
        "not_accepted",
    )
    assert (entry["cause"]["public_reason"], entry["cause"]["submission"]) == ("Failed an inspection", changed["id"])
    assert [(each["id"], each["change"]) for each in entry["cause"]["records"]] == [(recognition()["id"], "amend")]
    assert told["forecast"] is None
    assert (await nobody.get(flat(question(), after=position))).json()["entries"] == []

    feed = read_feed(await nobody.get(flat(question(), ATOM_PATH)))
    assert feed.findtext(f"{ATOM}id") == told["id"]
    ids = [each.findtext(f"{ATOM}id") for each in feed.findall(f"{ATOM}entry")]
    assert ids == [entry["id"]]
    assert "Failed an inspection" in str(feed.findtext(f"{ATOM}entry/{ATOM}summary"))
    assert "Not accepted" in str(feed.findtext(f"{ATOM}subtitle"))
    for link in feed.iter(f"{ATOM}link"):
        found = await nobody.get(link.attrib["href"], headers=HTML if link.attrib["type"] == "text/html" else {})
        assert found.status_code == 200, link.attrib
        assert found.headers["content-type"].startswith(link.attrib["type"])


async def test_who_has_it_already_costs_nothing_until_the_log_moves(office: Office) -> None:
    nobody = await office.client()
    for path in (JSON_PATH, ATOM_PATH):
        address = flat(standing(), path, standing="true")
        first = await nobody.get(address)
        assert first.status_code == 200, first.text
        held = {"if-none-match": first.headers["etag"]}
        assert (await nobody.get(address, headers=held)).status_code == 304
        assert (await nobody.get(flat(question(), path), headers=held)).status_code == 200
        assert (await nobody.get(f"{address}&limit=3", headers=held)).status_code == 200
    sent = (await send(await office.person("us-fcc"), request(restricted()))).json()
    moved = await nobody.get(f"{address}&at_least={sent['position']}", headers=held)
    assert moved.status_code == 200


async def test_a_standing_question_is_asked_for_the_day_that_it_is(office: Office) -> None:
    nobody = await office.client()
    told = (await nobody.get(flat(standing(), standing="true"))).json()
    today = datetime.now(UTC).date().isoformat()
    assert (told["on"], told["current"]["verdict"]) == (today, "accepted")
    assert "standing_on" not in told["question"]
    fixed = (await nobody.get(flat({**standing(), "standing_on": "2019-06-10"}))).json()
    assert (fixed["question"]["standing_on"], fixed["forecast"]) == ("2019-06-10", None)
    assert fixed["id"] != told["id"]


@pytest.mark.parametrize(
    ("query", "pointers", "kind"),
    [
        ("", {"/destination", "/result/kind", "/result/issuer", "/result/issued_on"}, "impossible-question"),
        (flat(question(known_at="2020-01-01")).partition("?")[2], {"/known_at"}, "impossible-question"),
        (
            flat({**standing(), "standing_on": "2019-06-10"}, standing="true").partition("?")[2],
            {"/standing_on"},
            "impossible-question",
        ),
        (flat(question(), standing="true").partition("?")[2], {"/presented_on"}, "impossible-question"),
        (flat(question(), colour="red").partition("?")[2], {"/colour"}, "impossible-question"),
        (flat(question(), limit=51).partition("?")[2], {"/limit"}, "wrong-parameters"),
        (flat(question(), after=-1).partition("?")[2], {"/after"}, "wrong-parameters"),
        (flat(question(), standing="perhaps").partition("?")[2], {"/standing"}, "wrong-parameters"),
    ],
)
async def test_what_cannot_be_followed_is_refused_with_every_fault(
    office: Office, query: str, pointers: set[str], kind: str
) -> None:
    nobody = await office.client()
    for path in (JSON_PATH, ATOM_PATH):
        problem = check_shape(await nobody.get(f"{path}?{query}"))
        assert problem["type"] == f"/problems/{kind}"
        assert pointers <= {each["pointer"] for each in problem["faults"]}


async def test_nothing_is_stored_for_those_who_follow(office: Office, engine: AsyncEngine) -> None:
    async def count() -> dict[str, int]:
        async with engine.connect() as connection:
            names = (
                await connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
            ).all()
            return {
                name: int(await connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0)  # noqa: S608 - a table's name
                for name in names
            }

    before = await count()
    nobody = await office.client()
    assert (await nobody.get(flat(question(), ATOM_PATH))).status_code == 200
    assert await count() == before


async def test_the_page_of_an_answer_leads_to_its_feed(office: Office, served: Litestar) -> None:
    today = datetime.now(UTC).date().isoformat()
    async with client_of(served) as reader:
        reader.headers.update(HTML)
        for asked, parameter in (
            (question(), ("presented_on", "2019-06-10")),
            (question(known_at="2999-01-01"), ("presented_on", "2019-06-10")),
            ({**standing(), "standing_on": today}, ("standing", "true")),
            ({**standing(), "standing_on": "2019-06-10"}, ("standing_on", "2019-06-10")),
        ):
            text = (await reader.get(answer_path(asked))).text
            page = Page(text)
            (link,) = [each for each in page.find("link") if each.get("rel") == "alternate"]
            assert link["type"] == "application/atom+xml"
            assert link["title"]
            (shown,) = [each for each in page.find("a") if each.get("type") == "application/atom+xml"]
            assert shown["href"] == link["href"]
            assert "Follow this answer</a>" in text
            address = unescape(str(link["href"]))
            pairs = parse_qsl(urlsplit(address).query)
            assert parameter in pairs
            assert "known_at" not in dict(pairs)
            feed = read_feed(await reader.get(address))
            (own,) = [each for each in feed.findall(f"{ATOM}link") if each.attrib["rel"] == "self"]
            assert parse_qsl(urlsplit(own.attrib["href"]).query) == pairs


async def test_a_register_without_a_log_offers_no_feed(scratch_app: Litestar) -> None:
    async with client_of(scratch_app) as reader:
        reader.headers.update(HTML)
        text = (await reader.get(answer_path(question()))).text
        assert "Follow this answer" not in text
        assert (await reader.get(make_feed_address(question(), ""))).status_code == 404
