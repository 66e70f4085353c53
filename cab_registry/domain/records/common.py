"""What all records share: head, sources, dated items, and reading them from plain documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from cab_registry.domain.codes import Confidence
from cab_registry.domain.days import NEVER, DayError, Period, When, parse_when

# A bare `$` also matches before a line break at the end.
_ID: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$(?!\n)"
_CODE: Final = r"^([A-Z]{2,4}(-[A-Z]{2,3})?|WORLD)$(?!\n)"
_DIGEST: Final = r"^[0-9a-f]{64}$(?!\n)"

FORMS: Final[Mapping[str, str]] = {
    _ID: "the form of an id: small letters and digits, with hyphens between, as us-47cfr-15c",
    _CODE: "the form of an economy's code: capital letters, as KR, EU or GB-NIR",
    _DIGEST: "the form of a SHA-256 digest: 64 digits and small letters from a to f",
}
"""What the patterns of these fields ask for, in words."""

Identifier = Annotated[
    str,
    Meta(
        pattern=_ID,
        max_length=120,
        description="A stable id in kebab-case, unique over all record types, never reused and never renamed.",
    ),
]
EconomyCode = Annotated[
    str,
    Meta(
        pattern=_CODE,
        description="ISO 3166-1 alpha-2, or EU, EEA, EFTA for a union, or an ISO 3166-2 region such as GB-NIR; "
        "WORLD as an importer is every market.",
    ),
]
Text = Annotated[str, Meta(min_length=1, max_length=4000)]


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of every part of a record: frozen, by keyword, no unknown keys."""


class Source(Value, frozen=True, kw_only=True):
    """Where a fact was read, and how far that reading can be trusted."""

    title: Annotated[Text, Meta(description="Title of the page or document.")]
    address: Annotated[str, Meta(description="Where it was read; empty where it has no address.")] = ""
    read_on: Annotated[When | None, Meta(description="The day on which it was read.")] = None
    confidence: Annotated[
        Confidence,
        Meta(description="high: page of an official body; medium: secondary page; low: general knowledge."),
    ] = "medium"
    sha256: Annotated[str, Meta(pattern=_DIGEST, description="Digest of the evidence file.")] | None = None


class Sourced(Value, frozen=True, kw_only=True):
    """A fact that names its source by key, optionally with an own confidence and citation."""

    source: Annotated[str | None, Meta(description="Key of the record's `sources`.")] = None
    confidence: Annotated[
        Confidence | None, Meta(description="Confidence of this item where it differs from its source's.")
    ] = None
    citation: Annotated[str | None, Meta(description="Article, section or paragraph.")] = None


class Dated(Sourced, frozen=True, kw_only=True):
    """A fact that holds for a stretch of days.

    `from` is the first day. The end is either `until` (last valid day) or `invalid_from` (first
    day without), as the source gives it; neither means that no end is known.
    """

    from_: Annotated[When, Meta(description="First day: `always`, a day, or a window.")] = msgspec.field(name="from")
    until: Annotated[When | None, Meta(description="Last valid day, inclusive.")] = None
    invalid_from: Annotated[When | None, Meta(description="First invalid day.")] = None

    @property
    def period(self) -> Period:
        """The days on which the fact holds, both ends inclusive."""
        end = NEVER
        if self.until is not None:
            end = self.until
        if self.invalid_from is not None:
            end = end.earlier_of(self.invalid_from.moved(-1))
        return Period(self.from_, end)


class Record(Value, frozen=True, kw_only=True):
    """Head of every record."""

    id: Annotated[Identifier, Meta(description="The record's id.")]
    owner: Annotated[Identifier, Meta(description="Id of the authority whose record it is.")]
    sources: Annotated[dict[str, Source], Meta(description="Sources by key; dated items name one of them.")] = {}
    note: Annotated[str | None, Meta(description="Remark for readers; decides nothing.")] = None
    known_from: Annotated[
        When | None,
        Meta(description="Only in the very first load: the day on which this version became known."),
    ] = None


Names = Annotated[dict[str, Text], Meta(min_length=1, description="Names by language tag.")]


def read_custom(kind: type, value: object) -> Any:
    """Let msgspec read a `When` (its `dec_hook`)."""
    if kind is When:
        try:
            return parse_when(value)
        except DayError as error:
            raise ValueError(str(error)) from error
    raise TypeError(f"cannot read {kind}")


def write_custom(value: object) -> Any:
    """Let msgspec write a `When` (its `enc_hook`)."""
    if isinstance(value, When):
        return value.plain()
    raise TypeError(f"cannot write {type(value)}")
