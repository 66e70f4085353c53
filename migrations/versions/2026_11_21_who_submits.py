"""Principals, their roles and tokens, the policies of authorities, and submissions that wait for a decision.

Revision: 2026_11_21_who_submits

The role cab_app may write all of it, and rewrite none: a principal can be disabled and its name erased, a role ended,
a token revoked, a submission decided.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_who_submits"
down_revision = "2026_10_05_the_log"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE submission
    ADD COLUMN kind text DEFAULT 'records' NOT NULL,
    ADD COLUMN authority text COLLATE "C",
    ADD COLUMN counterpart text COLLATE "C",
    ADD COLUMN four_eyes boolean DEFAULT false NOT NULL,
    ADD COLUMN content bytea,
    ADD COLUMN digest bytea,
    ADD COLUMN versions_read jsonb,
    ADD COLUMN decided_by text,
    ADD COLUMN decided timestamptz,
    ADD CONSTRAINT submission_kind_known CHECK (kind IN ('records', 'policy', 'transfer')),
    ADD CONSTRAINT submission_decided_finite CHECK (isfinite(decided)),
    ADD CONSTRAINT submission_digest_right CHECK (digest = sha256(content)),
    ADD CONSTRAINT submission_content_with_digest CHECK ((content IS NULL) = (digest IS NULL)),
    ADD CONSTRAINT submission_decision_whole CHECK ((decided IS NULL) = (decided_by IS NULL)),
    ADD CONSTRAINT submission_decided_once_over CHECK (state <> 'submitted' OR decided IS NULL),
    ADD CONSTRAINT submission_approved_by_another CHECK (
        NOT (four_eyes AND state = 'approved') OR (decided_by IS NOT NULL AND decided_by <> principal)
    ),
    ADD CONSTRAINT submission_counterpart_approves CHECK (counterpart IS NULL OR four_eyes);
CREATE INDEX submission_waiting_index ON submission (coalesce(counterpart, authority), received)
    WHERE state = 'submitted';
CREATE INDEX submission_authority_index ON submission (authority, received);
CREATE INDEX submission_principal_index ON submission (principal, received);

CREATE TABLE submission_private (
    submission text COLLATE "C" NOT NULL,
    part text NOT NULL,
    salt bytea NOT NULL,
    content bytea NOT NULL,
    CONSTRAINT submission_private_pkey PRIMARY KEY (submission, part),
    CONSTRAINT submission_private_submission_fkey FOREIGN KEY (submission) REFERENCES submission (id),
    CONSTRAINT submission_private_part_known CHECK (part IN ('request', 'decision')),
    CONSTRAINT submission_private_salt_length CHECK (length(salt) = 32)
);

CREATE TABLE principal (
    id text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    name text,
    created timestamptz NOT NULL,
    disabled timestamptz,
    CONSTRAINT principal_pkey PRIMARY KEY (id),
    CONSTRAINT principal_id_opaque CHECK (id ~ '^p-[0-9a-f]{16}$'),
    CONSTRAINT principal_kind_known CHECK (kind IN ('person', 'machine')),
    CONSTRAINT principal_instants_finite CHECK (isfinite(created) AND isfinite(disabled))
);

CREATE TABLE role_grant (
    principal text COLLATE "C" NOT NULL,
    authority text COLLATE "C" NOT NULL,
    role text NOT NULL,
    granted timestamptz NOT NULL,
    granted_by text,
    ended timestamptz,
    ended_by text,
    CONSTRAINT role_grant_pkey PRIMARY KEY (principal, authority, role, granted),
    CONSTRAINT role_grant_principal_fkey FOREIGN KEY (principal) REFERENCES principal (id),
    CONSTRAINT role_grant_role_known CHECK (role IN ('submitter', 'approver', 'auditor', 'registrar')),
    CONSTRAINT role_grant_registrar_at_home CHECK (role <> 'registrar' OR authority = 'registrar'),
    CONSTRAINT role_grant_authority_not_empty CHECK (authority <> ''),
    CONSTRAINT role_grant_instants_finite CHECK (isfinite(granted) AND isfinite(ended)),
    CONSTRAINT role_grant_ended_after_granted CHECK (ended >= granted)
);
CREATE UNIQUE INDEX role_grant_current ON role_grant (principal, authority, role) WHERE ended IS NULL;

CREATE TABLE token (
    id text COLLATE "C" NOT NULL,
    principal text COLLATE "C" NOT NULL,
    secret_hash bytea NOT NULL,
    authority text COLLATE "C" NOT NULL,
    roles text[] NOT NULL,
    name text NOT NULL,
    created timestamptz NOT NULL,
    expires timestamptz NOT NULL,
    revoked timestamptz,
    last_used timestamptz,
    CONSTRAINT token_pkey PRIMARY KEY (id),
    CONSTRAINT token_principal_fkey FOREIGN KEY (principal) REFERENCES principal (id),
    CONSTRAINT token_secret_hash_length CHECK (length(secret_hash) = 32),
    CONSTRAINT token_roles_known CHECK (
        cardinality(roles) > 0 AND roles <@ ARRAY['submitter', 'approver', 'auditor', 'registrar']
    ),
    CONSTRAINT token_instants_finite CHECK (
        isfinite(created) AND isfinite(expires) AND isfinite(revoked) AND isfinite(last_used)
    ),
    CONSTRAINT token_expires_after_created CHECK (expires > created)
);
CREATE INDEX token_principal_index ON token (principal, created);

CREATE TABLE authority_policy (
    authority text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    four_eyes boolean NOT NULL,
    scope_wider text NOT NULL,
    since timestamptz NOT NULL,
    submission text COLLATE "C" NOT NULL,
    CONSTRAINT authority_policy_pkey PRIMARY KEY (authority, version),
    CONSTRAINT authority_policy_submission_fkey FOREIGN KEY (submission) REFERENCES submission (id),
    CONSTRAINT authority_policy_version_positive CHECK (version >= 1),
    CONSTRAINT authority_policy_scope_wider_known CHECK (scope_wider IN ('warn', 'refuse')),
    CONSTRAINT authority_policy_since_finite CHECK (isfinite(since))
);
"""

SUBMISSION_MOVES = """
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
"""

TRIGGERS = """
CREATE TRIGGER submission_moves BEFORE UPDATE ON submission
    FOR EACH ROW EXECUTE FUNCTION submission_moves();
CREATE TRIGGER submission_private_not_changed BEFORE UPDATE ON submission_private
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER authority_policy_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON authority_policy
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

GRANTS = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'cab_app') THEN
        GRANT SELECT, INSERT ON principal, role_grant, token, authority_policy, submission_private TO cab_app;
        GRANT DELETE ON submission_private TO cab_app;
        GRANT UPDATE (name, disabled) ON principal TO cab_app;
        GRANT UPDATE (ended, ended_by) ON role_grant TO cab_app;
        GRANT UPDATE (expires, revoked, last_used) ON token TO cab_app;
    END IF;
END
$$
"""


def _run(script: str) -> None:
    for statement in script.split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)


def upgrade() -> None:
    """Add who may submit, and what waits."""
    _run(TABLES)
    op.get_bind().exec_driver_sql(SUBMISSION_MOVES)
    _run(TRIGGERS)
    op.get_bind().exec_driver_sql(GRANTS)


def downgrade() -> None:
    """Remove it while nobody uses it: principals and waiting submissions could not be made again from the log."""
    if op.get_bind().scalar(sa.text("SELECT EXISTS (SELECT FROM principal)")):
        raise RuntimeError("there are principals, which the log does not yield: they are not undone by a command")
    op.get_bind().exec_driver_sql("DROP TRIGGER submission_moves ON submission")
    for table in ("authority_policy", "token", "role_grant", "principal", "submission_private"):
        op.drop_table(table)
    op.get_bind().exec_driver_sql("DROP FUNCTION submission_moves()")
    for index in ("submission_waiting_index", "submission_authority_index", "submission_principal_index"):
        op.drop_index(index)
    for column in (
        "decided",
        "decided_by",
        "versions_read",
        "digest",
        "content",
        "four_eyes",
        "counterpart",
        "authority",
        "kind",
    ):
        op.drop_column("submission", column)
