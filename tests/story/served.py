"""The service in a process of its own, as operators start it, on a free port of this machine."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

PATIENCE_SECONDS = 60
PROGRAM = Path(sys.executable).with_name("cab")


def plain_environment() -> dict[str, str]:
    """What a process of the tests sees: nothing that the developer has set for `cab`."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CAB_")}


class Served:
    """`cab serve` over a database; ended when the block ends."""

    def __init__(self, url: str, log: Path, **settings: str) -> None:
        self._url = url
        self._log = log
        self._settings = settings
        self.address = ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        settings = {"CAB_DATABASE_URL": self._url, "CAB_METRICS_PORT": "0", "CAB_PORT": "0", **self._settings}
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [str(PROGRAM), "serve"],
                env=plain_environment() | settings,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._ready():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)
        return self

    def _ready(self) -> bool:
        if not self.address:
            said = [line for line in self._log.read_text().splitlines() if line.startswith("Serving on ")]
            self.address = said[0].removeprefix("Serving on ").rstrip(".") if said else ""
        if not self.address:
            return False
        try:
            return httpx.get(f"{self.address}/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def memory(self) -> int:
        """Return the most memory that any process of the service had so far, in bytes."""
        return max(peak_memory(number) for number in self._processes())

    def resident(self) -> int:
        """Return the memory that the processes of the service have now, in bytes."""
        return sum(read_memory(number, "VmRSS") for number in self._processes())

    def _processes(self) -> list[int]:
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _session_of(entry) == self.pid]

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, where: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            raise


def peak_memory(pid: int) -> int:
    """Return the most memory that a process had so far, in bytes; 0 where it is gone."""
    return read_memory(pid, "VmHWM")


def read_memory(pid: int, name: str) -> int:
    """Return a figure of the memory of a process, in bytes; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)


def _session_of(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[3])
    except OSError:
        return 0
