"""Whose notice counts for a result (domain.md, section 9, point 15), and for which route."""

from __future__ import annotations

from typing import Final

from cab_registry.domain.codes import NoticeEffect
from cab_registry.domain.records import Notice
from cab_registry.engine.facts import IssuerFacts, RightFacts, RouteFacts
from cab_registry.engine.inquiry import View
from cab_registry.engine.mandate import accredits, finds_owners, looks_after
from cab_registry.engine.representation import REGISTRAR, find_actor
from cab_registry.engine.rights import covered, given_by, is_named
from cab_registry.engine.say import Say, has_say

FOR_A_UNION: Final[frozenset[NoticeEffect]] = frozenset(
    {"non_compliance", "superseded", "taken_over", "not_taken_over"}
)
"""Statements of one member's authority that count for the markets of the union, where it is known to decide."""

_ON_TAKEOVER: Final[frozenset[NoticeEffect]] = frozenset({"taken_over", "not_taken_over"})


def find_notifier(view: View, notice: Notice) -> str | None:
    """Return who says what a notice says; none where its owner does not speak for who is named."""
    return find_actor(notice.by, notice.owner, view.facts)


def name_notifier(view: View, notice: Notice) -> str | None:
    """Return who says what a notice says, as answers name it; none where it is only the registrar's entry."""
    by = find_notifier(view, notice)
    return by if by != REGISTRAR else None


def may_say(view: View, rf: RouteFacts, notice: Notice) -> bool:
    """Whether a notice counts for this result on a route: by whom it comes.

    It comes from the issuer itself, from an authority that decides in the market asked about, from one that looks after
    such bodies at the issuer's or the site's home, or from one that gave a right on which the route rests. A refusal
    speaks for the refuser's market alone.
    """
    by, facts, issuer = find_notifier(view, notice), view.facts, view.inquiry.issuer
    if by is None:
        return False
    other = facts.issuers.get(by)
    if by not in facts.authorities and other is not None and other.body is not None:
        return (issuer is not None and by == issuer.id) or notice.effect in _ON_TAKEOVER
    if by == REGISTRAR or (issuer is not None and issuer.id in facts.same_authority(by)):
        return True
    economy = facts.economy_of(by)
    if economy is not None and _decides(view, rf, notice, by, economy):
        return True
    if economy is not None and economy in _homes(view) and looks_after(facts, by, rf):
        return True
    return issuer is not None and notice.effect != "refused" and _gave_a_right(view, rf, issuer, by)


def may_find_owner(view: View, rf: RouteFacts, notice: Notice) -> bool:
    """Whether a notice counts that says who owns the issuer."""
    by = find_notifier(view, notice)
    return may_say(view, rf, notice) and by is not None and (by == REGISTRAR or finds_owners(view.facts, by))


def may_state_owner(view: View, owner: str) -> bool:
    """Whether what a body's record says of its ownership counts: kept by the registrar, at home, or in the market."""
    economy = view.facts.economy_of(owner)
    if owner == REGISTRAR or owner not in view.facts.authorities:
        return True
    return economy is not None and (economy in _homes(view) or economy in view.destination_parties)


def _homes(view: View) -> set[str | None]:
    return {*view.inquiry.issuer_parties, view.inquiry.site_economy}


def _decides(view: View, rf: RouteFacts, notice: Notice, by: str, economy: str) -> bool:
    """Whether it speaks for the market, or as a member that decides for the union that takes such results as one."""
    say = has_say(by, (rf,), view.facts)
    if economy in view.destination_parties:
        return say is not Say.NO
    unions = view.destination_parties & rf.importer_codes
    member = not unions.isdisjoint(view.facts.parties(economy, view.presented))
    return notice.effect in FOR_A_UNION and member and say is Say.YES


def _gave_a_right(view: View, rf: RouteFacts, issuer: IssuerFacts, by: str) -> bool:
    """Whether an authority gave the issuer a right that the route asks for; one that nobody asked for gives no say."""
    kin, rule = view.facts.same_authority(by), rf.route.issuer
    for kind, asked in (("designation", rule.designation), ("recognition", rule.recognition)):
        for right in issuer.rights(kind):
            theirs = right.actor in kin or right.by in kin
            if (
                asked is not None
                and theirs
                and covered(right, rf, asked.under) is not None
                and given_by(view, rf, asked.by, right)
            ):
                return True
    return any(right.by in kin and _accredits(view, rf, issuer, right) for right in issuer.accreditations)


def _accredits(view: View, rf: RouteFacts, issuer: IssuerFacts, right: RightFacts) -> bool:
    """Whether an accreditation was given at home, or is one that the route asks for.

    Where the route names nobody who accredits, one from elsewhere is asked for only while the issuer has no other.
    """
    if right.actor is None or not accredits(view.facts, right.by):
        return False
    if view.facts.economy_of(right.by) in _homes(view):
        return True
    rule = rf.route.issuer.accreditation
    if rule is None:
        return False
    kin = view.facts.same_authority(right.by)
    if not rule.by:
        return all(each.by in kin for each in issuer.accreditations if each.actor is not None)
    return any(
        is_named(view, rf, (each,), right.by) if isinstance(each, str) else each.authority in kin for each in rule.by
    )
