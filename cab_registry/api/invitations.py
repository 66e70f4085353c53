"""Invitations over HTTP: made by a registrar, approved where they have to be, and redeemed by whoever has the code."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec
from litestar import Response, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from cab_registry.api.accounts import Days, reply_issued
from cab_registry.api.authentication import NEEDED, SECRET, principal_of
from cab_registry.api.bodies import BodyReader
from cab_registry.api.http.audit import note_subject
from cab_registry.api.replies import AnyRequest, NoParameters, QueryReader, reply_privately
from cab_registry.services.accounts.invitations import (
    LONGEST_REDEEMABLE,
    REDEEMABLE_FOR,
    approve_invitation,
    cancel_invitation,
    invite,
    list_invitations,
    redeem,
)
from cab_registry.services.accounts.tokens import LIFETIME
from cab_registry.services.desk import Desk
from cab_registry.services.views import LARGEST_PAGE, Given
from cab_registry.storage.accounts.invitations import StoredInvitation
from cab_registry.storage.principals import Role

PATH = "/v1/invitations"


class InvitationRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An invitation that is to be made."""

    principal: Annotated[str, Meta(min_length=1, description="Who is invited.")]
    authority: Annotated[str, Meta(min_length=1, description="For which authority the token will speak.")]
    roles: Annotated[
        tuple[Role, ...], Meta(min_length=1, description="What the token may be used for, as far as it is held.")
    ]
    days: Annotated[
        int, Meta(ge=1, le=LONGEST_REDEEMABLE.days, description="Days within which it can be redeemed.")
    ] = REDEEMABLE_FOR.days


class Redemption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The code of an invitation, and what the token for it is to be."""

    code: Annotated[str, Meta(min_length=1, max_length=200, description="As the registrar gave it.")]
    name: Annotated[str, Meta(min_length=1, max_length=200, description="What the token is called in lists.")] = (
        "first token"
    )
    days: Days = LIFETIME.days


class InvitationListing(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the list of invitations."""

    principal: Annotated[Given | None, Meta(description="Only for this one; default: all, for registrars.")] = None
    ended: Annotated[bool, Meta(description="Those that are over, too.")] = False
    after: Annotated[str, Meta(max_length=100, description="Only ids that come after this one.")] = ""
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE, description="Items on a page.")] = 100


class InvitationPage(msgspec.Struct, frozen=True):
    """Invitations without their codes, in order of id; `next` is the `after` of the following page."""

    items: tuple[StoredInvitation, ...]
    next: str | None


def make_invitation_routes(desk: Desk) -> list[HTTPRouteHandler]:
    """Return the handlers of invitations."""
    return [*_make_keeping(desk), *_make_steps(desk)]


def _make_keeping(desk: Desk) -> list[HTTPRouteHandler]:
    nothing, listing = QueryReader(NoParameters), QueryReader(InvitationListing)
    requests = BodyReader(InvitationRequest)

    @post(PATH, opt=NEEDED)
    async def post_invitation(request: AnyRequest) -> Response[bytes]:
        nothing.read(request)
        asked = await requests.read(request)
        note_subject(request.scope, principal=asked.principal, authority=asked.authority, roles=",".join(asked.roles))
        made = await invite(
            desk.engine,
            principal_of(request),
            principal=asked.principal,
            authority=asked.authority,
            roles=asked.roles,
            clock=desk.clock,
            random=desk.random,
            redeemable=timedelta(days=asked.days),
        )
        _note(request, made.invitation)
        return reply_privately(made, status=201)

    @get(PATH, opt=NEEDED)
    async def get_invitations(request: AnyRequest) -> Response[bytes]:
        wanted = listing.read(request)
        found = await list_invitations(
            desk.engine,
            principal_of(request),
            principal=wanted.principal,
            ended=wanted.ended,
            after=wanted.after,
            limit=wanted.limit,
        )
        return reply_privately(InvitationPage(found, found[-1].id if len(found) == wanted.limit else None))

    @delete(f"{PATH}/{{invitation_id:str}}", status_code=200, opt=NEEDED)
    async def delete_invitation(request: AnyRequest, invitation_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        acting = principal_of(request)
        ended = await cancel_invitation(desk.engine, acting, invitation=invitation_id, clock=desk.clock)
        _note(request, ended)
        return reply_privately(ended)

    return [post_invitation, get_invitations, delete_invitation]


def _make_steps(desk: Desk) -> list[HTTPRouteHandler]:
    nothing, redemptions = QueryReader(NoParameters), BodyReader(Redemption)

    @post(f"{PATH}/{{invitation_id:str}}/approve", status_code=200, opt=NEEDED)
    async def post_approval(request: AnyRequest, invitation_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        acting = principal_of(request)
        approved = await approve_invitation(desk.engine, acting, invitation=invitation_id, clock=desk.clock)
        _note(request, approved)
        return reply_privately(approved)

    @post(f"{PATH}/redeem", opt=SECRET)
    async def post_redemption(request: AnyRequest) -> Response[bytes]:
        nothing.read(request)
        asked = await redemptions.read(request)
        issued = await redeem(
            desk.engine,
            asked.code,
            name=asked.name,
            clock=desk.clock,
            random=desk.random,
            lifetime=timedelta(days=asked.days),
        )
        made = issued.token
        note_subject(request.scope, made.invitation, principal=made.principal, authority=made.authority, token=made.id)
        return reply_issued(issued)

    return [post_approval, post_redemption]


def _note(request: AnyRequest, found: StoredInvitation) -> None:
    concerns = {"principal": found.principal, "authority": found.authority, "roles": ",".join(found.roles)}
    note_subject(request.scope, found.id, **concerns)
