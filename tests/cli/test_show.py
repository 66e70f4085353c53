"""`cab show` and `cab search` on a real server."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from cab_cli.exits import Exit
from cab_cli.faces import ScratchServer, scratch_server
from cab_cli.main import app
from cab_registry.domain.records import RECORD_TYPES, Body, Recognition, write_record
from cab_registry.register.catalogue import load_catalogue
from cab_registry.register.compiled import Register, Versioned, compile_register
from tests.cli.conftest import TODAY
from tests.cli.officers import Office


@pytest.fixture(scope="module")
def whole() -> Register:
    """Law and bodies together."""
    latest = {entry.record.id: Versioned(entry.record, 1) for entry in load_catalogue()}
    return compile_register(latest.values())


@pytest.fixture(scope="module")
def server(whole: Register):  # noqa: ANN201 - a generator of a server
    with scratch_server() as running:
        running.show(whole, TODAY)
        yield running


@pytest.fixture
def cab(server: ScratchServer):  # noqa: ANN201 - a local helper
    return lambda *words: CliRunner().invoke(app, [*words, "--server", server.url])


def test_an_agreement_comes_with_its_annexes_and_routes(cab: Any) -> None:
    done = cab("show", "us-eu-mra")
    assert done.exit_code == Exit.DONE
    for part in ("agreement us-eu-mra, version 1", "Annexes", "pharma-gmp", "Routes", "us-eu-gmp-human-eu", "Sources"):
        assert part in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("kind", "record_id"),
    [
        ("agreement", "us-eu-mra"),
        ("authority", "us-fda"),
        ("requirement", "eu-gmp-human"),
        ("route", "us-eu-gmp-human-eu"),
        ("body", "nl-telefication"),
    ],
)
def test_a_record_is_found_with_and_without_its_type(cab: Any, kind: str, record_id: str) -> None:
    named = cab("show", kind, record_id, "--json")
    found = json.loads(named.stdout)
    assert (found["record"]["type"], found["record"]["id"]) == (kind, record_id)
    assert cab("show", record_id, "--json").stdout == named.stdout
    assert cab("show", record_id).stdout.startswith(f"{kind} {record_id}, version 1")


def some_of_each_type(register: Register) -> list[tuple[str, str]]:
    """Of each type the first record, and the one that says most."""
    found: dict[str, list[tuple[int, str]]] = {}
    for record_id, versioned in register.records.items():
        document = write_record(versioned.record)
        found.setdefault(document["type"], []).append((len(str(document)), record_id))
    return [(kind, name) for kind, ids in found.items() for name in dict.fromkeys((ids[0][1], max(ids)[1]))]


def test_every_record_of_every_type_can_be_shown(cab: Any, whole: Register) -> None:
    some = some_of_each_type(whole)
    assert {kind for kind, _ in some} == set(RECORD_TYPES)
    for kind, record_id in some:
        done = cab("show", record_id)
        assert done.exit_code == Exit.DONE, f"{record_id}\n{done.stderr}"
        assert done.stdout.startswith(f"{kind} {record_id}, version 1"), done.stdout
        assert cab("show", kind, record_id).stdout == done.stdout
        document = json.loads(cab("show", record_id, "--json").stdout)["record"]
        words = "".join(done.stdout.split())
        for key, value in document.items():
            listed = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
            if any(isinstance(each, dict) for each in listed):
                assert key.replace("_", " ").capitalize() in done.stdout or key in done.stdout
        for event in document.get("timeline", []):
            assert str(event["event"]) in words
        for site in document.get("sites", []):
            assert site["key"] in words
        for key in document.get("sources", {}):
            assert key in words


def test_a_right_has_its_timeline_and_scope_as_tables(cab: Any, whole: Register) -> None:
    right = max(
        (each.record for each in whole.records.values() if isinstance(each.record, Recognition)),
        key=lambda record: len(record.timeline),
    )
    lines = [line.split() for line in cab("show", right.id).stdout.splitlines()]
    place = lines.index(["Timeline"])
    assert lines[place + 1][:2] == ["event", "on"]
    assert [line[0] for line in lines[place + 3 : place + 3 + len(right.timeline)]] == [
        event.event for event in right.timeline
    ]
    assert ["Scope"] in lines


def test_a_site_is_shown_by_its_key(cab: Any, whole: Register) -> None:
    body = next(each.record for each in whole.records.values() if isinstance(each.record, Body) and each.record.sites)
    lines = [line.split() for line in cab("show", body.id).stdout.splitlines()]
    place = lines.index(["Sites"])
    assert lines[place + 1][0] == "key"
    assert lines[place + 3][0] == body.sites[0].key


def test_a_type_that_is_misspelt_is_answered_with_what_was_perhaps_meant(cab: Any) -> None:
    assert "did you mean recognition?" in cab("show", "recogniton", "x").stderr
    assert "is of type agreement" in cab("show", "body", "us-eu-mra").stderr


def test_a_record_is_shown_with_its_versions_and_after_it_was_retired(office: Office) -> None:
    officer = office.officer("kr-rra")
    words = ("body", "add", "Versioned Lab", "--economy", "KR", "--kind", "testing_laboratory")
    body = officer.does(*words, "--site", "suwon:KR:Suwon", "--id", "versioned-lab")["versions"][0]["id"]
    officer.does("correct", body, "--set", "/note=moved", "--reason", "It moved")
    found = officer.does("show", body)
    assert [each["version"] for each in found["versions"]] == [2, 1]
    shown = officer.types("show", body).stdout
    assert "Versions" in shown
    assert "It moved" in shown
    assert "Note: moved (not stated before)" in " ".join(shown.split())
    retired = {"document": {**found["record"]}, "expected_version": 2, "change": "retire"}
    file = office.folder / "retired.json"
    file.write_text(json.dumps(retired), "utf-8")
    officer.does("submit", str(file), "--reason", "Entered twice")
    shown = officer.types("show", body)
    assert shown.exit_code == Exit.DONE, shown.stderr
    assert shown.stdout.startswith("body versioned-lab, version 3, retired")
    assert "Entered twice" in shown.stdout


def test_a_body_shows_its_rights_on_a_day(cab: Any) -> None:
    done = cab("show", "nl-telefication", "--as-of", "2010-01-01")
    assert done.exit_code == Exit.DONE
    assert "Rights on 2010-01-01" in done.stdout
    assert "held" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["show", "no-such-record"],
        ["show", "body", "us-eu-mra"],
        ["show", "treaty", "us-eu-mra"],
        ["show", "a", "b", "c"],
        ["show", "route", "us-eu-gmp-human-eu", "--as-of", "2020-01-01"],
        ["show", "us-eu-mra", "--known-at", "yesterday"],
        ["search", "--status", "rumoured"],
    ],
)
def test_what_cannot_be_shown_is_refused(cab: Any, words: list[str]) -> None:
    done = cab(*words)
    assert (done.exit_code, done.stdout) == (Exit.REFUSED, "")
    assert done.stderr.strip()


def test_bodies_are_found_by_name_and_by_number(cab: Any) -> None:
    by_name = json.loads(cab("search", "telefication", "--json").stdout)
    assert "nl-telefication" in [line["id"] for line in by_name["items"]]
    by_number = json.loads(cab("search", "0560", "--json").stdout)
    assert "nl-telefication" in [line["id"] for line in by_number["items"]]
    assert "nando:0560" in cab("search", "0560", "--scheme", "nando").stdout


def test_pages_are_followed_to_the_limit(cab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = json.loads(cab("search", "--limit", "1000", "--json").stdout)
    assert not everything["more"]
    monkeypatch.setattr("cab_cli.show.PAGE", 7)
    assert json.loads(cab("search", "--limit", "1000", "--json").stdout) == everything
    some = cab("search", "--limit", "10")
    assert "There are more than 10" in some.stderr
    assert json.loads(cab("search", "--limit", "10", "--json").stdout) == {
        "items": everything["items"][:10],
        "more": True,
        "authorities": [],
    }


@pytest.mark.parametrize(("name", "found"), [("FDA", "us-fda"), ("MHRA", "gb-mhra"), ("swissmedic", "ch-swissmedic")])
def test_authorities_are_found_by_name(cab: Any, name: str, found: str) -> None:
    done = cab("search", name)
    assert "No body fits." in done.stderr
    assert found in done.stdout.partition("Authorities")[2]
    lines = json.loads(cab("search", name, "--json").stdout)
    assert lines["items"] == []
    assert found in [line["id"] for line in lines["authorities"]]


def test_authorities_are_not_looked_for_by_what_only_bodies_have(cab: Any) -> None:
    assert json.loads(cab("search", "FDA", "--economy", "United States", "--json").stdout)["authorities"] == []
    assert json.loads(cab("search", "--economy", "USA", "--json").stdout)["items"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["search", "--economy", "Untied States"],
            "/economy: unknown economy Untied States. Did you mean US (United States)?",
        ),
        (["search", "x", "--sector", "pharma"], "/sector: unknown sector pharma. Did you mean pharma_gmp_human or"),
        (["search", "--requirement", "asdf"], "/requirement: unknown requirement asdf;"),
        (["show", "US-FDA"], "the register has no record 'US-FDA'; did you mean us-fda?"),
        (["show", "nando-51"], "the register has no record 'nando-51'; did you mean nando-0051?"),
        (["show", "agreement", "US-EU MRA"], "did you mean us-eu-mra?"),
        (["expiry", "--authority", "asdf"], "/authority: unknown authority asdf;"),
    ],
)
def test_what_names_nothing_is_told_with_what_was_meant(cab: Any, words: list[str], told: str) -> None:
    done = cab(*words)
    assert done.exit_code == Exit.REFUSED
    assert told in " ".join(done.stderr.split()) or told in done.stderr


def test_nothing_found_is_said(cab: Any) -> None:
    done = cab("search", "nobody bears this name")
    assert (done.exit_code, done.stdout) == (Exit.DONE, "")
    assert "No body fits." in done.stderr
