"""The answers for several values of what is left out, put together into one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from cab_registry.domain.codes import Verdict
from cab_registry.engine.deciding import Outcome, conclude, rank
from cab_registry.engine.facts import RouteFacts
from cab_registry.engine.finding import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, Finding, Ground
from cab_registry.engine.inquiry import Inquiry, View
from cab_registry.engine.judge import ORDER, Trace
from cab_registry.engine.meaning import OTHER
from cab_registry.engine.reach import list_misses

Labels = tuple[tuple[str, tuple[str, ...]], ...]


class Leaf(NamedTuple):
    """The question with one value for each thing left out, and what came of it."""

    inquiry: Inquiry
    labels: Labels
    outcome: Outcome

    def trace_of(self, rf: RouteFacts) -> Trace | None:
        """Return the trace of a route; none where it does not reach the question with these values."""
        for trace in (*self.outcome.traces, *self.outcome.discretionary):
            if trace.rf is rf:
                return trace
        return None


class _Case(NamedTuple):
    """What one leaf makes of one check of a route."""

    leaf: Leaf
    finding: Finding


CODES: Final = {
    "subject.sector": "requirement",
    "subject.requirement": "requirement",
    "result.issued_on": "document",
    "result.issuer": "issuer",
    "result.number": "document",
    "result.performed_in": "site",
    "result.site": "site",
    "subject.origin": "site",
    "subject.activity": "activity",
    "subject.product_class": "product",
    "subject.procedure": "procedure",
}
"""Under which check a value is asked for where no check of its own differs."""

_GOOD: Final = (PASS, NOT_APPLICABLE)


def merge(leaves: tuple[Leaf, ...], plain: Outcome, presented: int) -> Outcome:
    """Put the outcomes for several values together.

    Args:
        leaves: what came of each value.
        plain: what came of the question as it stands, whose sentences are kept where they hold for all values.
        presented: the day of presentation.
    """
    low = max(plain.low, *(leaf.outcome.low for leaf in leaves))
    high = min(plain.high, *(leaf.outcome.high for leaf in leaves))
    verdicts = {leaf.outcome.verdict for leaf in leaves}
    verdict: Verdict = verdicts.pop() if len(verdicts) == 1 else "cannot_tell"
    if verdict == "not_covered":
        return Outcome(None, (), (), low, high)
    chosen = _choose(leaves)
    best = _Merger(leaves, plain, presented, chosen).merge(verdict)
    others = [
        _Merger(leaves, plain, presented, trace.rf).merge(None)
        for trace in (*plain.traces, *plain.discretionary)
        if trace.rf is not chosen
    ]
    kept = [trace for trace in others if trace is not None]
    rest = conclude(
        [trace for trace in kept if trace.rf.route.duty != "discretion"],
        [trace for trace in kept if trace.rf.route.duty == "discretion"],
        low,
        high,
    )
    if chosen.route.duty == "discretion":
        return rest._replace(best=best, discretionary=(best, *rest.discretionary) if best else rest.discretionary)
    return rest._replace(best=best, traces=(best, *rest.traces) if best else rest.traces)


def _choose(leaves: tuple[Leaf, ...]) -> RouteFacts:
    """Return the route that brings the best verdict for some value, for the most of them."""
    found = [leaf.outcome.best for leaf in leaves if leaf.outcome.best is not None]
    often = Counter(trace.rf.route.id for trace in found)
    return min(found, key=lambda trace: (rank(trace)[0], -often[trace.rf.route.id], rank(trace))).rf


class _Merger:
    """Puts together what several leaves make of one route."""

    __slots__ = ("leaves", "plain", "presented", "rf", "traces")

    def __init__(self, leaves: tuple[Leaf, ...], plain: Outcome, presented: int, rf: RouteFacts) -> None:
        self.leaves = leaves
        self.presented = presented
        self.rf = rf
        self.traces = [(leaf, leaf.trace_of(rf)) for leaf in leaves]
        own = (trace for trace in (*plain.traces, *plain.discretionary) if trace.rf is rf)
        first = next(own, None)
        self.plain = {finding.code: finding for finding in first.findings} if first is not None else {}

    def merge(self, verdict: Verdict | None) -> Trace | None:
        """Return the trace of the route with a verdict; without one, with its own over all values."""
        reached = [trace for _, trace in self.traces if trace is not None]
        if not reached:
            return None
        if verdict is None:
            found: set[Verdict] = {trace.verdict if trace is not None else "not_covered" for _, trace in self.traces}
            verdict = found.pop() if len(found) == 1 else "cannot_tell"
        if verdict in ("accepted", "accepted_with_conditions"):
            return self._accepted(reached, verdict)
        findings = self._findings()
        if verdict == "cannot_tell":
            findings = [_only_where_reached(finding) for finding in findings]
        first = self._first_failing(findings) if verdict == "not_accepted" else self._first_open(findings)
        return Trace(self.rf, verdict, tuple(findings), first, (), reached[0].stances, ())

    def _accepted(self, reached: list[Trace], verdict: Verdict) -> Trace:
        """Every value is accepted, though not always on this route."""
        won = [trace for trace in reached if trace.verdict == verdict]
        grounds: dict[str, Ground] = {ground.key: ground for trace in won for ground in trace.conditions}
        findings = [self._said(finding, won) for finding in won[0].findings]
        return Trace(self.rf, verdict, tuple(findings), None, tuple(grounds.values()), won[0].stances)

    def _said(self, finding: Finding, won: list[Trace]) -> Finding:
        """Keep the sentence that holds for all values; where there is none, say that the value makes no difference."""
        plain = self.plain.get(finding.code)
        if plain is not None and plain.outcome in _GOOD:
            return plain
        if all(finding in trace.findings for trace in won):
            return finding
        return finding._replace(outcome=PASS, key="open.no_difference", values={"what": self._names()}, used=())

    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for leaf in self.leaves for name, _ in leaf.labels))

    def _cases(self) -> dict[str, list[_Case]]:
        cases: dict[str, list[_Case]] = {}
        for leaf, trace in self.traces:
            for finding in trace.findings if trace is not None else self._missed(leaf):
                cases.setdefault(finding.code, []).append(_Case(leaf, finding))
        for code, found in cases.items():
            seen = {id(case.leaf) for case in found}
            reached = Finding(code, PASS, "open.reached")
            found += [_Case(leaf, reached) for leaf, trace in self.traces if trace and id(leaf) not in seen]
        return cases

    def _missed(self, leaf: Leaf) -> Iterable[Finding]:
        misses = list_misses(View(leaf.inquiry, self.presented), self.rf)
        for criterion in misses[:1]:
            yield Finding(criterion.code, FAIL, criterion.key, criterion.values, sourced=criterion.sourced, reach=True)

    def _findings(self) -> list[Finding]:
        cases = self._cases()
        return [self._joined(cases[code]) for code in sorted(cases, key=ORDER.index)]

    def _joined(self, cases: list[_Case]) -> Finding:
        first = cases[0].finding
        plain = self.plain.get(first.code)
        if plain is not None and plain.outcome == UNKNOWN and plain.key.endswith(".unresolved"):
            return plain
        outcomes = {PASS if case.finding.outcome in _GOOD else case.finding.outcome for case in cases}
        if len(outcomes) > 1:
            return self._depends(cases)
        outcome = outcomes.pop()
        if plain is not None and (plain.outcome == outcome or (outcome == PASS and plain.outcome in _GOOD)):
            return plain
        if all(case.finding == first for case in cases) or outcome == UNKNOWN:
            return first
        if outcome == FAIL:
            return _never(first, self._values(cases))
        return first._replace(key="open.no_difference", values={"what": self._names()}, used=())

    def _depends(self, cases: list[_Case]) -> Finding:
        """The check comes out in more than one way: say which, and for which value."""
        base = min((case.finding for case in cases), key=lambda finding: finding.outcome != FAIL)
        missing = _differing(cases)
        return base._replace(
            outcome=UNKNOWN, key="open.depends", values=self._values(cases), missing=missing, conditions=(), used=()
        )

    def _values(self, cases: list[_Case]) -> dict[str, Any]:
        names = _differing(cases)
        return {"what": names, "cases": _tell_apart(cases, names[0])}

    def _first_failing(self, findings: list[Finding]) -> int | None:
        first = next((index for index, finding in enumerate(findings) if finding.outcome == FAIL), None)
        if first is not None:
            return first
        index = next((i for i, finding in enumerate(findings) if finding.key == "open.depends"), None)
        if index is not None:
            findings[index] = _never(findings[index], findings[index].values)._replace(outcome=FAIL, missing=())
        return index

    def _first_open(self, findings: list[Finding]) -> int | None:
        first = next((index for index, finding in enumerate(findings) if finding.outcome == UNKNOWN), None)
        if first is None:
            names = self._names()
            code = CODES[names[-1]]
            index = next((i for i, finding in enumerate(findings) if finding.code == code), None)
            asked = Finding(code, UNKNOWN, "open.conditions", {"what": names}, missing=names)
            if index is None:
                findings.append(asked)
                findings.sort(key=lambda finding: ORDER.index(finding.code))
            else:
                findings[index] = asked
            first = findings.index(asked)
        return first


def _only_where_reached(finding: Finding) -> Finding:
    """A check that fails for each value with which the route reaches the result is open while that is open."""
    if finding.outcome != FAIL:
        return finding
    return finding._replace(outcome=UNKNOWN, key="open.would_fail", values={"finding": finding}, conditions=())


def _never(finding: Finding, values: dict[str, Any]) -> Finding:
    """Say that the check fails whatever was left out."""
    key = "open.nobody" if "result.issuer" in values["what"] else "open.never"
    return finding._replace(key=key, values=values, used=(), source=None)


def _differing(cases: list[_Case]) -> tuple[str, ...]:
    """Return what is left out of which one value makes the check pass and another does not."""
    names = dict.fromkeys(name for case in cases for name, _ in case.leaf.labels)
    return tuple(name for name in names if _turns(cases, name)) or tuple(names)


def _turns(cases: list[_Case], name: str) -> bool:
    found: dict[tuple[str, ...] | None, set[str]] = {}
    for case in cases:
        value = next((labels for other, labels in case.leaf.labels if other == name), None)
        found.setdefault(value, set()).add(PASS if case.finding.outcome in _GOOD else case.finding.outcome)
    return len({frozenset(outcomes) for outcomes in found.values()}) > 1


def _tell_apart(cases: list[_Case], name: str) -> tuple[tuple[tuple[str, ...], Finding], ...]:
    """Return one finding for each way in which the check comes out, with the values that bring it, the others last."""
    told: list[tuple[dict[str, None], Finding]] = []
    by_outcome = len({case.finding.outcome in _GOOD for case in cases}) > 1
    for case in cases:
        finding = case.finding
        values = next((names for names, other in told if _same(finding, other, by_outcome=by_outcome)), None)
        if values is None:
            values = {}
            told.append((values, finding))
        for other, labels in case.leaf.labels:
            if other == name:
                values.update(dict.fromkeys(labels))
    told.sort(key=lambda item: OTHER in item[0])
    return tuple((tuple(values), finding) for values, finding in told)


def _same(one: Finding, other: Finding, *, by_outcome: bool) -> bool:
    if by_outcome:
        return (one.outcome in _GOOD, one.outcome == FAIL) == (other.outcome in _GOOD, other.outcome == FAIL)
    return (one.key, one.values) == (other.key, other.values)
