"""The answer to a watched question, as far as a change of it is told: verdict, conditions, until when it holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from cab_registry.domain.codes import Verdict
from cab_registry.domain.days import LATEST, show_day
from cab_registry.engine.deciding import Outcome
from cab_registry.engine.effort import MOST, Effort
from cab_registry.engine.facts import Facts
from cab_registry.engine.inquiry import Inquiry
from cab_registry.engine.reach import find_candidates
from cab_registry.engine.reads import Read, observe
from cab_registry.engine.settling import Settled, settle
from cab_registry.services.change_days import ChangeDays
from cab_registry.services.standing import Standing
from cab_registry.services.watching.targets import Target

AHEAD: Final = 2 * 366
"""How many days after today a standing question is asked for."""

FURTHEST: Final = 30 * 366
"""How many days one looks ahead where the end of an answer is to be said."""

ACCEPTED: Final = ("accepted", "accepted_with_conditions")

_OWN: Final = frozenset(
    {"issuers", "identifiers", "names", "spellings", "notices_by_number", "notices_by_site", "umbrellas"}
)
"""Tables of which each question reads rows of its own; what is read of the others is the same for many."""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """An answer without its texts.

    Two of them are the same to a watcher when verdict, conditions and `until` are.
    """

    verdict: Verdict
    conditions: Annotated[list[str], Meta(description="Keys of the conditions.")] = []
    until: Annotated[
        str | None,
        Meta(description="Last day on which it holds; of a standing question, within the two years to come."),
    ] = None
    since: Annotated[str | None, Meta(description="First day from which it holds.")] = None
    route: Annotated[str | None, Meta(description="Id of the route.")] = None
    failing: Annotated[str | None, Meta(description="First check that fails or is open.")] = None

    def same(self, other: Answered) -> bool:
        """Whether a watcher would see no difference."""
        return (self.verdict, self.conditions, self.until) == (other.verdict, other.conditions, other.until)


class Reach(NamedTuple):
    """What an answer read: rows of its own, and rows of the law."""

    own: tuple[str, ...]
    law: tuple[str, ...]


class Asked(NamedTuple):
    """A watched question, asked.

    Attributes:
        answered: what it came to.
        reach: what was read for it.
        turns_on: the first day after today on which the answer is another one, or on which so much has to be looked at
            again; none where no such day is known, or where it is asked for a fixed day.
    """

    answered: Answered
    reach: Reach
    turns_on: int | None


class Asker:
    """Asks watched questions of one register, for one day.

    Attributes:
        steps: how much was done for those that were asked, in the steps of the engine.
    """

    def __init__(self, facts: Facts, today: int, ahead: int = AHEAD, most: int | None = None) -> None:
        """Begin.

        Args:
            facts: of the register.
            today: the day.
            ahead: how many days after it a standing question is asked for.
            most: how many steps may be taken for all that is asked together; none: as many as each answer may.
        """
        self._most = most
        self._facts = facts
        self._today = today
        self._ahead = ahead
        self._days = ChangeDays(today, min(today + ahead, LATEST - 1))
        self.steps = 0

    def ask(self, target: Target) -> Asked:
        """Ask a target's question, and note what was read.

        Raises:
            TooDear: the steps for all questions together do not suffice.
        """
        question = target.pose(date.fromordinal(self._today))
        first = self._begin()
        inquiry = Inquiry(question, first.limit(self._facts), first)
        noting, seen = observe(inquiry, find_candidates(inquiry))
        self.steps += first.spent
        effort = self._begin()
        settled = settle(question, noting, effort=effort)
        if question.standing and target.rolling:
            answered, turns_on = self._look_ahead(target, settled, noting, effort)
        else:
            answered = _sum_up(settled.outcome, settled.holds.until, settled.holds.since)
            turns_on = _day_after(settled.holds.until) if target.rolling else None
        self.steps += effort.spent
        return Asked(answered, split_reach(seen), turns_on)

    def _begin(self) -> Effort:
        """Begin an answer; where fewer steps are left than it may take, it is made with them or not at all."""
        if self._most is None or (left := self._most - self.steps) >= MOST:
            return Effort()
        return Effort(max(0, left), strict=True)

    def routes_of(self, target: Target) -> frozenset[str]:
        """Return the ids of the routes that may reach a target's question."""
        question = target.pose(date.fromordinal(self._today))
        return frozenset(rf.route.id for rf in find_candidates(Inquiry(question, self._facts)))

    def _look_ahead(
        self, target: Target, settled: Settled, noting: Facts, effort: Effort
    ) -> tuple[Answered, int | None]:
        """Ask a standing question for the days to come on which something changes, until it is answered otherwise."""
        now = _sum_up(settled.outcome, None, None)
        standing = standing_of(settled.inquiry)
        sides = ((self._facts, settled.routes),)
        for day in self._days.of(standing, settled.inquiry.economy, sides):
            if day <= self._today:
                continue
            if effort.stops():
                return now, day
            other = answer_on(target, noting, day, self._today, effort)
            if not _sum_up(other, None, None).same(now):
                return msgspec.structs.replace(now, until=show_day(day - 1)), day
        return now, self._today + self._ahead


def find_end(target: Target, facts: Facts, today: int) -> str | None:
    """Return the last day on which a watched question is answered as it is now, however far ahead; none: none known."""
    return Asker(facts, today, FURTHEST).ask(target).answered.until


def split_reach(seen: Iterable[Read]) -> Reach:
    """Tell what a question reads of its own from what it reads of the law, each spelled as one text."""
    own: list[str] = []
    law: list[str] = []
    for table, key in sorted(seen):
        (own if table in _OWN else law).append(spell_read((table, key)))
    return Reach(tuple(own), tuple(law))


def spell_read(read: Read) -> str:
    """Spell a read as one text; PostgreSQL has no NUL in texts."""
    return f"{read[0]}:{read[1]}".replace("\0", "\ufffd")


def answer_on(target: Target, facts: Facts, day: int, known_on: int, effort: Effort | None = None) -> Outcome:
    """Answer a rolling standing question as asked on a day, with what can be known on another."""
    question = msgspec.structs.replace(target.pose(date.fromordinal(day)), known_on=known_on)
    return settle(question, facts, effort=effort).outcome


def standing_of(inquiry: Inquiry) -> Standing:
    """Return a question without its days, as the days of change are looked for."""
    question = inquiry.question
    subject = question.subject
    return Standing(
        body=inquiry.issuer.id if inquiry.issuer is not None else "",
        destination=question.destination,
        result_kind=question.result.kind,
        requirement=inquiry.requirements[0] if inquiry.requirements else None,
        sector=subject.sector,
        procedure=subject.procedure,
        product_class=subject.product_class,
        activity=subject.activity,
        site=inquiry.site,
    )


def _sum_up(outcome: Outcome, until: str | None, since: str | None) -> Answered:
    best = outcome.best
    return Answered(
        verdict=outcome.verdict,
        conditions=[ground.key for ground in best.conditions] if best is not None else [],
        until=until,
        since=since,
        route=best.rf.route.id if best is not None else None,
        failing=best.first_failing if best is not None else None,
    )


def _day_after(until: str | None) -> int | None:
    return None if until is None else date.fromisoformat(until).toordinal() + 1
