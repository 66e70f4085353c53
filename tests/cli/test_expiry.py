"""`cab expiry`: what ends soon, as a table, as months, as files; and `cab accreditation confirm`."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from typer.testing import CliRunner

from cab_cli import expiry
from cab_cli.exits import Exit
from cab_cli.faces import ScratchServer, scratch_server
from cab_cli.main import app
from tests.cli.conftest import TODAY
from tests.cli.officers import Office
from tests.register.scratch import busy

Cab = Callable[..., Any]


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    with scratch_server() as running:
        running.show(busy(), TODAY)
        yield running


@pytest.fixture
def cab(server: ScratchServer) -> Cab:
    return lambda *words: CliRunner().invoke(app, ["expiry", *words, "--server", server.url], env={"COLUMNS": "200"})


def keys(cab: Cab, *words: str) -> list[str]:
    done = cab(*words, "--json")
    assert done.exit_code == Exit.DONE, done.stderr
    return [each["key"] for each in json.loads(done.stdout)["items"]]


def test_a_table_shows_what_ends_first_first(cab: Cab) -> None:
    done = cab("--kind", "designation")
    assert done.exit_code == Exit.DONE
    headings, _, first, *_ = done.stdout.splitlines()
    assert headings.split() == ["last", "day", "days", "kind", "what", "record"]
    assert first.split()[:3] == ["2027-01-02", "42", "designation"]
    assert "Laboratory 1: the designation by M, items a" in done.stdout


def test_what_is_late_is_marked(cab: Cab) -> None:
    done = cab("--kind", "confirmation")
    assert "2018-02-01   late" in done.stdout


def test_nothing_that_ends_is_said(cab: Cab) -> None:
    done = cab("--kind", "membership")
    assert (done.exit_code, done.stdout) == (Exit.DONE, "")
    assert "Nothing ends from 2026-11-21 to 2027-03-21." in done.stderr


def test_months_are_shown_with_what_falls_on_their_days(cab: Cab) -> None:
    done = cab("--calendar", "--authority", "xa-ministry")
    assert done.exit_code == Exit.DONE, done.stderr
    november, january = done.stdout.index("November 2026"), done.stdout.index("January 2027")
    assert november < january
    assert "December 2026" in done.stdout
    assert ">21*" in done.stdout
    weeks = done.stdout[january:].splitlines()
    assert weeks[1] == " Mon Tue Wed Thu Fri Sat Sun"
    assert weeks[2] == " " * 16 + "  1   2*  3"
    assert " 2  Laboratory 1: the designation by M, items a" in done.stdout


def test_what_is_late_stands_before_the_months(cab: Cab) -> None:
    done = cab("--calendar", "--kind", "confirmation")
    assert done.stdout.startswith("Before 2026-11-21\n  2018-02-01  ")
    assert "\nDecember 2026\n" in done.stdout


FILTERS = [
    (),
    ("--within", "45d"),
    ("--authority", "xb-office"),
    ("--accreditation-body", "xa-service"),
    ("--body", "lab-2"),
    ("--agreement", "xa-xb"),
    ("--kind", "edition"),
    ("--as-of", "2027-01-01"),
]


@pytest.mark.parametrize("filters", FILTERS, ids=" ".join)
def test_every_output_lists_the_same(
    cab: Cab, filters: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trap P8: an output that leaves a filter out."""
    listed = keys(cab, *filters)
    monkeypatch.setattr(expiry, "PAGE", "2")
    assert keys(cab, *filters) == listed
    assert filters == () or listed != keys(cab)
    table = cab(*filters, "--csv", "-").stdout
    assert [row["key"] for row in csv.DictReader(io.StringIO(table, newline=""))] == listed
    place = tmp_path / "ends.ics"
    assert cab(*filters, "--ics", str(place)).exit_code == Exit.DONE
    events = Calendar.from_ical(place.read_bytes()).walk("VEVENT")
    assert [str(event["uid"]).removesuffix("@scratch") for event in events] == listed


def test_a_table_in_a_file_says_that_it_is_utf8(cab: Cab, tmp_path: Path) -> None:
    place = tmp_path / "ends.csv"
    done = cab("--csv", str(place))
    assert (done.exit_code, done.stdout) == (Exit.DONE, "")
    assert place.read_bytes().startswith(b"\xef\xbb\xbfdue_on,")
    assert cab("--csv", str(tmp_path / "no" / "folder.csv")).exit_code == Exit.REFUSED


@pytest.mark.parametrize("words", [("--within", "4000"), ("--kind", "death"), ("--json", "--calendar")], ids=" ".join)
def test_what_cannot_be_asked_is_refused(cab: Cab, words: tuple[str, ...]) -> None:
    assert cab(*words).exit_code == Exit.REFUSED


def test_a_server_that_is_not_there_is_said() -> None:
    done = CliRunner().invoke(app, ["expiry", "--server", "http://127.0.0.1:9"])
    assert done.exit_code == Exit.UNAVAILABLE


def test_an_open_ended_accreditation_is_confirmed(office: Office) -> None:
    rra, kolas = office.officer("kr-rra"), office.officer("kr-kolas")
    rra.does("body", "add", "Confirmed", "--economy", "KR", "--kind", "testing_laboratory", "--id", "kr-confirmed")
    kolas.does("accreditation", "add", "kr-confirmed", "--standard", "ISO/IEC 17025", "--from", "2019-01-01")

    def told() -> list[tuple[str, bool]]:
        found = kolas.does("expiry", "--body", "kr-confirmed")["items"]
        return [(each["due_on"], each["overdue"]) for each in found if each["kind"] == "confirmation"]

    assert told() == [("2019-02-01", True)]
    waiting = {each["record"]: each for each in kolas.does("inbox")["items"] if each["kind"] == "confirmation"}
    (record,) = (key for key, each in waiting.items() if each["body"] == "kr-confirmed")
    assert waiting[record]["overdue"]

    today = date.today()  # noqa: DTZ011 - the day at the desk
    ahead = kolas.types(
        "accreditation", "confirm", record, "--on", str(today + timedelta(days=9)), "--reason", "Too early"
    )
    assert (ahead.exit_code, "still to come" in ahead.stderr) == (Exit.REFUSED, True)
    kolas.does("accreditation", "confirm", "kr-confirmed", "--on", str(today), "--reason", "Looked it up")
    (right,) = kolas.does("body", "show", "kr-confirmed")["rights"]
    events = [event["event"] for event in right["record"]["timeline"]]
    assert events == ["granted", "confirmed"]
    assert told() == [(str(today + timedelta(days=31)), False)]

    kolas.does("withdraw", record, "--on", str(today), "--reason", "Given up")
    assert told() == []
    gone = kolas.types("accreditation", "confirm", record, "--reason", "Still there?")
    assert (gone.exit_code, "confirmed on" in gone.stderr) == (Exit.REFUSED, True), gone.stderr
