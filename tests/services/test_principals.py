import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from cab_registry.domain.errors import Refusal
from cab_registry.services.accounts.roles import approve_role, end_role, propose_role
from cab_registry.services.accounts.tokens import issue_token, list_tokens, revoke_token
from cab_registry.services.principals import (
    Principal,
    authenticate,
    disable_principal,
    erase_name,
    init_registrar,
    list_principals,
    make_principal,
    show_principal,
)
from cab_registry.services.refusals import MissingRole, NoSuchPrincipal, NoSuchToken, OtherAuthority, TokenRefused
from tests.services.office import Office

UNKNOWN = "this is no token of the registry"


async def issue(office: Office, who: str, *roles: Any, **more: Any) -> str:
    acting = office.people[who]
    asked = {"authority": acting.authority, "roles": roles or tuple(acting.roles), "name": "desk", **office.means}
    return (await issue_token(office.engine, acting, **{**asked, **more})).text


async def enter(office: Office, token: str, authority: str | None = None) -> Principal:
    return await authenticate(office.engine, token, office.clock, authority)


async def test_the_first_registrar_is_made_once_even_by_many_at_once(database_url: str) -> None:
    from cab_registry.storage.engine import create_engine

    engine = create_engine(database_url)
    office = Office(engine)
    tried = [init_registrar(engine, "One", office.clock, office.random) for _ in range(4)]
    results = await asyncio.gather(*tried, return_exceptions=True)
    tokens = [each for each in results if isinstance(each, str)]
    assert len(tokens) == 1
    assert all("registrar already" in str(each) for each in results if isinstance(each, Refusal))
    assert re.fullmatch(r"cab_[0-9a-f]{16}_[0-9a-f]{64}", tokens[0])
    entered = await enter(office, tokens[0])
    assert (entered.authority, entered.roles, entered.kind) == ("registrar", {"registrar"}, "person")
    await engine.dispose()


async def test_no_secret_is_kept(office: Office) -> None:
    token = await issue(office, "officer")
    secret = token.rpartition("_")[2]
    async with office.engine.connect() as connection:
        kept = str((await connection.execute(text("SELECT to_jsonb(token) FROM token"))).all())
    assert secret not in kept
    assert bytes.fromhex(secret).hex() not in kept
    listed = await list_tokens(office.engine, office.people["officer"])
    assert secret not in str(listed)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: "",
        lambda token: "cab_",
        lambda token: token + "0",
        lambda token: token.upper(),
        lambda token: token[:-1] + ("0" if token[-1] != "0" else "1"),
        lambda token: "cab_" + "f" * 16 + token[20:],
        lambda token: token + "\n",
        lambda token: token.replace("cab", "key"),
        lambda token: "cab_é_\x00",
    ],
)
async def test_who_does_not_know_the_secret_is_told_nothing_more(office: Office, spoil: Any) -> None:
    token = await issue(office, "officer")
    for _ in range(2):
        with pytest.raises(TokenRefused) as refused:
            await enter(office, spoil(token))
        assert str(refused.value) == UNKNOWN
        await revoke_token(office.engine, office.people["officer"], token=token.split("_")[1], clock=office.clock)


async def test_who_knows_the_secret_is_told_why_it_does_not_work(office: Office) -> None:
    expiring, revoked, shut = [await issue(office, "officer", lifetime=timedelta(days=30)) for _ in range(3)]
    await revoke_token(office.engine, office.people["officer"], token=revoked.split("_")[1], clock=office.clock)
    with pytest.raises(TokenRefused, match="revoked on 2026-11-21"):
        await enter(office, revoked)
    office.wait(days=30, microseconds=-1)
    await enter(office, expiring)
    office.wait(microseconds=1)
    with pytest.raises(TokenRefused, match="expired on 2026-12-21"):
        await enter(office, expiring)
    office.wait(days=-1)
    registrar, officer = office.people["registrar"], office.people["officer"].id
    shown = await disable_principal(office.engine, registrar, principal=officer, clock=office.clock)
    assert shown.disabled == office.now
    with pytest.raises(TokenRefused, match="disabled"):
        await enter(office, shut)
    again = await disable_principal(office.engine, registrar, principal=officer, clock=office.clock)
    assert again.disabled == shown.disabled
    with pytest.raises(NoSuchPrincipal):
        await propose_role(
            office.engine, registrar, principal=officer, authority="xa-ministry", role="auditor", **office.means
        )


async def test_the_last_use_is_noted_once_a_minute_at_most(office: Office) -> None:
    token = await issue(office, "officer")

    async def last() -> Any:
        found = await list_tokens(office.engine, office.people["officer"])
        return next(each.last_used for each in found if each.id == token.split("_")[1])

    assert await last() is None
    await enter(office, token)
    first = office.now
    assert await last() == first
    office.wait(seconds=59)
    await enter(office, token)
    assert await last() == first
    office.wait(seconds=1)
    await asyncio.gather(*(enter(office, token) for _ in range(4)))
    assert await last() == office.now


async def test_a_token_speaks_for_its_authority_in_the_roles_that_are_still_held(office: Office) -> None:
    token = await issue(office, "second", "submitter", "approver")
    entered = await enter(office, token, "xa-ministry")
    assert entered.roles == {"submitter", "approver"}
    with pytest.raises(OtherAuthority, match="speaks for xa-ministry, not for xb-office"):
        await enter(office, token, "xb-office")
    registrar = office.people["registrar"]
    ending = {"principal": entered.id, "authority": "xa-ministry", "role": "approver", "clock": office.clock}
    shown = await end_role(office.engine, registrar, **ending)
    assert [each.role for each in shown.grants] == ["submitter"]
    assert (await end_role(office.engine, registrar, **ending)).grants == shown.grants
    assert (await enter(office, token)).roles == {"submitter"}
    office.wait(hours=1)
    asked = {key: value for key, value in ending.items() if key != "clock"}
    back = await propose_role(office.engine, registrar, **asked, **office.means)
    assert (await enter(office, token)).roles == {"submitter"}
    await approve_role(office.engine, office.people["registrar two"], proposal=back.id, clock=office.clock)
    assert (await enter(office, token)).roles == {"submitter", "approver"}


async def test_a_token_is_never_wider_than_what_its_principal_holds(office: Office) -> None:
    with pytest.raises(MissingRole):
        await issue(office, "officer", "approver")
    with pytest.raises(OtherAuthority):
        await issue(office, "officer", "submitter", authority="xb-office")
    narrow = await enter(office, await issue(office, "second", "submitter"))
    office.people["narrow"] = narrow
    with pytest.raises(MissingRole):
        await issue(office, "narrow", "submitter", "approver")


@pytest.mark.parametrize(
    "wrong",
    [
        {"roles": ()},
        {"roles": ("king",)},
        {"name": "  "},
        {"name": "x" * 201},
        {"name": "a\x00b"},
        {"lifetime": timedelta(days=367)},
        {"lifetime": timedelta(0)},
    ],
)
async def test_a_token_has_roles_a_name_and_an_end(office: Office, wrong: dict[str, Any]) -> None:
    asked = {"authority": "xa-ministry", "roles": ("submitter",), "name": "desk", **office.means, **wrong}
    with pytest.raises(Refusal):
        await issue_token(office.engine, office.people["officer"], **asked)


async def test_tokens_are_revoked_by_their_own_and_by_registrars(office: Office) -> None:
    token = await issue(office, "officer")
    name = token.split("_")[1]
    with pytest.raises(NoSuchToken):
        await revoke_token(office.engine, office.people["second"], token=name, clock=office.clock)
    with pytest.raises(NoSuchToken):
        await revoke_token(office.engine, office.people["registrar"], token="0" * 16, clock=office.clock)
    gone = await revoke_token(office.engine, office.people["registrar"], token=name, clock=office.clock)
    office.wait(days=1)
    again = await revoke_token(office.engine, office.people["officer"], token=name, clock=office.clock)
    assert again.revoked == gone.revoked is not None
    with pytest.raises(MissingRole):
        await list_tokens(office.engine, office.people["second"], principal=office.people["officer"].id)
    listed = await list_tokens(office.engine, office.people["registrar"], principal=office.people["officer"].id)
    assert name in [each.id for each in listed]


async def test_only_registrars_make_principals_and_give_roles(office: Office) -> None:
    officer, registrar = office.people["officer"], office.people["registrar"]
    giving = {"principal": officer.id, "authority": "xa-ministry", "role": "approver"}
    for work in (
        lambda who: make_principal(office.engine, who, name="New", kind="machine", **office.means),
        lambda who: propose_role(office.engine, who, **giving, **office.means),
        lambda who: end_role(office.engine, who, **giving, clock=office.clock),
        lambda who: erase_name(office.engine, who, principal=registrar.id, clock=office.clock),
        lambda who: disable_principal(office.engine, who, principal=officer.id, clock=office.clock),
        lambda who: list_principals(office.engine, who),
        lambda who: show_principal(office.engine, who, principal=registrar.id),
    ):
        with pytest.raises(MissingRole, match="registrar"):
            await work(officer)
    made = await make_principal(office.engine, registrar, name="  Robot   One ", kind="machine", **office.means)
    assert (made.name, made.kind, made.grants) == ("Robot One", "machine", ())
    assert re.fullmatch(r"p-[0-9a-f]{16}", made.id)
    mine = await show_principal(office.engine, officer)
    assert (mine.id, mine.name) == (officer.id, "Person behind officer")
    assert [(each.authority, each.role) for each in mine.grants] == [("xa-ministry", "submitter")]


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"authority": "xz"}, Refusal, "no authority xz"),
        ({"authority": "xb-rules"}, Refusal, "no authority xb-rules"),
        ({"role": "registrar"}, Refusal, "a role at registrar"),
        ({"principal": "p-0000000000000000"}, NoSuchPrincipal, "no principal"),
    ],
)
async def test_a_role_is_given_where_it_makes_sense(
    office: Office, change: dict[str, str], kind: type[Refusal], message: str
) -> None:
    giving = {"principal": office.people["officer"].id, "authority": "xa-ministry", "role": "auditor"}
    with pytest.raises(kind, match=message):
        await propose_role(office.engine, office.people["registrar"], **{**giving, **change}, **office.means)


async def test_principals_are_listed_page_by_page_and_by_authority(office: Office) -> None:
    registrar = office.people["registrar"]
    everyone = await list_principals(office.engine, registrar)
    assert [each.id for each in everyone] == sorted(each.id for each in office.people.values())
    pages = []
    after = ""
    while page := await list_principals(office.engine, registrar, after=after, limit=3):
        pages += page
        after = page[-1].id
    assert tuple(pages) == everyone
    ministry = await list_principals(office.engine, registrar, authority="xa-ministry")
    assert {each.id for each in ministry} == {office.people[name].id for name in ("officer", "second", "auditor")}
    with pytest.raises(Refusal):
        await list_principals(office.engine, registrar, limit=0)


async def test_a_name_can_be_erased_and_the_id_stays(office: Office) -> None:
    officer = office.people["officer"]
    erased = await erase_name(office.engine, office.people["registrar"], principal=officer.id, clock=office.clock)
    assert (erased.id, erased.name) == (officer.id, None)
    assert (await show_principal(office.engine, officer)).name is None
