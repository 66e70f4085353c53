"""The jobs that run on a clock, declared in code: each a name, a time of day, and what it does for a day."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.services.accounts.invitations import end_expired
from cab_registry.services.accounts.roles import end_expired_proposals, end_roles_at_retired
from cab_registry.services.database import verify
from cab_registry.services.watching.foretelling import Foreteller
from cab_registry.services.watching.watch_desk import WatchLimits
from cab_registry.services.watching.watch_mail import end_unconfirmed
from cab_registry.services.watching.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found: one line, and how many things are wrong."""

    text: str
    faults: int = 0


@dataclass(frozen=True, slots=True)
class Ground:
    """What jobs work with.

    Attributes:
        engine: the database.
        clock: what time it is.
        watcher: stands where watched questions were last asked again.
        foreteller: looks ahead from there.
    """

    engine: AsyncEngine
    clock: Callable[[], datetime]
    watcher: Watcher
    foreteller: Foreteller


@dataclass(frozen=True, slots=True)
class Job:
    """A job: runs once for each day.

    Attributes:
        name: by which the ledger knows it.
        says: what it does.
        hour: the hour (UTC) from which it is due.
        minute: the minute likewise.
        run: what it does for a day, in the transaction in which the ledger notes it.
        every_day: whether days that were missed are made up for, in order; else only the latest counts.
    """

    name: str
    says: str
    hour: int
    minute: int
    run: Callable[[Ground, AsyncConnection, date], Awaitable[Report]]
    every_day: bool = True


async def prove_log(ground: Ground, _connection: AsyncConnection, _due_on: date) -> Report:
    """Recompute every hash of the log and compare everything derived from it."""
    verified = await verify(ground.engine)
    found = "; ".join(str(fault) for fault in verified.faults[:5])
    ends = f"position {verified.position}, head {verified.entry_hash}, act {verified.acts}, head {verified.act_hash}"
    text = ends + (f": {found}" if found else ", no fault")
    return Report(text, len(verified.faults))


async def look_ahead(ground: Ground, connection: AsyncConnection, due_on: date) -> Report:
    """Tell what ends soon, and which watched answers turn or are going to turn, as the register stands now."""
    await ground.watcher.catch_up()
    return Report(await ground.foreteller.look(connection, due_on, ground.clock()))


async def forget_unconfirmed(ground: Ground, connection: AsyncConnection, _due_on: date) -> Report:
    """Forget mail addresses that were not confirmed in time, with what was asked for them."""
    forgotten = await end_unconfirmed(connection, ground.clock(), WatchLimits())
    return Report(f"{forgotten} addresses were not confirmed in time")


async def end_old_invitations(ground: Ground, connection: AsyncConnection, _due_on: date) -> Report:
    """End invitations and proposed roles that waited too long, and roles at authorities that are retired."""
    now = ground.clock()
    invitations = await end_expired(connection, now)
    proposals = await end_expired_proposals(connection, now)
    roles = await end_roles_at_retired(connection, now)
    said = f"{invitations} invitations and {proposals} proposed roles were too old"
    return Report(f"{said}; {roles} roles were at retired authorities")


def list_jobs() -> tuple[Job, ...]:
    """Return every job, in the order of the day."""
    return (
        Job("expiry-horizon", "tell what ends at 120, 90, 30, 7 days and on the day", 0, 10, look_ahead),
        Job(
            "forget-unconfirmed",
            "forget mail addresses that were not confirmed within 48 hours",
            1,
            10,
            forget_unconfirmed,
            every_day=False,
        ),
        Job(
            "end-invitations",
            "end invitations and proposed roles that waited too long, and roles at retired authorities",
            1,
            20,
            end_old_invitations,
            every_day=False,
        ),
        Job(
            "prove-log",
            "recompute every hash of the log and compare all that is derived from it",
            2,
            30,
            prove_log,
            every_day=False,
        ),
    )


def find_job(name: str) -> Job | None:
    """Return the job of that name."""
    return next((job for job in list_jobs() if job.name == name), None)
