"""Late facts: events of a right that are handed in out of order go in where they belong."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from cab_registry.domain.days import parse_when

_RIGHTS: Final = frozenset({"accreditation", "designation", "recognition"})


def order_events(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a well-formed record whose events stand in the order of days, and of entry on one day.

    What answers an event goes on answering the same one. A timeline that is in order is left as it is: where days are
    windows that meet, its author knew which came first.
    """
    events = document.get("timeline")
    if document.get("type") not in _RIGHTS or not events:
        return dict(document)
    days = [parse_when(event["on"]) for event in events]
    if all(before.earliest <= after.latest for before, after in pairwise(days)):
        return dict(document)
    order = sorted(range(len(events)), key=lambda place: (days[place].earliest, days[place].latest))
    moved = {old: new for new, old in enumerate(order)}
    return {**document, "timeline": [_answering(events[old], moved) for old in order]}


def _answering(event: Mapping[str, Any], moved: Mapping[int, int]) -> dict[str, Any]:
    answered = event.get("refers_to")
    return dict(event) if answered is None else {**event, "refers_to": moved.get(answered, answered)}
