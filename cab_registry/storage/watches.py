"""Rows of watches: what is watched, with its last answer, found by what a change touches."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final

import msgspec
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.projection import copy_rows
from cab_registry.storage.watch_tables import law_reach, watch, watch_cursor, watched, watched_key

_FOUND: Final = (
    watched.c.id,
    watched.c.watch,
    watch.c.name,
    watched.c.row,
    watched.c.target,
    watched.c.position,
    watched.c.answered,
    watched.c.turns_on,
)
_OPEN: Final = select(*_FOUND).join(watch, watch.c.id == watched.c.watch).where(watch.c.ended.is_(None))


class NewWatch(msgspec.Struct, frozen=True, kw_only=True):
    """A watch that is to be kept.

    Attributes:
        id: opaque.
        endpoint: where its notices go; none where they are only read.
        principal: whose it is; none for an address that confirmed by mail.
        authority: for which authority the principal keeps it.
        kind: of its one target, or portfolio.
        target: the target as a document; a portfolio's is empty.
        name: the watcher's own name for it.
        created: the instant.
    """

    id: str
    endpoint: str | None
    principal: str | None
    authority: str | None
    kind: str
    target: dict[str, Any]
    name: str
    created: datetime


class NewWatched(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a watch watches.

    Attributes:
        row: the watcher's own name for it.
        target: as a document.
        position: of the register that answered; later changes touch it.
        keys: what of its own a change must touch.
        law: what of the law a change must touch.
        answered: the last answer, of a question.
        turns_on: the day on which the answer becomes another one.
    """

    row: str
    target: dict[str, Any]
    position: int
    keys: Sequence[str]
    law: Sequence[str] | None = None
    answered: dict[str, Any] | None = None
    turns_on: date | None = None


class Watched(msgspec.Struct, frozen=True):
    """One thing that is watched, as it is kept; `name` is the watch's, `row` its own."""

    id: int
    watch: str
    name: str
    row: str
    target: dict[str, Any]
    position: int
    answered: dict[str, Any] | None
    turns_on: date | None


async def lock_cursor(connection: AsyncConnection, *, share: bool = False) -> int:
    """Read up to which position watched questions were asked again, and keep it from moving until the commit.

    Args:
        connection: in a transaction.
        share: others may read it at the same time, and nobody moves it.
    """
    found = select(watch_cursor.c.position).with_for_update(read=share)
    position = await connection.scalar(found)
    if position is None:
        head = text(
            "INSERT INTO watch_cursor (position) SELECT coalesce(max(position), 0) FROM entry ON CONFLICT DO NOTHING"
        )
        await connection.execute(head)
        position = await connection.scalar(found)
    return int(position or 0)


async def move_cursor(connection: AsyncConnection, position: int) -> None:
    """Note that watched questions were asked again up to a position, inclusive."""
    await connection.execute(watch_cursor.update().values(position=position))


async def insert_watch(connection: AsyncConnection, new: NewWatch, rows: Iterable[NewWatched]) -> None:
    """Keep a watch with all that it watches."""
    await connection.execute(watch.insert().values(**msgspec.structs.asdict(new)))
    await insert_watched(connection, new.id, rows)


async def insert_watched(connection: AsyncConnection, watch_id: str, rows: Iterable[NewWatched]) -> None:
    """Keep what a watch watches."""
    kept = list(rows)
    laws = await _keep_laws(connection, {_digest(each.law): each.law for each in kept if each.law is not None})
    sequence = select(func.nextval(func.pg_get_serial_sequence("watched", "id")).label("id")).select_from(
        func.generate_series(1, len(kept))
    )
    ids = list((await connection.scalars(sequence)).all())
    columns = ("id", "watch", "row", "target", "law", "position", "answered", "turns_on")
    records = (
        (
            number,
            watch_id,
            each.row,
            msgspec.json.encode(each.target).decode(),
            None if each.law is None else laws[_digest(each.law)],
            each.position,
            None if each.answered is None else msgspec.json.encode(each.answered).decode(),
            each.turns_on,
        )
        for number, each in zip(ids, kept, strict=True)
    )
    await copy_rows(connection, "watched", columns, records)
    keys = ((key, number) for number, each in zip(ids, kept, strict=True) for key in dict.fromkeys(each.keys))
    await copy_rows(connection, "watched_key", ("key", "watched"), keys)


async def _keep_laws(connection: AsyncConnection, sets: Mapping[bytes, Sequence[str]]) -> dict[bytes, int]:
    if not sets:
        return {}
    rows = [{"digest": digest, "keys": list(keys)} for digest, keys in sorted(sets.items())]
    await connection.execute(insert(law_reach).on_conflict_do_nothing(), rows)
    found = await connection.execute(
        select(law_reach.c.digest, law_reach.c.id).where(law_reach.c.digest == func.any(list(sets)))
    )
    return {row.digest: row.id for row in found}


def _digest(keys: Sequence[str]) -> bytes:
    return sha256("\0".join(keys).encode()).digest()


async def find_touched(
    connection: AsyncConnection, own: Collection[str], law: Collection[str], position: int
) -> list[Watched]:
    """Find what a change may touch: what has one of these keys of its own, or read one of these rows of the law.

    Args:
        connection: where to read.
        own: keys of rows of its own.
        law: keys of rows of the law.
        position: of the change; what was answered at it or after is left out.
    """
    by_key = select(watched_key.c.watched).where(watched_key.c.key == func.any(sorted(own)))
    laws = await connection.scalars(select(law_reach.c.id).where(law_reach.c["keys"].op("&&")(sorted(law))))
    touched = watched.c.id.in_(by_key) | (watched.c.law == func.any(sorted(laws.all())))
    found = await connection.execute(_OPEN.where(watched.c.position < position, touched).order_by(watched.c.id))
    return [Watched(*row) for row in found]


async def find_by_key(connection: AsyncConnection, keys: Collection[str]) -> dict[str, list[Watched]]:
    """Find what has one of these keys of its own, by key."""
    columns = select(watched_key.c.key, *_FOUND)
    found = await connection.execute(
        columns.join(watched, watched.c.id == watched_key.c.watched)
        .join(watch, watch.c.id == watched.c.watch)
        .where(watch.c.ended.is_(None), watched_key.c.key == func.any(sorted(keys)))
        .order_by(watched.c.id)
    )
    by_key: dict[str, list[Watched]] = {}
    for key, *row in found:
        by_key.setdefault(key, []).append(Watched(*row))
    return by_key


async def find_turning(connection: AsyncConnection, first: date | None, last: date) -> list[Watched]:
    """Find the questions whose answer becomes another one from a day to a day, both inclusive; none: however early."""
    turning = _OPEN.where(watched.c.turns_on <= last).order_by(watched.c.turns_on, watched.c.id)
    found = await connection.execute(turning if first is None else turning.where(watched.c.turns_on >= first))
    return [Watched(*row) for row in found]


class Reanswered(msgspec.Struct, frozen=True, kw_only=True):
    """What a watched question came to when it was asked again."""

    id: int
    answered: dict[str, Any]
    keys: Sequence[str]
    law: Sequence[str]
    turns_on: date | None


async def keep_answers(connection: AsyncConnection, position: int, answers: Sequence[Reanswered]) -> None:
    """Keep what watched questions came to at a position, and what they read for it."""
    if not answers:
        return
    laws = await _keep_laws(connection, {_digest(each.law): each.law for each in answers})
    kept = text(
        "UPDATE watched SET answered = fresh.answered::jsonb, law = fresh.law, turns_on = fresh.turns_on,"
        " position = greatest(watched.position, :position)"
        " FROM unnest(CAST(:ids AS bigint[]), CAST(:answers AS text[]), CAST(:laws AS bigint[]),"
        " CAST(:turns AS date[])) AS fresh (id, answered, law, turns_on) WHERE watched.id = fresh.id"
    )
    values = {
        "position": position,
        "ids": [each.id for each in answers],
        "answers": [msgspec.json.encode(each.answered).decode() for each in answers],
        "laws": [laws[_digest(each.law)] for each in answers],
        "turns": [each.turns_on for each in answers],
    }
    await connection.execute(kept, values)
    await connection.execute(
        watched_key.delete().where(watched_key.c.watched == func.any([each.id for each in answers]))
    )
    keys = ((key, each.id) for each in answers for key in dict.fromkeys(each.keys))
    await copy_rows(connection, "watched_key", ("key", "watched"), keys)


async def end_watch(connection: AsyncConnection, watch_id: str, now: datetime) -> bool:
    """End a watch and forget what it asked; its notices stay. False where it was over, or never was."""
    ended = await connection.execute(
        watch.update().where(watch.c.id == watch_id, watch.c.ended.is_(None)).values(ended=now, target={})
    )
    rows = select(watched.c.id).where(watched.c.watch == watch_id)
    await connection.execute(watched_key.delete().where(watched_key.c.watched.in_(rows)))
    await connection.execute(watched.delete().where(watched.c.watch == watch_id))
    return ended.rowcount == 1
