"""Who acts: principals, and the roles that they hold for authorities."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.domain.errors import Refusal
from cab_registry.register.ownership import REGISTRAR
from cab_registry.services.accounts.acts import Change, note_act
from cab_registry.services.accounts.endings import end_account
from cab_registry.services.accounts.registrars import keep_two
from cab_registry.services.accounts.tokens import LIFETIME, keep_token, make_token
from cab_registry.services.tokens import (
    Clock,
    Principal,
    Random,
    authenticate,
    changing_accounts,
    checked_name,
    find_known,
)
from cab_registry.storage import principals as rows
from cab_registry.storage.acts.act import OPERATOR
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.principals import Grant, PrincipalKind, Role, StoredPrincipal

__all__ = [
    "Clock",
    "GrantShown",
    "Principal",
    "PrincipalShown",
    "Random",
    "Role",
    "authenticate",
    "disable_principal",
    "erase_name",
    "init_registrar",
    "list_principals",
    "make_principal",
    "name_registrars",
    "show_account",
    "show_principal",
]

LARGEST_PAGE: Final = 500


class GrantShown(msgspec.Struct, frozen=True):
    """A role held for an authority."""

    authority: str
    role: Role
    granted: datetime
    granted_by: Annotated[str | None, Meta(description="The registrar who proposed it; null: the operator.")]
    approved_by: Annotated[str | None, Meta(description="The registrar who approved it; null: there was no other yet.")]


class PrincipalShown(msgspec.Struct, frozen=True, kw_only=True):
    """A principal, for itself and for registrars; the name is no part of anything public."""

    id: str
    kind: PrincipalKind
    name: Annotated[str | None, Meta(description="Null: it was erased.")]
    created: datetime
    disabled: datetime | None
    grants: tuple[GrantShown, ...]


async def init_registrar(engine: AsyncEngine, name: str, clock: Clock, random: Random) -> str:
    """Make the first registrar of a registry that has none, and return the text of its token.

    Raises:
        Refusal: there is a registrar, or the name is empty.
        StorageBusy: the database cannot serve now.
    """
    named = checked_name(name)
    now = clock()
    principal_id = _opaque(random)
    with operational_faults():
        async with engine.begin() as connection:
            await rows.lock_roles(connection)
            if await rows.list_registrars(connection):
                raise Refusal("there is a registrar already; registrars make further principals")
            await rows.insert_principal(connection, principal_id, "person", named, now)
            await rows.insert_grant(connection, Grant(principal_id, REGISTRAR, "registrar", now))
            issued = make_token(
                principal_id, REGISTRAR, ("registrar",), "first token", now=now, lifetime=LIFETIME, random=random
            )
            await keep_token(connection, issued)
            grant = {"principal": principal_id, "authority": REGISTRAR, "role": "registrar", "granted": now}
            change = Change("principal_made", principal_id, {"kind": "person", "token": issued.token.id})
            change = change.on("principal", {"id": principal_id}).on("role_grant", grant)
            await note_act(connection, OPERATOR, change.on("token", {"id": issued.token.id}), authority=REGISTRAR)
    return issued.text


async def make_principal(
    engine: AsyncEngine, acting: Principal, *, name: str, kind: PrincipalKind, clock: Clock, random: Random
) -> PrincipalShown:
    """Make a principal without a role; a registrar does.

    Raises:
        MissingRole, OtherAuthority: the caller is no registrar.
        Refusal: the name is empty or too long.
        TokenRefused: the caller's token ended meanwhile.
        StorageBusy: the database cannot serve now.
    """
    acting.require("registrar")
    named, now, principal_id = checked_name(name), clock(), _opaque(random)
    async with changing_accounts(engine, acting, clock) as connection:
        await rows.insert_principal(connection, principal_id, kind, named, now)
        change = Change("principal_made", principal_id, {"kind": kind})
        await note_act(connection, acting, change.on("principal", {"id": principal_id}))
    return show_account(StoredPrincipal(principal_id, kind, named, now, None), ())


async def disable_principal(engine: AsyncEngine, acting: Principal, *, principal: str, clock: Clock) -> PrincipalShown:
    """Shut a principal out for good, with all that it has: tokens, endpoints, watches, and invitations.

    What it proposed to others as a registrar and nobody approved yet ends with it. One registrar can do it.

    Raises:
        MissingRole: the caller is not a registrar.
        NoSuchPrincipal: there is no such principal.
        Refusal: it is the last registrar, or one of two.
        TokenRefused: the caller's token ended meanwhile.
        StorageBusy: the database cannot serve now.
    """
    async with changing_accounts(engine, acting, clock) as connection:
        found, now = await find_known(connection, principal), clock()
        if found.disabled is None:
            await keep_two(connection, principal)
            await rows.set_disabled(connection, principal, now)
            change = Change("principal_disabled", principal).on("principal", {"id": principal})
            await note_act(connection, acting, await end_account(connection, change, acting.id, now))
        held = await rows.current_grants(connection, [principal])
        return show_account(await find_known(connection, principal), held)


async def erase_name(engine: AsyncEngine, acting: Principal, *, principal: str, clock: Clock) -> PrincipalShown:
    """Forget the name of a principal, for good; its id stays, and so does what it did.

    Raises:
        MissingRole: the caller is not a registrar.
        NoSuchPrincipal: there is no such principal.
        TokenRefused: the caller's token ended meanwhile.
        StorageBusy: the database cannot serve now.
    """
    async with changing_accounts(engine, acting, clock) as connection:
        if (await find_known(connection, principal)).name is not None:
            await rows.erase_name(connection, principal)
            await note_act(connection, acting, Change("principal_erased", principal))
        held = await rows.current_grants(connection, [principal])
        return show_account(await find_known(connection, principal), held)


async def show_principal(engine: AsyncEngine, acting: Principal, *, principal: str | None = None) -> PrincipalShown:
    """Show oneself or, as registrar, another.

    Raises:
        MissingRole: another, and the caller is no registrar.
        NoSuchPrincipal: there is no such principal.
        StorageBusy: the database cannot serve now.
    """
    wanted = principal or acting.id
    if wanted != acting.id:
        acting.require("registrar")
    with operational_faults():
        async with read_only(engine).connect() as connection:
            found = await find_known(connection, wanted)
            return show_account(found, await rows.current_grants(connection, [wanted]))


async def list_principals(
    engine: AsyncEngine, acting: Principal, *, authority: str | None = None, after: str = "", limit: int = 100
) -> tuple[PrincipalShown, ...]:
    """List principals in order of id, all or those with a role at an authority; registrars may.

    Raises:
        MissingRole: the caller is no registrar.
        Refusal: the limit is out of bounds.
        StorageBusy: the database cannot serve now.
    """
    acting.require("registrar")
    if not 1 <= limit <= LARGEST_PAGE:
        raise Refusal(f"a page has 1 to {LARGEST_PAGE} items")
    with operational_faults():
        async with read_only(engine).connect() as connection:
            found = await rows.list_principals(connection, authority=authority, after=after, limit=limit)
            grants = await rows.current_grants(connection, [each.id for each in found])
    return tuple(show_account(each, [grant for grant in grants if grant.principal == each.id]) for each in found)


async def name_registrars(engine: AsyncEngine) -> dict[str, str | None]:
    """Give the names of the registrars by their ids, on the server itself.

    Raises:
        StorageBusy: the database cannot serve now.
    """
    with operational_faults():
        async with read_only(engine).connect() as connection:
            found = [await rows.find_principal(connection, each) for each in await rows.list_registrars(connection)]
    return {each.id: each.name for each in found if each is not None}


def _opaque(random: Random) -> str:
    return f"p-{random(8).hex()}"


def show_account(found: StoredPrincipal, grants: Sequence[Grant]) -> PrincipalShown:
    """Show a principal with the roles that it holds."""
    return PrincipalShown(
        id=found.id,
        kind=found.kind,
        name=found.name,
        created=found.created,
        disabled=found.disabled,
        grants=tuple(
            GrantShown(each.authority, each.role, each.granted, each.granted_by, each.approved_by) for each in grants
        ),
    )
