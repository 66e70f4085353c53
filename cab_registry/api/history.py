"""What changed, over HTTP: of a body, of a record, of everything as a feed; and what waits for an authority."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry import __version__
from cab_registry.api.acceptance import Waiting
from cab_registry.api.authentication import NEEDED, principal_of
from cab_registry.api.replies import AnyRequest, QueryReader, encode, has_already, reply, reply_privately
from cab_registry.domain.errors import Fault
from cab_registry.services.asking import parse_known_at
from cab_registry.services.desk import Desk
from cab_registry.services.feeds import MEDIA_TYPE, render_atom
from cab_registry.services.history import (
    LARGEST_PAGE,
    ChangeFilter,
    History,
    Moment,
    read_body_history,
    read_changes,
    read_filter,
    read_record_history,
)
from cab_registry.services.inbox import read_inbox
from cab_registry.services.runtime.work import PAST, WorkRoom, demand
from cab_registry.services.views import Given, Viewing, WrongParameters
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import operational_faults

Position = Annotated[int, Meta(ge=0, le=2**62)]
Read = Callable[[AsyncConnection], Awaitable[History]]


class HistoryPaging(Viewing, frozen=True, kw_only=True):
    """Parameters of a history."""

    after: Annotated[Position, Meta(description="Only what came after this position of the log.")] = 0
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE, description="Entries on a page.")] = 100


class Following(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the feed of changes; of the filters, all that are given must be met."""

    after: Annotated[
        Position | None, Meta(description="Only what came after this position of the log; null: see `newest`.")
    ] = None
    newest: Annotated[
        bool | None, Meta(description="The latest page. Default: so in Atom where `after` is not given, else not.")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE, description="Entries on a page.")] = 100
    authority: Annotated[Given | None, Meta(description="Id of the authority that owns, gives or changed.")] = None
    body: Annotated[Given | None, Meta(description="Id of the body.")] = None
    agreement: Annotated[Given | None, Meta(description="Id of the agreement.")] = None
    sector: Annotated[Given | None, Meta(description="The sector.")] = None
    at_least: Annotated[
        Position | None, Meta(description="Wait briefly until the register has reached this position of the log.")
    ] = None


def make_history_routes(desk: Desk, zone: ZoneInfo, room: WorkRoom) -> list[HTTPRouteHandler]:
    """Return the handlers of histories, of the feed of changes and of the inbox; pages are made in a room."""
    return [*_make_histories(desk, zone, room), *_make_feeds(desk, room), _make_inbox(desk)]


def _make_histories(desk: Desk, zone: ZoneInfo, room: WorkRoom) -> list[HTTPRouteHandler]:
    reader = QueryReader(HistoryPaging)

    @get("/v1/bodies/{record_id:str}/history")
    async def get_body_history(request: AnyRequest, record_id: FromPath[str]) -> Response[bytes]:
        wanted = reader.read(request)
        moment = _read_moment(wanted.known_at, zone)

        def read(connection: AsyncConnection) -> Awaitable[History]:
            return read_body_history(
                connection, record_id, known_at=moment, after=wanted.after, limit=wanted.limit, room=room
            )

        return await _reply(request, await _read(desk, wanted.at_least, read), room)

    @get("/v1/records/{record_id:str}/history")
    async def get_record_history(request: AnyRequest, record_id: FromPath[str]) -> Response[bytes]:
        wanted = reader.read(request)
        moment = _read_moment(wanted.known_at, zone)

        def read(connection: AsyncConnection) -> Awaitable[History]:
            return read_record_history(
                connection, record_id, known_at=moment, after=wanted.after, limit=wanted.limit, room=room
            )

        return await _reply(request, await _read(desk, wanted.at_least, read), room)

    return [get_body_history, get_record_history]


def _make_feeds(desk: Desk, room: WorkRoom) -> list[HTTPRouteHandler]:
    reader = QueryReader(Following)

    async def find(wanted: Following, *, newest: bool) -> History:
        filters = ChangeFilter(
            authority=wanted.authority, body=wanted.body, agreement=wanted.agreement, sector=wanted.sector
        )

        async def read(connection: AsyncConnection) -> History:
            meant = await read_filter(connection, filters, desk.heads.current().register.facts)
            return await read_changes(connection, wanted.after or 0, wanted.limit, meant, newest=newest, room=room)

        return await _read(desk, wanted.at_least, read)

    @get("/v1/changes")
    async def get_changes(request: AnyRequest) -> Response[bytes]:
        wanted = reader.read(request)
        return await _reply(request, await find(wanted, newest=bool(wanted.newest)), room)

    @get("/v1/changes.atom")
    async def get_changes_as_atom(request: AnyRequest) -> Response[bytes]:
        wanted = reader.read(request)
        found = await find(wanted, newest=wanted.after is None if wanted.newest is None else wanted.newest)
        asked = {key: value for key, value in msgspec.structs.asdict(wanted).items() if value and key != "at_least"}
        address = f"/v1/changes.atom?{urlencode(asked)}"
        headers = {"Cache-Control": "no-cache", "ETag": f'"{_tag(found, address)}"'}
        if has_already(request, _tag(found, address)):
            return Response(b"", status_code=304, media_type=MEDIA_TYPE, headers=headers)
        # Addresses are relative to the feed's own, so that nobody's Host header is told to others.
        content = await room.run(
            lambda: render_atom(found, title="Changes of the registry", base_address="", self_address=address)
        )
        return Response(content, media_type=MEDIA_TYPE, headers=headers)

    return [get_changes, get_changes_as_atom]


def _make_inbox(desk: Desk) -> HTTPRouteHandler:
    reader = QueryReader(Waiting)

    @get("/v1/inbox", opt=NEEDED)
    async def get_inbox(request: AnyRequest) -> Response[bytes]:
        wanted = reader.read(request)
        return reply_privately(await read_inbox(desk, principal_of(request), wanted.at_least))

    return get_inbox


async def _read(desk: Desk, at_least: int | None, read: Read) -> History:
    if at_least is not None:
        await desk.heads.at_least(at_least)
    with operational_faults():
        async with read_only(desk.engine).connect() as connection:
            return await read(connection)


def _read_moment(known_at: str | None, zone: ZoneInfo) -> Moment | None:
    if known_at is None:
        return None
    try:
        moment = parse_known_at(known_at, zone)
    except ValueError as error:
        raise WrongParameters([Fault("/known_at", str(error))]) from None
    demand(PAST)
    return moment


async def _reply(request: AnyRequest, found: History, room: WorkRoom) -> Response[bytes]:
    tag = _tag(found, request.url.path, request.url.query)
    if has_already(request, tag):
        return reply(request, None, tag=tag)
    return reply(request, await room.run(lambda: encode(found)), tag=tag)


def _tag(found: History, *asked: Any) -> str:
    key = msgspec.json.encode((__version__, found.log, found.position, found.head.acts, asked))
    return blake2b(key, digest_size=12).hexdigest()
