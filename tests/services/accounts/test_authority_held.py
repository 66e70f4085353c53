"""Authority that ended between the look at the token and the commit counts for nothing: each write asks again."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cab_registry.services.accounts.roles import end_role
from cab_registry.services.delivery.endpoint_keeping import (
    EndpointRequest,
    create_endpoint,
    enable_own_endpoint,
    end_own_endpoint,
    replay,
    rotate_secret,
    send_test,
)
from cab_registry.services.principals import disable_principal
from cab_registry.services.refusals import MissingRole, TokenRefused
from cab_registry.services.submitting import approve, reject, withdraw
from cab_registry.services.watching.watches import create_watch, end_watch
from tests.services.office import Office, body, given
from tests.services.watching.watch_desks import LOCAL, asking, open_watches, record

WEBHOOK = EndpointRequest(kind="webhook", address=LOCAL)
POLICY = {"authority": "xa-ministry", "four_eyes": True, "scope_wider": "warn"}
Step = Callable[[], Awaitable[Any]]


class Prepared:
    """What is there before somebody's authority ends: a watch, an endpoint, and submissions that wait."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.watches = open_watches(office)

    async def open(self) -> None:
        office = self.office
        await office.desk.heads.at_least(0)
        policy = (await office.submit("officer", POLICY, kind="policy")).public
        await approve(office.desk, office.people["second"], policy.id, policy.digest)
        await office.hire("third", "xa-ministry", "submitter", "approver")
        self.theirs = (await office.submit("third", body(1))).public
        stricter = given({**POLICY, "scope_wider": "refuse"}, 1)
        self.policy = (await office.submit("third", stricter, kind="policy")).public
        self.other = (await office.submit("third", body(5))).public
        self.own = (await office.submit("second", body(2))).public
        await office.submit("third", body(4), key="k")
        second = office.people["second"]
        self.endpoint = (await create_endpoint(self.watches, second, WEBHOOK)).endpoint.id
        self.watch = (await create_watch(self.watches, second, asking(record("agreement", "xa-xb")))).watch.id

    def steps(self) -> dict[str, Step]:
        office, watches, desk = self.office, self.watches, self.office.desk
        second = office.people["second"]
        return {
            "submit": lambda: office.submit("second", body(3)),
            "submit a policy": lambda: office.submit("second", given({**POLICY, "four_eyes": False}, 1), kind="policy"),
            "approve": lambda: approve(desk, second, self.theirs.id, self.theirs.digest),
            "approve a policy": lambda: approve(desk, second, self.policy.id, self.policy.digest),
            "reject": lambda: reject(desk, second, self.other.id, "no"),
            "withdraw": lambda: withdraw(desk, second, self.own.id, "no"),
            "make an endpoint": lambda: create_endpoint(watches, second, WEBHOOK),
            "rotate a secret": lambda: rotate_secret(watches, second, self.endpoint),
            "enable an endpoint": lambda: enable_own_endpoint(watches, second, self.endpoint),
            "test an endpoint": lambda: send_test(watches, second, self.endpoint),
            "send again": lambda: replay(watches, second, self.endpoint, after=0),
            "end an endpoint": lambda: end_own_endpoint(watches, second, self.endpoint),
            "watch": lambda: create_watch(watches, second, asking(record("authority", "xb-office"))),
            "end a watch": lambda: end_watch(watches, second, self.watch),
        }


@pytest.fixture
async def prepared(office: Office) -> Prepared:
    made = Prepared(office)
    await made.open()
    return made


async def state_of(office: Office) -> list[Any]:
    """What there is of entries, submissions, watches, endpoints and notices."""
    found = []
    async with office.engine.connect() as connection:
        for table in ("entry", "submission", "authority_policy", "watch", "endpoint", "outbox", "token"):
            rows = await connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1, 2")  # noqa: S608 - names of ours
            found.append([dict(row) for row in rows.mappings()])
    return found


async def test_who_is_disabled_after_the_token_was_taken_writes_nothing(prepared: Prepared) -> None:
    office = prepared.office
    second = office.people["second"]
    await disable_principal(office.engine, office.people["registrar"], principal=second.id, clock=office.clock)
    before = await state_of(office)
    done = []
    for name, step in prepared.steps().items():
        try:
            await step()
        except TokenRefused:
            continue
        done.append(name)
    assert done == []
    assert await state_of(office) == before


async def test_who_lost_the_role_after_the_token_was_taken_writes_nothing(prepared: Prepared) -> None:
    office = prepared.office
    registrar, second = office.people["registrar"], office.people["second"]
    for role in second.roles:
        await end_role(
            office.engine, registrar, principal=second.id, authority="xa-ministry", role=role, clock=office.clock
        )
    before = await state_of(office)
    done = []
    for name, step in prepared.steps().items():
        try:
            await step()
        except MissingRole:
            continue
        done.append(name)
    assert done == []
    assert await state_of(office) == before


async def test_whose_token_ended_meanwhile_writes_nothing(prepared: Prepared) -> None:
    office = prepared.office
    before = await state_of(office)
    office.wait(days=400)
    done = []
    for name, step in prepared.steps().items():
        try:
            await step()
        except TokenRefused:
            continue
        done.append(name)
    assert done == []
    assert await state_of(office) == before
