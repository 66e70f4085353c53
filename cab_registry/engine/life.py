"""How long a document lives: the end that it prints, the life that the route gives it, and prolongations of either."""

from __future__ import annotations

from typing import Any

from cab_registry.domain.days import Truth, When, add_months, show_day
from cab_registry.domain.records.document import LifeRule
from cab_registry.engine.facts import RouteFacts
from cab_registry.engine.finding import OUTCOME_OF, PASS, UNKNOWN, Finding
from cab_registry.engine.inquiry import View

_ENDLESS = Finding("document", PASS, "document.stands")


def judge_life(view: View, rf: RouteFacts) -> Finding | None:
    """Judge the document's end on the day of presentation; None where neither it nor the route states any.

    A rule for certain classes may apply or not where the class is left out: lives of two outcomes leave it open.
    """
    found: list[Finding] = []
    for rule in rf.route.life:
        fits = _fits(view, rule)
        if fits is not Truth.NO:
            found.append(_judge(view, rule))
        if fits is Truth.YES:
            break
    else:
        found.append(_judge(view, None))
    plain = found[-1]
    other = next((finding for finding in found if finding.outcome != plain.outcome), None)
    if other is not None:
        return plain._replace(outcome=UNKNOWN, key="document.life_of_class", missing=("subject.product_class",))
    return None if plain is _ENDLESS else plain


def _fits(view: View, rule: LifeRule) -> Truth:
    """Whether the rule speaks of this document; unknown where it asks for a class that the question leaves out."""
    question, inquiry = view.question, view.inquiry
    if question.result.kind not in rule.result_kinds:
        return Truth.NO
    if rule.issuer_economies and not set(rule.issuer_economies) & inquiry.issuer_parties:
        return Truth.NO
    if rule.requirements:
        named = set(inquiry.requirements).union(*(view.facts.spell(each) for each in inquiry.requirements))
        if not named & set(rule.requirements):
            return Truth.NO
    if rule.product_classes and question.subject.product_class is None:
        return Truth.UNKNOWN
    return Truth(2 * (not rule.product_classes or question.subject.product_class in rule.product_classes))


def _judge(view: View, rule: LifeRule | None) -> Finding:
    stated = view.question.valid_until
    end, sourced = _find_end(view, rule)
    if end is None:
        return _ENDLESS
    over = view.reached(end.moved(1))
    values: dict[str, Any] = {"end": end, "stated": None if stated is None else show_day(stated)}
    if over is Truth.NO:
        return Finding("document", PASS, "document.alive", values, sourced=sourced)
    key = "document.ended" if sourced is None else "document.ended_by_rule"
    return Finding("document", OUTCOME_OF[Truth(2 - over)], key, values, sourced=sourced)


def _find_end(view: View, rule: LifeRule | None) -> tuple[When | None, LifeRule | None]:
    """Return the last day, and the rule where it is the rule's rather than the document's own."""
    stated = view.question.valid_until
    own = None if stated is None else When(stated, stated)
    if rule is None:
        return own, None
    end, sourced = own, None
    nominal = stated if rule.months is None else add_months(view.clock(rule.after).last, rule.months)
    if nominal is not None and (stated is None or stated >= nominal):
        end = _prolonged(view, rule, nominal)
        sourced = None if end == own else rule
    if rule.until is not None and (end is None or rule.until.earlier_of(end) != end):
        return rule.until if end is None else rule.until.earlier_of(end), rule
    return end, sourced


def _prolonged(view: View, rule: LifeRule, nominal: int) -> When:
    stated = view.question.valid_until
    for prolongation in rule.prolongations:
        if prolongation.unless_restricted and stated is not None and stated < nominal:
            continue
        if prolongation.from_ is not None and view.reached(prolongation.from_) is Truth.NO:
            continue
        begun = prolongation.ends_from.reached(nominal)
        beyond = prolongation.ends_until.moved(1).reached(nominal)
        if begun is Truth.NO or beyond is Truth.YES:
            continue
        if begun is Truth.YES and beyond is Truth.NO:
            return When(max(nominal, prolongation.until.earliest), max(nominal, prolongation.until.latest))
        return When(nominal, max(nominal, prolongation.until.latest))
    return When(nominal, nominal)
