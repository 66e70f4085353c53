"""`cab auth`: whose token this command line shows, and to which server."""

import sys
from typing import Annotated, Any, Final

import typer

from cab_cli.client import DEFAULT_SERVER
from cab_cli.console import data_console, print_json, say
from cab_cli.desk import AsJson, ProfileOption, ServerOption, Writer, find_token
from cab_cli.profiles import FIRST, Profile, forget_profile, keep_profile, read_profile
from cab_cli.tables import print_pairs
from cab_registry.domain.errors import Fault, Refusal

PIPED: Final = "-"
auth_app = typer.Typer(help="Your token: keep it, see whose it is, forget it.", no_args_is_help=True)


@auth_app.command("login")
def login(
    *,
    token: Annotated[
        str | None,
        typer.Option(metavar="TOKEN", help="`-` reads it from standard input; without it you are asked for it."),
    ] = None,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Check a token with the server, and keep both in a profile that you alone can read.

    A token on the command line itself would stand in the history of the shell, so it is not taken there.

    Examples:
      cab auth login --server https://register.example
      cab auth login --server https://register.example --token - --profile rra < token.txt
    """
    piped = token == PIPED or not sys.stdin.isatty()
    if token not in {None, PIPED}:
        raise Refusal("a token is not taken from the command line", (Fault("--token", "write - and pipe it in"),))
    kept = read_profile(profile)
    address = (server or (kept.server if kept else DEFAULT_SERVER)).rstrip("/")
    secret = (sys.stdin.readline() if piped else typer.prompt("Token", hide_input=True, err=True)).strip()
    if not secret or not secret.isascii() or not secret.isprintable():
        raise Refusal("there is no token", (Fault("--token", "one line, as it was shown"),))
    with Writer(address, secret) as client:
        me = client.get("/v1/me", {})
    place = keep_profile(profile, Profile(server=address, token=secret, authority=me["token"]["authority"]))
    if as_json:
        print_json(me)
    else:
        print_pairs(data_console(), _describe(address, me))
        say(f"Kept in {place}.")


@auth_app.command("status")
def status(*, server: ServerOption = None, profile: ProfileOption = FIRST, as_json: AsJson = False) -> None:
    """Show for whom the kept token speaks, in which roles, and until when.

    Examples:
      cab auth status
      cab auth status --profile rra --json
    """
    address, secret = find_token(server, profile)
    with Writer(address, secret) as client:
        me = client.get("/v1/me", {})
    if as_json:
        print_json(me)
    else:
        print_pairs(data_console(), _describe(address, me))


@auth_app.command("logout")
def logout(
    *,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="End the token itself too, wherever else it is kept.")
    ] = False,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Forget the kept token; with --revoke it lets nobody in any more.

    Examples:
      cab auth logout
      cab auth logout --revoke --profile rra
    """
    if revoke:
        with Writer(*find_token(server, profile)) as client:
            client.delete("/v1/tokens/current")
    there = forget_profile(profile)
    if as_json:
        print_json({"profile": profile, "forgotten": there, "revoked": revoke})
    else:
        say(f"The profile {profile} is {'forgotten' if there else 'not there'}.")


def _describe(server: str, me: dict[str, Any]) -> dict[str, Any]:
    principal, token = me["principal"], me["token"]
    return {
        "server": server,
        "name": principal["name"],
        "principal": principal["id"],
        "authority": token["authority"],
        "roles": token["roles"],
        "token": f"{token['id']} ({token['name']})",
        "expires": token["expires"],
    }
