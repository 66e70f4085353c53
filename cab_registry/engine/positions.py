"""Positions: what authorities say on a class of results; the narrower market's goes before the wider one's."""

from __future__ import annotations

from typing import Any, NamedTuple

from cab_registry.domain.days import NEVER, Period, Truth
from cab_registry.domain.records import Position
from cab_registry.engine.facts import RouteFacts
from cab_registry.engine.finding import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, Finding, Ground, Used
from cab_registry.engine.inquiry import View
from cab_registry.engine.mandate import speaks_for_market
from cab_registry.engine.representation import commission_of, find_actor
from cab_registry.engine.say import Say, has_say

_NONE = Finding("position", NOT_APPLICABLE, "position.none")


class Stance(NamedTuple):
    """A position that speaks of this result, and whether it binds in the market on the day of presentation."""

    position: Position
    version: int
    binds: bool
    narrow: int
    open: bool = False
    """Whether it may bind: the day of which that depends is known only as a window."""
    disregarded: bool = False
    """Whether it names this market, but its authority has no say there."""


def _may_say(view: View, rf: RouteFacts, position: Position, market: str) -> bool:
    """Whether the authority speaks for a market, on an agreement to which its economy is party.

    A union speaks for the markets of its members by its commission, an authority of a member for that member's alone.
    """
    facts = view.facts
    by = find_actor(position.by, position.owner, facts)
    economy = facts.economy_of(by) if by is not None else None
    if by is None or economy is None or not speaks_for_market(facts, by) or has_say(by, (rf,), facts) is Say.NO:
        return False
    if commission_of(economy, facts) not in (None, by) and by != economy:
        return False
    if economy not in {market, facts.state_of(market), *facts.parties(market, view.presented)}:
        return False
    if rf.agreement is None or not rf.agreement.parties:
        return True
    return not facts.parties(economy, view.presented).isdisjoint({*rf.agreement.parties, *rf.importer_codes})


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
    return about.issued_before is None or about.issued_before.reached(inquiry.issued.last) is not Truth.YES


def find_stances(view: View, rf: RouteFacts) -> list[Stance]:
    """Return the positions on this result, the one that binds first."""
    found = []
    for position, version in view.facts.positions:
        if not _speaks_of(view, rf, position):
            continue
        named = {*position.binds_in} & view.destination_parties
        reach = {market for market in named if _may_say(view, rf, position, market)}
        held = view.holds(Period(position.from_, position.until or NEVER))
        before = position.about.issued_before
        if before is not None:
            held = min(held, Truth(2 - before.reached(view.inquiry.issued.last)))
        narrow = 2 if view.question.destination in reach else 1
        binds = bool(reach) and held is Truth.YES
        disregarded = bool(named) and not reach and held is not Truth.NO
        found.append(Stance(position, version, binds, narrow, bool(reach) and held is Truth.UNKNOWN, disregarded))
    found.sort(
        key=lambda stance: (not stance.binds, -stance.narrow, -stance.position.from_.earliest, stance.position.id)
    )
    return found


def binding(stances: list[Stance]) -> Stance | None:
    """Return the stance that binds in the market, if any."""
    return stances[0] if stances and stances[0].binds else None


def may_bind(stances: list[Stance]) -> Stance | None:
    """Return a stance that may bind, on a day known only as a window, and that would then say something else."""
    bound = binding(stances)
    for stance in stances:
        if stance.open and (bound is None or stance.narrow >= bound.narrow):
            if bound is None or stance.position.says != bound.position.says:
                return stance
    return None


def check_position(stances: list[Stance], *, lost: bool) -> Finding:
    """A binding "not accepted" fails; a binding "accepted" brings its conditions where it saves an older result."""
    stance, other = binding(stances), may_bind(stances)
    if other is not None and (stance is not None or other.position.says == "not_accepted"):
        return Finding("position", UNKNOWN, "position.window", *_told(other))
    if stance is None:
        return _NONE
    values, used = _told(stance)
    if stance.position.says == "not_accepted":
        return Finding("position", FAIL, "position.against", values, used)
    conditions = tuple(Ground("position", text) for text in stance.position.conditions) if lost else ()
    return Finding("position", PASS, "position.accepts", values, used, conditions=conditions)


def _told(stance: Stance) -> tuple[dict[str, Any], tuple[Used, ...]]:
    position = stance.position
    used = (Used(position.id, stance.version, (position.from_, position.until or NEVER)),)
    values = {"by": position.by, "on": position.from_, "markets": position.binds_in, "ground": position.ground}
    return values, used
