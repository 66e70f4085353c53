"""The checks `procedure`, `site` and `suspension`, which look at what the rights have left open."""

from __future__ import annotations

from typing import Any

from cab_registry.domain.days import Truth
from cab_registry.domain.question import AskedSubcontractor
from cab_registry.domain.records.route import Clause, RightRule, SubcontractorRule
from cab_registry.engine.coverage import listing
from cab_registry.engine.facts import IssuerFacts, RightState, RouteFacts
from cab_registry.engine.finding import FAIL, NOT_APPLICABLE, OUTCOME_OF, PASS, RANK, UNKNOWN, Finding
from cab_registry.engine.holding import Holding, describe, used_by
from cab_registry.engine.identity import Found
from cab_registry.engine.inquiry import View
from cab_registry.engine.rights import (
    TAKEN,
    Held,
    Pairs,
    covered,
    find_wanted,
    for_procedure,
    given_by,
    item_fits,
    worst_over,
)

_NOTHING_TAKEN = Finding("suspension", PASS, "suspension.none")
_ANYWHERE = Finding("site", NOT_APPLICABLE, "site.anywhere")
_NOT_LIMITED = Finding("procedure", NOT_APPLICABLE, "procedure.not_limited")


def check_procedure(view: View, holdings: list[Holding]) -> Finding:
    """The rights are held for the procedure that the result followed."""
    asked = view.question.subject.procedure
    worst: Finding | None = None
    for holding in holdings:
        held = holding.procedure
        if held is None or held.state in (RightState.HELD, *TAKEN):
            continue
        values = {**describe(view, held, holding.kind, holding.rule), "procedure": asked, "procedures": holding.limits}
        if asked is None:
            return Finding("procedure", UNKNOWN, "procedure.not_stated", values, missing=("subject.procedure",))
        outcome = UNKNOWN if held.state is RightState.UNKNOWN else FAIL
        key = "procedure.window" if outcome == UNKNOWN else "procedure.not_held"
        if worst is None or outcome == FAIL:
            worst = Finding("procedure", outcome, key, values, used_by(held))
    if worst is not None:
        return worst
    if any(holding.procedure is not None for holding in holdings):
        return Finding("procedure", PASS, "procedure.held", {"procedure": asked})
    return _NOT_LIMITED


def check_site(view: View, rf: RouteFacts, holdings: list[Holding], *, accredited_elsewhere: bool) -> Finding:
    """The work was done at a site for which the rights are held, and every subcontractor holds what the route asks."""
    inquiry, clause = view.inquiry, rf.route.clause
    if clause is not None and clause.use != "in_use":
        return _clause_unused(clause)
    for holding in holdings:
        if holding.elsewhere:
            values = {"site": inquiry.site, "sites": sorted({pair[0].site for pair in holding.pairs if pair[0].site})}
            return Finding("site", FAIL, "site.other_site", values)
    if accredited_elsewhere:
        return Finding("site", FAIL, "site.accredited_elsewhere", {"site": inquiry.site})
    found = _place(view, rf, holdings)
    if found is not None and found.outcome == FAIL:
        return found
    parts = _subcontractors(view, rf)
    if parts is not None and (found is None or parts.outcome == FAIL):
        return parts
    if found is not None:
        return found
    place = inquiry.work_economy
    if place is not None and rf.territory:
        return Finding("site", PASS, "site.in_territory", {"place": place})
    if rf.route.issuer.place == "any" and not view.question.result.subcontractors:
        return _ANYWHERE
    return Finding("site", PASS, "site.held", {"place": place})


def _clause_unused(clause: Clause) -> Finding:
    if clause.use == "unknown":
        return Finding("site", UNKNOWN, "site.clause_unknown", sourced=clause, citation=clause.citation)
    return Finding("site", FAIL, "site.clause_not_yet", sourced=clause, citation=clause.citation)


def _place(view: View, rf: RouteFacts, holdings: list[Holding]) -> Finding | None:
    inquiry = view.inquiry
    sited = sorted({pair[0].site for holding in holdings for pair in holding.pairs if pair[0].site})
    if inquiry.site is None and len(sited) > 0 and inquiry.issuer is not None and inquiry.issuer.body is not None:
        if any(all(pair[0].site for pair in holding.pairs) for holding in holdings if holding.pairs):
            if len(inquiry.issuer.body.sites) > 1:
                return Finding("site", UNKNOWN, "site.not_stated", {"sites": sited}, missing=("result.site",))
    if rf.route.issuer.place != "recognised_site":
        return None
    where = view.question.result.performed_in
    home = inquiry.site_economy or inquiry.economy
    if where is None or home is None or inquiry.issuer is None:
        return None
    body = inquiry.issuer.body
    places = {site.economy for site in body.sites} if body is not None and inquiry.site is None else set()
    if view.facts.state_of(where) in {view.facts.state_of(each) for each in places or {home}}:
        return None
    return Finding("site", FAIL, "site.done_elsewhere", {"place": where, "home": home})


def _subcontractors(view: View, rf: RouteFacts) -> Finding | None:
    parts = view.question.result.subcontractors
    rule = rf.route.issuer.subcontractors
    if not parts or rule is None or rule.need == "nothing":
        return None
    if rule.need == "none_allowed":
        return Finding("site", FAIL, "site.no_subcontractors", sourced=rule)
    if rule.need == "silent":
        return Finding("site", UNKNOWN, "site.subcontractors_silent", sourced=rule)
    worst: Finding | None = None
    for index, (part, meant) in enumerate(view.inquiry.parts):
        found = _one_subcontractor(view, rf, rule, part, meant, index)
        if found.outcome == FAIL:
            return found
        if worst is None or found.outcome == UNKNOWN:
            worst = found
    return worst


def _one_subcontractor(
    view: View, rf: RouteFacts, rule: SubcontractorRule, part: AskedSubcontractor, found: Found | None, index: int
) -> Finding:
    facts = view.facts
    name = part.id or part.name
    values: dict[str, Any] = {"part": name, "economy": part.economy}
    known = facts.issuers.get(found.fit.id) if found is not None and found.fit.id is not None else None
    economy = known.economy if known is not None else part.economy
    if rule.located and _place_matters(view, rule):
        if economy is None:
            missing = (f"result.subcontractors.{index}.economy",)
            return Finding("site", UNKNOWN, "site.subcontractor_place", values, sourced=rule, missing=missing)
        if not facts.side(economy, view.inquiry.performed.last) & set(rule.located):
            return Finding("site", FAIL, "site.subcontractor_elsewhere", values, sourced=rule)
    if known is None:
        if name is None:
            missing = (f"result.subcontractors.{index}.id",)
            return Finding("site", UNKNOWN, "site.subcontractor_unnamed", values, sourced=rule, missing=missing)
        if found is not None and found.open is not None:
            missing = (f"result.subcontractors.{index}.name",)
            return Finding("site", UNKNOWN, *found.open, sourced=rule, missing=missing)
        outcome = FAIL if _listed_whole(view, rf) else UNKNOWN
        return Finding("site", outcome, "site.subcontractor_unknown", values, sourced=rule)
    pairs = _pairs_of_part(view, rf, rule, known)
    held = worst_over(view, pairs, "performed")[0]
    values["status"] = held.status
    if held.state is RightState.HELD:
        at_issue = worst_over(view, pairs, "issued")[0]
        if at_issue.state in TAKEN:
            return Finding("site", UNKNOWN, "site.subcontractor_taken", values, used_by(at_issue), rule)
        return Finding("site", PASS, "site.subcontractor_recognised", values, used_by(held), rule)
    if held.state is RightState.UNKNOWN or (held.state is RightState.NONE and not _listed_whole(view, rf)):
        undated = view.inquiry.performed_assumed and not view.question.standing
        lacks = ("result.performed_on",) if undated else ()
        return Finding("site", UNKNOWN, "site.subcontractor_open", values, used_by(held), rule, missing=lacks)
    return Finding("site", FAIL, "site.subcontractor_not_recognised", values, used_by(held), rule)


def _listed_whole(view: View, rf: RouteFacts) -> bool:
    """Whether a subcontractor that is not on record as recognised was never recognised."""
    asked = rf.route.issuer.recognition
    return listing(view, rf, "recognition", asked.by if asked is not None else ("importer",)).complete


def _place_matters(view: View, rule: SubcontractorRule) -> bool:
    return rule.located_from is None or rule.located_from.reached(view.inquiry.issued.last) is not Truth.NO


def _pairs_of_part(view: View, rf: RouteFacts, rule: SubcontractorRule, part: IssuerFacts) -> Pairs:
    asked = rf.route.issuer.recognition
    recognition = RightRule(
        by=asked.by if asked is not None else ("importer",), under=rule.under or (asked.under if asked else ())
    )
    wanted = find_wanted(view, rf)
    pairs: Pairs = []
    for right in part.recognitions:
        cover = covered(right, rf, recognition.under)
        if cover is None or not given_by(view, rf, recognition.by, right):
            continue
        pairs.extend(
            (right, item, cover)
            for item in right.items
            if item.text_only or (item_fits(view, item, wanted) and for_procedure(view, item))
        )
    return pairs


def check_suspension(view: View, taken: list[tuple[Held, str, RightRule | None, bool]]) -> Finding:
    """What a decision had taken away on a right's own clocks; a lifting heals nothing unless the route says so."""
    worst: Finding | None = None
    for held, kind, rule, lifted in taken:
        on_lifting = rule.on_lifting if rule is not None else "gap_stays"
        met, key = Truth.NO, "taken"
        if lifted and held.state is RightState.SUSPENDED and on_lifting != "gap_stays":
            met = Truth.YES if on_lifting == "heals" else Truth.UNKNOWN
            key = "healed" if on_lifting == "heals" else "lifting_silent"
        values = {**describe(view, held, kind, rule or _NO_RULE), "kind": kind}
        found = Finding("suspension", OUTCOME_OF[met], f"suspension.{key}", values, used_by(held), rule)
        if worst is None or RANK[found.outcome] < RANK[worst.outcome]:
            worst = found
    return worst or _NOTHING_TAKEN


_NO_RULE = RightRule(by=("importer",))
