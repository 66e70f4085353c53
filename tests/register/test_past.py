"""What a new version of a right must leave as it is."""

from __future__ import annotations

from typing import Any

import pytest

from cab_registry.domain.days import parse_day
from cab_registry.domain.records import AnyRecord, read_record
from cab_registry.register.past import find_changed_past

TODAY = parse_day("2026-11-21")


def right(kind: str, **more: Any) -> AnyRecord:
    scope = [{"key": "a", "requirement": "us-47cfr-15c", "from": "always"}]
    return read_record({"type": kind, "id": "x", "owner": "kr-rra", "body": "x-body", "scope": scope, **more})


def told(old: AnyRecord, new: AnyRecord) -> list[str]:
    return [str(fault) for fault in find_changed_past(old, new, TODAY)]


@pytest.mark.parametrize(
    ("one", "two", "fault"),
    [
        ({"edition": "2005"}, {"edition": "2017"}, "/edition: `edition` changes from 2005 to 2017"),
        ({}, {"edition": "2017"}, "/edition: `edition` changes from none to 2017"),
        ({"number": "KT1"}, {"number": "KT2"}, "/number: `number` changes from KT1 to KT2"),
        ({"number": "KT1"}, {}, "/number: `number` changes from KT1 to none"),
        ({"site": "suwon"}, {}, "/site: `site` changes from suwon to none"),
        ({}, {"number": "KT1"}, None),
        ({}, {"note": "Seen on the certificate"}, None),
    ],
)
def test_a_right_with_a_past_becomes_no_other_right(one: Any, two: Any, fault: str | None) -> None:
    head = {"by": "kr-kolas", "standard": "ISO/IEC 17025", "timeline": [{"event": "granted", "on": "2020-01-01"}]}
    found = told(right("accreditation", **head, **one), right("accreditation", **head, **two))
    assert [each.split(":")[0] for each in found] == ([] if fault is None else [fault.split(":")[0]])
    assert all(each.startswith(str(fault)) and "correction" in each for each in found)


def test_what_was_only_asked_for_was_never_held() -> None:
    head = {"by": "kr-rra", "agreement": "apec-tel-us-kr", "annex": "phase-1"}
    asked = [{"event": "proposed", "on": "2026-01-01"}]
    given = [*asked, {"event": "designated", "on": "2026-02-01"}]
    narrow = [{"key": "a", "requirement": "us-47cfr-15c", "standards": ["M"], "from": "always", "until": "2026-06-30"}]
    assert (
        told(right("designation", **head, timeline=asked), right("designation", **head, timeline=given, scope=narrow))
        == []
    )
    assert told(
        right("designation", **head, timeline=given), right("designation", **head, timeline=given, scope=narrow)
    )
    # What silence may have recognised has a past.
    assert told(
        right("recognition", **head, timeline=asked), right("recognition", **head, timeline=asked, scope=narrow)
    )
