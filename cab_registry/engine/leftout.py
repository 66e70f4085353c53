"""Which values a question leaves out that a rule, a right or a position asks for, and what they may be.

A value is tried as one of those that the rules in play name, or as any other. Values of which these rules say
the same count as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from typing import Any, Final, NamedTuple

import msgspec

from cab_registry.domain.codes import KIND_PROCEDURES
from cab_registry.engine.deciding import Outcome
from cab_registry.engine.document import list_numbered
from cab_registry.engine.facts import IssuerFacts, ItemFacts, RightFacts, RouteFacts
from cab_registry.engine.inquiry import Inquiry
from cab_registry.engine.issuers import list_issuers
from cab_registry.engine.judge import Trace
from cab_registry.engine.losses import CONTROL
from cab_registry.engine.meaning import OTHER
from cab_registry.engine.unstated import list_days, list_rules, sector_of


class Tried(NamedTuple):
    """One value tried for what is left out: the question with it, and how it is named; none: left out still."""

    inquiry: Inquiry
    labels: tuple[str, ...]


class LeftOut(NamedTuple):
    """A value that is left out, and what it may be."""

    name: str
    tried: tuple[Tried, ...]


_Key = tuple[object, ...]


def find_left_out(inquiry: Inquiry, outcome: Outcome) -> LeftOut | None:
    """Return the first value that is left out and of which a route in play makes something; None where there is none.

    Args:
        inquiry: the question as far as its values are stated or tried.
        outcome: what came of it as it stands; its routes are those in play.
    """
    traces = (*outcome.traces, *outcome.discretionary)
    if not traces:
        return None
    for find in _FINDERS:
        found = find(inquiry, traces)
        if found is not None:
            return found
    return None


def _with_subject(inquiry: Inquiry, **changes: Any) -> Inquiry:
    other = copy(inquiry)
    subject = msgspec.structs.replace(inquiry.question.subject, **changes)
    other.question = msgspec.structs.replace(inquiry.question, subject=subject)
    return other


def _with_result(inquiry: Inquiry, **changes: Any) -> Inquiry:
    other = copy(inquiry)
    result = msgspec.structs.replace(inquiry.question.result, **changes)
    other.question = msgspec.structs.replace(inquiry.question, result=result)
    return other


def _group(values: Iterable[str], key: Callable[[str], _Key]) -> list[tuple[str, ...]]:
    """Put values together of which the rules say the same."""
    groups: dict[_Key, list[str]] = {}
    for value in sorted(set(values)):
        groups.setdefault(key(value), []).append(value)
    return [tuple(group) for group in groups.values()]


def _try_subject(inquiry: Inquiry, field: str, groups: list[tuple[str, ...]]) -> LeftOut:
    tried = tuple(Tried(_with_subject(inquiry, **{field: group[0]}), group) for group in groups)
    return LeftOut(f"subject.{field}", tried)


def _issuer(inquiry: Inquiry, traces: tuple[Trace, ...]) -> LeftOut | None:
    if inquiry.question.result.issuer is not None:
        return None
    routes = [trace.rf for trace in traces if trace.rf.route.issuer.asked]
    if not routes:
        return None
    tried = [Tried(each.inquiry, each.labels) for each in list_issuers(inquiry, routes)]
    return LeftOut("result.issuer", tuple(tried))


def _sector(inquiry: Inquiry, traces: tuple[Trace, ...]) -> LeftOut | None:
    if inquiry.question.subject.sector is not None:
        return None
    open_ = not inquiry.requirements
    served = [trace.rf.sectors for trace in traces if trace.rf.sectors and (open_ or not trace.rf.listed)]
    if not served:
        return None
    named = frozenset[str]().union(*served)
    rules = {rule for trace in traces for rule in trace.rf.listed} if open_ else set()
    own = {sector_of(inquiry, rule) for rule in rules}

    def key(value: str) -> _Key:
        return (value if value in own else None, *(value in sectors for sectors in served))

    groups = _group({*named, OTHER}, key)
    return _try_subject(inquiry, "sector", groups)


def _requirement(inquiry: Inquiry, traces: tuple[Trace, ...]) -> LeftOut | None:
    if len(inquiry.requirements) > 1:
        meant = tuple(Tried(inquiry.asked_about(rule), (rule,)) for rule in inquiry.requirements)
        return LeftOut("subject.requirement", meant)
    if inquiry.requirements:
        return None
    tried = tuple(Tried(*each) for each in list_rules(inquiry, [trace.rf for trace in traces]))
    return LeftOut("subject.requirement", tried) if tried else None


def _issued(inquiry: Inquiry, traces: tuple[Trace, ...]) -> LeftOut | None:
    if inquiry.question.issued is not None or inquiry.issued.first == inquiry.issued.last:
        return None
    tried = tuple(Tried(*each) for each in list_days(inquiry, [trace.rf for trace in traces]))
    return LeftOut("result.issued_on", tried)


def _lacks(traces: tuple[Trace, ...], name: str) -> list[RouteFacts]:
    return [trace.rf for trace in traces if any(name in finding.missing for finding in trace.findings)]


def _places(inquiry: Inquiry, routes: list[RouteFacts]) -> set[str]:
    named = {inquiry.question.destination, OTHER}
    if inquiry.economy is not None:
        named.add(inquiry.economy)
    for rf in routes:
        named |= rf.exporter_codes
        for ruled in (*rf.territory, *rf.origin):
            named.update(ruled.item.economies)
    return named - {"WORLD"}


def _at_recognised_site(inquiry: Inquiry, traces: tuple[Trace, ...]) -> list[RouteFacts]:
    """Return the routes that ask for work at a recognised site, where the question names neither site nor place."""
    if inquiry.question.standing or inquiry.issuer is None or inquiry.site_economy is not None:
        return []
    return [trace.rf for trace in traces if trace.rf.route.issuer.place == "recognised_site"]


def _own_places(inquiry: Inquiry) -> set[str]:
    """Return where the issuer is at home: its economy, and those of its sites."""
    body = inquiry.issuer.body if inquiry.issuer is not None else None
    sites = {site.economy for site in body.sites} if body is not None else set()
    return sites if inquiry.economy is None else {*sites, inquiry.economy}


def _performed_in(inquiry: Inquiry, traces: tuple[Trace, ...]) -> LeftOut | None:
    if inquiry.question.result.performed_in is not None:
        return None
    routes = _lacks(traces, "result.performed_in")
    if routes:
        places = sorted(_places(inquiry, routes))
    elif _at_recognised_site(inquiry, traces):
        places = sorted(_own_places(inquiry) | {OTHER})
    else:
        return None
    return LeftOut(
        "result.performed_in",
        tuple(Tried(_with_result(inquiry, performed_in=place), (place,)) for place in places),
    )


def _origin(inquiry: Inquiry, traces: tuple[Trace, ...]) -> LeftOut | None:
    routes = _lacks(traces, "subject.origin") if inquiry.question.subject.origin is None else []
    if not routes:
        return None
    return _try_subject(inquiry, "origin", [(place,) for place in sorted(_places(inquiry, routes))])


def _activity(inquiry: Inquiry, traces: tuple[Trace, ...]) -> LeftOut | None:
    ruled = [trace.rf.activities for trace in traces if trace.rf.activities]
    if inquiry.question.subject.activity is not None or not ruled:
        return None

    def key(value: str) -> _Key:
        return tuple(tuple((rule.rule, period) for rule, period in each.get(value, ())) for each in ruled)

    return _try_subject(inquiry, "activity", _group({*(name for each in ruled for name in each), OTHER}, key))


def _rights(inquiry: Inquiry) -> Iterator[RightFacts]:
    for holder in inquiry.right_holders:
        yield from holder.designations
        yield from holder.recognitions
        yield from holder.accreditations


def _items(inquiry: Inquiry) -> list[ItemFacts]:
    """Return the items of rights that are narrowed to classes or procedures: of the issuer, and of those who helped."""
    rights = (*_rights(inquiry), *_rights_of_parts(inquiry))
    return [item for right in rights for item in right.items if item.product_classes or item.procedures]


def _rights_of_parts(inquiry: Inquiry) -> Iterator[RightFacts]:
    for helper in inquiry.helpers:
        yield from helper.recognitions


def _site(inquiry: Inquiry, traces: tuple[Trace, ...]) -> LeftOut | None:
    issuer = inquiry.issuer
    if inquiry.site is not None or issuer is None or issuer.body is None or not traces:
        return None
    keys = _possible_sites(inquiry, issuer)
    if "result.site" in inquiry.unresolved:
        keys.append(OTHER)
    noted = inquiry.facts.notices_by_site
    if len(keys) < 2 or not (any(right.site for right in _rights(inquiry)) or any(key in noted for key in keys)):
        return None
    asked = inquiry.question
    tried = []
    for key in keys:
        result = msgspec.structs.replace(asked.result, site=key)
        question = msgspec.structs.replace(asked, result=result)
        tried.append(Tried(Inquiry(question, inquiry.facts, inquiry.effort), (key,)))
    return LeftOut("result.site", tuple(tried))


def _possible_sites(inquiry: Inquiry, issuer: IssuerFacts) -> list[str]:
    """Return the sites at which the work may have been done: those where it was done, if that is stated."""
    sites = issuer.body.sites if issuer.body is not None else ()
    where = inquiry.question.result.performed_in
    there = [site.key for site in sites if site.economy == where]
    return there if len(there) > 1 else [site.key for site in sites]


def _product_class(inquiry: Inquiry, traces: tuple[Trace, ...]) -> LeftOut | None:
    if inquiry.question.subject.product_class is not None:
        return None
    narrowed = [frozenset(names) for names in _narrowed(traces, "product_classes")]
    narrowed += [item.product_classes for item in _items(inquiry) if item.product_classes]
    narrowed += _positions(inquiry, traces)
    narrowed += _acts(inquiry, traces)
    named: set[str] = set().union(*narrowed)
    for trace in traces:
        named.update(trace.rf.classes)
        for value, ruled in trace.rf.excluded.items():
            if not all(item.if_stated for item, _ in ruled):
                named.add(value)
    if not named:
        return None
    routes = [trace.rf for trace in traces if trace.rf.classes or trace.rf.excluded]

    def key(value: str) -> _Key:
        kinds = {value}
        for rf in routes:
            kinds.update(kind for item, _ in rf.classes.get(value, ()) for kind in item.held_as)
        reach = tuple(
            (
                tuple(period for _, period in rf.classes.get(value, ())),
                tuple((item.why, period) for item, period in rf.excluded.get(value, ())),
            )
            for rf in routes
        )
        return (reach, tuple(not kinds.isdisjoint(names) for names in narrowed))

    return _try_subject(inquiry, "product_class", _group({*named, OTHER}, key))


def _positions(inquiry: Inquiry, traces: tuple[Trace, ...]) -> list[frozenset[str]]:
    agreements = {trace.rf.route.agreement for trace in traces}
    return [
        frozenset(position.about.product_classes)
        for position, _ in inquiry.facts.positions
        if position.about.product_classes and position.about.agreement in agreements
    ]


def _acts(inquiry: Inquiry, traces: tuple[Trace, ...]) -> list[frozenset[str]]:
    """Return the classes of acts under one of which the issuer may hold its rights, where they tell classes apart."""
    held = {item.requirement for right in _rights(inquiry) for item in right.items}
    found: dict[str, frozenset[str]] = {}
    for trace in traces:
        for rule in inquiry.requirements:
            listed = trace.rf.listed.get(rule)
            acts = (inquiry.facts.requirements.get(act) for act in (listed.held_as if listed is not None else ()))
            told = {act.id: frozenset(act.product_classes) for act in acts if act is not None and act.product_classes}
            if len(told) > 1 and held & set(told):
                found |= told
    return list(found.values())


def _narrowed(traces: tuple[Trace, ...], field: str) -> Iterator[tuple[str, ...]]:
    """Yield the values by which rules of the routes in play are narrowed; survival only where something was lost."""
    for trace in traces:
        route = trace.rf.route
        lost = any(finding.code == "survival" and finding.key != "survival.no_loss" for finding in trace.findings)
        for rule in (*(route.survival if lost else ()), *route.conditions):
            names: tuple[str, ...] = getattr(rule, field)
            if names:
                yield names


def _tails(inquiry: Inquiry, traces: tuple[Trace, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the procedures to which a changeover of the requirement, or of an edition, is limited."""
    for rule in inquiry.requirements:
        record = inquiry.facts.requirements.get(rule)
        for edition in record.editions if record is not None and inquiry.question.subject.edition else ():
            if edition.transition is not None and edition.transition.procedures:
                yield edition.transition.procedures
        for trace in traces:
            for wider in inquiry.facts.spell(rule):
                listed = trace.rf.listed.get(wider)
                if listed is not None and listed.item.transition is not None and listed.item.transition.procedures:
                    yield listed.item.transition.procedures


def _is_silent(trace: Trace) -> bool:
    """Whether domestic law says nothing of a loss of the body's own: production control ends with it all the same."""
    silent = any(each.code == "survival" and each.key.startswith("survival.silent_") for each in trace.findings)
    return silent and trace.rf.route.agreement is None


def _procedure(inquiry: Inquiry, traces: tuple[Trace, ...]) -> LeftOut | None:
    if inquiry.question.subject.procedure is not None:
        return None
    narrowed = [trace.rf.procedures for trace in traces if trace.rf.procedures]
    narrowed += [frozenset(names) for names in _narrowed(traces, "procedures")]
    narrowed += [frozenset(names) for names in _tails(inquiry, traces)]
    narrowed += [CONTROL] if any(_is_silent(trace) for trace in traces) else []
    narrowed += [item.procedures for item in _items(inquiry) if item.procedures]
    named = frozenset[str]().union(*narrowed)
    if not named:
        return None
    own = KIND_PROCEDURES.get(inquiry.question.result.kind)
    possible = {*named, OTHER} if own is None else (named & set(own)) or {own[0]}
    return _try_subject(
        inquiry, "procedure", _group(possible, lambda value: tuple(value in names for names in narrowed))
    )


def _number(inquiry: Inquiry, traces: tuple[Trace, ...]) -> LeftOut | None:
    if inquiry.question.result.number is not None or inquiry.question.standing or not traces:
        return None
    told: dict[str, set[_Key]] = {}
    for notice in list_numbered(inquiry):
        said = (notice.effect, notice.by, notice.on, notice.until, notice.about.body, notice.about.site)
        told.setdefault(notice.about.number or "", set()).add(said)
    if not told:
        return None
    groups = _group((*told, OTHER), lambda value: tuple(sorted(map(repr, told.get(value, ())))))
    return LeftOut("result.number", tuple(Tried(_with_result(inquiry, number=group[0]), group) for group in groups))


_FINDERS: Final = (
    _issuer,
    _sector,
    _requirement,
    _performed_in,
    _origin,
    _activity,
    _site,
    _product_class,
    _procedure,
    _number,
    _issued,
)
