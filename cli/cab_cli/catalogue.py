"""`cab catalogue`: the packaged law and bodies, checked, shown, and loaded into a database."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from cab_cli.console import data_console, print_json, say
from cab_cli.databases import DatabaseUrl, chosen_database, run_on
from cab_cli.exits import Exit
from cab_cli.tables import print_table
from cab_registry.domain.errors import Fault, Refusal

if TYPE_CHECKING:
    from cab_registry.register.catalogue import Entry
    from cab_registry.services.submissions import CatalogueReport

catalogue_app = typer.Typer(help="The packaged law and the real bodies: check, show, load.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
PARTS: Final = ("law", "bodies")
NAMED: Final = 10


@catalogue_app.command("check")
def check_catalogue(*, as_json: AsJson = False) -> None:
    """Read the whole catalogue and list every fault with file and line; no database is needed.

    Exit code 0 where there is none, else 1.

    Examples:
      cab catalogue check
      cab catalogue check --json
    """
    from cab_registry.register.catalogue import load_catalogue

    counts: dict[str, dict[str, int]] = {}
    faults: tuple[Fault, ...] = ()
    try:
        counts = _count(load_catalogue(PARTS))
    except Refusal as refusal:
        faults = refusal.faults
    if as_json:
        print_json({"counts": counts, "faults": [asdict(fault) for fault in faults]})
    else:
        rows = [(part, kind, count) for part, found in counts.items() for kind, count in found.items()]
        print_table(data_console(), ("part", "type", "records"), rows)
        for fault in faults:
            typer.echo(str(fault))
        say(f"{sum(count for _, _, count in rows)} records, {len(faults)} faults.")
    raise typer.Exit(Exit.FAILURE if faults else Exit.DONE)


@catalogue_app.command("load")
def load_catalogue(database_url: DatabaseUrl = None, *, as_json: AsJson = False) -> None:
    """Bring a migrated database up to the packaged catalogue; only what changed is written.

    A record that somebody else changed is reported as a conflict and left alone; the exit code is then 6.

    Examples:
      cab catalogue load
      cab catalogue load --database-url postgresql://cab:secret@db.example/cab
    """
    with chosen_database(database_url) as url:
        report = load_into(url)
    if as_json:
        print_json(msgspec.to_builtins(report))
    else:
        typer.echo("\n".join(report_lines(report)))
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


def _count(entries: "Iterable[Entry]") -> dict[str, dict[str, int]]:
    counted = Counter((entry.located.file.partition("/")[0], str(entry.document["type"])) for entry in entries)
    counts: dict[str, dict[str, int]] = {}
    for (part, kind), count in sorted(counted.items()):
        counts.setdefault(part, {})[kind] = count
    return counts
