"""Invitations, roles that wait for a second registrar, and where each token comes from and how long it can be renewed.

Revision: 2026_12_01_invitations

A token from before begins a family of its own, which ends a year and a day after it was issued. The rows that have new
columns are committed to anew, by acts of the kind with which the chain began.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "2026_12_01_invitations"
down_revision = "2026_12_01_the_acts"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE invitation (
    id text COLLATE "C" NOT NULL,
    principal text COLLATE "C" NOT NULL,
    authority text COLLATE "C" NOT NULL,
    roles text[] NOT NULL,
    code_hash bytea NOT NULL,
    created timestamptz NOT NULL,
    created_by text COLLATE "C",
    expires timestamptz NOT NULL,
    needs_approval boolean NOT NULL,
    approved timestamptz,
    approved_by text COLLATE "C",
    ended timestamptz,
    ended_by text COLLATE "C",
    outcome text,
    CONSTRAINT invitation_pkey PRIMARY KEY (id),
    CONSTRAINT invitation_principal_fkey FOREIGN KEY (principal) REFERENCES principal (id),
    CONSTRAINT invitation_created_by_fkey FOREIGN KEY (created_by) REFERENCES principal (id),
    CONSTRAINT invitation_approved_by_fkey FOREIGN KEY (approved_by) REFERENCES principal (id),
    CONSTRAINT invitation_ended_by_fkey FOREIGN KEY (ended_by) REFERENCES principal (id),
    CONSTRAINT invitation_id_opaque CHECK (id ~ '^i-[0-9a-f]{16}$'),
    CONSTRAINT invitation_code_hash_length CHECK (length(code_hash) = 32),
    CONSTRAINT invitation_roles_known CHECK (
        cardinality(roles) > 0 AND roles <@ ARRAY['submitter', 'approver', 'auditor', 'registrar']
    ),
    CONSTRAINT invitation_instants_finite CHECK (
        isfinite(created) AND isfinite(expires) AND isfinite(approved) AND isfinite(ended)
    ),
    CONSTRAINT invitation_expires_after_created CHECK (expires > created),
    CONSTRAINT invitation_approved_by_another CHECK (approved_by <> created_by),
    CONSTRAINT invitation_approval_whole CHECK ((approved IS NULL) = (approved_by IS NULL)),
    CONSTRAINT invitation_outcome_known CHECK (outcome IN ('redeemed', 'cancelled', 'expired')),
    CONSTRAINT invitation_outcome_whole CHECK ((outcome IS NULL) = (ended IS NULL))
);
CREATE INDEX invitation_principal_index ON invitation (principal, created);
CREATE INDEX invitation_open_index ON invitation (created) WHERE outcome IS NULL;

CREATE TABLE role_proposal (
    id text COLLATE "C" NOT NULL,
    principal text COLLATE "C" NOT NULL,
    authority text COLLATE "C" NOT NULL,
    role text NOT NULL,
    proposed timestamptz NOT NULL,
    proposed_by text COLLATE "C" NOT NULL,
    decided timestamptz,
    decided_by text COLLATE "C",
    outcome text,
    CONSTRAINT role_proposal_pkey PRIMARY KEY (id),
    CONSTRAINT role_proposal_principal_fkey FOREIGN KEY (principal) REFERENCES principal (id),
    CONSTRAINT role_proposal_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES principal (id),
    CONSTRAINT role_proposal_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES principal (id),
    CONSTRAINT role_proposal_id_opaque CHECK (id ~ '^g-[0-9a-f]{16}$'),
    CONSTRAINT role_proposal_role_known CHECK (role IN ('submitter', 'approver', 'auditor', 'registrar')),
    CONSTRAINT role_proposal_registrar_at_home CHECK (role <> 'registrar' OR authority = 'registrar'),
    CONSTRAINT role_proposal_instants_finite CHECK (isfinite(proposed) AND isfinite(decided)),
    CONSTRAINT role_proposal_nobody_to_themselves CHECK (proposed_by <> principal),
    CONSTRAINT role_proposal_outcome_known CHECK (outcome IN ('granted', 'refused', 'expired')),
    CONSTRAINT role_proposal_outcome_whole CHECK ((outcome IS NULL) = (decided IS NULL)),
    CONSTRAINT role_proposal_granted_by_another CHECK (
        outcome <> 'granted' OR decided_by IS NULL OR decided_by <> proposed_by AND decided_by <> principal
    )
);
CREATE UNIQUE INDEX role_proposal_open ON role_proposal (principal, authority, role) WHERE outcome IS NULL;
CREATE INDEX role_proposal_principal_index ON role_proposal (principal, proposed);

CREATE INDEX act_actor_index ON act (actor, position);
CREATE INDEX act_authority_index ON act (authority, position);

ALTER TABLE role_grant
    ADD COLUMN approved_by text COLLATE "C",
    ADD CONSTRAINT role_grant_approved_by_fkey FOREIGN KEY (approved_by) REFERENCES principal (id),
    ADD CONSTRAINT role_grant_granted_by_others CHECK (
        granted_by <> principal AND (approved_by IS NULL OR approved_by NOT IN (principal, granted_by))
    );

ALTER TABLE token
    ADD COLUMN caused_by text COLLATE "C",
    ADD COLUMN invitation text COLLATE "C",
    ADD COLUMN parent text COLLATE "C",
    ADD COLUMN family text COLLATE "C",
    ADD COLUMN replaced timestamptz,
    ADD COLUMN renewable_until timestamptz;
UPDATE token SET family = id, renewable_until = greatest(created + interval '366 days', expires);
ALTER TABLE token
    ALTER COLUMN family SET NOT NULL,
    ALTER COLUMN renewable_until SET NOT NULL,
    ADD CONSTRAINT token_caused_by_fkey FOREIGN KEY (caused_by) REFERENCES principal (id),
    ADD CONSTRAINT token_invitation_fkey FOREIGN KEY (invitation) REFERENCES invitation (id),
    ADD CONSTRAINT token_parent_fkey FOREIGN KEY (parent) REFERENCES token (id),
    ADD CONSTRAINT token_life_finite CHECK (isfinite(replaced) AND isfinite(renewable_until)),
    ADD CONSTRAINT token_expires_in_its_life CHECK (expires <= renewable_until);
CREATE INDEX token_family_index ON token (family);
CREATE INDEX token_parent_index ON token (parent) WHERE parent IS NOT NULL;
CREATE UNIQUE INDEX token_invitation_index ON token (invitation) WHERE invitation IS NOT NULL;
"""

GRANTS = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'cab_app') THEN
        GRANT SELECT, INSERT ON invitation, role_proposal TO cab_app;
        GRANT UPDATE (approved, approved_by, ended, ended_by, outcome) ON invitation TO cab_app;
        GRANT UPDATE (decided, decided_by, outcome) ON role_proposal TO cab_app;
        GRANT UPDATE (replaced) ON token TO cab_app;
    END IF;
END
$$
"""

# As the_acts has it: key, columns as they are, columns of which only the hash is kept, columns hashed together.
STATED_ANEW: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "role_grant": (
        ("principal", "authority", "role", "granted"), ("granted_by", "approved_by", "ended", "ended_by"), (), ()
    ),
    "token": (
        ("id",),
        (
            "principal", "authority", "roles", "created", "expires", "revoked", "caused_by", "invitation", "parent",
            "family", "replaced", "renewable_until",
        ),
        ("secret_hash", "name"),
        (),
    ),
}  # fmt: skip

ADDED = {
    "token": ("caused_by", "invitation", "parent", "family", "replaced", "renewable_until"),
    "role_grant": ("approved_by",),
}


def _state_anew() -> None:
    acts: Any = import_module("cab_registry.migrations.versions.2026_12_01_the_acts")
    rows = list(acts.list_images(STATED_ANEW))
    for first in range(0, len(rows), acts.AT_ONCE):
        end = sa.text("SELECT position, act_hash FROM act ORDER BY position DESC LIMIT 1")
        position, previous = op.get_bind().execute(end).one_or_none() or (0, None)
        acts.begin(rows[first : first + acts.AT_ONCE], position + 1, previous)


def upgrade() -> None:
    """Add what waits for a second registrar, and the families of tokens."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
    op.get_bind().exec_driver_sql(GRANTS)
    _state_anew()


def downgrade() -> None:
    """Remove it while nobody uses it: who invited and who approved could not be told any more."""
    used = "SELECT EXISTS (SELECT FROM invitation) OR EXISTS (SELECT FROM role_proposal)"
    if op.get_bind().scalar(sa.text(used)):
        raise RuntimeError("there are invitations or proposed roles: they are not undone by a command")
    for name in ("token_expires_in_its_life", "token_life_finite"):
        op.drop_constraint(name, "token")
    op.drop_constraint("role_grant_granted_by_others", "role_grant")
    for table, columns in ADDED.items():
        for column in columns:
            op.drop_column(table, column)
    for index in ("act_actor_index", "act_authority_index"):
        op.drop_index(index)
    op.drop_table("role_proposal")
    op.drop_table("invitation")
