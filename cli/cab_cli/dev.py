"""`cab dev`: from nothing to a first answer and a running service, with a database of its own where none is named."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from types import FrameType
from typing import Annotated, Any, Final

import msgspec
import typer

from cab_cli.answers import print_answer
from cab_cli.catalogue import load_into, report_lines
from cab_cli.client import read_reply
from cab_cli.console import data_console, say
from cab_cli.databases import chosen_database, connection_refusals, run_on
from cab_cli.exits import Exit
from cab_cli.serving import Host, Port, keep_audit, serve_here, settings_for
from cab_cli.sockets import address_of, listen
from cab_registry.settings import Settings, load_settings

FIRST_QUESTION: Final[dict[str, Any]] = {
    "destination": "DE",
    "presented_on": "2020-04-01",
    "result": {
        "kind": "gmp_inspection",
        "issuer": {"id": "us-fda"},
        "issuer_economy": "US",
        "performed_in": "US",
        "performed_on": {"from": "2020-03-02", "to": "2020-03-06"},
        "issued_on": "2020-03-10",
        "findings": "NAI",
    },
    "subject": {
        "sector": "pharma_gmp_human",
        "requirement": "eu-gmp-human",
        "product_class": "human_finished",
        "activity": "surveillance",
    },
}
IN_WORDS: Final = "Is the inspection of a US plant by FDA in March 2020, without findings, accepted in Germany?"


def dev(
    host: Host = None,
    port: Port = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="Answer the first question and leave without serving.")] = False,
) -> None:
    """Have everything running: database, catalogue, a first answer, the service.

    Takes the database of CAB_DATABASE_URL, else starts one of its own, whose data stays for the next time (below
    CAB_DATA_FOLDER, or this checkout). SIGINT (Ctrl-C) and SIGTERM end everything that was started.

    Examples:
      cab dev
      cab dev --port 8080
      cab dev --once
    """
    started = time.monotonic()
    settings = load_settings(os.environ)
    keep_audit(settings)
    wanted = host or settings.host, settings.port if port is None else port
    with _ending_as_by_ctrl_c() as ending, contextlib.ExitStack() as held:
        try:
            taken = None if once else held.enter_context(listen(*wanted))
            owner = held.enter_context(chosen_database(start=True, owner=True))
            ending.check()
            url = _prepare(owner, named=settings.database_url is not None)
            ending.check()
            asyncio.run(_answer_and_serve(settings_for(url), taken, started, ending))
        except KeyboardInterrupt:
            say("Stopped.")
    raise typer.Exit(Exit.DONE)


def _prepare(owner: str, *, named: bool) -> str:
    """Migrate, have a login of the service where the server is our own, load the catalogue; give its address."""
    from cab_registry.services import database
    from cab_registry.storage.database.logins import make_service_login, service_url

    with connection_refusals():
        done = database.upgrade(owner)
    if done.before != done.after:
        say(f"Upgraded from {done.before or 'an empty database'} to {done.after}.")
    url = owner
    if not named:
        run_on(owner, make_service_login)
        url = service_url(owner)
    for line in report_lines(load_into(url)):
        say(line)
    return url


async def _answer_and_serve(settings: Settings, taken: socket.socket | None, started: float, ending: "_Ending") -> None:
    from cab_registry.app import create_app
    from cab_registry.services.logs import configure_logging

    # Every request in the log is for production; here it would hide the answers.
    configure_logging(settings.log_level if os.environ.get("CAB_LOG_LEVEL") else "warning")
    app: Any = create_app(settings)
    async with app.lifespan():
        answer = await _ask(app)
        say(f"\nA first question: {IN_WORDS}\n")
        print_answer(data_console(), answer)
        say(f"\nAnswered {time.monotonic() - started:.1f} seconds after the start.")
        ending.check()
        if taken is not None:
            address = address_of(taken)
            if any(route.path == "/" for route in app.routes):
                say(f"Pages: {address}/")
            say(f"Questions: {address}/v1/acceptance")
            if app.state.metrics_port:
                say(f"Metrics: http://{settings.metrics_host}:{app.state.metrics_port}/metrics")
            say("Ctrl-C ends it.")
            async with _jobs_beside(settings):
                await serve_here(app, taken)
            say("Stopped.")


@contextlib.asynccontextmanager
async def _jobs_beside(settings: Settings) -> AsyncIterator[None]:
    """Run the jobs in this process too, so that who watches is told; production gives them a process of their own."""
    from cab_registry.app import serve_jobs

    stop = asyncio.Event()
    running = asyncio.create_task(serve_jobs(msgspec.structs.replace(settings, metrics_port=0), stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def _ask(app: Any) -> dict[str, Any]:
    """Put the first question to the application itself, by its own door but without a network."""
    import httpx

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        response = await client.post("/v1/acceptance", json=FIRST_QUESTION)
    answer: dict[str, Any] = msgspec.json.decode(read_reply(response).content)
    return answer


class _Ending:
    """Whether the end was asked for: an exception that meets a finaliser is lost in it, so it is asked for again."""

    def __init__(self) -> None:
        self._asked = False

    def ask(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._asked = True
        raise KeyboardInterrupt

    def check(self) -> None:
        if self._asked:
            raise KeyboardInterrupt


@contextlib.contextmanager
def _ending_as_by_ctrl_c() -> Iterator[_Ending]:
    """Treat SIGINT, SIGTERM and a closed terminal alike, so that everything that was started is ended each way."""
    ending = _Ending()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, ending.ask) for number in numbers}
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
