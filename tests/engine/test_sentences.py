"""What answers say of days: no sentence contradicts another one, or a fact beside it."""

from __future__ import annotations

import re
from typing import Any

from cab_registry.services.cases import Case, ScratchRegisters, run_case

Document = dict[str, Any]

LABORATORY: Document = {
    "body": {"id": "x-lab", "name": "Invented laboratory", "kind": "testing_laboratory", "economy": "GB"}
}
RIGHT: Document = {
    "body": "x-lab",
    "agreement": "us-uk-mra",
    "annex": "emc",
    "scope": ["us-47cfr-15b"],
}
ACCREDITATION: Document = {
    "accreditation": {
        "body": "x-lab",
        "by": "gb-ukas",
        "standard": "ISO/IEC 17025",
        "edition": "2017",
        "scope": ["us-47cfr-15b"],
        "from": "2019-01-01",
    }
}
SUBJECT: Document = {
    "sector": "emc",
    "requirement": "us-47cfr-15b",
    "product_class": "ite",
    "procedure": "certification",
}


def _ask(registers: ScratchRegisters, facts: list[Document], **asked: Any) -> Document:
    result = {
        "kind": "test_report",
        "issuer": {"id": "x-lab"},
        "issuer_economy": "GB",
        "performed_in": "GB",
        "performed_on": "2023-05-02",
        "issued_on": "2023-05-20",
    }
    question = {
        "destination": "US",
        "presented_on": "2023-09-01",
        "result": {key: value for key, value in {**result, **asked.pop("result", {})}.items() if value is not None},
        "subject": SUBJECT,
        **asked,
    }
    case = Case("sentence", "", (LABORATORY, *facts), question, {"verdict": "accepted"}, "", "")
    return run_case(case, registers).answer


def _text(answer: Document, code: str) -> str:
    return str(next(check["text"] for check in answer["checks"] if check["check"] == code))


def _rights(**recognition: Any) -> list[Document]:
    return [
        ACCREDITATION,
        {"designation": {**RIGHT, "by": "gb-opss", "from": "2021-01-01"}},
        {"recognition": {**RIGHT, "by": "us-fcc", **recognition}},
    ]


def test_a_window_of_the_beginning_is_told_as_what_is_known(registers: ScratchRegisters) -> None:
    found = _ask(registers, _rights(**{"from": {"not_after": "2023-08-15"}, "until": {"not_before": "2023-08-15"}}))
    text = _text(found, "recognition")
    assert text.startswith(
        "We know Invented laboratory was recognised by Federal Communications Commission on 2023-08-15"
    )
    assert "not whether it already was when the work was done (2023-05-02)" in text
    for check in found["checks"]:
        assert not re.search(r"\bended\b", check["text"])
        assert "at the latest" not in check["text"]


def test_a_window_of_the_end_is_told_as_what_is_known(registers: ScratchRegisters) -> None:
    end = {"not_before": "2023-04-01", "not_after": "2024-12-31"}
    text = _text(_ask(registers, _rights(**{"from": "2021-06-01", "until": end})), "recognition")
    assert "until 2023-04-01, but not whether it still was when the work was done (2023-05-02)" in text


def test_an_early_end_by_event_is_told_with_its_own_day(registers: ScratchRegisters) -> None:
    events = [{"on": "2022-06-01", "event": "expired"}]
    found = _ask(registers, _rights(**{"from": "2021-06-01", "until": "2024-12-31", "events": events}))
    text = _text(found, "recognition")
    assert "2022-05-31" in text
    assert "2024-12-31" not in text


def test_an_assumed_day_of_the_work_is_the_one_that_is_told(registers: ScratchRegisters) -> None:
    found = _ask(registers, _rights(**{"from": "2021-06-01"}), result={"performed_on": None})
    assert found["assumptions"] == ["the day of the work is not stated; it is taken to be the day of issue"]
    told = [check["text"] for check in found["checks"] if "when the work was done" in check["text"]]
    assert told
    assert all("(2023-05-20)" in text for text in told)


def test_a_finding_on_ownership_is_not_told_as_the_loss_of_a_recognition(registers: ScratchRegisters) -> None:
    notice = {"notice": {"about": {"body": "x-lab"}, "effect": "prohibited_entity", "by": "us-fcc", "on": "2026-03-10"}}
    found = _ask(
        registers,
        [notice],
        presented_on="2026-05-04",
        result={"performed_on": "2026-03-02", "issued_on": "2026-03-05"},
        subject={**SUBJECT, "procedure": "fcc_sdoc"},
    )
    text = _text(found, "survival")
    assert "found on 2026-03-10" in text
    assert "recognition" not in text


def test_where_only_the_entry_into_force_is_open_nothing_is_said_to_have_ended(registers: ScratchRegisters) -> None:
    window = {"not_before": "2023-01-01", "not_after": "2024-12-31"}
    event = {"agreement_event": {"agreement": "us-uk-mra", "state": "in_force", "on": window}}
    found = _ask(registers, [*_rights(**{"from": "2021-06-01"}), event])
    for check in found["checks"]:
        assert not re.search(r"\bended\b", check["text"])


def test_a_takeover_says_what_is_to_be_shown(registers: ScratchRegisters) -> None:
    right = {"body": "x-lab", "agreement": "eu-single-market", "scope": ["eu-mdr-2017-745"], "from": "2021-06-01"}
    facts: list[Document] = [
        {"body": {"id": "x-cb", "name": "Invented device body", "kind": "certification_body", "economy": "PT"}},
        {"designation": {**right, "body": "x-cb", "by": "PT", "events": [{"on": "2023-06-01", "event": "withdrawn"}]}},
        {"recognition": {**right, "body": "x-cb", "by": "EU", "events": [{"on": "2023-07-01", "event": "withdrawn"}]}},
    ]
    found = _ask(
        registers,
        facts,
        destination="ES",
        result={
            "kind": "qms_approval",
            "issuer": {"id": "x-cb"},
            "issuer_economy": "PT",
            "performed_in": None,
            "performed_on": None,
            "issued_on": "2022-01-10",
            "number": "PT-1",
        },
        subject={"sector": "medical_devices", "requirement": "eu-mdr-2017-745", "procedure": "mdr_annex_ix"},
    )
    assert found["verdict"] == "accepted_with_conditions"
    assert "takes the certificate over" in found["headline"]
    assert "2023-06-01" in _text(found, "survival")


def test_what_the_question_says_and_the_answer_does_not_go_by_is_told(registers: ScratchRegisters) -> None:
    rights = _rights(**{"from": "2021-06-01"})
    odd = {**SUBJECT, "sector": "pharma_gmp_human", "edition": "of some year"}
    told = _ask(registers, rights, subject=odd, result={"submitted_on": "2030-01-01"})["assumptions"]
    for part in ("you stated the sector pharma", "holds no editions of", "after 2023-09-01, the day on which you show"):
        assert any(part in each for each in told), told
    assert not [each for each in _ask(registers, rights)["assumptions"] if "you stated" in each]


def test_an_unanswered_notification_without_a_clause_says_so(registers: ScratchRegisters) -> None:
    body = {"body": {"id": "x-nz", "name": "Invented body", "kind": "certification_body", "economy": "NZ"}}
    notified = {
        "designation": {
            "body": "x-nz",
            "by": "NZ",
            "agreement": "eu-nz-mra",
            "annex": "emc",
            "scope": ["eu-emcd-2004-108"],
            "from": "2012-11-20",
            "events": [{"on": "2012-12-03", "event": "notified"}],
        }
    }
    question = {
        "destination": "DE",
        "presented_on": "2014-06-01",
        "result": {"kind": "certificate", "issuer": {"id": "x-nz"}, "issued_on": "2013-09-02"},
        "subject": {"sector": "emc", "requirement": "eu-emcd-2004-108"},
    }
    case = Case("sentence", "", (body, notified), question, {"verdict": "cannot_tell"}, "", "")
    answer = run_case(case, registers).answer
    said = "Nobody objected to Invented body in time, and the text does not say whether that made it recognised."
    assert _text(answer, "recognition") == said


def test_what_lacks_the_rule_says_which_act_counts_in_its_place(registers: ScratchRegisters) -> None:
    body = {"body": {"id": "x-de", "name": "Invented body", "kind": "certification_body", "economy": "DE"}}
    question = {
        "destination": "GB",
        "presented_on": "2026-06-01",
        "result": {"kind": "certificate", "issuer": {"id": "x-de"}, "issued_on": "2026-04-01"},
        "subject": {"sector": "pressure_equipment", "requirement": "gb-ped-2016"},
    }
    answer = run_case(Case("sentence", "", (body,), question, {"verdict": "not_covered"}, "", ""), registers).answer
    assert answer["near"][0]["id"] == "gb-ce-eu-bodies"
    assert answer["near"][0]["text"].endswith(
        "SI 2016/1105 is not in the route's list; a document that states Directive 2014/68/EU counts in its place."
    )
