"""The jobs' process: one leader over a database, jobs that say what they found, an end when told."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.app import run_job_once, serve_jobs
from cab_registry.domain.errors import Refusal
from cab_registry.jobs.metrics import JobMetrics
from cab_registry.jobs.process import make_ground
from cab_registry.jobs.registrar import Ground, Job, Report, find_job, list_jobs
from cab_registry.jobs.running import JobFailed
from cab_registry.jobs.scheduler import Scheduler
from cab_registry.settings import SettingsError, load_settings
from cab_registry.storage.engine import create_engine
from cab_registry.storage.errors import StorageBusy
from cab_registry.storage.runs import note_beat, read_beat
from tests.jobs.conftest import Time


def value(metrics: JobMetrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0.0


def outcome(metrics: JobMetrics, job: str, name: str) -> float:
    return value(metrics, "cab_job_runs_total", job=job, outcome=name)


async def until_led(metrics: JobMetrics) -> None:
    async with asyncio.timeout(20):
        while value(metrics, "cab_jobs_leader") != 1.0:  # noqa: ASYNC110 - a gauge has no event
            await asyncio.sleep(0.02)


@asynccontextmanager
async def scheduling(database_url: str, time: Time, name: str) -> AsyncIterator[tuple[JobMetrics, asyncio.Task[None]]]:
    """A scheduler that runs, on an engine of its own."""
    engine = create_engine(database_url, application_name="cab-jobs", pool_size=4)
    metrics, stop = JobMetrics(), asyncio.Event()
    running = asyncio.create_task(Scheduler(make_ground(engine, load_settings({}), time.tell), metrics, name).run(stop))
    try:
        yield metrics, running
    finally:
        stop.set()
        await running
        await engine.dispose()


async def test_a_whole_log_is_proved(database_url: str) -> None:
    settings = load_settings({"CAB_DATABASE_URL": database_url})
    report = await run_job_once(settings, "prove-log", date(2026, 11, 21))
    assert report.faults == 0
    assert "no fault" in report.text
    assert "has run for 2026-11-21" in (await run_job_once(settings, "prove-log", date(2026, 11, 21))).text
    assert "no fault" in (await run_job_once(settings, "prove-log", date(2026, 11, 21), again=True)).text


async def test_an_unknown_job_is_refused_with_the_known_ones(database_url: str) -> None:
    settings = load_settings({"CAB_DATABASE_URL": database_url})
    with pytest.raises(Refusal, match="prove-log"):
        await run_job_once(settings, "no-such-job", date(2026, 11, 21))


async def test_jobs_need_a_database() -> None:
    with pytest.raises(SettingsError):
        await serve_jobs(load_settings({}), asyncio.Event())


async def test_only_one_of_two_schedulers_leads_and_the_other_takes_over(
    database_url: str, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cab_registry.jobs.scheduler.RETRY_SECONDS", 0.2)
    watching = create_engine(database_url)
    async with scheduling(database_url, time, "second") as (second, _):
        async with scheduling(database_url, time, "first") as (first, _):
            async with asyncio.timeout(20):
                while not value(first, "cab_jobs_leader") + value(second, "cab_jobs_leader"):  # noqa: ASYNC110 - a gauge
                    await asyncio.sleep(0.02)
            await asyncio.sleep(0.5)
            assert value(first, "cab_jobs_leader") + value(second, "cab_jobs_leader") == 1.0
            async with watching.connect() as connection:
                held = text(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                )
                assert await connection.scalar(held) == 1
                beat = await read_beat(connection)
                assert beat is not None
                assert beat.leads
                assert beat.beat == time.now
        # Whichever led, the one that is left leads now.
        await until_led(second)
    async with watching.connect() as connection:
        assert await read_beat(connection) is None
    await watching.dispose()


async def test_a_leader_that_loses_its_connection_asks_again(
    database_url: str, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cab_registry.jobs.scheduler.RETRY_SECONDS", 0.2)
    monkeypatch.setattr("cab_registry.jobs.scheduler.BEAT_SECONDS", 0.1)
    killing = create_engine(database_url)
    async with scheduling(database_url, time, "one") as (metrics, running):
        await until_led(metrics)
        async with killing.begin() as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                )
            )
        async with asyncio.timeout(20):
            while value(metrics, "cab_jobs_leader") == 1.0 and not running.done():  # noqa: ASYNC110 - a gauge
                await asyncio.sleep(0.01)
        await until_led(metrics)
    await killing.dispose()


async def test_the_leader_runs_what_is_due_and_follows_the_log(database_url: str, time: Time) -> None:
    engine = create_engine(database_url)
    async with scheduling(database_url, time, "one") as (metrics, _), asyncio.timeout(30):
        while not all(outcome(metrics, job.name, "clean") for job in list_jobs()):  # noqa: ASYNC110 - a gauge
            await asyncio.sleep(0.05)
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT job, due_on, state, attempts FROM job_run ORDER BY job"))
        today = date(2026, 11, 21)
        assert [tuple(row) for row in rows] == [
            (name, today, "done", 1) for name in sorted(j.name for j in list_jobs())
        ]
    await engine.dispose()


async def test_a_job_that_fails_is_counted_and_harms_nothing(ground: Ground) -> None:
    async def fail(_ground: Ground, _connection: AsyncConnection, _due_on: date) -> Report:
        raise StorageBusy("the database is away")

    metrics = JobMetrics()
    scheduler = Scheduler(ground, metrics, "one")
    await scheduler.run_job(Job("fails", "fails", 1, 0, fail))
    assert outcome(metrics, "fails", "failed") == 1.0
    proved = find_job("prove-log")
    assert proved is not None
    await scheduler.run_job(proved)
    assert outcome(metrics, "prove-log", "clean") == 1.0


async def test_failing_days_raise_an_alarm(ground: Ground, time: Time) -> None:
    async def fail(_ground: Ground, _connection: AsyncConnection, _due_on: date) -> Report:
        raise StorageBusy("no")

    metrics = JobMetrics()
    job = find_job("prove-log")
    assert job is not None
    scheduler = Scheduler(ground, metrics, "one")
    await scheduler.run_job(replace(job, run=fail))
    async with ground.engine.connect() as connection:
        await scheduler.beat(connection, leads=False)
    assert value(metrics, "cab_job_failing_days", job="prove-log") == 1.0
    time.now += timedelta(hours=1)
    await scheduler.run_job(job)
    async with ground.engine.connect() as connection:
        await scheduler.beat(connection, leads=False)
    assert value(metrics, "cab_job_failing_days", job="prove-log") == 0.0


async def test_a_failure_by_hand_says_why(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_ground: Ground, _connection: AsyncConnection, _due_on: date) -> Report:
        raise ValueError("the ledger is wet")

    job = find_job("prove-log")
    assert job is not None
    monkeypatch.setattr("cab_registry.jobs.process.find_job", lambda _: replace(job, run=fail))
    settings = load_settings({"CAB_DATABASE_URL": database_url})
    with pytest.raises(JobFailed, match="the ledger is wet"):
        await run_job_once(settings, "prove-log", date(2026, 11, 21))


async def test_readiness_shows_the_last_sign_of_life(database_url: str) -> None:
    import httpx

    from cab_registry.app import create_app

    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    engine = create_engine(database_url)
    async with engine.begin() as connection:
        await note_beat(connection, "one", now - timedelta(seconds=30), leads=True)
    settings = load_settings({"CAB_DATABASE_URL": database_url, "CAB_METRICS_PORT": "0"})
    app = create_app(settings, clock=lambda: now, random=secrets.token_bytes)
    transport = httpx.ASGITransport(app)
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        found = (await client.get("/ready")).json()
    assert found["jobs"] == {"leads": True, "seconds_ago": 30.0}
    await engine.dispose()


def test_names_of_jobs_are_unique() -> None:
    names = [job.name for job in list_jobs()]
    assert len(names) == len(set(names))
