"""The pages: complete without a script, safe, and usable with a keyboard and a reader."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any, get_args
from urllib.parse import urlencode

import httpx
import pytest
from litestar import Litestar

from cab_registry.api.problem_kinds import KINDS
from cab_registry.app import create_scratch_app
from cab_registry.domain.answer import Outcome
from cab_registry.domain.codes import CheckCode, Duty, Verdict
from cab_registry.domain.errors import Fault
from cab_registry.domain.question import AskedQuestion
from cab_registry.engine.facts import RightState, Working, WorkingState
from cab_registry.pages.form import list_choices, list_fields_of, make_groups, place_faults
from cab_registry.pages.words import (
    CHECKS,
    DUTIES,
    OUTCOMES,
    STATUSES,
    VERDICTS,
    best_working,
    in_words,
    look_of_working,
    show_form,
    show_moment,
    show_span,
)
from cab_registry.register.compiled import Register, change_register
from cab_registry.register.short_form import read_given
from cab_registry.services.flat import list_fields, write_flat
from tests.api.conftest import TODAY, client_of, laboratory, law, question, register

HTML = {"accept": "text/html,application/xhtml+xml"}


class Page(HTMLParser):
    """What a test looks for in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def find(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in tags]


@pytest.fixture
async def reader(scratch_app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(scratch_app) as client:
        client.headers.update(HTML)
        yield client


def answer_path(asked: dict[str, Any]) -> str:
    return f"/answer?{urlencode(write_flat(asked))}"


PATHS = [
    "/",
    answer_path(question()),
    answer_path(question(result__issued_on="2016-01-01", result__performed_on="2016-01-01")),
    answer_path(question(destination="NZ")),
    answer_path(question(subject__requirement=...)),
    "/answer?destination=",
    "/agreements",
    "/agreements/apec-tel-us-kr",
    "/bodies",
    "/bodies?name=suwon&economy=",
    "/bodies?economy=Untied+States&requirement=asdf&status=held",
    "/bodies?as_of=soon&status=lost",
    "/bodies/x-kr-lab",
    "/bodies/x-kr-lab?as_of=2017-02-15",
    "/bodies/x-kr-lab?as_of=soon",
    "/reference",
    "/problems",
    "/nowhere",
]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("requirement=asdf", "unknown requirement asdf; write its id or its citation"),
        ("economy=Untied+States", "unknown economy Untied States. Did you mean US (United States)?"),
        ("sector=pharma", "unknown sector pharma. Did you mean pharma_gmp_human or pharma_gmp_vet?"),
        ("as_of=10.03.2025", "is a day in another form: write 2025-03-10"),
        ("status=lost", "choose one of the list"),
    ],
)
async def test_a_search_by_words_that_name_nothing_says_so(reader: httpx.AsyncClient, query: str, told: str) -> None:
    response = await reader.get(f"/bodies?{query}")
    assert response.status_code == 422
    assert told in response.text
    assert "x-kr-lab" not in response.text


async def test_a_search_is_narrowed_in_the_words_of_people(reader: httpx.AsyncClient) -> None:
    response = await reader.get("/bodies?economy=South+Korea&requirement=47+CFR+Part+15+Subpart+C")
    assert response.status_code == 200
    assert "x-kr-lab" in response.text


async def test_the_form_offers_no_union_that_is_no_market(reader: httpx.AsyncClient) -> None:
    page = Page((await reader.get("/")).text)
    offered = {each.get("value") for each in page.find("option")}
    assert {"EU", "GB-NIR", "CH"} <= offered
    assert not {"EEA", "EFTA", "WORLD"} & offered


@pytest.mark.parametrize("path", PATHS)
async def test_every_page_is_whole(reader: httpx.AsyncClient, path: str) -> None:
    response = await reader.get(path)
    assert response.status_code in {200, 404, 422}
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "unsafe" not in policy
    page = Page(response.text)
    assert not page.find("script", "style", "iframe")
    assert not [attributes for _, attributes in page.tags if "style" in attributes or "onclick" in attributes]
    assert len(page.find("h1")) == len(page.find("main")) == len(page.find("title")) == 1
    assert page.find("html")[0]["lang"] == "en"
    assert page.find("a")[0]["href"] == "#content"
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    labels = {each["for"] for each in page.find("label")}
    assert {each["id"] for each in page.find("input", "select")} == labels
    described = {part for _, each in page.tags for part in (each.get("aria-describedby") or "").split()}
    assert described <= set(ids)
    assert all((each.get("href") or "").startswith(("/", "#", "http")) for each in page.find("a", "link"))


@pytest.mark.parametrize("path", PATHS)
async def test_every_link_of_ours_leads_somewhere(reader: httpx.AsyncClient, path: str) -> None:
    page = Page((await reader.get(path)).text)
    ids = {attributes.get("id") for _, attributes in page.tags}
    links = {str(each["href"]) for each in page.find("a", "link")}
    assert {link.removeprefix("#") for link in links if link.startswith("#")} <= ids
    for link in sorted(each for each in links if each.startswith("/"))[:25]:
        assert (await reader.get(link)).status_code == 200, link


async def test_the_answer_says_its_verdict_in_words_and_each_check(reader: httpx.AsyncClient) -> None:
    text = (await reader.get(answer_path(question()))).text
    assert "<span>Accepted</span>" in text
    assert text.count('class="rung') >= 12
    assert "US-Korea" in text


async def test_the_address_to_keep_names_day_and_knowledge(reader: httpx.AsyncClient) -> None:
    text = (await reader.get(answer_path(question(presented_on=None)))).text
    assert f"presented_on={TODAY.isoformat()}" in text


async def test_a_faulty_question_gets_the_form_back(reader: httpx.AsyncClient) -> None:
    path = "/answer?result.kind=test_report&result.issuer.scheme=nando&result.issued_on=2020-01-01"
    path += "&subject.sector=&nonsense=1"
    response = await reader.get(path)
    page = Page(response.text)
    assert response.status_code == 422
    assert [each["href"] for each in page.find("a") if (each["href"] or "").startswith("#f-")] == [
        "#f-destination",
        "#f-result-issuer-name",
    ]
    assert {each["id"] for each in page.find("input", "select") if each.get("aria-invalid")} == {
        "f-destination",
        "f-result-issuer-name",
    }
    assert [each["value"] for each in page.find("input") if each["id"] == "f-result-issuer-scheme"] == ["nando"]
    assert "nonsense" in response.text


async def test_a_single_day_of_work_and_blanks(reader: httpx.AsyncClient) -> None:
    pairs = [*write_flat(question(result__performed_on=...)), ("result.performed_on.from", "2019-05-15")]
    pairs += [("result.performed_on.to", ""), ("result.number", " ")]
    text = (await reader.get(f"/answer?{urlencode(pairs)}")).text
    assert "<span>Accepted</span>" in text
    form = (await reader.get(f"/?{urlencode(pairs)}")).text
    assert 'value="2019-05-15"' in form


async def test_what_was_sent_is_escaped(reader: httpx.AsyncClient) -> None:
    evil = '"><script>alert(1)</script>'
    for path in ("/answer", "/", "/bodies"):
        pairs = [*write_flat(question(result__issuer={"name": evil}, result__issuer_economy="KR")), ("name", evil)]
        text = (await reader.get(f"{path}?{urlencode(pairs)}")).text
        assert "<script" not in text
    assert "<script" not in (await reader.get(f"/agreements/{evil}")).text


async def test_a_name_of_a_record_is_escaped() -> None:
    given = laboratory()
    given[0]["body"]["name"] = "<b>Bold & Co</b>"
    held = change_register(law(), read_given(given, law(), None))
    async with client_of(create_scratch_app(lambda: held, lambda: TODAY)) as client:
        text = (await client.get("/bodies/x-kr-lab")).text
    assert "&lt;b&gt;Bold &amp; Co&lt;/b&gt;" in text
    assert "<b>" not in text


async def test_the_stylesheet_has_its_hash_in_its_name(reader: httpx.AsyncClient) -> None:
    link = Page((await reader.get("/")).text).find("link")[0]["href"]
    assert link is not None
    assert re.fullmatch(r"/static/style\.[0-9a-f]{12}\.css", link)
    style = await reader.get(link)
    assert "immutable" in style.headers["cache-control"]
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "url(" not in style.text
    assert (await reader.get("/static/style.000000000000.css")).status_code == 404


async def test_programs_get_problems_where_readers_get_pages(reader: httpx.AsyncClient) -> None:
    assert "<h1>" in (await reader.get("/agreements/none")).text
    program = await reader.get("/agreements/none", headers={"accept": "application/json"})
    assert program.headers["content-type"] == "application/problem+json"
    under_v1 = await reader.get("/v1/agreements/none")
    assert under_v1.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("kind", KINDS)
async def test_each_type_of_problem_can_be_looked_up(reader: httpx.AsyncClient, kind: Any) -> None:
    response = await reader.get(kind.type)
    assert response.status_code == 200
    assert kind.type in response.text


async def test_an_ambiguous_name_shows_who_it_may_be() -> None:
    given = laboratory()
    twin = {"body": {**given[0]["body"], "id": "x-kr-twin", "identifiers": []}}
    held = change_register(law(), read_given([*given, twin], law(), None))
    async with client_of(create_scratch_app(lambda: held, lambda: TODAY)) as client:
        text = (await client.get(answer_path(question(result__issuer={"name": "Prüflabor Suwon"})))).text
    assert "It may be one of these" in text
    assert 'href="/bodies/x-kr-twin"' in text


def test_every_code_has_its_word() -> None:
    assert set(VERDICTS) == set(get_args(Verdict))
    assert set(OUTCOMES) == set(get_args(Outcome))
    assert set(CHECKS) == set(get_args(CheckCode))
    assert set(DUTIES) == set(get_args(Duty))
    assert set(STATUSES) == {state.name.lower() for state in RightState}
    for working in Working:
        assert look_of_working(WorkingState(working, None, None)).word
    assert best_working([]).word == "No route on record"


def test_every_field_of_the_form_is_one_of_the_question(scratch_register: Register) -> None:
    groups = make_groups(list_choices(scratch_register), ["result.site"])
    fields = list_fields_of(groups)
    assert set(fields) <= set(list_fields(AskedQuestion))
    assert len({field.id for field in fields.values()}) == len(fields)
    assert [group.more_open for group in groups] == [False, True, False, False]
    summary, wrong = place_faults([Fault("/destination", "x" * 300), Fault("", "whole")], fields)
    assert [each["label"] for each in summary] == ["Market", "The question"]
    assert set(wrong) == {"destination"}


def test_words() -> None:
    assert in_words("pharma_gmp_human") == "Pharma GMP human"
    assert show_moment("always") == "for as long back as asked"
    assert show_moment({"not_before": "2020-01-01"}) == "not before 2020-01-01"
    assert show_moment({"not_after": "2020-01-01"}) == "not after 2020-01-01"
    assert show_moment({"not_before": "2020-01-01", "not_after": "2020-02-01"}) == "between 2020-01-01 and 2020-02-01"
    assert show_span(["2020-01-01", None]) == "from 2020-01-01"
    assert show_span(["always", "2020-01-01"]) == "until 2020-01-01"
    assert show_span(["always", None]) == "with no dates"
    assert show_span(["2020-01-01"]) == "2020-01-01"
    assert (
        show_form({"anyOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#/a/B"}}]}) == "null or list of B"
    )
    assert show_form({}) == "any value"


def test_the_laboratory_of_these_tests_is_recognised() -> None:
    assert "x-kr-lab" in register().facts.issuers


async def test_an_answer_says_whom_and_what_it_took(reader: httpx.AsyncClient) -> None:
    pairs = question(subject__requirement="47 CFR 15.247", destination="United States of America")
    text = (await reader.get(answer_path(pairs))).text
    assert "Who and what is meant" in text
    assert "47 CFR Part 15 Subpart C" in text
    assert "a part of it" in text
