"""What ends soon, over HTTP: as JSON in pages, as a table, and as a calendar to subscribe to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from cab_registry.api.replies import AnyRequest, QueryReader, has_already, reply
from cab_registry.services.expiries import ExpiryFilter, ExpirySearch, Horizon, list_expiries, list_whole
from cab_registry.services.expiry_renderings import CALENDAR, CSV, render_calendar, render_csv
from cab_registry.services.runtime.sharing import Shared
from cab_registry.services.views import View, Views

_KEPT: Final = 4
"""How many files are kept, and made at once."""


def make_expiry_routes(views: Views, horizon: Horizon) -> list[HTTPRouteHandler]:
    """Return the handlers of what ends soon."""
    searches, whole = QueryReader(ExpirySearch), QueryReader(ExpiryFilter)
    files: Shared[bytes] = Shared(kept=_KEPT, at_once=_KEPT)

    async def send(request: AnyRequest, view: View, media_type: str, render: Callable[[], bytes]) -> Response[bytes]:
        """Send what is rendered in a thread, once for all who ask for it; nothing where the client has it already."""
        headers = {"Cache-Control": "no-cache", "ETag": f'"{view.tag}"'}
        if has_already(request, view.tag):
            return Response(b"", status_code=304, media_type=media_type, headers=headers)
        key = (view.tag, media_type, request.scope["query_string"])
        content = await files.find(key, lambda: views.rooms.surveys.run(render))
        return Response(content, media_type=media_type, headers=headers)

    @get("/v1/expiries")
    async def get_expiries(request: AnyRequest) -> Response[bytes]:
        wanted = searches.read(request)
        view = await views.find(wanted)
        found = await views.rooms.surveys.run(lambda: list_expiries(view, wanted, horizon))
        return reply(request, found, tag=view.tag)

    @get("/v1/expiries.csv")
    async def get_expiries_as_table(request: AnyRequest) -> Response[bytes]:
        wanted = whole.read(request)
        view = await views.find(wanted)
        return await send(request, view, CSV, lambda: render_csv(list_whole(view, wanted, horizon)))

    @get("/v1/expiries.ics")
    async def get_expiries_as_calendar(request: AnyRequest) -> Response[bytes]:
        wanted = whole.read(request)
        view = await views.find(wanted)
        as_of = wanted.as_of or view.today

        def render() -> bytes:
            held = view.held
            listed = list_whole(view, wanted, horizon)
            return render_calendar(listed, log=held.log_id, recorded=held.recorded, as_of=as_of)

        return await send(request, view, CALENDAR, render)

    return [get_expiries, get_expiries_as_table, get_expiries_as_calendar]
