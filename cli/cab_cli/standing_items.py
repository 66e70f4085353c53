"""The scope items of a right on record as answers judge them: which were given, from when, and whether they stand."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from cab_cli.drafts import Document
from cab_registry.domain.days import LATEST, NEVER, When, parse_when

_LISTS: Final = ("standards", "product_classes", "procedures", "result_kinds")


class Item(NamedTuple):
    """A scope item and what it is worth: `given` unless it was only asked for."""

    document: Document
    given: bool
    timeline: Any

    def spell(self) -> tuple[Any, ...]:
        """Return what it covers, whatever its key and days."""
        return spell_item(self.document)

    def is_told_by(self, row: Document) -> bool:
        """Whether a row says of this item what the record says, key and days included, as an exported one does."""
        days = all(self.document.get(name) == row.get(name) for name in ("key", "from", "until"))
        return days and self.spell() == spell_item(row)

    def standing(self, start: Any, until: Any) -> "Standing | None":
        """Return how it stands on the first of certain days on which it is there; none where it is not on any."""
        from cab_registry.engine.facts import RightState

        if not self.given:
            return None
        last = parse_when(until).earliest if until is not None else LATEST
        there = (RightState.HELD, RightState.SUSPENDED, RightState.UNKNOWN, RightState.EDITION_ENDED)
        for status in self.timeline.over(parse_when(start).latest, last):
            if status.state in there:
                suspended = status.on if status.state is RightState.SUSPENDED else None
                return Standing(status.start, None if status.end == NEVER else status.end, suspended)
        return None


class Standing(NamedTuple):
    """From when a scope item holds, its own last day, and since when it is suspended; none: it is not."""

    start: When
    end: When | None
    suspended: When | None

    def say(self) -> str:
        """Say what to do instead of giving it again."""
        if self.suspended is not None:
            return f"it is suspended since {self.suspended}; cab reinstate lifts that"
        wrong = "a wrong day is mended with cab correct"
        if self.end is None:
            return wrong
        return f"it ends on {self.end}; a new period begins on {self.end.moved(1)} at the earliest, and {wrong}"


def spell_item(item: Document) -> tuple[Any, ...]:
    """Return what a scope item covers, whatever its key and days."""
    return (item.get("requirement"), item.get("text"), *(frozenset(item.get(name) or ()) for name in _LISTS))


def read_items(right: Document) -> Sequence[Item]:
    """Return the scope items of a right that is well-formed, else none."""
    import msgspec

    from cab_registry.domain.records import read_record
    from cab_registry.domain.records.rights import Right
    from cab_registry.engine.facts import RightState
    from cab_registry.register.right_timelines import resolve_lanes

    try:
        record = read_record({"id": "unnamed", "owner": "unnamed", **right})
    except msgspec.ValidationError:
        return ()
    if not isinstance(record, Right):
        return ()
    found = []
    for item, document in zip(record.scope, right.get("scope", []), strict=True):
        timeline = resolve_lanes(right["type"], record, item)[-1].timeline
        given = any(status.state is not RightState.NOT_YET for status in timeline.states)
        found.append(Item(document, given, timeline))
    return found
