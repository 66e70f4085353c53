"""Watches over HTTP: asked for with an account or by mail, listed, shown, followed, ended."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from urllib.parse import urlencode

import msgspec
from litestar import Response, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from cab_registry.api.authentication import NEEDED, WELCOME, principal_of, visitor_of
from cab_registry.api.bodies import BodyReader
from cab_registry.api.problems import Unauthenticated
from cab_registry.api.replies import AnyRequest, NoParameters, QueryReader, reply_privately
from cab_registry.services.feeds import MEDIA_TYPE
from cab_registry.services.snapshots.cursors import Cursors, name_reader
from cab_registry.services.views import LARGEST_PAGE, Given
from cab_registry.services.watching.notice_feed import render_notices
from cab_registry.services.watching.watch_desk import WatchDesk
from cab_registry.services.watching.watch_mail import request_watch
from cab_registry.services.watching.watch_targets import WatchRequest, tidy_request
from cab_registry.services.watching.watches import (
    WatchShown,
    create_watch,
    end_watch,
    list_notices,
    list_watches,
    show_watch,
)

PATH: Final = "/v1/watches"
Number = Annotated[int, Meta(ge=0, le=2**62)]
_ASKED: Final = "Where the address takes mail from here, a mail is on its way: follow the link in it to confirm."


class WatchRequested(msgspec.Struct, frozen=True):
    """A watch that waits until its mail address confirms it; the answer is the same for every address."""

    state: Annotated[Literal["unconfirmed"], Meta(description="Nothing is sent until it is confirmed.")] = "unconfirmed"
    words: str = _ASKED


class WatchListing(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the list of watches."""

    everyone: Annotated[bool, Meta(description="Those of everybody at the authority, for its auditors.")] = False
    ended: Annotated[bool, Meta(description="Those that ended, too.")] = False
    principal: Annotated[Given | None, Meta(description="Those of this one at every authority, for registrars.")] = None
    cursor: Annotated[Given | None, Meta(description="The `next` of the page before.")] = None
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE, description="Items on a page.")] = 100


class WatchList(msgspec.Struct, frozen=True, kw_only=True):
    """Watches, the oldest first."""

    items: list[WatchShown]
    next: Annotated[str | None, Meta(description="Cursor of the next page; null: this is the last.")]


class WatchViewing(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of a watch with what it watches."""

    after: Annotated[Number, Meta(description="Only what comes after this number.")] = 0
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE, description="Items on a page.")] = 100


class NoticeFollowing(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the notices of a watch."""

    after: Annotated[Number, Meta(description="Only those with a higher number.")] = 0
    newest: Annotated[
        bool | None, Meta(description="The latest page. Default: so in Atom where `after` is not given, else not.")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE, description="Items on a page.")] = 100


def make_watch_routes(watches: WatchDesk, cursors: Cursors, *, limit: int, open_limit: int) -> list[HTTPRouteHandler]:
    """Return the handlers of watches.

    Args:
        watches: the desk.
        cursors: what signs the cursors of lists.
        limit: the largest portfolio in bytes.
        open_limit: the same of who shows no token.
    """
    return [*_make_keeping(watches, cursors, limit, open_limit), *_make_notices(watches)]


def _make_keeping(watches: WatchDesk, cursors: Cursors, limit: int, open_limit: int) -> list[HTTPRouteHandler]:
    nothing, listing, viewing = QueryReader(NoParameters), QueryReader(WatchListing), QueryReader(WatchViewing)
    requests = BodyReader(WatchRequest, tidy_request)

    @post(PATH, opt=WELCOME, request_max_body_size=limit)
    async def post_watch(request: AnyRequest) -> Response[bytes]:
        nothing.read(request)
        acting = visitor_of(request)
        asked = await requests.read(request, limit=open_limit if acting is None else None)
        if acting is None:
            if asked.mail is None:
                raise Unauthenticated("a watch needs a token, or `mail` with an address that confirms it")
            await request_watch(watches, asked, request.scope["state"].get("client"))
            return reply_privately(WatchRequested(), status=202)
        made = await create_watch(watches, acting, asked)
        headers = {"Location": f"{PATH}/{made.watch.id}"}
        return reply_privately(made.watch, status=201 if made.new else 200, headers=headers)

    @get(PATH, opt=NEEDED)
    async def get_watches(request: AnyRequest) -> Response[bytes]:
        wanted, acting = listing.read(request), principal_of(request)
        signer, reader = await cursors.signer(), name_reader(acting)
        after = signer.read(wanted.cursor, wanted, str, reader=reader) if wanted.cursor else None
        found = await list_watches(
            watches,
            acting,
            everyone=wanted.everyone,
            ended=wanted.ended,
            principal=wanted.principal,
            after=after,
            limit=wanted.limit,
        )
        following = signer.write(wanted, found[-1].id, reader=reader) if len(found) == wanted.limit else None
        return reply_privately(WatchList(items=found, next=following))

    @get(f"{PATH}/{{watch_id:str}}", opt=NEEDED)
    async def get_watch(request: AnyRequest, watch_id: FromPath[str]) -> Response[bytes]:
        wanted, acting = viewing.read(request), principal_of(request)
        return reply_privately(await show_watch(watches, acting, watch_id, after=wanted.after, limit=wanted.limit))

    @delete(f"{PATH}/{{watch_id:str}}", status_code=200, opt=NEEDED)
    async def delete_watch(request: AnyRequest, watch_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        return reply_privately(await end_watch(watches, principal_of(request), watch_id))

    return [post_watch, get_watches, get_watch, delete_watch]


def _make_notices(watches: WatchDesk) -> list[HTTPRouteHandler]:
    following = QueryReader(NoticeFollowing)

    @get(f"{PATH}/{{watch_id:str}}/notices", opt=NEEDED)
    async def get_notices(request: AnyRequest, watch_id: FromPath[str]) -> Response[bytes]:
        wanted, acting = following.read(request), principal_of(request)
        page = await list_notices(
            watches, acting, watch_id, after=wanted.after, limit=wanted.limit, newest=bool(wanted.newest)
        )
        return reply_privately(page)

    @get(f"{PATH}/{{watch_id:str}}/notices.atom", opt=NEEDED)
    async def get_notices_as_atom(request: AnyRequest, watch_id: FromPath[str]) -> Response[bytes]:
        wanted, acting = following.read(request), principal_of(request)
        newest = not wanted.after if wanted.newest is None else wanted.newest
        page = await list_notices(watches, acting, watch_id, after=wanted.after, limit=wanted.limit, newest=newest)
        asked = {key: value for key, value in msgspec.to_builtins(wanted).items() if value}
        address = f"{PATH}/{watch_id}/notices.atom" + (f"?{urlencode(asked)}" if asked else "")
        headers = {"Cache-Control": "no-store", "Vary": "Authorization"}
        return Response(render_notices(page, address=address), media_type=MEDIA_TYPE, headers=headers)

    return [get_notices, get_notices_as_atom]
