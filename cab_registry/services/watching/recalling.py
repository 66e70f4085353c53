"""Losses that reach back: what was answered as accepted for days that are past, and is not held so any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from cab_registry.domain.answer import Answer
from cab_registry.domain.days import LATEST, show_day
from cab_registry.domain.records import Position
from cab_registry.engine.inquiry import Inquiry
from cab_registry.engine.reach import find_candidates
from cab_registry.register.compiled import Register
from cab_registry.services.change_days import ChangeDays
from cab_registry.services.effects import first_day
from cab_registry.services.history import Reference
from cab_registry.services.naming import name_in
from cab_registry.services.watching.events import PositionTold, Recall
from cab_registry.services.watching.targets import Target
from cab_registry.services.watching.watched_answers import ACCEPTED, Answered, answer_on, standing_of


def find_recall(
    before: Register,
    after: Register,
    today: int,
    target: Target,
    answers: tuple[Answered, Answered],
    now: Answer,
    changed: Sequence[str],
) -> Recall | None:
    """Return what is taken back of a watched question, if its loss reaches back before today."""
    first = (
        _first_lost(before, after, today, target, changed)
        if target.kind == "standing" and target.rolling
        else _lost_since(answers, today, target)
    )
    if first is None:
        return None
    failing = next((each for each in now.checks if each.check == now.first_failing), None)
    results = say_lost(now.verdict, show_day(first), are_many=target.kind == "standing")
    return Recall(
        results=results,
        from_=show_day(first),
        by=tell_owners(before, after, changed),
        article=failing.citation if failing is not None else None,
        positions=_differing(after, now),
    )


def say_lost(verdict: str, first: str, *, are_many: bool) -> str:
    """Say what was held to be accepted, and what it is now."""
    them, are = ("they", "are") if are_many else ("it", "is")
    say = f"{them} {are} {verdict.replace('_', ' ')}"
    if verdict == "cannot_tell":
        say = f"we can no longer tell whether {them} {are}"
    if are_many:
        return f"Results performed, issued and presented from {first} on were held to be accepted; {say}."
    return f"This document was held to be accepted; for whoever presents it from {first} on, {say}."


def tell_owners(before: Register, after: Register, changed: Iterable[str]) -> list[Reference]:
    """Return the authorities whose records changed."""
    name_of = name_in(after)
    owners = dict.fromkeys(
        versioned.record.owner
        for key in changed
        for side in (after, before)
        if (versioned := side.records.get(key)) is not None
    )
    return [Reference(owner, name_of(owner)) for owner in owners]


def _lost_since(answers: tuple[Answered, Answered], today: int, target: Target) -> int | None:
    """Return the first day from which a document is not accepted any more, if that is past."""
    was, now = answers
    if was.verdict not in ACCEPTED or now.verdict in ACCEPTED:
        return None
    day = min(target.pose(date.fromordinal(today)).presented_on, today)
    known = [date.fromisoformat(each.since).toordinal() for each in answers if each.since is not None]
    since = min(max(known, default=day), day)
    return since if since < today else None


def _first_lost(before: Register, after: Register, today: int, target: Target, changed: Sequence[str]) -> int | None:
    """Return the first day that is past for which a standing question was accepted and is not any more."""
    first = first_day(before, after, changed, today)
    if first >= today:
        return None
    inquiries = [Inquiry(target.pose(date.fromordinal(today)), side.facts) for side in (before, after)]
    sides = tuple((each.facts, find_candidates(each)) for each in inquiries)
    standing, economy = standing_of(inquiries[1]), inquiries[1].economy
    for day in ChangeDays(first, min(today, LATEST) - 1).of(standing, economy, sides):
        verdicts = [answer_on(target, side.facts, day, today).verdict for side in (before, after)]
        if verdicts[0] in ACCEPTED and verdicts[1] not in ACCEPTED:
            return day
    return None


def _differing(register: Register, now: Answer) -> list[PositionTold]:
    """Return the positions on the class of results that say otherwise than the answer."""
    name_of = name_in(register)
    told = []
    for shown in now.positions:
        versioned = register.records.get(shown.record)
        record = versioned.record if versioned is not None else None
        if isinstance(record, Position) and record.says != now.verdict:
            by = Reference(record.by, name_of(record.by))
            told.append(PositionTold(id=record.id, by=by, says=record.says, binds_in=list(record.binds_in)))
    return told
