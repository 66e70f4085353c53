"""What an answer comes to, and from when to when it holds (domain.md, section 2)."""

from __future__ import annotations

from typing import Final, NamedTuple

from cab_registry.domain.answer import Holds
from cab_registry.domain.days import EARLIEST, LAST_DAY, LATEST, show_day
from cab_registry.domain.question import Question
from cab_registry.engine.deciding import Outcome
from cab_registry.engine.effort import Effort
from cab_registry.engine.facts import Facts, RouteFacts
from cab_registry.engine.inquiry import Inquiry
from cab_registry.engine.reach import find_candidates
from cab_registry.engine.weighing import decide

_STEPS: Final = 500
"""How many days on which something changes are looked at to find until when an answer holds."""


class Settled(NamedTuple):
    """What an answer comes to, without its texts."""

    outcome: Outcome
    holds: Holds
    inquiry: Inquiry
    routes: tuple[RouteFacts, ...]


def settle(question: Question, facts: Facts, *, open_too: bool = True, effort: Effort | None = None) -> Settled:
    """Decide any well-formed question, and find from when to when the answer holds; never raises for one.

    Args:
        question: the question.
        facts: what is known.
        open_too: whether to find it too where nobody can tell.
        effort: counts what is done for it; the usual one where none is given.
    """
    effort = Effort() if effort is None else effort
    inquiry = Inquiry(question, effort.limit(facts), effort)
    routes = find_candidates(inquiry)
    outcome = decide(inquiry, routes, question.presented_on)
    told = not question.standing and (open_too or outcome.verdict != "cannot_tell")
    return Settled(outcome, _find_holds(inquiry, routes, outcome) if told else Holds(), inquiry, routes)


def _find_holds(inquiry: Inquiry, routes: tuple[RouteFacts, ...], outcome: Outcome) -> Holds:
    """Walk over the days on which something changes until the answer is another one.

    After very many such days, or with the steps of the answer, the walk ends: `until` is then the last day looked at,
    with no next change named.
    """
    if outcome.best is None:
        return Holds()
    until, changes = _walk_on(inquiry, routes, outcome)
    since = _walk_back(inquiry, routes, outcome)
    return Holds(
        since=None if since == EARLIEST else show_day(min(since, inquiry.question.presented_on)),
        until=None if until >= LAST_DAY else show_day(until),
        next_change=show_day(until + 1) if changes and until < LAST_DAY else None,
    )


def _walk_on(inquiry: Inquiry, routes: tuple[RouteFacts, ...], outcome: Outcome) -> tuple[int, bool]:
    """Return the last day with the same answer, and whether the day after it brings another one."""
    high = outcome.high
    for _ in range(_STEPS):
        if high >= LATEST:
            return LATEST, False
        if inquiry.effort.stops():
            break
        after = decide(inquiry, routes, high + 1)
        if after.signature != outcome.signature:
            return high, True
        high = max(after.high, high + 1)
    return high, False


def _walk_back(inquiry: Inquiry, routes: tuple[RouteFacts, ...], outcome: Outcome) -> int:
    """Return the first day with the same answer, the day of issue at the earliest."""
    low, earliest = outcome.low, inquiry.issued.last
    for _ in range(_STEPS):
        if low <= earliest:
            return earliest
        if inquiry.effort.stops():
            break
        before = decide(inquiry, routes, low - 1)
        if before.signature != outcome.signature:
            return low
        low = min(before.low, low - 1)
    return low
