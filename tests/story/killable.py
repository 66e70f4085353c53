"""Run by test_storm.py: two servers and the jobs over one database; each line read names one to kill and start again.

Arguments: database address, and the file that takes what the processes say. The first line printed is the address of
the service; then for each line, the number of a process (the last is the jobs), one with the signal that ended it.
Processes are forks of this one, so that thousands of them do not import thousands of times what they need; every kill
is a real one of a real process with its own connections. The listening socket outlives them, as behind a balancer.
"""

import asyncio
import gc
import os
import signal
import sys
import traceback
from typing import Any, NoReturn

import uvicorn

from cab_cli.sockets import address_of, listen
from cab_registry.app import create_app, serve_jobs
from cab_registry.settings import Settings

SERVERS = 2
JOBS = SERVERS


class Service:
    """The program, put together once; nothing of it is opened before a process runs it."""

    def __init__(self, url: str) -> None:
        self._settings = Settings(database_url=url, metrics_port=0, poll_seconds=0.1, pool_size=10)
        self._app: Any = create_app(self._settings)
        self.taken = listen("127.0.0.1", 0)

    def start(self, number: int) -> int:
        child = os.fork()
        if child == 0:
            self._run(number)
        return child

    def _run(self, number: int) -> NoReturn:
        try:
            os.close(sys.stdin.fileno())
            if number == JOBS:
                self.taken.close()
                asyncio.run(serve_jobs(self._settings, asyncio.Event()))
            else:
                config = uvicorn.Config(self._app, log_config=None, access_log=False)
                uvicorn.Server(config).run(sockets=[self.taken])
        except BaseException:  # noqa: BLE001 - what ended it is told, in the file of what the processes say
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(3)


def kill(child: int) -> int:
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else -1


def main(url: str, log: str) -> None:
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), sys.stderr.fileno())
    service = Service(url)
    gc.freeze()
    children = [service.start(number) for number in range(SERVERS + 1)]
    print(address_of(service.taken), flush=True)  # noqa: T201 - the answer to the test
    for line in sys.stdin:
        number = int(line)
        ended = kill(children[number])
        children[number] = service.start(number)
        print(ended, flush=True)  # noqa: T201 - likewise
    for child in children:
        kill(child)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
