"""How Alembic runs here: on a connection handed over by cab_registry.storage.migration, and on no other way.

One session-level advisory lock is held over all revisions, so that two processes that start at once migrate once. Each
revision has a transaction of its own.
"""

from typing import Final

from alembic import context
from sqlalchemy import Connection, text

from cab_registry.storage.tables import metadata

MIGRATION_LOCK: Final = 0x4341_4252_4D49


def migrate(connection: Connection) -> None:
    """Run the revisions that Alembic was asked for, under the lock."""
    connection.execute(text("SET lock_timeout = '60s'"))
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
    # A revision that cannot get its table locks soon gives up, rather than stop all readers behind its waiting.
    connection.execute(text("SET lock_timeout = '5s'"))
    connection.execute(text("SET statement_timeout = '10min'"))
    connection.commit()
    try:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            transaction_per_migration=True,
            compare_type=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()


handed_over = context.config.attributes.get("connection")
if handed_over is None:
    raise RuntimeError("no connection was handed over: run `cab db upgrade`, or call cab_registry.storage.migration")
migrate(handed_over)
