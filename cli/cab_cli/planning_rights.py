"""From the rows of one body to its rights: what is new, each from its own day, and what the register has already."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from cab_cli.desk import Held
from cab_cli.drafts import GIVES, Document, end_of, free_key, new_right, with_event
from cab_cli.giving import with_given
from cab_cli.mapping import LISTS
from cab_cli.planned import Group, Planned, Unsettled
from cab_cli.row_days import plain_when, show_when
from cab_cli.rows import Row, RowFault, RowNote, RowReader
from cab_cli.standing_items import Item, Standing, read_items, spell_item
from cab_cli.submitting import Change
from cab_registry.domain.days import NEVER, Period, parse_when

_HEADING: Final = ("by", "agreement", "annex", "scheme", "site", "standard")
_CERTIFICATE: Final = ("edition", "number")

Heading = dict[str, str | None]


class _Match(NamedTuple):
    """Rights on record under a heading: one's own that is meant, all that fit, and what the one does not state."""

    held: Held | None
    fitting: Sequence[Held]
    missing: Sequence[str]
    several: bool


class RightsPlanner:
    """Makes designations, recognitions and accreditations of rows; notes tell what was left as it is."""

    def __init__(
        self,
        reader: RowReader,
        authority: str,
        requirements: Callable[[str], str | Unsettled],
        notes: dict[RowNote, None],
    ) -> None:
        self._reader = reader
        self._authority = authority
        self._requirements = requirements
        self._notes = notes

    def plan(self, kind: str, group: Group, rows: Sequence[Row], faults: list[RowFault]) -> Iterable[Planned]:
        """Make the rights of a kind; rows that cannot be taken are added to the faults."""
        names = (*_HEADING, *_CERTIFICATE) if kind == "accreditation" else _HEADING
        by_heading: dict[tuple[str | None, ...], list[Row]] = {}
        for row in rows:
            part = row.part(kind)
            named = any(self._reader.heading_of(f"{kind}.{name}") for name in part)
            if part and (named or not self._reader.from_columns(kind)):
                heading = tuple(part.get(name, self._authority if name == "by" else None) for name in names)
                by_heading.setdefault(heading, []).append(row)
        for heading, own in by_heading.items():
            planned = self._plan_right(kind, group, dict(zip(names, heading, strict=True)), own, faults)
            if planned is not None:
                yield planned

    def _plan_right(
        self, kind: str, group: Group, heading: Heading, rows: Sequence[Row], faults: list[RowFault]
    ) -> Planned | None:
        match = self._match(kind, group, heading)
        held = match.held
        rows = self._agreeing(kind, rows, faults)
        right = held.document if held is not None else self._open(kind, group, heading, rows)
        start = len(right.get("scope", []))
        known = [item for each in match.fitting for item in read_items(each.document)]
        items, origins = self._items(kind, right, rows, faults, known)
        if match.missing:
            self._note_missing(kind, rows, match)
        if not items and (match.fitting or any(_has_item(row.part(kind)) for row in rows)):
            return None
        why = self._why_not(kind, match)
        if why is not None:
            faults.extend(
                RowFault(row.line, self._reader.heading_of(f"{kind}.{why[0]}"), "", why[1]) for row in origins
            )
            return None
        right = with_given(right, items, fresh=held is None) if items else _give_whole(kind, right, rows)
        change = Change(right) if held is None else Change.of(held, right)
        return Planned(change, list(rows), {start + index: row for index, row in enumerate(origins)})

    def _match(self, kind: str, group: Group, heading: Heading) -> _Match:
        fitting = [each for each in group.rights if _fits(each.document, kind, heading)]
        own = [each for each in fitting if each.document["owner"] == self._authority]
        stated = [name for name in _CERTIFICATE if heading.get(name) is not None]
        exact = [each for each in own if all(name in each.document for name in stated)]
        held = next(iter(exact or own), None)
        missing = [] if held is None else [name for name in stated if name not in held.document]
        several = kind == "accreditation" and len(exact or own) > 1
        return _Match(held, fitting, missing, several)

    def _why_not(self, kind: str, match: _Match) -> tuple[str, str] | None:
        """Say why nothing can be added, and in which column that shows."""
        if match.held is None:
            if not match.fitting:
                return None
            other = match.fitting[0].document
            return "by", f"the {kind} {other['id']} belongs to {other['owner']}, who alone can add to it"
        record = match.held.document["id"]
        if match.several:
            ids = ", ".join(each.document["id"] for each in match.fitting)
            return "number", f"several certificates fit ({ids}): say which by its edition and number"
        if match.missing:
            words = f"{record} has no {' and no '.join(match.missing)} on record"
            return match.missing[0], f"{words}: if it is this certificate, enter that first with cab correct"
        return None

    def _note_missing(self, kind: str, rows: Iterable[Row], match: _Match) -> None:
        for row in rows:
            for name in match.missing:
                words = f"the register has no {name} of this certificate; it is left so, and cab correct enters it"
                column = self._reader.heading_of(f"{kind}.{name}")
                self._notes.setdefault(RowNote(row.line, column, row.part(kind)[name], "", words))

    def _agreeing(self, kind: str, rows: Sequence[Row], faults: list[RowFault]) -> list[Row]:
        """Return the rows that agree with the first on the right as a whole; the others contradict it."""
        kept: list[Row] = []
        validity: tuple[int, str] | None = None
        whole: Row | None = None
        for row in rows:
            part = row.part(kind)
            said = part.get("validity")
            if said is not None and validity is not None and said != validity[1]:
                words = f"line {validity[0]} says {validity[1]!r} of the same certificate"
                faults.append(RowFault(row.line, self._reader.heading_of(f"{kind}.validity"), said, words))
                continue
            validity = validity or (None if said is None else (row.line, said))
            if not _has_item(part):
                if whole is not None and _days_of(part) != _days_of(whole.part(kind)):
                    words = f"line {whole.line} says other days of the same right, and neither names a scope"
                    faults.append(RowFault(row.line, self._reader.heading_of(f"{kind}.from"), "", words))
                    continue
                whole = whole or row
            kept.append(row)
        return kept

    def _open(self, kind: str, group: Group, heading: Heading, rows: Sequence[Row]) -> Document:
        parts = [row.part(kind) for row in rows]
        said = next((part["validity"] for part in parts if "validity" in part), None)
        if kind == "accreditation" and said is None:
            said = "dated" if any("until" in part or "scope.until" in part for part in parts) else "open_ended"
        return new_right(kind, self._authority, group.body, **heading, validity=said)

    def _items(
        self, kind: str, right: Document, rows: Sequence[Row], faults: list[RowFault], known: Sequence[Item]
    ) -> tuple[list[Document], list[Row]]:
        keys = {item["key"] for item in right.get("scope", [])}
        items: list[Document] = []
        origins: list[Row] = []
        for row in rows:
            part = row.part(kind)
            if not _has_item(part):
                continue
            item = self._read_item(kind, row, part, faults)
            if item is None or self._is_known(kind, row, item, known):
                continue
            twice = next((place for place, other in enumerate(items) if _meet(other, item)), None)
            if twice is not None and _lasts(items[twice]) == _lasts(item):
                continue
            if twice is not None:
                words = f"line {origins[twice].line} gives the same from {items[twice]['from']} on"
                faults.append(RowFault(row.line, self._reader.heading_of(f"{kind}.from"), str(item["from"]), words))
                continue
            stem = item.get("key") or item.get("requirement") or "all"
            items.append({**item, "key": free_key(stem, keys)})
            origins.append(row)
        return items, origins

    def _read_item(self, kind: str, row: Row, part: dict[str, str], faults: list[RowFault]) -> Document | None:
        item = {name.partition(".")[2]: value for name, value in part.items() if name.startswith("scope.")}
        whole: dict[str, Any] = {
            **item,
            **{name: self._reader.split(item[name]) for name in LISTS if name in item},
            "from": plain_when(item.get("from", part.get("from", "always"))),
        }
        if until := item.get("until", part.get("until")):
            whole["until"] = plain_when(until)
        if "requirement" in item:
            requirement = self._requirements(item["requirement"])
            if isinstance(requirement, Unsettled):
                column = self._reader.heading_of(f"{kind}.scope.requirement")
                faults.append(RowFault(row.line, column, item["requirement"], requirement.words))
                return None
            whole["requirement"] = requirement
        return whole

    def _is_known(self, kind: str, row: Row, item: Document, known: Iterable[Item]) -> bool:
        """Whether the register has an item on some of the days already; days that differ are left, and told."""
        for held in known:
            if held.is_told_by(item):
                return True
            standing = held.standing(item["from"], item.get("until")) if held.spell() == spell_item(item) else None
            if standing is None:
                continue
            if standing.start != parse_when(item["from"]):
                self._note_other_start(kind, row, item, standing)
            else:
                self._note_other_end(kind, row, item, held.document)
            return True
        return False

    def _note_other_start(self, kind: str, row: Row, given: Document, standing: Standing) -> None:
        column = self._reader.heading_of(f"{kind}.scope.from") or self._reader.heading_of(f"{kind}.from")
        words = f"the first day differs from the one on record ({standing.start}), which is left as it is"
        shown = str(given["from"])
        self._notes.setdefault(RowNote(row.line, column, shown, str(standing.start), f"{words}; {standing.say()}"))

    def _note_other_end(self, kind: str, row: Row, given: Document, held: Document) -> None:
        one, two = end_of(given), end_of(held)
        if one == two:
            return
        column = self._reader.heading_of(f"{kind}.scope.until") or self._reader.heading_of(f"{kind}.until")
        here, there = show_when(one), show_when(two)
        words = f"the end differs from the one on record ({there or 'none'}), which is left as it is"
        self._notes.setdefault(RowNote(row.line, column, here, there, words))


def _give_whole(kind: str, right: Document, rows: Sequence[Row]) -> Document:
    """Give a right of which no row names a scope."""
    part = rows[0].part(kind)
    on = plain_when(part.get("from", "always"))
    given = with_event(right, GIVES[kind][0], on) if on != "always" else {**right, "from": "always"}
    return {**given, "until": plain_when(part["until"])} if "until" in part else given


def _fits(document: Document, kind: str, heading: Heading) -> bool:
    """Whether a record has a heading; an edition or number that one of the two does not state fits."""
    if document["type"] != kind:
        return False
    for name, value in heading.items():
        there = document.get(name)
        if there != value and not (name in _CERTIFICATE and None in {there, value}):
            return False
    return True


def _has_item(part: dict[str, str]) -> bool:
    named = {name.partition(".")[2] for name in part if name.startswith("scope.")}
    return bool(named - {"from", "until", "key"})


def _days_of(part: dict[str, str]) -> tuple[str | None, ...]:
    return tuple(part.get(name) for name in ("from", "until", "scope.from", "scope.until"))


def _lasts(item: Document) -> tuple[object, object]:
    return item["from"], item.get("until")


def _meet(one: Document, two: Document) -> bool:
    """Whether two items say the same of some of the same days."""
    first, second = (
        Period(parse_when(item["from"]), NEVER if "until" not in item else parse_when(item["until"]))
        for item in (one, two)
    )
    days = max(first.start.latest, second.start.latest) <= min(first.end.earliest, second.end.earliest)
    return spell_item(one) == spell_item(two) and days
