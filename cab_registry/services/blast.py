"""The blast radius of a loss: which standing answers flip if one body, or one accreditation body, loses what it has.

Nothing is stored. What is supposed is put into a register in memory, and the standing questions of everyone whom it may
touch are asked of both registers, on each day on which an answer may change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from cab_registry.domain.codes import Verdict
from cab_registry.domain.days import parse_day, show_day
from cab_registry.register.compiled import Register
from cab_registry.services.effects import Flip, Flips, answer_on, find_flips
from cab_registry.services.runtime.sharing import Shared
from cab_registry.services.runtime.work import Rooms
from cab_registry.services.supposing import Loss, Supposed, What, has_status, is_accreditation_body, line_of, suppose
from cab_registry.services.views import State, View

HORIZON: Final = 366
LONGEST_HORIZON: Final = 3660
MOST_QUESTIONS: Final = 20_000
"""How many standing questions one look asks at most."""

MOST_WAITING: Final = 8
_KEPT: Final = 4

FallsWith = Literal["rights", "status", "accreditations"]


class TouchedAnswer(Flip, frozen=True, kw_only=True):
    """A standing answer that flips, and the loss that is enough for it."""

    falls_with: Annotated[
        FallsWith,
        Meta(
            description="rights: those of the body itself; status: the accreditation body need only cease to be a "
            "signatory; accreditations: it flips only if the accreditations that it gave are lost."
        ),
    ]


class BodyTouched(msgspec.Struct, frozen=True, kw_only=True):
    """A body, or an authority that inspects, with its standing answers that flip."""

    id: str
    name: str
    economy: Annotated[str | None, Meta(description="Economy of its seat.")]
    scopes: Annotated[list[str], Meta(description="Requirements touched, by id; the sector where none is named.")]
    destinations: Annotated[list[str], Meta(description="Markets in which an answer flips; WORLD is any.")]
    flips: Annotated[list[TouchedAnswer], Meta(description="The earliest first.")]


class VerdictChange(msgspec.Struct, frozen=True, kw_only=True):
    """How many answers go from one verdict to another."""

    before: Verdict
    after: Verdict
    count: int


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How far it reaches, and what was looked at."""

    bodies: Annotated[int, Meta(description="Bodies of which at least one answer flips.")]
    bodies_looked_at: int
    scopes: int
    destinations: int
    flips: int
    changes: Annotated[list[VerdictChange], Meta(description="The most frequent first.")]
    questions: Annotated[int, Meta(description="Standing questions asked.")]
    answers: Annotated[int, Meta(description="Answers compared, over all days on which something changes.")]


class WatchedFlip(msgspec.Struct, frozen=True, kw_only=True):
    """A watched answer of one's own that would flip."""

    watch: Annotated[str, Meta(description="Id of the watch.")]
    words: Annotated[str, Meta(description="What is watched.")]
    before: Verdict
    after: Verdict
    on: Annotated[str, Meta(description="First day of the flip.")]


class WatchedTold(msgspec.Struct, frozen=True, kw_only=True):
    """The watched answers that would flip."""

    count: Annotated[int, Meta(description="Of everybody's.")]
    own: Annotated[list[WatchedFlip], Meta(description="Of whom the token stands for; empty without a token.")] = []


Watched = Callable[[Register, Register], WatchedTold]
"""Tells which watched answers differ between the register as it is and as it would be; runs in a thread."""


class Impact(msgspec.Struct, frozen=True, kw_only=True):
    """What would flip, if one body or one accreditation body lost what it has."""

    id: str
    name: str
    if_: Annotated[Loss, Meta(description="What happens.")] = msgspec.field(name="if")
    what: Annotated[What | None, Meta(description="What an accreditation body loses; null for any other body.")]
    on: Annotated[str, Meta(description="The first day of it.")]
    supposed: Annotated[str, Meta(description="What is supposed, in a sentence.")]
    changed: Annotated[list[str], Meta(description="Ids of the records that are supposed to change.")]
    since: Annotated[str, Meta(description="First day looked at.")]
    until: Annotated[str, Meta(description="Last day looked at.")]
    complete: Annotated[bool, Meta(description="False: there were more questions than are asked at once.")]
    counts: Counts
    bodies: Annotated[list[BodyTouched], Meta(description="Those of which an answer flips, in order of name.")]
    sentences: Annotated[list[str], Meta(description="The total, then one for each body.")]
    watched: Annotated[WatchedTold | None, Meta(description="Null: no watches are kept here.")] = None
    state: State


@dataclass(frozen=True, slots=True)
class Supposition:
    """What is supposed, and how it is looked at.

    Attributes:
        record_id: the body, inspectorate or accreditation body.
        loss: what happens.
        on: the first day of it, and of the days looked at.
        what: what an accreditation body loses; see `suppose`.
        horizon: how many days after the first are looked at.
        known_on: the day of knowledge, from which nobody can tell whether an objection still comes.
        most: how many questions are asked at most.
    """

    record_id: str
    loss: Loss
    on: int
    what: What = "all"
    horizon: int = HORIZON
    known_on: int | None = None
    most: int = MOST_QUESTIONS


class ImpactTeller:
    """Tells impacts one after another, each in a thread, so that questions are answered meanwhile."""

    def __init__(self, rooms: Rooms | None = None) -> None:
        self._surveys = (rooms or Rooms()).surveys
        self._kept: Shared[tuple[Impact, Register]] = Shared(kept=_KEPT, at_once=MOST_WAITING)

    async def tell(self, view: View, asked: Supposition, watched: Watched | None = None) -> Impact:
        """Tell the impact on the register of a view; what several ask for is worked out once.

        Raises:
            NoSuchRecord, ImpossibleSupposition: as `suppose`.
            Shed: too many wait for theirs.
        """
        key = (view.tag, asked)
        impact, after = await self._kept.find(key, lambda: self._surveys.run(lambda: _tell(view, asked)))
        if watched is None:
            return impact
        told = await self._surveys.run(lambda: watched(view.held.register, after))
        return msgspec.structs.replace(impact, watched=told)


def tell_impact(view: View, asked: Supposition, watched: Watched | None = None) -> Impact:
    """Tell which standing answers flip, and which watched ones.

    Raises:
        NoSuchRecord: the register has no such record.
        ImpossibleSupposition: it is neither a body nor an accreditation body, or has nothing to lose on the day.
    """
    impact, after = _tell(view, asked)
    told = None if watched is None else watched(view.held.register, after)
    return msgspec.structs.replace(impact, watched=told)


def _tell(view: View, asked: Supposition) -> tuple[Impact, Register]:
    """Return the impact without watched answers, and the register as it would be."""
    register = view.held.register
    supposed = suppose(register, asked.record_id, asked.loss, asked.on, asked.what)
    known_on = view.today.toordinal() if asked.known_on is None else asked.known_on
    found = find_flips(
        register,
        supposed.register,
        supposed.bodies,
        on=asked.on,
        horizon=asked.horizon,
        known_on=known_on,
        most=asked.most,
    )
    causes = _Causes(register, asked, known_on)
    bodies = _group(register, [causes.explain(flip) for flip in found.flips])
    counts = _count(found, bodies, len(supposed.bodies))
    accredits = is_accreditation_body(register, asked.record_id)
    impact = Impact(
        id=asked.record_id,
        name=register.facts.issuers[asked.record_id].name,
        if_=asked.loss,
        what=asked.what if accredits else None,
        on=show_day(asked.on),
        supposed=supposed.words,
        changed=list(supposed.changed),
        since=found.since,
        until=found.until,
        complete=found.complete,
        counts=counts,
        bodies=bodies,
        sentences=[*_say_total(counts, found), *map(_say_body, bodies)],
        watched=None,
        state=view.state,
    )
    return impact, supposed.register


class _Causes:
    """Tells for each flip whether the loss of signatory status alone brings it."""

    def __init__(self, register: Register, asked: Supposition, known_on: int) -> None:
        self._known = known_on
        self._line = line_of(register, asked.record_id, asked.on)
        self._only: FallsWith | None = "rights"
        self._status: Supposed | None = None
        if is_accreditation_body(register, asked.record_id):
            self._only = None if asked.what == "all" else asked.what
        if self._only is None and has_status(register, self._line, asked.on):
            self._status = suppose(register, asked.record_id, asked.loss, asked.on, "status")

    def explain(self, flip: Flip) -> TouchedAnswer:
        return TouchedAnswer(**msgspec.structs.asdict(flip), falls_with=self._find(flip))

    def _find(self, flip: Flip) -> FallsWith:
        if self._only is not None:
            return self._only
        if self._status is not None:
            day = parse_day(flip.on)
            if answer_on(flip.question, self._status.register, day, self._known) != flip.before:
                return "status"
        return "rights" if flip.question.body in self._line else "accreditations"


def _group(register: Register, flips: Iterable[TouchedAnswer]) -> list[BodyTouched]:
    by_body: dict[str, list[TouchedAnswer]] = {}
    for flip in flips:
        by_body.setdefault(flip.question.body, []).append(flip)
    bodies = [
        BodyTouched(
            id=key,
            name=register.facts.issuers[key].name,
            economy=register.facts.issuers[key].economy,
            scopes=sorted({scope for flip in own if (scope := scope_of(flip)) is not None}),
            destinations=sorted({flip.question.destination for flip in own}),
            flips=own,
        )
        for key, own in by_body.items()
    ]
    return sorted(bodies, key=lambda each: (each.name.casefold(), each.id))


def scope_of(flip: Flip) -> str | None:
    """Return what a flip is about: the requirement, else the sector."""
    return flip.question.requirement or flip.question.sector


def _count(found: Flips, bodies: list[BodyTouched], looked_at: int) -> Counts:
    changes = Counter((flip.before, flip.after) for flip in found.flips)
    return Counts(
        bodies=len(bodies),
        bodies_looked_at=looked_at,
        scopes=len({scope for each in bodies for scope in each.scopes}),
        destinations=len({code for each in bodies for code in each.destinations}),
        flips=len(found.flips),
        changes=[
            VerdictChange(before=before, after=after, count=count)
            for (before, after), count in sorted(changes.items(), key=lambda pair: (-pair[1], pair[0]))
        ],
        questions=found.questions,
        answers=found.answers,
    )


def _say_total(counts: Counts, found: Flips) -> list[str]:
    looked_at = f"{_plural(counts.bodies_looked_at, 'body was', 'bodies were')} looked at."
    days = f"between {found.since} and {found.until}"
    total = (
        f"{_plural(counts.flips, 'standing answer')} of {_plural(counts.bodies, 'body', 'bodies')} would flip {days}, "
        f"in {_plural(counts.destinations, 'market')}; {looked_at}"
        if counts.flips
        else f"No standing answer would flip {days}; {looked_at}"
    )
    if found.complete:
        return [total]
    more = f"There are more than the {found.questions} questions that are asked at once: the list goes on."
    return [total, more]


def _say_body(body: BodyTouched) -> str:
    where = ", ".join("any market" if code == "WORLD" else code for code in body.destinations)
    what = f" for {', '.join(body.scopes)}" if body.scopes else ""
    economy = f" ({body.economy})" if body.economy is not None else ""
    first = min(flip.on for flip in body.flips)
    return f"{body.name}{economy}: {_plural(len(body.flips), 'answer')} in {where}{what}, the first from {first} on."


def _plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or f'{one}s'}"
