"""What is supposed is in the register that is made, and nothing else; the register it is made from stays as it is."""

from typing import Any

import pytest

from cab_registry.domain.days import parse_day
from cab_registry.domain.records import Authority, write_record
from cab_registry.engine.facts import RightState
from cab_registry.register.compiled import Register
from cab_registry.services.supposing import ImpossibleSupposition, line_of, suppose
from cab_registry.services.views import NoSuchRecord
from tests.services.accredited import authority, body, compiled, day, laboratory, law, right, signatory

ON = parse_day(day(30))


@pytest.fixture(scope="module")
def register() -> Register:
    return compiled(*laboratory("one"), *laboratory("two", "ab-two"), *laboratory("three", "ab-former"))


def state(register: Register, of: str, kind: str, on: int) -> RightState:
    (found,) = register.facts.issuers[of].rights(kind)
    return found.items[0].timeline(on).at(on).state


def statuses(register: Register, key: str) -> list[Any]:
    record = register.records[key].record
    assert isinstance(record, Authority)
    return [(each["from"], each.get("until")) for each in write_record(record).get("signatory", [])]


@pytest.mark.parametrize(
    ("loss", "after"),
    [("suspended", RightState.SUSPENDED), ("withdrawn", RightState.WITHDRAWN), ("expired", RightState.EXPIRED)],
)
def test_a_body_loses_each_right_from_the_day_on(register: Register, loss: Any, after: RightState) -> None:
    before = {key: each.record for key, each in register.records.items()}
    supposed = suppose(register, "one", loss, ON)
    for kind in ("accreditation", "recognition"):
        assert state(supposed.register, "one", kind, ON) is after
        assert state(supposed.register, "one", kind, ON - 1) is RightState.HELD
        assert state(register, "one", kind, ON) is RightState.HELD
    assert sorted(supposed.changed) == ["one-a", "one-r"]
    assert supposed.bodies == ("one",)
    assert {supposed.register.records[each].version for each in supposed.changed} == {2}
    assert {key: each.record for key, each in register.records.items()} == before
    assert supposed.words == (
        f"Laboratory one (XA) loses 2 rights (recognition by Xc-Office, A with all; accreditation by Ab-One, "
        f"Standard One): {loss} from {day(30)} on."
    )


def test_of_an_accreditation_body_status_and_accreditations_are_told_apart(register: Register) -> None:
    status = suppose(register, "ab-two", "suspended", ON, "status")
    assert status.changed == ("ab-two",)
    assert statuses(status.register, "ab-two") == [("2010-01-01", day(29))]
    assert state(status.register, "two", "accreditation", ON) is RightState.HELD
    assert status.words == (
        f"Ab-Two (XA) is no signatory of World MRA from {day(30)} on. The accreditations that it gave stand."
    )
    given = suppose(register, "ab-two", "suspended", ON, "accreditations")
    assert given.changed == ("two-a",)
    assert statuses(given.register, "ab-two") == [("2010-01-01", None)]
    assert state(given.register, "two", "accreditation", ON) is RightState.SUSPENDED
    assert state(given.register, "two", "recognition", ON) is RightState.HELD
    both = suppose(register, "ab-two", "suspended", ON)
    assert both.changed == ("ab-two", "two-a")
    assert status.bodies == given.bodies == both.bodies == ("two",)
    assert both.words == (
        f"Ab-Two (XA) is no signatory of World MRA from {day(30)} on; "
        f"1 accreditation given by Ab-Two (XA) is suspended from {day(30)} on."
    )


def test_a_successor_answers_for_the_acts_of_whom_it_succeeded(register: Register) -> None:
    for key in ("ab-one", "ab-former"):
        supposed = suppose(register, key, "withdrawn", ON)
        assert supposed.bodies == ("one", "three")
        assert sorted(supposed.changed) == ["ab-former", "ab-one", "one-a", "three-a"]
    before_it = parse_day("2014-12-31")
    assert line_of(register, "ab-one", before_it) == {"ab-one"}
    assert line_of(register, "ab-one", before_it + 1) == {"ab-one", "ab-former"}


def test_who_succeeded_the_same_body_elsewhere_is_another(register: Register) -> None:
    other = authority(
        "ab-other", "XA", "accrediting", succeeds=[{"authority": "ab-former", "on": "2015-01-01", "source": "law"}]
    )
    split = compiled(other, *laboratory("four", "ab-other"), *laboratory("one"))
    assert line_of(split, "ab-other", ON) == {"ab-other", "ab-former"}
    assert line_of(split, "ab-former", ON) == {"ab-other", "ab-one", "ab-former"}
    assert suppose(split, "ab-other", "withdrawn", ON).bodies == ("four",)


def test_only_what_is_there_is_lost() -> None:
    ended = signatory("2010-01-01", day(10))
    later = signatory(day(40))
    running = signatory("2012-01-01", day(90))
    past = right("accreditation", "past", "one", "ab-one", "xb-rules", until=day(20))
    future = right("accreditation", "future", "one", "ab-one", "xb-rules", **{"from": day(60)})
    paused = right(
        "accreditation",
        "paused",
        "one",
        "ab-one",
        "xb-rules",
        timeline=[{"event": "suspended", "on": day(0), "until": day(50)}],
    )
    register = compiled(body("one"), past, future, paused, of=law([ended, running, later]))
    supposed = suppose(register, "ab-one", "withdrawn", ON)
    assert statuses(supposed.register, "ab-one") == [("2010-01-01", day(10)), ("2012-01-01", day(29))]
    assert [each for each in supposed.changed if each not in ("ab-one", "ab-former")] == ["paused"]


def test_the_members_of_an_umbrella_are_touched_with_it() -> None:
    umbrella = authority("xa-all-lands", "XA", "inspecting", members=["xa-land"])
    member = authority("xa-land", "XA", "inspecting")
    register = compiled(umbrella, member, right("recognition", "r", "xa-all-lands", "xc-office", "xc-rules"))
    assert suppose(register, "xa-all-lands", "suspended", ON).bodies == ("xa-all-lands", "xa-land")
    with pytest.raises(ImpossibleSupposition) as refused:
        suppose(register, "xa-land", "suspended", ON)
    assert "held by xa-all-lands" in refused.value.faults[0].message


def test_what_cannot_be_lost_is_refused(register: Register) -> None:
    with pytest.raises(NoSuchRecord):
        suppose(register, "nobody", "suspended", ON)
    for key, on, what, pointer in (
        ("xa-all", ON, "all", "/record_id"),
        ("xb-rules", ON, "all", "/record_id"),
        ("one", ON, "status", "/what"),
        ("one", parse_day("2017-12-31"), "all", "/on"),
        ("xc-office", ON, "all", "/on"),
        ("ab-two", parse_day("2017-12-31"), "accreditations", "/on"),
        ("one", parse_day("3000-01-01"), "all", "/on"),
        ("one", parse_day("1899-12-31"), "all", "/on"),
    ):
        with pytest.raises(ImpossibleSupposition) as refused:
            suppose(register, key, "suspended", on, what)  # type: ignore[arg-type]
        assert [fault.pointer for fault in refused.value.faults] == [pointer], key
    nobody = compiled(of=law([]))
    with pytest.raises(ImpossibleSupposition):
        suppose(nobody, "xc-office", "suspended", ON)
