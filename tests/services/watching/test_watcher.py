"""Who watches is told of what changed, once, and of nothing else."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from sqlalchemy import text

from cab_registry.services.watching.recalling import say_lost
from cab_registry.services.watching.targets import Target
from cab_registry.storage.entries import NewRecord, NewSubmission
from cab_registry.storage.log import append
from tests.services.office import Office, body, given, notice, right
from tests.services.watching.watchers import ROUTE, WatchOffice, new_reports, report


@pytest.fixture
async def office_of_watches(office: Office) -> WatchOffice:
    made = WatchOffice(office)
    await made.open()
    return made


Offices = WatchOffice


def suspended(on: str, **more: Any) -> dict[str, Any]:
    found = right("recognition")
    return {**found, "timeline": [*found["timeline"], {"event": "suspended", "on": on}], **more}


async def test_nobody_is_told_of_what_changes_no_answer(office_of_watches: Offices) -> None:
    desk = office_of_watches
    await desk.watch(report())
    await desk.enter(2)
    await desk.office.submit("officer", given(body(1, note="a remark"), 1))
    assert await desk.watcher.catch_up() == 4
    assert await desk.notices() == []


async def test_only_what_a_change_can_touch_is_asked_again(office_of_watches: Offices) -> None:
    desk = office_of_watches
    for number in (2, 3):
        await desk.enter(number)
    await desk.watch(*(report(number) for number in (1, 2, 3)), *(new_reports(number) for number in (1, 2, 3)))
    await desk.watcher.catch_up()
    asked = desk.watcher.counts.asked
    await desk.office.submit("regulator", given(suspended("2026-11-21"), 1))
    await desk.watcher.catch_up()
    assert desk.watcher.counts.asked - asked == 2
    kinds = [event["type"] for event in await desk.notices()]
    assert kinds == ["answer.changed"]


async def test_a_loss_that_begins_today_is_a_change_for_new_reports(office_of_watches: Offices) -> None:
    desk = office_of_watches
    await desk.watch(new_reports(), name="my laboratory")
    await desk.office.submit("regulator", given(suspended("2026-11-21"), 1))
    await desk.watcher.catch_up()
    (event,) = await desk.notices()
    data = event["data"]
    assert event["type"] == "answer.changed"
    assert data["headline"] == "my laboratory: accepted becomes not accepted"
    assert (data["before"]["verdict"], data["after"]["verdict"]) == ("accepted", "not_accepted")
    assert data["recall"] is None
    assert data["cause"]["records"][0]["id"] == "recognition-1"
    assert data["cause"]["public_reason"] == "as decided"
    assert data["links"][0]["address"].startswith("https://registry.example/answer?destination=XB")


async def test_a_loss_that_reaches_back_is_a_recall(office_of_watches: Offices) -> None:
    desk = office_of_watches
    standing = await desk.watch(new_reports())
    document = await desk.watch(report(performed_on="2026-06-01"))
    untouched = await desk.watch(report(performed_on="2026-01-15"))
    await desk.office.submit("regulator", given(suspended("2026-03-01"), 1))
    await desk.watcher.catch_up()
    (event,) = await desk.notices(standing)
    assert event["type"] == "answer.recalled"
    recall = event["data"]["recall"]
    assert recall["from"] == "2026-03-01"
    assert recall["by"] == [{"id": "xb-office", "name": "O"}]
    assert recall["article"] == "Article 4"
    assert "2026-03-01" in event["data"]["sentences"][0]
    (event,) = await desk.notices(document)
    assert event["type"] == "answer.recalled"
    assert event["data"]["recall"]["from"] == "2026-06-01"
    assert await desk.notices(untouched) == []


@pytest.mark.parametrize(
    ("verdict", "are_many", "expected"),
    [
        ("not_accepted", True, "were held to be accepted; they are not accepted."),
        ("cannot_tell", True, "were held to be accepted; we can no longer tell whether they are."),
        (
            "not_accepted",
            False,
            "This document was held to be accepted; for whoever presents it from 2026-03-01 on, it",
        ),
        ("cannot_tell", False, "from 2026-03-01 on, we can no longer tell whether it is."),
    ],
)
def test_what_is_taken_back_is_said_in_a_sentence(verdict: str, are_many: bool, expected: str) -> None:
    assert expected in say_lost(verdict, "2026-03-01", are_many=are_many)


async def test_a_recall_names_the_positions_that_differ(office_of_watches: Offices) -> None:
    desk = office_of_watches
    position = {
        "type": "position",
        "id": "position-1",
        "owner": "xa-ministry",
        "by": "xa-ministry",
        "about": {"agreement": "xa-xb", "annex": "radio"},
        "says": "accepted",
        "binds_in": ["XA"],
        "from": "2020-01-01",
    }
    await desk.office.submit("officer", position, although="it decides by Decree 4")
    watch = await desk.watch(report())
    await desk.office.submit("regulator", given(suspended("2026-03-01"), 1))
    await desk.watcher.catch_up()
    (event,) = await desk.notices(watch)
    (told,) = event["data"]["recall"]["positions"]
    assert (told["id"], told["by"]["id"], told["says"]) == ("position-1", "xa-ministry", "accepted")


async def test_an_answer_that_holds_shorter_is_told(office_of_watches: Offices) -> None:
    desk = office_of_watches
    watch = await desk.watch(new_reports())
    await desk.office.submit("accreditor", given(right("accreditation", until="2027-01-02"), 1))
    await desk.watcher.catch_up()
    (event,) = await desk.notices(watch)
    assert event["data"]["after"]["until"] == "2027-01-02"
    assert event["data"]["headline"].endswith("accepted until 2027-01-02")


@pytest.mark.parametrize("last", ["2029-06-01", "2041-12-31"])
async def test_a_renewal_is_told_with_its_end_however_far_ahead(office_of_watches: Offices, last: str) -> None:
    desk = office_of_watches
    await desk.office.submit("accreditor", given(right("accreditation", until="2027-01-02"), 1))
    watch = await desk.watch(new_reports())
    renewed = right("accreditation", until="2027-01-02")
    renewed["timeline"].append({"event": "renewed", "on": "2026-11-20", "until": last})
    await desk.office.submit("accreditor", given(renewed, 2))
    await desk.watcher.catch_up()
    (event,) = [each for each in await desk.notices(watch) if last in str(each["data"]["headline"])]
    assert event["data"]["headline"].endswith(f"accepted until {last}")
    assert f"It holds until {last}; before: until 2027-01-02." in event["data"]["sentences"]


async def test_a_body_that_is_retired_does_not_go_silent(office_of_watches: Offices) -> None:
    desk = office_of_watches
    watches = [
        await desk.watch(Target(kind="body", id="lab-1")),
        await desk.watch(Target(kind="agreement", id="xa-xb")),
        await desk.watch(Target(kind="authority", id="xb-office")),
        await desk.watch(new_reports()),
        await desk.watch(Target(kind="scope", id="lab-1", requirement="xb-rules")),
    ]
    await desk.office.submit("regulator", given(right("recognition"), 1, "retire"))
    await desk.watcher.catch_up()
    for watch in watches:
        (event,) = await desk.notices(watch)
        (record,) = event["data"]["cause"]["records"]
        assert record["change"] == "retire"
        assert record["words"][0].startswith("Retired")
    await desk.office.submit("accreditor", given(right("accreditation"), 1, "retire"))
    await desk.office.submit("officer", given(body(1), 1, "retire"))
    await desk.watcher.catch_up()
    assert [event["data"]["cause"]["records"][0]["type"] for event in await desk.notices(watches[0])] == [
        "recognition",
        "accreditation",
        "body",
    ]


async def test_no_change_is_too_small_to_be_told(office_of_watches: Offices) -> None:
    desk = office_of_watches
    watch = await desk.watch(Target(kind="body", id="lab-1"))
    await desk.office.submit("officer", given(body(1, note="a remark"), 1))
    await desk.watcher.catch_up()
    (event,) = await desk.notices(watch)
    assert event["data"]["cause"]["records"][0]["version"] == 2


async def test_nothing_is_told_of_an_identical_record_in_another_order(office_of_watches: Offices) -> None:
    desk = office_of_watches
    kinds = ["testing_laboratory", "inspection_body", "certification_body"]
    await desk.office.submit("officer", given(body(1, kinds=kinds), 1))
    await desk.watcher.catch_up()
    watch = await desk.watch(Target(kind="body", id="lab-1"))
    again = dict(reversed(body(1, kinds=kinds[::-1]).items()))
    done = await desk.office.submit("officer", given(again, 2))
    assert (done.public.unchanged, done.public.versions) == (("lab-1",), ())
    # The log of a registry may hold such a version all the same.
    document = {**again, "kinds": [*kinds[1:], kinds[0]], "sources": {}}
    version = NewSubmission(
        id=str(uuid4()), principal="p", public_reason="order", records=(NewRecord.of(document, "amend"),)
    )
    async with desk.office.engine.begin() as connection:
        assert len((await append(connection, version)).entries) == 1
    await desk.watcher.catch_up()
    assert await desk.notices(watch) == []


async def test_of_a_record_that_changed_only_what_changed_is_told(office_of_watches: Offices) -> None:
    desk = office_of_watches
    kinds = ["testing_laboratory", "inspection_body", "certification_body"]
    await desk.office.submit("officer", given(body(1, kinds=kinds), 1))
    await desk.watcher.catch_up()
    watch = await desk.watch(Target(kind="body", id="lab-1"))
    await desk.office.submit("officer", given(body(1, kinds=kinds[::-1], note="a remark"), 2), body(2))
    await desk.watcher.catch_up()
    (event,) = await desk.notices(watch)
    (record,) = event["data"]["cause"]["records"]
    assert record["words"] == ["Note: a remark (not stated before)"]


async def test_a_body_watch_tells_the_answers_that_flip(office_of_watches: Offices) -> None:
    desk = office_of_watches
    watch = await desk.watch(Target(kind="body", id="lab-1"))
    await desk.office.submit("regulator", given(suspended("2026-03-01"), 1))
    await desk.watcher.catch_up()
    (event,) = await desk.notices(watch)
    assert event["type"] == "record.recalled"
    assert event["data"]["recall"]["from"] == "2026-03-01"
    (flip,) = event["data"]["flips"]
    assert (flip["before"], flip["after"], flip["on"]) == ("accepted", "not_accepted", "2026-03-01")


async def test_a_scope_watch_keeps_to_its_scope(office_of_watches: Offices) -> None:
    desk = office_of_watches
    rules = {
        "type": "requirement",
        "id": "xb-other",
        "owner": "registrar",
        "economy": "XB",
        "sector": "emc",
        "citation": "Other rules",
        "editions": [{"key": "1", "from": "always"}],
    }
    await desk.office.submit("registrar", rules)
    mine = await desk.watch(Target(kind="scope", id="lab-1", requirement="xb-rules"))
    other = await desk.watch(Target(kind="scope", id="lab-1", requirement="xb-other"))
    abroad = await desk.watch(Target(kind="scope", id="lab-1", requirement="xb-other", destination="XA"))
    found = suspended("2026-11-21")
    await desk.office.submit("regulator", given(found, 1))
    await desk.watcher.catch_up()
    assert len(await desk.notices(mine)) == 1
    assert await desk.notices(other) == []
    assert await desk.notices(abroad) == []


async def test_a_change_of_law_is_told(office_of_watches: Offices) -> None:
    desk = office_of_watches
    watch = await desk.watch(report(), new_reports())
    ended = [{"state": "operational", "on": "2006-01-01"}, {"state": "ended", "on": "2026-11-01"}]
    await desk.office.submit("registrar", given({**ROUTE, "operation": ended}, 1))
    await desk.watcher.catch_up()
    events = await desk.notices(watch)
    assert {event["data"]["after"]["verdict"] for event in events} <= {"not_accepted", "not_covered", "cannot_tell"}
    assert len(events) >= 1


async def test_a_route_into_another_market_asks_nothing_again(office_of_watches: Offices) -> None:
    desk = office_of_watches
    await desk.watch(report(), new_reports())
    other = {**ROUTE, "id": "xb-xa-radio", "importer": ["XA"], "exporter": ["XB"]}
    far = {**ROUTE, "id": "xa-xb-far", "exporter": ["XB"]}
    await desk.office.submit("registrar", other, far)
    await desk.watcher.catch_up()
    assert desk.watcher.counts.asked == 0


async def test_an_identifier_that_comes_to_a_body_is_seen(office_of_watches: Offices) -> None:
    desk = office_of_watches
    watch = await desk.watch(new_reports(0, scheme="numbers", value="A-7"))
    await desk.enter(7)
    await desk.watcher.catch_up()
    assert (await desk.notices(watch))[-1]["data"]["after"]["verdict"] == "accepted"


async def test_a_name_that_is_begun_is_seen(office_of_watches: Offices) -> None:
    desk = office_of_watches
    watch = await desk.watch(new_reports(0, name="Northern"))
    await desk.office.submit("officer", body(9, names=[{"name": "Northern Radio House", "from": "2010-01-01"}]))
    asked = desk.watcher.counts.asked
    await desk.watcher.catch_up()
    assert desk.watcher.counts.asked == asked + 1
    del watch


async def test_a_notice_on_a_document_is_told(office_of_watches: Offices) -> None:
    desk = office_of_watches
    target = report()
    assert target.question is not None
    numbered = msgspec.structs.replace(target.question.result, number="R-1")
    with_number = msgspec.structs.replace(target, question=msgspec.structs.replace(target.question, result=numbered))
    watch = await desk.watch(with_number)
    other = await desk.watch(target)
    await desk.office.submit("regulator", notice(1, about={"number": "R-1"}, effect="cancelled"))
    await desk.watcher.catch_up()
    assert [event["data"]["after"]["verdict"] for event in await desk.notices(watch)] == ["not_accepted"]
    assert await desk.notices(other) == []


async def test_two_watchers_tell_once(office_of_watches: Offices) -> None:
    desk = office_of_watches
    await desk.watch(new_reports())
    second = desk.hire()
    for count in range(6):
        on = f"2026-11-{10 + count}"
        await desk.office.submit("regulator", given(suspended(on), 1 + count, "correction"))
    done = await asyncio.gather(desk.watcher.catch_up(), second.catch_up())
    assert sum(done) >= 6
    causes = [event["cause"] for event in await desk.notices()]
    assert len(causes) == len(set(causes))
    assert desk.watcher.counts.notices + second.counts.notices == len(causes)


async def test_a_watcher_that_breaks_off_between_leaves_all_or_nothing(
    office_of_watches: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = office_of_watches
    await desk.watch(new_reports())
    await desk.office.submit("regulator", given(suspended("2026-03-01"), 1))

    async def break_off(*_: Any) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr("cab_registry.services.watching.watcher.move_cursor", break_off)
        with pytest.raises(asyncio.CancelledError):
            await desk.watcher.catch_up()
    assert await desk.notices() == []
    await desk.hire().catch_up()
    assert len(await desk.notices()) == 1


async def test_what_was_answered_at_a_later_position_is_not_told_of_an_earlier_one(office_of_watches: Offices) -> None:
    desk = office_of_watches
    await desk.watcher.catch_up()
    await desk.office.submit("regulator", given(suspended("2026-03-01"), 1))
    await desk.watch(new_reports())
    await desk.watcher.catch_up()
    assert await desk.notices() == []


async def test_a_watch_that_ended_is_forgotten(office_of_watches: Offices) -> None:
    from cab_registry.storage.watches import end_watch

    desk = office_of_watches
    watch = await desk.watch(new_reports())
    async with desk.office.engine.begin() as connection:
        assert await end_watch(connection, watch, desk.office.now)
        assert not await end_watch(connection, watch, desk.office.now)
        assert await connection.scalar(text("SELECT count(*) FROM watched_key")) == 0
    await desk.office.submit("regulator", given(suspended("2026-03-01"), 1))
    await desk.watcher.catch_up()
    assert await desk.notices() == []
