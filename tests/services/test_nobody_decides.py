"""Nobody decides for others: what another's authority hands in is refused at the door, whatever reason it gives."""

from __future__ import annotations

from typing import Any

import pytest

from cab_registry.domain.days import parse_day
from cab_registry.domain.errors import Refusal
from cab_registry.domain.records import read_record
from cab_registry.register.compiled import Register, Versioned, change_register
from cab_registry.services.desk import allow_every_step
from cab_registry.services.requests import GivenRecord, SubmissionRequest, read_records
from cab_registry.services.validation import Checked, Ground, check_submission
from cab_registry.storage.log import head
from cab_registry.storage.policies import StoredPolicy
from tests.engine.test_mandate import FOREIGN, GRANT, KOREA, lab, listed, position, right
from tests.engine.whole import whole
from tests.services.office import Office

WHY = "we have our reasons"

MORE: dict[str, list[dict[str, Any]]] = {
    "an acceptance on another's market": [position("kr-mfds", "AT", says="accepted")],
    "a designation of another's body": [right("designation", "kr-rra", "lab-two", **KOREA)],
    "a designation in another's name": [right("designation", "kr-rra", "lab-one", by="us-nist", **KOREA)],
    "a recognition for another's market": [right("recognition", "kr-rra", "lab-one", **KOREA)],
    "an accreditation by a regulator": [right("accreditation", "kr-rra", "lab-one", **GRANT)],
    "an accreditation of an inspectorate": [right("accreditation", "kr-kolas", "us-fda", **GRANT)],
    "a designation of an inspectorate": [right("designation", "kr-mfds", "us-fda", scheme="asdf")],
    "a recognition in a scheme that nobody knows": [right("recognition", "kr-kcs", "us-fda", scheme="asdf")],
    "a list of another's": [listed("kr-kcs", kinds=["recognition"], **KOREA)],
    "a list in another's name": [listed("kr-rra", by="US", kinds=["recognition"], **KOREA)],
    "a body of another's that is owned by a prohibited entity": [
        lab(
            id="lab-four",
            owner="kr-kolas",
            economy="US",
            names=[{"name": "Lab Four", "from": "always"}],
            ownership=[{"fact": "prohibited_entity", "from": "always"}],
        )
    ],
    "a requirement": [{"type": "requirement", "id": "kr-x", "owner": "kr-rra", "economy": "EU", "citation": "X"}],
}


@pytest.fixture(scope="module")
def register() -> Register:
    two = lab(id="lab-two", economy="US", names=[{"name": "Lab Two", "from": "always"}])
    return change_register(whole(), [Versioned(read_record(each), 1) for each in (lab(), two)])


def hand_in(register: Register, authority: str, *documents: dict[str, Any], **more: Any) -> Checked:
    given = tuple(GivenRecord(document=each) for each in documents)
    request = SubmissionRequest(authority=authority, public_reason="why", records=given, **more)
    ground = Ground(register, {}, StoredPolicy(authority=authority), parse_day("2026-11-21"), allow_every_step)
    return check_submission(request, read_records(request), ground)


def hand_in_one_by_one(register: Register, records: list[dict[str, Any]], although: str | None) -> None:
    for record in records:
        hand_in(register, record["owner"], record, although=although)
        register = change_register(register, [Versioned(read_record(record), 1)])


OWN_MARKET = (
    "a notice on another's inspectorate",
    "a notice in nobody's name",
    "a notice of another partner of the union",
    "a notice on its document",
)
"""What may be said for one's own market; test_mandate holds that it changes nothing elsewhere."""

WITH_A_REASON = (
    "a notice of whoever recognised it unasked",
    "a notice of whoever is not known to decide in another member",
)
"""What a stated reason lets in; test_mandate holds the same of it."""


@pytest.mark.parametrize("although", [None, WHY])
@pytest.mark.parametrize("tried", [each for each in (*FOREIGN, *MORE) if each not in OWN_MARKET])
def test_what_would_decide_for_others_is_refused(register: Register, tried: str, although: str | None) -> None:
    if although is not None and tried in WITH_A_REASON:
        return
    with pytest.raises(Refusal) as refused:
        hand_in_one_by_one(register, {**FOREIGN, **MORE}[tried], although)
    assert all(fault.pointer and fault.message for fault in refused.value.faults)


@pytest.mark.parametrize("tried", OWN_MARKET)
def test_what_counts_in_ones_own_market_is_told_to_count_there_alone(register: Register, tried: str) -> None:
    (record,) = FOREIGN[tried]
    (remark,) = [each for each in hand_in(register, record["owner"], record).warnings if each.pointer.endswith("/by")]
    assert "nowhere else" in remark.message


async def test_a_position_on_anothers_market_is_not_entered(office: Office) -> None:
    about = {"agreement": "xa-xb", "annex": "radio"}
    async with office.engine.connect() as connection:
        before = await head(connection)
    for binds_in, says in ((["XA"], "not_accepted"), (["XU"], "accepted"), (["XB", "XA"], "not_accepted")):
        with pytest.raises(Refusal) as refused:
            await office.submit(
                "regulator", position("xb-office", *binds_in, about=about, says=says), although="because"
            )
        assert [fault.pointer for fault in refused.value.faults] == [
            f"/records/0/document/binds_in/{len(binds_in) - 1}"
        ]
        assert "xb-office does not speak for X" in refused.value.faults[0].message
    async with office.engine.connect() as connection:
        assert await head(connection) == before
