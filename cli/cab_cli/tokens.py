"""`cab token`: tokens of one's own; registrars list and revoke those of others. The text of a token is shown once."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from cab_cli import completion
from cab_cli.account_names import find_account
from cab_cli.console import data_console, print_json, say, write
from cab_cli.desk import AsJson, ProfileOption, ServerOption, find_token, open_desk
from cab_cli.profiles import FIRST, Profile, keep_profile, read_profile
from cab_cli.tables import print_table

IN_USE: Final = "current"
token_app = typer.Typer(help="Tokens: create, list, rotate, revoke.", no_args_is_help=True)
DaysOption = Annotated[int, typer.Option(min=1, max=366, help="How long it works.")]
TokenArgument = Annotated[str, typer.Argument(metavar="TOKEN", help="Id of the token, which is no secret.")]
PrincipalOption = Annotated[
    str | None,
    typer.Option(metavar="PRINCIPAL", help="Whose, id or name, for registrars.", show_default="your own"),
]


@token_app.command("create")
def create(
    *,
    name: Annotated[str, typer.Option(metavar="TEXT", help="What it is for, as `laptop`.")],
    role: Annotated[
        list[str], typer.Option(metavar="ROLE", help="submitter, approver, auditor or registrar; repeatable.")
    ],
    authority: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            show_default="yours",
            help="For which authority it speaks.",
            autocompletion=completion.complete_authority,
        ),
    ] = None,
    days: DaysOption = 90,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Create a further token of your own. Its text is the only thing on standard output, and is never shown again.

    It can do no more than the token in use, and is revoked with it. Others are invited: cab admin invite.

    Examples:
      cab token create --name laptop --role submitter
    """
    with open_desk(server, profile) as desk:
        request = {"authority": authority or desk.authority, "roles": role, "name": name, "days": days}
        # Sent once: where the answer is lost, the token that nobody saw is in the list, to be revoked.
        issued = desk.client.send("/v1/tokens", request, attempts=1)
    _print_issued(issued, as_json=as_json)


@token_app.command("list")
def list_tokens(
    *,
    principal: PrincipalOption = None,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """List tokens, the newest first, with their last use; never a secret.

    Examples:
      cab token list
      cab token list --principal "Lee Ji-woo" --json
    """
    with open_desk(server, profile) as desk:
        whose = None if principal is None else find_account(desk, principal)
        found = desk.client.get("/v1/tokens", {"principal": whose})
    if as_json:
        print_json(found)
        return
    rows = (
        (
            each["id"],
            each["name"],
            f"{', '.join(each['roles'])} at {each['authority']}",
            each["caused_by"] or "operator",
            each["created"][:10],
            (each["last_used"] or "never")[:10],
            _say_state(each),
        )
        for each in found["items"]
    )
    columns = ("id", "name", "for", "caused by", "created", "last used", "state")
    print_table(data_console(), columns, rows, ("id", "caused by", "created", "last used"))


def _say_state(token: dict[str, Any]) -> str:
    """Say whether a token works, and until when; one that was replaced ends soon."""
    if token["revoked"]:
        return f"revoked {token['revoked'][:10]}"
    if datetime.fromisoformat(token["expires"]) <= datetime.now(UTC):
        return f"expired {token['expires'][:10]}"
    return f"{'replaced, ' if token['replaced'] else ''}until {token['expires'][:10]}"


@token_app.command("rotate")
def rotate(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="Id of a token of yours; the one in use.")] = IN_USE,
    *,
    days: DaysOption = 90,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Take a new token in the place of one; the old one works for a few minutes more.

    The one in use is replaced in the profile, and its text is not shown. Forget the old one wherever else it is kept:
    shown later, it ends the new one too, since somebody else may hold it.

    Examples:
      cab token rotate
      cab token rotate 0123456789abcdef --days 30
    """
    kept = read_profile(profile) if token == IN_USE else None
    in_profile = kept is not None and find_token(server, profile) == (kept.server, kept.token)
    with open_desk(server, profile) as desk:
        issued = desk.client.send(f"/v1/tokens/{token}/rotate", {"days": days}, attempts=1)
        authority = desk.authority
    if kept is None or not in_profile:
        _print_issued(issued, as_json=as_json)
        return
    place = keep_profile(profile, Profile(server=kept.server, token=issued["text"], authority=authority))
    say(f"The new token is kept in {place}.")
    if as_json:
        print_json({"token": issued["token"]})


@token_app.command("revoke")
def revoke(
    token: TokenArgument,
    *,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Revoke a token at once and for good, for example one that was stolen.

    With it end the tokens that it replaced or was replaced by, and those that were created with any of these. The token
    of a registrar only its holder revokes.

    Examples:
      cab token revoke 0123456789abcdef
    """
    with open_desk(server, profile) as desk:
        revoked = desk.client.delete(f"/v1/tokens/{token}")
    if as_json:
        print_json(revoked)
    else:
        say(f"The token {revoked['id']} ({revoked['name']}) is revoked.")
        if revoked["also_revoked"]:
            say(f"With it end those that came of it: {', '.join(revoked['also_revoked'])}.")


def _print_issued(issued: dict[str, Any], *, as_json: bool) -> None:
    token = issued["token"]
    if as_json:
        print_json(issued)
    else:
        write(issued["text"])
    roles = ", ".join(token["roles"])
    say(f"Token {token['id']}: {roles} at {token['authority']}, until {token['expires']}. It is not shown again.")
