"""Letters that were damaged on their way into a table: wrongly decoded, lost, escaped, or of two alphabets."""

import html
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from itertools import groupby
from typing import Final
from urllib.parse import unquote_to_bytes

# What UTF-8 looks like where it was read as one of these.
_MISTAKEN_FOR: Final = (
    "sloppy-windows-1252",
    "sloppy-windows-1250",
    "sloppy-windows-1251",
    "sloppy-windows-1253",
    "sloppy-windows-1254",
    "sloppy-windows-1257",
    "sloppy-windows-1258",
    "latin-1",
    "cp437",
    "cp850",
)
_OTHER_SCRIPTS: Final = ("cp949", "gb18030", "cp932", "cp950", "cp874", "cp1255", "cp1256")
_LATIN: Final = r"A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
# Signs, and letters of a second alphabet, which one encoding has where another has a letter.
_ODD_WITHIN_A_WORD: Final = re.compile(
    r"(?<=[^\W\d_])[\u2500-\u259f\u207f\u2229\u2248\u2261\u2310\u00a1-\u00a3\u00a5-\u00a8\u00ab\u00ac\u00af"
    r"\u00b2\u00b3\u00b6\u00b8\u00b9\u00bb\u00bf\u00f7\u2020\u2021\u2030](?=[^\W\d_])"
)
_ODD_AMONG_LATIN: Final = re.compile(
    rf"(?<=[{_LATIN}])[\u00a4\u00a9\u00aa\u00b1\u00ba\u00bc-\u00be\u02c6\u02dc\u2039\u203a\u221a\u222b\u2202"
    rf"\u0192](?=[{_LATIN}])|\u0192(?=[{_LATIN}])|(?<=[{_LATIN}])\u0192"
)
# A sign that stands for no letter and begins a word: `£ód`, `¯ilina`, where Ł and Ż were.
_ODD_BEGINNING: Final = re.compile(rf"(?<!\w)[\u00a3\u00a5\u00aa\u00af\u00b3\u00b9\u00ba\u00bc\u00be](?=[{_LATIN}])")
_CAPITAL_Y_WITHIN: Final = re.compile(r"(?<=[a-z\u00df-\u00f6\u00f8-\u00ff])\u0178")
# Central European letters beside Western ones, which share no language but share the bytes of two encodings.
_TWO_REGIONS: Final = re.compile(r"(?i)[šž][^\W\d_]*[ïèìòøùûêæñð]|[ïèìòøùûêæñð][^\W\d_]*[šž]")
_ACCENTED_RUN: Final = re.compile(r"[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff]{4,}")
_FEWEST_LETTERS: Final = 4
_MOST_ACCENTED: Final = 0.8
_ALONE: Final = re.compile(r"(?<![^\x00-\x7f])[^\x00-\x7f](?![^\x00-\x7f])")
_LAST_LATIN: Final = "\u024f"
_LAST_COMMON: Final = "\u017f"
_LONGEST_DECODED: Final = 400

_ENTITY: Final = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,30}|#\d{1,7}|#x[0-9A-Fa-f]{1,6});")
_QUOTED: Final = re.compile(r"(?:=[0-9A-F]{2})+")
_PERCENT: Final = re.compile(r"(?<!\d)(?:%[0-9A-Fa-f]{2})+")
_BACKSLASH: Final = re.compile(
    r"(?:\\x[0-9A-Fa-f]{2})+|(?:\\u[0-9A-Fa-f]{4})+|\\U[0-9A-Fa-f]{8}|\\N\{[^}]*\}|(?:\\[0-3][0-7]{2})+"
)
_UTF_7: Final = re.compile(r"\+[A-Za-z0-9+/]{3,}-")

_LOOKALIKES: Final = frozenset({
    "LATIN", "FULLWIDTH", "GREEK", "CYRILLIC", "CHEROKEE", "LISU", "ARMENIAN", "COPTIC", "GEORGIAN", "GOTHIC",
    "DESERET", "OSAGE", "CARIAN", "LYCIAN", "LYDIAN", "ELBASAN", "RUNIC", "TIFINAGH", "CANADIAN",
})  # fmt: skip
"""Scripts that separate words and have letters that look like those of another."""

_SIGNS_KEPT: Final = 4096
_MICRO: Final = "\N{GREEK SMALL LETTER MU}"
_LOST: Final = re.compile(
    r"\w\?|\?{2,}|\?(?=[^\W\d_])(?=[^A-Za-z\u00c0-\u024f])|\?(?=[a-z\u00df-\u00f6\u00f8-\u00ff])|(?<!^)(?<=\s)\?(?=\w)"
    r"|^\?(?=[A-Z\u00c0-\u00d6\u00d8-\u00de]{2})|(?<!\S)\?(?!\S)|\u25a1"
)
_LOST_WITHIN: Final = re.compile(r"[^\W\d_]\?[a-z\u00df-\u024f]|\?{3,}|\u25a1")
_ADDRESS: Final = re.compile(r"\S+://\S+|www\.\S+")


def find_damage(text: str) -> str | None:
    """Say how the letters of a text were damaged on the way, and what they were, as far as that can be told."""
    if "\ufffd" in text:
        return "letters were lost (\N{REPLACEMENT CHARACTER}): export the list again as UTF-8"
    if (meant := _unescape(text)) is not None:
        return f"has signs that a program wrote for letters; did you mean {meant!r}?"
    if text.isascii():
        return None
    meant = _repair(text)
    if meant is not None and meant != text:
        return f"its letters were read in the wrong encoding; did you mean {meant!r}?"
    if (scripts := _find_two_scripts(text)) is not None:
        return scripts
    if found := _find_odd(text):
        return (
            f"has {found!r} within a word: its letters were read in the wrong encoding; name the right one, or "
            "say under `values` what it means"
        )
    return None


def lost_letters(text: str) -> bool:
    """Whether question marks stand in a name where letters were; a name may begin with one."""
    return _LOST.search(text) is not None


def lost_letters_within(text: str) -> bool:
    """Whether question marks stand within the words of a longer text."""
    return _LOST_WITHIN.search(_ADDRESS.sub(" ", text)) is not None


def _find_odd(text: str) -> str | None:
    for pattern in (_ODD_WITHIN_A_WORD, _ODD_AMONG_LATIN, _ODD_BEGINNING, _CAPITAL_Y_WITHIN, _TWO_REGIONS):
        if found := pattern.search(text):
            return found.group()
    runs = (found.group() for found in _ACCENTED_RUN.finditer(text))
    if run := next((each for each in runs if len(set(each.casefold())) > 1), None):
        return run
    letters = [sign for sign in text if sign.isalpha()]
    accented = [sign for sign in letters if "\u00c0" <= sign <= "\u00ff"]
    if len(letters) >= _FEWEST_LETTERS and len(accented) > _MOST_ACCENTED * len(letters):
        return "".join(accented[:_FEWEST_LETTERS])
    return None


def _find_two_scripts(text: str) -> str | None:
    if all(sign <= _LAST_LATIN for sign in text):
        return None
    for is_word, signs in groupby(text, key=lambda sign: unicodedata.category(sign)[0] in "LM"):
        word = "".join(signs)
        if not is_word or word.isascii():
            continue
        scripts = dict.fromkeys(filter(None, map(_script_of, word.replace(_MICRO, ""))))
        if len(scripts) > 1:
            names = " and ".join(each.capitalize() for each in scripts)
            return f"has {names} letters in one word, {word!r}: write it in one alphabet"
    return None


@lru_cache(maxsize=_SIGNS_KEPT)
def _script_of(sign: str) -> str | None:
    """Return the script of a letter, where it is one whose letters look like those of another."""
    if sign.isascii():
        return "LATIN" if sign.isalpha() else None
    if not sign.isalpha():
        return None
    first, _, rest = unicodedata.name(sign, "").partition(" ")
    if first == "FULLWIDTH":
        return "LATIN" if rest.startswith("LATIN") else None
    return first if first in _LOOKALIKES else None


def _repair(text: str) -> str | None:
    import ftfy
    import ftfy.bad_codecs
    from ftfy.badness import is_bad

    if is_bad(text):
        return ftfy.fix_encoding(text)
    # UTF-8 spells each such letter with two signs or more, which then stand side by side.
    for codec in () if _ALONE.search(text) else _MISTAKEN_FOR:
        try:
            return text.encode(codec).decode("utf-8")
        except (UnicodeError, LookupError):
            continue
    return _repair_accents(text)


def _repair_accents(text: str) -> str | None:
    """Return what a text was whose few accented letters were read as letters of another script."""
    if not re.search(r"[a-z](?![\u0000-\u024f])\w|(?![\u0000-\u024f])\w[a-z]", text):
        return None
    for codec in _OTHER_SCRIPTS:
        try:
            meant = text.encode(codec).decode("utf-8")
        except UnicodeError:
            continue
        if all(sign <= "\u024f" or not sign.isalpha() for sign in meant):
            return meant
    return None


def _unescape(text: str) -> str | None:
    """Return a text whose letters were escaped as in web pages, mails or programs; nothing where none were."""
    if len(text) > _LONGEST_DECODED or not any(sign in text for sign in "&=%\\+"):
        return None
    bare = _resolve(without := _ADDRESS.sub(" ", text))
    return _resolve(text) if bare != without else None


def _resolve(text: str) -> str:
    meant = _ENTITY.sub(lambda found: html.unescape(found.group()), text)
    meant = _BACKSLASH.sub(_decode_backslash, meant)
    meant = _QUOTED.sub(_decode(lambda each: bytes.fromhex(each.replace("=", ""))), meant)
    meant = _PERCENT.sub(_decode(unquote_to_bytes), meant)
    return _UTF_7.sub(_decode_utf_7, meant)


def _decode(read: Callable[[str], bytes]) -> Callable[[re.Match[str]], str]:
    """Return what replaces escaped bytes by the letters that they are; those that are none stay."""

    def replace(found: re.Match[str]) -> str:
        data = read(found.group())
        for codec in ("utf-8", "cp1252"):
            try:
                signs = data.decode(codec)
            except UnicodeError:
                continue
            if all(sign.isalpha() and not sign.isascii() for sign in signs) or (data == b" " and "%" in found.group()):
                return signs
        return found.group()

    return replace


def _decode_backslash(found: re.Match[str]) -> str:
    try:
        signs = found.group().encode("ascii").decode("unicode_escape")
    except UnicodeError:
        return found.group()
    try:
        return signs.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return signs


def _decode_utf_7(found: re.Match[str]) -> str:
    try:
        signs = found.group().encode("ascii").decode("utf-7")
    except UnicodeError:
        return found.group()
    return signs if signs and all("\u00c0" <= sign <= _LAST_COMMON for sign in signs) else found.group()
