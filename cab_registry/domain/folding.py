"""The one fold: names and codes as they are compared everywhere, in the engine, in search and on import.

Two texts with the same fold are two spellings of one name. Not counted are width, case, accents, letters such as
`ł ø đ ß`, punctuation, blanks, signs that nobody sees, and the spelling of legal forms. `A&B` and `A+B` stay two names.
"""

# ruff: noqa: RUF001 - letters and signs of other scripts are meant

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from cab_registry.domain.legal_forms import SPELLINGS, WITHOUT_BLANKS

_MARKS: Final = (
    (0x0300, 0x036F),
    (0x0483, 0x0487),
    (0x0591, 0x05BD),
    (0x064B, 0x065F),
    (0x0670, 0x0670),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE20, 0xFE2F),
)
"""Marks of Latin, Greek, Cyrillic, Hebrew and Arabic; those of Japanese and of Indian scripts make other letters."""

_NO_SIGNS: Final[dict[int, None]] = dict.fromkeys(
    (*map(ord, "™®©℠"), 0x034F, 0x0640, 0x115F, 0x1160, 0x180B, 0x180C, 0x180D, 0x3164, 0xFFA0, *range(0xFE00, 0xFE10))
)
"""Signs of trade marks, and signs without shape that Unicode does not class as formats."""

_LETTERS: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h", "ŧ": "t", "ŋ": "n", "ĸ": "k"}
    | {"\N{LATIN SMALL LETTER DOTLESS I}": "i", "\N{LATIN SMALL LETTER SCHWA}": "a"}
)
"""Letters that carry no separable accent, in the spelling of people without them on their keyboard."""

_GLUED: Final = re.compile(
    "|".join(sorted(map(re.escape, {each for pair in WITHOUT_BLANKS for each in pair}), key=len, reverse=True))
)
_CANONICAL: Final = dict(WITHOUT_BLANKS)
"""Forms that are written without a blank beside them, by spelling."""

_BLANK_SIGNS: Final = frozenset("|~⁄∕−∙")
"""Symbols that people write where others write a dash, a stroke or a dot."""

_ASCII: Final = {code: " " for code in range(128) if not chr(code).isalnum()} | {
    ord("&"): " and ",
    **{ord(sign): f" {sign} " for sign in "+=<>$"},
}

_BETWEEN_NUMBERS: Final = re.compile(r"(?<!\d) | (?!\d)")
"""A blank that does not stand between two digits."""

_FORMS: Final = SPELLINGS | {canonical: canonical for canonical in SPELLINGS.values()}
_STARTS: Final = frozenset(spelling[:2] for spelling in _FORMS)
_LONGEST: Final = 9

_SHORT: Final = 120
"""Signs of a text whose fold is kept: nearly all names, and nothing by which an asker could fill the memory."""


def fold(text: str) -> str:
    """Return the form in which a name is compared; blanks do not count, and it is never empty for a text that is not.

    Two bodies may have one fold: it finds what may be meant, and does not prove that it is.
    """
    return _fold_kept(text) if len(text) <= _SHORT else _fold(text)


@lru_cache(maxsize=1 << 15)
def _fold_kept(text: str) -> str:
    return _fold(text)


def _fold(text: str) -> str:
    return _join(_split(text)) or "".join(unicodedata.normalize("NFKC", text).casefold().split())


def fold_words(text: str) -> str:
    """Return the same with one blank between words, for comparing parts of names."""
    return " ".join(_split(text)) or fold(text)


def fold_plain(text: str) -> str:
    """Return the fold without a look at legal forms, in which a half-typed word is still a part of the whole."""
    return _join(_spread(text).split()) or fold(text)


def fold_both(text: str) -> tuple[str, str]:
    """Return a name folded word by word, and without a look at legal forms; both at the price of one."""
    words = _spread(text).split()
    return " ".join(_spell(words)) or fold(text), _join(words) or fold(text)


def find_folded(text: str, names: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return the keys that a text names: the key itself, else those with such a name, else those of that fold.

    For codes of economies, for example: `GB`, `gb`, `UK` and `United Kingdom` find `GB`.

    Args:
        text: as it was written.
        names: names by key.

    Returns:
        Keys, sorted; none where nothing has that fold, several where it does not decide.
    """
    written = text.strip()
    if written in names:
        return (written,)
    exact = tuple(sorted(key for key, known in names.items() if written in known))
    if exact:
        return exact
    wanted = fold(text)
    folded = tuple(key for key in names if fold(key) == wanted)
    return folded or tuple(sorted(key for key, known in names.items() if any(fold(name) == wanted for name in known)))


def holds_other(text: str, names: Iterable[str]) -> bool:
    """Whether a text is a part of one of some names, or the reverse; an empty name is none."""
    asked = fold(text)
    return any(asked in name or name in asked for name in map(fold, filter(None, names)))


def squeeze(words: str) -> str:
    """Return folded words without blanks; two numbers beside each other stay two, since `1-11` is not `11-1`."""
    return _BETWEEN_NUMBERS.sub("", words)


def _join(words: list[str]) -> str:
    return squeeze(" ".join(words))


def _split(text: str) -> list[str]:
    return _spell(_spread(text).split())


def _spell(words: list[str]) -> list[str]:
    if any(word[:2] in _STARTS or len(word) == 1 for word in words):
        return _spell_forms(words)
    return words


def _spread(text: str) -> str:
    """Return a text folded sign by sign, with blanks where there was punctuation."""
    if text.isascii():
        return text.casefold().translate(_ASCII)
    plain = unicodedata.normalize("NFKC", text.translate(_NO_SIGNS)).translate(_NO_SIGNS)
    plain = "".join(sign for sign in plain if unicodedata.category(sign) != "Cf")
    plain = _GLUED.sub(lambda hit: f" {_CANONICAL.get(hit[0], hit[0])} ", plain)
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", plain.casefold()) if not _is_mark(sign))
    bare = unicodedata.normalize("NFKC", bare.casefold().translate(_LETTERS))
    return "".join(map(_show, bare))


def _is_mark(sign: str) -> bool:
    return sign > "\u02ff" and any(first <= ord(sign) <= last for first, last in _MARKS)


def _show(sign: str) -> str:
    if sign.isalnum():
        return sign
    if sign == "&":
        return " and "
    kind = unicodedata.category(sign)
    if kind[0] == "M":
        return sign
    return f" {sign} " if kind in ("Sm", "Sc", "So") and sign not in _BLANK_SIGNS else " "


def _spell_forms(words: list[str]) -> list[str]:
    spelled: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        size = min(_LONGEST, len(words) - at) if len(word) == 1 or word[:2] in _STARTS else 0
        while size and (found := _FORMS.get("".join(words[at : at + size]))) is None:
            size -= 1
        if size:
            spelled.append(found or "")
            at += size
        else:
            spelled.append(word)
            at += 1
    return spelled
