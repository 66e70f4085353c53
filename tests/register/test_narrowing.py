"""Events that name a class, a procedure or a kind of result alone touch that part of a right, and no other."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from cab_registry.domain.days import parse_day
from cab_registry.domain.records import Recognition, read_record
from cab_registry.engine.facts import RightState
from cab_registry.register.compiled_law import Law
from cab_registry.register.compiled_rights import compile_rights
from cab_registry.services.cases import catalogue_scratch


@cache
def _law() -> Law:
    return catalogue_scratch().base(None).law


DAY = parse_day("2025-01-01")


def _states(event: dict[str, Any], **limits: Any) -> dict[tuple[frozenset[str], frozenset[str]], RightState]:
    right = read_record(
        {
            "type": "recognition",
            "id": "r",
            "owner": "registrar",
            "body": "x",
            "by": "EU",
            "agreement": "eu-ch-mra",
            "from": "2020-01-01",
            "scope": [{"key": "all", "from": "always", "requirement": "eu-ped-2014-68", **limits}],
            "timeline": [{"event": "withdrawn", "on": "2024-01-01", **event}],
        }
    )
    assert isinstance(right, Recognition)
    (compiled,) = compile_rights([(right, 1)], _law())
    return {
        (item.procedures or item.result_kinds, item.without): item.timeline(DAY).at(DAY).state
        for item in compiled.items
    }


def test_a_module_taken_from_a_right_for_several_leaves_the_others() -> None:
    found = _states({"items": ["module_h"]}, procedures=["module_b", "module_h"])
    assert found == {
        (frozenset({"module_h"}), frozenset()): RightState.WITHDRAWN,
        (frozenset({"module_b"}), frozenset()): RightState.HELD,
    }


@pytest.mark.parametrize("word", ["module_h", "qms_approval"])
def test_a_part_taken_from_a_right_without_limits_leaves_the_rest(word: str) -> None:
    found = _states({"items": [word]})
    assert found == {
        (frozenset({word}), frozenset()): RightState.WITHDRAWN,
        (frozenset(), frozenset({word})): RightState.HELD,
    }


def test_an_event_in_words_that_name_nothing_touches_all() -> None:
    assert _states({"items": ["some of it"]}) == {(frozenset(), frozenset()): RightState.WITHDRAWN}


def test_an_event_on_another_rule_touches_nothing() -> None:
    assert _states({"items": ["eu-red-2014-53"]}) == {(frozenset(), frozenset()): RightState.HELD}
