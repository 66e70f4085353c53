"""`cab admin invite`: a one-time code for an account, which its holder turns into a token."""

from typing import Annotated

import typer

from cab_cli.console import data_console, print_json, say, write
from cab_cli.desk import AsJson, ProfileOption, ServerOption, open_desk
from cab_cli.grants import AuthorityOption, PrincipalArgument, checked_account
from cab_cli.profiles import FIRST
from cab_cli.tables import print_table


def add_invitation_commands(app: typer.Typer) -> None:
    """Add the commands of invitations to `cab admin`."""
    app.command("invite")(invite)
    app.command("invitations")(list_invitations)


def invite(
    principal: PrincipalArgument,
    *,
    authority: AuthorityOption,
    role: Annotated[
        list[str],
        typer.Option(metavar="ROLE", help="What the token may be used for, if it is held; repeatable."),
    ],
    days: Annotated[int, typer.Option(min=1, max=30, help="Within how many days the code can be redeemed.")] = 7,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Invite an account to get a token. The code is the only thing on standard output, and is never shown again.

    Who has or had a token, for example one that was lost, is told of it, and another registrar approves it first; or
    the invited with cab auth approve, while one of its tokens still works.

    Examples:
      cab admin invite p-1f2e3d4c5b6a7980 --authority kr-rra --role submitter
    """
    with open_desk(server, profile) as desk:
        asked = {"principal": checked_account(principal), "authority": authority, "roles": role, "days": days}
        # Sent once: where the answer is lost, the next invitation cancels the one whose code nobody saw.
        made = desk.client.send("/v1/invitations", asked, attempts=1)
    if as_json:
        print_json(made)
    else:
        write(made["code"])
    invitation = made["invitation"]
    say(f"Invitation {invitation['id']}: its holder redeems the code until {invitation['expires']}: cab auth redeem.")
    if invitation["needs_approval"]:
        say(f"Another registrar approves it first: cab admin approve {invitation['id']}")


def list_invitations(
    *,
    ended: Annotated[bool, typer.Option("--ended", help="Those that are over, too.")] = False,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """List invitations; never a code. cab admin refuse cancels one.

    Examples:
      cab admin invitations
      cab admin invitations --ended --json
    """
    with open_desk(server, profile) as desk:
        found = desk.client.get("/v1/invitations", {"ended": "true" if ended else None, "limit": "500"})
    if as_json:
        print_json(found)
        return
    columns = ("id", "principal", "authority", "roles", "created_by", "expires", "approved", "outcome")
    rows = ([each[key] for key in columns] for each in found["items"])
    print_table(data_console(), tuple(each.replace("_", " ") for each in columns), rows, ("id",))
