"""What all commands that write have in common: a yes, and where it was read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from cab_cli import importing, submitting
from cab_cli.exits import Exit
from cab_cli.main import app
from tests.cli.officers import Office, Officer

MRA = ("--agreement", "apec-tel-us-kr", "--annex", "phase-1")
SOURCE = "FCC list=https://apps.fcc.gov/list?a=b"
RIGHT = "recognition-us-fcc-fcc-kr0001-1"
WHY = ("--reason", "as decided")
WRITES = {
    "body add": ("X", "--economy", "KR", "--kind", "testing_laboratory"),
    "designate": ("fcc-kr0001", *MRA, "--from", "2020-01-01"),
    "propose": ("fcc-kr0001", *MRA),
    "receive": ("fcc-kr0001", *MRA),
    "object": ("fcc-kr0001", *MRA, *WHY),
    "recognise": ("fcc-kr0001", *MRA, "--from", "2020-01-01"),
    "accreditation add": ("fcc-kr0001", "--standard", "ISO/IEC 17025", "--from", "2020-01-01"),
    "accreditation renew": (RIGHT, "--until", "2030-01-01", *WHY),
    "accreditation confirm": (RIGHT, *WHY),
    "accreditation reduce": (RIGHT, "--scope", "a", *WHY),
    "suspend": (RIGHT, *WHY),
    "reinstate": (RIGHT, *WHY),
    "restrict": (RIGHT, "--scope", "a", *WHY),
    "withdraw": (RIGHT, *WHY),
    "annul": (RIGHT, *WHY),
    "contest": (RIGHT, *WHY),
    "verify": (RIGHT, *WHY),
    "correct": (RIGHT, "--set", "/note=x", *WHY),
    "transfer": ("fcc-kr0001", "--to", "kr-rra", *WHY),
    "policy set": ("--four-eyes", *WHY),
    "submit": ("{file}",),
    "import": ("{table}", "--mapping", "{file}"),
    "submission approve": ("0123",),
    "submission reject": ("0123", *WHY),
    "submission withdraw": ("0123", *WHY),
}


def commands(name: str = "", command: Any = None) -> Iterator[tuple[str, Any]]:
    command = command or typer.main.get_command(app)
    yield name, command
    for part, inner in getattr(command, "commands", {}).items():
        yield from commands(f"{name} {part}".strip(), inner)


def options(command: Any) -> set[str]:
    return {option for each in command.params for option in each.opts}


def test_every_command_that_writes_to_the_register_can_be_told_yes_and_a_source() -> None:
    asking = {name for name, command in commands() if "--yes" in options(command)}
    assert asking >= WRITES.keys()
    sourced = {name for name, command in commands() if "--source" in options(command)}
    unsourced = {"transfer", "policy set"}
    assert sourced == {name for name in WRITES if not name.startswith("submission ")} - unsourced
    assert sourced <= asking


@pytest.mark.parametrize("name", WRITES)
def test_nothing_is_written_without_a_yes_where_nobody_can_be_asked(name: str, tmp_path: Path) -> None:
    places = {"file": tmp_path / "record.yaml", "table": tmp_path / "table.csv"}
    places["file"].write_text("columns: {Name: body.name}\n", "utf-8")
    places["table"].write_text("Name\nX\n", "utf-8")
    words = [word.format(**places) for word in (*name.split(), *WRITES[name])]
    # No server is there: what is refused is refused before anything is read or sent.
    nobody = Officer("http://127.0.0.1:1", "cab_none", tmp_path)
    done = nobody.types(*words, sure=False)
    assert (done.exit_code, done.stdout) == (Exit.REFUSED, ""), done.stderr
    assert "no terminal" in done.stderr
    assert "--yes" in done.stderr
    assert nobody.types(*words).exit_code == Exit.UNAVAILABLE


@pytest.fixture
def rra(office: Office, monkeypatch: pytest.MonkeyPatch) -> Officer:
    for module in (submitting, importing):
        monkeypatch.setattr(module, "today", lambda: "2026-11-21")
    return office.officer("kr-rra")


def test_a_source_goes_into_the_record_and_to_each_new_fact(rra: Officer) -> None:
    words = ("body", "add", "Sourced Lab", "--economy", "KR", "--kind", "testing_laboratory")
    plain = rra.does(*words, "--identifier", "fcc-designation:KR7701", "--dry-run")
    (warning,) = [each for each in plain["warnings"] if each["pointer"].endswith("/sources")]
    assert "--source TITLE=ADDRESS" in warning["message"]

    receipt = rra.does(
        *words, "--identifier", "fcc-designation:KR7701", "--source", SOURCE, "--source", "Letter of 3 May="
    )
    assert [each for each in receipt["warnings"] if "source" in each["message"]] == []
    body = receipt["versions"][0]["id"]
    record = rra.does("show", body)["record"]
    assert record["sources"] == {
        "fcc-list": {"title": "FCC list", "address": "https://apps.fcc.gov/list?a=b", "read_on": "2026-11-21"},
        "letter-of-3-may": {"title": "Letter of 3 May", "read_on": "2026-11-21"},
    }
    assert {record["names"][0]["source"], record["identifiers"][0]["source"]} == {"fcc-list"}


def test_an_old_fact_keeps_its_source_and_a_new_one_gets_its_own(rra: Officer) -> None:
    words = ("body", "add", "Kept Lab", "--economy", "KR", "--kind", "testing_laboratory")
    body = rra.does(*words, "--identifier", "fcc-designation:KR7702", "--source", SOURCE)["versions"][0]["id"]
    given = rra.does("designate", body, *MRA, "--scope", "us-47cfr-15c", "--from", "2020-01-01")
    right = given["versions"][0]["id"]
    assert any("source" in each["message"] for each in given["warnings"])
    step = ("--on", "2021-01-01", "--reason", "Test failed", "--source", "Decision 7=https://rra.example/7")
    done = rra.does("suspend", right, *step)
    # What stood without a source before is not warned of again.
    assert [each for each in done["warnings"] if "source" in each["message"]] == []
    timeline = rra.does("show", right)["record"]["timeline"]
    assert [event.get("source") for event in timeline] == [None, "decision-7"]
    place = "/timeline/1/on=2021-02-01"
    rra.does("correct", right, "--set", place, "--reason", "Typing error", "--source", "Letter=https://rra.example/8")
    record = rra.does("show", right)["record"]
    assert record["timeline"][1]["source"] == "letter"
    assert set(record["sources"]) == {"decision-7", "letter"}


def test_records_from_files_and_tables_get_sources_too(rra: Officer, tmp_path: Path) -> None:
    record = {
        "type": "body", "owner": "kr-rra", "economy": "KR", "kinds": ["testing_laboratory"],
        "names": [
            {"name": "Filed Lab", "from": "always", "source": "own"},
            {"name": "F L", "kind": "other", "from": "always"},
        ],
        "sources": {"own": {"title": "Own"}},
        "identifiers": [{"scheme": "fcc-designation", "value": "KR7703", "from": "always"}],
    }  # fmt: skip
    file = tmp_path / "record.json"
    file.write_text(json.dumps(record), "utf-8")
    body = rra.does("submit", str(file), "--source", SOURCE)["versions"][0]["id"]
    held = rra.does("show", body)["record"]
    assert [each["source"] for each in (*held["names"], *held["identifiers"])] == ["own", "fcc-list", "fcc-list"]

    table, mapping = tmp_path / "table.csv", tmp_path / "mapping.yaml"
    table.write_text("Name,Country,Number\nTabled Lab,KR,KR7704\n", "utf-8")
    mapping.write_text(
        "columns: {Name: body.name, Country: body.economy, Number: body.identifier.fcc-designation}\n"
        "constants: {body.kind: testing_laboratory}\n",
        "utf-8",
    )
    rra.does("import", str(table), "--mapping", str(mapping), "--source", SOURCE)
    held = rra.does("show", "fcc-designation-kr7704")["record"]
    assert [each["source"] for each in (*held["names"], *held["identifiers"])] == ["fcc-list", "fcc-list"]


@pytest.mark.parametrize("written", ["no equals sign", "=https://a.example", " = "])
def test_a_source_that_cannot_be_read_is_refused(rra: Officer, written: str) -> None:
    words = ("body", "add", "X", "--economy", "KR", "--kind", "testing_laboratory", "--source", written)
    done = rra.types(*words)
    assert done.exit_code == Exit.REFUSED
    assert "--source" in done.stderr
    assert "TITLE=ADDRESS" in done.stderr


def test_what_says_nothing_new_of_a_body_takes_no_source(rra: Officer) -> None:
    done = rra.types("transfer", "kr-rra", "--to", "kr-kolas", "--reason", "x", "--source", SOURCE)
    assert done.exit_code == Exit.REFUSED
    assert "No such option: --source" in done.stderr
