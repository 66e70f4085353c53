"""The command line as a whole: quick, light, documented."""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cab_cli import completion
from cab_cli.exits import Exit
from cab_cli.group import Conflict, ServerFailure
from cab_cli.main import app
from cab_registry.domain.errors import Defect, Fault, OperationalFault, Refusal
from cab_registry.settings import SettingsError

HEAVY = ("litestar", "sqlalchemy", "asyncpg", "alembic", "uvicorn", "httptools", "httpx", "jsonschema", "yaml")


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


ALL = dict(commands(typer.main.get_command(app)))


def test_importing_the_command_line_brings_nothing_heavy() -> None:
    text = f"import sys, cab_cli.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "[]"


def test_help_is_quick() -> None:
    """In time of the processor, since other tests run at the same time; the server's imports alone take longer."""
    spent = []
    for _ in range(3):
        before = os.times()
        told = subprocess.run(
            [sys.executable, "-c", "from cab_cli.main import run; run()", "--help"], check=True, capture_output=True
        )
        after = os.times()
        spent.append(after.children_user + after.children_system - before.children_user - before.children_system)
        assert b"cases" in told.stdout
    assert min(spent) < 1.4


@pytest.mark.parametrize("name", ALL)
def test_no_command_is_a_coroutine(name: str) -> None:
    """Typer would report success and never run it."""
    assert not inspect.iscoroutinefunction(inspect.unwrap(ALL[name].callback))


@pytest.mark.parametrize("name", ALL)
def test_every_command_tells_what_it_does_with_an_example(name: str) -> None:
    told = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "100"})
    assert told.exit_code == 0
    assert f"cab {name}" in told.stdout.partition("Examples:")[2]
    assert all(getattr(parameter, "help", None) for parameter in ALL[name].params if parameter.name != "help")


@pytest.mark.parametrize(
    "name", [name for name in ALL if name not in {"serve", "dev", "catalogue overview", "jobs run", "admin secret-key"}]
)
def test_every_command_that_gives_data_gives_json(name: str) -> None:
    assert "--json" in [option for parameter in ALL[name].params for option in parameter.opts]


def test_a_call_without_a_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(app, []).exit_code == Exit.REFUSED
    assert CliRunner().invoke(app, ["nothing"]).exit_code == Exit.REFUSED


def test_the_exit_codes_are_in_the_help() -> None:
    told = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).stdout
    for code in Exit:
        assert re.search(rf"\b{code.value}\b.*{re.escape(code.meaning)}", told)


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (
            Refusal("no", (Fault("/a", "one"), Fault("/b", "two", "f.yaml:3"))),
            Exit.REFUSED,
            ["no", "/a: one", "f.yaml"],
        ),
        (Conflict("moved"), Exit.CONFLICT, ["moved"]),
        (SettingsError(("CAB_X is no setting.", "CAB_Y too.")), Exit.REFUSED, ["CAB_X", "CAB_Y"]),
        (OperationalFault("later"), Exit.UNAVAILABLE, ["later"]),
        (ServerFailure("broken"), Exit.FAILURE, ["broken"]),
        (Defect("broken"), Exit.FAILURE, ["broken"]),
        (ModuleNotFoundError("x", name="sqlalchemy.ext"), Exit.REFUSED, ["cab-registry[server]", "sqlalchemy"]),
    ],
)
def test_what_is_raised_on_purpose_ends_in_words(
    raised: Exception, code: Exit, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise raised

    monkeypatch.setattr("cab_cli.check.compose", fail)
    done = CliRunner().invoke(app, ["check"])
    assert (done.exit_code, done.stdout) == (code, "")
    assert all(word in done.stderr for word in words)


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("cab_cli.check.compose", fail)
    done = CliRunner().invoke(app, ["check"])
    assert done.exit_code == Exit.FAILURE
    assert isinstance(done.exception, ZeroDivisionError)


def test_the_shell_is_offered_what_the_packaged_law_names() -> None:
    assert {"US", "EU", "NO", "GB-NIR"} <= set(completion.complete_economy(""))
    assert completion.complete_economy("gb") == ["GB", "GB-NIR"]
    assert "us-eu-mra" in completion.complete_agreement("us-")
    assert {"telecom_radio", "pharma_gmp_human"} <= set(completion.complete_sector(""))
    assert all(re.fullmatch("[a-z_]+", sector) for sector in completion.complete_sector(""))
    assert completion.complete_kind("gmp") == ["gmp_certificate", "gmp_inspection"]


def test_the_light_client_says_what_it_lacks() -> None:
    """Without the server's packages, a command that needs them says so."""
    text = "import sys; sys.modules['sqlalchemy'] = None; from cab_cli.main import run; run()"
    told = subprocess.run(
        [sys.executable, "-c", text, "db", "status", "--database-url", "postgresql://u@127.0.0.1:1/x"],
        check=False, capture_output=True, text=True, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert told.returncode == Exit.REFUSED
    assert "cab-registry[server]" in told.stderr
