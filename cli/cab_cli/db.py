"""`cab db`: bring a database up to this program, look at it, prove it, and make its derived tables again."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from cab_cli.console import data_console, print_json, say, write
from cab_cli.databases import DatabaseUrl, chosen_database, connection_refusals, run_on
from cab_cli.exits import Exit
from cab_cli.local_acts import recorded
from cab_cli.tables import print_pairs

if TYPE_CHECKING:
    from cab_registry.storage.chain import LogFault

db_app = typer.Typer(
    help="The database: migrate it, look at it, prove it. With CAB_DATABASE_URL or --database-url, else on the "
    "database that `cab dev` keeps, if it runs.",
    no_args_is_help=True,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@db_app.command("upgrade")
def upgrade(database_url: DatabaseUrl = None, *, as_json: AsJson = False) -> None:
    """Migrate the database to the newest revision of this program.

    Examples:
      cab db upgrade
      cab db upgrade --database-url postgresql://cab:secret@db.example/cab
    """
    from cab_registry.services import database

    with (
        chosen_database(database_url, owner=True) as url,
        connection_refusals(),
        recorded("cab db upgrade"),
    ):
        done = database.upgrade(url)
    if as_json:
        print_json(msgspec.to_builtins(done))
    elif done.before == done.after:
        write(f"At the newest revision already: {done.after}.")
    else:
        write(f"Upgraded from {done.before or 'an empty database'} to {done.after}.")


@db_app.command("status")
def status(database_url: DatabaseUrl = None, *, as_json: AsJson = False) -> None:
    """Show the revision, the head of the log and how many records are current.

    Exit code 0 where the database is at this program's revision, else 1.

    Examples:
      cab db status
      cab db status --json
    """
    from cab_registry.services import database

    with chosen_database(database_url) as url:
        found = run_on(url, database.status, migrated=False)
    plain: dict[str, Any] = msgspec.to_builtins(found)
    if as_json:
        print_json(plain)
    else:
        print_pairs(data_console(), {key.replace("_", " "): value for key, value in plain.items()})
    if found.revision != found.newest:
        say("The database is not at this program's revision: run cab db upgrade.")
        raise typer.Exit(Exit.FAILURE)


@db_app.command("rebuild")
def rebuild(database_url: DatabaseUrl = None, *, as_json: AsJson = False) -> None:
    """Make everything derived again from the log, and say what differed before.

    Exit code 0 where nothing differed and nothing is wrong, else 1.

    Examples:
      cab db rebuild
    """
    from cab_registry.services import database

    with chosen_database(database_url, owner=True) as url, recorded("cab db rebuild"):
        made = run_on(url, database.rebuild)
    if as_json:
        print_json(msgspec.to_builtins(made))
    else:
        write(f"{made.entries} entries read.")
        for table, count in made.differing.items():
            write(f"{table}: {count} rows differed and were mended.")
        if not made.differing:
            write("Nothing differed.")
        _print_faults(made.faults)
    raise typer.Exit(Exit.FAILURE if made.faults or made.differing else Exit.DONE)


@db_app.command("verify")
def verify(
    database_url: DatabaseUrl = None,
    *,
    head: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="Hash of an entry or act, kept elsewhere: proves that no end was cut off."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove log and acts: every hash, every link, who could do what, and every row against them.

    Exit code 0 where nothing is wrong, else 1. Keep the heads that it prints elsewhere, and give one to the next run.

    Examples:
      cab db verify
      cab db verify --head 6b1f...(64 digits)
    """
    from cab_registry.services import database

    with chosen_database(database_url) as url:
        found = run_on(url, lambda engine: database.verify(engine, head))
    if as_json:
        print_json(msgspec.to_builtins(found))
    else:
        _print_faults(found.faults)
        verdict = f"{len(found.faults)} faults" if found.faults else "nothing is wrong"
        write(f"{found.position} entries, {found.acts} acts: {verdict}.")
        if found.entry_hash:
            write(f"Head: {found.entry_hash}")
            write(f"Head of the acts: {found.act_hash}")
        if head is None:
            say("Without --head, a log whose end was cut off looks whole.")
    raise typer.Exit(Exit.FAILURE if found.faults else Exit.DONE)


@db_app.command("erase-private")
def erase_private(
    submission: Annotated[str, typer.Argument(metavar="SUBMISSION", help="Id of the submission.")],
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept for good, so name nobody.")],
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Erase the private parts of a submission for good: internal reasons, evidence, reasons of a decision.

    The chain keeps their hashes, and an act says that they were erased. Without that act, a missing part is a fault.

    Examples:
      cab db erase-private 5f2c9a0e-8f0b-4a52-9d0e-0c8f9a3b1d11 --reason "request for erasure, file 12/2026"
    """
    from cab_registry.services import database

    with chosen_database(database_url) as url, recorded("cab db erase-private", submission):
        count = run_on(url, lambda engine: database.erase_private(engine, submission, reason))
    if as_json:
        print_json({"submission": submission, "erased": count})
    else:
        write(f"{count} private parts erased.")


@db_app.command("correct-clock")
def correct_clock(
    *,
    first: Annotated[int, typer.Option(min=1, help="Position of the first entry that a wrong clock dated.")],
    last: Annotated[int, typer.Option(min=1, help="Position of the last one.")],
    ahead_by: Annotated[float, typer.Option(metavar="SECONDS", help="How far the clock was ahead; negative: behind.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="How it is known; kept for good.")],
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """State that entries were recorded with a wrong clock, and read the log so from now on.

    Nothing in the log is rewritten: an act states it, and what is derived is made again. Needs the owner of the tables.
    Set the clock first, and start the service anew afterwards.

    Examples:
      cab db correct-clock --first 1204 --last 1209 --ahead-by 2208988800 --reason "host clock stood in 2096"
    """
    from cab_registry.services import database

    shift = timedelta(seconds=ahead_by)
    with chosen_database(database_url, owner=True) as url, recorded("cab db correct-clock"):
        done = run_on(
            url,
            lambda engine: database.correct_clock(engine, first=first, last=last, ahead_by=shift, reason=reason),
        )
    if as_json:
        print_json(msgspec.to_builtins(done))
    else:
        write(f"Entries {first} to {last} count as recorded from {done.first.isoformat()} to {done.last.isoformat()}.")
        _print_faults(done.rebuilt.faults)
    raise typer.Exit(Exit.FAILURE if done.rebuilt.faults else Exit.DONE)


def _print_faults(faults: "Sequence[LogFault]") -> None:
    for fault in faults:
        where = " ".join(str(part) for part in (fault.position, fault.subject) if part is not None)
        write(f"{fault.kind} {where}: {fault.message}")
