"""The effect of a submission: its records in words, and the standing answers that it flips."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from cab_registry.domain.records import write_record
from cab_registry.register.compiled import Register, subject_of
from cab_registry.services.describing import NameOf, describe_changes, title_of
from cab_registry.services.effects import Flip, describe_flip, find_flips, first_day
from cab_registry.services.naming import name_in

AHEAD: Final = 2 * 366
"""How many days after today are looked at."""


class RecordTold(msgspec.Struct, frozen=True, kw_only=True):
    """A record that changes, in words."""

    id: str
    title: str
    words: Annotated[list[str], Meta(description="One line for each change.")]


class FlipsTold(msgspec.Struct, frozen=True, kw_only=True):
    """Which standing answers flip: a result that is performed, issued and presented on one day."""

    sentences: Annotated[list[str], Meta(description="One for each flip.")]
    flips: list[Flip]
    since: Annotated[str, Meta(description="First day looked at.")]
    until: Annotated[str, Meta(description="Last day looked at.")]
    complete: Annotated[bool, Meta(description="False: there were more questions than are asked at once.")]


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What a submission changes."""

    records: list[RecordTold]
    flips: FlipsTold | None = None


def tell_words(before: Register, after: Register, changed: Sequence[str]) -> Effect:
    """Say in words what changes from one register to another, of which these records differ."""
    name_of = name_in(after)
    return Effect(records=[_tell(before, after, each, name_of) for each in changed])


@dataclass(frozen=True, slots=True)
class FlipTeller:
    """Says what changes, in words and in answers, on a day."""

    today: int

    def __call__(self, before: Register, after: Register, changed: Sequence[str]) -> Effect:
        """Say what changes from one register to another, of which these records differ."""
        told = tell_words(before, after, changed)
        bodies = sorted(_concerned(before, after, changed))
        return msgspec.structs.replace(told, flips=self.find(before, after, changed, bodies))

    def find(self, before: Register, after: Register, changed: Sequence[str], bodies: Sequence[str]) -> FlipsTold:
        """Find the standing answers of some bodies that a change flips, from the first day that it reaches."""
        first = first_day(before, after, changed, self.today)
        found = find_flips(before, after, bodies, on=first, horizon=self.today - first + AHEAD, known_on=self.today)
        name_of = name_in(after)
        return FlipsTold(
            sentences=[_say(flip, name_of, named=len(bodies) > 1) for flip in found.flips],
            flips=found.flips,
            since=found.since,
            until=found.until,
            complete=found.complete,
        )


def _tell(before: Register, after: Register, record_id: str, name_of: NameOf) -> RecordTold:
    one, two = (side.records.get(record_id) for side in (before, after))
    if two is None:
        title = title_of(write_record(one.record), name_of) if one is not None else record_id
        return RecordTold(id=record_id, title=title, words=[f"{title} is retired: it was no fact"])
    document = write_record(two.record)
    was = None if one is None else write_record(one.record)
    return RecordTold(id=record_id, title=title_of(document, name_of), words=describe_changes(was, document, name_of))


def _concerned(before: Register, after: Register, changed: Iterable[str]) -> Iterator[str]:
    """Yield the issuers whose answers may flip: those that records speak of; of law that changes, all."""
    bodies: set[str] = set()
    for record_id in changed:
        for side in (before, after):
            versioned = side.records.get(record_id)
            subject = None if versioned is None else subject_of(versioned.record)
            if versioned is not None and subject is None:
                yield from {*before.facts.issuers, *after.facts.issuers}
                return
            if subject is not None:
                bodies.add(subject)
    yield from (each for each in bodies if each in before.facts.issuers or each in after.facts.issuers)


def _say(flip: Flip, name_of: NameOf, *, named: bool) -> str:
    sentence = describe_flip(flip, name_of)
    return f"{name_of(flip.question.body)}: {sentence}" if named else sentence
