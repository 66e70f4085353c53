"""What the words of a question mean: codes of a vocabulary, economies, rules; what names nothing decides nothing."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

from cab_registry.domain.citing import (
    bare_words,
    key_citation,
    key_section,
    read_section,
    split_act,
    split_citation,
)
from cab_registry.domain.days import Truth
from cab_registry.domain.folding import fold
from cab_registry.domain.question import Question
from cab_registry.engine.facts import Facts, IssuerFacts

Assumption = tuple[str, dict[str, Any]]
OTHER: Final = "any_other"
"""Stands for every value, or issuer, that nothing on record names; tried for what a question leaves out."""

SUBJECT: Final = ("sector", "product_class", "procedure", "activity")
"""The parts of a question's subject whose words are codes of a vocabulary."""


class Fit(NamedTuple):
    """What some words were taken to mean; `how` is that of the answer's `taken`."""

    asked: str
    how: str
    ids: tuple[str, ...] = ()
    """One that is taken, several that do not decide, or those that are like it."""

    @property
    def id(self) -> str | None:
        """What was taken; none where that is not settled."""
        return self.ids[0] if len(self.ids) == 1 and self.how not in ("several", "near", "unknown") else None


class Meaning(NamedTuple):
    """A question in the register's own codes.

    Attributes:
        question: the question; parts that name nothing are left out.
        unresolved: those parts, by their dotted name, with what may be meant.
        assumptions: what was taken for what, where that is not plain.
    """

    question: Question
    unresolved: dict[str, tuple[str, ...]]
    assumptions: list[Assumption]


def understand(question: Question, facts: Facts, issuers: tuple[IssuerFacts, ...] = ()) -> Meaning:
    """Bring the codes of a question's subject to those of the register.

    Args:
        question: as it was posed, its economies understood.
        facts: what is known.
        issuers: whose rights may be limited by codes of their own.
    """
    changed: dict[str, Any] = {}
    unresolved: dict[str, tuple[str, ...]] = {}
    assumptions: list[Assumption] = []
    for name in SUBJECT:
        text = getattr(question.subject, name)
        if text is None or text == OTHER:
            continue
        fit = find_code(name, text, facts)
        if fit.id == text or _is_own(name, text, issuers):
            continue
        changed[name] = fit.id
        if fit.id is not None:
            assumptions.append(("assumed.code", {"words": text, "name": fit.id.replace("_", " ")}))
        else:
            unresolved[f"subject.{name}"] = fit.ids
    if changed:
        subject = msgspec.structs.replace(question.subject, **changed)
        question = msgspec.structs.replace(question, subject=subject)
    return Meaning(question, unresolved, assumptions)


def _is_own(name: str, text: str, issuers: tuple[IssuerFacts, ...]) -> bool:
    """Whether a right of an issuer is limited by this code."""
    kept = {"product_class": "product_classes", "procedure": "procedures"}.get(name)
    return kept is not None and any(
        text in getattr(item, kept)
        for issuer in issuers
        for right in (*issuer.designations, *issuer.recognitions, *issuer.accreditations)
        for item in right.items
    )


def find_code(table: str, text: str, facts: Facts) -> Fit:
    """Find the code that is meant in a part of a question: a sector, a class, a procedure or an activity."""
    codes = facts.words.get((table, fold(text)), ())
    if text in codes:
        return Fit(text, "id", (text,))
    if codes:
        return Fit(text, "fold" if len(codes) == 1 else "several", codes)
    near = facts.likeness.words(table, text)
    return Fit(text, "near" if near else "unknown", near)


def find_economy(text: str, facts: Facts) -> Fit:
    """Find the economy that a code or a name means."""
    if text in facts.economies:
        return Fit(text, "id", (text,))
    codes = facts.words.get(("economy", fold(text)), ())
    if codes:
        return Fit(text, "fold" if len(codes) == 1 else "several", codes)
    near = facts.likeness.economies(text)
    return Fit(text, "near" if near else "unknown", near)


def place(question: Question, facts: Facts) -> Meaning:
    """Bring the economies of a question to their codes; a market that is not known stays as it is."""
    unresolved: dict[str, tuple[str, ...]] = {}
    assumptions: list[Assumption] = []

    def find(text: str | None, name: str) -> str | None:
        if text is None or text == OTHER:
            return text
        fit = find_economy(text, facts)
        if fit.id is None or not facts.economies[fit.id].is_market:
            unresolved[name] = fit.ids if fit.id is None else ()
            return None
        if fit.id != text:
            assumptions.append(_say_economy(text, fit.id, facts))
        return fit.id

    result, subject = question.result, question.subject
    economies = {
        "issuer_economy": find(result.issuer_economy, "result.issuer_economy"),
        "performed_in": find(result.performed_in, "result.performed_in"),
    }
    origin = find(subject.origin, "subject.origin")
    market = find(question.destination, "destination")
    parts = tuple(
        msgspec.structs.replace(part, economy=find(part.economy, f"result.subcontractors.{index}.economy"))
        for index, part in enumerate(result.subcontractors)
    )
    if not assumptions and not unresolved:
        return Meaning(question, {}, [])
    unresolved.pop("destination", None)
    question = msgspec.structs.replace(
        question,
        destination=market or question.destination,
        result=msgspec.structs.replace(result, subcontractors=parts, **economies),
        subject=msgspec.structs.replace(subject, origin=origin),
    )
    return Meaning(question, unresolved, list({repr(each): each for each in assumptions}.values()))


def _say_economy(text: str, code: str, facts: Facts) -> Assumption:
    """Say which economy is meant."""
    record = facts.economies[code]
    return "assumed.called", {"words": text, "economy": f"{(record.market or record.names).get('en', code)} ({code})"}


def find_rule(text: str, facts: Facts, parties: frozenset[str] = frozenset(), day: int | None = None) -> Fit:
    """Find the requirement that a citation means.

    Where several are called alike, the only one of the importing side is taken, and of an act and its predecessors
    the only one with an edition in use on the day.

    Args:
        text: the words.
        facts: what is known.
        parties: the importing side.
        day: the day of issue.
    """
    if text in facts.requirements:
        return Fit(text, "id", (text,))
    for key in key_citation(text):
        ids = facts.citations.get(key, ())
        if ids:
            return _choose(text, key, _in_use(_own(ids, facts, parties), facts, day), facts)
    section = read_section(text)
    if section is not None and section.section is not None:
        ids = facts.citations.get(key_section(section._replace(section=None)), ())
        if len(ids) == 1:
            return Fit(text, "section", ids)
    named = _named_beside(text, facts) or _cited_in_part(text, facts)
    if named:
        chosen = _in_use(_own(named, facts, parties), facts, day)
        return Fit(text, "fold" if len(chosen) == 1 else "several", chosen)
    near = facts.likeness.rules(text)
    return Fit(text, "near" if near else "unknown", near)


_REALMS: Final = frozenset(("uk", "eu", "the", "on", "gb"))


def _named_beside(text: str, facts: Facts) -> tuple[str, ...]:
    """Return the acts whose number and name stand side by side (`RED 2014/53/EU`); none where they contradict."""
    asked = split_act(text)
    if asked is None:
        return ()
    number, words = asked
    found: list[str] = []
    for key, record in facts.requirements.items():
        for citation in (record.citation, *record.other_citations):
            cited = split_act(citation)
            if cited is None or cited[0] != number or not cited[1] <= words:
                continue
            rest = words - cited[1] - _REALMS
            names = (*record.also, *record.other_citations, record.title)
            if not rest or any(rest == bare_words(name) - _REALMS for name in names):
                found.append(key)
                break
    return tuple(sorted(found))


def _cited_in_part(text: str, facts: Facts) -> tuple[str, ...]:
    """Return the rules of whose citation this is a part (`SR 819.14`, `MaschV`)."""
    wanted = fold(text)
    return tuple(
        sorted(
            key
            for key, record in facts.requirements.items()
            if any(fold(part) == wanted for part in split_citation(record.citation))
        )
    )


def _own(ids: tuple[str, ...], facts: Facts, parties: frozenset[str]) -> tuple[str, ...]:
    return tuple(each for each in ids if facts.requirements[each].economy in parties) or ids


def _in_use(ids: tuple[str, ...], facts: Facts, day: int | None) -> tuple[str, ...]:
    editions = [facts.requirements[each].editions for each in ids]
    if len(ids) == 1 or day is None or not all(editions):
        return ids
    used = tuple(
        each
        for each, known in zip(ids, editions, strict=True)
        if any(edition.period.holds(day) is not Truth.NO for edition in known)
    )
    return used if len(used) == 1 else ids


def _choose(text: str, key: str, chosen: tuple[str, ...], facts: Facts) -> Fit:
    if len(chosen) > 1:
        return Fit(text, "several", chosen)
    record = facts.requirements[chosen[0]]
    cited = (record.citation, *record.other_citations, *record.also)
    if text in cited:
        return Fit(text, "exact", chosen)
    whole = key in (record.id, *(each for known in cited for each in key_citation(known))) or key == fold(record.id)
    return Fit(text, "fold" if whole else "section", chosen)
