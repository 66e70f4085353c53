"""`cab accreditation`: what accreditation bodies enter of their own."""

from typing import Annotated, Literal

import typer

from cab_cli.choosing import (
    BodyArgument,
    KeysOption,
    OnOption,
    RecordArgument,
    RequirementsOption,
    SiteOption,
    find_right,
    own_rights,
)
from cab_cli.desk import Desk, Held
from cab_cli.drafts import Scope, find_keys, new_right, read_when, with_event, with_items
from cab_cli.giving import give_first, give_more
from cab_cli.submitting import Change, Draft, hand_in
from cab_cli.writing import Sending, writes
from cab_registry.domain.errors import Fault, Refusal

accreditation_app = typer.Typer(
    help="Accreditations: add one, renew or confirm it, reduce its scope.", no_args_is_help=True
)
_KIND = ("accreditation",)


@accreditation_app.command("add")
@writes
def add(
    sending: Sending,
    body: BodyArgument,
    *,
    standard: Annotated[str, typer.Option(metavar="TEXT", help="The standard, as `ISO/IEC 17025`.")],
    from_day: Annotated[str, typer.Option("--from", metavar="DAY", help="The first day.")],
    until: Annotated[str | None, typer.Option(metavar="DAY", help="The last day; none is open-ended.")] = None,
    scope: RequirementsOption = None,
    edition: Annotated[str | None, typer.Option(metavar="TEXT", help="Edition of the standard, as 2017.")] = None,
    number: Annotated[str | None, typer.Option(metavar="TEXT", help="Number of the certificate.")] = None,
    method: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="Only these methods; repeatable.")] = None,
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="Scope in words, which no check can match.")] = None,
    site: SiteOption = None,
    validity: Annotated[
        Literal["dated", "open_ended", "unknown"] | None,
        typer.Option(help="Whether it ends.", show_default="dated with --until, else open_ended"),
    ] = None,
) -> None:
    """Enter an accreditation of a body; where you hold this certificate of it, its scope is extended.

    A certificate of another edition or number is a record of its own.

    Examples:
      cab accreditation add fcc-kr0001 --standard "ISO/IEC 17025" --scope us-47cfr-15c --from 2025-01-01
    """
    on, last = read_when("--from", from_day), read_when("--until", until) if until else None
    requirements, methods = tuple(dict.fromkeys(scope or ())), tuple(method or ())
    asked = Scope(start=on, until=last, requirements=requirements, standards=methods, text=text)
    heading = {"standard": standard, "site": site}
    certificate = {"edition": edition, "number": number}

    def prepare(desk: Desk) -> Draft:
        held = _find_certificate(desk, body, heading, certificate)
        if held is None:
            more = {**certificate, "validity": validity or ("dated" if last else "open_ended")}
            right = new_right("accreditation", desk.authority, body, by=desk.authority, **heading, **more)
            given = give_first(with_items(right, asked.items(right)), asked)
            return Draft(f"{body} is accredited to {standard} from {on}", [Change(given.right)])
        stands = held.document.get("validity", "dated")
        if validity not in {None, stands}:
            hint = f"its validity is {stands}; cab correct mends it"
            raise Refusal(f"{held.document['id']} is there already", (Fault("--validity", hint),))
        given = give_more(held.document, asked)
        words = f"{held.document['id']} is extended by {', '.join(given.keys)} from {on}"
        return Draft(words, [Change.of(held, given.right)])

    words = [*(scope or []), "", *(method or []), text or "", edition or "", number or "", site or "", validity or ""]
    hand_in(sending, ["accreditation add", body, standard, str(on), str(last), *words], prepare)


def _find_certificate(
    desk: Desk, body: str, heading: dict[str, str | None], certificate: dict[str, str | None]
) -> Held | None:
    """Return the accreditation that a certificate extends; none where it is another one.

    Raises:
        Refusal: several fit, or the one on record does not say what would tell.
    """
    stated = {name: value for name, value in certificate.items() if value is not None}
    own = [
        held
        for held in own_rights(desk, body, _KIND)
        if all(held.document.get(name) == value for name, value in heading.items())
    ]
    fitting = [held for held in own if all(held.document.get(name, value) == value for name, value in stated.items())]
    exact = [held for held in fitting if all(name in held.document for name in stated)]
    if len(exact) == 1:
        return exact[0]
    if len(fitting) > 1:
        faults = (Fault(each.document["id"], _call(each)) for each in fitting)
        raise Refusal(f"several accreditations of {body} fit; name --edition and --number", tuple(faults))
    if not fitting:
        return None
    held = fitting[0]
    missing = [name for name in stated if name not in held.document]
    record, places = held.document["id"], " ".join(f"--set /{name}={stated[name]}" for name in missing)
    hint = f"if it is the same certificate, say so first: cab correct {record} {places}; if not, give it its own"
    raise Refusal(f"{record} has no {' and no '.join(missing)} on record", (Fault(f"--{missing[0]}", hint),))


def _call(held: Held) -> str:
    return ", ".join(f"{name} {held.document.get(name, 'not on record')}" for name in ("edition", "number"))


@accreditation_app.command("renew")
@writes
def renew(
    sending: Sending,
    record: RecordArgument,
    *,
    until: Annotated[str, typer.Option(metavar="DAY", help="The new last day.")],
    on: OnOption = None,
    scope: KeysOption = None,
    standard: Annotated[str | None, typer.Option(metavar="TEXT", help="The standard, where there are several.")] = None,
    site: SiteOption = None,
) -> None:
    """Renew an accreditation to a new last day.

    Examples:
      cab accreditation renew accreditation-kr-kolas-fcc-kr0001-1 --until 2032-12-31 --on 2028-12-01 --reason "..."
    """
    day, last = read_when("--on", on), read_when("--until", until)

    def prepare(desk: Desk) -> Draft:
        held = find_right(desk, record, _KIND, standard=standard, site=site)
        keys = find_keys(held.document, scope or [])
        changed = with_event(held.document, "renewed", day, until=last, items=keys)
        return Draft(f"{held.document['id']} is renewed to {last}", [Change.of(held, changed)])

    hand_in(sending, ["accreditation renew", record, str(day), str(last), *(scope or [])], prepare)


@accreditation_app.command("confirm")
@writes
def confirm(
    sending: Sending,
    record: RecordArgument,
    *,
    on: OnOption = None,
    standard: Annotated[str | None, typer.Option(metavar="TEXT", help="The standard, where there are several.")] = None,
    site: SiteOption = None,
) -> None:
    """Say that an accreditation still stands; an open-ended one is to be confirmed every 31 days.

    Examples:
      cab accreditation confirm accreditation-kr-kolas-fcc-kr0001-1 --on 2026-11-21 --reason "..."
    """
    day = read_when("--on", on)

    def prepare(desk: Desk) -> Draft:
        held = find_right(desk, record, _KIND, standard=standard, site=site)
        changed = with_event(held.document, "confirmed", day)
        return Draft(f"{held.document['id']} is confirmed on {day}", [Change.of(held, changed)])

    hand_in(sending, ["accreditation confirm", record, str(day)], prepare)


@accreditation_app.command("reduce")
@writes
def reduce(
    sending: Sending,
    record: RecordArgument,
    *,
    scope: KeysOption = None,
    on: OnOption = None,
    standard: Annotated[str | None, typer.Option(metavar="TEXT", help="The standard, where there are several.")] = None,
    site: SiteOption = None,
) -> None:
    """Take scope items from an accreditation; the others stay.

    Examples:
      cab accreditation reduce accreditation-kr-kolas-fcc-kr0001-1 --scope us-47cfr-15e --reason "..."
    """
    if not scope:
        raise Refusal("say what is taken away", (Fault("--scope", "one scope item or more"),))
    day = read_when("--on", on)

    def prepare(desk: Desk) -> Draft:
        held = find_right(desk, record, _KIND, standard=standard, site=site)
        keys = find_keys(held.document, scope)
        changed = with_event(held.document, "reduced", day, items=keys)
        return Draft(f"{held.document['id']} is reduced by {', '.join(keys)}", [Change.of(held, changed)])

    hand_in(sending, ["accreditation reduce", record, str(day), *scope], prepare)
