"""Calendar days, windows of uncertain days, and three-valued truth.

Legal time is counted in whole calendar days. Inside the engine a day is its proleptic
Gregorian ordinal (`int`), so that comparisons cost nothing; at the edges it is an ISO text.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import MAXYEAR, date
from enum import IntEnum
from typing import Any, Final

from cab_registry.domain.day_forms import say_day

EARLIEST: Final = -1
"""Stands for "as far back as asked": before every day that a record can name."""

LATEST: Final = 10_000_000
"""Stands for "no end known": after every day that a record can name."""


LAST_DAY: Final = date.max.toordinal()
"""The last day that has a text; between it and `LATEST` lie only days reckoned from it."""


class Truth(IntEnum):
    """Three-valued outcome, ordered from worst to best so that `min` and `max` combine."""

    NO = 0
    UNKNOWN = 1
    YES = 2


class DayError(ValueError):
    """A text or mapping that names no possible day; the message says what is allowed."""


def parse_day(text: str) -> int:
    """Return the ordinal of an ISO day such as `2021-05-26`.

    Raises:
        DayError: the text is no ISO calendar day, or the day does not exist.
    """
    try:
        if len(text) == 10 and text[4] == text[7] == "-":
            return date.fromisoformat(text).toordinal()
    except ValueError:
        pass
    raise DayError(say_day(text))


def show_day(day: int) -> str:
    """Return the ISO text of an ordinal; the two sentinels have no text of their own."""
    return date.fromordinal(day).isoformat()


def add_days(day: int, days: int) -> int:
    """Move a day by a number of days; the sentinels stay where they are."""
    return day if day in (EARLIEST, LATEST) else day + days


def add_months(day: int, months: int) -> int:
    """Move a day by calendar months, staying inside the month that is reached; beyond the calendar there is no end.

    The sentinels stay where they are. A period of nine months from 1 October ends with 1 July
    (Regulation 1182/71, Art. 3(2)(c)).
    """
    if day in (EARLIEST, LATEST):
        return day
    start = date.fromordinal(day)
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    if year > MAXYEAR:
        return LATEST
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(start.day, last)).toordinal()


class When:
    """A day that may be known only as a window: not before `earliest`, not after `latest` (both inclusive).

    A day known exactly has `earliest == latest`. `always` is the window that lies before everything.
    A plain class on purpose: msgspec would read a dataclass as a mapping of its fields.
    """

    __slots__ = ("earliest", "latest")

    def __init__(self, earliest: int, latest: int) -> None:
        self.earliest: Final = earliest
        self.latest: Final = latest

    def __eq__(self, other: object) -> bool:
        """Two moments are equal when their windows are."""
        return isinstance(other, When) and (self.earliest, self.latest) == (other.earliest, other.latest)

    def __hash__(self) -> int:
        return hash((self.earliest, self.latest))

    def __repr__(self) -> str:
        return f"When({self})"

    @property
    def exact(self) -> bool:
        """Whether the day is known to the day."""
        return self.earliest == self.latest

    def reached(self, day: int) -> Truth:
        """Whether `day` is on or after this moment."""
        if day >= self.latest:
            return Truth.YES
        return Truth.NO if day < self.earliest else Truth.UNKNOWN

    def moved(self, days: int) -> When:
        """Return the same window moved by a number of days."""
        return When(add_days(self.earliest, days), add_days(self.latest, days))

    def later_of(self, other: When) -> When:
        """Return the later of two moments, bound by bound."""
        return When(max(self.earliest, other.earliest), max(self.latest, other.latest))

    def earlier_of(self, other: When) -> When:
        """Return the earlier of two moments, bound by bound."""
        return When(min(self.earliest, other.earliest), min(self.latest, other.latest))

    def plain(self) -> Any:
        """Return the form in which a record writes it: `always`, an ISO day, or a window; None for no end."""
        if self.latest == EARLIEST:
            return "always"
        if self.earliest == LATEST:
            return None
        if self.exact:
            return show_day(self.earliest)
        window: dict[str, str] = {}
        if self.earliest != EARLIEST:
            window["not_before"] = show_day(self.earliest)
        if self.latest != LATEST:
            window["not_after"] = show_day(self.latest)
        return window

    def __str__(self) -> str:
        """Return a readable form: a day, a month, a year, or a window in words."""
        if self.latest == EARLIEST:
            return "the beginning"
        if self.earliest == LATEST:
            return "an open end"
        if self.exact:
            return show_day(self.earliest)
        if self.earliest == EARLIEST:
            return f"{show_day(self.latest)} at the latest"
        if self.latest == LATEST:
            return f"{show_day(self.earliest)} at the earliest"
        first, last = date.fromordinal(self.earliest), date.fromordinal(self.latest)
        if first.day == 1 and (last.year, last.month) == (first.year, first.month):
            if last.day == calendar.monthrange(last.year, last.month)[1]:
                return f"{calendar.month_name[first.month]} {first.year}"
        if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31) and first.year == last.year:
            return str(first.year)
        return f"a day from {first.isoformat()} to {last.isoformat()}"


ALWAYS: Final = When(EARLIEST, EARLIEST)
"""The start of what has been so for as long back as anyone asks."""

NEVER: Final = When(LATEST, LATEST)
"""The end of what has no end on record."""


def parse_when(value: object) -> When:
    """Read a moment as records write it: `always`, an ISO day, or `{not_before, not_after}`.

    Raises:
        DayError: the value has another form, names no possible day, or its window is empty.
    """
    if isinstance(value, When):
        return value
    if isinstance(value, date):
        return When(value.toordinal(), value.toordinal())
    if isinstance(value, str):
        if value == "always":
            return ALWAYS
        day = parse_day(value)
        return When(day, day)
    if isinstance(value, dict):
        unknown = sorted(set(value) - {"not_before", "not_after"})
        if unknown or not value:
            raise DayError(
                f"a window holds not_before and/or not_after, not {', '.join(map(str, unknown)) or 'nothing'}"
            )
        earliest = parse_day(str(value["not_before"])) if "not_before" in value else EARLIEST
        latest = parse_day(str(value["not_after"])) if "not_after" in value else LATEST
        if earliest > latest:
            raise DayError("the window is empty: not_before lies after not_after")
        return When(earliest, latest)
    raise DayError("a moment is `always`, a day YYYY-MM-DD, or a window {not_before, not_after}; never null")


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of days from `start` to the last valid day `end`, both inclusive and both possibly windows."""

    start: When
    end: When

    def holds(self, day: int) -> Truth:
        """Whether the period certainly, possibly or certainly not includes `day`."""
        if day < self.start.earliest or day > self.end.latest:
            return Truth.NO
        if day >= self.start.latest and day <= self.end.earliest:
            return Truth.YES
        return Truth.UNKNOWN

    def plain(self) -> list[Any]:
        """Return `[from, until]` in the form that answers show."""
        return [self.start.plain(), self.end.plain()]


ALL_TIME: Final = Period(ALWAYS, NEVER)
