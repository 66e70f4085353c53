"""The scheduler: one at a time over a database, with a heartbeat and the outcome of each job as metrics."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.domain.errors import OperationalFault
from cab_registry.jobs.following import follow_log
from cab_registry.jobs.metrics import JobMetrics
from cab_registry.jobs.registrar import Ground, Job, list_jobs
from cab_registry.jobs.running import run_missed
from cab_registry.services.logs import make_logger
from cab_registry.services.tasks import end_task
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.runs import count_failed, forget_beat, note_beat

LOCK: Final = 7_262_201
"""Key of the advisory lock that only one scheduler of a database holds."""

BEAT_SECONDS: Final = 10
RETRY_SECONDS: Final = 5
CATCH_UP_SECONDS: Final = 30
"""How often it is looked whether a job has missed a day, or may be tried again."""


class Scheduler:
    """Runs the jobs of a database for as long as it holds the lock.

    The lock only saves work: that each job runs once for each day is held by the ledger.
    """

    def __init__(self, ground: Ground, metrics: JobMetrics, name: str) -> None:
        self._ground = ground
        self._metrics = metrics
        self._name = name
        self._log = make_logger()

    async def run(self, stop: asyncio.Event) -> None:
        """Wait for the lock, schedule every job, beat until told to stop; a lost lock is asked for again."""
        while not stop.is_set():
            try:
                await self._lead(stop)
            except OperationalFault as fault:
                self._log.warning("schedule_not_held", reason=str(fault))
            self._metrics.leads.set(0)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RETRY_SECONDS)
        with suppress(OperationalFault), operational_faults():
            async with self._ground.engine.begin() as connection:
                await forget_beat(connection, self._name)

    async def _lead(self, stop: asyncio.Event) -> None:
        with operational_faults():
            # A connection of its own for as long as the lock is held: with it goes the lock.
            async with self._ground.engine.connect() as connection:
                held = await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK})
                await connection.commit()
                await self.beat(connection, leads=bool(held))
                if not held:
                    return
                self._metrics.leads.set(1)
                schedule = self._make_schedule()
                schedule.start()
                following = asyncio.create_task(follow_log(self._ground.watcher, self._ground.engine, self._metrics))
                try:
                    while not stop.is_set():
                        with suppress(TimeoutError):
                            await asyncio.wait_for(stop.wait(), BEAT_SECONDS)
                        await self.beat(connection, leads=True)
                finally:
                    schedule.shutdown(wait=False)
                    await end_task(following)

    async def beat(self, connection: AsyncConnection, *, leads: bool) -> None:
        """Say that this scheduler is alive, and how many days of each job failed."""
        now = self._ground.clock()
        await note_beat(connection, self._name, now, leads=leads)
        failed = await count_failed(connection)
        await connection.commit()
        self._metrics.beat.set(now.timestamp())
        for job in list_jobs():
            self._metrics.failing.labels(job.name).set(failed.get(job.name, 0))

    def _make_schedule(self) -> AsyncIOScheduler:
        schedule = AsyncIOScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        schedule.add_listener(self._note_failure, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
        for job in list_jobs():
            at = CronTrigger(hour=job.hour, minute=job.minute, timezone=UTC)
            schedule.add_job(self.run_job, at, args=(job,), id=job.name)
            # What was missed while no scheduler ran, and what failed, is made up for in between.
            every = IntervalTrigger(seconds=CATCH_UP_SECONDS, timezone=UTC)
            schedule.add_job(self.run_job, every, args=(job,), id=f"{job.name}-missed", next_run_time=datetime.now(UTC))
        return schedule

    def _note_failure(self, event: JobExecutionEvent) -> None:
        name = str(event.job_id).removesuffix("-missed")
        self._metrics.runs.labels(name, "failed").inc()
        self._log.error("job_broke", job=name, reason=repr(event.exception))

    async def run_job(self, job: Job) -> None:
        """Run a job for every day that it missed; what goes wrong is counted and logged, and it is tried again."""
        try:
            done = await run_missed(self._ground, job)
        except OperationalFault as fault:
            self._metrics.runs.labels(job.name, "failed").inc()
            self._log.error("job_failed", job=job.name, reason=str(fault))
            return
        for due_on, report in done:
            self._metrics.runs.labels(job.name, "found" if report.faults else "clean").inc()
            self._metrics.faults.labels(job.name).set(report.faults)
            self._log.info(
                "job_done", job=job.name, due_on=due_on.isoformat(), report=report.text, faults=report.faults
            )
