"""One criterion of reach, and how it stays open where the question says what names nothing in the register."""

from __future__ import annotations

from typing import Any, NamedTuple

from cab_registry.domain.citing import key_citation
from cab_registry.domain.days import Truth
from cab_registry.domain.records.common import Sourced
from cab_registry.engine.facts import RouteFacts
from cab_registry.engine.inquiry import Inquiry, View


class Criterion(NamedTuple):
    """One criterion of reach: its code, whether it is met, the sentence's key and values."""

    code: str
    met: Truth
    key: str = ""
    values: dict[str, Any] = {}
    sourced: Sourced | None = None
    missing: tuple[str, ...] = ()
    early: bool = False


def leave_open(view: View, code: str, name: str) -> Criterion:
    """Leave a criterion open for which the question says what names nothing in the register."""
    key, values = say_unread(view.inquiry, code, name)
    return Criterion(code, Truth.UNKNOWN, key, values, missing=(name,))


def say_unread(inquiry: Inquiry, code: str, name: str) -> tuple[str, dict[str, Any]]:
    """Return the sentence on a part of the question that names nothing, and what fills it: what may be meant."""
    words, meant = inquiry.said(name), inquiry.unresolved[name]
    citations = inquiry.facts.citations
    fitting = {each for key in key_citation(words) for each in citations.get(key, ())} if meant else set[str]()
    several = name == "result.attests" and len(meant) > 1 and fitting.issuperset(meant)
    return f"{code}.{'fits_several' if several else 'unresolved'}", {"words": words, "meant": meant}


def find_unread(view: View, rf: RouteFacts) -> Criterion | None:
    """Leave the rule open where what the question says of it names nothing in the register."""
    inquiry = view.inquiry
    if not inquiry.unresolved:
        return None
    if inquiry.is_unread("subject.requirement") and not _serves_other(view, rf):
        return leave_open(view, "requirement", "subject.requirement")
    if inquiry.is_unread("result.attests") and rf.listed:
        listed = [find_listed(view, rf, rule) for rule in view.inquiry.requirements]
        return leave_open(view, "requirement", "result.attests") if any(listed) or not listed else None
    if inquiry.is_unread("subject.sector") and not rf.listed and rf.sectors:
        return leave_open(view, "requirement", "subject.sector")
    return None


def _serves_other(view: View, rf: RouteFacts) -> bool:
    """Whether the route serves other sectors than the one that is stated."""
    sector = view.question.subject.sector
    return sector is not None and bool(rf.sectors) and sector not in rf.sectors


def find_listed(view: View, rf: RouteFacts, rule: str) -> Any:
    """Return the route's listed requirement that is the rule or holds it as a part."""
    listed = rf.listed.get(rule)
    if listed is not None:
        return listed
    for wider in view.facts.spell(rule):
        if wider in rf.listed:
            return rf.listed[wider]
    return None


def leave_out(view: View, rf: RouteFacts) -> Criterion:
    """Leave out a route whose list lacks the rule; say which act counts in its place where a document states it."""
    asked, attested = view.inquiry.requirements, view.inquiry.attests
    acts = tuple(key for key, listed in rf.listed.items() if not set(listed.item.instead_of).isdisjoint(asked))
    key = "requirement.not_listed" if attested or not acts else "requirement.stated_instead"
    return Criterion("requirement", Truth.NO, key, {"requirement": view.question.subject.requirement, "attests": acts})
