"""The proof that the log is whole and that everything derived from it is what it yields."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Text, cast, func, select, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.acts.replay import EnteredWalk
from cab_registry.storage.acts.verification import ActProof
from cab_registry.storage.canonical import NotCanonical, canonical_bytes
from cab_registry.storage.chain import ChainWalk, LogFault
from cab_registry.storage.clocks import Wall, tell_wall
from cab_registry.storage.corrections import Corrections, read_corrections
from cab_registry.storage.entries import Entry
from cab_registry.storage.log import COLUMNS, entry_of, head, read_clock_faults
from cab_registry.storage.projection import VersionRow, version_of
from cab_registry.storage.search import BATCH, SearchRow, expected_rows
from cab_registry.storage.tables import body_identifier, body_search, entry_private, record_version
from cab_registry.storage.tables import entry as entry_table

STREAM_BATCH: Final = 1000

_STORED: Final = (
    record_version.c.id,
    record_version.c.version,
    record_version.c.retired,
    record_version.c.type,
    record_version.c.owner,
    record_version.c.principal,
    record_version.c.body,
    record_version.c.from_position,
    record_version.c.until_position,
    func.lower(record_version.c.recorded, type_=TIMESTAMP(timezone=True)),
    func.upper(record_version.c.recorded, type_=TIMESTAMP(timezone=True)),
    record_version.c.digest,
    cast(record_version.c.payload, Text),
)
_CHAIN: Final = (
    select(*(entry_table.c[name] for name in COLUMNS), entry_private.c.salt, entry_private.c.content)
    .select_from(entry_table.outerjoin(entry_private))
    .order_by(entry_table.c.position)
)
_CHAIN_WITH_VERSIONS: Final = _CHAIN.outerjoin(
    record_version, record_version.c.from_position == entry_table.c.position
).add_columns(*_STORED)
_HAS_IDENTITY: Final = text("SELECT EXISTS (SELECT FROM log_identity)")
_WITHOUT_ENTRY: Final = text(
    "SELECT from_position, id FROM record_version"
    " WHERE NOT EXISTS (SELECT FROM entry WHERE position = from_position) ORDER BY from_position"
)
_WRONG_SPANS: Final = text(
    "SELECT coalesce(submission.id, spans.submission) FROM submission FULL JOIN"
    " (SELECT submission, min(position) AS first, max(position) AS last, min(recorded) AS recorded,"
    " min(principal) AS principal, min(public_reason) AS public_reason FROM entry GROUP BY submission) AS spans"
    " ON spans.submission = submission.id"
    " WHERE (submission.id IS NULL OR spans.submission IS NOT NULL OR submission.first_position IS NOT NULL)"
    " AND (submission.first_position, submission.last_position, submission.recorded, submission.principal,"
    " submission.public_reason) IS DISTINCT FROM"
    " (spans.first, spans.last, spans.recorded, spans.principal, spans.public_reason) ORDER BY 1"
)
_CURRENT_BODIES: Final = text(
    "SELECT id FROM record_version WHERE type = 'body' AND until_position IS NULL AND NOT retired"
    " UNION SELECT body FROM body_search UNION SELECT body FROM body_identifier"
)


async def verify(connection: AsyncConnection, kept_head: bytes | None = None, wall: Wall = tell_wall) -> list[LogFault]:
    """Check every byte of the log and every row derived from it.

    Reads one state of the database only if the transaction is REPEATABLE READ (engine.read_only); otherwise appends in
    between may look like faults.

    Args:
        connection: where to read.
        kept_head: the hash of an entry or of an act that was noted elsewhere, earlier; its absence shows that what is
            there was cut or replaced.
        wall: the clock of this process, with which that of the database and the last recorded instant are compared.

    Returns:
        All faults in order of position, those of acts and of derived rows after those of the log; none where all is
        whole.
    """
    if not await connection.scalar(_HAS_IDENTITY):
        message = "nothing says which log it is, so that neither chain has a beginning: restore the row of log_identity"
        return [LogFault("identity", None, None, message)]
    entered = EnteredWalk()
    faults = await verify_chain(connection, kept_head, derived=True, entered=entered)
    proof = ActProof((await head(connection)).log_id, kept_head)
    await proof.run(connection, entered)
    if proof.kept_seen:
        faults = [fault for fault in faults if fault.kind != "tail"]
    faults.extend(proof.faults)
    faults.extend(LogFault("clock", None, None, each) for each in await read_clock_faults(connection, wall))
    for position, record_id in await connection.execute(_WITHOUT_ENTRY):
        faults.append(LogFault("version", position, record_id, "a record version that no entry yields"))
    for submission in await connection.scalars(_WRONG_SPANS):
        faults.append(LogFault("submission", None, submission, "the submission is not the one that its entries name"))
    faults.extend([fault async for fault in _search_faults(connection)])
    return faults


async def verify_chain(
    connection: AsyncConnection,
    kept_head: bytes | None = None,
    *,
    derived: bool = False,
    entered: EnteredWalk | None = None,
) -> list[LogFault]:
    """Check the log alone, or, where `derived`, each entry's record version with it; gather what acts entered."""
    end = await head(connection)
    corrections = await read_corrections(connection)
    walk = ChainWalk(end.log_id, corrections)
    versions = _VersionWalk(corrections)
    faults: list[LogFault] = []
    kept_seen = kept_head in {None, walk.last_hash}
    # A cursor stays open until the transaction ends, and a rebuild must empty the tables that it reads.
    statement = _CHAIN_WITH_VERSIONS if derived else _CHAIN
    async with connection.stream(statement, execution_options={"yield_per": STREAM_BATCH}) as rows:
        async for row in rows:
            entry = entry_of(row)
            salt, private = row[len(COLUMNS) : len(COLUMNS) + 2]
            faults.extend(walk.step(entry, salt, private))
            if entered is not None:
                faults.extend(entered.step(entry, private))
            kept_seen = kept_seen or entry.entry_hash == kept_head
            if derived:
                faults.extend(versions.step(entry, _stored_row(row)))
    if derived:
        faults.extend(versions.end())
    if not kept_seen:
        message = (
            f"the kept head is not on record; the log ends at position {walk.position}: entries or acts were cut off"
        )
        faults.append(LogFault("tail", None, None, message))
    return faults


class _VersionWalk:
    """A walk over entries beside their stored record versions; a version is checked once it is known what closed it."""

    def __init__(self, corrections: Corrections) -> None:
        self._corrections = corrections
        self._open: dict[str, tuple[VersionRow, VersionRow]] = {}

    def step(self, entry: Entry, stored: VersionRow | None) -> Iterator[LogFault]:
        try:
            row = version_of(entry, self._corrections)
        except (msgspec.DecodeError, ValueError, KeyError, TypeError) as fault:
            yield LogFault("version", entry.position, entry.id, f"no record version can be derived: {fault}")
            return
        before = self._open.pop(entry.id, None)
        if before is not None:
            before[0].until_position, before[0].upper = row.from_position, row.lower
            yield from _difference(*before)
        if stored is None:
            yield LogFault("version", entry.position, entry.id, "the record version is missing")
        else:
            self._open[entry.id] = (row, stored)

    def end(self) -> Iterator[LogFault]:
        for row, stored in self._open.values():
            yield from _difference(row, stored)


def _difference(row: VersionRow, stored: VersionRow) -> Iterator[LogFault]:
    names = [name for name in VersionRow.__struct_fields__ if getattr(row, name) != getattr(stored, name)]
    if names:
        message = f"the record version differs from the log in {', '.join(names)}"
        yield LogFault("version", row.from_position, row.id, message)


def _stored_row(row: Sequence[Any]) -> VersionRow | None:
    values = dict(zip(VersionRow.__struct_fields__, row[len(COLUMNS) + 2 :], strict=True))
    if values["id"] is None:
        return None
    try:
        values["payload"] = canonical_bytes(msgspec.json.decode(values["payload"]))
    except (NotCanonical, msgspec.DecodeError):
        values["payload"] = b""
    return VersionRow(**values)


async def _search_faults(connection: AsyncConnection) -> AsyncIterator[LogFault]:
    # Sorted here, not by the server, so that the batches do not hang on its collation.
    bodies = sorted((await connection.scalars(_CURRENT_BODIES)).all())
    for start in range(0, len(bodies), BATCH):
        batch = bodies[start : start + BATCH]
        expected = {row.body: row for row in await expected_rows(connection, batch)}
        stored = await _stored_search(connection, batch)
        for body in batch:
            if expected.get(body) != stored.get(body):
                yield LogFault("search", None, body, "the search tables hold other things of this body than the log")


async def _stored_search(connection: AsyncConnection, bodies: list[str]) -> dict[str, SearchRow]:
    pairs: dict[str, list[tuple[str, str]]] = {}
    found = await connection.execute(
        select(body_identifier.c.body, body_identifier.c.scheme, body_identifier.c.value).where(
            body_identifier.c.body == func.any(bodies)
        )
    )
    for body, scheme, value in found:
        pairs.setdefault(body, []).append((scheme, value))
    rows = await connection.execute(
        select(
            body_search.c.body, body_search.c.name, body_search.c.names, body_search.c.economies, body_search.c.sectors
        ).where(body_search.c.body == func.any(bodies))
    )
    stored = {
        body: SearchRow(body, name, names, tuple(at), tuple(fields), tuple(sorted(pairs.pop(body, ()))))
        for body, name, names, at, fields in rows
    }
    # Identifiers of a body that the search does not know are a fault too.
    return stored | {body: SearchRow(body, "", "", (), (), tuple(sorted(left))) for body, left in pairs.items()}
