"""How many connections the programs of this project open at most: together they must fit into those of the server."""

from typing import Final

JOBS_POOL: Final = 8
"""Connections kept by the jobs: lock, watcher, a job, the courier's claims and records, and room."""

COMMAND: Final = 4
"""Connections of a command that works on the database, `cab db upgrade` among them: its pool of two, and its pulse."""


def serving_connections(pool_size: int) -> int:
    """Connections of one answering process: its pool and as many at a peak, the follower of the log, the pulse."""
    return 2 * pool_size + 2


def jobs_connections() -> int:
    """Connections of the jobs' process: its pool and as many at a peak, watcher and courier that listen, the pulse."""
    return 2 * JOBS_POOL + 3
