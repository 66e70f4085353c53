"""Events that are told late, in whatever order they are handed in."""

from typing import Any

import pytest

from cab_registry.register.ordering import order_events


def right(*events: tuple[Any, ...]) -> dict[str, Any]:
    keys = ("event", "on", "refers_to")
    return {"type": "recognition", "timeline": [dict(zip(keys, event, strict=False)) for event in events]}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # A suspension that is told after a later event.
        (
            right(("recognised", "2020-01-01"), ("extended", "2024-05-01"), ("suspended", "2023-10-10")),
            right(("recognised", "2020-01-01"), ("suspended", "2023-10-10"), ("extended", "2024-05-01")),
        ),
        # What answers an event goes on answering it, wherever the two stood.
        (
            right(("suspended", "2024-01-01"), ("reinstated", "2024-02-01", 0), ("contested", "2023-12-01")),
            right(("contested", "2023-12-01"), ("suspended", "2024-01-01"), ("reinstated", "2024-02-01", 1)),
        ),
        (
            right(("reinstated", "2024-02-01", 1), ("suspended", "2024-01-01")),
            right(("suspended", "2024-01-01"), ("reinstated", "2024-02-01", 0)),
        ),
        # One day: as handed in.
        (
            right(("renewed", "2024-03-01"), ("suspended", "2024-01-01"), ("reinstated", "2024-01-01", 1)),
            right(("suspended", "2024-01-01"), ("reinstated", "2024-01-01", 0), ("renewed", "2024-03-01")),
        ),
    ],
)
def test_late_events_go_in_where_they_belong(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert order_events(given) == expected


def test_windows_that_meet_stay_as_their_author_put_them() -> None:
    window = {"not_before": "2024-01-01", "not_after": "2024-12-31"}
    document = right(("recognised", "2024-06-01"), ("suspended", window))
    assert order_events(document) == document


def test_other_records_are_left_alone() -> None:
    document = {"type": "agreement", "timeline": [{"on": "2024-01-01"}, {"on": "2023-01-01"}]}
    assert order_events(document) == document
