"""Properties of names, numbers and codes on the registers of the cases (domain.md, section 9, points 14 and 16)."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cab_registry.domain.answer import Answer
from cab_registry.domain.question import AskedIssuer, Question, pose, read_question
from cab_registry.engine.answer import answer
from cab_registry.register.compiled import Register
from cab_registry.services.cases import Case, ScratchRegisters
from tests.case_files import every_case
from tests.sizes import sized

MANY = settings(max_examples=sized(25, whole=400), deadline=None, suppress_health_check=list(HealthCheck))
PARTS = ("requirement", "sector", "product_class", "procedure", "activity")
NONSENSE = ("asdf", "qqzzy", "xx-unheard-of", "規則なし", "∅")


def question_of(case: Case) -> Question:
    document = {key: value for key, value in case.ask.items() if key != "known_at"}
    return pose(read_question(document), today=case.today, known_on=case.known_on)


def with_subject(question: Question, **changed: Any) -> Question:
    return msgspec.structs.replace(question, subject=msgspec.structs.replace(question.subject, **changed))


def with_issuer(question: Question, issuer: AskedIssuer) -> Question:
    return msgspec.structs.replace(question, result=msgspec.structs.replace(question.result, issuer=issuer))


@MANY
@given(data=st.data())
def test_what_names_nothing_decides_nothing(data: st.DataObject, registers: ScratchRegisters) -> None:
    case = data.draw(st.sampled_from(every_case()))
    question, register = question_of(case), registers.of_case(case)
    stated = [part for part in PARTS if getattr(question.subject, part) is not None]
    assume(stated)
    part = data.draw(st.sampled_from(stated))
    word = data.draw(st.sampled_from(NONSENSE))
    found = answer(with_subject(question, **{part: word}), register.facts)
    assert found.verdict == "cannot_tell"
    assert f"subject.{part}" in found.missing


RESPELLINGS = (
    str.upper,
    str.lower,
    lambda text: "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text),
    lambda text: text.replace(" ", "\u00a0 "),
    lambda text: text.replace(" ", ""),
    lambda text: text.replace(" ", ", "),
    "\u200b".join,
    lambda text: f" {text}. ",
    lambda text: text.replace(",", "").replace("(", "").replace(")", ""),
    lambda text: text.replace("ü", "u").replace("é", "e").replace("ł", "l").replace("ø", "o").replace("ß", "ss"),
    lambda text: text.replace("GmbH", "G.m.b.H.").replace("Ltd.", "Limited").replace("Inc.", "Incorporated"),
    lambda text: text.replace("-", "\u2011"),
)


def gist(found: Answer) -> tuple[Any, ...]:
    issuer = found.taken.issuer
    return found.verdict, found.route, found.first_failing, issuer.id if issuer is not None else None


@MANY
@given(data=st.data())
def test_any_spelling_of_a_name_asks_about_the_same_body(data: st.DataObject, registers: ScratchRegisters) -> None:
    case = data.draw(st.sampled_from(every_case()))
    question, register = question_of(case), registers.of_case(case)
    asked = question.result.issuer
    assume(asked is not None and asked.id in register.facts.issuers)
    assert asked is not None
    called = data.draw(st.sampled_from(register.facts.issuers[asked.id or ""].called))
    assume(register.facts.names[called.key] == (asked.id,))
    spell = data.draw(st.lists(st.sampled_from(RESPELLINGS), min_size=1, max_size=3))
    name = called.name
    for each in spell:
        name = each(name)
    exact = answer(with_issuer(question, AskedIssuer(name=called.name)), register.facts)
    found = answer(with_issuer(question, AskedIssuer(name=name)), register.facts)
    assert gist(found) == gist(exact)
    if found.taken.issuer is not None and found.taken.issuer.how == "fold":
        assert found.assumptions


NUMBERS = (
    str.lower,
    lambda text: f" {text}\u200b",
    "\u00a0".join,
    lambda text: "-".join((text[:2], text[2:])),
    lambda text: "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text),
)


def bearers(register: Register) -> list[tuple[str, str]]:
    return sorted(
        (item.scheme, item.value)
        for issuer in register.facts.issuers.values()
        if issuer.body is not None
        for item in issuer.body.identifiers
    )


@MANY
@given(data=st.data())
def test_any_spelling_of_a_number_asks_about_the_same_body(data: st.DataObject, registers: ScratchRegisters) -> None:
    numbered = [case for case in every_case() if "identifiers" in str(case.given)]
    case = data.draw(st.sampled_from(numbered))
    question, register = question_of(case), registers.of_case(case)
    scheme, value = data.draw(st.sampled_from(bearers(register)))
    spelled = data.draw(st.sampled_from(NUMBERS))(value)
    exact = answer(with_issuer(question, AskedIssuer(scheme=scheme, value=value)), register.facts)
    found = answer(with_issuer(question, AskedIssuer(scheme=scheme, value=spelled)), register.facts)
    assert gist(found) == gist(exact)
