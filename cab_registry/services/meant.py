"""Whom and what words mean outside a question, where people write a name or a number in place of an id."""

from __future__ import annotations

from collections.abc import Collection, Container
from typing import Final

from cab_registry.domain.folding import find_folded, fold
from cab_registry.domain.schemes import SCHEMES, canonise, find_scheme, list_numbers, states_number
from cab_registry.domain.spelling import parts_spelled
from cab_registry.engine.facts import Facts, IssuerFacts
from cab_registry.engine.meaning import Fit, find_economy, find_rule
from cab_registry.register.likeness import LONGEST, fold_words_of, rank

_FEW: Final = 3


def find_one(text: str, facts: Facts, known: Container[str] | None = None) -> Fit:
    """Find the body or authority that an id, a name or a number with its scheme means.

    Args:
        text: the words.
        facts: what is known.
        known: ids of those who count; none: everybody.
    """
    if text in facts.issuers and (known is None or text in known):
        return Fit(text, "id", (text,))

    def keep(ids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(each for each in ids if known is None or each in known)

    for found in (facts.likeness.ids(text), facts.names.get(fold(text), ()), _find_numbered(text, facts)):
        if ids := keep(found):
            return Fit(text, "fold" if len(ids) == 1 else "several", ids)
    numbered = any(text.casefold().startswith(f"{each.id}-") for each in SCHEMES)
    near = () if numbered else keep(facts.likeness.issuers(text))
    return Fit(text, "near" if near else "unknown", near)


def _find_numbered(text: str, facts: Facts) -> tuple[str, ...]:
    """Return who bears a number that is written after its scheme (`nando-51`, `nando:0051`)."""
    found: dict[str, None] = {}
    for scheme in {each.id for each in SCHEMES} | {scheme for scheme, _ in facts.identifiers}:
        if text.casefold().startswith(scheme) and text[len(scheme) : len(scheme) + 1] in ("-", ":", " "):
            rows = facts.identifiers.get((scheme, canonise(scheme, text[len(scheme) + 1 :])), ())
            found |= dict.fromkeys(body for body, _, _ in rows)
    return tuple(sorted(found))


def list_named(facts: Facts, name: str | None, *, bodies: bool = True) -> Collection[IssuerFacts]:
    """Return who has a name in which a text stands; where nobody of the kind, those with such a number or name."""
    if name is None:
        return facts.issuers.values()
    spelled = parts_spelled(name)
    called = [issuer for issuer in facts.issuers.values() if _is_called(issuer, spelled)]
    if any((issuer.body is not None) is bodies for issuer in called):
        return called
    stated = list_numbers(name) if states_number(name) else ()
    borne = [row for each in stated for row in facts.identifiers.get(each, ())]
    found = dict.fromkeys(body for body, _, _ in borne) or facts.likeness.issuers(name)
    return [facts.issuers[key] for key in found]


def _is_called(issuer: IssuerFacts, spelled: Collection[str]) -> bool:
    """Whether a part of one of its names is spelled so, as words or with legal forms as they are abbreviated."""
    return any(each in known for called in issuer.called for known in (called.key, called.plain) for each in spelled)


def find_agreement(text: str, facts: Facts) -> Fit:
    """Find the agreement that an id, a short name or a title means."""
    if text in facts.agreements:
        return Fit(text, "id", (text,))
    names = {
        key: tuple(name for name in (each.short, each.title, *(other.name for other in each.other_names)) if name)
        for key, each in facts.agreements.items()
    }
    found = find_folded(text, names)
    if found:
        return Fit(text, "fold" if len(found) == 1 else "several", found)
    near = rank(text, ((key, fold_words_of(name)) for key, each in names.items() for name in (key, *each)))
    return Fit(text, "near" if near else "unknown", near)


def find_known_scheme(text: str, facts: Facts) -> Fit:
    """Find the scheme of identifiers that a code or a name means."""
    schemes = list_schemes(facts)
    scheme = find_scheme(text)
    found = (scheme,) if scheme in schemes else tuple(each for each in schemes if fold(each) == fold(text))
    if found:
        return Fit(text, "id" if text in found else "fold", found)
    rows = [(each.id, fold_words_of(name)) for each in SCHEMES for name in (each.id, each.title, *each.other_names)]
    near = rank(text, [*rows, *((each, fold_words_of(each)) for each in schemes)])
    return Fit(text, "near" if near else "unknown", near)


def list_schemes(facts: Facts) -> tuple[str, ...]:
    """Return the codes of all schemes that have a form or a number on record."""
    return tuple(sorted({each.id for each in SCHEMES} | {scheme for scheme, _ in facts.identifiers}))


def list_meant(text: str, facts: Facts) -> tuple[str, ...]:
    """Return the ids of records that may be meant by an id that none has, the likeliest first."""
    if len(text) > LONGEST:
        return ()
    economy = find_economy(text, facts).id
    found = {} if economy is None else {facts.economies[economy].id: None}
    fits = (find_one(text, facts), find_agreement(text, facts), find_rule(text, facts))
    for fit in sorted(fits, key=lambda fit: fit.how in ("near", "unknown")):
        found |= dict.fromkeys(fit.ids)
    return tuple(found)[:_FEW]
