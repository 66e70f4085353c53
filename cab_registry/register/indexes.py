"""Ways to find a record by what people write: names, numbers, citations, codes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from cab_registry.domain.citing import key_citation, key_section, read_section
from cab_registry.domain.codes import OUTCOMES
from cab_registry.domain.days import ALL_TIME, Period
from cab_registry.domain.folding import fold, fold_both
from cab_registry.domain.records import Authority, Body, Economy, Notice, Position, Requirement
from cab_registry.domain.schemes import canonise
from cab_registry.domain.spelling import other_keys
from cab_registry.engine.facts import Called, IssuerFacts, RouteFacts, outcomes_of

_RANGE: Final = re.compile(r"(\d+)\.(\d+)(?:-(?:\d+\.)?(\d+))?")
ECONOMY: Final = "economy"
"""The table of the words in which economies are found by code and by name."""


def call(issuer: Body | Authority) -> tuple[Called, ...]:
    """Return the names of an issuer, folded."""
    if isinstance(issuer, Body):
        return tuple(_called(each.name, each.period, legal=each.kind == "legal") for each in issuer.names)
    own = [_called(name, ALL_TIME, legal=True) for name in issuer.names.values()]
    return (*own, *(_called(name, ALL_TIME, legal=False) for name in issuer.other_names))


def _called(name: str, period: Period, *, legal: bool) -> Called:
    words, plain = fold_both(name)
    return Called(name, words, plain, period, legal, other_keys(name, words))


def index_names(issuers: Iterable[IssuerFacts]) -> dict[str, tuple[str, ...]]:
    """Return issuers by folded name; a name that several bear leads to all of them."""
    found: dict[str, set[str]] = defaultdict(set)
    for issuer in issuers:
        for called in issuer.called:
            found[called.key].add(issuer.id)
    return {name: tuple(sorted(ids)) for name, ids in found.items()}


def index_spellings(issuers: Iterable[IssuerFacts]) -> dict[str, tuple[str, ...]]:
    """Return issuers by the other spellings of their names."""
    found: dict[str, set[str]] = defaultdict(set)
    for issuer in issuers:
        for called in issuer.called:
            for key in called.other_keys:
                found[key].add(issuer.id)
    return {name: tuple(sorted(ids)) for name, ids in found.items()}


def index_identifiers(
    issuers: Iterable[Body | Authority],
) -> dict[tuple[str, str], tuple[tuple[str, str | None, Period], ...]]:
    """Return bodies and authorities by scheme and value in its canonical form, with site and days of each number."""
    found: dict[tuple[str, str], list[tuple[str, str | None, Period]]] = defaultdict(list)
    for issuer in issuers:
        for item in issuer.identifiers:
            found[item.scheme, canonise(item.scheme, item.value)].append((issuer.id, item.site, item.period))
    return {key: tuple(values) for key, values in found.items()}


def index_citations(requirements: Iterable[Requirement]) -> dict[str, tuple[str, ...]]:
    """Return requirements by the keys of their citations, of their everyday names, and of the sections they hold."""
    found: dict[str, set[str]] = defaultdict(set)
    for requirement in requirements:
        for text in (requirement.citation, *requirement.other_citations, *requirement.also, requirement.id):
            for key in key_citation(text):
                found[key].add(requirement.id)
        for key in _key_sections(requirement):
            found[key].add(requirement.id)
    return {text: tuple(sorted(ids)) for text, ids in found.items()}


def _key_sections(requirement: Requirement) -> Iterator[str]:
    cited = read_section(requirement.citation)
    for text in requirement.sections if cited is not None else ():
        hit = _RANGE.fullmatch(text)
        if hit is not None and cited is not None:
            first, last = int(hit[2]), int(hit[3] or hit[2])
            for number in range(first, last + 1):
                yield key_section(cited._replace(part=hit[1], section=number, subpart=None))


def index_words(
    economies: Mapping[str, Economy],
    codes: Iterable[tuple[str, str]],
    routes: Collection[RouteFacts],
    positions: Iterable[Position],
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the codes that a question may use, by the part of it in which they stand and by their fold.

    Outcomes of inspections stand under the kind of result, and all of them under no words.

    Args:
        economies: by code.
        codes: those that requirements use.
        routes: whose vocabulary counts.
        positions: whose codes count too.
    """
    used = set(codes)
    for rf in routes:
        used |= rf.vocabulary
    for position in positions:
        used.update(list_codes(position.about))
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for table, code in used:
        found[table, fold(code)].add(code)
    for table, code in {pair for rf in routes for pair in _list_outcomes(rf)}:
        for name in ("", fold(code), *map(fold, OUTCOMES.get(code, ()))):
            found[table, name].add(code)
    for code, economy in economies.items():
        for name in (code, *economy.names.values(), *economy.other_names):
            found[ECONOMY, fold(name)].add(code)
    return {key: tuple(sorted(codes)) for key, codes in found.items()}


def _list_outcomes(rf: RouteFacts) -> Iterator[tuple[str, str]]:
    """Yield the outcomes of inspections that a route knows, each in the table of a kind of result that it judges."""
    for rule in rf.route.findings:
        for kind in rule.result_kinds:
            yield from ((outcomes_of(kind), code) for code in (*rule.passing, *rule.failing))


_PARTS: Final = {
    "sector": "sector",
    "sectors": "sector",
    "product_class": "product_class",
    "product_classes": "product_class",
    "excluded": "product_class",
    "procedure": "procedure",
    "procedures": "procedure",
    "activity": "activity",
    "activities": "activity",
}


def list_codes(part: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the codes of sectors, classes, procedures and activities that a record uses, wherever in it."""
    if isinstance(part, str):
        if name in _PARTS:
            yield _PARTS[name], part
    elif isinstance(part, tuple | list | frozenset):
        for each in part:
            yield from list_codes(each, name)
    elif isinstance(part, dict):
        for each in part.values():
            yield from list_codes(each)
    else:
        for field in getattr(type(part), "__struct_fields__", ()):
            if field != "clocks":
                yield from list_codes(getattr(part, field), field)
        if hasattr(part, "product_class"):
            yield from list_codes(getattr(part, "held_as", ()), "product_classes")


def index_notices(
    notices: Iterable[tuple[Notice, int]],
) -> tuple[dict[str, tuple[tuple[Notice, int], ...]], dict[str, tuple[tuple[Notice, int], ...]]]:
    """Return notices by the folded number of the result and by site."""
    numbers: dict[str, list[tuple[Notice, int]]] = defaultdict(list)
    sites: dict[str, list[tuple[Notice, int]]] = defaultdict(list)
    for notice, version in notices:
        if notice.about.number is not None:
            numbers[fold(notice.about.number)].append((notice, version))
        if notice.about.site is not None:
            sites[notice.about.site].append((notice, version))
    return (
        {number: tuple(found) for number, found in numbers.items()},
        {site: tuple(found) for site, found in sites.items()},
    )
