"""Tokens do not live for ever, however often they are renewed, and one that was stolen gives itself away."""

from datetime import timedelta

import pytest

from cab_registry.services.accounts.tokens import (
    LONGEST_LIFETIME,
    issue_token,
    list_tokens,
    revoke_token,
    rotate_token,
)
from cab_registry.services.accounts.trail import read_news
from cab_registry.services.principals import authenticate
from cab_registry.services.refusals import NoSuchToken, TokenRefused
from cab_registry.services.tokens import Principal
from tests.services.office import Office

MINISTRY = {"authority": "xa-ministry", "roles": ("submitter",)}


async def enter(office: Office, token: str) -> Principal:
    return await authenticate(office.engine, token, office.clock)


async def issue(office: Office, acting: Principal, name: str = "printer") -> str:
    return (await issue_token(office.engine, acting, **MINISTRY, name=name, **office.means)).text


async def rotate(office: Office, token: str) -> str:
    return (await rotate_token(office.engine, await enter(office, token), **office.means)).text


@pytest.mark.parametrize("way", ["rotated", "issued"])
async def test_no_token_prolongs_itself_for_ever(office: Office, way: str) -> None:
    first = office.now

    async def renew() -> None:
        token = await issue(office, office.people["officer"])
        while office.now < first + 3 * LONGEST_LIFETIME:
            office.wait(days=60)
            acting = await enter(office, token)
            token = await (rotate(office, token) if way == "rotated" else issue(office, acting))

    with pytest.raises(TokenRefused, match="expired"):
        await renew()
    assert first + timedelta(days=300) < office.now <= first + LONGEST_LIFETIME + timedelta(days=60)
    tokens = await list_tokens(office.engine, office.people["officer"])
    assert {each.renewable_until for each in tokens} == {tokens[-1].renewable_until}


async def test_a_rotated_token_works_for_a_while_so_that_a_lost_answer_does_no_harm(office: Office) -> None:
    old = await issue(office, office.people["officer"])
    acting = await enter(office, old)
    lost = await rotate_token(office.engine, acting, **office.means)
    new = await rotate_token(office.engine, await enter(office, old), **office.means)
    assert (new.token.name, new.token.roles, new.token.authority) == ("printer", ("submitter",), "xa-ministry")
    assert (new.token.parent, new.token.family) == (acting.token, acting.token)
    with pytest.raises(TokenRefused, match="revoked"):
        await enter(office, lost.text)
    assert (await enter(office, new.text)).id == acting.id
    with pytest.raises(NoSuchToken, match="in use"):
        await rotate_token(office.engine, await enter(office, old), **office.means)
    with pytest.raises(NoSuchToken):
        await rotate_token(office.engine, acting, token=lost.token.id, **office.means)
    with pytest.raises(NoSuchToken):
        await rotate_token(office.engine, acting, token=office.people["second"].token, **office.means)


async def test_a_token_shown_after_it_was_replaced_ends_all_that_came_of_it(office: Office) -> None:
    officer = office.people["officer"]
    beside = await issue(office, officer, "beside")
    stolen = await issue(office, officer)
    thiefs = await rotate(office, stolen)
    later = await rotate(office, thiefs)
    extra = await issue(office, await enter(office, later), "extra")
    office.wait(minutes=10)
    with pytest.raises(TokenRefused, match="every token that came of it is revoked"):
        await enter(office, stolen)
    for token in (later, extra):
        with pytest.raises(TokenRefused, match="was revoked"):
            await enter(office, token)
    assert (await enter(office, beside)).id == officer.id
    with pytest.raises(TokenRefused, match="expired"):
        await enter(office, stolen)
    last = (await read_news(office.engine, officer, office.clock)).acts[-1]
    assert (last.kind, last.details["why"], last.details["shown"]) == (
        "token_revoked",
        "reused",
        stolen.split("_")[1],
    )


async def test_a_wrong_secret_of_a_replaced_token_ends_nothing(office: Office) -> None:
    old = await issue(office, office.people["officer"])
    new = await rotate(office, old)
    office.wait(minutes=10)
    with pytest.raises(TokenRefused, match="no token"):
        await enter(office, old[:-1] + ("0" if old[-1] != "0" else "1"))
    assert await enter(office, new)


async def test_who_revokes_a_token_is_told_in_the_trail_of_its_holder(office: Office) -> None:
    officer = office.people["officer"]
    await revoke_token(office.engine, office.people["registrar"], token=officer.token, clock=office.clock)
    with pytest.raises(TokenRefused):
        await issue(office, officer)
    last = (await read_news(office.engine, officer, office.clock)).acts[-1]
    assert (last.kind, last.actor) == ("token_revoked", office.people["registrar"].id)
