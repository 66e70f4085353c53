"""Properties of what is left out, and of what is attested, on random registers (domain.md, section 9, 4 and 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cab_registry.domain.answer import Answer
from cab_registry.domain.codes import KIND_PROCEDURES
from cab_registry.domain.question import Question, pose, read_question
from cab_registry.engine.answer import answer
from cab_registry.engine.facts import RightFacts
from cab_registry.engine.inquiry import Inquiry
from cab_registry.engine.meaning import OTHER
from cab_registry.engine.reach import find_candidates
from cab_registry.engine.weighing import decide
from cab_registry.register.compiled import Register
from cab_registry.services.cases import Case, ScratchRegisters
from tests.case_files import every_case
from tests.sizes import sized

RELAXED = settings(max_examples=sized(12, whole=200), deadline=None, suppress_health_check=list(HealthCheck))
RIGHTS = ("designation", "recognition")
CLASSES = ("human_finished", "ppe_category_iii", "ite", "device_class_iii")
PROCEDURES = ("module_b", "module_d", "certification", "fcc_sdoc")
ECONOMIES = ("subject.origin", "result.performed_in")
FIELDS = (
    "subject.product_class",
    "subject.procedure",
    "subject.activity",
    "subject.origin",
    "result.performed_in",
    "result.site",
    "result.issuer",
    "result.number",
)


@cache
def _cases() -> list[Case]:
    return [case for case in every_case() if case.given and not case.ask.get("known_at")]


def _ask(case: Case) -> Question:
    return pose(read_question(case.ask), today=case.today, known_on=case.known_on)


def _fill(question: Question, field: str, value: Any) -> Question:
    part, _, name = field.partition(".")
    inner = msgspec.structs.replace(getattr(question, part), **{name: value})
    return msgspec.structs.replace(question, **{part: inner})


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A case whose rights are narrowed, parted over two sites or lost at random, with a position on one class."""
    case = draw(st.sampled_from(_cases()))
    given_: list[dict[str, Any]] = []
    for item in case.given:
        (kind, fact), *_ = item.items()
        fact = dict(fact)
        if kind in RIGHTS:
            if draw(st.integers(0, 2)) == 0:
                fact["procedures"] = draw(st.lists(st.sampled_from(PROCEDURES), min_size=1, max_size=2, unique=True))
            if kind == "recognition" and draw(st.integers(0, 3)) == 0:
                fact["product_classes"] = [draw(st.sampled_from(CLASSES))]
            if not fact.get("events") and draw(st.integers(0, 3)) == 0:
                fact["events"] = [{"on": case.ask.get("presented_on", case.today.isoformat()), "event": "withdrawn"}]
        given_.append({kind: fact})
    holder = case.ask["result"].get("issuer", {}).get("id")
    if holder is not None and draw(st.booleans()):
        about = {"body": holder, "number": draw(st.sampled_from(("X 1", "X 2")))}
        effect = draw(st.sampled_from(("cancelled", "restricted", "not_taken_over")))
        notice = {"about": about, "effect": effect, "by": holder, "on": case.ask.get("presented_on", "2000-01-01")}
        given_.append({"notice": notice})
    body = next((item["body"] for item in case.given if "body" in item), None)
    agreement = next((item["recognition"].get("agreement") for item in case.given if "recognition" in item), None)
    if body is not None and agreement is not None and draw(st.booleans()):
        about = {"agreement": agreement, "body": body["id"], "product_classes": [draw(st.sampled_from(CLASSES))]}
        given_.append({"position": {"by": "eu-commission", "says": "not_accepted", "about": about, "binds_in": ["EU"]}})
        given_[-1]["position"]["from"] = "2000-01-01"
    return replace(case, given=tuple(given_))


def _rights_of(question: Question, register: Register) -> Iterator[RightFacts]:
    for holder in Inquiry(question, register.facts).right_holders:
        yield from (*holder.designations, *holder.recognitions, *holder.accreditations)


def _values(field: str, question: Question, register: Register) -> list[Any]:
    """Every value that the vocabulary, or the register, has for a field, and one that it has not."""
    facts = register.facts
    routes = [rf.route for rf in facts.routes.values()]
    if field == "subject.product_class":
        stated = {item.product_class for route in routes for item in route.excluded if item.if_stated}
        named = {item.product_class for route in routes for item in (*route.product_classes, *route.excluded)}
        rights = _rights_of(question, register)
        named |= {name for right in rights for item in right.items for name in item.product_classes}
        named |= {name for position, _ in facts.positions for name in position.about.product_classes}
        return [*sorted((named | set(CLASSES)) - stated), OTHER]
    if field == "subject.procedure":
        if question.result.kind == "eu_type_examination":
            held = {
                name for right in _rights_of(question, register) for item in right.items for name in item.procedures
            }
            return sorted(held & set(KIND_PROCEDURES[question.result.kind])) or ["module_b"]
        named = {name for route in routes for rule in route.survival for name in rule.procedures}
        named |= {name for route in routes for name in route.procedures}
        return [*sorted(named | set(PROCEDURES)), OTHER]
    if field == "subject.activity":
        return [*sorted({rule.activity for route in routes for rule in route.activities}), OTHER]
    if field == "result.site":
        issuer = facts.issuers.get(getattr(question.result.issuer, "id", None) or "")
        return [site.key for site in issuer.body.sites] if issuer is not None and issuer.body is not None else []
    if field == "result.issuer":
        economy = Inquiry(question, facts).question.result.issuer_economy
        ids = [key for key, issuer in facts.issuers.items() if issuer.economy == economy]
        return [{"id": key} for key in [*ids, OTHER]]
    if field == "result.number":
        key = getattr(question.result.issuer, "id", None)
        told = [notice for pairs in facts.notices_by_number.values() for notice, _ in pairs]
        own = [each for each in told if key in (each.about.body, each.by if each.about.body is None else None)]
        return [each.about.number for each in own] + [OTHER]
    return sorted(code for code, economy in facts.economies.items() if economy.is_market)


def _filled(question: Question, field: str, value: Any) -> Question:
    if isinstance(value, dict):
        value = msgspec.convert(value, type(question.result.issuer) if question.result.issuer else object)
    return _fill(question, field, value)


def _check(question: Question, field: str, register: Register) -> None:
    values = _values(field, question, register)
    thin = answer(_fill(question, field, None), register.facts)
    found: dict[str, Any] = {}
    for value in values:
        found.setdefault(answer(_filled(question, field, value), register.facts).verdict, value)
    if len(found) == 1:
        assert thin.verdict in found, (field, found, thin.headline)
    elif found:
        assert thin.verdict == "cannot_tell", (field, found, thin.headline)
        assert field in thin.missing, (field, found, thin.missing)


@pytest.mark.parametrize("field", FIELDS)
def test_a_value_left_out_counts_where_it_could_change_the_verdict(field: str, registers: ScratchRegisters) -> None:
    @settings(RELAXED, max_examples=sized(3, whole=50) if field in ECONOMIES else sized(12, whole=200))
    @given(case=cases())
    def hold(case: Case) -> None:
        register = registers.of_case(case)
        question = _ask(case)
        if field == "result.issuer" and (question.result.issuer is None or question.result.issuer_economy is None):
            return
        if field == "result.number" and question.standing:
            return
        if field == "result.performed_in" and (question.standing or _values("result.site", question, register)):
            return
        _check(question, field, register)

    hold()


@RELAXED
@given(case=cases(), data=st.data())
def test_what_is_missing_names_values_that_could_each_bring_another_verdict(
    case: Case, data: st.DataObject, registers: ScratchRegisters
) -> None:
    question = _ask(case)
    for field in data.draw(st.lists(st.sampled_from(FIELDS[:5]), max_size=3, unique=True)):
        question = _fill(question, field, None)
    given_answer = answer(question, registers.of_case(case).facts)
    assert [value.name for value in given_answer.could_bring] == given_answer.missing
    if given_answer.verdict != "cannot_tell":
        assert not given_answer.missing
    for value in given_answer.could_bring:
        assert set(value.verdicts) != {given_answer.verdict}
    if given_answer.verdict == "cannot_tell":
        assert (given_answer.holds.since, given_answer.holds.until) == (None, None)


@RELAXED
@given(case=cases(), data=st.data())
def test_what_is_not_tried_decides_nothing(case: Case, data: st.DataObject, registers: ScratchRegisters) -> None:
    question = _ask(case)
    for field in data.draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=3, unique=True)):
        question = _fill(question, field, None)
    inquiry = Inquiry(question, registers.of_case(case).facts)
    routes = find_candidates(inquiry)
    whole = decide(inquiry, routes, question.presented_on)
    hurried = decide(inquiry, routes, question.presented_on, budget=data.draw(st.integers(1, 30)))
    assert hurried.verdict in (whole.verdict, "cannot_tell")


def _replaced(rule: str, register: Register) -> set[str]:
    """A rule with everything that it replaced."""
    todo, seen = [rule], set[str]()
    while todo:
        record = register.facts.requirements.get(rule := todo.pop())
        if rule not in seen and record is not None:
            seen.add(rule)
            todo.extend(record.succeeds)
    return seen


def _related(one: str, other: str, register: Register) -> bool:
    """Whether anything on record makes one rule stand for the other: a part, a successor, a list that pairs them."""
    facts = register.facts
    if one in facts.spell(other) or other in facts.spell(one):
        return True
    mine, theirs = _replaced(one, register), _replaced(other, register)
    if other in mine or one in theirs:
        return True
    pairs = [rf.listed[rule].held_as for rf in facts.routes.values() for rule in (one, other) if rule in rf.listed]
    return any(held & (mine | theirs) for held in pairs)


@RELAXED
@given(case=cases(), data=st.data())
def test_another_act_of_the_same_list_stands_for_nothing(
    case: Case, data: st.DataObject, registers: ScratchRegisters
) -> None:
    register, question = registers.of_case(case), _ask(case)
    asked = question.subject.requirement
    lists = [rf.listed for rf in register.facts.routes.values() if asked in rf.listed]
    others = sorted(
        {rule for listed in lists for rule in listed if not _related(asked or "", rule, register)} - {asked}
    )
    assume(asked in register.facts.requirements and others and not question.result.attests)
    other = data.draw(st.sampled_from(others))
    plain = _of(question, register)
    found = answer(_fill(question, "result.attests", (other,)), register.facts)
    # A route for a whole sector lists no rule, and what names nothing in the register lets nothing be refused.
    listless = found.route is not None and not register.facts.routes[found.route.id].listed
    assert found.verdict == "not_covered" or listless or (found.verdict == plain[0] == "cannot_tell")
    assert _of(_fill(question, "result.attests", (asked,)), register) == plain
    assert _of(_fill(question, "result.attests", (other, asked)), register) == plain


def _of(question: Question, register: Register) -> tuple[str, str | None]:
    found: Answer = answer(question, register.facts)
    return found.verdict, found.first_failing


def test_an_act_that_was_replaced_is_judged_on_the_days_of_its_own_listing(registers: ScratchRegisters) -> None:
    case = next(case for case in _cases() if case.ask["subject"].get("requirement") == "eu-atex-2014-34")
    register = registers.of_case(case)
    question = _ask(case)
    old = _of(_fill(question, "subject.requirement", "eu-atex-94-9"), register)
    assert _of(_fill(question, "result.attests", ("eu-atex-94-9",)), register) == old
