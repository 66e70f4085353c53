"""Who may say what: rights held against what the data of their agreement admit, before they are entered.

No agreement is named here. Its routes say who designates and who recognises, for bodies of which economies, of which
kinds, for which rules. What contradicts them is refused; what they leave open is a doubt that a stated reason settles.
Whoever acts in the name of a party or an economy is held to what its own role and the data admit, as in its own name.
Only what a version adds is looked at: a right that should never have been entered can still be withdrawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from cab_registry.domain.codes import EventName
from cab_registry.domain.days import ALWAYS, Period, When
from cab_registry.domain.errors import Fault
from cab_registry.domain.records import (
    Accreditation,
    AnyRecord,
    Body,
    Coverage,
    Designation,
    Notice,
    Position,
    Recognition,
)
from cab_registry.domain.records.rights import ScopeItem
from cab_registry.domain.records.route import Cover, RightRule
from cab_registry.engine.facts import RouteFacts
from cab_registry.engine.mandate import GIVES_NO_RIGHT
from cab_registry.register.compiled import Register
from cab_registry.register.compiled_rights import AnyRight
from cab_registry.register.holders import find_doubts_of_body
from cab_registry.register.listing import GIVES, find_doubts_of_list
from cab_registry.register.offices import (
    Doubt,
    actor_of,
    economies_of,
    list_not_accredited,
    list_not_accrediting,
    list_out_of_office,
    meets,
)
from cab_registry.register.statements import find_doubts_of_statement
from cab_registry.register.subjects import find_unfit_items, join_names, list_names

_GIVING: Final[frozenset[EventName]] = frozenset(
    {"proposed", "notified", "designated", "recognised", "granted", "extended", "renewed"}
)
_AGAINST: Final[frozenset[EventName]] = frozenset({"suspended", "restricted", "withdrawn", "reinstated"})
_HEADING: Final = ("body", "site", "by", "agreement", "annex", "scheme", "standard")
_CLAIM: Final = ("key", "requirement", "standards", "product_classes", "procedures", "result_kinds")
_DONE: Final = {"designation": "designated", "recognition": "recognised"}
_DOES: Final = {"designation": "designates", "recognition": "recognises"}


class _Admits(NamedTuple):
    """That a rule takes an authority: by its id or its party, or as any authority of a side, whose role then counts."""

    named: bool


@dataclass(frozen=True, slots=True)
class _Claim:
    """A designation or recognition as far as it is new.

    Attributes:
        right: the right.
        kind: what it is.
        economies: of the body's seat, and of the one site for which it is given.
        days: on which it is given or asked for; empty where no day is known.
        register: with the right and the rest of its submission in it.
    """

    right: Designation | Recognition
    kind: Literal["designation", "recognition"]
    economies: frozenset[str]
    days: tuple[When, ...]
    register: Register

    @property
    def ground(self) -> str:
        """Name under what it is held."""
        right = self.right
        named = right.agreement or right.scheme or "domestic law"
        return f"{named}, annex {right.annex}" if right.annex else named

    @property
    def actor(self) -> str:
        """Who gives it: whoever is named, or the authority that speaks for the named party."""
        return actor_of(self.right, self.register)

    @property
    def seats(self) -> str:
        """Name where the body is."""
        return list_names(self.economies)


def find_doubts(before: AnyRecord | None, after: AnyRecord, register: Register) -> list[Doubt]:
    """List what the data of the register say against a right, a list or a statement, or leave open.

    Args:
        before: the version on record; none for a new record.
        after: the version that is to follow.
        register: the register with the rest of the submission in it.
    """
    if isinstance(after, Position | Notice):
        return list(find_doubts_of_statement(before, after, register))
    if isinstance(after, Body):
        return list(find_doubts_of_body(before, after, register))
    if isinstance(after, Coverage):
        return list(find_doubts_of_list(before, after, register))
    if not isinstance(after, Accreditation | Designation | Recognition):
        return []
    known = before if isinstance(before, Accreditation | Designation | Recognition) else None
    return [*_before_it_began(known, after), *_find_doubts(known, after, register)]


def _before_it_began(known: AnyRight | None, after: AnyRight) -> Iterator[Doubt]:
    """Yield new decisions against a right on a day on which it was neither given nor asked for yet."""
    starts = [event.on for event in after.timeline if event.event in _GIVING]
    starts += [after.from_] if after.from_ is not None else []
    first = min(starts, key=lambda day: day.earliest, default=ALWAYS)
    for index, event in enumerate(after.timeline):
        new = known is None or event not in known.timeline
        if new and event.event in _AGAINST and event.on.latest < first.earliest:
            text = f"{event.event} on {event.on}, before the right was given or asked for ({first})"
            yield Doubt(Fault(f"/timeline/{index}/on", text), left_open=True)


def _find_doubts(known: AnyRight | None, after: AnyRight, register: Register) -> list[Doubt]:
    items = _new_items(known, after)
    given = [
        event.on
        for event in after.timeline
        if event.event in _GIVING and (known is None or event not in known.timeline)
    ]
    moved = known is None or any(getattr(known, name, None) != getattr(after, name, None) for name in _HEADING)
    moved = moved or (known is not None and actor_of(known, register) != actor_of(after, register))
    if not (items or given or moved):
        return []
    days = tuple(given) or ((after.from_,) if moved and after.from_ is not None else ())
    out_of_office = list(list_out_of_office(after, [day for day in days if day != ALWAYS], register))
    if isinstance(after, Accreditation):
        return [*out_of_office, *list_not_accrediting(after, register), *list_not_accredited(after, register)]
    economies = economies_of(after, register)
    kind: Literal["designation", "recognition"] = "designation" if isinstance(after, Designation) else "recognition"
    claim = _Claim(after, kind, economies, tuple(day for day in days if day != ALWAYS), register)
    return [*out_of_office, *(_judge(claim, items) if economies else ())]


def _new_items(known: AnyRight | None, after: AnyRight) -> list[tuple[int, ScopeItem]]:
    there = {_claim_of(item) for item in known.scope} if known is not None else set()
    return [(index, item) for index, item in enumerate(after.scope) if _claim_of(item) not in there]


def _claim_of(item: ScopeItem) -> tuple[object, ...]:
    return tuple(getattr(item, name) for name in _CLAIM)


def _judge(claim: _Claim, items: Sequence[tuple[int, ScopeItem]]) -> Iterator[Doubt]:
    ruled = list(_routes_under(claim))
    if not ruled:
        yield from _without_a_rule(claim)
        return
    reached = [(rf, rule) for rf, rule in ruled if _exports(rf, claim)]
    if not reached:
        yield Doubt(Fault("/body", _elsewhere(claim, ruled)))
        return
    admitted = [(rf, found) for rf, rule in reached if (found := _admits(rule, rf, claim)) is not None]
    if not admitted:
        yield Doubt(Fault("/by", _by_others(claim, reached, ruled)))
    elif not any(found.named for _, found in admitted):
        yield from _role_of(claim)
    routes = [rf for rf, _ in admitted] or [rf for rf, _ in reached]
    fitting = [rf for rf in routes if _takes_kind(rf, claim)]
    if not fitting:
        yield Doubt(Fault("/body", _other_kind(claim, routes)))
    for fault, left_open in find_unfit_items(items, fitting or routes, claim.register.facts, claim.ground):
        yield Doubt(fault, left_open)


def _routes_under(claim: _Claim) -> Iterator[tuple[RouteFacts, RightRule]]:
    """Yield the routes that ask for such a right, and for which one with this heading counts."""
    for rf in claim.register.law.routes.values():
        issuer = rf.route.issuer
        rule = issuer.designation if claim.kind == "designation" else issuer.recognition
        if rule is not None and any(_is_under(claim.right, rf, cover) for cover in rule.under or (Cover(),)):
            yield rf, rule


def _is_under(right: Designation | Recognition, rf: RouteFacts, cover: Cover) -> bool:
    agreement, annex, scheme = cover.agreement, cover.annex, cover.scheme
    if agreement is None and scheme is None:
        agreement, annex, scheme = rf.route.agreement, rf.route.annex, rf.route.scheme
    if agreement is not None:
        return right.agreement == agreement and (annex is None or right.annex in (None, annex))
    return right.agreement is None and right.scheme in (None, scheme)


def _without_a_rule(claim: _Claim) -> Iterator[Doubt]:
    """Judge by the parties and the roles alone where no route asks for such a right."""
    right, register = claim.right, claim.register
    agreement = register.law.agreements.get(right.agreement or "")
    named = any(
        rf.route.agreement == right.agreement if right.agreement else rf.route.scheme == right.scheme
        for rf in register.law.routes.values()
    )
    if named:
        text = f"the register does not say who gives a {claim.kind} under {claim.ground}"
        yield Doubt(Fault("/agreement" if right.agreement else "/scheme", text), left_open=True)
        return
    own = register.facts.economy_of(right.by)
    wrong_side = _wrong_side(claim, agreement.parties if agreement is not None else (), own)
    if wrong_side is not None:
        yield Doubt(wrong_side)
        return
    doubts = list(_role_of(claim))
    yield from doubts
    if all(doubt.left_open for doubt in doubts):
        text = f"the register has no route under {claim.ground}, so nothing says who gives a {claim.kind} under it"
        yield Doubt(Fault("/agreement" if right.agreement else "/scheme", text), left_open=True)
    annex = agreement.annexes.get(right.annex or "") if agreement is not None else None
    for index, item in enumerate(right.scope):
        requirement = register.law.requirements.get(item.requirement or "")
        sector = requirement.sector if requirement is not None else None
        if annex is not None and annex.sectors and sector is not None and sector not in annex.sectors:
            text = f"{claim.ground} covers {list_names(annex.sectors)}, and {item.requirement} is about {sector}"
            yield Doubt(Fault(f"/scope/{index}/requirement", text))


def _wrong_side(claim: _Claim, parties: Sequence[str], own: str | None) -> Fault | None:
    """Say that a body is of no party, or that the wrong side speaks of it: its own designates, another recognises."""
    sides = {code for code in parties if _is_in(claim.economies, code, claim)}
    if parties and not sides:
        text = f"the parties of {claim.right.agreement} are {list_names(parties)}, and the body is in {claim.seats}"
        return Fault("/body", text)
    same = own in _parties_of(claim) or any(_is_in(frozenset((own or "",)), code, claim) for code in sides)
    if claim.kind == "designation" and not same:
        return Fault("/by", f"a body in {claim.seats} is designated by its own side, not by {claim.actor}")
    if claim.kind == "recognition" and same and parties:
        return Fault("/by", f"a body in {claim.seats} is recognised by the other side, not by {claim.actor}")
    return None


def _role_of(claim: _Claim) -> Iterator[Doubt]:
    """Yield a doubt where an authority is of the right side, but is not known to give such rights."""
    by = claim.actor
    authority = claim.register.law.authorities.get(by)
    if authority is None or GIVES[claim.kind] & set(authority.roles):
        return
    own = frozenset((authority.economy,) if authority.economy is not None else ())
    hint = _those_who_give(claim, own)
    if authority.roles and set(authority.roles) <= GIVES_NO_RIGHT:
        text = f"{by} gives no {claim.kind}; its role is {list_names(authority.roles)}{hint}"
        yield Doubt(Fault("/by", text))
        return
    roles = list_names(authority.roles) if authority.roles else "not on record"
    text = f"{claim.ground} leaves open who {_DOES[claim.kind]} in {list_names(own)}; the role of {by} is {roles}{hint}"
    yield Doubt(Fault("/by", text), left_open=True)


def _those_who_give(claim: _Claim, economies: frozenset[str]) -> str:
    there = sorted(
        key
        for key, other in claim.register.law.authorities.items()
        if other.economy in economies and {"designating", "notifying"} & set(other.roles)
    )
    return f"; authorities in {list_names(economies)} that designate: {list_names(there)}" if there else ""


def _exports(rf: RouteFacts, claim: _Claim) -> bool:
    if not rf.exporters:
        return not claim.economies <= set(rf.route.not_exporter)
    return any(_is_in(claim.economies, code, claim, period) for code, period in rf.exporters)


def _is_in(economies: frozenset[str], party: str, claim: _Claim, period: Period | None = None) -> bool:
    """Whether one of the economies is a party, or a member of it, on each of the days on which the right is given."""
    if party == "WORLD":
        return True
    if period is not None and not all(meets(period, day) for day in claim.days):
        return False
    for code in economies:
        if code == party:
            return True
        spells = [spell for union, spell in claim.register.law.memberships.get(code, ()) if union == party]
        if spells and all(any(meets(spell, day) for spell in spells) for day in claim.days):
            return True
    return False


def _admits(rule: RightRule, rf: RouteFacts, claim: _Claim) -> _Admits | None:
    facts, by = claim.register.facts, claim.actor
    economy = facts.economy_of(by)
    own = frozenset((economy,) if economy is not None else ())
    side = by in facts.economies
    found: _Admits | None = None
    for word in rule.by:
        if word in facts.authorities:
            named = facts.same_authority(word)
            if by in named or named & set(facts.umbrellas.get(by, ())) or by == facts.authorities[word].economy:
                return _Admits(named=True)
        elif word == "exporter":
            if economy in _parties_of(claim):
                found = _Admits(named=side)
        elif word == "importer":
            if any(_is_side(economy, code, claim, period) for code, period in rf.importers):
                found = _Admits(named=side)
        elif economy == word or (word not in rf.importer_codes and _is_in(own, word, claim)):
            found = _Admits(named=side)
    return found


def _is_side(economy: str | None, party: str, claim: _Claim, period: Period) -> bool:
    """Whether an economy is itself an importing party: a member does not recognise for its union."""
    return party == "WORLD" or (economy == party and all(meets(period, day) for day in claim.days))


def _parties_of(claim: _Claim) -> frozenset[str]:
    """Return the economies of the body with the unions of which they ever were members."""
    unions = (union for code in claim.economies for union, _ in claim.register.law.memberships.get(code, ()))
    return frozenset((*claim.economies, *unions))


def _takes_kind(rf: RouteFacts, claim: _Claim) -> bool:
    issuer = claim.register.facts.issuers.get(claim.right.body)
    if issuer is None or issuer.body is None:
        return True
    kinds = set(issuer.body.kinds)
    rule = rf.route.issuer
    if rule.kinds_by_result:
        return any(not taken or bool(kinds & set(taken)) for taken in rule.kinds_by_result.values())
    return not rule.kinds or bool(kinds & set(rule.kinds))


def _other_kind(claim: _Claim, routes: Iterable[RouteFacts]) -> str:
    rules = [rf.route.issuer for rf in routes]
    taken = {kind for rule in rules for kinds in (rule.kinds, *rule.kinds_by_result.values()) for kind in kinds}
    record = claim.register.records[claim.right.body].record
    kinds = record.kinds if isinstance(record, Body) else ()
    is_a = f"{record.id} is a {join_names(kinds)}"
    return f"under {claim.ground}, a body in {claim.seats} is a {join_names(taken)}, and {is_a}"


def _elsewhere(claim: _Claim, ruled: Iterable[tuple[RouteFacts, RightRule]]) -> str:
    codes = {code for rf, _ in ruled for code in rf.exporter_codes}
    when = f" on {claim.days[0]}" if claim.days else ""
    fits = f"; bodies in these are: {list_names(codes)}" if codes else ""
    return f"under {claim.ground}, bodies in {claim.seats} are not {_done(claim)}{when}{fits}"


def _by_others(
    claim: _Claim, reached: Iterable[tuple[RouteFacts, RightRule]], ruled: Iterable[tuple[RouteFacts, RightRule]]
) -> str:
    words = list(dict.fromkeys(word for _, rule in reached for word in rule.by))
    importers = {code for rf, _ in reached for code in rf.importer_codes}
    others = []
    for word in words:
        if word == "exporter":
            others.append(f"an authority of {claim.seats}")
        elif word == "importer":
            others.append(f"an authority of {join_names(importers)}")
        elif word in claim.register.law.authorities:
            others.append(word)
        else:
            others.append(f"an authority of {word}")
    by = claim.actor
    text = f"under {claim.ground}, bodies in {claim.seats} are {_done(claim)} by {join_names(others)}, not by {by}"
    elsewhere = {code for rf, rule in ruled if by in rule.by for code in rf.exporter_codes}
    if elsewhere:
        return f"{text}; {by} {_DOES[claim.kind]} bodies in {list_names(elsewhere)}"
    return f"{text}{_those_who_give(claim, claim.economies)}" if "exporter" in words else text


def _done(claim: _Claim) -> str:
    return _DONE[claim.kind]
