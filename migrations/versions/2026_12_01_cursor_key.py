"""The key that signs the cursors of lists, so that all processes over this database agree on them.

Revision: 2026_12_01_cursor_key

The role cab_app may read it.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "2026_12_01_cursor_key"
down_revision = "2026_12_01_invitations"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE cursor_key (
    one BOOLEAN DEFAULT true NOT NULL,
    key BYTEA NOT NULL,
    CONSTRAINT cursor_key_pkey PRIMARY KEY (one),
    CONSTRAINT cursor_key_one_row CHECK (one),
    CONSTRAINT cursor_key_key_long CHECK (octet_length(key) = 32)
)
"""

GRANTS = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'cab_app') THEN
        GRANT SELECT ON cursor_key TO cab_app;
    END IF;
END
$$
"""


def upgrade() -> None:
    """Make the key."""
    op.get_bind().exec_driver_sql(TABLE)
    op.get_bind().exec_driver_sql(GRANTS)
    keep = sa.text("INSERT INTO cursor_key (key) VALUES (:key)")
    op.get_bind().execute(keep, {"key": secrets.token_bytes(32)})


def downgrade() -> None:
    """Remove the key; cursors that were given out are refused from then on."""
    op.drop_table("cursor_key")
