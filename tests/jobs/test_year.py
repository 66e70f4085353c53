"""A year of 5,000 laboratories, two schedulers that come and go, and kills: each due notice once, none early."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.domain.errors import OperationalFault
from cab_registry.jobs.process import make_ground
from cab_registry.jobs.registrar import Ground, find_job
from cab_registry.jobs.running import run_missed
from cab_registry.services.principals import authenticate, init_registrar
from cab_registry.services.submissions import load_catalogue
from cab_registry.services.targets import Target
from cab_registry.settings import load_settings
from cab_registry.storage.engine import create_engine
from tests.services.office import Office, body, given, law, right
from tests.services.watchers import ROUTE, WatchOffice, new_reports

BODIES = 5_000
KILLS = 24
RENEWALS = 40
FIRST = date(2026, 11, 21)
LAST = FIRST + timedelta(days=365)
THRESHOLDS = (120, 90, 30, 7, 0)


def accreditation(number: int, until: date) -> dict[str, Any]:
    return right("accreditation", number, validity="dated", until=until.isoformat())


def enter_all(ends: dict[int, date], recognised: range) -> Iterator[dict[str, Any]]:
    yield from law()
    yield {**ROUTE, "sources": {"law": {"title": "Gazette", "confidence": "high"}}}
    for number, until in ends.items():
        yield body(number)
        yield accreditation(number, until)
        if number in recognised:
            yield right("recognition", number)


@dataclass
class Large(Office):
    """An office whose register is large from the beginning."""

    documents: list[dict[str, Any]] = field(default_factory=list)

    async def open(self) -> None:
        await load_catalogue(self.engine, self.documents, validate=lambda _: [])
        token = await init_registrar(self.engine, "First Registrar", self.clock, self.random)
        self.people["registrar"] = await authenticate(self.engine, token, self.clock)


@dataclass
class Told:
    """What is to be told of the ends of accreditations, reckoned day by day."""

    ends: dict[int, date]
    watchers: dict[int, list[str]]
    everything: list[str]
    causes: set[tuple[str, str]] = field(default_factory=set)

    def run(self, due_on: date, ends: dict[int, date]) -> None:
        for number, end in ends.items():
            left = (end - due_on).days
            reached = [each for each in THRESHOLDS if each >= left >= 0]
            if reached:
                cause = f"end/accreditation-{number}/expiry/{end.isoformat()}/{min(reached)}/"
                self.causes.update((watch, cause) for watch in (*self.everything, *self.watchers.get(number, ())))


class Station:
    """A scheduler's process: it comes up, works, is killed, and forgets all that it knew."""

    def __init__(self, url: str, name: str, office: Office) -> None:
        self._url, self._name, self._office = url, f"cab-jobs {name}", office
        self._engine: AsyncEngine | None = None
        self._ground: Ground | None = None

    async def work(self) -> None:
        """Follow the log, and run what was missed, as the process does."""
        if self._ground is None:
            self._engine = create_engine(self._url, application_name=self._name, pool_size=3)
            self._ground = make_ground(self._engine, load_settings({}), self._office.clock)
        job = find_job("expiry-horizon")
        assert job is not None
        with suppress(OperationalFault):
            await self._ground.watcher.catch_up()
            await run_missed(self._ground, job)

    async def die(self) -> None:
        self._ground = None
        if self._engine is not None:
            await self._engine.dispose()
            self._engine = None

    async def lose_connections(self, engine: AsyncEngine) -> None:
        async with engine.begin() as connection:
            await connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"),
                {"name": self._name},
            )


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_engine(database_url)
    yield made
    await made.dispose()


async def live(stations: list[Station], engine: AsyncEngine, chance: random.Random, harm: str | None) -> None:
    """Let the schedulers that are up work at the same time, and do harm to one of them meanwhile."""
    up = chance.sample(stations, min(chance.choice([1, 2, 2]), len(stations)))
    tasks = [asyncio.create_task(station.work()) for station in up]
    if harm is not None:
        victim = chance.randrange(len(up))
        await asyncio.sleep(chance.random() * 0.25)
        if harm == "kill":
            tasks[victim].cancel()
            await asyncio.wait((tasks[victim],))
            await up[victim].die()
        else:
            await up[victim].lose_connections(engine)
    await asyncio.gather(*tasks, return_exceptions=harm is not None)


@pytest.mark.timeout(400)
async def test_a_year_of_5000_laboratories(database_url: str, engine: AsyncEngine) -> None:
    chance = random.Random(20261121)
    ends = {number: FIRST + timedelta(days=chance.randrange(3, 500)) for number in range(1, BODIES + 1)}
    office = Large(engine, documents=list(enter_all(ends, range(1, 31))))
    office.now = datetime(2026, 11, 21, 0, 0, tzinfo=UTC)
    await office.open()
    await office.hire("officer", "xa-ministry", "submitter")
    await office.hire("accreditor", "xa-service", "submitter")
    desk = WatchOffice(office, office.people["officer"].id)
    await office.desk.heads.at_least(1)
    everything = [await desk.watch(Target(kind="authority", id="xa-service"))]
    watchers = {number: [await desk.watch(Target(kind="body", id=f"lab-{number}"))] for number in range(1, 31)}
    for number in range(1, 31):
        await desk.watch(new_reports(number))
    told = Told(ends, watchers, everything)
    stations = [Station(database_url, name, office) for name in ("one", "two")]
    harms = iter(chance.choices(["kill", "cut"], k=KILLS))
    renewals = sorted(chance.sample(range(365), RENEWALS))
    history: list[tuple[datetime, int, date]] = []
    while office.now.date() < LAST:
        while renewals and FIRST + timedelta(days=renewals[0]) <= office.now.date():
            renewals.pop(0)
            number = chance.randrange(1, BODIES + 1)
            version = 1 + sum(each == number for _, each, _ in history)
            end = office.now.date() + timedelta(days=chance.randrange(10, 300))
            await office.submit("accreditor", given(accreditation(number, end), version, "correction"))
            history.append((office.now, number, end))
        office.wait(minutes=1)
        await live(stations, engine, chance, next(harms, None) if chance.random() < 0.2 else None)
        down = chance.random()
        office.wait(hours=chance.randrange(1, 30) if down < 0.9 else 24 * chance.randrange(2, 21))
    office.now = datetime(LAST.year, LAST.month, LAST.day, 1, 0, tzinfo=UTC)
    await live([stations[0]], engine, chance, None)
    assert next(harms, None) is None
    for station in stations:
        await station.die()

    async with engine.connect() as connection:
        rows = list(await connection.execute(text("SELECT due_on, state, began FROM job_run ORDER BY due_on")))
        written = list(
            await connection.execute(text("SELECT watch, cause, kind, due_on, created FROM outbox ORDER BY number"))
        )
    # Each day once, in order, none ahead of its time.
    assert [row.due_on for row in rows] == [FIRST + timedelta(days=step) for step in range(366)]
    assert all(row.state == "done" and row.due_on <= row.began.date() for row in rows)
    assert [row.began for row in rows] == sorted(row.began for row in rows)
    for row in rows:
        known = dict(ends)
        known.update({number: end for recorded, number, end in history if recorded < row.began})
        told.run(row.due_on, known)
    found = [(row.watch, row.cause) for row in written if row.cause.startswith("end/accreditation")]
    assert len(found) == len(set(found))
    assert set(found) == told.causes
    assert len(found) > 3 * BODIES * 0.7
    for row in written:
        assert row.due_on is None or row.due_on <= row.created.date()
    _hold_turns(written, ends, history)


def _hold_turns(written: list[Any], ends: dict[int, date], history: list[tuple[datetime, int, date]]) -> None:
    """Of standing answers that no renewal touched: forecast at each threshold, and turned on the day, once."""
    renewed = {number for _, number, _ in history}
    watches = sorted({row.watch for row in written if row.kind in ("answer.forecast", "answer.turned")})
    by_watch = {watch: [row for row in written if row.watch == watch] for watch in watches}
    # The standing questions were watched last, in the order of their laboratories.
    for number in set(range(1, 31)) - renewed:
        watch = f"w-{31 + number:016x}"
        turns = ends[number] + timedelta(days=1)
        left = (turns - FIRST).days
        causes = [row.cause for row in by_watch.get(watch, [])]
        expected = [f"turn/{turns.isoformat()}"] if turns <= LAST else []
        assert [cause.rpartition("/")[0] for cause in causes if cause.startswith("turn/")] == expected
        first = min((each for each in THRESHOLDS if each >= left), default=None)
        due = [
            each
            for each in THRESHOLDS[:-1]
            if FIRST <= turns - timedelta(days=each) <= LAST or (each == first and first is not None)
        ]
        told = [int(cause.split("/")[2]) for cause in causes if cause.startswith("forecast/")]
        assert sorted(told, reverse=True) == due, number
