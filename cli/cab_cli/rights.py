"""Rights under agreements: one side designates and proposes, the other takes up, objects, recognises."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer

from cab_cli.choosing import (
    AgreementOption,
    AnnexOption,
    BodyArgument,
    ByOption,
    OnOption,
    RequirementsOption,
    SchemeOption,
    SiteOption,
    find_own,
    own_rights,
    require_ground,
)
from cab_cli.desk import Desk, Held
from cab_cli.drafts import (
    ASKS,
    Document,
    Scope,
    find_keys,
    has_begun,
    last_event,
    new_right,
    read_when,
    with_event,
    with_items,
)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """Under what a designation or recognition is held, for which site, and on whose behalf."""

    agreement: str | None
    annex: str | None
    scheme: str | None
    site: str | None
    by: str | None

    def heading(self) -> dict[str, str | None]:
        """What tells one right of a body from another of the same authority."""
        return {**self.ground(), "site": self.site, **({} if self.by is None else {"by": self.by})}

    def ground(self) -> dict[str, str | None]:
        """Under what it is held, whatever the site and whoever gave it."""
        return {"agreement": self.agreement, "annex": self.annex, "scheme": self.scheme}

    def words(self) -> list[str]:
        """The words of the command."""
        return [self.agreement or "", self.annex or "", self.scheme or "", self.site or "", self.by or ""]

    def say(self) -> str:
        """Name it."""
        site = f"for site {self.site}" if self.site else None
        return " ".join(part for part in (self.agreement or self.scheme, self.annex, site) if part)


def _make_title(
    agreement: str | None, annex: str | None, scheme: str | None, site: str | None, by: str | None
) -> Title:
    require_ground(agreement, scheme)
    return Title(agreement=agreement, annex=annex, scheme=scheme, site=site, by=by)


def _open_right(desk: Desk, kind: str, body: str, title: Title) -> tuple[Held | None, Document]:
    """Return the authority's right under a title, and its document: as it stands, or a new one."""
    held = find_own(desk, body, kind, **title.heading())
    if held is not None:
        return held, held.document
    return None, new_right(kind, desk.authority, body, **{"by": desk.authority, **title.heading()})


def _settle_site(desk: Desk, body: str, kind: str, title: Title) -> Title:
    """Return the title with the site that is meant: of the authority's own rights and of what is proposed to it.

    A right for the whole body goes before those for sites.

    Raises:
        Refusal: several sites fit, and none is named.
    """
    if title.site is not None:
        return title
    sites = {
        each.document.get("site")
        for each in own_rights(desk, body, (kind,))
        if title.ground() == {name: each.document.get(name) for name in title.ground()}
        and title.by in {None, each.document["by"]}
    }
    if kind == "recognition":
        sites |= {right.get("site") for right, _ in _proposals(desk, body, title)}
    if None in sites or not sites:
        return title
    if len(sites) > 1:
        raise Refusal(f"{body} has several sites under {title.say()}", (Fault("--site", f"name one: {_join(sites)}"),))
    return replace(title, site=sites.pop())


def _join(names: Iterable[str | None]) -> str:
    return ", ".join(sorted(name for name in names if name is not None))


def _changed(held: Held | None, document: Document) -> Change:
    return Change(document) if held is None else Change.of(held, document)


def _give(
    desk: Desk, kind: str, body: str, title: Title, scope: Scope, event: str
) -> tuple[Held | None, Document, list[str]]:
    """Add scope items that are given from a day, and the event that gives them; return their keys where it extends."""
    held, right = _open_right(desk, kind, body, title)
    items = scope.items(right)
    begun = held is not None and has_begun(right)
    if begun and not items:
        raise Refusal(
            f"{right['id']} is given already; say what is added", (Fault("--scope", "one requirement or more"),)
        )
    keys = [item["key"] for item in items] if begun else []
    name = "extended" if begun and kind == "designation" else event
    return held, with_event(with_items(right, items), name, scope.start, items=keys), keys


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
    title = _make_title(agreement, annex, scheme, site, by)
    asked = _scope(scope, standard, product_class, from_day, until)

    def prepare(desk: Desk) -> Draft:
        held, right, keys = _give(desk, "designation", body, title, asked, "designated")
        what = f"designated for {', '.join(keys)} too" if keys else "designated"
        return Draft(f"{body} is {what} under {title.say()} from {asked.start}", [_changed(held, right)])

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
    title = _make_title(agreement, annex, None, site, by)
    day = read_when("--on", on)
    told = read_when("--notified", notified) if notified else None
    asked = _scope(scope)

    def prepare(desk: Desk) -> Draft:
        meant = _settle_site(desk, body, "designation", title)
        held, right = _open_right(desk, "designation", body, meant)
        if held is None:
            right = with_items(right, asked.items(right))
        keys = find_keys(right, asked.requirements) if held is not None else []
        right = with_event(right, "proposed", day, items=keys)
        if told is not None:
            right = with_event(right, "notified", told, items=keys)
        return Draft(f"{body} is proposed under {meant.say()} on {day}", [_changed(held, right)])

    hand_in(sending, ["propose", body, *title.words(), *_words(asked), str(day), str(told)], prepare)


def _proposals(desk: Desk, body: str, title: Title) -> Iterator[tuple[Document, int]]:
    """Yield the designations under which the other side proposed or notified the body, and the place of that event."""
    for right, _ in desk.rights_of(body):
        same = right["type"] == "designation" and right.get("agreement") == title.agreement
        if same and title.agreement is not None and title.annex in {None, right.get("annex")}:
            place = last_event(right, ASKS)
            if place is not None:
                yield right, place


def _asked(desk: Desk, body: str, title: Title) -> tuple[Any, list[Document]]:
    """Return when the other side proposed or notified the body, and the items that it asks for."""
    for right, place in _proposals(desk, body, title):
        if right.get("site") == title.site:
            kept = [
                {**{key: value for key, value in item.items() if key not in {"source", "confidence", "until"}}}
                for item in right.get("scope", [])
            ]
            return right["timeline"][place]["on"], [{**item, "from": "always"} for item in kept]
    return None, []


def _as_proposed(desk: Desk, body: str, title: Title, scope: Scope) -> Document:
    """Write a new recognition with what was proposed: the scope, unless another is named, and the notification."""
    right = _open_right(desk, "recognition", body, title)[1]
    proposed, items = _asked(desk, body, title)
    right = with_items(right, scope.items(right) or items)
    return right if proposed is None else with_event(right, "notified", proposed)


def _take_up(
    sending: Sending, words: list[str], body: str, title: Title, scope: Scope, step: Callable[[Document], Document]
) -> None:
    """Open the authority's recognition for a proposal, where it is not open yet, and take a step on it."""

    def prepare(desk: Desk) -> Draft:
        meant = _settle_site(desk, body, "recognition", title)
        held = find_own(desk, body, "recognition", **meant.heading())
        right = _as_proposed(desk, body, meant, scope) if held is None else held.document
        return Draft(f"{words[0]}: {body} under {meant.say()}", [_changed(held, step(right))])

    hand_in(sending, [*words, body, *title.words(), *_words(scope)], prepare)


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
    title = _make_title(agreement, annex, None, site, by)
    day = read_when("--on", on)
    asked = _scope(scope)

    def prepare(desk: Desk) -> Draft:
        meant = _settle_site(desk, body, "recognition", title)
        held, right = _open_right(desk, "recognition", body, meant)
        if held is None:
            right = with_items(right, asked.items(right) or _asked(desk, body, meant)[1])
        right = with_event(right, "notified", day)
        return Draft(f"the proposal of {body} under {meant.say()} arrived on {day}", [_changed(held, right)])

    hand_in(sending, ["receive", body, *title.words(), *_words(asked), str(day)], prepare)


@writes
def object_to(
    sending: Sending,
    body: BodyArgument,
    *,
    agreement: AgreementOption = None,
    annex: AnnexOption = None,
    on: OnOption = None,
    site: SiteOption = None,
    by: ByOption = None,
) -> None:
    """Object to a body that the other side proposed, on your own record (opened here if it is not yet).

    Examples:
      cab object fcc-kr0001 --agreement apec-tel-us-kr --annex phase-1 --on 2026-02-01 --reason "Range not calibrated"
    """
    title = _make_title(agreement, annex, None, site, by)
    day = read_when("--on", on)
    words = ["objected", str(day)]
    _take_up(sending, words, body, title, Scope(), lambda right: with_event(right, "objected", day))


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

    Examples:
      cab recognise fcc-kr0001 --agreement apec-tel-us-kr --annex phase-1 --from 2026-03-01 --reason "Verified"
      cab recognise fcc-kr0001 --scheme fcc-2-949 --scope us-47cfr-15c --from 2026-03-01 --until 2028-02-29
    """
    title = _make_title(agreement, annex, scheme, site, by)
    asked = _scope(scope, standard, product_class, from_day, until)

    def prepare(desk: Desk) -> Draft:
        meant = _settle_site(desk, body, "recognition", title)
        held = find_own(desk, body, "recognition", **meant.heading())
        keys: list[str] = []
        if held is None:
            right = _as_proposed(desk, body, meant, asked)
            right = with_event(right, "recognised", asked.start)
        else:
            held, right, keys = _give(desk, "recognition", body, meant, asked, "recognised")
        what = f"recognised for {', '.join(keys)} too" if keys else "recognised"
        return Draft(f"{body} is {what} under {meant.say()} from {asked.start}", [_changed(held, right)])

    hand_in(sending, ["recognise", body, *title.words(), *_words(asked)], prepare)
