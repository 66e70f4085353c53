"""What is asked: the project's own acceptance cases, each on its scratch register, as users would mix them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from cab_registry.domain.question import Question, pose, read_question
from cab_registry.engine.facts import Facts
from cab_registry.services.cases import Case, catalogue_scratch, read_cases

CASES = Path(__file__).resolve().parent.parent / "tests" / "cases"


class Asked(NamedTuple):
    """A question with the facts that it is asked of."""

    case: Case
    question: Question
    facts: Facts


def read_questions() -> list[Asked]:
    """Return every own case that needs no past state of the register."""
    registers = catalogue_scratch()
    asked = []
    for path in sorted(CASES.rglob("*.yaml")):
        for case in read_cases(path):
            if "known_at" not in case.ask:
                question = pose(read_question(case.ask), today=case.today)
                asked.append(Asked(case, question, registers.of_case(case).facts))
    return asked
