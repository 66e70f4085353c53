"""`cab admin officer`: an account, its roles and an invitation in one step; another registrar approves the roles."""

import difflib
from typing import Annotated, Final, Literal

import typer

from cab_cli.console import print_json, say, write
from cab_cli.desk import AsJson, Desk, ProfileOption, ServerOption, open_desk
from cab_cli.grants import AuthorityOption
from cab_cli.profiles import FIRST
from cab_registry.domain.errors import Fault, Refusal, RegistryError

officer_app = typer.Typer(help="Officers of authorities: account, roles and invitation at once.", no_args_is_help=True)
PAGE: Final = 500


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
    days: Annotated[int, typer.Option(min=1, max=30, help="Within how many days the code can be redeemed.")] = 7,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Let an officer in: an account, proposed roles at an authority, and an invitation, in one step. For registrars.

    The code of the invitation is the only thing on standard output, and is never shown again: hand it to the officer,
    who turns it into a token with cab auth redeem. The roles count once another registrar approves them.

    Examples:
      cab admin officer add "Lee Ji-woo" --authority kr-rra
      cab admin officer add "Park Seo-jun" --authority kr-rra --role approver --role auditor --days 3
      cab admin officer add "Lee Ji-woo" --authority kr-rra | cab auth redeem --code - --profile rra
    """
    roles = list(dict.fromkeys(role or ["submitter"]))
    _require_roles(roles, authority)
    with open_desk(server, profile) as desk:
        _require_authority(desk, authority)
        made = desk.client.send("/v1/principals", {"name": name, "kind": kind}, attempts=1)
        asked = {"principal": made["id"], "authority": authority}
        try:
            proposed = [desk.client.send("/v1/grants", {**asked, "role": each}) for each in roles]
            invited = desk.client.send("/v1/invitations", {**asked, "roles": roles, "days": days}, attempts=1)
        except RegistryError:
            say(f"The account {made['id']} was made and is shut out again, since the rest did not succeed.")
            desk.client.delete(f"/v1/principals/{made['id']}")
            raise
    if as_json:
        print_json({"principal": made["id"], "proposals": proposed, **invited})
        return
    write(invited["code"])
    until = invited["invitation"]["expires"]
    say(f"{name} ({made['id']}) is invited for {authority}. Its holder redeems the code until {until}:")
    say("cab auth redeem. The code is not shown again.")
    if any(each["outcome"] is None for each in proposed):
        named = " and ".join(each["role"] for each in proposed)
        say(f"Then another registrar approves the role {named}: cab admin approve {made['id']}")


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
