"""The audit log of commands: what acts past the HTTP interface is in it, and a file that fails is told first."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cab_cli.exits import Exit
from cab_cli.main import app
from cab_registry.services.runtime.audit_log import NAME
from tests.cli.officers import Office


@pytest.fixture(autouse=True)
def apart() -> Iterator[None]:
    """Leave the logs of this process as they were: what a command configures writes to where that command wrote."""
    loggers = [logging.getLogger(name) for name in (None, "cab_registry", NAME)]
    kept = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, (handlers, level, propagate) in zip(loggers, kept, strict=True):
        for handler in logger.handlers[:]:
            if handler not in handlers:
                logger.removeHandler(handler)
                handler.close()
        logger.setLevel(level)
        logger.propagate = propagate


def test_who_is_invited_by_the_operator_is_written_down(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    who = office.second.does("auth", "status")["principal"]["id"]
    words = ("admin", "recover", who, "--database-url", office.url)
    made = office.registrar.types(*words, env={"CAB_AUDIT_LOG": str(path)})
    assert made.exit_code == Exit.DONE, made.stderr
    (line,) = [json.loads(each) for each in path.read_text().splitlines()]
    assert (line["operation"], line["outcome"], line["subject"]) == ("cab admin recover", "done", who)
    assert line["principal"].startswith("local:")
    assert made.stdout.strip().rpartition("_")[2] not in path.read_text()


@pytest.mark.parametrize("words", [("serve",), ("dev", "--once"), ("admin", "recover", "p-1")])
def test_a_file_that_cannot_be_written_is_told_before_anything_is_begun(tmp_path: Path, words: tuple[str, ...]) -> None:
    given = {"CAB_AUDIT_LOG": str(tmp_path), "CAB_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    ended = CliRunner().invoke(app, list(words), env=given)
    assert (ended.exit_code, ended.stdout) == (Exit.REFUSED, "")
    assert ended.stderr.endswith(f"CAB_AUDIT_LOG: {tmp_path} cannot be written: Is a directory.\n")
    assert "Serving" not in ended.stderr


def test_the_service_of_a_person_who_tries_it_keeps_the_log_as_well(database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    ended = CliRunner().invoke(
        app, ["dev", "--once"], env={"CAB_AUDIT_LOG": str(path), "CAB_DATABASE_URL": database_url}
    )
    assert ended.exit_code == Exit.DONE, ended.stderr
    assert path.exists()
    assert [each.baseFilename for each in logging.getLogger(NAME).handlers] == [str(path)]  # type: ignore[attr-defined]
