"""Who bears a name or a number that was asked for: compared folded, and by likeness, as SQL cannot do."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Sequence
from typing import Any

from cab_registry.domain.folding import fold, squeeze
from cab_registry.domain.schemes import canonise
from cab_registry.domain.spelling import asked_keys, other_keys
from cab_registry.engine.facts import Facts
from cab_registry.register.likeness import MEANT, Names, behind_economies, find_beginning, fold_words_of
from cab_registry.services.runtime.work import run_through


def find_bearing(wanted: Collection[tuple[str, str]], borne: Iterable[tuple[str, list[dict[str, Any]]]]) -> list[str]:
    """Find who bears one of some numbers.

    Args:
        wanted: pairs of scheme and canonical value.
        borne: who bears which identifiers, as records write them.
    """
    known = frozenset(wanted)
    schemes = {scheme for scheme, _ in known}
    return [
        body
        for body, identifiers in borne
        if any(
            (each["scheme"], canonise(each["scheme"], each["value"])) in known
            for each in identifiers
            if each["scheme"] in schemes
        )
    ]


def find_called(names: Collection[str], facts: Facts) -> list[str]:
    """Find who bears one of some names, or one that is like it, among the issuers of a register."""
    if not names:
        return []
    return find_named(names, [(key, each.name) for key, issuer in facts.issuers.items() for each in issuer.called])


def find_named(wanted: Collection[str], borne: Sequence[tuple[str, str]], most: int = MEANT) -> list[str]:
    """Find who bears one of some names, and whoever else the engine may name for it.

    Of those that are like it, the likeliest of some are the likeliest of all: what is left out here, it would not name.

    Args:
        wanted: names as they were asked for.
        borne: who bears which name.
        most: how many that are like it are given; more than the engine names where names of several moments are given.
    """
    return run_through(find_named_in_turns(wanted, borne, most))


def find_named_in_turns(
    wanted: Collection[str], borne: Sequence[tuple[str, str]], most: int = MEANT
) -> Generator[None, None, list[str]]:
    """Find who bears one of some names, as `find_named` does, one name in each turn."""
    if not wanted:
        return []
    rows = [(key, fold_words_of(name)) for key, name in borne]
    keys = [(key, squeeze(fold_words_of(name)), other_keys(name, fold_words_of(name))) for key, name in borne]
    likeness = Names(rows)
    found: dict[str, None] = {}
    for name in wanted:
        yield
        asked = asked_keys(name) | behind_economies(name)
        found.update((key, None) for key, own, others in keys if own in asked or not asked.isdisjoint(others))
        found.update(dict.fromkeys((*likeness.rank(name, most), *find_beginning(name, rows, most))))
    return list(found)


def find_numbered(number: str | None, known: Iterable[str]) -> list[str]:
    """Return the spellings of a document's number among those that notices speak of."""
    wanted = None if number is None else fold(number)
    return [] if wanted is None else [each for each in known if fold(each) == wanted]
