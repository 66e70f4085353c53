"""Months in the terminal: a grid of days for each month in which something falls, and what falls on them below."""

import calendar
from collections.abc import Iterable
from datetime import date
from itertools import groupby
from typing import Final, NamedTuple

from rich.console import Console
from rich.text import Text

_WEEK: Final = "".join(f" {day}" for day in calendar.day_abbr)
_EMPTY: Final = " " * 4


class Falling(NamedTuple):
    """Something that falls on a day."""

    day: date
    words: str


def print_months(console: Console, falling: Iterable[Falling], today: date) -> None:
    """Print the months in which something falls, in order; a star stands behind its days, an arrow before today."""
    ordered = sorted(falling)
    for number, ((year, month), found) in enumerate(groupby(ordered, key=lambda each: (each.day.year, each.day.month))):
        listed = list(found)
        if number:
            console.print()
        console.print(Text(f"{calendar.month_name[month]} {year}", style="bold"))
        console.print(Text(_WEEK))
        marked = {each.day.day for each in listed}
        for week in calendar.Calendar().monthdatescalendar(year, month):
            cells = (_cell(day, today, marked) if day.month == month else _EMPTY for day in week)
            console.print(Text("".join(cells).rstrip()))
        for each in listed:
            console.print(Text(f"{each.day.day:>3}  {each.words}"))


def _cell(day: date, today: date, marked: set[int]) -> str:
    return f"{'>' if day == today else ' '}{day.day:>2}{'*' if day.day in marked else ' '}"
