"""Who may say what on results: positions and notices held against the register, before they are entered.

A position binds only where its authority speaks, about agreements to which its economy is party. A notice comes from
an authority that designated, recognised or accredited the body, from the body's home, or counts for the notifier's
own market alone: a market into which results of the body can go at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cab_registry.domain.errors import Fault
from cab_registry.domain.records import AnyRecord, Notice, Position
from cab_registry.engine.facts import RouteFacts
from cab_registry.register.compiled import Register
from cab_registry.register.offices import Doubt, meets
from cab_registry.register.ownership import REGISTRAR, speaks_for
from cab_registry.register.subjects import list_names

_NOT_OF_STATE: Final = frozenset({"accrediting", "arrangement"})
"""Roles that alone let nobody speak for an economy."""


def find_doubts_of_statement(before: AnyRecord | None, after: Position | Notice, register: Register) -> Iterator[Doubt]:
    """Yield what stands against a position or a notice, as far as it says something new."""
    if isinstance(after, Position):
        known = before if isinstance(before, Position) else None
        if known is None or _claim(known) != _claim(after):
            yield from _judge_position(after, register)
    else:
        old = before if isinstance(before, Notice) else None
        if old is None or (old.by, old.about, old.effect) != (after.by, after.about, after.effect):
            yield from _judge_notice(after, register)


def _claim(position: Position) -> tuple[object, ...]:
    return position.by, position.about, position.says, position.binds_in


def _judge_position(position: Position, register: Register) -> Iterator[Doubt]:
    by, law = position.by, register.law
    own = register.facts.economy_of(by)
    for index, market in enumerate(position.binds_in):
        if not speaks_for(by, market, law):
            speaks = f"; it speaks for {own}" if own is not None and speaks_for(by, own, law) else ""
            yield Doubt(Fault(f"/binds_in/{index}", f"{by} does not speak for {market}{speaks}"))
    agreement = law.agreements.get(position.about.agreement or "")
    if agreement is None or own is None:
        return
    sides = {own, *(union for union, spell in law.memberships.get(own, ()) if meets(spell, position.from_))}
    if not sides & set(agreement.parties):
        text = (
            f"{own} is not party to {agreement.id} on {position.from_}; its parties are {list_names(agreement.parties)}"
        )
        yield Doubt(Fault("/about/agreement", text))


def _judge_notice(notice: Notice, register: Register) -> Iterator[Doubt]:
    by = notice.by or notice.owner
    if by in {REGISTRAR, notice.about.body} or by in _named_in_rights(notice.about.body, register):
        return
    own = register.facts.economy_of(by)
    authority = register.law.authorities.get(by)
    roles = frozenset(authority.roles) if authority is not None else frozenset[str]()
    about = notice.about.body
    if own is None or (roles and roles <= _NOT_OF_STATE):
        whom = f"{about}" if about is not None else "a body of its own"
        what = f"; its role is {list_names(roles)}" if roles else ""
        text = f"{by} speaks for no market, and on record it did not designate, recognise or accredit {whom}{what}"
        yield Doubt(Fault("/by", text), left_open=about is None)
        return
    if about is None:
        return
    homes = _homes_of(about, register)
    if not homes or own in homes:
        return
    leading = _leading_into(own, homes, register)
    if any(_is_for(rf, about, own, register) for rf in leading):
        return
    text = f"{by} did not designate, recognise or accredit {about} and is not of {list_names(homes)}"
    routes = f"no route takes results of such a body from there into {own}"
    yield Doubt(Fault("/by", f"{text}, and {routes}"), left_open=bool(leading))


def _named_in_rights(body: str | None, register: Register) -> frozenset[str]:
    """Return who gave the body any right, with their predecessors, successors and members, and those of its economy."""
    issuer = register.facts.issuers.get(body or "")
    if issuer is None:
        return frozenset()
    facts = register.facts
    given = {right.by for kind in ("accreditation", "designation", "recognition") for right in issuer.rights(kind)}
    found = {other for by in given for other in facts.same_authority(by)}
    members = {member for member, umbrellas in facts.umbrellas.items() if found & set(umbrellas)}
    return frozenset((*given, *found, *members))


def _homes_of(body: str, register: Register) -> frozenset[str]:
    """Return the economies of a body and its sites, with the unions of which they ever were members."""
    facts = register.facts
    issuer = facts.issuers.get(body)
    if issuer is None:
        return frozenset()
    sites = issuer.body.sites if issuer.body is not None else ()
    codes = {code for code in (issuer.economy, *(site.economy for site in sites)) if code is not None}
    return frozenset[str]().union(*(facts.side_ever(code) for code in codes))


def _leading_into(market: str, homes: frozenset[str], register: Register) -> list[RouteFacts]:
    """Return the routes that, on any day, take results from one of these economies into the market or its unions."""
    markets = {"WORLD", *_sides(market, register)}
    return [rf for rf in register.law.routes.values() if markets & set(rf.importer_codes) and _exports(rf, homes)]


def _is_for(rf: RouteFacts, body: str, market: str, register: Register) -> bool:
    """Whether a route names the market and takes bodies of this kind: one for the whole world says nothing of it."""
    issuer, rule = register.facts.issuers.get(body), rf.route.issuer
    if not _sides(market, register) & set(rf.importer_codes):
        return False
    if issuer is None or issuer.body is None:
        return True
    taken = {kind for kinds in (rule.kinds, *rule.kinds_by_result.values()) for kind in kinds}
    return bool(taken & set(issuer.body.kinds))


def _sides(market: str, register: Register) -> frozenset[str]:
    return frozenset((market, *(union for union, _ in register.law.memberships.get(market, ()))))


def _exports(rf: RouteFacts, homes: frozenset[str]) -> bool:
    if not rf.exporter_codes:
        return not homes <= set(rf.route.not_exporter)
    return bool({"WORLD", *homes} & set(rf.exporter_codes))
