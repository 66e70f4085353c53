import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.services.submissions import (
    CATALOGUE,
    KeyReused,
    Receipt,
    RecordChange,
    load_catalogue,
    submit_records,
)
from cab_registry.storage.engine import create_engine
from cab_registry.storage.errors import NotInitial, StaleVersion, UnfitChange
from cab_registry.storage.log import read_entries
from cab_registry.storage.records import latest_versions, versions_of
from cab_registry.storage.verification import verify
from tests.storage.samples import body, recognition, requirement


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_engine(database_url)
    yield made
    async with made.connect() as connection:
        assert await verify(connection) == []
    await made.dispose()


def accept(document: Mapping[str, Any]) -> list[Fault]:
    return []


def refuse_notes(document: Mapping[str, Any]) -> list[Fault]:
    return [Fault("/note", "no notes here")] if "note" in document else []


async def submit(engine: AsyncEngine, *documents: dict[str, Any] | RecordChange, **more: Any) -> Receipt:
    changes = [each if isinstance(each, RecordChange) else RecordChange(document=each) for each in documents]
    given = {"principal": "p-1", "public_reason": "as decided", "validate": accept, **more}
    return await submit_records(engine, changes, **given)


async def count(engine: AsyncEngine, table: str = "entry") -> int:
    async with engine.connect() as connection:
        return await connection.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - a name of ours


async def test_a_receipt_says_what_was_appended_and_where(engine: AsyncEngine) -> None:
    first = await submit(engine, body(1), body(2))
    second = await submit(engine, body(1), body(2, note="moved"), body(3))
    assert [(each.id, each.version, each.change, each.position) for each in first.appended] == [
        ("fcc-tw0001", 1, "new", 1),
        ("fcc-tw0002", 1, "new", 2),
    ]
    assert [(each.id, each.version, each.change, each.position) for each in second.appended] == [
        ("fcc-tw0002", 2, "amend", 3),
        ("fcc-tw0003", 1, "new", 4),
    ]
    assert second.unchanged == ("fcc-tw0001",)
    assert second.position == 4
    assert not second.repeated
    async with engine.connect() as connection:
        last = (await read_entries(connection))[-1]
    assert (last.entry_hash.hex(), last.recorded, last.submission) == (
        second.entry_hash,
        second.recorded,
        second.submission,
    )


async def test_nothing_new_appends_nothing(engine: AsyncEngine) -> None:
    first = await submit(engine, body(1))
    again = await submit(engine, dict(reversed(body(1).items())))
    assert (again.appended, again.unchanged, again.recorded) == ((), ("fcc-tw0001",), None)
    assert (again.position, again.entry_hash) == (1, first.entry_hash)
    assert await count(engine) == await count(engine, "submission") == 1


async def test_a_retired_record_is_retired_once_and_corrected_back(engine: AsyncEngine) -> None:
    retire = RecordChange(document=body(1), change="retire")
    await submit(engine, body(1))
    assert len((await submit(engine, retire)).appended) == 1
    assert (await submit(engine, retire)).unchanged == ("fcc-tw0001",)
    with pytest.raises(UnfitChange, match="retired"):
        await submit(engine, body(1))
    back = await submit(engine, RecordChange(document=body(1), change="correction"))
    assert [each.version for each in back.appended] == [3]


async def test_every_fault_of_every_document_is_listed_and_nothing_is_stored(engine: AsyncEngine) -> None:
    with pytest.raises(Refusal) as refused:
        await submit(engine, body(1, note=1), body(2), body(3, note=1), body(4, size=1.5), validate=refuse_notes)
    assert [(fault.place, fault.pointer) for fault in refused.value.faults] == [
        ("fcc-tw0001", "/note"),
        ("fcc-tw0003", "/note"),
        ("fcc-tw0004", "/size"),
    ]
    assert await count(engine) == 0
    with pytest.raises(Refusal, match="at least one"):
        await submit(engine)


async def test_a_version_that_moved_is_a_conflict(engine: AsyncEngine) -> None:
    await submit(engine, body(1))
    await submit(engine, body(1, note="a"))
    with pytest.raises(StaleVersion) as stale:
        await submit(engine, RecordChange(document=body(1, note="b"), expected_version=1), body(2))
    assert [fault.place for fault in stale.value.faults] == ["fcc-tw0001"]
    await submit(engine, RecordChange(document=body(1, note="b"), expected_version=2))
    assert await count(engine) == 3


async def test_of_writers_that_saw_the_same_version_one_is_recorded(engine: AsyncEngine) -> None:
    await submit(engine, body(1))
    seen = [RecordChange(document=body(1, note=str(number)), expected_version=1) for number in range(10)]
    results = await asyncio.gather(*(submit(engine, change) for change in seen), return_exceptions=True)
    assert [type(result) for result in results].count(StaleVersion) == 9
    assert await count(engine) == 2


async def test_what_the_checks_rested_on_must_not_have_moved(engine: AsyncEngine) -> None:
    await submit(engine, requirement())
    await submit(engine, requirement("emc"))
    with pytest.raises(StaleVersion) as stale:
        await submit(engine, body(1), versions_read={"us-47cfr-15c": 1, "not-there": 0})
    assert [each.id for each in stale.value.moved] == ["us-47cfr-15c"]
    await submit(engine, body(1), versions_read={"us-47cfr-15c": 2, "not-there": 0})


async def test_a_repeated_request_gets_the_same_receipt(engine: AsyncEngine) -> None:
    first = await submit(engine, body(1), idempotency_key="k")
    await submit(engine, body(1, note="later"))
    again = await submit(engine, body(1), idempotency_key="k")
    assert again.repeated
    assert (again.submission, again.appended, again.recorded) == (first.submission, first.appended, first.recorded)
    with pytest.raises(KeyReused):
        await submit(engine, body(2), idempotency_key="k")
    other = await submit(engine, body(2), idempotency_key="k", principal="p-2")
    assert not other.repeated


async def test_a_repeated_request_that_changed_nothing_is_remembered_too(engine: AsyncEngine) -> None:
    await submit(engine, body(1))
    first = await submit(engine, body(1), idempotency_key="k")
    again = await submit(engine, body(1), idempotency_key="k")
    assert again.repeated
    assert again.submission == first.submission
    with pytest.raises(KeyReused):
        await submit(engine, body(1), idempotency_key="k", public_reason="another")


@pytest.mark.parametrize("documents", [[body(1)], [body(9)]], ids=["changing", "changing nothing"])
async def test_one_request_sent_many_times_at_once_is_done_once(
    engine: AsyncEngine, documents: list[dict[str, Any]]
) -> None:
    await submit(engine, body(9))
    receipts = await asyncio.gather(*(submit(engine, *documents, idempotency_key="k") for _ in range(8)))
    assert len({receipt.submission for receipt in receipts}) == 1
    assert [receipt.repeated for receipt in receipts].count(False) == 1


async def test_private_reasons_reach_no_public_byte(engine: AsyncEngine) -> None:
    await submit(engine, RecordChange(document=body(1), evidence=("scan of a letter",)), private_reason="a person")
    async with engine.connect() as connection:
        (content,) = (await connection.scalars(text("SELECT content FROM entry_private"))).all()
        (entry,) = await read_entries(connection)
    assert content == b'{"evidence":["scan of a letter"],"reason":"a person"}'
    assert b"person" not in entry.payload
    assert "person" not in entry.public_reason


async def test_an_initial_submission_needs_an_empty_log(engine: AsyncEngine) -> None:
    await submit(engine, body(1, known_from="2020-01-01"), initial=True)
    with pytest.raises(NotInitial):
        await submit(engine, body(2), initial=True)
    with pytest.raises(UnfitChange, match="initial load"):
        await submit(engine, body(2, known_from="2020-01-01"))


async def test_the_first_catalogue_is_the_initial_load(engine: AsyncEngine) -> None:
    documents = [requirement(), body(1), body(1, note="moved", known_from="2024-01-01"), body(2)]
    report = await load_catalogue(engine, documents, validate=accept)
    assert report.added == ("us-47cfr-15c", "fcc-tw0001", "fcc-tw0002")
    assert (report.unchanged, report.amended, report.conflicts, report.position) == ((), (), (), 4)
    async with engine.connect() as connection:
        first, second = await versions_of(connection, "fcc-tw0001")
    assert first.recorded_from is None
    assert second.recorded_from == first.recorded_until
    again = await load_catalogue(engine, documents, validate=accept)
    assert again.unchanged == ("us-47cfr-15c", "fcc-tw0001", "fcc-tw0002")
    assert (again.added, again.amended, again.conflicts, again.position) == ((), (), (), 4)


async def test_a_newer_catalogue_amends_its_own_and_leaves_others(engine: AsyncEngine) -> None:
    await load_catalogue(engine, [requirement(), body(1), body(2), body(3), body(4)], validate=accept)
    await submit(engine, body(1, note="ours"), body(3, note="same"), RecordChange(document=body(4), change="retire"))
    newer = [
        requirement("emc"),
        body(1, note="theirs"),
        body(2),
        body(3, note="same"),
        body(4),
        recognition(1, known_from="2020-01-01"),
    ]
    report = await load_catalogue(engine, newer, validate=accept)
    assert report.added == ("recognition-fcc-fcc-tw0001-1",)
    assert report.amended == ("us-47cfr-15c",)
    assert report.unchanged == ("fcc-tw0002", "fcc-tw0003")
    assert report.conflicts == ("fcc-tw0001", "fcc-tw0004")
    async with engine.connect() as connection:
        latest = await latest_versions(connection, ["fcc-tw0001", "us-47cfr-15c", "recognition-fcc-fcc-tw0001-1"])
    assert latest["fcc-tw0001"].document["note"] == "ours"
    assert (latest["us-47cfr-15c"].version, latest["us-47cfr-15c"].principal) == (2, CATALOGUE)
    assert latest["recognition-fcc-fcc-tw0001-1"].recorded_from is not None


async def test_two_processes_that_load_at_once_load_once(engine: AsyncEngine) -> None:
    documents = [body(number) for number in range(20)]
    reports = await asyncio.gather(*(load_catalogue(engine, documents, validate=accept) for _ in range(3)))
    assert sorted(len(report.added) for report in reports) == [0, 0, 20]
    assert await count(engine) == 20


async def test_a_faulty_catalogue_loads_nothing(engine: AsyncEngine) -> None:
    with pytest.raises(Refusal):
        await load_catalogue(engine, [body(1), body(2, note=1)], validate=refuse_notes)
    with pytest.raises(Refusal, match="empty"):
        await load_catalogue(engine, [], validate=accept)
    assert await count(engine) == 0


async def test_an_empty_catalogue_id_is_named(engine: AsyncEngine) -> None:
    with pytest.raises(Refusal) as refused:
        await load_catalogue(engine, [{"type": "body", "owner": "x"}], validate=accept)
    assert [fault.pointer for fault in refused.value.faults] == ["/id"]
