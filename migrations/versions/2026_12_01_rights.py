"""The rights of the service made what it needs: one that was missing, and without those that nothing uses.

Revision: 2026_12_01_rights

Whoever takes a number from a sequence by name needs a right on the sequence: watched questions take theirs ahead of
their rows. The rights on tables stay with the revisions that make them; on a new table nobody but its owner has any.
"""

from alembic import op

revision = "2026_12_01_rights"
down_revision = "2026_12_01_cursor_key"
branch_labels = None
depends_on = None

GRANTS = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'cab_app') THEN
        GRANT USAGE ON SEQUENCE watched_id_seq TO cab_app;
        REVOKE UPDATE ON body_search, body_identifier, mail_block, delivery, law_reach, watched_key FROM cab_app;
        REVOKE DELETE ON law_reach FROM cab_app;
    END IF;
END
$$
"""

FORMER = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'cab_app') THEN
        REVOKE USAGE ON SEQUENCE watched_id_seq FROM cab_app;
        GRANT UPDATE ON body_search, body_identifier, mail_block, delivery, law_reach, watched_key TO cab_app;
        GRANT DELETE ON law_reach TO cab_app;
    END IF;
END
$$
"""


def upgrade() -> None:
    """Give and take rights."""
    op.get_bind().exec_driver_sql(GRANTS)


def downgrade() -> None:
    """Give and take them as they were."""
    op.get_bind().exec_driver_sql(FORMER)
