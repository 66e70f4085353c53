"""Scope items of one right beside one another."""

from __future__ import annotations

from typing import Any

import pytest

from cab_registry.domain.records import AnyRecord, read_record
from cab_registry.register.scopes import find_repeated


def item(key: str, start: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "requirement": "us-47cfr-15c", "from": start, **more}


def designation(*items: dict[str, Any], timeline: Any = ()) -> AnyRecord:
    head = {"type": "designation", "id": "x", "owner": "kr-rra", "by": "kr-rra", "body": "x-body"}
    return read_record({**head, "agreement": "apec-tel-us-kr", "scope": list(items), "timeline": list(timeline)})


@pytest.mark.parametrize(
    ("first", "second", "timeline", "repeated"),
    [
        (item("a", "2025-03-01"), item("b", "2025-09-01"), (), True),
        (item("a", "2025-03-01", until="2025-08-31"), item("b", "2025-09-01"), (), False),
        (item("a", "2025-03-01"), item("b", "2025-09-01", standards=["M"]), (), False),
        (item("a", "2025-03-01"), item("b", "2025-09-01"), [{"event": "withdrawn", "on": "2025-06-01"}], False),
    ],
)
def test_an_item_said_twice_is_told_once(first: Any, second: Any, timeline: Any, repeated: bool) -> None:
    one, both = designation(first), designation(first, second, timeline=timeline)
    assert bool(list(find_repeated(one, both))) is repeated
    assert bool(list(find_repeated(None, both))) is repeated
    assert list(find_repeated(both, both)) == []


def test_what_was_asked_for_and_what_was_given_are_two_things() -> None:
    given = [{"event": "proposed", "on": "2025-01-01"}, {"event": "designated", "on": "2025-02-01", "items": ["b"]}]
    assert list(find_repeated(None, designation(item("a", "always"), item("b", "2025-02-01"), timeline=given))) == []
