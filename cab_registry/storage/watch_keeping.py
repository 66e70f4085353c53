"""Rows of watches as their owners see them: lists, counts, what they watch, and their notices."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, func, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.watch_tables import outbox, watch, watched


class StoredWatch(msgspec.Struct, frozen=True, kw_only=True):
    """A watch as it is kept.

    Attributes:
        id: opaque.
        endpoint: where its notices go; none where they are only read.
        principal: whose it is; none for an address that confirmed by mail.
        authority: for which authority the principal keeps it.
        kind: of its one target, or portfolio.
        name: the watcher's own name for it.
        created: when it was made.
        ended: when it ended.
        watched: how many things it watches; none any more once it ended.
    """

    id: str
    endpoint: str | None
    principal: str | None
    authority: str | None
    kind: str
    name: str
    created: datetime
    ended: datetime | None
    watched: int


class StoredTarget(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a watch watches, as it is kept; `number` is its place among all."""

    number: int
    target: dict[str, Any]
    position: int
    answered: dict[str, Any] | None
    turns_on: date | None


class StoredNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice of a watch, as it is kept; `number` is its place in the outbox."""

    id: str
    number: int
    kind: str
    position: int | None
    due_on: date | None
    created: datetime
    state: str
    delivered: datetime | None
    payload: bytes


_COUNT: Final = select(func.count()).where(watched.c.watch == watch.c.id).scalar_subquery()
_COLUMNS: Final = tuple(watch.c[name] for name in StoredWatch.__struct_fields__ if name != "watched")
_FOUND: Final = select(*_COLUMNS, _COUNT.label("watched"))

# One after the other for each owner, so that limits hold and an equal watch is made once.
_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('watches of ' || :owner, 0))")

_SAME: Final = text("""
    SELECT id FROM watch
    WHERE principal = :principal AND authority IS NOT DISTINCT FROM :authority
        AND endpoint IS NOT DISTINCT FROM :endpoint AND kind = :kind AND name = :name AND ended IS NULL
        AND (SELECT array_agg(watched.target ORDER BY watched.id) FROM watched WHERE watched.watch = watch.id)
            = CAST(CAST(:targets AS text[]) AS jsonb[])
    ORDER BY created LIMIT 1
""")


async def lock_owner(connection: AsyncConnection, owner: str) -> None:
    """Wait until nobody else keeps something for an owner, and let nobody else until the transaction ends."""
    await connection.execute(_LOCK, {"owner": owner})


async def find_watch(connection: AsyncConnection, watch_id: str) -> StoredWatch | None:
    """Read a watch."""
    row = (await connection.execute(_FOUND.where(watch.c.id == watch_id))).mappings().one_or_none()
    return None if row is None else StoredWatch(**row)


async def find_same(
    connection: AsyncConnection,
    *,
    owner: tuple[str, str],
    endpoint: str | None,
    kind: str,
    name: str,
    targets: Sequence[dict[str, Any]],
) -> str | None:
    """Find the id of a watch of an owner, a principal for an authority, that did not end and watches the same."""
    asked = {
        "principal": owner[0],
        "authority": owner[1],
        "endpoint": endpoint,
        "kind": kind,
        "name": name,
        "targets": [msgspec.json.encode(each).decode() for each in targets],
    }
    return (await connection.execute(_SAME, asked)).scalar_one_or_none()


async def list_watches(
    connection: AsyncConnection,
    *,
    principal: str | None,
    authority: str | None,
    ended: bool,
    after: str | None,
    limit: int,
) -> list[StoredWatch]:
    """Read watches of accounts, the oldest first.

    Args:
        connection: where to read.
        principal: of this one; none for all.
        authority: for this one; none for all.
        ended: those that ended, too.
        after: only those that come after this one.
        limit: how many at most.
    """
    wanted: list[ColumnElement[bool]] = [watch.c.principal.is_not(None)]
    if authority is not None:
        wanted.append(watch.c.authority == authority)
    if principal is not None:
        wanted.append(watch.c.principal == principal)
    if not ended:
        wanted.append(watch.c.ended.is_(None))
    if after is not None:
        last = watch.alias("last")
        created = select(last.c.created).where(last.c.id == after).scalar_subquery()
        wanted.append(tuple_(watch.c.created, watch.c.id) > tuple_(created, after))
    found = await connection.execute(_FOUND.where(*wanted).order_by(watch.c.created, watch.c.id).limit(limit))
    return [StoredWatch(**row) for row in found.mappings()]


async def count_kept(connection: AsyncConnection, principal: str, authority: str) -> tuple[int, int]:
    """Count the watches of an owner that did not end, and what they watch."""
    row = (
        await connection.execute(
            select(func.count(watch.c.id.distinct()), func.count(watched.c.id))
            .select_from(watch.outerjoin(watched, watched.c.watch == watch.c.id))
            .where(watch.c.principal == principal, watch.c.authority == authority, watch.c.ended.is_(None))
        )
    ).one()
    return int(row[0]), int(row[1])


async def list_targets(connection: AsyncConnection, watch_id: str, after: int, limit: int) -> list[StoredTarget]:
    """Read what a watch watches, in its order, after a number."""
    columns = {"number": watched.c.id} | {
        name: watched.c[name] for name in StoredTarget.__struct_fields__ if name != "number"
    }
    found = await connection.execute(
        select(*(column.label(name) for name, column in columns.items()))
        .where(watched.c.watch == watch_id, watched.c.id > after)
        .order_by(watched.c.id)
        .limit(limit)
    )
    return [StoredTarget(**row) for row in found.mappings()]


async def count_kinds(connection: AsyncConnection, watch_ids: Collection[str]) -> dict[str, int]:
    """Count what watches watch, by kind of target."""
    kind = watched.c.target["kind"].astext
    found = await connection.execute(
        select(kind, func.count()).where(watched.c.watch.in_(watch_ids)).group_by(kind).order_by(kind)
    )
    return {str(row[0]): int(row[1]) for row in found}


async def list_notices(
    connection: AsyncConnection, watch_id: str, *, after: int, limit: int, newest: bool = False
) -> list[StoredNotice]:
    """Read notices of a watch in the order of their numbers, the last ones or the first after a number.

    They are written under the lock of the cursor: what comes later has a higher number, so that a reader misses none.
    """
    order = outbox.c.number.desc() if newest else outbox.c.number
    found = await connection.execute(
        select(*(outbox.c[name] for name in StoredNotice.__struct_fields__))
        .where(outbox.c.watch == watch_id, outbox.c.number > after)
        .order_by(order)
        .limit(limit)
    )
    return sorted((StoredNotice(**row) for row in found.mappings()), key=attrgetter("number"))


async def list_watches_of(connection: AsyncConnection, endpoint_id: str) -> list[StoredWatch]:
    """Read the watches whose notices go to an endpoint, and that did not end."""
    found = await connection.execute(
        _FOUND.where(watch.c.endpoint == endpoint_id, watch.c.ended.is_(None)).order_by(watch.c.created, watch.c.id)
    )
    return [StoredWatch(**row) for row in found.mappings()]


async def detach_watches(connection: AsyncConnection, endpoint_id: str) -> None:
    """Let the notices of an owner's watches be read only, where they went to an endpoint."""
    await connection.execute(
        update(watch).where(watch.c.endpoint == endpoint_id, watch.c.principal.is_not(None)).values(endpoint=None)
    )


async def list_owned(connection: AsyncConnection, principal: str, authority: str | None = None) -> list[str]:
    """Read the ids of the watches of a principal that did not end, for one authority or for all, in order of id."""
    found = select(watch.c.id).where(watch.c.principal == principal, watch.c.ended.is_(None))
    if authority is not None:
        found = found.where(watch.c.authority == authority)
    return list((await connection.scalars(found.order_by(watch.c.id))).all())


async def hold_pending(connection: AsyncConnection, watch_id: str) -> None:
    """Hold every notice of a watch that waits to be delivered."""
    await connection.execute(
        update(outbox)
        .where(outbox.c.watch == watch_id, outbox.c.state == "pending")
        .values(state="held", next_attempt=None, gives_up=None)
    )
