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
    find_own,
    find_right,
)
from cab_cli.desk import Desk
from cab_cli.drafts import Scope, find_keys, new_right, read_when, with_event, with_items
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
    """Enter an accreditation of a body; where you hold one of it to the same standard, its scope is extended.

    Examples:
      cab accreditation add fcc-kr0001 --standard "ISO/IEC 17025" --scope us-47cfr-15c --from 2025-01-01
    """
    on, last = read_when("--from", from_day), read_when("--until", until) if until else None
    requirements, methods = tuple(dict.fromkeys(scope or ())), tuple(method or ())
    asked = Scope(start=on, until=last, requirements=requirements, standards=methods, text=text)
    heading = {"standard": standard, "site": site}

    def prepare(desk: Desk) -> Draft:
        held = find_own(desk, body, "accreditation", **heading)
        if held is None:
            more = {"edition": edition, "number": number, "validity": validity or ("dated" if last else "open_ended")}
            right = new_right("accreditation", desk.authority, body, by=desk.authority, **heading, **more)
            items = asked.items(right)
            right = with_event(with_items(right, items), "granted", on)
            if last is not None and not items:
                right["until"] = last
            return Draft(f"{body} is accredited to {standard} from {on}", [Change(right)])
        items = asked.items(held.document)
        if not items:
            raise Refusal(f"{held.document['id']} is there already", (Fault("--scope", "say what is added"),))
        keys = [item["key"] for item in items]
        right = with_event(with_items(held.document, items), "extended", on, items=keys)
        return Draft(f"{held.document['id']} is extended by {', '.join(keys)} from {on}", [Change.of(held, right)])

    words = [*(scope or []), "", *(method or []), text or "", edition or "", number or "", site or "", validity or ""]
    hand_in(sending, ["accreditation add", body, standard, str(on), str(last), *words], prepare)


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
