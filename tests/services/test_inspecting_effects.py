"""Effects on results of authorities that inspect, of which a route asks for no right."""

from typing import Any

import pytest

from cab_registry.domain.days import parse_day
from cab_registry.domain.records import read_record
from cab_registry.register.compiled import Versioned, change_register
from cab_registry.services.impact import FlipTeller
from tests.engine.test_mandate import notice, position
from tests.engine.whole import whole

GMP = {"agreement": "ch-kr-gmp"}


@pytest.mark.parametrize(
    ("record", "body", "market"),
    [
        (notice("kr-mfds", "ch-swissmedic"), "ch-swissmedic", "KR"),
        (notice("kr-mfds", "kr-mfds"), "kr-mfds", "SG"),
        (position("kr-mfds", "KR", about=GMP), "ch-swissmedic", "KR"),
        (position("kr-mfds", "KR", about=GMP, says="not_accepted", **{"from": "2020-01-01"}), "ch-swissmedic", "KR"),
    ],
)
def test_what_is_said_of_an_inspectorate_is_told_where_it_flips(record: dict[str, Any], body: str, market: str) -> None:
    before = whole()
    after = change_register(before, [Versioned(read_record(record), 1)])
    flips = FlipTeller(parse_day("2026-11-21"))(before, after, [record["id"]]).flips
    assert flips is not None
    assert (body, market) in {(flip.question.body, flip.question.destination) for flip in flips.flips}
    assert flips.complete
