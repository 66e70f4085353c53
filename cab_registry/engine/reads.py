"""What an answer reads of the facts, noted while it is made: only a change of that can change the answer.

A read is a table and a key. What was looked for and not found is a read too, since it may come to be there.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from cab_registry.domain.records import Coverage, Position
from cab_registry.engine.facts import Facts, Likeness, RouteFacts
from cab_registry.engine.inquiry import Inquiry

Read = tuple[str, str]
"""Table and key."""

EVERY: Final = "*"
"""The key that stands for all of a table."""

TABLES: Final = (
    "economies",
    "memberships",
    "authorities",
    "kin",
    "umbrellas",
    "requirements",
    "citations",
    "wider",
    "standards",
    "agreements",
    "routes",
    "routes_by_importer",
    "routes_by_kind",
    "issuers",
    "identifiers",
    "names",
    "spellings",
    "words",
    "notices_by_number",
    "notices_by_site",
)
"""The tables of the facts that are looked into by key."""

Key = TypeVar("Key")
Held = TypeVar("Held")
Row = TypeVar("Row")


def spell_key(key: Any) -> str:
    """Spell a table's key as one text."""
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)


class _Table(Mapping[Key, Held]):
    """A table that notes what is looked for in it."""

    __slots__ = ("_name", "_seen", "_table")

    def __init__(self, name: str, table: Mapping[Key, Held], seen: set[Read]) -> None:
        self._name = name
        self._table = table
        self._seen = seen

    def __getitem__(self, key: Key) -> Held:
        self._seen.add((self._name, spell_key(key)))
        return self._table[key]

    def get(self, key: Key, default: Any = None) -> Any:
        self._seen.add((self._name, spell_key(key)))
        return self._table.get(key, default)

    def __contains__(self, key: object) -> bool:
        self._seen.add((self._name, spell_key(key)))
        return key in self._table

    def __iter__(self) -> Iterator[Key]:
        self._seen.add((self._name, EVERY))
        return iter(self._table)

    def __len__(self) -> int:
        self._seen.add((self._name, EVERY))
        return len(self._table)

    def items(self) -> ItemsView[Key, Held]:
        iter(self)
        return self._table.items()


class _Likeness:
    """What is found by likeness, which goes through all names, all rules, or all words."""

    __slots__ = ("_likeness", "_seen")

    def __init__(self, likeness: Likeness, seen: set[Read]) -> None:
        self._likeness = likeness
        self._seen = seen

    @property
    def size(self) -> int:
        return self._likeness.size

    def ids(self, text: str) -> tuple[str, ...]:
        self._seen.add(("names", EVERY))
        return self._likeness.ids(text)

    def issuers(self, text: str) -> tuple[str, ...]:
        self._seen.add(("names", EVERY))
        return self._likeness.issuers(text)

    def beginning(self, text: str) -> tuple[str, ...]:
        self._seen.add(("names", EVERY))
        return self._likeness.beginning(text)

    def rules(self, text: str) -> tuple[str, ...]:
        self._seen.add(("requirements", EVERY))
        return self._likeness.rules(text)

    def words(self, table: str, text: str) -> tuple[str, ...]:
        self._seen.add(("words", EVERY))
        return self._likeness.words(table, text)

    def economies(self, text: str) -> tuple[str, ...]:
        self._seen.add(("economies", EVERY))
        return self._likeness.economies(text)


class _Rows(Sequence[Row]):
    """Rows without a key, which are gone through as a whole."""

    __slots__ = ("_reads", "_rows", "_seen")

    def __init__(self, rows: Sequence[Row], seen: set[Read], reads: Sequence[Read]) -> None:
        self._rows = rows
        self._seen = seen
        self._reads = reads

    def __getitem__(self, index: Any) -> Any:
        self._seen.update(self._reads)
        return self._rows[index]

    def __len__(self) -> int:
        self._seen.update(self._reads)
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        self._seen.update(self._reads)
        return iter(self._rows)


def observe(inquiry: Inquiry, routes: Iterable[RouteFacts]) -> tuple[Facts, set[Read]]:
    """Return the facts so that they note what is read, and the set in which it is noted.

    Args:
        inquiry: the question, resolved against the same facts; of positions and coverage, which are gone through as a
            whole, only those on its routes and in its market are counted as read.
        routes: the routes that may reach it.
    """
    facts, seen = inquiry.facts, set[Read]()
    markets = _ever(facts, inquiry.question.destination)
    grounds = {ground_of(rf) for rf in routes}
    schemes = {rf.route.scheme for rf in routes if rf.route.scheme is not None}
    positions = [("positions", f"{ground} {market}") for ground in grounds for market in markets]
    coverage = [("coverage", key) for key in (*grounds, *(f"scheme {each}" for each in schemes), EVERY)]
    noting: dict[str, Any] = {name: _Table(name, getattr(facts, name), seen) for name in TABLES}
    likeness: Likeness = _Likeness(facts.likeness, seen)
    noting["likeness"] = likeness
    noting["positions"] = _Rows(facts.positions, seen, positions)
    noting["coverage"] = _Rows(facts.coverage, seen, coverage)
    return replace(facts, **noting), seen


def ground_of(rf: RouteFacts) -> str:
    """Name the agreement of a route; a blank for a route without one."""
    return rf.route.agreement or "-"


def reads_of_position(position: Position) -> list[Read]:
    """Return the reads that a position concerns."""
    ground = position.about.agreement or "-"
    return [("positions", f"{ground} {market}") for market in position.binds_in]


def reads_of_coverage(coverage: Coverage) -> list[Read]:
    """Return the reads that a statement of coverage concerns."""
    if coverage.agreement is not None:
        return [("coverage", coverage.agreement)]
    return [("coverage", EVERY if coverage.scheme is None else f"scheme {coverage.scheme}")]


def _ever(facts: Facts, code: str) -> list[str]:
    return [code, *dict.fromkeys(union for union, _ in facts.memberships.get(code, ()))]
