"""Where submissions are handled: what every step of it needs, and the ground on which it checks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.errors import Fault
from cab_registry.domain.records import AnyRecord
from cab_registry.register.compiled import Register
from cab_registry.services.expiries import Horizon
from cab_registry.services.heads import HeadSource
from cab_registry.services.refusals import Difference, StaleSubmission, VersionSeen
from cab_registry.services.requests import SubmissionRequest, mint_ids, read_records
from cab_registry.services.submitted import Receipt, Submitted, VersionShown, show_remarks
from cab_registry.services.tokens import Clock, Random
from cab_registry.services.validation import Checked, CheckSteps, Ground, check_submission
from cab_registry.storage.engine import read_only
from cab_registry.storage.entries import Entry
from cab_registry.storage.errors import Moved, StaleVersion, StorageBusy, operational_faults
from cab_registry.storage.log import entries_of, head
from cab_registry.storage.policies import StoredPolicy, current_policy
from cab_registry.storage.records import RecordVersion, latest_versions
from cab_registry.storage.submissions import changed_about

ATTEMPTS: Final = 8
"""How often a submission that was overtaken is tried again, alone in its process."""

AT_ONCE: Final = 6
"""How many submissions of one process wait for the log at once; more would leave the others no connection."""

MOST_COMPARED: Final = 50

Describe = Callable[[Register, Register, Sequence[str]], Any]
"""Says what changes from one register to another, of which these records differ: JSON values or Structs."""


def describe_nothing(before: Register, after: Register, changed: Sequence[str]) -> None:
    """Say nothing, where nobody asks for the effect."""
    del before, after, changed


def allow_every_step(before: AnyRecord | None, record: AnyRecord, after: Register, today: int) -> Sequence[Fault]:
    """Allow every step, where no procedure is looked at."""
    del before, record, after, today
    return ()


@dataclass(frozen=True, slots=True)
class Desk:
    """What handling submissions needs.

    Attributes:
        engine: the database.
        heads: where the register at the head of the log is found.
        clock: what time it is.
        random: where ids come from.
        describe: says what a submission would change; runs in a thread of its own.
        check_steps: the procedure of the agreements.
        zone: where "today" is.
        horizon: keeps what ends in a register.
        gate: lets so many submissions of this process wait for the log.
        turn: of those that were overtaken, lets one at a time try again.
    """

    engine: AsyncEngine
    heads: HeadSource
    clock: Clock
    random: Random
    describe: Describe = field(default=describe_nothing)
    check_steps: CheckSteps = field(default=allow_every_step)
    zone: tzinfo = UTC
    horizon: Horizon = field(default_factory=Horizon)
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def today(self) -> int:
        """The day that it is."""
        return self.clock().astimezone(self.zone).toordinal()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Let nobody else of this process reach the log meanwhile."""
        async with self.turn, AsyncExitStack() as slots:
            for _ in range(AT_ONCE):
                await slots.enter_async_context(self.gate)
            yield


@dataclass(frozen=True, slots=True)
class Prepared:
    """A submission of records that was checked.

    Attributes:
        request: with the ids that it was given.
        checked: what it does.
        position: of the register that it was checked against.
        policy: of its authority, as it stood then.
        receipt: what its submitter is answered.
    """

    request: SubmissionRequest
    checked: Checked
    position: int
    policy: StoredPolicy
    receipt: Receipt

    @property
    def four_eyes(self) -> bool:
        """Whether somebody else has to approve it."""
        return bool(self.checked.planned) and (self.policy.four_eyes or self.request.kind == "transfer")


async def prepare(desk: Desk, request: SubmissionRequest) -> Prepared:
    """Check a submission against the register as it stands.

    Raises:
        StaleSubmission: its own records are not at the versions that the submitter saw.
        Refusal, NotOwner: as read_records and check_submission.
        OperationalFault: the database cannot serve now, or the register is not at its head in time.
    """
    minted, ground, position = await _read_ground(desk, request)
    try:
        return await asyncio.to_thread(_prepare, desk, minted, ground, position)
    except StaleVersion as stale:
        raise StaleSubmission(stale, await read_differences(desk.engine, stale.moved)) from None


async def settle(desk: Desk, request: SubmissionRequest, keep: Callable[[Prepared], Awaitable[Submitted]]) -> Submitted:
    """Check a submission and keep it, anew where what it rests on moved between the two.

    The first attempt is made beside all others, since most do not meet; who was overtaken tries again alone.

    Raises:
        StorageBusy: it was overtaken by other processes each time.
        StaleSubmission, Refusal, NotOwner, OperationalFault: as prepare.
    """
    prepared = await prepare(desk, request)
    try:
        async with desk.gate:
            return await keep(prepared)
    except StaleVersion:
        pass
    for _ in range(ATTEMPTS):
        async with desk.alone():
            prepared = await prepare(desk, request)
            try:
                return await keep(prepared)
            except StaleVersion:
                continue
    raise StorageBusy("what the submission rests on changed faster than it could be checked; send it again")


async def refuse_interference(connection: AsyncConnection, prepared: Prepared) -> None:
    """Hold, under the lock of the log, that nothing came up meanwhile that the checks would have looked at.

    Raises:
        StaleVersion: something did; the submission is to be checked anew.
    """
    checked = prepared.checked
    policy = await current_policy(connection, prepared.request.authority)
    if policy.version != prepared.policy.version:
        name = f"policy of {policy.authority}"
        raise StaleVersion([Moved(name, prepared.policy.version, policy.version)])
    if not checked.planned:
        return
    came_up = await changed_about(connection, prepared.position, bodies=checked.bodies, identifiers=checked.identifiers)
    moved = [
        Moved(record_id, checked.expected.get(record_id, 0), version)
        for record_id, version in sorted(came_up.items())
        if checked.expected.get(record_id, 0) != version
    ]
    if moved:
        raise StaleVersion(moved)


async def refuse_moved(connection: AsyncConnection, expected: Mapping[str, int]) -> None:
    """Hold that records are at the versions that were read, where nothing is appended that would hold it.

    Raises:
        StaleVersion: some are not.
    """
    current = await latest_versions(connection, list(expected))
    found = {record_id: current[record_id].version if record_id in current else 0 for record_id in expected}
    moved = [Moved(each, expected[each], found[each]) for each in sorted(expected) if expected[each] != found[each]]
    if moved:
        raise StaleVersion(moved)


async def read_differences(engine: AsyncEngine, moved: Sequence[Moved]) -> list[Difference]:
    """Say how records changed since versions that somebody saw; of the first 50 only."""
    differences = []
    with operational_faults():
        async with read_only(engine).connect() as connection:
            for each in moved[:MOST_COMPARED]:
                entries = await entries_of(connection, each.id, max(each.expected, 1))
                seen = [entry for entry in entries if entry.version == each.expected]
                difference = Difference(
                    id=each.id,
                    expected=each.expected,
                    found=each.found,
                    before=seen[0].document() if seen else None,
                    since=tuple(_seen(entry) for entry in entries if entry.version > each.expected),
                )
                differences.append(difference)
    return differences


def _seen(entry: Entry) -> VersionSeen:
    return VersionSeen(
        version=entry.version,
        change=entry.change,
        recorded=None if entry.initial else entry.recorded,
        principal=entry.principal,
        public_reason=entry.public_reason,
        document=entry.document(),
    )


async def _read_ground(desk: Desk, request: SubmissionRequest) -> tuple[SubmissionRequest, Ground, int]:
    with operational_faults():
        async with read_only(desk.engine).connect() as connection:
            end = await head(connection)
        held = await desk.heads.at_least(end.position)
        async with read_only(desk.engine).connect() as connection:
            minted, current = await _mint(connection, request, held.register)
            policy = await current_policy(connection, request.authority)
    ground = Ground(held.register, current, policy, desk.today, desk.check_steps)
    return minted, ground, held.position


async def _mint(
    connection: AsyncConnection, request: SubmissionRequest, register: Register
) -> tuple[SubmissionRequest, dict[str, RecordVersion]]:
    """Give ids to records without one, and read what stands under the ids of all; a retired record keeps its id."""
    taken: set[str] = set()
    while True:
        records = mint_ids(request.records, lambda name: name in register.records or name in taken)
        ids = {str(record.document.get("id")) for record in records}
        current = await latest_versions(connection, sorted(ids))
        stated = {str(record.document.get("id")) for record in request.records}
        clashing = {name for name in current if name not in stated}
        if not clashing:
            return msgspec.structs.replace(request, records=records), current
        taken.update(clashing)


def _prepare(desk: Desk, request: SubmissionRequest, ground: Ground, position: int) -> Prepared:
    checked = check_submission(request, read_records(request), ground)
    effect = desk.describe(checked.before, checked.after, checked.changed) if checked.planned else None
    receipt = Receipt(
        versions=tuple(
            VersionShown(
                type=each.read.given.document["type"], id=each.read.record.id, version=each.version, change=each.change
            )
            for each in checked.planned
        ),
        unchanged=checked.unchanged,
        warnings=show_remarks(checked.warnings),
        effect=msgspec.to_builtins(effect),
    )
    return Prepared(request, checked, position, ground.policy, receipt)
