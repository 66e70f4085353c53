"""Faces by which a case can be asked: HTTP on a real server of this process, or the command line on that server."""

import contextlib
import io
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cab_cli.client import Client
from cab_cli.exits import exit_of_verdict
from cab_cli.sockets import address_of, listen
from cab_registry.domain.errors import Defect, OperationalFault, Refusal

if TYPE_CHECKING:
    from cab_registry.register.compiled import Register
    from cab_registry.services.cases import Ask, Case

PATIENCE_SECONDS: Final = 20.0
Command = Callable[[list[str]], int]
"""Runs the command line with arguments and returns its exit code."""


class ScratchServer:
    """A server on a free port of this machine, over a register that is swapped between questions."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._shown: tuple[Register, date] | None = None

    def show(self, register: "Register", today: date) -> None:
        """Answer from this register, on this day, from now on."""
        self._shown = register, today

    def register(self) -> "Register":
        """Give the register that is shown."""
        return self._state()[0]

    def today(self) -> date:
        """Give the day that counts as today."""
        return self._state()[1]

    def _state(self) -> "tuple[Register, date]":
        if self._shown is None:
            raise Defect("a scratch server is asked before it has a register")
        return self._shown


@contextmanager
def scratch_server() -> Iterator[ScratchServer]:
    """Run a scratch server in a thread of this process.

    Raises:
        OperationalFault: it did not start.
    """
    import uvicorn

    from cab_registry.app import create_scratch_app

    with listen("127.0.0.1", 0) as taken:
        scratch = ScratchServer(address_of(taken))
        app: Any = create_scratch_app(scratch.register, scratch.today)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, name="scratch-server", daemon=True)
        thread.start()
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not server.started:
                if not thread.is_alive() or time.monotonic() > deadline:
                    raise OperationalFault("the server in this process did not start")
                time.sleep(0.01)
            yield scratch
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)


@contextmanager
def asking_over_http() -> "Iterator[Ask]":
    """Give an Ask that goes over HTTP."""
    with scratch_server() as scratch, Client(scratch.url, attempts=1) as client:

        def ask(case: "Case", register: "Register") -> dict[str, Any]:
            scratch.show(register, case.today)
            answer: dict[str, Any] = msgspec.json.decode(client.ask(case.ask))
            return answer

        yield ask


@contextmanager
def asking_by_command(command: Command) -> "Iterator[Ask]":
    """Give an Ask that runs `cab check` on a file and reads what it prints."""
    with scratch_server() as scratch, tempfile.TemporaryDirectory(prefix="cab-cases-") as folder:
        file = Path(folder) / "question.json"

        def ask(case: "Case", register: "Register") -> dict[str, Any]:
            scratch.show(register, case.today)
            file.write_text(json.dumps(case.ask), "utf-8")
            code, printed, said = _captured(command, ["check", str(file), "--json", "--server", scratch.url])
            if not printed:
                raise Refusal(f"cab check ended with {code}: {said.strip()}")
            answer: dict[str, Any] = json.loads(printed)
            expected = exit_of_verdict(answer["verdict"])
            if code != expected:
                raise Defect(f"cab check ended with {code}; {answer['verdict']} is {expected.value}")
            return answer

        yield ask


def _captured(command: Command, arguments: list[str]) -> tuple[int, str, str]:
    printed, said = io.BytesIO(), io.BytesIO()
    with (
        contextlib.redirect_stdout(io.TextIOWrapper(printed, "utf-8", write_through=True)),
        contextlib.redirect_stderr(io.TextIOWrapper(said, "utf-8", write_through=True)),
    ):
        code = command(arguments)
        return code, printed.getvalue().decode(), said.getvalue().decode()
