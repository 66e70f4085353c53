"""Work that takes longer than the event loop can wait: in a few threads, with a bounded queue before them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Final, TypeVar

from cab_registry.domain.errors import OperationalFault

ANSWERS_WAITING: Final = 16
READINGS_WAITING: Final = 32
SURVEYS_WAITING: Final = 8
"""How many wait for each room at most. What waits holds a request and its body; what is shed holds nothing."""

_TURN: Final = 0.001
"""Seconds after which a thread that computes lets the event loop in; it waits so long several times in a request."""

Result = TypeVar("Result")


def take_short_turns() -> None:
    """Let threads that compute give way to the event loop sooner than the interpreter would."""
    sys.setswitchinterval(_TURN)


class Shed(OperationalFault):
    """So much of this kind of work waits that no more is taken now."""

    def __init__(self) -> None:
        super().__init__("too many requests of this kind are waiting; try again in a moment")


class WorkRoom:
    """Runs work in threads of its own, so many at once; of what comes then, so many wait, and the others are shed.

    Threads share the interpreter with the event loop: few of them keep it free, and more would not be faster.
    """

    def __init__(self, name: str, *, waiting: int, threads: int = 1, shed: Callable[[str], None] | None = None) -> None:
        """Make a room; its threads begin with the first work.

        Args:
            name: of its threads, and under which what is shed is counted.
            waiting: how many wait at most.
            threads: how many run at once.
            shed: counts what is shed, by the name of the room.
        """
        self._name = name
        self._most = threads + waiting
        self._shed = shed
        self._held = 0
        self._lock = Lock()
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"cab-{name}")

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run work in a thread; who gives up waiting gives up the place, unless the work has begun.

        Raises:
            Shed: too much waits.
        """
        with self._lock:
            free = self._held < self._most
            self._held += free
        if not free:
            if self._shed is not None:
                self._shed(self._name)
            raise Shed
        future: Future[Result] = self._executor.submit(work)
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """End: what waits is given up, what runs comes to its end."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _leave(self, _: object) -> None:
        with self._lock:
            self._held -= 1


class Rooms:
    """The rooms of a process.

    Attributes:
        answers: dear questions.
        readings: lists and searches of the register, and requests that are wrong or long.
        surveys: what looks at many answers or at a whole register: impacts, histories, former states.
    """

    def __init__(self, shed: Callable[[str], None] | None = None) -> None:
        """Make the rooms; `shed` counts what is shed, by the name of the room."""
        self.answers = WorkRoom("answers", waiting=ANSWERS_WAITING, shed=shed)
        self.readings = WorkRoom("readings", waiting=READINGS_WAITING, shed=shed)
        self.surveys = WorkRoom("surveys", waiting=SURVEYS_WAITING, shed=shed)

    def close(self) -> None:
        """End them all."""
        for room in (self.answers, self.readings, self.surveys):
            room.close()
