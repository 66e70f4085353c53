"""The acceptance cases by library: the project's own, and the shared suite where it stands beside the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cab_registry.services.cases import Case, ScratchRegisters, read_cases, run_case

CASES = Path(__file__).resolve().parent.parent / "cases"
SHARED = Path(os.environ.get("CAB_SHARED_CASES", CASES.parent.parent.parent / "shared" / "cases"))
FIELDS = ("telecom", "pharma", "eu_ch", "lifecycle", "sharper")


def _own() -> list[Case]:
    return [case for path in sorted(CASES.rglob("*.yaml")) for case in read_cases(path)]


def _shared() -> list[Case]:
    return [case for field in FIELDS if (path := SHARED / f"{field}.yaml").is_file() for case in read_cases(path)]


@pytest.mark.parametrize("case", _own(), ids=lambda case: f"{case.id}-{case.place}")
def test_own_case(case: Case, registers: ScratchRegisters) -> None:
    result = run_case(case, registers)
    assert result.misses == ()


def test_there_are_many_own_cases() -> None:
    assert len(_own()) >= 250


def test_ids_of_cases_are_unique() -> None:
    ids = [case.id for case in _own()]
    assert len(ids) == len(set(ids))


def test_shared_cases(registers: ScratchRegisters) -> None:
    """With no shared suite beside the project there is nothing to run, and that is no failure."""
    missed = [result for case in _shared() if not (result := run_case(case, registers)).passed]
    assert [(result.case.id, result.misses) for result in missed] == []


def test_every_refusal_names_its_first_failing_check(registers: ScratchRegisters) -> None:
    for case in _own():
        answer = run_case(case, registers).answer
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


def test_sentences_hold_no_placeholder_and_no_key(registers: ScratchRegisters) -> None:
    for case in _own():
        answer = run_case(case, registers).answer
        texts = [
            answer["headline"],
            *(check["text"] for check in answer["checks"]),
            *(near["text"] for near in answer["near"]),
        ]
        for text in texts:
            assert "{" not in text
            assert "}" not in text
            assert "_" not in text.replace("_", "", text.count("x_")), text
