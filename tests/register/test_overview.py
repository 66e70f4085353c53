"""The page on the catalogue is current, depends on nothing but the catalogue, and says what routes are worth."""

from pathlib import Path

import pytest

from cab_registry.register.catalogue import Entry, load_catalogue
from cab_registry.register.overview import PAGE, newest_reading, render_files, render_overview
from cab_registry.register.schemas import write_files

HERE = Path(__file__).parent
LAW = """
type: sources
law: {title: "Gazette [1] | part", address: "https://example.org/law", read_on: 2021-06-01, confidence: high}
---
- {type: economy, id: "xa", owner: registrar, code: "XA", names: {en: A}}
- {type: economy, id: "xb", owner: registrar, code: "XB", names: {en: B}}
---
type: agreement
id: xa-xb
owner: registrar
short: A-B
family: technical
parties: ["XA", "XB"]
instrument:
  - {state: signed, source: law}
  - {state: in_force, "on": {not_before: 2005-01-01, not_after: 2005-01-31}, source: law}
annexes:
  always: {instrument: [{state: suspended, "on": 2010-01-01, source: law}]}
---
type: agreement
id: a-arrangement
owner: registrar
title: An arrangement
family: accreditation
parties: []
instrument: [{state: terminated, "on": 2001-01-01, source: law}]
"""
SIGNED = "scheme: s\ninstrument: [{state: signed, on: D, source: law}]"
WORKS = "{state: operational, on: always, source: law}"
ROUTE = """
---
type: route
id: route-{index}
owner: registrar
citation: Article {index}
source: law
confidence: low
importer: ["XB"]
result_kinds: [certificate, test_report]
issuer: {{asked: false}}
duty: must
{more}
"""


def read(folder: Path, *routes: str) -> list[Entry]:
    (folder / "law").mkdir()
    text = LAW + "".join(ROUTE.format(index=index, more=more) for index, more in enumerate(routes))
    (folder / "law" / "all.yaml").write_text(text)
    return load_catalogue(folder=folder)


def row(page: str, index: int) -> list[str]:
    (line,) = (line for line in page.splitlines() if line.startswith(f"| `route-{index}` |"))
    return [cell.strip() for cell in line.replace("\\|", "/").strip("|").split("|")]


def test_the_committed_page_is_current() -> None:
    text = (HERE.parents[1] / PAGE).read_text("utf-8")
    assert text == render_files()[PAGE], "run python -m cab_registry.register.overview --write"


def test_the_page_does_not_depend_on_the_order_of_files() -> None:
    entries = load_catalogue()
    assert render_overview(entries) == render_overview(sorted(entries, key=lambda entry: str(entry.record.note)))


def test_a_row_shows_the_whole_route(tmp_path: Path) -> None:
    page = render_overview(read(tmp_path, 'agreement: xa-xb\nexporter: ["XA"]'))
    assert row(page, 0) == [
        "`route-0`",
        "XB",
        "XA",
        "certificate, test_report",
        "January 2005",
        "January 2005",
        "operational",
        "must",
        "Article 0",
        "[Gazette (1) / part](<https://example.org/law>)",
        "low",
    ]
    assert "The status is that of 2021-06-01" in page
    assert "| routes by status | operational 1 |" in page
    assert "`xa-xb` between XA, XB: signed on no known day; in force January 2005." in page
    assert "### An arrangement" in page
    assert "`a-arrangement` between bodies of many economies: terminated 2001-01-01.\n\nNo route." in page


@pytest.mark.parametrize(
    ("more", "status", "force", "works"),
    [
        ("agreement: xa-xb\nannex: always", "suspended", "January 2005", "January 2005"),
        (SIGNED, "not in force", "never", "never"),
        (
            f"{SIGNED}\noperation: [{{state: given_up, on: D, source: law}}]",
            "given up",
            "never",
            "never",
        ),
        (
            "scheme: s\ninstrument: [{state: in_force, on: always, source: law}, {state: lapsed, on: D, source: law}]",
            "ended",
            "the beginning",
            "the beginning",
        ),
        (
            "scheme: s\ninstrument: [{state: in_force, on: {not_before: D}, source: law}]",
            "uncertain",
            "never",
            "never",
        ),
        (
            "agreement: xa-xb\noperation: [{state: pilot, on: D, source: law}]",
            "pilot",
            "January 2005",
            "never",
        ),
        (
            "agreement: xa-xb\noperation: [{state: planned, on: D, source: law}]",
            "in force, not yet operational",
            "January 2005",
            "never",
        ),
        (
            f"agreement: xa-xb\noperation: [{WORKS}, {{state: paused, on: D, source: law}}]",
            "in force, operation paused",
            "January 2005",
            "the beginning",
        ),
        (
            "agreement: xa-xb\noperation: [{state: operational, on: {not_before: D}, source: law}]",
            "in force, uncertain whether operational",
            "January 2005",
            "never",
        ),
    ],
)
def test_a_status_is_told_in_words(tmp_path: Path, more: str, status: str, force: str, works: str) -> None:
    text = more.replace("on: ", '"on": ').replace("D", "2020-02-02").replace('operati"on"', "operation")
    page = render_overview(read(tmp_path, text))
    assert row(page, 0)[4:7] == [force, works, status]


def test_parties_are_shown_with_their_days(tmp_path: Path) -> None:
    parties = (
        'scheme: s\ninstrument: [{state: in_force, "on": 2001-01-01, source: law}]\nnot_exporter: ["XB"]\nexporter:\n'
        '  - {economy: "XA", from: 2001-01-01, source: law}\n'
        '  - {economy: "XB", from: always, until: 2002-01-01, source: law}\n'
        '  - {economy: "XC", from: 2001-01-01, until: 2002-01-01, source: law}\n'
        '  - {economy: "XD", from: always, source: law}\n'
    )
    page = render_overview(
        read(tmp_path, parties, 'scheme: s\ninstrument: [{state: in_force, "on": 2001-01-01, source: law}]')
    )
    shown = "XA (from 2001-01-01), XB (to 2002-01-01), XC (2001-01-01 to 2002-01-01), XD (always) but XB"
    assert row(page, 0)[2] == shown
    assert row(page, 1)[2] == "any"
    assert "## Schemes and domestic law\n\n### s\n" in page


def test_a_route_without_a_source_is_shown_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "law").mkdir()
    text = LAW + ROUTE.format(index=0, more="agreement: xa-xb").replace("source: law\n", "")
    (tmp_path / "law" / "all.yaml").write_text(text)
    assert row(render_overview(load_catalogue(folder=tmp_path)), 0)[-2:] == ["none", "low"]


def test_without_a_source_that_was_read_there_is_still_a_day() -> None:
    assert newest_reading([]) == 1


def test_the_page_is_written_where_it_is_committed(tmp_path: Path) -> None:
    assert write_files({PAGE: "x"}, tmp_path) == ["docs/catalogue.md"]
