"""Delivering what is due in the outbox: at least once, to each endpoint at its own pace, for three days."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic
from typing import Final, get_args

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.domain.errors import OperationalFault
from cab_registry.services.delivery.attempts import Attempt
from cab_registry.services.delivery.endpoints import disable_endpoint
from cab_registry.services.logs import make_logger
from cab_registry.storage.deliveries import (
    Claimed,
    claim_due,
    claim_together,
    next_due,
    record_attempt,
    set_delivered,
    set_failed,
    set_retry,
)
from cab_registry.storage.endpoints import EndpointKind, lock_endpoint, note_failure, note_success
from cab_registry.storage.errors import operational_faults
from cab_registry.storage.listening import listening
from cab_registry.storage.outbox import CHANNEL

Clock = Callable[[], datetime]
Random = Callable[[int], bytes]
Sender = Callable[[Claimed], Awaitable[Attempt]]
"""Makes one attempt; what comes of it is data, and an exception is a bug."""

PATIENCE: Final = timedelta(days=3)
"""How long after its first attempt a notice is given up."""

BACK_OFF: Final = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=12),
)
"""How long to wait after the first failure, the second, and so on; the last for all further ones."""

LEASE: Final = timedelta(minutes=2)
"""How long a claim holds: more than any attempt takes."""

AT_ONCE: Final = {"webhook": 32, "mail": 4}
EACH: Final = {"webhook": 2, "mail": 1}
"""How many notices, or mails, are in flight to one endpoint; one where the last failed."""

TOGETHER: Final = 100
"""How many notices one mail holds at most: all that are due for its address go in one."""

_OWN_FAULT: Final = timedelta(minutes=30)
"""The longest wait where the fault is ours; nothing is given up for it."""

_JITTER: Final = 0.1
_POLL: Final = 15.0
_AGAIN: Final = 1.0
_RECORDING: Final = 2
_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 4.0
_GRACE: Final = 15.0


def wait_after(tried: int, random: Random) -> timedelta:
    """How long to wait after so many failures, at least one; a tenth more or less, so that not all come at once."""
    share = int.from_bytes(random(4)) / 2**32
    return BACK_OFF[min(tried, len(BACK_OFF)) - 1] * (1 - _JITTER + 2 * _JITTER * share)


class Courier:
    """Delivers what is due in one database; several may work side by side, in one process or in many."""

    def __init__(self, engine: AsyncEngine, sender: Sender, clock: Clock, random: Random) -> None:
        self._engine = engine
        self._sender = sender
        self._clock = clock
        self._random = random
        self._flying: dict[asyncio.Task[None], tuple[Claimed, bool]] = {}
        self._recording = asyncio.Semaphore(_RECORDING)
        self._log = make_logger()

    async def deliver_due(self) -> int:
        """Make an attempt for every notice that is due, and give back how many were made.

        Raises:
            StorageBusy: the database does not serve now; attempts that began are ended all the same.
        """
        made, landed = 0, asyncio.Event()
        try:
            while True:
                landed.clear()
                made += await self.begin(landed)
                # What landed meanwhile made room for more.
                if not (self._flying or landed.is_set()):
                    return made
                await landed.wait()
        finally:
            await self.land()

    async def begin(self, landed: asyncio.Event) -> int:
        """Begin an attempt for what is due, as far as there is room, and give back how many; each end sets `landed`.

        Half of the room is for endpoints whose last delivery succeeded, so that those that hang hold nobody else up.

        Raises:
            StorageBusy: the database does not serve now.
        """

        def end(task: asyncio.Task[None]) -> None:
            self._flying.pop(task, None)
            landed.set()

        begun = 0
        for kind in get_args(EndpointKind):
            for failing in (False, True):
                for claimed in await self._claim(kind, failing=failing):
                    task = asyncio.create_task(self._deliver(claimed))
                    self._flying[task] = claimed, failing
                    task.add_done_callback(end)
                    begun += 1
        return begun

    async def land(self, grace: float | None = None) -> None:
        """Wait for the attempts in flight, so many seconds at most; the rest is cancelled and made again later."""
        if self._flying:
            _, late = await asyncio.wait(tuple(self._flying), timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def next_due(self) -> float | None:
        """Seconds until the next notice is due, negative where it is late; None where none waits.

        Raises:
            StorageBusy: the database does not serve now.
        """
        with operational_faults():
            async with self._engine.connect() as connection:
                due = await next_due(connection)
        return None if due is None else (due - self._clock()).total_seconds()

    async def run(self, stop: asyncio.Event, wake: asyncio.Event) -> None:
        """Begin whatever falls due until told to stop; `wake` is to be set with `stop`, and when something is due."""
        pause = _PAUSE
        while not stop.is_set():
            try:
                async with listening(self._engine, CHANNEL, wake, name="cab-registry courier") as lost:
                    while not (stop.is_set() or lost.is_set()):
                        wake.clear()
                        await self.begin(wake)
                        await _wait(wake, await self.next_due(), stop)
                        pause = _PAUSE
            except OperationalFault as fault:
                self._log.warning("courier_waits", reason=str(fault), seconds=pause)
            except Exception as fault:  # noqa: BLE001 - a bug here must not end all delivery; the log tells
                self._log.error("courier_failed", error=type(fault).__name__, seconds=pause)
            await _sleep(stop, pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _claim(self, kind: EndpointKind, *, failing: bool) -> list[Claimed]:
        flying = [(claimed, failed) for claimed, failed in self._flying.values() if claimed.endpoint_kind == kind]
        room = AT_ONCE[kind] - len(flying)
        if failing:
            room = min(room, AT_ONCE[kind] // 2 - sum(failed for _, failed in flying))
        if room <= 0:
            return []
        with operational_faults():
            async with self._engine.begin() as connection:
                found = await claim_due(
                    connection,
                    self._clock(),
                    kind=kind,
                    failing=failing,
                    most=room,
                    each=1 if failing else EACH[kind],
                    busy=Counter(claimed.endpoint for claimed, _ in flying),
                    lease=LEASE,
                    patience=PATIENCE,
                )
                if kind != "mail":
                    return found
                return [await claim_together(connection, each, TOGETHER - 1, LEASE, PATIENCE) for each in found]

    async def _deliver(self, claimed: Claimed) -> None:
        began, started = self._clock(), monotonic()
        try:
            attempt = await self._sender(claimed)
        except OperationalFault as fault:
            self._log.warning("delivery_not_possible", notice=claimed.id, reason=str(fault))
            attempt = Attempt(outcome="not_sent", words=str(fault))
        except Exception as fault:  # noqa: BLE001 - a bug that one notice meets must not hold up the others
            self._log.error("delivery_failed", notice=claimed.id, error=type(fault).__name__)
            attempt = Attempt(outcome="not_sent", words="this registry could not send it")
        took = monotonic() - started
        try:
            async with self._recording:
                with operational_faults():
                    async with self._engine.begin() as connection:
                        wait = wait_after(max(each.tried for each in claimed.all) + 1, self._random)
                        for each in claimed.all:
                            await self._record(connection, each, attempt, began, took, wait)
        except OperationalFault as fault:
            # The claim ends by itself, and then the notice is sent again.
            self._log.warning("delivery_not_recorded", notice=claimed.id, reason=str(fault))
        except Exception as fault:  # noqa: BLE001 - as above; the claim ends by itself
            self._log.error("delivery_not_recorded", notice=claimed.id, error=type(fault).__name__)

    async def _record(
        self,
        connection: AsyncConnection,
        claimed: Claimed,
        attempt: Attempt,
        began: datetime,
        took: float,
        wait: timedelta,
    ) -> None:
        now = self._clock()
        if attempt.outcome == "delivered":
            await note_success(connection, claimed.endpoint)
            await set_delivered(connection, claimed.id, now)
        elif attempt.outcome == "not_sent":
            again = now + min(wait, _OWN_FAULT)
            await set_retry(connection, claimed, again, max(claimed.gives_up, again + _OWN_FAULT))
        else:
            await self._record_failure(connection, claimed, attempt, now, wait)
        await record_attempt(
            connection,
            claimed,
            began=began,
            seconds=took,
            outcome=attempt.outcome,
            status=attempt.status,
            words=attempt.words,
        )

    async def _record_failure(
        self, connection: AsyncConnection, claimed: Claimed, attempt: Attempt, now: datetime, wait: timedelta
    ) -> None:
        endpoint = await lock_endpoint(connection, claimed.endpoint)
        since = endpoint.failing_since if endpoint is not None else None
        await note_failure(connection, claimed.endpoint, claimed.claimed)
        if attempt.outcome == "gone":
            if not await disable_endpoint(connection, claimed.endpoint, f"it answered {attempt.words}", now):
                await set_failed(connection, claimed)
        elif now < claimed.gives_up:
            if attempt.retry_after is not None:
                wait = max(wait, min(attempt.retry_after, BACK_OFF[-1]))
            await set_retry(connection, claimed, min(now + wait, claimed.gives_up), claimed.gives_up)
        else:
            await set_failed(connection, claimed)
            # Where something else got through meanwhile, the fault is this notice's and not the endpoint's.
            if since is not None and since <= claimed.gives_up - PATIENCE:
                reason = f"nothing got through for {PATIENCE.days} days, at last: {attempt.words}"
                await disable_endpoint(connection, claimed.endpoint, reason, now)


async def run_courier(
    engine: AsyncEngine,
    sender: Sender,
    clock: Clock,
    random: Random,
    stop: asyncio.Event,
    wake: asyncio.Event,
) -> None:
    """Deliver whatever falls due until told to stop, through restarts of the database; then end what is in flight.

    Args:
        engine: the database.
        sender: makes one attempt.
        clock: what time it is.
        random: what spreads the attempts.
        stop: set to end it.
        wake: set to look for due notices at once; it is set here at each notification of the outbox too.
    """
    courier = Courier(engine, sender, clock, random)
    stopping = asyncio.create_task(_wake_when_stopped(stop, wake))
    try:
        await courier.run(stop, wake)
    finally:
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
        await courier.land(_GRACE)


async def _wake_when_stopped(stop: asyncio.Event, wake: asyncio.Event) -> None:
    await stop.wait()
    wake.set()


async def _wait(wake: asyncio.Event, due: float | None, stop: asyncio.Event) -> None:
    # What is due and was not claimed is another courier's, or waits for room, of which each landing tells.
    seconds = _POLL if due is None else min(due if due > 0 else _AGAIN, _POLL)
    if not stop.is_set():
        await _sleep(wake, seconds)


async def _sleep(until: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await until.wait()
