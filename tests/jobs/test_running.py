"""The ledger: each job once for each day, missed days in order, a failed one again after a while."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from cab_registry.jobs.registrar import Ground, Report
from cab_registry.jobs.running import JobFailed, list_due, pause_after, run_for, run_missed
from cab_registry.storage.runs import Ledger, count_failed, read_ledger
from tests.jobs.conftest import Diary, Time


def day(number: int) -> date:
    return date(2026, 11, number)


async def test_a_job_that_never_ran_begins_today(ground: Ground) -> None:
    diary = Diary()
    await run_missed(ground, diary.job())
    await run_missed(ground, diary.job())
    assert diary.days == [day(21)]


async def test_a_job_waits_for_its_hour(ground: Ground, time: Time) -> None:
    diary = Diary()
    time.now = datetime(2026, 11, 21, 0, 59, tzinfo=UTC)
    assert await run_missed(ground, diary.job()) == []
    time.now += timedelta(minutes=1)
    assert [due_on for due_on, _ in await run_missed(ground, diary.job())] == [day(21)]


async def test_missed_days_are_made_up_for_in_order(ground: Ground, time: Time) -> None:
    diary = Diary()
    await run_missed(ground, diary.job())
    time.now += timedelta(days=5)
    await run_missed(ground, diary.job())
    assert diary.days == [day(number) for number in range(21, 27)]


async def test_where_only_the_latest_day_counts_the_others_are_left_out(ground: Ground, time: Time) -> None:
    diary = Diary()
    await run_missed(ground, diary.job(every_day=False))
    time.now += timedelta(days=5)
    await run_missed(ground, diary.job(every_day=False))
    assert diary.days == [day(21), day(26)]


async def test_no_day_is_run_past_one_that_failed(ground: Ground, time: Time) -> None:
    diary = Diary(bad={day(22)})
    await run_missed(ground, diary.job())
    time.now += timedelta(days=2)
    with pytest.raises(JobFailed, match="no such day"):
        await run_missed(ground, diary.job())
    assert diary.days == [day(21)]
    async with ground.engine.connect() as connection:
        assert await count_failed(connection) == {"diary": 1}
        reason = await connection.scalar(text("SELECT report FROM job_run WHERE state = 'failed'"))
        assert reason == "ValueError: no such day"
    diary.bad.clear()
    # It pauses first; then it takes up where it broke off.
    assert await run_missed(ground, diary.job()) == []
    time.now += pause_after(1)
    await run_missed(ground, diary.job())
    assert diary.days == [day(21), day(22), day(23)]
    async with ground.engine.connect() as connection:
        assert await count_failed(connection) == {}
        assert await connection.scalar(text("SELECT attempts FROM job_run WHERE due_on = '2026-11-22'")) == 2


async def test_pauses_grow_to_an_hour(ground: Ground, time: Time) -> None:
    diary = Diary(bad={day(21)})
    for attempt in range(1, 5):
        with pytest.raises(JobFailed):
            await run_missed(ground, diary.job())
        async with ground.engine.connect() as connection:
            assert (await read_ledger(connection, "diary")).attempts == attempt
        time.now += pause_after(attempt)
    assert pause_after(1) == timedelta(minutes=1)
    assert pause_after(3) == timedelta(minutes=4)
    assert pause_after(50) == timedelta(hours=1)


async def test_two_at_once_run_it_once(ground: Ground) -> None:
    class Slow(Diary):
        async def run(self, *given: object) -> Report:
            await asyncio.sleep(0.1)
            return await super().run(*given)  # type: ignore[arg-type]

    diary = Slow()
    done = await asyncio.gather(*(run_for(ground, diary.job(), day(21)) for _ in range(3)))
    assert diary.days == [day(21)]
    assert sum(each is not None for each in done) == 1


async def test_a_run_that_is_cut_off_has_not_run(ground: Ground) -> None:
    class Cut(Diary):
        async def run(self, ground: Ground, connection: object, due_on: date) -> Report:  # type: ignore[override]
            self.days.append(due_on)
            if len(self.days) == 1:
                raise asyncio.CancelledError
            return Report("whole")

    cut = Cut()
    with pytest.raises(asyncio.CancelledError):
        await run_for(ground, cut.job(), day(21))
    async with ground.engine.connect() as connection:
        assert await read_ledger(connection, "diary") == Ledger()
    assert await run_for(ground, cut.job(), day(21)) == Report("whole")


@given(
    done=st.none() | st.integers(0, 40),
    hours=st.integers(0, 60 * 24),
    every_day=st.booleans(),
)
def test_due_days_follow_each_other_to_today(done: int | None, hours: int, *, every_day: bool) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    now = start + timedelta(hours=hours)
    ledger = Ledger(done=None if done is None else start.date() + timedelta(days=done))
    due = list(list_due(Diary().job(every_day=every_day), ledger, now))
    last = now.date() if now.hour >= 1 else now.date() - timedelta(days=1)
    assert due == sorted(set(due))
    assert all(each <= last for each in due)
    if done is not None and ledger.done is not None:
        assert all(each > ledger.done for each in due)
        missing = (last - ledger.done).days
        assert len(due) == (max(missing, 0) if every_day else min(max(missing, 0), 1))
    if due:
        assert due[-1] == last
