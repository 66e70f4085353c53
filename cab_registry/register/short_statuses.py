"""Statuses of accreditation bodies in arrangements, as acceptance cases give them: by event, or as a recognition.

The catalogue's own statuses hold unless a case says otherwise; a status that went on under a successor is lost
with the one that it continues.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from cab_registry.domain.days import ALWAYS, When, parse_when
from cab_registry.domain.records import Authority
from cab_registry.domain.records.law import Signatory
from cab_registry.register.compiled import Register

_LOSES: Final = ("suspended", "withdrawn", "resigned", "expired", "inactive")


def has_status(fact: dict[str, Any], register: Register) -> bool:
    """Whether a fact speaks of an arrangement of accreditation bodies."""
    agreement = register.facts.agreements.get(fact.get("agreement") or "")
    return agreement is not None and agreement.family == "accreditation"


def with_status(authority: Authority, kind: str, fact: dict[str, Any], register: Register) -> Authority:
    """Return the accreditation body with the status that the fact gives, takes or gives back."""
    arrangement = str(fact["agreement"])
    statuses = authority.signatory
    if kind == "recognition":
        start = parse_when(fact["from"]) if "from" in fact else ALWAYS
        statuses = _given(statuses, arrangement, start, _last(fact))
        events = [(event["event"], event) for event in fact.get("events", ())]
    else:
        events = [(fact["state"], fact)]
    for state, event in events:
        day = parse_when(event["on"])
        if state == "recognised":
            statuses = _given(statuses, arrangement, day, _last(event))
        elif state == "reinstated":
            statuses = (*statuses, _like(authority.signatory, arrangement, day, None))
        elif state in _LOSES:
            touched = {arrangement} | _continuing(arrangement, register)
            until = _last(event)
            statuses = tuple(part for status in statuses for part in _without(status, touched, day, until))
    return msgspec.structs.replace(authority, signatory=statuses)


def _last(fact: dict[str, Any]) -> When | None:
    return parse_when(fact["until"]) if "until" in fact else None


def _given(statuses: tuple[Signatory, ...], arrangement: str, start: When, until: When | None) -> tuple[Signatory, ...]:
    """A status that a case gives takes the place of the catalogue's one under the same arrangement."""
    others = tuple(status for status in statuses if status.arrangement != arrangement)
    return (*others, _like(statuses, arrangement, start, until))


def _like(statuses: tuple[Signatory, ...], arrangement: str, start: When, until: When | None) -> Signatory:
    standards = {name: None for status in statuses if status.arrangement == arrangement for name in status.standards}
    return Signatory(arrangement=arrangement, standards=tuple(standards), from_=start, until=until)


def _continuing(arrangement: str, register: Register) -> set[str]:
    return {key for key, agreement in register.facts.agreements.items() if arrangement in agreement.continues}


def _without(status: Signatory, touched: set[str], day: When, until: When | None) -> list[Signatory]:
    """Return what is left of a status that ends on a day, or pauses to a last day."""
    period = status.period
    if status.arrangement not in touched or period.end.latest < day.earliest:
        return [status]
    left = []
    if period.start.latest < day.earliest:
        left.append(msgspec.structs.replace(status, until=day.moved(-1), invalid_from=None))
    if until is not None and until.latest < period.end.latest:
        left.append(msgspec.structs.replace(status, from_=until.moved(1).later_of(period.start)))
    return left
