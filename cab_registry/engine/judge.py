"""One route judged on one question: the checks in their order, and the verdict that they give."""

from __future__ import annotations

from typing import Final, NamedTuple

from cab_registry.domain.codes import Verdict
from cab_registry.domain.days import Truth
from cab_registry.domain.records.route import Condition, RightRule
from cab_registry.engine.accreditation import judge_accreditation
from cab_registry.engine.criteria import Criterion
from cab_registry.engine.document import check_document
from cab_registry.engine.facts import RightState, RouteFacts
from cab_registry.engine.finding import FAIL, NOT_APPLICABLE, OUTCOME_OF, RANK, UNKNOWN, Finding, Ground
from cab_registry.engine.holding import Holding, judge_right
from cab_registry.engine.inquiry import View
from cab_registry.engine.losses import check_survival, find_losses
from cab_registry.engine.places import check_procedure, check_site, check_suspension
from cab_registry.engine.positions import Stance, binding, check_position, find_stances, may_bind
from cab_registry.engine.rights import Held, best_on, find_wanted
from cab_registry.engine.standing import check_instrument, check_issuer, check_operational, check_requirement

ORDER: Final = (
    "direction",
    "result_kind",
    "product",
    "activity",
    "instrument",
    "operational",
    "requirement",
    "issuer",
    "designation",
    "recognition",
    "accreditation",
    "procedure",
    "site",
    "suspension",
    "survival",
    "document",
    "position",
)


class Trace(NamedTuple):
    """What came of one route: verdict, findings in order, and what they carry along."""

    rf: RouteFacts
    verdict: Verdict
    findings: tuple[Finding, ...]
    first: int | None
    conditions: tuple[Ground, ...]
    stances: tuple[Stance, ...]
    withheld: tuple[Ground, ...] = ()
    """The conditions with which it would be accepted, were every open check to pass."""

    @property
    def first_failing(self) -> str | None:
        """Code of the first failing check; of the first unknown one where none fails."""
        return None if self.first is None else self.findings[self.first].code


def _opened(criterion: Criterion) -> Finding:
    return Finding(
        criterion.code,
        OUTCOME_OF[criterion.met],
        criterion.key,
        criterion.values,
        sourced=criterion.sourced,
        missing=criterion.missing,
        reach=not criterion.early,
    )


def _merge(findings: list[Finding], opened: list[Criterion]) -> list[Finding]:
    """Put open reach criteria among the checks; where both speak of one code, the worse one stands."""
    for criterion in opened:
        finding = _opened(criterion)
        index = next((i for i, other in enumerate(findings) if other.code == finding.code), None)
        if index is None:
            findings.append(finding)
        elif RANK[finding.outcome] < RANK[findings[index].outcome]:
            findings[index] = finding
    findings.sort(key=lambda finding: ORDER.index(finding.code))
    return findings


def _right_finding(holding: Holding | None, kind: str) -> Finding:
    return holding.finding if holding is not None else Finding(kind, NOT_APPLICABLE, f"{kind}.not_asked")


def _taken(view: View, holding: Holding, held: Held) -> tuple[Held, str, RightRule | None, bool]:
    lifted = best_on(view, holding.pairs, view.presented, "presented").state is RightState.HELD
    return held, holding.kind, holding.rule, lifted


def judge_route(view: View, rf: RouteFacts, opened: list[Criterion]) -> Trace:
    """Run every check of a route that reaches the question."""
    issuer = rf.route.issuer
    wanted = find_wanted(view, rf)
    designation = judge_right(view, rf, wanted, "designation", issuer.designation)
    recognition = judge_right(view, rf, wanted, "recognition", issuer.recognition)
    accredited = judge_accreditation(view, rf, wanted, issuer.accreditation)
    holdings = [holding for holding in (designation, recognition) if holding is not None]
    taken = [_taken(view, holding, holding.taken) for holding in holdings if holding.taken is not None]
    if accredited.taken is not None:
        taken.append((accredited.taken, "accreditation", None, False))
    losses = find_losses(view, rf, holdings, accredited)
    stances = find_stances(view, rf)
    stance = binding(stances)
    saved_by = stance.position if stance is not None and stance.position.says == "accepted" else None
    other = may_bind(stances)
    may_save = other.position if other is not None and other.position.says == "accepted" else None
    findings = [
        check_instrument(view, rf),
        check_operational(view, rf),
        check_requirement(view, rf),
        check_issuer(view, rf),
        _right_finding(designation, "designation"),
        _right_finding(recognition, "recognition"),
        accredited.finding,
        check_procedure(view, holdings),
        check_site(view, rf, holdings, accredited_elsewhere=accredited.elsewhere),
        check_suspension(view, taken),
        check_survival(view, rf, losses, saved_by, may_save),
        check_document(view, rf),
        check_position(stances, lost=bool(losses)),
    ]
    if opened:
        findings = _merge(findings, opened)
    return _conclude(view, rf, findings, stances)


def _conclude(view: View, rf: RouteFacts, findings: list[Finding], stances: list[Stance]) -> Trace:
    first = next((index for index, finding in enumerate(findings) if finding.outcome == FAIL), None)
    verdict: Verdict = "not_accepted"
    if first is not None:
        return Trace(rf, verdict, tuple(findings), first, (), tuple(stances))
    conditions = _conditions(view, rf, findings)
    first = next((index for index, finding in enumerate(findings) if finding.outcome == UNKNOWN), None)
    if first is not None:
        return Trace(rf, "cannot_tell", tuple(findings), first, (), tuple(stances), conditions)
    verdict = "accepted_with_conditions" if conditions else "accepted"
    return Trace(rf, verdict, tuple(findings), None, conditions, tuple(stances))


def _conditions(view: View, rf: RouteFacts, findings: list[Finding]) -> tuple[Ground, ...]:
    found: dict[str, Ground] = {}
    for finding in findings:
        for ground in finding.conditions:
            found.setdefault(ground.key, ground)
    clause = rf.route.clause
    if clause is not None and clause.use == "in_use":
        begun = Truth.YES if clause.from_ is None else view.reached(clause.from_)
        if begun is Truth.YES and clause.condition:
            found.setdefault("clause", Ground("clause", clause.condition, clause.citation))
    for condition in rf.route.conditions:
        if _applies(view, condition):
            found.setdefault(condition.key, Ground(condition.key, condition.text, condition.citation))
    return tuple(found.values())


def _applies(view: View, condition: Condition) -> bool:
    """Whether a condition of the route is meant for this case on the day of presentation."""
    question, inquiry = view.question, view.inquiry
    narrowed = (
        (condition.result_kinds, {question.result.kind}),
        (condition.requirements, set(inquiry.rules)),
        (condition.procedures, {question.subject.procedure}),
        (condition.product_classes, {question.subject.product_class}),
    )
    if any(wanted and not actual & set(wanted) for wanted, actual in narrowed):
        return False
    if set(condition.unless_attests) & set(inquiry.attests):
        return False
    if condition.from_ is not None and view.reached(condition.from_) is not Truth.YES:
        return False
    return condition.until is None or view.reached(condition.until.moved(1)) is not Truth.YES
