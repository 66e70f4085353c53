"""A server that can be frozen: every process of it stopped by SIGSTOP, so that it neither answers nor refuses."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cab_registry.storage.cluster import Cluster


def processes_of(pid: int) -> list[int]:
    """The process and all that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in processes_of(int(child)))]


def freeze(cluster: Cluster) -> list[int]:
    """Stop every process of a server; the first stops first, so that it starts no further ones."""
    stopped: list[int] = []
    for _ in range(2):
        for pid in processes_of(cluster.server.pid):
            if pid not in stopped:
                os.kill(pid, signal.SIGSTOP)
                stopped.append(pid)
    return stopped


def thaw(stopped: list[int]) -> None:
    """Let them go on."""
    for pid in stopped:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            continue


@contextmanager
def frozen(cluster: Cluster) -> Iterator[None]:
    """Freeze a server for as long as the context lasts."""
    stopped = freeze(cluster)
    try:
        yield
    finally:
        thaw(stopped)
