"""`cab transfer` and `cab policy`: records that go to another authority, and how an authority wants its submissions."""

from typing import Annotated, Literal

import typer

from cab_cli import completion
from cab_cli.desk import Desk
from cab_cli.submitting import Change, Draft, hand_in
from cab_cli.writing import Sending, writes_unsourced

policy_app = typer.Typer(help="How your authority wants its submissions handled.", no_args_is_help=True)


@writes_unsourced
def transfer(
    sending: Sending,
    records: Annotated[list[str], typer.Argument(metavar="RECORD...", help="Ids of records of yours.")],
    *,
    to: Annotated[
        str,
        typer.Option(metavar="ID", help="The authority that takes over.", autocompletion=completion.complete_authority),
    ],
) -> None:
    """Hand records over to another authority; nothing changes before one of its officers approves.

    Examples:
      cab transfer fcc-kr0001 --to kr-rra --reason "The laboratory moved"
    """

    def prepare(desk: Desk) -> Draft:
        changes = []
        for record in records:
            held = desk.read(record)
            changes.append(Change.of(held, {**held.document, "owner": to}))
        return Draft(f"{', '.join(records)} go to {to}", changes, "transfer")

    hand_in(sending, ["transfer", to, *records], prepare)


@policy_app.command("set")
@writes_unsourced
def set_policy(
    sending: Sending,
    *,
    four_eyes: Annotated[
        bool, typer.Option("--four-eyes/--no-four-eyes", help="Whether a second person approves each submission.")
    ],
    scope_wider: Annotated[
        Literal["warn", "refuse"],
        typer.Option(help="What follows where a scope is wider than the designation or accreditation behind it."),
    ] = "warn",
    version: Annotated[
        int, typer.Option(min=0, help="The version of the policy that you know; 0: none was ever set.")
    ] = 0,
) -> None:
    """Change the policy of your authority; another person of it must approve that.

    Where another version stands, the command ends with 6 and says which.

    Examples:
      cab policy set --four-eyes --scope-wider refuse --reason "Two officers since March"
    """

    def prepare(desk: Desk) -> Draft:
        document = {"authority": desk.authority, "four_eyes": four_eyes, "scope_wider": scope_wider}
        eyes = "a second person approves" if four_eyes else "one person is enough"
        return Draft(f"{desk.authority}: {eyes}, a wider scope: {scope_wider}", [Change(document, version)], "policy")

    hand_in(sending, ["policy set", str(four_eyes), scope_wider, str(version)], prepare)
