"""Documents dated after the day on which they are shown (domain.md, section 9, points 12 and 17)."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from cab_registry.domain.answer import Answer
from cab_registry.domain.question import pose, read_question
from cab_registry.engine.answer import answer
from cab_registry.services.cases import Case, ScratchRegisters
from tests.case_files import every_case

TODAY = date(2026, 12, 1)
LATER = "2033-05-02"


def _accepted() -> list[Case]:
    cases = [case for case in every_case() if case.given and case.expect["verdict"] == "accepted"]
    fitting = [case for case in cases if not case.ask["result"].keys() & {"submitted_on", "valid_until", "ordered_on"}]
    return [case for case in fitting if not case.ask.keys() & {"known_at", "standing_on"}][::6]


def _later(case: Case, **fields: Any) -> dict[str, Any]:
    result = {key: value for key, value in case.ask["result"].items() if key != "performed_on"}
    ask = {key: value for key, value in case.ask.items() if key != "presented_on"}
    return {**ask, **fields, "result": {**result, "issued_on": LATER}}


def _of(document: dict[str, Any], case: Case, registers: ScratchRegisters) -> Answer:
    return answer(pose(read_question(document), today=TODAY), registers.of_case(case).facts)


@pytest.mark.parametrize("case", _accepted(), ids=lambda case: case.id)
def test_a_document_of_tomorrow_is_judged_on_its_own_day_and_the_answer_says_so(
    case: Case, registers: ScratchRegisters
) -> None:
    own = _of(_later(case, presented_on=LATER), case, registers)
    unstated = _of(_later(case), case, registers)
    planned = _of(_later(case, presented_on="2026-12-24"), case, registers)
    assert unstated.asked.presented_on == LATER
    assert planned.asked.presented_on == "2026-12-24"
    assert any(f"your document is dated {LATER}, later than today" in each for each in unstated.assumptions)
    told = f"your document is planned: it is dated {LATER}, after 2026-12-24"
    assert any(told in each for each in planned.assumptions)
    plain = [msgspec.to_builtins(each) for each in (own, unstated, planned)]
    for each in plain:
        each.pop("asked")
        each["assumptions"] = []
    assert plain[0] == plain[1] == plain[2]
