"""From the rows of one body to records: what is new, what is added, what is there already."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from cab_cli.desk import RIGHTS, Held
from cab_cli.drafts import GIVES, Document, end_of, has_begun, new_right, today, with_event, with_items
from cab_cli.mapping import LISTS
from cab_cli.row_days import plain_when
from cab_cli.rows import Row, RowFault, RowNote, RowReader
from cab_cli.submitting import Change
from cab_registry.domain.days import DayError, parse_when, show_day
from cab_registry.domain.folding import fold
from cab_registry.domain.schemes import canonise

_HEADING: Final = ("by", "agreement", "annex", "scheme", "site", "standard")
_COMPARED: Final = ("requirement", *LISTS, "text", "from")
_FIELDS: Final = {
    "/names": "name",
    "/economy": "economy",
    "/kinds": "kind",
    "/sites": "site.key",
    "/identifiers": "identifier",
    "/timeline": "from",
}


@dataclass(slots=True)
class Planned:
    """A record to hand in, and the rows from which it comes; `items` has the row of each scope item by its place."""

    change: Change
    rows: list[Row]
    items: dict[int, Row] = field(default_factory=dict)

    def rows_at(self, pointer: str) -> list[Row]:
        """Return the rows from which a place of the document comes."""
        parts = pointer.split("/")
        if len(parts) > 2 and parts[1] == "scope" and parts[2].isdigit() and int(parts[2]) in self.items:
            return [self.items[int(parts[2])]]
        return self.rows


@dataclass(slots=True)
class Group:
    """The rows of one body, and what the register holds of it."""

    body: str
    rows: list[Row]
    held: Held | None = None
    rights: list[Held] = field(default_factory=list)


class Planner:
    """Makes records of rows.

    Attributes:
        reader: knows the columns.
        notes: what was left as it is, once for each row.
    """

    def __init__(
        self,
        reader: RowReader,
        authority: str,
        requirements: Callable[[str], "str | Unsettled"],
        *,
        update: bool,
        names_from: str | None = None,
    ) -> None:
        self.reader = reader
        self.notes: dict[RowNote, None] = {}
        self._authority = authority
        self._requirements = requirements
        self._update = update
        self._names_from = names_from

    def plan(self, group: Group, faults: list[RowFault]) -> list[Planned]:
        """Make the records of a body; rows that cannot be taken are added to the faults."""
        rows = self._agreeing(group, faults)
        if not rows:
            return []
        document = self._new_body(rows)
        if group.held is None and "names" not in document:
            column = self.reader.heading_of("body.id") or self.reader.heading_of("body.name")
            faults.extend(RowFault(row.line, column, group.body, "the register has no such body") for row in rows)
            return []
        planned = list(self._plan_body(group, rows, document, faults))
        if {fault.line for fault in faults} & {row.line for row in rows}:
            return []
        for kind in RIGHTS:
            planned += self._plan_rights(kind, group, rows, faults)
        return planned

    def field_of(self, planned: Planned, pointer: str) -> str:
        """Return the column from which a place of a document comes, as far as that can be told."""
        kind = planned.change.document["type"]
        parts = [part for part in pointer.split("/") if part and not part.isdigit() and part != "-"]
        stem = f"/{parts[0]}" if parts else ""
        names = [_FIELDS.get(stem, ".".join(parts)), ".".join(parts[:2])]
        if stem == "/identifiers":
            named = (each for each in planned.rows[0].values if each.startswith("body.identifier."))
            names = [next(named, "").partition(".")[2]]
        return next((found for name in names if (found := self.reader.heading_of(f"{kind}.{name}"))), "")

    def _agreeing(self, group: Group, faults: list[RowFault]) -> list[Row]:
        """Return the rows that say the same of the body as the first, each once; the others contradict it."""
        kept: list[Row] = []
        seen: dict[tuple[tuple[str, str], ...], int] = {}
        for row in group.rows:
            same = tuple(sorted(row.values.items()))
            if same in seen:
                words = f"says what line {seen[same]} says, and is taken once"
                self.notes.setdefault(RowNote(row.line, "", "", "", words))
                continue
            seen[same] = row.line
            wrong = self._contradiction(kept[0], row) if kept else None
            if wrong is not None:
                faults.append(wrong)
            else:
                kept.append(row)
        return kept

    def _contradiction(self, first: Row, row: Row) -> RowFault | None:
        one, two = first.part("body"), row.part("body")
        for name in ("name", "economy", "kind"):
            said = one.get(name, two.get(name, ""))
            same = fold(said) == fold(two.get(name, "")) if name == "name" else said == two.get(name)
            if name in two and not same:
                column = self.reader.heading_of(f"body.{name}")
                return RowFault(row.line, column, two[name], f"line {first.line} says {one[name]!r} of the same body")
        return None

    def _plan_body(
        self, group: Group, rows: Sequence[Row], document: Document, faults: list[RowFault]
    ) -> Iterable[Planned]:
        if group.held is None:
            yield Planned(Change({**document, "id": group.body, "owner": self._authority}), list(rows))
            return
        held = group.held.document
        merged = self._merge_body(held, document, rows[0], faults)
        if merged == held:
            return
        if self._update and held["owner"] == self._authority:
            # What the register says of past days changes by a correction alone; the day was asked for.
            kind = "correction" if merged["names"] != held["names"] and _ended_before_today(merged["names"]) else None
            yield Planned(Change.of(group.held, merged, kind), list(rows))
            return
        parts = [name for name in ("names", "identifiers", "sites") if merged.get(name) != held.get(name)]
        how = "--update enters it" if held["owner"] == self._authority else f"the record belongs to {held['owner']}"
        for row in rows:
            words = f"the register has other {' and '.join(parts)} of it, left as they are; {how}"
            self.notes.setdefault(RowNote(row.line, self.reader.heading_of("body.name"), group.body, group.body, words))

    def _new_body(self, rows: Sequence[Row]) -> Document:
        part = rows[0].part("body")
        since = plain_when(part.get("from", "always"))
        names = [{"name": part["name"], "from": since}] if "name" in part else []
        if "other_name" in part:
            names += [{"name": name, "kind": "other", "from": since} for name in self.reader.split(part["other_name"])]
        numbers: dict[tuple[str, str], Document] = {}
        sites: dict[str, Document] = {}
        for row in rows:
            own = row.part("body")
            if key := own.get("site.key"):
                site = {"key": key, "economy": own.get("site.economy", own.get("economy", ""))}
                sites.setdefault(key, site | ({"address": own["site.address"]} if "site.address" in own else {}))
            for scheme, value in row.numbers:
                numbers.setdefault((scheme, value), {"scheme": scheme, "value": value, "from": since})
        document: Document = {
            "type": "body",
            "names": names,
            "economy": part.get("economy"),
            "kinds": self.reader.split(part.get("kind", "")),
            "sites": list(sites.values()),
            "identifiers": list(numbers.values()),
            "note": part.get("note"),
        }
        return {name: value for name, value in document.items() if value not in (None, [], "")}

    def _merge_body(self, held: Document, given: Document, row: Row, faults: list[RowFault]) -> Document:
        merged = dict(held)
        known = {fold(each["name"]) for each in held["names"]}
        fresh = [each for each in given.get("names", []) if fold(each["name"]) not in known]
        if fresh and fresh[0].get("kind") != "other":
            merged["names"] = self._rename(held["names"], fresh[0]["name"], row, faults)
        if others := [each for each in fresh if each.get("kind") == "other"]:
            merged["names"] = [*merged["names"], *others]
        for name, key_of in (("identifiers", _number_key), ("sites", _site_key)):
            there = set(map(key_of, held.get(name, [])))
            new = [each for each in given.get(name, []) if key_of(each) not in there]
            if new:
                merged[name] = [*held.get(name, []), *new]
        return merged

    def _rename(self, names: Sequence[Document], name: str, row: Row, faults: list[RowFault]) -> list[Document]:
        """Give a body a new legal name from a day on; the one before ends the day before."""
        since = row.part("body").get("name_from") or self._names_from
        if since is None:
            return list(names)
        try:
            first = parse_when(since)
        except DayError:
            first = parse_when(plain_when(since))
        last = [
            index for index, each in enumerate(names) if each.get("kind", "legal") == "legal" and "until" not in each
        ]
        changed = [dict(each) for each in names]
        for index in last:
            if not first.exact or parse_when(changed[index]["from"]).latest >= first.earliest:
                column = self.reader.heading_of("body.name")
                before = changed[index]["name"]
                words = f"cannot begin on {since}: the name before it, {before!r}, began on that day or later"
                faults.append(RowFault(row.line, column, name, words))
                return changed
            changed[index]["until"] = show_day(first.earliest - 1)
        return [*changed, {"name": name, "from": since}]

    def _plan_rights(self, kind: str, group: Group, rows: Sequence[Row], faults: list[RowFault]) -> Iterable[Planned]:
        by_heading: dict[tuple[str | None, ...], list[Row]] = {}
        for row in rows:
            part = row.part(kind)
            named = any(self.reader.heading_of(f"{kind}.{name}") for name in part)
            if part and (named or not self.reader.from_columns(kind)):
                heading = tuple(part.get(name, self._authority if name == "by" else None) for name in _HEADING)
                by_heading.setdefault(heading, []).append(row)
        for heading, own in by_heading.items():
            planned = self._plan_right(kind, group, dict(zip(_HEADING, heading, strict=True)), own, faults)
            if planned is not None:
                yield planned

    def _plan_right(
        self, kind: str, group: Group, heading: dict[str, str | None], rows: Sequence[Row], faults: list[RowFault]
    ) -> Planned | None:
        fitting = [each for each in group.rights if _fits(each.document, kind, heading)]
        held = next((each for each in fitting if each.document["owner"] == self._authority), None)
        first = rows[0].part(kind)
        if held is None:
            more = {name: first.get(name) for name in ("edition", "number", "validity")}
            if kind == "accreditation" and more["validity"] is None:
                more["validity"] = "dated" if "until" in first or "scope.until" in first else "open_ended"
            right = new_right(kind, self._authority, group.body, **heading, **more)
        else:
            right = held.document
        start = len(right.get("scope", []))
        elsewhere = [item for each in fitting if each is not held for item in each.document.get("scope", [])]
        items, origins = self._items(kind, right, rows, faults, elsewhere)
        if not items and fitting:
            return None
        if held is None and fitting:
            owner = fitting[0].document["owner"]
            words = f"the {kind} {fitting[0].document['id']} belongs to {owner}, who alone can add to it"
            faults.extend(RowFault(row.line, self.reader.heading_of(f"{kind}.by"), "", words) for row in origins)
            return None
        on = plain_when(first.get("from", first.get("scope.from", "always")))
        right = with_items(right, items)
        if held is None:
            if on != "always":
                right = with_event(right, GIVES[kind][0], on)
            elif not items:
                right["from"] = "always"
            if not items and "until" in first:
                right["until"] = plain_when(first["until"])
        else:
            event = GIVES[kind][0] if kind == "recognition" or not has_begun(right) else "extended"
            right = with_event(right, event, items[0]["from"], items=[item["key"] for item in items])
        change = Change(right) if held is None else Change.of(held, right)
        return Planned(change, list(rows), {start + index: row for index, row in enumerate(origins)})

    def _items(
        self, kind: str, right: Document, rows: Sequence[Row], faults: list[RowFault], elsewhere: Sequence[Document]
    ) -> tuple[list[Document], list[Row]]:
        there = [*right.get("scope", []), *elsewhere]
        keys = {item["key"] for item in right.get("scope", [])}
        items: list[Document] = []
        origins: list[Row] = []
        for row in rows:
            part = row.part(kind)
            item = {name.partition(".")[2]: value for name, value in part.items() if name.startswith("scope.")}
            if not item.keys() - {"from", "until", "key"}:
                continue
            whole: dict[str, Any] = {
                **item,
                **{name: self.reader.split(item[name]) for name in LISTS if name in item},
                "from": plain_when(item.get("from", part.get("from", "always"))),
            }
            if until := item.get("until", part.get("until")):
                whole["until"] = plain_when(until)
            if "requirement" in item:
                requirement = self._requirements(item["requirement"])
                column = self.reader.heading_of(f"{kind}.scope.requirement")
                if isinstance(requirement, Unsettled):
                    faults.append(RowFault(row.line, column, item["requirement"], requirement.words))
                    continue
                whole["requirement"] = requirement
            same = next(
                (other for other in (*there, *items) if all(other.get(name) == whole.get(name) for name in _COMPARED)),
                None,
            )
            if same is not None:
                self._note_other_end(kind, row, whole, same)
                continue
            stem = item.get("key") or whole.get("requirement") or "all"
            key = next(name for name in _names(stem) if name not in keys)
            keys.add(key)
            items.append({**whole, "key": key})
            origins.append(row)
        return items, origins

    def _note_other_end(self, kind: str, row: Row, given: Document, held: Document) -> None:
        one, two = end_of(given), end_of(held)
        if one == two:
            return
        column = self.reader.heading_of(f"{kind}.scope.until") or self.reader.heading_of(f"{kind}.until")
        words = f"the end differs from the one on record ({two or 'none'}), which is left as it is"
        self.notes.setdefault(RowNote(row.line, column, str(one or ""), str(two or ""), words))


class Unsettled(NamedTuple):
    """Why words of a row name no requirement."""

    words: str


def _ended_before_today(names: Iterable[Document]) -> bool:
    ends = [parse_when(each["until"]).earliest for each in names if "until" in each]
    return bool(ends) and max(ends) < parse_when(today()).earliest - 1


def _number_key(number: Document) -> tuple[Any, ...]:
    return number["scheme"], canonise(number["scheme"], number["value"])


def _site_key(site: Document) -> tuple[Any, ...]:
    return (site["key"],)


def _fits(document: Document, kind: str, heading: dict[str, str | None]) -> bool:
    return document["type"] == kind and all(document.get(name) == value for name, value in heading.items())


def _names(stem: str) -> Iterable[str]:
    yield stem
    number = 2
    while True:
        yield f"{stem}-{number}"
        number += 1
