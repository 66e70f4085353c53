"""Numbers of bodies as tables write them: in the canonical form of their scheme, or told why not."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from cab_registry.domain.schemes import SCHEMES, canonical_form, find_misfit

_SCIENTIFIC: Final = re.compile(r"\d+(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
_POINTED: Final = re.compile(r"\d[.,]\d*E|E\+", re.IGNORECASE)
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:[,' \u00a0\u2019]\d{3})+")
_SEVERAL: Final = re.compile(r"[,;|\n]|\s[/&+]\s|\s(?:and|or|und|oder|et|ou|e|y|ex)\s|\(", re.IGNORECASE)
_LIKE_A_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?")
_FRACTION: Final = re.compile(r"\d+\.\d+")
_DIGITS: Final = re.compile(r"\d+")
_FEWEST: Final = 20
_ENOUGH: Final = 2


class NumberRead(NamedTuple):
    """A number, and what was done to it or what is wrong with it."""

    value: str
    done: tuple[str, ...] = ()
    fault: str | None = None


def read_number(scheme: str | None, text: str) -> NumberRead:
    """Read a number under a scheme; without one it is kept as it stands, where it is one number at all."""
    done: list[str] = []
    if text.startswith("'") and len(text) > 1:
        text = text.lstrip("'").strip()
        done.append("the apostrophe before it left out")
    if fault := _find_fault(text):
        return NumberRead(text, fault=fault)
    if scheme is None:
        return NumberRead(text, tuple(done))
    known = next((each for each in SCHEMES if each.id == scheme), None)
    canonical = canonical_form(scheme, text)
    if canonical is None and known is not None:
        if fault := find_misfit(scheme, text):
            return NumberRead(text, fault=fault)
        done.append(f"does not look like a number of the scheme {scheme}; taken as it stands")
    elif canonical is not None and canonical != text:
        done.append(f"read as {canonical}, the form of the scheme {scheme}")
    elif known is None and _FRACTION.fullmatch(text):
        done.append("a zero at its end may be lost; taken as it stands")
    return NumberRead(canonical or text, tuple(done))


def find_odd_lengths(values: Iterable[str]) -> dict[str, str]:
    """Say which numbers of a column lost digits, where most of it has digits of one length.

    Args:
        values: the numbers of a scheme whose form is not known.
    """
    distinct = set(values)
    lengths = Counter(len(each) for each in distinct if _DIGITS.fullmatch(each))
    if not lengths or len(distinct) < _FEWEST:
        return {}
    length, count = lengths.most_common(1)[0]
    if count * _ENOUGH < len(distinct) or length == 1:
        return {}
    words = f"most numbers of this column have {length} digits"
    odd = {}
    for each in distinct:
        if _DIGITS.fullmatch(each) and len(each) < length:
            odd[each] = f"{words}; this one has {len(each)}: zeros at its beginning may be lost"
        elif not _DIGITS.fullmatch(each):
            odd[each] = f"{words}; this is another kind of number"
    return odd


def _find_fault(text: str) -> str | None:
    if text.startswith("="):
        return "is a formula: write the number itself"
    if _SCIENTIFIC.fullmatch(text) and _POINTED.search(text):
        return "is rounded (1.2E+05): write all digits, in a column formatted as text"
    if text.endswith("%"):
        return "is a percentage: write the number, in a column formatted as text"
    if _THOUSANDS.fullmatch(text):
        return "has separators between its thousands, or is several numbers: write one number without them"
    if _LIKE_A_DAY.fullmatch(text):
        return "is a day: a spreadsheet may have made it of a number; format the column as text"
    if _holds_several(text):
        return "holds several numbers: write one number in a cell, each on a row of its own"
    return None


def _holds_several(text: str) -> bool:
    if _SEVERAL.search(f" {text} " if text.casefold().startswith("ex ") else text):
        return True
    parts = text.split("/")
    shapes = {re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", part.strip())) for part in parts}
    return len(parts) > 1 and len(shapes) == 1 and "9" in min(shapes)
