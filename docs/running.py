# ruff: noqa: INP001 - a module beside the pages whose examples it runs
"""The examples of the pages, run as a reader would: `sh` blocks must succeed, `console` blocks print what they show.

A page is read only, and asks a server over the packaged catalogue with a fixed day, or it is one of WRITING, whose
commands run one after the other in a fresh registry with a log. What varies from run to run (positions, instants,
tokens, ids of accounts and submissions, ports, the version of the engine) is not compared. Blocks that are not to be
run are `text`.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

import uvicorn
from typer.testing import CliRunner

from cab_cli.catalogue import load_into
from cab_cli.faces import scratch_server
from cab_cli.main import app
from cab_cli.sockets import address_of, listen
from cab_registry.app import create_app
from cab_registry.register.catalogue import load_catalogue
from cab_registry.register.compiled import Versioned, compile_register
from cab_registry.settings import Settings

FOLDER: Final = Path(__file__).resolve().parent
CHECKOUT: Final = FOLDER.parent
WRITING: Final = ("docs/first-day.md", "docs/own-agreement.md")
"""In the order in which a reader goes through them."""

MADE: Final = frozenset({"docs/cli.md"})
HERE: Final = "http://127.0.0.1:8000"
_TODAY: Final = date(2026, 11, 21)
_POSITION: Final = 2190
_PATIENCE_SECONDS: Final = 20
_BLOCK: Final = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_SHOWN: Final = re.compile(r"^\$ (?P<command>(?:.*\\\n)*.*)\n(?P<printed>(?:(?!\$ ).*\n)*)", re.MULTILINE)
_SHELL: Final = re.compile(r"[|<>;&*$`]")
_VARYING: Final = (
    (r"https?://127\.0\.0\.1:\d+", "ADDRESS"),
    (r"\bcab_[0-9A-Za-z]+_[\w-]+", "TOKEN"),
    (r"\bp-[0-9a-f]{16}\b", "ACCOUNT"),
    (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "SUBMISSION"),
    (r"\b\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d)", "INSTANT"),
    (r"\bknown on \d{4}-\d\d-\d\d", "known on DAY"),
    (r"\bposition \d+", "position N"),
    (r"\bengine \d+\.\d+\.\d+\S*", "engine VERSION"),
    # How far answers are looked at counts from the day that it is, and so does the day on which a source was read.
    (r"(flips?, from \S+ to )\d{4}-\d\d-\d\d", r"\1DAY"),
    (r"(https?://\S+\s{2,})\d{4}-\d\d-\d\d", r"\1DAY"),
    (r"\b[0-9a-f]{16}\b", "ID"),
)


class Example(NamedTuple):
    """A command of a page; what it printed is none where the page shows none."""

    command: str
    printed: str | None


def list_pages() -> list[str]:
    """Name every page with examples, from the checkout: those that write last, in their order."""
    found = [path.relative_to(CHECKOUT).as_posix() for path in sorted(FOLDER.glob("*.md"))]
    return ["README.md", "SECURITY.md", *(name for name in found if name not in {*WRITING, *MADE}), *WRITING]


def list_examples(text: str) -> Iterator[Example]:
    """Yield the commands of a page in their order."""
    for block in _BLOCK.finditer(text):
        if block["language"] == "sh":
            yield from (Example(command, None) for command in _commands(block["text"]))
        elif block["language"] == "console":
            yield from (Example(shown["command"], shown["printed"]) for shown in _SHOWN.finditer(block["text"]))


def _commands(text: str) -> list[str]:
    joined = text.replace("\\\n", "\x00")
    lines = [re.sub(r"(^|\s+)# .*", "", line).strip().replace("\x00", "\\\n") for line in joined.splitlines()]
    return [line for line in lines if line]


@contextmanager
def reading() -> Iterator[dict[str, str]]:
    """Serve the packaged catalogue; gives the environment in which a shell's `cab` asks that server."""
    records = [Versioned(entry.record, 1) for entry in load_catalogue()]
    register = compile_register(records, position=_POSITION)
    with scratch_server() as server:
        server.show(register, _TODAY)
        yield _environment(server.url)


@contextmanager
def office(url: str) -> Iterator[dict[str, str]]:
    """Serve a migrated database with the packaged catalogue, and a home in which `cab` keeps profiles."""
    load_into(url)
    with listen("127.0.0.1", 0) as taken, tempfile.TemporaryDirectory(prefix="cab-docs-") as home:
        service: Any = create_app(Settings(database_url=url, metrics_port=0))
        server = uvicorn.Server(uvicorn.Config(service, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise SystemExit("the server for the examples did not start")
            time.sleep(0.01)
        try:
            kept = {"XDG_CONFIG_HOME": f"{home}/config", "XDG_STATE_HOME": f"{home}/state", "CAB_DATABASE_URL": url}
            yield _environment(address_of(taken)) | kept
        finally:
            server.should_exit = True
            thread.join(_PATIENCE_SECONDS)


def _environment(address: str) -> dict[str, str]:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ours = {name: value for name, value in os.environ.items() if not name.startswith("CAB_")}
    return {**ours, "PATH": programs, "CAB_SERVER": address, "PYTHONUTF8": "1", "COLUMNS": "120"}


def run_example(command: str, environment: dict[str, str]) -> tuple[int, str]:
    """Run a command; return with what it ends, and what it prints as a page shows it."""
    plain = command.startswith("cab ") and not _SHELL.search(command)
    code, printed = (_run_here if plain else _run_in_shell)(
        command.replace(HERE, environment["CAB_SERVER"]), environment
    )
    return code, "".join(f"{line.rstrip()}\n" for line in _as_read(printed, environment).rstrip().splitlines())


def _run_here(command: str, environment: dict[str, str]) -> tuple[int, str]:
    """Run a command that needs no shell in this process, which spares a start of Python each time."""
    with chdir(CHECKOUT):
        done = CliRunner().invoke(app, shlex.split(command.replace("\\\n", " "))[1:], env=environment)
    failed = done.exception is not None and not isinstance(done.exception, SystemExit)
    return done.exit_code, f"{done.output}{done.exception!r}" if failed else done.output


def _run_in_shell(command: str, environment: dict[str, str]) -> tuple[int, str]:
    """Run a command from the checkout, with what it prints and what it says in one."""
    ran = subprocess.run(  # noqa: S602 - commands of our own pages
        command,
        shell=True,
        cwd=CHECKOUT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return ran.returncode, ran.stdout


def _as_read(printed: str, environment: dict[str, str]) -> str:
    """Put the addresses of a reader in the place of those here."""
    here = {"CAB_SERVER": HERE, "XDG_CONFIG_HOME": "~/.config", "XDG_STATE_HOME": "~/.local/state"}
    for name, address in here.items():
        if name in environment:
            printed = printed.replace(environment[name], address)
    return printed


def leave_out_varying(printed: str) -> str:
    """Return what was printed with placeholders for what varies, and with the blanks that these move taken together."""
    for pattern, name in _VARYING:
        printed = re.sub(pattern, name, printed)
    return "\n".join(re.sub(r" {2,}|─+", "  ", line).rstrip() for line in printed.splitlines())


def show_again(text: str, environment: dict[str, str]) -> str:
    """Return a page with what its `console` blocks print now; equal but for what varies, they stay as they are.

    All commands of the page run in their order, since later ones may rest on earlier ones.
    """

    def fill(block: re.Match[str]) -> str:
        if block["language"] == "sh":
            for command in _commands(block["text"]):
                run_example(command, environment)
        if block["language"] != "console":
            return block[0]
        return f"```console\n{_SHOWN.sub(run, block['text'])}```"

    def run(shown: re.Match[str]) -> str:
        _, now = run_example(shown["command"], environment)
        if leave_out_varying(now) == leave_out_varying(shown["printed"]):
            now = shown["printed"]
        return f"$ {shown['command']}\n{now}"

    return _BLOCK.sub(fill, text)
