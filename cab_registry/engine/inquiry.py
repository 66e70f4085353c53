"""A question resolved against the facts, and the view of it from one day of presentation."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import msgspec

from cab_registry.domain.citing import split_edition
from cab_registry.domain.days import EARLIEST, LATEST, Period, Truth, When
from cab_registry.domain.folding import find_folded, holds_other
from cab_registry.domain.question import AskedSubcontractor, Question, Span
from cab_registry.engine.effort import CITATION, Effort
from cab_registry.engine.facts import Facts, IssuerFacts
from cab_registry.engine.identity import Found, find_issuer, find_subcontractor
from cab_registry.engine.meaning import (
    OTHER,
    SUBJECT,
    Assumption,
    Fit,
    Side,
    find_edition,
    find_rule,
    place,
    understand,
)
from cab_registry.engine.timeline import State, Timeline


def turns_of(period: Period) -> tuple[int, int, int, int]:
    """Return the days on which it may change whether a period holds."""
    return period.start.earliest, period.start.latest, period.end.earliest + 1, period.end.latest + 1


class Inquiry:
    """What does not depend on the day of presentation: issuer, site, economies, requirement, clocks.

    Attributes:
        unresolved: parts of the question that name nothing in the register, or several things, by their dotted names,
            with what may be meant; they decide nothing.
        issuer_open: why it is not settled who issued the result, where somebody is stated who may be in the register.
        in_place_of: the rules asked about, where the result is judged on another one that the document attests.
        taken: what the words for issuer, requirement and site were taken to mean.
        effort: counts what is done for the answer, whatever is tried for what the question leaves out.
    """

    __slots__ = (
        "_said",
        "assumptions",
        "attests",
        "candidates",
        "economy",
        "effort",
        "facts",
        "in_place_of",
        "issued",
        "issuer",
        "issuer_ever",
        "issuer_missing",
        "issuer_open",
        "issuer_parties",
        "parts",
        "performed",
        "performed_assumed",
        "question",
        "requirements",
        "right_holders",
        "rules",
        "site",
        "site_economy",
        "stated_issuer",
        "taken",
        "unresolved",
    )

    def __init__(self, question: Question, facts: Facts, effort: Effort | None = None) -> None:
        self.effort = Effort() if effort is None else effort
        placed = place(question, facts)
        self.question = placed.question
        self.facts = facts
        subject = question.subject
        self._said = {f"subject.{name}": getattr(subject, name) or "" for name in (*SUBJECT, "requirement", "origin")}
        result = question.result
        stated = ("site", "issuer_economy", "performed_in", "findings")
        self._said |= {f"result.{name}": getattr(result, name) or "" for name in stated}
        for index, part in enumerate(result.subcontractors):
            self._said[f"result.subcontractors.{index}.economy"] = part.economy or ""
        self.assumptions: list[Assumption] = list(placed.assumptions)
        self.unresolved = placed.unresolved
        self.candidates: tuple[str, ...] = ()
        self.issuer: IssuerFacts | None = None
        self.issuer_open: Assumption | None = None
        self.issuer_missing = "result.issuer"
        self.site: str | None = self.question.result.site
        self.stated_issuer = question.result.issuer is not None
        self.taken: dict[str, Fit] = {}
        self.in_place_of: frozenset[str] = frozenset()
        self._resolve_clocks()
        self._resolve_issuer()
        self._resolve_site()
        self._resolve_economy()
        self._resolve_subject()
        self._resolve_rules()
        self.parts = self._find_parts(self.issued.first)

    @property
    def work_economy(self) -> str | None:
        """Where the work was done: as stated, else at the issuer's site; an inspectorate does not inspect itself."""
        body = self.issuer.body if self.issuer is not None else None
        seat = None if body is not None and set(body.kinds) == {"inspectorate"} else self.site_economy
        return self.question.result.performed_in or seat

    def is_unread(self, name: str) -> bool:
        """Whether a part of the question names nothing in the register, and nothing is tried in its place."""
        if name not in self.unresolved:
            return False
        if name == "subject.requirement":
            return not self.requirements
        if name == "result.attests":
            return not self.attests
        part, _, key = name.partition(".")
        return getattr(getattr(self.question, part), key, None) is None

    def said(self, name: str) -> str:
        """Return the words of the question for one of its unresolved parts."""
        return self._said.get(name, "")

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
        if asked is None:
            return
        found = find_issuer(asked, self.facts, self.issued.first, self.question.result.issuer_economy)
        self.taken["issuer"] = found.fit
        self.assumptions.extend(found.assumptions)
        if found.fit.id is not None:
            self.issuer = self.facts.issuers.get(found.fit.id)
            self.site = self.site or found.site
        else:
            self.candidates = found.fit.ids
            self.issuer_open, self.issuer_missing = found.open, found.missing

    def _resolve_site(self) -> None:
        """Find the site that is meant among those of the issuer; it stays as it is said where none is on record."""
        text = self.question.result.site
        body = self.issuer.body if self.issuer is not None else None
        if text is None or body is None or text == OTHER:
            return
        keys = {site.key: (site.key, site.address) for site in body.sites}
        found = find_folded(text, {key: [each for each in names if each] for key, names in keys.items()})
        if len(found) == 1:
            self.site = found[0]
            self.taken["site"] = Fit(text, "exact" if text == found[0] else "fold", found)
            if text != found[0]:
                self.assumptions.append(("assumed.site", {"words": text, "site": found[0]}))
            return
        near = found or tuple(key for key in sorted(keys) if holds_other(text, keys[key]))
        self.taken["site"] = Fit(text, "near" if near else "unknown", near)
        if keys:
            self.site = None
            self.unresolved["result.site"] = near or tuple(sorted(keys))

    def _resolve_economy(self) -> None:
        stated = self.question.result.issuer_economy
        issuer = self.issuer
        self.site_economy: str | None = None
        economy = issuer.economy if issuer is not None else None
        if issuer is not None and issuer.body is not None:
            sites = issuer.body.sites
            if self.site is None and len(sites) == 1 and "result.site" not in self.unresolved:
                self.site = sites[0].key
            self.site_economy = next((site.economy for site in sites if site.key == self.site), None)
            economy = self.site_economy or economy
        if economy is not None and stated is not None and economy != stated:
            self.assumptions.append(("assumed.economy", {"stated": stated, "economy": economy}))
        self.economy = economy or stated
        self.issuer_parties = (
            self.facts.side(self.economy, self.issued.first) if self.economy is not None else frozenset[str]()
        )
        self.issuer_ever = self.facts.side_ever(self.economy or "")
        holders: list[IssuerFacts] = []
        if issuer is not None:
            holders.append(issuer)
            issuers = self.facts.issuers
            umbrellas = self.facts.umbrellas.get(issuer.id, ())
            holders.extend(issuers[umbrella] for umbrella in umbrellas if umbrella in issuers)
        self.right_holders = tuple(holders)

    def _resolve_subject(self) -> None:
        meant = understand(self.question, self.facts, self.right_holders)
        self.question = meant.question
        self.unresolved.update(meant.unresolved)
        self.assumptions.extend(meant.assumptions)

    def on_rule(self, rule: str) -> Inquiry:
        """Return the same question about a rule that the document attests in place of the one asked about."""
        other = copy(self)
        subject = msgspec.structs.replace(self.question.subject, requirement=rule)
        other.question = msgspec.structs.replace(self.question, subject=subject)
        other.requirements = (rule,)
        other.in_place_of = frozenset(self.requirements) - {rule}
        return other

    def asked_about(self, rule: str) -> Inquiry:
        """Return the same question as if it had named a rule; what the document attests is judged as before."""
        other = self.on_rule(rule)
        other.in_place_of = frozenset()
        other.rules = other.attests or other.requirements
        return other

    def issued_at(self, day: int) -> Inquiry:
        """Return the same question as if it had stated a day of issue."""
        other = copy(self)
        other.question = msgspec.structs.replace(self.question, issued=day)
        other.issued = Span(day, day)
        if self.economy is not None:
            other.issuer_parties = self.facts.side(self.economy, day)
        other.parts = self._find_parts(day)
        return other

    def _find_parts(self, day: int) -> tuple[tuple[AskedSubcontractor, Found | None], ...]:
        """Return how the question names those who did parts of the work, and whom that means on a day of issue."""
        parts = self.question.result.subcontractors
        return tuple((part, find_subcontractor(part, self.facts, day, self.effort)) for part in parts)

    @property
    def helpers(self) -> list[IssuerFacts]:
        """Those subcontractors who are on record."""
        ids = [found.fit.id or "" for _, found in self.parts if found is not None]
        return [self.facts.issuers[key] for key in ids if key in self.facts.issuers]

    def _resolve_rules(self) -> None:
        text = self.question.subject.requirement
        self.requirements: tuple[str, ...] = ()
        if text is not None:
            fit = self._find_rule(text)
            self.taken["requirement"] = fit
            if fit.id is not None or fit.how == "several":
                self.requirements = fit.ids
            if fit.id is None:
                self.unresolved["subject.requirement"] = fit.ids
        fits = [self._find_rule(stated) for stated in self.question.result.attests]
        self.attests = tuple(fit.id for fit in fits if fit.id is not None)
        if unread := [fit for fit in fits if fit.id is None]:
            self.unresolved["result.attests"] = tuple(each for fit in unread for each in fit.ids)
            self._said["result.attests"] = ", ".join(fit.asked for fit in unread)
        self.rules = self.attests or self.requirements
        self._resolve_edition()

    def _resolve_edition(self) -> None:
        """Find the edition of the rule that is meant; one that stands behind its citation counts as stated."""
        subject = self.question.subject
        editions = [each for key in self.requirements for each in self.facts.requirements[key].editions]
        behind = split_edition(subject.requirement or "")[1] if len(self.requirements) == 1 else None
        text = subject.edition or behind
        if text is None or not editions:
            return
        edition = find_edition(text, editions, self.issued.first)
        if edition is None and all(each.key.isdigit() for each in editions):
            edition = text
        if edition not in (None, subject.edition):
            changed = msgspec.structs.replace(subject, edition=edition)
            self.question = msgspec.structs.replace(self.question, subject=changed)

    def _find_rule(self, text: str) -> Fit:
        question = self.question
        if text not in self.facts.requirements:
            if self.effort.stops():
                return Fit(text, "unknown")
            self.effort.spend(CITATION)
        parties = self.facts.parties(question.destination, question.presented_on)
        fit = find_rule(text, self.facts, Side(parties, self.issued.first, question.destination))
        if fit.id is not None and fit.how in ("fold", "section"):
            self.assumptions.append((f"assumed.rule_{fit.how}", {"words": text, "requirement": fit.id}))
        return fit


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
