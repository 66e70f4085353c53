"""The scheduler: one at a time over a database, with a heartbeat and the outcome of each job as metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.domain.errors import OperationalFault, RegistryError
from cab_registry.jobs.registrar import Job, Report, list_jobs
from cab_registry.services.logs import make_logger
from cab_registry.storage.errors import operational_faults

LOCK: Final = 7_262_201
"""Key of the advisory lock that only one scheduler of a database holds."""

_BEAT_SECONDS: Final = 10
_RETRY_SECONDS: Final = 15


class JobMetrics:
    """Heartbeat, and the outcome of each job's last run."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.beat = Gauge("cab_jobs_heartbeat_seconds", "When the scheduler was last alive.", registry=self.registry)
        self.leads = Gauge("cab_jobs_leader", "1 where this process holds the schedule.", registry=self.registry)
        self.runs = Counter("cab_job_runs", "Runs by job and outcome.", ["job", "outcome"], registry=self.registry)
        self.faults = Gauge("cab_job_faults", "Faults that the last run found.", ["job"], registry=self.registry)


class Scheduler:
    """Runs the jobs of a database for as long as it holds the lock."""

    def __init__(self, engine: AsyncEngine, metrics: JobMetrics, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._metrics = metrics
        self._clock = clock
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
                await asyncio.wait_for(stop.wait(), _RETRY_SECONDS)

    async def _lead(self, stop: asyncio.Event) -> None:
        with operational_faults():
            async with self._engine.connect() as connection:
                held = await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK})
                await connection.commit()
                self._metrics.beat.set(self._clock().timestamp())
                if not held:
                    return
                self._metrics.leads.set(1)
                schedule = self._make_schedule()
                schedule.start()
                try:
                    while not stop.is_set():
                        await connection.execute(text("SELECT 1"))
                        await connection.commit()
                        self._metrics.beat.set(self._clock().timestamp())
                        with suppress(TimeoutError):
                            await asyncio.wait_for(stop.wait(), _BEAT_SECONDS)
                finally:
                    schedule.shutdown(wait=False)

    def _make_schedule(self) -> AsyncIOScheduler:
        schedule = AsyncIOScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        for job in list_jobs():
            trigger = CronTrigger(hour=job.hour, minute=job.minute, timezone=UTC)
            schedule.add_job(self.run_job, trigger, args=(job,), id=job.name)
        return schedule

    async def run_job(self, job: Job) -> Report | None:
        """Run one job for today; what goes wrong is counted and logged, and the next day comes all the same."""
        try:
            report = await job.run(self._engine, self._clock().astimezone(UTC).date())
        except RegistryError as error:
            self._metrics.runs.labels(job.name, "failed").inc()
            self._log.error("job_failed", job=job.name, reason=str(error))
            return None
        self._metrics.runs.labels(job.name, "found" if report.faults else "clean").inc()
        self._metrics.faults.labels(job.name).set(report.faults)
        self._log.info("job_done", job=job.name, report=report.text, faults=report.faults)
        return report


async def run_jobs(
    engine: AsyncEngine, *, metrics_host: str, metrics_port: int, clock: Callable[[], datetime], stop: asyncio.Event
) -> None:
    """Serve the metrics and run the schedule until told to stop."""
    metrics = JobMetrics()
    server, thread = start_http_server(metrics_port, metrics_host, registry=metrics.registry)
    try:
        await Scheduler(engine, metrics, clock).run(stop)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        await engine.dispose()
