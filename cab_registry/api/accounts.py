"""Accounts over HTTP: oneself, one's tokens, and, for registrars, principals."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

import msgspec
from litestar import Response, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from cab_registry.api.authentication import NEEDED, principal_of
from cab_registry.api.bodies import BodyReader
from cab_registry.api.http.audit import note_subject
from cab_registry.api.replies import AnyRequest, NoParameters, QueryReader, reply_privately
from cab_registry.services.accounts.tokens import (
    LIFETIME,
    LONGEST_LIFETIME,
    TokenIssued,
    issue_token,
    list_tokens,
    revoke_token,
    rotate_token,
)
from cab_registry.services.accounts.trail import News, read_news
from cab_registry.services.desk import Desk
from cab_registry.services.policies import read_policy
from cab_registry.services.principals import (
    PrincipalShown,
    Role,
    disable_principal,
    erase_name,
    list_principals,
    make_principal,
    show_principal,
)
from cab_registry.services.views import LARGEST_PAGE, Given
from cab_registry.storage.policies import StoredPolicy
from cab_registry.storage.principals import PrincipalKind
from cab_registry.storage.tokens import StoredToken

CURRENT: Final = "current"
"""Stands for the token with which a request is made."""

Days = Annotated[int, Meta(ge=1, le=LONGEST_LIFETIME.days, description="Days for which the token works.")]


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and with which token."""

    principal: PrincipalShown
    token: Annotated[StoredToken, Meta(description="The token of this request, without its secret.")]
    policy: Annotated[StoredPolicy, Meta(description="How the token's authority wants its submissions handled.")]
    news: Annotated[News, Meta(description="What happens to the account: see whether you know of all of it.")]


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token that is asked for."""

    authority: Annotated[str, Meta(min_length=1, description="For which authority it speaks.")]
    roles: Annotated[tuple[Role, ...], Meta(min_length=1, description="What it may be used for.")]
    name: Annotated[str, Meta(min_length=1, max_length=200, description="What it is called in lists.")]
    days: Days = LIFETIME.days


class Rotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the token that comes in the place of another works."""

    days: Days = LIFETIME.days


class TokenList(msgspec.Struct, frozen=True):
    """Tokens without their secrets, the newest first."""

    items: tuple[StoredToken, ...]


class TokenListing(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the list of tokens."""

    principal: Annotated[Given | None, Meta(description="Whose; default: one's own. Others': registrars only.")] = None


class PrincipalRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A principal that is to be made."""

    name: Annotated[str, Meta(min_length=1, max_length=200, description="Of the person or machine; never public.")]
    kind: PrincipalKind = "person"


class PrincipalListing(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the list of principals."""

    authority: Annotated[Given | None, Meta(description="Only those with a role there.")] = None
    after: Annotated[str, Meta(max_length=100, description="Only ids that come after this one.")] = ""
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE, description="Items on a page.")] = 100


class PrincipalPage(msgspec.Struct, frozen=True):
    """Principals in order of id; `next` is the `after` of the following page."""

    items: tuple[PrincipalShown, ...]
    next: str | None


def make_account_routes(desk: Desk) -> list[HTTPRouteHandler]:
    """Return the handlers of accounts."""
    return [*_make_token_routes(desk), *_make_principal_routes(desk)]


def _make_token_routes(desk: Desk) -> list[HTTPRouteHandler]:
    nothing, listing = QueryReader(NoParameters), QueryReader(TokenListing)
    requests, rotations = BodyReader(TokenRequest), BodyReader(Rotation)

    @get("/v1/me", opt=NEEDED)
    async def get_me(request: AnyRequest) -> Response[bytes]:
        nothing.read(request)
        acting = principal_of(request)
        shown = await show_principal(desk.engine, acting)
        token = next(each for each in await list_tokens(desk.engine, acting) if each.id == acting.token)
        policy = await read_policy(desk.engine, acting.authority)
        news = await read_news(desk.engine, acting, desk.clock)
        return reply_privately(Me(principal=shown, token=token, policy=policy, news=news))

    @get("/v1/tokens", opt=NEEDED)
    async def get_tokens(request: AnyRequest) -> Response[bytes]:
        wanted = listing.read(request)
        found = await list_tokens(desk.engine, principal_of(request), principal=wanted.principal)
        return reply_privately(TokenList(found))

    @post("/v1/tokens", opt=NEEDED)
    async def post_token(request: AnyRequest) -> Response[bytes]:
        nothing.read(request)
        asked = await requests.read(request)
        issued = await issue_token(
            desk.engine,
            principal_of(request),
            authority=asked.authority,
            roles=asked.roles,
            name=asked.name,
            clock=desk.clock,
            random=desk.random,
            lifetime=timedelta(days=asked.days),
        )
        return reply_issued(issued)

    @post("/v1/tokens/{token_id:str}/rotate", opt=NEEDED)
    async def post_rotation(request: AnyRequest, token_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        asked = await rotations.read(request)
        issued = await rotate_token(
            desk.engine,
            principal_of(request),
            clock=desk.clock,
            random=desk.random,
            token=None if token_id == CURRENT else token_id,
            lifetime=timedelta(days=asked.days),
        )
        return reply_issued(issued)

    @delete("/v1/tokens/{token_id:str}", status_code=200, opt=NEEDED)
    async def delete_token(request: AnyRequest, token_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        acting = principal_of(request)
        named = acting.token if token_id == CURRENT else token_id
        revoked = await revoke_token(desk.engine, acting, token=named, clock=desk.clock)
        note_subject(request.scope, revoked.id, principal=revoked.principal, authority=revoked.authority)
        return reply_privately(revoked)

    return [get_me, get_tokens, post_token, post_rotation, delete_token]


def reply_issued(issued: TokenIssued) -> Response[bytes]:
    """Answer with a token that is shown this once."""
    return reply_privately(issued, status=201, headers={"Location": f"/v1/tokens/{issued.token.id}"})


def _make_principal_routes(desk: Desk) -> list[HTTPRouteHandler]:
    nothing, listing = QueryReader(NoParameters), QueryReader(PrincipalListing)
    requests = BodyReader(PrincipalRequest)

    @post("/v1/principals", opt=NEEDED)
    async def post_principal(request: AnyRequest) -> Response[bytes]:
        nothing.read(request)
        asked = await requests.read(request)
        acting = principal_of(request)
        made = await make_principal(
            desk.engine, acting, name=asked.name, kind=asked.kind, clock=desk.clock, random=desk.random
        )
        return reply_privately(made, status=201, headers={"Location": f"/v1/principals/{made.id}"})

    @get("/v1/principals", opt=NEEDED)
    async def get_principals(request: AnyRequest) -> Response[bytes]:
        wanted = listing.read(request)
        acting = principal_of(request)
        found = await list_principals(
            desk.engine, acting, authority=wanted.authority, after=wanted.after, limit=wanted.limit
        )
        return reply_privately(PrincipalPage(found, found[-1].id if len(found) == wanted.limit else None))

    @get("/v1/principals/{principal_id:str}", opt=NEEDED)
    async def get_principal(request: AnyRequest, principal_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        return reply_privately(await show_principal(desk.engine, principal_of(request), principal=principal_id))

    @delete("/v1/principals/{principal_id:str}", status_code=200, opt=NEEDED)
    async def delete_principal(request: AnyRequest, principal_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        acting = principal_of(request)
        return reply_privately(await disable_principal(desk.engine, acting, principal=principal_id, clock=desk.clock))

    @delete("/v1/principals/{principal_id:str}/name", status_code=200, opt=NEEDED)
    async def delete_name(request: AnyRequest, principal_id: FromPath[str]) -> Response[bytes]:
        nothing.read(request)
        acting = principal_of(request)
        return reply_privately(await erase_name(desk.engine, acting, principal=principal_id, clock=desk.clock))

    return [post_principal, get_principals, get_principal, delete_principal, delete_name]
