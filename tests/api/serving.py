"""A real server over the scratch register, as `cab serve` starts it, in a thread and under limits of choice."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from cab_cli.serving import configure_server
from cab_registry.app import create_scratch_app
from cab_registry.limits import Limits
from cab_registry.register.compiled import Register
from tests.api.conftest import TODAY


@contextmanager
def serving(register: Register, limits: Limits) -> Iterator[int]:
    """Serve, and give the port."""
    app = create_scratch_app(lambda: register, lambda: TODAY, limits=limits)
    server = uvicorn.Server(configure_server(app, lifespan="off", grace=1))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 30
        while not server.started:
            assert thread.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        try:
            yield taken.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()
