"""Rights under agreements: one side designates and proposes, the other takes up, objects, recognises."""

from typing import Annotated

import typer

from cab_cli.choosing import (
    AgreementOption,
    AnnexOption,
    BodyArgument,
    ByOption,
    KeysOption,
    OnOption,
    RequirementsOption,
    SchemeOption,
    SiteOption,
    find_own,
)
from cab_cli.desk import Desk, Held
from cab_cli.drafts import Document, Scope, find_keys, last_event, read_when, with_event, with_items
from cab_cli.giving import Given, give_first, give_more
from cab_cli.proposals import Title, make_title, open_as_proposed, open_right, receive_proposal, settle_site, take_up
from cab_cli.submitting import Change, Draft, hand_in
from cab_cli.writing import Sending, writes
from cab_registry.domain.errors import Fault, Refusal

StandardsOption = Annotated[
    list[str] | None, typer.Option("--standard", metavar="TEXT", help="Only for these methods; repeatable.")
]
ClassesOption = Annotated[
    list[str] | None, typer.Option("--product-class", metavar="CODE", help="Only for these classes; repeatable.")
]
FromOption = Annotated[str, typer.Option("--from", metavar="DAY", help="The first day.")]
UntilOption = Annotated[str | None, typer.Option("--until", metavar="DAY", help="The last day, where it has one.")]


def _changed(held: Held | None, document: Document) -> Change:
    return Change(document) if held is None else Change.of(held, document)


def _say_given(body: str, given: Given, what: str, title: Title, scope: Scope) -> str:
    more = f"{what} for {', '.join(given.keys)} too" if given.extends and given.keys else what
    return f"{body} is {more} under {title.say()} from {scope.start}"


@writes
def designate(
    sending: Sending,
    body: BodyArgument,
    *,
    agreement: AgreementOption = None,
    annex: AnnexOption = None,
    scheme: SchemeOption = None,
    scope: RequirementsOption = None,
    standard: StandardsOption = None,
    product_class: ClassesOption = None,
    from_day: FromOption,
    until: UntilOption = None,
    site: SiteOption = None,
    by: ByOption = None,
) -> None:
    """Designate a body under an agreement; where it is designated already, its scope is extended.

    Examples:
      cab designate fcc-kr0001 --agreement apec-tel-us-kr --annex phase-1 --scope us-47cfr-15c --from 2026-01-01
    """
    title = make_title(agreement, annex, scheme, site, by)
    asked = _scope(scope, standard, product_class, from_day, until)

    def prepare(desk: Desk) -> Draft:
        held, right = open_right(desk, "designation", body, title)
        new = give_first(with_items(right, asked.items(right)), asked) if held is None else None
        given = new or give_more(right, asked)
        return Draft(_say_given(body, given, "designated", title, asked), [_changed(held, given.right)])

    hand_in(sending, ["designate", body, *title.words(), *_words(asked)], prepare)


def _scope(
    requirements: list[str] | None,
    standards: list[str] | None = None,
    classes: list[str] | None = None,
    start: str = "always",
    until: str | None = None,
) -> Scope:
    return Scope(
        start=read_when("--from", start),
        until=read_when("--until", until) if until else None,
        requirements=tuple(dict.fromkeys(requirements or ())),
        standards=tuple(standards or ()),
        product_classes=tuple(classes or ()),
    )


def _words(scope: Scope) -> list[str]:
    days = [str(scope.start), str(scope.until)]
    return [*scope.requirements, "", *scope.standards, "", *scope.product_classes, *days]


@writes
def propose(
    sending: Sending,
    body: BodyArgument,
    *,
    agreement: AgreementOption = None,
    annex: AnnexOption = None,
    scope: RequirementsOption = None,
    on: OnOption = None,
    notified: Annotated[
        str | None, typer.Option(metavar="DAY", help="When the other side was notified, which starts its clock.")
    ] = None,
    site: SiteOption = None,
    by: ByOption = None,
) -> None:
    """Propose a body to the other side, on your own designation of it (made here if there is none yet).

    The other side then takes the proposal up on its own record: cab receive, cab object, cab recognise.

    Examples:
      cab propose fcc-kr0001 --agreement apec-tel-us-kr --annex phase-1 --on 2026-01-15 --reason "New laboratory"
    """
    title = make_title(agreement, annex, None, site, by)
    day = read_when("--on", on)
    told = read_when("--notified", notified) if notified else None
    asked = _scope(scope)

    def prepare(desk: Desk) -> Draft:
        meant = settle_site(desk, body, "designation", title)
        held, right = open_right(desk, "designation", body, meant)
        if held is None:
            right = with_items(right, asked.items(right))
        keys = find_keys(right, asked.requirements) or [item["key"] for item in right.get("scope", [])]
        right = with_event(right, "proposed", day, items=keys)
        if told is not None:
            right = with_event(right, "notified", told, items=keys)
        return Draft(f"{body} is proposed under {meant.say()} on {day}", [_changed(held, right)])

    hand_in(sending, ["propose", body, *title.words(), *_words(asked), str(day), str(told)], prepare)


@writes
def receive(
    sending: Sending,
    body: BodyArgument,
    *,
    agreement: AgreementOption = None,
    annex: AnnexOption = None,
    scope: RequirementsOption = None,
    on: OnOption = None,
    site: SiteOption = None,
    by: ByOption = None,
) -> None:
    """Take up a proposal of the other side: opens your own record, on which the clock for objections runs.

    Examples:
      cab receive fcc-kr0001 --agreement apec-tel-us-kr --annex phase-1 --on 2026-01-20
    """
    title = make_title(agreement, annex, None, site, by)
    day = read_when("--on", on)
    asked = _scope(scope)

    def prepare(desk: Desk) -> Draft:
        meant = settle_site(desk, body, "recognition", title)
        held, right = receive_proposal(desk, body, meant, asked, day)
        return Draft(f"the proposal of {body} under {meant.say()} arrived on {day}", [_changed(held, right)])

    hand_in(sending, ["receive", body, *title.words(), *_words(asked), str(day)], prepare)


@writes
def object_to(
    sending: Sending,
    body: BodyArgument,
    *,
    agreement: AgreementOption = None,
    annex: AnnexOption = None,
    scope: KeysOption = None,
    on: OnOption = None,
    site: SiteOption = None,
    by: ByOption = None,
) -> None:
    """Object to a body that the other side proposed, on your own record (opened here if it is not yet).

    With --scope the objection stops these items only; silence may still recognise the others.

    Examples:
      cab object fcc-kr0001 --agreement apec-tel-us-kr --annex phase-1 --on 2026-02-01 --reason "Range not calibrated"
      cab object fcc-kr0001 --agreement apec-tel-us-kr --annex phase-1 --scope us-47cfr-15e --reason "No method for it"
    """
    title = make_title(agreement, annex, None, site, by)
    day = read_when("--on", on)
    named = list(dict.fromkeys(scope or ()))

    def step(right: Document) -> Document:
        keys = find_keys(right, named) or [item["key"] for item in right.get("scope", [])]
        return with_event(right, "objected", day, items=keys)

    def prepare(desk: Desk) -> Draft:
        meant, held, right = take_up(desk, body, title, step)
        what = f" to {', '.join(named)}" if named else ""
        return Draft(f"objected{what}: {body} under {meant.say()}", [_changed(held, right)])

    hand_in(sending, ["objected", str(day), body, *title.words(), *named], prepare)


@writes
def recognise(
    sending: Sending,
    body: BodyArgument,
    *,
    agreement: AgreementOption = None,
    annex: AnnexOption = None,
    scheme: SchemeOption = None,
    scope: RequirementsOption = None,
    standard: StandardsOption = None,
    product_class: ClassesOption = None,
    from_day: FromOption,
    until: UntilOption = None,
    site: SiteOption = None,
    by: ByOption = None,
) -> None:
    """Recognise a body, as proposed or for the scope named; where it is recognised, its scope is extended.

    What is named of a proposal is recognised with its own methods and last day; the rest stays proposed.

    Examples:
      cab recognise fcc-kr0001 --agreement apec-tel-us-kr --annex phase-1 --from 2026-03-01 --reason "Verified"
      cab recognise fcc-kr0001 --scheme fcc-2-949 --scope us-47cfr-15c --from 2026-03-01 --until 2028-02-29
    """
    title = make_title(agreement, annex, scheme, site, by)
    asked = _scope(scope, standard, product_class, from_day, until)

    def prepare(desk: Desk) -> Draft:
        meant = settle_site(desk, body, "recognition", title)
        held = find_own(desk, body, "recognition", **meant.heading())
        if held is None:
            given = give_first(open_as_proposed(desk, body, meant, asked), asked)
        else:
            given = give_more(held.document, asked)
            _refuse_silence(desk, held.document, given)
        return Draft(_say_given(body, given, "recognised", meant, asked), [_changed(held, given.right)])

    hand_in(sending, ["recognise", body, *title.words(), *_words(asked)], prepare)


def _refuse_silence(desk: Desk, right: Document, given: Given) -> None:
    """Hold that silence does not recognise the rest of what was asked for, where less is taken than that.

    Raises:
        Refusal: it may; an objection stops it.
    """
    agreement = desk.find(right.get("agreement") or "none") if given.less else None
    stated = agreement.document.get("objection") if agreement is not None else None
    rules = stated if isinstance(stated, list) else [stated]
    fitting = (
        rule
        for rule in rules
        if rule is not None and right.get("annex") in (rule.get("annexes") or [right.get("annex")])
    )
    if not any(rule.get("silence") == "recognised" for rule in fitting):
        return
    open_keys = [key for key in given.less if last_event(right, ("objected",), [key]) is None]
    if open_keys:
        named = " ".join(f"--scope {key}" for key in open_keys)
        hint = f"object to the rest first (cab object {right['body']} {named}), then recognise what you take"
        words = "under this agreement silence recognises all that was proposed, and you take less"
        raise Refusal(words, (Fault("--scope", hint),))
