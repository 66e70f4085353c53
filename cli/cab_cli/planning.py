"""From the rows of one body to records: what is new, what is added, what is there already."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from cab_cli.contradictions import RightsOfRows, find_other_bodies
from cab_cli.desk import RIGHTS
from cab_cli.drafts import Document, today
from cab_cli.planned import Group, Planned, Unsettled
from cab_cli.planning_rights import RightsPlanner
from cab_cli.row_days import plain_when
from cab_cli.rows import Row, RowFault, RowNote, RowReader
from cab_cli.submitting import Change
from cab_registry.domain.days import DayError, parse_when, show_day
from cab_registry.domain.folding import fold
from cab_registry.domain.schemes import canonise

_FIELDS: Final = {
    "/names": "name",
    "/economy": "economy",
    "/kinds": "kind",
    "/sites": "site.key",
    "/identifiers": "identifier",
    "/timeline": "from",
}


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
        requirements: Callable[[str], str | Unsettled],
        *,
        update: bool,
        names_from: str | None = None,
    ) -> None:
        self.reader = reader
        self.notes: dict[RowNote, None] = {}
        self._authority = authority
        self._requirements = requirements
        self._rights = RightsPlanner(reader, authority, requirements, self.notes)
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
            planned += self._rights.plan(kind, group, rows, faults)
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
        """Return the rows that do not contradict one another, each once."""
        kept: list[Row] = []
        seen: dict[tuple[tuple[str, str], ...], int] = {}
        for row in group.rows:
            same = tuple(sorted(row.values.items()))
            if same in seen:
                words = f"says what line {seen[same]} says, and is taken once"
                self.notes.setdefault(RowNote(row.line, "", "", "", words))
                continue
            seen[same] = row.line
            kept.append(row)
        names = [each["name"] for each in group.held.document["names"]] if group.held else []
        rights = RightsOfRows(self.reader, self._authority, self._requirements)
        held = [each.document for each in group.rights]
        kept = _without(find_other_bodies(self.reader, kept, names), kept, faults)
        kept = _without(rights.find_without_scope(kept, held, self.notes), kept, faults)
        return _without(rights.find(kept, held), kept, faults)

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
        # What an earlier row says stands: those that contradict it are refused.
        part = {name: value for row in reversed(rows) for name, value in row.part("body").items()}
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


def _without(wrong: Iterable[RowFault], rows: list[Row], faults: list[RowFault]) -> list[Row]:
    """Return the rows that have no fault, which is added to the others."""
    found = list(wrong)
    faults += found
    return [row for row in rows if row.line not in {fault.line for fault in found}]


def _ended_before_today(names: Iterable[Document]) -> bool:
    ends = [parse_when(each["until"]).earliest for each in names if "until" in each]
    return bool(ends) and max(ends) < parse_when(today()).earliest - 1


def _number_key(number: Document) -> tuple[Any, ...]:
    return number["scheme"], canonise(number["scheme"], number["value"])


def _site_key(site: Document) -> tuple[Any, ...]:
    return (site["key"],)
