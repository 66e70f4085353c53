"""`cab admin grant` and what follows: roles are proposed by one registrar, approved by another, and ended by either."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import typer

from cab_cli import completion
from cab_cli.account_names import PrincipalArgument, choose_account, find_account
from cab_cli.act_words import say_act, say_instant
from cab_cli.console import data_console, print_json, say
from cab_cli.desk import AsJson, Desk, ProfileOption, ServerOption, open_desk
from cab_cli.profiles import FIRST
from cab_cli.tables import print_table
from cab_registry.domain.errors import Fault, Refusal

AuthorityOption = Annotated[
    str,
    typer.Option(metavar="ID", help="For which authority.", autocompletion=completion.complete_authority),
]
RoleOption = Annotated[
    Literal["submitter", "approver", "auditor", "registrar"],
    typer.Option(help="submitter hands in, approver decides, auditor reads all; registrar keeps the catalogue."),
]
PendingArgument = Annotated[
    str,
    typer.Argument(
        metavar="WHAT", help="Id of a proposed role or an invitation; or id or name of the account that they are for."
    ),
]


def add_grant_commands(app: typer.Typer) -> None:
    """Add the commands of roles to `cab admin`."""
    for name, command in COMMANDS.items():
        app.command(name)(command)


def grant(
    principal: PrincipalArgument,
    *,
    authority: AuthorityOption,
    role: RoleOption,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Propose a role at an authority for an account; it counts once another registrar approves it.

    Examples:
      cab admin grant p-1f2e3d4c5b6a7980 --authority kr-rra --role submitter
    """
    with open_desk(server, profile) as desk:
        request = {"principal": find_account(desk, principal), "authority": authority, "role": role}
        proposed = desk.client.send("/v1/grants", request)
    if as_json:
        print_json(proposed)
    elif proposed["outcome"] is None:
        say(f"Another registrar approves it: cab admin approve {proposed['id']}")
    else:
        say(f"{principal} is {role} at {authority}.")


def ungrant(
    principal: PrincipalArgument,
    *,
    authority: AuthorityOption,
    role: RoleOption,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Take a role from an account at once; with its last role at the authority, its watches and endpoints there end.

    Examples:
      cab admin ungrant p-1f2e3d4c5b6a7980 --authority kr-rra --role submitter
    """
    with open_desk(server, profile) as desk:
        named = {"principal": find_account(desk, principal), "authority": authority, "role": role}
        shown = desk.client.delete("/v1/grants", named)
    if as_json:
        print_json(shown)
        return
    held = ((each["role"], each["authority"], each["granted"]) for each in shown["grants"])
    print_table(data_console(), ("role", "authority", "since"), held)


def pending(*, server: ServerOption = None, profile: ProfileOption = FIRST, as_json: AsJson = False) -> None:
    """List what waits for a registrar: proposed roles, and invitations of those who have or had a token.

    Examples:
      cab admin pending
    """
    with open_desk(server, profile) as desk:
        waiting = list(_list_pending(desk))
        names = {each["principal"]: _name_of(desk, each["principal"]) for each in waiting}
    if as_json:
        print_json({"items": waiting})
        return
    rows = ((each["id"], names[each["principal"]], each["principal"], *_describe(each)) for each in waiting)
    print_table(data_console(), ("id", "for", "account", "what", "authority", "by"), rows, ("id",))


def approve(
    what: PendingArgument, *, server: ServerOption = None, profile: ProfileOption = FIRST, as_json: AsJson = False
) -> None:
    """Approve what another registrar proposed: a role, or a further token of somebody who has or had one.

    Ask the person first whether it was they who redeemed the invitation, and for the id of their token; it is in
    cab token list --principal.

    Examples:
      cab admin approve g-0123456789abcdef
      cab admin approve "Lee Ji-woo"
    """
    _decide(what, "approve", "approved", server, profile, as_json=as_json)


def refuse(
    what: PendingArgument, *, server: ServerOption = None, profile: ProfileOption = FIRST, as_json: AsJson = False
) -> None:
    """Refuse a proposed role or cancel an invitation, whoever made it.

    Examples:
      cab admin refuse g-0123456789abcdef
    """
    _decide(what, "refuse", "refused", server, profile, as_json=as_json)


def acts(
    *,
    principal: Annotated[
        str | None,
        typer.Option(metavar="PRINCIPAL", help="Only what this account did, and what was done to it; id or name."),
    ] = None,
    after: Annotated[int, typer.Option(min=0, metavar="POSITION", help="Only what comes behind it.")] = 0,
    newest: Annotated[bool, typer.Option("--newest", help="The latest instead of the first.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 100,
    server: ServerOption = None,
    profile: ProfileOption = FIRST,
    as_json: AsJson = False,
) -> None:
    """Show who did what: accounts, roles, invitations, tokens, submissions and decisions, from the chain of acts.

    Registrars and auditors of the registry see all; everybody sees what concerns themselves.

    Examples:
      cab admin acts --newest
      cab admin acts --principal "Lee Ji-woo" --json
    """
    with open_desk(server, profile) as desk:
        wanted = {
            "principal": None if principal is None else find_account(desk, principal),
            "after": str(after),
            "newest": "true" if newest else None,
            "limit": str(limit),
        }
        found = desk.client.get("/v1/acts", wanted)
    if as_json:
        print_json(found)
        return
    rows = (
        (
            str(each["position"]),
            say_instant(each["recorded"]),
            say_act(each),
            each["authority"],
            each["actor"],
            each["subject"],
        )
        for each in found["items"]
    )
    columns = ("", "recorded", "what", "authority", "by", "to")
    print_table(data_console(), columns, rows, ("", "recorded", "by", "to"))


COMMANDS: dict[str, Callable[..., None]] = {
    "grant": grant,
    "ungrant": ungrant,
    "pending": pending,
    "approve": approve,
    "refuse": refuse,
    "acts": acts,
}


def _decide(what: str, step: str, done: str, server: str | None, profile: str, *, as_json: bool) -> None:
    with open_desk(server, profile) as desk:
        chosen = _choose(desk, what)
        left: list[dict[str, Any]] = []
        if step == "approve" and any(_is_invitation(each) for each in chosen):
            # A role that is approved ends the invitations that are open.
            left = [each for each in chosen if not _is_invitation(each)]
            chosen = [each for each in chosen if _is_invitation(each)]
        decided = []
        for each in chosen:
            invitation = _is_invitation(each)
            if invitation and step == "refuse":
                decided.append(desk.client.delete(f"/v1/invitations/{each['id']}"))
            else:
                place = "invitations" if invitation else "grants"
                decided.append(desk.client.send(f"/v1/{place}/{each['id']}/{step}"))
    if as_json:
        print_json({"items": decided})
        return
    for each in decided:
        kind, authority, _ = _describe(each)
        say(f"{each['id']} is {done}: {kind} at {authority} for {each['principal']}.")
    for each in left:
        say(
            f"{each['id']} waits until the code is redeemed: {_describe(each)[0]}. Then: cab admin approve {each['id']}"
        )


def _is_invitation(each: dict[str, Any]) -> bool:
    return bool(each["id"].startswith("i-"))


def _choose(desk: Desk, what: str) -> list[dict[str, Any]]:
    """Find what waits under an id, or for an account that is named by its id or its whole name."""
    if what.startswith(("g-", "i-")):
        return [{"id": what}]
    waiting = list(_list_pending(desk))
    names = {each["principal"]: _name_of(desk, each["principal"]) for each in waiting}
    chosen = what if what in names else None
    if chosen is None and what in names.values():
        chosen = choose_account(what, dict(names))
    if chosen is None:
        raise Refusal(f"nothing waits under {what!r}", (Fault("WHAT", "as cab admin pending lists it"),))
    return [each for each in waiting if each["principal"] == chosen]


def _list_pending(desk: Desk) -> Iterator[dict[str, Any]]:
    for place in ("/v1/grants", "/v1/invitations"):
        after: str | None = None
        while True:
            page = desk.client.get(place, {"after": after, "limit": "200"})
            yield from (each for each in page["items"] if each.get("needs_approval", True) and not each.get("approved"))
            if (after := page["next"]) is None:
                break


def _name_of(desk: Desk, principal: str) -> str:
    return str(desk.client.get(f"/v1/principals/{principal}", {})["name"] or "")


def _describe(each: dict[str, Any]) -> tuple[str, str, str]:
    if _is_invitation(each):
        return "another token", each["authority"], each["created_by"] or "the operator"
    return f"role {each['role']}", each["authority"], each["proposed_by"]
