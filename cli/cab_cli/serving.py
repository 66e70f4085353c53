"""Serving: `cab serve` for production, and the server in this process that `cab dev` runs."""

import asyncio
import logging
import os
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from cab_cli.console import say
from cab_cli.databases import chosen_database, chosen_keys, run_on
from cab_cli.exits import Exit
from cab_cli.sockets import address_of, listen
from cab_registry.domain.errors import OperationalFault
from cab_registry.settings import IN_FILE, Settings, SettingsError, load_settings

if TYPE_CHECKING:
    import uvicorn
    from litestar import Litestar

BACKLOG: Final = 2048
GRACE_SECONDS: Final = 20
MOST_DESCRIPTORS: Final = 65_536
SPARE_DESCRIPTORS: Final = 128
"""Files and connections that are not clients': the database, logs, what is being accepted."""
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
    from cab_registry.services.runtime.audit_log import check_audit

    settings = load_settings(os.environ)
    if settings.database_url is None:
        raise SettingsError(("CAB_DATABASE_URL is not set; cab dev brings a database of its own.",))
    check_audit(settings)
    with chosen_database() as url:
        warn_of_excess(url)
    with listen(host or settings.host, settings.port if port is None else port) as taken:
        say(f"Serving on {address_of(taken)}.")
        if workers == 1:
            asyncio.run(_serve_alone(taken, grace))
        else:
            _serve_together(taken, workers, grace)
    raise typer.Exit(Exit.DONE)


def warn_of_excess(url: str) -> None:
    """Say where a program logs in with more rights than it needs; the database must answer and be migrated."""
    from cab_registry.storage.database.logins import owns_the_log

    if run_on(url, owns_the_log):
        say(
            "Warning: this login owns the log, and could change it. Log in as a role that has cab_app and nothing else "
            "(docs/operator.md, Database)."
        )


def keep_audit(settings: Settings) -> None:
    """Send the audit log of a program that a person watches to its file; without one, leave its screen alone."""
    from cab_registry.services.runtime.audit_log import configure_audit

    if settings.audit_log is not None:
        configure_audit(settings)


def make_application() -> "Litestar":
    """Make the application in a process that serves it."""
    from cab_registry.app import create_app
    from cab_registry.services.logs import configure_logging
    from cab_registry.services.runtime.audit_log import configure_audit

    settings = load_settings(os.environ)
    configure_logging(settings.log_level)
    configure_audit(settings)
    app = create_app(settings)
    app.state.connections.lower(raise_descriptors() - SPARE_DESCRIPTORS)
    return app


async def _serve_alone(taken: socket.socket, grace: int) -> None:
    await serve_here(make_application(), taken, lifespan="on", grace=grace)


def _serve_together(taken: socket.socket, workers: int, grace: int) -> None:
    from uvicorn.supervisors import Multiprocess

    config = configure_server(f"{__name__}:make_application", lifespan="on", grace=grace, workers=workers)
    Multiprocess(config, sockets=[taken]).run()


def configure_server(app: Any, *, lifespan: Literal["on", "off"], grace: int, workers: int = 1) -> "uvicorn.Config":
    """Say how an application is served: HTTP/1.1 under deadlines, nothing logged that holds a query."""
    import uvicorn

    # What is said of requests that are not HTTP would fill a disk at the pace of whoever sends them.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        http="cab_registry.api.http.protocol:GuardedProtocol",
        loop="asyncio",
        ws="none",
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        workers=workers,
        # The guard closes idle connections, by the settings.
        timeout_keep_alive=86_400,
        timeout_graceful_shutdown=grace,
        timeout_worker_healthcheck=60,
    )


def raise_descriptors() -> int:
    """Let this process hold as many files and connections as the system allows it, and return how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = min(most, MOST_DESCRIPTORS) if most != resource.RLIM_INFINITY else MOST_DESCRIPTORS
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    return most


async def serve_here(
    app: Any, taken: socket.socket, *, lifespan: Literal["on", "off"] = "off", grace: int = GRACE_SECONDS
) -> None:
    """Serve an application, until a signal ends it; a second one does not wait.

    Args:
        app: the application.
        taken: the socket on which to listen.
        lifespan: off for one that has been started already.
        grace: seconds that requests in hand may take.

    Raises:
        OperationalFault: the server did not start.
    """
    import uvicorn

    class Server(uvicorn.Server):
        """Leaves the signals to us: uvicorn would raise them again before the application is closed."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    server = Server(configure_server(app, lifespan=lifespan, grace=grace))

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
