"""The key that signs cursors: made by the migration, the same for every process over the database."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.tables import cursor_key


async def read_cursor_key(connection: AsyncConnection) -> bytes:
    """Read the key; 32 bytes long."""
    key: bytes = (await connection.execute(select(cursor_key.c.key))).scalar_one()
    return key
