"""Endpoints of notices over HTTP: made, listed, tested, enabled, sent to again, ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from cab_registry.api.authentication import NEEDED, principal_of
from cab_registry.api.bodies import BodyReader
from cab_registry.api.replies import AnyRequest, NoParameters, QueryReader, reply_privately
from cab_registry.services.delivery.endpoint_keeping import (
    EndpointRequest,
    EndpointShown,
    create_endpoint,
    enable_own_endpoint,
    end_own_endpoint,
    list_deliveries,
    list_endpoints,
    replay,
    rotate_secret,
    send_test,
    show_own_endpoint,
)
from cab_registry.services.snapshots.cursors import Cursors, name_reader
from cab_registry.services.tokens import Principal
from cab_registry.services.views import LARGEST_PAGE, Given
from cab_registry.services.watching.watch_desk import WatchDesk
from cab_registry.storage.deliveries import Delivery

PATH: Final = "/v1/endpoints"
ONE: Final = f"{PATH}/{{endpoint_id:str}}"


class EndpointListing(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the list of endpoints."""

    everyone: Annotated[bool, Meta(description="Those of everybody at the authority, for its auditors.")] = False
    ended: Annotated[bool, Meta(description="Those that ended, too.")] = False
    principal: Annotated[Given | None, Meta(description="Those of this one at every authority, for registrars.")] = None


class EndpointList(msgspec.Struct, frozen=True):
    """Endpoints, the oldest first."""

    items: list[EndpointShown]


class Replaying(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From where on notices are sent again."""

    after: Annotated[int, Meta(ge=0, le=2**62, description="Position of the log after which, exclusive.")]


class DeliveryListing(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the list of deliveries."""

    cursor: Annotated[Given | None, Meta(description="The `next` of the page before.")] = None
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE, description="Items on a page.")] = 100


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts to deliver, of the newest notice first."""

    items: list[Delivery]
    next: Annotated[str | None, Meta(description="Cursor of the next page; null: this is the last.")]


def make_endpoint_routes(watches: WatchDesk, cursors: Cursors) -> list[HTTPRouteHandler]:
    """Return the handlers of endpoints."""
    return [*_make_keeping(watches), *_make_steps(watches), _make_deliveries(watches, cursors)]


def _make_keeping(watches: WatchDesk) -> list[HTTPRouteHandler]:
    nothing, listing = QueryReader(NoParameters), QueryReader(EndpointListing)
    requests = BodyReader(EndpointRequest)

    @post(PATH, opt=NEEDED)
    async def post_endpoint(request: AnyRequest) -> Response[bytes]:
        nothing.read(request)
        asked = await requests.read(request)
        issued = await create_endpoint(watches, principal_of(request), asked)
        return reply_privately(issued, status=201, headers={"Location": f"{PATH}/{issued.endpoint.id}"})

    @get(PATH, opt=NEEDED)
    async def get_endpoints(request: AnyRequest) -> Response[bytes]:
        wanted = listing.read(request)
        found = await list_endpoints(
            watches,
            principal_of(request),
            everyone=wanted.everyone,
            ended=wanted.ended,
            principal=wanted.principal,
        )
        return reply_privately(EndpointList(found))

    @get(ONE, opt=NEEDED)
    async def get_endpoint(request: AnyRequest, endpoint_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        return reply_privately(await show_own_endpoint(watches, principal_of(request), endpoint_id))

    @delete(ONE, status_code=200, opt=NEEDED)
    async def delete_endpoint(request: AnyRequest, endpoint_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        return reply_privately(await end_own_endpoint(watches, principal_of(request), endpoint_id))

    return [post_endpoint, get_endpoints, get_endpoint, delete_endpoint]


def _make_steps(watches: WatchDesk) -> list[HTTPRouteHandler]:
    nothing, replays = QueryReader(NoParameters), BodyReader(Replaying)

    def make_step(name: str, step: Callable[[WatchDesk, Principal, str], Awaitable[Any]]) -> HTTPRouteHandler:
        @post(f"{ONE}/{name}", status_code=200, opt=NEEDED)
        async def post_step(request: AnyRequest, endpoint_id: FromPath[str]) -> Response[bytes]:
            nothing.read(request)
            return reply_privately(await step(watches, principal_of(request), endpoint_id))

        return post_step

    @post(f"{ONE}/replay", status_code=200, opt=NEEDED)
    async def post_replay(request: AnyRequest, endpoint_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        asked = await replays.read(request)
        return reply_privately(await replay(watches, principal_of(request), endpoint_id, after=asked.after))

    return [
        make_step("enable", enable_own_endpoint),
        make_step("test", send_test),
        make_step("rotate", rotate_secret),
        post_replay,
    ]


def _make_deliveries(watches: WatchDesk, cursors: Cursors) -> HTTPRouteHandler:
    listing = QueryReader(DeliveryListing)

    @get(f"{ONE}/deliveries", opt=NEEDED)
    async def get_deliveries(request: AnyRequest, endpoint_id: FromPath[str]) -> Response[bytes]:
        wanted, acting = listing.read(request), principal_of(request)
        signer, reader = await cursors.signer(), f"{name_reader(acting)} {endpoint_id}"
        before = signer.read(wanted.cursor, wanted, tuple[int, int], reader=reader) if wanted.cursor else None
        found = await list_deliveries(watches, acting, endpoint_id, before=before, limit=wanted.limit)
        last = (found[-1].number, found[-1].attempt) if len(found) == wanted.limit else None
        following = None if last is None else signer.write(wanted, last, reader=reader)
        return reply_privately(DeliveryPage(items=found, next=following))

    return get_deliveries
