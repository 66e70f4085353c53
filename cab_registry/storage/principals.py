"""Rows of principals and of the roles that they hold."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Row, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.tables import principal, record_version, role_grant, token

ROLES_LOCK: Final = 0x4341_4252_4F4C

PrincipalKind = Literal["person", "machine"]
Role = Literal["submitter", "approver", "auditor", "registrar"]


class StoredPrincipal(msgspec.Struct, frozen=True):
    """A person or a machine account; `name` is private, and none once it was erased."""

    id: str
    kind: PrincipalKind
    name: str | None
    created: datetime
    disabled: datetime | None


class Grant(msgspec.Struct, frozen=True):
    """A role that a principal holds, or held until `ended`, for an authority.

    Attributes:
        principal: who holds it.
        authority: for which authority.
        role: what it allows.
        granted: from when.
        ended: until when; none while it is held.
        granted_by: the registrar who proposed it; none for the first, whom the server's operator made.
        approved_by: the registrar who agreed; none for roles that were given while there was no other.
    """

    principal: str
    authority: str
    role: Role
    granted: datetime
    ended: datetime | None = None
    granted_by: str | None = None
    approved_by: str | None = None


_PRINCIPAL: Final = select(*(principal.c[name] for name in StoredPrincipal.__struct_fields__))
_GRANT: Final = select(*(role_grant.c[name] for name in Grant.__struct_fields__))


async def lock_roles(connection: AsyncConnection) -> None:
    """Wait until nobody uses or changes what principals may do, and let nobody until the end of the transaction.

    Whoever changes principals, roles, tokens or invitations takes it, after the locks of the log and of a submission
    and before those of watches and endpoints.
    """
    await connection.execute(select(func.pg_advisory_xact_lock(ROLES_LOCK)))


async def share_roles(connection: AsyncConnection) -> None:
    """Wait until nobody changes what principals may do, and let nobody until the end of the transaction."""
    await connection.execute(select(func.pg_advisory_xact_lock_shared(ROLES_LOCK)))


async def insert_principal(
    connection: AsyncConnection, principal_id: str, kind: PrincipalKind, name: str, created: datetime
) -> None:
    """Keep a new principal."""
    await connection.execute(principal.insert().values(id=principal_id, kind=kind, name=name, created=created))


async def find_principal(connection: AsyncConnection, principal_id: str) -> StoredPrincipal | None:
    """Read a principal."""
    row = (await connection.execute(_PRINCIPAL.where(principal.c.id == principal_id))).one_or_none()
    return None if row is None else _principal_of(row)


async def list_principals(
    connection: AsyncConnection, *, authority: str | None, after: str, limit: int
) -> list[StoredPrincipal]:
    """Read principals in order of id, all or those that hold a role for an authority."""
    statement = _PRINCIPAL.where(principal.c.id > after).order_by(principal.c.id).limit(limit)
    if authority is not None:
        holders = select(role_grant.c.principal).where(
            role_grant.c.authority == authority, role_grant.c.ended.is_(None)
        )
        statement = statement.where(principal.c.id.in_(holders))
    return [_principal_of(row) for row in await connection.execute(statement)]


async def set_disabled(connection: AsyncConnection, principal_id: str, disabled: datetime) -> None:
    """Disable a principal from an instant on; who is disabled already stays so from then."""
    await connection.execute(
        principal.update()
        .where(principal.c.id == principal_id, principal.c.disabled.is_(None))
        .values(disabled=disabled)
    )


async def erase_name(connection: AsyncConnection, principal_id: str) -> None:
    """Forget the name of a principal, for good."""
    await connection.execute(principal.update().where(principal.c.id == principal_id).values(name=None))


async def insert_grant(connection: AsyncConnection, grant: Grant) -> None:
    """Keep a role given.

    Raises:
        sqlalchemy.exc.IntegrityError: the principal holds the role already.
    """
    await connection.execute(role_grant.insert().values(**msgspec.structs.asdict(grant)))


async def end_grant(connection: AsyncConnection, grant: Grant, ended: datetime, ended_by: str) -> None:
    """End a role from an instant on."""
    await connection.execute(
        role_grant.update()
        .where(
            role_grant.c.principal == grant.principal,
            role_grant.c.authority == grant.authority,
            role_grant.c.role == grant.role,
            role_grant.c.ended.is_(None),
        )
        .values(ended=ended, ended_by=ended_by)
    )


async def current_grants(connection: AsyncConnection, principals: Iterable[str]) -> list[Grant]:
    """Read the roles that principals hold now, ordered."""
    found = await connection.execute(
        _GRANT.where(role_grant.c.principal == func.any(sorted(principals)), role_grant.c.ended.is_(None)).order_by(
            role_grant.c.principal, role_grant.c.authority, role_grant.c.role
        )
    )
    return [Grant(**row._mapping) for row in found]  # noqa: SLF001 - SQLAlchemy's public name for a row by its columns


async def list_grants_at_retired(connection: AsyncConnection) -> list[Grant]:
    """Read the roles that are held at authorities that are retired in the register, ordered."""
    retired = exists().where(
        record_version.c.id == role_grant.c.authority,
        record_version.c.until_position.is_(None),
        record_version.c.retired,
    )
    order = (role_grant.c.principal, role_grant.c.authority, role_grant.c.role)
    found = await connection.execute(_GRANT.where(role_grant.c.ended.is_(None), retired).order_by(*order))
    return [Grant(**row._mapping) for row in found]  # noqa: SLF001 - SQLAlchemy's public name for a row by its columns


_REGISTRARS: Final = (
    select(role_grant.c.principal)
    .select_from(role_grant.join(principal, principal.c.id == role_grant.c.principal))
    .where(role_grant.c.role == "registrar", role_grant.c.ended.is_(None), principal.c.disabled.is_(None))
)


async def list_registrars(connection: AsyncConnection) -> set[str]:
    """Read who holds the role of registrar now and is not disabled, whether they ever had a token or not."""
    return set((await connection.scalars(_REGISTRARS)).all())


async def list_active_registrars(connection: AsyncConnection) -> set[str]:
    """Read which of the registrars had a token, so that there is somebody behind them."""
    holders = select(token.c.principal)
    return set((await connection.scalars(_REGISTRARS.where(principal.c.id.in_(holders)))).all())


def _principal_of(row: Row[Any]) -> StoredPrincipal:
    return StoredPrincipal(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row by its columns
