"""`cab inbox`: what waits for the authority, what is due first above."""

from typing import Annotated, Final

import typer

from cab_cli.console import data_console, print_json, say
from cab_cli.desk import AsJson, ProfileOption, ServerOption, open_desk
from cab_cli.profiles import FIRST
from cab_cli.tables import print_table

_SHOWN: Final = ("due", "kind", "of", "what", "article")


def inbox(
    *,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is late.")] = False,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Show what waits for your authority: submissions to approve, procedures, ends to come.

    Examples:
      cab inbox
      cab inbox --overdue --json
    """
    with open_desk(server, profile) as desk:
        found = desk.client.get("/v1/inbox", {})
    items = [item for item in found["items"] if item["overdue"] or not overdue]
    if as_json:
        print_json({**found, "items": items})
        return
    if not items:
        say(f"Nothing waits for {found['authority']}.")
        return
    rows = (
        (
            f"{item['due'] or 'no day'}{' (late)' if item['overdue'] else ''}",
            item["kind"],
            item["record"] or item["submission"],
            item["words"],
            item["article"],
        )
        for item in items
    )
    print_table(data_console(), _SHOWN, rows, ("of",))
