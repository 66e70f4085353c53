"""The law compiled: economies, authorities with their kin, requirements, agreements, and routes with timelines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from cab_registry.domain.days import ALL_TIME, LATEST, Period
from cab_registry.domain.folding import fold
from cab_registry.domain.records import Agreement, AnyRecord, Authority, Economy, Requirement, Route
from cab_registry.domain.records.common import Dated
from cab_registry.domain.records.route import Party, SurvivalRule
from cab_registry.engine.facts import ListedFacts, RouteFacts, Ruled
from cab_registry.engine.representation import REGISTRAR, Offices, is_kept_by_right
from cab_registry.register.indexes import index_citations, list_codes
from cab_registry.register.law_timelines import operation_events, resolve_force, resolve_working, was_given_up


class HasRecord(Protocol):
    """A record with its version."""

    @property
    def record(self) -> AnyRecord:
        """The record."""

    @property
    def version(self) -> int:
        """Its version."""


@dataclass(frozen=True, slots=True)
class Law:
    """Everything that is not about a single body."""

    economies: dict[str, Economy]
    memberships: dict[str, tuple[tuple[str, Period], ...]]
    authorities: dict[str, Authority]
    kin: dict[str, frozenset[str]]
    umbrellas: dict[str, tuple[str, ...]]
    requirements: dict[str, Requirement]
    wider: dict[str, frozenset[str]]
    standards: dict[str, Requirement]
    agreements: dict[str, Agreement]
    routes: dict[str, RouteFacts]
    routes_by_importer: dict[str, tuple[RouteFacts, ...]]
    routes_by_kind: dict[tuple[str, str], tuple[RouteFacts, ...]]
    citations: dict[str, tuple[str, ...]]
    codes: frozenset[tuple[str, str]]


def compile_law(by_id: Mapping[str, HasRecord], former: Law | None = None) -> Law:
    """Compile the law; parts that did not change are the former's own objects."""
    economies, authorities, requirements, agreements, routes = _read_law(by_id)
    standards = {fold(record.citation): record for record in requirements.values() if record.economy is None}
    if former is not None:
        standards = former.standards if standards == former.standards else standards
        agreements = former.agreements if agreements == former.agreements else agreements
    compiled = _compile_routes(routes, agreements, former)
    by_importer = _by_importer(compiled.values(), economies)
    return Law(
        economies,
        {code: _memberships(record) for code, record in economies.items() if record.member_of},
        authorities,
        _kin(authorities),
        _umbrellas(authorities),
        requirements,
        _wider(requirements),
        standards,
        agreements,
        compiled,
        by_importer,
        _by_kind(by_importer),
        index_citations(requirements.values()),
        frozenset(code for record in requirements.values() for code in list_codes(record)),
    )


class _Offices(NamedTuple):
    authorities: dict[str, Authority]
    economies: dict[str, Economy]


class _Kept(NamedTuple):
    economies: dict[str, Economy]
    authorities: dict[str, Authority]
    requirements: dict[str, Requirement]
    agreements: dict[str, Agreement]
    routes: dict[str, tuple[Route, int]]


def _read_law(by_id: Mapping[str, HasRecord]) -> _Kept:
    """Return the records of law that are kept by those whose law they are; the registrar alone makes authorities."""
    records = [by_id[key] for key in sorted(by_id)]
    own = [each.record for each in records if each.record.owner == REGISTRAR]
    authorities = {record.id: record for record in own if isinstance(record, Authority)}
    economies = {record.code: record for record in own if isinstance(record, Economy)}
    offices = _Offices(authorities, economies)
    kept = _Kept(economies, authorities, {}, {}, {})
    for record in (each.record for each in records):
        if isinstance(record, Requirement) and is_law_kept_by_right(record, (), offices):
            kept.requirements[record.id] = record
        elif isinstance(record, Agreement) and is_law_kept_by_right(record, record.parties, offices):
            kept.agreements[record.id] = record
    for record, version in ((each.record, each.version) for each in records):
        if isinstance(record, Route):
            agreement = kept.agreements.get(record.agreement or "")
            if is_law_kept_by_right(record, agreement.parties if agreement is not None else (), offices):
                kept.routes[record.id] = (record, version)
    return kept


def is_law_kept_by_right(record: Requirement | Agreement | Route, parties: Iterable[str], offices: Offices) -> bool:
    """Whether a record of law is kept by the registrar, or by an authority of those whose law it is.

    Args:
        record: the record.
        parties: codes of the parties of the agreement on which it rests, or which it is.
        offices: authorities and economies.
    """
    whose = [frozenset((code,)) for code in parties]
    if isinstance(record, Requirement):
        whose.append(frozenset((record.economy,) if record.economy is not None else ()))
    elif isinstance(record, Route):
        whose.append(frozenset(code for code, _ in _parties(record.importer)))
    elif not record.parties:
        whose.append(frozenset())
    return any(is_kept_by_right(record.owner, economies, offices) for economies in whose)


def _memberships(record: Economy) -> tuple[tuple[str, Period], ...]:
    return tuple((item.union, item.period) for item in record.member_of)


def _kin(authorities: Mapping[str, Authority]) -> dict[str, frozenset[str]]:
    """Return each authority with all that it succeeded or that succeeded it, however far."""
    groups: dict[str, set[str]] = {}
    for key, authority in authorities.items():
        for item in authority.succeeds:
            group = groups.get(key, {key}) | groups.get(item.authority, {item.authority})
            for member in group:
                groups[member] = group
    return {key: frozenset(group) for key, group in groups.items()}


def _umbrellas(authorities: Mapping[str, Authority]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for key, authority in authorities.items():
        for member in authority.members:
            found[member].append(key)
    return {member: tuple(keys) for member, keys in found.items()}


def _wider(requirements: Mapping[str, Requirement]) -> dict[str, frozenset[str]]:
    """Return each requirement that is a part, with all wider ones."""
    found = {}
    for key, requirement in requirements.items():
        chain, above = [key], requirement.part_of
        while above is not None and above not in chain:
            chain.append(above)
            parent = requirements.get(above)
            above = parent.part_of if parent is not None else None
        if len(chain) > 1:
            found[key] = frozenset(chain)
    return found


def _compile_routes(
    routes: Mapping[str, tuple[Route, int]], agreements: Mapping[str, Agreement], former: Law | None
) -> dict[str, RouteFacts]:
    compiled = {}
    for key, (route, version) in routes.items():
        agreement = agreements.get(route.agreement or "")
        old = former.routes.get(key) if former is not None else None
        if old is not None and old.route is route and old.agreement is agreement:
            compiled[key] = old
        else:
            compiled[key] = compile_route(route, version, agreement, agreements)
    return compiled


def _parties(listed: Iterable[str | Party]) -> tuple[tuple[str, Period], ...]:
    return tuple((item, ALL_TIME) if isinstance(item, str) else (item.economy, item.period) for item in listed)


def _successors(arrangements: Iterable[str], agreements: Mapping[str, Agreement]) -> frozenset[str]:
    found = set(arrangements)
    grown = True
    while grown:
        more = {key for key, agreement in agreements.items() if found & set(agreement.continues)} - found
        found |= more
        grown = bool(more)
    return frozenset(found)


def compile_route(
    route: Route, version: int, agreement: Agreement | None, agreements: Mapping[str, Agreement]
) -> RouteFacts:
    """Resolve one route's timelines and look-ups."""
    force = resolve_force(route, agreement)
    events = operation_events(route, agreement)
    annex = agreement.annexes.get(route.annex or "") if agreement is not None else None
    sectors = route.sectors or (annex.sectors if annex is not None else ())
    accreditation = route.issuer.accreditation
    return RouteFacts(
        route=route,
        version=version,
        agreement=agreement,
        importers=_parties(route.importer),
        exporters=_parties(route.exporter),
        result_kinds=frozenset(route.result_kinds),
        procedures=frozenset(route.procedures),
        sectors=frozenset(sectors),
        listed={item.id: ListedFacts(item, item.period, frozenset(item.held_as)) for item in route.requirements},
        force=force,
        working=resolve_working(route, agreement, force),
        given_up=was_given_up(events),
        source=route.sources.get(route.source or ""),
        undated_parties=all(isinstance(party, str) for party in (*route.importer, *route.exporter)),
        importer_codes=frozenset(code for code, _ in _parties(route.importer)),
        exporter_codes=frozenset(code for code, _ in _parties(route.exporter)),
        classes=_by_name((item.product_class, item) for item in route.product_classes),
        excluded=_by_name((item.product_class, item) for item in route.excluded),
        activities=_by_name((item.activity, item) for item in route.activities),
        territory=_ruled(route.territory),
        origin=_ruled(route.origin),
        outlives_exclusion=any(rule.reason == "exclusion" or "exclusion" in rule.reason for rule in route.survival),
        signatory_arrangements=_successors(accreditation.signatory_of, agreements) if accreditation else frozenset(),
        survival=tuple(sorted(route.survival, key=_width)),
        vocabulary=frozenset((*list_codes(route), *(("sector", sector) for sector in sectors))),
    )


_SEVEREST: Final = ("falls", "needs_active_body", "silent", "acquired_rights", "takeover", "survives")


def _width(rule: SurvivalRule) -> tuple[float, ...]:
    """How wide a rule of survival is: the less it is narrowed by, the wider; of two the severer goes first.

    Among rules narrowed by as much, one for a procedure goes before one for an act: that the type-examinations
    under an act live on says nothing of the control of production.
    """
    reasons = () if rule.reason == "any" else (rule.reason,) if isinstance(rule.reason, str) else rule.reason
    narrowed = (rule.procedures, rule.result_kinds, rule.product_classes, reasons, rule.requirements)
    lengths = [float(len(names)) if names else float("inf") for names in narrowed]
    until = rule.until.latest if rule.until is not None else LATEST
    return (-sum(map(bool, narrowed)), *lengths, _SEVEREST.index(rule.effect), until)


def _by_name(items: Iterable[tuple[str, Dated]]) -> dict[str, tuple[Ruled, ...]]:
    found: dict[str, tuple[Ruled, ...]] = {}
    for name, item in items:
        found[name] = (*found.get(name, ()), Ruled(item, item.period))
    return found


def _ruled(items: str | tuple[Dated, ...]) -> tuple[Ruled, ...]:
    return () if isinstance(items, str) else tuple(Ruled(item, item.period) for item in items)


def _by_kind(by_importer: Mapping[str, tuple[RouteFacts, ...]]) -> dict[tuple[str, str], tuple[RouteFacts, ...]]:
    found: dict[tuple[str, str], list[RouteFacts]] = defaultdict(list)
    for code, routes in by_importer.items():
        for rf in routes:
            for kind in rf.result_kinds:
                found[code, kind].append(rf)
    return {key: tuple(routes) for key, routes in found.items()}


def _by_importer(routes: Iterable[RouteFacts], economies: Mapping[str, Economy]) -> dict[str, tuple[RouteFacts, ...]]:
    ordered = sorted(routes, key=lambda rf: rf.route.id)
    found: dict[str, tuple[RouteFacts, ...]] = {}
    for code, economy in economies.items():
        parties = {code, "WORLD", *(item.union for item in economy.member_of)}
        found[code] = tuple(rf for rf in ordered if any(importer in parties for importer, _ in rf.importers))
    found["WORLD"] = tuple(rf for rf in ordered if any(importer == "WORLD" for importer, _ in rf.importers))
    return found
