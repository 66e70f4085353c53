"""Run by test_kill.py: keep starting writers and kill each with SIGKILL at a random moment.

Arguments: database address, number of kills, records per submission, seed. Prints, as JSON, how each writer died and
which submissions were acknowledged to it. A writer is a fork of this process, so that 100 of them do not import 100
times what they need; every kill is a real one of a real process with its own connection.
"""

import asyncio
import json
import os
import random
import signal
import sys
import time

from cab_registry.services.submissions import RecordChange, submit_records
from cab_registry.storage.engine import create_engine

MOST_SECONDS = 0.12


async def write(url: str, writer: int, size: int, acknowledged: int) -> None:
    engine = create_engine(url)
    async with engine.connect() as connection:
        await connection.rollback()
    os.write(acknowledged, b"ready\n")
    for turn in range(10_000):
        name = f"w{writer}-{turn}"
        documents = (
            {"type": "notice", "id": f"{name}-{n}", "owner": "o", "about": {"body": name}} for n in range(size)
        )
        changes = [RecordChange(document=document, private_reason=name) for document in documents]
        await submit_records(
            engine, changes, principal="p", public_reason="r", validate=lambda _: (), idempotency_key=name
        )
        os.write(acknowledged, f"{name}\n".encode())


def read_lines(descriptor: int) -> list[str]:
    with os.fdopen(descriptor) as lines:
        # A line that the kill cut short is no acknowledgement.
        return [line.strip() for line in lines if line.endswith("\n")]


def main(url: str, kills: int, size: int, seed: int) -> None:
    moments = random.Random(seed)
    died: list[int] = []
    acknowledged: list[str] = []
    for writer in range(kills):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            asyncio.run(write(url, writer, size, writing))
            os._exit(3)
        os.close(writing)
        assert os.read(reading, 6) == b"ready\n"
        time.sleep(moments.uniform(0, MOST_SECONDS))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        died.append(-os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
        acknowledged.extend(read_lines(reading))
    print(json.dumps({"died": died, "acknowledged": acknowledged}))  # noqa: T201 - the answer to the test


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
