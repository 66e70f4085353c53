"""Rows of invitations: hashes of codes, never the codes."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.accounts.tables import invitation
from cab_registry.storage.principals import Role

InvitationOutcome = Literal["redeemed", "cancelled", "expired"]


class StoredInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation without its code."""

    id: str
    principal: Annotated[str, Meta(description="Who is invited.")]
    authority: Annotated[str, Meta(description="For which authority the token will speak.")]
    roles: Annotated[tuple[Role, ...], Meta(description="What the token may be used for, as far as it is held.")]
    created: datetime
    created_by: Annotated[str | None, Meta(description="The registrar who invites; null: the operator.")]
    expires: datetime
    needs_approval: Annotated[
        bool, Meta(description="The invited has or had a token: another registrar agrees first, or the invited.")
    ]
    approved: datetime | None = None
    approved_by: str | None = None
    ended: datetime | None = None
    ended_by: str | None = None
    outcome: Annotated[InvitationOutcome | None, Meta(description="Null: it is open.")] = None

    @property
    def waits(self) -> bool:
        """Whether somebody else has to agree before it can be redeemed."""
        return self.needs_approval and self.approved is None


_FIELDS: Final = StoredInvitation.__struct_fields__
_FOUND: Final = select(*(invitation.c[name] for name in _FIELDS))
_OPEN: Final = invitation.c.outcome.is_(None)


async def insert_invitation(connection: AsyncConnection, new: StoredInvitation, code_hash: bytes) -> None:
    """Keep a new invitation."""
    await connection.execute(invitation.insert().values(**msgspec.structs.asdict(new), code_hash=code_hash))


async def find_invitation(connection: AsyncConnection, invitation_id: str) -> StoredInvitation | None:
    """Read an invitation."""
    row = (await connection.execute(_FOUND.where(invitation.c.id == invitation_id))).mappings().one_or_none()
    return None if row is None else _invitation_of(row)


async def read_code_hash(connection: AsyncConnection, invitation_id: str) -> bytes | None:
    """Read the hash of the code of an invitation; none where there is no such invitation."""
    found = await connection.scalar(select(invitation.c.code_hash).where(invitation.c.id == invitation_id))
    return None if found is None else bytes(found)


async def list_invitations(
    connection: AsyncConnection, *, principal: str | None, ended: bool, after: str, limit: int
) -> list[StoredInvitation]:
    """Read invitations in order of id, of one principal or of all, with those that ended or without."""
    wanted: list[ColumnElement[bool]] = [invitation.c.id > after]
    if principal is not None:
        wanted.append(invitation.c.principal == principal)
    if not ended:
        wanted.append(_OPEN)
    found = await connection.execute(_FOUND.where(*wanted).order_by(invitation.c.id).limit(limit))
    return [_invitation_of(row) for row in found.mappings()]


async def approve_invitation(connection: AsyncConnection, invitation_id: str, approved_by: str, now: datetime) -> None:
    """Note that somebody agreed to an invitation."""
    await connection.execute(
        invitation.update()
        .where(invitation.c.id == invitation_id, _OPEN, invitation.c.approved.is_(None))
        .values(approved=now, approved_by=approved_by)
    )


async def end_invitations(  # noqa: PLR0913 - what becomes of which of them, by whom
    connection: AsyncConnection,
    outcome: InvitationOutcome,
    now: datetime,
    *,
    ended_by: str | None = None,
    invitation_id: str | None = None,
    about: str | None = None,
    concerning: str | None = None,
    expired: bool = False,
) -> list[StoredInvitation]:
    """End open invitations and give them back.

    Args:
        connection: in a transaction.
        outcome: what became of them.
        now: the instant.
        ended_by: who ended them.
        invitation_id: the one of this id.
        about: those for this principal.
        concerning: those for this principal and those that it made.
        expired: those whose time is over.
    """
    wanted: list[ColumnElement[bool]] = [_OPEN]
    if invitation_id is not None:
        wanted.append(invitation.c.id == invitation_id)
    if about is not None:
        wanted.append(invitation.c.principal == about)
    if concerning is not None:
        wanted.append(or_(invitation.c.principal == concerning, invitation.c.created_by == concerning))
    if expired:
        wanted.append(invitation.c.expires <= now)
    ended = await connection.execute(
        invitation.update()
        .where(*wanted)
        .values(outcome=outcome, ended=now, ended_by=ended_by)
        .returning(*(invitation.c[name] for name in _FIELDS))
    )
    return sorted((_invitation_of(row) for row in ended.mappings()), key=lambda each: each.id)


def _invitation_of(row: Any) -> StoredInvitation:
    return msgspec.convert({name: row[name] for name in _FIELDS}, StoredInvitation)
