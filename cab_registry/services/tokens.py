"""Tokens: what a principal shows to be let in; of its secret only a hash is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Final, get_args

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.services.refusals import MissingRole, NoSuchPrincipal, NoSuchToken, OtherAuthority, TokenRefused
from cab_registry.storage import tokens as rows
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.principals import (
    PrincipalKind,
    Role,
    StoredPrincipal,
    current_grants,
    find_principal,
    lock_roles,
)
from cab_registry.storage.tokens import StoredToken

Clock = Callable[[], datetime]
"""Gives the instant that it is, with its offset."""

Random = Callable[[int], bytes]
"""Gives so many bytes that nobody can guess."""

LIFETIME: Final = timedelta(days=90)
LONGEST_LIFETIME: Final = timedelta(days=366)
OVERLAP: Final = timedelta(minutes=10)
"""How long a rotated token still works, so that who lost the answer can ask again."""

NOTED_EVERY: Final = timedelta(minutes=1)
LONGEST_NAME: Final = 200

_TEXT: Final = re.compile(r"cab_([0-9a-f]{16})_([0-9a-f]{64})")
_NOBODY: Final = bytes(32)
_UNKNOWN: Final = "this is no token of the registry"


class Principal(msgspec.Struct, frozen=True):
    """Who a token lets in, as what: the roles that both the token names and the principal holds now."""

    id: str
    kind: PrincipalKind
    token: str
    authority: str
    roles: frozenset[Role]

    def require(self, *roles: Role, authority: str | None = None) -> None:
        """Hold that one of these roles is there, and that the authority is the one that the token speaks for.

        Raises:
            OtherAuthority, MissingRole: it is not so.
        """
        if authority is not None and authority != self.authority:
            raise OtherAuthority(self.authority, authority)
        if not self.roles.intersection(roles):
            raise MissingRole(self.authority, roles)


class TokenIssued(msgspec.Struct, frozen=True):
    """A new token; `text` is shown this once and kept nowhere."""

    token: StoredToken
    text: str


async def authenticate(engine: AsyncEngine, token_text: str, clock: Clock, authority: str | None = None) -> Principal:
    """Return who a token lets in, and note that it was used.

    Args:
        engine: the database.
        token_text: as the client showed it.
        clock: what time it is.
        authority: the authority that the request is for, where it names one.

    Raises:
        TokenRefused: the token is unknown, expired or revoked, or its principal is disabled.
        OtherAuthority: it speaks for another authority.
        StorageBusy: the database cannot serve now.
    """
    match = _TEXT.fullmatch(token_text)
    token_id, secret = (match[1], match[2]) if match is not None else ("", "")
    now = clock()
    with operational_faults():
        async with read_only(engine).connect() as connection:
            found = await rows.find_held(connection, token_id)
    # Compared in any case, so that the time taken does not tell which ids there are.
    known = compare_digest(_hash(secret), _NOBODY if found is None else found.secret_hash)
    if found is None or not known:
        raise TokenRefused(_UNKNOWN, "unknown" if token_id else "malformed", token_id or None)
    _refuse_ended(found.token, found.disabled, now)
    if authority is not None and authority != found.token.authority:
        raise OtherAuthority(found.token.authority, authority)
    last = found.token.last_used
    if last is None or now - last >= NOTED_EVERY:
        with operational_faults():
            async with engine.begin() as connection:
                await rows.note_use(connection, token_id, now, now - NOTED_EVERY)
    roles = found.held.intersection(found.token.roles)
    return Principal(found.token.principal, found.kind, token_id, found.token.authority, roles)


async def issue_token(  # noqa: PLR0913 - who gives whom what, for how long, and what time and chance give
    engine: AsyncEngine,
    acting: Principal,
    *,
    authority: str,
    roles: Sequence[Role],
    name: str,
    clock: Clock,
    random: Random,
    principal: str | None = None,
    lifetime: timedelta = LIFETIME,
) -> TokenIssued:
    """Issue a token, for oneself or, as registrar, for another principal; its text is in the answer and nowhere else.

    Raises:
        MissingRole, OtherAuthority: the token would be wider than what its principal holds, or than the token with
            which the caller asks for one of their own.
        NoSuchPrincipal: there is no such principal, or it is disabled.
        Refusal: no role, an empty name, or a lifetime that is out of bounds.
        StorageBusy: the database cannot serve now.
    """
    wanted = _checked_roles(roles)
    holder = principal or acting.id
    if holder != acting.id:
        acting.require("registrar")
    else:
        for role in wanted:
            acting.require(role, authority=authority)
    if not timedelta(minutes=1) <= lifetime <= LONGEST_LIFETIME:
        raise Refusal(f"a token lives for a minute at least and {LONGEST_LIFETIME.days} days at most")
    issued = make_token(holder, authority, wanted, checked_name(name), clock(), lifetime, random)
    with operational_faults():
        async with engine.begin() as connection:
            await lock_roles(connection)
            await find_able(connection, holder)
            held = {each.role for each in await current_grants(connection, [holder]) if each.authority == authority}
            lacking = [role for role in wanted if role not in held]
            if lacking:
                raise MissingRole(authority, lacking)
            await keep_token(connection, issued)
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

    The old one works for the overlap, so that who lost the answer can ask again; who fears for it revokes it.

    Raises:
        NoSuchToken: there is no such token of the caller's, or it is at an end.
        Refusal, MissingRole, OtherAuthority: as issue_token.
        StorageBusy: the database cannot serve now.
    """
    now = clock()
    with operational_faults():
        async with read_only(engine).connect() as connection:
            old = await rows.find_token(connection, token or acting.token)
    if old is None or old.principal != acting.id or old.revoked is not None or old.expires <= now:
        raise NoSuchToken("there is no such token of yours that still works")
    issued = await issue_token(
        engine,
        acting,
        authority=old.authority,
        roles=old.roles,
        name=old.name,
        clock=clock,
        random=random,
        lifetime=lifetime,
    )
    with operational_faults():
        async with engine.begin() as connection:
            await rows.shorten(connection, old.id, max(now + overlap, old.created + timedelta(microseconds=1)))
    return issued


async def revoke_token(engine: AsyncEngine, acting: Principal, *, token: str, clock: Clock) -> StoredToken:
    """Revoke a token, one's own or, as registrar, any; one that is revoked stays so from then.

    Raises:
        NoSuchToken: there is no such token, or it is another's and the caller is no registrar.
        StorageBusy: the database cannot serve now.
    """
    with operational_faults():
        async with engine.begin() as connection:
            found = await rows.find_token(connection, token)
            if found is None or (found.principal != acting.id and "registrar" not in acting.roles):
                raise NoSuchToken(f"there is no token {token} that is yours")
            await rows.set_revoked(connection, token, clock())
            return await rows.find_token(connection, token) or found


async def list_tokens(
    engine: AsyncEngine, acting: Principal, *, principal: str | None = None
) -> tuple[StoredToken, ...]:
    """List the tokens of oneself or, as registrar, of another, the newest first; never a secret.

    Raises:
        MissingRole: another's, and the caller is no registrar.
        StorageBusy: the database cannot serve now.
    """
    holder = principal or acting.id
    if holder != acting.id:
        acting.require("registrar")
    with operational_faults():
        async with read_only(engine).connect() as connection:
            return tuple(await rows.list_tokens(connection, holder))


def _refuse_ended(token: StoredToken, disabled: datetime | None, now: datetime) -> None:
    if token.revoked is not None:
        raise TokenRefused(f"the token was revoked on {token.revoked:%Y-%m-%d}", "revoked", token.id)
    if token.expires <= now:
        raise TokenRefused(f"the token expired on {token.expires:%Y-%m-%d}; ask for a new one", "expired", token.id)
    if disabled is not None:
        raise TokenRefused("the account of this token is disabled", "disabled", token.id)


async def keep_token(connection: AsyncConnection, issued: TokenIssued) -> None:
    """Keep a token, its secret hashed."""
    await rows.insert_token(connection, issued.token, _hash(issued.text.rpartition("_")[2]))


def make_token(
    principal: str,
    authority: str,
    roles: tuple[Role, ...],
    name: str,
    now: datetime,
    lifetime: timedelta,
    random: Random,
) -> TokenIssued:
    """Make a token that is not kept yet."""
    token_id, secret = random(8).hex(), random(32).hex()
    stored = StoredToken(
        id=token_id,
        principal=principal,
        authority=authority,
        roles=roles,
        name=name,
        created=now,
        expires=now + lifetime,
    )
    return TokenIssued(stored, f"cab_{token_id}_{secret}")


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _checked_roles(roles: Sequence[Role]) -> tuple[Role, ...]:
    wanted = tuple(dict.fromkeys(roles))
    unknown = [role for role in wanted if role not in get_args(Role)]
    if not wanted or unknown:
        allowed = ", ".join(get_args(Role))
        raise Refusal(f"a token has at least one role of: {allowed}", (Fault("/roles", f"one or more of: {allowed}"),))
    return wanted


async def find_known(connection: AsyncConnection, principal: str) -> StoredPrincipal:
    """Read a principal.

    Raises:
        NoSuchPrincipal: there is none.
    """
    found = await find_principal(connection, principal)
    if found is None:
        raise NoSuchPrincipal(f"there is no principal {principal}")
    return found


async def find_able(connection: AsyncConnection, principal: str) -> StoredPrincipal:
    """Read a principal that is not disabled.

    Raises:
        NoSuchPrincipal: there is none.
    """
    found = await find_known(connection, principal)
    if found.disabled is not None:
        raise NoSuchPrincipal(f"the principal {principal} is disabled")
    return found


def checked_name(name: str) -> str:
    """Return a name with single blanks.

    Raises:
        Refusal: it is empty, too long or not printable.
    """
    plain = " ".join(name.split())
    if not plain or len(plain) > LONGEST_NAME or not plain.isprintable():
        raise Refusal(f"a name has 1 to {LONGEST_NAME} characters", (Fault("/name", "empty, too long or unprintable"),))
    return plain
