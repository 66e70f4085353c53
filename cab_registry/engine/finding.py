"""What a check finds: outcome, the sentence's key and its parameters, the facts used, what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from cab_registry.domain.days import Truth
from cab_registry.domain.records.common import Source, Sourced

PASS = "pass"  # noqa: S105 - an outcome, no password
FAIL = "fail"
UNKNOWN = "unknown"
NOT_APPLICABLE = "not_applicable"

RANK = {FAIL: 0, UNKNOWN: 1, PASS: 2, NOT_APPLICABLE: 3}

OUTCOME_OF = {Truth.YES: PASS, Truth.NO: FAIL, Truth.UNKNOWN: UNKNOWN}


class Used(NamedTuple):
    """A record on which a finding rests, and the days that decided."""

    record: str
    version: int
    interval: Any


class Ground(NamedTuple):
    """A condition that goes with an acceptance."""

    key: str
    text: str
    citation: str | None = None


class Finding(NamedTuple):
    """The outcome of one check."""

    code: str
    outcome: str
    key: str
    values: dict[str, Any] = {}
    used: tuple[Used, ...] = ()
    sourced: Sourced | None = None
    citation: str | None = None
    missing: tuple[str, ...] = ()
    assumptions: tuple[tuple[str, dict[str, Any]], ...] = ()
    conditions: tuple[Ground, ...] = ()
    source: Source | None = None
    reach: bool = False
    """Whether the route does not reach the result at all, should this come out as a failure."""


def worst_of(findings: Iterable[Finding | None]) -> Finding | None:
    """Return the first of the worst findings; None where there is none."""
    worst: Finding | None = None
    for found in findings:
        if found is not None and (worst is None or RANK[found.outcome] < RANK[worst.outcome]):
            worst = found
    return worst
