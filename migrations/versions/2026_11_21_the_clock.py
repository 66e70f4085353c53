"""The clock: runs of jobs, watches, and notices with their delivery.

Revision: 2026_11_21_the_clock

The role cab_app may write all of it. What a watch that ended had asked is deleted, addresses and secrets are erased.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_the_clock"
down_revision = "2026_11_21_who_submits"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE job_run (
    job TEXT COLLATE "C" NOT NULL,
    due_on DATE NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    began TIMESTAMP WITH TIME ZONE NOT NULL,
    ended TIMESTAMP WITH TIME ZONE NOT NULL,
    report TEXT NOT NULL,
    faults INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT job_run_pkey PRIMARY KEY (job, due_on),
    CONSTRAINT job_run_state_known CHECK (state IN ('done', 'failed')),
    CONSTRAINT job_run_counts_positive CHECK (attempts >= 1 AND faults >= 0),
    CONSTRAINT job_run_instants_finite CHECK (isfinite(began) AND isfinite(ended))
);
CREATE TABLE scheduler_beat (
    scheduler TEXT COLLATE "C" NOT NULL,
    beat TIMESTAMP WITH TIME ZONE NOT NULL,
    leads BOOLEAN NOT NULL,
    CONSTRAINT scheduler_beat_pkey PRIMARY KEY (scheduler),
    CONSTRAINT scheduler_beat_beat_finite CHECK (isfinite(beat))
);
CREATE TABLE watch_cursor (
    one BOOLEAN DEFAULT true NOT NULL,
    position BIGINT NOT NULL,
    CONSTRAINT watch_cursor_pkey PRIMARY KEY (one),
    CONSTRAINT watch_cursor_one_row CHECK (one),
    CONSTRAINT watch_cursor_position_positive CHECK (position >= 0)
);
CREATE TABLE endpoint (
    id TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    principal TEXT COLLATE "C",
    authority TEXT COLLATE "C",
    address BYTEA,
    address_digest BYTEA NOT NULL,
    secret BYTEA,
    state TEXT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    changed TIMESTAMP WITH TIME ZONE NOT NULL,
    confirmation_digest BYTEA,
    failing_since TIMESTAMP WITH TIME ZONE,
    CONSTRAINT endpoint_pkey PRIMARY KEY (id),
    CONSTRAINT endpoint_id_opaque CHECK (id ~ '^e-[0-9a-f]{16}$'),
    CONSTRAINT endpoint_kind_known CHECK (kind IN ('webhook', 'mail')),
    CONSTRAINT endpoint_state_known CHECK (state IN ('unconfirmed', 'active', 'disabled', 'ended')),
    CONSTRAINT endpoint_address_digest_length CHECK (length(address_digest) = 32),
    CONSTRAINT endpoint_confirmation_digest_length CHECK (length(confirmation_digest) = 32),
    CONSTRAINT endpoint_webhook_of_somebody CHECK (kind = 'mail' OR principal IS NOT NULL),
    CONSTRAINT endpoint_address_while_used CHECK (state = 'ended' OR address IS NOT NULL),
    CONSTRAINT endpoint_instants_finite CHECK (isfinite(created) AND isfinite(changed) AND isfinite(failing_since)),
    CONSTRAINT endpoint_principal_fkey FOREIGN KEY(principal) REFERENCES principal (id)
);
CREATE INDEX endpoint_address_index ON endpoint (address_digest);
CREATE INDEX endpoint_principal_index ON endpoint (principal) WHERE principal IS NOT NULL;
CREATE TABLE mail_block (
    address_digest BYTEA NOT NULL,
    blocked TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT mail_block_pkey PRIMARY KEY (address_digest),
    CONSTRAINT mail_block_address_digest_length CHECK (length(address_digest) = 32),
    CONSTRAINT mail_block_blocked_finite CHECK (isfinite(blocked))
);
CREATE TABLE watch (
    id TEXT COLLATE "C" NOT NULL,
    endpoint TEXT COLLATE "C",
    principal TEXT COLLATE "C",
    authority TEXT COLLATE "C",
    kind TEXT NOT NULL,
    target JSONB NOT NULL,
    name TEXT NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    ended TIMESTAMP WITH TIME ZONE,
    CONSTRAINT watch_pkey PRIMARY KEY (id),
    CONSTRAINT watch_id_opaque CHECK (id ~ '^w-[0-9a-f]{16}$'),
    CONSTRAINT watch_kind_known CHECK (
        kind IN ('body', 'scope', 'agreement', 'authority', 'question', 'standing', 'portfolio')
    ),
    CONSTRAINT watch_watched_by_somebody CHECK (endpoint IS NOT NULL OR principal IS NOT NULL),
    CONSTRAINT watch_instants_finite CHECK (isfinite(created) AND isfinite(ended)),
    CONSTRAINT watch_endpoint_fkey FOREIGN KEY(endpoint) REFERENCES endpoint (id),
    CONSTRAINT watch_principal_fkey FOREIGN KEY(principal) REFERENCES principal (id)
);
CREATE INDEX watch_endpoint_index ON watch (endpoint) WHERE endpoint IS NOT NULL;
CREATE INDEX watch_principal_index ON watch (principal, created) WHERE principal IS NOT NULL;
CREATE TABLE law_reach (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    digest BYTEA NOT NULL,
    keys TEXT[] COLLATE "C" NOT NULL,
    CONSTRAINT law_reach_pkey PRIMARY KEY (id),
    CONSTRAINT law_reach_digest_key UNIQUE (digest),
    CONSTRAINT law_reach_digest_length CHECK (length(digest) = 32)
);
CREATE INDEX law_reach_keys_index ON law_reach USING gin (keys);
CREATE TABLE watched (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    watch TEXT COLLATE "C" NOT NULL,
    row TEXT NOT NULL,
    question JSONB,
    law BIGINT,
    position BIGINT NOT NULL,
    answered JSONB,
    turns_on DATE,
    CONSTRAINT watched_pkey PRIMARY KEY (id),
    CONSTRAINT watched_position_positive CHECK (position >= 0),
    CONSTRAINT watched_answered_question CHECK ((question IS NULL) = (answered IS NULL)),
    CONSTRAINT watched_watch_fkey FOREIGN KEY(watch) REFERENCES watch (id),
    CONSTRAINT watched_law_fkey FOREIGN KEY(law) REFERENCES law_reach (id)
);
CREATE INDEX watched_law_index ON watched (law) WHERE law IS NOT NULL;
CREATE INDEX watched_turns_on_index ON watched (turns_on) WHERE turns_on IS NOT NULL;
CREATE INDEX watched_watch_index ON watched (watch);
CREATE TABLE watched_key (
    key TEXT COLLATE "C" NOT NULL,
    watched BIGINT NOT NULL,
    CONSTRAINT watched_key_pkey PRIMARY KEY (key, watched),
    CONSTRAINT watched_key_watched_fkey FOREIGN KEY(watched) REFERENCES watched (id)
);
CREATE INDEX watched_key_watched_index ON watched_key (watched);
CREATE TABLE outbox (
    id TEXT COLLATE "C" NOT NULL,
    number BIGINT GENERATED ALWAYS AS IDENTITY,
    watch TEXT COLLATE "C",
    endpoint TEXT COLLATE "C",
    cause TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    position BIGINT,
    due_on DATE,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    payload BYTEA NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    next_attempt TIMESTAMP WITH TIME ZONE,
    gives_up TIMESTAMP WITH TIME ZONE,
    delivered TIMESTAMP WITH TIME ZONE,
    CONSTRAINT outbox_pkey PRIMARY KEY (id),
    CONSTRAINT outbox_number_key UNIQUE (number),
    CONSTRAINT outbox_watch_cause_key UNIQUE (watch, cause),
    CONSTRAINT outbox_state_known CHECK (state IN ('pending', 'delivered', 'failed', 'held', 'unsent')),
    CONSTRAINT outbox_for_somebody CHECK (watch IS NOT NULL OR endpoint IS NOT NULL),
    CONSTRAINT outbox_sent_to_an_endpoint CHECK ((state = 'unsent') = (endpoint IS NULL)),
    CONSTRAINT outbox_pending_has_its_time CHECK ((state = 'pending') = (next_attempt IS NOT NULL)),
    CONSTRAINT outbox_delivered_has_its_time CHECK ((state = 'delivered') = (delivered IS NOT NULL)),
    CONSTRAINT outbox_instants_finite CHECK (
        isfinite(created) AND isfinite(next_attempt) AND isfinite(gives_up) AND isfinite(delivered)
    ),
    CONSTRAINT outbox_watch_fkey FOREIGN KEY(watch) REFERENCES watch (id),
    CONSTRAINT outbox_endpoint_fkey FOREIGN KEY(endpoint) REFERENCES endpoint (id)
);
CREATE INDEX outbox_due_index ON outbox (next_attempt) WHERE state = 'pending';
CREATE UNIQUE INDEX outbox_endpoint_cause ON outbox (endpoint, cause) WHERE watch IS NULL;
CREATE INDEX outbox_endpoint_index ON outbox (endpoint, number) WHERE endpoint IS NOT NULL;
CREATE INDEX outbox_watch_index ON outbox (watch, number) WHERE watch IS NOT NULL;
CREATE TABLE delivery (
    notice TEXT COLLATE "C" NOT NULL,
    attempt INTEGER NOT NULL,
    began TIMESTAMP WITH TIME ZONE NOT NULL,
    seconds DOUBLE PRECISION NOT NULL,
    outcome TEXT NOT NULL,
    status INTEGER,
    words TEXT NOT NULL,
    CONSTRAINT delivery_pkey PRIMARY KEY (notice, attempt),
    CONSTRAINT delivery_counts_positive CHECK (attempt >= 1 AND seconds >= 0),
    CONSTRAINT delivery_began_finite CHECK (isfinite(began)),
    CONSTRAINT delivery_notice_fkey FOREIGN KEY(notice) REFERENCES outbox (id)
);
"""

GRANTS = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'cab_app') THEN
        GRANT SELECT, INSERT, UPDATE ON job_run, scheduler_beat, watch_cursor, endpoint, mail_block, watch, law_reach,
            watched, watched_key, outbox, delivery TO cab_app;
        GRANT DELETE ON scheduler_beat, law_reach, watched, watched_key TO cab_app;
    END IF;
END
$$
"""

ORDER = (
    "job_run",
    "scheduler_beat",
    "watch_cursor",
    "delivery",
    "outbox",
    "watched_key",
    "watched",
    "law_reach",
    "watch",
    "mail_block",
    "endpoint",
)


def upgrade() -> None:
    """Add the ledger of runs, the watches and the outbox."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
    op.get_bind().exec_driver_sql(GRANTS)


def downgrade() -> None:
    """Remove it while nobody watches: watches could not be made again from the log."""
    if op.get_bind().scalar(sa.text("SELECT EXISTS (SELECT FROM watch) OR EXISTS (SELECT FROM endpoint)")):
        raise RuntimeError("there are watches, which the log does not yield: they are not undone by a command")
    for table in ORDER:
        op.drop_table(table)
