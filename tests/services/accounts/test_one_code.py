"""One code at a time lets somebody in: what a second registrar agrees to is held by who redeemed it alone."""

from typing import Any

import pytest

from cab_registry.domain.errors import Refusal
from cab_registry.services.accounts.invitations import (
    approve_invitation,
    cancel_invitation,
    invite,
    invite_registrar,
    list_invitations,
    redeem,
)
from cab_registry.services.accounts.roles import approve_role, propose_role
from cab_registry.services.accounts.tokens import issue_token, list_tokens, revoke_token
from cab_registry.services.accounts.trail import list_trail
from cab_registry.services.principals import Principal, authenticate, make_principal
from cab_registry.services.refusals import InvitationRefused, MissingRole, TokenRefused
from tests.services.office import Office

MINISTRY, OFFICE = "xa-ministry", "xb-office"


async def make(office: Office) -> str:
    made = await make_principal(office.engine, office.people["registrar"], name="X", kind="person", **office.means)
    return made.id


async def call_in(office: Office, principal: str, authority: str, *roles: Any, by: str = "registrar") -> Any:
    asked: dict[str, Any] = {"principal": principal, "authority": authority, "roles": roles or ("submitter",)}
    return await invite(office.engine, office.people[by], **asked, **office.means)


async def take(office: Office, code: str) -> Principal:
    issued = await redeem(office.engine, code, name="desk", **office.means)
    return await authenticate(office.engine, issued.text, office.clock)


async def give(office: Office, principal: str, authority: str, role: Any) -> None:
    asked: dict[str, Any] = {"principal": principal, "authority": authority, "role": role}
    proposed = await propose_role(office.engine, office.people["registrar"], **asked, **office.means)
    await approve_role(office.engine, office.people["registrar two"], proposal=proposed.id, clock=office.clock)


async def enter(office: Office, token: str) -> Principal:
    return await authenticate(office.engine, token, office.clock)


async def test_a_second_code_that_a_registrar_keeps_gives_nothing(office: Office) -> None:
    principal = await make(office)
    kept = await call_in(office, principal, OFFICE, "submitter", "approver")
    given = await call_in(office, principal, MINISTRY)
    assert given.cancelled == (kept.invitation.id,)
    holder = await take(office, given.code)
    await give(office, principal, MINISTRY, "submitter")
    await give(office, principal, OFFICE, "approver")
    with pytest.raises(InvitationRefused, match="was cancelled"):
        await take(office, kept.code)
    assert [each.id for each in await list_tokens(office.engine, holder)] == [holder.token]


async def test_one_invitation_of_a_principal_is_open_and_the_trail_says_what_ended_it(office: Office) -> None:
    principal = await make(office)
    made = [await call_in(office, principal, each) for each in (MINISTRY, OFFICE, "registrar", MINISTRY)]
    open_now = await list_invitations(office.engine, office.people["registrar"], principal=principal)
    assert [each.id for each in open_now] == [made[-1].invitation.id]
    trail = await list_trail(office.engine, office.people["registrar"], principal=principal)
    ended = [each.details["invitation"] for each in trail if each.kind == "invitation_ended"]
    assert ended == [each.invitation.id for each in made[:-1]]


async def test_with_an_approved_role_end_the_codes_that_are_open(office: Office) -> None:
    principal = await make(office)
    await take(office, (await call_in(office, principal, MINISTRY)).code)
    kept = await call_in(office, principal, MINISTRY, "approver")
    await approve_invitation(
        office.engine, office.people["registrar two"], invitation=kept.invitation.id, clock=office.clock
    )
    await give(office, principal, MINISTRY, "approver")
    with pytest.raises(InvitationRefused, match="was cancelled"):
        await take(office, kept.code)


async def test_who_redeemed_a_code_of_another_gives_no_consent_and_keeps_no_token(office: Office) -> None:
    """A registrar redeems the first code alone, and would let itself in again once the role is approved."""
    principal = await make(office)
    registrars = await take(office, (await call_in(office, principal, MINISTRY)).code)
    again = await call_in(office, principal, MINISTRY)
    assert again.invitation.needs_approval
    with pytest.raises(MissingRole):
        await approve_invitation(office.engine, registrars, invitation=again.invitation.id, clock=office.clock)
    await approve_invitation(
        office.engine, office.people["registrar two"], invitation=again.invitation.id, clock=office.clock
    )
    holder = await take(office, again.code)
    with pytest.raises(TokenRefused):
        await approve_invitation(office.engine, registrars, invitation=again.invitation.id, clock=office.clock)
    await give(office, principal, MINISTRY, "submitter")
    living = [each.id for each in await list_tokens(office.engine, holder) if each.revoked is None]
    assert living == [holder.token]


async def test_a_token_that_carries_a_role_outlives_another_invitation(office: Office) -> None:
    second = office.people["second"]
    made = await call_in(office, second.id, OFFICE)
    await approve_invitation(office.engine, second, invitation=made.invitation.id, clock=office.clock)
    await take(office, made.code)
    assert {each.revoked for each in await list_tokens(office.engine, second)} == {None}


async def test_a_code_from_before_these_rules_lets_nobody_in_beside_another(office: Office) -> None:
    principal = await make(office)
    older = await call_in(office, principal, OFFICE, "approver")
    newer = await call_in(office, principal, MINISTRY)
    async with office.engine.begin() as connection:
        await connection.exec_driver_sql(
            f"UPDATE invitation SET outcome = NULL, ended = NULL, ended_by = NULL WHERE id = '{older.invitation.id}'"  # noqa: S608 - an id of ours
        )
    await take(office, newer.code)
    with pytest.raises(InvitationRefused, match="was cancelled"):
        await take(office, older.code)


async def test_no_registrar_puts_the_token_of_another_out_of_action(office: Office) -> None:
    one, two = office.people["registrar"], office.people["registrar two"]
    for who in (one, two):
        for token in await list_tokens(office.engine, one, principal=two.id):
            if who == one:
                with pytest.raises(Refusal, match="cab admin recover"):
                    await revoke_token(office.engine, who, token=token.id, clock=office.clock)
    assert {each.revoked for each in await list_tokens(office.engine, two)} == {None}
    assert (await revoke_token(office.engine, two, token=two.token, clock=office.clock)).revoked == office.now


async def test_what_the_operator_gives_ends_the_earlier_tokens_and_no_registrar_takes_it_away(office: Office) -> None:
    one, two = office.people["registrar"], office.people["registrar two"]
    first = await invite_registrar(office.engine, principal=two.id, **office.means)
    made = await invite_registrar(office.engine, principal=two.id, **office.means)
    assert made.cancelled == (first.invitation.id,)
    with pytest.raises(Refusal, match="only the invited"):
        await cancel_invitation(office.engine, one, invitation=made.invitation.id, clock=office.clock)
    with pytest.raises(Refusal, match="operator"):
        await call_in(office, two.id, "registrar", "registrar")
    back = await take(office, made.code)
    assert back.roles == {"registrar"}
    living = [each.id for each in await list_tokens(office.engine, back) if each.revoked is None]
    assert living == [back.token]


async def test_with_a_revoked_token_ends_what_was_issued_with_it(office: Office) -> None:
    officer = office.people["officer"]
    own: dict[str, Any] = {"authority": MINISTRY, "roles": ("submitter",)}
    stolen = await issue_token(office.engine, officer, **own, name="laptop", **office.means)
    thief = await enter(office, stolen.text)
    child = await issue_token(office.engine, thief, **own, name="thief", **office.means)
    revoked = await revoke_token(office.engine, officer, token=stolen.token.id, clock=office.clock)
    assert revoked.also_revoked == (child.token.id,)
    with pytest.raises(TokenRefused, match="revoked"):
        await enter(office, child.text)
    assert (await authenticate_again(office, officer)).revoked is None
    (act,) = [each for each in await list_trail(office.engine, officer) if each.kind == "token_revoked"]
    assert set(act.details["tokens"]) == {stolen.token.id, child.token.id}


async def authenticate_again(office: Office, acting: Principal) -> Any:
    (found,) = [each for each in await list_tokens(office.engine, acting) if each.id == acting.token]
    return found
