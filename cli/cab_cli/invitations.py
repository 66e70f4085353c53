"""`cab admin invite`: a one-time code for an account, which its holder turns into a token."""

from typing import Annotated, Any

import typer

from cab_cli.account_names import PrincipalArgument, find_account, list_registrars
from cab_cli.act_words import say_instant
from cab_cli.console import data_console, print_json, say, write
from cab_cli.desk import AsJson, ProfileOption, ServerOption, open_desk
from cab_cli.grants import AuthorityOption
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
        asked = {"principal": find_account(desk, principal), "authority": authority, "roles": role, "days": days}
        # Sent once: where the answer is lost, the next invitation cancels the one whose code nobody saw.
        made = desk.client.send("/v1/invitations", asked, attempts=1)
        invitation = made["invitation"]
        registrars = list_registrars(desk) if invitation["needs_approval"] else set()
        others = registrars - {desk.principal, invitation["principal"]}
    if as_json:
        print_json(made)
    else:
        write(made["code"])
    say_cancelled(made["cancelled"])
    say(f"Invitation {invitation['id']}: its holder redeems the code until {invitation['expires']}: cab auth redeem.")
    if invitation["needs_approval"]:
        say(say_who_approves(invitation, others=bool(others), registrar=invitation["principal"] in registrars))


def say_cancelled(ended: list[str]) -> None:
    """Say which earlier invitations a new one ended."""
    if ended:
        say(f"It takes the place of the invitation {', '.join(ended)}, whose code no longer works.")


def say_who_approves(invitation: dict[str, Any], *, others: bool, registrar: bool) -> str:
    """Say who can agree to an invitation: another registrar, where there are others; else the invited."""
    if others:
        return f"Another registrar approves it first: cab admin approve {invitation['id']}"
    words = (
        "There is no other registrar to approve it. The invited does, with a token that still works: "
        f"cab auth approve {invitation['id']}."
    )
    if registrar:
        words += f" Without one, the operator of the server runs cab admin recover {invitation['principal']}"
    return words


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
    rows = (
        (
            each["id"],
            each["principal"],
            each["authority"],
            each["roles"],
            each["created_by"] or "operator",
            say_instant(each["expires"]),
            each["outcome"] or ("waits" if each["needs_approval"] and not each["approved"] else "open"),
        )
        for each in found["items"]
    )
    columns = ("id", "for", "authority", "roles", "by", "expires", "state")
    print_table(data_console(), columns, rows, ("id", "for", "by", "expires"))
