"""Days, windows and periods: their algebra, their texts, and what is refused."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cab_registry.domain.days import (
    ALL_TIME,
    ALWAYS,
    EARLIEST,
    LATEST,
    NEVER,
    DayError,
    Period,
    Truth,
    When,
    add_days,
    add_months,
    parse_day,
    parse_when,
    show_day,
)

FIRST, LAST = date(1900, 1, 1).toordinal(), date(2100, 12, 31).toordinal()
DAYS = st.integers(FIRST, LAST)
ASKED = st.one_of(DAYS, st.sampled_from((EARLIEST, LATEST)))


@st.composite
def moments(draw: st.DrawFn) -> When:
    form = draw(st.sampled_from(("exact", "window", "from", "to", "always", "never")))
    first, last = sorted((draw(DAYS), draw(DAYS)))
    return {
        "exact": When(first, first),
        "window": When(first, last),
        "from": When(first, LATEST),
        "to": When(EARLIEST, last),
        "always": ALWAYS,
        "never": NEVER,
    }[form]


PERIODS = st.builds(Period, moments(), moments())


@given(DAYS)
def test_a_day_is_read_as_it_is_shown(day: int) -> None:
    assert parse_day(show_day(day)) == day


@pytest.mark.parametrize(
    "text",
    ["", "2021", "2021-5-6", "20210506", "2021-05-06T00:00", "2021/05/06", "2021-W18-4", " 2021-05-06", "2021-05-06\n"],
)
def test_what_is_no_iso_day_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(DayError, match=r"write (YYYY-MM-DD|2021-05-06)$"):
        parse_day(text)


@pytest.mark.parametrize("text", ["2021-02-29", "2021-13-01", "2021-00-10", "0000-01-01", "abcd-ef-gh", "2021-W1-1-"])
def test_a_day_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(DayError, match="not a day"):
        parse_day(text)


@given(DAYS, st.integers(-30_000, 30_000))
def test_days_move_back_and_forth(day: int, days: int) -> None:
    assert add_days(add_days(day, days), -days) == day


@given(st.integers(-1000, 1000))
def test_what_has_no_day_does_not_move(days: int) -> None:
    assert (add_days(EARLIEST, days), add_days(LATEST, days)) == (EARLIEST, LATEST)
    assert (ALWAYS.moved(days), NEVER.moved(days)) == (ALWAYS, NEVER)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2021-10-01", 9, "2022-07-01"),
        ("2021-01-31", 1, "2021-02-28"),
        ("2020-01-31", 1, "2020-02-29"),
        ("2020-02-29", 12, "2021-02-28"),
        ("2021-03-31", -1, "2021-02-28"),
        ("2021-12-15", 1, "2022-01-15"),
        ("2021-01-15", -1, "2020-12-15"),
        ("2021-11-30", 3, "2022-02-28"),
        ("2021-05-17", 0, "2021-05-17"),
    ],
)
def test_months_stay_inside_the_month_that_is_reached(start: str, months: int, end: str) -> None:
    assert show_day(add_months(parse_day(start), months)) == end


@given(DAYS, st.integers(-600, 600), st.integers(0, 3))
def test_more_months_never_lead_to_an_earlier_day(day: int, months: int, more: int) -> None:
    reached = add_months(day, months)
    assert add_months(day, months + more) >= reached
    assert add_months(day + 1, months) >= reached
    assert abs((reached - day) - months * 30.44) < 5 + abs(months) * 0.1
    assert date.fromordinal(reached).day <= date.fromordinal(day).day


@given(moments())
def test_a_moment_is_read_as_records_write_it(when: When) -> None:
    assume(when != NEVER)
    assume(not (when.earliest == EARLIEST and when.latest == LATEST))
    assert parse_when(when.plain()) == when
    assert parse_when(when) is when
    assert hash(parse_when(when.plain())) == hash(when)


def test_no_end_is_written_as_nothing() -> None:
    assert NEVER.plain() is None
    assert ALWAYS.plain() == "always"
    assert ALL_TIME.plain() == ["always", None]


def test_a_date_is_a_moment() -> None:
    assert parse_when(date(2021, 5, 26)) == parse_when("2021-05-26")


def test_a_moment_equals_its_like_alone() -> None:
    assert When(1, 2) != When(1, 3)
    assert When(1, 2) != (1, 2)
    assert repr(parse_when("2021-05-26")) == "When(2021-05-26)"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "never null"),
        (20210526, "a moment is"),
        (True, "a moment is"),
        (["2021-05-26"], "a moment is"),
        ("", "write YYYY-MM-DD"),
        ("Always", "write YYYY-MM-DD"),
        ("2021-02-30", "not a day of the calendar"),
        ({}, "not_before and/or not_after, not nothing"),
        ({"not_before": "2021-01-01", "about": "x", "and": "y"}, "not about, and"),
        ({"not_before": None}, "write YYYY-MM-DD"),
        ({"not_after": "2021-02-30"}, "not a day of the calendar"),
        ({"not_before": "2021-01-02", "not_after": "2021-01-01"}, "the window is empty"),
    ],
)
def test_what_is_no_moment_is_refused(value: object, message: str) -> None:
    with pytest.raises(DayError) as caught:
        parse_when(value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("always", "the beginning"),
        ("2021-05-26", "2021-05-26"),
        ({"not_before": "2009-06-01", "not_after": "2009-06-30"}, "June 2009"),
        ({"not_before": "2009-02-01", "not_after": "2009-02-28"}, "February 2009"),
        ({"not_before": "2009-06-01", "not_after": "2009-06-29"}, "a day from 2009-06-01 to 2009-06-29"),
        ({"not_before": "2009-06-02", "not_after": "2009-06-30"}, "a day from 2009-06-02 to 2009-06-30"),
        ({"not_before": "2009-06-01", "not_after": "2010-06-30"}, "a day from 2009-06-01 to 2010-06-30"),
        ({"not_before": "2009-01-01", "not_after": "2009-12-31"}, "2009"),
        ({"not_before": "2009-01-01", "not_after": "2010-12-31"}, "a day from 2009-01-01 to 2010-12-31"),
        ({"not_before": "2009-06-01"}, "2009-06-01 at the earliest"),
        ({"not_after": "2009-06-01"}, "2009-06-01 at the latest"),
        (NEVER, "an open end"),
    ],
)
def test_a_moment_is_told_in_words(value: object, text: str) -> None:
    assert str(parse_when(value)) == text


@given(moments(), ASKED, ASKED)
def test_what_was_reached_stays_reached(when: When, one: int, two: int) -> None:
    before, after = sorted((one, two))
    assert when.reached(before) <= when.reached(after)
    assert when.exact is (when.earliest == when.latest)
    if when.exact:
        assert when.reached(one) is not Truth.UNKNOWN
    assert when.reached(when.latest) is Truth.YES
    assert when.reached(when.earliest - 1) is Truth.NO


@given(moments(), moments(), moments(), ASKED)
def test_the_later_and_the_earlier_of_moments_form_a_lattice(one: When, two: When, three: When, day: int) -> None:
    assert one.later_of(two) == two.later_of(one)
    assert one.earlier_of(two) == two.earlier_of(one)
    assert one.later_of(two).later_of(three) == one.later_of(two.later_of(three))
    assert one.earlier_of(two).earlier_of(three) == one.earlier_of(two.earlier_of(three))
    assert one.later_of(one) == one.earlier_of(one) == one
    assert one.later_of(one.earlier_of(two)) == one == one.earlier_of(one.later_of(two))
    assert one.later_of(two).reached(day) == min(one.reached(day), two.reached(day))
    assert one.later_of(ALWAYS) == one == one.earlier_of(NEVER)


@given(moments(), moments())
def test_the_earlier_of_moments_is_reached_when_one_is(one: When, two: When) -> None:
    for day in (one.earliest, one.latest, two.earliest, two.latest):
        assert one.earlier_of(two).reached(day) >= max(one.reached(day), two.reached(day))


@given(moments(), st.integers(-1000, 1000), DAYS)
def test_a_moved_moment_is_reached_as_many_days_later(when: When, days: int, day: int) -> None:
    assume(when.earliest != EARLIEST)
    assume(when.latest != LATEST)
    assert when.moved(days).reached(day + days) == when.reached(day)


@given(PERIODS, ASKED)
def test_a_period_holds_from_its_start_to_its_last_day(period: Period, day: int) -> None:
    begun = period.start.reached(day)
    over = Truth.NO if day <= period.end.earliest else Truth.YES if day > period.end.latest else Truth.UNKNOWN
    if begun is Truth.NO or over is Truth.YES:
        assert period.holds(day) is Truth.NO
    elif begun is Truth.YES and over is Truth.NO:
        assert period.holds(day) is Truth.YES
    else:
        assert period.holds(day) is Truth.UNKNOWN


@given(ASKED)
def test_all_time_holds_on_every_day(day: int) -> None:
    assert ALL_TIME.holds(day) is Truth.YES


@given(DAYS, DAYS, DAYS)
def test_an_exact_period_is_never_unknown_and_includes_both_ends(one: int, two: int, day: int) -> None:
    first, last = sorted((one, two))
    period = Period(When(first, first), When(last, last))
    assert period.holds(day) is (Truth.YES if first <= day <= last else Truth.NO)
    assert period.plain() == [show_day(first), show_day(last)]


def test_truths_combine_from_worst_to_best() -> None:
    assert min(Truth) is Truth.NO
    assert max(Truth) is Truth.YES
    assert sorted(Truth) == [Truth.NO, Truth.UNKNOWN, Truth.YES]
