"""Accounts as registrars name them: by an id, or by the whole name of the person or machine."""

import difflib
import re
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from cab_cli.desk import Desk
from cab_registry.domain.errors import Fault, Refusal

PrincipalArgument = Annotated[str, typer.Argument(metavar="PRINCIPAL", help="Id or whole name of the account.")]
_ID: Final = re.compile(r"p-[0-9a-z]+")
_PAGE: Final = 200


def find_account(desk: Desk, named: str) -> str:
    """Return the id of an account that is named by its id or its whole name.

    Raises:
        Refusal: no account has the name, or several have it.
    """
    if _ID.fullmatch(named):
        return named
    names = {each["id"]: each["name"] for each in list_accounts(desk)}
    return choose_account(named, names)


def choose_account(named: str, names: dict[str, str | None]) -> str:
    """Return the one id whose account has a name.

    Raises:
        Refusal: no account has the name, or several have it.
    """
    wanted = " ".join(named.split())
    found = sorted(each for each, name in names.items() if name == wanted)
    if len(found) == 1:
        return found[0]
    if found:
        raise Refusal(
            f"several accounts are called {named!r}", (Fault("PRINCIPAL", f"name one by its id: {', '.join(found)}"),)
        )
    near = difflib.get_close_matches(wanted, [name for name in names.values() if name], n=1)
    meant = f"did you mean {near[0]!r}?" if near else "an id or a whole name, as cab admin principal list shows them"
    raise Refusal(f"{named!r} is not the id or name of an account", (Fault("PRINCIPAL", meant),))


def list_accounts(desk: Desk, authority: str | None = None) -> Iterator[dict[str, Any]]:
    """Read all accounts, or those with a role at an authority."""
    after: str | None = None
    while True:
        page = desk.client.get("/v1/principals", {"authority": authority, "after": after, "limit": str(_PAGE)})
        yield from page["items"]
        if (after := page["next"]) is None:
            return


def list_registrars(desk: Desk) -> set[str]:
    """Read who is a registrar and not shut out."""
    return {
        each["id"]
        for each in list_accounts(desk, "registrar")
        if not each["disabled"] and any(grant["role"] == "registrar" for grant in each["grants"])
    }
