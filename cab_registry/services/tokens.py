"""Who asks: the token that a principal shows is looked up, and held again by whatever writes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.domain.lettering import find_mixed, find_unreadable
from cab_registry.services.accounts.acts import Change, note_act
from cab_registry.services.refusals import MissingRole, NoSuchPrincipal, OtherAuthority, TokenRefused
from cab_registry.storage import tokens as rows
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.principals import (
    PrincipalKind,
    Role,
    StoredPrincipal,
    find_principal,
    lock_roles,
    share_roles,
)
from cab_registry.storage.tokens import StoredToken, TokenHeld

Clock = Callable[[], datetime]
"""Gives the instant that it is, with its offset."""

Random = Callable[[int], bytes]
"""Gives so many bytes that nobody can guess."""

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


async def authenticate(engine: AsyncEngine, token_text: str, clock: Clock, authority: str | None = None) -> Principal:
    """Return who a token lets in, and note that it was used.

    Args:
        engine: the database.
        token_text: as the client showed it.
        clock: what time it is.
        authority: the authority that the request is for, where it names one.

    Raises:
        TokenRefused: the token is unknown, expired or revoked, or its principal is disabled, or its authority is
            retired. Where it was replaced by
            another and shown after its end, whoever holds the other may be a thief: all of them are revoked.
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
    known = compare_digest(hash_secret(secret), _NOBODY if found is None else found.secret_hash)
    if found is None or not known:
        raise TokenRefused(_UNKNOWN, "unknown" if token_id else "malformed", token_id or None)
    if found.token.replaced is not None and found.token.expires <= now:
        await _revoke_reused(engine, found.token, now)
    _refuse_ended(found, now)
    if authority is not None and authority != found.token.authority:
        raise OtherAuthority(found.token.authority, authority)
    last = found.token.last_used
    if last is None or now - last >= NOTED_EVERY:
        with operational_faults():
            async with engine.begin() as connection:
                await rows.note_use(connection, token_id, now, now - NOTED_EVERY)
    return _principal_of(found)


async def hold_authority(connection: AsyncConnection, acting: Principal, clock: Clock) -> Principal:
    """Read what a caller may do now, and let nobody change it until the transaction ends.

    Whatever writes calls this in its transaction, after the locks of the log and of a submission and before all others,
    and holds what it needs against what this gives.

    Raises:
        TokenRefused: the token ended since the caller was let in, or its principal was disabled, or its authority
            retired.
    """
    await share_roles(connection)
    return await _read_again(connection, acting, clock)


async def lock_accounts(connection: AsyncConnection, acting: Principal, clock: Clock) -> Principal:
    """Read what a caller may do now, and let nobody use or change what anybody may do until the transaction ends.

    Whatever changes principals, roles, tokens and invitations calls this in its transaction, before all other locks.

    Raises:
        TokenRefused: as hold_authority.
    """
    await lock_roles(connection)
    return await _read_again(connection, acting, clock)


@asynccontextmanager
async def changing_accounts(engine: AsyncEngine, acting: Principal, clock: Clock) -> AsyncIterator[AsyncConnection]:
    """Give a transaction in which a registrar changes what somebody may do; nobody else does meanwhile.

    Raises:
        MissingRole: the caller is not a registrar.
        TokenRefused: as hold_authority.
        StorageBusy: the database is unavailable.
    """
    acting.require("registrar")
    with operational_faults():
        async with engine.begin() as connection:
            (await lock_accounts(connection, acting, clock)).require("registrar")
            yield connection


async def _read_again(connection: AsyncConnection, acting: Principal, clock: Clock) -> Principal:
    found = await rows.find_held(connection, acting.token)
    if found is None or found.token.principal != acting.id:
        raise TokenRefused(_UNKNOWN, "unknown", acting.token)
    _refuse_ended(found, clock())
    return _principal_of(found)


async def _revoke_reused(engine: AsyncEngine, shown: StoredToken, now: datetime) -> None:
    """Revoke what took the place of a token that was shown after its end, and what was issued with any of these."""
    with operational_faults():
        async with engine.begin() as connection:
            await lock_roles(connection)
            revoked = await rows.revoke_family(connection, shown.family, now)
            if not revoked:
                return
            change = Change("token_revoked", shown.principal, {"why": "reused", "shown": shown.id, "tokens": revoked})
            await note_act(connection, shown.principal, change.on("token", *({"id": each} for each in revoked)))
    raise TokenRefused(
        f"the token was replaced on {shown.replaced:%Y-%m-%d} and shown again after its end, so somebody else may hold "
        "it: every token that came of it is revoked. Ask a registrar for a new invitation",
        "reused",
        shown.id,
    )


def _principal_of(found: TokenHeld) -> Principal:
    roles = found.held.intersection(found.token.roles)
    return Principal(found.token.principal, found.kind, found.token.id, found.token.authority, roles)


def _refuse_ended(held: TokenHeld, now: datetime) -> None:
    token = held.token
    if held.disabled is not None:
        raise TokenRefused("the account of this token is disabled", "disabled", token.id)
    if token.revoked is not None:
        raise TokenRefused(f"the token was revoked on {token.revoked:%Y-%m-%d}", "revoked", token.id)
    if token.expires <= now:
        raise TokenRefused(f"the token expired on {token.expires:%Y-%m-%d}; ask for a new one", "expired", token.id)
    if held.retired:
        raise TokenRefused(f"{token.authority} is retired, so nobody speaks for it", "retired", token.id)


def hash_secret(secret: str) -> bytes:
    """Hash a secret that is random and long, which needs no salt and no slowness."""
    return sha256(secret.encode()).digest()


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
        Refusal: it is empty, too long or not printable, or mixes scripts within a word.
    """
    if fault := find_unreadable(name) or find_mixed(name):
        raise Refusal("the name cannot be used", (Fault("/name", fault),))
    plain = " ".join(name.split())
    if not plain or len(plain) > LONGEST_NAME or not plain.isprintable():
        raise Refusal(f"a name has 1 to {LONGEST_NAME} characters", (Fault("/name", "empty, too long or unprintable"),))
    return plain
