"""The proof that the chain of acts is whole, that each could be done, and that rows stand as the acts left them."""

from collections.abc import AsyncIterator, Collection, Iterator
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.acts.append import COLUMNS, act_of
from cab_registry.storage.acts.images import COMMITTED, image_of
from cab_registry.storage.acts.replay import KIND_OF, EnteredWalk, Key, Replay
from cab_registry.storage.acts.tables import act as act_table
from cab_registry.storage.acts.tables import clock_correction
from cab_registry.storage.acts.walk import ActWalk
from cab_registry.storage.canonical import canonical_hash
from cab_registry.storage.chain import LogFault
from cab_registry.storage.entries import genesis_hash
from cab_registry.storage.tables import entry as entry_table

STREAM_BATCH: Final = 1000

COMPARED: Final = frozenset(COMMITTED)
"""Tables whose every row an act made."""

_ACTS: Final = (
    select(*(act_table.c[name] for name in COLUMNS), entry_table.c.entry_hash)
    .select_from(act_table.outerjoin(entry_table, entry_table.c.position == act_table.c.log_position))
    .order_by(act_table.c.position)
)
_OTHER_CONTENT: Final = text("SELECT id FROM submission WHERE digest IS DISTINCT FROM sha256(content) ORDER BY id")


class ActProof:
    """What a verification of the acts finds.

    Attributes:
        kept_seen: whether the kept head is an act, or the genesis.
        position: of the last act.
        last_hash: of the last act.
    """

    def __init__(self, log_id: str, kept: bytes | None) -> None:
        self._log_id = log_id
        self._kept = kept
        self._walk = ActWalk(log_id)
        self.kept_seen = kept == self._walk.last_hash
        self.faults: list[LogFault] = []

    @property
    def position(self) -> int:
        """The position of the last act."""
        return self._walk.position

    async def run(
        self, connection: AsyncConnection, entered: EnteredWalk, compared: Collection[str] = COMPARED
    ) -> None:
        """Walk over all acts, replay them, and compare every row that decides with what they left.

        Args:
            connection: where to read; one state of the database.
            entered: what the entries of the log, walked over before, say of the acts that entered them.
            compared: the tables whose rows are compared.
        """
        replay = Replay(entered, judge_tokens={"token", "role_grant", "principal"} <= set(compared))
        async with connection.stream(_ACTS, execution_options={"yield_per": STREAM_BATCH}) as rows:
            async for row in rows:
                act = act_of(row[: len(COLUMNS)])
                log_hash = genesis_hash(self._log_id) if act.log_position == 0 else row[len(COLUMNS)]
                self.faults.extend(self._walk.step(act, log_hash))
                self.faults.extend(replay.step(act))
                self.kept_seen = self.kept_seen or act.act_hash == self._kept
        self.faults.extend(replay.end())
        for table in sorted(compared):
            self.faults.extend([fault async for fault in _row_faults(connection, table, replay.digests[table])])
        self.faults.extend(_private_faults(entered, replay.digests["entry_private"]))
        for submission in await connection.scalars(_OTHER_CONTENT):
            message = "its content is not the one that was handed in"
            self.faults.append(LogFault("submission", None, submission, message))
        self.faults.extend([fault async for fault in _clock_faults(connection, replay)])


async def _row_faults(
    connection: AsyncConnection, table: str, expected: dict[Key, bytes | None]
) -> AsyncIterator[LogFault]:
    committed = COMMITTED[table]
    statement = select(*(committed.table.c[name] for name in committed.read))
    left = dict(expected)
    async with connection.stream(statement, execution_options={"yield_per": STREAM_BATCH}) as rows:
        async for row in rows.mappings():
            image = image_of(table, dict(row))
            wanted = left.pop(image.key, None)
            if image.values is None or wanted != canonical_hash(image.values):
                known = image.key in expected
                message = "the row is not as the last act on it left it" if known else "no act made this row"
                yield _fault(table, image.key, message)
    for key, wanted in left.items():
        if wanted is not None:
            yield _fault(table, key, "the row is gone, and no act deleted it")


def _private_faults(entered: EnteredWalk, erased: dict[Key, bytes | None]) -> Iterator[LogFault]:
    for position in entered.missing_private:
        if (position,) not in erased:
            yield LogFault("private", position, None, "the private part is missing, and no act erased it")


async def _clock_faults(connection: AsyncConnection, replay: Replay) -> AsyncIterator[LogFault]:
    found = {
        row.first_position: (row.last_position, row.ahead_by, row.act)
        for row in await connection.execute(select(clock_correction))
    }
    for first in sorted(found.keys() | replay.corrections.keys()):
        if found.get(first) != replay.corrections.get(first):
            yield LogFault("clock", first, None, "the correction of the clock is not the one that an act states")


def _fault(table: str, key: Key, message: str) -> LogFault:
    subject = " ".join(str(part) for part in key)
    return LogFault(KIND_OF.get(table, "row"), None, subject, message)
