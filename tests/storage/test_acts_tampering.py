# ruff: noqa: S608 - every statement is made of this file's own text
"""Whoever owns the database can write into every table: verification says what no act made, changed or deleted."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from cab_registry.storage.accounts.invitations import StoredInvitation, insert_invitation
from cab_registry.storage.accounts.proposals import StoredProposal, insert_proposal
from cab_registry.storage.acts.act import OPERATOR, NewAct
from cab_registry.storage.acts.append import append_act
from cab_registry.storage.acts.images import COMMITTED, read_image
from cab_registry.storage.acts.replay import KIND_OF, EnteredWalk
from cab_registry.storage.acts.verification import ActProof
from cab_registry.storage.canonical import sha256
from cab_registry.storage.chain import LogFault
from cab_registry.storage.engine import create_engine
from cab_registry.storage.entries import NewSubmission
from cab_registry.storage.log import append, head
from cab_registry.storage.mending import erase_private
from cab_registry.storage.policies import StoredPolicy, insert_policy
from cab_registry.storage.principals import Grant, insert_grant, insert_principal
from cab_registry.storage.runs import claim_run, fail_run, finish_run, note_due
from cab_registry.storage.submissions import NewStored, decide, insert_submission, keep_private
from cab_registry.storage.tokens import StoredToken, insert_token
from cab_registry.storage.verification import verify, verify_chain
from tests.conftest import DatabaseServer
from tests.storage.samples import body, submission

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
AT = {"at": "2026-12-01T12:00:00.000000Z"}
FIRST, SECOND = "p-0000000000000001", "p-0000000000000002"
ALL = frozenset(COMMITTED)


async def hire(connection: AsyncConnection, person: str, *roles: Any) -> None:
    await insert_principal(connection, person, "person", "Ada", NOW)
    rows = [await read_image(connection, "principal", id=person)]
    for role in roles:
        await insert_grant(connection, Grant(person, "us-fcc", role, NOW))
        key = {"principal": person, "authority": "us-fcc", "role": role, "granted": NOW}
        rows.append(await read_image(connection, "role_grant", **key))
    token = StoredToken(
        id=f"t-{person}",
        principal=person,
        authority="us-fcc",
        roles=roles,
        name="desk",
        created=NOW,
        expires=NOW + timedelta(days=90),
        family=f"t-{person}",
        renewable_until=NOW + timedelta(days=360),
    )
    await insert_token(connection, token, sha256(person.encode()))
    rows.append(await read_image(connection, "token", id=token.id))
    await append_act(connection, NewAct(kind="principal_made", actor=OPERATOR, subject=person, rows=tuple(rows)))


def act(kind: Any, subject: str, person: str, *rows: Any) -> NewAct:
    return NewAct(
        kind=kind, actor=person, subject=subject, token=f"t-{person}", authority="us-fcc", rows=rows, details=AT
    )


async def receive(connection: AsyncConnection, name: str, *documents: Any, person: str = FIRST, **more: Any) -> None:
    content = name.encode()
    given: dict[str, Any] = {"kind": "records", "four_eyes": False, **more}
    stored = NewStored(
        id=name,
        state="submitted",
        authority="us-fcc",
        counterpart=None,
        principal=person,
        public_reason="as decided",
        content=content,
        digest=sha256(content),
        receipt={},
        versions_read={},
        idempotency_key=name,
        request_hash=sha256(content),
        **given,
    )
    await insert_submission(connection, stored)
    hidden = await keep_private(connection, name, "request", b"s" * 32, b"internal")
    if documents:
        new = submission(*documents, id=name, principal=person, stored=True)
        received = act("submission_received", name, person, hidden)
        await append(connection, NewSubmission(**{**_fields(new), "act": received}))
    else:
        image = await read_image(connection, "submission", id=name)
        await append_act(connection, act("submission_received", name, person, image, hidden))


def _fields(new: NewSubmission) -> dict[str, Any]:
    return {name: getattr(new, name) for name in NewSubmission.__struct_fields__}


async def settle(connection: AsyncConnection, name: str, state: Any, person: str, *rows: Any) -> None:
    await decide(connection, name, state, person)
    image = await read_image(connection, "submission", id=name)
    await append_act(connection, act("submission_decided", name, person, image, *rows))


async def invite(connection: AsyncConnection) -> None:
    """Invite the first, and propose a role for them."""
    given: dict[str, Any] = {"principal": FIRST, "authority": "us-fcc"}
    await insert_invitation(
        connection,
        StoredInvitation(
            id="i-0000000000000001",
            roles=("submitter",),
            created=NOW,
            created_by=SECOND,
            expires=NOW + timedelta(days=1),
            needs_approval=True,
            **given,
        ),
        sha256(b"code"),
    )
    await insert_proposal(
        connection,
        StoredProposal(id="g-0000000000000001", role="auditor", proposed=NOW, proposed_by=SECOND, **given),
    )
    invited = await read_image(connection, "invitation", id="i-0000000000000001")
    proposed = await read_image(connection, "role_proposal", id="g-0000000000000001")
    await append_act(connection, act("invitation_made", FIRST, SECOND, invited, proposed))


async def make_history(connection: AsyncConnection) -> None:
    """Two officers; a submission that was entered, one rejected, one that waits, a policy, and runs of a job."""
    await hire(connection, FIRST, "submitter")
    await hire(connection, SECOND, "approver", "submitter")
    await invite(connection)
    await receive(connection, "entered", body(1), body(2))
    await receive(connection, "rejected", four_eyes=True)
    await settle(connection, "rejected", "rejected", SECOND)
    await receive(connection, "policy", kind="policy", four_eyes=True)
    await insert_policy(
        connection,
        StoredPolicy(authority="us-fcc", version=1, four_eyes=True, since=NOW, submission="policy"),
    )
    policy = await read_image(connection, "authority_policy", authority="us-fcc", version=1)
    await settle(connection, "policy", "approved", SECOND, policy)
    await receive(connection, "waiting", four_eyes=True)
    await receive(connection, "approved", four_eyes=True)
    approved = submission(body(3), id="approved", principal=FIRST, stored=True, decided_by=SECOND)
    decided = act("submission_decided", "approved", SECOND)
    await append(connection, NewSubmission(**{**_fields(approved), "act": decided}))
    await note_due(connection, "prove-log", NOW.date(), NOW)
    await fail_run(connection, "prove-log", NOW.date(), began=NOW, now=NOW, reason="down")
    await claim_run(connection, "prove-log", NOW.date(), NOW)
    await finish_run(connection, "prove-log", NOW.date(), now=NOW, report="no fault", faults=0)


async def drop_constraints(connection: AsyncConnection) -> None:
    """Do what the owner of the tables may do before tampering."""
    constraints = text("SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype IN ('c', 'x', 'f')")
    for table, name in (await connection.execute(constraints)).all():
        if table in {*COMMITTED, "act", "entry"}:
            await connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))


@pytest.fixture(scope="module")
def tampered_url(database_server: DatabaseServer, migrated_template: str) -> Iterator[str]:
    """A database with the history that the service wrote, for its owner; every test leaves it as it was."""
    name = database_server.create(migrated_template, kept=True)

    async def prepare() -> None:
        for url, work in (
            (database_server.url(name), make_history),
            (database_server.owner_url(name), drop_constraints),
        ):
            engine = create_engine(url, poolclass=NullPool)
            async with engine.begin() as connection:
                await work(connection)
            await engine.dispose()

    asyncio.run(prepare())
    yield database_server.owner_url(name)
    database_server.drop([name])


@pytest.fixture
async def history(tampered_url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_engine(tampered_url, poolclass=NullPool)
    async with engine.connect() as connection:
        yield connection
        await connection.rollback()
    await engine.dispose()


@asynccontextmanager
async def taken_back(connection: AsyncConnection) -> AsyncIterator[None]:
    """Take back what is done in the block."""
    point = await connection.begin_nested()
    try:
        yield
    finally:
        await point.rollback()


async def tamper(connection: AsyncConnection, *statements: str) -> None:
    """Write past the triggers."""
    await connection.execute(text("SET LOCAL session_replication_role = replica"))
    for statement in statements:
        assert (await connection.execute(text(statement))).rowcount, "nothing was changed"
    await connection.execute(text("SET LOCAL session_replication_role = origin"))


async def prove(connection: AsyncConnection) -> list[LogFault]:
    entered = EnteredWalk()
    faults = await verify_chain(connection, entered=entered)
    proof = ActProof((await head(connection)).log_id, None)
    await proof.run(connection, entered, ALL)
    return [*faults, *proof.faults]


async def test_what_was_done_in_order_has_no_fault(history: AsyncConnection) -> None:
    assert await prove(history) == []


def kind_of(table: str) -> str:
    return KIND_OF.get(table, "row")


def changed(column: str, kind: str) -> str:
    """The least change of a column, by its type; what was empty differs from row to row, as unique indexes want it."""
    by_type = {
        "text": f"coalesce({column}, ctid::text) || 'x'",
        "bytea": f"coalesce({column}, sha256('')) || 'x'",
        "timestamp with time zone": f"coalesce({column}, now()) + interval '1 microsecond'",
        "date": f"{column} + 1",
        "boolean": f"NOT {column}",
        "integer": f"{column} + 1",
        "bigint": f"coalesce({column}, 0) + 1",
        "ARRAY": f"{column} || ARRAY['registrar']",
    }
    return by_type[kind]


@pytest.mark.parametrize("table", COMMITTED)
async def test_every_committed_column_of_every_table_shows(history: AsyncConnection, table: str) -> None:
    named = text("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = :table")
    types = {row.column_name: row.data_type for row in await history.execute(named, {"table": table})}
    for column in COMMITTED[table].read:
        async with taken_back(history):
            await tamper(history, f"UPDATE {table} SET {column} = {changed(column, types[column])}")
            found = await prove(history)
        assert kind_of(table) in {each.kind for each in found}, column
    assert await prove(history) == []


@pytest.mark.parametrize("table", COMMITTED)
async def test_every_deleted_row_shows(history: AsyncConnection, table: str) -> None:
    count = await history.scalar(text(f"SELECT count(*) FROM {table}"))
    await tamper(history, f"DELETE FROM {table}")
    found = [each for each in await prove(history) if each.kind == kind_of(table)]
    assert len({each.subject for each in found}) == count


_COPIED = "secret_hash, authority, roles, name, created, expires, family, renewable_until"
SLIPPED_IN = (
    f"INSERT INTO token (id, principal, {_COPIED}) SELECT 't-x', '{FIRST}', {_COPIED} FROM token"
    f" WHERE id = 't-{SECOND}'"
)
TAMPERINGS = {
    "another who approved": (
        "UPDATE submission SET decided_by = 'p-x' WHERE id = 'approved'",
        "submission",
        "approved",
    ),
    "another authority": ("UPDATE submission SET authority = 'kr-rra' WHERE id = 'entered'", "submission", "entered"),
    "a policy switched off": ("UPDATE authority_policy SET four_eyes = false", "policy", "us-fcc 1"),
    "a policy slipped in": (
        "INSERT INTO authority_policy VALUES ('us-fcc', 2, false, 'warn', now(), 'policy')",
        "policy",
        "us-fcc 2",
    ),
    "a rejected submission deleted": ("DELETE FROM submission WHERE id = 'rejected'", "submission", "rejected"),
    "a private part deleted": (
        "DELETE FROM submission_private WHERE submission = 'waiting'",
        "private",
        "waiting request",
    ),
    "a role slipped in": (
        f"INSERT INTO role_grant VALUES ('{FIRST}', 'us-fcc', 'approver', now(), NULL, NULL, NULL)",
        "role",
        None,
    ),
    "a token slipped in": (
        SLIPPED_IN,
        "token",
        "t-x",
    ),
    "a revoked token alive": ("UPDATE token SET expires = expires + interval '1 year'", "token", f"t-{FIRST}"),
    "a principal slipped in": ("INSERT INTO principal VALUES ('p-x', 'person', 'x', now())", "principal", "p-x"),
    "a run marked done": (
        "INSERT INTO job_run VALUES ('prove-log', '2026-12-02', 'done', 1, now(), now(), '')",
        "run",
        "prove-log 2026-12-02",
    ),
    "other content": ("UPDATE submission SET content = 'other' WHERE id = 'waiting'", "submission", "waiting"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_a_tampering_is_named(history: AsyncConnection, name: str) -> None:
    statement, kind, subject = TAMPERINGS[name]
    await tamper(history, statement)
    found = [each for each in await prove(history) if each.kind == kind]
    assert found
    assert subject is None or subject in {each.subject for each in found}


async def messages(connection: AsyncConnection) -> str:
    return "\n".join(each.message for each in await prove(connection) if each.kind == "authority")


async def test_an_entry_in_anothers_name_shows(history: AsyncConnection) -> None:
    await append(history, submission(body(7), principal=SECOND))
    assert "for a person whom no token let in" in await messages(history)


async def test_who_enters_at_once_against_a_policy_shows(history: AsyncConnection) -> None:
    await receive(history, "past four eyes", body(7))
    assert "has to approve by the policy" in await messages(history)


@pytest.mark.parametrize(
    ("name", "person", "state", "says"),
    [
        ("waiting", FIRST, "approved", "who handed it in decided on it"),
        ("waiting", SECOND, "withdrawn", "another than who handed it in withdrew it"),
        ("rejected", SECOND, "approved", "that did not wait"),
    ],
)
async def test_who_could_not_decide_shows(
    history: AsyncConnection, name: str, person: str, state: str, says: str
) -> None:
    await tamper(
        history,
        f"UPDATE submission SET state = '{state}', decided_by = '{person}', decided = now() WHERE id = '{name}'",
    )
    image = await read_image(history, "submission", id=name)
    await append_act(history, act("submission_decided", name, person, image))
    assert says in await messages(history)


@pytest.mark.parametrize(
    ("statement", "table", "says"),
    [
        ("UPDATE token SET revoked = now()", "token", "token of its actor was at an end"),
        ("UPDATE principal SET disabled = now()", "principal", "account of its actor was disabled"),
        ("UPDATE role_grant SET ended = now()", "role_grant", "did not hold the role of submitter"),
    ],
)
async def test_who_was_shut_out_before_shows(history: AsyncConnection, statement: str, table: str, says: str) -> None:
    await history.execute(text(statement))
    keys = {
        "token": {"id": f"t-{FIRST}"},
        "principal": {"id": FIRST},
        "role_grant": {"principal": FIRST, "authority": "us-fcc", "role": "submitter", "granted": NOW},
    }
    image = await read_image(history, table, **keys[table])
    await append_act(history, NewAct(kind="token_revoked", actor=OPERATOR, subject=FIRST, rows=(image,)))
    await receive(history, "late", four_eyes=True)
    assert says in await messages(history)


async def test_a_token_of_another_shows(history: AsyncConnection) -> None:
    image = await read_image(history, "submission", id="waiting")
    forged = NewAct(
        kind="submission_decided",
        actor=SECOND,
        subject="waiting",
        token=f"t-{FIRST}",
        authority="us-fcc",
        rows=(image,),
        details=AT,
    )
    await append_act(history, forged)
    assert "no token that was issued to its actor" in await messages(history)


@pytest.mark.parametrize("column", ["kind", "actor", "token", "authority", "subject", "content", "recorded"])
async def test_a_changed_act_shows(history: AsyncConnection, column: str) -> None:
    kind = {"content": "bytea", "recorded": "timestamp with time zone"}.get(column, "text")
    await tamper(history, f"UPDATE act SET {column} = {changed(column, kind)} WHERE position = 3")
    assert ("act", 3) in {(each.kind, each.position) for each in await prove(history)}


@pytest.mark.parametrize("column", ["log_position", "log_hash", "previous_hash", "act_hash"])
async def test_a_changed_link_of_an_act_shows(history: AsyncConnection, column: str) -> None:
    await tamper(history, f"UPDATE act SET {column} = {changed(column, 'bytea' if 'hash' in column else 'bigint')}")
    assert "act" in {each.kind for each in await prove(history)}


async def test_a_cut_act_shows_and_either_head_proves_both_chains(history: AsyncConnection) -> None:
    rows = (await history.execute(text("SELECT act_hash FROM act ORDER BY position DESC"))).scalars().all()
    entry_hash = (await head(history)).entry_hash
    for kept in (rows[0], rows[3], entry_hash):
        assert "tail" not in {each.kind for each in await verify(history, kept)}
    await tamper(history, "DELETE FROM act WHERE position = (SELECT max(position) FROM act)", "DELETE FROM job_run")
    assert "tail" in {each.kind for each in await verify(history, rows[0])}
    assert "tail" not in {each.kind for each in await verify(history, rows[1])}
    await tamper(history, "DELETE FROM act WHERE position = 4")
    assert {"act", "entry"} & {each.kind for each in await prove(history)}


async def test_an_entry_whose_act_is_another_shows(history: AsyncConnection) -> None:
    await tamper(history, "UPDATE entry SET principal = 'p-x' WHERE submission = 'entered'")
    found = await prove(history)
    assert any("another's name" in each.message for each in found)


async def test_an_erasure_is_an_act(history: AsyncConnection) -> None:
    assert await erase_private(history, "rejected", "asked for") == 1
    assert await prove(history) == []


def test_the_statements_name_tables_of_their_own() -> None:
    assert all(re.search(rf"\b({'|'.join(COMMITTED)})\b", statement) for statement, _, _ in TAMPERINGS.values())
