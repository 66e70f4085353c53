"""What a reinstatement lifts: the suspension that it names, and neither another one nor a withdrawal."""

from __future__ import annotations

from typing import Any

import pytest

from cab_registry.domain.days import parse_day
from cab_registry.domain.records import Designation, read_record
from cab_registry.engine.facts import RightState
from cab_registry.register.right_timelines import resolve_items

FIRST = {"event": "suspended", "on": "2026-03-01"}
LIFTED = {"event": "reinstated", "on": "2026-06-01", "refers_to": 0}


def _state(day: str, *events: dict[str, Any]) -> RightState:
    head = {"type": "designation", "id": "d", "owner": "registrar", "body": "x", "by": "EU", "from": "2020-01-01"}
    right = read_record({**head, "agreement": "eu-ch-mra", "timeline": list(events)})
    assert isinstance(right, Designation)
    (item,) = resolve_items("designation", right)
    return item.timeline(parse_day(day)).at(parse_day(day)).state


@pytest.mark.parametrize(
    ("between", "day", "state"),
    [
        ({"event": "withdrawn", "on": "2026-05-01"}, "2026-07-01", RightState.WITHDRAWN),
        ({"event": "suspended", "on": "2026-05-01"}, "2026-07-01", RightState.SUSPENDED),
        ({"event": "suspended", "on": "2026-05-01", "until": "2026-06-20"}, "2026-06-10", RightState.SUSPENDED),
        ({"event": "suspended", "on": "2026-05-01", "until": "2026-06-20"}, "2026-06-21", RightState.HELD),
        ({"event": "notice_of_withdrawal", "on": "2026-05-01"}, "2026-07-01", RightState.HELD),
    ],
)
def test_a_reinstatement_lifts_the_suspension_that_it_names(
    between: dict[str, Any], day: str, state: RightState
) -> None:
    assert _state(day, FIRST, between, LIFTED) is state


def test_a_reinstatement_that_names_nothing_lifts_everything() -> None:
    plain = {key: value for key, value in LIFTED.items() if key != "refers_to"}
    assert _state("2026-07-01", FIRST, {"event": "withdrawn", "on": "2026-05-01"}, plain) is RightState.HELD
    assert _state("2026-07-01", FIRST, {"event": "suspended", "on": "2026-05-01"}, plain) is RightState.HELD
