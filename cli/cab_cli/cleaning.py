"""Text of cells as people mean it: signs that nobody sees go and are named; letters that were lost are a fault."""

import re
import unicodedata
from typing import Final, NamedTuple

_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LINES: Final = re.compile(r"[ \t]*[\r\n\v\f\u0085\u2028\u2029]+[ \t]*")
_BLANKS: Final = re.compile(r"[ \t]{2,}|\t")
_UNSEEN: Final = frozenset("\u200b\u2060\ufeff\u00ad\u200e\u200f\u061c\u180e")
_JOINERS: Final = frozenset("\u200c\u200d")
_OVERRIDES: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_WIDE_BLANK: Final = "\u3000"
_FIRST_SEEN: Final = 32
# What UTF-8 looks like where it was read as one of these.
_MISTAKEN_FOR: Final = (
    "sloppy-windows-1252",
    "sloppy-windows-1250",
    "sloppy-windows-1251",
    "latin-1",
    "cp437",
    "cp850",
)
# Signs, and letters of a second alphabet, which one encoding has where another has a letter.
_ODD_WITHIN_A_WORD: Final = re.compile(
    r"(?<=[^\W\d_])[\u2500-\u259f\u207f\u2229\u2248\u2261\u2310\u00a1-\u00a3\u00a5-\u00a8\u00ab\u00ac\u00af"
    r"\u00b2\u00b3\u00b6\u00b8\u00b9\u00bb\u00bf\u00f7\u2020\u2021\u2030](?=[^\W\d_])"
)
_TWO_SCRIPTS: Final = re.compile(r"[A-Za-z\u00c0-\u024f][\u0400-\u04ff]|[\u0400-\u04ff][A-Za-z\u00c0-\u024f]")
_LOST_LETTER: Final = re.compile(r"[^\W\d_]\?[^\W\d_]")


class Cleaned(NamedTuple):
    """A text, what was done to it, and what is wrong with it for good."""

    text: str
    done: tuple[str, ...] = ()
    fault: str | None = None


def clean(raw: str, *, lines: bool = False) -> Cleaned:
    """Return a text without signs that nobody sees.

    Args:
        raw: as it stands in the cell.
        lines: whether the text may have several lines.
    """
    if raw.isascii() and raw.isprintable() and "_x" not in raw and "  " not in raw and raw == raw.strip():
        return Cleaned(raw)
    done: list[str] = []
    text = _unescape(raw, done)
    wrong = next((sign for sign in text if sign in _OVERRIDES), None)
    if wrong is not None:
        return Cleaned(text, fault=f"holds {_name(wrong)}, which turns the text around: take it out")
    text = _drop_unseen(_widen_blanks(text, done), done)
    text = _join_lines(text, done, lines=lines)
    wrong = next((sign for sign in text if unicodedata.category(sign) == "Cc" and sign != "\n"), None)
    if wrong is not None:
        damage = find_damage(text) if wrong >= "\x80" else None
        return Cleaned(text, fault=damage or f"holds the control character {_name(wrong)}: take it out")
    if text != (stripped := text.strip()):
        text = stripped
        done.append("blanks at an end left out")
    return Cleaned(text, tuple(done), find_damage(text))


def find_damage(text: str) -> str | None:
    """Say how the letters of a text were damaged on the way, and what they were, as far as that can be told."""
    if "\ufffd" in text:
        return "letters were lost (\N{REPLACEMENT CHARACTER}): export the list again as UTF-8"
    if text.isascii():
        return None
    meant = _repair(text)
    if meant is not None and meant != text:
        return f"its letters were read in the wrong encoding; did you mean {meant!r}?"
    if found := _ODD_WITHIN_A_WORD.search(text) or _TWO_SCRIPTS.search(text):
        return (
            f"has {found.group()!r} within a word: its letters were read in the wrong encoding; name the right one, or "
            "say under `values` what it means"
        )
    return None


def lost_letters(text: str) -> bool:
    """Whether question marks stand where letters were."""
    return _LOST_LETTER.search(text) is not None


def _repair(text: str) -> str | None:
    import ftfy
    import ftfy.bad_codecs
    from ftfy.badness import is_bad

    if is_bad(text):
        return ftfy.fix_encoding(text)
    for codec in _MISTAKEN_FOR:
        try:
            return text.encode(codec).decode("utf-8")
        except UnicodeError:
            continue
    return None


def _unescape(text: str, done: list[str]) -> str:
    """Resolve what spreadsheets write for signs that XML cannot hold, such as `_x000D_`."""
    found = {each for each in _ESCAPED.findall(text) if int(each, 16) < _FIRST_SEEN}
    for code in sorted(found):
        sign = chr(int(code, 16))
        text = text.replace(f"_x{code}_", sign if sign in "\n\t\r" else "")
        done.append(f"_x{code}_ left out")
    return text.replace("\r\n", "\n") if found else text


def _widen_blanks(text: str, done: list[str]) -> str:
    odd = sorted({sign for sign in text if unicodedata.category(sign) == "Zs" and sign not in {" ", _WIDE_BLANK}})
    for sign in odd:
        text = text.replace(sign, " ")
        done.append(f"{_name(sign)} read as a blank")
    return text


def _drop_unseen(text: str, done: list[str]) -> str:
    kept: list[str] = []
    dropped: list[str] = []
    for place, sign in enumerate(text):
        if sign in _UNSEEN or (sign in _JOINERS and not _joins(text, place)):
            dropped.append(sign)
        else:
            kept.append(sign)
    done += [f"{_name(sign)} left out" for sign in dict.fromkeys(dropped)]
    return "".join(kept)


def _joins(text: str, place: int) -> bool:
    """Whether a joiner stands between letters of a script that needs it."""
    around = text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
    return len(around) > 1 and not any(sign.isascii() for sign in around)


def _join_lines(text: str, done: list[str], *, lines: bool) -> str:
    if lines:
        return text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    # Ends are counted apart: a line break there is a blank like another.
    inner = _LINES.sub(" ", text.strip())
    if inner != text.strip():
        done.append("a line break read as a blank")
    single = _BLANKS.sub(" ", inner)
    if single != inner:
        done.append("several blanks read as one")
    return single if text == text.strip() else f" {single}"


def _name(sign: str) -> str:
    return f"U+{ord(sign):04X}"
