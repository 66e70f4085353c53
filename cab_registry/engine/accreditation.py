"""The check `accreditation`: to the right standard, by an admitted body, in scope, on the days that count."""

from __future__ import annotations

from typing import NamedTuple

from cab_registry.domain.days import ALWAYS, NEVER, Period, Truth
from cab_registry.domain.records.route import AccreditationRule, AdmittedAccreditor, AdmittedStandard, Cover
from cab_registry.engine.coverage import listing
from cab_registry.engine.facts import ItemFacts, RightFacts, RightState, RouteFacts
from cab_registry.engine.finding import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, Finding
from cab_registry.engine.holding import TAKEN, used_by
from cab_registry.engine.inquiry import View, fold
from cab_registry.engine.rights import NOTHING, Held, Wanted, given_by, item_fits, worst_over

Pairs = list[tuple[RightFacts, ItemFacts, Cover]]
_ANY = Cover(any=True)


class Accredited(NamedTuple):
    """The finding, and what a decision had taken away on the days that count."""

    finding: Finding
    taken: Held | None = None
    elsewhere: bool = False
    pairs: tuple[tuple[RightFacts, ItemFacts, Cover], ...] = ()


_NOT_ASKED = Accredited(Finding("accreditation", NOT_APPLICABLE, "accreditation.not_asked"))


def _default_clocks(view: View) -> tuple[str, ...]:
    if view.question.result.kind == "test_report":
        return ("performed",)
    return ("performed", "issued")


def _admits_standard(rule: AccreditationRule, right: RightFacts, day: int) -> Truth:
    if not rule.standards:
        return Truth.YES
    name = fold(right.standard or "")
    best = Truth.NO
    for admitted in rule.standards:
        if isinstance(admitted, str):
            if fold(admitted) == name:
                return Truth.YES
        elif fold(admitted.standard) == name:
            if admitted.editions and right.edition not in admitted.editions:
                continue
            best = max(best, _standard_period(admitted).holds(day))
    return best


def _standard_period(admitted: AdmittedStandard) -> Period:
    return Period(admitted.from_ or ALWAYS, admitted.until or NEVER)


def _admits_accreditor(view: View, rule: AccreditationRule, right: RightFacts, day: int) -> Truth:
    if not rule.by:
        return Truth.YES
    best = Truth.NO
    for admitted in rule.by:
        if isinstance(admitted, str):
            if given_by(view, (admitted,), right.by):
                return Truth.YES
        elif right.by in view.facts.same_authority(admitted.authority) and _for_economy(view, admitted):
            best = max(best, admitted.period.holds(day))
    return best


def _for_economy(view: View, admitted: AdmittedAccreditor) -> bool:
    if not admitted.site_economies:
        return True
    return bool(set(admitted.site_economies) & ({view.inquiry.economy} | view.inquiry.issuer_parties))


def _signs(view: View, rf: RouteFacts, rule: AccreditationRule, right: RightFacts) -> Truth:
    """Whether the accreditation body is a signatory of the arrangement, or of its successor, on the clocks asked."""
    if not rule.signatory_of:
        return Truth.YES
    authority = view.facts.authorities.get(right.by)
    if authority is None:
        return Truth.NO
    worst = Truth.YES
    for clock in rule.signatory_on:
        best = Truth.NO
        for status in authority.signatory:
            if status.arrangement not in rf.signatory_arrangements:
                continue
            if status.standards and fold(right.standard or "") not in {fold(text) for text in status.standards}:
                continue
            best = max(best, view.held_on(status.period, clock))
        worst = min(worst, best)
    return worst


def _find_pairs(view: View, rf: RouteFacts, wanted: Wanted, rule: AccreditationRule) -> tuple[Pairs, Pairs, bool]:
    """Return admitted pairs for the requirement, admitted pairs for named methods, and whether any was refused."""
    methods = set(view.question.subject.standards)
    day = view.inquiry.performed.last
    fitting: Pairs = []
    named: Pairs = []
    refused = False
    for holder in view.inquiry.right_holders:
        for right in holder.accreditations:
            admitted = min(
                _admits_standard(rule, right, day),
                _admits_accreditor(view, rule, right, day),
                _signs(view, rf, rule, right),
            )
            for item in right.items:
                fits = rule.scope == "any" or item.text_only or item_fits(view, item, wanted)
                names = bool(methods) and (item.requirement in methods or bool(item.standards & methods))
                if not fits and not names:
                    continue
                if admitted is Truth.NO:
                    refused = True
                    continue
                if fits:
                    fitting.append((right, item, _ANY))
                if names:
                    named.append((right, item, _ANY))
    return fitting, named, refused


def _at_site(view: View, pairs: Pairs) -> Pairs:
    site = view.inquiry.site
    return pairs if site is None else [pair for pair in pairs if pair[0].site in (None, site)]


def judge_accreditation(view: View, rf: RouteFacts, wanted: Wanted, rule: AccreditationRule | None) -> Accredited:
    """Judge accreditation on its clocks; every method that a scope item names is judged beside the requirement."""
    if rule is None:
        return _NOT_ASKED
    fitting, named, refused = _find_pairs(view, rf, wanted, rule)
    here = _judge(view, rf, rule, _at_site(view, fitting), _at_site(view, named), refused=refused)
    if here.finding.outcome == FAIL and view.inquiry.site is not None:
        anywhere = _judge(view, rf, rule, fitting, named, refused=refused)
        if anywhere.finding.outcome == PASS:
            return anywhere._replace(elsewhere=True)
    return here


def _judge(
    view: View, rf: RouteFacts, rule: AccreditationRule, wanted: Pairs, named: Pairs, *, refused: bool
) -> Accredited:
    groups = [wanted]
    for method in view.question.subject.standards:
        pairs = [pair for pair in named if pair[1].requirement == method or method in pair[1].standards]
        if pairs:
            groups.append(pairs)
    worst, missing = _worst(view, groups, rule.on or _default_clocks(view))
    values = {**describe_accreditation(view, worst), "standards": rule.standards}
    finding = _finding(view, rf, rule, worst, values, missing, refused=refused)
    return Accredited(finding, worst if worst.state in TAKEN else None, pairs=tuple(wanted))


def describe_accreditation(view: View, held: Held) -> dict[str, object]:
    """Return the values that sentences about an accreditation use."""
    issuer, right = view.inquiry.issuer, held.right
    return {
        "body": issuer.name if issuer is not None else None,
        "kind": "accreditation",
        "by": right.by if right is not None else None,
        "standard": right.standard if right is not None else None,
        "edition": right.edition if right is not None else None,
        "clock": held.clock,
        "day": held.day,
        "status": held.status,
        "requirement": view.question.subject.requirement,
    }


def _worst(view: View, groups: list[Pairs], clocks: tuple[str, ...]) -> tuple[Held, tuple[str, ...]]:
    worst: Held | None = None
    lacks: tuple[str, ...] = ()
    for pairs in groups:
        for clock in clocks:
            held, missing = worst_over(view, pairs, clock)
            lacks += missing
            if worst is None or held.state < worst.state:
                worst = held
    return worst or Held(NOTHING), lacks


def _finding(
    view: View,
    rf: RouteFacts,
    rule: AccreditationRule,
    held: Held,
    values: dict[str, object],
    missing: tuple[str, ...],
    *,
    refused: bool,
) -> Finding:
    used, state = used_by(held), held.state
    source = held.right.source if held.right is not None else None
    base = Finding("accreditation", PASS, "accreditation.held", values, used, rule, rule.citation, source=source)
    if state is RightState.HELD:
        return base
    if state in TAKEN:
        return base._replace(key="accreditation.given")
    if state is RightState.UNKNOWN:
        event = held.status.event
        key = (
            f"accreditation.{event}"
            if event in ("scope_in_words", "clock_missing", "validity_unknown")
            else "accreditation.window"
        )
        return base._replace(outcome=UNKNOWN, key=key, missing=missing)
    if state is RightState.NONE:
        return _absent(view, rf, rule, base, refused=refused)
    name = {RightState.NOT_YET: "not_yet", RightState.EDITION_ENDED: "edition_ended"}.get(state, "expired")
    outcome = {"fails": FAIL, "alerts": PASS, "silent": UNKNOWN}[rule.lapse]
    suffix = "" if rule.lapse == "fails" else f"_{rule.lapse}"
    return base._replace(outcome=outcome, key=f"accreditation.{name}{suffix}")


def _absent(view: View, rf: RouteFacts, rule: AccreditationRule, base: Finding, *, refused: bool) -> Finding:
    if rule.need == "supports":
        return base._replace(outcome=NOT_APPLICABLE, key="accreditation.none_in_support")
    if refused:
        return base._replace(outcome=FAIL, key="accreditation.not_admitted")
    if view.inquiry.issuer is None and (not view.inquiry.stated_issuer or view.inquiry.candidates):
        return base._replace(outcome=UNKNOWN, key="accreditation.no_issuer", missing=("result.issuer",))
    words = [admitted if isinstance(admitted, str) else admitted.authority for admitted in rule.by] or ["exporter"]
    found = listing(view, rf, "accreditation", words)
    values = {**base.values, "list": found.title, "address": found.address}
    return base._replace(outcome=FAIL if found.complete else UNKNOWN, key=f"accreditation.{found.key}", values=values)
