"""What one side proposes of a body to the other, and how it comes onto the other's own record."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from cab_cli.choosing import find_own, own_rights, require_ground
from cab_cli.desk import Desk, Held
from cab_cli.drafts import (
    ASKS,
    GIVES,
    Document,
    Scope,
    find_keys,
    free_key,
    last_event,
    new_right,
    with_event,
    with_items,
)
from cab_cli.standing_items import spell_item
from cab_registry.domain.errors import Fault, Refusal

_NOT_ASKED: Final = frozenset({"source", "confidence", "until", "invalid_from"})


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


class Proposal(NamedTuple):
    """What the other side asks for on a day: scope items of its designation; none where that has no scope."""

    on: Any
    items: Sequence[Document]
    notified: bool


def make_title(agreement: str | None, annex: str | None, scheme: str | None, site: str | None, by: str | None) -> Title:
    """Name a right.

    Raises:
        Refusal: it is under nothing, or under two things.
    """
    require_ground(agreement, scheme)
    return Title(agreement=agreement, annex=annex, scheme=scheme, site=site, by=by)


def open_right(desk: Desk, kind: str, body: str, title: Title) -> tuple[Held | None, Document]:
    """Return the authority's right under a title, and its document: as it stands, or a new one."""
    held = find_own(desk, body, kind, **title.heading())
    if held is not None:
        return held, held.document
    return None, new_right(kind, desk.authority, body, **{"by": desk.authority, **title.heading()})


def settle_site(desk: Desk, body: str, kind: str, title: Title) -> Title:
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
        sites |= {right.get("site") for right in _proposed(desk, body, title)}
    if None in sites or not sites:
        return title
    if len(sites) > 1:
        raise Refusal(f"{body} has several sites under {title.say()}", (Fault("--site", f"name one: {_join(sites)}"),))
    return replace(title, site=sites.pop())


def _join(names: Iterable[str | None]) -> str:
    return ", ".join(sorted(name for name in names if name is not None))


def _proposed(desk: Desk, body: str, title: Title) -> Iterator[Document]:
    """Yield the designations under which the other side proposed or notified the body."""
    for right, _ in desk.rights_of(body):
        same = right["type"] == "designation" and right.get("agreement") == title.agreement
        if same and title.agreement is not None and title.annex in {None, right.get("annex")}:
            if last_event(right, ASKS) is not None:
                yield right


def list_proposals(desk: Desk, body: str, title: Title) -> list[Proposal]:
    """Return what the other side asks for under a title, as its own record says it, the oldest first."""
    rights = [right for right in _proposed(desk, body, title) if right.get("site") == title.site]
    return [proposal for right in rights for proposal in read_proposals(right)]


def read_proposals(designation: Document) -> list[Proposal]:
    """Return what a designation asks for: proposals that were notified as such, and what was not taken back since."""
    import msgspec

    from cab_registry.domain.records import Designation, read_record
    from cab_registry.register.procedure_case import TAKES, asked_items, touched

    try:
        record = read_record(designation)
    except msgspec.ValidationError:
        return []
    if not isinstance(record, Designation):
        return []
    found: list[Proposal] = []
    by_key = {item["key"]: item for item in designation.get("scope", [])}
    for event in record.timeline:
        if event.event in ASKS:
            items = [by_key[item.key] for item in asked_items(record, event)]
            notified = event.event == "notified"
            found = [each for each in found if not (notified and not each.notified and each.items == items)]
            found.append(Proposal(event.on.plain(), items, notified))
        elif event.event in TAKES:
            gone = {item.key for item in touched(record, event)} if event.items else set(by_key)
            left = [each._replace(items=[item for item in each.items if item["key"] not in gone]) for each in found]
            found = [each for each in left if each.items]
    return found


def open_as_proposed(desk: Desk, body: str, title: Title, scope: Scope) -> Document:
    """Write a new recognition with what was proposed, or what is named of it, and when that was notified."""
    right = open_right(desk, "recognition", body, title)[1]
    proposals = list_proposals(desk, body, title)
    for proposal in proposals:
        right, keys = _with_asked(right, proposal.items, scope)
        if keys or not proposal.items:
            right = with_event(right, "notified", proposal.on, items=keys)
    right = _with_others(right, scope)
    return right if right.get("scope") else with_items(right, scope.items(right))


def receive_proposal(desk: Desk, body: str, title: Title, scope: Scope, day: Any) -> tuple[Held | None, Document]:
    """Return the authority's recognition with what arrived on a day: what is proposed and not on it yet.

    A recognition that was given as a whole would give what is added to it at once; there only the arrival is noted.
    """
    held, right = open_right(desk, "recognition", body, title)
    proposals = list_proposals(desk, body, title)
    if held is not None:
        if right.get("from") is not None or any(_gives_all(event) for event in right.get("timeline", [])):
            return held, with_event(right, "notified", day)
        there = {spell_item(item) for item in right.get("scope", [])}
        fresh = [each for each in proposals if any(spell_item(item) not in there for item in each.items)]
        proposals = fresh or proposals[-1:]
    keys: list[str] = []
    for proposal in proposals:
        right, own = _with_asked(right, proposal.items, scope)
        keys += [key for key in own if key not in keys]
    right = _with_others(right, scope)
    keys = find_keys(right, scope.requirements) if scope.requirements else keys
    return held, with_event(right, "notified", day, items=keys or [item["key"] for item in right.get("scope", [])])


def take_up(
    desk: Desk, body: str, title: Title, step: Callable[[Document], Document]
) -> tuple[Title, Held | None, Document]:
    """Take a step on the authority's recognition, which is opened for the proposal where it is not open yet."""
    meant = settle_site(desk, body, "recognition", title)
    held = find_own(desk, body, "recognition", **meant.heading())
    right = open_as_proposed(desk, body, meant, Scope()) if held is None else held.document
    return meant, held, step(right)


def _gives_all(event: Document) -> bool:
    return event["event"] in GIVES["recognition"] and not event.get("items")


def _with_asked(right: Document, items: Iterable[Document], scope: Scope) -> tuple[Document, list[str]]:
    """Return a right with items that are asked for, as far as they are named, each once, and their keys there."""
    wanted = set(scope.requirements)
    keys: list[str] = []
    for item in items:
        if wanted and not wanted & {item["key"], item.get("requirement")}:
            continue
        asked = scope.narrow({name: value for name, value in item.items() if name not in _NOT_ASKED})
        there = right.get("scope", [])
        key = next((each["key"] for each in there if spell_item(each) == spell_item(asked)), None)
        if key is None:
            key = free_key(item["key"], {each["key"] for each in there})
            right = with_items(right, [{**asked, "key": key, "from": "always"}])
        keys.append(key)
    return right, keys


def _with_others(right: Document, scope: Scope) -> Document:
    """Return a right with what is named and is not on it."""
    there = {item.get(name) for item in right.get("scope", []) for name in ("key", "requirement")}
    others = tuple(name for name in scope.requirements if name not in there)
    return with_items(right, replace(scope, requirements=others).items(right)) if others else right
