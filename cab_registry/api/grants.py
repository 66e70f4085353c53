"""Roles over HTTP: one registrar proposes, another approves, each ends; and the trail of who did what."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from cab_registry.api.authentication import NEEDED, principal_of
from cab_registry.api.bodies import BodyReader
from cab_registry.api.http.audit import note_subject
from cab_registry.api.replies import AnyRequest, NoParameters, QueryReader, reply_privately
from cab_registry.domain.errors import Fault
from cab_registry.services.accounts.roles import approve_role, end_role, list_proposals, propose_role, refuse_role
from cab_registry.services.accounts.trail import ActShown, list_trail
from cab_registry.services.desk import Desk
from cab_registry.services.views import LARGEST_PAGE, Given, WrongParameters
from cab_registry.storage.accounts.proposals import StoredProposal
from cab_registry.storage.principals import Role


class GrantRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role that is proposed."""

    principal: Annotated[str, Meta(min_length=1, description="For whom.")]
    authority: Annotated[str, Meta(min_length=1, description="At which authority.")]
    role: Role


class GrantEnding(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters that name a role that is to be taken; all three are needed."""

    principal: Annotated[Given | None, Meta(description="From whom. Required.")] = None
    authority: Annotated[Given | None, Meta(description="At which authority. Required.")] = None
    role: Annotated[Role | None, Meta(description="Which role. Required.")] = None


class ProposalListing(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the list of proposed roles."""

    principal: Annotated[Given | None, Meta(description="Only for this one; default: all, for registrars.")] = None
    decided: Annotated[bool, Meta(description="Those that were decided, too.")] = False
    after: Annotated[str, Meta(max_length=100, description="Only ids that come after this one.")] = ""
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE, description="Items on a page.")] = 100


class ProposalPage(msgspec.Struct, frozen=True):
    """Proposed roles in order of id; `next` is the `after` of the following page."""

    items: tuple[StoredProposal, ...]
    next: str | None


class ActListing(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the list of acts."""

    principal: Annotated[
        Given | None, Meta(description="Only those about and by this one; others' for registrars and auditors.")
    ] = None
    after: Annotated[int, Meta(ge=0, le=2**62, description="Only those behind this position.")] = 0
    newest: Annotated[bool, Meta(description="The latest page.")] = False
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE, description="Items on a page.")] = 100


class ActPage(msgspec.Struct, frozen=True):
    """Acts in order of position; `next` is the `after` with which to read on, now or later."""

    items: tuple[ActShown, ...]
    next: int


def make_grant_routes(desk: Desk) -> list[HTTPRouteHandler]:
    """Return the handlers of roles and of the trail."""
    return [*_make_keeping(desk), *_make_deciding(desk), _make_trail(desk)]


def _make_keeping(desk: Desk) -> list[HTTPRouteHandler]:
    nothing, endings, listing = QueryReader(NoParameters), QueryReader(GrantEnding), QueryReader(ProposalListing)
    requests = BodyReader(GrantRequest)

    @post("/v1/grants", status_code=200, opt=NEEDED)
    async def post_grant(request: AnyRequest) -> Response[bytes]:
        nothing.read(request)
        asked = await requests.read(request)
        note_subject(request.scope, principal=asked.principal, authority=asked.authority, roles=asked.role)
        proposed = await propose_role(
            desk.engine,
            principal_of(request),
            principal=asked.principal,
            authority=asked.authority,
            role=asked.role,
            clock=desk.clock,
            random=desk.random,
        )
        note_subject(request.scope, proposed.id)
        return reply_privately(proposed)

    @get("/v1/grants", opt=NEEDED)
    async def get_grants(request: AnyRequest) -> Response[bytes]:
        wanted = listing.read(request)
        found = await list_proposals(
            desk.engine,
            principal_of(request),
            principal=wanted.principal,
            decided=wanted.decided,
            after=wanted.after,
            limit=wanted.limit,
        )
        return reply_privately(ProposalPage(found, found[-1].id if len(found) == wanted.limit else None))

    @delete("/v1/grants", status_code=200, opt=NEEDED)
    async def delete_grant(request: AnyRequest) -> Response[bytes]:
        asked = endings.read(request)
        if asked.principal is None or asked.authority is None or asked.role is None:
            missing = [name for name in GrantEnding.__struct_fields__ if getattr(asked, name) is None]
            raise WrongParameters([Fault(f"/{name}", "is missing") for name in missing])
        note_subject(request.scope, asked.principal, authority=asked.authority, roles=asked.role)
        shown = await end_role(
            desk.engine,
            principal_of(request),
            principal=asked.principal,
            authority=asked.authority,
            role=asked.role,
            clock=desk.clock,
        )
        return reply_privately(shown)

    return [post_grant, get_grants, delete_grant]


def _make_deciding(desk: Desk) -> list[HTTPRouteHandler]:
    nothing = QueryReader(NoParameters)

    @post("/v1/grants/{proposal_id:str}/approve", status_code=200, opt=NEEDED)
    async def post_approval(request: AnyRequest, proposal_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        acting = principal_of(request)
        decided = await approve_role(desk.engine, acting, proposal=proposal_id, clock=desk.clock)
        _note(request, decided)
        return reply_privately(decided)

    @post("/v1/grants/{proposal_id:str}/refuse", status_code=200, opt=NEEDED)
    async def post_refusal(request: AnyRequest, proposal_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        acting = principal_of(request)
        decided = await refuse_role(desk.engine, acting, proposal=proposal_id, clock=desk.clock)
        _note(request, decided)
        return reply_privately(decided)

    return [post_approval, post_refusal]


def _note(request: AnyRequest, decided: StoredProposal) -> None:
    note_subject(
        request.scope, decided.id, principal=decided.principal, authority=decided.authority, roles=decided.role
    )


def _make_trail(desk: Desk) -> HTTPRouteHandler:
    listing = QueryReader(ActListing)

    @get("/v1/acts", opt=NEEDED)
    async def get_acts(request: AnyRequest) -> Response[bytes]:
        wanted = listing.read(request)
        found = await list_trail(
            desk.engine,
            principal_of(request),
            principal=wanted.principal,
            after=wanted.after,
            newest=wanted.newest,
            limit=wanted.limit,
        )
        return reply_privately(ActPage(found, found[-1].position if found else wanted.after))

    return get_acts
