"""Days in the forms in which people write them: told as what to write instead, never taken for a day."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_YEAR_FIRST: Final = re.compile(r"(\d{4})(?:[-./年 ]{1,2}(\d{1,2})[-./月 ]{1,2}(\d{1,2})日?|(\d\d)(\d\d))(?:[T ].*)?")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([-./ ]{1,2})(\d{1,2})[-./ ]{1,2}(\d{4})")
_NAMED: Final = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th)?[ .-]*([a-z]{3,9})|([a-z]{3,9})[ .-]*(\d{1,2})(?:st|nd|rd|th)?)[., -]*(\d{4})"
)


def say_day(text: str) -> str:
    """Say why a text is not a day, and what to write where it is one in another form."""
    if iso := _ISO.fullmatch(text):
        return f"{text!r} is not a day of the calendar: {_say_wrong(*map(int, iso.groups()))}"
    found = _read(" ".join(unicodedata.normalize("NFKC", text).casefold().split()))
    if found is None:
        return f"{text!r} is not a day: write YYYY-MM-DD"
    days = [day.isoformat() for day in found]
    if not days:
        return f"{text!r} is not a day of the calendar: write YYYY-MM-DD"
    if len(days) > 1:
        return f"{text!r} can mean two days: write {' or '.join(days)}"
    return f"{text!r} is a day in another form: write {days[0]}"


def _say_wrong(year: int, month: int, day: int) -> str:
    try:
        date(year, month, day)
    except ValueError as error:
        return str(error)
    return "write YYYY-MM-DD"


def _read(text: str) -> list[date] | None:
    """Return the days that a text can mean, in a form that is known; none that exists, an empty list."""
    if found := _YEAR_FIRST.fullmatch(text.upper()):
        return _exist((int(found[1]), int(found[2] or found[4]), int(found[3] or found[5])))
    if found := _YEAR_LAST.fullmatch(text):
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        # With full stops the day always comes first.
        return _exist((year, second, first), *(() if "." in found[2] else ((year, first, second),)))
    if (found := _NAMED.fullmatch(text)) and (name := (found[2] or found[3])[:3]) in _MONTHS:
        return _exist((int(found[5]), _MONTHS.index(name) + 1, int(found[1] or found[4])))
    return None


def _exist(*written: tuple[int, int, int]) -> list[date]:
    days: dict[date, None] = {}
    for year, month, day in written:
        try:
            days[date(year, month, day)] = None
        except ValueError:
            continue
    return sorted(days)
