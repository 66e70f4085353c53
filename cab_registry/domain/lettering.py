"""Letters and signs of names: what nobody can read, words written in two scripts, and names that look alike.

Look-alikes are those of Unicode's confusables.txt (UTS 39) among the scripts that stand beside Latin in such
names: Greek, Cyrillic and Armenian. Latin letters and digits are compared as in its skeleton.
"""

# ruff: noqa: RUF001 - letters of other scripts are meant

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from cab_registry.domain.folding import fold

_PAIRS: Final = (
    # Greek
    "ͿJ ΑA ΒB ΕE ΖZ ΗH Ιl ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX αa γy ιi νv οo ρp σo υu ϜF ϳj ϺM "
    # Cyrillic
    "ЅS Іl ЈJ АA ВB ЕE КK МM НH ОO РP СC ТT УY ХX Ьb аa гr еe оo рp сc уy хx ѕs іi јj ѡw ѴV ѵv ҮY үy һh ҽe Ӏl ӏi ԁd ԌG "
    "ԛq ԜW ԝw ꙇi "
    # Armenian
    "ՍU ՏS ՕO աw գq զq հh ոn ռn սu ցg քf օo"
)
_LIKE_LATIN: Final = {ord(pair[0]): pair[1] for pair in _PAIRS.split()}

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
        kind = _UNREADABLE.get(unicodedata.category(sign))
        if kind is not None and not (sign in _JOINERS and _joins(text, index)):
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
        strange = [sign for sign in word if ord(sign) in _LIKE_LATIN]
        if strange and any(_is_latin(sign) for sign in word):
            sign = strange[0]
            name = unicodedata.name(sign).lower()
            like = _LIKE_LATIN[ord(sign)]
            return f"has a word in two scripts, {word!r}: {sign!r} is {name}, and looks like {like!r}"
    return None


@lru_cache(maxsize=1 << 16)
def outline(name: str) -> str:
    """Return what a name looks like: two names with the same outline are easily taken for each other."""
    return fold(unicodedata.normalize("NFKC", name).translate(_LIKE_LATIN)).translate(_SHAPES)


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


def _is_latin(sign: str) -> bool:
    return unicodedata.name(sign, "").startswith("LATIN ")


def _joins(text: str, index: int) -> bool:
    """Whether a joiner stands after a letter or mark of a script that is written joined."""
    before = text[index - 1] if index else ""
    return bool(before) and (ord(before) in _INDIC or unicodedata.name(before, "").startswith(_JOINED))
