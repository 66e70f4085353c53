"""Who acts: principals, and the roles that they hold for authorities."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.register.ownership import REGISTRAR
from cab_registry.services.tokens import (
    LIFETIME,
    Clock,
    Principal,
    Random,
    TokenIssued,
    authenticate,
    checked_name,
    find_able,
    find_known,
    issue_token,
    keep_token,
    list_tokens,
    make_token,
    revoke_token,
    rotate_token,
)
from cab_registry.storage import principals as rows
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.principals import Grant, PrincipalKind, Role, StoredPrincipal
from cab_registry.storage.records import latest_versions

__all__ = [
    "Clock",
    "GrantShown",
    "Principal",
    "PrincipalShown",
    "Random",
    "Role",
    "TokenIssued",
    "authenticate",
    "disable_principal",
    "end_role",
    "grant_role",
    "init_registrar",
    "issue_token",
    "list_principals",
    "list_tokens",
    "make_principal",
    "revoke_token",
    "rotate_token",
    "show_principal",
]

LARGEST_PAGE: Final = 500


class GrantShown(msgspec.Struct, frozen=True):
    """A role held for an authority."""

    authority: str
    role: Role
    granted: datetime


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
            if await rows.count_registrars(connection):
                raise Refusal("there is a registrar already; registrars make further principals")
            await rows.insert_principal(connection, principal_id, "person", named, now)
            await rows.insert_grant(connection, Grant(principal_id, REGISTRAR, "registrar", now, None), None)
            issued = make_token(principal_id, REGISTRAR, ("registrar",), "first token", now, LIFETIME, random)
            await keep_token(connection, issued)
    return issued.text


async def make_principal(
    engine: AsyncEngine, acting: Principal, *, name: str, kind: PrincipalKind, clock: Clock, random: Random
) -> PrincipalShown:
    """Make a principal without a role; a registrar does.

    Raises:
        MissingRole, OtherAuthority: the caller is no registrar.
        Refusal: the name is empty or too long.
        StorageBusy: the database cannot serve now.
    """
    acting.require("registrar")
    named, now, principal_id = checked_name(name), clock(), _opaque(random)
    with operational_faults():
        async with engine.begin() as connection:
            await rows.insert_principal(connection, principal_id, kind, named, now)
    return _show(StoredPrincipal(principal_id, kind, named, now, None), ())


async def grant_role(
    engine: AsyncEngine, acting: Principal, *, principal: str, authority: str, role: Role, clock: Clock
) -> PrincipalShown:
    """Give a principal a role at an authority; nothing happens where it is held already.

    Raises:
        MissingRole: the caller is no registrar.
        NoSuchPrincipal: there is no such principal, or it is disabled.
        Refusal: the register has no such authority, the role is not one of that authority, or the caller would give
            it to themselves.
        StorageBusy: the database cannot serve now.
    """
    acting.require("registrar")
    if principal == acting.id:
        raise Refusal("nobody gives a role to themselves; another registrar can")
    if role == "registrar" and authority != REGISTRAR:
        raise Refusal(f"registrar is a role at {REGISTRAR}", (Fault("/role", f"not at {authority}"),))
    now = clock()
    with operational_faults():
        async with engine.begin() as connection:
            await rows.lock_roles(connection)
            found = await find_able(connection, principal)
            if authority != REGISTRAR:
                await _require_authority(connection, authority)
            held = await rows.current_grants(connection, [principal])
            if not any((each.authority, each.role) == (authority, role) for each in held):
                new = Grant(principal, authority, role, now, None)
                await rows.insert_grant(connection, new, acting.id)
                held = await rows.current_grants(connection, [principal])
    return _show(found, held)


async def end_role(
    engine: AsyncEngine, acting: Principal, *, principal: str, authority: str, role: Role, clock: Clock
) -> PrincipalShown:
    """Take a role from a principal; nothing happens where it is not held.

    Raises:
        MissingRole: the caller is no registrar.
        NoSuchPrincipal: there is no such principal.
        Refusal: it is the last registrar.
        StorageBusy: the database cannot serve now.
    """
    acting.require("registrar")
    with operational_faults():
        async with engine.begin() as connection:
            await rows.lock_roles(connection)
            found = await find_known(connection, principal)
            held = await rows.current_grants(connection, [principal])
            ending = [each for each in held if (each.authority, each.role) == (authority, role)]
            if role == "registrar" and ending:
                await _keep_one_registrar(connection, found)
            for each in ending:
                await rows.end_grant(connection, each, clock(), acting.id)
    return _show(found, [each for each in held if each not in ending])


async def disable_principal(engine: AsyncEngine, acting: Principal, *, principal: str, clock: Clock) -> PrincipalShown:
    """Shut a principal out, with all its tokens, for good.

    Raises:
        MissingRole: the caller is no registrar.
        NoSuchPrincipal: there is no such principal.
        Refusal: it is the last registrar.
        StorageBusy: the database cannot serve now.
    """
    acting.require("registrar")
    with operational_faults():
        async with engine.begin() as connection:
            await rows.lock_roles(connection)
            found = await find_known(connection, principal)
            held = await rows.current_grants(connection, [principal])
            if found.disabled is None:
                if any(each.role == "registrar" for each in held):
                    await _keep_one_registrar(connection, found)
                await rows.set_disabled(connection, principal, clock())
            return _show(await find_known(connection, principal), held)


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
            return _show(found, await rows.current_grants(connection, [wanted]))


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
    return tuple(_show(each, [grant for grant in grants if grant.principal == each.id]) for each in found)


async def _require_authority(connection: AsyncConnection, authority: str) -> None:
    found = (await latest_versions(connection, [authority])).get(authority)
    if found is None or found.retired or found.type != "authority":
        raise Refusal(f"the register has no authority {authority}", (Fault("/authority", "no authority has the id"),))


async def _keep_one_registrar(connection: AsyncConnection, leaving: StoredPrincipal) -> None:
    if leaving.disabled is None and await rows.count_registrars(connection) <= 1:
        raise Refusal("this is the last registrar; make another first")


def _opaque(random: Random) -> str:
    return f"p-{random(8).hex()}"


def _show(found: StoredPrincipal, grants: Sequence[Grant]) -> PrincipalShown:
    return PrincipalShown(
        id=found.id,
        kind=found.kind,
        name=found.name,
        created=found.created,
        disabled=found.disabled,
        grants=tuple(GrantShown(each.authority, each.role, each.granted) for each in grants),
    )
