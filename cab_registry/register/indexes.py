"""Ways to find a record by what people write: names, numbers, citations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from cab_registry.domain.days import Period
from cab_registry.domain.records import Authority, Body, Notice, Requirement
from cab_registry.engine.inquiry import fold


def index_names(issuers: Iterable[Body | Authority]) -> dict[str, tuple[str, ...]]:
    """Return issuers by folded name; a name that several bear leads to all of them."""
    found: dict[str, set[str]] = defaultdict(set)
    for issuer in issuers:
        if isinstance(issuer, Body):
            names = [item.name for item in issuer.names]
        else:
            names = [*issuer.names.values(), *issuer.other_names]
        for name in names:
            found[fold(name)].add(issuer.id)
    return {name: tuple(sorted(ids)) for name, ids in found.items()}


def index_identifiers(
    issuers: Iterable[Body | Authority],
) -> dict[tuple[str, str], tuple[tuple[str, str | None, Period], ...]]:
    """Return bodies and authorities by scheme and value, with the site and the days of each number."""
    found: dict[tuple[str, str], list[tuple[str, str | None, Period]]] = defaultdict(list)
    for issuer in issuers:
        for item in issuer.identifiers:
            found[item.scheme, item.value].append((issuer.id, item.site, item.period))
    return {key: tuple(values) for key, values in found.items()}


def index_citations(requirements: Iterable[Requirement]) -> dict[str, tuple[str, ...]]:
    """Return requirements by folded citation."""
    found: dict[str, set[str]] = defaultdict(set)
    for requirement in requirements:
        for text in (requirement.citation, *requirement.other_citations):
            found[fold(text)].add(requirement.id)
    return {text: tuple(sorted(ids)) for text, ids in found.items()}


def index_notices(
    notices: Iterable[tuple[Notice, int]],
) -> tuple[dict[str, tuple[tuple[Notice, int], ...]], dict[str, tuple[tuple[Notice, int], ...]]]:
    """Return notices by the number of the result and by site."""
    numbers: dict[str, list[tuple[Notice, int]]] = defaultdict(list)
    sites: dict[str, list[tuple[Notice, int]]] = defaultdict(list)
    for notice, version in notices:
        if notice.about.number is not None:
            numbers[notice.about.number].append((notice, version))
        if notice.about.site is not None:
            sites[notice.about.site].append((notice, version))
    return (
        {number: tuple(found) for number, found in numbers.items()},
        {site: tuple(found) for site, found in sites.items()},
    )
