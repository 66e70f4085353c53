"""The history of one answer: at which positions of the log it changed, and on which day it is going to turn.

Nothing is stored: today's question is asked of what the register knew after each submission that may touch it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta

from cab_registry.domain.days import parse_day, show_day
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.engine.answer import answer
from cab_registry.engine.effort import TooDear
from cab_registry.register.compiled import Register
from cab_registry.services.describing import NameOf
from cab_registry.services.desk import Desk
from cab_registry.services.feeds import make_id
from cab_registry.services.heads import Held
from cab_registry.services.naming import name_in
from cab_registry.services.runtime.sharing import Shared
from cab_registry.services.runtime.work import Rooms
from cab_registry.services.watching.events import CauseTold, Recall, WatchNamed
from cab_registry.services.watching.noticing import Step, Subject, tell_changed, tell_forecast
from cab_registry.services.watching.subjects import leave_out_same, tell_cause
from cab_registry.services.watching.targets import Target
from cab_registry.services.watching.touching import (
    MOST_WORK,
    Stretch,
    TouchingSubmission,
    apply,
    pass_over,
    read_stretch,
    rewind,
)
from cab_registry.services.watching.watched_answers import Answered, Asker
from cab_registry.storage.canonical import spell_instant
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import operational_faults

LARGEST_PAGE: Final = 50
PAGE: Final = 20
MOST_WAITING: Final = 8
KEPT: Final = 64
"""How many histories a process keeps, so that many readers of one address cost one walk."""

WORK: Final = 1_000
"""Steps of the engine for one page: of a question that takes many, fewer submissions are looked at."""

MOST_STEPS: Final = 400
"""Steps of a question whose answer is followed; it is asked again and again."""

_ISSUED: Final = (
    "A document that was issued already follows its own days: ask about it by its day of issue to see until when its "
    "answer holds."
)


class TooDearToFollow(Refusal):
    """The question takes so much work that its answer is not followed."""

    def __init__(self) -> None:
        super().__init__(
            "this question takes too much work to follow its answer",
            (Fault("", "name the issuer by its id, and say for which requirement and which type of result"),),
        )


class CurrentAnswer(Answered, frozen=True, kw_only=True):
    """The answer as it is now."""

    headline: str


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """The day on which an answer becomes another one as things stand."""

    id: Annotated[str, Meta(description="Of this forecast: another day is another forecast.")]
    on: Annotated[str, Meta(description="The first day of the other answer.")]
    headline: str
    sentences: list[str]
    after: Annotated[Answered, Meta(description="The answer from that day on.")]


class AnswerChange(msgspec.Struct, frozen=True, kw_only=True):
    """A submission that changed the answer."""

    id: Annotated[str, Meta(description="Stays the same for ever.")]
    position: Annotated[int, Meta(description="The last position of the submission.")]
    headline: str
    sentences: list[str]
    before: Answered
    after: Answered
    recall: Annotated[Recall | None, Meta(description="What is taken back, where a loss reaches back.")] = None
    cause: Annotated[CauseTold, Meta(description="The submission, with its records on which the answer may rest.")]


class AnswerHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The answer now, what is in sight, and what changed it, in order of position."""

    id: Annotated[str, Meta(description="Of this history, whatever page of it; stays the same for ever.")]
    title: Annotated[str, Meta(description="The question in a few words.")]
    question: Annotated[dict[str, Any], Meta(description="The question; a rolling one names no day.")]
    on: Annotated[str, Meta(description="The day for which it is asked: of the position now, and of each before.")]
    current: CurrentAnswer
    forecast: Annotated[Forecast | None, Meta(description="Null: no turn is in sight, or it is asked for a fixed day.")]
    entries: list[AnswerChange]
    next: Annotated[int, Meta(description="Position from which to go on: give it as `after`.")]
    complete: Annotated[
        bool,
        Meta(
            description="With `after`: whether nothing more changed the answer by `position`. Without: whether there "
            "is no earlier change; begin with `after=0` to read them all."
        ),
    ]
    position: Annotated[int, Meta(description="Position of the log up to which was read.")]
    recorded: Annotated[str | None, Meta(description="The instant at which that position was recorded.")]
    log: Annotated[str, Meta(description="Which log it is.")]


class Following(NamedTuple):
    """A question whose answer is followed.

    Attributes:
        target: the question.
        after: the position to go on from; not included. None: the latest changes.
        limit: how many changes at most, 1 to 50.
    """

    target: Target
    after: int | None = None
    limit: int = PAGE

    @property
    def digest(self) -> str:
        """What tells this question from others, the same for ever."""
        asked = msgspec.json.encode((self.target.kind, self.target.question), order="sorted")
        return blake2b(asked, digest_size=16).hexdigest()


class Turn(NamedTuple):
    """A submission with which an answer changed: the registers and the answers on both sides."""

    submission: TouchingSubmission
    before: Register
    after: Register
    was: Answered
    now: Answered


class AnswerHistories:
    """Tells histories of answers, each in a thread and in turns, so that questions are answered meanwhile."""

    def __init__(self, desk: Desk, rooms: Rooms | None = None, *, waiting: int = MOST_WAITING) -> None:
        """Begin without any.

        Args:
            desk: where the log is read.
            rooms: where it is walked over.
            waiting: how many different ones are asked for at once at most.
        """
        self._engine = read_only(desk.engine)
        self._rooms = rooms or Rooms()
        self._kept: Shared[AnswerHistory] = Shared(kept=KEPT, at_once=waiting)

    async def read(self, held: Held, following: Following, today: int) -> AnswerHistory:
        """Tell the history of an answer up to the position of a register at the head.

        Raises:
            Shed: too many wait for theirs.
            TooDearToFollow: the question takes too much work.
            OperationalFault: the log cannot be read now.
            ValueError: the limit is out of bounds.
        """
        if not 1 <= following.limit <= LARGEST_PAGE:
            raise ValueError(f"limit {following.limit} is not within 1 to {LARGEST_PAGE}")
        key = (held.log_id, held.position, today, following.digest, following.after, following.limit)
        return await self._kept.find(key, lambda: self._read(held, following, today))

    async def _read(self, held: Held, following: Following, today: int) -> AnswerHistory:
        surveys = self._rooms.surveys
        cost = await surveys.run(lambda: _measure(held.register, following.target, today))
        question = following.target.asked(date.fromordinal(today))
        with operational_faults():
            async with self._engine.connect() as connection:
                stretch = await read_stretch(connection, question, following.after, held.position, self._rooms.readings)
        looked_at = max(1, WORK // cost)
        return await surveys.run_in_turns(tell_history(held, stretch, following, today, looked_at))


def _measure(register: Register, target: Target, today: int) -> int:
    """Return how many steps a question takes, at least one.

    Raises:
        TooDearToFollow: they are too many.
    """
    asker = Asker(register.facts, today, most=MOST_STEPS)
    try:
        asker.ask(target)
    except TooDear:
        raise TooDearToFollow from None
    return max(1, asker.steps)


class Page(NamedTuple):
    """A page of turns in order.

    Attributes:
        turns: they.
        looked: the last position that was looked at.
        more: whether there are more: after it, or, where the latest were asked for, before the first.
    """

    turns: list[Turn]
    looked: int
    more: bool


def tell_history(
    held: Held, stretch: Stretch, following: Following, today: int, most: int = MOST_WORK
) -> Generator[None, None, AnswerHistory]:
    """Walk over a stretch of the log and tell where the answer changed; others have their turn between.

    Args:
        held: the register at the head.
        stretch: what may have changed the answer.
        following: the question, and which page.
        today: the day for which it is asked.
        most: how many submissions are looked at.

    Raises:
        ValueError: the register is none of a log.
    """
    if held.log_id is None:
        raise ValueError("a register without a log has no history")
    target, after = following.target, following.after
    page = yield from _cut_page(held, stretch, following, today, most)
    yield
    names = [name_in(held.register), *(name_in(turn.before) for turn in page.turns)]
    telling = _Telling(following, _name_question(target, _first_of(names)), held.log_id, today)
    return AnswerHistory(
        id=make_id(held.log_id, following.digest),
        title=telling.title,
        question=msgspec.to_builtins(target.question),
        on=show_day(today),
        current=telling.tell_current(held.register),
        forecast=telling.tell_forecast(held.register),
        entries=[telling.tell_change(turn) for turn in page.turns],
        next=page.looked if page.more and after is not None else max(after or 0, held.position),
        complete=not page.more,
        position=held.position,
        recorded=None if held.recorded is None else spell_instant(held.recorded),
        log=held.log_id,
    )


def _cut_page(held: Held, stretch: Stretch, following: Following, today: int, most: int) -> Generator[None, None, Page]:
    if not stretch.submissions:
        return Page([], held.position, stretch.more)
    register = rewind(held.register, stretch)
    forward = following.after is not None
    skipped: tuple[TouchingSubmission, ...] = ()
    chosen = stretch.submissions[:most]
    if not forward:
        skipped, chosen = stretch.submissions[:-most], stretch.submissions[-most:]
    if skipped:
        register = pass_over(register, skipped)
    more = stretch.more or len(chosen) < len(stretch.submissions)
    turns: list[Turn] = []
    end = looked = chosen[-1].last
    for turn in walk(register, chosen, following.target, today):
        yield
        if turn is None:
            continue
        turns.append(turn)
        if forward and len(turns) == following.limit:
            looked = turn.submission.last
            break
    if forward:
        return Page(turns, looked, more or looked < end)
    return Page(turns[-following.limit :], looked, more or len(turns) > following.limit)


def walk(
    register: Register, submissions: tuple[TouchingSubmission, ...], target: Target, today: int
) -> Iterator[Turn | None]:
    """Yield each submission that changes the answer to today's question, and none for each that does not."""
    was = Asker(register.facts, today).ask(target).answered
    for submission in submissions:
        after = apply(register, submission)
        now = Asker(after.facts, today).ask(target).answered
        yield None if now.same(was) else Turn(submission, register, after, was, now)
        register, was = after, now


@dataclass(frozen=True, slots=True)
class _Telling:
    following: Following
    title: str
    log: str
    today: int

    @property
    def subject(self) -> Subject:
        return Subject(WatchNamed(id="", name=self.title, row=""), self.following.target)

    def tell_current(self, register: Register) -> CurrentAnswer:
        target = self.following.target
        answered = Asker(register.facts, self.today).ask(target).answered
        headline = answer(target.pose(date.fromordinal(self.today)), register.facts).headline
        return CurrentAnswer(**msgspec.structs.asdict(answered), headline=headline)

    def tell_forecast(self, register: Register) -> Forecast | None:
        target = self.following.target
        now = Asker(register.facts, self.today).ask(target).answered
        if not target.rolling or now.until is None:
            return None
        day = parse_day(now.until) + 1
        then = Asker(register.facts, day).ask(target).answered
        _, told = tell_forecast(Step(register, register, self.today), self.subject, now, day)
        issued = [_ISSUED] if target.kind == "standing" else []
        return Forecast(
            id=make_id(self.log, self.following.digest, "forecast", show_day(day)),
            on=show_day(day),
            headline=told.headline,
            sentences=[*told.sentences, *issued],
            after=then,
        )

    def tell_change(self, turn: Turn) -> AnswerChange:
        entries = turn.submission.entries
        cause = tell_cause(turn.before, turn.after, leave_out_same(turn.before, entries) or entries)
        cause = msgspec.structs.replace(cause, position=turn.submission.last)
        step = Step(turn.before, turn.after, self.today, cause, tuple(each.id for each in entries))
        _, told = tell_changed(step, self.subject, turn.was, turn.now)
        return AnswerChange(
            id=make_id(self.log, self.following.digest, str(turn.submission.last)),
            position=turn.submission.last,
            headline=told.headline,
            sentences=told.sentences,
            before=turn.was,
            after=turn.now,
            recall=told.recall,
            cause=cause,
        )


def _first_of(names: list[NameOf]) -> NameOf:
    """Name what any of several registers knows, the first first: who is retired keeps its name here."""

    def name_of(key: str) -> str:
        return next((found for each in names if (found := each(key)) != key), key)

    return name_of


def _name_question(target: Target, name_of: NameOf) -> str:
    """Name a question by kind of result, issuer and market."""
    asked = target.question
    if asked is None:
        raise ValueError(f"a watch of a {target.kind} asks no question")
    kind = asked.result.kind.replace("_", " ")
    issuer = asked.result.issuer
    who = f"an issuer in {name_of(asked.result.issuer_economy or '')}"
    if issuer is not None:
        who = name_of(issuer.id) if issuer.id is not None else issuer.name or f"{issuer.scheme} {issuer.value}"
    subject = asked.subject.requirement or asked.subject.sector
    about = f" for {name_of(subject).replace('_', ' ')}" if subject is not None else ""
    where = "any market" if asked.destination == "WORLD" else name_of(asked.destination)
    return f"{kind[0].upper()}{kind[1:]} of {who}{about} in {where}"
