"""The chain of acts: who did what; entries of the log that name the act which entered them.

Revision: 2026_12_01_the_acts

What was there before is committed to by the first acts, `acts_begun`: the rows that decide, as they stand, by their
hash or by their values, at most 500 to an act. Entries from before keep their format 1, which is taken no more.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from json import dumps
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "2026_12_01_the_acts"
down_revision = "2026_11_21_the_clock"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE act (
    position bigint NOT NULL,
    format smallint NOT NULL,
    recorded timestamptz NOT NULL,
    kind text COLLATE "C" NOT NULL,
    actor text COLLATE "C" NOT NULL,
    token text COLLATE "C",
    authority text COLLATE "C",
    subject text COLLATE "C" NOT NULL,
    content bytea NOT NULL,
    log_position bigint NOT NULL,
    log_hash bytea NOT NULL,
    previous_hash bytea NOT NULL,
    act_hash bytea NOT NULL,
    CONSTRAINT act_pkey PRIMARY KEY (position),
    CONSTRAINT act_act_hash_key UNIQUE (act_hash),
    CONSTRAINT act_positions_positive CHECK (position >= 1 AND log_position >= 0),
    CONSTRAINT act_format_known CHECK (format = 1),
    CONSTRAINT act_kind_spelled CHECK (kind ~ '^[a-z][a-z_]*$'),
    CONSTRAINT act_texts_not_empty CHECK (actor <> '' AND subject <> ''),
    CONSTRAINT act_recorded_finite CHECK (isfinite(recorded)),
    CONSTRAINT act_hashes_length CHECK (
        length(log_hash) = 32 AND length(previous_hash) = 32 AND length(act_hash) = 32
    )
);
CREATE INDEX act_subject_index ON act (subject, position);
CREATE INDEX act_kind_index ON act (kind, position);

CREATE TABLE clock_correction (
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    ahead_by bigint NOT NULL,
    act bigint NOT NULL,
    CONSTRAINT clock_correction_pkey PRIMARY KEY (first_position),
    CONSTRAINT clock_correction_span_ordered CHECK (first_position >= 1 AND last_position >= first_position),
    CONSTRAINT clock_correction_moves CHECK (ahead_by <> 0)
);

ALTER TABLE entry
    ADD COLUMN act_hash bytea,
    DROP CONSTRAINT entry_format_known,
    ADD CONSTRAINT entry_format_known CHECK (format IN (1, 2)),
    ADD CONSTRAINT entry_act_from_format_two CHECK ((format = 1) = (act_hash IS NULL)),
    ADD CONSTRAINT entry_act_hash_length CHECK (length(act_hash) = 32);
"""

ACT_CONTINUES = """
CREATE FUNCTION act_continues() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before act%ROWTYPE;
BEGIN
    IF NEW.position = 1 THEN
        RETURN NEW;
    END IF;
    SELECT * INTO before FROM act WHERE position = NEW.position - 1;
    IF before.position IS NULL OR before.act_hash <> NEW.previous_hash OR before.log_position > NEW.log_position
        OR before.recorded >= NEW.recorded AND NEW.kind <> 'clock_corrected' THEN
        RAISE EXCEPTION 'act % does not continue the chain', NEW.position USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$
"""

# Behind entries that a wrong clock dated ahead, and that an act corrected, the log goes on with the right time.
ENTRY_CONTINUES = """
CREATE OR REPLACE FUNCTION entry_continues() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before entry%ROWTYPE;
BEGIN
    IF NEW.position = 1 THEN
        RETURN NEW;
    END IF;
    SELECT * INTO before FROM entry WHERE position = NEW.position - 1;
    IF before.position IS NULL OR before.entry_hash <> NEW.previous_hash
        OR (before.recorded = NEW.recorded) <> (before.submission = NEW.submission)
        OR before.recorded > NEW.recorded AND NOT EXISTS (
            SELECT FROM clock_correction WHERE before.position BETWEEN first_position AND last_position
        ) THEN
        RAISE EXCEPTION 'entry % does not continue the log', NEW.position USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$
"""

ENTRY_CONTINUED = """
CREATE OR REPLACE FUNCTION entry_continues() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before entry%ROWTYPE;
BEGIN
    IF NEW.position = 1 THEN
        RETURN NEW;
    END IF;
    SELECT * INTO before FROM entry WHERE position = NEW.position - 1;
    IF before.position IS NULL OR before.entry_hash <> NEW.previous_hash OR before.recorded > NEW.recorded
        OR (before.recorded = NEW.recorded) <> (before.submission = NEW.submission) THEN
        RAISE EXCEPTION 'entry % does not continue the log', NEW.position USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$
"""

TRIGGERS = """
CREATE TRIGGER act_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON act
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER act_continues BEFORE INSERT ON act
    FOR EACH ROW EXECUTE FUNCTION act_continues();
CREATE TRIGGER clock_correction_not_changed BEFORE UPDATE ON clock_correction
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

GRANTS = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'cab_app') THEN
        GRANT SELECT, INSERT ON act TO cab_app;
        GRANT SELECT ON clock_correction TO cab_app;
    END IF;
END
$$
"""

AT_ONCE = 500

# Key, columns as they are, columns of which only the hash is kept, columns hashed together; as they were on this day.
BEGUN: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "principal": (("id",), ("kind", "created", "disabled"), (), ()),
    "role_grant": (("principal", "authority", "role", "granted"), ("granted_by", "ended", "ended_by"), (), ()),
    "token": (
        ("id",),
        ("principal", "authority", "roles", "created", "expires", "revoked"),
        ("secret_hash", "name"),
        (),
    ),
    "submission": (
        ("id",),
        (
            "received",
            "recorded",
            "principal",
            "public_reason",
            "state",
            "request_hash",
            "first_position",
            "last_position",
            "kind",
            "authority",
            "counterpart",
            "four_eyes",
            "digest",
            "decided_by",
            "decided",
        ),
        ("idempotency_key",),
        (),
    ),
    "submission_private": (("submission", "part"), (), (), ("salt", "content")),
    "authority_policy": (("authority", "version"), ("four_eyes", "scope_wider", "since", "submission"), (), ()),
    "job_run": (("job", "due_on"), ("state", "attempts", "began", "ended", "faults"), ("report",), ()),
}


def _run(script: str) -> None:
    for statement in script.split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _hide(value: str | bytes | None) -> str | None:
    if value is None:
        return None
    return sha256(value.encode() if isinstance(value, str) else value).hexdigest()


def _spell(value: Any) -> bytes:
    return dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def list_images(tables: Mapping[str, tuple[tuple[str, ...], ...]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of tables as an act commits to them."""
    for table, (key, values, hidden, sealed) in tables.items():
        listed = ", ".join((*key, *values, *hidden, *sealed))
        rows = op.get_bind().execute(sa.text(f"SELECT {listed} FROM {table} ORDER BY {', '.join(key)}"))  # noqa: S608 - names above
        for row in rows.mappings():
            image = {name: _plain(row[name]) for name in values}
            image |= {name: _hide(row[name]) for name in hidden}
            if sealed:
                image["seal"] = _hide(b"".join(row[name] for name in sealed))
            yield {"key": [_plain(row[name]) for name in key], "table": table, "values": image}


def _list_all() -> Iterator[dict[str, Any]]:
    yield from list_images(BEGUN)
    erased = sa.text(
        "SELECT position FROM entry WHERE private_hash IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM entry_private WHERE entry_private.position = entry.position) ORDER BY 1"
    )
    for position in op.get_bind().scalars(erased):
        yield {"key": [position], "table": "entry_private", "values": None}


def begin(rows: list[dict[str, Any]], position: int, previous: bytes | None) -> bytes:
    """Append one act that commits to rows as they stand, and return its hash."""
    ends = op.get_bind().execute(
        sa.text(
            "SELECT log_id, clock_timestamp() AS now, coalesce(last.position, 0) AS position, last.entry_hash"
            " FROM log_identity LEFT JOIN LATERAL"
            " (SELECT position, entry_hash FROM entry ORDER BY position DESC LIMIT 1) AS last ON true"
        )
    )
    end = ends.one()
    content = _spell({"details": {}, "rows": rows})
    header = {
        "actor": "operator",
        "authority": None,
        "chain": "acts",
        "content_hash": sha256(content).hexdigest(),
        "format": 1,
        "kind": "acts_begun",
        "log_hash": (end.entry_hash or sha256(_spell({"format": 1, "log": end.log_id})).digest()).hex(),
        "log_position": end.position,
        "position": position,
        "previous_hash": (previous or sha256(_spell({"chain": "acts", "format": 1, "log": end.log_id})).digest()).hex(),
        "recorded": _plain(end.now),
        "subject": end.log_id,
        "token": None,
    }
    sealed = sha256(_spell(header)).digest()
    row = {
        **{name: header[name] for name in ("position", "format", "kind", "actor", "subject", "log_position")},
        "recorded": end.now,
        "content": content,
        "log_hash": bytes.fromhex(header["log_hash"]),
        "previous_hash": bytes.fromhex(header["previous_hash"]),
        "act_hash": sealed,
    }
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    op.get_bind().execute(sa.text(f"INSERT INTO act ({names}) VALUES ({values})"), row)  # noqa: S608 - names above
    return sealed


def _begin_all() -> None:
    """Commit to everything that was there before; to nothing in an empty database."""
    rows: list[dict[str, Any]] = []
    position, previous = 1, None
    for image in _list_all():
        rows.append(image)
        if len(rows) == AT_ONCE:
            previous = begin(rows, position, previous)
            position, rows = position + 1, []
    if rows:
        begin(rows, position, previous)


def upgrade() -> None:
    """Add the chain of acts, and commit to what is there."""
    _run(TABLES)
    for function in (ACT_CONTINUES, ENTRY_CONTINUES):
        op.get_bind().exec_driver_sql(function)
    _run(TRIGGERS)
    op.get_bind().exec_driver_sql(GRANTS)
    _begin_all()


def downgrade() -> None:
    """Remove it while nothing was done under it but to begin it: an act is not undone."""
    if op.get_bind().scalar(sa.text("SELECT EXISTS (SELECT FROM act WHERE kind <> 'acts_begun')")):
        raise RuntimeError("the chain of acts holds acts: it is not undone; restore a backup if that is what you want")
    op.get_bind().exec_driver_sql(ENTRY_CONTINUED)
    op.drop_table("clock_correction")
    op.drop_table("act")
    op.get_bind().exec_driver_sql("DROP FUNCTION act_continues()")
    _run(
        "ALTER TABLE entry DROP CONSTRAINT entry_act_hash_length, DROP CONSTRAINT entry_act_from_format_two,"
        " DROP CONSTRAINT entry_format_known, DROP COLUMN act_hash,"
        " ADD CONSTRAINT entry_format_known CHECK (format = 1)"
    )
