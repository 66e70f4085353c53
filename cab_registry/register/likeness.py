"""What may be meant by words that name nothing: names that begin alike, hold the same words, or are spelled alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from anyascii import anyascii
from rapidfuzz import process
from rapidfuzz.distance import OSA

from cab_registry.domain.citing import Section, key_citation, read_bare_section, read_section
from cab_registry.domain.folding import fold_words
from cab_registry.domain.legal_forms import FORMS
from cab_registry.domain.records import Economy, Requirement
from cab_registry.domain.spelling import drop_forms, narrow_words
from cab_registry.engine.facts import IssuerFacts

MEANT: Final = 20
"""How many are named at most."""

LONGEST: Final = 1000
"""A longer text is compared with nothing: it is no name, and comparing takes longer the longer it is."""

_LETTERS: Final = 5
"""For each so many letters of the longer name, one may differ, and one in any case where it is not too short."""

_SHORTEST: Final = 4
"""Words shorter than this in all say too little to find longer names that hold them."""

_ACRONYM: Final = 3
"""A name of one word that is a part of longer words has so many letters at least."""

_WHOLE: Final = 5
"""One word of an abbreviated name is written out, and has so many letters at least."""

_CODE: Final = 2
"""Letters of an economy's code."""

_NOWHERE: Final = (5, 0.0)

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
        self._called: Names | None = None

    @property
    def size(self) -> int:
        """How many issuers there are to look through."""
        return len(self._issuers)

    def ids(self, text: str) -> tuple[str, ...]:
        """Return issuers whose ids are this one in another spelling, sorted."""
        if len(text) > LONGEST:
            return ()
        wanted = fold_words_of(text).replace(" ", "")
        return tuple(sorted(key for key in self._issuers if fold_words_of(key).replace(" ", "") == wanted))[:MEANT]

    def issuers(self, text: str) -> tuple[str, ...]:
        """Return issuers with names like this, the likeliest first."""
        if self._called is None:
            called = [(key, each.words) for key, issuer in self._issuers.items() for each in issuer.called]
            self._called = Names(called)
        near = self._called.rank(text)
        return tuple(dict.fromkeys((*self._behind_economies(text), *near)))[:MEANT]

    def _behind_economies(self, text: str) -> Iterator[str]:
        """Yield the issuers of an economy whose short name is written behind it without a blank (`USFDA`)."""
        for name in sorted(behind_economies(text)):
            economies = self._words.get(("economy", fold_words_of(text).removesuffix(name)), ())
            for key, issuer in self._issuers.items() if economies else ():
                if issuer.economy in economies and any(each.key == name for each in issuer.called):
                    yield key

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
        if len(text) > LONGEST:
            return ()
        cited = _Cited.of(text) if any(sign.isdigit() for sign in text) else None
        same = [key for key, record in self._requirements.items() if cited is not None and cited.is_cited(record)]
        if same:
            return tuple(sorted(same))[:MEANT]
        rows = (
            (key, fold_words_of(name))
            for key, record in self._requirements.items()
            for name in (record.citation, *record.other_citations, *record.also, record.title, key)
            if name
        )
        return rank(text, rows)

    def words(self, table: str, text: str) -> tuple[str, ...]:
        """Return codes of a vocabulary that may be meant, the likeliest first."""
        rows = (
            (code, words)
            for (name, key), codes in self._words.items()
            if name == table
            for code in codes
            for words in (fold_words_of(code), key)
            if key
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
    if len(text) > LONGEST:
        return ()
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
    spelled alike, in Latin letters, then those that are a part of it, as where a town or a branch was added, and
    those of which it abbreviates words.
    """
    if len(text) > LONGEST:
        return ()
    rows = list(rows)
    asked = _Asked.of(fold_words_of(text))
    names = [words for _, words in rows]
    spelled = asked.list_spelled(list(map(_latin, names)), list(map(_bare, names)))
    return _order(asked, rows, range(len(rows)), spelled, most)


def _order(
    asked: _Asked, rows: Sequence[Row], places: Iterable[int], spelled: Mapping[int, float], most: int
) -> tuple[str, ...]:
    found: dict[str, tuple[int, float]] = {}
    for index in places:
        key, words = rows[index]
        place = asked.place(words, spelled.get(index, 0.0))
        if place is not None and place < found.get(key, _NOWHERE):
            found[key] = place
    return tuple(sorted(found, key=lambda key: (found[key], key))[:most])


class Names:
    """Names that are asked about again and again: `rank`, without looking at those that cannot be meant."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._latin = [_latin(words) for _, words in rows]
        self._bare = [_bare(words) for _, words in rows]
        self._letters: dict[str, list[int]] = defaultdict(list)
        self._words: dict[str, list[int]] = defaultdict(list)
        self._first: dict[str, list[int]] = defaultdict(list)
        for index, (_, words) in enumerate(rows):
            self._letters[words[:1]].append(index)
            self._first[words.partition(" ")[0]].append(index)
            for word in set(words.split()):
                self._words[word].append(index)

    def rank(self, text: str, most: int = MEANT) -> tuple[str, ...]:
        """Return the ids whose names are like a text, as `rank` does."""
        if len(text) > LONGEST:
            return ()
        asked = _Asked.of(fold_words_of(text))
        spelled = asked.list_spelled(self._latin, self._bare)
        places = set(spelled)
        for letter in asked.firsts | {asked.words[:1]}:
            places.update(self._letters.get(letter, ()))
        for longest, _ in asked.whole:
            places.update(self._words.get(longest, ()))
        for first, own in self._first.items():
            if first in asked.wanted or (asked.only and _measure(asked.only, first)):
                places.update(own)
        return _order(asked, self._rows, sorted(places), spelled, most)


class _Asked(NamedTuple):
    """What was asked, as it is compared with one name after another.

    Attributes:
        words: folded word by word.
        wanted: its words, and again with one letter where two may stand for an umlaut.
        begun: ways in which a name may begin with it, without blanks; their first letters are `firsts`.
        whole: sets of words all of which a name may hold, each with its longest one.
        plain: in Latin letters; `bare` without legal forms as well.
        only: the one word that it is, legal forms apart, where that is long enough to be mistyped.
    """

    words: str
    wanted: frozenset[str]
    begun: tuple[str, ...]
    firsts: frozenset[str]
    whole: tuple[tuple[str, frozenset[str]], ...]
    plain: str
    bare: str
    only: str

    @classmethod
    def of(cls, asked: str) -> _Asked:
        formless, narrow = drop_forms(asked), narrow_words(asked)
        plain, bare = _latin(asked), _bare(asked)
        begun = tuple(dict.fromkeys(map(_as_beginning, (asked, formless, narrow))))
        spelled = [frozenset(each.split()) for each in dict.fromkeys((asked, narrow))]
        return cls(
            words=asked,
            wanted=frozenset[str]().union(*spelled),
            begun=begun,
            firsts=frozenset(each[:1] for each in begun),
            whole=tuple((max(each, key=len), each) for each in spelled if len(plain) >= _SHORTEST and each),
            plain=plain,
            bare=bare,
            only=formless if " " not in formless and len(bare) >= _LETTERS else "",
        )

    def list_spelled(self, latin: list[str], bare: list[str]) -> dict[int, float]:
        """Return how alike the names are that are spelled alike, by their places in the lists."""
        found: dict[int, float] = {}
        for asked, spelled in ((self.plain, latin), (self.bare, bare)):
            most = max(len(asked) // (_LETTERS - 1), 1)
            near = process.extract(asked, spelled, scorer=OSA.distance, score_cutoff=most, limit=None)
            for other, _, index in near:
                found[index] = max(found.get(index, 0.0), _measure(asked, other))
        return found

    def place(self, words: str, like: float) -> tuple[int, float] | None:
        """Return how near a name is, the nearest first; none where it is not.

        Args:
            words: the name, folded word by word.
            like: how alike it is spelled.
        """
        if words[:1] in self.firsts and any(_begins(words, each) for each in self.begun):
            return 0, 0.0
        for longest, each in self.whole:
            if longest in words and each.issubset(words.split()):
                return 1, 0.0
        if like:
            return 2, -like
        first = words.partition(" ")[0]
        if (first in self.wanted and _is_part(words, self.wanted)) or (self.only and _measure(self.only, first)):
            return 3, -len(words)
        return (4, 0.0) if words[:1] == self.words[:1] and _abbreviates(self.words, words) else None


def _measure(one: str, other: str) -> float:
    """Return how alike two spellings are, 0 where they are not: of five letters one may differ."""
    shorter, longer = sorted((len(one), len(other)))
    allowed = longer // _LETTERS or (1 if shorter >= _SHORTEST and one[0] == other[0] else 0)
    if longer - shorter > allowed:
        return 0.0
    far = OSA.distance(one, other, score_cutoff=allowed)
    return 1 - far / longer if far <= allowed and longer else 0.0


def _is_part(words: str, wanted: frozenset[str]) -> bool:
    """Whether a name is a part of what was asked: all of its words stand there, or the one that it is."""
    if " " in words:
        return len(words) > _SHORTEST and wanted.issuperset(words.split())
    return len(words) >= _ACRONYM and words in wanted and words not in FORMS


def _abbreviates(asked: str, words: str) -> bool:
    """Whether each word of what was asked begins one of a name, from the first on (`Reg. von Oberbayern`)."""
    if " " not in asked:
        return False
    short, long = asked.split(), words.split()
    return (
        len(short) <= len(long)
        and all(full.startswith(word) for word, full in zip(short, long, strict=False))
        and any(word == full and len(word) >= _WHOLE for word, full in zip(short, long, strict=False))
    )


def behind_economies(text: str) -> frozenset[str]:
    """Return what is left of a name of one word, folded, if it begins with an economy, whichever that is."""
    asked = "" if len(text) > LONGEST else fold_words_of(text)
    if " " in asked:
        return frozenset()
    return frozenset(asked[at:] for at in range(_CODE, len(asked) - _ACRONYM + 1))


def find_beginning(text: str, rows: Iterable[Row], most: int = MEANT) -> tuple[str, ...]:
    """Return the ids whose names go on after these whole words, sorted, `most` of them."""
    if len(text) > LONGEST:
        return ()
    begun = _as_beginning(fold_words_of(text))
    first = begun[:1]
    found = {key for key, words in rows if words[:1] == first and _begins(words, begun)}
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
    return _latin(drop_forms(words))


class _Cited(NamedTuple):
    """The section of a code, or the numbers of the acts, of which a citation speaks."""

    section: Section | None
    numbers: frozenset[str]

    @classmethod
    def of(cls, text: str) -> _Cited:
        numbers = frozenset(key.split()[1] for key in key_citation(text) if key.startswith("act "))
        return cls(read_section(text) or read_bare_section(text), numbers)

    def is_cited(self, record: Requirement) -> bool:
        """Whether a citation of a rule has the part of the code, or the number of an act."""
        known = (record.citation, *record.other_citations)
        found = self.section
        if found is not None:
            cited = [each for each in map(read_section, known) if each is not None]
            return any(each.part == found.part and found.title in ("", each.title) for each in cited)
        return any(not self.numbers.isdisjoint(_numbers_of(each)) for each in known) if self.numbers else False


@lru_cache(maxsize=1 << 13)
def _numbers_of(citation: str) -> frozenset[str]:
    """Return the numbers of the acts that a rule's own citation names."""
    return frozenset(key.split()[1] for key in key_citation(citation) if key.startswith("act "))
