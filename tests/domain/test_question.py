"""A question is read, judged for what is impossible, and posed with its defaults."""

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.domain.question import AskedQuestion, Question, Span, find_faults, pose, read_question
from tests.register.documents import valid_documents

TODAY = date(2026, 11, 21)


def asked(result: dict[str, Any] | None = None, **fields: Any) -> AskedQuestion:
    own = {"kind": "certificate", "issuer_economy": "XA", "issued_on": "2020-03-10"} | (result or {})
    own = {key: value for key, value in own.items() if value is not None}
    return read_question({"destination": "XB", "result": own, **fields})


def told(question: AskedQuestion) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.message) for fault in find_faults(question)]


def ordinal(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def test_the_least_question_has_no_fault_and_todays_defaults() -> None:
    question = pose(asked(), today=TODAY)
    assert question == Question(
        destination="XB",
        presented_on=TODAY.toordinal(),
        known_on=TODAY.toordinal(),
        standing=False,
        result=asked().result,
        subject=asked().subject,
        performed=None,
        issued=ordinal("2020-03-10"),
        ordered=None,
        submitted=None,
        valid_until=None,
    )


def test_every_clock_is_taken_over() -> None:
    result = {
        "performed_on": {"from": "2020-03-02", "to": "2020-03-06"},
        "ordered_on": "2020-02-01",
        "submitted_on": "2020-03-20",
        "valid_until": "2023-03-10",
    }
    question = pose(asked(result, presented_on="2020-04-01"), today=TODAY, known_on=date(2021, 1, 1))
    assert question.presented_on == ordinal("2020-04-01")
    assert question.known_on == ordinal("2021-01-01")
    assert question.performed == Span(ordinal("2020-03-02"), ordinal("2020-03-06"))
    assert question.performed.every
    assert (question.ordered, question.submitted) == (ordinal("2020-02-01"), ordinal("2020-03-20"))
    assert question.valid_until == ordinal("2023-03-10")


def test_one_day_of_work_is_a_span_of_one_day() -> None:
    question = pose(asked({"performed_on": "2020-03-02", "issued_on": None}), today=TODAY)
    assert question.performed == Span(ordinal("2020-03-02"), ordinal("2020-03-02"))
    assert question.issued is None


def test_a_standing_question_is_a_result_of_its_day() -> None:
    question = pose(asked({"issued_on": None}, standing_on="2021-06-01"), today=TODAY)
    day = ordinal("2021-06-01")
    assert question.standing
    assert (question.presented_on, question.issued, question.submitted) == (day, day, day)
    assert question.performed == Span(day, day)
    assert question.ordered is None


@pytest.mark.parametrize("name", ["performed_on", "ordered_on", "issued_on", "submitted_on"])
def test_a_standing_question_has_no_dates_of_a_document(name: str) -> None:
    question = asked({"issued_on": None, name: "2020-01-01"}, standing_on="2021-06-01")
    assert told(question) == [(f"/result/{name}", "a standing question has no dates of a document")]


def test_a_standing_question_has_no_other_day_of_presentation() -> None:
    question = asked({"issued_on": None}, standing_on="2021-06-01", presented_on="2021-06-01")
    assert told(question) == [("/presented_on", "a standing question is presented on its own day")]


def test_a_document_has_a_day_and_an_issuer() -> None:
    question = asked({"issued_on": None, "issuer_economy": None})
    assert told(question) == [
        ("/result/issued_on", "state issued_on, or performed_on, or standing_on instead"),
        ("/result/issuer", "state issuer, or issuer_economy"),
    ]


@pytest.mark.parametrize(
    ("issuer", "message"),
    [
        ({"id": "a"}, None),
        ({"scheme": "s", "value": "1"}, None),
        ({"name": "A"}, None),
        ({"value": "0123"}, None),
        ({}, "state exactly one of id, value (with its scheme, if known), name"),
        ({"id": "a", "name": "A"}, "state exactly one of id, value (with its scheme, if known), name"),
        ({"id": "a", "scheme": "s", "value": "1"}, "state exactly one of id, value (with its scheme, if known), name"),
        ({"scheme": "s"}, "state the number too that it has under s"),
        ({"id": "a", "value": "1"}, "state exactly one of id, value (with its scheme, if known), name"),
    ],
)
def test_an_issuer_is_named_in_one_way(issuer: dict[str, str], message: str | None) -> None:
    assert told(asked({"issuer": issuer})) == ([("/result/issuer", message)] if message else [])


ORDERS = [
    ("performed_on", {"from": "2020-02-02", "to": "2020-02-01"}, "performed_on", "the work ends before it begins"),
    ("performed_on", "2020-03-11", "performed_on", "the work was done after the day of issue"),
    ("ordered_on", "2020-03-11", "ordered_on", "the order lies after the day of issue"),
    ("submitted_on", "2020-03-09", "submitted_on", "it was filed before it was issued"),
    ("valid_until", "2020-03-09", "valid_until", "it ended before it was issued"),
]


@pytest.mark.parametrize(("key", "value", "place", "message"), ORDERS)
def test_clocks_stand_in_their_order(key: str, value: Any, place: str, message: str) -> None:
    assert told(asked({key: value})) == [(f"/result/{place}", message)]


def test_the_order_comes_before_the_work() -> None:
    question = asked({"ordered_on": "2020-03-05", "performed_on": {"from": "2020-03-04", "to": "2020-03-06"}})
    assert told(question) == [("/result/ordered_on", "the order lies after the start of the work")]


@pytest.mark.parametrize("key", ["performed_on", "ordered_on", "submitted_on", "valid_until"])
def test_all_clocks_may_fall_on_one_day(key: str) -> None:
    assert told(asked({key: "2020-03-10"})) == []


def test_what_is_impossible_is_refused_with_every_fault() -> None:
    question = asked({"submitted_on": "2020-01-01", "valid_until": "2020-01-02", "issuer_economy": None})
    with pytest.raises(Refusal) as caught:
        pose(question, today=TODAY)
    assert [fault.pointer for fault in caught.value.faults] == [
        "/result/issuer",
        "/result/submitted_on",
        "/result/valid_until",
    ]


def test_what_is_no_question_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        read_question({"destination": "XB"})


def test_a_fault_is_told_in_one_line() -> None:
    assert str(Fault("/a", "wrong")) == "/a: wrong"
    assert str(Fault("/a", "wrong", "f.yaml:3")) == "f.yaml:3 /a: wrong"
    assert str(Fault("", "wrong", "f.yaml:3")) == "f.yaml:3: wrong"
    assert str(Fault("", "wrong")) == "wrong"


@given(valid_documents(AskedQuestion), st.dates())
def test_every_question_is_posed_or_refused_with_faults(document: dict[str, Any], today: date) -> None:
    question = read_question(document)
    faults = find_faults(question)
    if faults:
        with pytest.raises(Refusal) as caught:
            pose(question, today=today)
        assert list(caught.value.faults) == faults
        return
    posed = pose(question, today=today)
    assert posed.issued is not None or posed.performed is not None
    assert posed.known_on == today.toordinal()
    if question.presented_on is None and not posed.standing:
        dated = posed.issued if posed.issued is not None else posed.performed.last
        assert posed.presented_on == max(today.toordinal(), dated)
        assert posed.shown_on == (today.toordinal() if dated > today.toordinal() else None)
    if posed.performed is not None:
        assert posed.performed.first <= posed.performed.last
        assert posed.issued is None or posed.performed.last <= posed.issued


@pytest.mark.parametrize("result", [{"issued_on": "2027-03-01"}, {"issued_on": None, "performed_on": "2027-03-01"}])
def test_a_document_of_tomorrow_is_presented_on_its_own_day(result: dict[str, Any]) -> None:
    question = pose(asked(result), today=TODAY)
    assert question.presented_on == question.asked_on == ordinal("2027-03-01")
    assert question.planned
    assert not question.shown_stated


def test_a_document_dated_after_the_stated_day_of_presentation_is_planned() -> None:
    question = pose(asked({"issued_on": "2027-03-01"}, presented_on="2027-01-10"), today=TODAY)
    assert question.planned
    assert question.shown_stated
    assert (question.presented_on, question.asked_on) == (ordinal("2027-03-01"), ordinal("2027-01-10"))


@pytest.mark.parametrize("fields", [{}, {"presented_on": "2020-03-10"}])
def test_a_document_that_is_there_is_not_planned(fields: dict[str, Any]) -> None:
    question = pose(asked(**fields), today=TODAY)
    assert not question.planned
    assert question.asked_on == question.presented_on
