"""Rows of one table that contradict one another: of such rows none goes in, since nobody knows which is right."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cab_cli.desk import RIGHTS
from cab_cli.mapping import LISTS
from cab_cli.row_days import plain_when
from cab_cli.row_lists import split_values
from cab_cli.rows import Row, RowFault, RowNote, RowReader
from cab_registry.domain.days import ALWAYS, NEVER, DayError, Period, When, parse_when
from cab_registry.domain.folding import fold

Document = Mapping[str, Any]
_HEADING: Final = ("by", "agreement", "annex", "scheme", "site", "standard")
"""What makes rows speak of one right."""

_CERTIFICATE: Final = ("edition", "number")
_LIMITS: Final = tuple(f"scope.{name}" for name in ("requirement", *LISTS, "text"))
_OF_BODIES: Final = ("name", "economy", "kind", "other_name", "from", "name_from", "note")
_OF_SITES: Final = ("site.economy", "site.address")


def find_other_bodies(reader: RowReader, rows: Sequence[Row], held_names: Iterable[str]) -> Iterator[RowFault]:
    """Yield what rows say of their body that an earlier row denies.

    Args:
        reader: knows the columns.
        rows: of one body.
        held_names: which the register has of it; each may stand in the table.
    """
    known = set(map(fold, held_names))
    said: dict[tuple[str, str], tuple[str, int]] = {}
    for row in rows:
        part = row.part("body")
        site = part.get("site.key", "")
        fields = [(name, "") for name in _OF_BODIES] + [(name, site) for name in _OF_SITES if site]
        own = {each: part[each[0]] for each in fields if each[0] in part}
        wrong = next(
            (each for each, value in own.items() if each in said and _differs(each[0], value, said[each][0], known)),
            None,
        )
        if wrong is None:
            said |= {each: (value, row.line) for each, value in own.items() if each not in said}
            continue
        value, line = said[wrong]
        of = f"site {site}" if wrong[1] else "body"
        words = f"line {line} says {value!r} of the same {of}"
        yield RowFault(row.line, reader.heading_of(f"body.{wrong[0]}"), own[wrong], words)


def _differs(name: str, one: str, two: str, known: set[str]) -> bool:
    if name != "name":
        return one != two
    return fold(one) != fold(two) and not {fold(one), fold(two)} <= known


class _Claim(NamedTuple):
    """What a row says of one right, what it says beside that, and for which days."""

    row: Row
    about: tuple[Any, ...]
    beside: frozenset[tuple[str, str]]
    period: Period
    on_record: bool


@dataclass(frozen=True, slots=True)
class RightsOfRows:
    """Holds rows about the rights of one body against one another.

    Attributes:
        reader: knows the columns.
        authority: that gives a right where the row names none.
        settle: gives the rule that words mean.
    """

    reader: RowReader
    authority: str
    settle: Callable[[str], object]

    def find(self, rows: Sequence[Row], held: Sequence[Document]) -> Iterator[RowFault]:
        """Yield each row that contradicts another, or says the same again.

        Args:
            rows: of one body.
            held: its rights on record; a row that says what stands there is right.
        """
        for kind in RIGHTS:
            names = _names_of(kind)
            for heading, own in self._group(kind, rows).items():
                fitting = [each for each in held if each["type"] == kind and _heading_of(each, names) == heading]
                speaking = [row for row in own if self._speaks_of(kind, row)]
                yield from self._find_other_validity(kind, speaking)
                yield from self._find_other_days(kind, speaking, fitting)

    def find_without_scope(
        self, rows: Sequence[Row], held: Sequence[Document], notes: dict[RowNote, None]
    ) -> Iterator[RowFault]:
        """Yield each row that does not say for what a right is given, as far as the table says that of any.

        Args:
            rows: of one body.
            held: its rights on record; one without a scope may stand in a row without one.
            notes: takes what is done without a fault: a right without a scope, none at all, a rule read by its words.
        """
        for kind in RIGHTS:
            names = _names_of(kind)
            columns = [column for name in _LIMITS if (column := self.reader.heading_of(f"{kind}.{name}"))]
            for heading, own in self._group(kind, rows).items():
                fitting = [each for each in held if each["type"] == kind and _heading_of(each, names) == heading]
                limited = bool(columns) or any(name in row.part(kind) for row in own for name in _LIMITS)
                bare = any(not each.get("scope") for each in fitting)
                for row in own:
                    self._note_rule(kind, row, notes)
                    if bare or any(name in row.part(kind) for name in _LIMITS):
                        continue
                    if limited and self._speaks_of(kind, row):
                        words = f"does not say for what the {kind} is given: write a rule, or what else limits it"
                        yield RowFault(row.line, next(iter(columns), ""), "", words)
                        continue
                    words = self._say_without_scope(kind, row, known=bool(fitting))
                    notes.setdefault(RowNote(row.line, "", "", "", words))

    def _say_without_scope(self, kind: str, row: Row, *, known: bool) -> str:
        if not self._speaks_of(kind, row):
            return f"says nothing of a {kind}: the body alone is taken"
        if known:
            return f"does not say for what the {kind} is given: what is on record stays as it is"
        return f"the {kind} is entered without a scope: no question about a rule can rest on it"

    def _speaks_of(self, kind: str, row: Row) -> bool:
        """Whether a row itself says something of a right; where a table has columns of it, constants do not count."""
        named = any(self.reader.heading_of(f"{kind}.{name}") for name in row.part(kind))
        return named or not self.reader.from_columns(kind)

    def _note_rule(self, kind: str, row: Row, notes: dict[RowNote, None]) -> None:
        written = row.part(kind).get("scope.requirement")
        rule = self.settle(written) if written is not None else None
        if written is not None and isinstance(rule, str) and rule != written:
            column = self.reader.heading_of(f"{kind}.scope.requirement")
            notes.setdefault(RowNote(row.line, column, written, rule, f"read as {rule}"))

    def _group(self, kind: str, rows: Sequence[Row]) -> dict[tuple[str | None, ...], list[Row]]:
        groups: dict[tuple[str | None, ...], list[Row]] = {}
        for row in rows:
            if part := row.part(kind):
                heading = (part.get(name, self.authority if name == "by" else None) for name in _names_of(kind))
                groups.setdefault(tuple(heading), []).append(row)
        return groups

    def _find_other_validity(self, kind: str, rows: Sequence[Row]) -> Iterator[RowFault]:
        said = [(row, value) for row in rows if (value := row.part(kind).get("validity")) is not None]
        for row, value in said:
            other = next((each for each in said if each[1] != value), None)
            if other is not None:
                words = f"line {other[0].line} says {other[1]!r} of the same {kind}"
                yield RowFault(row.line, self.reader.heading_of(f"{kind}.validity"), value, words)

    def _find_other_days(self, kind: str, rows: Sequence[Row], held: Sequence[Document]) -> Iterator[RowFault]:
        there = [
            (_about(item), _period(item.get("from"), item.get("until")))
            for each in held
            for item in each.get("scope", [])
        ]
        by_claim: dict[tuple[Any, ...], list[_Claim]] = {}
        for row in rows:
            if (claim := self._read(kind, row, there)) is not None:
                by_claim.setdefault(claim.about, []).append(claim)
        for claims in by_claim.values():
            for place, claim in enumerate(claims):
                if claim.on_record:
                    continue
                same = next(
                    (each for each in claims[:place] if each.period == claim.period and each.beside == claim.beside),
                    None,
                )
                other = next(
                    (each for each in claims if each.period != claim.period and _meet(each.period, claim.period)), None
                )
                if other is not None:
                    yield self._say(kind, claim, other)
                elif same is not None:
                    yield RowFault(claim.row.line, "", "", f"says what line {same.row.line} says")

    def _read(self, kind: str, row: Row, there: Sequence[tuple[tuple[Any, ...], Period | None]]) -> _Claim | None:
        part = row.part(kind)
        item: dict[str, Any] = {
            name[len("scope.") :]: value for name, value in part.items() if name.startswith("scope.")
        }
        item |= {name: split_values(item[name], self.reader.mapping.separator) for name in LISTS if name in item}
        if "requirement" in item:
            item["requirement"] = self.settle(item["requirement"])
        period = _period(
            plain_when(item.get("from", part.get("from", "always"))),
            plain_when(until) if (until := item.get("until", part.get("until"))) else None,
        )
        if period is None:
            return None
        about = _about(item)
        beside = frozenset(each for each in row.values.items() if each[0] != f"{kind}.scope.requirement")
        return _Claim(row, (item.get("key"), *about), beside, period, (about, period) in there)

    def _say(self, kind: str, claim: _Claim, other: _Claim) -> RowFault:
        name = "until" if claim.period.start == other.period.start else "from"
        column = self.reader.heading_of(f"{kind}.scope.{name}") or self.reader.heading_of(f"{kind}.{name}")
        part = claim.row.part(kind)
        value = part.get(f"scope.{name}", part.get(name, ""))
        words = f"contradicts line {other.row.line}, which says of the same: {_say_period(other.period)}"
        return RowFault(claim.row.line, column, value, words)


def _names_of(kind: str) -> tuple[str, ...]:
    return (*_HEADING, *_CERTIFICATE) if kind == "accreditation" else _HEADING


def _heading_of(right: Document, names: Iterable[str]) -> tuple[Any, ...]:
    return tuple(right.get(name) for name in names)


def _about(item: Document) -> tuple[Any, ...]:
    return item.get("requirement"), *(tuple(sorted(item.get(name, ()))) for name in LISTS), item.get("text")


def _period(since: Any, until: Any) -> Period | None:
    try:
        start = ALWAYS if since is None else parse_when(since)
        return Period(start, NEVER if until is None else parse_when(until))
    except DayError:
        return None


def _meet(one: Period, two: Period) -> bool:
    """Whether two periods certainly have a day in common, or begin alike."""
    first, last = max(one.start.latest, two.start.latest), min(one.end.earliest, two.end.earliest)
    return one.start == two.start or first <= last


def _say_period(period: Period) -> str:
    end = "without an end" if period.end == NEVER else f"until {_say_when(period.end)}"
    return f"from {_say_when(period.start)} {end}"


def _say_when(when: When) -> str:
    return str(when)
