"""Rule, day of issue, place and number left out: no verdict that a value would overturn, and what each could bring."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cab_registry.domain.answer import Answer
from cab_registry.domain.question import pose, read_question
from cab_registry.engine.answer import answer
from cab_registry.services.cases import Case, ScratchRegisters
from tests.case_files import every_case

GOOD = ("accepted", "accepted_with_conditions")


def _without(case: Case, part: str, name: str) -> dict[str, Any]:
    document = {key: value for key, value in case.ask.items() if key != "known_at"}
    return {**document, part: {key: value for key, value in document[part].items() if key != name}}


def _of(document: dict[str, Any], case: Case, registers: ScratchRegisters) -> Answer:
    question = pose(read_question(document), today=case.today, known_on=case.known_on)
    return answer(question, registers.of_case(case).facts)


def _accepted(part: str, name: str) -> list[Case]:
    """One case in four that is accepted, from all files."""
    found = [case for case in every_case() if case.expect["verdict"] in GOOD and case.ask.get(part, {}).get(name)]
    return found[::4]


def _brought(found: Answer, name: str) -> set[str]:
    return {verdict for each in found.could_bring if each.name == name for verdict in each.verdicts}


@pytest.mark.parametrize("case", _accepted("subject", "requirement"), ids=lambda case: case.id)
def test_a_rule_left_out_is_never_a_confident_refusal_where_one_would_pass(
    case: Case, registers: ScratchRegisters
) -> None:
    if not case.ask["subject"].get("sector"):
        return
    found = _of(_without(case, "subject", "requirement"), case, registers)
    if found.verdict in GOOD:
        return
    assert found.verdict == "cannot_tell"
    assert "subject.requirement" in found.missing
    # Tried are the rules of the sector that is stated; the rule of a case may be one of another sector.
    rule = registers.of_case(case).facts.requirements.get(case.ask["subject"]["requirement"])
    if rule is not None and rule.sector == case.ask["subject"]["sector"]:
        assert case.expect["verdict"] in _brought(found, "subject.requirement") or len(found.missing) > 1


@pytest.mark.parametrize("case", _accepted("result", "issued_on"), ids=lambda case: case.id)
def test_a_day_of_issue_left_out_is_never_a_confident_refusal(case: Case, registers: ScratchRegisters) -> None:
    if not case.ask["result"].get("performed_on"):
        return
    found = _of(_without(case, "result", "issued_on"), case, registers)
    if found.verdict not in GOOD:
        assert found.verdict == "cannot_tell"
        assert found.missing


def _case(key: str) -> Case:
    return next(case for case in every_case() if case.id == key)


@pytest.mark.parametrize("key", ["chmra-028", "life-agr-010"])
def test_an_agreement_that_ended_after_the_first_possible_day_of_issue_is_in_play(
    key: str, registers: ScratchRegisters
) -> None:
    found = _of(_without(_case(key), "result", "issued_on"), _case(key), registers)
    assert found.missing == ["result.issued_on"]
    assert _brought(found, "result.issued_on") == {_case(key).expect["verdict"], "not_covered"}


def test_the_day_of_issue_that_is_not_stated_is_told_as_such(registers: ScratchRegisters) -> None:
    found = _of(_without(_case("chmra-028"), "result", "issued_on"), _case("chmra-028"), registers)
    told = next(check.text for check in found.checks if check.check == "designation")
    assert "on the day of issue (not stated; 2028-04-20 to 2028-09-01)" in told


def test_an_inspectorate_does_not_inspect_its_own_seat(registers: ScratchRegisters) -> None:
    found = _of(_without(_case("gmp-susp-001"), "result", "performed_in"), _case("gmp-susp-001"), registers)
    assert (found.verdict, found.missing) == ("cannot_tell", ["result.performed_in"])


def test_a_number_left_out_matters_where_the_issuer_itself_replaced_some_document(
    registers: ScratchRegisters,
) -> None:
    case = _case("gmp-valid-005")
    found = _of(_without(case, "result", "number"), case, registers)
    assert (found.verdict, found.missing) == ("cannot_tell", ["result.number"])


def test_a_number_left_out_matters_where_some_document_of_the_body_was_not_taken_over(
    registers: ScratchRegisters,
) -> None:
    case = _case("own-life-nb-002")
    found = _of(_without(case, "result", "number"), case, registers)
    assert (found.verdict, found.missing) == ("cannot_tell", ["result.number"])
    assert _brought(found, "result.number") == {"accepted_with_conditions", "not_accepted"}


@pytest.mark.parametrize(("key", "written"), [("own-gmp-113", "es 201h-22"), ("own-gmp-113", "\uff25\uff33/201H/22")])
def test_a_number_in_another_spelling_is_the_same_number(key: str, written: str, registers: ScratchRegisters) -> None:
    case = _case(key)
    document = {**case.ask, "result": {**case.ask["result"], "number": written}}
    assert _of(document, case, registers).verdict == case.expect["verdict"] == "not_accepted"


def test_a_notice_from_before_the_issue_is_about_another_document(registers: ScratchRegisters) -> None:
    case = _case("gmp-valid-005")
    document = _without(case, "result", "number")
    document["result"] |= {"performed_on": "2024-04-02", "issued_on": "2024-04-20"}
    found = _of(document, case, registers)
    assert date.fromisoformat(document["result"]["issued_on"]) > date(2024, 3, 15)
    assert found.verdict == "accepted"


@pytest.mark.parametrize("key", ["own-out-gbjp-noone", "own-out-au-noone", "own-out-clkr-noone"])
def test_a_rule_that_names_nothing_is_never_refused(key: str, registers: ScratchRegisters) -> None:
    case = _case(key)
    document = _without(case, "subject", "requirement")
    document["subject"]["requirement"] = "asdf"
    document["result"]["issuer"] = {"id": case.given[0]["body"]["id"]}
    found = _of(document, case, registers)
    assert found.verdict == "cannot_tell"
    assert "subject.requirement" in found.missing
    assert set(_brought(found, "subject.requirement")) == {"not_accepted", "not_covered"}


def test_a_sector_left_out_with_the_rule_may_bring_what_its_own_rules_bring(registers: ScratchRegisters) -> None:
    case = _case("own-out-casg-noreq")
    found = _of({**case.ask, "subject": {}}, case, registers)
    assert "accepted" in _brought(found, "subject.sector")
