"""Notices are written once for each cause, as their endpoint stands, and are sent again on request."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.services.delivery.endpoints import disable_endpoint, enable_endpoint, end_endpoint
from cab_registry.storage.deliveries import Claimed, claim_due, list_deliveries, next_due, record_attempt, replay
from cab_registry.storage.endpoints import block_mail, is_blocked
from cab_registry.storage.outbox import CHANNEL, CONFIRMATION, add_notices
from cab_registry.storage.watch_tables import outbox
from tests.services.delivery.noticing import START, make_endpoint, make_watch, notice, notices_of, state_of

LATER = START + timedelta(hours=1)
MAIL = {"kind": "mail"}


async def rows(connection: AsyncConnection) -> list[Any]:
    return list((await connection.execute(outbox.select().order_by(outbox.c.number))).all())


async def claim(connection: AsyncConnection, **more: Any) -> list[Claimed]:
    asked: dict[str, Any] = {"kind": "webhook", "failing": False, "most": 10, "each": 10, "busy": {}}
    return await claim_due(
        connection,
        more.pop("now", START),
        lease=timedelta(minutes=2),
        patience=timedelta(days=3),
        **{**asked, **more},
    )


async def test_a_notice_is_written_once_for_each_watch_and_cause(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        to = await make_endpoint(connection, 1, "https://a.example/")
        one, two = await make_watch(connection, 1, to), await make_watch(connection, 2, to)
        several = [
            notice("a", watch=one), notice("a", watch=two), notice("a", watch=one),
            notice("a", endpoint=to), notice("a", endpoint=to),
        ]  # fmt: skip
        assert await add_notices(connection, several) == 3
        assert await add_notices(connection, [notice("a", watch=one), notice("b", watch=one)]) == 1
        assert await add_notices(connection, []) == 0
        written = await rows(connection)
    assert [(row.watch, row.endpoint, row.cause) for row in written] == [
        (one, to, "a"), (two, to, "a"), (None, to, "a"), (one, to, "b"),
    ]  # fmt: skip
    assert [row.id for row in written[:3]] == [several[0].id, several[1].id, several[3].id]
    assert len({row.id for row in written}) == 4


@pytest.mark.parametrize(
    ("endpoint_state", "kind", "state"),
    [
        ("active", "watch.changed", "pending"),
        ("disabled", "watch.changed", "held"),
        ("ended", "watch.changed", "held"),
        ("unconfirmed", "watch.changed", "held"),
        ("unconfirmed", CONFIRMATION, "pending"),
        ("disabled", CONFIRMATION, "held"),
        (None, "watch.changed", "unsent"),
    ],
)
async def test_a_notice_waits_as_its_endpoint_stands(
    engine: AsyncEngine, endpoint_state: str | None, kind: str, state: str
) -> None:
    async with engine.begin() as connection:
        to = None
        if endpoint_state is not None:
            to = await make_endpoint(connection, 1, "a@b.example", state=endpoint_state, **MAIL)
        watch = await make_watch(connection, 1, to)
        assert await add_notices(connection, [notice("a", watch=watch, kind=kind)]) == 1
        (row,) = await rows(connection)
    assert (row.state, row.next_attempt) == (state, START if state == "pending" else None)
    assert (row.attempts, row.gives_up, row.delivered) == (0, None, None)


async def test_a_watch_that_ended_gets_nothing(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        watch = await make_watch(connection, 1, None, ended=True)
        assert await add_notices(connection, [notice("a", watch=watch)]) == 0


@pytest.mark.parametrize("whose", [{"watch": "w-00000000000000ff"}, {}])
async def test_a_notice_for_nobody_is_no_notice(engine: AsyncEngine, whose: dict[str, str]) -> None:
    with pytest.raises(IntegrityError):
        async with engine.begin() as connection:
            await add_notices(connection, [notice("a", **whose)])


async def test_many_notices_keep_their_order(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        watch = await make_watch(connection, 1, None)
        many = [notice(f"c{number:05}", watch=watch, position=number) for number in range(2500)]
        assert await add_notices(connection, many) == 2500
        assert [row.position for row in await rows(connection)] == list(range(2500))


async def test_couriers_are_woken_when_the_transaction_ends(engine: AsyncEngine, database_url: str) -> None:
    heard = asyncio.Event()
    listener = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    await listener.add_listener(CHANNEL, lambda *_: heard.set())
    async with engine.begin() as connection:
        watch = await make_watch(connection, 1, None)
        await add_notices(connection, [notice("a", watch=watch)])
        with suppress(TimeoutError):
            await asyncio.wait_for(heard.wait(), 0.2)
        assert not heard.is_set()
    await asyncio.wait_for(heard.wait(), 5)
    heard.clear()
    async with engine.begin() as connection:
        await add_notices(connection, [notice("a", watch=watch)])
    with suppress(TimeoutError):
        await asyncio.wait_for(heard.wait(), 0.2)
    assert not heard.is_set()
    await listener.close()


@pytest.mark.parametrize("enabling", [True, False])
async def test_no_notice_slips_past_a_change_of_its_endpoint(engine: AsyncEngine, *, enabling: bool) -> None:
    """One transaction writes a notice while another opens or closes its endpoint: either order gives the same."""
    async with engine.begin() as connection:
        to = await make_endpoint(connection, 1, "https://a.example/", state="disabled" if enabling else "active")
        watch = await make_watch(connection, 1, to)
    async with engine.connect() as writing:
        await add_notices(writing, [notice("a", watch=watch)])

        async def change() -> None:
            async with engine.begin() as connection:
                await (enable_endpoint(connection, to, LATER) if enabling else
                       disable_endpoint(connection, to, "told so", LATER))  # fmt: skip

        changing = asyncio.create_task(change())
        await asyncio.sleep(0.1)
        assert not changing.done()
        await writing.commit()
        await changing
    assert (await notices_of(engine))["a"].state == ("pending" if enabling else "held")


async def test_a_claim_is_a_lease(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        to = await make_endpoint(connection, 1, "https://a.example/")
        await add_notices(connection, [notice("a", endpoint=to), notice("b", endpoint=to, now=LATER)])
        assert await claim(connection, now=START - timedelta(seconds=1)) == []
        (first,) = await claim(connection)
        assert (first.id, first.attempt, first.tried) == (notice("a", endpoint=to).id, 1, 0)
        assert first.gives_up == START + timedelta(days=3)
        assert await claim(connection) == []
        assert await claim(connection, now=START + timedelta(seconds=119)) == []
        (again,) = await claim(connection, now=START + timedelta(seconds=120))
        assert (again.id, again.attempt, again.gives_up) == (first.id, 2, first.gives_up)
        assert await next_due(connection) == START + timedelta(seconds=240)


async def test_two_claim_at_the_same_time_and_none_gets_what_the_other_got(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        to = await make_endpoint(connection, 1, "https://a.example/")
        await add_notices(connection, [notice(f"c{number}", endpoint=to) for number in range(10)])
    async with engine.connect() as one, engine.connect() as other:
        first, second = await claim(one, most=4), await claim(other, most=10)
        assert len(first) == 4
        assert len(second) == 6
        await one.commit()
        await other.commit()
        assert await claim(one) == []
    assert len({each.id for each in (*first, *second)}) == 10


async def test_no_endpoint_takes_all_the_room(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        ids = [await make_endpoint(connection, number, f"https://{number}.example/") for number in (1, 2, 3)]
        for to, many in zip(ids, (50, 1, 3), strict=True):
            await add_notices(connection, [notice(f"c{number}", endpoint=to) for number in range(many)])
        claimed = await claim(connection, each=2, busy={ids[2]: 1})
        assert sorted(each.endpoint for each in claimed) == [ids[0], ids[0], ids[1], ids[2]]
        assert await claim(connection, each=2, busy={ids[0]: 2, ids[2]: 2}) == []


async def test_only_what_is_open_is_claimed(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        new = await make_endpoint(connection, 1, "a@b.example", state="unconfirmed", **MAIL)
        failing = await make_endpoint(connection, 2, "https://b.example/", more={"failing_since": START})
        await add_notices(
            connection,
            [notice("a", endpoint=new, kind=CONFIRMATION), notice("b", endpoint=new), notice("c", endpoint=failing)],
        )
        assert [each.kind for each in await claim(connection, kind="mail")] == [CONFIRMATION]
        assert await claim(connection) == []
        assert [each.endpoint for each in await claim(connection, failing=True)] == [failing]


async def test_disabling_holds_what_waits_and_tells_the_owner_by_mail(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        to = await make_endpoint(connection, 1, "https://a.example/")
        mail = await make_endpoint(connection, 2, "kim@a.example", **MAIL)
        await make_endpoint(connection, 3, "lee@a.example", owned=False, **MAIL)
        await make_endpoint(connection, 4, "old@a.example", state="disabled", **MAIL)
        await add_notices(connection, [notice("a", endpoint=to), notice("b", endpoint=mail)])
        assert await disable_endpoint(connection, to, "it is gone", LATER)
        assert not await disable_endpoint(connection, to, "again", LATER)
        assert not await disable_endpoint(connection, "e-00000000000000ff", "who", LATER)
        first, second, told = await rows(connection)
        assert (first.state, second.state) == ("held", "pending")
        assert (told.endpoint, told.kind, told.state) == (mail, "endpoint.disabled", "pending")
        assert b"it is gone" in told.payload
        assert await next_due(connection) == START
        assert await enable_endpoint(connection, to, LATER) == 1
        assert [row.next_attempt for row in await rows(connection)] == [LATER, START, LATER]
    found = await state_of(engine, to)
    assert (found.state, found.reason, found.changed) == ("active", "", LATER)


async def test_without_a_mail_address_the_notice_waits_at_the_endpoint_itself(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        to = await make_endpoint(connection, 1, "https://a.example/")
        assert await disable_endpoint(connection, to, "it is gone", LATER)
        (told,) = await rows(connection)
        assert (told.endpoint, told.kind, told.state) == (to, "endpoint.disabled", "held")


async def test_an_endpoint_that_ended_is_forgotten(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        to = await make_endpoint(connection, 1, "https://a.example/")
        await add_notices(connection, [notice("a", endpoint=to)])
        assert await end_endpoint(connection, to, LATER)
        assert not await end_endpoint(connection, to, LATER)
        assert await enable_endpoint(connection, to, LATER) is None
        assert (await next_due(connection), await claim(connection)) == (None, [])
    found = await state_of(engine, to)
    assert (found.state, found.address, found.secret) == ("ended", None, None)


async def test_what_was_delivered_is_sent_again_from_a_position_on(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        to = await make_endpoint(connection, 1, "https://a.example/")
        other = await make_endpoint(connection, 2, "https://b.example/")
        watch = await make_watch(connection, 1, to)
        told = [
            notice("old day", watch=watch), notice("p5", watch=watch, position=5), notice("day", watch=watch),
            notice("p7", watch=watch, position=7), notice("p8", endpoint=to, position=8),
            notice("confirm", endpoint=to, kind=CONFIRMATION, position=9), notice("p9", endpoint=other, position=9),
        ]  # fmt: skip
        await add_notices(connection, told)
        await connection.execute(text("UPDATE outbox SET state='delivered', delivered=created, next_attempt=NULL"))
        await connection.execute(text("UPDATE outbox SET state='failed', delivered=NULL WHERE cause='p7'"))
        await connection.execute(text("UPDATE outbox SET gives_up=created"))

        async def again(**asked: Any) -> list[str]:
            await connection.execute(text("SAVEPOINT before"))
            count = await replay(connection, LATER, **asked)
            due = [row for row in await rows(connection) if row.state in {"pending", "held"}]
            assert all((row.gives_up, row.delivered) == (None, None) for row in due)
            assert len(due) == count
            await connection.execute(text("ROLLBACK TO before"))
            return [row.cause for row in due]

        assert await again(endpoint_id=to, after_position=5) == ["day", "p7", "p8"]
        assert await again(watch_id=watch, after_position=5) == ["day", "p7"]
        assert await again(endpoint_id=to, after_position=0) == ["old day", "p5", "day", "p7", "p8"]
        assert await again(endpoint_id=to, after_position=8) == []
        number = (await rows(connection))[3].number
        assert await again(endpoint_id=to, after_number=number) == ["p8"]
        assert await again(watch_id=watch, after_number=number) == []
        for wrong in ({"endpoint_id": to}, {"after_position": 1}):
            with pytest.raises(ValueError, match="expected"):
                await replay(connection, LATER, **wrong)  # type: ignore[arg-type]
        await disable_endpoint(connection, to, "told so", LATER)
        assert await replay(connection, LATER, watch_id=watch, after_position=0) == 4
        states = {row.cause: row.state for row in await rows(connection)}
        assert states["p7"] == states["day"] == "held"


async def test_the_log_of_deliveries_is_read_page_by_page(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        to = await make_endpoint(connection, 1, "https://a.example/")
        other = await make_endpoint(connection, 2, "https://b.example/")
        watch = await make_watch(connection, 1, to)
        await add_notices(
            connection, [notice("a", watch=watch, position=4), notice("b", endpoint=to), notice("c", endpoint=other)]
        )
        for turn in range(3):
            for claimed in await claim(connection, now=START + turn * timedelta(minutes=3)):
                await record_attempt(
                    connection,
                    claimed,
                    began=claimed.claimed,
                    seconds=0.5,
                    outcome="refused",
                    status=500,
                    words="500 Internal Server Error",
                )
        first = await list_deliveries(connection, endpoint_id=to, limit=4)
        rest = await list_deliveries(connection, endpoint_id=to, before=(first[-1].number, first[-1].attempt))
        whole = [*first, *rest]
        assert [each.attempt for each in whole] == [3, 2, 1, 3, 2, 1]
        assert [each.watch for each in whole] == [None] * 3 + [watch] * 3
        assert (whole[3].position, whole[3].status, whole[3].seconds) == (4, 500, 0.5)
        assert [each.attempt for each in await list_deliveries(connection, watch_id=watch)] == [3, 2, 1]
        assert len(await list_deliveries(connection, notice=whole[0].notice)) == 3
        assert len(await list_deliveries(connection)) == 9


async def test_a_blocked_address_stays_blocked(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        assert not await is_blocked(connection, [bytes(32)])
        await block_mail(connection, bytes(32), START)
        await block_mail(connection, bytes(32), LATER)
        assert await is_blocked(connection, [bytes(32), b"\x01" * 32])
        assert not await is_blocked(connection, [b"\x01" * 32])
