"""The login of the service on a server of our own: it has the role cab_app, and no right beside."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.storage.errors import operational_faults

SERVICE_LOGIN: Final = "cab_service"


def service_url(owner_url: str) -> str:
    """Give the address of a database for the service, from its address for the owner."""
    parts = make_url(owner_url)
    named = parts.set(username=SERVICE_LOGIN, password=_password(parts.password or ""))
    return named.render_as_string(hide_password=False)


async def make_service_login(engine: AsyncEngine) -> None:
    """Make the login of the service, once the database is migrated; one that is there gets its password anew.

    Args:
        engine: the database, for its owner.
    """
    password = _password(engine.url.password or "")
    async with engine.begin() as connection:
        # Of processes that start at once, one makes it.
        await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('cab_service'))"))
        found = await connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": SERVICE_LOGIN})
        verb = "ALTER" if found else "CREATE"
        await connection.execute(
            text(
                f"{verb} ROLE {SERVICE_LOGIN} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
                f" PASSWORD '{password}'"
            )
        )
        await connection.execute(text(f"GRANT cab_app TO {SERVICE_LOGIN}"))


async def owns_the_log(engine: AsyncEngine) -> bool:
    """Whether this login could switch off what protects the log: a superuser, or the owner of its table.

    Raises:
        StorageBusy: the database cannot be reached.
    """
    with operational_faults():
        async with engine.connect() as connection:
            owner = text("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('entry')")
            return bool(await connection.scalar(owner))


def _password(owners: str) -> str:
    """Derive the password: whoever may read the owner's may have this one, and nobody the other way round."""
    return sha256(f"{SERVICE_LOGIN} {owners}".encode()).hexdigest()
