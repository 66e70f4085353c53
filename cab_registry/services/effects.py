"""What a change does: in words, and which standing answers flip.

A standing answer is one on a result that is performed, issued and presented on one day (domain.md, section 1). It
flips where the register before and the register after a change give different verdicts on the same question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from cab_registry.domain.codes import Verdict
from cab_registry.domain.days import EARLIEST, LATEST, show_day
from cab_registry.domain.question import AskedIssuer, AskedResult, AskedSubject, Question, Span
from cab_registry.domain.records import Accreditation, AnyRecord, Designation, Recognition
from cab_registry.engine.deciding import Outcome
from cab_registry.engine.facts import Facts
from cab_registry.engine.inquiry import Inquiry
from cab_registry.engine.meaning import OTHER
from cab_registry.engine.reach import find_candidates
from cab_registry.engine.weighing import decide
from cab_registry.register.compiled import Register
from cab_registry.services.change_days import ChangeDays, named_days
from cab_registry.services.describing import describe_changes
from cab_registry.services.standing import Standing, list_standing

MOST_QUESTIONS: Final = 500
"""How many standing questions one look for flips asks at most."""

MOST_ANSWERS: Final = 10_000
"""How many answers are compared at most, over all days; the last question is asked on all of its days."""

_KINDS: Final = ("recognition", "designation", "accreditation")
_RIGHTS: Final = (Accreditation, Designation, Recognition)


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of days on which a change gives a standing question another verdict."""

    question: Standing
    before: Verdict
    after: Verdict
    on: Annotated[str, Meta(description="First day of the flip.")]
    until: Annotated[str | None, Meta(description="Last day of it; null: to the end of the days looked at.")]
    ends: Annotated[
        str | None, Meta(description="Last day of it, where `until` is null and what is on record ends it later.")
    ] = None
    before_failing: Annotated[str | None, Meta(description="First check that failed or was open before.")] = None
    after_failing: Annotated[str | None, Meta(description="First check that fails or is open after.")] = None


class Flips(msgspec.Struct, frozen=True, kw_only=True):
    """The flips found, the earliest first, and what was looked at."""

    flips: list[Flip]
    since: Annotated[str, Meta(description="First day looked at.")]
    until: Annotated[str, Meta(description="Last day looked at.")]
    questions: Annotated[int, Meta(description="Standing questions asked.")]
    answers: Annotated[int, Meta(description="Answers compared, over all days on which something changes.")]
    complete: Annotated[bool, Meta(description="False: there were more questions than are asked at once.")]


def find_flips(
    before: Register,
    after: Register,
    bodies: Iterable[str],
    *,
    on: int,
    horizon: int,
    known_on: int | None = None,
    most: int = MOST_QUESTIONS,
) -> Flips:
    """Find the standing answers of bodies that a change flips.

    Asked is what the routes and the body's own scope items let ask: each market, kind of result and requirement for
    which it holds, before or after, the right that the route wants first. Between the days on which one of its
    rights or one of the routes changes nothing can flip, so only those are looked at.

    Args:
        before: the register as it is.
        after: the register with the change.
        bodies: bodies, or authorities that inspect.
        on: the first day looked at; earlier than today where a change reaches back (see `first_change`).
        horizon: how many days after it are looked at.
        known_on: the day of knowledge, from which nobody can tell whether an objection still comes; default `on`.
        most: how many questions are asked at most.
    """
    last = min(on + horizon, LATEST - 1)
    known = on if known_on is None else known_on
    days, later = ChangeDays(on, last), ChangeDays(last, LATEST - 1)
    flips: list[Flip] = []
    questions = answers = 0
    complete = True
    for body in dict.fromkeys(bodies):
        for standing in list_standing(before, after, body):
            if questions >= most or answers >= MOST_ANSWERS:
                complete = False
                break
            questions += 1
            pair = _Pair(standing, before.facts, after.facts, known)
            walked = days.of(standing, pair.economy, pair.sides)
            answers += 2 * len(walked)
            flips.extend(
                flip if flip.until is not None else _with_end(flip, pair, later)
                for flip in _compare(pair, walked, last)
            )
    flips.sort(key=lambda flip: (flip.on, msgspec.structs.astuple(flip.question)[:3], str(flip.question)))
    return Flips(
        flips=flips,
        since=show_day(on),
        until=show_day(last),
        questions=questions,
        answers=answers,
        complete=complete,
    )


def describe_flip(flip: Flip, name_of: Callable[[str], str]) -> str:
    """Say a flip in one sentence, with names for ids."""
    asked = flip.question
    subject = asked.requirement or asked.sector
    product = "products not named apart" if asked.product_class == OTHER else asked.product_class
    parts = [asked.procedure, product, asked.activity, asked.site]
    closer = ", ".join(part.replace("_", " ") for part in parts if part is not None)
    what = asked.result_kind.replace("_", " ") + (f" for {name_of(subject)}" if subject is not None else "")
    end = flip.until or flip.ends
    days = f"from {flip.on} " + (f"to {end}" if end is not None else "on")
    before, after = (verdict.replace("_", " ") for verdict in (flip.before, flip.after))
    where = "any market" if asked.destination == "WORLD" else asked.destination
    return f"{where}, {what}{f' ({closer})' if closer else ''}: {before} becomes {after} {days}."


def answer_on(standing: Standing, register: Register, on: int, known_on: int) -> Verdict:
    """Answer one standing question on one day, as known on a day, just as `find_flips` does."""
    verdict, _ = _Pair(standing, register.facts, register.facts, known_on).answers(on)
    return verdict.verdict


def first_change(before: AnyRecord | None, after: AnyRecord | None, today: int) -> int:
    """Return the earliest day that only one of two versions names, or today where that is earlier.

    From this day on a correction of the past can flip answers.
    """
    one, two = (named_days(record) if record is not None else set[int]() for record in (before, after))
    return min((day for day in one ^ two if day > EARLIEST), default=today) if one ^ two else today


def first_day(before: Register, after: Register, changed: Iterable[str], today: int) -> int:
    """Return the earliest day from which records that changed can flip answers, or today where that is earlier."""
    first = today
    for record_id in changed:
        one, two = (side.records.get(record_id) for side in (before, after))
        changes = first_change(None if one is None else one.record, None if two is None else two.record, today)
        first = min(first, changes)
    return first


class _Pair:
    """A standing question before and after: its candidates are found once, its day is set for each answer."""

    def __init__(self, standing: Standing, before: Facts, after: Facts, known_on: int) -> None:
        self.standing = standing
        self._known = known_on
        issuer = after.issuers.get(standing.body) or before.issuers[standing.body]
        sites = issuer.body.sites if issuer.body is not None else ()
        place = next((site.economy for site in sites if site.key == standing.site), None)
        if place is None and len(sites) == 1:
            place = sites[0].economy
        self.economy = place or issuer.economy
        self._result = AskedResult(
            kind=standing.result_kind,
            issuer=AskedIssuer(id=standing.body),
            issuer_economy=self.economy,
            site=standing.site,
            performed_in=self.economy,
        )
        self._subject = AskedSubject(
            sector=standing.sector,
            requirement=standing.requirement,
            product_class=standing.product_class,
            activity=standing.activity,
            procedure=standing.procedure,
            origin=self.economy,
        )
        first = self._pose(EARLIEST + 2)
        self.sides = tuple((each, find_candidates(Inquiry(first, each))) for each in (before, after))

    def _pose(self, day: int) -> Question:
        return Question(
            destination=self.standing.destination,
            presented_on=day,
            known_on=self._known,
            standing=True,
            result=self._result,
            subject=self._subject,
            performed=Span(day, day),
            issued=day,
            ordered=None,
            submitted=day,
            valid_until=None,
        )

    def answers(self, day: int) -> tuple[Outcome, Outcome]:
        """Answer it on a day, before and after."""
        question = self._pose(day)
        before, after = (decide(Inquiry(question, facts), routes, day) for facts, routes in self.sides)
        return before, after


def _compare(pair: _Pair, days: list[int], last: int) -> Iterator[Flip]:
    """Yield the stretches of days with different verdicts; days with the same two verdicts are one stretch."""
    open_flip: Flip | None = None
    for day in days:
        before, after = pair.answers(day)
        if open_flip is not None:
            if (before.verdict, after.verdict) == (open_flip.before, open_flip.after):
                continue
            yield msgspec.structs.replace(open_flip, until=show_day(day - 1))
            open_flip = None
        if before.verdict != after.verdict and day <= last:
            open_flip = Flip(
                question=pair.standing,
                before=before.verdict,
                after=after.verdict,
                on=show_day(day),
                until=None,
                before_failing=before.best.first_failing if before.best is not None else None,
                after_failing=after.best.first_failing if after.best is not None else None,
            )
    if open_flip is not None:
        yield open_flip


def _with_end(flip: Flip, pair: _Pair, later: ChangeDays) -> Flip:
    """Say when a flip that outlasts the days looked at ends by what is on record."""
    for day in later.of(pair.standing, pair.economy, pair.sides)[1:]:
        before, after = pair.answers(day)
        if (before.verdict, after.verdict) != (flip.before, flip.after):
            return msgspec.structs.replace(flip, ends=show_day(day - 1))
    return flip


__all__ = [
    "MOST_QUESTIONS",
    "Flip",
    "Flips",
    "Standing",
    "answer_on",
    "describe_changes",
    "describe_flip",
    "find_flips",
    "first_change",
    "first_day",
]
