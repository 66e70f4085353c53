"""The checks `designation` and `recognition`, and what they leave for `procedure`, `site`, `suspension`, `survival`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cab_registry.domain.days import NEVER, Truth, When
from cab_registry.domain.records.route import Cover, RightRule
from cab_registry.engine.coverage import listing
from cab_registry.engine.early import find_early
from cab_registry.engine.facts import ItemFacts, RightFacts, RightState, RouteFacts
from cab_registry.engine.finding import FAIL, PASS, RANK, UNKNOWN, Finding, Used
from cab_registry.engine.inquiry import View
from cab_registry.engine.rights import (
    TAKEN,
    Held,
    Pairs,
    Wanted,
    best_on,
    find_pairs,
    for_procedure,
    item_fits,
    name_window,
    names_method,
    worst_over,
)


@dataclass(slots=True)
class Holding:
    """How a right stands: its finding, and the open ends that later checks look at."""

    kind: str
    rule: RightRule
    finding: Finding
    pairs: Pairs = field(default_factory=list)
    taken: Held | None = None
    procedure: Held | None = None
    limits: tuple[str, ...] = ()
    methods: list[Pairs] = field(default_factory=list)
    elsewhere: bool = False
    own_clock_held: bool = False


def clocks_of(view: View, rf: RouteFacts, kind: str, rule: RightRule) -> tuple[str, ...]:
    """Return the clocks of a right: the rule's own or the usual ones, and what the route adds for test reports.

    Usual are: for a designation issue; for a recognition performance of what tests, else issue.
    """
    tests = kind == "recognition" and view.question.result.kind in ("test_report", "glp_study")
    own = rule.on or (("performed",) if tests else ("issued",))
    if view.question.result.kind != "test_report":
        return own
    return (*own, *(clock for clock in rf.route.clocks.reports if clock not in own))


def judges_work(view: View, rf: RouteFacts) -> bool:
    """Whether a report is judged by a designation on the days of the work: a right taken before the report fails."""
    rule = rf.route.issuer.designation
    reports = view.question.result.kind == "test_report"
    return reports and rule is not None and "performed" in clocks_of(view, rf, "designation", rule)


def describe(view: View, held: Held, kind: str, rule: RightRule) -> dict[str, Any]:
    """Return the values that sentences about a right use."""
    issuer = view.inquiry.issuer
    right = held.right
    return {
        "body": issuer.name if issuer is not None else None,
        "kind": kind,
        "by": right.by if right is not None else rule.by,
        "clock": held.clock,
        "day": held.day,
        "status": held.status,
        "requirement": view.question.subject.requirement,
    }


def used_by(held: Held) -> tuple[Used, ...]:
    """Return the record that decided, with the right's own period."""
    if held.right is None:
        return ()
    return (Used(held.right.record, held.right.version, (held.status.start, held.status.end)),)


def judge_right(view: View, rf: RouteFacts, wanted: Wanted, kind: str, rule: RightRule | None) -> Holding | None:
    """Judge designation or recognition; None where the route does not ask for it."""
    if rule is None:
        return None
    pairs = find_pairs(view, rf, kind, rule, lambda item: item_fits(view, item, wanted))
    if rule.begun_before is not None:
        pairs = [pair for pair in pairs if _begun(view, pair, rule.begun_before)]
    here, elsewhere = _at_site(view, pairs)
    clocks = clocks_of(view, rf, kind, rule)
    holding = _judge_limited(view, rf, kind, rule, here, clocks)
    if elsewhere and holding.finding.outcome == FAIL:
        other = _judge_limited(view, rf, kind, rule, here + elsewhere, clocks)
        if other.finding.outcome == PASS:
            other.elsewhere = True
            holding = other
    for method in view.question.subject.standards:
        _judge_method(view, rf, holding, method, clocks)
    return holding


def _judge_limited(
    view: View, rf: RouteFacts, kind: str, rule: RightRule, pairs: Pairs, clocks: tuple[str, ...]
) -> Holding:
    """Judge a right for the procedure of the question alone; where only other procedures hold, `procedure` fails."""
    own = [pair for pair in pairs if for_procedure(view, pair[1])]
    holding = _judge_on(view, rf, kind, rule, own, clocks)
    if len(own) != len(pairs):
        if holding.finding.outcome == FAIL:
            wide = _judge_on(view, rf, kind, rule, pairs, clocks)
            if wide.finding.outcome == FAIL or wide.taken is not None:
                return holding
            holding = wide
        holding.procedure = _worst_of(view, own, clocks)
    elif view.question.subject.procedure is None and holding.finding.outcome != FAIL and holding.taken is None:
        unlimited = [pair for pair in pairs if not pair[1].procedures]
        if len(unlimited) != len(pairs):
            holding.procedure = _worst_of(view, unlimited, clocks)
    if holding.procedure is not None:
        holding.limits = tuple(sorted({name for pair in pairs for name in pair[1].procedures}))
    return holding


def _worst_of(view: View, pairs: Pairs, clocks: tuple[str, ...]) -> Held:
    own = [clock for clock in clocks if clock != "presented"] or ["issued"]
    return min((worst_over(view, pairs, clock)[0] for clock in own), key=lambda held: held.status.state)


def _judge_method(view: View, rf: RouteFacts, holding: Holding, method: str, clocks: tuple[str, ...]) -> None:
    """Judge a method that items of the right name: the worst of the requirement and its methods stands."""
    kind, rule = holding.kind, holding.rule
    here, _ = _at_site(view, find_pairs(view, rf, kind, rule, lambda item: names_method(view, item, method)))
    named = [pair for pair in here if names_method(view, pair[1], method)]
    if not named:
        return
    found = _judge_on(view, rf, kind, rule, named, clocks)
    holding.methods.append(named)
    if RANK[found.finding.outcome] < RANK[holding.finding.outcome]:
        holding.finding = found.finding
    if found.taken is not None and (holding.taken is None or found.taken.state < holding.taken.state):
        holding.taken = found.taken
    holding.own_clock_held = holding.own_clock_held and found.own_clock_held


def _begun(view: View, pair: tuple[RightFacts, ItemFacts, Cover], before: When) -> bool:
    status = pair[1].timeline(view.presented).at(before.earliest - 1)
    return status.state not in (RightState.NOT_YET, RightState.NONE)


def _at_site(view: View, pairs: Pairs) -> tuple[Pairs, Pairs]:
    """Part the rights that count for the question's site from those given for another site."""
    site = view.inquiry.site
    if site is None:
        return pairs, []
    here = [pair for pair in pairs if pair[0].site in (None, site)]
    return here, [pair for pair in pairs if pair[0].site not in (None, site)]


def _judge_on(view: View, rf: RouteFacts, kind: str, rule: RightRule, pairs: Pairs, clocks: tuple[str, ...]) -> Holding:
    findings: list[Finding] = []
    taken: Held | None = None
    for clock in clocks:
        held, missing = worst_over(view, pairs, clock)
        if held.state in TAKEN and clock != "presented" and (taken is None or held.state < taken.state):
            taken = held
        findings.append(_on_clock(view, rf, kind, rule, held, pairs, missing))
    if taken is None and "issued" not in clocks and judges_work(view, rf):
        at_issue, _ = worst_over(view, pairs, "issued")
        if at_issue.state in TAKEN:
            taken = at_issue
        elif at_issue.state is RightState.UNKNOWN and not at_issue.status.possible.isdisjoint(TAKEN):
            findings.append(_on_clock(view, rf, kind, rule, at_issue, pairs, ()))
    worst = min(findings, key=lambda finding: RANK[finding.outcome])
    if rule.silent and worst.outcome == PASS:
        worst = worst._replace(outcome=UNKNOWN, key=f"{kind}.text_silent")
    own = worst.outcome == PASS and taken is None
    return Holding(kind, rule, worst, pairs, taken, own_clock_held=own)


def _on_clock(
    view: View, rf: RouteFacts, kind: str, rule: RightRule, held: Held, pairs: Pairs, missing: tuple[str, ...]
) -> Finding:
    """Say how the right stands on the days of one clock."""
    if held.state in TAKEN:
        return _finding(view, kind, rule, held, PASS, f"{kind}.given")
    if held.state is RightState.HELD:
        return _finding(view, kind, rule, held, PASS, f"{kind}.held")
    if held.state is RightState.UNKNOWN:
        name = held.status.event if held.status.event in _OPEN else name_window(held.status)
        key = f"{kind}.{name}"
        return _finding(view, kind, rule, held, UNKNOWN, key, missing)
    if held.state is RightState.NONE:
        return _absent(view, rf, kind, rule, held)
    return _not_held(view, rf, kind, rule, held, pairs)


_OPEN = ("silence_open", "silence_unclear", "scope_in_words", "clock_missing")


def _finding(
    view: View, kind: str, rule: RightRule, held: Held, outcome: str, key: str, missing: tuple[str, ...] = ()
) -> Finding:
    source = held.right.source if held.right is not None else None
    values = describe(view, held, kind, rule)
    return Finding(kind, outcome, key, values, used_by(held), rule, rule.citation, missing, source=source)


def _not_held(view: View, rf: RouteFacts, kind: str, rule: RightRule, held: Held, pairs: Pairs) -> Finding:
    """Not yet given, or run out by its own end, on the day that counts."""
    if held.state is RightState.NOT_YET and held.clock != "presented":
        shown = best_on(view, pairs, view.presented, "presented")
        if shown.state is RightState.HELD:
            early = find_early(view, rf, kind)
            key = f"{kind}.early_{early.effect}"
            outcome = {Truth.YES: PASS, Truth.NO: FAIL, Truth.UNKNOWN: UNKNOWN}[early.met]
            finding = _finding(view, kind, rule, held, outcome, key)
            return finding._replace(sourced=early.sourced or rule, source=None)
    name = {RightState.NOT_YET: "not_yet", RightState.EXPIRED: "expired"}.get(held.state, "ended")
    if held.status.start == NEVER:
        name = "not_asked_for" if held.status.event == "not_asked" else "only_asked"
    return _finding(view, kind, rule, held, FAIL, f"{kind}.{name}")


def _absent(view: View, rf: RouteFacts, kind: str, rule: RightRule, held: Held) -> Finding:
    """Nothing on record: never given where the list is complete, open where it is not."""
    if view.inquiry.issuer is None and not view.inquiry.stated_issuer:
        return _finding(view, kind, rule, held, UNKNOWN, f"{kind}.no_issuer", ("result.issuer",))
    if view.inquiry.issuer_open is not None:
        return _finding(view, kind, rule, held, UNKNOWN, f"{kind}.no_issuer", (view.inquiry.issuer_missing,))
    found = listing(view, rf, kind, rule.by)
    finding = _finding(view, kind, rule, held, FAIL if found.complete else UNKNOWN, f"{kind}.{found.key}")
    return finding._replace(values={**finding.values, "list": found.title, "address": found.address})
