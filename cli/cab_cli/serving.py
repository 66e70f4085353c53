"""Serving: `cab serve` for production, and the server in this process that `cab dev` runs."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cab_cli.console import say
from cab_cli.databases import chosen_database, chosen_keys, run_on
from cab_cli.exits import Exit
from cab_cli.sockets import address_of, listen
from cab_registry.domain.errors import OperationalFault
from cab_registry.settings import IN_FILE, Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from litestar import Litestar

BACKLOG: Final = 2048
GRACE_SECONDS: Final = 20
ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Host = Annotated[str | None, typer.Option(metavar="ADDRESS", help="The address to listen on, instead of CAB_HOST.")]
Port = Annotated[
    int | None, typer.Option(min=0, max=65535, help="The port to listen on, instead of CAB_PORT; 0 takes a free one.")
]


def serve(
    host: Host = None,
    port: Port = None,
    *,
    workers: Annotated[int, typer.Option(min=1, help="Processes; each holds the whole register in memory.")] = 1,
    grace: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="How long requests in hand may take when it is told to end.")
    ] = GRACE_SECONDS,
) -> None:
    """Serve the API and the pages, until SIGINT or SIGTERM.

    Everything else comes from the environment, CAB_DATABASE_URL first of all. The database must be at this program's
    revision (cab db upgrade). Metrics are served on CAB_METRICS_PORT, by the first of several processes.

    Examples:
      cab serve
      cab serve --host 0.0.0.0 --port 8080 --workers 4
    """
    # Measured on answers from memory, one process each, sixteen connections: granian 1870 to 2430 a second, uvicorn
    # 1010 to 2140 in the same three runs.
    from granian import Granian
    from granian.constants import Interfaces

    settings = load_settings(os.environ)
    if settings.database_url is None:
        raise SettingsError(("CAB_DATABASE_URL is not set; cab dev brings a database of its own.",))
    with chosen_database() as url:
        warn_of_excess(url)
    with listen(host or settings.host, settings.port if port is None else port) as taken:
        address, chosen = address_of(taken), taken.getsockname()[1]
    say(f"Serving on {address}.")
    Granian(
        f"{__name__}:make_application",
        factory=True,
        address=host or settings.host,
        port=chosen,
        interface=Interfaces.ASGI,
        workers=workers,
        websockets=False,
        backlog=BACKLOG,
        workers_kill_timeout=grace,
    ).serve()
    raise typer.Exit(Exit.DONE)


def warn_of_excess(url: str) -> None:
    """Say where a program logs in with more rights than it needs; the database must answer and be migrated."""
    from cab_registry.storage.database.logins import owns_the_log

    if run_on(url, owns_the_log):
        say(
            "Warning: this login owns the log, and could change it. Log in as a role that has cab_app and nothing else "
            "(docs/operator.md, Database)."
        )


def make_application() -> "Litestar":
    """Make the application in a process that serves it."""
    from cab_registry.app import create_app
    from cab_registry.services.logs import configure_logging

    settings = load_settings(os.environ)
    configure_logging(settings.log_level)
    return create_app(settings)


async def serve_here(app: Any, taken: socket.socket) -> None:
    """Serve an application that has been started already, until a signal ends it; a second one does not wait.

    Raises:
        OperationalFault: the server did not start.
    """
    import uvicorn

    class Server(uvicorn.Server):
        """Leaves the signals to us: uvicorn would raise them again before the application is closed."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    server = Server(
        uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )

    def end() -> None:
        server.force_exit, server.should_exit = server.should_exit, True

    loop = asyncio.get_running_loop()
    for number in ENDING:
        loop.add_signal_handler(number, end)
    try:
        await server.serve(sockets=[taken])
    finally:
        for number in ENDING:
            loop.remove_signal_handler(number)
    if not server.started:
        raise OperationalFault("The service did not start; what went wrong is told above.")


def settings_for(url: str) -> Settings:
    """Give the settings of the environment with the database that was chosen, and with the keys that belong to it."""
    chosen = {"CAB_SECRET_KEYS": chosen_keys() or "", "CAB_DATABASE_URL": url}
    given = {name: value for name, value in os.environ.items() if name.removesuffix(IN_FILE) not in chosen}
    return load_settings(given | chosen)
