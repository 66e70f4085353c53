"""What names nothing in the register decides nothing: the answer becomes open (domain.md, section 9, point 16)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cab_registry.engine.criteria import say_unread
from cab_registry.engine.deciding import Outcome
from cab_registry.engine.finding import UNKNOWN, Finding
from cab_registry.engine.inquiry import Inquiry
from cab_registry.engine.judge import ORDER, Trace

_CHECKS: Final = {
    "subject.requirement": "requirement",
    "subject.sector": "requirement",
    "result.attests": "requirement",
    "subject.product_class": "product",
    "subject.activity": "activity",
    "subject.procedure": "procedure",
    "result.issuer_economy": "direction",
    "result.findings": "document",
}
"""Under which check a part of the question is told; the others under that of the site."""

_REFUSED: Final = ("not_accepted", "not_covered")

_WORDS: Final = frozenset(name for name in _CHECKS if name.startswith("subject.") or name == "result.attests")
"""The parts that say what the result is about: nothing is accepted either, where one of them names nothing."""


def list_unread(inquiry: Inquiry) -> Iterator[Finding]:
    """Yield an open finding for each part of the question that names nothing, or nobody for certain."""
    if inquiry.issuer_open is not None:
        key, said = inquiry.issuer_open
        yield Finding("issuer", UNKNOWN, key, said, missing=(inquiry.issuer_missing,))
    for name, ids in inquiry.unresolved.items():
        code = _CHECKS.get(name, "site")
        if name == "subject.requirement" and inquiry.requirements:
            key, values = "requirement.ambiguous", {"requirement": inquiry.said(name), "candidates": ids}
        else:
            key, values = say_unread(inquiry, code, name)
        yield Finding(code, UNKNOWN, key, values, missing=(name,))


def find_decisive(inquiry: Inquiry, outcome: Outcome) -> Finding | None:
    """Return what the words that name nothing leave open, where the verdict hangs on them."""
    if outcome.unread:
        return outcome.unread[0]
    if outcome.verdict != "cannot_tell" or outcome.best is None:
        return None
    lacking = {"subject.requirement"} | {
        name for each in outcome.best.findings if each.outcome == UNKNOWN for name in each.missing
    }
    if any(each.key == "document.unknown_findings" for each in outcome.best.findings):
        lacking.add("result.findings")
    return next((each for each in list_unread(inquiry) if each.missing[0] in lacking), None)


def withhold_unread(inquiry: Inquiry, outcome: Outcome) -> Outcome:
    """Return the outcome; what was decided of a question with words that name nothing as what nobody can tell.

    Whom or which place words mean may not matter where a result is accepted; what it is about does.
    """
    if outcome.verdict == "cannot_tell":
        return outcome
    unread = tuple(list_unread(inquiry))
    if outcome.verdict not in _REFUSED:
        unread = tuple(each for each in unread if each.missing[0] in _WORDS and each.key != "requirement.ambiguous")
    return open_outcome(outcome, unread)._replace(unread=unread) if unread else outcome


def open_outcome(outcome: Outcome, unread: tuple[Finding, ...]) -> Outcome:
    """Return the outcome with what is open in place of the verdicts that were given without it."""
    traces = tuple(_open(trace, unread) for trace in outcome.traces)
    discretionary = tuple(_open(trace, unread) for trace in outcome.discretionary)
    best = traces[0] if traces else (discretionary[0] if discretionary else None)
    return outcome._replace(best=best, traces=traces, discretionary=discretionary)


def _open(trace: Trace, unread: tuple[Finding, ...]) -> Trace:
    """Return a trace with its checks open about which nothing is known; one that is open stays as it is."""
    if trace.verdict == "cannot_tell":
        return trace
    told = {finding.code: finding for finding in reversed(unread)}
    findings = [told.get(finding.code, finding) for finding in trace.findings]
    shown = {finding.code for finding in findings}
    findings.extend(finding for code, finding in told.items() if code not in shown)
    findings.sort(key=lambda finding: ORDER.index(finding.code))
    first = next(index for index, finding in enumerate(findings) if finding.outcome == UNKNOWN)
    return trace._replace(verdict="cannot_tell", findings=tuple(findings), first=first, conditions=())
