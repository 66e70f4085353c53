"""Records of bodies and of the rights they hold: accreditation, designation, recognition."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cab_registry.domain.codes import BodyKind, EventName, ResultKind
from cab_registry.domain.days import When
from cab_registry.domain.records.common import Dated, EconomyCode, Identifier, Record, Sourced, Text, Value


class BodyName(Dated, frozen=True, kw_only=True):
    """A legal or other name, with the days on which it was borne."""

    name: Text
    kind: Annotated[Literal["legal", "other"], Meta(description="Legal name, or another name in use.")] = "legal"


class Site(Value, frozen=True, kw_only=True):
    """A place at which the body works."""

    key: Annotated[Text, Meta(description="Key by which rights and questions name the site.")]
    economy: EconomyCode
    address: str = ""


class SchemeIdentifier(Dated, frozen=True, kw_only=True):
    """A number under one scheme; equal patterns occur in several schemes, so scheme and value count together."""

    scheme: Identifier
    value: Text
    site: Annotated[str | None, Meta(description="Key of the site that the number names.")] = None


class Ownership(Dated, frozen=True, kw_only=True):
    """A fact on who owns or directs the body."""

    fact: Annotated[
        Literal["independent_third_party", "first_party", "prohibited_entity"],
        Meta(description="first_party: the manufacturer's own laboratory."),
    ]
    share: Annotated[int, Meta(ge=0, le=100, description="Share held, in per cent.")] | None = None


class Body(Record, tag_field="type", tag="body", frozen=True, kw_only=True):
    """A conformity assessment body, or an inspectorate that is no authority of the catalogue."""

    names: Annotated[tuple[BodyName, ...], Meta(min_length=1)]
    economy: Annotated[EconomyCode, Meta(description="Economy of its seat.")]
    kinds: Annotated[tuple[BodyKind, ...], Meta(min_length=1)]
    sites: tuple[Site, ...] = ()
    identifiers: tuple[SchemeIdentifier, ...] = ()
    ownership: Annotated[tuple[Ownership, ...], Meta(description="No fact on record means no bar.")] = ()


class ScopeItem(Dated, frozen=True, kw_only=True):
    """One item of a scope with an interval of its own; an empty list means "not limited in this respect"."""

    key: Text
    requirement: Identifier | None = None
    standards: Annotated[tuple[Text, ...], Meta(description="Standards or methods that the item names.")] = ()
    product_classes: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    result_kinds: tuple[ResultKind, ...] = ()
    text: Annotated[str | None, Meta(description="Scope in words; alone it cannot be matched.")] = None


class RightEvent(Sourced, frozen=True, kw_only=True):
    """A dated event in the life of a right.

    `suspended` and `inactive` last to their `until` (last day) or to `reinstated`; `withdrawn`, `resigned`,
    `expired` and `edition_ended` name the first day without; `renewed` with `until` gives a new last day;
    `annulled` takes the adverse decision before it away from its beginning, for questions presented from
    its day on.
    """

    event: EventName
    on: When
    until: When | None = None
    items: Annotated[
        tuple[Text, ...], Meta(description="What is touched: keys of scope items, or what they name; empty: all.")
    ] = ()
    kind: Annotated[str | None, Meta(description="imposed, voluntary, financial, or a reference in words.")] = None
    refers_to: Annotated[int, Meta(ge=0, description="Index of the event that this one answers.")] | None = None


class Right(Record, frozen=True, kw_only=True):
    """What accreditation, designation and recognition have in common."""

    body: Annotated[Identifier, Meta(description="Body, or the authority's id for an inspectorate.")]
    site: Annotated[str | None, Meta(description="Key of the one site for which it is given.")] = None
    scope: tuple[ScopeItem, ...] = ()
    timeline: tuple[RightEvent, ...] = ()
    from_: Annotated[When | None, Meta(description="First day of the right as a whole.")] = msgspec.field(
        default=None, name="from"
    )
    until: Annotated[When | None, Meta(description="Last valid day of the right as a whole.")] = None


class Accreditation(Right, tag_field="type", tag="accreditation", frozen=True, kw_only=True):
    """Attestation of competence by an accreditation body."""

    by: Identifier
    standard: Text
    edition: str | None = None
    number: str | None = None
    validity: Annotated[
        Literal["dated", "open_ended", "unknown"],
        Meta(description="open_ended: no end by design; unknown: whether there is an end was not read."),
    ] = "dated"


class Designation(Right, tag_field="type", tag="designation", frozen=True, kw_only=True):
    """Act of the exporting side: the body may work under an agreement, a scheme or domestic law."""

    by: Annotated[str, Meta(description="Authority id, or a party code that stands for its competent authority.")]
    agreement: Identifier | None = None
    annex: str | None = None
    scheme: Identifier | None = None


class Recognition(Right, tag_field="type", tag="recognition", frozen=True, kw_only=True):
    """Act of the importing side: results of the body are taken."""

    by: Annotated[str, Meta(description="Authority id, or a party code that stands for its competent authority.")]
    agreement: Identifier | None = None
    annex: str | None = None
    scheme: Identifier | None = None
