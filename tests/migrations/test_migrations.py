import asyncio
import inspect
import re
import secrets
import sys
from collections.abc import Sequence
from datetime import date, datetime
from importlib.resources import files
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Row, text

from cab_registry.storage import migration
from cab_registry.storage.acts.act import act_hash
from cab_registry.storage.acts.append import read_acts
from cab_registry.storage.acts.images import COMMITTED, read_image
from cab_registry.storage.engine import create_engine
from cab_registry.storage.guards import create_schema
from tests.storage.samples import body, put

# Everything that makes a schema, as text that PostgreSQL itself writes. NOT NULL is told by the columns: PostgreSQL 18
# lists it as a constraint too, 15 does not. Column order is left out, since revisions add columns at the end.
SHAPE = {
    "columns": "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,"
    " pg_get_expr(d.adbin, d.adrelid), o.collname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
    " JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (c.oid, a.attnum)"
    " LEFT JOIN pg_collation o ON o.oid = a.attcollation"
    " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'v', 'm', 'S') AND a.attnum > 0 AND NOT a.attisdropped",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated"
    " FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": "SELECT tgname, pg_get_triggerdef(oid), tgenabled::text FROM pg_trigger WHERE NOT tgisinternal",
    "functions": "SELECT p.proname, pg_get_functiondef(p.oid) FROM pg_proc p"
    " WHERE p.pronamespace = 'public'::regnamespace AND p.prokind = 'f'"
    " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')",
    "extensions": "SELECT extname FROM pg_extension",
}


async def shape_of(url: str) -> dict[str, list[str]]:
    engine = create_engine(url)
    async with engine.connect() as connection:
        shape = {name: set((await connection.execute(text(query))).all()) for name, query in SHAPE.items()}
    await engine.dispose()
    for rows in shape.values():
        rows -= {row for row in rows if any("alembic_version" in str(value) for value in row)}
    return {name: sorted(map(str, rows)) for name, rows in shape.items()}


async def run(url: str, statement: str) -> Sequence[Row[Any]]:
    engine = create_engine(url)
    async with engine.begin() as connection:
        done = await connection.execute(text(statement))
        rows = done.all() if done.returns_rows else []
    await engine.dispose()
    return rows


async def test_migrations_and_tables_give_the_same_database(database_url: str, empty_database_url: str) -> None:
    engine = create_engine(empty_database_url)
    async with engine.begin() as connection:
        await connection.run_sync(create_schema)
    await engine.dispose()
    migrated, created = await shape_of(database_url), await shape_of(empty_database_url)
    assert migrated == created
    assert all(migrated.values())


@pytest.mark.parametrize(
    "drift",
    [
        "ALTER TABLE record_version DROP CONSTRAINT record_version_recorded_overlap",
        "ALTER TABLE entry DROP CONSTRAINT entry_payload_hash_right",
        "DROP TRIGGER entry_insert_only ON entry",
        "ALTER TABLE entry DISABLE TRIGGER entry_continues",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "DROP INDEX body_search_names_index",
        "ALTER TABLE submission ALTER COLUMN principal DROP NOT NULL",
        'ALTER TABLE entry ALTER COLUMN id TYPE text COLLATE "default"',
    ],
)
async def test_every_kind_of_drift_is_seen(owner_database_url: str, drift: str) -> None:
    before = await shape_of(owner_database_url)
    await run(owner_database_url, drift)
    assert await shape_of(owner_database_url) != before


def test_there_is_one_head_and_each_revision_is_named_by_its_day() -> None:
    scripts = ScriptDirectory(str(files("cab_registry.migrations")))
    revisions = list(scripts.walk_revisions())
    assert scripts.get_heads() == [migration.head()]
    for revision in revisions:
        assert re.fullmatch(r"\d{4}_\d{2}_\d{2}_[a-z_]+", revision.revision)
        assert inspect.getfile(revision.module).endswith(f"{revision.revision}.py")
        assert not revision.is_branch_point
        assert not revision.is_merge_point


async def test_up_down_and_up_again(empty_database_url: str) -> None:
    url = empty_database_url
    assert migration.current(url) is None
    migration.upgrade(url)
    first = await shape_of(url)
    assert migration.current(url) == migration.head()
    assert len(await run(url, "SELECT log_id FROM log_identity")) == 1
    migration.downgrade(url, "base")
    assert migration.current(url) is None
    assert (await shape_of(url))["columns"] == []
    assert (await shape_of(url))["functions"] == []
    migration.upgrade(url)
    assert await shape_of(url) == first
    migration.upgrade(url)


def test_migrations_run_without_an_event_loop(empty_database_url: str) -> None:
    migration.upgrade(empty_database_url)
    assert migration.current(empty_database_url) == migration.head()


async def test_a_log_with_entries_is_not_undone(owner_database_url: str) -> None:
    engine = create_engine(owner_database_url)
    await put(engine, body(1))
    await engine.dispose()
    with pytest.raises(RuntimeError, match="holds acts"):
        migration.downgrade(owner_database_url, "base")
    assert migration.current(owner_database_url) == "2026_12_01_the_acts"
    assert len(await run(owner_database_url, "SELECT 1 FROM entry")) == 1


async def test_a_log_made_before_there_were_principals_goes_up_down_and_up_again(empty_database_url: str) -> None:
    url = empty_database_url
    migration.upgrade(url, "2026_10_05_the_log")
    await run(url, "INSERT INTO submission (id, principal, public_reason, state) VALUES ('s', 'p', '', 'approved')")
    before = await run(url, "SELECT * FROM submission")
    migration.upgrade(url)
    ((kind, four_eyes),) = await run(url, "SELECT kind, four_eyes FROM submission")
    assert (kind, four_eyes) == ("records", False)
    migration.downgrade(url, "2026_10_05_the_log")
    assert await run(url, "SELECT * FROM submission") == before
    migration.upgrade(url)
    assert migration.current(url) == migration.head()


BEFORE_ACTS = """
INSERT INTO principal VALUES ('p-0123456789abcdef', 'person', 'Ada', '2026-01-01 12:00:00.5+02', NULL);
INSERT INTO role_grant VALUES ('p-0123456789abcdef', 'us-fcc', 'submitter', '2026-01-01 12:00+02', NULL, NULL, NULL);
INSERT INTO token SELECT 't' || n, 'p-0123456789abcdef', sha256('x'), 'us-fcc', '{submitter,auditor}', 'Ø', now(),
    now() + interval '1 day' FROM generate_series(1, 600) AS n;
INSERT INTO submission (id, principal, public_reason, state, idempotency_key, content, digest)
    VALUES ('s', 'p-0123456789abcdef', 'why', 'submitted', 'key', 'x', sha256('x'));
INSERT INTO submission_private VALUES ('s', 'request', sha256('a'), 'x');
INSERT INTO authority_policy VALUES ('us-fcc', 1, true, 'warn', '2026-01-01 12:00+02', 's');
INSERT INTO job_run VALUES ('prove-log', '2026-01-01', 'done', 1, now(), now(), 'Ø', 2)
"""


async def test_what_was_there_before_acts_is_committed_to_by_the_first(empty_database_url: str) -> None:
    url = empty_database_url
    migration.upgrade(url, "2026_11_21_the_clock")
    for statement in BEFORE_ACTS.split(";\n"):
        await run(url, statement)
    migration.upgrade(url)
    engine = create_engine(url)
    async with engine.connect() as connection:
        acts = await read_acts(connection)
        assert {each.kind for each in acts} == {"acts_begun"}
        assert [act_hash(each) for each in acts] == [each.act_hash for each in acts]
        # Rows that got columns since are stated anew: the last image of each counts.
        images = {(image.table, image.key): image for each in acts for image in each.rows()}
        assert {table for table, _ in images} == set(COMMITTED) - {"invitation", "role_proposal"}
        for image in images.values():
            columns = dict(zip(COMMITTED[image.table].key, image.key, strict=True))
            key = {name: _python(name, value) for name, value in columns.items()}
            assert await read_image(connection, image.table, **key) == image
    await engine.dispose()
    migration.downgrade(url, "2026_11_21_the_clock")
    assert await run(url, "SELECT 1 FROM pg_tables WHERE tablename = 'act'") == []


def _python(name: str, value: Any) -> Any:
    if name == "granted":
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if name == "due_on" else value


async def test_invitations_are_not_undone(owner_database_url: str) -> None:
    await run(
        owner_database_url,
        "WITH made AS (INSERT INTO principal (id, kind, created) VALUES ('p-0123456789abcdef', 'person', now())"
        " RETURNING id) INSERT INTO invitation (id, principal, authority, roles, code_hash, created, expires,"
        " needs_approval) SELECT 'i-0123456789abcdef', id, 'xa', ARRAY['auditor'], sha256(''), now(),"
        " now() + interval '1 day', false FROM made",
    )
    with pytest.raises(RuntimeError, match="there are invitations"):
        migration.downgrade(owner_database_url, "2026_12_01_the_acts")
    assert migration.current(owner_database_url) == "2026_12_01_invitations"


async def test_tokens_from_before_invitations_can_be_renewed_for_a_year(empty_database_url: str) -> None:
    url = empty_database_url
    migration.upgrade(url, "2026_12_01_the_acts")
    await run(url, "INSERT INTO principal (id, kind, created) VALUES ('p-0123456789abcdef', 'person', now())")
    await run(
        url,
        "INSERT INTO token (id, principal, secret_hash, authority, roles, name, created, expires) VALUES ('t',"
        " 'p-0123456789abcdef', sha256(''), 'xa', ARRAY['auditor'], 'x', now(), now() + interval '90 days')",
    )
    migration.upgrade(url)
    ((family, span),) = await run(url, "SELECT family, renewable_until - created FROM token")
    assert (family, span.days) == ("t", 366)


async def test_principals_are_not_undone(owner_database_url: str) -> None:
    await run(
        owner_database_url, "INSERT INTO principal (id, kind, created) VALUES ('p-0123456789abcdef', 'person', now())"
    )
    with pytest.raises(RuntimeError, match="there are principals"):
        migration.downgrade(owner_database_url, "2026_10_05_the_log")
    assert migration.current(owner_database_url) == "2026_11_21_who_submits"


async def test_watches_are_not_undone(owner_database_url: str) -> None:
    await run(
        owner_database_url,
        "INSERT INTO endpoint (id, kind, address, address_digest, state, created, changed)"
        " VALUES ('e-0123456789abcdef', 'mail', '', sha256(''), 'active', now(), now())",
    )
    with pytest.raises(RuntimeError, match="there are watches"):
        migration.downgrade(owner_database_url, "2026_11_21_who_submits")
    assert migration.current(owner_database_url) == "2026_11_21_the_clock"


async def test_of_the_clock_the_application_role_may_delete_what_was_asked_only(database_url: str) -> None:
    rights = await run(
        database_url,
        "SELECT tables.name, string_agg(rights.name, ' ' ORDER BY rights.name) FROM unnest(ARRAY['job_run',"
        " 'scheduler_beat', 'watch_cursor', 'endpoint', 'mail_block', 'watch', 'law_reach', 'watched', 'watched_key',"
        " 'outbox', 'delivery']) AS tables (name), unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS rights"
        " (name) WHERE has_table_privilege('cab_app', tables.name, rights.name) GROUP BY 1",
    )
    assert dict(tuple(row) for row in rights) == {
        **dict.fromkeys(("job_run", "watch_cursor", "endpoint", "watch", "outbox"), "INSERT UPDATE"),
        **dict.fromkeys(("mail_block", "delivery", "law_reach"), "INSERT"),
        **dict.fromkeys(("scheduler_beat", "watched"), "DELETE INSERT UPDATE"),
        "watched_key": "DELETE INSERT",
    }


async def test_processes_that_start_at_once_migrate_once(empty_database_url: str) -> None:
    program = "import sys; from cab_registry.storage.migration import upgrade; upgrade(sys.argv[1])"
    started = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, empty_database_url) for _ in range(3)
    ]
    assert [await process.wait() for process in started] == [0, 0, 0]
    assert len(await run(empty_database_url, "SELECT log_id FROM log_identity")) == 1


async def test_a_failed_migration_leaves_nothing(empty_database_url: str) -> None:
    await run(empty_database_url, "CREATE TABLE record_version (in_the_way int)")
    with pytest.raises(Exception, match="already exists"):
        migration.upgrade(empty_database_url)
    assert migration.current(empty_database_url) is None
    assert await run(empty_database_url, "SELECT 1 FROM pg_tables WHERE tablename IN ('entry', 'submission')") == []


def test_alembic_without_our_connection_says_what_to_do() -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("cab_registry.migrations")))
    config.set_main_option("path_separator", "os")
    with pytest.raises(RuntimeError, match="cab db upgrade"):
        command.upgrade(config, "head")


async def test_the_application_role_can_append_and_cannot_rewrite(database_url: str) -> None:
    rights = {
        (table, right)
        for table, right in await run(
            database_url,
            "SELECT tables.name, rights.name FROM unnest(ARRAY['entry', 'log_identity', 'record_version', 'submission',"
            " 'entry_private', 'body_search', 'body_identifier', 'principal', 'role_grant', 'token',"
            " 'authority_policy', 'submission_private', 'cursor_key']) AS tables (name),"
            " unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS rights (name)"
            " WHERE has_table_privilege('cab_app', tables.name, rights.name)",
        )
    }
    assert rights == {
        ("entry", "INSERT"),
        ("record_version", "INSERT"),
        ("entry_private", "INSERT"),
        ("entry_private", "DELETE"),
        ("submission", "INSERT"),
        ("submission", "UPDATE"),
        ("submission_private", "INSERT"),
        ("submission_private", "DELETE"),
        *((table, "INSERT") for table in ("principal", "role_grant", "token", "authority_policy")),
        *((table, right) for table in ("body_search", "body_identifier") for right in ("INSERT", "DELETE")),
    }


async def test_of_who_acts_the_application_role_may_change_what_ends_only(database_url: str) -> None:
    changeable = await run(
        database_url,
        "SELECT c.table_name, string_agg(c.column_name, ' ' ORDER BY c.column_name) FROM information_schema.columns c"
        " WHERE c.table_schema = 'public'"
        " AND c.table_name IN ('principal', 'role_grant', 'token', 'authority_policy', 'submission_private')"
        " AND has_column_privilege('cab_app', c.table_name, c.column_name, 'UPDATE') GROUP BY 1 ORDER BY 1",
    )
    assert [tuple(row) for row in changeable] == [
        ("principal", "disabled name"),
        ("role_grant", "ended ended_by"),
        ("token", "expires last_used replaced revoked"),
    ]


async def test_the_application_role_is_enough_to_append(database_url: str) -> None:
    from cab_registry.storage.log import append
    from cab_registry.storage.verification import verify
    from tests.storage.samples import submission

    engine = create_engine(database_url)
    for change, note in (("new", "a"), ("amend", "b"), ("retire", "b")):
        async with engine.begin() as connection:
            await connection.execute(text("SET LOCAL ROLE cab_app"))
            await append(connection, submission(body(1, note=note), change=change))
            assert await verify(connection) == []
    await engine.dispose()


async def test_who_may_not_create_roles_migrates_all_the_same(empty_database_url: str) -> None:
    source = (files("cab_registry.migrations") / "versions" / "2026_10_05_the_log.py").read_text()
    (grants,) = re.findall(r'^ROLE = """(.*?)"""', source, re.DOTALL | re.MULTILINE)
    role = "cab_test_" + secrets.token_hex(4)
    engine = create_engine(empty_database_url)
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE ROLE {role} NOLOGIN"))
        await connection.execute(text(f"SET LOCAL ROLE {role}"))
        await connection.exec_driver_sql(grants.replace("cab_app", "cab_nobody"))
        await connection.execute(text("RESET ROLE"))
        missing = text("SELECT count(*) FROM pg_roles WHERE rolname = 'cab_nobody'")
        assert await connection.scalar(missing) == 0
        await connection.rollback()
    await engine.dispose()
