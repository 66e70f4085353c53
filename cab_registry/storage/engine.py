"""Engines: how this program reaches PostgreSQL."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Pool
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from cab_registry.settings import asyncpg_url


def create_engine(
    url: str,
    *,
    application_name: str = "cab-registry",
    statement_timeout: timedelta | None = None,
    lock_timeout: timedelta | None = None,
    pool_size: int = 10,
    poolclass: type[Pool] | None = None,
) -> AsyncEngine:
    """Make an engine; nothing is opened before its first use, and who made it disposes of it.

    Args:
        url: `postgresql://`, `postgres://` or `postgresql+asyncpg://`; other drivers are refused.
        application_name: how the connections are named in pg_stat_activity.
        statement_timeout: the longest a statement may take; none for no limit.
        lock_timeout: the longest a statement may wait for a lock, the log's own included; none for no limit.
        pool_size: connections kept; as many again may be opened at a peak. Ignored where poolclass is given.
        poolclass: another pool, such as NullPool.

    Raises:
        ValueError: the address is none of PostgreSQL, or names another driver.
        sqlalchemy.exc.ArgumentError: the address cannot be read.
    """
    settings = {"application_name": application_name, "timezone": "UTC"}
    if statement_timeout is not None:
        settings["statement_timeout"] = _milliseconds(statement_timeout)
    if lock_timeout is not None:
        settings["lock_timeout"] = _milliseconds(lock_timeout)
    pool: dict[str, Any] = {"poolclass": poolclass}
    if poolclass is None:
        pool = {"pool_size": pool_size, "max_overflow": pool_size, "pool_pre_ping": True}
    return create_async_engine(asyncpg_url(url), connect_args={"server_settings": settings}, **pool)


def read_only(engine: AsyncEngine) -> AsyncEngine:
    """Give the same engine for reading: each transaction sees one state of the database and can write nothing."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def read_latest(engine: AsyncEngine) -> AsyncEngine:
    """Give the same engine for reading what others commit meanwhile: each statement sees the state of its own."""
    return engine.execution_options(isolation_level="READ COMMITTED", postgresql_readonly=True)


def _milliseconds(span: timedelta) -> str:
    return str(max(1, round(span / timedelta(milliseconds=1))))
