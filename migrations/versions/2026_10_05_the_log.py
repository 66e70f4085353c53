"""The log, what is derived from it, and the application role.

Revision: 2026_10_05_the_log

The role cab_app (no login; grant it to the role that the service logs in as) may read everything, append to the log,
close the open period of a record version, keep the search tables, and erase private parts. It may not update, delete
or truncate the log. A cluster has one cab_app for all its databases, so undoing this revision leaves the role.
"""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "2026_10_05_the_log"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE log_identity (
    one boolean DEFAULT true NOT NULL,
    log_id text NOT NULL,
    created timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT log_identity_pkey PRIMARY KEY (one),
    CONSTRAINT log_identity_one_row CHECK (one),
    CONSTRAINT log_identity_log_id_is_uuid CHECK (log_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
    CONSTRAINT log_identity_created_finite CHECK (isfinite(created))
);

CREATE TABLE submission (
    id text COLLATE "C" NOT NULL,
    received timestamptz DEFAULT clock_timestamp() NOT NULL,
    recorded timestamptz,
    principal text NOT NULL,
    public_reason text NOT NULL,
    state text NOT NULL,
    idempotency_key text,
    request_hash bytea,
    first_position bigint,
    last_position bigint,
    receipt jsonb,
    CONSTRAINT submission_pkey PRIMARY KEY (id),
    CONSTRAINT submission_principal_idempotency_key_key UNIQUE (principal, idempotency_key),
    CONSTRAINT submission_texts_not_empty CHECK (id <> '' AND principal <> ''),
    CONSTRAINT submission_state_known CHECK (state IN ('submitted', 'approved', 'rejected', 'withdrawn')),
    CONSTRAINT submission_instants_finite CHECK (isfinite(received) AND isfinite(recorded)),
    CONSTRAINT submission_recorded_with_entries CHECK ((first_position IS NULL) = (recorded IS NULL)),
    CONSTRAINT submission_span_whole CHECK ((first_position IS NULL) = (last_position IS NULL)),
    CONSTRAINT submission_span_ordered CHECK (first_position <= last_position),
    CONSTRAINT submission_approved_with_entries CHECK (first_position IS NULL OR state = 'approved'),
    CONSTRAINT submission_request_hash_length CHECK (length(request_hash) = 32)
);

CREATE TABLE entry (
    position bigint NOT NULL,
    format smallint NOT NULL,
    version integer NOT NULL,
    recorded timestamptz NOT NULL,
    submission text COLLATE "C" NOT NULL,
    type text NOT NULL,
    id text COLLATE "C" NOT NULL,
    owner text NOT NULL,
    principal text NOT NULL,
    change text NOT NULL,
    public_reason text NOT NULL,
    payload bytea NOT NULL,
    payload_hash bytea NOT NULL,
    private_hash bytea,
    previous_hash bytea NOT NULL,
    entry_hash bytea NOT NULL,
    CONSTRAINT entry_pkey PRIMARY KEY (position),
    CONSTRAINT entry_submission_fkey FOREIGN KEY (submission) REFERENCES submission (id),
    CONSTRAINT entry_id_version_key UNIQUE (id, version),
    CONSTRAINT entry_position_positive CHECK (position >= 1),
    CONSTRAINT entry_format_known CHECK (format = 1),
    CONSTRAINT entry_version_positive CHECK (version >= 1),
    CONSTRAINT entry_recorded_finite CHECK (isfinite(recorded)),
    CONSTRAINT entry_texts_not_empty CHECK (type <> '' AND id <> '' AND owner <> '' AND principal <> ''),
    CONSTRAINT entry_change_known CHECK (change IN ('new', 'amend', 'correction', 'retire')),
    CONSTRAINT entry_new_is_first CHECK ((change = 'new') = (version = 1)),
    CONSTRAINT entry_reason_given CHECK (change = 'new' OR public_reason <> ''),
    CONSTRAINT entry_payload_hash_right CHECK (payload_hash = sha256(payload)),
    CONSTRAINT entry_private_hash_length CHECK (length(private_hash) = 32),
    CONSTRAINT entry_previous_hash_length CHECK (length(previous_hash) = 32),
    CONSTRAINT entry_entry_hash_length CHECK (length(entry_hash) = 32)
);
CREATE INDEX entry_recorded_index ON entry (recorded, position);
CREATE INDEX entry_submission_index ON entry (submission);

CREATE TABLE entry_private (
    position bigint NOT NULL,
    salt bytea NOT NULL,
    content bytea NOT NULL,
    CONSTRAINT entry_private_pkey PRIMARY KEY (position),
    CONSTRAINT entry_private_position_fkey FOREIGN KEY (position) REFERENCES entry (position),
    CONSTRAINT entry_private_salt_length CHECK (length(salt) = 32)
);

CREATE TABLE record_version (
    id text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    retired boolean NOT NULL,
    type text COLLATE "C" NOT NULL,
    owner text NOT NULL,
    principal text NOT NULL,
    body text COLLATE "C",
    from_position bigint NOT NULL,
    until_position bigint,
    recorded tstzrange NOT NULL,
    digest bytea NOT NULL,
    payload jsonb NOT NULL,
    CONSTRAINT record_version_pkey PRIMARY KEY (id, version),
    CONSTRAINT record_version_from_position_key UNIQUE (from_position),
    CONSTRAINT record_version_version_positive CHECK (version >= 1),
    CONSTRAINT record_version_recorded_not_empty CHECK (NOT isempty(recorded)),
    CONSTRAINT record_version_recorded_finite CHECK (isfinite(lower(recorded)) AND isfinite(upper(recorded))),
    CONSTRAINT record_version_closed_whole CHECK (upper_inf(recorded) = (until_position IS NULL)),
    CONSTRAINT record_version_positions_ordered CHECK (until_position > from_position),
    CONSTRAINT record_version_digest_length CHECK (length(digest) = 32),
    CONSTRAINT record_version_recorded_overlap EXCLUDE USING gist (id WITH =, recorded WITH &&)
);
CREATE UNIQUE INDEX record_version_current ON record_version (id) WHERE until_position IS NULL;
CREATE INDEX record_version_type_index ON record_version (type, from_position);
CREATE INDEX record_version_body_index ON record_version (body) WHERE body IS NOT NULL;

CREATE TABLE body_search (
    body text COLLATE "C" NOT NULL,
    name text NOT NULL,
    names text NOT NULL,
    economies text[] NOT NULL,
    sectors text[] NOT NULL,
    CONSTRAINT body_search_pkey PRIMARY KEY (body)
);
CREATE INDEX body_search_names_index ON body_search USING gin (names gin_trgm_ops);
CREATE INDEX body_search_economies_index ON body_search USING gin (economies);
CREATE INDEX body_search_sectors_index ON body_search USING gin (sectors);

CREATE TABLE body_identifier (
    scheme text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    body text COLLATE "C" NOT NULL,
    CONSTRAINT body_identifier_pkey PRIMARY KEY (scheme, value, body)
);
CREATE INDEX body_identifier_body_index ON body_identifier (body);
"""

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% takes no %', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', HINT = 'The log is insert-only: append a correction instead.';
END
$$
"""

ENTRY_CONTINUES = """
CREATE FUNCTION entry_continues() RETURNS trigger LANGUAGE plpgsql AS $$
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

RECORD_VERSION_CLOSES = """
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
"""

RECORD_VERSION_STAYS = """
CREATE FUNCTION record_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('cab.rebuild', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'record_version takes no % outside a rebuild', TG_OP USING ERRCODE = 'restrict_violation';
END
$$
"""

TRIGGERS = """
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
"""

# Two databases of one cluster may be migrated at once, and roles belong to the cluster.
ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'cab_app') THEN
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolcreaterole)) THEN
            BEGIN
                CREATE ROLE cab_app NOLOGIN;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        ELSE
            RAISE NOTICE 'The role cab_app is missing and % may not create roles: see the grants in this revision.',
                current_user;
        END IF;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'cab_app') THEN
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO cab_app;
        GRANT INSERT ON entry, entry_private, record_version TO cab_app;
        GRANT DELETE ON entry_private TO cab_app;
        GRANT UPDATE (recorded, until_position) ON record_version TO cab_app;
        GRANT INSERT, UPDATE ON submission TO cab_app;
        GRANT INSERT, UPDATE, DELETE ON body_search, body_identifier TO cab_app;
    END IF;
END
$$
"""


def _run(script: str) -> None:
    for statement in script.split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)


def upgrade() -> None:
    """Build the log."""
    _run(TABLES)
    for function in (REFUSE_CHANGE, ENTRY_CONTINUES, RECORD_VERSION_CLOSES, RECORD_VERSION_STAYS):
        op.get_bind().exec_driver_sql(function)
    _run(TRIGGERS)
    op.get_bind().exec_driver_sql(ROLE)
    identify = sa.text("INSERT INTO log_identity (log_id) VALUES (:log_id)")
    op.get_bind().execute(identify, {"log_id": str(uuid4())})


def downgrade() -> None:
    """Remove an empty log; one that holds entries is not removed by a command."""
    if op.get_bind().scalar(sa.text("SELECT EXISTS (SELECT FROM entry)")):
        raise RuntimeError("the log holds entries: it is not undone; drop the database if that is what you want")
    for table in ("body_identifier", "body_search", "record_version", "entry_private", "entry", "submission"):
        op.drop_table(table)
    op.drop_table("log_identity")
    for function in ("record_version_stays", "record_version_closes", "entry_continues", "refuse_change"):
        op.get_bind().exec_driver_sql(f"DROP FUNCTION {function}()")
