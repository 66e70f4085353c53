"""Which right a command means: by its id, or by its body with what narrows it."""

from collections.abc import Iterable
from typing import Annotated, Any, Final

import typer

from cab_cli import completion
from cab_cli.desk import RIGHTS, Desk, Held
from cab_cli.drafts import choose_right
from cab_registry.domain.errors import Fault, Refusal

RecordArgument = Annotated[
    str,
    typer.Argument(metavar="RECORD|BODY", help="Id of the right; or of its body, where one right of yours fits."),
]
BodyArgument = Annotated[str, typer.Argument(metavar="BODY", help="Id of the body.")]
AgreementOption = Annotated[
    str | None, typer.Option(metavar="ID", help="The agreement.", autocompletion=completion.complete_agreement)
]
AnnexOption = Annotated[str | None, typer.Option(metavar="KEY", help="Its annex.")]
SchemeOption = Annotated[
    str | None, typer.Option(metavar="ID", help="The scheme, where it is under no agreement, as fcc-2-949.")
]
SiteOption = Annotated[str | None, typer.Option(metavar="KEY", help="The one site, by its key; else the whole body.")]
OnOption = Annotated[
    str | None, typer.Option(metavar="DAY", show_default="today", help="The day, or FIRST..LAST for a window.")
]
RequirementsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        metavar="REQUIREMENT",
        help="A requirement, by id; repeatable.",
        autocompletion=completion.complete_requirement,
    ),
]
KeysOption = Annotated[
    list[str] | None,
    typer.Option("--scope", metavar="KEY", help="A scope item, by key or requirement; repeatable. Else the whole."),
]
ByOption = Annotated[
    str | None,
    typer.Option(metavar="ID|CODE", help="The party or predecessor for which you speak; else your authority."),
]
_HEADING: Final = ("type", "id", "by", "agreement", "annex", "scheme", "standard", "site")


def find_right(desk: Desk, named: str, kinds: Iterable[str] = RIGHTS, **heading: str | None) -> Held:
    """Return the one right that is meant.

    Raises:
        Refusal: it is none, or several of a body's rights fit; they are listed.
    """
    held = desk.read(named)
    kind = held.document["type"]
    allowed = tuple(kinds)
    if kind in allowed:
        _require_heading(held, heading)
        return held
    if kind not in {"body", "authority"}:
        raise Refusal(f"{named} is a record of type {kind}; this is for: {', '.join(allowed)}")
    own = own_rights(desk, named, allowed)
    fitting = choose_right(own, heading)
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise Refusal(f"{desk.authority} has no {' or '.join(allowed)} of {named} that fits", _listed(own))
    raise Refusal(f"several of your rights of {named} fit; name one by its id", _listed(fitting))


def own_rights(desk: Desk, body: str, kinds: Iterable[str]) -> list[Held]:
    """Return the rights of a body that are the authority's."""
    allowed = frozenset(kinds)
    return [
        held
        for held in desk.rights_of(body)
        if held.document["owner"] == desk.authority and held.document["type"] in allowed
    ]


def find_own(desk: Desk, body: str, kind: str, **heading: str | None) -> Held | None:
    """Return the authority's right of a kind with exactly this heading, or none.

    Raises:
        Refusal: there are several.
    """
    found = [
        held
        for held in own_rights(desk, body, (kind,))
        if all(held.document.get(name) == value for name, value in heading.items())
    ]
    if len(found) > 1:
        raise Refusal(f"there are several such records of {body}; change one with cab correct", _listed(found))
    return found[0] if found else None


def _require_heading(held: Held, heading: dict[str, str | None]) -> None:
    wrong = [
        Fault(f"--{name}", f"{held.document['id']} is {_given(held.document, name)}")
        for name, value in heading.items()
        if value is not None and held.document.get(name) != value
    ]
    if wrong:
        raise Refusal("the record is not what was named", tuple(wrong))


def _given(document: dict[str, Any], name: str) -> str:
    if name == "site" and "site" not in document:
        return "for the whole body; a site of its own needs a record of its own"
    return f"for {name} {document.get(name) or 'none'}"


def _listed(rights: Iterable[Held]) -> tuple[Fault, ...]:
    return tuple(
        Fault(
            held.document["id"],
            ", ".join(f"{name} {held.document[name]}" for name in _HEADING[2:] if held.document.get(name)),
        )
        for held in rights
    )


def require_ground(agreement: str | None, scheme: str | None) -> None:
    """Hold that a designation or recognition is under an agreement or a scheme.

    Raises:
        Refusal: neither or both are named.
    """
    if (agreement is None) == (scheme is None):
        raise Refusal("name --agreement (with --annex), or --scheme", (Fault("--agreement", "one of the two"),))
