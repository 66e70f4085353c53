"""Answering the one question: at the head from memory, in the past from what was recorded then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from hashlib import blake2b
from time import perf_counter
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from cab_registry import __version__
from cab_registry.domain.answer import Answer, Asked
from cab_registry.domain.days import show_day
from cab_registry.domain.question import AskedIssuer, AskedQuestion, AskedSubcontractor, Question, pose
from cab_registry.domain.schemes import canonise, find_scheme, list_numbers, read_numbers
from cab_registry.engine.answer import ENGINE, answer
from cab_registry.engine.effort import QUICK, Effort, TooDear
from cab_registry.engine.facts import Facts
from cab_registry.register.compiled import Register, Versioned, change_register, compile_register
from cab_registry.register.minting import slug
from cab_registry.services.asking import parse_known_at
from cab_registry.services.bearers import find_called
from cab_registry.services.heads import HeadSource
from cab_registry.services.metrics import Metrics
from cab_registry.services.runtime.sharing import Shared
from cab_registry.services.runtime.work import PAST, Rooms, WorkRoom, demand
from cab_registry.services.sources import KnownState, RecordSource, Sought
from cab_registry.storage.canonical import spell_instant

NOTE_BEYOND: Final = "known_at is still to come, so this is what the register knows so far; it can change until then"

KEPT_LAWS: Final = 4
"""How many former states of the law are kept, and read at once; each takes some 40 MB."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question with everything that its answer is made of; equal tags mean equal answers.

    `known_at` is the moment of knowledge under which the same is found again, whatever is recorded later; none for a
    register without a log.
    """

    question: Question
    facts: Facts
    asked: Asked
    tag: str
    known_at: str | None = None


@dataclass(frozen=True, slots=True)
class Answering:
    """How this process answers.

    Attributes:
        head: the register at the head.
        past: records as they were known; none for a scratch register, where known_at is a day of knowledge only.
        today: the day that a question means which names none.
        zone: where days begin and end.
        metrics: where answers are counted.
        rooms: where dear questions are answered.
        laws: the law as it was known at the moments asked about last, without any body.
    """

    head: HeadSource
    past: RecordSource | None
    today: Callable[[], date]
    zone: ZoneInfo
    metrics: Metrics
    rooms: Rooms = field(default_factory=Rooms)
    laws: Shared[Register] = field(default_factory=lambda: Shared(kept=KEPT_LAWS, at_once=KEPT_LAWS))

    async def answer(self, prepared: Prepared) -> Answer:
        """Answer a question that was prepared; reads memory only. What is dear is answered in a thread.

        Raises:
            Shed: it is dear, and too many others wait.
        """
        try:
            return self._answer(prepared, Effort(QUICK, strict=True))
        except TooDear:
            return await self.rooms.answers.run(lambda: self._answer(prepared, Effort()))

    def _answer(self, prepared: Prepared, effort: Effort) -> Answer:
        started = perf_counter()
        given = answer(prepared.question, prepared.facts, prepared.asked, effort)
        self.metrics.count_answer(given.verdict, perf_counter() - started)
        return given

    async def prepare(self, asked: AskedQuestion, at_least: int | None = None) -> Prepared:
        """Find what the answer is made of.

        Raises:
            Refusal: the question is impossible, or who asks cannot pay for one about the past.
            OperationalFault: the register is not loaded, or not at the position asked for, or the past cannot be read.
        """
        held = self.head.current() if at_least is None else await self.head.at_least(at_least)
        if asked.known_at is None:
            question = pose(asked, today=self.today())
            state = _State(held.position, held.recorded, held.log_id)
            return self._keep(_prepare(asked, question, held.register.facts, state), held.recorded)
        instant = parse_known_at(asked.known_at, self.zone)
        demand(PAST)
        today, known_on = self.today(), instant.astimezone(self.zone).date()
        if self.past is None:
            question = pose(asked, today=today, known_on=known_on)
            prepared = _prepare(asked, question, held.register.facts, _State(held.position))
            return replace(prepared, known_at=asked.known_at)
        known = await self.past.resolve(instant)
        # Nobody knows today what will be known on a day to come.
        question = pose(asked, today=today, known_on=min(known_on, today) if known.beyond else known_on)
        law = await self.laws.find(await self.past.mark_law(known.moment), lambda: self._read_law(known))
        register = await load_reachable(self.past, known, asked, law, self.rooms.readings)
        notes = (NOTE_BEYOND,) if known.beyond else ()
        state = _State(known.position, known.recorded, known.log_id, notes)
        prepared = _prepare(asked, question, register.facts, state)
        return self._keep(prepared, known.recorded) if known.beyond else replace(prepared, known_at=asked.known_at)

    async def _read_law(self, known: KnownState) -> Register:
        if self.past is None:
            raise ValueError("a register without a log has no past")
        records = await self.past.read_law(known.moment)
        return await self.rooms.surveys.run(lambda: compile_register(records, position=known.position))

    def _keep(self, prepared: Prepared, recorded: datetime | None) -> Prepared:
        """Name a past moment that means the head on its day of knowledge: the entry's own, or the first of that day."""
        if self.past is None:
            return prepared
        known_on = date.fromordinal(prepared.question.known_on)
        first = datetime.combine(known_on, time(), self.zone).astimezone(UTC)
        return replace(prepared, known_at=spell_instant(first if recorded is None else max(first, recorded)))


@dataclass(frozen=True, slots=True)
class _State:
    """The state of the register that an answer names."""

    position: int
    recorded: datetime | None = None
    log_id: str | None = None
    notes: tuple[str, ...] = ()


def _prepare(asked: AskedQuestion, question: Question, facts: Facts, state: _State) -> Prepared:
    shown = Asked(
        presented_on=show_day(question.asked_on),
        known_on=show_day(question.known_on),
        position=state.position,
        recorded=None if state.recorded is None else spell_instant(state.recorded),
        log=state.log_id,
        engine=ENGINE,
        notes=list(state.notes),
    )
    key = msgspec.json.encode((__version__, asked, shown))
    return Prepared(question, facts, shown, blake2b(key, digest_size=16).hexdigest())


async def load_reachable(
    past: RecordSource, known: KnownState, asked: AskedQuestion, law: Register, readings: WorkRoom
) -> Register:
    """Compile the register that one question can reach, as it was recorded at a moment.

    Args:
        past: where the records are read.
        known: the moment.
        asked: the question.
        law: the law as it was recorded then.
        readings: where it is compiled.
    """
    sought = seek(asked)
    facts = law.facts
    # Authorities are of the law, but what they hold as issuers is not.
    called = await readings.run(lambda: find_called(sought.names, facts)) if sought.names else []
    ids = [*sought.ids, *called]
    ids += [key for borne in sought.identifiers for key, _, _ in facts.identifiers.get(borne, ())]
    ids += [umbrella for authority in tuple(ids) for umbrella in facts.umbrellas.get(authority, ())]
    sought = replace(sought, ids=tuple(dict.fromkeys(ids)))
    register = await _add(law, await past.read_reachable(known.moment, sought), readings)
    again = _as_names(sought, register.facts)
    return register if again is None else await _add(law, await past.read_reachable(known.moment, again), readings)


async def _add(law: Register, reached: list[Versioned], readings: WorkRoom) -> Register:
    return await readings.run(lambda: change_register(law, reached))


def _as_names(sought: Sought, facts: Facts) -> Sought | None:
    """Return what to seek for ids that nobody has: they may be ids in another spelling, or names or numbers."""
    unknown = tuple(key for key in sought.ids if key not in facts.issuers)
    if not unknown:
        return None
    borne = tuple(each for key in unknown for each in list_numbers(key))
    spelled = tuple(key for text in unknown if (key := slug(text)) is not None)
    return replace(
        sought,
        ids=(*sought.ids, *spelled),
        names=(*sought.names, *unknown),
        identifiers=(*sought.identifiers, *borne),
    )


def seek(asked: AskedQuestion) -> Sought:
    """Return what a question seeks by its own words: issuer and subcontractors, and notices on its number."""
    issuer = asked.result.issuer or AskedIssuer()
    parts: tuple[AskedIssuer | AskedSubcontractor, ...] = (issuer, *asked.result.subcontractors)
    borne: list[tuple[str, str]] = []
    if issuer.scheme is not None and issuer.value is not None:
        scheme = find_scheme(issuer.scheme)
        stated = [form for readings in read_numbers(issuer.value, scheme) for _, form in readings]
        borne.extend((scheme, canonise(scheme, each)) for each in stated or [issuer.value])
    else:
        alone = [text for text in (issuer.value, *(part.name for part in parts)) if text is not None]
        borne.extend(each for text in alone for each in list_numbers(text))
    return Sought(
        ids=tuple(part.id for part in parts if part.id is not None),
        identifiers=tuple(borne),
        names=tuple(part.name for part in parts if part.name is not None),
        number=asked.result.number,
    )
