"""`cab auth`: whose token this command line shows, to which server, and how it came to it."""

import sys
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from cab_cli.act_words import say_act, say_instant
from cab_cli.client import DEFAULT_SERVER
from cab_cli.console import data_console, print_json, say
from cab_cli.desk import AsJson, ProfileOption, ServerOption, Writer, find_token
from cab_cli.kept_accounts import refuse_overwriting
from cab_cli.profiles import FIRST, Profile, forget_profile, keep_profile, read_profile
from cab_cli.tables import print_pairs
from cab_registry.domain.errors import Fault, Refusal

PIPED: Final = "-"
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="Overwrite the token of another account that the profile keeps.")
]
auth_app = typer.Typer(help="Your token: keep it, see whose it is, forget it.", no_args_is_help=True)


@auth_app.command("login")
def login(
    *,
    token: Annotated[
        str | None,
        typer.Option(metavar="TOKEN", help="`-` reads it from standard input; without it you are asked for it."),
    ] = None,
    replace: ReplaceOption = False,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Check a token with the server, and keep both in a profile that you alone can read.

    A profile that keeps a living token of another account is not overwritten. A token on the command line itself would
    stand in the history of the shell, so it is not taken there.

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
    refuse_overwriting(profile, me, replace=replace)
    place = keep_profile(profile, Profile(server=address, token=secret, authority=me["token"]["authority"]))
    if as_json:
        print_json(me)
    else:
        print_pairs(data_console(), _describe(address, me))
        say(f"Kept in {place}.")


@auth_app.command("redeem")
def redeem(
    *,
    code: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="`-` reads it from standard input; without it you are asked for it."),
    ] = None,
    name: Annotated[str, typer.Option(metavar="TEXT", help="What the token is called in lists.")] = "first token",
    days: Annotated[int, typer.Option(min=1, max=366, help="How long the token works.")] = 90,
    replace: ReplaceOption = False,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Turn the code of an invitation into a token, once, and keep it in a profile that you alone can read.

    Tell the registrar who approves your roles the id of the token, so that they know that it was you. A profile that
    keeps a living token is not overwritten; the code is not used up then.

    Examples:
      cab auth redeem --server https://register.example
      cab auth redeem --server https://register.example --code - --profile rra < code.txt
    """
    piped = code == PIPED or not sys.stdin.isatty()
    if code not in {None, PIPED}:
        raise Refusal("a code is not taken from the command line", (Fault("--code", "write - and pipe it in"),))
    kept = read_profile(profile)
    address = (server or (kept.server if kept else DEFAULT_SERVER)).rstrip("/")
    secret = (sys.stdin.readline() if piped else typer.prompt("Code", hide_input=True, err=True)).strip()
    if not secret or not secret.isascii() or not secret.isprintable():
        raise Refusal("there is no code", (Fault("--code", "one line, as the registrar gave it"),))
    refuse_overwriting(profile, None, replace=replace)
    with Writer(address) as client:
        # Sent once: an invitation is redeemed once, and a registrar invites again where the answer is lost.
        issued = client.send("/v1/invitations/redeem", {"code": secret, "name": name, "days": days}, attempts=1)
    token = issued["token"]
    place = keep_profile(profile, Profile(server=address, token=issued["text"], authority=token["authority"]))
    if as_json:
        print_json({"token": token})
        return
    say(f"Kept in {place}.")
    with Writer(address, issued["text"]) as client:
        print_pairs(data_console(), _describe(address, client.get("/v1/me", {})))


@auth_app.command("approve")
def approve(
    invitation: Annotated[str, typer.Argument(metavar="INVITATION", help="Its id, as cab auth status shows it.")],
    *,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Agree that you get another token by an invitation that a registrar made for you.

    Examples:
      cab auth approve i-0123456789abcdef
    """
    with Writer(*find_token(server, profile)) as client:
        approved = client.send(f"/v1/invitations/{invitation}/approve")
    if as_json:
        print_json(approved)
    else:
        say(f"The invitation {invitation} can be redeemed.")


@auth_app.command("status")
def status(*, server: ServerOption = None, profile: ProfileOption = FIRST, as_json: AsJson = False) -> None:
    """Show for whom the kept token speaks, in which roles, until when, and what happened to your account of late.

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
        for line in _list_news(me["news"]):
            say(line)


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
    held = {each["role"] for each in principal["grants"] if each["authority"] == token["authority"]}
    waiting = [each for each in token["roles"] if each not in held]
    return {
        "server": server,
        "name": principal["name"],
        "principal": principal["id"],
        "authority": token["authority"],
        "roles": [each for each in token["roles"] if each in held],
        **({"not held yet": waiting} if waiting else {}),
        "token": f"{token['id']} ({token['name']})",
        "expires": token["expires"],
        "renewable until": token["renewable_until"],
    }


def _list_news(news: dict[str, Any]) -> Iterator[str]:
    for each in news["invitations"]:
        by = each["created_by"] or "the operator"
        yield f"{by} invites you for {each['authority']} until {each['expires']}: invitation {each['id']}."
    for each in news["proposals"]:
        yield f"{each['proposed_by']} proposes that you are {each['role']} at {each['authority']}."
    for each in news["acts"]:
        at = f" at {each['authority']}" if each["authority"] else ""
        yield f"{say_instant(each['recorded'])}: {say_act(each).replace('_', ' ')}{at}, by {each['actor']}."
