"""What an answer says where something is open: the sector, the market, what is missing, and no refused way."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cab_registry.domain.answer import Answer
from cab_registry.domain.question import pose, read_question
from cab_registry.engine.answer import answer
from cab_registry.engine.deciding import judge_routes
from cab_registry.engine.inquiry import Inquiry
from cab_registry.engine.reach import find_candidates
from cab_registry.services.cases import ScratchRegisters
from tests.case_files import every_case
from tests.sizes import sized

TODAY = date(2026, 12, 1)


def ask(registers: ScratchRegisters, destination: str, result: dict[str, Any], **subject: Any) -> Answer:
    document = {"destination": destination, "result": {"issued_on": "2024-03-01", **result}, "subject": subject}
    return answer(pose(read_question(document), today=TODAY), registers.base(None).facts)


THIN = (
    ("DE", {"kind": "manufacturer_declaration", "issuer_economy": "CH"}),
    ("CH", {"kind": "certificate", "issuer_economy": "GB"}),
    ("US", {"kind": "test_report", "issuer_economy": "KR"}),
)


@pytest.mark.parametrize(("destination", "result"), THIN)
def test_an_open_sector_is_said_and_no_route_is_picked(
    destination: str, result: dict[str, Any], registers: ScratchRegisters
) -> None:
    found = ask(registers, destination, result)
    assert found.verdict == "cannot_tell"
    assert "the sector is open" in found.headline
    assert any("the sector is open" in text for text in found.assumptions)
    assert "subject.sector" in found.missing
    assert found.route is None
    assert len({route.agreement for route in found.other_routes}) > 1
    assert [check.check for check in found.checks] == ["requirement"]


def test_a_sector_that_is_stated_is_not_called_open(registers: ScratchRegisters) -> None:
    result = {"kind": "manufacturer_declaration", "issuer_economy": "CH"}
    found = ask(registers, "DE", result, sector="machinery", requirement="eu-machinery-2006-42")
    assert not any("sector" in text for text in found.assumptions)
    assert found.route is not None


@pytest.mark.parametrize(("market", "other"), [("GB", "Northern Ireland (GB-NIR)"), ("GB-NIR", "Great Britain (GB)")])
def test_an_answer_for_one_market_of_a_state_names_the_other(
    market: str, other: str, registers: ScratchRegisters
) -> None:
    result = {"kind": "certificate", "issuer_economy": "DE"}
    found = ask(registers, market, result, sector="machinery", requirement="eu-machinery-2006-42")
    assert any(f"{other} is another market" in text for text in found.assumptions)
    united = [text for text in found.assumptions if text == '"United Kingdom" without more means Great Britain here']
    assert len(united) == (market == "GB")


@pytest.mark.parametrize(("market", "issued"), [("DE", "2024-03-01"), ("GB", "2019-03-01")])
def test_a_state_that_is_one_market_is_not_parted(market: str, issued: str, registers: ScratchRegisters) -> None:
    document = {
        "destination": market,
        "presented_on": issued,
        "result": {"kind": "certificate", "issuer_economy": "FR", "issued_on": issued},
        "subject": {"requirement": "eu-machinery-2006-42"},
    }
    found = answer(pose(read_question(document), today=TODAY), registers.base(None).facts)
    assert not any("another market" in text for text in found.assumptions)


def test_no_other_way_is_one_that_was_just_refused(registers: ScratchRegisters) -> None:
    named = 0
    for case in every_case()[:: sized(4, whole=1)]:
        register = registers.of_case(case)
        document = {key: value for key, value in case.ask.items() if key != "known_at"}
        question = pose(read_question(document), today=case.today, known_on=case.known_on)
        found = answer(question, register.facts)
        refused = {each.id for each in found.other_routes if each.verdict == "not_accepted"}
        if found.verdict == "not_accepted" and found.route is not None:
            refused.add(found.route.id)
        procedures = {text for key in refused for text in register.facts.routes[key].route.national_procedures}
        named += bool(procedures)
        assert not {each.route for each in found.alternatives} & refused
        assert not {each.text for each in found.alternatives} & procedures
    assert named > sized(5, whole=20)


def test_every_national_procedure_of_a_route_is_one_that_a_requirement_names(registers: ScratchRegisters) -> None:
    facts = registers.base(None).facts
    known = {text for record in facts.requirements.values() for text in record.domestic_procedures}
    for rf in facts.routes.values():
        assert set(rf.route.national_procedures) <= known, rf.route.id


def test_what_cannot_be_told_holds_for_no_days(registers: ScratchRegisters) -> None:
    for case in every_case()[:: sized(4, whole=1)]:
        if case.expect["verdict"] == "cannot_tell" and not case.ask.get("known_at"):
            found = answer(pose(read_question(case.ask), today=case.today), registers.of_case(case).facts)
            assert (found.holds.since, found.holds.until, found.holds.next_change) == (None, None, None)


def test_a_question_that_leaves_out_nothing_of_weight_is_judged_once(registers: ScratchRegisters) -> None:
    """What is left out costs only where a rule in play asks for it."""
    case = next(case for case in every_case() if case.id == "own-att-002")
    facts = registers.of_case(case).facts
    inquiry = Inquiry(pose(read_question(case.ask), today=case.today), facts)
    plain = judge_routes(inquiry, find_candidates(inquiry), inquiry.question.presented_on)
    found = answer(inquiry.question, facts)
    assert plain.best is not None
    assert found.route is not None
    assert (found.verdict, found.route.id) == (plain.verdict, plain.best.rf.route.id)
    assert found.could_bring == []
