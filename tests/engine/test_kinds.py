"""A body on record as one kind is refused as another only where the list of that kind is complete."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cab_registry.domain.answer import Answer
from cab_registry.domain.question import pose, read_question
from cab_registry.engine.answer import answer
from cab_registry.services.cases import Case, ScratchRegisters
from tests.case_files import every_case


def _case(key: str) -> Case:
    return next(case for case in every_case() if case.id == key)


def _ask(case: Case, registers: ScratchRegisters) -> Answer:
    question = pose(read_question(case.ask), today=case.today, known_on=case.known_on)
    return answer(question, registers.of_case(case).facts)


def _as(kind: str, fact: dict[str, Any]) -> dict[str, Any]:
    return {"body": {**fact["body"], "kind": kind}} if "body" in fact else fact


@pytest.mark.parametrize(("completeness", "verdict"), [("complete", "not_accepted"), ("partial", "cannot_tell")])
def test_a_record_from_another_list_denies_nothing_that_a_partial_list_may_hold(
    completeness: str, verdict: str, registers: ScratchRegisters
) -> None:
    case = _case("own-tel-fcc-022")
    coverage = {"coverage": {"by": "us-fcc", "kinds": ["recognition"], "completeness": completeness}}
    given = (*(_as("certification_body", fact) for fact in case.given if "recognition" not in fact), coverage)
    found = _ask(replace(case, given=given), registers)
    assert found.verdict == verdict
    told = next(check.text for check in found.checks if check.check == "issuer")
    assert ("is not complete" in told) is (completeness == "partial")


def test_a_result_after_the_end_of_a_listing_lost_nothing(registers: ScratchRegisters) -> None:
    case = _case("own-held-009")
    survival = next(check for check in _ask(case, registers).checks if check.check == "survival")
    assert survival.text == "Nothing was lost between issue and presentation."
