"""Other spellings of a name: two letters for an umlaut, no legal form, an acronym in brackets at its end.

They lead to whoever may be meant where the fold leads to nobody, or not to everybody.
"""

# ruff: noqa: RUF001 - signs of other scripts are meant

from __future__ import annotations

import re
import unicodedata
from itertools import product
from typing import Final

from cab_registry.domain.folding import fold, fold_plain, fold_words, squeeze
from cab_registry.domain.legal_forms import FORMS

_TWO_LETTERS: Final = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"}
"""Letters that people without them on their keyboard also write as two."""

_TWO: Final = re.compile("a(?=[ea])|[ou](?=e)")
"""The first of two letters that may stand for one of these, in a folded text."""

_PAIR: Final = re.compile("(a)[ea]|([ou])e")

_MOST: Final = 4
"""So many of these letters are each spelled on their own; with more of them in a name, all are spelled alike."""

_BRACKETS: Final = re.compile(r"\s*[(（]\s*([^\s()（）]{2,12})\s*[)）]\s*$")
"""An acronym, or another name of one word, in brackets at the end of a name."""

_OPEN: Final = "("
"""Ends the key of a name that goes on in brackets; no fold holds it."""


def fold_spellings(text: str) -> tuple[str, ...]:
    """Return the fold, and those of the spellings with two letters for `ä ö ü ø å`: `TUEV SUED` is `TÜV SÜD`."""
    return tuple(dict.fromkeys(map(fold, (text, *_spell_out(text)))))


def _spell_out(text: str) -> list[str]:
    """Return a text with two letters for some, or all, of its `ä ö ü ø å`."""
    if text.isascii():
        return []
    plain = unicodedata.normalize("NFC", text.casefold())
    places = [index for index, sign in enumerate(plain) if sign in _TWO_LETTERS]
    return [
        "".join(_TWO_LETTERS[sign] if at in wide else sign for at, sign in enumerate(plain))
        for wide in _choose(places)
        if wide
    ]


def narrow_spellings(text: str) -> tuple[str, ...]:
    """Return the fold, and what it is if two letters in it stand for one of `ä ö ü ø å`."""
    own = fold(text)
    places = [hit.start() + 1 for hit in _TWO.finditer(own)]
    narrow = ("".join(sign for at, sign in enumerate(own) if at not in dropped) for dropped in _choose(places))
    return tuple(dict.fromkeys((own, *narrow)))


def parts_spelled(text: str) -> tuple[str, ...]:
    """Return the folds of a part of a name: legal forms looked at or not, umlauts as one letter and as two."""
    return tuple(dict.fromkeys((*fold_spellings(text), fold_plain(text), *narrow_spellings(text))))


def narrow_words(words: str) -> str:
    """Return folded words as they are if each two letters in them stand for one of `ä ö ü ø å`."""
    return _PAIR.sub(r"\1\2", words)


def _choose(places: list[int]) -> list[frozenset[int]]:
    """Return the choices of places that are spelled otherwise."""
    if len(places) > _MOST:
        return [frozenset(places)]
    ways = product((False, True), repeat=len(places))
    return [frozenset(place for place, chosen in zip(places, way, strict=True) if chosen) for way in ways]


def split_brackets(name: str) -> tuple[str, str | None]:
    """Return a name without the one word in brackets at its end, and that word: `Drug Agency (BDA)`."""
    hit = _BRACKETS.search(name) if name.rstrip()[-1:] in (")", "）") else None
    return (name[: hit.start()], hit[1]) if hit is not None and hit.start() else (name, None)


def drop_forms(words: str) -> str:
    """Return folded words without legal forms, which people leave out; all of them where nothing else is there."""
    return " ".join(word for word in words.split() if word not in FORMS) or words


def other_keys(name: str, words: str) -> tuple[str, ...]:
    """Return the keys under which a name is found beside its own.

    Args:
        name: as it is written.
        words: folded word by word.
    """
    found: list[str] = []
    for spelled in (words, *map(fold_words, _spell_out(name))):
        found.extend((squeeze(spelled), squeeze(drop_forms(spelled))))
    base, word = split_brackets(name)
    if word is not None:
        found.append(key_before_brackets(base))
    return tuple(dict.fromkeys(each for each in found if each != squeeze(words)))


def key_before_brackets(name: str) -> str:
    """Return the key of the names that are this one with an acronym in brackets behind it."""
    return fold(name) + _OPEN


def asked_keys(name: str) -> frozenset[str]:
    """Return the keys under which whoever may be meant by a name has one of his own, or one beside it."""
    base, _ = split_brackets(name)
    return frozenset((*fold_spellings(name), fold(base), key_before_brackets(base)))
