"""A year of many laboratories, two schedulers that come and go, and kills: each due notice once, none early."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.domain.errors import OperationalFault
from cab_registry.jobs.process import make_ground
from cab_registry.jobs.registrar import Ground, find_job
from cab_registry.jobs.running import run_missed
from cab_registry.services.submissions import load_catalogue
from cab_registry.services.watching.targets import Target
from cab_registry.settings import load_settings
from cab_registry.storage.engine import create_engine
from tests.services.office import Office, body, given, law, right
from tests.services.watching.watchers import ROUTE, WatchOffice, new_reports
from tests.sizes import sized

BODIES = sized(800, whole=5_000)
KILLS = 20
RENEWALS = 20
WATCHED = range(1, 31)
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
        await self.open_accounts()


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


class Killed(BaseException):
    """What ends a process at once: nothing in it can hold it up."""


class Station:
    """A scheduler's process: it comes up, works, is killed, and forgets all that it knew."""

    def __init__(self, url: str, name: str, office: Office) -> None:
        self._url, self._name, self._office = url, f"cab-jobs {name}", office
        self._engine: AsyncEngine | None = None
        self._ground: Ground | None = None
        self._left: int | None = None

    def _count_down(self, *_: Any) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Killed

    async def work(self, statements: int | None = None) -> None:
        """Follow the log, and run what was missed, as the process does; it dies at one of its statements."""
        if self._ground is None:
            self._engine = create_engine(self._url, application_name=self._name, pool_size=3)
            event.listen(self._engine.sync_engine, "before_cursor_execute", self._count_down)
            self._ground = make_ground(self._engine, load_settings({}), self._office.clock)
        self._left = statements
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
    victim = up[0] if harm is not None else None
    statements = chance.randrange(40) if harm == "kill" else None
    tasks = [asyncio.create_task(station.work(statements if station is victim else None)) for station in up]
    if harm == "cut" and victim is not None:
        await asyncio.sleep(chance.random() * 0.25)
        await victim.lose_connections(engine)
    done = await asyncio.gather(*tasks, return_exceptions=True)
    for station, fault in zip(up, done, strict=True):
        if station is not victim:
            assert fault is None
        elif fault is not None:
            # What becomes of a cut connection is for the process to tell; the next one takes up where it broke off.
            # SQLAlchemy says NotImplementedError of a first connection that is cut (tests/storage/test_errors.py).
            if not isinstance(fault, Killed | SQLAlchemyError | OSError | NotImplementedError):
                raise fault
            await station.die()


@dataclass
class Year:
    """The laboratories, those who watch, and what happens to them."""

    office: Large
    desk: WatchOffice
    ends: dict[int, date]
    chance: random.Random
    history: list[tuple[datetime, int, date]] = field(default_factory=list)

    async def renew(self) -> None:
        """Give one accreditation another end."""
        number = self.chance.randrange(1, BODIES + 1)
        version = 1 + sum(each == number for _, each, _ in self.history)
        end = self.office.now.date() + timedelta(days=self.chance.randrange(10, 300))
        await self.office.submit("accreditor", given(accreditation(number, end), version, "correction"))
        self.history.append((self.office.now, number, end))

    def known(self, at: datetime) -> dict[int, date]:
        """The ends as they were recorded at an instant."""
        return self.ends | {number: end for recorded, number, end in self.history if recorded < at}

    def let_pass(self, harm: str | None) -> None:
        """Let some time pass: where harm is to be done, so much that there is work to be interrupted."""
        if harm is not None:
            self.office.wait(hours=self.chance.randrange(24, 73))
        elif self.chance.random() < 0.95:
            self.office.wait(hours=self.chance.randrange(1, 30))
        else:
            self.office.wait(days=self.chance.randrange(2, 21))


async def begin(engine: AsyncEngine, chance: random.Random) -> tuple[Year, Told]:
    ends = {number: FIRST + timedelta(days=chance.randrange(3, 500)) for number in range(1, BODIES + 1)}
    office = Large(engine, documents=list(enter_all(ends, WATCHED)))
    office.now = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)
    await office.open()
    await office.hire("officer", "xa-ministry", "submitter")
    await office.hire("accreditor", "xa-service", "submitter")
    desk = WatchOffice(office, office.people["officer"].id)
    await office.desk.heads.at_least(1)
    everything = [await desk.watch(Target(kind="authority", id="xa-service"))]
    watchers = {number: [await desk.watch(Target(kind="body", id=f"lab-{number}"))] for number in WATCHED}
    for number in WATCHED:
        await desk.watch(new_reports(number))
    return Year(office, desk, ends, chance), Told(ends, watchers, everything)


@pytest.mark.timeout(400)
async def test_a_year_of_many_laboratories(database_url: str, engine: AsyncEngine) -> None:
    chance = random.Random(20261121)
    year, told = await begin(engine, chance)
    office = year.office
    stations = [Station(database_url, name, office) for name in ("one", "two")]
    harms = iter(chance.choices(["kill", "kill", "cut"], k=KILLS))
    renewals = sorted(chance.sample(range(365), RENEWALS))
    harm: str | None = "kill"
    while office.now.date() < LAST:
        while renewals and FIRST + timedelta(days=renewals[0]) <= office.now.date():
            renewals.pop(0)
            await year.renew()
        office.wait(minutes=15)
        await live(stations, engine, chance, harm)
        harm = next(harms, None) if chance.random() < 0.4 else None
        year.let_pass(harm)
    office.now = datetime(LAST.year, LAST.month, LAST.day, 1, 0, tzinfo=UTC)
    await live(stations[:1], engine, chance, None)
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
        told.run(row.due_on, year.known(row.began))
    found = [(row.watch, row.cause) for row in written if row.cause.startswith("end/accreditation")]
    assert len(found) == len(set(found))
    assert set(found) == told.causes
    assert len(found) > 3 * BODIES * 0.7
    for row in written:
        assert row.due_on is None or row.due_on <= row.created.date()
    _hold_turns(written, year.ends, {number for _, number, _ in year.history})


def _hold_turns(written: list[Any], ends: dict[int, date], renewed: set[int]) -> None:
    """Of standing answers that no renewal touched: forecast at each threshold, and turned on the day, once."""
    watches = sorted({row.watch for row in written if row.kind in ("answer.forecast", "answer.turned")})
    by_watch = {watch: [row for row in written if row.watch == watch] for watch in watches}
    # The standing questions were watched last, in the order of their laboratories.
    for number in set(WATCHED) - renewed:
        watch = f"w-{1 + len(WATCHED) + number:016x}"
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
