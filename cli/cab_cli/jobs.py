"""`cab jobs`: what runs on a clock, in a process of its own or once."""

import asyncio
import signal
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated

import typer

from cab_cli.console import print_json, say, write
from cab_cli.databases import chosen_database, connection_refusals
from cab_cli.exits import Exit
from cab_cli.local_acts import recorded
from cab_cli.serving import settings_for, warn_of_excess
from cab_registry.domain.errors import OperationalFault, Refusal

jobs_app = typer.Typer(help="What runs on a clock.", no_args_is_help=True)


@jobs_app.command("run")
def run() -> None:
    """Run every job on its schedule, until SIGINT or SIGTERM. Two of these over one database run each job once.

    Examples:
      cab jobs run
    """
    from cab_registry.app import serve_jobs

    with chosen_database() as url, connection_refusals():
        settings = settings_for(url)
        # The jobs wait for a database that is away.
        with suppress(OperationalFault):
            warn_of_excess(url)

        async def serve() -> None:
            stop = asyncio.Event()
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop.set)
            await serve_jobs(settings, stop)

        say("Running the jobs.")
        asyncio.run(serve())


@jobs_app.command("run-once")
def run_once(
    name: Annotated[str, typer.Argument(help="The job's name.")],
    on: Annotated[str | None, typer.Option("--on", metavar="DAY", help="The day it is due; today without it.")] = None,
    *,
    again: Annotated[bool, typer.Option("--again", help="Also where it has run for that day.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Run one job for one day and print what it found; exit code 1 where something is wrong.

    What has run for a day is not run again: who is told by the job is told once.

    Examples:
      cab jobs run-once expiry-horizon
      cab jobs run-once prove-log
      cab jobs run-once prove-log --on 2026-11-21
    """
    from cab_registry.app import run_job_once

    try:
        due_on = (
            datetime.now(UTC).date() if on is None else datetime.strptime(on, "%Y-%m-%d").replace(tzinfo=UTC).date()
        )
    except ValueError:
        raise Refusal(f"{on!r} is not a day: write YYYY-MM-DD") from None
    with chosen_database() as url, connection_refusals(), recorded("cab jobs run-once", name):
        report = asyncio.run(run_job_once(settings_for(url), name, due_on, again=again))
    if as_json:
        print_json({"job": name, "due_on": due_on.isoformat(), "report": report.text, "faults": report.faults})
    else:
        write(report.text)
    raise typer.Exit(Exit.FAILURE if report.faults else Exit.DONE)
