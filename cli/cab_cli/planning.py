"""From the rows of one body to records: what is new, what is added, what is there already."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cab_cli.desk import RIGHTS, Held
from cab_cli.drafts import GIVES, Document, has_begun, new_right, with_event, with_items
from cab_cli.mapping import LISTS, Row, RowFault, RowReader
from cab_cli.submitting import Change
from cab_registry.register.minting import mint_id

_HEADING: Final = ("by", "agreement", "annex", "scheme", "site", "standard")
_SAME: Final = ("requirement", *LISTS, "text")
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
    """Makes records of rows."""

    def __init__(
        self, reader: RowReader, authority: str, requirements: Callable[[str], str | None], *, update: bool
    ) -> None:
        self.reader = reader
        self._authority = authority
        self._requirements = requirements
        self._update = update

    def name_body(self, row: Row) -> str | None:
        """Return the id of the body that a row is about, or none where the row does not tell."""
        part = row.part("body")
        return part.get("id") or mint_id({**self._new_body([row]), "type": "body"}, lambda _: False)

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
        planned = list(self._plan_body(group, rows, document))
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
        """Return the rows that say the same of the body as the first; the others contradict it."""
        kept: list[Row] = []
        seen: dict[tuple[tuple[str, str], ...], int] = {}
        for row in group.rows:
            same = tuple(sorted(row.values.items()))
            if same in seen:
                faults.append(RowFault(row.line, "", "", f"says what line {seen[same]} says"))
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
            if name in two and one.get(name, two[name]) != two[name]:
                column = self.reader.heading_of(f"body.{name}")
                return RowFault(row.line, column, two[name], f"line {first.line} says {one[name]!r} of the same body")
        return None

    def _plan_body(self, group: Group, rows: Sequence[Row], document: Document) -> Iterable[Planned]:
        if group.held is None:
            yield Planned(Change({**document, "id": group.body, "owner": self._authority}), list(rows))
        elif self._update and group.held.document["owner"] == self._authority:
            merged = self._merge_body(group.held.document, document)
            if merged != group.held.document:
                yield Planned(Change.of(group.held, merged), list(rows))

    def _new_body(self, rows: Sequence[Row]) -> Document:
        part = rows[0].part("body")
        since = part.get("from", "always")
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
            for name, value in own.items():
                if name.startswith("identifier."):
                    scheme = name.partition(".")[2]
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

    @staticmethod
    def _merge_body(held: Document, given: Document) -> Document:
        merged = dict(held)
        if given.get("names") and held["names"][0]["name"] != given["names"][0]["name"]:
            merged["names"] = [{**held["names"][0], "name": given["names"][0]["name"]}, *held["names"][1:]]
        for name, keys in (("identifiers", ("scheme", "value")), ("sites", ("key",))):
            there = [[each.get(key) for key in keys] for each in held.get(name, [])]
            new = [each for each in given.get(name, []) if [each.get(key) for key in keys] not in there]
            if new:
                merged[name] = [*held.get(name, []), *new]
        return merged

    def _plan_rights(self, kind: str, group: Group, rows: Sequence[Row], faults: list[RowFault]) -> Iterable[Planned]:
        by_heading: dict[tuple[str | None, ...], list[Row]] = {}
        for row in rows:
            part = row.part(kind)
            named = any(f"{kind}.{name}" in self.reader.mapping.columns.values() for name in part)
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
        held = next((each for each in group.rights if _fits(each.document, kind, self._authority, heading)), None)
        first = rows[0].part(kind)
        if held is None:
            more = {name: first.get(name) for name in ("edition", "number", "validity")}
            if kind == "accreditation" and more["validity"] is None:
                more["validity"] = "dated" if "until" in first or "scope.until" in first else "open_ended"
            right = new_right(kind, self._authority, group.body, **heading, **more)
        else:
            right = held.document
        start = len(right.get("scope", []))
        items, origins = self._items(kind, right, rows, faults)
        if held is not None and not items:
            return None
        on = first.get("from", first.get("scope.from", "always"))
        right = with_items(right, items)
        if held is None:
            if on != "always":
                right = with_event(right, GIVES[kind][0], on)
            elif not items:
                right["from"] = "always"
            if not items and "until" in first:
                right["until"] = first["until"]
        else:
            event = GIVES[kind][0] if kind == "recognition" or not has_begun(right) else "extended"
            right = with_event(right, event, items[0]["from"], items=[item["key"] for item in items])
        change = Change(right) if held is None else Change.of(held, right)
        return Planned(change, list(rows), {start + index: row for index, row in enumerate(origins)})

    def _items(
        self, kind: str, right: Document, rows: Sequence[Row], faults: list[RowFault]
    ) -> tuple[list[Document], list[Row]]:
        there = list(right.get("scope", []))
        keys = {item["key"] for item in there}
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
                "from": item.get("from", part.get("from", "always")),
            }
            if until := item.get("until", part.get("until")):
                whole["until"] = until
            if "requirement" in item:
                requirement = self._requirements(item["requirement"])
                if requirement is None:
                    column = self.reader.heading_of(f"{kind}.scope.requirement")
                    faults.append(RowFault(row.line, column, item["requirement"], "is no requirement of the register"))
                    continue
                whole["requirement"] = requirement
            if any(all(other.get(name) == whole.get(name) for name in (*_SAME, "from")) for other in (*there, *items)):
                continue
            stem = item.get("key") or whole.get("requirement") or "all"
            key = next(name for name in _names(stem) if name not in keys)
            keys.add(key)
            items.append({**whole, "key": key})
            origins.append(row)
        return items, origins


def _fits(document: Document, kind: str, authority: str, heading: dict[str, str | None]) -> bool:
    own = document["type"] == kind and document["owner"] == authority
    return own and all(document.get(name) == value for name, value in heading.items())


def _names(stem: str) -> Iterable[str]:
    yield stem
    number = 2
    while True:
        yield f"{stem}-{number}"
        number += 1
