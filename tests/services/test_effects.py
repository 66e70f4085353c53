"""What a change does, in words and in answers: nothing said where nothing changes, and every flip found."""

from __future__ import annotations

import contextlib
import copy
import json
from datetime import date
from random import Random
from time import process_time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cab_registry.domain.days import When, parse_day, show_day
from cab_registry.domain.question import AskedQuestion, pose, read_question
from cab_registry.domain.records import RECORD_TYPES, AnyRecord, Recognition, read_record, write_record
from cab_registry.domain.records.law import InstrumentEvent
from cab_registry.domain.records.rights import RightEvent
from cab_registry.engine.answer import answer
from cab_registry.register.catalogue import load_catalogue
from cab_registry.register.compiled import Register, Versioned, change_register, compile_register
from cab_registry.register.examples import list_examples
from cab_registry.services.effects import Flip, describe_changes, describe_flip, find_flips, first_change
from cab_registry.services.naming import name_in
from tests.register.documents import changed, valid_documents
from tests.sizes import sized

TODAY = parse_day("2026-11-21")
YEAR = 365


@pytest.fixture(scope="module")
def register() -> Register:
    return compile_register([Versioned(entry.record, 1) for entry in load_catalogue()])


@pytest.fixture(scope="module")
def recognition(register: Register) -> Recognition:
    record = register.records["recognition-jp-pmda-be-famhp-1"].record
    assert isinstance(record, Recognition)
    return record


def after_event(record: AnyRecord, event: str, day: int, **more: Any) -> AnyRecord:
    assert isinstance(record, Recognition)
    added = RightEvent(event=event, on=When(day, day), **more)  # type: ignore[arg-type]
    return msgspec.structs.replace(record, timeline=(*record.timeline, added))


def changed_by(register: Register, *records: AnyRecord) -> Register:
    return change_register(register, [Versioned(record, 2) for record in records])


def verdict(flip: Flip, register: Register, day: int) -> str:
    """The same question, put as anybody puts it."""
    asked = flip.question
    document = {
        "destination": asked.destination,
        "standing_on": show_day(day),
        "result": {"kind": asked.result_kind, "issuer": {"id": asked.body}},
        "subject": {
            "sector": asked.sector,
            "requirement": asked.requirement,
            "procedure": asked.procedure,
            "product_class": asked.product_class,
            "activity": asked.activity,
        },
    }
    issuer = register.facts.issuers[asked.body]
    document["result"] |= {"performed_in": issuer.economy, "issuer_economy": issuer.economy}  # type: ignore[operator]
    document["subject"]["origin"] = issuer.economy  # type: ignore[index]
    question: AskedQuestion = read_question(document)
    return answer(pose(question, today=date.fromordinal(TODAY)), register.facts).verdict


def test_a_withdrawal_flips_the_answers_of_its_body_from_its_day(register: Register, recognition: Recognition) -> None:
    day = TODAY + 30
    after = changed_by(register, after_event(recognition, "withdrawn", day))
    found = find_flips(register, after, [recognition.body], on=TODAY, horizon=2 * YEAR)
    assert found.complete
    assert found.questions > 0
    assert found.answers >= 2 * found.questions
    assert {flip.question.destination for flip in found.flips} == {"JP"}
    assert {flip.question.result_kind for flip in found.flips} >= {"gmp_inspection", "gmp_certificate"}
    for flip in found.flips:
        assert (flip.before, flip.after, flip.on, flip.until) == ("accepted", "not_accepted", show_day(day), None)
        assert (flip.before_failing, flip.after_failing) == (None, "suspension")
        assert verdict(flip, register, day) == "accepted"
        assert verdict(flip, after, day) == "not_accepted"
        assert verdict(flip, after, day - 1) == "accepted"
    said = describe_flip(found.flips[0], name_in(register))
    assert said == (
        "JP, gmp certificate for PMD Act, GMP ordinance (human finished):"
        " accepted becomes not accepted from 2026-12-21 on."
    )


def test_a_suspension_with_an_end_flips_for_its_days_only(register: Register, recognition: Recognition) -> None:
    until = When(TODAY + 60, TODAY + 60)
    after = changed_by(register, after_event(recognition, "suspended", TODAY + 30, until=until))
    found = find_flips(register, after, [recognition.body], on=TODAY, horizon=YEAR)
    assert {(flip.on, flip.until) for flip in found.flips} == {(show_day(TODAY + 30), show_day(TODAY + 60))}


def test_a_right_taken_later_instead_flips_between_the_two_days(register: Register, recognition: Recognition) -> None:
    sooner = changed_by(register, after_event(recognition, "withdrawn", TODAY + 30))
    later = changed_by(register, after_event(recognition, "withdrawn", TODAY + 90))
    found = find_flips(sooner, later, [recognition.body], on=TODAY, horizon=YEAR)
    assert {(flip.before, flip.after, flip.on, flip.until) for flip in found.flips} == {
        ("not_accepted", "accepted", show_day(TODAY + 30), show_day(TODAY + 89))
    }


def test_a_change_without_effect_flips_nothing(register: Register, recognition: Recognition) -> None:
    for event in ("contested", "proceedings_opened", "notice_of_withdrawal"):
        after = changed_by(register, after_event(recognition, event, TODAY))
        assert find_flips(register, after, [recognition.body], on=TODAY, horizon=YEAR).flips == []
    same = changed_by(register, recognition)
    found = find_flips(register, same, [recognition.body], on=TODAY, horizon=YEAR)
    assert (found.flips, found.questions) == ([], 0)


def test_a_correction_of_the_past_flips_from_the_first_day_that_moved(
    register: Register, recognition: Recognition
) -> None:
    wrong, right = after_event(recognition, "withdrawn", TODAY - 90), after_event(recognition, "withdrawn", TODAY - 30)
    start = first_change(wrong, right, TODAY)
    assert start == TODAY - 90
    found = find_flips(
        changed_by(register, wrong),
        changed_by(register, right),
        [recognition.body],
        on=start,
        horizon=YEAR,
        known_on=TODAY,
    )
    assert {(flip.on, flip.until) for flip in found.flips} == {(show_day(TODAY - 90), show_day(TODAY - 31))}
    assert first_change(wrong, wrong, TODAY) == TODAY


def test_a_new_body_flips_from_nothing_to_something(register: Register) -> None:
    scope = [{"key": "a", "requirement": "jp-pmd-gmp", "from": "always"}]
    known = register.records["recognition-jp-pmda-be-famhp-1"].record
    assert isinstance(known, Recognition)
    plain = write_record(known)
    new = {**plain, "id": "recognition-jp-pmda-x-1", "body": "x-inspectorate", "scope": plain.get("scope") or scope}
    body = {**write_record(register.records[known.body].record), "id": "x-inspectorate"}
    after = changed_by(register, read_record(body), read_record(new))
    found = find_flips(register, after, ["x-inspectorate"], on=TODAY, horizon=YEAR)
    # Beside its recognition, it may now be asked about where a route asks an inspectorate for no right.
    assert {flip.before for flip in found.flips} == {"cannot_tell"}
    assert {flip.after for flip in found.flips if flip.question.destination == "JP"} == {"accepted"}
    gone = find_flips(after, register, ["x-inspectorate"], on=TODAY, horizon=YEAR)
    assert len(gone.flips) == len(found.flips)


def test_a_change_of_law_flips_the_answers_of_bodies(register: Register) -> None:
    agreement = register.records["eu-ch-mra"].record
    ended = InstrumentEvent(state="terminated", on=When(TODAY + 100, TODAY + 100))
    after = changed_by(register, msgspec.structs.replace(agreement, instrument=(*agreement.instrument, ended)))  # type: ignore[union-attr]
    bodies = sorted({
        each.record.body for each in register.records.values()
        if isinstance(each.record, Recognition) and each.record.agreement == "eu-ch-mra"
    })  # fmt: skip
    found = find_flips(register, after, bodies, on=TODAY, horizon=YEAR, most=5000)
    assert found.flips
    assert {flip.on for flip in found.flips} == {show_day(TODAY + 100)}
    assert {flip.question.destination for flip in found.flips} <= {"CH", "DE", "EU"}


def test_a_bound_is_told(register: Register, recognition: Recognition) -> None:
    after = changed_by(register, after_event(recognition, "withdrawn", TODAY))
    found = find_flips(register, after, [recognition.body], on=TODAY, horizon=YEAR, most=1)
    assert (found.questions, found.complete) == (1, False)


def test_every_body_is_looked_at_in_half_a_second(register: Register) -> None:
    records = [each.record for each in register.records.values() if isinstance(each.record, Recognition)]
    slow = []
    for record in records[:: sized(44, whole=11)]:
        after = changed_by(register, after_event(record, "withdrawn", TODAY + 30))
        times = []
        for _ in range(2):
            started = process_time()
            find_flips(register, after, [record.body], on=TODAY, horizon=2 * YEAR)
            times.append(process_time() - started)
        if min(times) > 0.5:
            slow.append((record.id, min(times)))
    assert slow == []


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["suspended", "reinstated", "withdrawn", "restricted", "expired", "annulled", "contested"]),
        st.integers(-40, 60),
        st.integers(0, 30) | st.none(),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=sized(8, whole=100))
@given(index=st.integers(0, 400), moves=MOVES)
def test_flips_are_what_asking_on_each_day_finds(
    register: Register, index: int, moves: list[tuple[str, int, int | None]]
) -> None:
    records = [each.record for each in register.records.values() if isinstance(each.record, Recognition)]
    record: AnyRecord = records[index % len(records)]
    for event, day, length in moves:
        until = None if length is None else When(TODAY + day + length, TODAY + day + length)
        record = after_event(record, event, TODAY + day, until=until)
    after = changed_by(register, record)
    assert isinstance(record, Recognition)
    first, last = TODAY - 45, TODAY + 100
    found = find_flips(register, after, [record.body], on=first, horizon=last - first, known_on=TODAY, most=40)
    by_question: dict[str, list[Flip]] = {}
    for flip in found.flips:
        by_question.setdefault(str(flip.question), []).append(flip)
    for flips in list(by_question.values())[:2]:
        edges = {parse_day(day) + step for flip in flips for day in (flip.on, flip.until) if day for step in (-1, 0, 1)}
        for day in sorted(edges | set(range(first, last, 9))):
            told = [
                flip
                for flip in flips
                if parse_day(flip.on) <= day and (flip.until is None or day <= parse_day(flip.until))
            ]
            if flips[0].question.site is None:
                pair = verdict(flips[0], register, day), verdict(flips[0], after, day)
                assert pair == ((told[0].before, told[0].after) if told else (pair[0], pair[0]))


def test_nothing_is_said_where_nothing_changes() -> None:
    for kind in ("body", "recognition", "agreement", "route"):
        for document in list_examples(kind):
            assert describe_changes(document, copy.deepcopy(document)) == []


def shuffled(value: Any, random: Random, key: str = "") -> Any:
    """The same document with its keys, and its lists, in another order where that decides nothing."""
    if isinstance(value, dict):
        names = list(value)
        random.shuffle(names)
        return {name: shuffled(value[name], random, name) for name in names}
    if not isinstance(value, list | tuple):
        return value
    parts = [shuffled(part, random, key) for part in value]
    if key not in ORDERED or not isinstance(parts[0] if parts else None, dict):
        random.shuffle(parts)
    return parts


@pytest.mark.parametrize("kind", RECORD_TYPES)
@settings(max_examples=sized(8, whole=100))
@given(seed=st.integers(0, 1000), data=st.data())
def test_an_identical_record_changes_nothing_in_whatever_order_it_is_written(
    kind: str, seed: int, data: st.DataObject
) -> None:
    document = data.draw(st.sampled_from(list_examples(kind)))
    written = write_record(read_record(document))
    for again in (document, written, shuffled(document, Random(seed)), shuffled(written, Random(seed))):
        assert describe_changes(document, again) == []
        assert describe_changes(written, again) == []
        # Beside a change that counts, the order is not told either.
        lines = describe_changes(written, {**again, "note": "another remark"})
        assert [line for line in lines if not line.startswith(("Note: ", "New "))] == []


def test_events_in_another_order_are_told_where_their_order_counts() -> None:
    first, second = {"event": "suspended", "on": "2020-01-01"}, {"event": "reinstated", "on": "2020-01-01"}
    later = {"event": "withdrawn", "on": "2021-01-01"}
    one, two, three = ({"timeline": events} for events in ([first, second], [second, first], [later, first]))
    assert describe_changes(one, two) == ["Event: the order changes (it counts on one day, and for references)"]
    assert describe_changes({"timeline": [first, later]}, three) == []


def test_changes_of_a_right_are_said_item_by_item(register: Register, recognition: Recognition) -> None:
    name_of = name_in(register)
    before: dict[str, Any] = {
        "type": "recognition",
        "id": "r",
        "owner": "us-fcc",
        "by": "us-fcc",
        "body": "nl-bsi",
        "scope": [
            {"key": "a", "requirement": "us-47cfr-15c", "from": "2018-06-01", "until": "2026-05-31"},
            {"key": "b", "text": "old words", "from": "always"},
        ],
        "timeline": [{"event": "recognised", "on": "2018-06-01"}, {"event": "suspended", "on": "2020-01-01"}],
    }
    after = copy.deepcopy(before)
    after["scope"][0]["until"] = {"not_before": "2028-05-01", "not_after": "2028-05-31"}
    after["scope"][1] = {"key": "c", "requirement": "us-47cfr-15b", "result_kinds": ["test_report"], "from": "always"}
    after["timeline"][1]["on"] = "2020-02-01"
    after["timeline"].append({"event": "reinstated", "on": "2020-03-01", "items": ["a"], "refers_to": 1})
    after["by"] = "us-nist"
    assert describe_changes(before, after, name_of) == [
        "Given by: Federal Communications Commission becomes National Institute of Standards and Technology",
        "Scope item a (47 CFR Part 15 Subpart C), last day: 2026-05-31 becomes May 2028",
        "Scope item added: c, 47 CFR Part 15 Subpart B, kind of result test report, from the beginning",
        "Scope item removed: b, text old words, from the beginning",
        "Event suspended, day: 2020-01-01 becomes 2020-02-01",
        "Event added: reinstated on 2020-03-01 for a (refers to 1)",
    ]


def test_a_new_record_is_introduced(register: Register, recognition: Recognition) -> None:
    lines = describe_changes(None, write_record(recognition), name_in(register))
    assert lines[0].startswith("New recognition of Federal Agency for Medicines and Health Products")
    assert " by Pharmaceuticals and Medical Devices Agency" in lines[0]
    assert len(lines) > 1


ORDERED = ("timeline", "instrument", "operation", "objection", "procedures", "survival")


def plain(value: Any, key: str = "") -> Any:
    """A document without its nulls, and with its lists in one order where their order decides nothing."""
    if isinstance(value, dict):
        return {name: plain(part, name) for name, part in value.items() if part is not None}
    if not isinstance(value, list | tuple):
        return value
    parts = [plain(part, key) for part in value]
    ordered = key in ORDERED and all(isinstance(part, dict) for part in parts)
    return parts if ordered else sorted(parts, key=lambda part: json.dumps(part, sort_keys=True))


def without_nulls(value: Any) -> Any:
    """A document without what is stated to be nothing, which may be a key that its type does not have."""
    if isinstance(value, dict):
        return {name: without_nulls(part) for name, part in value.items() if part is not None}
    return [without_nulls(part) for part in value] if isinstance(value, list) else value


def spelled(document: dict[str, Any]) -> str:
    """What a document says, without what is only stated by default."""
    document = without_nulls(document)
    with contextlib.suppress(msgspec.ValidationError):
        document = write_record(read_record(document))
    return json.dumps(plain(document), sort_keys=True)


DOCUMENTS = st.sampled_from(["body", "recognition", "agreement", "route", "notice", "position", "authority"])


@settings(max_examples=sized(25, whole=300))
@given(data=st.data(), kind=DOCUMENTS)
def test_every_change_is_said_and_nothing_else(data: st.DataObject, kind: str) -> None:
    documents = valid_documents(RECORD_TYPES[kind])
    before = data.draw(documents)
    after = data.draw(st.one_of(changed(st.just(before)), documents, st.just(copy.deepcopy(before))))
    lines = describe_changes(before, after)
    assert (lines == []) is (spelled(before) == spelled(after))
    assert all(line and line[0].upper() == line[0] for line in lines)
    assert all(mark not in "".join(lines) for mark in ("{'", "['", "None", "When("))
    assert describe_changes(None, after)


def test_an_end_beyond_the_days_looked_at_is_told(register: Register, recognition: Recognition) -> None:
    last = When(TODAY + 5 * YEAR, TODAY + 5 * YEAR)
    after = changed_by(register, after_event(recognition, "suspended", TODAY + 30, until=last))
    found = find_flips(register, after, [recognition.body], on=TODAY, horizon=YEAR)
    assert {(flip.until, flip.ends) for flip in found.flips} == {(None, show_day(TODAY + 5 * YEAR))}
    said = describe_flip(found.flips[0], name_in(register))
    assert said.endswith(f"from {show_day(TODAY + 30)} to {show_day(TODAY + 5 * YEAR)}.")


def test_an_end_that_nothing_on_record_brings_is_not_told(register: Register, recognition: Recognition) -> None:
    after = changed_by(register, after_event(recognition, "withdrawn", TODAY + 30))
    found = find_flips(register, after, [recognition.body], on=TODAY, horizon=YEAR)
    assert {(flip.until, flip.ends) for flip in found.flips} == {(None, None)}
