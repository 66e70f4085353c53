"""What a route says on the document itself: its life, the findings that pass, the number that it must carry."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from cab_registry.domain.codes import Clock, ResultKind
from cab_registry.domain.days import When
from cab_registry.domain.records.common import EconomyCode, Identifier, Sourced, Text


class Prolongation(Sourced, frozen=True, kw_only=True):
    """A general prolongation of documents whose life ends inside a span of days."""

    ends_from: When
    ends_until: When
    until: Annotated[When, Meta(description="New last day.")]
    unless_restricted: Annotated[bool, Meta(description="Not where the document itself states an earlier end.")] = True
    from_: Annotated[When | None, Meta(description="First day of presentation on which it counts; none: any.")] = (
        msgspec.field(default=None, name="from")
    )


class LifeRule(Sourced, frozen=True, kw_only=True):
    """How long a document lives by rule: for months from a clock, to a last day, or both; the first that fits applies.

    An end that the document states itself goes before, but where a prolongation reaches it; nothing outlives `until`.
    """

    result_kinds: Annotated[tuple[ResultKind, ...], Meta(min_length=1)]
    issuer_economies: Annotated[
        tuple[EconomyCode, ...],
        Meta(description="Issuers (or their unions) to whose documents it applies; empty: all."),
    ] = ()
    requirements: Annotated[tuple[Identifier, ...], Meta(description="Rules to which it applies; empty: all.")] = ()
    product_classes: Annotated[tuple[Text, ...], Meta(description="Classes to which it applies; empty: all.")] = ()
    months: Annotated[int, Meta(ge=1)] | None = None
    after: Clock = "performed"
    until: Annotated[When | None, Meta(description="Lives at most to this last day, whatever end it prints.")] = None
    prolongations: tuple[Prolongation, ...] = ()


class FindingRule(Sourced, frozen=True, kw_only=True):
    """Which findings of an inspection pass or fail."""

    result_kinds: Annotated[tuple[ResultKind, ...], Meta(min_length=1)]
    passing: Annotated[tuple[str, ...], Meta(description="Findings that pass.")] = ()
    failing: Annotated[tuple[str, ...], Meta(description="Findings that fail.")] = ()
    needed: Annotated[
        bool, Meta(description="True: a finding that is not stated is taken to pass, and the answer says so.")
    ] = True


class NumberRule(Sourced, frozen=True, kw_only=True):
    """The pattern of the number that the document must carry."""

    pattern: Annotated[Text, Meta(description="A group named `body` must be one of the issuer's own numbers.")]
    text: Annotated[Text, Meta(description="What the number must be, in words.")]
    result_kinds: tuple[ResultKind, ...] = ()
