"""The verdict over all routes on one day of presentation, for a question taken as it stands."""

from __future__ import annotations

from typing import Final, NamedTuple

from cab_registry.domain.codes import Verdict
from cab_registry.engine.attested import stand_for
from cab_registry.engine.criteria import Criterion
from cab_registry.engine.facts import RouteFacts
from cab_registry.engine.finding import FAIL, PASS, UNKNOWN, Finding
from cab_registry.engine.inquiry import Inquiry, View
from cab_registry.engine.judge import ORDER, Trace, judge_route
from cab_registry.engine.reach import judge_reach

VERDICTS: Final[dict[Verdict, int]] = {
    "accepted": 4,
    "accepted_with_conditions": 3,
    "cannot_tell": 2,
    "not_accepted": 1,
    "not_covered": 0,
}
"""The verdicts by rank: over all routes the best one wins."""

_DUTIES: Final = {"must": 2, "may": 1, "discretion": 0}


class OpenValue(NamedTuple):
    """A value that the question leaves out and that could change the verdict, with the verdicts that it could bring."""

    name: str
    verdicts: tuple[Verdict, ...]


class Outcome(NamedTuple):
    """What came of all routes on one day of presentation, and the days around it with the same outcome."""

    best: Trace | None
    traces: tuple[Trace, ...]
    discretionary: tuple[Trace, ...]
    low: int
    high: int
    open: tuple[OpenValue, ...] = ()
    unread: tuple[Finding, ...] = ()
    """What the question says that names nothing, where nothing else speaks against a refusal."""

    @property
    def verdict(self) -> Verdict:
        """The best verdict over all routes."""
        if self.best is None:
            return "cannot_tell" if self.unread else "not_covered"
        return self.best.verdict

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the values that are left out and could change the verdict; none where it is settled."""
        open_ = () if self.unread else self.open
        return tuple(value.name for value in open_) if self.verdict == "cannot_tell" else ()

    @property
    def signature(self) -> tuple[object, ...]:
        """What must stay equal for an answer to hold: verdict, route, first failing check, conditions."""
        if self.best is None:
            return (self.verdict,)
        best = self.best
        grounds = tuple(ground.key for ground in best.conditions)
        return (best.verdict, best.rf.route.id, best.first_failing, grounds)


def rank(trace: Trace) -> tuple[int, int, int, int, str]:
    """Return the order in which routes win: verdict, duty, how far they get, named exporter before any."""
    route = trace.rf.route
    furthest = len(ORDER) if trace.first is None else ORDER.index(trace.findings[trace.first].code)
    specific = 1 if route.exporter else 0
    return (-VERDICTS[trace.verdict], -_DUTIES[route.duty], -furthest, -specific, route.id)


def judge_routes(inquiry: Inquiry, routes: tuple[RouteFacts, ...], presented: int) -> Outcome:
    """Judge the routes that may reach the question on one day of presentation."""
    view = View(inquiry, presented)
    traces: list[Trace] = []
    discretionary: list[Trace] = []
    for rf in routes:
        opened = judge_reach(view, rf)
        if opened is None:
            continue
        trace = _judge(view, rf, opened)
        if rf.route.duty == "discretion":
            discretionary.append(_soften(trace))
        else:
            traces.append(trace)
    inquiry.effort.spend(1 + len(traces) + len(discretionary))
    return conclude(traces, discretionary, view.low, view.high)


def conclude(traces: list[Trace], discretionary: list[Trace], low: int, high: int) -> Outcome:
    """Put traces in their order, the one that wins first; a discretionary route wins only where no other reaches."""
    traces.sort(key=rank)
    discretionary.sort(key=rank)
    best = traces[0] if traces else (discretionary[0] if discretionary else None)
    return Outcome(best, tuple(traces), tuple(discretionary), low, high)


def _judge(view: View, rf: RouteFacts, opened: list[Criterion]) -> Trace:
    """Judge a route on the rule asked about, or on each rule that the document attests in its place."""
    inquiry = view.inquiry
    if not inquiry.attests or (rules := stand_for(inquiry, rf)) == inquiry.requirements or not rules:
        return judge_route(view, rf, opened)
    traces: list[Trace] = []
    for rule in rules:
        attested = View(inquiry.on_rule(rule), view.presented)
        traces.append(judge_route(attested, rf, opened))
        view.see(attested.low, attested.high)
    return min(traces, key=lambda trace: VERDICTS[trace.verdict])


def _soften(trace: Trace) -> Trace:
    """A discretionary route decides nothing: whatever passes, the authority may still look at the case."""
    if trace.verdict in ("accepted", "accepted_with_conditions"):
        finding = Finding("recognition", UNKNOWN, "recognition.discretion", {})
        findings = tuple(finding if other.code == "recognition" else other for other in trace.findings)
        index = next(i for i, other in enumerate(findings) if other.code == "recognition")
        return trace._replace(verdict="cannot_tell", findings=findings, first=index)
    return trace


def list_flips(outcome: Outcome) -> dict[str, tuple[Verdict, ...]]:
    """Return, for each value that an open check lacks, the verdicts that it could bring over all routes.

    Only values that could bring another verdict than the one without them are named.
    """
    names: dict[str, None] = {}
    traces = outcome.traces or outcome.discretionary
    for trace in traces:
        for finding in trace.findings:
            if finding.outcome == UNKNOWN:
                names.update(dict.fromkeys(finding.missing))
    flips: dict[str, tuple[Verdict, ...]] = {}
    for name in names:
        found = {_best_if(traces, name, outcome_of) for outcome_of in (PASS, FAIL)}
        if found != {outcome.verdict}:
            flips[name] = order_verdicts(found)
    return flips


def order_verdicts(verdicts: set[Verdict]) -> tuple[Verdict, ...]:
    """Return verdicts, the best one first."""
    return tuple(sorted(verdicts, key=lambda verdict: -VERDICTS[verdict]))


def _best_if(traces: tuple[Trace, ...], name: str, to: str) -> Verdict:
    """The verdict over all routes if every check that lacks a value came out one way."""
    verdicts: list[Verdict] = [_verdict_if(trace, name, to) for trace in traces]
    return max(verdicts, key=lambda verdict: VERDICTS[verdict])


def _verdict_if(trace: Trace, name: str, to: str) -> Verdict:
    left = []
    for finding in trace.findings:
        if finding.outcome != UNKNOWN or name not in finding.missing:
            left.append(finding.outcome)
        elif to == FAIL:
            if finding.reach:
                return "not_covered"
            left.append(FAIL)
    if FAIL in left:
        return "not_accepted"
    if UNKNOWN in left:
        return "cannot_tell"
    return "accepted_with_conditions" if trace.conditions or trace.withheld else "accepted"
