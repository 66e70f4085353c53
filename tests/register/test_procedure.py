"""Which step a right may take next, by the agreement's own data, and what waits for whom until when."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cab_registry.domain.days import parse_day, show_day
from cab_registry.domain.errors import Fault
from cab_registry.domain.records import AnyRecord, Recognition, read_record
from cab_registry.engine.facts import RightState
from cab_registry.register.catalogue import load_catalogue
from cab_registry.register.compiled import Register, Versioned, change_register, compile_register
from cab_registry.register.procedure import check_steps, list_steps
from cab_registry.register.procedure_clocks import Clock, find_clocks

TODAY = parse_day("2026-11-21")
BODY = "x-body"


@pytest.fixture(scope="module")
def law() -> Register:
    return compile_register([Versioned(entry.record, 1) for entry in load_catalogue(("law",))])


def recognition(agreement: str, *events: tuple[str, str], annex: str | None = None, **more: Any) -> Recognition:
    timeline = [{"event": name, "on": day} for name, day in events]
    scope = [{"key": "a", "requirement": more.pop("requirement", "eu-red-2014-53"), "from": "always"}]
    head = {"type": "recognition", "id": "x-recognition", "owner": "us-fcc", "by": "us-fcc", "body": BODY}
    document = {**head, "agreement": agreement, "annex": annex, "scope": scope, "timeline": timeline, **more}
    record = read_record({key: value for key, value in document.items() if value is not None})
    assert isinstance(record, Recognition)
    return record


def designation(agreement: str, *events: tuple[str, str], annex: str | None = None, by: str = "ch-seco") -> AnyRecord:
    timeline = [{"event": name, "on": day} for name, day in events]
    scope = [{"key": "a", "requirement": "eu-red-2014-53", "from": "always"}]
    head = {"type": "designation", "id": "x-designation", "owner": by, "by": by, "body": BODY, "agreement": agreement}
    return read_record({**head, **({} if annex is None else {"annex": annex}), "scope": scope, "timeline": timeline})


def told(before: AnyRecord | None, after: AnyRecord, register: Register) -> list[str]:
    return [str(fault) for fault in check_steps(before, after, register, TODAY)]


def steps_of(record: Recognition, *events: tuple[str, str]) -> Recognition:
    more = recognition(str(record.agreement), *events).timeline
    return Recognition(**{
        name: getattr(record, name) for name in record.__struct_fields__ if name != "timeline"
    }, timeline=(*record.timeline, *more))  # fmt: skip


def one(faults: list[str]) -> str:
    (fault,) = faults
    return fault


EU_CH = ("eu-ch-mra", "ch-7")
US_EU = ("us-eu-mra", "telecom")
GB_CH = ("gb-ch-mra", "radio-telecom")


def test_a_body_is_recognised_only_after_it_was_proposed(law: Register) -> None:
    fault = one(told(None, recognition(EU_CH[0], ("recognised", "2026-03-01"), annex=EU_CH[1]), law))
    assert fault.startswith("/timeline/0/event: the body was not proposed")
    assert "(EU-Switzerland MRA, Art. 11(1))" in fault
    asked = recognition(EU_CH[0], ("notified", "2026-02-01"), ("recognised", "2026-03-01"), annex=EU_CH[1])
    assert told(None, asked, law) == []


def test_a_proposal_on_the_other_sides_record_counts(law: Register) -> None:
    body = [Versioned(designation(EU_CH[0], ("notified", "2026-02-01"), annex=EU_CH[1]), 1)]
    register = change_register(law, body)
    assert told(None, recognition(EU_CH[0], ("recognised", "2026-03-01"), annex=EU_CH[1]), register) == []


def test_what_has_only_days_and_no_events_is_not_asked_how_it_came(law: Register) -> None:
    assert told(None, recognition(EU_CH[0], annex=EU_CH[1], **{"from": "2010-01-01"}), law) == []


def test_an_objection_in_time_stops_recognition_until_a_verification(law: Register) -> None:
    asked = recognition(EU_CH[0], ("notified", "2026-08-01"), annex=EU_CH[1])
    objected = steps_of(asked, ("objected", "2026-09-30"))
    assert told(asked, objected, law) == []
    fault = one(told(objected, steps_of(objected, ("recognised", "2026-10-15")), law))
    assert fault.startswith("/timeline/2/event: there was an objection on 2026-09-30; a verification must follow")
    verified = steps_of(objected, ("verified", "2026-10-10"), ("recognised", "2026-10-15"))
    assert told(objected, verified, law) == []


def test_where_the_text_asks_for_a_new_proposal_a_verification_is_not_enough(law: Register) -> None:
    asked = recognition(
        GB_CH[0], ("notified", "2026-05-01"), ("objected", "2026-06-01"), ("verified", "2026-07-01"), annex=GB_CH[1]
    )
    fault = one(told(asked, steps_of(asked, ("recognised", "2026-07-15")), law))
    assert "a new proposal must follow" in fault
    assert "UK-Switzerland MRA, Art. 6(1)" in fault
    again = steps_of(asked, ("notified", "2026-07-10"), ("recognised", "2026-07-15"))
    assert told(asked, again, law) == []


@pytest.mark.parametrize(("day", "late"), [("2026-09-30", False), ("2026-10-01", True)])
def test_an_objection_after_the_last_day_comes_too_late(law: Register, day: str, late: bool) -> None:
    asked = recognition(EU_CH[0], ("notified", "2026-08-01"), annex=EU_CH[1])
    faults = told(asked, steps_of(asked, ("objected", day)), law)
    if not late:
        assert faults == []
        return
    assert one(faults).startswith("/timeline/1/on: the time for objections ended on 2026-09-30")
    assert "(EU-Switzerland MRA, Art. 11(1)(b))" in one(faults)


def test_a_late_answer_is_no_late_objection_where_silence_recognises_nobody(law: Register) -> None:
    asked = recognition(US_EU[0], ("notified", "2026-01-01"), annex=US_EU[1], requirement="us-47cfr-15c")
    assert told(asked, steps_of(asked, ("objected", "2026-11-01")), law) == []


@pytest.mark.parametrize(
    ("agreement", "article"), [(EU_CH, "Art. 8(1) and (4)"), (US_EU, "21 CFR 26.67"), (GB_CH, "Art. 7(1) to (8)")]
)
def test_a_suspension_by_the_importing_side_follows_a_contest(
    law: Register, agreement: tuple[str, str], article: str
) -> None:
    listed = recognition(agreement[0], annex=agreement[1], **{"from": "2015-01-01"})
    fault = one(told(listed, steps_of(listed, ("suspended", "2026-10-01")), law))
    assert "the body was not contested" in fault
    assert article in fault
    assert told(listed, steps_of(listed, ("contested", "2026-09-01"), ("suspended", "2026-10-01")), law) == []


def test_a_decision_of_the_designating_side_may_be_followed(law: Register) -> None:
    body = [Versioned(designation(EU_CH[0], ("withdrawn", "2026-09-01"), annex=EU_CH[1]), 1)]
    register = change_register(law, body)
    listed = recognition(EU_CH[0], annex=EU_CH[1], **{"from": "2015-01-01"})
    assert told(listed, steps_of(listed, ("withdrawn", "2026-09-02")), register) == []
    fault = one(told(listed, steps_of(listed, ("withdrawn", "2026-08-01")), register))
    assert "under 11(2)" in fault


def test_a_withdrawal_needs_a_notice_thirty_days_and_no_opposition(law: Register) -> None:
    listed = recognition(US_EU[0], annex=US_EU[1], **{"from": "2015-01-01"})
    assert "no withdrawal was proposed" in one(told(listed, steps_of(listed, ("withdrawn", "2026-10-01")), law))
    noticed = steps_of(listed, ("notice_of_withdrawal", "2026-09-01"))
    fault = one(told(noticed, steps_of(noticed, ("withdrawn", "2026-10-01")), law))
    assert fault.startswith("/timeline/1/on: the body has at least 30 days from the notice: not before 2026-10-02")
    assert "26.68" in fault
    assert told(noticed, steps_of(noticed, ("withdrawn", "2026-10-02")), law) == []
    opposed = steps_of(noticed, ("objected", "2026-09-20"))
    assert "the other side objected" in one(told(opposed, steps_of(opposed, ("withdrawn", "2026-11-02")), law))
    again = steps_of(opposed, ("notice_of_withdrawal", "2026-10-01"), ("withdrawn", "2026-11-02"))
    assert told(opposed, again, law) == []


def test_an_annex_of_authorities_has_no_procedure_for_bodies(law: Register) -> None:
    listed = recognition("us-eu-mra", annex="pharma-gmp", **{"from": "2017-11-01"})
    assert told(listed, steps_of(listed, ("suspended", "2026-10-01"), ("withdrawn", "2026-11-01")), law) == []


def test_a_text_that_says_nothing_refuses_nothing(law: Register) -> None:
    listed = recognition("apec-tel-us-tw", annex="phase-1", **{"from": "2017-11-01"})
    assert told(listed, steps_of(listed, ("suspended", "2026-10-01"), ("withdrawn", "2026-11-01")), law) == []


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ((("reinstated", "2026-01-01"),), "nothing was suspended"),
        ((("annulled", "2026-01-01"),), "no decision before it"),
        ((("objected", "2026-01-01"),), "recognised already"),
        ((("contested", "2026-12-24"),), "is still to come"),
        ((("withdrawn", "2026-01-01"), ("suspended", "2026-02-01")), "was withdrawn on 2026-01-01"),
    ],
)
def test_some_things_hold_whatever_the_text(law: Register, events: Any, reason: str) -> None:
    listed = recognition("apec-tel-us-tw", annex="phase-1", **{"from": "2017-11-01"})
    assert reason in one(told(listed, steps_of(listed, *events), law))


def test_what_is_recorded_already_is_not_judged_again(law: Register) -> None:
    odd = recognition(EU_CH[0], ("recognised", "2026-03-01"), ("reinstated", "2026-04-01"), annex=EU_CH[1])
    assert len(told(None, odd, law)) == 2
    assert told(odd, steps_of(odd, ("contested", "2026-05-01")), law) == []


def test_records_without_steps_have_no_fault(law: Register) -> None:
    for versioned in law.records.values():
        assert check_steps(None, versioned.record, law, TODAY) == [] or isinstance(versioned.record, Recognition)


def clocks(register: Register, *records: AnyRecord, today: str = "2026-11-21") -> list[Clock]:
    return find_clocks(change_register(register, [Versioned(record, 1) for record in records]), parse_day(today))


def shown(clock: Clock) -> tuple[Any, ...]:
    return clock.kind, str(clock.last) if clock.last is not None else None, clock.waits_for


def test_a_proposal_waits_for_the_other_side(law: Register) -> None:
    proposed = designation(EU_CH[0], ("proposed", "2026-11-01"), annex=EU_CH[1])
    assert [shown(clock) for clock in clocks(law, proposed)] == [("proposal", "2026-12-31", ("EU",))]
    taken_up = recognition(EU_CH[0], ("notified", "2026-11-02"), annex=EU_CH[1])
    assert [shown(clock) for clock in clocks(law, proposed, taken_up)] == [("objection", "2027-01-01", ("us-fcc",))]


@pytest.mark.parametrize(
    ("notified", "kind", "last", "then"),
    [
        ("2005-03-01", "answer", None, "the text does not say what silence means"),
        ("2006-12-20", "answer", "2007-02-18", "the text does not say what silence means"),
        ("2007-02-01", "objection", "2007-04-02", "without an objection the body is recognised from 2007-04-03 on"),
    ],
)
def test_a_clock_runs_only_for_what_was_notified_under_its_clause(
    law: Register, notified: str, kind: str, last: str | None, then: str
) -> None:
    asked = recognition(EU_CH[0], ("notified", notified), annex=EU_CH[1])
    (clock,) = clocks(law, asked, today=notified)
    assert (clock.kind, clock.last and str(clock.last), clock.then) == (kind, last, then)


def test_an_objection_clock_ends_by_silence_objection_or_recognition(law: Register) -> None:
    asked = recognition(EU_CH[0], ("notified", "2026-08-01"), annex=EU_CH[1])
    (clock,) = clocks(law, asked, today="2026-09-30")
    assert shown(clock) == ("objection", "2026-09-30", ("us-fcc",))
    assert clock.then == "without an objection the body is recognised from 2026-10-01 on"
    assert clock.article == "EU-Switzerland MRA, Art. 11(1)(b)"
    assert clocks(law, asked, today="2026-10-01") == []
    assert clocks(law, steps_of(asked, ("objected", "2026-08-20")), today="2026-09-01") == []
    assert clocks(law, steps_of(asked, ("recognised", "2026-08-20")), today="2026-09-01") == []


def test_an_answer_to_one_item_leaves_the_clock_of_the_others(law: Register) -> None:
    scope = [{"key": key, "requirement": "eu-red-2014-53", "from": "always"} for key in ("a", "b", "c")]
    events = (("notified", "2026-08-01", "a"), ("notified", "2026-08-20", "b"), ("notified", "2026-08-25", "c"))
    answers = (("objected", "2026-08-21", "a"), ("recognised", "2026-08-26", "c"))
    timeline = [{"event": name, "on": day, "items": [key]} for name, day, key in (*events, *answers)]
    asked = recognition(EU_CH[0], annex=EU_CH[1], scope=scope, timeline=timeline)
    assert [str(clock.opened) for clock in clocks(law, asked, today="2026-09-01")] == ["2026-08-20"]


def test_an_answer_stays_due_where_silence_recognises_nobody(law: Register) -> None:
    asked = recognition(US_EU[0], ("notified", "2026-01-01"), annex=US_EU[1], requirement="us-47cfr-15c")
    (clock,) = clocks(law, asked)
    assert shown(clock) == ("answer", "2026-03-02", ("us-fcc",))
    assert clock.overdue(TODAY)
    assert not clock.overdue(parse_day("2026-03-02"))


def test_a_notice_of_withdrawal_runs_two_clocks(law: Register) -> None:
    listed = recognition(US_EU[0], annex=US_EU[1], **{"from": "2015-01-01"})
    noticed = steps_of(listed, ("notice_of_withdrawal", "2026-09-01"))
    assert [shown(clock) for clock in clocks(law, noticed, today="2026-09-15")] == [
        ("hearing", "2026-10-01", (BODY,)),
        ("answer", "2026-10-31", ("EU",)),
    ]
    assert [shown(clock) for clock in clocks(law, noticed, today="2026-10-02")] == [
        ("answer", "2026-10-31", ("EU",)),
        ("withdrawal", None, ("us-fcc",)),
    ]
    assert clocks(law, steps_of(noticed, ("objected", "2026-10-05"))) == []
    assert clocks(law, steps_of(noticed, ("withdrawn", "2026-10-05"))) == []


def test_a_contest_waits_for_a_decision(law: Register) -> None:
    listed = recognition(US_EU[0], annex=US_EU[1], **{"from": "2015-01-01"})
    contested = steps_of(listed, ("contested", "2026-11-15"))
    assert [shown(clock) for clock in clocks(law, contested)] == [("deadlock", "2026-11-25", ("us-fcc",))]
    assert clocks(law, steps_of(contested, ("suspended", "2026-11-20"))) == []


NAMES = (
    *("proposed", "notified", "objected", "verified", "recognised", "contested", "suspended", "reinstated"),
    *("notice_of_withdrawal", "withdrawn", "annulled", "restricted", "expired"),
)
EVENTS = st.sampled_from(NAMES)
COVERS = st.sampled_from([EU_CH, US_EU, GB_CH, ("apec-tel-us-tw", "phase-1"), ("eu-single-market", None)])
MOVES = st.lists(st.tuples(EVENTS, st.integers(0, 300)), max_size=7)


def _walked(cover: tuple[str, str | None], moves: list[tuple[str, int]], register: Register) -> Recognition:
    """Take the moves one after another, each some days later, and leave out those that are refused."""
    record = recognition(cover[0], annex=cover[1])
    day = parse_day("2020-01-01")
    for name, pause in moves:
        day += pause
        tried = steps_of(record, (name, show_day(day)))
        if not check_steps(record, tried, register, TODAY):
            record = tried
    return record


@settings(max_examples=60)
@given(cover=COVERS, moves=MOVES)
def test_steps_told_as_allowed_are_allowed_and_no_others(
    law: Register, cover: tuple[str, str | None], moves: list[tuple[str, int]]
) -> None:
    record = _walked(cover, moves, law)
    for step in list_steps(record, law, TODAY):
        faults = check_steps(record, steps_of(record, (step.event, "2026-11-21")), law, TODAY)
        assert (faults == []) is step.allowed
        assert step.allowed or step.reason
    assert all(isinstance(fault, Fault) for fault in check_steps(None, record, law, TODAY))


@settings(max_examples=60)
@given(cover=COVERS, moves=MOVES)
def test_what_was_walked_in_allowed_steps_is_allowed_as_a_whole(
    law: Register, cover: tuple[str, str | None], moves: list[tuple[str, int]]
) -> None:
    assert check_steps(None, _walked(cover, moves, law), law, TODAY) == []


@settings(max_examples=60)
@given(cover=COVERS, moves=MOVES, day=st.integers(0, 2500))
def test_clocks_run_only_for_what_is_open(
    law: Register, cover: tuple[str, str | None], moves: list[tuple[str, int]], day: int
) -> None:
    record = _walked(cover, moves, law)
    today = parse_day("2020-01-01") + day
    register = change_register(law, [Versioned(record, 1)])
    for clock in find_clocks(register, today):
        assert clock.opened.latest <= today
        assert clock.waits_for
        if clock.kind == "objection":
            assert not clock.overdue(today)
            names = [event.event for event in record.timeline if event.on.latest <= today]
            assert "notified" in names


def test_the_engine_and_the_clock_agree_on_the_day_of_silence(law: Register) -> None:
    asked = recognition(EU_CH[0], ("notified", "2026-08-01"), annex=EU_CH[1])
    body = {"type": "body", "id": BODY, "owner": "ch-seco", "economy": "CH", "kinds": ["certification_body"]}
    named = read_record({**body, "names": [{"name": "X", "from": "always"}]})
    register = change_register(law, [Versioned(asked, 1), Versioned(named, 1)])
    (clock,) = find_clocks(register, parse_day("2026-09-01"))
    silent = next(right for right in register.facts.issuers[BODY].recognitions if right.silence_from is not None)
    assert clock.last is not None
    timeline = silent.items[0].timeline(TODAY)
    assert timeline.at(clock.last.latest).state is not RightState.HELD
    assert timeline.at(clock.last.latest + 1).state is RightState.HELD
