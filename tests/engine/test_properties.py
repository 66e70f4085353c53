"""Properties of the engine: total, blind to order and the unrelated, never kinder for a loss, true to `holds`."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cab_registry.domain.codes import ResultKind
from cab_registry.domain.question import Question, Span, pose, read_question
from cab_registry.domain.records import read_record
from cab_registry.engine.answer import answer
from cab_registry.register.compiled import Register, Versioned, change_register, compile_register
from cab_registry.services.cases import Case, ScratchRegisters
from tests.case_files import every_case
from tests.sizes import sized

KINDER = {"accepted", "accepted_with_conditions"}
RELAXED = settings(max_examples=sized(20, whole=300), deadline=None, suppress_health_check=list(HealthCheck))


def _question(case: Case, **changed: Any) -> Question:
    document = {key: value for key, value in case.ask.items() if key != "known_at"}
    question = pose(read_question(document), today=case.today, known_on=case.known_on)
    return msgspec.structs.replace(question, **changed)


def _plain(question: Question, register: Register) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(answer(question, register.facts))
    return plain


days = st.dates(date(1998, 1, 1), date(2029, 12, 31))


@st.composite
def questions(draw: st.DrawFn, register: Register) -> Question:
    """Any well-formed question in the words of the catalogue, sense or nonsense."""
    facts = register.facts
    economies = st.sampled_from(sorted(facts.economies))
    issued = draw(days)
    result = draw(
        st.fixed_dictionaries(
            {"kind": st.sampled_from(get_args(ResultKind)), "issuer_economy": economies},
            optional={
                "performed_on": st.integers(0, 400).map(lambda back: (issued - timedelta(days=back)).isoformat()),
                "performed_in": economies,
                "issuer": st.sampled_from(sorted(facts.issuers)).map(lambda issuer: {"id": issuer}),
                "findings": st.sampled_from(["NAI", "OAI", "compliant", "odd"]),
                "number": st.sampled_from(["A-1", "160.001/EC1234/0001"]),
            },
        )
    )
    subject = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "requirement": st.sampled_from([*sorted(facts.requirements), "no such rule"]),
                "product_class": st.sampled_from(["human_finished", "vet_finished", "ite", "plasma_derived"]),
                "procedure": st.sampled_from(["certification", "module_b", "module_d", "fcc_sdoc"]),
                "activity": st.sampled_from(["surveillance", "pre_approval"]),
                "sector": st.sampled_from(["telecom_radio", "pharma_gmp_human", "customs_aeo"]),
            },
        )
    )
    if "issuer" in result and draw(st.booleans()):
        del result["issuer_economy"]
    document = {
        "destination": draw(economies),
        "presented_on": draw(days).isoformat(),
        "result": {**result, "issued_on": issued.isoformat()},
        "subject": subject,
    }
    return pose(read_question(document), today=date(2026, 11, 21))


@RELAXED
@given(data=st.data())
def test_the_engine_is_total(data: st.DataObject, registers: ScratchRegisters) -> None:
    register = registers.base(None)
    question = data.draw(questions(register))
    plain = _plain(question, register)
    assert plain["verdict"] in {"accepted", "accepted_with_conditions", "not_accepted", "not_covered", "cannot_tell"}
    assert plain["headline"]
    assert plain == _plain(question, register)


@pytest.mark.parametrize("day", [date.min, date(1, 1, 2), date(9999, 1, 31), date.max])
def test_the_engine_is_total_at_both_ends_of_the_calendar(day: date, registers: ScratchRegisters) -> None:
    register = registers.base(None)
    ordinal = day.toordinal()
    for case in random.Random(ordinal).sample(every_case(), sized(20, whole=200)):
        asked = _question(case)
        for standing in (False, True):
            span = Span(ordinal, ordinal)
            question = msgspec.structs.replace(
                asked, standing=standing, presented_on=ordinal, performed=span, issued=ordinal, submitted=ordinal
            )
            assert _plain(question, register)["headline"]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_facts_changes_nothing(seed: int, registers: ScratchRegisters) -> None:
    chosen = random.Random(seed).sample(every_case(), 12)
    for case in chosen:
        register = registers.of_case(case)
        records = list(register.records.values())
        random.Random(seed + 1).shuffle(records)
        shuffled = compile_register(records, complete=True)
        question = _question(case)
        assert _plain(question, register) == _plain(question, shuffled)


def _unrelated(economy: str) -> list[Versioned]:
    body = {
        "type": "body",
        "id": "zz-unrelated-body",
        "owner": "registrar",
        "names": [{"name": "Wholly unrelated body of nowhere", "from": "always"}],
        "economy": economy,
        "kinds": ["testing_laboratory", "certification_body"],
        "identifiers": [{"scheme": "zz-scheme", "value": "ZZ-1", "from": "always"}],
    }
    right = {
        "body": "zz-unrelated-body",
        "owner": "registrar",
        "scope": [{"key": "a", "requirement": "us-47cfr-15c", "from": "always"}],
    }
    documents = [
        body,
        {
            "type": "accreditation",
            "id": "zz-accreditation",
            "by": "us-a2la",
            "standard": "ISO/IEC 17025",
            "from": "2001-01-01",
            **right,
        },
        {"type": "recognition", "id": "zz-recognition", "by": "us-fcc", "from": "2001-01-01", **right},
        {
            "type": "notice",
            "id": "zz-notice",
            "owner": "registrar",
            "effect": "cancelled",
            "on": "2001-01-01",
            "about": {"body": "zz-unrelated-body", "number": "ZZ-77"},
        },
    ]
    return [Versioned(read_record(document), 1) for document in documents]


def test_an_unrelated_fact_changes_nothing(registers: ScratchRegisters) -> None:
    for case in every_case()[:: sized(12, whole=3)]:
        register = registers.of_case(case)
        question = _question(case)
        stated = case.ask["result"].get("issuer_economy")
        economy = stated if stated in register.facts.economies else "US"
        plain, beside = _plain(question, register), _plain(question, change_register(register, _unrelated(economy)))
        if "issuer" in case.ask["result"]:
            assert beside == plain
        else:
            # Who issued it is open, so that every body of the economy is named; it changes no verdict.
            assert (beside["verdict"], beside["missing"]) == (plain["verdict"], plain["missing"])


LOSSES = ("suspended", "withdrawn", "expired")


@RELAXED
@given(data=st.data())
def test_a_loss_never_makes_an_answer_kinder(data: st.DataObject, registers: ScratchRegisters) -> None:
    case = data.draw(st.sampled_from([case for case in every_case() if case.given]))
    register = registers.of_case(case)
    question = _question(case)
    before = _plain(question, register)["verdict"]
    rights = [
        v for v in register.records.values() if v.record.id.startswith("given-") and hasattr(v.record, "timeline")
    ]
    if not rights or before in KINDER:
        return
    chosen = data.draw(st.sampled_from(sorted(rights, key=lambda v: v.record.id)))
    event = {"event": data.draw(st.sampled_from(LOSSES)), "on": data.draw(days).isoformat()}
    document = msgspec.to_builtins(chosen.record, enc_hook=lambda value: value.plain())
    document["timeline"] = [*document.get("timeline", ()), event]
    lost = change_register(register, [Versioned(read_record(document), chosen.version + 1)])
    assert _plain(question, lost)["verdict"] not in KINDER


@RELAXED
@given(data=st.data())
def test_a_negative_notice_never_makes_an_answer_kinder(data: st.DataObject, registers: ScratchRegisters) -> None:
    case = data.draw(st.sampled_from([case for case in every_case() if case.ask["result"].get("issuer", {}).get("id")]))
    register = registers.of_case(case)
    before = _plain(_question(case), register)["verdict"]
    number = case.ask["result"].get("number", "N-1")
    effect = data.draw(
        st.sampled_from(["cancelled", "refused", "non_compliance", "not_taken_over", "prohibited_entity", "superseded"])
    )
    notice = {
        "type": "notice",
        "id": "zz-loss",
        "owner": "registrar",
        "effect": effect,
        "on": data.draw(days).isoformat(),
        "about": {"body": case.ask["result"]["issuer"]["id"], "number": number},
    }
    if effect == "prohibited_entity":
        notice["about"] = {"body": case.ask["result"]["issuer"]["id"]}
    after = _plain(_question(case), change_register(register, [Versioned(read_record(notice), 1)]))["verdict"]
    if before not in KINDER:
        assert after not in KINDER


def test_holds_is_true_on_its_days_and_false_beyond(registers: ScratchRegisters) -> None:
    checked = 0
    for case in every_case()[:: sized(10, whole=2)]:
        register = registers.of_case(case)
        plain = _plain(_question(case), register)
        holds, verdict = plain["holds"], plain["verdict"]
        if verdict == "not_covered":
            continue
        same = [holds["since"], holds["until"]]
        for day in filter(None, same):
            again = _plain(_question(case, presented_on=date.fromisoformat(day).toordinal()), register)
            assert (again["verdict"], again["first_failing"]) == (verdict, plain["first_failing"]), (case.id, day)
        if holds["next_change"]:
            beyond = _plain(
                _question(case, presented_on=date.fromisoformat(holds["next_change"]).toordinal()), register
            )
            shown = (beyond["verdict"], beyond["first_failing"], beyond["route"], beyond["conditions"])
            assert shown != (verdict, plain["first_failing"], plain["route"], plain["conditions"]), case.id
            checked += 1
    assert checked > 10


def test_a_register_changed_step_by_step_equals_one_compiled_at_once(registers: ScratchRegisters) -> None:
    for case in every_case()[:: sized(45, whole=9)]:
        register = registers.of_case(case)
        at_once = compile_register(register.records.values(), complete=True)
        question = _question(case)
        assert _plain(question, register) == _plain(question, at_once)
        assert replace(register.facts, complete=False).issuers.keys() == at_once.facts.issuers.keys()
