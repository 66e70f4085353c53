"""Run by test_delivering.py: deliver what is due, and never come to record it.

Arguments: database address, address of the receiver. The receiver's host is taken from there, so that nothing of this
machine's names is asked for. Prints a line once the receiver has answered, and is then killed.
"""

import asyncio
import os
import sys

from cab_registry.services.delivery.attempts import Attempt
from cab_registry.services.delivery.delivering import Courier
from cab_registry.storage.deliveries import Claimed
from cab_registry.storage.engine import create_engine
from tests.services.delivery.noticing import HandClock, sender_of


async def main(url: str) -> None:
    engine, clock = create_engine(url), HandClock()
    sender = sender_of(engine, clock)

    async def send_and_stay(claimed: Claimed) -> Attempt:
        made = await sender(claimed)
        os.write(1, f"{made.outcome}\n".encode())
        await asyncio.sleep(600)
        return made

    await Courier(engine, send_and_stay, clock, os.urandom).deliver_due()


asyncio.run(main(sys.argv[1]))
