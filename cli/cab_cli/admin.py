"""`cab admin`: the first registrar, made on the server itself; people, machines and their roles, made by registrars."""

import os
from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from cab_cli import completion
from cab_cli.account_names import PrincipalArgument, choose_account, find_account, list_accounts
from cab_cli.console import data_console, print_json, say, write
from cab_cli.databases import DatabaseUrl, chosen_database, run_on
from cab_cli.desk import AsJson, ProfileOption, ServerOption, open_desk
from cab_cli.grants import add_grant_commands
from cab_cli.invitations import add_invitation_commands, say_cancelled
from cab_cli.local_acts import recorded
from cab_cli.officers import officer_app
from cab_cli.profiles import FIRST
from cab_cli.tables import print_table

admin_app = typer.Typer(help="The first registrar; people and machines, and what they may do.", no_args_is_help=True)
principal_app = typer.Typer(help="People and machines that have an account.", no_args_is_help=True)
admin_app.add_typer(principal_app, name="principal")
admin_app.add_typer(officer_app, name="officer")
add_grant_commands(admin_app)
add_invitation_commands(admin_app)


@admin_app.command("init")
def init(
    *,
    name: Annotated[str, typer.Option(metavar="NAME", help="Who the first registrar is; never shown in public.")],
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make the first registrar of a registry that has none; its token is printed once.

    It works on the database, so it is run where the server runs. Everything else goes over HTTP.

    Examples:
      cab admin init --name "Kim Min-seo"
      cab admin init --name "Kim Min-seo" | cab auth login --server https://register.example --token -
    """
    from cab_registry.services import principals

    with chosen_database(database_url) as url, recorded("cab admin init"):
        text = run_on(
            url, lambda engine: principals.init_registrar(engine, name, lambda: datetime.now(UTC), os.urandom)
        )
    if as_json:
        print_json({"text": text})
    else:
        write(text)
    say("This is the token of the first registrar. It is not shown again: cab auth login keeps it.")
    say("Make a second registrar next: from then on two agree to whoever is let in.")


@admin_app.command("recover")
def recover(
    principal: PrincipalArgument,
    *,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Invite a registrar whose tokens are lost, where no other registrar can; the code is printed once.

    It works on the database, so it is run where the server runs. The chain of acts tells of it. An earlier invitation
    ends now, and the registrar's earlier tokens end when the code is redeemed.

    Examples:
      cab admin recover p-1f2e3d4c5b6a7980 --database-url postgresql://cab@db.example/cab
      cab admin recover "Han Seo-yeon" --database-url postgresql://cab@db.example/cab
    """
    from cab_registry.services import principals
    from cab_registry.services.accounts import invitations

    with chosen_database(database_url) as url:
        named = principal
        if not principal.startswith("p-"):
            named = choose_account(principal, run_on(url, principals.name_registrars))
        with recorded("cab admin recover", named):
            made = run_on(
                url,
                lambda engine: invitations.invite_registrar(
                    engine, principal=named, clock=lambda: datetime.now(UTC), random=os.urandom
                ),
            )
    if as_json:
        print_json({"code": made.code, "invitation": made.invitation.id, "cancelled": list(made.cancelled)})
    else:
        write(made.code)
    say_cancelled(list(made.cancelled))
    say("This code is not shown again. Its holder turns it into a token: cab auth redeem")


@admin_app.command("secret-key")
def secret_key() -> None:
    """Print a new key for CAB_SECRET_KEYS, which seals addresses and secrets; it is kept nowhere.

    To replace a key, put the new one first and leave the old one behind it, with a comma between them.

    Examples:
      cab admin secret-key
    """
    from cab_registry.services.delivery.sealing import make_key

    write(make_key(os.urandom))
    say("Keep it where the service and its jobs read it, and a copy elsewhere: without it nothing sealed opens.")


@principal_app.command("add")
def add_principal(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The person or the machine; never shown in public.")],
    *,
    kind: Annotated[Literal["person", "machine"], typer.Option(help="What it is.")] = "person",
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Make an account without a role. Its id is the only thing on standard output.

    Examples:
      cab admin principal add "Lee Ji-woo"
      cab admin principal add "nightly import" --kind machine
    """
    with open_desk(server, profile) as desk:
        made = desk.client.send("/v1/principals", {"name": name, "kind": kind}, attempts=1)
    if as_json:
        print_json(made)
    else:
        write(made["id"])


@principal_app.command("list")
def list_principals(
    *,
    authority: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only who acts for it.", autocompletion=completion.complete_authority),
    ] = None,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """List accounts with their roles.

    Examples:
      cab admin principal list --authority kr-rra
    """
    with open_desk(server, profile) as desk:
        found = list(list_accounts(desk, authority))
    if as_json:
        print_json({"items": found})
        return
    rows = (
        (
            each["id"],
            each["name"],
            each["kind"],
            "disabled" if each["disabled"] else "",
            [f"{grant['role']} at {grant['authority']}" for grant in each["grants"]],
        )
        for each in found
    )
    print_table(data_console(), ("id", "name", "kind", "", "roles"), rows, ("id",))


@principal_app.command("disable")
def disable_principal(
    principal: PrincipalArgument,
    *,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Shut an account out for good, with its tokens, endpoints, watches and invitations.

    Examples:
      cab admin principal disable p-1f2e3d4c5b6a7980
    """
    with open_desk(server, profile) as desk:
        shown = desk.client.delete(f"/v1/principals/{find_account(desk, principal)}")
    if as_json:
        print_json(shown)
    else:
        say(f"{principal} is disabled.")


@principal_app.command("erase-name")
def erase_name(
    principal: PrincipalArgument,
    *,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Forget the name of an account for good; its id stays, and so does what it did.

    Examples:
      cab admin principal erase-name p-1f2e3d4c5b6a7980
    """
    with open_desk(server, profile) as desk:
        shown = desk.client.delete(f"/v1/principals/{find_account(desk, principal)}/name")
    if as_json:
        print_json(shown)
    else:
        say(f"The name of {principal} is forgotten.")
