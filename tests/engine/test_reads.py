"""What an answer is said to have read is enough: what touches none of it changes no answer."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cab_registry.domain.days import When
from cab_registry.domain.question import Question, pose, read_question
from cab_registry.domain.records import (
    Accreditation,
    Agreement,
    AnyRecord,
    Authority,
    Body,
    Coverage,
    Designation,
    Economy,
    Notice,
    Position,
    Recognition,
    Requirement,
    Route,
)
from cab_registry.domain.records.rights import RightEvent
from cab_registry.engine.inquiry import Inquiry
from cab_registry.engine.reach import find_candidates
from cab_registry.engine.reads import Read, observe
from cab_registry.engine.settling import Settled, settle
from cab_registry.register.compiled import Register, Versioned, change_register, subject_of
from cab_registry.register.differences import find_touched_reads
from cab_registry.services.cases import Case, ScratchRegisters
from tests.case_files import every_case
from tests.sizes import sized

MANY = settings(max_examples=sized(25, whole=400), deadline=None, suppress_health_check=list(HealthCheck))


def question_of(case: Case) -> Question:
    document = {key: value for key, value in case.ask.items() if key != "known_at"}
    return pose(read_question(document), today=case.today, known_on=case.known_on)


def reads_of(question: Question, register: Register) -> tuple[Settled, set[Read]]:
    inquiry = Inquiry(question, register.facts)
    noting, seen = observe(inquiry, find_candidates(inquiry))
    return settle(question, noting), seen


def gist(settled: Settled) -> Any:
    return settled.outcome.signature, settled.holds


@pytest.mark.parametrize("part", range(4))
def test_noting_changes_no_answer(part: int, registers: ScratchRegisters) -> None:
    for case in every_case()[part :: sized(20, whole=4)]:
        question, register = question_of(case), registers.of_case(case)
        noted, seen = reads_of(question, register)
        assert gist(noted) == gist(settle(question, register.facts))
        assert seen
        assert len(seen) < 400


def spoil(record: AnyRecord, day: int) -> AnyRecord:
    """The same record, otherwise: as each type can be."""
    on = When(day, day)
    if isinstance(record, Accreditation | Designation | Recognition):
        event = RightEvent(event="withdrawn", on=on)
        return msgspec.structs.replace(record, timeline=(*record.timeline, event))
    if isinstance(record, Body):
        return msgspec.structs.replace(record, economy="AQ", sites=(), identifiers=())
    if isinstance(record, Authority):
        return msgspec.structs.replace(record, signatory=(), economy="AQ", members=())
    if isinstance(record, Economy):
        return msgspec.structs.replace(record, member_of=())
    if isinstance(record, Requirement):
        return msgspec.structs.replace(record, citation="Another citation", editions=record.editions[:1], part_of=None)
    if isinstance(record, Agreement):
        ended = msgspec.structs.replace(record.instrument[-1], state="terminated", on=on)
        return msgspec.structs.replace(record, instrument=(*record.instrument, ended))
    if isinstance(record, Route):
        return msgspec.structs.replace(record, result_kinds=("statement",), early_results="no", survival=())
    if isinstance(record, Position):
        return msgspec.structs.replace(record, says="accepted" if record.says == "not_accepted" else "not_accepted")
    if isinstance(record, Coverage):
        other = "partial" if record.completeness == "complete" else "complete"
        return msgspec.structs.replace(record, completeness=other)
    assert isinstance(record, Notice)
    return msgspec.structs.replace(record, on=When(day + 1, day + 1))


def near(register: Register, seen: set[Read], seed: int) -> str:
    """A record that may matter: one of those read, or one about whose body was read, or any."""
    keys = {key for _, key in seen}
    close = [
        key
        for key, (record, _) in sorted(register.records.items())
        if key in keys or subject_of(record) in keys or getattr(record, "code", None) in keys
    ]
    law = [
        key for key, (record, _) in sorted(register.records.items()) if isinstance(record, Position | Coverage | Route)
    ]
    chance = random.Random(seed)
    return chance.choice(chance.choice([close or law, law, sorted(register.records)]))


@MANY
@given(data=st.data())
def test_what_touches_no_read_changes_no_answer(data: st.DataObject, registers: ScratchRegisters) -> None:
    case = data.draw(st.sampled_from(every_case()))
    question, register = question_of(case), registers.of_case(case)
    settled, seen = reads_of(question, register)
    record_id = near(register, seen, data.draw(st.integers(0, 10_000)))
    record = register.records[record_id].record
    day = data.draw(st.sampled_from([question.presented_on - 40, question.presented_on, date(2030, 1, 1).toordinal()]))
    if data.draw(st.booleans()):
        after = change_register(register, (), removed=(record_id,))
    else:
        after = change_register(register, (Versioned(spoil(record, day), 99),))
    touched = find_touched_reads(register.facts, after.facts)
    if gist(settle(question, after.facts)) != gist(settled):
        assert touched & seen, f"{record_id} changes the answer of {case.id} and touches nothing that it read"
    if touched.isdisjoint(seen):
        again, seen_again = reads_of(question, after)
        assert gist(again) == gist(settled)
        assert seen_again == seen


def test_what_comes_to_be_there_is_a_read_too(registers: ScratchRegisters) -> None:
    register = registers.base(None)
    asked = {
        "destination": "DE",
        "result": {"kind": "test_report", "issuer": {"id": "nobody-yet"}, "issued_on": "2020-01-01"},
    }
    _, seen = reads_of(pose(read_question(asked), today=date(2026, 11, 21)), register)
    assert ("issuers", "nobody-yet") in seen
    body = register.records["us-fda"].record
    assert isinstance(body, Authority)
    new = msgspec.structs.replace(body, id="nobody-yet")
    after = change_register(register, (Versioned(new, 1),))
    assert ("issuers", "nobody-yet") in find_touched_reads(register.facts, after.facts)


def test_a_change_of_one_body_touches_that_body_alone(registers: ScratchRegisters) -> None:
    register = registers.base(None)
    record = register.records["us-fda"].record
    after = change_register(register, (Versioned(msgspec.structs.replace(record, note="a remark"), 2),))
    touched = {read for read in find_touched_reads(register.facts, after.facts) if read[1] != "*"}
    assert touched == {("issuers", "us-fda"), ("authorities", "us-fda")}
