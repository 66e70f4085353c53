"""What ends soon over HTTP: open to everyone, the same lines as JSON, as a table and as a calendar."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from icalendar import Calendar

from cab_registry.app import create_scratch_app
from tests.api.conftest import Asker, client_of
from tests.api.test_problems import check_shape
from tests.register.scratch import busy

TODAY = date(2026, 11, 21)


@pytest.fixture
async def ask() -> AsyncIterator[Asker]:
    register = busy()
    async with client_of(create_scratch_app(lambda: register, lambda: TODAY)) as client:
        yield Asker(client)


async def listed(ask: Asker, **query: Any) -> list[str]:
    """The keys of all pages."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await ask.get("/v1/expiries", params={**query, **cursor, "limit": 4})).json()
        found += [each["key"] for each in page["items"]]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


QUERIES: list[dict[str, Any]] = [
    {},
    {"within": "45d"},
    {"within": "3660"},
    {"as_of": "2027-01-01"},
    {"authority": "xa-ministry"},
    {"authority": "xb-office"},
    {"accreditation_body": "xa-service"},
    {"body": "lab-2"},
    {"agreement": "xa-xb"},
    {"kind": "confirmation"},
    {"kind": "designation", "body": "lab-1", "authority": "xa-ministry", "within": "60"},
    {"kind": "review"},
]


@pytest.mark.parametrize("query", QUERIES, ids=str)
async def test_table_and_calendar_list_what_the_search_lists(ask: Asker, query: dict[str, Any]) -> None:
    """Trap P8: a feed of a search that leaves a filter out."""
    keys = await listed(ask, **query)
    everything = await listed(ask)
    assert query in ({}, {"within": "3660"}, {"as_of": "2027-01-01"}) or set(keys) < set(everything)
    table = await ask.get("/v1/expiries.csv", params=query)
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert [row["key"] for row in csv.DictReader(io.StringIO(table.text, newline=""))] == keys
    calendar = await ask.get("/v1/expiries.ics", params=query)
    assert calendar.headers["content-type"] == "text/calendar; charset=utf-8"
    events = Calendar.from_ical(calendar.content).walk("VEVENT")
    assert [str(event["uid"]).removesuffix("@scratch") for event in events] == keys


async def test_a_page_says_what_was_looked_at_and_counts_the_whole(ask: Asker) -> None:
    page = (await ask.get("/v1/expiries", params={"limit": 2, "kind": "designation"})).json()
    assert (page["as_of"], page["until"]) == ("2026-11-21", "2027-03-21")
    assert [(each["due_on"], each["remaining"], each["items"]) for each in page["items"]] == [
        ("2027-01-02", 42, ["a"]),
        ("2027-01-02", 42, ["a"]),
    ]
    assert page["summary"]["total"] == 4
    assert page["summary"]["by_authority"] == [
        {"id": "xa-former", "name": "F", "count": 2},
        {"id": "xa-ministry", "name": "M", "count": 2},
    ]


async def test_a_cursor_belongs_to_its_filters(ask: Asker) -> None:
    page = (await ask.get("/v1/expiries", params={"limit": 1, "kind": "designation"})).json()
    wrong = {"limit": 1, "kind": "accreditation", "cursor": page["next"]}
    assert check_shape(await ask.get("/v1/expiries", params=wrong))["faults"][0]["pointer"] == "/cursor"


@pytest.mark.parametrize("path", ["/v1/expiries", "/v1/expiries.csv", "/v1/expiries.ics"])
async def test_what_is_known_already_is_not_sent_again(ask: Asker, path: str) -> None:
    first = await ask.get(path)
    assert first.status_code == 200
    again = await ask.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/v1/expiries", "/v1/expiries.csv", "/v1/expiries.ics"])
@pytest.mark.parametrize(
    "query", ["within=3661", "within=soon", "within=-1", "within=120w", "kind=death", "bdy=x", "as_of=2026-02-30"]
)
async def test_what_cannot_be_looked_for_is_refused(ask: Asker, path: str, query: str) -> None:
    problem = check_shape(await ask.get(f"{path}?{query}"))
    assert problem["type"] == "/problems/wrong-parameters"
    assert problem["faults"][0]["pointer"] == f"/{query.partition('=')[0]}"


@pytest.mark.parametrize("path", ["/v1/expiries.csv", "/v1/expiries.ics"])
async def test_what_has_no_pages_takes_no_cursor(ask: Asker, path: str) -> None:
    assert check_shape(await ask.get(f"{path}?limit=3"))["type"] == "/problems/wrong-parameters"
