"""The jobs' process, put together from settings: schedule, watcher and courier over one database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from os import getpid
from socket import gethostname
from zoneinfo import ZoneInfo

from prometheus_client import start_http_server
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.domain.errors import Refusal
from cab_registry.jobs.metrics import JobMetrics
from cab_registry.jobs.registrar import Ground, Report, find_job, list_jobs
from cab_registry.jobs.running import run_for
from cab_registry.jobs.scheduler import Scheduler
from cab_registry.services.delivery.delivering import run_courier
from cab_registry.services.delivery.sealing import Random
from cab_registry.services.delivery.sending import make_sender
from cab_registry.services.expiries import Horizon
from cab_registry.services.logs import make_logger
from cab_registry.services.tasks import end_task
from cab_registry.services.watching.foretelling import Foreteller
from cab_registry.services.watching.watcher import Watcher
from cab_registry.settings import Settings, SettingsError
from cab_registry.storage.database.connections import JOBS_POOL
from cab_registry.storage.database.pulse import Pulse, ask_nothing
from cab_registry.storage.engine import create_engine
from cab_registry.storage.errors import operational_faults


def make_ground(engine: AsyncEngine, settings: Settings, clock: Callable[[], datetime]) -> Ground:
    """Put together what jobs work with."""
    zone = ZoneInfo(settings.time_zone)
    base = (settings.public_address or "").rstrip("/")
    watcher = Watcher(engine, clock, lambda: clock().astimezone(zone).toordinal(), base)
    return Ground(engine, clock, watcher, Foreteller(watcher, Horizon()))


async def serve(settings: Settings, stop: asyncio.Event, *, clock: Callable[[], datetime], random: Random) -> None:
    """Run the jobs on their schedule, watch, and deliver notices until told to stop; metrics are served meanwhile.

    Raises:
        SettingsError: the settings name no database.
    """
    engine, pulse = _engine_of(settings)
    metrics = JobMetrics()
    server, thread = start_http_server(settings.metrics_port, settings.metrics_host, registry=metrics.registry)
    name = f"{gethostname()} {getpid()} {random(4).hex()}"
    try:
        async with pulse.beating():
            delivering = asyncio.create_task(_deliver(engine, settings, stop, clock, random))
            try:
                await Scheduler(make_ground(engine, settings, clock), metrics, name).run(stop)
                await delivering
            finally:
                await end_task(delivering)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        await engine.dispose()


async def _deliver(
    engine: AsyncEngine, settings: Settings, stop: asyncio.Event, clock: Callable[[], datetime], random: Random
) -> None:
    """Deliver notices where the settings allow it: addresses are sealed, and without keys none can be opened."""
    if settings.secret_keys is None:
        make_logger().warning("nothing_is_delivered", reason="CAB_SECRET_KEYS is not set")
        return
    sender = make_sender(engine, settings, clock, random)
    try:
        await run_courier(engine, sender, clock, random, stop, asyncio.Event())
    finally:
        await sender.close()


async def run_once(
    settings: Settings, name: str, due_on: date | None, *, clock: Callable[[], datetime], again: bool = False
) -> Report:
    """Run one job for one day, today without one; what has run is not run again, unless it is asked for.

    Raises:
        Refusal: there is no job of that name.
        JobFailed: it failed.
        SettingsError: the settings name no database.
    """
    job = find_job(name)
    if job is None:
        raise Refusal(f"there is no job {name!r}; the jobs are: {', '.join(known.name for known in list_jobs())}")
    engine, pulse = _engine_of(settings)
    try:
        async with pulse.beating():
            ground = make_ground(engine, settings, clock)
            day = due_on or clock().astimezone(UTC).date()
            if again:
                with operational_faults():
                    async with engine.begin() as connection:
                        return await job.run(ground, connection, day)
            report = await run_for(ground, job, day)
            return report or Report(f"{name} has run for {day.isoformat()}; --again runs it once more")
    finally:
        await engine.dispose()


def _engine_of(settings: Settings) -> tuple[AsyncEngine, Pulse[None]]:
    """Return an engine, and what gives its connections up where the database falls silent: some jobs take minutes."""
    if settings.database_url is None:
        raise SettingsError(("CAB_DATABASE_URL is not set.",))
    engine = create_engine(settings.database_url, application_name="cab-jobs", pool_size=JOBS_POOL)
    pulse = Pulse(settings.database_url, ask_nothing, patience=settings.database_patience_seconds, name="cab-jobs")
    pulse.guard(engine)
    return engine, pulse
