"""Schemes of identifiers: the canonical form of each, as patterns (domain.md, section 9, point 14).

A NANDO number has four digits, so that `51`, `NB 51` and `0051 ` are three ways to ask about `0051`. What does not fit
the pattern of its scheme, and what belongs to a scheme without one, is compared as it stands, blanks and case apart.
"""

# ruff: noqa: RUF001 - letters and signs of other scripts are meant

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import zip_longest
from typing import Final, NamedTuple

from cab_registry.domain.folding import fold, fold_words


class Scheme(NamedTuple):
    """A scheme of identifiers.

    Attributes:
        id: its code in records.
        title: whose numbers these are, as a sentence names them.
        pattern: of a value without blanks, dashes and strokes, in capitals; its groups are the parts of the value.
        form: how the groups make the canonical form.
        other_names: how people call the scheme.
        given_in: economies whose authorities give the numbers; empty: not known.
        names_economy: whether the first two letters of a number name the economy of the body.
    """

    id: str
    title: str
    pattern: str
    form: str
    other_names: tuple[str, ...] = ()
    given_in: tuple[str, ...] = ()
    names_economy: bool = False


class Owned(NamedTuple):
    """Whose a number is.

    Attributes:
        given_in: economies whose authorities give such numbers.
        economy: of the body, where the number names it.
    """

    given_in: tuple[str, ...]
    economy: str | None


Number = tuple[Scheme, str]
"""A scheme, and a number of it in its form."""

SCHEMES: Final = (
    Scheme(
        "nando",
        "EU notified body",
        r"(?:(?:NB|CE|NANDO|NOTIFIEDBODY)(?:NO|NR|NUMBER)?\.?|NO\.?|NR\.?|N°|#)?(\d{1,4})",
        "{0:0>4}",
        ("nb", "notified body", "notified body number", "ce", "nando number", "eu notified body"),
        given_in=("EU",),
    ),
    Scheme(
        "ukmcab",
        "UK approved body",
        r"(?:(?:AB|UKCA|UKMCAB|APPROVEDBODY)(?:NO|NR|NUMBER)?\.?|NO\.?|#)?(\d{1,4})",
        "{0:0>4}",
        ("ab", "approved body", "approved body number", "uk approved body", "ukca", "ukab"),
        given_in=("GB",),
    ),
    Scheme(
        "fcc-designation",
        "test firm designated to the FCC",
        r"(?:FCC)?([A-Z]{2})(\d{4})",
        "{0}{1}",
        ("fcc designation number", "fcc", "designation number"),
        given_in=("US",),
        names_economy=True,
    ),
    Scheme(
        "fcc-registration",
        "test firm registered with the FCC",
        r"(?:FRN|FCC)?(\d{1,6})",
        "{0:0>6}",
        ("fcc registration number", "test firm registration number"),
        given_in=("US",),
    ),
    Scheme(
        "fcc-listing", "test site listed by the FCC", r"(?:FCC)?(\d{1,6})", "{0:0>6}", ("fcc listing number",), ("US",)
    ),
    Scheme("ofca", "body recognised by OFCA", r"([A-Z]{2})(\d{3})", "{0}{1}", ("ofca number", "ofca code"), ("HK",)),
    Scheme(
        "bsmi",
        "laboratory recognised by BSMI",
        r"(SL\d)([A-Z]{2})([A-Z])(\d{3,4})([A-Z]?)",
        "{0}-{1}-{2}-{3}{4}",
        (),
        ("TW",),
    ),
    Scheme(
        "mic-rcb", "conformity assessment body registered in Japan", r"(\d{1,3})", "{0:0>3}", ("rcb", "mic"), ("JP",)
    ),
    Scheme(
        "a2la",
        "laboratory accredited by A2LA",
        r"(?:A2LA)?(\d{1,4})\.(\d{2})",
        "{0:0>4}.{1}",
        ("a2la certificate",),
        ("US",),
    ),
)

_NUMBER_WORDS: Final = frozenset(
    fold(word)
    for text in (
        "no nr number num numero cert certificate reg registration designation listing accreditation id identification",
        "ex and formerly",
        *(name for scheme in SCHEMES for name in (scheme.id.replace("-", " "), *scheme.other_names)),
    )
    for word in text.split()
)
"""Words beside a number that are no part of anybody's name."""

_CODE: Final = 2
"""Letters of a code with which a number may begin."""

_APART: Final = re.compile(r"[\s,;:#=/()\[\]]+|(?<=[^\W\d])\.(?=\d)")
"""What may stand between a number and what is beside it."""

_LISTED: Final = re.compile(r"\d\s*(?:,\s|;|&|\+)\s*\w*\d")
"""Two numbers beside each other."""

_GROUPS: Final = re.compile(r"\((?!\?)([^)]*)\)")
_GAPS: Final = re.compile(r"[\s\-‐-―−_/\\,;:()\[\]\"'’`]+")


@lru_cache(maxsize=1 << 12)
def find_scheme(name: str) -> str:
    """Return the code of a scheme by its code or another name, case and punctuation apart; else the text itself."""
    wanted = fold(name)
    for scheme in SCHEMES:
        if wanted in (fold(scheme.id), *map(fold, scheme.other_names)):
            return scheme.id
    return name


def canonise(scheme: str, value: str) -> str:
    """Return the form in which values of a scheme are compared; equal forms are one identifier."""
    return canonical_form(scheme, value) or _tighten(value) or value


def canonical_form(scheme: str, value: str) -> str | None:
    """Return the canonical form of a value; none where the scheme has no pattern, or the value does not fit it."""
    known = next((each for each in SCHEMES if each.id == scheme), None)
    if known is None:
        return None
    found = re.fullmatch(known.pattern, _tighten(value))
    return known.form.format(*found.groups()) if found else None


def find_owned(scheme: str, value: str) -> Owned | None:
    """Return whose a number is; none where nobody knows who gives the numbers of its scheme."""
    known = next((each for each in SCHEMES if each.id == scheme), None)
    if known is None or not known.given_in:
        return None
    form = canonical_form(scheme, value)
    return Owned(known.given_in, form[:2] if known.names_economy and form is not None else None)


def find_misfit(scheme: str, value: str) -> str | None:
    """Say why a text cannot be a number of a scheme; none where it can, or where the scheme's form is not known.

    Where numbers are digits alone, whatever else stands there was damaged; elsewhere a form not met before may be one.
    """
    known = next((each for each in SCHEMES if each.id == scheme), None)
    if known is None or canonical_form(scheme, value) is not None:
        return None
    if all(part.startswith(r"\d") for part in _GROUPS.findall(known.pattern)):
        return f"is not a number of the scheme {scheme} ({known.title}): these are digits"
    if not any(sign.isdecimal() for sign in value):
        return f"is not a number of the scheme {scheme} ({known.title}): it has no digit"
    return None


def read_numbers(text: str, scheme: str | None = None) -> tuple[tuple[Number, ...], ...]:
    """Return the numbers that a text states, each as it may be read: with its scheme, and in the form of that.

    What fits as a whole is the number. Else words without a digit do not count (`FCC Designation No. TW0003`), but for
    those that name a scheme: a number that it may have is of no other scheme. Several may be stated (`0123, 0124`).

    Args:
        text: as it was written.
        scheme: the only one that counts; none: each.
    """
    schemes = [each for each in SCHEMES if scheme in (None, each.id)]
    whole = () if _LISTED.search(text) else _fit(text, schemes)
    if whole:
        return (whole,)
    named = _named_in(text)
    parts = [part for part in _APART.split(text) if part]
    found: list[tuple[Number, ...]] = []
    for before, part in zip(("", *parts), parts, strict=False):
        if _has_digit(part):
            joined = before + part if before and not _has_digit(before) else part
            fitting = dict.fromkeys((*_fit(part, schemes), *_fit(joined, schemes)))
            found.append(tuple(each for each in fitting if each[0] in named) or tuple(fitting))
    return tuple(dict.fromkeys(each for each in found if each))


def list_numbers(text: str) -> tuple[tuple[str, str], ...]:
    """Return all readings of the numbers that a text states, as code of the scheme and form."""
    return tuple((scheme.id, form) for readings in read_numbers(text) for scheme, form in readings)


def states_number(text: str) -> bool:
    """Whether a text that may be a name states a number: it fits as a whole, or nothing beside it is a name."""
    if _fit(text, SCHEMES):
        return True
    parts = [part for part in _APART.split(text) if part]
    words = {
        fold(part)
        for part, behind in zip_longest(parts, parts[1:], fillvalue="")
        if not _has_digit(part) and (len(part) > _CODE or not _has_digit(behind))
    }
    return words <= _NUMBER_WORDS and bool(read_numbers(text))


def _has_digit(text: str) -> bool:
    return any(sign.isdigit() for sign in text)


def _fit(text: str, schemes: Iterable[Scheme]) -> tuple[Number, ...]:
    forms = ((scheme, canonical_form(scheme.id, text)) for scheme in schemes)
    return tuple((scheme, form) for scheme, form in forms if form is not None)


def _named_in(text: str) -> tuple[Scheme, ...]:
    """Return the schemes that the words of a text name."""
    words = f" {fold_words(text)} "
    return tuple(
        scheme
        for scheme in SCHEMES
        if any(f" {fold_words(name)} " in words for name in (scheme.id, *scheme.other_names))
    )


def _tighten(value: str) -> str:
    """Return a value in capitals, without signs that nobody sees, blanks, dashes, strokes and a last full stop."""
    if value.isascii():
        return _GAPS.sub("", value.upper()).strip(".")
    plain = unicodedata.normalize("NFKC", value)
    seen = "".join(_digit(sign) for sign in plain if unicodedata.category(sign) != "Cf")
    return _GAPS.sub("", seen.upper()).strip(".")


def _digit(sign: str) -> str:
    return str(unicodedata.decimal(sign)) if sign.isdecimal() else sign
