"""Rows of tokens: hashes of secrets, never the secrets."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Text, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.principals import PrincipalKind, Role
from cab_registry.storage.tables import principal, role_grant, token


class StoredToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token without its secret."""

    id: str
    principal: str
    authority: str
    roles: tuple[Role, ...]
    name: str
    created: datetime
    expires: datetime
    revoked: datetime | None = None
    last_used: datetime | None = None


class TokenHeld(msgspec.Struct, frozen=True):
    """A token as it is checked: the hash of its secret, its principal, and the roles that its principal holds now."""

    token: StoredToken
    secret_hash: bytes
    kind: PrincipalKind
    disabled: datetime | None
    held: frozenset[Role]


_FIELDS: Final = StoredToken.__struct_fields__
_TOKEN: Final = select(*(token.c[name] for name in _FIELDS))
_ROLES: Final = (
    select(func.coalesce(func.array_agg(role_grant.c.role), cast(array([]), ARRAY(Text))))
    .where(
        role_grant.c.principal == token.c.principal,
        role_grant.c.authority == token.c.authority,
        role_grant.c.ended.is_(None),
    )
    .scalar_subquery()
)
_HELD: Final = select(
    *(token.c[name] for name in _FIELDS), token.c.secret_hash, principal.c.kind, principal.c.disabled, _ROLES
).select_from(token.join(principal))


async def insert_token(connection: AsyncConnection, stored: StoredToken, secret_hash: bytes) -> None:
    """Keep a new token."""
    await connection.execute(token.insert().values(**msgspec.structs.asdict(stored), secret_hash=secret_hash))


async def find_held(connection: AsyncConnection, token_id: str) -> TokenHeld | None:
    """Read what is needed to check a token."""
    row = (await connection.execute(_HELD.where(token.c.id == token_id))).one_or_none()
    if row is None:
        return None
    *values, secret_hash, kind, disabled, roles = row
    return TokenHeld(_token_of(values), secret_hash, kind, disabled, frozenset(roles))


async def find_token(connection: AsyncConnection, token_id: str) -> StoredToken | None:
    """Read a token."""
    row = (await connection.execute(_TOKEN.where(token.c.id == token_id))).one_or_none()
    return None if row is None else _token_of(row)


async def list_tokens(connection: AsyncConnection, principal_id: str) -> list[StoredToken]:
    """Read all tokens of a principal, the newest first."""
    statement = _TOKEN.where(token.c.principal == principal_id).order_by(token.c.created.desc(), token.c.id)
    return [_token_of(row) for row in await connection.execute(statement)]


async def note_use(connection: AsyncConnection, token_id: str, now: datetime, unless_after: datetime) -> None:
    """Note that a token was used, unless another process did so after an instant."""
    await connection.execute(
        token.update()
        .where(token.c.id == token_id, or_(token.c.last_used.is_(None), token.c.last_used <= unless_after))
        .values(last_used=now)
    )


async def set_revoked(connection: AsyncConnection, token_id: str, revoked: datetime) -> None:
    """Revoke a token from an instant on; one that is revoked already stays so from then."""
    await connection.execute(
        token.update().where(token.c.id == token_id, token.c.revoked.is_(None)).values(revoked=revoked)
    )


async def shorten(connection: AsyncConnection, token_id: str, expires: datetime) -> None:
    """Let a token expire at an instant, if it would live longer."""
    await connection.execute(
        token.update().where(token.c.id == token_id, token.c.expires > expires).values(expires=expires)
    )


def _token_of(values: Iterable[object]) -> StoredToken:
    return msgspec.convert(dict(zip(_FIELDS, values, strict=True)), StoredToken)
