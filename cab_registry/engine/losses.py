"""The check `survival`: what a loss between issue and presentation does to an older result (domain.md, section 7)."""

from __future__ import annotations

from typing import Any, NamedTuple

from cab_registry.domain.days import ALWAYS, Period, Truth, When, add_months, show_day
from cab_registry.domain.records import Position
from cab_registry.domain.records.route import SurvivalRule
from cab_registry.engine.accreditation import Accredited
from cab_registry.engine.criteria import find_listed
from cab_registry.engine.document import notices_on_result
from cab_registry.engine.facts import Force, RightState, RouteFacts, Working, begins_then
from cab_registry.engine.finding import FAIL, NOT_APPLICABLE, OUTCOME_OF, PASS, RANK, UNKNOWN, Finding, Ground, Used
from cab_registry.engine.holding import Holding, used_by
from cab_registry.engine.inquiry import View
from cab_registry.engine.notices import may_find_owner
from cab_registry.engine.rights import Pairs, best_on, find_loss
from cab_registry.engine.standing import operational_clocks

_NO_LOSS = Finding("survival", NOT_APPLICABLE, "survival.no_loss")


class Loss(NamedTuple):
    """Something that stood on the result's own clocks and stands no more on the day of presentation."""

    reason: str
    on: When | None
    values: dict[str, Any]
    used: tuple[Used, ...] = ()
    notice: When | None = None
    open: bool = False
    silent: bool = False


_REASONS = {
    RightState.SUSPENDED: "suspension",
    RightState.WITHDRAWN: "withdrawal",
    RightState.EXPIRED: "expiry",
    RightState.EDITION_ENDED: "expiry",
}


_OF_THE_BODY = frozenset(_REASONS.values())
"""Losses of a right that the body itself held."""

CONTROL = frozenset(
    (
        *(f"module_{letter}" for letter in ("c2", "d", "d1", "e", "e1", "f", "f1", "h", "h1")),
        *("avcp_1_plus", "avcp_1", "avcp_2_plus", "surveillance"),
    )
)
"""Procedures that go on while goods are made."""


def is_control(view: View) -> bool:
    """Whether a result is about production control, which goes on and so needs a body that is alive."""
    return view.question.result.kind == "qms_approval" or view.question.subject.procedure in CONTROL


def find_losses(view: View, rf: RouteFacts, holdings: list[Holding], accredited: Accredited) -> list[Loss]:
    """List what was lost between the result's own clocks and the day of presentation."""
    if view.presented < view.inquiry.issued.first:
        return []
    held = [
        (holding.kind, pairs)
        for holding in holdings
        if holding.own_clock_held
        for pairs in (holding.pairs, *holding.methods)
    ]
    rule = rf.route.issuer.accreditation
    if rule is not None and rule.loss_after_issue == "survival" and accredited.finding.key == "accreditation.held":
        held.extend(("accreditation", pairs) for pairs in accredited.groups)
    law = (_lost_instrument(view, rf), _lost_operation(view, rf), _lost_listing(view, rf))
    rights = (_lost_right(view, kind, pairs) for kind, pairs in held)
    return [
        *(loss for loss in law if loss is not None),
        *_lost_membership(view, rf),
        *_excluded_class(view, rf),
        *_found_barred(view, rf),
        *(loss for loss in rights if loss is not None),
    ]


def _lost_right(view: View, kind: str, pairs: Pairs) -> Loss | None:
    if best_on(view, pairs, view.presented, "presented").state is RightState.HELD:
        return None
    shown = find_loss(view, pairs)
    reason = _REASONS.get(shown.state)
    values = {
        "kind": kind,
        "by": shown.right.by if shown.right is not None else None,
        "event": shown.status.event,
        "lost": shown.status.lost,
    }
    if reason is None:
        possible = [name for state, name in _REASONS.items() if state in shown.status.possible]
        if shown.state is RightState.UNKNOWN and possible:
            return Loss(possible[0], shown.status.on, values, used_by(shown), open=True)
        return None
    ended = shown.status.on or shown.status.end.moved(1)
    return Loss(reason, shown.status.lost or ended, {**values, "ended": ended}, used_by(shown))


def _lost_instrument(view: View, rf: RouteFacts) -> Loss | None:
    state = view.now(rf.force)
    if state.force in (Force.IN_FORCE, Force.NONE) or begins_then(state):
        return None
    values = {"state": state}
    reason = "annex" if state.annex else "instrument"
    return Loss(reason, state.on, values, notice=state.notice, open=state.force is Force.UNKNOWN)


def _lost_operation(view: View, rf: RouteFacts) -> Loss | None:
    if "presented" in operational_clocks(view, rf):
        return None
    state = view.now(rf.working)
    if state.working is not Working.ENDED or view.now(rf.force).force is not Force.IN_FORCE:
        return None
    return Loss("operation", state.on, {"state": state})


def _lost_listing(view: View, rf: RouteFacts) -> Loss | None:
    if not view.inquiry.requirements:
        return None
    listed = find_listed(view, rf, view.inquiry.requirements[0])
    if listed is None or listed.item.transition is not None:
        return None
    if listed.period.end.latest < min(view.inquiry.performed.first, view.inquiry.issued.first):
        return None
    over = view.reached(listed.period.end.moved(1)) if listed.period.end.latest < 10**6 * 9 else Truth.NO
    if over is Truth.NO:
        return None
    values = {"requirement": view.inquiry.requirements[0], "period": listed.period}
    return Loss("listing", listed.period.end.moved(1), values, open=over is Truth.UNKNOWN)


def _found_barred(view: View, rf: RouteFacts) -> list[Loss]:
    """A finding on ownership after issue: whether what was made before is still worth anything, no text says."""
    issuer, bar = view.inquiry.issuer, rf.route.issuer.findings_bar
    if issuer is None or bar is None:
        return []
    return [
        Loss("finding", notice.on, {"body": issuer.name, "by": notice.by, "event": notice.effect}, silent=True)
        for notice, _ in issuer.notices
        if notice.effect == "prohibited_entity"
        and may_find_owner(view, rf, notice)
        and notice.on.reached(view.inquiry.issued.last) is Truth.NO
        and view.reached(notice.on) is Truth.YES
        and (notice.until is None or view.reached(notice.until.moved(1)) is not Truth.YES)
    ]


def _lost_membership(view: View, rf: RouteFacts) -> list[Loss]:
    economy = view.inquiry.economy
    if economy is None or not rf.exporters:
        return []
    for code in {economy, view.facts.state_of(economy)}:
        for _, period in view.facts.memberships.get(code, ()):
            view.holds(period)
    parties = view.facts.side(economy, view.presented)
    if any(code in parties and view.holds(period) is not Truth.NO for code, period in rf.exporters):
        return []
    return [Loss("membership", None, {"economy": economy, "exporters": [code for code, _ in rf.exporters]})]


def _excluded_class(view: View, rf: RouteFacts) -> list[Loss]:
    asked = view.question.subject.product_class
    for item, period in rf.excluded.get(asked or "", ()):
        if item.why != "silent" and view.holds(period) is Truth.YES:
            return [Loss("exclusion", item.from_, {"product": asked})]
    return []


def _find_rule(view: View, rf: RouteFacts, loss: Loss) -> SurvivalRule | None:
    subject, kind = view.question.subject, view.question.result.kind
    ids = set(view.inquiry.requirements)
    for requirement in view.inquiry.requirements:
        ids |= view.facts.spell(requirement)
    for rule in rf.survival:
        reasons = (rule.reason,) if isinstance(rule.reason, str) else rule.reason
        if loss.reason not in reasons and "any" not in reasons:
            continue
        if rule.result_kinds and kind not in rule.result_kinds:
            continue
        if rule.procedures and subject.procedure not in rule.procedures:
            continue
        if rule.product_classes and subject.product_class not in rule.product_classes:
            continue
        if rule.requirements and not ids & set(rule.requirements):
            continue
        return rule
    return None


def check_survival(
    view: View, rf: RouteFacts, losses: list[Loss], saved_by: Position | None, may_save: Position | None = None
) -> Finding:
    """The result outlives every loss, or a position that binds here says that it is accepted all the same."""
    if not losses:
        return _NO_LOSS
    judged = [_judged(view, rf, loss) for loss in losses]
    worst = min(judged, key=lambda finding: RANK[finding.outcome])
    if worst.outcome != PASS and saved_by is not None:
        return worst._replace(outcome=PASS, key="survival.position", conditions=(), missing=())
    if worst.outcome == FAIL and may_save is not None:
        return worst._replace(outcome=UNKNOWN, key="survival.may_be_saved", values={**worst.values, "by": may_save.by})
    conditions = tuple(ground for finding in judged for ground in finding.conditions)
    return worst._replace(conditions=conditions if worst.outcome == PASS else ())


def _judged(view: View, rf: RouteFacts, loss: Loss) -> Finding:
    """Judge one loss; one that may not have come yet makes nothing fail."""
    found = _judge(view, rf, loss)
    if loss.open and (found.outcome == FAIL or found.key.startswith("survival.silent")):
        return found._replace(outcome=UNKNOWN, key="survival.window")
    return found


def _judge(view: View, rf: RouteFacts, loss: Loss) -> Finding:
    rule = None if loss.silent else _find_rule(view, rf, loss)
    values = {"reason": loss.reason, "on": loss.on, **loss.values}
    base = Finding(
        "survival", UNKNOWN, f"survival.silent_{loss.reason}", values, loss.used, rule, rule.citation if rule else None
    )
    if rule is None or rule.effect == "silent":
        if rf.route.agreement is None and loss.reason in _OF_THE_BODY and not loss.silent and is_control(view):
            return base._replace(outcome=FAIL, key="survival.needs_active_body")
        return base
    if rule.effect == "falls":
        return base._replace(outcome=FAIL, key="survival.falls")
    if rule.effect == "needs_active_body":
        return base._replace(outcome=FAIL, key="survival.needs_active_body")
    if rule.effect == "acquired_rights":
        return _acquired(view, loss, base)
    end = _last_day(rule, loss)
    if end is not None:
        in_time = view.held_on(Period(ALWAYS, end), rule.clock)
        values = {**values, "end": end}
        if in_time is not Truth.YES:
            return base._replace(
                outcome=OUTCOME_OF[in_time],
                key="survival.run_out" if in_time is Truth.NO else "survival.may_have_run_out",
                values={**values, "clock": rule.clock},
                missing=_ask(view, rule),
            )
        base = base._replace(values=values)
    if rule.effect == "takeover":
        return _taken_over(view, rf, rule, base)
    grounds = (Ground("survival", rule.condition, rule.citation),) if rule.condition else ()
    return base._replace(outcome=PASS, key="survival.survives", conditions=grounds)


def _ask(view: View, rule: SurvivalRule) -> tuple[str, ...]:
    """Return what to ask for where the rule's last day is one of filing, and the filing is not stated."""
    return ("result.submitted_on",) if rule.clock == "submitted" and view.question.submitted is None else ()


def _last_day(rule: SurvivalRule, loss: Loss) -> When | None:
    end = rule.until
    if rule.months is not None and loss.on is not None:
        limit = When(add_months(loss.on.earliest, rule.months), add_months(loss.on.latest, rule.months))
        end = limit if end is None else end.earlier_of(limit)
    return end


def _acquired(view: View, loss: Loss, base: Finding) -> Finding:
    """Ordered before the notice and issued before the effect; reach has seen to the second."""
    notice = loss.notice or loss.on
    if notice is None:
        return base._replace(key="survival.no_notice")
    ordered = view.question.ordered
    values = {**base.values, "notice": notice}
    if ordered is not None:
        met = Truth(2 - notice.reached(ordered))
        key = "survival.ordered_before" if met is Truth.YES else "survival.ordered_after"
        return base._replace(outcome=OUTCOME_OF[met], key=key, values={**values, "ordered": show_day(ordered)})
    if notice.reached(view.inquiry.performed.first) is Truth.NO and not view.inquiry.performed_assumed:
        return base._replace(outcome=PASS, key="survival.begun_before", values=values)
    if notice.reached(view.inquiry.issued.last) is Truth.NO:
        return base._replace(outcome=PASS, key="survival.begun_before", values=values)
    return base._replace(outcome=UNKNOWN, key="survival.order_missing", values=values, missing=("result.ordered_on",))


def _taken_over(view: View, rf: RouteFacts, rule: SurvivalRule, base: Finding) -> Finding:
    effects = {notice.effect for notice, _ in notices_on_result(view, rf) if view.reached(notice.on) is Truth.YES}
    if "not_taken_over" in effects and "taken_over" not in effects:
        return base._replace(outcome=FAIL, key="survival.not_taken_over")
    name = "finish_takeover" if "taken_over" in effects else "show_takeover"
    text = rule.condition or ""
    return base._replace(
        outcome=PASS,
        key="survival.taken_over" if "taken_over" in effects else "survival.takeover_open",
        conditions=(Ground(name, text, rule.citation),),
    )
