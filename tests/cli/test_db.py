"""`cab db` and `cab catalogue`: on a database that is named, and on none."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cab_cli.exits import Exit
from cab_cli.main import app
from cab_cli.serving import warn_of_excess
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.register.checking import CatalogueReport, check_catalogue
from cab_registry.services import database
from cab_registry.storage import migration
from cab_registry.storage.mending import ClockCorrected
from cab_registry.storage.rebuilding import Rebuilt

AT = datetime(2026, 11, 21, 8, tzinfo=UTC)


@pytest.fixture
def no_kept_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAB_DATABASE_URL", raising=False)
    monkeypatch.setenv("CAB_DATA_FOLDER", str(tmp_path / "data"))


def invoke(*words: str, **more: Any) -> Any:
    return CliRunner().invoke(app, words, **more)


def test_a_database_is_brought_up_loaded_and_proved(empty_database_url: str) -> None:
    named = ("--database-url", empty_database_url)
    early = invoke("db", "status", *named, "--json")
    assert early.exit_code == Exit.FAILURE
    assert json.loads(early.stdout)["revision"] is None
    assert "cab db upgrade" in early.stderr
    for words in (("catalogue", "load"), ("db", "verify"), ("db", "rebuild")):
        refused = invoke(*words, *named)
        assert (refused.exit_code, refused.stdout) == (Exit.REFUSED, "")
        assert "not migrated" in refused.stderr

    assert "Upgraded from an empty database" in invoke("db", "upgrade", *named).stdout
    assert "already" in invoke("db", "upgrade", *named).stdout
    first = json.loads(invoke("catalogue", "load", *named, "--json").stdout)
    assert len(first["added"]) > 1000
    again = invoke("catalogue", "load", *named)
    assert again.exit_code == Exit.DONE
    assert f"0 added, 0 amended, 0 conflicts, {len(first['added'])} unchanged" in again.stdout

    status = invoke("db", "status", *named, "--json")
    assert status.exit_code == Exit.DONE
    head = json.loads(status.stdout)
    assert (head["records"], head["position"]) == (len(first["added"]), first["position"])
    assert head["revision"] in invoke("db", "status", *named).stdout

    proved = invoke("db", "verify", *named, "--head", head["entry_hash"])
    assert proved.exit_code == Exit.DONE
    assert f"Head: {head['entry_hash']}" in proved.stdout
    cut = invoke("db", "verify", *named, "--head", "0" * 64)
    assert cut.exit_code == Exit.FAILURE
    assert "tail" in cut.stdout
    assert invoke("db", "verify", *named, "--head", "xyz").exit_code == Exit.REFUSED
    rebuilt = invoke("db", "rebuild", *named)
    assert (rebuilt.exit_code, "Nothing differed." in rebuilt.stdout) == (Exit.DONE, True)

    span = ("--first", "1", "--last", str(head["position"]), "--ahead-by", "60", "--reason", "a minute ahead")
    corrected = invoke("db", "correct-clock", *named, *span, "--json")
    assert (corrected.exit_code, corrected.stdout) == (Exit.REFUSED, "")
    assert "the first load" in corrected.stderr
    nothing = invoke("db", "erase-private", "no-submission", *named, "--reason", "asked for", "--json")
    assert (nothing.exit_code, nothing.stdout) == (Exit.REFUSED, ""), nothing.output


def test_what_was_mended_is_told_in_json(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def erase(*_: Any) -> int:
        return 3

    async def correct(*_: Any, **__: Any) -> ClockCorrected:
        return ClockCorrected(AT, AT, Rebuilt(entries=5, differing={}, faults=()))

    monkeypatch.setattr(database, "erase_private", erase)
    monkeypatch.setattr(database, "correct_clock", correct)
    named = ("--reason", "asked for", "--database-url", database_url, "--json")
    erased = invoke("db", "erase-private", "s1", *named)
    assert json.loads(erased.stdout) == {"submission": "s1", "erased": 3}, erased.output
    corrected = invoke("db", "correct-clock", "--first", "2", "--last", "3", "--ahead-by", "60", *named)
    told = json.loads(corrected.stdout)
    assert (told["first"], told["rebuilt"]["entries"]) == ("2026-11-21T08:00:00Z", 5)
    assert corrected.exit_code == Exit.DONE


def test_which_database_is_taken_is_said_without_its_password(database_url: str) -> None:
    user, at, place = database_url.partition("@")
    secret = f"{user.rpartition('/')[0]}/postgres:geheim{at}{place}" if at else database_url
    done = invoke("db", "status", env={"CAB_DATABASE_URL": secret})
    assert "named by CAB_DATABASE_URL" in done.stderr
    assert "geheim" not in done.stderr


@pytest.mark.parametrize("words", [("db", "status"), ("db", "upgrade"), ("catalogue", "load")])
def test_a_database_that_is_not_there_is_an_outage(words: tuple[str, ...]) -> None:
    done = invoke(*words, "--database-url", "postgresql://nobody@127.0.0.1:1/none")
    assert (done.exit_code, done.stdout) == (Exit.UNAVAILABLE, "")


def test_a_database_that_refuses_us_is_an_outage(database_url: str) -> None:
    done = invoke("db", "status", "--database-url", database_url + "_of_another_name")
    assert done.exit_code == Exit.UNAVAILABLE
    assert "does not exist" in done.stderr


@pytest.mark.parametrize("words", [("db", "rebuild"), ("db", "upgrade")])
def test_what_needs_the_owner_says_so(words: tuple[str, ...], database_url: str, owner_database_url: str) -> None:
    if words == ("db", "upgrade"):
        migration.downgrade(owner_database_url, "2026_11_21_the_clock")
    done = invoke(*words, "--database-url", database_url)
    assert (done.exit_code, done.stdout) == (Exit.REFUSED, "")
    assert "log in as the owner of the tables" in done.stderr


@pytest.mark.parametrize("owner", [True, False])
def test_a_program_with_too_many_rights_says_so(
    owner: bool, database_url: str, owner_database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    warn_of_excess(owner_database_url if owner else database_url)
    assert ("this login owns the log" in capsys.readouterr().err) == owner


def test_an_address_that_cannot_be_read_is_refused() -> None:
    for address in ("words", "mysql://host/name", "postgresql://host:port:port/name"):
        done = invoke("db", "status", "--database-url", address)
        assert done.exit_code == Exit.REFUSED
        assert "postgresql://user:password@host/name" in done.stderr


@pytest.mark.usefixtures("no_kept_database")
def test_without_any_database_the_ways_to_one_are_named() -> None:
    done = invoke("db", "status")
    assert done.exit_code == Exit.REFUSED
    assert all(way in done.stderr for way in ("--database-url", "CAB_DATABASE_URL", "cab dev"))


def test_a_misspelt_setting_is_refused() -> None:
    done = invoke("db", "status", env={"CAB_DATABSE_URL": "x"})
    assert done.exit_code == Exit.REFUSED
    assert "CAB_DATABSE_URL" in done.stderr


def test_the_catalogue_is_checked_with_file_and_line(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = check_catalogue().counts
    report = CatalogueReport(counts, (Fault("/title", "is missing", "law/x.yaml:7"),))
    monkeypatch.setattr("cab_registry.register.checking.check_catalogue", lambda: report)
    done = invoke("catalogue", "check")
    assert done.exit_code == Exit.FAILURE
    assert "law/x.yaml:7 /title: is missing" in done.stdout
    plain = json.loads(invoke("catalogue", "check", "--json").stdout)
    assert plain["faults"] == [{"pointer": "/title", "message": "is missing", "place": "law/x.yaml:7"}]
    monkeypatch.setattr("cab_registry.register.checking.check_catalogue", lambda: CatalogueReport(counts, ()))
    assert invoke("catalogue", "check").exit_code == Exit.DONE


def test_a_catalogue_with_faults_is_not_loaded(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Refusal("the catalogue has faults", (Fault("/a", "one", "x.yaml:1"), Fault("/b", "two", "y.yaml:2")))

    monkeypatch.setattr("cab_registry.register.catalogue.load_catalogue", refuse)
    done = invoke("catalogue", "load", "--database-url", database_url)
    assert done.exit_code == Exit.REFUSED
    assert "x.yaml:1 /a: one" in done.stderr
    assert "y.yaml:2 /b: two" in done.stderr


def test_the_overview_is_a_page(tmp_path: Path) -> None:
    printed = invoke("catalogue", "overview")
    assert printed.exit_code == Exit.DONE
    assert "`us-eu-mra` between EU, US" in printed.stdout
    file = tmp_path / "overview.md"
    assert invoke("catalogue", "overview", "--write", str(file)).stdout == ""
    assert file.read_text() == printed.stdout
    assert invoke("catalogue", "overview", "--write", str(tmp_path / "no" / "x.md")).exit_code == Exit.REFUSED
