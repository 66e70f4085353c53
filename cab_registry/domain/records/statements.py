"""Records of what authorities say: positions on classes of results, notices on single ones."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cab_registry.domain.codes import NoticeEffect, ResultKind
from cab_registry.domain.days import When
from cab_registry.domain.records.common import EconomyCode, Identifier, Record, Text, Value


class PositionSubject(Value, frozen=True, kw_only=True):
    """The class of results; each key narrows it. `agreement` null means the routes without one."""

    agreement: Identifier | None = None
    annex: str | None = None
    scheme: Identifier | None = None
    body: Identifier | None = None
    requirement: Identifier | None = None
    requirements: tuple[Identifier, ...] = ()
    result_kinds: tuple[ResultKind, ...] = ()
    product_classes: tuple[str, ...] = ()
    issued_before: When | None = None


class Position(Record, tag_field="type", tag="position", frozen=True, kw_only=True):
    """What an authority says on a class of results, from when, and where it binds."""

    by: str
    about: PositionSubject
    says: Literal["accepted", "not_accepted"]
    from_: Annotated[When, Meta(description="First day on which it binds.")] = msgspec.field(name="from")
    until: Annotated[When | None, Meta(description="Last day on which it binds.")] = None
    source: str | None = None
    binds_in: Annotated[tuple[EconomyCode, ...], Meta(min_length=1, description="Markets in which it binds.")]
    conditions: tuple[Text, ...] = ()
    ground: str | None = None


class NoticeSubject(Value, frozen=True, kw_only=True):
    """A result by number, a site, or a body."""

    body: Identifier | None = None
    site: str | None = None
    number: str | None = None


class Notice(Record, tag_field="type", tag="notice", frozen=True, kw_only=True):
    """A statement on one result, site or body."""

    by: str | None = None
    about: NoticeSubject
    effect: NoticeEffect
    on: Annotated[When, Meta(description="First day of the effect.")]
    until: Annotated[When | None, Meta(description="Last day, where it was lifted.")] = None
    source: str | None = None
