"""Rows of policies: how an authority wants its submissions handled."""

from datetime import datetime
from typing import Final, Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.tables import authority_policy

ScopeWider = Literal["warn", "refuse"]


class StoredPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an authority's policy, entered by a submission; version zero stands for the default."""

    authority: str
    version: int = 0
    four_eyes: bool = False
    scope_wider: ScopeWider = "warn"
    since: datetime | None = None
    submission: str | None = None


_POLICY: Final = select(*(authority_policy.c[name] for name in StoredPolicy.__struct_fields__))


async def current_policy(connection: AsyncConnection, authority: str) -> StoredPolicy:
    """Read the policy of an authority as it stands; the default where it never stated one."""
    statement = _POLICY.where(authority_policy.c.authority == authority)
    row = (await connection.execute(statement.order_by(authority_policy.c.version.desc()).limit(1))).one_or_none()
    if row is None:
        return StoredPolicy(authority=authority)
    return StoredPolicy(**dict(zip(StoredPolicy.__struct_fields__, row, strict=True)))


async def insert_policy(connection: AsyncConnection, policy: StoredPolicy) -> None:
    """Keep the next version of a policy.

    Raises:
        sqlalchemy.exc.IntegrityError: there is that version already.
    """
    await connection.execute(authority_policy.insert().values(**msgspec.structs.asdict(policy)))
