"""What an answer takes for granted, and what it passes over (domain.md, sections 1 and 9)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cab_registry.domain.days import show_day
from cab_registry.domain.question import Question
from cab_registry.domain.records import Economy
from cab_registry.engine.attested import stand_for
from cab_registry.engine.inquiry import Inquiry
from cab_registry.engine.judge import Trace

Said = tuple[str, dict[str, Any]]
"""Key and values of a sentence."""


def list_assumptions(inquiry: Inquiry) -> Iterator[Said]:
    """Yield what the answer takes for granted, whatever the verdict."""
    yield from inquiry.assumptions
    yield from _planned(inquiry.question)
    yield from _other_markets(inquiry)


def list_unread_words(inquiry: Inquiry) -> Iterator[Said]:
    """Say of words that name nothing, or several things, that the answer is the same whatever they mean."""
    for name, ids in inquiry.unresolved.items():
        several = name == "subject.requirement" and len(ids) > 1 and bool(inquiry.requirements)
        if words := inquiry.said(name):
            yield (
                ("assumed.any_of", {"words": words, "candidates": ids})
                if several
                else ("assumed.left_out", {"words": words})
            )


def list_passed_over(inquiry: Inquiry, best: Trace) -> Iterator[Said]:
    """Yield what the question says that the answer does not go by, since another of its facts does not fit it."""
    subject, asked = inquiry.question.subject, inquiry.question
    rule = inquiry.requirements[0] if len(inquiry.requirements) == 1 else None
    if subject.sector is not None and rule is not None and best.rf.sectors and subject.sector not in best.rf.sectors:
        yield "assumed.rule_over_sector", {"sector": subject.sector, "requirement": rule}
    record = inquiry.facts.requirements.get(rule or "")
    if subject.edition is not None and record is not None and not record.editions:
        yield "assumed.no_editions", {"edition": subject.edition, "requirement": rule}
    if asked.submitted is not None and asked.submitted > asked.presented_on and not asked.standing:
        said = {"filed": show_day(asked.submitted), "presented": show_day(asked.presented_on)}
        yield "assumed.filed_later", said
    if inquiry.attests and rule is not None:
        judged = stand_for(inquiry, best.rf)
        if judged and judged != inquiry.requirements:
            yield "assumed.attested", {"attests": judged, "requirement": rule}


def _other_markets(inquiry: Inquiry) -> Iterator[Said]:
    """Say for which market of a state the answer is, and which others there are on the day of presentation."""
    economies, asked = inquiry.facts.economies, inquiry.question
    own = economies.get(asked.destination)
    apart = [] if own is None else [each for each in own.other_markets if each.period.holds(asked.presented_on)]
    if own is None or not apart:
        return
    state = own.names.get("en", own.code)
    values = {"market": _market_name(own), "state": state, "code": own.code}
    for each in apart:
        other = economies.get(each.economy)
        name = _market_name(other) if other is not None else each.economy
        yield "assumed.other_market", {**values, "other": name, "other_code": each.economy}
    if values["market"] != state:
        yield "assumed.market", values


def _market_name(economy: Economy) -> str:
    return (economy.market or economy.names).get("en", economy.code)


def _planned(question: Question) -> list[Said]:
    """Say that a document is planned, or that it is taken to be presented on its own day."""
    if question.shown_on is None:
        return []
    values = {"dated": show_day(question.presented_on), "shown": show_day(question.shown_on)}
    return [("assumed.planned" if question.shown_stated else "assumed.presented", values)]
