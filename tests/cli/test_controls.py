"""No text of a server, a file, a table or the register steers the reader's terminal."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from rich.table import Table
from typer.testing import CliRunner

from cab_cli.console import data_console, print_json, say, write, write_json
from cab_cli.main import app
from cab_cli.tables import print_pairs, print_table
from cab_registry.domain.controls import escape_controls, show_controls

EVIL = "A\x1b]0;owned\x07\x1b[2J\x9b31m\r\u202eB\u2066\u200b\ud800\U000e0041\x00"
SENT = EVIL.replace("\ud800", "")  # JSON has no half of a pair
UNSEEN = set(EVIL) - {"A", "B"} - set("]0;owned[2J31m")
runner = CliRunner()


class Lying(BaseHTTPRequestHandler):
    """Answers every request with what a terminal would obey, in every part of the answer."""

    status = 200

    def do_GET(self) -> None:
        named = dict.fromkeys(
            ("type", "title", "detail", "request_id", "id", "name", "economy", "status", "kind"), SENT
        )
        listed = {"items": [named], "next": None, "record": named, "faults": [{"pointer": SENT, "message": SENT}]}
        raw = json.dumps({**named, **listed, "state": {"position": 1, "recorded": SENT, "log": SENT}}).encode()
        self.send_response(self.status)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(raw)

    do_POST = do_GET  # noqa: N815 - what http.server calls

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def lying() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Lying)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
    Lying.status = 200


def is_plain(text: str) -> bool:
    return UNSEEN.isdisjoint(text)


def test_each_such_character_is_spelled_out() -> None:
    assert show_controls("A\x1b\u202e\U000e0041\tB\n") == "A\\x1b\\u202e\\U000e0041\tB\n"
    assert is_plain(show_controls(EVIL))
    for kept in ("Prüflabor Łódź", "می\u200cشود", "한국", "क्\u200dष", "a\tb\nc"):
        assert show_controls(kept) == kept
    assert show_controls("a,b\r\nc\rd\r\n") == "a,b\r\nc\\x0dd\r\n"
    assert json.loads(escape_controls('{\r"a":\r\n1}')) == {"a": 1}
    written = json.dumps({EVIL: [EVIL]}, ensure_ascii=False, indent=2)
    assert json.loads(escape_controls(written)) == {EVIL: [EVIL]}
    assert is_plain(escape_controls(written))


def test_everything_that_prints_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    say(EVIL)
    write(EVIL)
    print_json({EVIL: EVIL})
    write_json(json.dumps(EVIL, ensure_ascii=False))
    console = data_console()
    console.print(EVIL)
    print_table(console, (EVIL,), [(EVIL,), ({EVIL: [EVIL]},)])
    print_pairs(console, {EVIL: EVIL})
    grid = Table.grid()
    grid.add_row(EVIL)
    console.print(grid)
    printed = capsys.readouterr()
    for text in printed:
        assert text.count("\\x1b") + text.count("\\u001b") > 1
        assert is_plain(text)


@pytest.mark.parametrize("status", [404, 422])
@pytest.mark.parametrize(
    "command",
    [
        ["search", "suwon"],
        ["search", "suwon", "--json"],
        ["show", "x-kr-lab"],
        ["show", "x-kr-lab", "--json"],
        ["export", "bodies"],
        ["expiry", "--json"],
        ["check", "--to", "US", "--kind", "test_report", "--json"],
    ],
)
def test_what_a_server_says_is_shown(lying: str, status: int, command: list[str]) -> None:
    Lying.status = status
    ran = runner.invoke(app, [*command, "--server", lying])
    assert is_plain(ran.output)
    assert is_plain(ran.stderr)
    assert ran.output


@pytest.mark.parametrize("command", ["cases run", "catalogue check", "submit", "import --mapping", "check"])
def test_what_a_file_is_called_and_holds_is_shown(tmp_path: Path, command: str) -> None:
    place = tmp_path / "a\x1b[2J\u202eb.yaml"
    place.write_text('"k\\x1b[2J": "\\u202e"\n- \x1b', "utf-8")
    ran = runner.invoke(app, [*command.split(), str(place)])
    assert ran.exit_code == 2
    assert is_plain(ran.output)
    assert is_plain(ran.stderr)
    gone = runner.invoke(app, [*command.split(), str(tmp_path / "gone\x1b[2J.yaml")])
    assert is_plain(gone.output)
    assert is_plain(gone.stderr)
