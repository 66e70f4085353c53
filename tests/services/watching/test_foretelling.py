"""What is told ahead: each end and each turn of an answer, at each threshold once, whatever days were missed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from cab_registry.services.expiries import Horizon
from cab_registry.services.watching.foretelling import Foreteller
from cab_registry.services.watching.targets import Target
from tests.services.office import Office, given, right
from tests.services.watching.watchers import WatchOffice, new_reports, report

END = date(2027, 6, 1)


@pytest.fixture
async def desk(office: Office) -> WatchOffice:
    """A laboratory whose accreditation ends on the first of June 2027."""
    made = WatchOffice(office)
    await made.open()
    await made.office.submit("accreditor", given(right("accreditation", validity="dated", until=END.isoformat()), 1))
    await made.watcher.catch_up()
    return made


async def look(desk: WatchOffice, *days: date) -> list[str]:
    """Look ahead from some days, and give back the causes of what was written."""
    known = {event["cause"] for event in await desk.notices()}
    foreteller = Foreteller(desk.watcher, Horizon())
    for day in days:
        desk.office.now = desk.office.now.replace(year=day.year, month=day.month, day=day.day)
        async with desk.office.engine.begin() as connection:
            await foreteller.look(connection, day, desk.office.now)
    return [event["cause"] for event in await desk.notices() if event["cause"] not in known]


def before(days: int, end: date = END) -> date:
    return end - timedelta(days=days)


def ends(*thresholds: int) -> list[str]:
    return [f"end/accreditation-1/expiry/{END.isoformat()}/{each}/" for each in thresholds]


async def test_an_end_is_told_at_each_threshold_and_not_before(desk: WatchOffice) -> None:
    await desk.watch(Target(kind="body", id="lab-1"))
    assert await look(desk, before(121)) == []
    for threshold in (120, 90, 30, 7, 0):
        assert await look(desk, before(threshold)) == ends(threshold)
        assert await look(desk, before(threshold)) == []
    assert await look(desk, before(-1)) == []


async def test_days_that_were_missed_are_made_up_for(desk: WatchOffice) -> None:
    await desk.watch(Target(kind="body", id="lab-1"))
    assert await look(desk, *(before(days) for days in range(125, -5, -1))) == ends(120, 90, 30, 7, 0)


async def test_who_comes_late_is_told_what_is_due(desk: WatchOffice) -> None:
    await desk.watch(Target(kind="body", id="lab-1"))
    assert await look(desk, before(20)) == ends(30)
    assert await look(desk, before(10), before(5)) == ends(7)


async def test_an_end_that_was_put_off_is_told_anew(desk: WatchOffice) -> None:
    await desk.watch(Target(kind="body", id="lab-1"))
    assert await look(desk, before(90)) == ends(90)
    await desk.office.submit("accreditor", given(right("accreditation", validity="dated", until="2029-06-01"), 2))
    await desk.watcher.catch_up()
    assert await look(desk, before(30), before(0)) == []
    later = date(2029, 6, 1)
    assert await look(desk, before(120, later)) == ["end/accreditation-1/expiry/2029-06-01/120/"]


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (Target(kind="body", id="lab-1"), True),
        (Target(kind="scope", id="lab-1", requirement="xb-rules"), True),
        (Target(kind="scope", id="lab-1", requirement="standard-one"), False),
        (Target(kind="authority", id="xa-service"), True),
        (Target(kind="authority", id="xu-agency"), False),
        (Target(kind="agreement", id="xa-xb"), False),
    ],
)
async def test_an_end_is_told_to_those_whom_it_concerns(desk: WatchOffice, target: Target, *, told: bool) -> None:
    await desk.enter(2, validity="dated")
    await desk.watch(Target(kind="body", id="lab-2"))
    watch = await desk.watch(target)
    await look(desk, before(30))
    events = await desk.notices(watch)
    assert [event["type"] for event in events if event["type"] == "record.expiring"] == ["record.expiring"] * told
    assert len(await desk.notices()) == len(events)


async def test_an_open_end_that_nobody_confirms_is_told_once(desk: WatchOffice) -> None:
    await desk.enter(2, sources={"list": {"title": "List", "read_on": "2026-11-01", "confidence": "high"}})
    await desk.watcher.catch_up()
    await desk.watch(Target(kind="body", id="lab-2"))
    days = [date(2026, 11, 22) + timedelta(days=step) for step in range(40)]
    assert await look(desk, *days) == [f"end/accreditation-2/confirmation/2026-12-02/{each}/" for each in (7, 0)]
    # Where nobody looked for long, it is told as overdue; a confirmation makes an end of it.
    watch = await desk.watch(Target(kind="authority", id="xa-service"))
    await look(desk, date(2027, 1, 20))
    (event,) = await desk.notices(watch)
    assert event["cause"] == "end/accreditation-2/confirmation/2026-12-02/0/"
    assert "overdue" in event["data"]["headline"]
    found = right("accreditation", 2)
    confirmed = {**found, "timeline": [*found["timeline"], {"event": "confirmed", "on": "2027-01-21"}]}
    await desk.office.submit("accreditor", given(confirmed, 1))
    await desk.watcher.catch_up()
    assert await look(desk, date(2027, 1, 22)) == []


async def test_what_ends_is_said_in_words(desk: WatchOffice) -> None:
    await desk.watch(Target(kind="body", id="lab-1"), name="ours")
    await look(desk, before(30))
    (event,) = await desk.notices()
    data = event["data"]
    assert data["end"] | {"key": ""} == {
        "key": "",
        "kind": "accreditation",
        "record": "accreditation-1",
        "until": "2027-06-01",
        "days": 30,
    }
    assert "Laboratory 1" in data["headline"]
    assert "30 days left" in data["headline"]
    assert "1 June 2027" in data["sentences"][0]


async def test_a_standing_answer_is_forecast(desk: WatchOffice) -> None:
    await desk.watch(new_reports(), name="ours")
    turns = before(-1)
    causes = await look(desk, *(before(days) for days in range(125, 0, -1)))
    assert causes == [f"forecast/{turns.isoformat()}/{each}/1" for each in (120, 90, 30, 7)]
    event: dict[str, Any] = (await desk.notices())[0]
    assert event["data"]["sentences"][0] == (
        "From 2 June 2027 new results are not accepted unless the accreditation is renewed."
    )
    assert event["data"]["turns_on"] == "2027-06-02"
    assert event["data"]["before"]["verdict"] == "accepted"


async def test_on_the_day_the_answer_turns(desk: WatchOffice) -> None:
    watch = await desk.watch(new_reports())
    assert await look(desk, before(-1)) == ["turn/2027-06-02/1"]
    (event,) = await desk.notices(watch)
    assert (event["type"], event["data"]["before"]["verdict"], event["data"]["after"]["verdict"]) == (
        "answer.turned",
        "accepted",
        "not_accepted",
    )
    assert await look(desk, before(-1), before(-2)) == []


async def test_a_turn_is_told_although_nobody_looked_on_its_day(desk: WatchOffice) -> None:
    await desk.watch(new_reports())
    assert await look(desk, before(-20)) == ["turn/2027-06-21/1"]


async def test_a_document_in_hand_follows_its_own_clock(desk: WatchOffice) -> None:
    await desk.watch(report(performed_on="2026-06-01"))
    assert await look(desk, *(before(days) for days in range(125, -10, -1))) == []


async def test_a_forecast_that_changed_is_told_by_the_change(desk: WatchOffice) -> None:
    await desk.watch(new_reports())
    await look(desk, before(119))
    await desk.office.submit("accreditor", given(right("accreditation", validity="dated", until="2027-03-01"), 2))
    await desk.watcher.catch_up()
    events = await desk.notices()
    assert [event["type"] for event in events] == ["answer.forecast", "answer.changed"]
    assert events[-1]["data"]["after"]["until"] == "2027-03-01"
    assert await look(desk, date(2027, 2, 2)) == ["forecast/2027-03-02/30/1"]


async def test_a_question_for_one_day_is_not_forecast(desk: WatchOffice) -> None:
    fixed = new_reports()
    assert fixed.question is not None
    import msgspec

    on = msgspec.structs.replace(fixed.question, standing_on=date(2027, 5, 1))
    await desk.watch(msgspec.structs.replace(fixed, question=on))
    assert await look(desk, *(before(days) for days in range(125, -5, -1))) == []


async def test_an_answer_beyond_the_days_looked_at_is_looked_at_again(desk: WatchOffice) -> None:
    await desk.enter(2, validity="dated", until="2030-01-01")
    await desk.watcher.catch_up()
    await desk.watch(new_reports(2))
    assert await look(desk, *(date(2026, 11, 21) + timedelta(days=30 * step) for step in range(34))) == []
    far = date(2030, 1, 2)
    assert await look(desk, *(before(days, far) for days in (121, 120, 90))) == [
        f"forecast/2030-01-02/{each}/1" for each in (120, 90)
    ]


async def test_an_end_is_told_to_who_watches_an_authority_that_rests_on_it(desk: WatchOffice) -> None:
    watch = await desk.watch(Target(kind="authority", id="xb-office"))
    assert await look(desk, before(30)) == ends(30)
    assert [event["type"] for event in await desk.notices(watch)] == ["record.expiring"]
