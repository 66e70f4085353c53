"""What jobs work with, over a database of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.jobs.process import make_ground
from cab_registry.jobs.registrar import Ground, Job, Report
from cab_registry.settings import load_settings
from cab_registry.storage.engine import create_engine


@dataclass
class Time:
    """A clock that stands still until it is moved."""

    now: datetime = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)

    def tell(self) -> datetime:
        return self.now


@dataclass
class Diary:
    """A job that writes down for which days it ran, and fails for some."""

    days: list[date] = field(default_factory=list)
    bad: set[date] = field(default_factory=set)

    async def run(self, _ground: Ground, _connection: AsyncConnection, due_on: date) -> Report:
        if due_on in self.bad:
            raise ValueError("no such day")
        self.days.append(due_on)
        return Report(f"wrote {due_on}")

    def job(self, *, every_day: bool = True) -> Job:
        return Job("diary", "write down the day", 1, 0, self.run, every_day)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def ground(database_url: str, time: Time) -> AsyncIterator[Ground]:
    engine = create_engine(database_url, application_name="cab-jobs", pool_size=4)
    yield make_ground(engine, load_settings({}), time.tell)
    await engine.dispose()
