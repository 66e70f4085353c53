"""What is done for one answer is bounded, counted in steps, and the answer says where it was cut short."""

from datetime import date
from typing import Any

import pytest

from cab_registry.domain.question import pose, read_question
from cab_registry.engine.answer import NOTE_CUT, answer
from cab_registry.engine.effort import MOST, QUICK, Effort, TooDear
from cab_registry.register.compiled import Register
from cab_registry.services.cases import catalogue_scratch

TODAY = date(2026, 11, 20)
LONG = "Directive xyz " * 21
DEAR: dict[str, dict[str, Any]] = {
    "attests": {"attests": [f"{LONG}{number}" for number in range(100)]},
    "subcontractors": {"subcontractors": [{"name": f"{LONG}{number}"} for number in range(50)]},
    "year one": {"issued_on": None, "issuer": None, "issuer_economy": "DE", "performed_on": "0001-01-01"},
}


@pytest.fixture(scope="module")
def register() -> Register:
    return catalogue_scratch().base(None)


def ask(**more: Any) -> dict[str, Any]:
    result = {"kind": "certificate", "issuer": {"id": "kr-rra"}, "issued_on": "2020-01-01", **more}
    return {"destination": "DE", "result": {key: value for key, value in result.items() if value is not None}}


@pytest.mark.parametrize("name", DEAR)
def test_a_dear_question_takes_no_more_steps_than_it_may(register: Register, name: str) -> None:
    question = pose(read_question(ask(**DEAR[name])), today=TODAY)
    effort = Effort()
    answer(question, register.facts, None, effort)
    assert effort.left > -60
    with pytest.raises(TooDear):
        answer(question, register.facts, None, Effort(QUICK, strict=True))


@pytest.mark.parametrize("most", [1, 5, 20, 60, 200])
@pytest.mark.parametrize("name", DEAR)
def test_an_answer_that_is_cut_short_says_so_and_decides_nothing_of_what_it_left_out(
    register: Register, name: str, most: int
) -> None:
    question = pose(read_question(ask(**DEAR[name])), today=TODAY)
    whole = answer(question, register.facts, None, Effort(10 * MOST))
    cut = answer(question, register.facts, None, Effort(most))
    assert cut.verdict in (whole.verdict, "cannot_tell")
    assert cut == whole or NOTE_CUT in cut.asked.notes
    assert answer(question, register.facts, None, Effort(most)) == cut
    assert NOTE_CUT not in whole.asked.notes


def test_a_plain_question_is_answered_in_a_moment(register: Register) -> None:
    question = pose(read_question(ask()), today=TODAY)
    quick = answer(question, register.facts, None, Effort(QUICK, strict=True))
    assert quick == answer(question, register.facts)
    assert NOTE_CUT not in quick.asked.notes


@pytest.mark.parametrize("name", DEAR)
def test_an_effort_that_leaves_nothing_out_gives_the_whole_answer_or_none(register: Register, name: str) -> None:
    question = pose(read_question(ask(issued_on="2024-01-01", number=name)), today=TODAY)
    whole = answer(question, register.facts)
    for most in range(40):
        try:
            assert answer(question, register.facts, None, Effort(most, strict=True)) == whole
        except TooDear:
            continue
