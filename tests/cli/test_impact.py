"""`cab impact` on a real server."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cab_cli.exits import Exit
from cab_cli.faces import ScratchServer, scratch_server
from cab_cli.main import app
from cab_registry.register.catalogue import load_catalogue
from cab_registry.register.compiled import Versioned, compile_register
from tests.cli.conftest import TODAY

ACCREDITOR = "us-nvlap"


@pytest.fixture(scope="module")
def server():  # noqa: ANN201 - a generator of a server
    latest = {entry.record.id: Versioned(entry.record, 1) for entry in load_catalogue()}
    with scratch_server() as running:
        running.show(compile_register(latest.values()), TODAY)
        yield running


@pytest.fixture
def cab(server: ScratchServer):  # noqa: ANN201 - a local helper
    return lambda *words: CliRunner().invoke(app, ["impact", *words, "--server", server.url])


def test_it_begins_with_what_is_supposed_and_ends_with_the_total(cab: Any) -> None:
    done = cab(ACCREDITOR, "--if", "suspended", "--on", "2027-01-01")
    assert done.exit_code == Exit.DONE
    assert done.stdout.startswith("Supposed: National Voluntary Laboratory Accreditation Program (NVLAP) (US) is no ")
    found = json.loads(cab(ACCREDITOR, "--if", "suspended", "--on", "2027-01-01", "--json").stdout)
    assert found["bodies"]
    for body in found["bodies"]:
        assert f"{body['name']} ({body['economy']}), {body['id']}" in done.stdout
    assert done.stdout.count("falls with") == len(found["bodies"])
    assert done.stdout.count("2027-01-01 ") >= found["counts"]["flips"]
    (change,) = found["counts"]["changes"]
    assert f"  {change['before']} -> {change['after']}: {change['count']}".replace("_", " ") in done.stdout
    assert "\x1b" not in done.stdout


def test_a_body_has_one_thing_to_lose(cab: Any) -> None:
    done = cab("jp-pmda", "--if", "expired", "--horizon", "10")
    assert done.exit_code == Exit.DONE
    assert "falls with" not in done.stdout
    assert "3 standing answers of 1 body would flip between 2026-11-21 and 2026-12-01, in 1 market" in done.stdout


def test_nothing_that_flips_is_told_too(cab: Any) -> None:
    done = cab("kr-kolas", "--if", "withdrawn")
    assert done.exit_code == Exit.DONE
    assert "No standing answer would flip" in done.stdout


def test_each_answer_is_a_line_of_a_table(cab: Any, tmp_path: Path) -> None:
    place = tmp_path / "flips.csv"
    done = cab(ACCREDITOR, "--if", "withdrawn", "--csv", str(place), "--json")
    assert done.exit_code == Exit.DONE
    assert f"Written to {place}." in done.stderr
    found = json.loads(done.stdout)
    with place.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == found["counts"]["flips"] > 0
    flips = [(body["id"], flip) for body in found["bodies"] for flip in body["flips"]]
    for line, (body, flip) in zip(lines, flips, strict=True):
        asked = flip["question"]
        assert (line["body"], line["requirement"], line["destination"]) == (
            body,
            asked["requirement"] or "",
            asked["destination"],
        )
        assert (line["before"], line["after"], line["on"], line["falls_with"]) == (
            flip["before"],
            flip["after"],
            flip["on"],
            flip["falls_with"],
        )
    refused = cab(ACCREDITOR, "--if", "withdrawn", "--csv", str(tmp_path / "none" / "flips.csv"))
    assert refused.exit_code == Exit.REFUSED


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nobody", "--if", "suspended"), "no such record"),
        (("us-eu-mra", "--if", "suspended"), "neither a body nor an accreditation body"),
        (("jp-pmda", "--if", "suspended", "--what", "status"), "/what"),
        (("jp-pmda", "--if", "suspended", "--on", "1950-01-01"), "nothing to lose"),
        (("jp-pmda", "--if", "suspended", "--on", "soon"), "/on"),
        (("jp-pmda", "--if", "lost"), "lost"),
        (("jp-pmda",), "--if"),
        (("../bodies/jp-pmda", "--if", "suspended"), ""),
    ],
)
def test_what_cannot_be_supposed_is_refused(cab: Any, words: tuple[str, ...], said: str) -> None:
    done = cab(*words)
    assert done.exit_code == Exit.REFUSED
    assert said in done.stderr
    assert done.stdout == ""


def test_without_a_server_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cab_cli.client.FIRST_PAUSE_SECONDS", 0.0)
    done = CliRunner().invoke(app, ["impact", "jp-pmda", "--if", "expired", "--server", "http://127.0.0.1:9"])
    assert done.exit_code == Exit.UNAVAILABLE
