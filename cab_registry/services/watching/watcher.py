"""Asking watched questions again, submission by submission, and writing notices where an answer changed.

The watcher stands at a position of the log. What it finds between two positions, the notices of it and the move to the
later position are one transaction, so that each is told once, whoever is killed when.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.days import show_day
from cab_registry.engine.reads import Read
from cab_registry.register.compiled import Register, compile_register
from cab_registry.register.differences import find_touched_reads
from cab_registry.services.sources import Changes, read_version
from cab_registry.services.watching.events import EventType, Told, WatchNamed, spell_event
from cab_registry.services.watching.noticing import Step, Subject, tell_changed, tell_turned
from cab_registry.services.watching.subjects import SubjectTeller, Touching, leave_out_same, tell_cause
from cab_registry.services.watching.targets import Target
from cab_registry.services.watching.watched_answers import Answered, Asked, Asker, spell_read, split_reach
from cab_registry.storage.entries import Entry
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.log import read_submission_after
from cab_registry.storage.outbox import NewNotice, add_notices
from cab_registry.storage.records import stream_as_known
from cab_registry.storage.watches import (
    Reanswered,
    Watched,
    find_touched,
    keep_answers,
    lock_cursor,
    move_cursor,
)


@dataclass(slots=True)
class Counts:
    """What a watcher did since it was made."""

    submissions: int = 0
    asked: int = 0
    notices: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one thing that is watched.

    Attributes:
        notices: what is told, by cause.
        answer: what the question came to.
    """

    notices: tuple[tuple[str, EventType, Told], ...] = ()
    answer: Reanswered | None = None


class Watcher:
    """Follows the log, and tells those who watch."""

    def __init__(
        self, engine: AsyncEngine, clock: Callable[[], datetime], today: Callable[[], int], base: str = ""
    ) -> None:
        """Make a watcher, which reads nothing yet.

        Args:
            engine: the database.
            clock: what time it is.
            today: what day it is.
            base: the address under which people reach this registry, without a slash at its end.
        """
        self._engine = engine
        self._clock = clock
        self._today = today
        self.base = base
        self._register: Register | None = None
        self.counts = Counts()

    @property
    def position(self) -> int:
        """The position up to which was told, as far as this watcher knows; zero before it has read anything."""
        return 0 if self._register is None else self._register.position

    async def catch_up(self) -> int:
        """Tell of every submission up to the head of the log; give back how many there were.

        Raises:
            OperationalFault: the database cannot serve now; what was told stays told.
        """
        done = 0
        while await self._tell_next():
            done += 1
        return done

    async def stand(self, connection: AsyncConnection) -> Register:
        """Return the register at the position up to which was told, which stays there until the commit."""
        position = await lock_cursor(connection)
        register = self._register
        while register is not None and register.position < position:
            entries = await read_submission_after(connection, register.position)
            register = await asyncio.to_thread(_follow, register, entries)
        if register is None or register.position != position:
            known = [
                read_version(each.id, each.document, each.version)
                async for each in stream_as_known(connection, position)
            ]
            register = await asyncio.to_thread(compile_register, known, position=position)
        self._register = register
        return register

    async def _tell_next(self) -> bool:
        with operational_faults():
            async with self._engine.begin() as connection:
                before = await self.stand(connection)
                entries = await read_submission_after(connection, before.position)
                if not entries:
                    return False
                after = await asyncio.to_thread(_follow, before, entries)
                await self._tell(connection, before, after, entries)
                await move_cursor(connection, after.position)
        self._register = after
        self.counts.submissions += 1
        return True

    async def _tell(
        self, connection: AsyncConnection, before: Register, after: Register, entries: Sequence[Entry]
    ) -> None:
        told = await asyncio.to_thread(leave_out_same, before, entries)
        if not told:
            return
        reads = await asyncio.to_thread(find_touched_reads, before.facts, after.facts)
        changed = tuple(dict.fromkeys(entry.id for entry in told))
        touching = Touching(before, after, changed, [key for table, key in reads if table == "issuers" and key != "*"])
        rows = await _find_rows(connection, reads, touching, after.position)
        if not rows:
            return
        now = self._clock()
        step = Step(before, after, self._today(), tell_cause(before, after, told), changed, self.base)
        teller = SubjectTeller(step, touching)
        routes = frozenset(key for table, key in reads if table == "routes")
        askers = Asker(before.facts, step.today), Asker(after.facts, step.today)
        found = await asyncio.to_thread(lambda: [self._ask_again(step, teller, askers, routes, row) for row in rows])
        await self.write(connection, found, now, after.position)

    def _ask_again(
        self,
        step: Step,
        teller: SubjectTeller,
        askers: tuple[Asker, Asker],
        routes: frozenset[str],
        row: tuple[Watched, bool],
    ) -> _Row:
        watched, by_routes_only = row
        subject = subject_of_row(watched)
        cause = f"change/{step.after.position}/{watched.id}"
        if subject.target.question is None:
            told = teller.tell(subject)
            return watched, Found(() if told is None else ((cause, *told),))
        one, two = askers
        if by_routes_only and routes.isdisjoint(one.routes_of(subject.target) | two.routes_of(subject.target)):
            return watched, Found()
        self.counts.asked += 1
        was, now = one.ask(subject.target), two.ask(subject.target)
        notices = [*tell_of_days(step, subject, watched, was.answered)]
        if not now.answered.same(was.answered):
            notices.append((cause, *tell_changed(step, subject, was.answered, now.answered)))
        return watched, Found(tuple(notices), reanswer(watched, now))

    async def write(self, connection: AsyncConnection, found: Iterable[_Row], now: datetime, position: int) -> None:
        """Write what came of things that are watched: notices, and answers with what they read."""
        kept = list(found)
        notices = [
            NewNotice(
                watch=watched.watch,
                cause=cause,
                kind=kind,
                position=None if told.cause is None else told.cause.position,
                due_on=None if told.cause is not None else date.fromisoformat(told.on),
                created=now,
                payload=spell_event(kind, now, told),
            )
            for watched, each in kept
            for cause, kind, told in each.notices
        ]
        await keep_answers(connection, position, [each.answer for _, each in kept if each.answer is not None])
        self.counts.notices += await add_notices(connection, notices)


_Row = tuple[Watched, Found]


def subject_of_row(watched: Watched) -> Subject:
    """Read what a row watches."""
    named = WatchNamed(id=watched.watch, name=watched.name, row=watched.row)
    return Subject(named, msgspec.convert(watched.target, Target))


def tell_of_days(
    step: Step, subject: Subject, watched: Watched, now: Answered
) -> Iterable[tuple[str, EventType, Told]]:
    """Tell of an answer that became another one by days that passed since it was last asked, if it did."""
    before = msgspec.convert(watched.answered, Answered)
    if not subject.target.rolling or (now.verdict, now.conditions) == (before.verdict, before.conditions):
        return
    at = Step(step.before, step.before, step.today, base=step.base)
    yield f"turn/{show_day(step.today)}/{watched.id}", *tell_turned(at, subject, before, now)


def reanswer(watched: Watched, asked: Asked) -> Reanswered:
    """Return what is kept of a question that was asked again."""
    return Reanswered(
        id=watched.id,
        answered=msgspec.to_builtins(asked.answered),
        keys=asked.reach.own,
        law=asked.reach.law,
        turns_on=None if asked.turns_on is None else date.fromordinal(asked.turns_on),
    )


def _follow(register: Register, entries: Sequence[Entry]) -> Register:
    return Changes(entries).apply(register, entries[-1].position)


async def _find_rows(
    connection: AsyncConnection, reads: set[Read], touching: Touching, position: int
) -> list[tuple[Watched, bool]]:
    """Find what a submission may touch; with each, whether it does so by routes into its market alone."""
    by_routes = {read for read in reads if read[0] in ("routes_by_kind", "routes_by_importer", "routes")}
    own, law = split_reach(reads - by_routes)
    found = {each.id: (each, False) for each in await find_touched(connection, {*own, *touching.keys}, law, position)}
    routes = {spell_read(read) for read in by_routes}
    for each in await find_touched(connection, (), routes, position):
        found.setdefault(each.id, (each, True))
    return [found[key] for key in sorted(found)]
