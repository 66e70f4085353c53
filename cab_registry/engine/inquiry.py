"""A question resolved against the facts, and the view of it from one day of presentation."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from copy import copy
from typing import Any, Final

import msgspec

from cab_registry.domain.days import EARLIEST, LATEST, Period, Truth, When
from cab_registry.domain.question import Question, Span
from cab_registry.engine.facts import Facts, IssuerFacts
from cab_registry.engine.timeline import State, Timeline

YEAR: Final = 365

OTHER: Final = "any_other"
"""Stands for every value, or issuer, that nothing on record names; tried for what a question leaves out."""

MEANT: Final = 20
"""An incomplete name that fits more issuers than this names none of them."""


def fold(text: str) -> str:
    """Fold a name or citation for comparison: case, accents and repeated blanks do not count."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return " ".join("".join(sign for sign in plain if not unicodedata.combining(sign)).split())


def _begin_with(name: str, facts: Facts) -> tuple[str, ...]:
    """Return the issuers whose names begin with these whole words; none, where these are too many to be meant."""
    found = {issuer for full, ids in facts.names.items() if full.startswith(f"{name} ") for issuer in ids}
    return tuple(sorted(found)) if len(found) <= MEANT else ()


def turns_of(period: Period) -> tuple[int, int, int, int]:
    """Return the days on which it may change whether a period holds."""
    return period.start.earliest, period.start.latest, period.end.earliest + 1, period.end.latest + 1


class Inquiry:
    """What does not depend on the day of presentation: issuer, site, economies, requirement, clocks."""

    __slots__ = (
        "assumptions",
        "attests",
        "candidates",
        "economy",
        "facts",
        "issued",
        "issuer",
        "issuer_ever",
        "issuer_parties",
        "performed",
        "performed_assumed",
        "question",
        "requirements",
        "right_holders",
        "rules",
        "site",
        "site_economy",
        "stated_issuer",
    )

    def __init__(self, question: Question, facts: Facts) -> None:
        self.question = question
        self.facts = facts
        self.assumptions: list[tuple[str, dict[str, Any]]] = []
        self.candidates: tuple[str, ...] = ()
        self.issuer: IssuerFacts | None = None
        self.site: str | None = question.result.site
        self.stated_issuer = question.result.issuer is not None
        self._resolve_clocks()
        self._resolve_issuer()
        self._resolve_economy()
        self._resolve_rules()

    def _resolve_clocks(self) -> None:
        question = self.question
        performed, issued = question.performed, question.issued
        self.performed_assumed = performed is None
        if issued is None:
            last = performed.last if performed is not None else EARLIEST
            self.issued = Span(last, max(last, question.presented_on), every=False)
        else:
            self.issued = Span(issued, issued)
        if performed is None:
            self.performed = self.issued
        else:
            self.performed = performed

    def _resolve_issuer(self) -> None:
        asked = self.question.result.issuer
        facts = self.facts
        if asked is None:
            return
        if asked.id is not None:
            self.issuer = facts.issuers.get(asked.id)
        elif asked.scheme is not None and asked.value is not None:
            day = self.issued.first
            found = [
                (body, site)
                for body, site, period in facts.identifiers.get((asked.scheme, asked.value), ())
                if period.holds(day) is not Truth.NO
            ]
            bodies = sorted({body for body, _ in found})
            self._take(bodies)
            if self.issuer is not None and self.site is None:
                sites = {site for _, site in found}
                self.site = sites.pop() if len(sites) == 1 else None
        elif asked.name is not None:
            name = fold(asked.name)
            self._take(list(facts.names.get(name, ())))
            if self.issuer is None and not self.candidates:
                self.candidates = _begin_with(name, facts)

    def _take(self, ids: list[str]) -> None:
        if len(ids) == 1:
            self.issuer = self.facts.issuers.get(ids[0])
        elif ids:
            self.candidates = tuple(ids)

    def _resolve_economy(self) -> None:
        stated = self.question.result.issuer_economy
        issuer = self.issuer
        self.site_economy: str | None = None
        economy = issuer.economy if issuer is not None else None
        if issuer is not None and issuer.body is not None:
            sites = issuer.body.sites
            if self.site is None and len(sites) == 1:
                self.site = sites[0].key
            self.site_economy = next((site.economy for site in sites if site.key == self.site), None)
            economy = self.site_economy or economy
        if economy is not None and stated is not None and economy != stated:
            self.assumptions.append(("assumed.economy", {"stated": stated, "economy": economy}))
        self.economy = economy or stated
        self.issuer_parties = (
            self.facts.parties(self.economy, self.issued.first) if self.economy is not None else frozenset[str]()
        )
        ever = self.facts.memberships.get(self.economy or "", ())
        self.issuer_ever = frozenset((self.economy or "", *(union for union, _ in ever)))
        holders: list[IssuerFacts] = []
        if issuer is not None:
            holders.append(issuer)
            issuers = self.facts.issuers
            umbrellas = self.facts.umbrellas.get(issuer.id, ())
            holders.extend(issuers[umbrella] for umbrella in umbrellas if umbrella in issuers)
        self.right_holders = tuple(holders)

    def _resolve_rules(self) -> None:
        subject = self.question.subject
        self.requirements = self._requirement_ids(subject.requirement)
        attested = [self._requirement_ids(text) for text in self.question.result.attests]
        self.attests = tuple(
            ids[0] if len(ids) == 1 else text for ids, text in zip(attested, self.question.result.attests, strict=True)
        )
        self.rules = self.attests or self.requirements
        if len(self.requirements) > 1:
            self.candidates = self.requirements

    def on_rule(self, rule: str) -> Inquiry:
        """Return the same question about a rule that the document attests in place of the one asked about."""
        other = copy(self)
        subject = msgspec.structs.replace(self.question.subject, requirement=rule)
        other.question = msgspec.structs.replace(self.question, subject=subject)
        other.requirements = (rule,)
        return other

    def _requirement_ids(self, text: str | None) -> tuple[str, ...]:
        if text is None:
            return ()
        if text in self.facts.requirements:
            return (text,)
        return self.facts.citations.get(fold(text)) or (text,)


class View:
    """An inquiry seen from one day of presentation.

    Each look at a fact on that day narrows `low` and `high`: from `low` to `high`, both inclusive,
    every such look gives the same, so the answer is the same.
    """

    __slots__ = (
        "destination_parties",
        "facts",
        "high",
        "inquiry",
        "low",
        "markets",
        "ordered",
        "presented",
        "question",
        "submitted",
    )

    def __init__(self, inquiry: Inquiry, presented: int) -> None:
        self.inquiry = inquiry
        self.question = inquiry.question
        self.facts = inquiry.facts
        self.presented = presented
        self.low = EARLIEST
        self.high = LATEST
        for _, period in inquiry.facts.memberships.get(inquiry.question.destination, ()):
            self.holds(period)
        self.destination_parties = inquiry.facts.parties(inquiry.question.destination, presented)
        self.markets = self.destination_parties | {"WORLD"}
        submitted, ordered = self.question.submitted, self.question.ordered
        issued = inquiry.issued
        if submitted is not None:
            self.submitted = Span(submitted, submitted)
        else:
            self.submitted = Span(issued.first, max(presented, issued.last), every=issued.first >= presented)
        if ordered is not None:
            self.ordered = Span(ordered, ordered)
        else:
            self.ordered = Span(EARLIEST, inquiry.performed.first, every=False)

    def see(self, first: int, last: int) -> None:
        """Note that what was looked at is the same from `first` to `last`."""
        self.low = max(self.low, first)
        self.high = min(self.high, last)

    def now(self, timeline: Timeline[State]) -> State:
        """Return a timeline's value on the day of presentation."""
        first, last = timeline.stretch(self.presented)
        self.see(first, last)
        return timeline.at(self.presented)

    def reached(self, when: When) -> Truth:
        """Whether the day of presentation is on or after a moment."""
        day = self.presented
        if day >= when.latest:
            self.see(when.latest, LATEST)
            return Truth.YES
        if day < when.earliest:
            self.see(EARLIEST, when.earliest - 1)
            return Truth.NO
        self.see(when.earliest, when.latest - 1)
        return Truth.UNKNOWN

    def holds(self, period: Period) -> Truth:
        """Whether a period includes the day of presentation."""
        begun = self.reached(period.start)
        if begun is Truth.NO:
            return begun
        end = period.end
        if end.latest >= LATEST and end.earliest >= LATEST:
            return begun
        over = self.reached(end.moved(1))
        if over is Truth.YES:
            return Truth.NO
        return Truth.UNKNOWN if over is Truth.UNKNOWN else begun

    def clock(self, name: str) -> Span:
        """Return the days of a clock."""
        if name == "presented":
            return Span(self.presented, self.presented)
        if name == "issued":
            return self.inquiry.issued
        if name == "performed":
            return self.inquiry.performed
        return self.submitted if name == "submitted" else self.ordered

    def held_on(self, period: Period, clock: str) -> Truth:
        """Whether a period includes the days of a clock; days that are not known exactly leave it open."""
        return self.held_by((period,), clock)

    def held_by(self, periods: Sequence[Period], clock: str) -> Truth:
        """Whether on each day of a clock one of several periods holds: successive ones count together."""
        if clock == "presented":
            return max((self.holds(period) for period in periods), default=Truth.NO)
        span = self.clock(clock)
        if not span.every and clock == "submitted":
            for period in periods:
                self.holds(period)
        days = {span.first, span.last}
        if span.first != span.last:
            days.update(day for period in periods for day in turns_of(period) if span.first < day < span.last)
        found = {max((period.holds(day) for period in periods), default=Truth.NO) for day in days}
        if span.every:
            return min(found)
        return found.pop() if len(found) == 1 else Truth.UNKNOWN
