"""The history of one answer: each change of it and no other, from nothing but the log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.domain.errors import OperationalFault
from cab_registry.register.schemas import list_faults
from cab_registry.services.feeds import ATOM
from cab_registry.services.submissions import load_catalogue
from cab_registry.services.watching.answer_feed import render_answer_feed
from cab_registry.services.watching.answer_history import (
    AnswerHistories,
    AnswerHistory,
    Following,
    TooDearToFollow,
)
from tests.services.conftest import HIRES
from tests.services.entering import Entered, enter
from tests.services.office import Office, body, given, notice, opened
from tests.services.watching.followed import ROUTE, document, follow, law_with_route, recognition, standing


@pytest.fixture
async def office(office_engine: AsyncEngine) -> AsyncIterator[Office]:
    """A register with a route under which reports of recognised laboratories are accepted."""
    await load_catalogue(office_engine, law_with_route(), validate=list_faults)
    async with opened(office_engine, HIRES) as made:
        yield made


@pytest.fixture
async def lab(office: Office) -> Office:
    """The same with a laboratory that is recognised since 2018."""
    await office.submit("officer", body())
    await office.submit("regulator", recognition())
    return office


def told(history: AnswerHistory) -> list[tuple[str, str]]:
    return [(each.before.verdict, each.after.verdict) for each in history.entries]


async def test_an_answer_begins_with_the_records_that_bring_it(lab: Office) -> None:
    history = await follow(lab, document())
    assert told(history)[-1][1] == "accepted"
    last = history.entries[-1]
    assert [(each.id, each.change, each.authority.name) for each in last.cause.records] == [
        ("recognition-1", "new", "O")
    ]
    assert last.cause.public_reason == "as decided"
    came = last.before.verdict.replace("_", " ")
    assert last.headline == f"Test report of Laboratory 1 for Rules of B in B: {came} becomes accepted"
    assert (history.current.verdict, history.forecast) == ("accepted", None)
    assert (history.complete, history.next) == (True, history.position)
    assert last.position == history.position


async def test_suspension_and_reinstatement_are_told(lab: Office) -> None:
    start = (await follow(lab, standing())).position
    down = recognition(("suspended", "2026-11-01"))
    await lab.submit("regulator", given(down, 1, "amend"), public_reason="Failed an inspection")
    suspended = await follow(lab, standing(), start)
    assert told(suspended) == [("accepted", "not_accepted")]
    assert suspended.current.verdict == "not_accepted"
    assert suspended.entries[0].cause.public_reason == "Failed an inspection"
    assert any("suspended" in line for each in suspended.entries[0].cause.records for line in each.words)
    assert "Reason: Failed an inspection" in suspended.entries[0].sentences
    up = recognition(("suspended", "2026-11-01"), ("reinstated", "2026-11-20"))
    await lab.submit("regulator", given(up, 2, "amend"))
    both = await follow(lab, standing(), start)
    assert told(both) == [("accepted", "not_accepted"), ("not_accepted", "accepted")]
    assert [each.id for each in both.entries][:1] == [each.id for each in suspended.entries]
    assert both.id == suspended.id


async def test_a_correction_that_reaches_back_is_told_as_such(lab: Office) -> None:
    start = (await follow(lab, document())).position
    lost = recognition(("withdrawn", "2026-03-01"))
    await lab.submit("regulator", given(lost, 1, "correction"), public_reason="It was withdrawn in March")
    (entry,) = (await follow(lab, document(), start)).entries
    assert (entry.before.verdict, entry.after.verdict) == ("accepted", "not_accepted")
    assert entry.cause.records[0].change == "correction"
    assert entry.recall is not None
    assert [each.id for each in entry.recall.by] == ["xb-office"]


async def test_who_is_retired_does_not_go_silently(lab: Office) -> None:
    """Trap P6 of peers.md: a body that is taken away is the most important news of all."""
    start = (await follow(lab, document())).position
    await enter(lab.engine, Entered(body(), "retire"), public_reason="Entered by mistake")
    for target in (document(), document({"name": "Laboratory 1"}), document({"scheme": "numbers", "value": "A-1"})):
        history = await follow(lab, target, start)
        (entry,) = history.entries
        assert entry.before.verdict == "accepted"
        assert entry.after.verdict == history.current.verdict != "accepted"
        assert entry.cause.records[0].words[0].startswith("Retired: ")
        assert "Laboratory 1" in entry.cause.records[0].title
        assert "Reason: Entered by mistake" in entry.sentences
    assert "Laboratory 1" in (await follow(lab, document(), start)).title


async def test_what_does_not_touch_the_answer_is_not_told(lab: Office) -> None:
    before = await follow(lab, document())
    await lab.submit("officer", body(2), given(body(note="moved house"), 1, "amend"))
    await lab.submit("regulator", recognition(number=2))
    await lab.submit("regulator", notice(2), notice(3, about={"body": "lab-2", "number": "other"}))
    after = await follow(lab, document())
    assert after.position > before.position
    assert after.entries == before.entries
    assert (await follow(lab, document(), before.position)).entries == []


async def test_a_change_of_the_law_is_told(lab: Office) -> None:
    start = (await follow(lab, document())).position
    ended = {**ROUTE, "operation": [{"state": "ended", "on": "2026-01-01", "source": "law"}]}
    await load_catalogue(lab.engine, [ended], validate=list_faults)
    (entry,) = (await follow(lab, document(), start)).entries
    assert entry.before.verdict == "accepted"
    assert entry.after.verdict != "accepted"
    assert [(each.type, each.id) for each in entry.cause.records] == [("route", "xa-xb-reports")]
    await load_catalogue(lab.engine, [ROUTE], validate=list_faults)
    again = await follow(lab, document(), start)
    assert told(again)[-1] == (entry.after.verdict, "accepted")


async def test_a_number_that_goes_to_another_body_is_followed(lab: Office) -> None:
    """Who asks by number learns it when another body comes to bear it, and when that one is recognised."""
    start = (await follow(lab, document())).position
    number = document({"scheme": "numbers", "value": "A-1"})
    gone = {"identifiers": [{"scheme": "numbers", "value": "A-1", "from": "2010-01-01", "until": "2020-01-01"}]}
    await lab.submit("officer", given(body(**gone), 1, "correction"), public_reason="It went to number 2")
    moved = {"identifiers": [{"scheme": "numbers", "value": "A-1", "from": "2020-01-02"}]}
    await lab.submit("officer", body(2, **moved))
    await lab.submit("regulator", recognition(number=2))
    history = await follow(lab, number, start)
    assert told(history)[0][0] == "accepted"
    assert told(history)[-1][1] == "accepted"
    assert history.entries[-1].cause.records[0].id == "recognition-2"
    assert (await follow(lab, document(), start)).entries == []


async def test_the_day_on_which_it_turns_is_forecast_and_a_moved_one_is_new(lab: Office) -> None:
    ending = {"scope": [{"key": "radio", "requirement": "xb-rules", "from": "2018-01-01", "until": "2027-01-02"}]}
    await lab.submit("regulator", given(recognition(**ending), 1, "amend"))
    history = await follow(lab, standing())
    assert history.forecast is not None
    assert history.forecast.on == "2027-01-03"
    assert history.forecast.sentences[0] == (
        "From 3 January 2027 new results are not accepted unless the recognition is renewed."
    )
    assert history.forecast.after.verdict == "not_accepted"
    assert history.current.until == "2027-01-02"
    assert (history.entries[-1].before.until, history.entries[-1].after.until) == (None, "2027-01-02")
    issued = await follow(lab, document())
    assert (issued.current.verdict, issued.current.until, issued.forecast) == ("accepted", None, None)
    same = await follow(lab, standing(), history.position)
    assert same.forecast == history.forecast
    ending["scope"][0]["until"] = "2027-06-30"
    await lab.submit("regulator", given(recognition(**ending), 2, "amend"))
    moved = (await follow(lab, standing())).forecast
    assert moved is not None
    assert (moved.on, moved.id != history.forecast.id) == ("2027-07-01", True)


async def test_pages_join_without_loss_or_repetition(lab: Office) -> None:
    events: list[tuple[str, str]] = []
    for version in range(1, 7):
        events.append(("suspended" if version % 2 else "reinstated", f"2026-11-{version:02d}"))
        await lab.submit("regulator", given(recognition(*events), version, "amend"))
        await lab.submit("officer", body(10 + version))
    whole = await follow(lab, standing(), 0, 50)
    assert whole.complete
    assert len(whole.entries) >= 7
    for limit in (1, 2, 5):
        after, found = 0, []
        for _ in range(20):
            page = await follow(lab, standing(), after, limit)
            found += page.entries
            after = page.next
            if page.complete:
                break
        assert found == whole.entries
        assert after == whole.position
        latest = await follow(lab, standing(), None, limit)
        assert (latest.entries, latest.complete) == (whole.entries[-limit:], False)
    assert (await follow(lab, standing())).entries == whole.entries
    with pytest.raises(ValueError, match="limit"):
        await follow(lab, standing(), None, 51)


async def hold_the_parts(lab: Office, monkeypatch: pytest.MonkeyPatch, bound: str, most: int) -> None:
    """A history that is read in parts under a bound is the whole; without a place to begin, the latest alone."""
    events: list[tuple[str, str]] = []
    for version in range(1, 5):
        events.append(("suspended" if version % 2 else "reinstated", f"2026-11-{version:02d}"))
        await lab.submit("regulator", given(recognition(*events), version, "amend"))
    whole = await follow(lab, standing(), 0)
    monkeypatch.setattr(bound, most)
    after, found, complete = 0, [], False
    while not complete:
        page = await follow(lab, standing(), after)
        after, complete = page.next, page.complete
        found += page.entries
    assert found == whole.entries
    latest = await follow(lab, standing())
    assert (latest.entries, latest.complete) == (whole.entries[-most:], False)


async def test_a_long_history_is_read_in_parts(lab: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    await hold_the_parts(lab, monkeypatch, "cab_registry.services.watching.touching.MOST_WORK", 2)


async def test_of_a_question_that_takes_many_steps_fewer_changes_are_looked_at(
    lab: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hold_the_parts(lab, monkeypatch, "cab_registry.services.watching.answer_history.WORK", 1)
    monkeypatch.setattr("cab_registry.services.watching.answer_history.MOST_STEPS", 1)
    with pytest.raises(TooDearToFollow):
        await follow(lab, standing())


async def test_many_readers_of_one_address_cost_one_walk(lab: Office) -> None:
    held = await lab.desk.heads.at_least(0)
    histories = AnswerHistories(lab.desk)
    first = await histories.read(held, Following(document()), lab.desk.today)
    assert await histories.read(held, Following(document()), lab.desk.today) is first
    assert await histories.read(held, Following(document()), lab.desk.today + 1) is not first


async def test_so_many_wait_and_no_more(lab: Office) -> None:
    held = await lab.desk.heads.at_least(0)
    histories = AnswerHistories(lab.desk, waiting=2)
    asked = [histories.read(held, Following(document(), limit=limit), lab.desk.today) for limit in (1, 2, 3)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [isinstance(each, OperationalFault) for each in found] == [False, False, True]
    assert (await histories.read(held, Following(document()), lab.desk.today)).entries


def texts(node: Any, name: str) -> list[str]:
    return [str(each.text) for each in node.iter(f"{{{ATOM}}}{name}")]


async def test_the_feed_has_what_is_in_sight_first_and_then_the_latest(lab: Office) -> None:
    ending = {"scope": [{"key": "radio", "requirement": "xb-rules", "from": "2018-01-01", "until": "2027-01-02"}]}
    # No such sign gets in by the door any more; what is on record since before is rendered all the same.
    await enter(lab.engine, Entered(recognition(**ending), "amend"), public_reason="Ends <soon> & for good\x01")
    history = await follow(lab, standing())
    rendered = render_answer_feed(history, address="/feed?a=b&c=d", json_address="/json", page_address="/page")
    assert b"\x01" not in rendered
    feed = fromstring(rendered)  # noqa: S314 - made here
    assert history.forecast is not None
    assert texts(feed, "id") == [
        history.id,
        history.forecast.id,
        *(each.id for each in reversed(history.entries)),
    ]
    assert len(set(texts(feed, "id"))) == len(texts(feed, "id"))
    updated = texts(feed, "updated")
    assert updated[0] == max(updated)
    assert "From 3 January 2027" in texts(feed, "summary")[0]
    assert "Reason: Ends <soon> & for good" in texts(feed, "summary")[1]
    assert "O" in texts(feed, "name")
    links = [each.attrib for each in feed.findall(f"{{{ATOM}}}link")]
    assert (links[0]["rel"], links[0]["href"]) == ("self", "/feed?a=b&c=d")
