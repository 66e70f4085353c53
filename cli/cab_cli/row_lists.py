"""Cells that hold several values: codes of a closed list, methods, other names; each part is one value, or a fault."""

import difflib
import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, get_args

from cab_cli.cell_kinds import find_placeholder
from cab_registry.domain.codes import BodyKind, ResultKind
from cab_registry.domain.folding import fold

KnownCodes = Callable[[str], frozenset[str] | None]
"""Gives the codes that a field takes; nothing where any word is one."""

_CLOSED: Final = {"kind": frozenset(get_args(BodyKind)), "result_kinds": frozenset(get_args(ResultKind))}
_TITLES: Final = {
    "product_classes": "a product class",
    "procedures": "a procedure",
    "result_kinds": "a kind of result",
    "kind": "a kind of body",
}
_ALL: Final = frozenset({
    "all", "any", "every", "everything", "full", "full scope", "complete", "whole", "unlimited", "no limit", "various",
    "several", "etc", "alle", "alles", "tous", "toutes", "todos", "todas", "tutti", "wszystkie", "*", "全部", "すべて",
    "모두", "전체",
})  # fmt: skip
_NO_LIMIT: Final = "names none: leave the cell empty where there is no limit, or write each value"
_BETWEEN: Final = re.compile(
    r"[,;|/+&\n\N{IDEOGRAPHIC COMMA}\N{FULLWIDTH COMMA}\N{FULLWIDTH SEMICOLON}\N{FULLWIDTH SOLIDUS}]"
    r"|\s(?:and|or|und|oder|et|ou|y|e|i|to)\s",
    re.IGNORECASE,
)
_BETWEEN_METHODS: Final = re.compile(
    r"[,;|/&\n\N{IDEOGRAPHIC COMMA}\N{FULLWIDTH COMMA}\N{FULLWIDTH SEMICOLON}\N{FULLWIDTH SOLIDUS}]|\s\+\s"
    r"|\s(?:and|or|und|oder|et|ou|y|e)\s",
    re.IGNORECASE,
)
# What is said of the method before it: an amendment, an issue, a clause, a frequency.
_OF_THE_SAME: Final = re.compile(
    r"A\d{1,2}\b|V\d|(?:AC|AMD|AMENDMENT|CORR?|CORRIGENDUM|ED|EDITION|ISSUE|VERSION|REV|REVISION|PARTS?|CLAUSES?|CL|"
    r"SECTIONS?|SEC|SUBPARTS?|ANNEX|APPENDIX|CLASS|TABLES?|CHAPTERS?|VOL|VOLUME|NOTES?|METHODS?|TYPES?|LEVELS?|NO|"
    r"PHASE|EXCEPT|EXCLUDING)\b|.*\d\s?(?:[kMG]?Hz|k?V|dBm?|mm|°C)\b",
    re.IGNORECASE,
)
_ACT: Final = re.compile(
    r"\b(?:regulation|directive|decision|act|verordnung|richtlinie)\b|\bs\.? ?i\.?(?= )"
    r"|/(?:EU|EC|EEC|EG|EWG|CE|CEE|UE)\b",
    re.IGNORECASE,
)
_NUMBER_OF_ACT: Final = re.compile(r"\b\d{1,4}/\d{1,4}(?:/[A-Z]{2,3}\b)?")
_BARE: Final = re.compile(r"-?\d[\d.\-]*")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_SAME_MAKER_TWICE: Final = re.compile(r"\b([A-Z]{2,})\b[^A-Za-z]*\d\s+\1\s*\d")
_TWO_LONG_NUMBERS: Final = re.compile(r"\b(?!(?:19|20)\d\d\b)\d{4,}\s+(?!(?:19|20)\d\d\b)\d{4,}\b")


class ListRead(NamedTuple):
    """The values of a cell, what was done to it, and what is wrong with it."""

    values: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    fault: str | None = None


def split_values(text: str, separator: str) -> list[str]:
    """Return the several values of one cell."""
    return [part.strip() for part in text.split(separator) if part.strip()]


def read_list(field: str, text: str, separator: str, known: KnownCodes) -> ListRead:
    """Read a cell that may hold several values.

    Args:
        field: what it is of the body or the right, such as `procedures`.
        text: the cell.
        separator: what the mapping says stands between values.
        known: gives the codes that a field takes.
    """
    parts = split_values(text, separator)
    if not parts:
        return ListRead(fault="has nothing between its separators: leave the cell empty, or write the values")
    done: list[str] = []
    if len(parts) < 1 + text.count(separator):
        done.append("an empty value left out")
    codes = known(field) if field not in _CLOSED else _CLOSED[field]
    values: list[str] = []
    for part in parts:
        read = _read_code(field, part, separator, codes) if codes is not None else _read_words(field, part, separator)
        if read.fault is not None:
            return ListRead(fault=read.fault if part == text.strip() else f"{part!r} {read.fault}")
        done += read.done
        values += read.values
    if len(distinct := tuple(dict.fromkeys(values))) < len(values):
        done.append("a value that stands twice taken once")
    return ListRead(distinct, tuple(done))


def find_several_methods(text: str) -> str | None:
    """Say why a text names more than one method or standard, or nothing where it names one."""
    # The number of an act has a stroke of its own.
    plain = _NUMBER_OF_ACT.sub("0", text) if _ACT.search(text) else text
    whole = [part.strip() for part in _BETWEEN_METHODS.split(plain)]
    own = [part for part in whole if _names_a_method(part)]
    bare = [part for part in whole if _BARE.fullmatch(part) and not _YEAR.fullmatch(part)]
    if len(own) + (len(bare) if own else 0) > 1 or _SAME_MAKER_TWICE.search(text) or _TWO_LONG_NUMBERS.search(text):
        return f"names several standards: {', '.join(own + bare) if len(own) + len(bare) > 1 else text}"
    return None


def _names_a_method(part: str) -> bool:
    has_letter = any(sign.isalpha() for sign in part)
    return has_letter and any(sign.isdigit() for sign in part) and not _OF_THE_SAME.match(part)


def _read_words(field: str, part: str, separator: str) -> ListRead:
    if field == "other_name":
        return ListRead((part,), fault=find_placeholder(part, field))
    if part.casefold().rstrip(".") in _ALL:
        return ListRead(fault=_NO_LIMIT)
    if field == "standards" and (several := find_several_methods(part)) is not None:
        return ListRead(fault=f"{several}; {_say_separator(separator)}")
    return ListRead((part,))


def _read_code(field: str, part: str, separator: str, codes: frozenset[str]) -> ListRead:
    if part in codes:
        return ListRead((part,))
    if code := _find_code(part, codes):
        return ListRead((code,), (f"{part!r} read as {code}",))
    if part.casefold().rstrip(".") in _ALL:
        return ListRead(fault=_NO_LIMIT)
    pieces = [piece.strip() for piece in _BETWEEN.split(part) if piece.strip()]
    if len(pieces) > 1 and all(_find_code(piece, codes) for piece in pieces):
        return ListRead(fault=f"holds several values: {', '.join(pieces)}; {_say_separator(separator)}")
    near = list(dict.fromkeys(code for piece in pieces for code in _list_near(piece, codes)))
    several = f"; if these are several, {_say_separator(separator)}" if len(pieces) > 1 else ""
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    return ListRead(fault=f"is not {_TITLES[field]} that the register knows{hint}{several}")


def _find_code(part: str, codes: frozenset[str]) -> str | None:
    found = [code for code in codes if fold(code) == fold(part)]
    return found[0] if len(found) == 1 else None


def _list_near(piece: str, codes: frozenset[str]) -> Iterator[str]:
    """Yield the code that a piece may stand for: `B` or `Modules B` for `module_b`."""
    last = piece.casefold().split()[-1]
    ends = [code for code in sorted(codes) if code.rpartition("_")[2] == last]
    if len(ends) == 1:
        yield from ends
    else:
        yield from difflib.get_close_matches(piece.casefold().replace(" ", "_"), sorted(codes), n=1, cutoff=0.7)


def _say_separator(separator: str) -> str:
    return f"write {separator!r} between them, or say in the mapping under `separator` what stands there"
