"""The pages as a person uses them: by form and link, with script and without, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

PHARMA = (
    "/answer?destination=DE&presented_on=2020-04-01&result.kind=gmp_inspection&result.issuer.id=us-fda"
    "&result.issuer_economy=US&result.performed_in=US&result.issued_on=2020-03-10&result.findings={findings}"
    "&subject.requirement=eu-gmp-human&subject.product_class=human_finished&subject.activity=surveillance"
)


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=request.param, base_url=address, locale="en-GB")
    opened = context.new_page()
    foreign: list[str] = []
    opened.on("request", lambda sent: None if sent.url.startswith(address) else foreign.append(sent.url))
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    assert foreign == []
    assert errors == []
    context.close()


def test_a_question_by_form_gets_its_answer(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Market").first.select_option("DE")
    page.get_by_label("Kind of result").select_option("gmp_inspection")
    page.get_by_label("Name of the issuer").fill("Food and Drug Administration")
    page.get_by_label("Issued on").fill("2020-03-10")
    page.get_by_label("Presented on").fill("2020-04-01")
    page.get_by_role("combobox", name="Requirement").fill("eu-gmp-human")
    page.get_by_role("button", name="Answer").click()
    expect(page.locator("h1")).to_be_visible()
    assert "/answer?" in page.url
    assert "result.issuer.name=Food" in page.url


@pytest.mark.parametrize(("findings", "heading"), [("NAI", "Accepted"), ("OAI", "Not accepted")])
def test_the_verdict_stands_in_words_with_every_check(page: Page, findings: str, heading: str) -> None:
    page.goto(PHARMA.format(findings=findings))
    expect(page.locator("h1")).to_contain_text(heading)
    expect(page.get_by_role("heading", name="Recognition by the importing side")).to_be_visible()
    expect(page.get_by_text("recognition-eu-us-fda-1")).to_be_visible()


def test_an_impossible_question_comes_back_with_its_faults(page: Page) -> None:
    response = page.goto("/answer?destination=DE&result.kind=certificate&result.issuer_economy=US")
    assert response is not None
    assert response.status >= 400
    expect(page.locator("body")).to_contain_text("issued_on")


def test_links_lead_from_the_answer_to_the_agreement(page: Page) -> None:
    page.goto(PHARMA.format(findings="NAI"))
    page.get_by_role("link", name="US-EU MRA").first.click()
    expect(page.locator("h1")).to_contain_text("US-EU MRA")
    page.get_by_role("navigation").get_by_role("link", name="Agreements").click()
    expect(page.locator("h1")).to_contain_text("Agreements")


@pytest.mark.parametrize("path", ["/", "/agreements", "/bodies", "/reference"])
def test_pages_have_landmarks_and_do_not_scroll_sideways_on_a_telephone(page: Page, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(path)
    expect(page.get_by_role("main")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("main").bounding_box()["width"] <= 360  # type: ignore[index]  # a visible element has a box
    assert page.locator("h1").count() == 1
