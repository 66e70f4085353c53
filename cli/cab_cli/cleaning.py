"""Text of cells as people mean it: signs that nobody sees go and are named; letters that were lost are a fault."""

import re
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

from cab_cli.damaged_letters import find_damage

_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LINES: Final = re.compile(r"[ \t]*[\r\n\v\f\u0085\u2028\u2029]+[ \t]*")
_BLANKS: Final = re.compile(r"[ \t]{2,}|\t")
# Signs that show nothing, beside those whose category says so.
_UNSEEN: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f")
_VARIANTS: Final = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_LIKE_BLANKS: Final = frozenset("\u2800\u3164\uffa0")
# Signs of category Cf that are seen: they stand around the digits of other scripts.
_SEEN: Final = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2")
_NO_SIGNS: Final = frozenset({"Co", "Cn", "Cs"})
_KEPT: Final = 1 << 14
_OBJECT: Final = "\ufffc"
_JOINERS: Final = frozenset("\u200c\u200d")
_OVERRIDES: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_WIDE_BLANK: Final = "\u3000"


class Cleaned(NamedTuple):
    """A text, what was done to it, and what is wrong with it for good."""

    text: str
    done: tuple[str, ...] = ()
    fault: str | None = None


@lru_cache(maxsize=_KEPT)
def clean(raw: str, *, lines: bool = False) -> Cleaned:
    """Return a text without signs that nobody sees.

    Args:
        raw: as it stands in the cell.
        lines: whether the text may have several lines.
    """
    if raw.isascii() and raw.isprintable() and "_x" not in raw and "  " not in raw and raw == raw.strip():
        return Cleaned(raw, fault=find_damage(raw))
    done: list[str] = []
    text = _unescape(raw, done)
    wrong = next((sign for sign in text if sign in _OVERRIDES), None)
    if wrong is not None:
        return Cleaned(text, fault=f"holds {_name(wrong)}, which turns the text around: take it out")
    wrong = next((sign for sign in text if sign == _OBJECT or unicodedata.category(sign) in _NO_SIGNS), None)
    if wrong is not None:
        return Cleaned(text, fault=f"holds {_name(wrong)}, which stands for no letter: write what is meant")
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


def _unescape(text: str, done: list[str]) -> str:
    """Resolve what spreadsheets write for signs that XML cannot hold, such as `_x000D_`, and for any other sign."""
    written: dict[str, str] = {}

    def resolve(found: re.Match[str]) -> str:
        sign = chr(int(found.group(1), 16))
        seen = sign if sign >= " " or sign in "\n\t\r" else ""
        shown = repr(sign) if sign.isprintable() and sign != " " else _name(sign)
        written[found.group()] = f"{found.group()} read as {shown}" if sign >= " " else f"{found.group()} left out"
        return seen

    text = _ESCAPED.sub(resolve, text)
    done += written.values()
    return text.replace("\r\n", "\n") if written else text


def _widen_blanks(text: str, done: list[str]) -> str:
    odd = sorted({sign for sign in text if _is_odd_blank(sign)})
    for sign in odd:
        text = text.replace(sign, " ")
        done.append(f"{_name(sign)} read as a blank")
    return text


def _is_odd_blank(sign: str) -> bool:
    return sign in _LIKE_BLANKS or (unicodedata.category(sign) == "Zs" and sign not in {" ", _WIDE_BLANK})


def _drop_unseen(text: str, done: list[str]) -> str:
    kept: list[str] = []
    dropped: list[str] = []
    for place, sign in enumerate(text):
        if _is_unseen(sign) and not (sign in _JOINERS and _joins(text, place)):
            dropped.append(sign)
        else:
            kept.append(sign)
    done += [f"{_name(sign)} left out" for sign in dict.fromkeys(dropped)]
    return "".join(kept)


def _is_unseen(sign: str) -> bool:
    if sign < "\u00ad" or sign in _SEEN:
        return False
    hidden = sign in _UNSEEN or unicodedata.category(sign) == "Cf"
    return hidden or any(ord(sign) in each for each in _VARIANTS)


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
