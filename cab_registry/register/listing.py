"""Who may say how complete a list is: whoever the data of the register admit to give what stands on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from cab_registry.domain.errors import Fault
from cab_registry.domain.records import AnyRecord, Coverage
from cab_registry.domain.records.route import RightRule
from cab_registry.engine.facts import RouteFacts
from cab_registry.engine.mandate import GIVES_NO_RIGHT
from cab_registry.engine.say import Say
from cab_registry.register.compiled import Register
from cab_registry.register.offices import Doubt, accredits, actor_of
from cab_registry.register.subjects import join_names, list_names

RightKind = Literal["designation", "recognition", "accreditation"]
_ALL: Final[tuple[RightKind, ...]] = ("designation", "recognition", "accreditation")
_BEST: Final = (Say.YES, Say.OPEN, Say.NO)

GIVES: Final[dict[str, frozenset[str]]] = {
    "designation": frozenset({"designating", "notifying", "monitoring"}),
    "recognition": frozenset(
        {"designating", "notifying", "monitoring", "regulating", "inspecting", "approving", "registering"}
    ),
}
"""Roles of those who designate or recognise, where the data name a side and not an authority."""


def find_doubts_of_list(before: AnyRecord | None, after: Coverage, register: Register) -> Iterator[Doubt]:
    """Yield what stands against a statement on a list, as far as it speaks of another list than before."""
    known = before if isinstance(before, Coverage) else None
    if known is not None and _claim(known, register) == _claim(after, register):
        return
    by = actor_of(after, register)
    authority = register.law.authorities.get(by)
    if authority is None:
        return
    judged = [_may_list(kind, after, by, register) for kind in after.kinds or _ALL]
    say = min(judged, key=_BEST.index) if not after.kinds else max(judged, key=_BEST.index)
    if say is Say.YES:
        return
    roles = list_names(authority.roles) if authority.roles else "not on record"
    what = join_names(after.kinds or _ALL)
    gives = "gives no" if say is Say.NO else "is not known to give a"
    text = f"{by} {gives} {what} under {after.agreement or after.scheme or 'domestic law'}; its role is {roles}"
    yield Doubt(Fault("/by", text), left_open=say is Say.OPEN)


def _claim(record: Coverage, register: Register) -> tuple[object, ...]:
    return actor_of(record, register), record.by, record.kinds, record.agreement, record.annex, record.scheme


def _may_list(kind: RightKind, record: Coverage, by: str, register: Register) -> Say:
    """Say whether an authority may give such rights under what a list is about."""
    if kind == "accreditation":
        return Say.YES if accredits(by, register) else Say.NO
    roles = frozenset(register.law.authorities[by].roles)
    rules = [
        (rf, rule)
        for rf in register.law.routes.values()
        if (rule := rf.route.issuer.designation if kind == "designation" else rf.route.issuer.recognition) is not None
        and _is_about(record, rf)
    ]
    sides = [_side(rule, rf, by, register) for rf, rule in rules]
    if Say.YES in sides or (Say.OPEN in sides and roles & GIVES[kind]):
        return Say.YES
    if roles and roles <= GIVES_NO_RIGHT:
        return Say.NO
    return Say.OPEN if Say.OPEN in sides or not rules else Say.NO


def _is_about(record: Coverage, rf: RouteFacts) -> bool:
    route = rf.route
    if record.agreement is not None:
        either = record.annex is None or route.annex is None
        return record.agreement == route.agreement and (either or record.annex == route.annex)
    return record.scheme is None or record.scheme == route.scheme


def _side(rule: RightRule, rf: RouteFacts, by: str, register: Register) -> Say:
    """Say whether a rule takes an authority by its id, or any of its side, whose role then counts."""
    economy = register.facts.economy_of(by)
    parties = {economy, *(union for union, _ in register.law.memberships.get(economy or "", ()))}
    sides = {"exporter": set(rf.exporter_codes) or parties, "importer": set(rf.importer_codes)}
    say = Say.NO
    for word in rule.by:
        if word in register.law.authorities:
            if by in register.facts.same_authority(word):
                return Say.YES
        elif parties & (sides.get(word) or {word}):
            say = Say.OPEN
    return say
