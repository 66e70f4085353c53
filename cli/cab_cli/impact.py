"""`cab impact`: what would flip, if a body or an accreditation body lost what it has."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

import typer
from rich.text import Text

from cab_cli import completion
from cab_cli.console import data_console, print_json, say
from cab_cli.desk import AsJson, ProfileOption, ServerOption, open_reading
from cab_cli.profiles import FIRST
from cab_cli.show import KnownAt
from cab_cli.tables import print_table
from cab_registry.domain.errors import Refusal
from cab_registry.services.cells import write_csv

PATIENCE_SECONDS: Final = 180.0
_SHOWN: Final = ("scope", "destination", "result", "before", "after", "from", "to", "falls with")
_COLUMNS: Final = (
    "body", "name", "economy", "requirement", "sector", "destination", "result_kind", "procedure", "product_class",
    "activity", "site", "before", "after", "on", "until", "falls_with",
)  # fmt: skip
_ASKED: Final = ("procedure", "product_class", "activity", "site")


def impact(
    record_id: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Id of the body, inspectorate or accreditation body.",
            autocompletion=completion.complete_authority,
        ),
    ],
    *,
    loss: Annotated[
        Literal["suspended", "withdrawn", "expired"], typer.Option("--if", help="What is supposed to happen.")
    ],
    on: Annotated[str | None, typer.Option(metavar="DAY", show_default="today", help="The first day of it.")] = None,
    what: Annotated[
        Literal["status", "accreditations", "all"],
        typer.Option(
            help="Of an accreditation body: its signatory status, while its accreditations stand; the accreditations "
            "that it gave; or both."
        ),
    ] = "all",
    horizon: Annotated[
        int | None,
        typer.Option(metavar="DAYS", min=0, show_default="366", help="How many days after the first are looked at."),
    ] = None,
    known_at: KnownAt = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", dir_okay=False, help="Write a line for each answer that flips."),
    ] = None,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Show which standing answers would flip, if a body or an accreditation body lost what it has; nothing is stored.

    A standing answer is one on a result that is performed, issued and presented on one day. The command ends with 0,
    whether or not something flips; with 2 where there is no such body, or it has nothing to lose on that day; with 7
    where no server answers.

    Examples:
      cab impact us-a2la --if suspended --on 2027-01-01
      cab impact us-a2la --if withdrawn --what status --json
      cab impact jp-pmda --if expired --csv flips.csv
    """
    parameters = {
        "if": loss,
        "on": on,
        "what": what,
        "horizon": None if horizon is None else str(horizon),
        "known_at": known_at,
    }
    with open_reading(server, profile) as client:
        found = client.get(f"/v1/impact/{quote(record_id, safe='')}", parameters, seconds=PATIENCE_SECONDS)
    if csv is not None:
        _keep(csv, found)
    if as_json:
        print_json(found)
    else:
        _print_found(found)
    if csv is not None:
        say(f"Written to {csv}.")


def _print_found(found: dict[str, Any]) -> None:
    console = data_console()
    console.print(Text(f"Supposed: {found['supposed']}", style="bold"))
    for body in found["bodies"]:
        economy = f" ({body['economy']})" if body["economy"] else ""
        console.print(Text(f"\n{body['name']}{economy}, {body['id']}", style="bold"))
        # Only an accreditation body has several things to lose.
        width = len(_SHOWN) - (found["what"] is None)
        rows = (_row(flip)[:width] for flip in body["flips"])
        print_table(console, _SHOWN[:width], rows, ("before", "after", "from", "to"))
    console.print()
    console.print(Text(found["sentences"][0]))
    for change in found["counts"]["changes"]:
        console.print(Text(f"  {_plain(change['before'])} -> {_plain(change['after'])}: {change['count']}"))
    if found["watched"] is not None:
        console.print(Text(f"Watched answers that would flip: {found['watched']['count']}"))
        for own in found["watched"]["own"]:
            console.print(
                Text(f"  {own['words']}: {_plain(own['before'])} -> {_plain(own['after'])}, from {own['on']} on")
            )
    if not found["complete"]:
        say(found["sentences"][1])


def _row(flip: dict[str, Any]) -> tuple[str, ...]:
    asked = flip["question"]
    closer = [_plain(asked[name]) for name in _ASKED if asked[name] is not None]
    scope = asked["requirement"] or asked["sector"] or ""
    return (
        f"{scope} ({', '.join(closer)})" if closer else scope,
        asked["destination"],
        _plain(asked["result_kind"]),
        _plain(flip["before"]),
        _plain(flip["after"]),
        flip["on"],
        flip["until"] or "",
        flip["falls_with"],
    )


def _plain(code: str) -> str:
    return code.replace("_", " ")


def _lines(found: dict[str, Any]) -> Iterator[list[Any]]:
    for body in found["bodies"]:
        for flip in body["flips"]:
            values = {**flip["question"], **flip, "body": body["id"], "name": body["name"], "economy": body["economy"]}
            yield [values[name] for name in _COLUMNS]


def _keep(place: Path, found: dict[str, Any]) -> None:
    text = io.StringIO(newline="")
    write_csv(_COLUMNS, _lines(found), text)
    try:
        place.write_bytes(text.getvalue().encode("utf-8-sig"))
    except OSError as error:
        raise Refusal(f"{place} cannot be written: {error.strerror}") from None
