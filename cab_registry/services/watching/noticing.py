"""What is told of a watched question: that its answer changed, is taken back, turned, or is going to turn."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlencode

import msgspec

from cab_registry.domain.answer import Answer
from cab_registry.domain.days import show_day
from cab_registry.engine.answer import answer
from cab_registry.engine.facts import Facts
from cab_registry.register.compiled import Register
from cab_registry.services.flat import write_flat
from cab_registry.services.naming import name_in
from cab_registry.services.watching.events import CauseTold, EventType, Link, Told, WatchNamed
from cab_registry.services.watching.recalling import find_recall
from cab_registry.services.watching.targets import Target
from cab_registry.services.watching.watched_answers import Answered, find_end

_RENEWED: Final = {
    "accreditation": "unless the accreditation is renewed",
    "designation": "unless the designation is renewed",
    "recognition": "unless the recognition is renewed",
}
"""What would keep an answer from turning, by the check that fails then."""


@dataclass(frozen=True, slots=True)
class Step:
    """A submission that is told of, or a day.

    Attributes:
        before: the register as it was.
        after: the register with the submission; the same for a day.
        today: the day on which it is told.
        cause: the submission in words; none for a day.
        changed: ids of the records of the submission.
        base: the address under which people reach this registry; empty where the operator named none.
    """

    before: Register
    after: Register
    today: int
    cause: CauseTold | None = None
    changed: tuple[str, ...] = ()
    base: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is watched, with the names that the watcher gave it."""

    watch: WatchNamed
    target: Target


def tell_changed(step: Step, subject: Subject, before: Answered, after: Answered) -> tuple[EventType, Told]:
    """Tell that a submission changed the answer; where a loss reaches back, that the answer is taken back."""
    was, now = (_answer(subject.target, facts, step.today) for facts in (step.before.facts, step.after.facts))
    recall = find_recall(step.before, step.after, step.today, subject.target, (before, after), now, step.changed)
    ended = _with_end(before, subject.target, step.before, step), _with_end(after, subject.target, step.after, step)
    sentences = [now.headline, *_compare(*ended, was, now)]
    if step.cause is not None and step.cause.public_reason:
        sentences.append(f"Reason: {step.cause.public_reason}")
    if recall is not None:
        sentences.insert(0, recall.results)
    told = _tell(step, subject, f"{tell_title(step, subject)}: {_pass(*ended)}", sentences)
    kind: EventType = "answer.changed" if recall is None else "answer.recalled"
    return kind, msgspec.structs.replace(told, before=before, after=after, recall=recall)


def tell_turned(step: Step, subject: Subject, before: Answered, after: Answered) -> tuple[EventType, Told]:
    """Tell that the day came on which the answer became another one."""
    now = _answer(subject.target, step.after.facts, step.today)
    ended = _with_end(after, subject.target, step.after, step)
    told = _tell(step, subject, f"{tell_title(step, subject)}: {_pass(before, ended)}", [now.headline])
    return "answer.turned", msgspec.structs.replace(told, before=before, after=after)


def tell_forecast(step: Step, subject: Subject, now: Answered, turns_on: int) -> tuple[EventType, Told]:
    """Tell that the answer is going to be another one from a day on, as things stand."""
    then = _answer(subject.target, step.after.facts, turns_on)
    new = "new results are" if subject.target.kind == "standing" else "this document is"
    to = then.verdict.replace("_", " ")
    unless = _RENEWED.get(then.first_failing or "")
    sentence = f"From {say_day(turns_on)} {new} {to}" + (f" {unless}" if unless else "") + "."
    days = turns_on - step.today
    headline = f"{tell_title(step, subject)}: {to} in {days} day{'' if days == 1 else 's'}"
    told = _tell(step, subject, headline, [sentence, then.headline])
    return "answer.forecast", msgspec.structs.replace(told, before=now, turns_on=show_day(turns_on))


def say_day(day: int) -> str:
    """Write a day as people do: 3 January 2027."""
    found = date.fromordinal(day)
    return f"{found.day} {calendar.month_name[found.month]} {found.year}"


def _answer(target: Target, facts: Facts, day: int) -> Answer:
    return answer(target.pose(date.fromordinal(day)), facts)


def _tell(step: Step, subject: Subject, headline: str, sentences: list[str]) -> Told:
    return Told(
        headline=headline,
        sentences=list(dict.fromkeys(sentences)),
        links=[_link(step, subject.target)],
        watch=subject.watch,
        target=msgspec.to_builtins(subject.target),
        on=show_day(step.today),
        cause=step.cause,
    )


def _link(step: Step, target: Target) -> Link:
    asked = target.asked(date.fromordinal(step.today))
    if target.kind == "question" and target.rolling:
        asked = msgspec.structs.replace(asked, presented_on=date.fromordinal(step.today))
    query = urlencode(write_flat(msgspec.to_builtins(asked)))
    return Link(title="The answer with its reasons", address=f"{step.base}/answer?{query}")


def tell_title(step: Step, subject: Subject) -> str:
    """Name a question by what its watcher called it, else by its issuer and market."""
    if subject.watch.row or subject.watch.name:
        return subject.watch.row or subject.watch.name
    asked = subject.target.question
    if asked is None:
        return subject.target.kind
    issuer = asked.result.issuer
    named = None if issuer is None else issuer.name or issuer.value or (issuer.id and name_in(step.after)(issuer.id))
    return f"{named or asked.result.issuer_economy or 'A result'} in {asked.destination}"


def _with_end(answered: Answered, target: Target, register: Register, step: Step) -> Answered:
    """Return what is said of an answer, with its end where that lies further ahead than watches look each day."""
    if answered.until is not None:
        return answered
    return msgspec.structs.replace(answered, until=find_end(target, register.facts, step.today))


def _pass(before: Answered, after: Answered) -> str:
    one, two = (each.verdict.replace("_", " ") for each in (before, after))
    if one != two:
        return f"{one} becomes {two}"
    if before.conditions != after.conditions:
        return f"{two}, under other conditions"
    until = "without a known end" if after.until is None else f"until {after.until}"
    return f"{two} {until}"


def _compare(before: Answered, after: Answered, was: Answer, now: Answer) -> list[str]:
    """Say what is different beside the verdict."""
    lines = []
    if before.conditions != after.conditions:
        known = {each.key for each in was.conditions}
        lines += [f"Condition: {each.text}" for each in now.conditions if each.key not in known]
        kept = {each.key for each in now.conditions}
        lines += [f"No condition any more: {each.text}" for each in was.conditions if each.key not in kept]
    if before.until != after.until:
        one, two = (f"until {each.until}" if each.until else "without a known end" for each in (before, after))
        lines.append(f"It holds {two}; before: {one}.")
    return lines
