"""Running jobs by the ledger: each once for each day, missed days in order, a failed one again after a while."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from cab_registry.domain.errors import OperationalFault, RegistryError
from cab_registry.jobs.registrar import Ground, Job, Report
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.runs import Ledger, claim_run, fail_run, finish_run, note_due, read_ledger

FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=1)


class JobFailed(OperationalFault):
    """A job failed for a day; the ledger says so, and it is tried again after a while."""

    def __init__(self, job: str, due_on: date, reason: str) -> None:
        super().__init__(f"{job} failed for {due_on}: {reason}")
        self.job = job
        self.due_on = due_on


async def run_missed(ground: Ground, job: Job) -> list[tuple[date, Report]]:
    """Run a job for every day for which it is due and has not run, the earliest first.

    Raises:
        JobFailed: it failed for a day, after which none was tried.
        OperationalFault: the database cannot serve now.
    """
    with operational_faults():
        async with ground.engine.connect() as connection:
            ledger = await read_ledger(connection, job.name)
    done = []
    now = ground.clock()
    for due_on in list_due(job, ledger, now):
        if ledger == Ledger():
            with operational_faults():
                async with ground.engine.begin() as connection:
                    await note_due(connection, job.name, due_on, now)
        report = await run_for(ground, job, due_on)
        if report is not None:
            done.append((due_on, report))
    return done


async def run_for(ground: Ground, job: Job, due_on: date) -> Report | None:
    """Run a job for one day, once for ever: its work and the note that it ran are one transaction.

    None: it has run for that day, here or elsewhere.

    Raises:
        JobFailed: it failed.
        OperationalFault: the database cannot serve now, not even to note the failure.
    """
    began = ground.clock()
    try:
        with operational_faults():
            async with ground.engine.begin() as connection:
                if await claim_run(connection, job.name, due_on, began) is None:
                    return None
                report = await job.run(ground, connection, due_on)
                now = ground.clock()
                await finish_run(connection, job.name, due_on, now=now, report=report.text, faults=report.faults)
    except (RegistryError, SQLAlchemyError, ValueError, LookupError) as fault:
        with operational_faults():
            async with ground.engine.begin() as connection:
                reason = f"{type(fault).__name__}: {fault}"
                await fail_run(connection, job.name, due_on, began=began, now=ground.clock(), reason=reason)
        raise JobFailed(job.name, due_on, reason) from fault
    return report


def list_due(job: Job, ledger: Ledger, now: datetime) -> Iterator[date]:
    """Yield the days for which a job is due at an instant, in order; none while it pauses after a failure.

    A job that never ran begins with the day that it is; days before are nobody's.
    """
    moment = now.astimezone(UTC)
    last = moment.date()
    if moment.time() < time(job.hour, job.minute):
        last -= timedelta(days=1)
    if ledger.failed is not None and ledger.tried is not None and ledger.attempts:
        if now < ledger.tried + pause_after(ledger.attempts):
            return
    if ledger.done is None and ledger.failed is None:
        first = moment.date()
    elif ledger.done is None:
        first = ledger.failed or last
    else:
        first = ledger.done + timedelta(days=1)
    if not job.every_day:
        first = max(first, last)
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def pause_after(attempts: int) -> timedelta:
    """Return how long a job that failed so often waits before it is tried again."""
    doubled: int = 2 ** min(max(attempts, 1) - 1, 10)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)
