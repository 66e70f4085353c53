"""The jobs in a process of their own, as operators start them."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.story.served import PROGRAM, plain_environment

PATIENCE_SECONDS = 60


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServedJobs:
    """`cab jobs run` over a database; ended when the block ends."""

    def __init__(self, url: str, log: Path, **settings: str) -> None:
        self._url = url
        self._log = log
        self._settings = settings
        self._port = find_free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        settings = {"CAB_DATABASE_URL": self._url, "CAB_METRICS_PORT": str(self._port), **self._settings}
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [str(PROGRAM), "jobs", "run"],
                env=plain_environment() | settings,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def measure(self, name: str) -> float:
        """Read a figure that the process tells of itself; zero while it does not serve."""
        try:
            page = httpx.get(f"http://127.0.0.1:{self._port}/metrics", trust_env=False).text
        except httpx.TransportError:
            return 0.0
        return next((float(line.split()[1]) for line in page.splitlines() if line.startswith(f"{name} ")), 0.0)

    def wait_until(self, name: str, least: float) -> None:
        """Wait until a figure has come to be so much."""
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.measure(name) < least:
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, where: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            assert self._process.wait(PATIENCE_SECONDS) == 0, self._log.read_text()
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
