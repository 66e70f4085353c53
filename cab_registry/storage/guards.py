"""What the database itself refuses, beyond constraints: functions and triggers, as text.

The log takes rows only at its end. A record version takes one change in its life: the closing of its open period. So
does a submission: its decision; what was handed in stays as it is.
Derived tables may be emptied by their owner under `SET LOCAL cab.rebuild = 'on'`; the application role has no right to,
whatever it sets.
"""

from typing import Final

from sqlalchemy import Connection, text

from cab_registry.storage.accounts.tables import invitation
from cab_registry.storage.acts.tables import act
from cab_registry.storage.watch_tables import job_run

EXTENSIONS: Final = ("btree_gist", "pg_trgm")

_FUNCTIONS: Final = (
    """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% takes no %', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', HINT = 'The log is insert-only: append a correction instead.';
END
$$
""",
    """
CREATE FUNCTION entry_continues() RETURNS trigger LANGUAGE plpgsql AS $$
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
""",
    """
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
""",
    """
CREATE FUNCTION record_version_closes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.until_position IS NULL AND NEW.until_position IS NOT NULL
        AND lower(NEW.recorded) IS NOT DISTINCT FROM lower(OLD.recorded)
        AND to_jsonb(NEW) - ARRAY['until_position', 'recorded'] = to_jsonb(OLD) - ARRAY['until_position', 'recorded']
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a record version may only be closed, once' USING ERRCODE = 'restrict_violation';
END
$$
""",
    """
CREATE FUNCTION record_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('cab.rebuild', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'record_version takes no % outside a rebuild', TG_OP USING ERRCODE = 'restrict_violation';
END
$$
""",
    """
CREATE FUNCTION submission_moves() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    deciding text[] := ARRAY['state', 'recorded', 'first_position', 'last_position', 'receipt', 'versions_read',
        'decided_by', 'decided'];
BEGIN
    IF OLD.state = 'submitted' AND to_jsonb(NEW) - deciding = to_jsonb(OLD) - deciding
        OR OLD.receipt IS NULL AND to_jsonb(NEW) - 'receipt' = to_jsonb(OLD) - 'receipt'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a submission may only be decided, once' USING ERRCODE = 'restrict_violation';
END
$$
""",
)

_TRIGGERS: Final = """
CREATE TRIGGER entry_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER entry_continues BEFORE INSERT ON entry
    FOR EACH ROW EXECUTE FUNCTION entry_continues();
CREATE TRIGGER log_identity_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_identity
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER entry_private_not_changed BEFORE UPDATE ON entry_private
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER record_version_closes BEFORE UPDATE ON record_version
    FOR EACH ROW EXECUTE FUNCTION record_version_closes();
CREATE TRIGGER record_version_stays BEFORE DELETE OR TRUNCATE ON record_version
    FOR EACH STATEMENT EXECUTE FUNCTION record_version_stays();
CREATE TRIGGER submission_moves BEFORE UPDATE ON submission
    FOR EACH ROW EXECUTE FUNCTION submission_moves();
CREATE TRIGGER submission_private_not_changed BEFORE UPDATE ON submission_private
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER authority_policy_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON authority_policy
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER act_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON act
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER act_continues BEFORE INSERT ON act
    FOR EACH ROW EXECUTE FUNCTION act_continues();
CREATE TRIGGER clock_correction_not_changed BEFORE UPDATE ON clock_correction
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def create_schema(connection: Connection) -> None:
    """Build the tables, functions and triggers of this program in an empty database, without Alembic.

    The drift test compares the result with a migrated database; nothing else needs it.
    """
    for extension in EXTENSIONS:
        connection.execute(text(f"CREATE EXTENSION IF NOT EXISTS {extension}"))
    for table in (act, invitation, job_run):
        table.metadata.create_all(connection)
    for statement in (*_FUNCTIONS, *_TRIGGERS.split(";\n")):
        connection.exec_driver_sql(statement)
