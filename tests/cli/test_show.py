"""`cab show` and `cab search` on a real server."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from cab_cli.exits import Exit
from cab_cli.faces import ScratchServer, scratch_server
from cab_cli.main import app
from cab_registry.register.catalogue import load_catalogue
from cab_registry.register.compiled import Register, Versioned, compile_register
from tests.cli.conftest import TODAY


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
    }


def test_nothing_found_is_said(cab: Any) -> None:
    done = cab("search", "nobody bears this name")
    assert (done.exit_code, done.stdout) == (Exit.DONE, "")
    assert "No body fits." in done.stderr
