"""What others did lately to bodies for which an authority has rights: each step tells the other side.

A step is told by when it was entered, whatever its day, and until the authority has entered something on a right of its
own for that body under the same agreement, or some weeks are over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.domain.records import Designation, Recognition
from cab_registry.register.compiled import Register
from cab_registry.storage.engine import read_only
from cab_registry.storage.errors import operational_faults

TOLD_FOR: Final = 60
"""For how many days a step is told that nothing answers."""

MOST: Final = 500
"""Versions that are looked at, the latest first."""

_ADVERSE: Final = (
    "suspended",
    "inactive",
    "restricted",
    "reduced",
    "withdrawn",
    "resigned",
    "renewal_denied",
    "expired",
)
_DID: Final[Mapping[tuple[str, str], str]] = {
    ("designation", "proposed"): "proposed it",
    ("designation", "notified"): "notified it",
    ("designation", "designated"): "designated it",
    ("recognition", "proposed"): "entered the proposal",
    ("recognition", "notified"): "received the proposal",
    ("recognition", "objected"): "objected to it",
    ("recognition", "verified"): "verified it",
    ("recognition", "recognised"): "recognised it",
    ("recognition", "contested"): "contested it",
    ("recognition", "notice_of_withdrawal"): "gave notice that it intends to withdraw the recognition",
    ("recognition", "proceedings_opened"): "opened proceedings to withdraw the recognition",
}
_RECENT: Final = text(
    "SELECT now.from_position, now.id, now.type, now.owner, now.body, before.payload, now.payload,"
    " entry.submission, entry.public_reason"
    " FROM record_version AS now"
    " JOIN entry ON entry.position = now.from_position"
    " LEFT JOIN record_version AS before ON before.id = now.id AND before.version = now.version - 1"
    " WHERE now.type IN ('accreditation', 'designation', 'recognition') AND NOT now.retired"
    " AND now.body = ANY(:bodies) AND lower(now.recorded) > clock_timestamp() - make_interval(days => :days)"
    " ORDER BY now.from_position DESC LIMIT :most"
)

Title = tuple[str, str]
"""A body, and the agreement or scheme under which an authority has a right of it."""


class OtherStep(NamedTuple):
    """A step that another took."""

    record: str
    body: str
    by: str
    agreement: str | None
    on: str
    did: str
    submission: str
    reason: str


def find_own_titles(register: Register, authority: str, speaks: Iterable[str]) -> frozenset[Title]:
    """Return for which bodies, and under what, an authority designated, proposed or recognised.

    Args:
        register: the register.
        authority: its id.
        speaks: the authorities and codes for which it speaks.
    """
    heard = frozenset(speaks)
    return frozenset(
        (record.body, record.agreement or record.scheme or "")
        for record, _ in register.records.values()
        if isinstance(record, Designation | Recognition) and (record.owner == authority or record.by in heard)
    )


async def read_other_steps(engine: AsyncEngine, authority: str, titles: frozenset[Title]) -> list[OtherStep]:
    """Read what others entered lately about bodies under these titles, and nothing of the authority's answered.

    Raises:
        StorageBusy: the database cannot serve now.
    """
    if not titles:
        return []
    asked = {"bodies": sorted({body for body, _ in titles}), "days": TOLD_FOR, "most": MOST}
    with operational_faults():
        async with read_only(engine).connect() as connection:
            rows = (await connection.execute(_RECENT, asked)).all()
    answered: dict[Title, int] = {}
    for position, _, _, owner, body, _, now, *_ in rows:
        if owner == authority:
            answered.setdefault((body, _ground(now)), position)
    return [
        step
        for position, record, kind, owner, body, before, now, submission, reason in rows
        if owner != authority and (kind == "accreditation" or (body, _ground(now)) in titles)
        if position > _answered(answered, body, kind, _ground(now))
        for step in _reasoned(list(_steps(record, kind, before, now, submission)), reason)
    ]


def _ground(document: Mapping[str, Any]) -> str:
    return document.get("agreement") or document.get("scheme") or ""


def _answered(answered: Mapping[Title, int], body: str, kind: str, ground: str) -> int:
    """Return the position at which the authority last entered something that answers; an accreditation has none own."""
    if kind == "accreditation":
        return max((position for (other, _), position in answered.items() if other == body), default=0)
    return answered.get((body, ground), 0)


def _steps(
    record: str, kind: str, before: Mapping[str, Any] | None, now: Mapping[str, Any], submission: str
) -> Iterator[OtherStep]:
    known = [_bare(event) for event in (before or {}).get("timeline", ())]
    for event in now.get("timeline", ()):
        bare = _bare(event)
        if bare in known:
            known.remove(bare)
        elif kind != "accreditation" or event["event"] in (*_ADVERSE, "reinstated", "annulled"):
            yield OtherStep(
                record=record,
                body=now["body"],
                by=now["by"],
                agreement=now.get("agreement"),
                on=_day(event["on"]),
                did=_DID.get((kind, event["event"])) or f"entered {event['event'].replace('_', ' ')} on its {kind}",
                submission=submission,
                reason="",
            )


def _reasoned(steps: list[OtherStep], reason: str) -> list[OtherStep]:
    """Give the reason of a submission to the last step that it entered: the others only led to it."""
    return [*steps[:-1], *(step._replace(reason=reason) for step in steps[-1:])]


def _bare(event: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in {"refers_to", "source", "confidence", "citation"}}


def _day(on: Any) -> str:
    return on if isinstance(on, str) else str(on.get("not_before") or on.get("not_after"))
