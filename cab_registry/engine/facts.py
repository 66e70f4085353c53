"""What the engine asks of: records compiled so that a question finds everything resolved.

Nothing here does I/O. The register builds these values when records are loaded; the engine only reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple, Protocol

from cab_registry.domain.days import Period, When
from cab_registry.domain.folding import squeeze
from cab_registry.domain.records import (
    Agreement,
    Authority,
    Body,
    Coverage,
    Economy,
    Notice,
    Position,
    Requirement,
    Route,
    Source,
)
from cab_registry.domain.records.route import ListedRequirement, SurvivalRule
from cab_registry.engine.timeline import Timeline


class RightState(IntEnum):
    """What a right is worth on a day, ordered so that the best of several rights is their maximum."""

    NONE = 0
    NOT_YET = 1
    EXPIRED = 2
    EDITION_ENDED = 3
    WITHDRAWN = 4
    SUSPENDED = 5
    UNKNOWN = 6
    HELD = 7


class Status(NamedTuple):
    """State of a right on a stretch of days, with the event that brought it and the right's own period."""

    state: RightState
    event: str | None
    on: When | None
    start: When
    end: When
    possible: frozenset[RightState] = frozenset()
    lost: When | None = None
    """First day without the right, where it had been lost before this event: it was suspended until then."""


class Lane(NamedTuple):
    """The timeline of one scope item as seen by questions presented from a day on (annulments reach back)."""

    presented_from: int
    timeline: Timeline[Status]


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """One scope item; empty sets mean "not limited in this respect"."""

    requirement: str | None
    standards: frozenset[str]
    product_classes: frozenset[str]
    procedures: frozenset[str]
    result_kinds: frozenset[str]
    text_only: bool
    lanes: tuple[Lane, ...]
    without: frozenset[str] = frozenset()
    """Classes, procedures and kinds of results taken out of what is not limited otherwise."""
    beyond: tuple[Lane, ...] = ()
    """The lanes as they are without the right's own end, where events came after it; empty: no event did."""

    def timeline(self, presented: int, *, beyond: bool = False) -> Timeline[Status]:
        """Return the timeline as a question presented on that day sees it; beyond the right's own end where asked."""
        lanes = (self.beyond or self.lanes) if beyond else self.lanes
        if len(lanes) == 1:
            return lanes[0].timeline
        return next(lane.timeline for lane in reversed(lanes) if lane.presented_from <= presented)


@dataclass(frozen=True, slots=True)
class RightFacts:
    """One accreditation, designation or recognition, or a recognition that silence brings."""

    kind: str
    record: str
    version: int
    by: str
    agreement: str | None
    annex: str | None
    scheme: str | None
    site: str | None
    items: tuple[ItemFacts, ...]
    standard: str | None = None
    edition: str | None = None
    silence_from: When | None = None
    source: Source | None = None
    """Where the right itself was read."""
    actor: str | None = None
    """Who gave it: of a party, its authority whose record it is. None where the owner does not speak for `by`."""
    owner: str = ""
    """Whose record it is."""


class Force(IntEnum):
    """Legal force of an instrument on a day."""

    NONE = 0
    ENDED = 1
    SUSPENDED = 2
    UNKNOWN = 3
    IN_FORCE = 4


class ForceState(NamedTuple):
    """Force with the event that brought it; `notice` is the day of a notice that is running or was carried out."""

    force: Force
    state: str | None
    on: When | None
    annex: bool = False
    notice: When | None = None


def begins_then(state: ForceState) -> bool:
    """Whether it is open only if an instrument has come into force yet: nothing has ended then."""
    return state.force is Force.UNKNOWN and state.state in ("in_force", "provisionally_applied")


class Working(IntEnum):
    """Whether a direction works on a day."""

    NOT_YET = 0
    ENDED = 1
    UNKNOWN = 2
    PILOT = 3
    OPERATIONAL = 4


class WorkingState(NamedTuple):
    """Working with the event that brought it, and the first day of operation where one is set."""

    working: Working
    state: str | None
    on: When | None
    begins: When | None = None


class Ruled(NamedTuple):
    """A dated item of a route (a class, an activity, a territory, an origin) with its days resolved."""

    item: Any
    period: Period


class ListedFacts(NamedTuple):
    """A requirement in a route's list: the item, its days, and under which ids the body may hold its rights."""

    item: ListedRequirement
    period: Period
    held_as: frozenset[str]


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """A route with its timelines resolved."""

    route: Route
    version: int
    agreement: Agreement | None
    importers: tuple[tuple[str, Period], ...]
    exporters: tuple[tuple[str, Period], ...]
    result_kinds: frozenset[str]
    procedures: frozenset[str]
    sectors: frozenset[str]
    listed: dict[str, ListedFacts]
    force: Timeline[ForceState]
    working: Timeline[WorkingState]
    given_up: bool
    source: Source | None = None
    undated_parties: bool = False
    """Whether importers and exporters are named without days of their own."""
    importer_codes: frozenset[str] = frozenset()
    exporter_codes: frozenset[str] = frozenset()
    classes: dict[str, tuple[Ruled, ...]] = field(default_factory=dict)
    excluded: dict[str, tuple[Ruled, ...]] = field(default_factory=dict)
    activities: dict[str, tuple[Ruled, ...]] = field(default_factory=dict)
    territory: tuple[Ruled, ...] = ()
    origin: tuple[Ruled, ...] = ()
    outlives_exclusion: bool = False
    signatory_arrangements: frozenset[str] = frozenset()
    survival: tuple[SurvivalRule, ...] = ()
    """The route's rules of survival from the narrowest to the widest."""
    vocabulary: frozenset[tuple[str, str]] = frozenset()
    """The codes that the route uses, each with the part of a question in which it stands."""

    @property
    def name(self) -> str:
        """The name of the ground in answers."""
        if self.agreement is not None:
            return self.agreement.short or self.agreement.title or self.agreement.id
        return self.route.title or self.route.id


def outcomes_of(kind: str) -> str:
    """Name the table of words in which the outcomes stand that rules know of a kind of result."""
    return f"findings of {kind}"


class Called(NamedTuple):
    """A name that an issuer bears: as written, folded word by word and without legal forms, and when it bore it."""

    name: str
    words: str
    plain: str
    period: Period
    legal: bool
    other_keys: tuple[str, ...]
    """Its other spellings, as `other_keys` of the module on spelling gives them."""

    @property
    def key(self) -> str:
        """The name as it is compared."""
        return squeeze(self.words)


class Likeness(Protocol):
    """Finds what may be meant by words that name nothing in the register."""

    @property
    def size(self) -> int:
        """How many issuers there are to look through."""

    def ids(self, text: str) -> tuple[str, ...]:
        """Return issuers whose ids are this one in another spelling, sorted."""

    def issuers(self, text: str) -> tuple[str, ...]:
        """Return issuers with names like this, the likeliest first."""

    def beginning(self, text: str) -> tuple[str, ...]:
        """Return the bodies whose names begin with these whole words, sorted."""

    def rules(self, text: str) -> tuple[str, ...]:
        """Return requirements that may be meant, the likeliest first."""

    def words(self, table: str, text: str) -> tuple[str, ...]:
        """Return codes of a vocabulary that may be meant, the likeliest first."""

    def economies(self, text: str) -> tuple[str, ...]:
        """Return economies that may be meant, the likeliest first."""


@dataclass(frozen=True, slots=True)
class IssuerFacts:
    """A body, or an authority that inspects, approves or gives a status, with all its rights."""

    id: str
    name: str
    economy: str | None
    body: Body | None
    authority: Authority | None
    version: int
    accreditations: tuple[RightFacts, ...] = ()
    designations: tuple[RightFacts, ...] = ()
    recognitions: tuple[RightFacts, ...] = ()
    notices: tuple[tuple[Notice, int], ...] = ()
    called: tuple[Called, ...] = ()

    def rights(self, kind: str) -> tuple[RightFacts, ...]:
        """Return the rights of one kind."""
        if kind == "designation":
            return self.designations
        return self.recognitions if kind == "recognition" else self.accreditations


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the engine may ask, at one position of the log."""

    economies: Mapping[str, Economy]
    memberships: Mapping[str, tuple[tuple[str, Period], ...]]
    authorities: Mapping[str, Authority]
    kin: Mapping[str, frozenset[str]]
    umbrellas: Mapping[str, tuple[str, ...]]
    requirements: Mapping[str, Requirement]
    citations: Mapping[str, tuple[str, ...]]
    wider: Mapping[str, frozenset[str]]
    standards: Mapping[str, Requirement]
    agreements: Mapping[str, Agreement]
    routes: Mapping[str, RouteFacts]
    routes_by_importer: Mapping[str, tuple[RouteFacts, ...]]
    routes_by_kind: Mapping[tuple[str, str], tuple[RouteFacts, ...]]
    issuers: Mapping[str, IssuerFacts]
    identifiers: Mapping[tuple[str, str], tuple[tuple[str, str | None, Period], ...]]
    names: Mapping[str, tuple[str, ...]]
    spellings: Mapping[str, tuple[str, ...]]
    """Issuers by the other spellings of their names, and by what a name is before an acronym in brackets."""
    positions: Sequence[tuple[Position, int]]
    notices_by_number: Mapping[str, tuple[tuple[Notice, int], ...]]
    notices_by_site: Mapping[str, tuple[tuple[Notice, int], ...]]
    coverage: Sequence[Coverage]
    words: Mapping[tuple[str, str], tuple[str, ...]]
    """Codes by the part of a question in which they stand and by their fold; economies by their names too."""
    likeness: Likeness
    complete: bool = False
    """Every list of which no coverage is on record counts as complete (scratch registers)."""

    def parties(self, code: str, day: int) -> frozenset[str]:
        """Return the code itself and the unions of which it is a member on that day."""
        memberships = self.memberships.get(code)
        if not memberships:
            return frozenset((code,))
        return frozenset((code, *(union for union, period in memberships if period.holds(day))))

    def state_of(self, code: str) -> str:
        """Return the state of which a code is a region, else the code itself."""
        economy = self.economies.get(code)
        return code if economy is None or economy.part_of is None else economy.part_of

    def side(self, code: str, day: int) -> frozenset[str]:
        """Return for whom an issuer, a place of work or a product of an economy counts: a region for its state too."""
        state = self.state_of(code)
        return self.parties(code, day) if state == code else self.parties(code, day) | self.parties(state, day)

    def side_ever(self, code: str) -> frozenset[str]:
        """Return the same over all days: an economy, its state, and the unions to which either ever belonged."""
        own = dict.fromkeys((code, self.state_of(code)))
        return frozenset((*own, *(union for each in own for union, _ in self.memberships.get(each, ()))))

    def routes_into(self, code: str) -> Iterable[RouteFacts]:
        """Return the routes whose importer may be this market or a union that it ever belonged to."""
        return self.routes_by_importer.get(code, self.routes_by_importer.get("WORLD", ()))

    def economy_of(self, by: str) -> str | None:
        """Return the economy for which an authority id, or a party code, stands."""
        authority = self.authorities.get(by)
        if authority is not None:
            return authority.economy
        return by if by in self.economies else None

    def same_authority(self, by: str) -> frozenset[str]:
        """Return an authority with its predecessors and successors."""
        return self.kin.get(by) or frozenset((by,))

    def spell(self, requirement: str) -> frozenset[str]:
        """Return a requirement with the wider ones of which it is a part."""
        return self.wider.get(requirement) or frozenset((requirement,))
