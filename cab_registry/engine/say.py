"""Whether an authority has a say on which results a market takes: by its roles, and by what the routes into it name."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from cab_registry.engine.facts import Facts, RouteFacts
from cab_registry.engine.mandate import GIVES_NO_RIGHT, is_outside

_DECIDING: Final = frozenset({"regulating", "approving", "registering", "market_surveillance", "monitoring"})
_INSPECTED: Final = frozenset(
    {"gmp_inspection", "gmp_certificate", "batch_certificate", "inspection_report", "non_compliance_statement"}
)
"""Kinds of result on which an inspectorate has a say."""


class Say(Enum):
    """Whether an authority has a say."""

    YES = "yes"
    OPEN = "open"
    NO = "no"


def has_say(by: str, routes: Iterable[RouteFacts], facts: Facts) -> Say:
    """Say whether an authority of a market has a say on what comes into it by some routes.

    Where none of them names who recognises, whoever is not known to decide may have one all the same; whose field on
    record is another has none on routes that do not name it.

    Args:
        by: the authority; of a party, its own word counts.
        routes: those that take such results into its market; none where the register has none.
        facts: of the register.
    """
    authority = facts.authorities.get(by)
    if authority is None:
        return Say.YES
    roles, routes = frozenset(authority.roles), tuple(routes)
    if not routes and roles & {*_DECIDING, "inspecting"}:
        return Say.YES
    named = [named_into(rf, facts) for rf in routes]
    if any(by in facts.same_authority(word) for words in named for word in words):
        return Say.YES
    if routes and all(is_outside(facts, by, rf) for rf in routes):
        return Say.NO
    fits = [_fits(roles, rf, facts) and not is_outside(facts, by, rf) for rf in routes]
    if any(fit and not words for fit, words in zip(fits, named, strict=True)):
        return Say.YES
    is_open = any(fits) or (not any(named) and not (roles and roles <= GIVES_NO_RIGHT))
    return Say.OPEN if is_open else Say.NO


def named_into(rf: RouteFacts, facts: Facts) -> tuple[str, ...]:
    """Return the authorities that alone recognise for a route; none where it names a party, or nobody."""
    rule = rf.route.issuer.recognition
    words = rule.by if rule is not None else ()
    return words if all(word in facts.authorities for word in words) else ()


def takes_customs(rf: RouteFacts, facts: Facts) -> bool:
    """Whether a route takes what customs authorities issue."""
    issuing = (facts.authorities.get(key) for key in rf.route.issuer.authorities)
    return any(each is not None and "customs" in each.roles for each in issuing)


def _fits(roles: frozenset[str], rf: RouteFacts, facts: Facts) -> bool:
    """Whether roles as these decide on results as a route takes."""
    if "customs" in roles and takes_customs(rf, facts):
        return True
    return bool(roles & _DECIDING) or ("inspecting" in roles and bool(_INSPECTED & set(rf.route.result_kinds)))
