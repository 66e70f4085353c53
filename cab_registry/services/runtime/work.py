"""Work that takes longer than the event loop can wait: in a few threads, with a bounded queue before them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from threading import Lock
from time import thread_time
from typing import Any, Final, Generic, Protocol, TypeVar

from cab_registry.domain.errors import OperationalFault

ANSWERS_WAITING: Final = 16
READINGS_WAITING: Final = 32
SURVEYS_WAITING: Final = 8
"""How many wait for each room at most. What waits holds a request and its body; what is shed holds nothing."""

SHARE: Final = 4
"""Of the places of a room, a client takes one in so many at most."""

_TURN: Final = 0.001
"""Seconds after which a thread that computes lets the event loop in; it waits so long several times in a request."""

PAST: Final = 5
"""Points more for a question about the past, which is put together from the database."""

Result = TypeVar("Result")


def take_short_turns() -> None:
    """Let threads that compute give way to the event loop sooner than the interpreter would."""
    sys.setswitchinterval(_TURN)


class Shed(OperationalFault):
    """So much of this kind of work waits that no more is taken now."""

    def __init__(self) -> None:
        super().__init__("too many requests of this kind are waiting; try again in a moment")


class Payer(Protocol):
    """Who pays for the work of a request."""

    @property
    def name(self) -> str:
        """What tells this client from others."""

    def demand(self, points: int) -> None:
        """Take points before something is done.

        Raises:
            Refusal: there are fewer.
        """

    def charge(self, seconds: float) -> None:
        """Take points for processor time that was spent, whether there are so many or not."""


PAYER: Final[ContextVar[Payer | None]] = ContextVar("payer", default=None)
"""Who pays for what is done now; none: it is the service's own, or a client that is not limited."""


def demand(points: int) -> None:
    """Take points of who pays for what is done now.

    Raises:
        Refusal: there are fewer.
    """
    if (payer := PAYER.get()) is not None:
        payer.demand(points)


class _Job(Generic[Result]):
    """Work that is done in one turn or in several."""

    __slots__ = ("_loop", "_turns", "future", "given_up", "payer")

    def __init__(self, turns: Generator[None, None, Result], loop: asyncio.AbstractEventLoop) -> None:
        self._turns = turns
        self._loop = loop
        self.given_up = False
        self.payer = PAYER.get()
        self.future: Future[Result] = Future()

    @property
    def client(self) -> str | None:
        return None if self.payer is None else self.payer.name

    def take_turn(self) -> bool:
        """Work until the next turn; whether there is one."""
        if not self.future.running() and not self.future.set_running_or_notify_cancel():
            return False
        if self.given_up:
            self._turns.close()
            self.future.set_exception(Shed())
            return False
        began = thread_time()
        try:
            next(self._turns)
        except StopIteration as ended:
            self._charge(thread_time() - began)
            self.future.set_result(ended.value)
        except BaseException as error:  # noqa: BLE001 - whatever it is, who waits is told
            self._charge(thread_time() - began)
            self.future.set_exception(error)
        else:
            self._charge(thread_time() - began)
            return True
        return False

    def _charge(self, seconds: float) -> None:
        if self.payer is not None:
            # Without a loop any more nobody pays, and nobody waits.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self.payer.charge, seconds)


class WorkRoom:
    """Runs work in threads of its own, so many at once; of what comes then, so many wait, and the others are shed.

    Those who pay take turns, and none of them takes more than a quarter of the places. Threads share the interpreter
    with the event loop: few of them keep it free, and more would not be faster.
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
        self._share = max(1, self._most // SHARE)
        self._shed = shed
        self._held: Counter[str | None] = Counter()
        self._waiting: OrderedDict[str | None, deque[_Job[Any]]] = OrderedDict()
        self._lock = Lock()
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"cab-{name}")

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run work in a thread; who gives up waiting gives up the place, unless the work has begun.

        Who asks pays for what it takes.

        Raises:
            Shed: too much waits, or too much of the same client.
        """
        return await self.run_in_turns(_at_once(work))

    async def run_in_turns(self, work: Generator[None, None, Result]) -> Result:
        """Run work that lets others work wherever it yields; it keeps its place until it ends, or nobody waits for it.

        Raises:
            Shed: too much waits, or too much of the same client.
        """
        job = _Job(work, asyncio.get_running_loop())
        with self._lock:
            free = self._held.total() < self._most
            free = free and (job.client is None or self._held[job.client] < self._share)
            self._held[job.client] += free
        if not free:
            if self._shed is not None:
                self._shed(self._name)
            raise Shed
        job.future.add_done_callback(lambda _: self._leave(job))
        self._queue(job)
        try:
            return await asyncio.wrap_future(job.future)
        except asyncio.CancelledError:
            job.given_up = True
            raise

    def close(self) -> None:
        """End: what waits is given up, what runs comes to the end of its turn."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            left = [job for jobs in self._waiting.values() for job in jobs]
        for job in left:
            job.future.cancel()

    def _queue(self, job: _Job[Any]) -> None:
        with self._lock:
            self._waiting.setdefault(job.client, deque()).append(job)
        self._executor.submit(self._take_turn)

    def _take_turn(self) -> None:
        """Let the next client work, and put it last."""
        with self._lock:
            if not self._waiting:
                return
            client, jobs = self._waiting.popitem(last=False)
            job = jobs.popleft()
            if jobs:
                self._waiting[client] = jobs
        if job.take_turn():
            # A room that closed takes nothing more.
            try:
                self._queue(job)
            except RuntimeError:
                job.future.set_exception(Shed())

    def _leave(self, job: _Job[Any]) -> None:
        client = job.client
        with self._lock:
            self._held[client] -= 1
            if not self._held[client]:
                del self._held[client]
            jobs = self._waiting.get(client)
            if jobs is not None and job in jobs:
                jobs.remove(job)
                if not jobs:
                    del self._waiting[client]


def run_through(work: Generator[None, None, Result]) -> Result:
    """Do all turns of work here, one after another."""
    while True:
        try:
            next(work)
        except StopIteration as ended:
            result: Result = ended.value
            return result


def _at_once(work: Callable[[], Result]) -> Generator[None, None, Result]:
    yield from ()
    return work()


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
