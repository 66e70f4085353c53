"""Work beside the event loop is bounded: so much runs, so much waits, and the rest is refused at once."""

import asyncio
import threading
import time
from collections.abc import Generator

import pytest

from cab_registry.domain.errors import Refusal
from cab_registry.services.runtime.sharing import Shared
from cab_registry.services.runtime.work import PAYER, Shed, WorkRoom


class Client:
    """Who pays, and what it was charged."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.charged: list[float] = []

    def demand(self, points: int) -> None:
        raise AssertionError(points)

    def charge(self, seconds: float) -> None:
        self.charged.append(seconds)

    def run(self, room: WorkRoom, work: Generator[None, None, None]) -> "asyncio.Task[None]":
        """Begin work that this client pays for."""
        before = PAYER.set(self)
        try:
            return asyncio.create_task(room.run_in_turns(work))
        finally:
            PAYER.reset(before)


def turns(
    done: list[str], name: str, number: int = 1, *, until: threading.Event | None = None
) -> Generator[None, None, None]:
    """Work of so many turns, each of which is written down."""
    for left in reversed(range(number)):
        if until is not None:
            until.wait(20)
        done.append(name)
        if left:
            yield


async def test_so_much_runs_so_much_waits_and_no_more() -> None:
    shed: list[str] = []
    room, going = WorkRoom("test", waiting=2, shed=shed.append), threading.Event()
    tasks = [asyncio.create_task(room.run(lambda: going.wait(20))) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Shed):
        await room.run(lambda: True)
    assert shed == ["test"]
    going.set()
    assert await asyncio.gather(*tasks) == [True, True, True]
    assert await room.run(threading.current_thread) is not threading.current_thread()
    room.close()


async def test_who_gives_up_gives_the_place_to_another() -> None:
    room, going = WorkRoom("test", waiting=1), threading.Event()
    running = asyncio.create_task(room.run(lambda: going.wait(20)))
    waiting = asyncio.create_task(room.run(lambda: True))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    other = asyncio.create_task(room.run(lambda: 7))
    await asyncio.sleep(0)
    going.set()
    assert (await running, await other) == (True, 7)


async def test_a_client_takes_a_quarter_of_the_places_and_the_others_come_in_turn() -> None:
    room, going, done = WorkRoom("test", waiting=11), threading.Event(), list[str]()
    one, two = Client("one"), Client("two")
    tasks = [one.run(room, turns(done, "one", until=going)) for _ in range(5)]
    tasks += [two.run(room, turns(done, "two")) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    going.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in found if each is not None] == [Shed, Shed]
    assert sorted(done) == ["one"] * 3 + ["two"] * 2
    assert "two" in done[:3]
    room.close()


async def test_long_work_lets_others_between_and_ends_when_nobody_waits_for_it() -> None:
    room, going, done = WorkRoom("test", waiting=11), threading.Event(), list[str]()
    long, short = Client("long"), Client("short")
    first = long.run(room, turns(done, "long", 5, until=going))
    other = short.run(room, turns(done, "short", 2))
    await asyncio.sleep(0.01)
    going.set()
    await asyncio.gather(first, other)
    assert done == ["long", "short", "long", "short", "long", "long", "long"]
    going.clear()
    done.clear()
    left = long.run(room, turns(done, "long", 5, until=going))
    await asyncio.sleep(0.01)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    going.set()
    await room.run(lambda: True)
    await room.run(lambda: True)
    assert done == ["long"]
    room.close()


async def test_who_asks_pays_for_what_the_work_took_whether_it_came_to_something_or_not() -> None:
    def work(error: Exception | None) -> Generator[None, None, None]:
        for _ in range(2):
            began = time.thread_time()
            while time.thread_time() - began < 0.02:
                pass
            yield
        if error is not None:
            raise error

    room, client = WorkRoom("test", waiting=11), Client("one")
    for error in (None, Refusal("no")):
        client.charged.clear()
        await asyncio.gather(client.run(room, work(error)), return_exceptions=True)
        assert 0.04 <= sum(client.charged) < 0.1
    room.close()


async def test_what_is_refused_in_a_thread_is_refused_here() -> None:
    def refuse() -> None:
        raise Refusal("no")

    room = WorkRoom("test", waiting=0)
    for _ in range(3):
        with pytest.raises(Refusal, match="no"):
            await room.run(refuse)


async def test_what_many_ask_for_is_made_once_and_the_last_are_kept() -> None:
    made: list[int] = []

    async def make(number: int) -> int:
        made.append(number)
        await asyncio.sleep(0)
        return number

    shared: Shared[int] = Shared(kept=2, at_once=2)
    first = [asyncio.create_task(shared.find(1, lambda: make(1))) for _ in range(5)]
    await asyncio.sleep(0)
    first[0].cancel()
    assert await asyncio.gather(*first[1:]) == [1, 1, 1, 1]
    for number in (2, 1, 3, 1, 2):
        assert await shared.find(number, lambda number=number: make(number)) == number
    assert made == [1, 2, 3, 2]


async def test_a_failure_is_told_to_all_and_not_kept() -> None:
    async def fail() -> int:
        await asyncio.sleep(0)
        raise Refusal("no")

    async def succeed() -> int:
        return 1

    shared: Shared[int] = Shared(kept=2, at_once=1)
    found = await asyncio.gather(*(shared.find(1, fail) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [Refusal] * 3
    assert await shared.find(1, succeed) == 1


async def test_so_many_are_made_at_once() -> None:
    going = asyncio.Event()

    async def wait() -> int:
        await going.wait()
        return 1

    shared: Shared[int] = Shared(kept=2, at_once=1)
    first = asyncio.create_task(shared.find(1, wait))
    await asyncio.sleep(0)
    with pytest.raises(Shed):
        await shared.find(2, wait)
    going.set()
    assert await first == 1


async def test_one_client_does_not_have_all_that_is_made_at_once() -> None:
    going = asyncio.Event()

    async def wait() -> int:
        await going.wait()
        return 1

    def find(client: Client, key: int) -> "asyncio.Task[int]":
        before = PAYER.set(client)
        try:
            return asyncio.create_task(shared.find(key, wait))
        finally:
            PAYER.reset(before)

    shared: Shared[int] = Shared(kept=2, at_once=8)
    one = Client("one")
    tasks = [find(one, key) for key in range(3)] + [find(Client("two"), 7)]
    await asyncio.sleep(0.01)
    going.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in found] == [int, int, Shed, int]
    assert await find(one, 9) == 1
