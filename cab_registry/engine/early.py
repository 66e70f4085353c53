"""Early results: made before recognition, scope or operation began, shown after (domain.md, section 5)."""

from __future__ import annotations

from typing import NamedTuple

from cab_registry.domain.days import Truth, When
from cab_registry.domain.records.route import EarlyRule
from cab_registry.engine.facts import RouteFacts
from cab_registry.engine.inquiry import View


class Early(NamedTuple):
    """What the rule for early results makes of this one."""

    met: Truth
    effect: str
    sourced: EarlyRule | None = None


_MET = {"no": Truth.NO, "counts": Truth.YES, "counts_if_alive": Truth.YES, "silent": Truth.UNKNOWN}


def _fits(view: View, rule: EarlyRule, about: str) -> bool:
    if about not in rule.about and "any" not in rule.about:
        return False
    if rule.presented_from is not None and view.reached(rule.presented_from) is not Truth.YES:
        return False
    if rule.presented_until is not None and view.reached(rule.presented_until.moved(1)) is Truth.YES:
        return False
    return rule.not_before is None or rule.not_before.reached(view.clock(rule.clock).first) is Truth.YES


def find_early(view: View, rf: RouteFacts, about: str) -> Early:
    """Return what the route says of results that are early for one start; nothing said: they do not count."""
    rules = rf.route.early_results
    if isinstance(rules, str):
        return Early(_MET[rules], rules)
    for rule in rules:
        if _fits(view, rule, about):
            return Early(_MET[rule.effect], rule.effect, rule)
    return Early(Truth.NO, "no")


def judge_early(view: View, rf: RouteFacts, about: str, start: When) -> Early | None:
    """Judge a result against a start that has come by the day of presentation.

    Returns None where the result is not early, or early results count.
    """
    rules = rf.route.early_results
    clocks = {"issued"}
    if not isinstance(rules, str):
        clocks = {rule.clock for rule in rules if about in rule.about or "any" in rule.about} or clocks
    worst: Early | None = None
    for clock in sorted(clocks):
        span = view.clock(clock)
        began = start.reached(span.first)
        if began is Truth.YES:
            continue
        early = _of_clock(view, rf, about, clock)
        if early.met is Truth.YES:
            continue
        if began is Truth.UNKNOWN or (not span.every and start.reached(span.last) is not Truth.NO):
            early = Early(Truth.UNKNOWN, early.effect, early.sourced)
        if worst is None or early.met < worst.met:
            worst = early
    return worst


def _of_clock(view: View, rf: RouteFacts, about: str, clock: str) -> Early:
    rules = rf.route.early_results
    if isinstance(rules, str):
        return Early(_MET[rules], rules)
    for rule in rules:
        if rule.clock == clock and _fits(view, rule, about):
            return Early(_MET[rule.effect], rule.effect, rule)
    return Early(Truth.NO, "no")
