"""Days as tables write them: read in one way only, or told why not."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from cab_registry.domain.days import DayError, parse_when

ALWAYS: Final = "always"
WINDOW: Final = ".."
_NO_END: Final = frozenset({
    "unlimited", "indefinite", "indefinitely", "open", "open-ended", "open ended", "no end", "no expiry", "never",
    "no limit",
    "without limit", "permanent", "until further notice", "ongoing", "unbefristet", "unbegrenzt", "illimité",
    "indéterminé", "sans limite", "illimitato", "ilimitado", "bezterminowo",
})  # fmt: skip
_FIRST_LIKELY: Final = 1850
_FAR: Final = 2090
_NO_YEAR: Final = 9999
_FILLERS: Final = frozenset({
    date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1), date(1901, 1, 1), date(1904, 1, 1), date(1970, 1, 1),
})  # fmt: skip
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)([T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)")
_SERIAL: Final = re.compile(r"([1-9]\d{4})(?:\.\d+)?")
_SHORT: Final = re.compile(r"(\d{1,2})[./ -](\d{1,2})[./ -](\d{2}|\d{4})")
_SHORT_YEAR: Final = re.compile(r"\d{1,2}[./ -](?:\d{1,2}|[A-Za-z]{3,9})[./ -]'?\d{2}|'?\d{2}[./-]\d{1,2}[./-]\d{1,2}")
_PART: Final = re.compile(r"%(.)")
_HOURS: Final = re.compile(r"%[HIMSfp]")
_WITH_TIME: Final = "with a time of day"
_YEARS: Final = frozenset("Yy")
_MONTHS: Final = frozenset("mbB")
_TAKEN: Final = frozenset("YymbBdHMSIpfj%aA")
_BEGIN_1900: Final = date(1899, 12, 30)
_BEGIN_1904: Final = date(1904, 1, 1)
_MONTHS_IN_YEAR: Final = 12


class DayRead(NamedTuple):
    """A day, a window, `always`, or nothing for an end that there is not; with what was done, or what is wrong."""

    value: str = ""
    done: str | None = None
    fault: str | None = None


def find_form_fault(form: str) -> str | None:
    """Say why days cannot be read by a format, or nothing where they can."""
    parts = set(_PART.findall(form))
    if unknown := parts - _TAKEN:
        return f"{form!r} has %{min(unknown)}, which is not taken; write %d, %m or %b, and %Y"
    whole = parts & _YEARS and ("j" in parts or ("d" in parts and parts & _MONTHS))
    return None if whole else f"{form!r} does not name day, month and year: %d, %m (or %b, %B) and %Y"


def read_day(text: str, forms: Sequence[str], *, end: bool) -> DayRead:
    """Read a day as a cell has it.

    Args:
        text: the cell, without blanks at its ends.
        forms: the formats that the mapping states.
        end: whether it is the last day of something, which may have none.
    """
    if text == ALWAYS:
        return DayRead(text)
    if text.casefold().rstrip(".") in _NO_END:
        return DayRead(done="read as: no end") if end else DayRead(fault="does not say on which day it begins")
    if WINDOW in text:
        return _read_window(text)
    days = _list_readings(text, forms)
    if not days:
        return DayRead(fault=_explain(text, forms))
    if len(days) > 1:
        ways = " or ".join(f"{day.isoformat()} ({form or 'YYYY-MM-DD'})" for day, form in days.items())
        return DayRead(fault=f"can be read as {ways}: say which of the date_formats this column has")
    ((day, form),) = days.items()
    return _weigh(day, form, end=end)


def plain_when(value: str) -> Any:
    """Return a day that was read as records write it: a window as its two ends."""
    first, dots, last = value.partition(WINDOW)
    if not dots:
        return value
    return {name: each for name, each in (("not_before", first), ("not_after", last)) if each}


def show_when(value: Any) -> str:
    """Return a day as tables write it, a window as FIRST..LAST; nothing where there is none."""
    if isinstance(value, dict):
        return f"{value.get('not_before', '')}{WINDOW}{value.get('not_after', '')}"
    return str(value or "")


def _list_readings(text: str, forms: Sequence[str]) -> dict[date, str]:
    found: dict[date, str] = {}
    moment = _MOMENT.fullmatch(text)
    whole = moment.group(1) if moment else text
    with suppress(DayError, ValueError):
        found[date.fromordinal(parse_when(whole).earliest)] = _WITH_TIME if moment else ""
    for form in forms:
        try:
            found.setdefault(datetime.strptime(text, form).date(), form)  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return found


def _read_window(text: str) -> DayRead:
    value = WINDOW.join(part.strip() for part in text.split(WINDOW, 1))
    try:
        parse_when(plain_when(value))
    except DayError as error:
        return DayRead(fault=f"{error}; a day known only as a window is written FIRST..LAST")
    return DayRead(value)


def _weigh(day: date, form: str, *, end: bool) -> DayRead:
    shown = day.isoformat()
    if end and (day.year == _NO_YEAR or (day.year >= _FAR and (day.month, day.day) == (12, 31))):
        return DayRead(done="read as: no end")
    if day.year >= _FAR:
        return DayRead(fault="lies too far away to be meant; leave the cell empty where there is no such day")
    if day.year < _FIRST_LIKELY or day in _FILLERS:
        return DayRead(fault="is what programs write where there is no day; leave the cell empty, or write always")
    if form == _WITH_TIME or _HOURS.search(form):
        return DayRead(shown, done="the time of day left out")
    if "%y" in form:
        return DayRead(shown, done=f"its year has two digits; read as {shown}")
    return DayRead(shown)


def _explain(text: str, forms: Sequence[str]) -> str:
    ways = ", ".join(("YYYY-MM-DD", *forms))
    if found := _SERIAL.fullmatch(text):
        count = timedelta(int(found.group(1)))
        here, there = (begin + count for begin in (_BEGIN_1900, _BEGIN_1904))
        return (
            f"is a spreadsheet's count of days ({here}, or {there} where it counts from 1904): write the day ({ways})"
        )
    if _SHORT_YEAR.fullmatch(text):
        return f"has a year of two digits, which does not say its century; days are written: {ways}"
    if (found := _SHORT.fullmatch(text)) and not forms:
        one, two = int(found.group(1)), int(found.group(2))
        if max(one, two) <= _MONTHS_IN_YEAR and one != two:
            return "can be day and month or month and day: say which in the mapping, date_formats: ['%d/%m/%Y']"
    return f"is not a day; days are written: {ways}"
