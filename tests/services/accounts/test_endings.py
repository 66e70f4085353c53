"""With the authority on which they rest end watches, endpoints, tokens and invitations; nothing more is sent."""

from typing import Any

import pytest

from cab_registry.domain.errors import Refusal
from cab_registry.services.accounts.invitations import invite, redeem
from cab_registry.services.accounts.roles import end_role, end_roles_at_retired
from cab_registry.services.accounts.tokens import issue_token, list_tokens, rotate_token
from cab_registry.services.accounts.trail import list_trail
from cab_registry.services.delivery.delivering import Courier
from cab_registry.services.delivery.endpoint_keeping import (
    EndpointRequest,
    create_endpoint,
    end_own_endpoint,
    list_endpoints,
    send_test,
)
from cab_registry.services.principals import disable_principal, make_principal
from cab_registry.services.refusals import MissingRole, SubmitterGone, TokenRefused
from cab_registry.services.submitting import approve, reject
from cab_registry.services.watching.watch_desk import NoSuchWatch, WatchDesk
from cab_registry.services.watching.watches import create_watch, end_watch, list_watches
from cab_registry.storage.outbox import NewNotice, add_notices
from tests.services.office import Office, body, given, law
from tests.services.watching.watch_desks import LOCAL, asking, open_watches, record, rows

WEBHOOK = EndpointRequest(kind="webhook", address=LOCAL)


@pytest.fixture
async def watches(office: Office) -> WatchDesk:
    await office.desk.heads.at_least(0)
    return open_watches(office)


async def keep(office: Office, watches: WatchDesk, who: str = "second") -> tuple[str, str]:
    """Make an endpoint and a watch that sends to it, with a notice of each that waits."""
    acting = office.people[who]
    endpoint = (await create_endpoint(watches, acting, WEBHOOK)).endpoint.id
    watch = (await create_watch(watches, acting, asking(record("agreement", "xa-xb"), endpoint=endpoint))).watch.id
    await send_test(watches, acting, endpoint)
    async with office.engine.begin() as connection:
        told = NewNotice(watch=watch, cause="c", kind="record.changed", created=office.now, payload=b"{}")
        assert await add_notices(connection, [told]) == 1
    return endpoint, watch


async def sent(office: Office) -> int:
    """How many notices a courier sends now."""

    async def send(claimed: Any) -> Any:
        raise AssertionError(f"{claimed.id} is sent")

    return await Courier(office.engine, send, office.clock, office.random).deliver_due()


async def states(office: Office) -> set[tuple[str, str]]:
    found = await rows(
        office.engine,
        "SELECT 'endpoint' AS what, state FROM endpoint UNION SELECT 'watch', CASE WHEN ended IS NULL THEN 'kept' ELSE"
        " 'ended' END FROM watch UNION SELECT 'notice', state FROM outbox",
    )
    return {(each["what"], each["state"]) for each in found}


OVER = {("endpoint", "ended"), ("watch", "ended"), ("notice", "held")}
GOING_ON = {("endpoint", "active"), ("watch", "kept"), ("notice", "pending")}


async def test_with_a_principal_end_its_endpoints_watches_and_tokens(office: Office, watches: WatchDesk) -> None:
    await keep(office, watches)
    assert await states(office) == GOING_ON
    registrar, second = office.people["registrar"], office.people["second"]
    await disable_principal(office.engine, registrar, principal=second.id, clock=office.clock)
    assert await states(office) == OVER
    assert await sent(office) == 0
    tokens = await list_tokens(office.engine, registrar, principal=second.id)
    assert [each.revoked for each in tokens] == [office.now]
    (kept,) = await rows(office.engine, "SELECT address, secret FROM endpoint")
    assert (kept["address"], kept["secret"]) == (None, None)


async def test_they_end_with_the_last_role_and_not_before(office: Office, watches: WatchDesk) -> None:
    await keep(office, watches)
    registrar, second = office.people["registrar"], office.people["second"]
    named: dict[str, Any] = {"principal": second.id, "authority": "xa-ministry", "clock": office.clock}
    await end_role(office.engine, registrar, **named, role="approver")
    assert await states(office) == GOING_ON
    await end_role(office.engine, registrar, **named, role="submitter")
    assert await states(office) == OVER
    assert await sent(office) == 0
    with pytest.raises(MissingRole):
        await create_endpoint(watches, second, WEBHOOK)


async def test_a_registrar_ends_single_endpoints_and_watches_of_others(office: Office, watches: WatchDesk) -> None:
    endpoint, watch = await keep(office, watches)
    registrar, second = office.people["registrar"], office.people["second"]
    listed = await list_endpoints(watches, registrar, principal=second.id)
    assert [each.id for each in listed] == [endpoint]
    assert [each.id for each in await list_watches(watches, registrar, principal=second.id)] == [watch]
    for who in ("officer", "auditor", "regulator"):
        with pytest.raises(MissingRole):
            await list_endpoints(watches, office.people[who], principal=second.id)
        with pytest.raises(NoSuchWatch):
            await end_own_endpoint(watches, office.people[who], endpoint)
        with pytest.raises(NoSuchWatch):
            await end_watch(watches, office.people[who], watch)
    assert (await end_watch(watches, registrar, watch)).ended is not None
    assert (await end_own_endpoint(watches, registrar, endpoint)).state == "ended"
    assert await states(office) == OVER
    assert await sent(office) == 0
    trail = await list_trail(office.engine, registrar, principal=second.id, newest=True, limit=2)
    assert [(each.kind, each.actor) for each in reversed(trail)] == [
        ("endpoint_ended", registrar.id),
        ("watch_ended", registrar.id),
    ]


async def waiting_of(office: Office, who: str, **more: Any) -> Any:
    """Have the ministry want four eyes, and hand something in that waits."""
    policy = {"authority": "xa-ministry", "four_eyes": True, "scope_wider": "warn"}
    change = (await office.submit("officer", policy, kind="policy")).public
    await approve(office.desk, office.people["second"], change.id, change.digest or "")
    if more:
        return (await office.submit(who, given({**policy, **more}, 1), kind="policy")).public
    return (await office.submit(who, body(1))).public


@pytest.mark.parametrize("more", [{}, {"scope_wider": "refuse"}])
@pytest.mark.parametrize("ending", ["account", "role"])
async def test_what_waits_is_not_entered_in_the_name_of_who_is_gone(
    office: Office, ending: str, more: dict[str, Any]
) -> None:
    waiting = await waiting_of(office, "officer", **more)
    registrar, officer = office.people["registrar"], office.people["officer"]
    named: dict[str, Any] = {"principal": officer.id, "clock": office.clock}
    if ending == "account":
        await disable_principal(office.engine, registrar, **named)
    else:
        await end_role(office.engine, registrar, **named, authority="xa-ministry", role="submitter")
    with pytest.raises(SubmitterGone, match="reject it"):
        await approve(office.desk, office.people["second"], waiting.id, waiting.digest)
    rejected = await reject(office.desk, office.people["second"], waiting.id, "its submitter is gone")
    assert rejected.public.state == "rejected"


RETIRED = "xu-agency"


async def retire(office: Office) -> None:
    document = next(each for each in law() if each["id"] == RETIRED)
    done = await office.submit("registrar", given(document, 1, "retire"))
    assert done.public.state == "approved"


async def test_nobody_speaks_for_an_authority_that_is_retired(office: Office, watches: WatchDesk) -> None:
    leaving = await office.hire("leaving", RETIRED, "submitter")
    await keep(office, watches, "leaving")
    asked: dict[str, Any] = {"authority": RETIRED, "roles": ("submitter",)}
    await retire(office)
    for step in (
        lambda: create_watch(watches, leaving, asking(record("authority", "xb-office"))),
        lambda: create_endpoint(watches, leaving, WEBHOOK),
        lambda: issue_token(office.engine, leaving, **asked, name="more", **office.means),
        lambda: rotate_token(office.engine, leaving, **office.means),
    ):
        with pytest.raises(TokenRefused, match="is retired"):
            await step()
    assert await sent(office) == 0
    async with office.engine.begin() as connection:
        assert await end_roles_at_retired(connection, office.now) == 1
    assert await states(office) == OVER
    trail = await list_trail(office.engine, office.people["registrar"], principal=leaving.id, newest=True, limit=1)
    assert [(each.kind, each.actor, each.authority) for each in trail] == [("role_ended", "jobs", RETIRED)]


async def test_a_code_for_an_authority_that_is_retired_gives_no_token(office: Office) -> None:
    registrar = office.people["registrar"]
    person = await make_principal(office.engine, registrar, name="Late", kind="person", **office.means)
    asked: dict[str, Any] = {"principal": person.id, "authority": RETIRED, "roles": ("submitter",)}
    made = await invite(office.engine, registrar, **asked, **office.means)
    await retire(office)
    with pytest.raises(Refusal, match="no authority"):
        await redeem(office.engine, made.code, name="desk", **office.means)
