"""Numbers of bodies as tables write them: in the canonical form of their scheme, or told why not."""

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Final, NamedTuple

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.domain.schemes import SCHEMES, Scheme, canonical_form, find_scheme

_SCIENTIFIC: Final = re.compile(r"\d+(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
_POINTED: Final = re.compile(r"\d[.,]\d*E|E\+", re.IGNORECASE)
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:[,' \u00a0\u2019]\d{3})+")
_SEVERAL: Final = re.compile(r"[,;|\n]|\s[/&+]\s|\s(?:and|or|und|oder|et|ou|e|y|ex)\s|\(", re.IGNORECASE)
_LIKE_A_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?")
_FRACTION: Final = re.compile(r"\d+\.\d+")
_DIGITS: Final = re.compile(r"\d+")
_GROUPS: Final = re.compile(r"\((?!\?)([^)]*)\)")
_BRACKETS: Final = re.compile(r"[(\[]([^)\]]*)[)\]]")
_AROUND: Final = "()[]{};,|*\N{DAGGER}\N{DOUBLE DAGGER}"
_MINUS_OR_PLUS: Final = "+-\N{MINUS SIGN}\N{EN DASH}\N{EM DASH}"
_WITHIN_DIGITS: Final = re.compile(r"(?<=\d)[^\w.]+(?=\d)")
_FEWEST: Final = 20
_ENOUGH: Final = 2
_LIKE: Final = 0.75


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
    if known is not None and (fault := _find_damage(text)) is not None:
        return NumberRead(text, fault=fault)
    canonical = canonical_form(scheme, text)
    if canonical is None and known is not None:
        why = _say_form(known) if any(sign.isdecimal() for sign in text) else "it has no digit"
        return NumberRead(text, fault=f"is not a number of the scheme {scheme} ({known.title}): {why}")
    if canonical is not None and canonical != text:
        done.append(f"read as {canonical}, the form of the scheme {scheme}")
    elif known is None and _FRACTION.fullmatch(text):
        done.append("a zero at its end may be lost; taken as it stands")
    return NumberRead(canonical or text, tuple(done))


class NamedNumber(NamedTuple):
    """A number with the scheme that stands before it, what is to be told of it, or what is wrong with it."""

    scheme: str = ""
    value: str = ""
    done: tuple[str, ...] = ()
    fault: str | None = None


def read_named_number(text: str, held: Container[str]) -> NamedNumber:
    """Read `SCHEME:NUMBER`, the number as it stands.

    Args:
        text: one value of a cell.
        held: the schemes of numbers on record.
    """
    before, _, value = text.partition(":")
    if not before.strip() or not value.strip():
        return NamedNumber(fault=f"{text!r} does not say whose number it is: write SCHEME:NUMBER")
    scheme = find_scheme(before.strip())
    meant = _suggest_scheme(scheme, held)
    if meant:
        return NamedNumber(fault=f"the scheme {scheme!r} is not known; did you mean {meant}?")
    words = f"the scheme {scheme!r} is not known; its numbers are compared as they stand"
    return NamedNumber(scheme, value.strip(), () if meant is None else (words,))


def require_schemes(named: Mapping[str, str], held: Container[str], tell: Callable[[str], None]) -> None:
    """Refuse schemes that are perhaps misspelt; others that are not known are told.

    Args:
        named: the places in the mapping, by scheme.
        held: the schemes of numbers on record.
        tell: is told of a scheme that is like none.

    Raises:
        Refusal: a scheme is like one that is known.
    """
    faults = []
    for scheme, place in named.items():
        if meant := _suggest_scheme(scheme, held):
            faults.append(Fault(place, f"the scheme {scheme!r} is not known; did you mean {meant}?"))
        elif meant is not None:
            tell(f"the scheme {scheme!r} is not known; its numbers are compared as they stand")
    if faults:
        raise Refusal("the mapping cannot be used", tuple(faults))


def _suggest_scheme(scheme: str, held: Container[str]) -> str | None:
    """Return the scheme that is perhaps meant, an empty text where none is like it; nothing where it is known."""
    if scheme in held or any(scheme == each.id for each in SCHEMES):
        return None
    names = {name: each.id for each in SCHEMES for name in (each.id, *each.other_names)}
    near = difflib.get_close_matches(scheme.casefold(), list(names), n=1, cutoff=_LIKE)
    return names[near[0]] if near else ""


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
    if fault := _find_words_beside(text):
        return fault
    if _holds_several(text):
        return "holds several numbers: write one number in a cell, each on a row of its own"
    return None


def _find_words_beside(text: str) -> str | None:
    """Say what stands beside one number, and is no second one."""
    bare = text.strip(_AROUND)
    if bare and bare != text and not _SEVERAL.search(bare):
        return (
            f"has {''.join(dict.fromkeys(sign for sign in text if sign in _AROUND))!r} around it: write {bare!r} alone"
        )
    if (found := _BRACKETS.search(text)) and not any(sign.isdecimal() for sign in found.group()):
        return f"has words beside the number ({found.group(1).strip()!r}): write the number alone"
    return None


def _holds_several(text: str) -> bool:
    if _SEVERAL.search(f" {text} " if text.casefold().startswith("ex ") else text):
        return True
    parts = text.split("/")
    shapes = {re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", part.strip())) for part in parts}
    return len(parts) > 1 and len(shapes) == 1 and "9" in min(shapes)


def _find_damage(text: str) -> str | None:
    """Say what a number of a known scheme cannot have by itself, although its digits alone would fit."""
    if text[0] in _MINUS_OR_PLUS:
        return f"begins with {text[0]!r}, as a calculation does: write the number alone"
    if found := _WITHIN_DIGITS.search(text):
        return f"has {found.group()!r} between its digits: is it one number? write it without"
    if raised := next((sign for sign in text if sign.isdigit() and not sign.isdecimal()), None):
        return f"has the raised or framed digit {raised!r}, as a footnote has: write the number alone"
    if not any(unicodedata.decimal(sign, 0) for sign in text) and any(sign.isdecimal() for sign in text):
        return "has no digit but zeros, as programs write where there is no number: leave the cell empty"
    return None


def _say_form(scheme: Scheme) -> str:
    """Say what the numbers of a scheme look like: digits, or letters and digits in this order."""
    parts = _GROUPS.findall(scheme.pattern)
    if len(parts) == 1 and parts[0].startswith(r"\d"):
        return "these are digits"
    letters = (re.sub(r"\[A-Z\](?:\{(\d)\}|\??)", _show_letters, part) for part in parts)
    shown = [re.sub(r"\\d(?:\{(?:\d,)?(\d)\})?", lambda found: "9" * int(found[1] or 1), part) for part in letters]
    return f"these look like {scheme.form.format(*shown)}"


def _show_letters(found: re.Match[str]) -> str:
    return "" if found[0].endswith("?") else "A" * int(found[1] or 1)
