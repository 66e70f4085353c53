"""Watches of accounts: kept, listed, shown with their last answers and their notices, and ended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.services.accounts.acts import Change, note_act
from cab_registry.services.accounts.endings import end_watch_unsent
from cab_registry.services.tokens import Principal
from cab_registry.services.watching.watch_desk import (
    NoSuchWatch,
    OverLimit,
    Owned,
    WatchDesk,
    choose_owner,
    hold_keeper,
)
from cab_registry.services.watching.watch_targets import TargetShown, WatchRequest, ask_targets, name_rows, show_target
from cab_registry.storage import watch_keeping as rows
from cab_registry.storage import watches as kept
from cab_registry.storage.endpoints import lock_endpoint
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.watch_keeping import StoredNotice, StoredWatch
from cab_registry.storage.watches import NewWatch, NewWatched, lock_cursor


class WatchShown(msgspec.Struct, frozen=True, kw_only=True):
    """A watch."""

    id: str
    kind: Annotated[str, Meta(description="Kind of its one target, or portfolio.")]
    name: Annotated[str, Meta(description="The watcher's own name for it.")]
    endpoint: Annotated[str | None, Meta(description="Where its notices go; null: they are only read.")]
    principal: Annotated[str | None, Meta(description="Whose it is.")]
    authority: Annotated[str | None, Meta(description="For which authority it is kept.")]
    created: datetime
    ended: datetime | None
    watched: Annotated[int, Meta(description="How much it watches; zero once it ended: that is forgotten then.")]


class WatchDetail(WatchShown, frozen=True, kw_only=True):
    """A watch with what it watches, a page at a time."""

    items: list[TargetShown]
    next: Annotated[int | None, Meta(description="The `after` of the following page; null: this is the last.")]


class NoticeShown(msgspec.Struct, frozen=True, kw_only=True):
    """A notice."""

    number: Annotated[int, Meta(description="Its place; notices that come later have higher ones.")]
    id: Annotated[str, Meta(description="What receivers tell repeated deliveries by.")]
    kind: Annotated[str, Meta(description="Its type, such as answer.changed.")]
    position: Annotated[int | None, Meta(description="Position of the log that it tells of.")]
    due_on: Annotated[date | None, Meta(description="Day that it tells of.")]
    created: datetime
    state: Annotated[str, Meta(description="pending, delivered, failed, held, or unsent: it is only read.")]
    delivered: datetime | None
    event: Annotated[dict[str, Any], Meta(description="What it says, as webhooks carry it.")]


class NoticePage(msgspec.Struct, frozen=True, kw_only=True):
    """Notices of a watch in the order of their numbers."""

    watch: str
    items: list[NoticeShown]
    next: Annotated[int, Meta(description="The `after` with which to read on, now or later.")]
    complete: Annotated[bool, Meta(description="Nothing more is there now.")]


class Made(NamedTuple):
    """A watch, and whether it was made now; else an equal one was there."""

    watch: WatchShown
    new: bool


async def create_watch(watches: WatchDesk, acting: Principal, request: WatchRequest) -> Made:
    """Keep a watch for its owner; where an equal one did not end, give that.

    Raises:
        OverLimit: there would be more than an owner may keep.
        MissingRole, TokenRefused: as hold_keeper.
        Refusal: something cannot be watched; every fault of every row is listed.
        OperationalFault: register or database cannot serve now.
    """
    request = name_rows(request)
    most = watches.limits.rows
    prepared = await ask_targets(watches, watches.desk.heads.current().register, request, most, _list_faults(request))
    owner = (acting.id, acting.authority)
    new = NewWatch(
        id=watches.make_id("w"),
        endpoint=request.endpoint,
        principal=acting.id,
        authority=acting.authority,
        kind=request.kind,
        target=prepared[0].target if len(prepared) == 1 else {},
        name=request.name,
        created=watches.now,
    )
    with operational_faults():
        async with watches.desk.engine.begin() as connection:
            await hold_keeper(watches, connection, acting)
            await rows.lock_owner(connection, " ".join(owner))
            async with settled(watches, connection, request, prepared) as settled_rows:
                await _check_endpoint(connection, acting, request)
                same = await rows.find_same(
                    connection,
                    owner=owner,
                    endpoint=new.endpoint,
                    kind=new.kind,
                    name=new.name,
                    targets=[each.target for each in settled_rows],
                )
                if same is None:
                    await _check_limits(watches, connection, acting, len(settled_rows))
                    await kept.insert_watch(connection, new, settled_rows)
            found = await rows.find_watch(connection, same or new.id)
    return Made(_show(_known(found)), new=same is None)


@asynccontextmanager
async def settled(
    watches: WatchDesk, connection: AsyncConnection, request: WatchRequest, prepared: list[NewWatched]
) -> AsyncIterator[list[NewWatched]]:
    """Keep the cursor of the runner where it is, and give answers that are not behind it."""
    position = await lock_cursor(connection, share=True)
    if prepared[0].position < position:
        held = await watches.desk.heads.at_least(position)
        prepared = await ask_targets(watches, held.register, request, len(request.targets))
    yield prepared


async def list_watches(
    watches: WatchDesk,
    acting: Principal,
    *,
    everyone: bool = False,
    ended: bool = False,
    principal: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> list[WatchShown]:
    """List watches for the authority for which the caller's token speaks, the oldest first.

    Args:
        watches: the desk.
        acting: the caller.
        everyone: those of all its principals, for auditors; else the caller's own.
        ended: those that ended, too.
        principal: those of this one, for whatever authority, for registrars.
        after: only those that come after this one.
        limit: how many at most.

    Raises:
        MissingRole: of everyone, and the caller is no auditor; of another, and the caller is not a registrar.
        OperationalFault: the database cannot serve now.
    """
    owner, authority = choose_owner(acting, principal, everyone=everyone)
    with operational_faults():
        async with read_only(watches.desk.engine).connect() as connection:
            found = await rows.list_watches(
                connection,
                principal=owner,
                authority=authority,
                ended=ended,
                after=after,
                limit=limit,
            )
    return [_show(each) for each in found]


async def show_watch(
    watches: WatchDesk, acting: Principal, watch_id: str, *, after: int = 0, limit: int = 100
) -> WatchDetail:
    """Show a watch with what it watches and each last answer.

    Raises:
        NoSuchWatch: there is none that the caller may see.
        OperationalFault: the database cannot serve now.
    """
    with operational_faults():
        async with read_only(watches.desk.engine).connect() as connection:
            found = await _find(connection, acting, watch_id)
            targets = await rows.list_targets(connection, watch_id, after, limit)
    following = targets[-1].number if len(targets) == limit else None
    return WatchDetail(
        **msgspec.structs.asdict(_show(found)), items=[show_target(each) for each in targets], next=following
    )


async def end_watch(watches: WatchDesk, acting: Principal, watch_id: str) -> WatchShown:
    """End a watch and forget what it asked; its notices stay. Nothing happens where it ended before.

    Where a registrar ends another's, its notices that wait are not sent any more.

    Raises:
        NoSuchWatch: the caller has no such watch; a registrar ends every account's.
        MissingRole, TokenRefused: as hold_keeper.
        OperationalFault: the database cannot serve now.
    """
    with operational_faults():
        async with watches.desk.engine.begin() as connection:
            held = await hold_keeper(watches, connection, acting)
            found = await rows.find_watch(connection, watch_id)
            if found is None or not _owned(found).may_be_ended_by(held):
                raise NoSuchWatch(f"you have no watch {watch_id}")
            await lock_cursor(connection, share=True)
            if found.principal is None or found.principal == acting.id:
                await kept.end_watch(connection, watch_id, watches.now)
            elif found.ended is None:
                await end_watch_unsent(connection, watch_id, watches.now)
                change = Change("watch_ended", found.principal, {"watch": watch_id})
                await note_act(connection, acting, change, authority=found.authority)
            return _show(_known(await rows.find_watch(connection, watch_id)))


async def list_notices(
    watches: WatchDesk, acting: Principal, watch_id: str, *, after: int = 0, limit: int = 100, newest: bool = False
) -> NoticePage:
    """List the notices of a watch after a number; the last ones with `newest`.

    Who reads on from `next` misses none.

    Raises:
        NoSuchWatch: there is none that the caller may see.
        OperationalFault: the database cannot serve now.
    """
    with operational_faults():
        async with read_only(watches.desk.engine).connect() as connection:
            await _find(connection, acting, watch_id)
            found = await rows.list_notices(connection, watch_id, after=after, limit=limit, newest=newest)
    return NoticePage(
        watch=watch_id,
        items=[_show_notice(each) for each in found],
        next=found[-1].number if found else after,
        complete=newest or len(found) < limit,
    )


def _list_faults(request: WatchRequest) -> list[Fault]:
    if request.mail is None:
        return []
    return [Fault("/mail", "with an account, make an endpoint of the address first, and name the endpoint")]


async def _check_endpoint(connection: AsyncConnection, acting: Principal, request: WatchRequest) -> None:
    if request.endpoint is None:
        return
    found = await lock_endpoint(connection, request.endpoint)
    if found is None or found.state == "ended" or not Owned(found.principal, found.authority).is_of(acting):
        raise Refusal("the endpoint is not there", (Fault("/endpoint", "is none of yours, or ended"),))


async def _check_limits(watches: WatchDesk, connection: AsyncConnection, acting: Principal, more: int) -> None:
    count, watched = await rows.count_kept(connection, acting.id, acting.authority)
    if count >= watches.limits.watches:
        raise OverLimit("watches of one owner", watches.limits.watches)
    if watched + more > watches.limits.watched:
        raise OverLimit("watched questions and records of one owner", watches.limits.watched, kept=watched)


async def _find(connection: AsyncConnection, acting: Principal, watch_id: str) -> StoredWatch:
    found = await rows.find_watch(connection, watch_id)
    if found is None or not _owned(found).may_be_read_by(acting):
        raise NoSuchWatch(f"you have no watch {watch_id}")
    return found


def _owned(found: StoredWatch) -> Owned:
    return Owned(found.principal, found.authority)


def _known(found: StoredWatch | None) -> StoredWatch:
    if found is None:
        raise AssertionError("a watch is never deleted")
    return found


def _show(found: StoredWatch) -> WatchShown:
    return WatchShown(**msgspec.structs.asdict(found))


def _show_notice(found: StoredNotice) -> NoticeShown:
    fields = {name: value for name, value in msgspec.structs.asdict(found).items() if name != "payload"}
    return NoticeShown(**fields, event=msgspec.json.decode(found.payload))
