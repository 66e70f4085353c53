"""What may be meant by words that name nothing: names that begin alike, hold the same words, or are spelled alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from anyascii import anyascii
from rapidfuzz.distance import OSA

from cab_registry.domain.citing import key_citation, key_section, read_section
from cab_registry.domain.folding import fold_words
from cab_registry.domain.legal_forms import SPELLINGS
from cab_registry.domain.records import Economy, Requirement
from cab_registry.engine.facts import IssuerFacts

MEANT: Final = 20
"""How many are named at most."""

_LETTERS: Final = 5
"""For each so many letters of the longer name, one may differ, and one in any case where it is not too short."""

_SHORTEST: Final = 4
"""Words shorter than this in all say too little to find longer names that hold them."""

_ACRONYM: Final = 3
"""A single word with which a longer name begins has so many letters at least."""

_FORMS: Final = frozenset(SPELLINGS.values())

Row = tuple[str, str]
"""An id, and a name folded word by word."""


class Likeness:
    """Finds issuers, requirements and codes by likeness; what it looks through is made ready when first asked."""

    def __init__(
        self,
        issuers: Mapping[str, IssuerFacts],
        requirements: Mapping[str, Requirement],
        words: Mapping[tuple[str, str], tuple[str, ...]],
        economies: Mapping[str, Economy],
    ) -> None:
        self._issuers = issuers
        self._requirements = requirements
        self._words = words
        self._economies = economies

    def ids(self, text: str) -> tuple[str, ...]:
        """Return issuers whose ids are this one in another spelling, sorted."""
        wanted = fold_words_of(text).replace(" ", "")
        return tuple(sorted(key for key in self._issuers if fold_words_of(key).replace(" ", "") == wanted))[:MEANT]

    def issuers(self, text: str) -> tuple[str, ...]:
        """Return issuers with names like this, the likeliest first."""
        return rank(text, ((key, each.words) for key, issuer in self._issuers.items() for each in issuer.called))

    def beginning(self, text: str) -> tuple[str, ...]:
        """Return the bodies whose names begin with these whole words, sorted."""
        rows = (
            (key, each.words)
            for key, issuer in self._issuers.items()
            if issuer.body is not None
            for each in issuer.called
        )
        return find_beginning(text, rows)

    def rules(self, text: str) -> tuple[str, ...]:
        """Return requirements that may be meant, the likeliest first."""
        same = [key for key, record in self._requirements.items() if _speak_of_one(text, record)]
        rows = (
            (key, fold_words_of(name))
            for key, record in self._requirements.items()
            for name in (record.citation, *record.other_citations, *record.also, record.title, key)
            if name
        )
        return tuple(dict.fromkeys((*sorted(same), *rank(text, rows))))[:MEANT]

    def words(self, table: str, text: str) -> tuple[str, ...]:
        """Return codes of a vocabulary that may be meant, the likeliest first."""
        rows = (
            (code, fold_words_of(code)) for (name, _), codes in self._words.items() if name == table for code in codes
        )
        return rank(text, rows)

    def economies(self, text: str) -> tuple[str, ...]:
        """Return economies with names like this, the likeliest first."""
        names = {code: (*each.names.values(), *each.other_names) for code, each in self._economies.items()}
        return rank_economies(text, names)


def rank_economies(text: str, names: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return the codes of economies whose names go on after these words, or differ in one letter only.

    A part of a name says too little: Guinea is not Papua New Guinea, and a short text is like no name.
    """
    asked = fold_words_of(text)
    begun, plain = _as_beginning(asked), _latin(asked)
    if len(plain) < _SHORTEST:
        return ()
    found: dict[str, int] = {}
    for code, known in names.items():
        for name in map(fold_words_of, known):
            far = 0 if _begins(name, begun) else OSA.distance(plain, _latin(name), score_cutoff=1)
            if far <= 1:
                found[code] = min(far, found.get(code, far))
    return tuple(sorted(found, key=lambda code: (found[code], code)))


def rank(text: str, rows: Iterable[Row], most: int = MEANT) -> tuple[str, ...]:
    """Return the ids whose names are like a text, `most` of them; the first of some equals that of all.

    First those that begin with the same whole words, then those that hold all of its words, then those that are
    spelled alike, in Latin letters, then those that are a part of it, as where a town or a branch was added.
    """
    asked = fold_words_of(text)
    wanted, plain, bare = set(asked.split()), _latin(asked), _bare(asked)
    begun, begun_bare = _as_beginning(asked), _as_beginning(_without_forms(asked))
    only = _without_forms(asked) if " " not in _without_forms(asked) and len(bare) >= _LETTERS else ""
    holds = len(plain) >= _SHORTEST
    found: dict[str, tuple[int, float]] = {}
    for key, words in rows:
        if _begins(words, begun) or (begun_bare != begun and _begins(words, begun_bare)):
            place = (0, 0.0)
        elif holds and wanted.issubset(words.split()):
            place = (1, 0.0)
        elif like := max(_measure(plain, _latin(words)), _measure(bare, _bare(words))):
            place = (2, -like)
        elif _is_part(words, asked, wanted) or (only and _measure(only, words.partition(" ")[0])):
            place = (3, -len(words))
        else:
            continue
        if place < found.get(key, (4, 0.0)):
            found[key] = place
    return tuple(sorted(found, key=lambda key: (found[key], key))[:most])


def _measure(one: str, other: str) -> float:
    """Return how alike two spellings are, 0 where they are not: of five letters one may differ."""
    longer = max(len(one), len(other))
    shorter = min(len(one), len(other))
    allowed = longer // _LETTERS or (1 if shorter >= _SHORTEST else 0)
    if longer - shorter > allowed:
        return 0.0
    far = OSA.distance(one, other, score_cutoff=allowed)
    return 1 - far / longer if far <= allowed and longer else 0.0


def _is_part(words: str, asked: str, wanted: set[str]) -> bool:
    """Whether a name is a part of what was asked: several of its words, or the one with which it begins."""
    if " " in words:
        return len(words) > _SHORTEST and wanted.issuperset(words.split())
    if len(words) < _ACRONYM:
        return False
    return asked.startswith(f"{words} ")


def find_beginning(text: str, rows: Iterable[Row], most: int = MEANT) -> tuple[str, ...]:
    """Return the ids whose names go on after these whole words, sorted, `most` of them."""
    begun = _as_beginning(fold_words_of(text))
    found = {key for key, words in rows if _begins(words, begun)}
    return tuple(sorted(found)[:most])


@lru_cache(maxsize=1 << 18)
def fold_words_of(name: str) -> str:
    """Return a name folded word by word; kept, since the same names are asked about again and again."""
    return fold_words(name)


def _as_beginning(asked: str) -> str:
    return asked.replace(" ", "")


def _begins(words: str, begun: str) -> bool:
    """Whether a name goes on after certain words, wherever the blanks stand among them."""
    if not words.startswith(begun[:1]) or len(words) <= len(begun):
        return False
    at = 0
    for sign in begun:
        if words[at : at + 1] == " ":
            at += 1
        if words[at : at + 1] != sign:
            return False
        at += 1
    return words[at : at + 1] == " "


@lru_cache(maxsize=1 << 18)
def _latin(words: str) -> str:
    """Return a folded name in Latin letters, with `ae oe ue` as `a o u`: two transliterations of one name meet."""
    plain = anyascii(words).casefold().replace(" ", "")
    for long, short in (("ae", "a"), ("oe", "o"), ("ue", "u")):
        plain = plain.replace(long, short)
    return plain


@lru_cache(maxsize=1 << 18)
def _bare(words: str) -> str:
    """Return a folded name in Latin letters without its legal forms, which people leave out."""
    return _latin(_without_forms(words))


def _without_forms(words: str) -> str:
    return " ".join(word for word in words.split() if word not in _FORMS) or words


def _speak_of_one(text: str, record: Requirement) -> bool:
    """Whether a citation has the part of the code, or the number of the act, that another has."""
    found = read_section(text)
    if found is not None:
        part = key_section(found._replace(section=None, subpart=None))
        cited = [read_section(each) for each in (record.citation, *record.other_citations)]
        return any(
            each is not None and key_section(each._replace(section=None, subpart=None)) == part for each in cited
        )
    numbers = {key.split()[1] for key in key_citation(text) if key.startswith("act ")}
    return bool(numbers) and any(
        key.startswith("act ") and key.split()[1] in numbers
        for each in (record.citation, *record.other_citations)
        for key in key_citation(each)
    )
