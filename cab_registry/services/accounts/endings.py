"""What ends with the authority on which it rests: watches, endpoints, tokens, invitations, and roles that wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.services.accounts.acts import Change, note_act
from cab_registry.services.delivery.endpoints import end_endpoint
from cab_registry.storage import tokens as token_rows
from cab_registry.storage import watch_keeping, watches
from cab_registry.storage.accounts.invitations import StoredInvitation, end_invitations
from cab_registry.storage.accounts.proposals import end_proposals
from cab_registry.storage.acts.act import OPERATOR
from cab_registry.storage.endpoint_keeping import list_owned
from cab_registry.storage.principals import current_grants
from cab_registry.storage.tokens import revoke_all

if TYPE_CHECKING:
    from cab_registry.services.tokens import Principal


async def end_belongings(
    connection: AsyncConnection, principal: str, now: datetime, authority: str | None = None
) -> dict[str, Any]:
    """End the watches and endpoints of a principal, all or those for one authority; nothing more is sent for them.

    What waits to be delivered is held for good; an attempt that began ends as it does. Gives the ids of both.
    """
    await watches.lock_cursor(connection, share=True)
    endpoints = await list_owned(connection, principal, authority)
    for each in endpoints:
        await end_endpoint(connection, each, now)
    kept = await watch_keeping.list_owned(connection, principal, authority)
    for each in kept:
        await end_watch_unsent(connection, each, now)
    return {"endpoints": endpoints, "watches": kept}


async def end_watch_unsent(connection: AsyncConnection, watch_id: str, now: datetime) -> None:
    """End a watch, and send none of its notices that wait; the lock of the cursor is held."""
    await watches.end_watch(connection, watch_id, now)
    await watch_keeping.hold_pending(connection, watch_id)


async def end_account(connection: AsyncConnection, change: Change, ended_by: str, now: datetime) -> Change:
    """End all that a principal has, and what it proposed to others; gives the change with all that was written."""
    principal = change.principal
    tokens = await revoke_all(connection, principal, now)
    change = await end_offers(connection, change, ended_by, now)
    belongings = await end_belongings(connection, principal, now)
    return with_details(change, tokens=tokens, **belongings).on("token", *({"id": each} for each in tokens))


async def end_offers(connection: AsyncConnection, change: Change, ended_by: str, now: datetime) -> Change:
    """End the invitations and proposed roles for a principal and those that it made for others."""
    principal = change.principal
    invitations = await end_invitations(connection, "cancelled", now, ended_by=ended_by, concerning=principal)
    proposals = await end_proposals(connection, "refused", now, decided_by=ended_by, concerning=principal)
    change = change.on("invitation", *({"id": each.id} for each in invitations))
    change = change.on("role_proposal", *({"id": each.id} for each in proposals))
    return with_details(
        change, invitations=[each.id for each in invitations], proposals=[each.id for each in proposals]
    )


async def end_other_invitations(
    connection: AsyncConnection, acting: Principal | str, principal: str, now: datetime
) -> tuple[str, ...]:
    """Cancel what is open of the invitations of a principal, each with an act; gives the ids."""
    ended_by = acting if isinstance(acting, str) else acting.id
    ended = await end_invitations(
        connection, "cancelled", now, ended_by=None if ended_by == OPERATOR else ended_by, about=principal
    )
    await note_ended(connection, acting, ended)
    return tuple(each.id for each in ended)


async def note_ended(connection: AsyncConnection, acting: Principal | str, ended: Sequence[StoredInvitation]) -> None:
    """Append an act for each invitation that ended."""
    for each in ended:
        change = Change("invitation_ended", each.principal, {"invitation": each.id, "outcome": each.outcome})
        await note_act(connection, acting, change.on("invitation", {"id": each.id}), authority=each.authority)


async def end_idle_tokens(
    connection: AsyncConnection, principal: str, now: datetime, *, every: bool = False
) -> list[str]:
    """Revoke the tokens of a principal that carry no role, or every one; gives the ids."""
    if every:
        return await revoke_all(connection, principal, now)
    held = {(each.authority, each.role) for each in await current_grants(connection, [principal])}
    idle = [
        each.id
        for each in await token_rows.list_tokens(connection, principal)
        if each.revoked is None
        and each.expires > now
        and not any((each.authority, role) in held for role in each.roles)
    ]
    for each in idle:
        await token_rows.set_revoked(connection, each, now)
    return sorted(idle)


def with_details(change: Change, **details: Any) -> Change:
    """Return a change with further details, those left out that say nothing."""
    told = {key: value for key, value in details.items() if value}
    return Change(change.kind, change.principal, {**change.details, **told}, change.rows)
