"""No registrar decides alone: neither by a principal of their own making, nor in the name of somebody who is there."""

import asyncio
from typing import Any

import pytest

from cab_registry.domain.errors import Refusal
from cab_registry.services.accounts.invitations import (
    approve_invitation,
    cancel_invitation,
    end_expired,
    invite,
    invite_registrar,
    list_invitations,
    redeem,
)
from cab_registry.services.accounts.roles import approve_role, end_role, list_proposals, propose_role, refuse_role
from cab_registry.services.accounts.tokens import list_tokens
from cab_registry.services.accounts.trail import list_trail, read_news
from cab_registry.services.principals import (
    Principal,
    authenticate,
    disable_principal,
    init_registrar,
    make_principal,
    show_principal,
)
from cab_registry.services.refusals import (
    InvitationRefused,
    MissingRole,
    NoSuchInvitation,
    NoSuchPrincipal,
    OwnProposal,
    TokenRefused,
)
from cab_registry.services.submitting import approve
from tests.services.office import Office, body

MINISTRY = {"authority": "xa-ministry"}
HOME: dict[str, Any] = {"authority": "registrar", "role": "registrar"}


async def make(office: Office, name: str = "New") -> str:
    registrar = office.people["registrar"]
    return (await make_principal(office.engine, registrar, name=name, kind="person", **office.means)).id


async def ask(office: Office, principal: str, role: Any = "submitter", by: str = "registrar", **more: Any) -> Any:
    asked = {**MINISTRY, "role": role, **more}
    return await propose_role(office.engine, office.people[by], principal=principal, **asked, **office.means)


async def call_in(office: Office, principal: str, *roles: Any, by: str = "registrar", **more: Any) -> Any:
    asked = {**MINISTRY, "roles": roles or ("submitter",), **more}
    return await invite(office.engine, office.people[by], principal=principal, **asked, **office.means)


async def take(office: Office, code: str) -> Principal:
    issued = await redeem(office.engine, code, name="desk", **office.means)
    return await authenticate(office.engine, issued.text, office.clock)


async def test_a_registrar_with_two_principals_of_its_own_making_can_do_nothing(office: Office) -> None:
    hands = []
    for role in ("submitter", "approver"):
        principal = await make(office)
        await ask(office, principal, role)
        hands.append(await take(office, (await call_in(office, principal, role)).code))
    office.people["one"], office.people["two"] = hands
    assert [each.roles for each in hands] == [frozenset(), frozenset()]
    with pytest.raises(MissingRole):
        await office.submit("one", body(1))
    for proposal in await list_proposals(office.engine, office.people["registrar"]):
        for who in ("registrar", "one", "two"):
            with pytest.raises((OwnProposal, MissingRole)):
                await approve_role(office.engine, office.people[who], proposal=proposal.id, clock=office.clock)


async def test_neither_who_proposed_nor_who_gets_it_approves(office: Office) -> None:
    one, two = office.people["registrar"], office.people["registrar two"]
    for who in (one, two):
        with pytest.raises(OwnProposal):
            await propose_role(office.engine, who, principal=who.id, **MINISTRY, role="submitter", **office.means)
    waiting = await ask(office, two.id)
    for who in (one, two):
        with pytest.raises(OwnProposal):
            await approve_role(office.engine, who, proposal=waiting.id, clock=office.clock)
    third = await office.hire("third", "registrar", "registrar")
    granted = await approve_role(office.engine, third, proposal=waiting.id, clock=office.clock)
    assert (granted.outcome, granted.decided_by) == ("granted", third.id)
    assert await approve_role(office.engine, third, proposal=waiting.id, clock=office.clock) == granted
    (grant,) = [each for each in (await show_principal(office.engine, two)).grants if each.role == "submitter"]
    assert (grant.granted_by, grant.approved_by) == (one.id, third.id)


async def test_a_role_is_approved_after_its_holder_came_and_while_its_proposer_may(office: Office) -> None:
    engine, clock = office.engine, office.clock
    two = office.people["registrar two"]
    await office.hire("third", "registrar", "registrar")
    principal = await make(office)
    waiting = await ask(office, principal, by="third")
    assert await ask(office, principal, by="third") == waiting
    with pytest.raises(Refusal, match="has not redeemed"):
        await approve_role(engine, two, proposal=waiting.id, clock=clock)
    await take(office, (await call_in(office, principal)).code)
    third = office.people["third"].id
    await end_role(engine, office.people["registrar"], principal=third, **HOME, clock=clock)
    with pytest.raises(Refusal, match="is over"):
        await approve_role(engine, two, proposal=waiting.id, clock=clock)
    again = await ask(office, principal)
    office.wait(days=30)
    with pytest.raises(Refusal, match="is over"):
        await approve_role(engine, two, proposal=again.id, clock=clock)
    anew = await ask(office, principal)
    assert anew.id != again.id
    refused = await refuse_role(engine, two, proposal=anew.id, clock=clock)
    assert refused.outcome == "refused"
    with pytest.raises(Refusal, match="is over"):
        await approve_role(engine, two, proposal=anew.id, clock=clock)


async def test_while_one_is_alone_it_makes_one_other_registrar_and_no_more(office_engine: Any) -> None:
    office = Office(office_engine)
    token = await init_registrar(office.engine, "One", office.clock, office.random)
    one = office.people["registrar"] = await authenticate(office.engine, token, office.clock)
    second, third = await make(office), await make(office)
    assert (await ask(office, second, **HOME)).outcome == "granted"
    with pytest.raises(Refusal, match="is to be the second registrar"):
        await ask(office, third, **HOME)
    # It never came: another may take its place.
    await end_role(office.engine, one, principal=second, **HOME, clock=office.clock)
    assert (await ask(office, third, **HOME)).outcome == "granted"
    with pytest.raises(Refusal, match="the last registrar"):
        await end_role(office.engine, one, principal=one.id, **HOME, clock=office.clock)
    home = {"authority": "registrar"}
    office.people["third"] = await take(office, (await call_in(office, third, "registrar", **home)).code)
    assert office.people["third"].roles == {"registrar"}
    assert (await ask(office, second, **HOME)).outcome is None
    for leaving in (one.id, third):
        with pytest.raises(Refusal, match="last two registrars"):
            await end_role(office.engine, one, principal=leaving, **HOME, clock=office.clock)
        with pytest.raises(Refusal, match="last two registrars"):
            await disable_principal(office.engine, one, principal=leaving, clock=office.clock)
    with pytest.raises(Refusal, match="registrar already"):
        await init_registrar(office.engine, "Another", office.clock, office.random)


async def test_nobody_gets_a_token_of_somebody_who_is_there_without_consent(office: Office) -> None:
    one, chief = office.people["registrar"], office.people["second"]
    made = await call_in(office, chief.id, "approver")
    assert made.invitation.waits
    with pytest.raises(InvitationRefused, match="waits"):
        await take(office, made.code)
    with pytest.raises(OwnProposal):
        await approve_invitation(office.engine, one, invitation=made.invitation.id, clock=office.clock)
    with pytest.raises(NoSuchInvitation):
        await approve_invitation(
            office.engine, office.people["officer"], invitation=made.invitation.id, clock=office.clock
        )
    news = await read_news(office.engine, chief, office.clock)
    assert [each.id for each in news.invitations] == [made.invitation.id]
    await cancel_invitation(office.engine, chief, invitation=made.invitation.id, clock=office.clock)
    with pytest.raises(InvitationRefused, match="was cancelled"):
        await take(office, made.code)

    for consenting in ("registrar two", "second"):
        made = await call_in(office, chief.id, "approver")
        named = {"invitation": made.invitation.id, "clock": office.clock}
        approved = await approve_invitation(office.engine, office.people[consenting], **named)
        assert approved.approved_by == office.people[consenting].id
        new = await take(office, made.code)
        assert (new.id, new.roles) == (chief.id, {"approver"})
        (token,) = [each for each in await list_tokens(office.engine, chief) if each.id == new.token]
        assert (token.caused_by, token.invitation) == (one.id, made.invitation.id)
    kinds = [each.kind for each in (await read_news(office.engine, chief, office.clock)).acts]
    assert {"invitation_made", "invitation_approved", "invitation_redeemed", "invitation_ended"} <= set(kinds)


async def test_a_code_works_once_even_when_many_send_it_at_once(office: Office) -> None:
    made = await call_in(office, await make(office))
    results = await asyncio.gather(*(take(office, made.code) for _ in range(4)), return_exceptions=True)
    assert [isinstance(each, Principal) for each in results].count(True) == 1
    assert all("was redeemed" in str(each) for each in results if not isinstance(each, Principal))
    for wrong in ("", "cabi_", made.code[:-1], made.code[:-1] + ("0" if made.code[-1] != "0" else "1"), "cab\0"):
        with pytest.raises(InvitationRefused, match="not a code"):
            await take(office, wrong)
    async with office.engine.connect() as connection:
        kept = str((await connection.exec_driver_sql("SELECT to_jsonb(invitation) FROM invitation")).all())
    assert made.code.rpartition("_")[2] not in kept


async def test_an_invitation_ends_with_its_time_its_maker_and_its_successor(office: Office) -> None:
    await office.hire("third", "registrar", "registrar")
    principal = await make(office)
    first = await call_in(office, principal)
    second = await call_in(office, principal)
    with pytest.raises(InvitationRefused, match="was cancelled"):
        await take(office, first.code)
    office.wait(days=7)
    with pytest.raises(InvitationRefused, match="expired"):
        await take(office, second.code)
    async with office.engine.begin() as connection:
        assert await end_expired(connection, office.now) == 1
    third = await call_in(office, principal, by="third")
    await disable_principal(
        office.engine, office.people["registrar"], principal=office.people["third"].id, clock=office.clock
    )
    with pytest.raises(InvitationRefused, match="was cancelled"):
        await take(office, third.code)
    with pytest.raises(TokenRefused):
        await call_in(office, principal, by="third")
    with pytest.raises(NoSuchPrincipal):
        await call_in(office, office.people["third"].id)
    every = await list_invitations(office.engine, office.people["registrar"], principal=principal, ended=True)
    assert sorted(str(each.outcome) for each in every) == ["cancelled", "cancelled", "expired"]


async def test_the_operator_brings_a_registrar_back_and_it_is_told(office: Office) -> None:
    lost = office.people["registrar two"]
    with pytest.raises(MissingRole, match=office.people["officer"].id):
        await invite_registrar(office.engine, principal=office.people["officer"].id, **office.means)
    made = await invite_registrar(office.engine, principal=lost.id, **office.means)
    assert (await take(office, made.code)).roles == {"registrar"}
    trail = await list_trail(office.engine, lost, principal=lost.id)
    (act,) = [each for each in trail if each.actor == "operator"]
    assert (act.kind, act.subject) == ("invitation_made", lost.id)


async def test_every_change_of_an_account_is_an_act_that_those_concerned_read(office: Office) -> None:
    registrar, officer = office.people["registrar"], office.people["officer"]
    trail = await list_trail(office.engine, registrar, principal=officer.id)
    assert [each.kind for each in trail][:5] == [
        "principal_made",
        "role_asked",
        "invitation_made",
        "invitation_redeemed",
        "role_granted",
    ]
    every = await list_trail(office.engine, registrar, limit=500)
    own = tuple(each for each in every if officer.id in {each.actor, each.subject})
    assert await list_trail(office.engine, officer) == own
    with pytest.raises((MissingRole, Refusal)):
        await list_trail(office.engine, officer, principal=registrar.id)
    audited = await list_trail(office.engine, office.people["auditor"])
    assert {each.authority for each in audited if each.subject != office.people["auditor"].id} == {"xa-ministry"}
    assert "Person behind" not in str(every)


async def test_four_eyes_need_two_registrars_to_be_got_round(office: Office) -> None:
    """What stays: two registrars together let in whom they like, and it is in the trail."""
    policy = {"authority": "xa-ministry", "four_eyes": True, "scope_wider": "warn"}
    waiting = (await office.submit("officer", policy, kind="policy")).public
    puppet = await office.hire("puppet", "xa-ministry", "approver")
    assert (await approve(office.desk, puppet, waiting.id, waiting.digest)).public.state == "approved"
    asked = await list_trail(office.engine, office.people["registrar"], principal=puppet.id)
    assert {each.actor for each in asked if each.kind in {"role_asked", "role_granted"}} == {
        office.people["registrar"].id,
        office.people["registrar two"].id,
    }
