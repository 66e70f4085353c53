"""Rows of tokens: hashes of secrets, never the secrets."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from sqlalchemy import Text, cast, exists, func, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.principals import PrincipalKind, Role
from cab_registry.storage.tables import principal, record_version, role_grant, token


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
    caused_by: Annotated[
        str | None, Meta(description="Who caused it: its own principal, or who invited it; null: the operator.")
    ] = None
    invitation: Annotated[str | None, Meta(description="The invitation that was redeemed for it.")] = None
    parent: Annotated[str | None, Meta(description="The token with which it was issued or that it replaced.")] = None
    family: Annotated[str, Meta(description="Id of the first token of those that took the place of each other.")]
    replaced: Annotated[
        datetime | None, Meta(description="When another took its place; shown after its end, all of them are revoked.")
    ] = None
    renewable_until: Annotated[
        datetime, Meta(description="Neither it nor what comes of it works longer; then a new invitation is needed.")
    ]


class TokenHeld(msgspec.Struct, frozen=True):
    """A token as it is checked: the hash of its secret, its principal, and the roles that its principal holds now.

    Attributes:
        token: see there.
        secret_hash: SHA-256 of its secret.
        kind: of its principal.
        disabled: since when its principal is.
        held: the roles of its principal at its authority.
        retired: whether its authority is retired in the register.
    """

    token: StoredToken
    secret_hash: bytes
    kind: PrincipalKind
    disabled: datetime | None
    held: frozenset[Role]
    retired: bool


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
_RETIRED: Final = exists().where(
    record_version.c.id == token.c.authority, record_version.c.until_position.is_(None), record_version.c.retired
)
_HELD: Final = select(
    *(token.c[name] for name in _FIELDS),
    *(token.c.secret_hash, principal.c.kind, principal.c.disabled, _ROLES, _RETIRED),
).select_from(token.join(principal, principal.c.id == token.c.principal))


async def insert_token(connection: AsyncConnection, stored: StoredToken, secret_hash: bytes) -> None:
    """Keep a new token."""
    await connection.execute(token.insert().values(**msgspec.structs.asdict(stored), secret_hash=secret_hash))


async def find_held(connection: AsyncConnection, token_id: str) -> TokenHeld | None:
    """Read what is needed to check a token."""
    row = (await connection.execute(_HELD.where(token.c.id == token_id))).one_or_none()
    if row is None:
        return None
    *values, secret_hash, kind, disabled, roles, retired = row
    return TokenHeld(_token_of(values), secret_hash, kind, disabled, frozenset(roles), retired)


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


async def has_token(connection: AsyncConnection, principal_id: str) -> bool:
    """Whether a principal ever had a token."""
    return bool(await connection.scalar(select(exists().where(token.c.principal == principal_id))))


async def set_replaced(connection: AsyncConnection, token_id: str, now: datetime, expires: datetime) -> None:
    """Note that another token took the place of one, and let that expire at an instant, if it would live longer."""
    await connection.execute(
        token.update()
        .where(token.c.id == token_id)
        .values(replaced=func.coalesce(token.c.replaced, now), expires=func.least(token.c.expires, expires))
    )


async def list_successors(connection: AsyncConnection, replaced: StoredToken) -> list[StoredToken]:
    """Read the tokens that took the place of one directly."""
    found = _TOKEN.where(token.c.parent == replaced.id, token.c.family == replaced.family)
    return [_token_of(row) for row in await connection.execute(found.order_by(token.c.created, token.c.id))]


_DESCENDED: Final = text("""
    WITH RECURSIVE doomed AS (
        SELECT id, family FROM token WHERE family = :family
        UNION
        SELECT token.id, token.family FROM token
            JOIN doomed ON token.parent = doomed.id OR token.family = doomed.family
    )
    UPDATE token SET revoked = greatest(:now, token.created) FROM doomed
    WHERE token.id = doomed.id AND token.revoked IS NULL AND token.expires > :now
    RETURNING token.id
""")


async def revoke_family(connection: AsyncConnection, family: str, now: datetime) -> list[str]:
    """Revoke what still works of a family, and of all that was issued with it; gives the ids."""
    return sorted((await connection.scalars(_DESCENDED, {"family": family, "now": now})).all())


async def revoke_all(connection: AsyncConnection, principal_id: str, now: datetime) -> list[str]:
    """Revoke every token of a principal that is not; gives the ids."""
    found = await connection.scalars(
        token.update()
        .where(token.c.principal == principal_id, token.c.revoked.is_(None))
        .values(revoked=now)
        .returning(token.c.id)
    )
    return sorted(found.all())


async def set_revoked(connection: AsyncConnection, token_id: str, revoked: datetime) -> None:
    """Revoke a token from an instant on; one that is revoked already stays so from then."""
    await connection.execute(
        token.update().where(token.c.id == token_id, token.c.revoked.is_(None)).values(revoked=revoked)
    )


def _token_of(values: Iterable[object]) -> StoredToken:
    return msgspec.convert(dict(zip(_FIELDS, values, strict=True)), StoredToken)
