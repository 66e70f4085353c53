"""Work beside the event loop is bounded: so much runs, so much waits, and the rest is refused at once."""

import asyncio
import threading

import pytest

from cab_registry.domain.errors import Refusal
from cab_registry.services.runtime.sharing import Shared
from cab_registry.services.runtime.work import Shed, WorkRoom


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
