"""What an agreement leaves open is entered with a stated reason only; what it speaks against is not entered at all."""

from typing import Any

import pytest

from cab_registry.domain.errors import Refusal
from cab_registry.services.submitting import approve, show_submission
from cab_registry.storage.log import read_entries
from tests.services.office import Office, body, right

WHY = "the ministry took the task over by decree 12"


@pytest.fixture
async def silent(office: Office) -> Office:
    """An office whose agreement says that an authority of the exporter designates, and not which."""
    board = {"type": "authority", "id": "xa-board", "owner": "registrar", "economy": "XA", "names": {"en": "B"}}
    await office.submit("registrar", {**board, "roles": ["regulating"]})
    await office.hire("board", "xa-board", "submitter")
    await office.hire("board-chief", "xa-board", "approver")
    await office.submit("officer", body(1))
    return office


def by_board(**more: Any) -> dict[str, Any]:
    return right("designation", owner="xa-board", by="xa-board", **more)


async def test_without_a_reason_it_is_refused_and_the_way_is_told(silent: Office) -> None:
    with pytest.raises(Refusal) as refused:
        await silent.submit("board", by_board())
    (fault,) = refused.value.faults
    assert fault.pointer == "/records/0/document/by"
    assert ("xa-ministry" in fault.message, "--although" in fault.message) == (True, True)


async def test_with_a_reason_it_is_entered_and_everybody_reads_why(silent: Office) -> None:
    done = await silent.submit("board", by_board(), although=WHY)
    shown = (await show_submission(silent.engine, str(done.public.id))).public
    assert (shown.state, shown.although) == ("approved", WHY)
    assert [each.pointer for each in shown.warnings if each.pointer.endswith("/by")] == ["/records/0/document/by"]
    async with silent.engine.connect() as connection:
        (entry,) = await read_entries(connection, (shown.first or 0) - 1)
    assert (WHY in entry.public_reason, "as decided" in entry.public_reason) == (True, True)


async def test_a_reason_does_not_open_what_the_agreement_speaks_against(silent: Office) -> None:
    for document in (right("designation", owner="xa-service", by="xa-service"), by_board(body="lab-2")):
        who = "accreditor" if document["by"] == "xa-service" else "board"
        with pytest.raises(Refusal):
            await silent.submit(who, document, although=WHY)


async def test_a_second_person_approves_it_with_its_reason(silent: Office) -> None:
    await silent.hire("board-submitter", "xa-board", "submitter", "approver")
    policy = {"authority": "xa-board", "four_eyes": True, "scope_wider": "warn"}
    asked = await silent.submit("board", policy, kind="policy")
    await approve(silent.desk, silent.people["board-chief"], asked.public.id, asked.public.digest)
    waiting = (await silent.submit("board", by_board(), although=WHY)).public
    assert (waiting.state, waiting.although) == ("submitted", WHY)
    done = await approve(silent.desk, silent.people["board-chief"], waiting.id, waiting.digest)
    assert (done.public.state, done.public.although) == ("approved", WHY)


@pytest.mark.parametrize("although", ["", "  ", " why"])
async def test_a_reason_says_something(silent: Office, although: str) -> None:
    with pytest.raises(Refusal) as refused:
        await silent.submit("board", by_board(), although=although)
    assert [fault.pointer for fault in refused.value.faults] == ["/although"]
