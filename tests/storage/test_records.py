# ruff: noqa: S608 - every statement is made of this file's own text
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.storage.entries import NewRecord
from cab_registry.storage.log import COLUMNS, append, position_at
from cab_registry.storage.records import current_records, latest_versions, records_as_known, versions_of
from tests.storage.samples import body, notice, put, recognition, requirement, submission


async def test_the_initial_load_counts_as_recorded_before_everything(
    engine: AsyncEngine, reading: AsyncConnection
) -> None:
    done = await put(engine, body(1), initial=True)
    (version,) = await versions_of(reading, "fcc-tw0001")
    assert (version.recorded_from, version.recorded_until) == (None, None)
    long_ago = datetime(1990, 1, 1, tzinfo=UTC)
    assert [each.version for each in await records_as_known(reading, long_ago, ids=["fcc-tw0001"])] == [1]
    assert await position_at(reading, long_ago) == done.last


async def test_initial_versions_became_known_on_their_days(engine: AsyncEngine, reading: AsyncConnection) -> None:
    records = (
        NewRecord.of(body(1), "new"),
        NewRecord.of(body(1, note="second", known_from="2020-05-01"), "amend"),
        NewRecord.of(body(1, note="third", known_from="2022-01-01"), "correction"),
        NewRecord.of(body(2, known_from="2021-01-01"), "new"),
    )
    async with engine.begin() as connection:
        load = msgspec.structs.replace(submission(initial=True), records=records)
        await append(connection, load)

    async def known(year: int, month: int, day: int) -> list[tuple[str, int]]:
        instant = datetime(year, month, day, tzinfo=UTC)
        return [
            (each.id, each.version)
            for each in await records_as_known(reading, instant, bodies=["fcc-tw0001", "fcc-tw0002"])
        ]

    assert await known(2020, 4, 30) == [("fcc-tw0001", 1)]
    assert await known(2020, 5, 1) == [("fcc-tw0001", 2)]
    assert await known(2021, 12, 31) == [("fcc-tw0001", 2), ("fcc-tw0002", 1)]
    assert await known(2022, 1, 1) == [("fcc-tw0001", 3), ("fcc-tw0002", 1)]
    second = (await versions_of(reading, "fcc-tw0001"))[1]
    assert "known_from" not in second.document
    assert second.recorded_until == datetime(2022, 1, 1, tzinfo=UTC)
    assert (second.from_position, second.until_position) == (2, 3)


async def test_the_past_is_answered_as_it_was_recorded(engine: AsyncEngine, reading: AsyncConnection) -> None:
    first = await put(engine, requirement(), body(1), recognition(1), notice(1), body(2))
    second = await put(engine, recognition(1, note="narrowed"), change="amend")
    third = await put(engine, notice(1), change="retire")

    async def known(moment: datetime | int) -> dict[str, int]:
        found = await records_as_known(reading, moment, bodies=["fcc-tw0001"], law=True)
        return {each.id: each.version for each in found}

    at_first = {"us-47cfr-15c": 1, "fcc-tw0001": 1, "recognition-fcc-fcc-tw0001-1": 1, "notice-us-fcc-tw0001-1": 1}
    at_second = at_first | {"recognition-fcc-fcc-tw0001-1": 2}
    at_third = {key: value for key, value in at_second.items() if not key.startswith("notice")}
    tick = timedelta(microseconds=1)
    assert await known(first.recorded - tick) == {}
    assert await known(first.recorded) == await known(second.recorded - tick) == await known(first.last) == at_first
    assert await known(second.recorded) == await known(second.last) == at_second
    assert await known(third.recorded) == await known(third.last) == await known(10**6) == at_third
    assert {each.id: each.version async for each in current_records(reading)} == at_third | {"fcc-tw0002": 1}
    latest = await latest_versions(reading, ["notice-us-fcc-tw0001-1", "not-there"])
    assert [(each.id, each.retired, each.version) for each in latest.values()] == [("notice-us-fcc-tw0001-1", True, 2)]
    assert await records_as_known(reading, third.last) == []


async def test_an_instant_without_offset_is_refused(reading: AsyncConnection) -> None:
    with pytest.raises(ValueError, match="offset"):
        await records_as_known(reading, datetime(2026, 1, 1), law=True)  # noqa: DTZ001 - that is the case


REFUSED = [
    "UPDATE entry SET owner = 'x'",
    "UPDATE entry SET owner = 'x' WHERE false",
    "DELETE FROM entry",
    "TRUNCATE entry CASCADE",
    "UPDATE log_identity SET created = now()",
    "DELETE FROM log_identity",
    "TRUNCATE log_identity",
    "UPDATE entry_private SET content = ''",
    "UPDATE record_version SET payload = '{}'",
    "UPDATE record_version SET recorded = tstzrange(NULL, now())",
    "UPDATE record_version SET recorded = tstzrange('1999-01-01', now()), until_position = 99",
    "UPDATE record_version SET recorded = tstzrange(lower(recorded), now()), until_position = 99, retired = true",
    "DELETE FROM record_version",
    "TRUNCATE record_version",
]


@pytest.mark.parametrize("statement", REFUSED)
async def test_the_database_itself_refuses_to_change_what_was_recorded(
    owner_engine: AsyncEngine, statement: str
) -> None:
    await put(owner_engine, body(1))
    with pytest.raises(DBAPIError) as refused:
        async with owner_engine.begin() as connection:
            await connection.execute(text(statement))
    assert refused.value.orig.sqlstate == "23001"


async def test_a_version_is_closed_once(engine: AsyncEngine) -> None:
    await put(engine, body(1))
    await put(engine, body(1, note="x"), change="amend")
    with pytest.raises(DBAPIError) as refused:
        async with engine.begin() as connection:
            await connection.execute(
                text(
                    "UPDATE record_version SET until_position = 7, recorded = tstzrange(NULL, now()) WHERE version = 1"
                )
            )
    assert refused.value.orig.sqlstate == "23001"


async def test_truncating_the_log_alone_is_refused_too(owner_engine: AsyncEngine) -> None:
    with pytest.raises(DBAPIError):
        async with owner_engine.begin() as connection:
            await connection.execute(text("TRUNCATE entry"))


@pytest.mark.parametrize(
    "change",
    [
        "position = position + 1",
        "previous_hash = sha256('x')",
        "recorded = recorded - interval '1 day'",
        "submission = 'other'",
        "recorded = recorded + interval '1 second'",
    ],
)
async def test_an_entry_that_does_not_continue_the_log_is_refused(engine: AsyncEngine, change: str) -> None:
    await put(engine, body(1), body(2))
    column, _, value = change.partition(" = ")
    copied = {
        "position": "position + 1",
        "version": "version + 1",
        "change": "'amend'",
        "previous_hash": "entry_hash",
        "entry_hash": "sha256(entry_hash)",
    }
    copied[column] = value if column != "position" else "position + 2"
    values = ", ".join(copied.get(name, name) for name in COLUMNS)
    other = "INSERT INTO submission (id, principal, public_reason, state) VALUES ('other', 'p', '', 'approved')"
    following = f"INSERT INTO entry ({', '.join(COLUMNS)}) SELECT {values} FROM entry WHERE position = 2"
    async with engine.connect() as connection:
        await connection.execute(text(other))
        with pytest.raises(DBAPIError) as refused:
            await connection.execute(text(following))
    assert refused.value.orig.sqlstate == "23001"


async def test_versions_of_one_record_never_overlap(engine: AsyncEngine) -> None:
    await put(engine, body(1))
    with pytest.raises(IntegrityError) as refused:
        async with engine.begin() as connection:
            await connection.execute(
                text(
                    "INSERT INTO record_version SELECT id, 2, retired, type, owner, principal, body, 2, 3,"
                    " tstzrange(now(), now() + interval '1 day'), digest, payload FROM record_version"
                )
            )
    assert refused.value.orig.sqlstate == "23P01"
    assert refused.value.orig.__cause__.constraint_name == "record_version_recorded_overlap"


@pytest.mark.parametrize("bound", ["tstzrange('-infinity', NULL)", "tstzrange('empty')", "'[today,today)'"])
async def test_infinite_and_empty_periods_are_refused(engine: AsyncEngine, bound: str) -> None:
    with pytest.raises(DBAPIError) as refused:
        async with engine.begin() as connection:
            await connection.execute(
                text(
                    "INSERT INTO record_version VALUES"
                    f" ('a', 1, false, 't', 'o', 'p', NULL, 1, NULL, {bound}, sha256('x'), '{{}}')"
                )
            )
    assert refused.value.orig.sqlstate == "23514"
