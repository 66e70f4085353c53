"""Who may say what on results: positions and notices held against the register, before they are entered.

A position binds only where its authority speaks and has a say on results, about agreements to which its economy is
party. A notice comes from an authority that designated, recognised or accredited the body, from one at the body's home
that looks after such bodies, or counts for the notifier's own market alone: a market into which results of the body can
go at all, and in which the notifier has a say on them. Whoever speaks for a party is held to its own role.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cab_registry.domain.errors import Fault
from cab_registry.domain.records import AnyRecord, Notice, Position
from cab_registry.engine.facts import RouteFacts
from cab_registry.engine.mandate import GIVES_NO_RIGHT, field_of
from cab_registry.engine.notices import FOR_A_UNION
from cab_registry.engine.representation import REGISTRAR, speaks_for
from cab_registry.engine.say import Say, has_say
from cab_registry.register.compiled import Register
from cab_registry.register.deciding import list_deciding
from cab_registry.register.offices import Doubt, actor_of, meets
from cab_registry.register.subjects import list_names

_LOOKS_AFTER: Final = frozenset(
    {"designating", "notifying", "monitoring", "regulating", "market_surveillance", "approving", "registering"}
)
"""Roles of those who look after the bodies of their own economy; an inspectorate looks after inspectorates."""


def find_doubts_of_statement(before: AnyRecord | None, after: Position | Notice, register: Register) -> Iterator[Doubt]:
    """Yield what stands against a position or a notice, as far as it says something new."""
    known = before if isinstance(before, Position | Notice) else None
    if known is not None and _claim(known, register) == _claim(after, register):
        return
    if isinstance(after, Position):
        yield from _judge_position(after, register)
    else:
        yield from _judge_notice(after, register)


def find_remarks_on_statement(before: AnyRecord | None, after: AnyRecord, register: Register) -> Iterator[Fault]:
    """Yield for which market a notice counts, where it comes from elsewhere than the body."""
    known = before if isinstance(before, Notice) else None
    if not isinstance(after, Notice) or (known is not None and _claim(known, register) == _claim(after, register)):
        return
    by, about = actor_of(after, register), after.about.body
    own = register.facts.economy_of(by)
    if by == REGISTRAR or own is None or own in _homes_of(about, register):
        return
    also = f", and for documents issued in {own}" if about is None else ""
    unions = _sides(own, register) - {own}
    if after.effect in FOR_A_UNION and unions:
        also = f", and for the whole of {list_names(unions)} on results that it decides on there"
    if by in _named_in_rights(about, register):
        also += ", and where a right that it gave is asked for"
    yield Fault("/by", f"{by} is of {own}: the notice counts for results presented in {own}{also}, and nowhere else")


def _claim(record: Position | Notice, register: Register) -> tuple[object, ...]:
    head = (actor_of(record, register), record.by, record.about)
    return (*head, record.says, record.binds_in) if isinstance(record, Position) else (*head, record.effect)


def _judge_position(position: Position, register: Register) -> Iterator[Doubt]:
    by, law, facts = position.by, register.law, register.facts
    own = facts.economy_of(by)
    for index, market in enumerate(position.binds_in):
        if not speaks_for(by, market, law):
            speaks = f"; it speaks for {own}" if own is not None and speaks_for(by, own, law) else ""
            yield Doubt(Fault(f"/binds_in/{index}", f"{by} does not speak for {market}{speaks}"))
        else:
            concerned = [rf for rf in _into(market, register) if _is_about(position, rf)]
            yield from _without_say(actor_of(position, register), market, concerned, register)
    agreement = law.agreements.get(position.about.agreement or "")
    if agreement is None or own is None:
        return
    sides = {own, *(union for union, spell in law.memberships.get(own, ()) if meets(spell, position.from_))}
    if not sides & set(agreement.parties):
        text = (
            f"{own} is not party to {agreement.id} on {position.from_}; its parties are {list_names(agreement.parties)}"
        )
        yield Doubt(Fault("/about/agreement", text))


def _is_about(position: Position, rf: RouteFacts) -> bool:
    """Whether a position speaks of results that a route takes."""
    about, route = position.about, rf.route
    wanted = {*about.requirements, *((about.requirement,) if about.requirement is not None else ())}
    listed = {item.id for item in route.requirements}
    return (
        about.agreement == route.agreement
        and (about.annex is None or about.annex == route.annex)
        and (about.scheme is None or about.scheme == route.scheme)
        and (not wanted or not listed or bool(wanted & listed))
        and (not about.result_kinds or bool({*about.result_kinds} & {*route.result_kinds}))
    )


def _without_say(by: str, market: str, routes: list[RouteFacts], register: Register) -> Iterator[Doubt]:
    """Yield that an authority has, by its role and the routes, no say on what a market takes."""
    say = has_say(by, routes, register.facts)
    if say is Say.YES:
        return
    known = "does not decide" if say is Say.NO else "is not known to decide"
    text = f"{by} {known} which results {market} takes; {_role_of(by, register)}"
    yield Doubt(Fault("/by", f"{text}{list_deciding(routes, register)}"), left_open=say is Say.OPEN)


def _roles(by: str, register: Register) -> frozenset[str]:
    authority = register.law.authorities.get(by)
    return frozenset(authority.roles) if authority is not None else frozenset()


def _role_of(by: str, register: Register) -> str:
    roles = _roles(by, register)
    return f"the role of {by} is {list_names(roles) if roles else 'not on record'}"


def _judge_notice(notice: Notice, register: Register) -> Iterator[Doubt]:
    by, about = actor_of(notice, register), notice.about.body
    if by in {REGISTRAR, about} or by in _named_in_rights(about, register):
        return
    own, roles = register.facts.economy_of(by), _roles(by, register)
    if about is None and own is not None:
        yield from _judge_notice_on_a_number(by, register)
        return
    if own is None or (roles and roles <= GIVES_NO_RIGHT):
        whom = f"{about}" if about is not None else "a body of its own"
        what = f"; {_role_of(by, register)}" if roles else ""
        text = f"{by} has no say on results of bodies, and on record it did not designate, recognise or accredit {whom}"
        yield Doubt(Fault("/by", f"{text}{what}"), left_open=about is None)
        return
    field, theirs = field_of(register.facts, by), _sectors_of(about, register)
    if field and theirs and field.isdisjoint(theirs):
        text = f"{by} works in {list_names(field)}, and {about} in {list_names(theirs)}"
        yield Doubt(Fault("/by", f"{text}: a notice on it comes from who works there"))
        return
    homes = _homes_of(about, register)
    if not homes:
        return
    if own in homes:
        yield from _judge_at_home(by, about, register)
        return
    leading = _leading_into(own, homes, register)
    fitting = [rf for rf in leading if _is_for(rf, about, own, register)]
    if fitting:
        yield from _without_say(by, own, fitting, register)
        return
    text = f"{by} did not designate, recognise or accredit {about} and is not of {list_names(homes)}"
    routes = f"no route takes results of such a body from there into {own}"
    yield Doubt(Fault("/by", f"{text}, and {routes}"), left_open=bool(leading))


def _judge_notice_on_a_number(by: str, register: Register) -> Iterator[Doubt]:
    """Yield a doubt where nothing shows that an authority may speak of a document by its number alone."""
    issues = any(by in rf.route.issuer.authorities for rf in register.law.routes.values())
    if not issues and has_say(by, (), register.facts) is not Say.YES:
        text = f"{_role_of(by, register)}, and the number alone does not show that the document is its concern"
        yield Doubt(Fault("/by", f"{text}; name the body"), left_open=True)


def _judge_at_home(by: str, about: str | None, register: Register) -> Iterator[Doubt]:
    """Yield a doubt where an authority of the body's home is not known to look after such bodies."""
    roles, issuer = _roles(by, register), register.facts.issuers.get(about or "")
    looks_after = bool(roles & _LOOKS_AFTER) or by not in register.law.authorities
    inspected = issuer is None or issuer.body is None or "inspectorate" in issuer.body.kinds
    if not looks_after and not ("inspecting" in roles and inspected):
        text = f"the register does not say that {by} looks after bodies as {about}; {_role_of(by, register)}"
        yield Doubt(Fault("/by", text), left_open=True)


def _sectors_of(body: str | None, register: Register) -> frozenset[str]:
    """Return the sectors in which a body works, by its rights or, for an authority, by its field; none if not known."""
    issuer = register.facts.issuers.get(body or "")
    if issuer is None:
        return frozenset()
    if issuer.authority is not None:
        return field_of(register.facts, issuer.id)
    found: set[str] = set()
    for kind in ("accreditation", "designation", "recognition"):
        for item in (item for right in issuer.rights(kind) for item in right.items):
            rule = register.law.requirements.get(item.requirement or "")
            if rule is None or rule.sector is None:
                return frozenset()
            found.add(rule.sector)
    return frozenset(found)


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


def _homes_of(body: str | None, register: Register) -> frozenset[str]:
    """Return the economies of a body and its sites, with the unions of which they ever were members."""
    facts = register.facts
    issuer = facts.issuers.get(body or "")
    if issuer is None:
        return frozenset()
    sites = issuer.body.sites if issuer.body is not None else ()
    codes = {code for code in (issuer.economy, *(site.economy for site in sites)) if code is not None}
    return frozenset[str]().union(*(facts.side_ever(code) for code in codes))


def _leading_into(market: str, homes: frozenset[str], register: Register) -> list[RouteFacts]:
    """Return the routes that, on any day, take results from one of these economies into the market or its unions."""
    return [rf for rf in _into(market, register) if _exports(rf, homes)]


def _into(market: str, register: Register) -> Iterator[RouteFacts]:
    """Yield the routes into a market or its unions."""
    markets = {"WORLD", *_sides(market, register)}
    return (rf for rf in register.law.routes.values() if markets & set(rf.importer_codes))


def _is_for(rf: RouteFacts, body: str | None, market: str, register: Register) -> bool:
    """Whether a route names the market and takes bodies of this kind: one for the whole world says nothing of it."""
    issuer, rule = register.facts.issuers.get(body or ""), rf.route.issuer
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
