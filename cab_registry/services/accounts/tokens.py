"""Tokens of one's own: issued, replaced, revoked and listed; of a secret only a hash is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, get_args

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.register.ownership import REGISTRAR
from cab_registry.services.accounts.acts import Change, note_act
from cab_registry.services.refusals import NoSuchToken
from cab_registry.services.tokens import Clock, Principal, Random, checked_name, hash_secret, lock_accounts
from cab_registry.storage import tokens as rows
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.principals import Role, list_registrars
from cab_registry.storage.tokens import StoredToken

LIFETIME: Final = timedelta(days=90)
LONGEST_LIFETIME: Final = timedelta(days=366)
"""How long one token works at most, and how long after an invitation was redeemed anything that came of it does."""

OVERLAP: Final = timedelta(minutes=10)
"""How long a rotated token still works, so that who lost the answer can ask again."""


class TokenRevoked(StoredToken, frozen=True, kw_only=True):
    """A token that is revoked, and which others ended with it."""

    also_revoked: Annotated[
        tuple[str, ...],
        Meta(description="Ids of what it replaced or was replaced by, and of what was issued with any of these."),
    ] = ()


class TokenIssued(msgspec.Struct, frozen=True):
    """A new token; `text` is shown this once and kept nowhere."""

    token: StoredToken
    text: str


async def issue_token(  # noqa: PLR0913 - for what, for how long, and what time and chance give
    engine: AsyncEngine,
    acting: Principal,
    *,
    authority: str,
    roles: Sequence[Role],
    name: str,
    clock: Clock,
    random: Random,
    lifetime: timedelta = LIFETIME,
) -> TokenIssued:
    """Issue a further token for oneself; its text is in the answer and nowhere else.

    It can do no more than the token that asks for it, and works no longer than that can be renewed.

    Raises:
        MissingRole, OtherAuthority: the token would be wider than the one with which the caller asks.
        TokenRefused: that one ended meanwhile.
        Refusal: no role, an empty name, or a lifetime that is out of bounds.
        StorageBusy: the database cannot serve now.
    """
    wanted, named = checked_roles(roles), checked_name(name)
    check_lifetime(lifetime)
    with operational_faults():
        async with engine.begin() as connection:
            held = await lock_accounts(connection, acting, clock)
            for role in wanted:
                held.require(role, authority=authority)
            own = await _read(connection, acting.token)
            issued = make_token(
                acting.id, authority, wanted, named, now=clock(), lifetime=lifetime, random=random,
                until=own.renewable_until, caused_by=acting.id, parent=own.id,
            )  # fmt: skip
            await keep_token(connection, issued)
            change = Change("token_issued", acting.id, {"token": issued.token.id, "with": own.id})
            await note_act(connection, acting, change.on("token", {"id": issued.token.id}), authority=authority)
    return issued


async def rotate_token(
    engine: AsyncEngine,
    acting: Principal,
    *,
    clock: Clock,
    random: Random,
    token: str | None = None,
    lifetime: timedelta = LIFETIME,
    overlap: timedelta = OVERLAP,
) -> TokenIssued:
    """Issue a token in the place of one of one's own, the one in use unless another is named.

    The old one works for the overlap, so that who lost the answer can ask again: what took its place and was never
    used is revoked then. Shown after the overlap, it revokes all that came of it, since two parties seem to hold it.

    Raises:
        NoSuchToken: there is no such token of the caller's, it is at an end, or what took its place is in use already.
        MissingRole, OtherAuthority: it would be wider than the token with which the caller asks.
        TokenRefused: that one ended meanwhile.
        Refusal: the lifetime is out of bounds.
        StorageBusy: the database cannot serve now.
    """
    check_lifetime(lifetime)
    with operational_faults():
        async with engine.begin() as connection:
            held = await lock_accounts(connection, acting, clock)
            now = clock()
            old = await rows.find_token(connection, token or acting.token)
            if old is None or old.principal != acting.id or old.revoked is not None or old.expires <= now:
                raise NoSuchToken("there is no such token of yours that still works")
            if old.id != acting.token:
                for role in old.roles:
                    held.require(role, authority=old.authority)
            unused = await _revoke_unused(connection, old, now)
            issued = make_token(
                acting.id, old.authority, old.roles, old.name, now=now, lifetime=lifetime, random=random,
                until=old.renewable_until, caused_by=acting.id, parent=old.id, family=old.family,
            )  # fmt: skip
            await keep_token(connection, issued)
            ends = max(now + overlap, old.created + timedelta(microseconds=1))
            await rows.set_replaced(connection, old.id, now, ends)
            details = {"token": issued.token.id, "replaces": old.id, "revoked": unused}
            written = ({"id": each} for each in (issued.token.id, old.id, *unused))
            change = Change("token_issued", acting.id, details).on("token", *written)
            await note_act(connection, acting, change, authority=old.authority)
    return issued


async def revoke_token(engine: AsyncEngine, acting: Principal, *, token: str, clock: Clock) -> TokenRevoked:
    """Revoke a token, one's own or, as registrar, another's; one that is revoked stays so from then.

    Whoever stole it may have replaced it, or issued others with it: what it replaced or was replaced by ends with it,
    and what was issued with any of these. A registrar's token as registrar is revoked by its holder alone, since
    otherwise one registrar could put out of action the other who has to agree.

    Raises:
        NoSuchToken: there is no such token, or it is another's and the caller is not a registrar.
        Refusal: it is another registrar's.
        TokenRefused: the caller's token ended meanwhile.
        StorageBusy: the database cannot serve now.
    """
    with operational_faults():
        async with engine.begin() as connection:
            held = await lock_accounts(connection, acting, clock)
            now = clock()
            found = await rows.find_token(connection, token)
            if found is None or (found.principal != acting.id and "registrar" not in held.roles):
                raise NoSuchToken(f"there is no token {token} that is yours")
            if found.principal != acting.id:
                await _refuse_registrars(connection, found)
            await rows.set_revoked(connection, token, now)
            others = await rows.revoke_family(connection, found.family, now)
            ended = [*([token] if found.revoked is None else []), *others]
            if ended:
                change = Change("token_revoked", found.principal, {"tokens": ended})
                written = change.on("token", *({"id": each} for each in ended))
                await note_act(connection, acting, written, authority=found.authority)
            shown = await _read(connection, token)
    return TokenRevoked(**msgspec.structs.asdict(shown), also_revoked=tuple(others))


async def list_tokens(
    engine: AsyncEngine, acting: Principal, *, principal: str | None = None
) -> tuple[StoredToken, ...]:
    """List the tokens of oneself or, as registrar, of another, the newest first; never a secret.

    Raises:
        MissingRole: another's, and the caller is not a registrar.
        StorageBusy: the database cannot serve now.
    """
    holder = principal or acting.id
    if holder != acting.id:
        acting.require("registrar")
    with operational_faults():
        async with read_only(engine).connect() as connection:
            return tuple(await rows.list_tokens(connection, holder))


async def keep_token(connection: AsyncConnection, issued: TokenIssued) -> None:
    """Keep a token, its secret hashed."""
    await rows.insert_token(connection, issued.token, hash_secret(issued.text.rpartition("_")[2]))


def make_token(  # noqa: PLR0913 - whose it is, for what, for how long, and where it comes from
    principal: str,
    authority: str,
    roles: tuple[Role, ...],
    name: str,
    *,
    now: datetime,
    lifetime: timedelta,
    random: Random,
    until: datetime | None = None,
    caused_by: str | None = None,
    invitation: str | None = None,
    parent: str | None = None,
    family: str | None = None,
) -> TokenIssued:
    """Make a token that is not kept yet: the first of a family unless one is named.

    Args:
        principal: whose it is.
        authority: for which authority it speaks.
        roles: what it may be used for.
        name: what it is called in lists.
        now: the instant.
        lifetime: how long it works, if it can be renewed so long.
        random: where its secret comes from.
        until: until when it can be renewed; a year and a day from now for a first one.
        caused_by: who caused it.
        invitation: that was redeemed for it.
        parent: the token that it replaces or was issued with.
        family: the first token of those that took the place of each other.
    """
    token_id, secret = random(8).hex(), random(32).hex()
    renewable_until = until or now + LONGEST_LIFETIME
    stored = StoredToken(
        id=token_id,
        principal=principal,
        authority=authority,
        roles=roles,
        name=name,
        created=now,
        expires=min(now + lifetime, renewable_until),
        caused_by=caused_by,
        invitation=invitation,
        parent=parent,
        family=family or token_id,
        renewable_until=renewable_until,
    )
    return TokenIssued(stored, f"cab_{token_id}_{secret}")


def checked_roles(roles: Sequence[Role]) -> tuple[Role, ...]:
    """Return roles, each once.

    Raises:
        Refusal: there is none, or one that is unknown.
    """
    wanted = tuple(dict.fromkeys(roles))
    unknown = [role for role in wanted if role not in get_args(Role)]
    if not wanted or unknown:
        allowed = ", ".join(get_args(Role))
        raise Refusal(f"a token has at least one role of: {allowed}", (Fault("/roles", f"one or more of: {allowed}"),))
    return wanted


def check_lifetime(lifetime: timedelta) -> None:
    """Hold that a token may live so long.

    Raises:
        Refusal: it may not.
    """
    if not timedelta(minutes=1) <= lifetime <= LONGEST_LIFETIME:
        raise Refusal(f"a token lives for a minute at least and {LONGEST_LIFETIME.days} days at most")


async def _refuse_registrars(connection: AsyncConnection, found: StoredToken) -> None:
    """Hold that a token of somebody else is not that of a registrar.

    Raises:
        Refusal: it is.
    """
    speaks = found.authority == REGISTRAR and "registrar" in found.roles
    if speaks and found.principal in await list_registrars(connection):
        raise Refusal(
            f"{found.principal} is a registrar, and only they revoke this token. If they cannot, the operator of the "
            f"server runs cab admin recover {found.principal}: what they get then ends their earlier tokens"
        )


async def _read(connection: AsyncConnection, token_id: str) -> StoredToken:
    found = await rows.find_token(connection, token_id)
    if found is None:
        raise NoSuchToken(f"there is no token {token_id}")
    return found


async def _revoke_unused(connection: AsyncConnection, old: StoredToken, now: datetime) -> list[str]:
    """Revoke what took the place of a token whose bearer asks again; whoever uses that already would be another."""
    successors = [each for each in await rows.list_successors(connection, old) if each.revoked is None]
    if any(each.last_used is not None for each in successors):
        raise NoSuchToken("this token was replaced already, and the one that took its place is in use: use that")
    for each in successors:
        await rows.set_revoked(connection, each.id, now)
    return [each.id for each in successors]
