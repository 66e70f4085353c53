"""The jobs that run on a clock, declared in code: each a name, a time of day, and what it does for a day."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.services.database import verify


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found: one line, and how many things are wrong."""

    text: str
    faults: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """A job: runs once a day at an hour (UTC), for the day on which it is due."""

    name: str
    says: str
    hour: int
    minute: int
    run: Callable[[AsyncEngine, date], Awaitable[Report]]


async def prove_log(engine: AsyncEngine, _due_on: date) -> Report:
    """Recompute every hash of the log and compare everything derived from it."""
    verified = await verify(engine)
    found = "; ".join(str(fault) for fault in verified.faults[:5])
    text = f"position {verified.position}, head {verified.entry_hash}" + (f": {found}" if found else ", no fault")
    return Report(text, len(verified.faults))


def list_jobs() -> tuple[Job, ...]:
    """Return every job, in the order of the day."""
    return (
        Job("prove-log", "recompute every hash of the log and compare all that is derived from it", 2, 30, prove_log),
    )


def find_job(name: str) -> Job | None:
    """Return the job of that name."""
    return next((job for job in list_jobs() if job.name == name), None)
