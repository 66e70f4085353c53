"""Roles: proposed by one registrar, granted by another, and ended by either."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.register.ownership import REGISTRAR
from cab_registry.services.accounts.acts import Change, note_act
from cab_registry.services.accounts.endings import end_belongings, end_offers, end_other_invitations, with_details
from cab_registry.services.accounts.registrars import is_alone, keep_two, refuse_third
from cab_registry.services.principals import PrincipalShown, show_account
from cab_registry.services.refusals import NoSuchProposal, OwnProposal
from cab_registry.services.tokens import Clock, Principal, Random, changing_accounts, find_able, find_known
from cab_registry.storage import principals as rows
from cab_registry.storage.accounts import proposals as kept
from cab_registry.storage.accounts.proposals import StoredProposal
from cab_registry.storage.acts.act import JOBS
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.principals import Grant, Role
from cab_registry.storage.records import latest_versions
from cab_registry.storage.tokens import has_token

WAITS_FOR: Final = timedelta(days=30)
"""How long a proposed role waits for another registrar."""


async def propose_role(
    engine: AsyncEngine,
    acting: Principal,
    *,
    principal: str,
    authority: str,
    role: Role,
    clock: Clock,
    random: Random,
) -> StoredProposal:
    """Propose a role at an authority for a principal; it is held once another registrar approves it.

    What waits already is given back as it is. While no other registrar ever had a token there is nobody to approve:
    then the role of a registrar is held at once, by one other principal at most, so that there will be two.

    Raises:
        MissingRole: the caller is not a registrar.
        NoSuchPrincipal: there is no such principal, or it is disabled.
        Refusal: the register has no such authority, the role is not one of that authority, the caller would give it to
            themselves, or it is held already.
        TokenRefused: the caller's token ended meanwhile.
        StorageBusy: the database cannot serve now.
    """
    acting.require("registrar")
    if principal == acting.id:
        raise OwnProposal("nobody gives a role to themselves; another registrar can propose it")
    if role == "registrar" and authority != REGISTRAR:
        raise Refusal(f"registrar is a role at {REGISTRAR}", (Fault("/role", f"not at {authority}"),))
    async with changing_accounts(engine, acting, clock) as connection:
        now = clock()
        await find_able(connection, principal)
        await require_authority(connection, authority)
        await refuse_held(connection, principal, authority, role)
        await end_expired_proposals(connection, now)
        waiting = await kept.find_open(connection, principal, authority, role)
        if waiting:
            return waiting[0]
        new = StoredProposal(
            id=f"g-{random(8).hex()}", principal=principal, authority=authority, role=role,
            proposed=now, proposed_by=acting.id,
        )  # fmt: skip
        await kept.insert_proposal(connection, new)
        if role == "registrar" and await is_alone(connection, acting.id):
            await refuse_third(connection, acting.id, principal)
            return await _grant(connection, acting, new, None, now)
        change = Change("role_asked", principal, {"proposal": new.id, "role": role})
        await note_act(connection, acting, change.on("role_proposal", {"id": new.id}), authority=authority)
    return new


async def approve_role(engine: AsyncEngine, acting: Principal, *, proposal: str, clock: Clock) -> StoredProposal:
    """Grant a role that another registrar proposed; approving again what is granted changes nothing.

    The principal has redeemed an invitation before, so that whoever approves can ask the person which token that was.
    Its open invitations end: a further token, which could carry this role, needs consent of its own.

    Raises:
        MissingRole: the caller is not a registrar.
        NoSuchProposal: there is none.
        OwnProposal: the caller proposed it, or would get the role.
        NoSuchPrincipal: the principal is disabled.
        Refusal: it was refused or waited too long, its proposer is no longer a registrar, its authority is gone, or
            the principal has not redeemed an invitation yet.
        TokenRefused: the caller's token ended meanwhile.
        StorageBusy: the database cannot serve now.
    """
    async with changing_accounts(engine, acting, clock) as connection:
        now = clock()
        found = await _find(connection, proposal)
        if acting.id in {found.proposed_by, found.principal}:
            raise OwnProposal("another registrar approves it: neither who proposed it nor who gets the role")
        if found.outcome == "granted":
            return found
        if found.outcome is not None or found.proposed + WAITS_FOR <= now:
            raise Refusal(f"the proposal {proposal} is over; propose the role again")
        if found.proposed_by not in await rows.list_registrars(connection):
            raise Refusal("who proposed it is no longer a registrar; propose the role again")
        await find_able(connection, found.principal)
        await require_authority(connection, found.authority)
        if not await has_token(connection, found.principal):
            raise Refusal(f"{found.principal} has not redeemed an invitation yet; approve it afterwards")
        await end_other_invitations(connection, acting, found.principal, now)
        return await _grant(connection, acting, found, acting.id, now)


async def refuse_role(engine: AsyncEngine, acting: Principal, *, proposal: str, clock: Clock) -> StoredProposal:
    """Refuse a role that waits, or take back what one proposed; one registrar can, since nothing is given.

    Raises:
        MissingRole: the caller is not a registrar.
        NoSuchProposal: there is none.
        Refusal: it is granted already.
        TokenRefused: the caller's token ended meanwhile.
        StorageBusy: the database cannot serve now.
    """
    async with changing_accounts(engine, acting, clock) as connection:
        found = await _find(connection, proposal)
        if found.outcome == "granted":
            raise Refusal(f"{found.principal} holds the role already; end it instead")
        ended = await kept.end_proposals(connection, "refused", clock(), decided_by=acting.id, proposal_id=proposal)
        if not ended:
            return found
        change = Change("role_refused", found.principal, {"proposal": proposal, "role": found.role})
        await note_act(connection, acting, change.on("role_proposal", {"id": proposal}), authority=found.authority)
    return ended[0]


async def list_proposals(
    engine: AsyncEngine,
    acting: Principal,
    *,
    principal: str | None = None,
    decided: bool = False,
    after: str = "",
    limit: int = 100,
) -> tuple[StoredProposal, ...]:
    """List proposed roles in order of id: all, for registrars, or those for oneself.

    Raises:
        MissingRole: others', and the caller is not a registrar.
        StorageBusy: the database cannot serve now.
    """
    if principal != acting.id:
        acting.require("registrar")
    with operational_faults():
        async with read_only(engine).connect() as connection:
            return tuple(
                await kept.list_proposals(connection, principal=principal, decided=decided, after=after, limit=limit)
            )


async def end_role(
    engine: AsyncEngine, acting: Principal, *, principal: str, authority: str, role: Role, clock: Clock
) -> PrincipalShown:
    """Take a role from a principal; nothing happens where it is not held. One registrar can, since nothing is given.

    With the last role at an authority end the watches and endpoints that the principal keeps for it; with the role of
    a registrar, the invitations and proposed roles that it made.

    Raises:
        MissingRole: the caller is not a registrar.
        NoSuchPrincipal: there is no such principal.
        Refusal: it is the last registrar, or one of two.
        TokenRefused: the caller's token ended meanwhile.
        StorageBusy: the database cannot serve now.
    """
    async with changing_accounts(engine, acting, clock) as connection:
        found, now = await find_known(connection, principal), clock()
        held = await rows.current_grants(connection, [principal])
        ending = [each for each in held if (each.authority, each.role) == (authority, role)]
        left = [each for each in held if each not in ending]
        if ending:
            if role == "registrar":
                await keep_two(connection, principal)
            await _end_grants(connection, acting, ending, left, now)
    return show_account(found, left)


async def end_roles_at_retired(connection: AsyncConnection, now: datetime) -> int:
    """End the roles at authorities that are retired, with what is kept for these; give back how many."""
    await rows.lock_roles(connection)
    ending = await rows.list_grants_at_retired(connection)
    for number, each in enumerate(ending, 1):
        await _end_grants(connection, JOBS, [each], ending[number:], now)
    return len(ending)


async def _end_grants(
    connection: AsyncConnection,
    acting: Principal | str,
    ending: Sequence[Grant],
    left: Sequence[Grant],
    now: datetime,
) -> None:
    ended_by = acting if isinstance(acting, str) else acting.id
    for each in ending:
        await rows.end_grant(connection, each, now, ended_by)
    one = ending[0]
    keys = ({"principal": each.principal, "authority": each.authority, "role": each.role, "granted": each.granted}
            for each in ending)  # fmt: skip
    change = Change("role_ended", one.principal, {"role": one.role}).on("role_grant", *keys)
    if one.role == "registrar":
        change = await end_offers(connection, change, ended_by, now)
    if not any((each.principal, each.authority) == (one.principal, one.authority) for each in left):
        change = with_details(change, **await end_belongings(connection, one.principal, now, one.authority))
    await note_act(connection, acting, change, authority=one.authority)


async def require_authority(connection: AsyncConnection, authority: str) -> None:
    """Hold that the register has an authority, or that it is the registrar's own.

    Raises:
        Refusal: it has none of this id.
    """
    if authority == REGISTRAR:
        return
    found = (await latest_versions(connection, [authority])).get(authority)
    if found is None or found.retired or found.type != "authority":
        raise Refusal(f"the register has no authority {authority}", (Fault("/authority", "no authority has the id"),))


async def refuse_held(connection: AsyncConnection, principal: str, authority: str, role: Role) -> None:
    """Hold that a principal does not hold a role yet.

    Raises:
        Refusal: it does.
    """
    held = await rows.current_grants(connection, [principal])
    if any((each.authority, each.role) == (authority, role) for each in held):
        raise Refusal(f"{principal} is {role} at {authority} already")


async def _grant(
    connection: AsyncConnection, acting: Principal, proposal: StoredProposal, approved_by: str | None, now: datetime
) -> StoredProposal:
    (done,) = await kept.end_proposals(connection, "granted", now, decided_by=approved_by, proposal_id=proposal.id)
    held = await rows.current_grants(connection, [proposal.principal])
    change = Change("role_granted", proposal.principal, {"proposal": proposal.id, "role": proposal.role})
    change = change.on("role_proposal", {"id": proposal.id})
    if not any((each.authority, each.role) == (proposal.authority, proposal.role) for each in held):
        new = Grant(
            proposal.principal, proposal.authority, proposal.role, now,
            granted_by=proposal.proposed_by, approved_by=approved_by,
        )  # fmt: skip
        await rows.insert_grant(connection, new)
        key = {"principal": new.principal, "authority": new.authority, "role": new.role, "granted": now}
        change = change.on("role_grant", key)
    await note_act(connection, acting, change, authority=proposal.authority)
    return done


async def _find(connection: AsyncConnection, proposal_id: str) -> StoredProposal:
    found = await kept.find_proposal(connection, proposal_id)
    if found is None:
        raise NoSuchProposal(f"there is no proposed role {proposal_id}")
    return found


async def end_expired_proposals(connection: AsyncConnection, now: datetime) -> int:
    """End the proposed roles that waited too long, each with an act; give back how many. The roles lock is held."""
    ended = await kept.end_proposals(connection, "expired", now, proposed_before=now - WAITS_FOR)
    for each in ended:
        change = Change("role_refused", each.principal, {"proposal": each.id, "role": each.role, "why": "expired"})
        await note_act(connection, JOBS, change.on("role_proposal", {"id": each.id}), authority=each.authority)
    return len(ended)
