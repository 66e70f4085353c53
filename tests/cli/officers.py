"""Officers at their command lines: a real server over a real database, and people of authorities with tokens."""

import json
import os
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer.main
import uvicorn
from typer.testing import CliRunner

from cab_cli.catalogue import PARTS
from cab_cli.databases import run_on
from cab_cli.main import app
from cab_cli.sockets import address_of, listen
from cab_registry.app import create_app
from cab_registry.register.catalogue import load_catalogue
from cab_registry.services import submissions
from cab_registry.settings import Settings
from cab_registry.storage.principals import Role
from tests.letting_in import let_in, open_registry

PATIENCE_SECONDS = 20
# Endpoints are kept, and nothing is sent: that is another process.
NOTIFYING = {
    "secret_keys": b64encode(b"k" * 32).decode(),
    "webhook_networks": "127.0.0.0/8",
    "smtp_url": "smtp://127.0.0.1:1",
    "mail_from": "Register <notices@register.example>",
    "public_address": "https://register.example",
}


def load_law(url: str) -> None:
    """Load the packaged law, bodies left out, as the very first load."""
    documents = [entry.document for entry in load_catalogue(PARTS[:1])]
    run_on(url, lambda engine: submissions.load_catalogue(engine, documents, validate=lambda _: ()))


@contextmanager
def serving(url: str) -> Iterator[str]:
    """Serve a database on a free port of this machine."""
    with listen("127.0.0.1", 0) as taken:
        service: Any = create_app(Settings(database_url=url, metrics_port=0, **NOTIFYING))
        server = uvicorn.Server(uvicorn.Config(service, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < deadline, "the server did not start in time"
            time.sleep(0.01)
        yield address_of(taken)
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)


def takes_yes(words: list[str]) -> bool:
    """Whether a command is one that asks before it writes, and was not told yet not to."""
    command: Any = typer.main.get_command(app)
    for word in words:
        if not (inner := getattr(command, "commands", {}).get(word)):
            break
        command = inner
    return "--yes" not in words and any("--yes" in each.opts for each in command.params)


class Officer:
    """Somebody with a token, who types commands."""

    def __init__(self, server: str, token: str, home: Path) -> None:
        self.server = server
        self.token = token
        self.environment = {
            "CAB_SERVER": server,
            "CAB_TOKEN": token,
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
            "COLUMNS": "200",
        }

    def types(self, *words: str, **more: Any) -> Any:
        """Type a command; here is no terminal, so what writes says so, unless it is to be asked or to be refused."""
        typed = [str(word) for word in words]
        if more.pop("sure", "input" not in more) and takes_yes(typed) and "--dry-run" not in typed:
            typed.append("--yes")
        return CliRunner().invoke(app, typed, env=self.environment | more.pop("env", {}), **more)

    def does(self, *words: str, **more: Any) -> Any:
        """Type a command that succeeds, and read the JSON that it prints."""
        done = self.types(*words, "--json", **more)
        assert done.exit_code == 0, f"{words}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout)


class Office:
    """A registry with its first two registrars, who let officers of authorities in."""

    def __init__(self, url: str, server: str, folder: Path) -> None:
        self.url = url
        self.server = server
        self.folder = folder
        self._means: dict[str, Any] = {"clock": lambda: datetime.now(UTC), "random": os.urandom}
        self._registrars = run_on(url, lambda engine: open_registry(engine, **self._means))
        self.registrar = Officer(server, self._registrars.first, folder / "registrar")
        self.second = Officer(server, self._registrars.second, folder / "second")
        self._kept: dict[tuple[str, ...], Officer] = {}

    def officer(self, authority: str, *roles: Role, who: str = "one") -> Officer:
        """Let somebody of an authority in, once each."""
        key = (authority, who, *roles)
        if key not in self._kept:
            wanted: tuple[Role, ...] = roles or ("submitter",)
            made = run_on(
                self.url,
                lambda engine: let_in(
                    engine, self._registrars, authority, *wanted, name=f"{who} of {authority}", **self._means
                ),
            )
            self._kept[key] = Officer(self.server, made.token, self.folder / f"{authority}-{who}")
        return self._kept[key]
