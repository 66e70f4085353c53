"""`cab catalogue`: the packaged law and bodies, checked, shown, and loaded into a database."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from cab_cli.console import data_console, print_json, say, write
from cab_cli.databases import DatabaseUrl, chosen_database, run_on
from cab_cli.exits import Exit
from cab_cli.local_acts import recorded
from cab_cli.tables import print_table
from cab_registry.domain.errors import MOST_FAULTS, Refusal

if TYPE_CHECKING:
    from cab_registry.services.submissions import CatalogueReport

catalogue_app = typer.Typer(help="The packaged law and the real bodies: check, show, load.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
PARTS: Final = ("law", "bodies")
NAMED: Final = 10


@catalogue_app.command("check")
def check_catalogue(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER", help="Records of your own, checked beside the packaged law.", exists=True, file_okay=False
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Check the whole catalogue: how it reads and what its records say; every fault with file and line.

    With a folder, the records in it are checked beside the packaged law, such as those of an agreement of your own
    before `cab submit` enters them into a running register.

    Each table that the catalogue was made from is shown with its rows, those that records carry, those where the table
    itself says that there is nothing to carry, and the records.

    Exit code 0 where nothing is wrong, else 1. No database is needed.

    Examples:
      cab catalogue check
      cab catalogue check --json
      cab catalogue check my-agreement/
    """
    from cab_registry.register import checking

    report = checking.check_catalogue() if folder is None else checking.check_folder(folder)
    if as_json:
        print_json(msgspec.to_builtins(report))
    else:
        print_table(data_console(), ("type", "records"), report.counts.by_type.items())
        columns = "part", "rows of the tables", "carried by records", "nothing to carry", "records"
        rows = [(each.title, each.rows, each.carried, each.without, each.records) for each in report.tables]
        if rows:
            print_table(data_console(), columns, rows)
        for fault in report.faults[:MOST_FAULTS]:
            write(str(fault))
        if len(report.faults) > MOST_FAULTS:
            say(f"These are the first {MOST_FAULTS}; --json lists all of them.")
        say(f"{report.counts.records} records, {len(report.faults)} faults.")
    raise typer.Exit(Exit.FAILURE if report.faults else Exit.DONE)


@catalogue_app.command("overview")
def show_overview(
    *,
    target: Annotated[
        Path | None, typer.Option("--write", metavar="FILE", help="Write it there instead.", dir_okay=False)
    ] = None,
) -> None:
    """Show what the catalogue holds, as a page in Markdown: numbers, and every agreement with its routes.

    Examples:
      cab catalogue overview
      cab catalogue overview --write docs/catalogue.md
    """
    from cab_registry.register.catalogue import load_catalogue as read
    from cab_registry.register.overview import render_overview

    page = render_overview(read(PARTS))
    if target is None:
        write(page, nl=False)
        return
    try:
        target.write_text(page, "utf-8")
    except OSError as error:
        raise Refusal(f"{target} cannot be written: {error.strerror}") from None
    say(f"Written to {target}.")


@catalogue_app.command("load")
def load_catalogue(database_url: DatabaseUrl = None, *, as_json: AsJson = False) -> None:
    """Bring a migrated database up to the packaged catalogue; only what changed is written.

    A record that somebody else changed is reported as a conflict and left alone; the exit code is then 6.

    Examples:
      cab catalogue load
      cab catalogue load --database-url postgresql://cab:secret@db.example/cab
    """
    with chosen_database(database_url) as url, recorded("cab catalogue load"):
        report = load_into(url)
    if as_json:
        print_json(msgspec.to_builtins(report))
    else:
        write("\n".join(report_lines(report)))
    raise typer.Exit(Exit.CONFLICT if report.conflicts else Exit.DONE)


def load_into(url: str) -> "CatalogueReport":
    """Load law and bodies into the database at an address; every document is checked first."""
    from cab_registry.register.catalogue import load_catalogue as read
    from cab_registry.register.schemas import list_faults
    from cab_registry.services import submissions

    entries = read(PARTS)
    documents = [entry.document for entry in entries]
    return run_on(url, lambda engine: submissions.load_catalogue(engine, documents, validate=list_faults))


def report_lines(report: "CatalogueReport") -> Iterator[str]:
    """Write what a load did: counts, and the ids of what is not merely unchanged."""
    groups = {"added": report.added, "amended": report.amended, "conflicts": report.conflicts}
    counts = ", ".join(f"{len(ids)} {name}" for name, ids in {**groups, "unchanged": report.unchanged}.items())
    yield f"Catalogue: {counts}; the log is at position {report.position}."
    for name, ids in groups.items():
        if name != "added" or len(ids) <= NAMED:
            yield from (f"  {name}: {each}" for each in ids)
