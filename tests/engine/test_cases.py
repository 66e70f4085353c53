"""The acceptance cases by library: the project's own, and the shared suite where it stands beside the project."""

from __future__ import annotations

from typing import Any

import pytest

from cab_registry.services.cases import Case, ScratchRegisters, run_case
from tests.case_files import every_case, shared_cases


@pytest.mark.parametrize("case", every_case(), ids=lambda case: f"{case.id}-{case.place}")
def test_own_case(case: Case, registers: ScratchRegisters) -> None:
    result = run_case(case, registers)
    assert result.misses == ()
    hold_the_checks(result.answer)
    hold_the_sentences(result.answer)


def hold_the_checks(answer: dict[str, Any]) -> None:
    """Every refusal names its first failing check."""
    outcomes = [check["outcome"] for check in answer["checks"]]
    if answer["verdict"] == "not_accepted":
        first = outcomes.index("fail")
        assert answer["checks"][first]["check"] == answer["first_failing"]
    elif answer["verdict"] == "cannot_tell":
        assert "fail" not in outcomes
        assert answer["checks"][outcomes.index("unknown")]["check"] == answer["first_failing"]
    elif answer["verdict"] in ("accepted", "accepted_with_conditions"):
        assert set(outcomes) <= {"pass", "not_applicable"}
        assert bool(answer["conditions"]) is (answer["verdict"] == "accepted_with_conditions")
    else:
        assert answer["route"] is None
        assert answer["near"]


def hold_the_sentences(answer: dict[str, Any]) -> None:
    """Sentences hold no placeholder and no key."""
    texts = [
        answer["headline"],
        *(check["text"] for check in answer["checks"]),
        *(near["text"] for near in answer["near"]),
    ]
    for text in texts:
        assert "{" not in text
        assert "}" not in text
        assert "_" not in text.replace("_", "", text.count("x_")), text


def test_there_are_many_own_cases() -> None:
    assert len(every_case()) >= 250


def test_ids_of_cases_are_unique() -> None:
    ids = [case.id for case in every_case()]
    assert len(ids) == len(set(ids))


def test_shared_cases(registers: ScratchRegisters) -> None:
    """With no shared suite beside the project there is nothing to run, and that is no failure."""
    missed = [result for case in shared_cases() if not (result := run_case(case, registers)).passed]
    assert [(result.case.id, result.misses) for result in missed] == []
