# ruff: noqa: S608 - every statement is made of this file's own text
import re
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.services import database
from cab_registry.storage.canonical import canonical_bytes
from cab_registry.storage.entries import entry_hash, genesis_hash
from cab_registry.storage.errors import LogDamaged
from cab_registry.storage.log import head, read_entries
from cab_registry.storage.projection import project
from cab_registry.storage.rebuilding import DERIVED, rebuild
from cab_registry.storage.tables import entry as entry_table
from cab_registry.storage.verification import verify, verify_chain
from tests.storage.samples import agreement, body, put, put_history, recognition, requirement

Tamper = Callable[..., Awaitable[None]]

# How each column of an entry is changed by the least that it can be: one byte, one step, one microsecond.
FLIPS = {
    "position": "position + 100",
    "format": "format + 1",
    "version": "version + 1",
    "recorded": "recorded + interval '1 microsecond'",
    "submission": "overlay(submission PLACING 'x' FROM 1)",
    "type": "overlay(type PLACING 'x' FROM 1)",
    "id": "overlay(id PLACING 'x' FROM 1)",
    "owner": "overlay(owner PLACING 'x' FROM 1)",
    "principal": "overlay(principal PLACING 'x' FROM 1)",
    "change": "CASE change WHEN 'amend' THEN 'correction' ELSE 'amend' END",
    "public_reason": "public_reason || ' '",
    "payload": "set_byte(payload, 20, get_byte(payload, 20) # 1)",
    "payload_hash": "set_byte(payload_hash, 31, get_byte(payload_hash, 31) # 1)",
    "private_hash": "set_byte(private_hash, 0, get_byte(private_hash, 0) # 128)",
    "previous_hash": "set_byte(previous_hash, 0, get_byte(previous_hash, 0) # 1)",
    "entry_hash": "set_byte(entry_hash, 0, get_byte(entry_hash, 0) # 1)",
    "act_hash": "set_byte(act_hash, 0, get_byte(act_hash, 0) # 1)",
}


@pytest.fixture
async def tamper(owner_engine: AsyncEngine) -> Tamper:
    """Change rows as somebody could who owns the server: no trigger, no constraint."""

    async def run(*statements: str) -> None:
        async with owner_engine.begin() as connection:
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
            constraints = text("SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype IN ('c', 'x', 'f')")
            for table, name in (await connection.execute(constraints)).all():
                if re.match(r"entry|record_version|submission|log_identity", table):
                    await connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
            for statement in statements:
                assert (await connection.execute(text(statement))).rowcount, "nothing was changed"

    return run


def test_every_column_is_tried() -> None:
    assert FLIPS.keys() == {column.name for column in entry_table.columns}


@pytest.mark.parametrize("position", [1, 5, 6, 7], ids=["first", "with private part", "before the last", "last"])
@pytest.mark.parametrize("column", FLIPS)
async def test_any_flipped_byte_of_an_entry_is_found(
    engine: AsyncEngine, reading: AsyncConnection, tamper: Tamper, column: str, position: int
) -> None:
    await put_history(engine)
    if column == "private_hash" and position in {1, 7}:
        await tamper(f"UPDATE entry SET private_hash = payload_hash WHERE position = {position}")
    else:
        await tamper(f"UPDATE entry SET {column} = {FLIPS[column]} WHERE position = {position}")
    faults = await verify_chain(reading)
    assert faults
    changed = 100 + position if column == "position" else position
    assert changed in {fault.position for fault in faults}
    # The entry itself, those of the same record and the one that follows are named, where it was and is: no flood.
    assert len(faults) <= (8 if column == "position" else 4)


async def test_every_single_byte_of_a_payload_counts(engine: AsyncEngine, tamper: Tamper) -> None:
    done = await put(engine, body(1))
    length = len(done.entries[0].payload)
    for offset in range(0, length, 7):
        await tamper(f"UPDATE entry SET payload = set_byte(payload, {offset}, get_byte(payload, {offset}) # 1)")
        async with engine.connect() as connection:
            assert await verify(connection), f"byte {offset}"
        await tamper(f"UPDATE entry SET payload = set_byte(payload, {offset}, get_byte(payload, {offset}) # 1)")
    async with engine.connect() as connection:
        assert await verify(connection) == []


@pytest.mark.parametrize("payload", [b"\xff{", b"[1]", b'{"id":1.5}', b'{"known_from":7}', b'{"b":1,"a":1}', b""])
async def test_a_payload_that_is_no_record_is_found(
    engine: AsyncEngine, reading: AsyncConnection, tamper: Tamper, payload: bytes
) -> None:
    await put_history(engine)
    await tamper(f"UPDATE entry SET payload = '\\x{payload.hex()}' WHERE position = 2")
    found = {(fault.kind, fault.position) for fault in await verify(reading)}
    assert ("entry", 2) in found
    assert ("version", 2) in found


async def test_an_entry_with_its_hash_made_anew_does_not_fit_the_next(
    engine: AsyncEngine, reading: AsyncConnection, tamper: Tamper
) -> None:
    await put_history(engine)
    (entry,) = await read_entries(reading, after=3, limit=1)
    await reading.rollback()
    forged = canonical_bytes({**entry.document(), "note": "forged"})
    values = f"payload = '\\x{forged.hex()}', payload_hash = sha256('\\x{forged.hex()}')"
    await tamper(f"UPDATE entry SET {values} WHERE position = 4".replace(":", "\\:"))
    (entry,) = await read_entries(reading, after=3, limit=1)
    await reading.rollback()
    await tamper(f"UPDATE entry SET entry_hash = '\\x{entry_hash(entry).hex()}' WHERE position = 4")
    assert [(fault.kind, fault.position) for fault in await verify_chain(reading)] == [("order", 5)]


async def test_a_deleted_middle_entry_is_found(engine: AsyncEngine, reading: AsyncConnection, tamper: Tamper) -> None:
    await put_history(engine)
    await tamper("DELETE FROM entry WHERE position = 4")
    found = {(fault.kind, fault.position) for fault in await verify(reading)}
    assert {("order", 5), ("version", 4)} <= found


async def test_swapped_entries_are_found(engine: AsyncEngine, reading: AsyncConnection, tamper: Tamper) -> None:
    await put_history(engine)
    await tamper(
        "UPDATE entry SET position = position + 100 WHERE position IN (2, 3)",
        "UPDATE entry SET position = 105 - position WHERE position IN (102, 103)",
    )
    assert {2, 3, 4} <= {fault.position for fault in await verify_chain(reading)}


async def test_a_cut_tail_is_found_by_a_head_that_was_kept_elsewhere(
    engine: AsyncEngine, reading: AsyncConnection, tamper: Tamper
) -> None:
    await put_history(engine)
    kept = (await head(reading)).entry_hash
    middle = (await read_entries(reading, limit=3))[-1].entry_hash
    assert await verify(reading, kept) == []
    await reading.rollback()
    await tamper(
        "DELETE FROM entry WHERE position = 7",
        "DELETE FROM act WHERE position = 4",
        "DELETE FROM record_version WHERE from_position = 7",
        "DELETE FROM submission WHERE first_position = 7",
        "UPDATE record_version SET until_position = NULL, recorded = tstzrange(lower(recorded), NULL)"
        " WHERE until_position = 7",
        "UPDATE body_search SET sectors = '{telecom_radio}' WHERE body = 'fcc-tw0001'",
    )
    assert await verify(reading) == []
    assert await verify(reading, middle) == []
    assert [fault.kind for fault in await verify(reading, kept)] == ["tail"]


async def test_another_log_id_breaks_the_chain_at_its_root(
    engine: AsyncEngine, reading: AsyncConnection, tamper: Tamper
) -> None:
    await put(engine, body(1))
    await tamper("UPDATE log_identity SET log_id = '00000000-0000-0000-0000-000000000000'")
    assert {(fault.kind, fault.position) for fault in await verify(reading)} == {("order", 1), ("act", 1)}
    end = await head(reading)
    assert end.entry_hash != genesis_hash(end.log_id)


async def test_a_log_without_an_identity_is_a_fault(
    engine: AsyncEngine, reading: AsyncConnection, tamper: Tamper
) -> None:
    await put(engine, body(1))
    await tamper("DELETE FROM log_identity")
    assert [fault.kind for fault in await verify(reading)] == ["identity"]
    told = await database.verify(engine)
    assert ([fault.kind for fault in told.faults], told.entry_hash) == (["identity"], "")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entry_private SET content = set_byte(content, 5, get_byte(content, 5) # 1) WHERE position = 4",
        "UPDATE entry_private SET salt = set_byte(salt, 5, get_byte(salt, 5) # 1) WHERE position = 4",
        "UPDATE entry_private SET position = 1 WHERE position = 4",
    ],
)
async def test_a_private_part_that_was_not_chained_is_found(
    engine: AsyncEngine, reading: AsyncConnection, tamper: Tamper, change: str
) -> None:
    await put_history(engine)
    await tamper(change)
    assert {fault.kind for fault in await verify(reading)} == {"private"}


DAMAGE = {
    "version": "version + 40",
    "retired": "NOT retired",
    "type": "type || 'x'",
    "owner": "owner || 'x'",
    "principal": "principal || 'x'",
    "body": "coalesce(body, '') || 'x'",
    "from_position": "from_position + 40",
    "until_position": "coalesce(until_position, 40) + 40",
    "recorded": "tstzrange(lower(recorded) - interval '1 microsecond', upper(recorded), '[)')",
    "digest": "set_byte(digest, 0, get_byte(digest, 0) # 1)",
    "payload": "payload || '{\"note\"\\: 1.0}'",
}


@pytest.mark.parametrize("column", DAMAGE)
async def test_any_changed_record_version_is_found_and_rebuilt(
    owner_engine: AsyncEngine, tamper: Tamper, column: str
) -> None:
    await put_history(owner_engine)
    await put(owner_engine, requirement("telecom_terminal"), change="amend")
    await tamper(f"UPDATE record_version SET {column} = {DAMAGE[column]} WHERE from_position = 4")
    async with owner_engine.connect() as connection:
        found = await verify(connection)
    assert (4 if column != "from_position" else 44) in {fault.position for fault in found}
    assert {fault.kind for fault in found} <= {"version", "search"}
    async with owner_engine.begin() as connection:
        rebuilt = await rebuild(connection)
    assert rebuilt.entries == 8
    assert rebuilt.differing["record_version"] == 2
    assert rebuilt.faults == ()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE body_search SET names = 'other' WHERE body = 'fcc-tw0001'",
        "UPDATE body_search SET sectors = '{x}' WHERE body = 'fcc-tw0001'",
        "DELETE FROM body_search WHERE body = 'fcc-tw0001'",
        "INSERT INTO body_search VALUES ('nobody', 'x', 'x', '{}', '{}')",
        "INSERT INTO body_identifier VALUES ('s', 'v', 'nobody')",
        "UPDATE body_identifier SET value = 'x' WHERE body = 'fcc-tw0001'",
        "UPDATE submission SET last_position = 9 WHERE first_position = 4",
        "UPDATE submission SET principal = 'another' WHERE first_position = 4",
        "DELETE FROM submission WHERE first_position = 4",
        "DELETE FROM record_version WHERE from_position = 1",
    ],
)
async def test_any_changed_derived_row_is_found(
    engine: AsyncEngine, reading: AsyncConnection, tamper: Tamper, change: str
) -> None:
    await put_history(engine)
    await tamper(change)
    assert await verify(reading)


async def test_a_submission_that_no_act_received_is_a_fault(engine: AsyncEngine, reading: AsyncConnection) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO submission (id, principal, public_reason, state) VALUES ('s', 'p', '', 'submitted')")
        )
    assert [(fault.kind, fault.subject) for fault in await verify(reading)] == [("submission", "s")]


async def test_a_rebuild_gives_what_was_there(owner_engine: AsyncEngine) -> None:
    await put_history(owner_engine)
    await put(owner_engine, agreement("telecom_radio"), recognition(2, agreement="apec-tel-us-tw", annex="phase-1"))
    async with owner_engine.connect() as connection:
        before = {name: sorted((await connection.execute(text(f"TABLE {name}"))).all(), key=str) for name in DERIVED}
    async with owner_engine.begin() as connection:
        rebuilt = await rebuild(connection)
    async with owner_engine.connect() as connection:
        after = {name: sorted((await connection.execute(text(f"TABLE {name}"))).all(), key=str) for name in DERIVED}
    assert (rebuilt.entries, rebuilt.differing, rebuilt.faults) == (9, {}, ())
    assert before == after


async def test_everything_derived_can_be_lost(owner_engine: AsyncEngine, tamper: Tamper) -> None:
    await put_history(owner_engine)
    await tamper(*(f"DELETE FROM {name}" for name in DERIVED))
    async with owner_engine.begin() as connection:
        rebuilt = await rebuild(connection)
    assert rebuilt.differing.keys() == set(DERIVED)
    assert rebuilt.faults == ()


async def test_nothing_is_derived_from_a_damaged_log(owner_engine: AsyncEngine, tamper: Tamper) -> None:
    await put_history(owner_engine)
    await tamper("UPDATE entry SET owner = 'somebody' WHERE position = 2")
    with pytest.raises(LogDamaged, match="2 faults"):
        async with owner_engine.begin() as connection:
            await rebuild(connection)


async def test_nothing_is_projected_on_versions_that_are_not_there(engine: AsyncEngine, tamper: Tamper) -> None:
    await put(engine, body(1))
    amended = await put(engine, body(1, note="x"), change="amend")
    await tamper("DELETE FROM record_version")
    async with engine.connect() as connection:
        with pytest.raises(LogDamaged, match="rebuild"):
            await project(connection, amended.entries)
