"""What was recorded of a record or a body, and the feed of all changes: public parts only, in order of position."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta
from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.engine.facts import Facts
from cab_registry.services.describing import NameOf, describe_changes, title_of
from cab_registry.services.naming import read_names
from cab_registry.services.narrowing import Narrowing
from cab_registry.services.runtime.work import WorkRoom, run_through
from cab_registry.services.views import NoSuchRecord
from cab_registry.storage.acts.append import acts_head
from cab_registry.storage.canonical import spell_instant
from cab_registry.storage.entries import INITIAL_SUBMISSION, Change
from cab_registry.storage.log import head, position_at, recorded_at

LARGEST_PAGE: Final = 500

_TURN: Final = 20
"""Entries after which others have their turn."""

Document = dict[str, Any]
Moment = datetime | int
"""An instant, or a position of the log."""


class Reference(msgspec.Struct, frozen=True):
    """Something by its id, and the name that it bore."""

    id: str
    name: str


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One record version: who changed what, when and why."""

    position: Annotated[int, Meta(description="Position of the log.")]
    recorded: Annotated[str | None, Meta(description="When it was recorded; null: in the first load, before all.")]
    submission: Annotated[str, Meta(description="Id of the submission with which it came.")]
    authority: Annotated[Reference, Meta(description="The authority that made the change.")]
    owner: Annotated[Reference, Meta(description="The authority whose record it is.")]
    type: str
    id: str
    version: int
    change: Change
    body: Annotated[Reference | None, Meta(description="The body that it is about.")]
    title: Annotated[str, Meta(description="The record in a few words.")]
    public_reason: str
    words: Annotated[list[str], Meta(description="What changed, line by line.")]
    before: Annotated[Document | None, Meta(description="The version before; null for a new record.")]
    after: Annotated[Document | None, Meta(description="The version that followed; null where it was retired.")]
    entry_hash: Annotated[str, Meta(description="Hash of the entry in the log, 64 hexadecimal digits.")]


class Heads(msgspec.Struct, frozen=True, kw_only=True):
    """The ends of the log and of the chain of acts, when the page was read."""

    position: Annotated[int, Meta(description="Position of the last entry of the log.")]
    entry_hash: Annotated[str, Meta(description="Its hash, 64 hexadecimal digits.")]
    acts: Annotated[int, Meta(description="Position of the last act.")]
    act_hash: Annotated[str, Meta(description="Its hash, 64 hexadecimal digits.")]


class History(msgspec.Struct, frozen=True, kw_only=True):
    """A page of entries in order of position."""

    entries: list[HistoryEntry]
    next: Annotated[int, Meta(description="Position from which to go on: give it as `after`.")]
    complete: Annotated[bool, Meta(description="Whether nothing more was recorded by `position`.")]
    position: Annotated[int, Meta(description="Position of the log up to which was read.")]
    recorded: Annotated[str | None, Meta(description="The instant at which that position was recorded.")]
    log: Annotated[str, Meta(description="Which log it is.")]
    head: Annotated[Heads, Meta(description="The ends of both chains; kept elsewhere, either proves what was there.")]


class ChangeFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which changes a feed shows; each that is given must be met, by the version before or the one after."""

    authority: Annotated[str | None, Meta(description="Id of the authority that owns or gives.")] = None
    body: Annotated[str | None, Meta(description="Id of the body that it is about.")] = None
    agreement: Annotated[str | None, Meta(description="Id of the agreement, or of a record that rests on it.")] = None
    sector: Annotated[str | None, Meta(description="Sector of the requirement, annex, route or body.")] = None


_SELECT: Final = (
    "SELECT entry.position, coalesce(lower(now.recorded), entry.recorded), entry.submission,"
    " coalesce(act.authority, entry.owner), entry.owner,"
    " entry.type, entry.id, entry.version, entry.change, now.body, entry.public_reason, before.payload, now.payload,"
    " entry.entry_hash"
    " FROM entry"
    " JOIN submission AS act ON act.id = entry.submission"
    " JOIN record_version AS now ON now.id = entry.id AND now.version = entry.version"
    " LEFT JOIN record_version AS before ON before.id = entry.id AND before.version = entry.version - 1"
)
_BY_THEN: Final = (
    " AND entry.position <= :upto AND (CAST(:instant AS timestamptz) IS NULL"
    " OR lower(now.recorded) IS NULL OR lower(now.recorded) <= CAST(:instant AS timestamptz))"
)
_OF_RECORD: Final = "entry.id = :id"
_OF_BODY: Final = "(now.body = :id OR before.body = :id OR entry.id = :id)"

# In either version; a record that leaves an agreement or a sector is news to those who follow it.
_IN_EITHER: Final = "EXISTS (SELECT FROM (VALUES (now.payload), (before.payload)) AS kept (doc) WHERE {})"
_BODIES_OR_RULES: Final = (
    "CASE WHEN entry.type IN ('body', 'notice') THEN coalesce(now.body, entry.id) IN ({bodies}) ELSE {rules} END"
)
_FILTERS: Final[Mapping[str, str]] = {
    "authority": "(entry.owner = :authority OR act.authority = :authority OR entry.id = :authority OR "
    + _IN_EITHER.format("doc ->> 'by' = :authority OR doc ->> 'owner' = :authority")
    + ")",
    "body": "(now.body = :body OR before.body = :body OR entry.id = :body)",
    "agreement": "(entry.id = :agreement OR "
    + _IN_EITHER.format("doc ->> 'agreement' = :agreement OR doc -> 'about' ->> 'agreement' = :agreement")
    + ")",
    # What a type says of sectors, by itself or by requirements, annexes and bodies; looked for in that type only.
    "sector": _BODIES_OR_RULES.format(
        bodies="SELECT body FROM body_search WHERE sectors @> ARRAY[CAST(:sector AS text)]",
        rules=_IN_EITHER.format(
            "CASE entry.type"
            " WHEN 'requirement' THEN doc ->> 'sector' = :sector"
            " WHEN 'authority' THEN doc -> 'inspects' ? :sector"
            " WHEN 'agreement' THEN jsonb_path_exists(doc, '$.annexes.*.sectors[*] ? (@ == $sector)', :named)"
            " WHEN 'route' THEN doc -> 'sectors' ? :sector"
            " OR jsonb_path_exists(doc, '$.requirements[*].id ? (@ == $rules[*])', :named)"
            " OR doc ->> 'agreement' || ' ' || (doc ->> 'annex') = ANY(:annexes)"
            " WHEN 'position' THEN jsonb_path_exists(doc, '$.about.requirement ? (@ == $rules[*])', :named)"
            " OR jsonb_path_exists(doc, '$.about.requirements[*] ? (@ == $rules[*])', :named)"
            " OR doc -> 'about' ->> 'agreement' || ' ' || (doc -> 'about' ->> 'annex') = ANY(:annexes)"
            " ELSE jsonb_path_exists(doc, '$.scope[*].requirement ? (@ == $rules[*])', :named)"
            " OR doc ->> 'agreement' || ' ' || (doc ->> 'annex') = ANY(:annexes) END"
        ),
    ),
}
_OF_SECTOR: Final = text(
    "SELECT 'rule', id FROM record_version WHERE type = 'requirement' AND payload ->> 'sector' = :sector"
    " UNION SELECT 'annex', pact.id || ' ' || annex.key FROM record_version AS pact,"
    " jsonb_each(pact.payload -> 'annexes') AS annex"
    " WHERE pact.type = 'agreement' AND annex.value -> 'sectors' ? :sector"
)


async def read_record_history(
    connection: AsyncConnection,
    record_id: str,
    *,
    known_at: Moment | None = None,
    after: int = 0,
    limit: int = LARGEST_PAGE,
    room: WorkRoom | None = None,
) -> History:
    """Read the versions of one record, the oldest first.

    Args:
        connection: where to read; read-only, so that one state of the log is seen.
        record_id: the record.
        known_at: only what was recorded by then.
        after: the position to go on from; not included.
        limit: 1 to 500.
        room: where the entries are put into words, beside the event loop.

    Raises:
        NoSuchRecord: there was no such record by then.
        ValueError: the limit is out of bounds, or the instant has no offset from UTC.
    """
    found = await _read(connection, (_OF_RECORD,), {"id": record_id}, known_at, _Page(after, limit), room)
    if not found.entries and not after:
        raise NoSuchRecord("record", record_id)
    return found


async def read_body_history(
    connection: AsyncConnection,
    body_id: str,
    *,
    known_at: Moment | None = None,
    after: int = 0,
    limit: int = LARGEST_PAGE,
    room: WorkRoom | None = None,
) -> History:
    """Read what was recorded of a body: itself, its rights, notices and positions on it, the oldest first.

    Raises:
        NoSuchRecord: nothing was recorded of such a body by then.
        ValueError: the limit is out of bounds, or the instant has no offset from UTC.
    """
    found = await _read(connection, (_OF_BODY,), {"id": body_id}, known_at, _Page(after, limit), room)
    if not found.entries and not after:
        raise NoSuchRecord("body", body_id)
    return found


async def read_changes(
    connection: AsyncConnection,
    after: int = 0,
    limit: int = 100,
    filters: ChangeFilter | None = None,
    *,
    newest: bool = False,
    room: WorkRoom | None = None,
) -> History:
    """Read the feed of changes by position.

    Who reads on from `next` until `complete` misses nothing and gets nothing twice, whatever the filter.

    Args:
        connection: where to read; read-only, so that one state of the log is seen.
        after: the position to go on from; not included.
        limit: 1 to 500.
        filters: which changes; none for all.
        newest: the latest page instead of the first one after `after`; still in order of position.
        room: where the entries are put into words, beside the event loop.

    Raises:
        ValueError: the limit is out of bounds.
    """
    wanted = {key: value for key, value in msgspec.structs.asdict(filters or ChangeFilter()).items() if value}
    values: dict[str, Any] = dict(wanted)
    if "sector" in wanted:
        values |= await _read_sector(connection, wanted["sector"].replace("\0", "\ufffd"))
    return await _read(connection, [_FILTERS[key] for key in wanted], values, None, _Page(after, limit, newest), room)


async def read_filter(connection: AsyncConnection, filters: ChangeFilter, facts: Facts) -> ChangeFilter:
    """Return a filter in the register's own ids and codes; the id of a record that there was is one, too.

    Raises:
        WrongParameters: a part of it names nothing.
    """
    ids = [each for each in (filters.authority, filters.body, filters.agreement) if each]
    known = set(await connection.scalars(_EVER, {"ids": ids})) if ids else set[str]()
    narrowing = Narrowing(facts, known.__contains__)
    meant = ChangeFilter(
        authority=narrowing.authority("authority", filters.authority),
        body=narrowing.body("body", filters.body),
        agreement=narrowing.agreement("agreement", filters.agreement),
        sector=narrowing.sector("sector", filters.sector),
    )
    narrowing.close()
    return meant


_EVER: Final = text("SELECT DISTINCT id FROM record_version WHERE id = ANY(:ids)")


async def _read_sector(connection: AsyncConnection, sector: str) -> dict[str, Any]:
    """Read what speaks of a sector: the requirements that are or were in it, and the annexes that cover it."""
    found = [(kind, key) for kind, key in await connection.execute(_OF_SECTOR, {"sector": sector})]
    rules = [key for kind, key in found if kind == "rule"]
    annexes = [key for kind, key in found if kind == "annex"]
    return {"named": {"sector": sector, "rules": rules}, "annexes": annexes}


class _Page(NamedTuple):
    """Which entries: so many after a position, or the newest ones."""

    after: int
    limit: int
    newest: bool = False


async def _read(
    connection: AsyncConnection,
    where: Sequence[str],
    values: Mapping[str, Any],
    known_at: Moment | None,
    page: _Page,
    room: WorkRoom | None,
) -> History:
    after, limit, newest = page
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"limit {limit} is not within 1 to {LARGEST_PAGE}")
    end, acts = await head(connection), await acts_head(connection)
    upto, instant, recorded = end.position, None, end.recorded
    if isinstance(known_at, datetime):
        upto, instant = await position_at(connection, known_at), known_at
    elif known_at is not None:
        upto = min(known_at, end.position)
    if upto != end.position:
        recorded = await recorded_at(connection, upto)
    # PostgreSQL has no NUL in texts: what holds one is the name of nothing.
    bound = {key: value.replace("\0", "\ufffd") if isinstance(value, str) else value for key, value in values.items()}
    asked = {**bound, "after": after, "upto": upto, "instant": instant, "more": limit + 1}
    rows: list[Any] = []
    for part in (await connection.execute(_statement(where, values, newest=newest), asked)).partitions(_TURN):
        rows.extend(part)
        await asyncio.sleep(0)
    more = len(rows) > limit
    rows = sorted(rows[:limit], key=lambda row: int(row[0]))
    documents = [document for row in rows for document in (row[11], row[12]) if document is not None]
    spoken = [*documents, *({"owner": [row[3], row[4], row[9]]} for row in rows)]
    name_of = await read_names(connection, spoken, upto)
    telling = _tell(rows, name_of)
    entries = run_through(telling) if room is None else await room.run_in_turns(telling)
    return History(
        entries=entries,
        next=entries[-1].position if more and not newest else max(after, upto),
        complete=newest or not more,
        position=upto,
        recorded=None if recorded is None else spell_instant(recorded),
        log=end.log_id,
        head=Heads(
            position=end.position,
            entry_hash=end.entry_hash.hex(),
            acts=acts.position,
            act_hash=acts.act_hash.hex(),
        ),
    )


def _statement(where: Sequence[str], values: Mapping[str, Any], *, newest: bool) -> TextClause:
    """Put the fixed parts of a query together; whatever a caller gives is bound, never written in."""
    conditions = " AND ".join(("entry.position > :after", *where))
    order = "DESC" if newest else "ASC"
    statement = text(f"{_SELECT} WHERE {conditions}{_BY_THEN} ORDER BY entry.position {order} LIMIT :more")
    return statement.bindparams(bindparam("named", type_=JSONB)) if "named" in values else statement


def _tell(rows: Sequence[Any], name_of: NameOf) -> Generator[None, None, list[HistoryEntry]]:
    entries: list[HistoryEntry] = []
    for number, row in enumerate(rows, 1):
        entries.append(_entry(tuple(row), name_of))
        if not number % _TURN:
            yield
    return entries


def _entry(row: tuple[Any, ...], name_of: NameOf) -> HistoryEntry:
    position, recorded, submission, authority, owner, kind, record, version, change, body, reason, *rest = row
    before, now, entry_hash = rest
    retired = change == "retire"
    words = [f"Retired: {title_of(now, name_of)}"] if retired else []
    words += describe_changes(before, now, name_of)
    return HistoryEntry(
        position=position,
        recorded=None if submission == INITIAL_SUBMISSION else spell_instant(recorded),
        submission=submission,
        authority=Reference(authority, name_of(authority)),
        owner=Reference(owner, name_of(owner)),
        type=kind,
        id=record,
        version=version,
        change=change,
        body=None if body is None else Reference(body, name_of(body)),
        title=title_of(now, name_of),
        public_reason=reason,
        words=words,
        before=before,
        after=None if retired else now,
        entry_hash=entry_hash.hex(),
    )
