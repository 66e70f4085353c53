"""Who may have issued a result whose issuer is left out: everyone on record who differs, and somebody not on record."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import Final, NamedTuple

import msgspec

from cab_registry.domain.question import AskedIssuer
from cab_registry.engine.facts import IssuerFacts, RouteFacts
from cab_registry.engine.inquiry import Inquiry
from cab_registry.engine.meaning import OTHER
from cab_registry.engine.rights import covered

MANY: Final = 40
"""How many issuers with rights or statements of their own are tried, before nobody can tell."""


class Possible(NamedTuple):
    """The question as if it named one issuer; with no name where there are too many to be tried."""

    inquiry: Inquiry
    labels: tuple[str, ...]


def list_issuers(inquiry: Inquiry, routes: list[RouteFacts]) -> list[Possible]:
    """Return the question once for each issuer that may make a difference on the routes, and for one not on record."""
    found = [Possible(_as_stranger(inquiry), (OTHER,))]
    plain: set[tuple[object, ...]] = set()
    for issuer in sorted(_of_economy(inquiry), key=lambda each: each.id):
        if not _speaks(inquiry, issuer, routes):
            kind = _kind_of(issuer)
            if kind in plain:
                continue
            plain.add(kind)
        if len(found) > MANY:
            found.append(Possible(inquiry, ()))
            break
        result = msgspec.structs.replace(inquiry.question.result, issuer=AskedIssuer(id=issuer.id))
        question = msgspec.structs.replace(inquiry.question, result=result)
        found.append(Possible(Inquiry(question, inquiry.facts, inquiry.effort), (issuer.id,)))
    return found


def _as_stranger(inquiry: Inquiry) -> Inquiry:
    """Return the question as if somebody had issued the result who is not on record."""
    other = copy(inquiry)
    result = msgspec.structs.replace(inquiry.question.result, issuer=AskedIssuer(id=OTHER))
    other.question = msgspec.structs.replace(inquiry.question, result=result)
    other.stated_issuer = True
    return other


def _of_economy(inquiry: Inquiry) -> Iterable[IssuerFacts]:
    """Return the issuers in the economy that is stated, or in its state, those with a site in it included."""
    facts, economy = inquiry.facts, inquiry.question.result.issuer_economy
    state = facts.state_of(economy or "")
    for issuer in facts.issuers.values():
        sites = issuer.body.sites if issuer.body is not None else ()
        seats = (issuer.economy, *(site.economy for site in sites))
        if any(seat is not None and facts.state_of(seat) == state for seat in seats):
            yield issuer


def _speaks(inquiry: Inquiry, issuer: IssuerFacts, routes: list[RouteFacts]) -> bool:
    """Whether something on record tells the issuer apart from others of its kind: a right, an owner, a statement."""
    if issuer.notices or (issuer.body is not None and issuer.body.ownership):
        return True
    if any(issuer.id in rf.route.issuer.authorities for rf in routes):
        return True
    umbrellas = inquiry.facts.umbrellas.get(issuer.id, ())
    if any(umbrella in inquiry.facts.issuers for umbrella in umbrellas):
        return True
    return any(_holds(issuer, rf) for rf in routes)


def _holds(issuer: IssuerFacts, rf: RouteFacts) -> bool:
    """Whether the issuer ever held a right that a route may ask for."""
    rule = rf.route.issuer
    if rule.accreditation is not None and issuer.accreditations:
        return True
    needs = ((rule.designation, issuer.designations), (rule.recognition, issuer.recognitions))
    return any(need is not None and covered(right, rf, need.under) for need, rights in needs for right in rights)


def _kind_of(issuer: IssuerFacts) -> tuple[object, ...]:
    body, authority = issuer.body, issuer.authority
    if body is not None:
        return ("body", body.kinds)
    return ("authority", authority.inspects, authority.active) if authority is not None else ("authority",)
