"""The pages of links in mails: to confirm, and to get no more. A link that is opened changes nothing; a button does."""

from __future__ import annotations

from typing import Any, Final, get_args

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from cab_registry.pages.rendering import Site
from cab_registry.services.flat import Unreadable, read_pairs
from cab_registry.services.watching.watch_desk import NoSuchLink, WatchDesk
from cab_registry.services.watching.watch_mail import (
    Stopping,
    Subscription,
    confirm,
    look_up_confirmation,
    look_up_stopping,
    stop,
)

CONFIRM: Final = "/watches/confirm"
UNSUBSCRIBE: Final = "/unsubscribe/{endpoint_id:str}/{mark:str}"
AnyRequest = Request[Any, Any, Any]


def make_watching_routes(site: Site, watches: WatchDesk, *, limit: int) -> list[HTTPRouteHandler]:
    """Return the handlers of the links in mails; the limit is that of a form in bytes."""

    def show(state: str, found: Subscription | None = None, **more: str) -> Response[bytes]:
        page = site.show("watching.html", {"state": state, "found": found, **more}, status=200 if found else 404)
        page.headers["Cache-Control"] = "no-store"
        return page

    @get(CONFIRM)
    async def get_confirmation(request: AnyRequest) -> Response[bytes]:
        token = dict(read_pairs(request.scope["query_string"])).get("token", "")
        try:
            return show("confirm", await look_up_confirmation(watches, token), token=token)
        except NoSuchLink:
            return show("gone")

    @post(CONFIRM, status_code=200, request_max_body_size=limit)
    async def post_confirmation(request: AnyRequest) -> Response[bytes]:
        token = (await _read_form(request)).get("token", "")
        try:
            return show("confirmed", await confirm(watches, token))
        except NoSuchLink:
            return show("gone")

    @get(UNSUBSCRIBE)
    async def get_stopping(endpoint_id: FromPath[str], mark: FromPath[str]) -> Response[bytes]:
        try:
            return show("stop", await look_up_stopping(watches, endpoint_id, mark))
        except NoSuchLink:
            return show("gone")

    @post(UNSUBSCRIBE, status_code=200, request_max_body_size=limit)
    async def post_stopping(request: AnyRequest, endpoint_id: FromPath[str], mark: FromPath[str]) -> Response[bytes]:
        what = _read_stopping((await _read_form(request)).get("what"))
        try:
            return show("stopped", await stop(watches, endpoint_id, mark, what), what=what)
        except NoSuchLink:
            return show("gone")

    return [get_confirmation, post_confirmation, get_stopping, post_stopping]


async def _read_form(request: AnyRequest) -> dict[str, str]:
    """Read what a form sent; what a mail program posts by itself (RFC 8058) may have another shape, and says less."""
    raw = await request.body()
    try:
        return dict(read_pairs(raw))
    except Unreadable:
        return {}


def _read_stopping(what: str | None) -> Stopping:
    """Return what is to be stopped: what the button says, and the one endpoint where a mail program posts."""
    return next((each for each in get_args(Stopping) if each == what), "this")
