"""The ledger of runs: which job has run for which day, and when a scheduler was last alive."""

from datetime import date, datetime
from typing import Literal

import msgspec
from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.acts.act import JOBS, NewAct
from cab_registry.storage.acts.append import append_act
from cab_registry.storage.acts.images import read_image
from cab_registry.storage.watch_tables import job_run, scheduler_beat


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says of a job.

    Attributes:
        done: the latest day for which it has run; none: it never has.
        failed: the earliest day after that for which it failed, or with which it began.
        attempts: how often it was tried for that day.
        tried: when it was last tried for that day.
    """

    done: date | None = None
    failed: date | None = None
    attempts: int = 0
    tried: datetime | None = None


class Beat(msgspec.Struct, frozen=True):
    """When a scheduler was last alive."""

    scheduler: str
    beat: datetime
    leads: bool


async def claim_run(connection: AsyncConnection, job: str, due_on: date, now: datetime) -> int | None:
    """Note that a job runs for a day, in the transaction of its work; give back which attempt it is.

    Whoever claims the same run at the same time waits for this transaction. None: it has run, so there is no work.
    """
    row = {"job": job, "due_on": due_on, "state": "done", "attempts": 1, "began": now, "ended": now, "report": ""}
    claim = insert(job_run).values(row)
    claim = claim.on_conflict_do_update(
        index_elements=["job", "due_on"],
        set_={"state": "done", "attempts": job_run.c.attempts + 1, "began": now, "ended": now, "report": ""},
        where=job_run.c.state != "done",
    )
    attempt = await connection.scalar(claim.returning(job_run.c.attempts))
    return None if attempt is None else int(attempt)


async def note_due(connection: AsyncConnection, job: str, due_on: date, now: datetime) -> None:
    """Note the day with which a job begins, so that it is not forgotten should nothing come of its first run."""
    row = {"job": job, "due_on": due_on, "state": "due", "attempts": 0, "began": now, "ended": now, "report": ""}
    noted = await connection.execute(insert(job_run).values(row).on_conflict_do_nothing())
    if noted.rowcount:
        await _append_run(connection, "run_due", job, due_on)


async def finish_run(
    connection: AsyncConnection, job: str, due_on: date, *, now: datetime, report: str, faults: int
) -> None:
    """Note what a run found, before its transaction ends; nothing may be locked after it.

    Raises:
        WrongClock: the clocks do not agree on what time it is.
    """
    row = (job_run.c.job == job) & (job_run.c.due_on == due_on)
    await connection.execute(job_run.update().where(row).values(ended=now, report=report, faults=faults))
    await _append_run(connection, "run_done", job, due_on)


async def fail_run(
    connection: AsyncConnection, job: str, due_on: date, *, began: datetime, now: datetime, reason: str
) -> None:
    """Note that a job failed for a day; one that has run meanwhile is left alone."""
    row = {"job": job, "due_on": due_on, "state": "failed", "attempts": 1, "began": began, "ended": now}
    failure = insert(job_run).values(row | {"report": reason})
    noted = await connection.execute(
        failure.on_conflict_do_update(
            index_elements=["job", "due_on"],
            set_={
                "state": "failed",
                "attempts": job_run.c.attempts + 1,
                "began": began,
                "ended": now,
                "report": reason,
            },
            where=job_run.c.state != "done",
        )
    )
    if noted.rowcount:
        await _append_run(connection, "run_failed", job, due_on)


async def _append_run(
    connection: AsyncConnection, kind: Literal["run_due", "run_done", "run_failed"], job: str, due_on: date
) -> None:
    image = await read_image(connection, "job_run", job=job, due_on=due_on)
    await append_act(connection, NewAct(kind=kind, actor=JOBS, subject=job, rows=(image,)))


async def read_ledger(connection: AsyncConnection, job: str) -> Ledger:
    """Read up to which day a job has run, and where it failed since."""
    done = await connection.scalar(
        select(func.max(job_run.c.due_on)).where(job_run.c.job == job, job_run.c.state == "done")
    )
    failed = select(job_run.c.due_on, job_run.c.attempts, job_run.c.ended).where(
        job_run.c.job == job, job_run.c.state != "done"
    )
    if done is not None:
        failed = failed.where(job_run.c.due_on > done)
    row = (await connection.execute(failed.order_by(job_run.c.due_on).limit(1))).one_or_none()
    if row is None:
        return Ledger(done=done)
    return Ledger(done=done, failed=row.due_on, attempts=row.attempts, tried=row.ended)


async def note_beat(connection: AsyncConnection, scheduler: str, now: datetime, *, leads: bool) -> None:
    """Note that a scheduler is alive."""
    beat = insert(scheduler_beat).values(scheduler=scheduler, beat=now, leads=leads)
    await connection.execute(
        beat.on_conflict_do_update(index_elements=["scheduler"], set_={"beat": now, "leads": leads})
    )


async def forget_beat(connection: AsyncConnection, scheduler: str) -> None:
    """Forget a scheduler that ends in good order."""
    await connection.execute(scheduler_beat.delete().where(scheduler_beat.c.scheduler == scheduler))


async def read_beat(connection: AsyncConnection) -> Beat | None:
    """Read the last sign of life: of the scheduler that leads, else of any."""
    leading = case((scheduler_beat.c.leads, 1), else_=0)
    found = select(scheduler_beat).order_by(leading.desc(), scheduler_beat.c.beat.desc()).limit(1)
    row = (await connection.execute(found)).one_or_none()
    return None if row is None else Beat(row.scheduler, row.beat, row.leads)


async def count_failed(connection: AsyncConnection) -> dict[str, int]:
    """Count by job the days for which it failed and has not run since."""
    found = await connection.execute(
        select(job_run.c.job, func.count()).where(job_run.c.state == "failed").group_by(job_run.c.job)
    )
    return {row[0]: row[1] for row in found}
