"""Who may say what, where it stands on record: what those say whose office is another one is disregarded.

Domain.md, section 9, point 15. Nothing is held against an authority whose roles are not on record.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cab_registry.domain.records import Authority
from cab_registry.engine.facts import Facts, RightFacts, RouteFacts

GIVES_NO_RIGHT: Final = frozenset({"accrediting", "arrangement", "customs", "registrar"})
"""Roles that alone let nobody designate or recognise, nor say anything of the results of bodies."""

_SPEAKS_FOR_NO_MARKET: Final = frozenset({"accrediting", "arrangement", "designating", "registrar"})
_FINDS_NO_OWNER: Final = GIVES_NO_RIGHT | {"designating"}


def accredits(facts: Facts, by: str) -> bool:
    """Whether somebody is an accreditation body, or stands behind one."""
    held = list(_offices(facts, by))
    known = any(each.roles for each in held)
    return not known or any("accrediting" in each.roles or each.signatory for each in held)


def gives_rights(facts: Facts, by: str) -> bool:
    """Whether somebody may designate or recognise at all."""
    return _has_other_role(facts, by, GIVES_NO_RIGHT)


def speaks_for_market(facts: Facts, by: str) -> bool:
    """Whether somebody may say that results are accepted in a market, or not."""
    return _has_other_role(facts, by, _SPEAKS_FOR_NO_MARKET)


def field_of(facts: Facts, by: str) -> frozenset[str]:
    """Return the sectors in which somebody works; none where its field is not on record.

    A pure inspectorate works where it inspects.
    """
    held = list(_offices(facts, by))
    if not held or not all(each.sectors or set(each.roles) == {"inspecting"} for each in held):
        return frozenset()
    return frozenset(sector for each in held for sector in (*each.sectors, *each.inspects))


def is_outside(facts: Facts, by: str, rf: RouteFacts) -> bool:
    """Whether a route is about sectors in which somebody, by its field on record, does not work."""
    field = field_of(facts, by)
    return bool(field and rf.sectors) and field.isdisjoint(rf.sectors)


def looks_after(facts: Facts, by: str, rf: RouteFacts) -> bool:
    """Whether an authority at home has to do with bodies as a route takes: customs only with their own statuses."""
    if is_outside(facts, by, rf):
        return False
    issuing = {role for key in rf.route.issuer.authorities if key in facts.authorities for role in _roles(facts, key)}
    return gives_rights(facts, by) or ("customs" in issuing and "customs" in _roles(facts, by))


def finds_owners(facts: Facts, by: str) -> bool:
    """Whether somebody may find that a body is controlled by a prohibited entity."""
    return _has_other_role(facts, by, _FINDS_NO_OWNER)


def in_office(facts: Facts, right: RightFacts) -> bool:
    """Whether whoever gave a right was there on the first day of it; the act of a predecessor is the predecessor's."""
    authority = facts.authorities.get(right.by)
    if authority is None or not authority.active:
        return True
    starts = [lane.timeline.states[-1].start for item in right.items for lane in item.lanes[:1]]
    periods = [office.period for office in authority.active]
    return not starts or any(
        period.start.earliest <= start.latest and start.earliest <= period.end.latest
        for period in periods
        for start in starts
    )


def _has_other_role(facts: Facts, by: str, barred: frozenset[str]) -> bool:
    roles = _roles(facts, by)
    return not roles or not roles <= barred


def _roles(facts: Facts, by: str) -> set[str]:
    return {role for each in _offices(facts, by) for role in each.roles}


def _offices(facts: Facts, by: str) -> Iterator[Authority]:
    """Yield an authority and the umbrellas under which it is; none for a party."""
    for key in (by, *facts.umbrellas.get(by, ())):
        authority = facts.authorities.get(key)
        if authority is not None:
            yield authority
