"""What ends soon: found, narrowed, counted, cut into pages, and rendered, always the same lines."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from cab_registry.engine.representation import speaks_for
from cab_registry.register.compiled import Register
from cab_registry.register.endings import find_endings, find_late, find_running, is_of
from cab_registry.services.expiries import (
    FURTHEST,
    Expiry,
    ExpiryFilter,
    ExpirySearch,
    Horizon,
    find_expiring,
    list_expiries,
    list_whole,
)
from cab_registry.services.expiry_renderings import COLUMNS, render_calendar, render_csv
from cab_registry.services.heads import Held
from cab_registry.services.snapshots.cursors import CursorSigner
from cab_registry.services.views import View, WrongParameters
from tests.register.scratch import body, busy, right, scratch
from tests.sizes import sized

TODAY = date(2026, 11, 21)
LOG = "6f1c5d1e-0000-4000-8000-000000000001"


@pytest.fixture(scope="module")
def register() -> Register:
    return busy()


@pytest.fixture(scope="module")
def horizon() -> Horizon:
    return Horizon()


def view(register: Register, today: date = TODAY) -> View:
    signer = CursorSigner(bytes(32), lambda: today)
    return View(Held(register, datetime(2026, 11, 20, 9, tzinfo=UTC), LOG), today, signer)


def keys(register: Register, horizon: Horizon, today: date = TODAY, **wanted: Any) -> list[str]:
    return [each.key for each in list_whole(view(register, today), ExpiryFilter(**wanted), horizon)]


def test_everything_within_reach_is_listed_by_its_last_day(register: Register, horizon: Horizon) -> None:
    page = list_expiries(view(register), ExpirySearch(), horizon)
    assert (page.as_of, page.until, page.next) == ("2026-11-21", "2027-03-21", None)
    assert [each.due_on for each in page.items] == sorted(each.due_on or "" for each in page.items)
    assert {each.kind for each in page.items} == {
        "designation", "recognition", "accreditation", "edition", "signatory", "agreement", "requirement",
        "confirmation", "objection", "review",
    }  # fmt: skip
    assert page.items[-1].key == "recognition-2/expiry/2027-03-21"
    assert page.state.position == register.position


def test_sentences_say_what_ends_of_whom_and_when(register: Register, horizon: Horizon) -> None:
    words = {each.key: each.words for each in list_whole(view(register), ExpiryFilter(), horizon)}
    assert words["designation-1/expiry/2027-01-02"] == (
        "Laboratory 1: the designation by M, items a ends after 2027-01-02"
    )
    assert words["xa-xb/force/2026-12-31..2027-06-29"] == (
        "A-B: the agreement ends, last valid day: a day from 2026-12-31 to 2027-06-29 (terminated)"
    )
    assert words["recognition-3/objection/2026-12-01"].startswith("Laboratory 3: without an objection")
    assert words["xa-service/signatory/world/2026-12-31"] == (
        "S: the signatory status under World ends after 2026-12-31"
    )


def test_a_confirmation_that_is_late_stays_listed_and_a_passed_end_does_not(
    register: Register, horizon: Horizon
) -> None:
    late = "accreditation-2/confirmation/2018-02-01"
    found = {each.key: each for each in list_whole(view(register), ExpiryFilter(within="0"), horizon)}
    assert found[late].overdue
    assert (found[late].remaining or 0) < -3000
    year = keys(register, horizon, date(2027, 11, 21))
    assert late not in year  # the edition to which it was given has ended meanwhile
    assert "designation-1/expiry/2027-01-02" not in year


def test_a_window_that_has_begun_is_listed_until_its_last_day(register: Register, horizon: Horizon) -> None:
    key = "xa-xb/force/2026-12-31..2027-06-29"
    assert key in keys(register, horizon, date(2027, 6, 29))
    assert key not in keys(register, horizon, date(2027, 6, 30))
    shown = next(
        each for each in list_whole(view(register, date(2027, 2, 1)), ExpiryFilter(), horizon) if each.key == key
    )
    assert (shown.due_on, shown.remaining, shown.overdue) == ("2026-12-31", -32, False)
    assert shown.on == {"not_before": "2026-12-31", "not_after": "2027-06-29"}


def test_within_counts_days_both_inclusive(register: Register, horizon: Horizon) -> None:
    key = "designation-1/expiry/2027-01-02"
    assert key not in keys(register, horizon, within="41d")
    assert key in keys(register, horizon, within="42d") == keys(register, horizon, within="42")
    assert key in keys(register, horizon, within="0", as_of=date(2027, 1, 2))
    assert key not in keys(register, horizon, as_of=date(2027, 1, 3))
    with pytest.raises(WrongParameters):
        keys(register, horizon, within=f"{FURTHEST + 1}d")


FILTERS: dict[str, st.SearchStrategy[Any]] = {
    "authority": st.sampled_from(("xa-ministry", "xa-former", "xa-service", "xb-office", "registrar")),
    "accreditation_body": st.sampled_from(("xa-service", "xb-office")),
    "body": st.sampled_from(("lab-1", "lab-2", "lab-3")),
    "agreement": st.sampled_from(("xa-xb", "world")),
    "kind": st.sampled_from(("designation", "accreditation", "edition", "confirmation", "agreement", "objection")),
    "within": st.sampled_from(("0", "40d", "120d", "3660")),
    "as_of": st.dates(date(2026, 1, 1), date(2028, 1, 1)),
}


@settings(max_examples=sized(60, whole=600))
@given(wanted=st.fixed_dictionaries({}, optional=FILTERS))
def test_each_filter_is_met_and_leaves_out_nothing(
    wanted: dict[str, Any], register: Register, horizon: Horizon
) -> None:
    asked = ExpiryFilter(**wanted)
    day = (asked.as_of or TODAY).toordinal()
    endings = find_endings(register)
    last = day + int(asked.within.removesuffix("d"))
    candidates = (
        *find_late(register, endings, day),
        *(each for each in endings if day <= each.due <= last),
        *(each for each in find_running(register, day) if each.due <= last),
    )
    expected = {
        each.key
        for each in candidates
        if asked.kind in (None, each.kind)
        and asked.body in (None, each.body)
        and asked.agreement in (None, each.agreement)
        and (
            asked.accreditation_body is None
            or (
                each.accreditation_body is not None
                and speaks_for(asked.accreditation_body, each.accreditation_body, register.law)
            )
        )
        and (asked.authority is None or is_of(each, asked.authority, register))
    }
    found = find_expiring(register, endings, day, asked)
    assert {each.key for each in found} == expected
    assert len(found) == len(expected)


def test_a_successor_has_what_its_predecessor_gave(register: Register, horizon: Horizon) -> None:
    mine = keys(register, horizon, authority="xa-ministry")
    assert {"designation-1/expiry/2027-01-02", "designation-2/expiry/2027-01-02"} <= set(mine)
    assert "designation-1/expiry/2027-01-02" not in keys(register, horizon, authority="xa-former")


@pytest.mark.parametrize("limit", [1, 3, 7, 500])
def test_pages_make_up_the_whole_list(register: Register, horizon: Horizon, limit: int) -> None:
    whole = keys(register, horizon)
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = list_expiries(view(register), ExpirySearch(limit=limit, cursor=cursor), horizon)
        found += [each.key for each in page.items]
        assert page.summary.total == len(whole)
        cursor = page.next
        if cursor is None:
            break
        assert len(page.items) == limit
    assert found == whole


def test_the_summary_counts_the_whole_list(register: Register, horizon: Horizon) -> None:
    page = list_expiries(view(register), ExpirySearch(limit=1), horizon)
    whole = list_whole(view(register), ExpiryFilter(), horizon)
    assert page.summary.overdue == sum(each.overdue for each in whole) == 1
    assert {each.id: each.count for each in page.summary.by_kind} == Counter(each.kind for each in whole)
    assert {each.id: each.count for each in page.summary.by_authority} == Counter(
        each.by or each.owner for each in whole
    )
    assert {each.id: each.name for each in page.summary.by_accreditation_body} == {"xa-service": "S"}


def test_what_ends_in_a_register_is_found_once(register: Register) -> None:
    horizon = Horizon()
    first = horizon.endings_of(register)
    assert horizon.endings_of(register) is first
    other = scratch(right("designation", scope=[{"key": "a", "from": "2018-01-01", "until": "2027-01-02"}]))
    assert horizon.endings_of(other) != first
    assert horizon.endings_of(register) is first


# Renderings


def read_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def read_events(content: bytes) -> Iterator[Any]:
    return iter(Calendar.from_ical(content).walk("VEVENT"))


def calendar_of(expiries: list[Expiry]) -> bytes:
    return render_calendar(expiries, log=LOG, recorded=datetime(2026, 11, 20, 9, tzinfo=UTC), as_of=TODAY)


@settings(max_examples=60)
@given(wanted=st.fixed_dictionaries({}, optional=FILTERS))
def test_each_rendering_lists_what_the_search_lists(
    wanted: dict[str, Any], register: Register, horizon: Horizon
) -> None:
    """Trap P8: a feed of a search that leaves a filter out."""
    page = list_expiries(view(register), ExpirySearch(limit=500, **wanted), horizon)
    listed = [each.key for each in page.items]
    whole = list_whole(view(register), ExpiryFilter(**wanted), horizon)
    assert [row["key"] for row in read_csv(render_csv(whole))] == listed
    assert [str(event["uid"]) for event in read_events(calendar_of(whole))] == [f"{key}@{LOG}" for key in listed]


def test_both_ways_take_the_same_filters() -> None:
    assert set(ExpirySearch.__struct_fields__) - set(ExpiryFilter.__struct_fields__) == {"limit", "cursor"}


def test_a_table_has_no_cell_that_would_be_calculated(register: Register, horizon: Horizon) -> None:
    rows = read_csv(render_csv(list_whole(view(register), ExpiryFilter(body="lab-2"), horizon)))
    assert rows
    assert all(row["words"].startswith("'=cmd(") for row in rows)
    assert tuple(rows[0]) == COLUMNS
    window = read_csv(render_csv(list_whole(view(register), ExpiryFilter(kind="agreement"), horizon)))
    assert [(row["due_on"], row["last_day"]) for row in window] == [("2026-12-31", "2026-12-31..2027-06-29")]


def test_a_calendar_has_an_all_day_event_on_each_last_valid_day(register: Register, horizon: Horizon) -> None:
    whole = list_whole(view(register), ExpiryFilter(), horizon)
    content = calendar_of(whole)
    assert content.startswith(b"BEGIN:VCALENDAR\r\n")
    assert max(map(len, content.split(b"\r\n"))) <= 75
    events = {str(event["uid"]).partition("@")[0]: event for event in read_events(content)}
    for each in whole:
        event = events[each.key]
        assert event.decoded("dtstart").isoformat() == each.due_on
        assert (event.decoded("dtend") - event.decoded("dtstart")).days == 1
        assert str(event["summary"]) == each.words
        assert each.record in str(event["description"])
    review = next(event for event in events.values() if "Phones" in str(event["summary"]))
    assert str(review["summary"]) == "A-B: review on 2026-11-21: Phones, and routers; all"


def test_an_event_keeps_its_uid_when_something_else_of_the_record_changes() -> None:
    scope = [{"key": "a", "requirement": "xb-rules", "from": "2018-01-01", "until": "2027-01-02"}]
    one = scratch(right("designation", scope=scope))
    two = scratch(right("designation", scope=scope, note="Moved."), body(1, note="New roof."))
    found = [
        [str(event["uid"]) for event in read_events(calendar_of(list_whole(view(each), ExpiryFilter(), Horizon())))]
        for each in (one, two)
    ]
    assert found[0] == found[1] == [f"designation-1/expiry/2027-01-02@{LOG}"]


def test_what_has_no_day_on_record_stands_on_the_day_asked_about() -> None:
    scope = [{"key": "radio", "requirement": "xb-rules", "from": "always"}]
    register = scratch(right("accreditation", scope=scope, timeline=[]))
    (expiry,) = list_whole(view(register), ExpiryFilter(), Horizon())
    assert (expiry.due_on, expiry.remaining, expiry.overdue) == (None, None, True)
    (event,) = read_events(calendar_of([expiry]))
    assert event.decoded("dtstart") == TODAY
    assert expiry.words == "Laboratory 1: the open-ended accreditation to Standard One was never confirmed"


def test_characters_that_a_calendar_cannot_write_break_no_line() -> None:
    scope = [{"key": "a", "requirement": "xb-rules", "from": "2018-01-01", "until": "2027-01-02"}]
    name = "A\r\nEND:VEVENT\x00\x07; Ünïcode, \\ and " + "ж" * 100
    register = scratch(right("designation", scope=scope), body(names=[{"name": name, "from": "2010-01-01"}]))
    content = calendar_of(list_whole(view(register), ExpiryFilter(), Horizon()))
    (event,) = read_events(content)
    assert content.count(b"END:VEVENT\r\n") == 1
    assert "Ünïcode, \\ and жжж" in str(event["summary"])
    assert not set(content.decode()) & {"\x00", "\x07"}
