"""Run by test_storm.py: serve a database, and for each line on standard input kill the server and start another.

Argument: database address. The first line printed is the address of the service; then one line for each kill, with
the signal that ended the process. A server is a fork of this process, so that twenty of them do not import twenty times
what they need; every kill is a real one of a real process with its own connections. The listening socket outlives them,
as it does behind a balancer.
"""

import os
import signal
import socket
import sys
from typing import Any, NoReturn

import uvicorn

from cab_cli.sockets import address_of, listen
from cab_registry.app import create_app
from cab_registry.settings import Settings


def serve(url: str, taken: socket.socket) -> NoReturn:
    service: Any = create_app(Settings(database_url=url, metrics_port=0, poll_seconds=0.1, pool_size=10))
    uvicorn.Server(uvicorn.Config(service, log_config=None, access_log=False)).run(sockets=[taken])
    os._exit(3)


def start(url: str, taken: socket.socket) -> int:
    child = os.fork()
    if child == 0:
        os.close(sys.stdin.fileno())
        serve(url, taken)
    return child


def main(url: str) -> None:
    taken = listen("127.0.0.1", 0)
    child = start(url, taken)
    print(address_of(taken), flush=True)  # noqa: T201 - the answer to the test
    for line in sys.stdin:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if line.strip() == "end":
            break
        child = start(url, taken)
        print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else -1, flush=True)  # noqa: T201 - likewise


if __name__ == "__main__":
    main(sys.argv[1])
