"""Invitations: a one-time code for one principal, which its holder turns into a token that nobody else sees."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.register.ownership import REGISTRAR
from cab_registry.services.accounts.acts import Change, note_act
from cab_registry.services.accounts.endings import end_idle_tokens, end_other_invitations, note_ended, with_details
from cab_registry.services.accounts.registrars import is_alone
from cab_registry.services.accounts.roles import require_authority
from cab_registry.services.accounts.telling import tell_holder
from cab_registry.services.accounts.tokens import (
    LIFETIME,
    TokenIssued,
    check_lifetime,
    checked_roles,
    keep_token,
    make_token,
)
from cab_registry.services.refusals import InvitationRefused, MissingRole, NoSuchInvitation, OwnProposal
from cab_registry.services.tokens import (
    Clock,
    Principal,
    Random,
    changing_accounts,
    checked_name,
    find_able,
    hash_secret,
    lock_accounts,
)
from cab_registry.storage import principals as rows
from cab_registry.storage.accounts import invitations as kept
from cab_registry.storage.accounts.invitations import InvitationOutcome, StoredInvitation
from cab_registry.storage.acts.act import JOBS, OPERATOR
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.principals import Role, lock_roles
from cab_registry.storage.tokens import has_token

REDEEMABLE_FOR: Final = timedelta(days=7)
LONGEST_REDEEMABLE: Final = timedelta(days=30)

_CODE: Final = re.compile(r"cabi_([0-9a-f]{16})_([0-9a-f]{64})")
_NOBODY: Final = bytes(32)


class InvitationMade(msgspec.Struct, frozen=True):
    """A new invitation; `code` is shown this once and kept nowhere."""

    invitation: StoredInvitation
    code: str
    cancelled: Annotated[
        tuple[str, ...], Meta(description="Ids of earlier invitations of the same principal, which this one ended.")
    ] = ()


async def invite(  # noqa: PLR0913 - who is invited for what, for how long, and what time and chance give
    engine: AsyncEngine,
    acting: Principal,
    *,
    principal: str,
    authority: str,
    roles: Sequence[Role],
    clock: Clock,
    random: Random,
    redeemable: timedelta = REDEEMABLE_FOR,
) -> InvitationMade:
    """Invite a principal to get a token for an authority; whoever has the code redeems it, once.

    The token does what of these roles the principal holds. Who has or had a token, or holds roles, is invited again
    only with the consent of another registrar or of the principal itself, and is told of it. Only one invitation of a
    principal is open: an earlier one is cancelled, whatever authority it is for.

    Raises:
        MissingRole: the caller is not a registrar.
        NoSuchPrincipal: there is no such principal, or it is disabled.
        Refusal: the register has no such authority, or roles or span are out of bounds.
        TokenRefused: the caller's token ended meanwhile.
        StorageBusy: the database cannot serve now.
    """
    acting.require("registrar")
    wanted = _check_roles(roles, authority)
    if not timedelta(hours=1) <= redeemable <= LONGEST_REDEEMABLE:
        raise Refusal(f"an invitation can be redeemed for an hour at least and {LONGEST_REDEEMABLE.days} days at most")
    async with changing_accounts(engine, acting, clock) as connection:
        await find_able(connection, principal)
        await require_authority(connection, authority)
        made = _make(
            principal, authority, wanted, acting.id, clock(), redeemable, random,
            needs_approval=await _is_settled(connection, principal, acting.id),
        )  # fmt: skip
        if made.invitation.needs_approval:
            words = f"{acting.id} invites you to get another token for {authority}"
            await tell_holder(connection, principal, made.invitation.id, words, clock())
        return await _keep(connection, acting, made)


async def invite_registrar(
    engine: AsyncEngine, *, principal: str, clock: Clock, random: Random, redeemable: timedelta = REDEEMABLE_FOR
) -> InvitationMade:
    """Invite a registrar whose tokens are lost, on the server itself: its operator does what no registrar can.

    Raises:
        NoSuchPrincipal: there is no such principal, or it is disabled.
        MissingRole: it is not a registrar.
        StorageBusy: the database cannot serve now.
    """
    with operational_faults():
        async with engine.begin() as connection:
            await lock_roles(connection)
            await find_able(connection, principal)
            if principal not in await rows.list_registrars(connection):
                raise MissingRole(REGISTRAR, ["registrar"], whose=principal)
            made = _make(principal, REGISTRAR, ("registrar",), None, clock(), redeemable, random, needs_approval=False)
            words = "The operator of the server invites you to get another token as registrar"
            await tell_holder(connection, principal, made.invitation.id, words, clock())
            return await _keep(connection, OPERATOR, made)


async def approve_invitation(
    engine: AsyncEngine, acting: Principal, *, invitation: str, clock: Clock
) -> StoredInvitation:
    """Agree that a principal who has or had a token gets another; approving again changes nothing.

    The invited agrees with a token that carries a role: one without proves no more than that a code was redeemed.

    Raises:
        MissingRole: the caller is neither a registrar nor the invited, or its token carries no role.
        NoSuchInvitation: there is none, or it is another's and the caller is not a registrar.
        OwnProposal: the caller made it.
        InvitationRefused: it is over.
        TokenRefused: the caller's token ended meanwhile.
        StorageBusy: the database cannot serve now.
    """
    with operational_faults():
        async with engine.begin() as connection:
            held = await lock_accounts(connection, acting, clock)
            found = await _find(connection, held, invitation)
            now = clock()
            if acting.id == found.created_by:
                raise OwnProposal("another registrar approves it, or the invited: who made the invitation cannot")
            if not held.roles:
                raise MissingRole(held.authority, ["submitter", "approver", "auditor", "registrar"])
            _refuse_over(found, now)
            if not found.waits:
                return found
            await kept.approve_invitation(connection, invitation, acting.id, now)
            change = Change("invitation_approved", found.principal, {"invitation": invitation})
            await note_act(connection, acting, change.on("invitation", {"id": invitation}), authority=found.authority)
            return msgspec.structs.replace(found, approved=now, approved_by=acting.id)


async def cancel_invitation(
    engine: AsyncEngine, acting: Principal, *, invitation: str, clock: Clock
) -> StoredInvitation:
    """Cancel an invitation, as any registrar or as the invited; one that is over stays as it is.

    Raises:
        NoSuchInvitation: there is none, or it is another's and the caller is not a registrar.
        Refusal: the operator of the server made it, and the caller is not the invited.
        TokenRefused: the caller's token ended meanwhile.
        StorageBusy: the database cannot serve now.
    """
    with operational_faults():
        async with engine.begin() as connection:
            held = await lock_accounts(connection, acting, clock)
            found = await _find(connection, held, invitation)
            if found.created_by is None and found.principal != acting.id:
                raise Refusal("the operator of the server made this invitation: only the invited cancels it")
            ended = await kept.end_invitations(
                connection, "cancelled", clock(), ended_by=acting.id, invitation_id=invitation
            )
            await note_ended(connection, acting, ended)
    return ended[0] if ended else found


async def redeem(
    engine: AsyncEngine, code: str, *, name: str, clock: Clock, random: Random, lifetime: timedelta = LIFETIME
) -> TokenIssued:
    """Turn the code of an invitation into a token, once; the text is in the answer and nowhere else.

    With it end the other open invitations of the principal and its tokens that carry no role, so that a role that is
    approved next is held by who redeemed this code. With an invitation of the operator end all its earlier tokens.

    Raises:
        InvitationRefused: the code is unknown, was redeemed, was cancelled, is too old, or waits for consent, or the
            principal got a token or a role by other means since; which of these, only who knows the code is told.
        NoSuchPrincipal: the invited is disabled.
        Refusal: the name is empty, the lifetime out of bounds, or the authority is retired.
        StorageBusy: the database cannot serve now.
    """
    named = checked_name(name)
    check_lifetime(lifetime)
    match = _CODE.fullmatch(code.strip())
    invitation_id, secret = (f"i-{match[1]}", match[2]) if match is not None else ("", "")
    with operational_faults():
        async with engine.begin() as connection:
            await lock_roles(connection)
            expected = await kept.read_code_hash(connection, invitation_id)
            # Compared in any case, so that the time taken does not tell which ids there are.
            known = compare_digest(hash_secret(secret), expected or _NOBODY)
            found = await kept.find_invitation(connection, invitation_id)
            if not known or found is None:
                raise InvitationRefused(
                    "this is not a code of an invitation of this registry", "unknown", invitation_id or None
                )
            now = clock()
            _refuse_over(found, now)
            if found.waits:
                raise InvitationRefused(
                    "the invitation waits: another registrar approves it, or you with a token that still works",
                    "waits",
                    found.id,
                )
            await find_able(connection, found.principal)
            await require_authority(connection, found.authority)
            if await _lacks_consent(connection, found):
                raise InvitationRefused(
                    "the account got a token or a role since it was invited; ask for a new one", "overtaken", found.id
                )
            issued = make_token(
                found.principal, found.authority, found.roles, named, now=now, lifetime=lifetime, random=random,
                caused_by=found.created_by, invitation=found.id,
            )  # fmt: skip
            await _note_redeemed(connection, found, issued, now)
    return issued


async def list_invitations(
    engine: AsyncEngine,
    acting: Principal,
    *,
    principal: str | None = None,
    ended: bool = False,
    after: str = "",
    limit: int = 100,
) -> tuple[StoredInvitation, ...]:
    """List invitations in order of id: all, for registrars, or one's own; never a code.

    Raises:
        MissingRole: others', and the caller is not a registrar.
        StorageBusy: the database cannot serve now.
    """
    if principal != acting.id:
        acting.require("registrar")
    with operational_faults():
        async with read_only(engine).connect() as connection:
            return tuple(
                await kept.list_invitations(connection, principal=principal, ended=ended, after=after, limit=limit)
            )


async def end_expired(connection: AsyncConnection, now: datetime) -> int:
    """End the invitations whose time is over, each with an act; give back how many."""
    await lock_roles(connection)
    ended = await kept.end_invitations(connection, "expired", now, expired=True)
    await note_ended(connection, JOBS, ended)
    return len(ended)


def _make(  # noqa: PLR0913 - who is invited for what, by whom, for how long
    principal: str,
    authority: str,
    roles: tuple[Role, ...],
    created_by: str | None,
    now: datetime,
    redeemable: timedelta,
    random: Random,
    *,
    needs_approval: bool,
) -> InvitationMade:
    number, secret = random(8).hex(), random(32).hex()
    stored = StoredInvitation(
        id=f"i-{number}",
        principal=principal,
        authority=authority,
        roles=roles,
        created=now,
        created_by=created_by,
        expires=now + redeemable,
        needs_approval=needs_approval,
    )
    return InvitationMade(stored, f"cabi_{number}_{secret}")


async def _is_settled(connection: AsyncConnection, principal: str, inviting: str) -> bool:
    """Whether somebody is behind an account already, so that another than who invites has to agree."""
    held = await rows.current_grants(connection, [principal])
    return await has_token(connection, principal) or (bool(held) and not await is_alone(connection, inviting))


async def _lacks_consent(connection: AsyncConnection, found: StoredInvitation) -> bool:
    """Whether consent is needed by now that was not when the invitation was made."""
    if found.created_by is None or found.approved is not None:
        return False
    return await _is_settled(connection, found.principal, found.created_by)


async def _keep(connection: AsyncConnection, acting: Principal | str, made: InvitationMade) -> InvitationMade:
    """Keep an invitation in the place of those of the same principal that are open."""
    new = made.invitation
    if new.created_by is not None:
        await _refuse_operators(connection, new)
    earlier = await end_other_invitations(connection, acting, new.principal, new.created)
    await kept.insert_invitation(connection, new, hash_secret(made.code.rpartition("_")[2]))
    details = {"invitation": new.id, "roles": list(new.roles), "needs_approval": new.needs_approval}
    change = Change("invitation_made", new.principal, details | {"cancelled": list(earlier)})
    await note_act(connection, acting, change.on("invitation", {"id": new.id}), authority=new.authority)
    return msgspec.structs.replace(made, cancelled=earlier)


async def _refuse_operators(connection: AsyncConnection, new: StoredInvitation) -> None:
    """Hold that no registrar takes away what the operator gave to another.

    Raises:
        Refusal: an invitation of the operator is open.
    """
    found = await kept.list_invitations(connection, principal=new.principal, ended=False, after="", limit=100)
    if any(each.created_by is None and each.expires > new.created for each in found):
        raise Refusal(f"the operator of the server has invited {new.principal}: that code is to be redeemed first")


async def _note_redeemed(
    connection: AsyncConnection, found: StoredInvitation, issued: TokenIssued, now: datetime
) -> None:
    """Keep a token in the place of its invitation, and end what could take its roles."""
    principal, token = found.principal, issued.token.id
    revoked = await end_idle_tokens(connection, principal, now, every=found.created_by is None)
    await keep_token(connection, issued)
    await kept.end_invitations(connection, "redeemed", now, ended_by=principal, invitation_id=found.id)
    await end_other_invitations(connection, principal, principal, now)
    change = Change("invitation_redeemed", principal, {"invitation": found.id, "token": token})
    change = with_details(change, revoked=revoked)
    change = change.on("invitation", {"id": found.id}).on("token", *({"id": each} for each in (token, *revoked)))
    words = f"An invitation was redeemed: there is another token of yours for {found.authority}"
    await tell_holder(connection, principal, token, words, now)
    await note_act(connection, principal, change, authority=found.authority)


async def _find(connection: AsyncConnection, held: Principal, invitation_id: str) -> StoredInvitation:
    found = await kept.find_invitation(connection, invitation_id)
    if found is None or (found.principal != held.id and "registrar" not in held.roles):
        raise NoSuchInvitation(f"there is no invitation {invitation_id} that you may see")
    return found


_OVER: Final[dict[InvitationOutcome, str]] = {
    "redeemed": "was redeemed",
    "cancelled": "was cancelled",
    "expired": "expired",
}


def _refuse_over(found: StoredInvitation, now: datetime) -> None:
    if found.outcome is not None and found.ended is not None:
        words = f"the invitation {_OVER[found.outcome]} on {found.ended:%Y-%m-%d}; ask for a new one"
        raise InvitationRefused(words, found.outcome, found.id)
    if found.expires <= now:
        words = f"the invitation expired on {found.expires:%Y-%m-%d}; ask for a new one"
        raise InvitationRefused(words, "expired", found.id)


def _check_roles(roles: Sequence[Role], authority: str) -> tuple[Role, ...]:
    wanted = checked_roles(roles)
    if "registrar" in wanted and authority != REGISTRAR:
        raise Refusal(f"registrar is a role at {REGISTRAR}", (Fault("/roles", f"not at {authority}"),))
    return wanted
