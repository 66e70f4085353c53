"""`cab admin`: the first registrar, made on the server itself; people, machines and their roles, made by registrars."""

import difflib
import os
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import typer

from cab_cli import completion
from cab_cli.console import data_console, print_json, say
from cab_cli.databases import DatabaseUrl, chosen_database, run_on
from cab_cli.desk import AsJson, Desk, ProfileOption, ServerOption, open_desk
from cab_cli.local_acts import recorded
from cab_cli.profiles import FIRST
from cab_cli.tables import print_table
from cab_registry.domain.errors import Fault, Refusal, RegistryError

admin_app = typer.Typer(help="The first registrar; people and machines, and what they may do.", no_args_is_help=True)
principal_app = typer.Typer(help="People and machines that have an account.", no_args_is_help=True)
admin_app.add_typer(principal_app, name="principal")
officer_app = typer.Typer(help="Officers of authorities: account, role and token at once.", no_args_is_help=True)
admin_app.add_typer(officer_app, name="officer")
PAGE: Final = 500
PrincipalArgument = Annotated[str, typer.Argument(metavar="PRINCIPAL", help="Id of the account.")]
AuthorityOption = Annotated[
    str,
    typer.Option(metavar="ID", help="For which authority.", autocompletion=completion.complete_authority),
]
RoleOption = Annotated[
    Literal["submitter", "approver", "auditor", "registrar"],
    typer.Option(help="submitter hands in, approver decides, auditor reads all; registrar keeps the catalogue."),
]


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
        typer.echo(text)
    say("This is the token of the first registrar. It is not shown again: cab auth login keeps it.")


@admin_app.command("secret-key")
def secret_key() -> None:
    """Print a new key for CAB_SECRET_KEYS, which seals addresses and secrets; it is kept nowhere.

    To replace a key, put the new one first and leave the old one behind it, with a comma between them.

    Examples:
      cab admin secret-key
    """
    from cab_registry.services.delivery.sealing import make_key

    typer.echo(make_key(os.urandom))
    say("Keep it where the service and its jobs read it, and a copy elsewhere: without it nothing sealed opens.")


@officer_app.command("add")
def add_officer(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The person or the machine; never shown in public.")],
    *,
    authority: AuthorityOption,
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE",
            show_default="submitter",
            help="submitter, approver or auditor; at registrar also registrar.",
        ),
    ] = None,
    kind: Annotated[Literal["person", "machine"], typer.Option(help="What it is.")] = "person",
    days: Annotated[int, typer.Option(min=1, max=366, help="How long the token works.")] = 90,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Let an officer in: an account, its roles at an authority, and a token, in one step. For registrars.

    The token is the only thing on standard output, and is never shown again: hand it over, or keep it in a profile.

    Examples:
      cab admin officer add "Lee Ji-woo" --authority kr-rra
      cab admin officer add "Park Seo-jun" --authority kr-rra --role approver --role auditor --days 30
      cab admin officer add "Lee Ji-woo" --authority kr-rra | cab auth login --token - --profile rra
    """
    roles = list(dict.fromkeys(role or ["submitter"]))
    _require_roles(roles, authority)
    with open_desk(server, profile) as desk:
        _require_authority(desk, authority)
        made = desk.client.send("/v1/principals", {"name": name, "kind": kind}, attempts=1)
        try:
            for each in roles:
                desk.client.send("/v1/grants", {"principal": made["id"], "authority": authority, "role": each})
            token = {"authority": authority, "roles": roles, "name": "first token", "days": days}
            issued = desk.client.send("/v1/tokens", {**token, "principal": made["id"]}, attempts=1)
        except RegistryError:
            say(f"The account {made['id']} was made and is shut out again, since the rest did not succeed.")
            desk.client.delete(f"/v1/principals/{made['id']}")
            raise
    if as_json:
        print_json({"principal": made["id"], **issued})
        return
    typer.echo(issued["text"])
    until = issued["token"]["expires"]
    say(f"{name} ({made['id']}) is {' and '.join(roles)} at {authority}. The token works until {until}.")
    say("It is not shown again. Its owner keeps it with: cab auth login --token -")


def _require_roles(roles: list[str], authority: str) -> None:
    known = ("submitter", "approver", "auditor", "registrar")
    faults = []
    for each in roles:
        near = difflib.get_close_matches(each, known, n=1)
        if each not in known:
            meant = f"; did you mean {near[0]}?" if near else ""
            faults.append(Fault("--role", f"{each!r} is not a role; there are {', '.join(known)}{meant}"))
        elif each == "registrar" and authority != "registrar":
            faults.append(Fault("--role", "registrar is a role at --authority registrar only"))
    if faults:
        raise Refusal("the officer cannot be let in", tuple(faults))


def _require_authority(desk: Desk, authority: str) -> None:
    """Hold that there is such an authority before anything is made."""
    if authority == "registrar":
        return
    held = desk.find(authority)
    if held is None or held.document["type"] != "authority":
        ids: list[str] = []
        cursor: str | None = None
        while True:
            page = desk.client.get("/v1/authorities", {"limit": str(PAGE), "cursor": cursor})
            ids += [each["record"]["id"] for each in page["items"]]
            if (cursor := page["next"]) is None:
                break
        near = difflib.get_close_matches(authority, ids, n=3)
        meant = f"; did you mean {' or '.join(near)}?" if near else "; see cab admin officer add --help"
        raise Refusal("the officer cannot be let in", (Fault("--authority", f"unknown: {authority}{meant}"),))


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
        typer.echo(made["id"])


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
    found: list[dict[str, Any]] = []
    with open_desk(server, profile) as desk:
        page: list[dict[str, Any]] = [{}]
        while page:
            after = found[-1]["id"] if found else None
            answer = desk.client.get("/v1/principals", {"authority": authority, "after": after, "limit": "200"})
            page = answer["items"]
            found += page
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
    """Shut an account out for good, with all its tokens.

    Examples:
      cab admin principal disable p-1f2e3d4c5b6a7980
    """
    with open_desk(server, profile) as desk:
        shown = desk.client.delete(f"/v1/principals/{_checked(principal)}")
    if as_json:
        print_json(shown)
    else:
        say(f"{principal} is disabled.")


@admin_app.command("grant")
def grant(
    principal: PrincipalArgument,
    *,
    authority: AuthorityOption,
    role: RoleOption,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Give an account a role at an authority.

    Examples:
      cab admin grant p-1f2e3d4c5b6a7980 --authority kr-rra --role submitter
    """
    with open_desk(server, profile) as desk:
        request = {"principal": _checked(principal), "authority": authority, "role": role}
        _print_roles(desk.client.send("/v1/grants", request), as_json=as_json)


@admin_app.command("ungrant")
def ungrant(
    principal: PrincipalArgument,
    *,
    authority: AuthorityOption,
    role: RoleOption,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Take a role from an account; its tokens lose it at once.

    Examples:
      cab admin ungrant p-1f2e3d4c5b6a7980 --authority kr-rra --role submitter
    """
    with open_desk(server, profile) as desk:
        named = {"principal": _checked(principal), "authority": authority, "role": role}
        _print_roles(desk.client.delete("/v1/grants", named), as_json=as_json)


def _print_roles(shown: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(shown)
    else:
        print_table(
            data_console(), ("role", "authority", "since"),
            ((each["role"], each["authority"], each["granted"]) for each in shown["grants"]),
        )  # fmt: skip


def _checked(principal: str) -> str:
    if not principal.startswith("p-") or not principal.replace("-", "").isalnum():
        raise Refusal(
            f"{principal!r} is no id of an account", (Fault("PRINCIPAL", "as cab admin principal list says"),)
        )
    return principal
