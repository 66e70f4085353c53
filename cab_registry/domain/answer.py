"""The answer: verdict, every check with its facts, and what would change it (domain.md, sections 1 and 2)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from cab_registry.domain.codes import Confidence, Duty, Verdict

Outcome = Literal["pass", "fail", "unknown", "not_applicable"]


class FactUsed(msgspec.Struct, frozen=True):
    """A record on which a check rests, and the days of the fact that decided."""

    record: str
    version: int
    interval: Annotated[list[Any], Meta(description="[from, until], last day inclusive; null: open.")]


class CheckShown(msgspec.Struct, frozen=True, kw_only=True):
    """One check of the winning route in plain words."""

    check: str
    outcome: Outcome
    text: str
    facts: list[FactUsed] = []
    citation: str | None = None
    source: str | None = None
    address: str | None = None
    confidence: Confidence | None = None


class RouteShown(msgspec.Struct, frozen=True, kw_only=True):
    """The route on which the answer rests."""

    id: str
    title: str
    agreement: str | None
    annex: str | None
    scheme: str | None
    duty: Duty
    citation: str
    source: str | None = None
    confidence: Confidence | None = None


class ConditionShown(msgspec.Struct, frozen=True):
    """Something that remains to be done or shown."""

    key: str
    text: str
    citation: str | None = None


class PositionShown(msgspec.Struct, frozen=True):
    """What an authority says on this class of results, and whether it binds here."""

    record: str
    by: str
    says: str
    binds_in: list[str]
    binding: bool
    interval: list[Any]


class MissingValue(msgspec.Struct, frozen=True):
    """A value that the question leaves out and that could change the verdict, with the verdicts that it could bring."""

    name: str
    verdicts: Annotated[list[Verdict], Meta(description="The best one first.")]


class OtherRoute(msgspec.Struct, frozen=True):
    """Another route that reaches the result."""

    id: str
    title: str
    agreement: str | None
    verdict: Verdict
    first_failing: str | None


class NearRoute(msgspec.Struct, frozen=True):
    """A route into the destination that misses, with the criteria that fail."""

    id: str
    title: str
    agreement: str | None
    first_failing: str
    failing: list[str]
    text: str


class Holds(msgspec.Struct, frozen=True):
    """Days of presentation, inclusive, on which the same answer is given; `next_change` is the first other day."""

    since: str | None = None
    until: str | None = None
    next_change: str | None = None


class Alternative(msgspec.Struct, frozen=True):
    """Another way into the market."""

    kind: Literal["discretionary_route", "national_procedure"]
    text: str
    route: str | None = None


How = Literal["id", "exact", "number", "fold", "section", "several", "near", "unknown"]


class TakenAs(msgspec.Struct, frozen=True, kw_only=True):
    """Whom or what the words of a question were taken to mean, and how they fitted."""

    asked: Annotated[str, Meta(description="The words asked for.")]
    id: Annotated[str | None, Meta(description="What they were taken to mean; null where that is not settled.")] = None
    name: Annotated[str | None, Meta(description="Name or citation of what was taken.")] = None
    how: Annotated[
        How,
        Meta(
            description="id, exact or number: as the register has it; fold: spelling apart; section: a part of it; "
            "several or near: not settled, see `candidates`; unknown: nothing like it is in the register."
        ),
    ]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """Whom and which rule the question was taken to mean; null where it names none."""

    issuer: Annotated[TakenAs | None, Meta(description="Who issued the result.")] = None
    requirement: Annotated[TakenAs | None, Meta(description="The rule that it is to satisfy.")] = None
    site: Annotated[TakenAs | None, Meta(description="Where the work was done.")] = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of which state of the register; never the wall clock."""

    presented_on: str
    known_on: str
    position: int | None = None
    recorded: str | None = None
    log: str | None = None
    engine: str = ""
    notes: list[str] = []


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The full answer."""

    verdict: Verdict
    headline: str
    route: RouteShown | None
    first_failing: Annotated[str | None, Meta(description="Code of the first check that fails, or is unknown.")] = None
    checks: list[CheckShown] = []
    conditions: list[ConditionShown] = []
    missing: list[str] = []
    could_bring: Annotated[
        list[MissingValue], Meta(description="For each missing value, the verdicts that it could bring.")
    ] = []
    assumptions: list[str] = []
    positions: list[PositionShown] = []
    holds: Holds = Holds()
    alternatives: list[Alternative] = []
    other_routes: list[OtherRoute] = []
    near: list[NearRoute] = []
    candidates: Annotated[list[str], Meta(description="Ids among which a name or citation does not decide.")] = []
    taken: Annotated[Taken, Meta(description="Whom and which rule the question was taken to mean.")] = Taken()
    asked: Asked
