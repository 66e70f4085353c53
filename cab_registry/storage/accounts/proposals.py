"""Rows of roles that one registrar proposed, and of what another decided."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.accounts.tables import role_proposal
from cab_registry.storage.principals import Role

ProposalOutcome = Literal["granted", "refused", "expired"]


class StoredProposal(msgspec.Struct, frozen=True, kw_only=True):
    """A role that is proposed for a principal, or was."""

    id: str
    principal: Annotated[str, Meta(description="For whom.")]
    authority: Annotated[str, Meta(description="At which authority.")]
    role: Role
    proposed: datetime
    proposed_by: Annotated[str, Meta(description="The registrar who proposes it.")]
    decided: datetime | None = None
    decided_by: Annotated[
        str | None, Meta(description="The registrar who decided; null: none did, or there was no other yet.")
    ] = None
    outcome: Annotated[ProposalOutcome | None, Meta(description="Null: it waits for another registrar.")] = None


_FIELDS: Final = StoredProposal.__struct_fields__
_FOUND: Final = select(*(role_proposal.c[name] for name in _FIELDS))
_OPEN: Final = role_proposal.c.outcome.is_(None)


async def insert_proposal(connection: AsyncConnection, new: StoredProposal) -> None:
    """Keep a proposed role.

    Raises:
        sqlalchemy.exc.IntegrityError: the same waits already.
    """
    await connection.execute(role_proposal.insert().values(**msgspec.structs.asdict(new)))


async def find_proposal(connection: AsyncConnection, proposal_id: str) -> StoredProposal | None:
    """Read a proposed role."""
    row = (await connection.execute(_FOUND.where(role_proposal.c.id == proposal_id))).mappings().one_or_none()
    return None if row is None else _proposal_of(row)


async def find_open(
    connection: AsyncConnection, principal: str, authority: str, role: Role | None = None
) -> list[StoredProposal]:
    """Read what waits for a principal at an authority, of one role or of all."""
    wanted = [_OPEN, role_proposal.c.principal == principal, role_proposal.c.authority == authority]
    if role is not None:
        wanted.append(role_proposal.c.role == role)
    found = await connection.execute(_FOUND.where(*wanted).order_by(role_proposal.c.id))
    return [_proposal_of(row) for row in found.mappings()]


async def list_proposals(
    connection: AsyncConnection, *, principal: str | None, decided: bool, after: str, limit: int
) -> list[StoredProposal]:
    """Read proposed roles in order of id, of one principal or of all, with those that were decided or without."""
    wanted: list[ColumnElement[bool]] = [role_proposal.c.id > after]
    if principal is not None:
        wanted.append(role_proposal.c.principal == principal)
    if not decided:
        wanted.append(_OPEN)
    found = await connection.execute(_FOUND.where(*wanted).order_by(role_proposal.c.id).limit(limit))
    return [_proposal_of(row) for row in found.mappings()]


async def end_proposals(
    connection: AsyncConnection,
    outcome: ProposalOutcome,
    now: datetime,
    *,
    decided_by: str | None = None,
    proposal_id: str | None = None,
    concerning: str | None = None,
    proposed_before: datetime | None = None,
) -> list[StoredProposal]:
    """Decide on what waits and give it back.

    Args:
        connection: in a transaction.
        outcome: what became of it.
        now: the instant.
        decided_by: who decided.
        proposal_id: the one of this id.
        concerning: those for this principal and those that it proposed.
        proposed_before: those proposed at this instant or before.
    """
    wanted: list[ColumnElement[bool]] = [_OPEN]
    if proposal_id is not None:
        wanted.append(role_proposal.c.id == proposal_id)
    if concerning is not None:
        wanted.append(or_(role_proposal.c.principal == concerning, role_proposal.c.proposed_by == concerning))
    if proposed_before is not None:
        wanted.append(role_proposal.c.proposed <= proposed_before)
    ended = await connection.execute(
        role_proposal.update()
        .where(*wanted)
        .values(outcome=outcome, decided=now, decided_by=decided_by)
        .returning(*(role_proposal.c[name] for name in _FIELDS))
    )
    return sorted((_proposal_of(row) for row in ended.mappings()), key=lambda each: each.id)


def _proposal_of(row: Any) -> StoredProposal:
    return msgspec.convert({name: row[name] for name in _FIELDS}, StoredProposal)
