"""Letters and signs of names: what nobody can read, words written in two scripts, and names that look alike.

Look-alikes are those of Unicode's confusables.txt (UTS 39), of every script. Latin letters and digits are compared as
in its skeleton.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from cab_registry.domain.folding import fold
from cab_registry.domain.signs import LIKE_LATIN, is_unseen

_RARE: Final = frozenset({"CANADIAN", "CARIAN", "CHEROKEE", "COPTIC", "DESERET", "LISU", "LYCIAN", "OLD", "TIFINAGH"})
"""Scripts, as the names of their letters begin, that nobody mixes with Latin in one word."""

_SEEN: Final = str.maketrans(LIKE_LATIN)
_FOLDED: Final = str.maketrans({sign: like.lower() for sign, like in LIKE_LATIN.items()})

_SHAPES: Final = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "m": "rn"})
"""Letters and digits of one shape, after case was folded."""

_UNREADABLE: Final = {
    "Cc": "a control sign",
    "Cf": "a sign that nobody sees",
    "Cs": "half of a character",
    "Co": "a sign of private use",
    "Cn": "a sign that Unicode does not know",
    "Zl": "a line break",
    "Zp": "a line break",
}
_JOINERS: Final = "\u200c\u200d"
_FORMS: Final = "\u180b\u180c\u180d\u180e\u180f"
"""Signs that choose the form of a Mongolian letter."""

_JOINED: Final = ("ARABIC", "SYRIAC", "MONGOLIAN")
_INDIC: Final = range(0x0900, 0x1000)
_WORD: Final = re.compile(r"[^\W\d_]+")


def find_unreadable(text: str) -> str | None:
    """Say what in a text nobody can read, and where; none where there is nothing.

    Signs that join letters stay where a script needs them, in Arabic and in the scripts of India.
    """
    if text.isascii() and text.isprintable():
        return None
    for index, sign in enumerate(text):
        kind = _UNREADABLE["Cf"] if is_unseen(sign) else _UNREADABLE.get(unicodedata.category(sign))
        if kind is not None and not _is_needed(text, index):
            name = unicodedata.name(sign, "").lower()
            named = f" ({name})" if name else ""
            return f"holds {kind}, U+{ord(sign):04X}{named}, as character {index + 1}: leave it out"
    return None


def find_mixed(text: str) -> str | None:
    """Say which word of a text has letters of two scripts that look like those of one; none where no word has.

    Words of different scripts may stand beside each other, as `株式会社UL Japan`.
    """
    if text.isascii():
        return None
    for word in _WORD.findall(unicodedata.normalize("NFKC", text)):
        strange = [sign for sign in word if _is_strange(sign)]
        if strange and any(_is_latin(sign) for sign in word):
            sign = strange[0]
            name = unicodedata.name(sign).lower()
            like = f", and looks like {LIKE_LATIN[sign]!r}" if sign in LIKE_LATIN else ""
            return f"has a word in two scripts, {word!r}: {sign!r} is {name}{like}"
    return None


@lru_cache(maxsize=1 << 16)
def outline(name: str) -> str:
    """Return what a name looks like: two names with the same outline are easily taken for each other."""
    seen = "".join(sign for sign in name if not is_unseen(sign))
    return fold(unicodedata.normalize("NFKC", seen).translate(_SEEN)).translate(_FOLDED).translate(_SHAPES)


def list_lettering(value: object, pointer: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield JSON Pointer, text and fault of each text in a plain document that cannot be read, or misleads."""
    if isinstance(value, str):
        fault = find_unreadable(value) or find_mixed(value)
        if fault is not None:
            yield pointer, value, fault
    elif isinstance(value, dict):
        for key, part in value.items():
            fault = find_unreadable(str(key))
            if fault is not None:
                yield pointer, str(key), f"a key {fault}"
            yield from list_lettering(part, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from list_lettering(part, f"{pointer}/{index}")


def _is_strange(sign: str) -> bool:
    """Whether a letter of another script than Latin misleads beside Latin ones."""
    return not _is_latin(sign) and (sign in LIKE_LATIN or unicodedata.name(sign, "").split(" ")[0] in _RARE)


def _is_latin(sign: str) -> bool:
    return unicodedata.name(sign, "").startswith("LATIN ")


def _is_needed(text: str, index: int) -> bool:
    """Whether a sign without shape joins or forms letters of a script that is written so."""
    before = text[index - 1] if index else ""
    if not before:
        return False
    name = unicodedata.name(before, "")
    if text[index] in _FORMS:
        return name.startswith("MONGOLIAN")
    return text[index] in _JOINERS and (ord(before) in _INDIC or name.startswith(_JOINED))
