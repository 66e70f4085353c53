"""The blast radius of a loss over HTTP: what would flip, if one body or one accreditation body lost what it has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from cab_registry.api.authentication import WELCOME
from cab_registry.api.replies import AnyRequest, QueryReader, reply_privately
from cab_registry.services.blast import HORIZON, LONGEST_HORIZON, ImpactTeller, Supposition, Watched
from cab_registry.services.supposing import Loss, What
from cab_registry.services.views import Viewing, Views

Watching = Callable[[AnyRequest, int], Watched]
"""Gives, for who asks and a day, what tells the watched answers that differ."""


class Supposing(Viewing, frozen=True, kw_only=True):
    """Parameters of an impact."""

    if_: Annotated[Loss, Meta(description="What happens: to each right in full, as a decision that is imposed.")] = (
        msgspec.field(name="if", default="suspended")
    )
    on: Annotated[date | None, Meta(description="The first day of it. Default: today.")] = None
    what: Annotated[
        What,
        Meta(
            description="Of an accreditation body: `status`, it is no signatory any more, its accreditations stand; "
            "`accreditations`, those that it gave are lost; `all`, both, and each answer says with which it falls."
        ),
    ] = "all"
    horizon: Annotated[
        int, Meta(ge=0, le=LONGEST_HORIZON, description="How many days after the first are looked at.")
    ] = HORIZON


def make_impact_routes(views: Views, zone: ZoneInfo, watching: Watching | None = None) -> list[HTTPRouteHandler]:
    """Return the handler of impacts; without `watching`, none is told of watched answers."""
    reader = QueryReader(Supposing)
    teller = ImpactTeller(views.rooms)

    @get("/v1/impact/{record_id:str}", opt=WELCOME)
    async def get_impact(request: AnyRequest, record_id: FromPath[str]) -> Response[bytes]:
        wanted = reader.read(request)
        view = await views.find(wanted)
        asked = Supposition(
            record_id=record_id,
            loss=wanted.if_,
            on=(wanted.on or view.today).toordinal(),
            what=wanted.what,
            horizon=wanted.horizon,
            known_on=None if view.instant is None else view.instant.astimezone(zone).toordinal(),
        )
        watched = None if watching is None else watching(request, asked.on)
        return reply_privately(await teller.tell(view, asked, watched))

    return [get_impact]
