"""The standing questions that can be asked of a body, from the routes and its own scope items."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta

from cab_registry.domain.codes import ResultKind
from cab_registry.domain.records import Accreditation, Designation, Position, Recognition
from cab_registry.engine.facts import Facts, IssuerFacts, ItemFacts, RightFacts, RouteFacts
from cab_registry.engine.meaning import OTHER
from cab_registry.engine.rights import covered
from cab_registry.register.compiled import Register

_KINDS: Final = ("recognition", "designation", "accreditation")
_RIGHTS: Final = (Accreditation, Designation, Recognition)


_NONE_ASKED: Final = RightFacts(
    kind="",
    record="",
    version=0,
    by="",
    agreement=None,
    annex=None,
    scheme=None,
    site=None,
    items=(ItemFacts(None, frozenset(), frozenset(), frozenset(), frozenset(), text_only=False, lanes=()),),
)
"""Stands in for the right where a route asks for none."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A standing question without its day. The work is done at the body's place, on a product of its economy."""

    body: str
    destination: Annotated[str, Meta(description="The market; WORLD is any.")]
    result_kind: ResultKind
    requirement: str | None = None
    sector: str | None = None
    procedure: str | None = None
    product_class: str | None = None
    activity: str | None = None
    site: str | None = None


def list_standing(before: Register, after: Register, body: str) -> Iterator[Standing]:
    """Yield what can be asked of a body by its rights and by the routes, each question once."""
    reach = _find_reach(before, after, body)
    changed = _changed_rights(before, after, body)
    told: set[Standing] = set()
    for register in (after, before):
        for rf, rights in _concerned(register.facts, body):
            new = _is_new(rf, before.facts, after.facts)
            whole = reach.whole or any(_is_about(position, rf, body) for position in reach.positions)
            every = whole and new
            for right in rights:
                if (whole and (right is not _NONE_ASKED or new or not reach.law)) or right.record in changed:
                    asked = (
                        each for item in right.items for each in _ask(register.facts, rf, body, (right, item, every))
                    )
                    fresh = [each for each in dict.fromkeys(asked) if each not in told]
                    told.update(fresh)
                    yield from fresh


def _concerned(facts: Facts, body: str) -> Iterator[tuple[RouteFacts, list[RightFacts]]]:
    """Yield the routes that a body may use, each with the rights of the body at which it may look."""
    holders = _holders(facts, body)
    if not holders:
        return
    ever = _ever(facts, holders[0])
    for rf in facts.routes.values():
        if rf.exporter_codes and rf.exporter_codes.isdisjoint(ever):
            continue
        rights = _usable(rf, holders) or ([_NONE_ASKED] if _takes_without_right(rf, holders[0]) else [])
        if rights:
            yield rf, rights


class _Reach(NamedTuple):
    """How far more has changed than single rights.

    Attributes:
        whole: whether all that a body may ask is touched.
        law: whether that is so by the law alone, of which a route that asks for no right is touched only if it changed.
        positions: those that differ; what they speak of is touched.
    """

    whole: bool
    law: bool
    positions: tuple[Position, ...]


def _find_reach(before: Register, after: Register, body: str) -> _Reach:
    """Say how far more has changed than rights: the law, statements, the body itself or an accreditation of its."""
    one, two = before.facts, after.facts
    said = [[position for position, _ in facts.positions] for facts in (one, two)]
    own = _own_records_differ(before, after, body)
    law = before.law is not after.law or one.coverage != two.coverage
    positions: tuple[Position, ...] = ()
    if one.positions != two.positions:
        positions = tuple(each for these, those in (said, said[::-1]) for each in these if each not in those)
    return _Reach(own or law, law and not own, positions)


def _own_records_differ(before: Register, after: Register, body: str) -> bool:
    for facts, other in ((before, after), (after, before)):
        for versioned in (*facts.records_of(body), facts.records.get(body)):
            if versioned is None or isinstance(versioned.record, Designation | Recognition):
                continue
            known = other.records.get(versioned.record.id)
            if known is None or known.record != versioned.record:
                return True
    return False


def _is_about(position: Position, rf: RouteFacts, body: str) -> bool:
    """Whether a position speaks of a body's results on a route."""
    about, route = position.about, rf.route
    return (
        about.agreement == route.agreement
        and about.annex in (None, route.annex)
        and about.body in (None, body)
        and about.scheme in (None, route.scheme)
    )


def _changed_rights(before: Register, after: Register, body: str) -> set[str]:
    changed: set[str] = set()
    for register in (before, after):
        for holder in _holders(register.facts, body):
            for record, _ in register.records_of(holder.id):
                one, two = (side.records.get(record.id) for side in (before, after))
                if isinstance(record, _RIGHTS) and (one is None or two is None or one.record != two.record):
                    changed.add(record.id)
    return changed


def _is_new(rf: RouteFacts, before: Facts, after: Facts) -> bool:
    """Whether a route, or the agreement on which it rests, is not the same before and after."""
    one, two = before.routes.get(rf.route.id), after.routes.get(rf.route.id)
    return one is None or two is None or one.route != two.route or one.agreement != two.agreement


def _holders(facts: Facts, body: str) -> list[IssuerFacts]:
    """Return a body with the umbrellas whose rights are its own."""
    ids = (body, *facts.umbrellas.get(body, ()))
    return [facts.issuers[key] for key in ids if key in facts.issuers]


def _ever(facts: Facts, issuer: IssuerFacts) -> set[str]:
    codes = {issuer.economy or ""}
    if issuer.body is not None:
        codes.update(site.economy for site in issuer.body.sites)
    return codes.union(*(facts.side_ever(code) for code in tuple(codes)))


def _takes_without_right(rf: RouteFacts, issuer: IssuerFacts) -> bool:
    """Whether a route asks for no right and admits an issuer by what it is: an authority that it names, or a kind."""
    rule = rf.route.issuer
    if any(getattr(rule, kind) is not None for kind in _KINDS):
        return False
    if issuer.body is not None:
        taken = {kind for kinds in (rule.kinds, *rule.kinds_by_result.values()) for kind in kinds}
        return bool(taken & set(issuer.body.kinds))
    roles = issuer.authority.roles if issuer.authority is not None else ()
    return issuer.id in rule.authorities or (bool(rule.inspects) and "inspecting" in roles)


def _usable(rf: RouteFacts, holders: list[IssuerFacts]) -> list[RightFacts]:
    """Return the rights that a route may look at, if there is one of the kind that it wants first."""
    rules: dict[str, Any] = {kind: getattr(rf.route.issuer, kind) for kind in _KINDS}
    found: list[RightFacts] = []
    first = True
    for kind in _KINDS:
        rule = rules[kind]
        if rule is None:
            continue
        covers = () if kind == "accreditation" else rule.under
        own = [
            right
            for holder in holders
            for right in holder.rights(kind)
            if kind == "accreditation" or covered(right, rf, covers) is not None
        ]
        if first and not own:
            return []
        first = False
        found.extend(own)
    return found


def _ask(facts: Facts, rf: RouteFacts, body: str, source: tuple[RightFacts, ItemFacts, bool]) -> Iterator[Standing]:
    """Yield the questions that one scope item lets ask of one route.

    Where the item does not tell product classes, procedures or activities apart, one of the route's stands for all;
    `every`: each, since the route itself may have changed for one of them. Where the route only leaves some classes
    out, whatever it does not name stands for all.
    """
    right, item, every = source
    kinds = sorted(item.result_kinds & rf.result_kinds if item.result_kinds else rf.result_kinds)
    subjects = list(_subjects(facts, rf, item))
    procedures = _choose(rf.route.procedures or tuple(sorted(item.procedures)), item.procedures, every=every)
    open_classes = [name for name in rf.classes if name not in rf.excluded]
    open_classes.sort(key=lambda name: min(each.period.start.latest for each in rf.classes[name]))
    apart = (OTHER,) if rf.excluded else ()
    offered = tuple(open_classes) or tuple(sorted(item.product_classes)) or apart
    classes = _choose(offered, _classes(rf, item), every=every)
    covers = tuple(
        activity for activity, rules in rf.activities.items() if any(each.item.rule == "covered" for each in rules)
    )
    activities = _choose(covers, frozenset(), every=every)
    narrow = product(_destinations(facts, rf, body), kinds, subjects, procedures, classes, activities)
    for destination, kind, (requirement, sector), procedure, product_class, activity in narrow:
        yield Standing(
            body=body,
            destination=destination,
            result_kind=kind,  # type: ignore[arg-type]  # a route holds kinds of result only
            requirement=requirement,
            sector=sector,
            procedure=procedure,
            product_class=product_class,
            activity=activity,
            site=right.site,
        )


def _destinations(facts: Facts, rf: RouteFacts, body: str) -> list[str]:
    """Return the markets of a route, and the members of its unions in which a position on it binds."""
    codes = dict.fromkeys(code for code, _ in rf.importers)
    for position, _ in facts.positions:
        if _is_about(position, rf, body):
            codes.update(dict.fromkeys(position.binds_in))
    return list(codes)


def _subjects(facts: Facts, rf: RouteFacts, item: ItemFacts) -> Iterator[tuple[str | None, str | None]]:
    """Yield requirement and sector: those of the route's list that the item names, or as a part or other form."""
    if not rf.listed:
        record = facts.requirements.get(item.requirement or "")
        if record is not None and record.sector in (*rf.sectors, None):
            yield record.id, record.sector
        elif record is None:
            sectors: list[str | None] = [*sorted(rf.sectors)]
            yield from ((None, sector) for sector in sectors or [None])
        return
    found: dict[str, None] = {}
    if item.requirement is None:
        found.update(dict.fromkeys(rf.listed))
    else:
        spelled = facts.spell(item.requirement)
        if spelled & rf.listed.keys():
            found[item.requirement] = None
        for listed, entry in rf.listed.items():
            if item.requirement in entry.held_as or item.requirement in facts.spell(listed):
                found[listed] = None
    for requirement in found:
        record = facts.requirements.get(requirement)
        yield requirement, record.sector if record is not None else None


def _classes(rf: RouteFacts, item: ItemFacts) -> frozenset[str]:
    """Return the item's product classes, with those that the route takes for a kind of one of them."""
    if not item.product_classes:
        return frozenset()
    kinds = {each.product_class for each in rf.route.product_classes if item.product_classes & set(each.held_as)}
    return item.product_classes | kinds


def _choose(offered: tuple[str, ...], named: frozenset[str], *, every: bool) -> list[str | None]:
    """Return what to ask: what an item names of what a route offers, else one that stands for all, or each."""
    if named:
        return [each for each in offered if each in named] or [*sorted(named)]
    return [*(offered if every else offered[:1])] or [None]
