"""The engine: a total, pure function from question and facts to the full answer (domain.md, section 2)."""

from __future__ import annotations

from typing import Final

import msgspec

from cab_registry.domain.answer import (
    Alternative,
    Answer,
    Asked,
    CheckShown,
    ConditionShown,
    FactUsed,
    MissingValue,
    NearRoute,
    OtherRoute,
    PositionShown,
    RouteShown,
    Taken,
    TakenAs,
)
from cab_registry.domain.codes import Confidence, Verdict
from cab_registry.domain.days import Period, show_day
from cab_registry.domain.question import AskedIssuer, Question
from cab_registry.domain.records import Source
from cab_registry.engine.assumptions import list_assumptions, list_passed_over, list_unread_words
from cab_registry.engine.criteria import Criterion
from cab_registry.engine.deciding import Outcome, order_verdicts
from cab_registry.engine.disregarded import list_disregarded
from cab_registry.engine.effort import Effort
from cab_registry.engine.facts import Facts, RouteFacts
from cab_registry.engine.finding import Finding
from cab_registry.engine.inquiry import Inquiry, View
from cab_registry.engine.issuers import MANY
from cab_registry.engine.judge import Trace
from cab_registry.engine.positions import Stance
from cab_registry.engine.reach import CRITERIA, Undated, find_candidates, list_misses
from cab_registry.engine.settling import settle
from cab_registry.engine.unread import find_decisive
from cab_registry.engine.weighing import decide
from cab_registry.engine.wording import Speech

ENGINE: Final = "1.4.0"
"""Version of the engine; it changes whenever an answer may change."""

NOTE_CUT: Final = (
    "this question takes more work than one answer may, so it was cut short: more may be possible, and the answer may "
    "hold for longer, than it says"
)

_NEAR: Final = 8
"""How many near routes an answer names at least, where there are so many."""

_OF_ONE: Final = 2
"""How many near routes of one agreement an answer names."""

_FAR: Final = 2
"""Routes from the issuer's economy that miss more criteria than this, whatever the day, are not looked at."""

_FARTHEST: Final = 0
"""Routes from elsewhere that miss more than this beside the economy, whatever the day, are not looked at."""

_REACH_ORDER: Final = tuple(criterion.__name__ for criterion in CRITERIA)


def answer(question: Question, facts: Facts, asked: Asked | None = None, effort: Effort | None = None) -> Answer:
    """Answer any well-formed question; never raises for one, unless with an effort that is to leave nothing out.

    Raises:
        TooDear: the effort is strict, and the answer takes more steps.
    """
    effort = Effort() if effort is None else effort
    shown = asked or Asked(
        presented_on=show_day(question.asked_on), known_on=show_day(question.known_on), engine=ENGINE
    )
    given = _answer(question, facts, shown, effort)
    if not effort.skipped:
        return given
    cut = msgspec.structs.replace(shown, notes=[*shown.notes, NOTE_CUT])
    return msgspec.structs.replace(given, asked=cut)


def _answer(question: Question, facts: Facts, shown: Asked, effort: Effort) -> Answer:
    outcome, holds, inquiry, _ = settle(question, facts, open_too=False, effort=effort)
    speech = Speech(facts, inquiry.question)
    assumptions = [speech.say(key, values) for key, values in list_assumptions(inquiry)]
    best = outcome.best
    if outcome.verdict != "cannot_tell":
        assumptions.extend(speech.say(*said) for said in list_unread_words(inquiry))
    if best is None:
        if outcome.unread:
            return _unread(inquiry, outcome, speech, shown, assumptions)
        return _not_covered(inquiry, outcome, speech, shown, assumptions)
    if inquiry.performed_assumed and not question.standing and _asks_performed(best):
        assumptions.append(speech.say("assumed.performed", {}))
    assumptions.extend(speech.say(key, values) for key, values in list_passed_over(inquiry, best))
    assumptions.extend(speech.say(key, values) for key, values in list_disregarded(inquiry, best))
    for finding in best.findings:
        assumptions.extend(speech.say(key, values) for key, values in finding.assumptions)
    others = [trace for trace in (*outcome.traces, *outcome.discretionary) if trace is not best]
    if question.subject.sector is None and question.subject.requirement is None:
        assumptions.append(speech.say("assumed.sector", {}))
    unread = find_decisive(inquiry, outcome)
    if tied := _undecided(outcome):
        name = next(name for name in _RULES if name in outcome.missing)
        headline = speech.undecided(name, tied) if unread is None else speech.unread(unread)
        return _open_answer(inquiry, outcome, tied[0], speech, headline, shown, assumptions)
    return Answer(
        verdict=best.verdict,
        headline=speech.headline(best) if unread is None else speech.unread(unread),
        route=_show_route(best.rf),
        first_failing=best.first_failing,
        checks=[_show_check(finding, best.rf, speech) for finding in best.findings],
        conditions=[ConditionShown(ground.key, ground.text, ground.citation) for ground in best.conditions],
        missing=_missing(inquiry, outcome),
        could_bring=_could_bring(inquiry, outcome),
        assumptions=assumptions,
        positions=[_show_position(stance) for stance in best.stances],
        holds=holds,
        alternatives=_alternatives(inquiry, outcome, best, speech),
        other_routes=[_show_other(trace) for trace in others],
        candidates=_candidates(inquiry),
        taken=_show_taken(inquiry),
        asked=shown,
    )


def _could_bring(inquiry: Inquiry, outcome: Outcome) -> list[MissingValue]:
    """Return the values that are missing, each with the verdicts that it could bring."""
    found = {value.name: set(value.verdicts) for value in outcome.open if value.name in outcome.missing}
    if outcome.verdict == "cannot_tell" and inquiry.issuer_open is not None and inquiry.candidates:
        meant = found.setdefault(inquiry.issuer_missing, {"cannot_tell"})
        for candidate in inquiry.candidates[:MANY]:
            # What was not tried may be accepted too.
            meant.add("accepted" if inquiry.effort.stops() else _verdict_of(candidate, inquiry))
    return [MissingValue(name, list(order_verdicts(verdicts))) for name, verdicts in found.items()]


def _verdict_of(candidate: str, inquiry: Inquiry) -> Verdict:
    """Return what the question would come to if a candidate had issued the result."""
    asked = inquiry.question
    result = msgspec.structs.replace(asked.result, issuer=AskedIssuer(id=candidate))
    meant = Inquiry(msgspec.structs.replace(asked, result=result), inquiry.facts, inquiry.effort)
    return decide(meant, find_candidates(meant), asked.presented_on).verdict


_RULES: Final = ("subject.sector", "subject.requirement")


def _undecided(outcome: Outcome) -> list[Trace]:
    """Return the routes of several grounds among which only the sector or the rule that is left out could choose."""
    if outcome.best is None or not set(_RULES) & set(outcome.missing):
        return []
    tied = [each for each in (*outcome.traces, *outcome.discretionary) if each.verdict == outcome.verdict]
    return tied if len({each.rf.route.agreement or each.rf.route.scheme for each in tied}) > 1 else []


def _open_answer(
    inquiry: Inquiry,
    outcome: Outcome,
    best: Trace,
    speech: Speech,
    headline: str,
    asked: Asked,
    assumptions: list[str],
) -> Answer:
    """Answer a question that says too little to name a route: no route, and all that may apply."""
    return Answer(
        verdict=outcome.verdict,
        headline=headline,
        route=None,
        first_failing="requirement",
        checks=[_show_check(each, best.rf, speech) for each in best.findings if each.code == "requirement"],
        missing=_missing(inquiry, outcome),
        could_bring=_could_bring(inquiry, outcome),
        assumptions=assumptions,
        other_routes=[_show_other(trace) for trace in (*outcome.traces, *outcome.discretionary)],
        candidates=_candidates(inquiry),
        taken=_show_taken(inquiry),
        asked=asked,
    )


def _missing(inquiry: Inquiry, outcome: Outcome) -> list[str]:
    """Return what could change the answer: what names nothing in the register before what is not stated."""
    if outcome.verdict != "cannot_tell":
        return []
    issuer = (inquiry.issuer_missing,) if inquiry.issuer_open is not None else ()
    return list(dict.fromkeys((*inquiry.unresolved, *issuer, *outcome.missing)))


def _candidates(inquiry: Inquiry) -> list[str]:
    """Return what may be meant by words that do not decide."""
    unresolved = (each for ids in inquiry.unresolved.values() for each in ids)
    return list(dict.fromkeys((*inquiry.candidates, *unresolved)))


def _show_taken(inquiry: Inquiry) -> Taken:
    shown: dict[str, TakenAs] = {}
    for part, fit in inquiry.taken.items():
        name: str | None = fit.id
        if part == "issuer" and inquiry.issuer is not None:
            name = inquiry.issuer.name
        elif part == "requirement" and fit.id is not None:
            name = inquiry.facts.requirements[fit.id].citation
        shown[part] = TakenAs(asked=fit.asked, id=fit.id, name=name, how=fit.how)  # type: ignore[arg-type]  # one of How
    return Taken(**shown)


def _asks_performed(trace: Trace) -> bool:
    return any(finding.values.get("clock") == "performed" for finding in trace.findings)


def _show_route(rf: RouteFacts) -> RouteShown:
    route = rf.route
    return RouteShown(
        id=route.id,
        title=route.title or rf.name,
        agreement=route.agreement,
        annex=route.annex,
        scheme=route.scheme,
        duty=route.duty,
        citation=route.citation,
        source=rf.source.title if rf.source is not None else None,
        confidence=route.confidence,
    )


def _source_of(finding: Finding, rf: RouteFacts) -> tuple[Source | None, Confidence, str]:
    """Return source, confidence and citation of a finding: its own, else those of the route."""
    route, sourced = rf.route, finding.sourced
    if finding.source is not None:
        return finding.source, finding.source.confidence, finding.citation or route.citation
    if sourced is None:
        return rf.source, route.confidence, finding.citation or route.citation
    source = route.sources.get(sourced.source or "") or rf.source
    confidence = sourced.confidence or (source.confidence if source is not None else route.confidence)
    return source, confidence, finding.citation or sourced.citation or route.citation


def _show_check(finding: Finding, rf: RouteFacts, speech: Speech) -> CheckShown:
    source, confidence, citation = _source_of(finding, rf)
    return CheckShown(
        check=finding.code,
        outcome=finding.outcome,  # type: ignore[arg-type]  # the constants of finding.py are the literals
        text=speech.tell(finding),
        facts=[FactUsed(used.record, used.version, _interval(used.interval)) for used in finding.used],
        citation=citation,
        source=source.title if source is not None else None,
        address=source.address or None if source is not None else None,
        confidence=confidence,
    )


def _interval(interval: object) -> list[object]:
    if isinstance(interval, Period):
        return interval.plain()
    if isinstance(interval, tuple):
        return [when.plain() for when in interval]
    return []


def _show_position(stance: Stance) -> PositionShown:
    position = stance.position
    until = position.until.plain() if position.until is not None else None
    return PositionShown(
        position.id, position.by, position.says, list(position.binds_in), stance.binds, [position.from_.plain(), until]
    )


def _show_other(trace: Trace) -> OtherRoute:
    route = trace.rf.route
    return OtherRoute(route.id, route.title or trace.rf.name, route.agreement, trace.verdict, trace.first_failing)


def _alternatives(inquiry: Inquiry, outcome: Outcome, best: Trace | None, speech: Speech) -> list[Alternative]:
    found = [
        Alternative(
            "discretionary_route",
            speech.say("alternative.discretion", {"route": trace.rf.route.title}),
            trace.rf.route.id,
        )
        for trace in outcome.discretionary
        if trace is not best and trace.verdict != "not_accepted"
    ]
    if outcome.verdict in ("accepted", "accepted_with_conditions"):
        return found
    refused = _refused(outcome)
    for requirement in inquiry.requirements:
        record = inquiry.facts.requirements.get(requirement)
        texts = record.domestic_procedures if record is not None else ()
        found.extend(Alternative("national_procedure", text) for text in texts if text not in refused)
    return found


def _refused(outcome: Outcome) -> frozenset[str]:
    """Return the national procedures on which the result was judged and refused."""
    refused = (trace.rf.route for trace in (*outcome.traces, *outcome.discretionary) if trace.verdict == "not_accepted")
    return frozenset(text for route in refused for text in route.national_procedures)


_Distance = tuple[int, bool, bool, int, bool, str]


def _distance(rf: RouteFacts, misses: list[Criterion]) -> _Distance:
    """How far a route is from reaching: criteria missed, runs from elsewhere, names no exporter, how far it got.

    Of routes that lack the rule, one that takes another act in its place is nearer.
    """
    first, other = misses[0].code, misses[0].key != "requirement.stated_instead"
    return (len(misses), first == "direction", not rf.exporter_codes, -_REACH_ORDER.index(first), other, rf.route.id)


def _misses(inquiry: Inquiry) -> list[tuple[RouteFacts, list[Criterion]]]:
    """Routes into the market that miss: fewest failing criteria first, then those that run from the issuer's economy.

    Named are the nearest few, and every agreement that does run from the issuer's economy. Of one
    agreement the nearest two stand for all. Routes come in the order of their ids, so that once enough
    of those that miss nothing but the economy are found, no further one of them can come before.
    """
    view = View(inquiry, inquiry.question.presented_on)
    routes = inquiry.facts.routes_into(inquiry.question.destination)
    missed: list[tuple[_Distance, RouteFacts, list[Criterion]]] = []
    strangers = 0
    undated = Undated(inquiry)
    for rf in routes:
        runs = undated.runs(rf)
        if (not runs and strangers >= _NEAR) or undated.count(rf) > (_FAR if runs else _FARTHEST):
            continue
        misses = list_misses(view, rf)
        if misses:
            missed.append((_distance(rf, misses), rf, misses))
            strangers += not runs and len(misses) == 1
    missed.sort(key=lambda item: item[0])
    named: dict[str, int] = {}
    near: list[tuple[RouteFacts, list[Criterion]]] = []
    for _, rf, misses in missed:
        ground = rf.route.agreement or rf.route.scheme or rf.route.id
        named[ground] = named.get(ground, 0) + 1
        if named[ground] <= _OF_ONE and (len(near) < _NEAR or (named[ground] == 1 and misses[0].code != "direction")):
            near.append((rf, misses))
    return near


def _unread(inquiry: Inquiry, outcome: Outcome, speech: Speech, asked: Asked, assumptions: list[str]) -> Answer:
    """Answer a question that no route reaches as it stands, with words in it that name nothing."""
    first = outcome.unread[0]
    return Answer(
        verdict=outcome.verdict,
        headline=speech.unread(first),
        route=None,
        first_failing=first.code,
        missing=_missing(inquiry, outcome),
        could_bring=_could_bring(inquiry, outcome),
        assumptions=assumptions,
        candidates=_candidates(inquiry),
        taken=_show_taken(inquiry),
        asked=asked,
    )


def _not_covered(inquiry: Inquiry, outcome: Outcome, speech: Speech, asked: Asked, assumptions: list[str]) -> Answer:
    near = []
    for rf, misses in _misses(inquiry):
        text = speech.miss(misses[0], rf)
        codes = [criterion.code for criterion in misses]
        near.append(NearRoute(rf.route.id, rf.route.title or rf.name, rf.route.agreement, codes[0], codes, text))
    return Answer(
        verdict="not_covered",
        headline=speech.not_covered(near[0].text if near else None),
        route=None,
        first_failing=near[0].first_failing if near else None,
        assumptions=assumptions,
        alternatives=_alternatives(inquiry, outcome, None, speech),
        near=near,
        candidates=_candidates(inquiry),
        taken=_show_taken(inquiry),
        asked=asked,
    )
