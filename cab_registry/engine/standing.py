"""Checks on law and issuer: `instrument`, `operational`, `requirement`, `issuer`."""

from __future__ import annotations

from typing import Any

from cab_registry.domain.days import NEVER, Period, Truth
from cab_registry.domain.records.law import Edition, Tail
from cab_registry.domain.records.rights import Ownership
from cab_registry.domain.records.route import OwnershipRule
from cab_registry.engine.coverage import Listing, listing
from cab_registry.engine.criteria import find_listed
from cab_registry.engine.early import find_early
from cab_registry.engine.facts import IssuerFacts, RouteFacts, Working, WorkingState
from cab_registry.engine.finding import FAIL, NOT_APPLICABLE, OUTCOME_OF, PASS, UNKNOWN, Finding, worst_of
from cab_registry.engine.inquiry import View
from cab_registry.engine.meaning import OTHER
from cab_registry.engine.notices import find_notifier, may_find_owner, may_state_owner
from cab_registry.engine.representation import REGISTRAR

_NOT_ASKED = Finding("issuer", NOT_APPLICABLE, "issuer.not_asked")


def check_instrument(view: View, rf: RouteFacts) -> Finding:
    """Passes for what reach has let through; an end between issue and presentation is left to `survival`."""
    state = view.now(rf.force)
    return Finding(
        "instrument", PASS, "instrument.in_force", {"state": state, "issued": rf.force.at(view.inquiry.issued.last)}
    )


_WORKS = {
    Working.OPERATIONAL: Truth.YES,
    Working.PILOT: Truth.UNKNOWN,
    Working.UNKNOWN: Truth.UNKNOWN,
    Working.ENDED: Truth.NO,
    Working.NOT_YET: Truth.NO,
}


def _working(view: View, rf: RouteFacts, clock: str) -> WorkingState:
    if clock == "presented":
        return view.now(rf.working)
    span = view.clock(clock)
    return min(rf.working.over(span.first, span.last), key=lambda state: state.working)


def operational_clocks(view: View, rf: RouteFacts) -> tuple[str, ...]:
    """Return the clocks of operation: presentation for statuses, declarations and rules that ask nothing, else issue.

    What the route states goes before.
    """
    if rf.route.clocks.operational:
        return rf.route.clocks.operational
    if view.question.result.kind in ("aeo_status", "manufacturer_declaration") or not asks_issuer(rf):
        return ("presented",)
    return ("issued",)


def asks_issuer(rf: RouteFacts) -> bool:
    """Whether a route asks anything of the issuer but its economy."""
    rule = rf.route.issuer
    held = rule.recognition or rule.designation or rule.accreditation
    return rule.asked and bool(held or rule.authorities or rule.inspects or rule.kinds or rule.kinds_by_result)


def check_operational(view: View, rf: RouteFacts) -> Finding:
    """The direction works on its clocks (usually the day of issue; GMP: the day of presentation)."""
    clocks = operational_clocks(view, rf)
    worst, state, clock = Truth.YES, WorkingState(Working.OPERATIONAL, None, None), "issued"
    for name in clocks:
        now = _working(view, rf, name)
        if _WORKS[now.working] < worst or clock not in clocks:
            worst, state, clock = _WORKS[now.working], now, name
    values: dict[str, Any] = {"state": state, "clock": clock, "day": view.clock(clock).last}
    if worst is Truth.YES:
        return _early_operation(view, rf, values)
    if worst is Truth.UNKNOWN:
        key = "operational.pilot" if state.working is Working.PILOT else "operational.window"
        return Finding("operational", UNKNOWN, key, values)
    if state.working is Working.NOT_YET and clock != "presented":
        early = find_early(view, rf, "operational")
        if early.met is not Truth.NO and view.now(rf.working).working is Working.OPERATIONAL:
            return Finding(
                "operational", OUTCOME_OF[early.met], f"operational.early_{early.effect}", values, sourced=early.sourced
            )
    key = "operational.ended" if state.working is Working.ENDED else "operational.not_yet"
    return Finding("operational", FAIL, key, values)


def _early_operation(view: View, rf: RouteFacts, values: dict[str, Any]) -> Finding:
    """Where operation is judged on presentation only, a rule may still ask when the work was done."""
    rules = rf.route.early_results
    if not isinstance(rules, str):
        for rule in rules:
            if "operational" not in rule.about or rule.clock in operational_clocks(view, rf):
                continue
            if _working(view, rf, rule.clock).working in (Working.NOT_YET, Working.PILOT, Working.UNKNOWN):
                early = find_early(view, rf, "operational")
                values = {**values, "clock": rule.clock, "day": view.clock(rule.clock).last}
                return Finding(
                    "operational",
                    OUTCOME_OF[early.met],
                    f"operational.early_{early.effect}",
                    values,
                    sourced=early.sourced,
                )
    return Finding("operational", PASS, "operational.works", values)


def _in_time(view: View, period: Period, tail: Tail | None, clock: str) -> Truth:
    """Whether a listing or edition counts: on its clock, or inside the changeover after its end on its own clock."""
    if tail is not None and _tail_applies(view, tail):
        started = view.held_on(Period(period.start, NEVER), clock)
        return min(started, view.held_on(Period(period.start, tail.until), tail.clock)) if started else started
    return view.held_on(period, clock)


def _window_of(view: View, period: Period) -> str:
    """Name what is open of a period: whether it had begun on the day of issue, or whether it still ran."""
    return "begin_window" if period.start.reached(view.inquiry.issued.last) is Truth.UNKNOWN else "window"


def _tail_applies(view: View, tail: Tail) -> bool:
    return not tail.procedures or view.question.subject.procedure in tail.procedures


def check_requirement(view: View, rf: RouteFacts) -> Finding:
    """The requirement stands in the list, in an edition in use, when the result was issued."""
    subject = view.question.subject
    if not rf.listed or not view.inquiry.requirements:
        return Finding("requirement", PASS, "requirement.by_sector", {"sector": subject.sector})
    rule = view.inquiry.requirements[0]
    listed = find_listed(view, rf, rule)
    values: dict[str, Any] = {"requirement": rule, "edition": subject.edition}
    if listed is None:
        return Finding("requirement", PASS, "requirement.by_sector", {"sector": subject.sector})
    worst = Truth.YES
    for clock in rf.route.clocks.requirement:
        worst = min(worst, _in_time(view, listed.period, listed.item.transition, clock))
    tail = listed.item.transition
    values["period"] = listed.period
    if tail is not None:
        values |= {"clock": tail.clock, "tail": tail.until}
    if worst is not Truth.YES:
        if worst is Truth.NO and listed.period.start.reached(view.inquiry.issued.last) is Truth.NO:
            early = find_early(view, rf, "requirement")
            return Finding(
                "requirement", OUTCOME_OF[early.met], "requirement.not_yet_listed", values, sourced=listed.item
            )
        ended = "requirement.no_longer_listed" if tail is None else "requirement.changeover_over"
        key = f"requirement.{_window_of(view, listed.period)}" if worst is Truth.UNKNOWN else ended
        missing = ("result.submitted_on",) if worst is Truth.UNKNOWN and view.question.submitted is None else ()
        return Finding("requirement", OUTCOME_OF[worst], key, values, sourced=listed.item, missing=missing)
    plain = all(view.held_on(listed.period, clock) is Truth.YES for clock in rf.route.clocks.requirement)
    key = "requirement.listed" if plain or tail is None else "requirement.in_changeover"
    return _check_edition(view, rf, rule, values) or Finding("requirement", PASS, key, values, sourced=listed.item)


def _check_edition(view: View, rf: RouteFacts, rule: str, values: dict[str, Any]) -> Finding | None:
    edition = view.question.subject.edition
    record = view.facts.requirements.get(rule)
    if edition is None or record is None or not record.editions:
        return None
    found = [item for item in record.editions if item.key.casefold() == edition.casefold()]
    if not found:
        known = ", ".join(item.key for item in record.editions)
        return Finding("requirement", UNKNOWN, "requirement.unknown_edition", {**values, "known": known})
    best = min(_edition_on(view, found, clock) for clock in rf.route.clocks.requirement)
    if best is Truth.YES:
        return None
    window = f"requirement.edition_{_window_of(view, found[0].period)}"
    key = window if best is Truth.UNKNOWN else "requirement.edition_ended"
    return Finding("requirement", OUTCOME_OF[best], key, {**values, "period": found[0].period}, sourced=found[0])


def _edition_on(view: View, editions: list[Edition], clock: str) -> Truth:
    """Whether an edition was in use on a clock: successive periods of it count together, and each changeover."""
    tails = [_in_time(view, item.period, item.transition, clock) for item in editions if item.transition is not None]
    return max(view.held_by([item.period for item in editions], clock), *tails, Truth.NO)


def check_issuer(view: View, rf: RouteFacts) -> Finding:
    """Known, of an admitted kind, and not barred by ownership."""
    rule, inquiry = rf.route.issuer, view.inquiry
    issuer = inquiry.issuer
    asked = view.question.result.issuer
    barred = _parts_barred(view, rf)
    if barred is not None and barred.outcome == FAIL:
        return barred
    if not rule.asked:
        return barred or _NOT_ASKED
    if issuer is None:
        if asked is None:
            return Finding("issuer", UNKNOWN, "issuer.not_stated", missing=("result.issuer",))
        if inquiry.issuer_open is not None:
            key, said = inquiry.issuer_open
            return Finding("issuer", UNKNOWN, key, said, missing=(inquiry.issuer_missing,))
        return _unknown_issuer(view, rf)
    values: dict[str, Any] = {"body": issuer.name}
    wrong = _wrong_kind(view, rf, issuer, values)
    own = wrong or _barred(view, rf, issuer, values)
    return worst_of((own, barred)) or Finding("issuer", PASS, "issuer.admitted", values)


def _parts_barred(view: View, rf: RouteFacts) -> Finding | None:
    """What bars the issuer of a result bars whoever did a part of its work."""
    return worst_of([_barred(view, rf, each, {"body": each.name}, of_part=True) for each in view.inquiry.helpers])


def _unknown_issuer(view: View, rf: RouteFacts) -> Finding:
    asked = view.question.result.issuer
    named = next((part for part in (asked.id, asked.value, asked.name) if part), None) if asked else None
    values: dict[str, Any] = {"body": named}
    if not asks_issuer(rf):
        return Finding("issuer", PASS, "issuer.anyone", values)
    found = _listing(view, rf)
    values |= {"list": found.title, "address": found.address}
    stranger = named == OTHER
    if found.complete:
        return Finding("issuer", FAIL, "issuer.stranger" if stranger else "issuer.not_known", values)
    key = "issuer.stranger_open" if stranger else "issuer.not_in_register"
    return Finding("issuer", UNKNOWN, key, values)


def _listing(view: View, rf: RouteFacts) -> Listing:
    """Return how complete the list is on which the issuer would stand."""
    rule = rf.route.issuer
    needs = rule.recognition or rule.designation
    return listing(view, rf, "recognition" if rule.recognition else "designation", needs.by if needs else ["exporter"])


def _wrong_kind(view: View, rf: RouteFacts, issuer: IssuerFacts, values: dict[str, Any]) -> Finding | None:
    rule = rf.route.issuer
    if rule.authorities and issuer.id not in rule.authorities:
        return Finding("issuer", FAIL, "issuer.other_authority", {**values, "authorities": rule.authorities})
    if issuer.authority is not None and issuer.authority.active:
        held = view.held_by([item.period for item in issuer.authority.active], "issued")
        if held is not Truth.YES:
            return Finding("issuer", OUTCOME_OF[held], "issuer.not_in_office", values)
    if rule.inspects and issuer.authority is not None and not set(rule.inspects) & set(issuer.authority.inspects):
        return Finding("issuer", FAIL, "issuer.not_competent", {**values, "sectors": rule.inspects})
    kinds = rule.kinds_by_result.get(view.question.result.kind, rule.kinds)
    if not kinds:
        return None
    if issuer.body is not None:
        own: tuple[str, ...] = issuer.body.kinds
    else:
        own = ("inspectorate",) if issuer.authority is not None else ()
    if set(kinds) & set(own):
        return None
    values |= {"kinds": kinds, "own": own}
    if issuer.body is not None and not (found := _listing(view, rf)).complete:
        values |= {"list": found.title, "address": found.address}
        return Finding("issuer", UNKNOWN, "issuer.other_kind", values)
    return Finding("issuer", FAIL, "issuer.wrong_kind", values)


def _barred(
    view: View, rf: RouteFacts, issuer: IssuerFacts, values: dict[str, Any], *, of_part: bool = False
) -> Finding | None:
    """A finding on ownership bars what is issued from its day on; a mere fact goes by the route's rule.

    It is for an authority of the market to find it; what another one says of it leaves the question open.
    """
    bar = rf.route.issuer.findings_bar
    found: list[Finding | None] = []
    if bar is not None:
        in_rule = view.holds(bar.period)
        for notice, _ in issuer.notices:
            if notice.effect != "prohibited_entity" or in_rule is Truth.NO or not may_find_owner(view, rf, notice):
                continue
            met = min(in_rule, Period(notice.on, notice.until or NEVER).holds(view.inquiry.issued.last))
            if met is not Truth.NO:
                by = find_notifier(view, notice) or REGISTRAR
                foreign = by != REGISTRAR and view.facts.economy_of(by) not in view.destination_parties
                outcome = UNKNOWN if foreign else OUTCOME_OF[Truth(2 - met)]
                key = "issuer.found_elsewhere" if foreign else "issuer.prohibited"
                said = {**values, "on": notice.on, "by": notice.by}
                found.append(Finding("issuer", outcome, key, said, sourced=bar))
    facts = issuer.body.ownership if issuer.body is not None and may_state_owner(view, issuer.body.owner) else ()
    rules = [rule for rule in rf.route.issuer.ownership if not of_part or rule.fact == "prohibited_entity"]
    found.extend(_owned(view, rule, fact, values) for fact in facts for rule in rules)
    return worst_of(found)


def _owned(view: View, rule: OwnershipRule, fact: Ownership, values: dict[str, Any]) -> Finding | None:
    """Judge a mere fact of ownership: it weighs on what was issued since the rule, if it held while it was made."""
    if rule.fact != fact.fact or not _weighs(rule, fact.share):
        return None
    in_rule = rule.period.holds(view.inquiry.issued.last)
    span = view.inquiry.performed
    during = fact.period.start.earliest <= view.inquiry.issued.last and fact.period.end.latest >= span.first
    if in_rule is Truth.NO or not during:
        return None
    outcome = FAIL if rule.effect == "fails" and in_rule is Truth.YES else UNKNOWN
    return Finding("issuer", outcome, f"issuer.{fact.fact}", {**values, "share": fact.share}, sourced=rule)


def _weighs(bar: OwnershipRule, share: int | None) -> bool:
    return bar.at_least is None or share is None or share >= bar.at_least
