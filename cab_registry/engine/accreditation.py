"""The check `accreditation`: to the right standard, by an admitted body, in scope, on the days that count."""

from __future__ import annotations

from typing import NamedTuple

from cab_registry.domain.days import ALWAYS, NEVER, Period, Truth
from cab_registry.domain.folding import fold
from cab_registry.domain.records.route import AccreditationRule, AdmittedAccreditor, AdmittedStandard, Cover
from cab_registry.engine.coverage import listing
from cab_registry.engine.facts import RightFacts, RightState, RouteFacts
from cab_registry.engine.finding import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, Finding
from cab_registry.engine.holding import judges_work, used_by
from cab_registry.engine.inquiry import View, turns_of
from cab_registry.engine.mandate import accredits
from cab_registry.engine.rights import (
    NOTHING,
    TAKEN,
    Gate,
    Held,
    Pairs,
    Wanted,
    for_procedure,
    is_named,
    item_fits,
    name_window,
    names_method,
    states_over,
    worst_over,
)

_ANY = Cover(any=True)


class Accredited(NamedTuple):
    """The finding, and what a decision had taken away on the days that count."""

    finding: Finding
    taken: Held | None = None
    elsewhere: bool = False
    groups: tuple[Pairs, ...] = ()


_NOT_ASKED = Accredited(Finding("accreditation", NOT_APPLICABLE, "accreditation.not_asked"))


def _default_clocks(view: View) -> tuple[str, ...]:
    if view.question.result.kind == "test_report":
        return ("performed",)
    return ("performed", "issued")


def _admits_standard(rule: AccreditationRule, right: RightFacts, day: int) -> Truth:
    if _unsettled(rule, right, day):
        return Truth.UNKNOWN
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


def _unsettled(rule: AccreditationRule, right: RightFacts, day: int) -> bool:
    """Whether nobody can say if the edition counts: the act cites another one until it changes."""
    return any(
        fold(cited.standard) == fold(right.standard or "")
        and (not cited.editions or right.edition in cited.editions)
        and _standard_period(cited).holds(day) is not Truth.NO
        for cited in rule.unsettled
    )


def _standard_period(admitted: AdmittedStandard) -> Period:
    return Period(admitted.from_ or ALWAYS, admitted.until or NEVER)


def _admits_accreditor(view: View, rf: RouteFacts, rule: AccreditationRule, right: RightFacts, day: int) -> Truth:
    if right.actor is None or not accredits(view.facts, right.by):
        return Truth.NO
    if not rule.by:
        return Truth.YES
    best = Truth.NO
    for admitted in rule.by:
        if isinstance(admitted, str):
            if is_named(view, rf, (admitted,), right.by):
                return Truth.YES
        elif right.by in view.facts.same_authority(admitted.authority) and _for_economy(view, admitted):
            best = max(best, admitted.period.holds(day))
    return best


def _for_economy(view: View, admitted: AdmittedAccreditor) -> bool:
    if not admitted.site_economies:
        return True
    return bool(set(admitted.site_economies) & ({view.inquiry.economy} | view.inquiry.issuer_parties))


def _statuses(view: View, rf: RouteFacts, right: RightFacts) -> list[Period]:
    """Return when the accreditation body was a signatory of the arrangement, or of its successor, for the standard."""
    authority = view.facts.authorities.get(right.by)
    return [
        status.period
        for status in (authority.signatory if authority is not None else ())
        if status.arrangement in rf.signatory_arrangements
        and (not status.standards or fold(right.standard or "") in {fold(text) for text in status.standards})
    ]


def _open_gate(view: View, rf: RouteFacts, rule: AccreditationRule, clock: str) -> Gate:
    """Return what the route asks of the accreditation body and of the standard on each day of a clock."""
    others = [name for name in rule.signatory_on if name != clock and name not in _clocks_of(view, rule)]

    def admits(right: RightFacts, day: int) -> Truth:
        admitted = min(_admits_standard(rule, right, day), _admits_accreditor(view, rf, rule, right, day))
        if admitted is Truth.NO or not rule.signatory_of:
            return admitted
        periods = _statuses(view, rf, right)
        if clock in rule.signatory_on:
            admitted = min(admitted, max((period.holds(day) for period in periods), default=Truth.NO))
        return min([admitted, *(view.held_by(periods, other) for other in others)])

    return Gate(admits, _turns(view, rf, rule))


def _turns(view: View, rf: RouteFacts, rule: AccreditationRule) -> frozenset[int]:
    """Return the days on which an admission or a signatory status may change."""
    periods = [admitted.period for admitted in rule.by if not isinstance(admitted, str)]
    periods += [_standard_period(admitted) for admitted in rule.standards if not isinstance(admitted, str)]
    if rule.signatory_of:
        rights = (right for holder in view.inquiry.right_holders for right in holder.accreditations)
        periods += [period for right in rights for period in _statuses(view, rf, right)]
    return frozenset(day for period in periods for day in turns_of(period))


def _clocks_of(view: View, rule: AccreditationRule) -> tuple[str, ...]:
    return rule.on or _default_clocks(view)


def _ever_admitted(view: View, right: RightFacts, gates: dict[str, Gate]) -> bool:
    """Whether an accreditation may count on any day of the clocks: one that never does is as if it were not there."""
    for clock, gate in gates.items():
        span = view.clock(clock)
        for day in {span.first, span.last, *(turn for turn in gate.turns if span.first < turn < span.last)}:
            if gate.admits(right, day) is not Truth.NO:
                return True
    return False


def _find_pairs(
    view: View, wanted: Wanted, rule: AccreditationRule, gates: dict[str, Gate]
) -> tuple[Pairs, dict[str, Pairs], bool]:
    """Return admitted pairs for the requirement, those for each named method, and whether any was refused."""
    methods = view.question.subject.standards
    fitting: Pairs = []
    named: dict[str, Pairs] = {method: [] for method in methods}
    refused = False
    for holder in view.inquiry.right_holders:
        for right in holder.accreditations:
            admitted = _ever_admitted(view, right, gates)
            for item in right.items:
                if (
                    rule.scope == "any"
                    or item.text_only
                    or (item_fits(view, item, wanted) and for_procedure(view, item))
                ):
                    refused = refused or not admitted
                    if admitted:
                        fitting.append((right, item, _ANY))
                for method in methods if admitted else ():
                    if names_method(view, item, method):
                        named[method].append((right, item, _ANY))
    return fitting, named, refused


def _at_site(view: View, pairs: Pairs) -> Pairs:
    site = view.inquiry.site
    return pairs if site is None else [pair for pair in pairs if pair[0].site in (None, site)]


def judge_accreditation(view: View, rf: RouteFacts, wanted: Wanted, rule: AccreditationRule | None) -> Accredited:
    """Judge accreditation on its clocks; every method that a scope item names is judged beside the requirement."""
    if rule is None:
        return _NOT_ASKED
    gates = {clock: _open_gate(view, rf, rule, clock) for clock in _clocks_of(view, rule)}
    fitting, named, refused = _find_pairs(view, wanted, rule, gates)
    groups = [fitting, *(pairs for pairs in named.values() if pairs)]
    at_site = [_at_site(view, fitting), *(near for pairs in named.values() if (near := _at_site(view, pairs)))]
    here = _judge(view, rf, rule, at_site, gates, refused=refused)
    if here.finding.outcome == FAIL and view.inquiry.site is not None:
        anywhere = _judge(view, rf, rule, groups, gates, refused=refused)
        if anywhere.finding.outcome == PASS:
            return anywhere._replace(elsewhere=True)
    return here


def _judge(
    view: View, rf: RouteFacts, rule: AccreditationRule, groups: list[Pairs], gates: dict[str, Gate], *, refused: bool
) -> Accredited:
    worst, missing = _worst(view, groups, gates)
    if rule.need == "supports" and rule.lapse == "fails" and _only_begins(view, groups, gates):
        worst, missing = Held(NOTHING), ()
    values = {**describe_accreditation(view, worst), "standards": rule.standards}
    if worst.state is RightState.NONE and groups[0] and not refused:
        values["by"] = groups[0][0][0].by
    finding = _finding(view, rf, rule, worst, values, missing, refused=refused or bool(groups[0]))
    if (
        finding.outcome == UNKNOWN
        and worst.right is not None
        and _unsettled(rule, worst.right, view.inquiry.issued.last)
    ):
        finding = finding._replace(key="accreditation.other_edition")
    weighs = not (rule.need == "supports" and rule.lapse != "fails")
    taken = worst if worst.state in TAKEN and weighs else None
    if taken is None and weighs and finding.outcome == PASS and judges_work(view, rf):
        at_issue, _ = _worst(view, groups, {"issued": next(iter(gates.values()))})
        taken = at_issue if at_issue.state in TAKEN else None
    return Accredited(finding, taken, groups=tuple(groups))


_UNLAPSED = frozenset((RightState.NONE, RightState.NOT_YET, RightState.HELD))


def _only_begins(view: View, groups: list[Pairs], gates: dict[str, Gate]) -> bool:
    """Whether what is on record begins after a day that counts, and nothing lapsed: in support it weighs nothing."""
    states = {
        state for pairs in groups for clock, gate in gates.items() for state in states_over(view, pairs, clock, gate)
    }
    return RightState.NOT_YET in states and states <= _UNLAPSED


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


def _worst(view: View, groups: list[Pairs], gates: dict[str, Gate]) -> tuple[Held, tuple[str, ...]]:
    worst: Held | None = None
    lacks: tuple[str, ...] = ()
    for pairs in groups:
        for clock, gate in gates.items():
            held, missing = worst_over(view, pairs, clock, gate)
            lacks += missing
            if worst is None or held.state < worst.state:
                worst = held
    return worst or Held(NOTHING), lacks


_OPEN = ("scope_in_words", "clock_missing", "validity_unknown", "admission_window")

_LAPSES = {
    RightState.NOT_YET: "not_yet",
    RightState.EDITION_ENDED: "edition_ended",
    RightState.SUSPENDED: "taken",
    RightState.WITHDRAWN: "taken",
}


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
    if state in TAKEN and not (rule.need == "supports" and rule.lapse != "fails"):
        return base._replace(key="accreditation.given")
    if state is RightState.UNKNOWN:
        event = held.status.event
        key = f"accreditation.{event if event in _OPEN else name_window(held.status)}"
        return base._replace(outcome=UNKNOWN, key=key, missing=missing)
    if state is RightState.NONE:
        return _absent(view, rf, rule, base, refused=refused)
    name = _LAPSES.get(state, "expired")
    outcome = {"fails": FAIL, "alerts": PASS, "silent": UNKNOWN}[rule.lapse]
    suffix = "" if rule.lapse == "fails" else f"_{rule.lapse}"
    return base._replace(outcome=outcome, key=f"accreditation.{name}{suffix}")


def _absent(view: View, rf: RouteFacts, rule: AccreditationRule, base: Finding, *, refused: bool) -> Finding:
    if rule.need == "supports":
        return base._replace(outcome=NOT_APPLICABLE, key="accreditation.none_in_support")
    if refused:
        return base._replace(outcome=FAIL, key="accreditation.not_admitted")
    inquiry = view.inquiry
    if inquiry.issuer is None and (not inquiry.stated_issuer or inquiry.issuer_open is not None):
        return base._replace(outcome=UNKNOWN, key="accreditation.no_issuer", missing=(inquiry.issuer_missing,))
    words = [admitted if isinstance(admitted, str) else admitted.authority for admitted in rule.by] or ["exporter"]
    found = listing(view, rf, "accreditation", words)
    values = {**base.values, "list": found.title, "address": found.address}
    return base._replace(outcome=FAIL if found.complete else UNKNOWN, key=f"accreditation.{found.key}", values=values)
