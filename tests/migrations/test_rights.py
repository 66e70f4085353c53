"""What the role of the service may do is what the program does, table by table, and nothing else."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
from sqlalchemy import text

from cab_registry import storage
from cab_registry.storage.engine import create_engine
from cab_registry.storage.tables import metadata

PACKAGE = Path(__file__).resolve().parents[2] / "cab_registry"
WRITES = ("INSERT", "UPDATE", "DELETE")
# What only the owner does: rebuilding what is derived, correcting a clock, and what operators do by hand.
OF_THE_OWNER = {"cab_registry/storage/rebuilding.py", "cab_registry/storage/corrections.py"}
# Private parts are erased by operators, as docs/operator.md says.
BY_HAND = {("entry_private", "DELETE"), ("submission_private", "DELETE")}
# Locked for reading, which needs a right to update; never changed.
LOCKED = set[tuple[str, str]]()

for module in walk_packages(storage.__path__, f"{storage.__name__}."):
    if module.name.endswith("tables"):
        import_module(module.name)


async def read(url: str, statement: str, **values: Any) -> list[Any]:
    engine = create_engine(url)
    try:
        async with engine.connect() as connection:
            return list((await connection.execute(text(statement), values)).all())
    finally:
        await engine.dispose()


def needed() -> set[tuple[str, str]]:
    """Table and right for every statement in the source that writes: of SQLAlchemy, of plain SQL, and COPY."""
    found: set[tuple[str, str]] = set()
    for file in PACKAGE.rglob("*.py"):
        if f"cab_registry/{file.relative_to(PACKAGE).as_posix()}" not in OF_THE_OWNER:
            tree = ast.parse(file.read_text())
            names = {table: table for table in metadata.tables} | dict(imported_as(tree))
            found.update(statements_of(tree, names))
    return found


def imported_as(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for each in node.names:
                if each.asname and each.name in metadata.tables:
                    yield each.asname, each.name


def statements_of(tree: ast.Module, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef) and "on_conflict_do_update" in ast.dump(node):
            inserted = statements_of(ast.Module(node.body, []), names)
            yield from ((table, "UPDATE") for table, right in inserted if right == "INSERT")
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from in_sql(node.value)
        if not isinstance(node, ast.Call):
            continue
        verb = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.func.value if isinstance(node.func, ast.Attribute) else next(iter(node.args), None)
        table = names.get(getattr(first, "id", ""))
        if verb.upper() in WRITES and table:
            yield table, verb.upper()
        if verb == "with_for_update":
            yield from ((each, "UPDATE") for each in tables_in(node, names))
        if verb == "copy_rows" and isinstance(node.args[1], ast.Constant):
            yield str(node.args[1].value), "INSERT"


def tables_in(node: ast.AST, names: dict[str, str]) -> set[str]:
    return {names[each.id] for each in ast.walk(node) if isinstance(each, ast.Name) and each.id in names}


def in_sql(words: str) -> Iterator[tuple[str, str]]:
    said = words.replace('"', "").split()
    for place, word in enumerate(said[:-1]):
        after = said[place + 2 :][:1]
        if word == "INSERT" and said[place + 1] == "INTO" and after:
            yield after[0].partition("(")[0], "INSERT"
        if word == "DELETE" and said[place + 1] == "FROM" and after:
            yield after[0], "DELETE"
        if word == "UPDATE":
            yield said[place + 1], "UPDATE"


async def given(url: str) -> set[tuple[str, str]]:
    """Table and right, also where the right is for some columns only."""
    rows = await read(
        url,
        "SELECT c.relname, r.name FROM pg_class c, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE']) AS r (name)"
        " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND (has_table_privilege('cab_app', c.oid,"
        " r.name) OR r.name <> 'DELETE' AND has_any_column_privilege('cab_app', c.oid, nullif(r.name, 'DELETE')))",
    )
    return {(str(table), str(right)) for table, right in rows}


async def test_no_right_is_missing(database_url: str) -> None:
    known = {(table, right) for table, right in needed() if table in metadata.tables}
    assert len(known) > 20
    assert known - await given(database_url) == set()


async def test_no_right_is_there_that_nothing_needs(database_url: str) -> None:
    left = defaultdict(set)
    for table, right in await given(database_url) - needed() - BY_HAND - LOCKED:
        left[table].add(right)
    assert dict(left) == {}


async def test_every_table_can_be_read_and_none_is_emptied(database_url: str) -> None:
    rows = await read(
        database_url,
        "SELECT c.relname, r.name FROM pg_class c,"
        " unnest(ARRAY['SELECT', 'TRUNCATE', 'TRIGGER', 'REFERENCES']) AS r (name) WHERE c.relkind = 'r'"
        " AND c.relnamespace = 'public'::regnamespace AND has_table_privilege('cab_app', c.oid, r.name)",
    )
    assert {(str(table), str(right)) for table, right in rows} == {
        (table, "SELECT") for table in {*metadata.tables, "alembic_version"}
    }


async def test_the_log_is_never_changed(database_url: str) -> None:
    for table in ("entry", "log_identity", "alembic_version"):
        assert not {right for each, right in await given(database_url) if each == table} - {"INSERT"}


async def test_of_the_sequences_it_takes_numbers_and_sets_none(database_url: str) -> None:
    rows = await read(
        database_url,
        "SELECT c.relname, has_sequence_privilege('cab_app', c.oid, 'USAGE'),"
        " has_sequence_privilege('cab_app', c.oid, 'UPDATE') FROM pg_class c WHERE c.relkind = 'S'",
    )
    assert {str(name) for name, uses, _ in rows if uses} == {"watched_id_seq"}
    assert not [name for name, _, sets in rows if sets]


async def test_the_role_has_nothing_beside(database_url: str) -> None:
    (role,) = await read(
        database_url,
        "SELECT rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles"
        " WHERE rolname = 'cab_app'",
    )
    assert not any(role)
    memberships = "SELECT 1 FROM pg_auth_members WHERE member = 'cab_app'::regrole"
    assert await read(database_url, memberships) == []
    schema = "SELECT has_schema_privilege('cab_app', 'public', 'CREATE')"
    assert await read(database_url, schema) == [(False,)]
    public = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relacl::text LIKE '%{=%'"
    assert await read(database_url, public) == []


@pytest.mark.parametrize("statement", ["SET ROLE postgres", "SELECT setval('watched_id_seq', 1)", "TRUNCATE outbox"])
async def test_the_login_gets_no_further(database_url: str, statement: str) -> None:
    with pytest.raises(Exception, match=r"permission denied|does not exist"):
        await read(database_url, statement)
