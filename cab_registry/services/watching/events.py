"""What notices say: the documents that webhooks carry, mails are written from, and feeds show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from cab_registry.services.effects import Flip
from cab_registry.services.history import Reference
from cab_registry.services.watching.watched_answers import Answered
from cab_registry.storage.canonical import canonical_bytes, spell_instant
from cab_registry.storage.entries import Change

EventType = Literal[
    "answer.changed",
    "answer.recalled",
    "answer.turned",
    "answer.forecast",
    "record.changed",
    "record.recalled",
    "record.expiring",
]


EVENT_TYPES: Final[Mapping[EventType, str]] = {
    "answer.changed": "A submission changed the answer to a watched question: its verdict, its conditions, or until "
    "when it holds.",
    "answer.recalled": "As above, and the loss reaches back: what was accepted on days that are past is not any more.",
    "answer.turned": "The day came on which the answer became another one, without any submission.",
    "answer.forecast": "The answer is going to be another one from a day on, as things stand; told 120, 90, 30 and 7 "
    "days ahead.",
    "record.changed": "A record of a watched body, scope, agreement or authority has a new version, or is retired; or "
    "standing answers of the body flip.",
    "record.recalled": "As above, and standing answers of the body that were accepted on days that are past are not "
    "any more.",
    "record.expiring": "Something of a watched body, scope, agreement or authority ends; told 120, 90, 30, 7 days "
    "before its last valid day and on it.",
}
"""What each type of notice tells."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Something to look at."""

    title: str
    address: str


class WatchNamed(msgspec.Struct, frozen=True, kw_only=True):
    """The watch to which a notice belongs, by the watcher's own names."""

    id: str
    name: str
    row: str


class ChangeTold(msgspec.Struct, frozen=True, kw_only=True):
    """A record version that caused a notice."""

    id: str
    type: str
    version: int
    change: Change
    title: str
    authority: Annotated[Reference, Meta(description="The authority whose record it is.")]
    words: Annotated[list[str], Meta(description="What changed, line by line.")]


class CauseTold(msgspec.Struct, frozen=True, kw_only=True):
    """The submission that caused a notice."""

    position: Annotated[int, Meta(description="Its last position of the log.")]
    recorded: str
    submission: str
    public_reason: str
    records: list[ChangeTold]


class PositionTold(msgspec.Struct, frozen=True, kw_only=True):
    """What an authority says on the class of results, otherwise than what is held now."""

    id: str
    by: Reference
    says: str
    binds_in: list[str]


class Recall(msgspec.Struct, frozen=True, kw_only=True):
    """A loss that reaches back: what was answered as accepted is not held so any more for days that are past."""

    results: Annotated[str, Meta(description="Which results, and what is held of them now.")]
    from_: Annotated[str, Meta(description="The first day from which it is held.")] = msgspec.field(name="from")
    by: Annotated[list[Reference], Meta(description="By whom.")]
    article: Annotated[str | None, Meta(description="Where the text says so.")] = None
    positions: Annotated[list[PositionTold], Meta(description="Positions that differ.")] = []


class EndTold(msgspec.Struct, frozen=True, kw_only=True):
    """Something that ends."""

    key: Annotated[str, Meta(description="Names the fact with its end; the same in every reminder of it.")]
    kind: str
    record: str
    until: Annotated[str, Meta(description="The last valid day.")]
    days: Annotated[int, Meta(description="How many days are left.")]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The data of a notice. What does not apply to its type is null or empty."""

    headline: Annotated[str, Meta(description="What happened, in a few words.")]
    sentences: Annotated[list[str], Meta(description="What happened, with reasons, line by line.")]
    links: Annotated[list[Link], Meta(description="Where to look.")]
    watch: Annotated[WatchNamed, Meta(description="The watch, by id and by the watcher's own names.")]
    target: Annotated[dict[str, Any], Meta(description="What is watched.")]
    on: Annotated[str, Meta(description="The day for which it was asked.")]
    before: Annotated[Answered | None, Meta(description="The answer as it was.")] = None
    after: Annotated[Answered | None, Meta(description="The answer as it is now.")] = None
    turns_on: Annotated[str | None, Meta(description="The day on which the answer becomes another one.")] = None
    cause: Annotated[CauseTold | None, Meta(description="The submission that caused it; null: the calendar did.")] = (
        None
    )
    flips: Annotated[list[Flip], Meta(description="Standing answers of the body that flip.")] = []
    recall: Annotated[
        Recall | None, Meta(description="What is taken back, from when, by whom, and where it says so.")
    ] = None
    end: Annotated[EndTold | None, Meta(description="What ends, and when.")] = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A notice as it travels (the shape of Standard Webhooks)."""

    type: EventType
    timestamp: str
    data: Told


def spell_event(kind: EventType, now: datetime, data: Told) -> bytes:
    """Spell a notice as canonical JSON in UTF-8."""
    return canonical_bytes(msgspec.to_builtins(Event(type=kind, timestamp=spell_instant(now), data=data)))
