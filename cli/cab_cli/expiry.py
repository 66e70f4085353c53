"""`cab expiry`: what ends soon, as a table, as a calendar in the terminal, or as a file for other programs."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from cab_cli import completion
from cab_cli.client import Client
from cab_cli.console import data_console, print_json, say, write
from cab_cli.desk import AsJson, ProfileOption, ServerOption, open_reading
from cab_cli.months import Falling, print_months
from cab_cli.profiles import FIRST
from cab_cli.show import KnownAt
from cab_cli.tables import print_table
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.register.ending import EndingKind

PATH: Final = "/v1/expiries"
PAGE: Final = "500"
_SHOWN: Final = ("last day", "days", "kind", "what", "record")
_STANDARD_OUTPUT: Final = Path("-")


def expiry(
    *,
    within: Annotated[str, typer.Option(metavar="DAYS", help="How far ahead, as 120d or 120.")] = "120d",
    authority: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="What it owns, gives, or is concerned by.", autocompletion=completion.complete_authority
        ),
    ] = None,
    accreditation_body: Annotated[
        str | None,
        typer.Option(
            "--accreditation-body",
            metavar="ID",
            help="Accreditations and statuses of this one.",
            autocompletion=completion.complete_authority,
        ),
    ] = None,
    body: Annotated[str | None, typer.Option(metavar="ID", help="Only of this body.")] = None,
    agreement: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only under this one.", autocompletion=completion.complete_agreement),
    ] = None,
    kind: Annotated[EndingKind | None, typer.Option(help="Only what is of this kind.")] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="DAY", help="The day on which one looks; today unless given.")
    ] = None,
    known_at: KnownAt = None,
    calendar: Annotated[bool, typer.Option("--calendar", help="Show months instead of a table.")] = False,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", dir_okay=False, help="Write a table to a file, or to - for the output."),
    ] = None,
    ics: Annotated[
        Path | None,
        typer.Option(
            "--ics", metavar="FILE", dir_okay=False, help="Write an iCalendar to a file, or to - for the output."
        ),
    ] = None,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Show what ends soon: rights, editions, statuses, agreements, scopes; and confirmations and answers that are late.

    The command ends with 0, whether or not something ends; with 2 where it is asked for what cannot be; with 7 where
    no server answers.

    Examples:
      cab expiry --authority kr-rra
      cab expiry --within 365d --accreditation-body us-a2la --calendar
      cab expiry --kind accreditation --csv accreditations.csv
      cab expiry --authority us-fcc --ics fcc.ics
    """
    forms = {"--calendar": calendar, "--json": as_json, "--csv": csv is not None, "--ics": ics is not None}
    chosen = [name for name, wanted in forms.items() if wanted]
    if len(chosen) > 1:
        raise Refusal("there is one output", tuple(Fault(name, "leave all of these out but one") for name in chosen))
    asked = {
        "within": within,
        "authority": authority,
        "accreditation_body": accreditation_body,
        "body": body,
        "agreement": agreement,
        "kind": kind,
        "as_of": as_of,
        "known_at": known_at,
    }
    with open_reading(server, profile) as client:
        for ending, place in ((".csv", csv), (".ics", ics)):
            if place is not None:
                _keep(place, client.fetch(f"{PATH}{ending}", asked), mark=ending == ".csv")
                return
        found = _read(client, asked)
    if as_json:
        print_json(found)
    elif not found["items"]:
        say(f"Nothing ends from {found['as_of']} to {found['until']}.")
    elif calendar:
        _print_months(found)
    else:
        rows = ((each["due_on"], _days(each), each["kind"], each["words"], each["record"]) for each in found["items"])
        print_table(data_console(), _SHOWN, rows, ("last day", "days", "kind", "record"))


def _read(client: Client, asked: dict[str, str | None]) -> dict[str, Any]:
    """Read all pages as one."""
    page = client.get(PATH, {**asked, "limit": PAGE})
    found = {**page, "next": None}
    while page["next"] is not None:
        page = client.get(PATH, {**asked, "limit": PAGE, "cursor": page["next"]})
        found["items"] += page["items"]
    return found


def _days(item: dict[str, Any]) -> str:
    if item["overdue"]:
        return "late"
    return "begun" if item["remaining"] < 0 else str(item["remaining"])


def _print_months(found: dict[str, Any]) -> None:
    console = data_console()
    first = date.fromisoformat(found["as_of"])
    dated = [(each, date.fromisoformat(each["due_on"])) for each in found["items"] if each["due_on"] is not None]
    before = [each for each in found["items"] if each["due_on"] is None or each["due_on"] < found["as_of"]]
    if before:
        console.print(Text(f"Before {first}", style="bold"))
        for each in before:
            console.print(Text(f"  {each['due_on'] or 'no day'}  {each['words']}"))
        console.print()
    print_months(console, (Falling(day, each["words"]) for each, day in dated if day >= first), first)


def _keep(place: Path, content: bytes, *, mark: bool) -> None:
    """Write a file, a table with the mark by which spreadsheets know UTF-8; or print it as it is."""
    if place == _STANDARD_OUTPUT:
        write(content.decode(), nl=False)
        return
    try:
        place.write_bytes(b"\xef\xbb\xbf" + content if mark else content)
    except OSError as error:
        raise Refusal(f"{place} cannot be written: {error.strerror}") from None
    say(f"Written to {place}.")
