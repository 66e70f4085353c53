"""The jobs' process: one leader over a database, jobs that say what they found, an end when told."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.app import run_job_once, serve_jobs
from cab_registry.domain.errors import Refusal
from cab_registry.jobs.registrar import Job, Report, find_job, list_jobs
from cab_registry.jobs.scheduler import JobMetrics, Scheduler
from cab_registry.settings import SettingsError, load_settings
from cab_registry.storage.engine import create_engine
from cab_registry.storage.errors import StorageBusy


def tell_time() -> datetime:
    return datetime(2026, 11, 21, 2, 30, tzinfo=UTC)


def outcome(metrics: JobMetrics, job: str, name: str) -> float:
    return metrics.registry.get_sample_value("cab_job_runs_total", {"job": job, "outcome": name}) or 0.0


async def until_led(metrics: JobMetrics) -> None:
    async with asyncio.timeout(20):
        while metrics.registry.get_sample_value("cab_jobs_leader") != 1.0:  # noqa: ASYNC110 - a gauge has no event
            await asyncio.sleep(0.02)


async def test_a_whole_log_is_proved(database_url: str) -> None:
    settings = load_settings({"CAB_DATABASE_URL": database_url})
    report = await run_job_once(settings, "prove-log", date(2026, 11, 21))
    assert report.faults == 0
    assert "no fault" in report.text


async def test_an_unknown_job_is_refused_with_the_known_ones(database_url: str) -> None:
    settings = load_settings({"CAB_DATABASE_URL": database_url})
    with pytest.raises(Refusal, match="prove-log"):
        await run_job_once(settings, "no-such-job", date(2026, 11, 21))


async def test_jobs_need_a_database() -> None:
    with pytest.raises(SettingsError):
        await serve_jobs(load_settings({}), asyncio.Event())


async def test_only_one_of_two_schedulers_leads_and_the_other_takes_over(database_url: str) -> None:
    engines = [create_engine(database_url, application_name="cab-jobs", pool_size=2) for _ in range(2)]
    metrics = [JobMetrics(), JobMetrics()]
    stops = [asyncio.Event(), asyncio.Event()]
    first = asyncio.create_task(Scheduler(engines[0], metrics[0], tell_time).run(stops[0]))
    await until_led(metrics[0])
    second = Scheduler(engines[1], metrics[1], tell_time)
    async with engines[1].connect() as connection:
        held = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        assert await connection.scalar(held) == 1
    waiting = asyncio.create_task(second.run(stops[1]))
    await asyncio.sleep(0.3)
    assert metrics[1].registry.get_sample_value("cab_jobs_leader") == 0.0
    stops[0].set()
    await first
    stops[1].set()
    await waiting
    for engine in engines:
        await engine.dispose()


async def test_a_job_that_fails_is_counted_and_harms_nothing(database_url: str) -> None:
    async def fail(_engine: AsyncEngine, _due_on: date) -> Report:
        raise StorageBusy("the database is away")

    engine = create_engine(database_url, application_name="cab-jobs", pool_size=2)
    metrics = JobMetrics()
    scheduler = Scheduler(engine, metrics, tell_time)
    assert await scheduler.run_job(Job("fails", "fails", 1, 0, fail)) is None
    assert outcome(metrics, "fails", "failed") == 1.0
    proved = find_job("prove-log")
    assert proved is not None
    report = await scheduler.run_job(proved)
    assert report is not None
    assert outcome(metrics, "prove-log", "clean") == 1.0
    await engine.dispose()


def test_names_of_jobs_are_unique() -> None:
    names = [job.name for job in list_jobs()]
    assert len(names) == len(set(names))
