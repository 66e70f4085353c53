import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.services.submissions import (
    CATALOGUE,
    load_catalogue,
)
from cab_registry.storage.engine import create_engine
from cab_registry.storage.records import latest_versions, versions_of
from cab_registry.storage.verification import verify
from tests.services.entering import Entered, enter
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


async def count(engine: AsyncEngine, table: str = "entry") -> int:
    async with engine.connect() as connection:
        return await connection.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - a name of ours


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
    await enter(engine, body(1, note="ours"), body(3, note="same"), Entered(body(4), "retire"))
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
