"""`cab db`: bring a database up to this program, look at it, prove it, and make its derived tables again."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from cab_cli.console import data_console, print_json, say
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

    with chosen_database(database_url) as url, connection_refusals(), recorded("cab db upgrade"):
        done = database.upgrade(url)
    if as_json:
        print_json(msgspec.to_builtins(done))
    elif done.before == done.after:
        typer.echo(f"At the newest revision already: {done.after}.")
    else:
        typer.echo(f"Upgraded from {done.before or 'an empty database'} to {done.after}.")


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

    with chosen_database(database_url) as url, recorded("cab db rebuild"):
        made = run_on(url, database.rebuild)
    if as_json:
        print_json(msgspec.to_builtins(made))
    else:
        typer.echo(f"{made.entries} entries read.")
        for table, count in made.differing.items():
            typer.echo(f"{table}: {count} rows differed and were mended.")
        if not made.differing:
            typer.echo("Nothing differed.")
        _print_faults(made.faults)
    raise typer.Exit(Exit.FAILURE if made.faults or made.differing else Exit.DONE)


@db_app.command("verify")
def verify(
    database_url: DatabaseUrl = None,
    *,
    head: Annotated[
        str | None, typer.Option(metavar="HASH", help="An entry hash kept elsewhere: proves that no end was cut off.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove the log: every hash, every link, and every derived row against it.

    Exit code 0 where nothing is wrong, else 1. Keep the head that it prints elsewhere, and give it to the next run.

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
        typer.echo(f"{found.position} entries: {verdict}.")
        typer.echo(f"Head: {found.entry_hash}")
        if head is None:
            say("Without --head, a log whose end was cut off looks whole.")
    raise typer.Exit(Exit.FAILURE if found.faults else Exit.DONE)


def _print_faults(faults: "Sequence[LogFault]") -> None:
    for fault in faults:
        where = " ".join(str(part) for part in (fault.position, fault.subject) if part is not None)
        typer.echo(f"{fault.kind} {where}: {fault.message}")
