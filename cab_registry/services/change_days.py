"""The days on which something may change that a standing question rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

import msgspec

from cab_registry.domain.days import When
from cab_registry.domain.records.route import ListedRequirement
from cab_registry.engine.facts import Facts, IssuerFacts, RouteFacts
from cab_registry.register.walking import walk
from cab_registry.services.standing import Standing

_LAST_DAYS: Final = ("until", "ends_until")
"""Fields that name a last day: something changes on the day after."""

_NO_DAYS: Final = ("read_on", "known_from", "as_of")
"""Fields that say when something was learnt, which changes no answer on a day of its own."""

Sides = tuple[tuple[Facts, tuple[RouteFacts, ...]], ...]


Kept = TypeVar("Kept")


class ChangeDays:
    """The days of change within a stretch of days; what one record gives is found once."""

    def __init__(self, first: int, last: int) -> None:
        self._first = first
        self._last = last
        self._kept: dict[int, tuple[object, frozenset[int]]] = {}

    def of(self, standing: Standing, economy: str | None, sides: Sides) -> list[int]:
        """Return the first day and every later one on which an answer may change, in order.

        Args:
            standing: the question.
            economy: the economy of the body's place.
            sides: before and after, the facts and the routes that may reach the question.
        """
        days = {self._first}
        for facts, routes in sides:
            for code in (standing.destination, economy or ""):
                for _, period in facts.memberships.get(code, ()):
                    days |= self._inside((*_begins(period.start), *_begins(period.end.moved(1))))
            for holder in (standing.body, *facts.umbrellas.get(standing.body, ())):
                issuer = facts.issuers.get(holder)
                if issuer is not None:
                    days |= self._of_issuer(issuer, facts)
            days |= self._of_routes(facts, routes, facts.spell(standing.requirement or ""))
            for position, _ in facts.positions:
                days |= self._keep(position, named_days)
        return sorted(days)

    def _of_routes(self, facts: Facts, routes: Iterable[RouteFacts], requirements: Iterable[str]) -> set[int]:
        days: set[int] = set()
        for key in requirements:
            if key in facts.requirements:
                days |= self._keep(facts.requirements[key], named_days)
            for rf in routes:
                if key in rf.listed:
                    days |= self._keep(rf.listed[key].item, named_days)
        for rf in routes:
            days |= self._keep(rf, _days_of_route)
        return days

    def _of_issuer(self, issuer: IssuerFacts, facts: Facts) -> frozenset[int]:
        days = self._keep(issuer, _days_of_issuer)
        for by in {right.by for right in issuer.accreditations}:
            if by in facts.authorities:
                days |= self._keep(facts.authorities[by], named_days)
        return days

    def _keep(self, key: Kept, find: Callable[[Kept], set[int]]) -> frozenset[int]:
        kept = self._kept.get(id(key))
        if kept is None:
            # The object is kept along, so that no other can come to have its id.
            kept = self._kept[id(key)] = (key, self._inside(find(key)))
        return kept[1]

    def _inside(self, days: Iterable[int]) -> frozenset[int]:
        return frozenset(day for day in days if self._first < day <= self._last)


def named_days(record: msgspec.Struct) -> set[int]:
    """Return the days on which something that a record dates begins, or is over."""
    return {day for _, part in walk(record) for day in _of_part(part)}


def _of_part(part: msgspec.Struct) -> Iterator[int]:
    for name in part.__struct_fields__:
        value = getattr(part, name)
        if isinstance(value, When) and name not in _NO_DAYS:
            yield from _begins(value.moved(1) if name in _LAST_DAYS else value)


def _begins(when: When) -> tuple[int, int]:
    return when.earliest, when.latest


def _days_of_issuer(issuer: IssuerFacts) -> set[int]:
    days: set[int] = set()
    for right in (*issuer.accreditations, *issuer.designations, *issuer.recognitions):
        for item in right.items:
            for lane in item.lanes:
                days.add(lane.presented_from)
                days.update(lane.timeline.starts)
    for record in (issuer.body, issuer.authority, *(notice for notice, _ in issuer.notices)):
        if record is not None:
            days |= named_days(record)
    return days


def _days_of_route(rf: RouteFacts) -> set[int]:
    """Return the days of a route without those of its listed requirements, of which a question touches few."""
    parts = (part for _, part in walk(rf.route) if not isinstance(part, ListedRequirement))
    return {*rf.force.starts, *rf.working.starts, *(day for part in parts for day in _of_part(part))}
