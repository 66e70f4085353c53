"""What the words of a question mean: codes of a vocabulary, economies, rules; what names nothing decides nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from cab_registry.domain.citing import (
    CODE,
    Section,
    bare_words,
    key_citation,
    key_section,
    match_family,
    read_bare_section,
    read_section,
    split_act,
    split_citation,
    split_edition,
    split_place,
)
from cab_registry.domain.days import Truth
from cab_registry.domain.folding import fold
from cab_registry.domain.question import Question
from cab_registry.domain.records.law import Edition
from cab_registry.engine.facts import Facts, IssuerFacts, outcomes_of

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
    outcome = _understand_outcome(question, facts)
    return Meaning(outcome.question, unresolved | outcome.unresolved, [*assumptions, *outcome.assumptions])


def _understand_outcome(question: Question, facts: Facts) -> Meaning:
    """Bring the outcome of an inspection to its code; words that are none stay, and no rule takes them for one."""
    result = question.result
    text, table = result.findings, outcomes_of(result.kind)
    known = facts.words.get((table, ""), ()) if text is not None else ()
    if text is None or not known or text in known:
        return Meaning(question, {}, [])
    codes = facts.words.get((table, fold(text)), ())
    if len(codes) != 1:
        return Meaning(question, {"result.findings": codes or facts.likeness.words(table, text) or known}, [])
    question = msgspec.structs.replace(question, result=msgspec.structs.replace(result, findings=codes[0]))
    return Meaning(question, {}, [("assumed.code", {"words": text, "name": codes[0].replace("_", " ")})])


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


class Side(NamedTuple):
    """For whom a citation is read: the parties of the importing side, the day of issue, and the market."""

    parties: frozenset[str] = frozenset()
    day: int | None = None
    market: str | None = None


ANYWHERE: Final = Side()
"""No market, and no day."""


def find_rule(text: str, facts: Facts, side: Side = ANYWHERE) -> Fit:
    """Find the requirement that a citation means.

    Where several are called alike, the only one of the importing side is taken, unless a route into the market lists
    another one too; and of an act and its predecessors the only one with an edition in use on the day.

    Args:
        text: the words.
        facts: what is known.
        side: for whom.
    """
    if text in facts.requirements:
        return Fit(text, "id", (text,))
    found = _find_cited(text, facts, side) or _find_part(text, facts, side)
    if found is not None:
        return found
    bare = read_bare_section(text)
    if bare is not None and (ids := _in_any_title(bare, facts)):
        own = tuple(each for each in ids if facts.requirements[each].economy in side.parties)
        return Fit(text, "section", own) if len(own) == 1 else Fit(text, "near", own or ids)
    near = facts.likeness.rules(text)
    own_first = sorted(near, key=lambda each: facts.requirements[each].economy not in side.parties)
    return Fit(text, "near" if near else "unknown", tuple(own_first))


def _find_cited(text: str, facts: Facts, side: Side) -> Fit | None:
    """Find the rule that a text cites as a whole, or by a section of a code."""
    for key in key_citation(text):
        ids = facts.citations.get(key, ())
        if ids:
            ids = _in_use(_own(ids, facts, side), facts, side.day)
            return _choose(text, key, _narrowest(ids, facts) if key.startswith(CODE) else ids, facts)
    section = read_section(text)
    if section is not None and section.section is not None:
        ids = facts.citations.get(key_section(section._replace(section=None)), ())
        if len(ids) == 1:
            return Fit(text, "section", ids)
    named = _named_beside(text, facts) or _cited_in_part(text, facts)
    if named:
        chosen = _in_use(_own(named, facts, side), facts, side.day)
        return Fit(text, "fold" if len(chosen) == 1 else "several", chosen)
    return None


_DEEP: Final = 3
"""How many editions and parts may stand around a citation."""


def _find_part(text: str, facts: Facts, side: Side, deep: int = _DEEP) -> Fit | None:
    """Find the rule of which a text cites an edition (`RSS-247 Issue 2`), a part, or one of its family."""
    base, edition = split_edition(text)
    if members := _own(_of_family(base, facts), facts, side):
        return Fit(text, "section" if len(members) == 1 else "several", members)
    if edition is None and deep == _DEEP and (members := _own(_without_edition(base, facts), facts, side)):
        return Fit(text, "fold" if len(members) == 1 else "several", members)
    for part, how in ((base if edition is not None else None, "fold"), (split_place(base), "section")):
        if not part or read_section(part) is not None:
            continue
        found = _find_cited(part, facts, side)
        if found is None and deep:
            found = _find_part(part, facts, side, deep - 1)
        if found is not None:
            return Fit(text, found.how if found.how in ("several", "section") else how, found.ids)
    return None


def _of_family(text: str, facts: Facts) -> tuple[str, ...]:
    """Return the rules that stand for a family of which a text cites one (`HKCA 1035` of `HKCA 10XX`)."""
    return tuple(
        sorted(
            key
            for key, record in facts.requirements.items()
            if any(match_family(each, text) for each in (record.citation, *record.other_citations))
        )
    )


def _without_edition(text: str, facts: Facts) -> tuple[str, ...]:
    """Return the rules whose own citation names an edition, where a text cites them without one."""
    wanted = fold(text)
    return tuple(
        sorted(
            key
            for key, record in facts.requirements.items()
            for cited, named in map(split_edition, (record.citation, *record.other_citations))
            if named is not None and fold(cited) == wanted
        )
    )


def _in_any_title(bare: Section, facts: Facts) -> tuple[str, ...]:
    """Return the rules at a place of the Code whose title is not said, or else those of its part."""
    for place in (bare, bare._replace(section=None)):
        wanted = key_section(place).split()[1:]
        found = {
            each
            for key, ids in facts.citations.items()
            if key.startswith(CODE) and key.split()[2:] == wanted
            for each in ids
        }
        if found:
            return _narrowest(tuple(sorted(found)), facts)
    return ()


def _narrowest(ids: tuple[str, ...], facts: Facts) -> tuple[str, ...]:
    """Return rules without those of which another of them is a part."""
    wider = {each for key in ids for each in facts.spell(key) if each != key}
    return tuple(each for each in ids if each not in wider) or ids


def find_edition(text: str, editions: Sequence[Edition], day: int | None) -> str | None:
    """Return the key of the edition that is meant: the key itself, or all that is said is a part of it.

    Args:
        text: the words.
        editions: those on record.
        day: the day of issue; of several, one in use on it is meant.
    """
    wanted = {fold(part) for part in _JOINED.split(text)}
    fitting = [each for each in editions if fold(each.key) == fold(text)] or [
        each for each in editions if wanted <= {fold(part) for part in _JOINED.split(each.key)}
    ]
    used = [each for each in fitting if day is not None and each.period.holds(day) is not Truth.NO]
    keys = dict.fromkeys(each.key for each in (used or fitting))
    return next(iter(keys)) if len(keys) == 1 else None


_JOINED: Final = re.compile(r"\s+/\s+|,\s+|;\s+")
"""What stands between several names of one edition."""

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


def _own(ids: tuple[str, ...], facts: Facts, side: Side) -> tuple[str, ...]:
    own = tuple(each for each in ids if facts.requirements[each].economy in side.parties)
    if not own or len(own) == len(ids):
        return ids
    routes = facts.routes_into(side.market) if side.market is not None else ()
    listed = tuple(each for each in ids if each not in own and any(each in rf.listed for rf in routes))
    return (*own, *listed)


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
