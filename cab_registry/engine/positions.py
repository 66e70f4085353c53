"""Positions: what authorities say on a class of results; the narrower market's goes before the wider one's."""

from __future__ import annotations

from typing import NamedTuple

from cab_registry.domain.days import NEVER, Period, Truth
from cab_registry.domain.records import Position
from cab_registry.engine.facts import RouteFacts
from cab_registry.engine.finding import FAIL, NOT_APPLICABLE, PASS, Finding, Ground, Used
from cab_registry.engine.inquiry import View

_NONE = Finding("position", NOT_APPLICABLE, "position.none")


class Stance(NamedTuple):
    """A position that speaks of this result, and whether it binds in the market on the day of presentation."""

    position: Position
    version: int
    binds: bool
    narrow: int


def _speaks_of(view: View, rf: RouteFacts, position: Position) -> bool:
    about, question, inquiry = position.about, view.question, view.inquiry
    route = rf.route
    if about.agreement != route.agreement:
        return False
    if about.annex is not None and about.annex != route.annex:
        return False
    if about.scheme is not None and about.scheme != route.scheme:
        return False
    if about.body is not None and (inquiry.issuer is None or inquiry.issuer.id != about.body):
        return False
    wanted = set(about.requirements) | ({about.requirement} if about.requirement else set())
    if wanted and not wanted & set(inquiry.requirements):
        return False
    if about.result_kinds and question.result.kind not in about.result_kinds:
        return False
    if about.product_classes and question.subject.product_class not in about.product_classes:
        return False
    return about.issued_before is None or about.issued_before.reached(inquiry.issued.last) is Truth.NO


def find_stances(view: View, rf: RouteFacts) -> list[Stance]:
    """Return the positions on this result, the one that binds first."""
    found = []
    for position, version in view.facts.positions:
        if not _speaks_of(view, rf, position):
            continue
        reach = set(position.binds_in) & view.destination_parties
        held = view.holds(Period(position.from_, position.until or NEVER))
        binds = bool(reach) and held is Truth.YES
        narrow = 2 if view.question.destination in reach else 1
        found.append(Stance(position, version, binds, narrow))
    found.sort(
        key=lambda stance: (not stance.binds, -stance.narrow, -stance.position.from_.earliest, stance.position.id)
    )
    return found


def binding(stances: list[Stance]) -> Stance | None:
    """Return the stance that binds in the market, if any."""
    return stances[0] if stances and stances[0].binds else None


def check_position(stances: list[Stance], *, lost: bool) -> Finding:
    """A binding "not accepted" fails; a binding "accepted" brings its conditions where it saves an older result."""
    stance = binding(stances)
    if stance is None:
        return _NONE
    position = stance.position
    used = (Used(position.id, stance.version, (position.from_, position.until or NEVER)),)
    values = {"by": position.by, "on": position.from_, "markets": position.binds_in, "ground": position.ground}
    if position.says == "not_accepted":
        return Finding("position", FAIL, "position.against", values, used)
    conditions = tuple(Ground("position", text) for text in position.conditions) if lost else ()
    return Finding("position", PASS, "position.accepts", values, used, conditions=conditions)
