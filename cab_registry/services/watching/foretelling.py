"""Telling ahead, for a day: what ends soon, and which watched answers turn or are going to turn.

No status is changed by it: validity follows from the days that records name. What is told once is told for good, since
a notice is known by its watch and its cause; so the horizon of a day may be looked at again and again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.domain.days import LATEST, show_day
from cab_registry.register.compiled import Register
from cab_registry.register.endings import (
    THRESHOLDS,
    Ending,
    due_within,
    find_late,
    find_running,
    threshold_of,
)
from cab_registry.services.expiries import Horizon
from cab_registry.services.naming import name_in
from cab_registry.services.watching.events import EndTold, EventType, Link, Told
from cab_registry.services.watching.noticing import Step, Subject, say_day, tell_forecast
from cab_registry.services.watching.targets import Target
from cab_registry.services.watching.watched_answers import Answered, Asker
from cab_registry.services.watching.watcher import Found, Watcher, reanswer, subject_of_row, tell_of_days
from cab_registry.storage.outbox import find_told
from cab_registry.storage.watches import Watched, find_by_key, find_turning

AHEAD: Final = max(THRESHOLDS)
Cause = tuple[str, str]
"""Watch and cause, by which a notice is known."""


class Foreteller:
    """Looks ahead from a day, where a watcher stands."""

    def __init__(self, watcher: Watcher, horizon: Horizon) -> None:
        self._watcher = watcher
        self._horizon = horizon

    async def look(self, connection: AsyncConnection, due_on: date, now: datetime) -> str:
        """Tell what is due on a day and was not told, in the caller's transaction; give back a line that says so.

        Args:
            connection: in a transaction; until its end nobody else tells anything.
            due_on: the day; the register is taken as it stands now.
            now: the instant.
        """
        watcher = self._watcher
        register = await watcher.stand(connection)
        step = Step(register, register, due_on.toordinal(), base=watcher.base)
        turned = await self._turn(connection, step, due_on)
        await watcher.write(connection, turned, now, register.position)
        foreseen = await self._foresee(connection, step, due_on)
        ending = await self._end(connection, step)
        await watcher.write(connection, [*foreseen, *ending], now, register.position)
        turns = sum(len(each.notices) for _, each in turned)
        return (
            f"{turns} answers turned, {len(foreseen)} going to turn, {len(ending)} ends; so many notices were written"
        )

    async def _turn(self, connection: AsyncConnection, step: Step, due_on: date) -> list[tuple[Watched, Found]]:
        rows = await find_turning(connection, None, due_on)

        def ask() -> list[tuple[Watched, Found]]:
            asker = Asker(step.after.facts, step.today)
            found = []
            for row in rows:
                subject = subject_of_row(row)
                asked = asker.ask(subject.target)
                told = tuple(tell_of_days(step, subject, row, asked.answered))
                found.append((row, Found(told, reanswer(row, asked))))
            return found

        return await asyncio.to_thread(ask)

    async def _foresee(self, connection: AsyncConnection, step: Step, due_on: date) -> list[tuple[Watched, Found]]:
        soon = due_on + timedelta(days=1)
        rows = await find_turning(connection, soon, due_on + timedelta(days=AHEAD))
        causes = {(row.watch, cause): row for row in rows if (cause := _forecast_cause(row, step.today)) is not None}
        told = await find_told(connection, list(causes))
        return await asyncio.to_thread(
            lambda: [
                (row, Found(((cause, *_forecast(step, row)),)))
                for (watch, cause), row in causes.items()
                if (watch, cause) not in told
            ]
        )

    async def _end(self, connection: AsyncConnection, step: Step) -> list[tuple[Watched, Found]]:
        due = {ending.key: ending for ending in await asyncio.to_thread(self._due, step)}
        keys = {name: tuple(_keys_of(ending)) for name, ending in due.items()}
        by_key = await find_by_key(connection, {key for several in keys.values() for key in several})
        subjects = {row.id: subject_of_row(row) for rows in by_key.values() for row in rows}
        wanted: dict[Cause, tuple[Watched, Subject, Ending]] = {}
        for name, ending in due.items():
            threshold = _threshold(ending, step.today)
            for row in {row.id: row for key in keys[name] for row in by_key.get(key, ())}.values():
                subject = subjects[row.id]
                if _concerns(ending, subject.target, step.after):
                    cause = f"end/{ending.key}/{threshold}/{row.row}"
                    wanted.setdefault((row.watch, cause), (row, subject, ending))
        told = await find_told(connection, list(wanted))
        return [
            (row, Found(((cause, *_tell_end(step, subject, ending)),)))
            for (watch, cause), (row, subject, ending) in wanted.items()
            if (watch, cause) not in told
        ]

    def _due(self, step: Step) -> list[Ending]:
        endings = self._horizon.endings_of(step.after)
        late = (each for each in find_late(step.after, endings, step.today) if each.kind == "confirmation")
        found = (*due_within(endings, step.today, AHEAD), *find_running(step.after, step.today), *late)
        return [ending for ending in found if _threshold(ending, step.today) is not None]


def _threshold(ending: Ending, today: int) -> int | None:
    """Return the threshold that is due; a confirmation that is overdue stays due until it was told."""
    left = ending.due - today
    return threshold_of(max(left, 0) if ending.kind == "confirmation" else left, ending.thresholds)


def _keys_of(ending: Ending) -> Iterator[str]:
    for kind, key in (("body", ending.body), ("agreement", ending.agreement)):
        if key is not None:
            yield f"{kind}:{key}"
    authorities = dict.fromkeys((ending.owner, *ending.concerned, ending.accreditation_body))
    yield from (f"authority:{each}" for each in authorities if each is not None)


def _concerns(ending: Ending, target: Target, register: Register) -> bool:
    if target.kind != "scope" or target.requirement is None or not ending.requirements:
        return True
    return bool(register.facts.spell(target.requirement) & set(ending.requirements))


def _forecast_cause(row: Watched, today: int) -> str | None:
    """Name the forecast that is due; none where the answer only has to be looked at again on that day."""
    if row.turns_on is None or row.answered is None:
        return None
    turns_on = row.turns_on.toordinal()
    answered = msgspec.convert(row.answered, Answered)
    if answered.until is None or date.fromisoformat(answered.until).toordinal() + 1 != turns_on:
        return None
    return f"forecast/{show_day(turns_on)}/{threshold_of(turns_on - today)}/{row.id}"


def _forecast(step: Step, row: Watched) -> tuple[EventType, Told]:
    turns_on = (row.turns_on or date.max).toordinal()
    return tell_forecast(step, subject_of_row(row), msgspec.convert(row.answered, Answered), turns_on)


def _tell_end(step: Step, subject: Subject, ending: Ending) -> tuple[EventType, Told]:
    name_of = name_in(step.after)
    left = ending.due - step.today
    whose = f"{name_of(ending.body or ending.accreditation_body or ending.agreement or ending.record)}: "
    until = say_day(ending.due)
    if ending.certain != ending.due:
        until += " at the earliest"
        until += f", {say_day(ending.certain)} at the latest" if ending.certain < LATEST else ""
    lines = [f"{whose}{ending.what}; the last day is {until}.", *_say_parts(ending)]
    when = f"{left} days left" if left > 1 else "1 day left" if left == 1 else "today" if left == 0 else "overdue"
    told = Told(
        headline=f"{whose}{ending.what} ({when})",
        sentences=lines,
        links=[Link(title="The record", address=f"{step.base}/v1/records/{ending.record}")],
        watch=subject.watch,
        target=msgspec.to_builtins(subject.target),
        on=show_day(step.today),
        end=EndTold(key=ending.key, kind=ending.kind, record=ending.record, until=show_day(ending.due), days=left),
    )
    return "record.expiring", told


def _say_parts(ending: Ending) -> Iterator[str]:
    if ending.items:
        yield f"Scope items: {', '.join(ending.items)}."
    if ending.then:
        yield f"{ending.then[:1].upper()}{ending.then[1:]}."
