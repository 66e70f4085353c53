"""What ends soon as a table (CSV) and as a calendar (RFC 5545): the same lines as in JSON, all of them."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from icalendar import Calendar, Event

from cab_registry import __version__
from cab_registry.services.cells import write_csv
from cab_registry.services.expiries import Expiry

CSV: Final = "text/csv"
CALENDAR: Final = "text/calendar"
COLUMNS: Final = (
    "due_on", "last_day", "remaining", "overdue", "kind", "words", "body", "by", "owner", "agreement",
    "accreditation_body", "items", "requirements", "concerns", "record", "version", "key",
)  # fmt: skip

MOST_EVENTS: Final = 1_000
"""How many events a calendar holds: programs read it again and again, and show some months of it."""

# RFC 5545 has no way to write these; a line break is written as \\n.
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


def render_csv(expiries: Sequence[Expiry]) -> bytes:
    """Render endings as CSV in UTF-8, safe to open in a spreadsheet."""
    text = io.StringIO(newline="")
    write_csv(COLUMNS, map(_row, expiries), text)
    return text.getvalue().encode()


def _row(expiry: Expiry) -> list[Any]:
    shown = {
        **{name: getattr(expiry, name) for name in COLUMNS if name != "last_day"},
        "last_day": _spell(expiry.on),
        "overdue": "yes" if expiry.overdue else "no",
        "items": "; ".join(expiry.items),
        "requirements": "; ".join(expiry.requirements),
        "concerns": "; ".join(expiry.concerns),
    }
    return [shown[name] for name in COLUMNS]


def _spell(on: Any) -> str:
    return f"{on.get('not_before', '')}..{on.get('not_after', '')}" if isinstance(on, dict) else str(on)


def render_calendar(expiries: Sequence[Expiry], *, log: str | None, recorded: datetime | None, as_of: date) -> bytes:
    """Render endings as a calendar of all-day events, each on its last valid day, the earliest `MOST_EVENTS` of them.

    An event keeps its UID for as long as fact and last day stay the same; what has no day on record stands on the
    day asked about.

    Args:
        expiries: the endings.
        log: id of the log; none for a scratch register.
        recorded: the instant at which the position that was read was recorded; none: the day asked about begins.
        as_of: the day asked about.
    """
    calendar = Calendar()
    calendar.add("prodid", f"-//CAB Registry//expiries {__version__}//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", "CAB Registry: what ends")
    if len(expiries) > MOST_EVENTS:
        calendar.add("x-wr-caldesc", f"The first {MOST_EVENTS} of {len(expiries)}; narrow the address to see the rest.")
    stamp = recorded or datetime.combine(as_of, time(), UTC)
    for expiry in expiries[:MOST_EVENTS]:
        calendar.add_component(_event(expiry, log or "scratch", stamp, as_of))
    rendered: bytes = calendar.to_ical()
    return rendered


def _event(expiry: Expiry, log: str, stamp: datetime, as_of: date) -> Event:
    day = as_of if expiry.due_on is None else date.fromisoformat(expiry.due_on)
    event = Event()
    event.add("uid", f"{_plain(expiry.key)}@{log}")
    event.add("dtstamp", stamp)
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", _plain(expiry.words))
    event.add("description", _plain("\n".join(_details(expiry))))
    event.add("categories", [expiry.kind])
    event.add("transp", "TRANSPARENT")
    return event


def _details(expiry: Expiry) -> list[str]:
    lines = [f"Record {expiry.record}, version {expiry.version}, kept by {expiry.owner}"]
    if isinstance(expiry.on, dict):
        lines.append(f"The last day is known as a window: {_spell(expiry.on)}")
    if expiry.overdue:
        lines.append("Overdue")
    for name in ("body", "by", "agreement", "accreditation_body"):
        value = getattr(expiry, name)
        if value is not None:
            lines.append(f"{name.replace('_', ' ').capitalize()}: {value}")
    return lines


def _plain(text: str) -> str:
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)
