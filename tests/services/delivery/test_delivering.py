"""Delivery, with a receiver and a database that are real: each bad behaviour ends as documented."""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks.webhooks import Webhook

from cab_registry.services.delivery.attempts import Attempt
from cab_registry.services.delivery.delivering import (
    AT_ONCE,
    BACK_OFF,
    LEASE,
    PATIENCE,
    Courier,
    run_courier,
    wait_after,
)
from cab_registry.services.delivery.endpoints import enable_endpoint
from cab_registry.services.delivery.mail import Composer, Mailer
from cab_registry.services.delivery.sending import Post, make_sender
from cab_registry.settings import Settings
from cab_registry.storage.deliveries import Claimed, list_deliveries, next_due, replay
from cab_registry.storage.endpoints import block_mail
from cab_registry.storage.engine import create_engine
from cab_registry.storage.outbox import CONFIRMATION
from tests.services.delivery.noticing import (
    SEALER,
    SECRET,
    START,
    HandClock,
    courier_of,
    make_endpoint,
    make_watch,
    middling,
    notice,
    notices_of,
    outcomes,
    sender_of,
    state_of,
    tell,
)
from tests.services.delivery.receiving import Behaviour, Receiver, answer, hang, in_turn, receiving
from tests.services.delivery.test_mail import Catcher, catching

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_engine(database_url, pool_size=2)
    yield made
    await made.dispose()


class Round:
    """A receiver, an endpoint for it, and a courier whose clock is moved by hand."""

    def __init__(self, engine: AsyncEngine, receiver: Receiver, endpoint: str, clock: HandClock, sender: Any) -> None:
        self.engine = engine
        self.receiver = receiver
        self.endpoint = endpoint
        self.clock = clock
        self.sender = sender
        self.courier = courier_of(engine, sender, clock)

    async def tell(self, *causes: str, **more: Any) -> list[str]:
        return await tell(
            self.engine, [notice(cause, self.clock.now, endpoint=self.endpoint, **more) for cause in causes]
        )

    async def to_the_next(self) -> int:
        async with self.engine.connect() as connection:
            due = await next_due(connection)
        assert due is not None
        self.clock.now = max(due, self.clock.now)
        return await self.courier.deliver_due()


@asynccontextmanager
async def round_of(engine: AsyncEngine, behaviour: Behaviour, **more: Any) -> AsyncIterator[Round]:
    clock = HandClock()
    sender = sender_of(engine, clock, **more)
    async with receiving(behaviour) as receiver:
        async with engine.begin() as connection:
            to = await make_endpoint(connection, 1, receiver.url())
        yield Round(engine, receiver, to, clock, sender)
    await sender.close()


async def test_a_notice_is_delivered_once_signed_and_logged(engine: AsyncEngine) -> None:
    async with round_of(engine, answer(204)) as going:
        (told,) = await going.tell("a", position=7)
        assert await going.courier.deliver_due() == 1
        assert await going.courier.deliver_due() == 0
        (request,) = going.receiver.received
        assert request.headers["webhook-id"] == told
        assert int(request.headers["webhook-timestamp"]) == START.timestamp()
        signature = Webhook(SECRET).sign(told, START, request.body.decode())
        assert request.headers["webhook-signature"] == signature
        row = (await notices_of(engine))["a"]
        assert request.body == row.payload
        assert (row.state, row.delivered, row.attempts) == ("delivered", START, 1)
        async with engine.connect() as connection:
            (kept,) = await list_deliveries(connection, endpoint_id=going.endpoint)
    assert (kept.notice, kept.position, kept.attempt, kept.outcome, kept.status) == (told, 7, 1, "delivered", 204)
    assert (kept.began, kept.words) == (START, "204 No Content")
    assert 0 < kept.seconds < 10


async def test_who_fails_gets_the_same_again_a_little_later(engine: AsyncEngine) -> None:
    async with round_of(engine, in_turn(answer(500), answer(503), answer(200))) as going:
        await going.tell("a")
        assert await going.courier.deliver_due() == 1
        assert (await state_of(engine, going.endpoint)).failing_since == START
        going.clock.pass_by(seconds=4)
        assert await going.courier.deliver_due() == 0
        going.clock.pass_by(seconds=1.01)
        assert await going.courier.deliver_due() == 1
        going.clock.pass_by(seconds=29)
        assert await going.courier.deliver_due() == 0
        going.clock.pass_by(seconds=1.02)
        assert await going.courier.deliver_due() == 1
        assert len(set(going.receiver.ids)) == 1
        assert len({request.body for request in going.receiver.received}) == 1
        assert len({request.headers["webhook-timestamp"] for request in going.receiver.received}) == 3
        assert (await notices_of(engine))["a"].state == "delivered"
        assert (await state_of(engine, going.endpoint)).failing_since is None
    assert await outcomes(engine) == ["refused", "refused", "delivered"]


async def test_three_days_of_failure_give_up_and_disable_and_tell(engine: AsyncEngine) -> None:
    async with round_of(engine, answer(500)) as going:
        async with engine.begin() as connection:
            mail = await make_endpoint(connection, 2, "kim@a.example", kind="mail")
        await going.tell("a")
        await tell(engine, [notice("b", START + timedelta(days=4), endpoint=going.endpoint)])
        waits: list[timedelta] = []
        before = going.clock.now
        while (await notices_of(engine))["a"].state == "pending":
            await going.to_the_next()
            waits.append(going.clock.now - before)
            before = going.clock.now
        assert going.clock.now - START == PATIENCE
        for wait, planned in zip(waits[1:], BACK_OFF, strict=False):
            assert abs(wait - planned) < timedelta(milliseconds=1)
        assert len(waits) == len(going.receiver.received) == 15
        found = await state_of(engine, going.endpoint)
        assert (found.state, found.changed) == ("disabled", going.clock.now)
        assert "3 days" in found.reason
        told = await notices_of(engine)
        assert (told["a"].state, told["b"].state) == ("failed", "held")
        (of_it,) = [row for row in told.values() if row.kind == "endpoint.disabled"]
        assert (of_it.endpoint, of_it.state) == (mail, "pending")
        assert Counter(await outcomes(engine)) == {"refused": 15, "not_sent": 1}


async def test_one_notice_that_is_refused_does_not_close_an_endpoint_that_takes_others(engine: AsyncEngine) -> None:
    async def refuse_one(request: Any, writer: asyncio.StreamWriter) -> None:
        await answer(400 if b"About bad" in request.body else 200)(request, writer)

    async with round_of(engine, refuse_one) as going:
        await going.tell("bad")
        turn = 0
        while (await notices_of(engine))["bad"].state == "pending":
            await going.to_the_next()
            turn += 1
            await going.tell(f"good {turn}")
            await going.courier.deliver_due()
        assert (await notices_of(engine))["bad"].state == "failed"
        assert (await state_of(engine, going.endpoint)).state == "active"


async def test_410_closes_at_once_and_opening_sends_what_was_held(engine: AsyncEngine) -> None:
    async with round_of(engine, in_turn(answer(410), answer(200))) as going:
        ids = await going.tell("a")
        await going.courier.deliver_due()
        found = await state_of(engine, going.endpoint)
        assert (found.state, found.reason) == ("disabled", "it answered 410 Gone")
        ids += await going.tell("b")
        assert await going.courier.deliver_due() == 0
        assert {row.state for row in (await notices_of(engine)).values()} == {"held"}
        going.clock.pass_by(days=30)
        async with engine.begin() as connection:
            assert await enable_endpoint(connection, going.endpoint, going.clock.now) == 3
        assert await going.courier.deliver_due() == 3
        assert set(ids) < set(going.receiver.ids)
        assert {row.state for row in (await notices_of(engine)).values()} == {"delivered"}


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        ("60", timedelta(seconds=60)),
        ("1", timedelta(seconds=5)),
        ("86400000", BACK_OFF[-1]),
        ("Sat, 21 Nov 2026 09:00:00 GMT", timedelta(hours=1)),
    ],
)
async def test_retry_after_is_honoured_within_the_usual(engine: AsyncEngine, asked: str, waits: timedelta) -> None:
    async with round_of(engine, answer(429, headers=f"Retry-After: {asked}\r\n")) as going:
        await going.tell("a")
        await going.courier.deliver_due()
        due = (await notices_of(engine))["a"].next_attempt
        assert abs(due - START - waits) < timedelta(milliseconds=1)


async def test_redirects_are_tried_again_and_never_followed(engine: AsyncEngine) -> None:
    async with receiving(answer(200)) as target:
        elsewhere = answer(307, headers=f"Location: {target.url('127.0.0.1')}\r\n")
        async with round_of(engine, elsewhere) as going:
            await going.tell("a")
            await going.courier.deliver_due()
            assert (await notices_of(engine))["a"].state == "pending"
        assert target.received == []
    assert await outcomes(engine) == ["redirected"]


async def test_who_hangs_holds_nobody_else_up(engine: AsyncEngine) -> None:
    async with round_of(engine, hang, deadline=timedelta(seconds=0.3)) as going, receiving(answer(200)) as quick:
        async with engine.begin() as connection:
            hanging = [await make_endpoint(connection, 100 + n, going.receiver.url(path=f"/{n}")) for n in range(20)]
            other = await make_endpoint(connection, 2, quick.url())
        many = [notice(f"{to} {n}", START, endpoint=to) for to in hanging for n in range(2)]
        await tell(engine, many)
        await going.courier.deliver_due()
        assert await outcomes(engine) == ["timeout"] * len(many)
        before = len(going.receiver.received)
        going.clock.pass_by(minutes=10)
        await tell(engine, [notice(f"quick {n}", going.clock.now, endpoint=other) for n in range(9)])
        patient = sender_of(engine, going.clock, deadline=timedelta(seconds=8))
        courier = courier_of(engine, patient, going.clock)
        delivering = asyncio.create_task(courier.deliver_due())
        await until(quick, 9, 20)
        assert len(going.receiver.received) - before <= AT_ONCE["webhook"] // 2
        await courier.land(0)
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)
        await patient.close()


async def test_no_more_at_once_than_allowed(engine: AsyncEngine) -> None:
    flying, most, most_each = Counter[str](), 0, 0

    async def count(claimed: Claimed) -> Attempt:
        nonlocal most, most_each
        flying[claimed.endpoint] += 1
        most, most_each = max(most, flying.total()), max(most_each, *flying.values())
        await asyncio.sleep(0.02)
        flying[claimed.endpoint] -= 1
        return Attempt(outcome="delivered", words="taken")

    async with engine.begin() as connection:
        ids = [await make_endpoint(connection, n, f"https://{n}.example/") for n in range(1, 31)]
    await tell(engine, [notice(f"{n}", START, endpoint=to) for to in ids for n in range(5)])
    assert await courier_of(engine, count, HandClock()).deliver_due() == 150
    assert most <= AT_ONCE["webhook"]
    assert most_each == 2


async def test_two_couriers_send_each_notice_once(engine: AsyncEngine) -> None:
    async with round_of(engine, answer(200)) as going:
        async with engine.begin() as connection:
            more = [await make_endpoint(connection, n, going.receiver.url()) for n in range(2, 12)]
        await tell(engine, [notice(f"{n}", START, endpoint=to) for to in more for n in range(10)])
        other = courier_of(engine, going.sender, going.clock)
        made = await asyncio.gather(going.courier.deliver_due(), other.deliver_due())
        assert sum(made) == 100
        assert len(set(going.receiver.ids)) == len(going.receiver.ids) == 100


async def test_a_courier_killed_before_it_recorded_is_followed_by_another(
    engine: AsyncEngine, database_url: str
) -> None:
    async with round_of(engine, answer(200)) as going:
        (told,) = await going.tell("a")
        script = Path(__file__).with_name("deliver_until_killed.py")
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(script), database_url,
            cwd=CHECKOUT, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        assert await process.stdout.readline() == b"delivered\n"
        process.send_signal(signal.SIGKILL)
        await process.wait()
        assert await outcomes(engine) == []
        assert await going.courier.deliver_due() == 0
        going.clock.now += LEASE
        assert await going.courier.deliver_due() == 1
        assert going.receiver.ids == [told, told]
        row = (await notices_of(engine))["a"]
        assert (row.state, row.attempts) == ("delivered", 2)
    assert await outcomes(engine) == ["delivered"]


async def test_an_outcome_that_comes_late_does_not_undo_what_happened_meanwhile(engine: AsyncEngine) -> None:
    clock, begun, outcome = HandClock(), asyncio.Semaphore(0), asyncio.Queue[Attempt]()

    async def send(claimed: Claimed) -> Attempt:
        begun.release()
        return await outcome.get()

    async with engine.begin() as connection:
        to = await make_endpoint(connection, 1, "https://a.example/")
    await tell(engine, [notice("a", START, endpoint=to)])
    slow, quick = courier_of(engine, send, clock), courier_of(engine, send, clock)
    first = asyncio.create_task(slow.deliver_due())
    await begun.acquire()
    clock.now += LEASE
    second = asyncio.create_task(quick.deliver_due())
    await begun.acquire()
    leased = (await notices_of(engine))["a"].next_attempt
    outcome.put_nowait(Attempt(outcome="refused", status=500, words="500"))
    await first
    assert (await notices_of(engine))["a"].next_attempt == leased
    outcome.put_nowait(Attempt(outcome="delivered", status=200, words="200"))
    await second
    assert (await notices_of(engine))["a"].state == "delivered"
    assert sorted(await outcomes(engine)) == ["delivered", "refused"]


async def test_what_is_our_own_fault_closes_nothing(engine: AsyncEngine) -> None:
    clock = HandClock()

    async def fail(claimed: Claimed) -> Attempt:
        raise RuntimeError("a bug")

    async with engine.begin() as connection:
        hook = await make_endpoint(connection, 1, "https://a.example/")
        mail = await make_endpoint(connection, 2, "kim@a.example", kind="mail")
    await tell(engine, [notice("a", START, endpoint=hook), notice("b", START, endpoint=mail)])
    without_mail = sender_of(engine, clock)
    turns = 0
    while clock.now - START < PATIENCE + timedelta(hours=2):
        await courier_of(engine, fail if turns % 2 else without_mail, clock).deliver_due()
        async with engine.connect() as connection:
            due = await next_due(connection)
        assert due is not None
        clock.now, turns = due, turns + 1
    found = await notices_of(engine)
    assert {row.state for cause, row in found.items() if cause == "b"} == {"pending"}
    assert (await state_of(engine, mail)).state == "active"
    assert (await state_of(engine, mail)).failing_since is None
    assert turns < 1000
    await without_mail.close()


async def test_a_key_that_is_missing_is_told_and_gives_nobody_up(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        to = await make_endpoint(connection, 1, "https://a.example/")
    await tell(engine, [notice("a", START, endpoint=to)])
    settings = Settings(secret_keys="QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=")  # noqa: S106 - no secret
    clock = HandClock()
    sender = make_sender(engine, settings, clock, os.urandom)
    await courier_of(engine, sender, clock).deliver_due()
    await sender.close()
    async with engine.connect() as connection:
        (kept,) = await list_deliveries(connection)
    assert kept.outcome == "not_sent"
    assert "CAB_SECRET_KEYS" in kept.words


async def test_what_was_replayed_is_delivered_again_under_the_same_ids(engine: AsyncEngine) -> None:
    async with round_of(engine, in_turn(answer(200), answer(200), answer(500), answer(200))) as going:
        ids = await going.tell("a", position=1) + await going.tell("b", position=2)
        await going.courier.deliver_due()
        going.clock.pass_by(days=10)
        async with engine.begin() as connection:
            assert await replay(connection, going.clock.now, endpoint_id=going.endpoint, after_position=1) == 1
        assert await going.courier.deliver_due() == 1
        due = (await notices_of(engine))["b"].next_attempt
        assert abs(due - going.clock.now - BACK_OFF[0]) < timedelta(milliseconds=1)
        await going.to_the_next()
        assert Counter(going.receiver.ids) == {ids[0]: 1, ids[1]: 3}
        assert (await notices_of(engine))["b"].state == "delivered"


@asynccontextmanager
async def posting(engine: AsyncEngine, catcher: Catcher, clock: HandClock) -> AsyncIterator[Courier]:
    public = "https://register.example"
    with catching(catcher) as server:
        post = Post(mailer=Mailer(server), composer=Composer("notices@register.example", public), public_address=public)
        sender = sender_of(engine, clock, post)
        yield courier_of(engine, sender, clock)
        await sender.close()


async def test_mail_goes_to_who_confirmed_and_only_the_question_to_others(engine: AsyncEngine) -> None:
    catcher = Catcher()
    async with posting(engine, catcher, HandClock()) as courier:
        async with engine.begin() as connection:
            sure = await make_endpoint(connection, 1, "kim@a.example", kind="mail")
            unsure = await make_endpoint(connection, 2, "lee@a.example", kind="mail", state="unconfirmed", owned=False)
        await tell(
            engine,
            [
                notice("a", START, endpoint=sure),
                notice("b", START, endpoint=unsure),
                notice("c", START, endpoint=unsure, kind=CONFIRMATION),
            ],
        )
        assert await courier.deliver_due() == 2
        assert {(to[0], message["Subject"]) for _, to, message in catcher.caught} == {
            ("kim@a.example", "About a"),
            ("lee@a.example", "About c"),
        }
        async with engine.begin() as connection:
            assert await enable_endpoint(connection, unsure, START) == 1
        assert await courier.deliver_due() == 1
        assert catcher.caught[-1][2]["Subject"] == "About b"


async def test_what_was_held_for_a_mail_address_arrives_in_one_mail(engine: AsyncEngine) -> None:
    catcher = Catcher()
    async with posting(engine, catcher, HandClock()) as courier:
        async with engine.begin() as connection:
            unsure = await make_endpoint(connection, 1, "lee@a.example", kind="mail", state="unconfirmed", owned=False)
        causes = [f"row {number}" for number in range(12)]
        held = [notice(cause, START, endpoint=unsure) for cause in causes]
        await tell(engine, [*held, notice("asked", START, endpoint=unsure, kind=CONFIRMATION)])
        assert await courier.deliver_due() == 1
        async with engine.begin() as connection:
            assert await enable_endpoint(connection, unsure, START) == 12
        assert await courier.deliver_due() == 1
    asked, digest = (message for _, _, message in catcher.caught)
    assert (asked["Subject"], digest["Subject"]) == ("About asked", "12 notices for you")
    body = "\n".join(digest.get_content().splitlines())
    places = [body.index(f"\n{number}. About {cause}\n") for number, cause in enumerate(causes, 1)]
    assert places == sorted(places)
    assert body.count("Something changed.") == 12
    assert body.count("No more mail to this address") == 1
    assert {row.state for row in (await notices_of(engine)).values()} == {"delivered"}
    assert await outcomes(engine) == ["delivered"] * 13


async def test_notices_of_one_portfolio_go_in_one_mail_and_are_tried_again_together(engine: AsyncEngine) -> None:
    clock, busy, catcher = HandClock(), Catcher(data="451 come again"), Catcher()
    async with engine.begin() as connection:
        sure = await make_endpoint(connection, 1, "kim@a.example", kind="mail")
        other = await make_endpoint(connection, 2, "lee@a.example", kind="mail")
        watch = await make_watch(connection, 1, sure)
    await tell(engine, [notice(f"row {number}", watch=watch) for number in range(150)])
    await tell(engine, [notice("alone", endpoint=other)])
    async with posting(engine, busy, clock) as courier:
        await courier.deliver_due()
    assert busy.caught == []
    clock.pass_by(minutes=1)
    async with posting(engine, catcher, clock) as courier:
        await courier.deliver_due()
    subjects = sorted(message["Subject"] for _, _, message in catcher.caught)
    assert subjects == ["100 notices for you", "50 notices for you", "About alone"]
    assert {row.state for row in (await notices_of(engine)).values()} == {"delivered"}


async def test_each_notice_goes_to_a_webhook_alone(engine: AsyncEngine) -> None:
    async with round_of(engine, answer(200)) as going:
        ids = await going.tell(*map(str, range(5)))
        await going.courier.deliver_due()
        assert sorted(going.receiver.ids) == sorted(ids)


async def test_a_blocked_address_gets_no_mail_whatever_waits_for_it(engine: AsyncEngine) -> None:
    catcher = Catcher()
    async with posting(engine, catcher, HandClock()) as courier:
        async with engine.begin() as connection:
            sure = await make_endpoint(connection, 1, "kim@a.example", kind="mail")
            unsure = await make_endpoint(connection, 2, "Kim@A.example", kind="mail", state="unconfirmed", owned=False)
            await block_mail(connection, SEALER.address_digest("KIM@a.example"), START)
        await tell(engine, [notice("a", START, endpoint=sure), notice("b", START, endpoint=unsure, kind=CONFIRMATION)])
        assert await courier.deliver_due() == 2
        assert catcher.caught == []
        assert (await state_of(engine, sure)).state == "disabled"
        assert (await notices_of(engine))["b"].state == "failed"
        assert await courier.deliver_due() == 0


@asynccontextmanager
async def running(engine: AsyncEngine, sender: Any, clock: Any) -> AsyncIterator[asyncio.Event]:
    stop, wake = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(run_courier(engine, sender, clock, os.urandom, stop, wake))
    try:
        yield wake
    finally:
        stop.set()
        await asyncio.wait_for(task, 5)


async def until(receiver: Receiver, count: int, seconds: float) -> None:
    began = time.monotonic()
    while len(receiver.received) < count:
        assert time.monotonic() - began < seconds, f"{len(receiver.received)} of {count}"
        await asyncio.sleep(0.005)


async def test_a_running_courier_is_woken_by_the_commit(engine: AsyncEngine) -> None:
    async with round_of(engine, answer(200)) as going, running(engine, going.sender, going.clock):
        await asyncio.sleep(0.3)
        for turn in range(3):
            await going.tell(f"c{turn}")
            await until(going.receiver, turn + 1, 5)
        await going.tell(*(f"d{turn}" for turn in range(200)))
        await until(going.receiver, 203, 30)


async def test_a_running_courier_wakes_when_an_attempt_falls_due(engine: AsyncEngine) -> None:
    started = time.monotonic()

    def clock() -> Any:
        return START + 20 * timedelta(seconds=time.monotonic() - started)

    async with round_of(engine, in_turn(answer(500), answer(200))) as going, running(engine, going.sender, clock):
        await going.tell("a")
        await until(going.receiver, 2, 10)
    assert await outcomes(engine) == ["refused", "delivered"]


async def test_a_running_courier_outlives_its_connections(engine: AsyncEngine, database_url: str) -> None:
    async with round_of(engine, answer(200)) as going, running(engine, going.sender, going.clock):
        await going.tell("a")
        await until(going.receiver, 1, 5)
        breaking = create_engine(database_url)
        async with breaking.connect() as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        await breaking.dispose()
        await going.tell("b")
        await until(going.receiver, 2, 10)


async def test_a_courier_that_is_told_to_stop_ends_what_it_began(engine: AsyncEngine) -> None:
    async def slow(request: Any, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.5)
        await answer(200)(request, writer)

    async with round_of(engine, slow) as going:
        async with running(engine, going.sender, going.clock):
            await going.tell("a")
            await until(going.receiver, 1, 5)
        assert (await notices_of(engine))["a"].state == "delivered"


async def test_a_notice_of_a_watch_is_delivered_to_the_endpoint_of_that_watch(engine: AsyncEngine) -> None:
    async with round_of(engine, answer(200)) as going:
        async with engine.begin() as connection:
            watch = await make_watch(connection, 1, going.endpoint)
            unread = await make_watch(connection, 2, None)
        await tell(engine, [notice("a", START, watch=watch), notice("a", START, watch=unread)])
        assert await going.courier.deliver_due() == 1


def test_waits_spread_by_a_tenth() -> None:
    for tried, planned in enumerate((*BACK_OFF, BACK_OFF[-1], BACK_OFF[-1]), 1):
        assert wait_after(tried, bytes) == planned * 0.9
        assert planned < wait_after(tried, lambda count: b"\xff" * count) <= planned * 1.1
        assert wait_after(tried, middling) == planned
