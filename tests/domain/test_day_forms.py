"""Days in the forms in which people write them: never taken, and told with what to write."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cab_registry.domain.day_forms import say_day


@pytest.mark.parametrize(
    "text",
    [
        "10.03.2025", "March 10, 2025", "10 March 2025", "10-Mar-2025", "20250310", "2025年3月10日", "2025-3-10",
        "2025/03/10", "2025-03-10T00:00:00Z", " 2025-03-10", "10th March 2025", "10. 3. 2025",
    ],
)  # fmt: skip
def test_a_day_in_another_form_is_told_with_the_right_one(text: str) -> None:
    assert say_day(text) == f"{text!r} is a day in another form: write 2025-03-10"


def test_what_can_mean_two_days_is_told_with_both() -> None:
    assert say_day("01/02/2025") == "'01/02/2025' can mean two days: write 2025-01-02 or 2025-02-01"
    assert say_day("13/02/2025").endswith("write 2025-02-13")
    assert say_day("3/3/2025").endswith("write 2025-03-03")


@pytest.mark.parametrize("text", ["2027-02-30", "2025-13-01", "31.02.2025", "20251301", "February 30, 2025"])
def test_a_day_that_does_not_exist_is_told_as_such(text: str) -> None:
    assert "is not a day of the calendar" in say_day(text)


@pytest.mark.parametrize("text", ["", "soon", "2025", "10 Foo 2025", "2025-W10-1", "always"])
def test_what_is_like_no_day_is_told_with_the_form(text: str) -> None:
    assert say_day(text) == f"{text!r} is not a day: write YYYY-MM-DD"


@given(st.text())
def test_whatever_is_written_is_told(text: str) -> None:
    assert say_day(text).startswith(repr(text))


@given(st.dates())
def test_a_day_with_the_day_first_is_found(day: date) -> None:
    assert day.isoformat() in say_day(f"{day.day}.{day.month}.{day.year:04}")
