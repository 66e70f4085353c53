"""Engines: how this program reaches PostgreSQL."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, ExceptionContext, Pool, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from cab_registry.settings import asyncpg_url
from cab_registry.storage.errors import OutcomeUnknown, is_refused_commit

CONNECT_SECONDS: Final = 5.0
"""Seconds in which a connection must come about."""

POOL_SECONDS: Final = 10.0
"""Seconds that a request waits for a connection of the pool."""

_GRACE: Final = timedelta(seconds=5)
"""How much longer we wait than the server itself lets a statement take: it is to speak first."""

_COMMITTING: Final = "cab_committing"


def create_engine(
    url: str,
    *,
    application_name: str = "cab-registry",
    statement_timeout: timedelta | None = None,
    lock_timeout: timedelta | None = None,
    connect_timeout: float = CONNECT_SECONDS,
    pool_size: int = 10,
    poolclass: type[Pool] | None = None,
) -> AsyncEngine:
    """Make an engine; nothing is opened before its first use, and who made it disposes of it.

    Args:
        url: `postgresql://`, `postgres://` or `postgresql+asyncpg://`; other drivers are refused.
        application_name: how the connections are named in pg_stat_activity.
        statement_timeout: the longest a statement may take; none for no limit. The server ends it; where it does not
            within five seconds more, the connection is given up.
        lock_timeout: the longest a statement may wait for a lock, the log's own included; none for no limit.
        connect_timeout: seconds in which a connection must come about, the look-up of the name included.
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
        pool = {"pool_size": pool_size, "max_overflow": pool_size, "pool_pre_ping": True, "pool_timeout": POOL_SECONDS}
    limits = {"timeout": connect_timeout}
    if statement_timeout is not None:
        limits["command_timeout"] = (statement_timeout + _GRACE).total_seconds()
    engine = create_async_engine(asyncpg_url(url), connect_args={"server_settings": settings} | limits, **pool)
    event.listen(engine.sync_engine, "begin", _begin)
    event.listen(engine.sync_engine, "commit", _commit)
    event.listen(engine.sync_engine, "handle_error", _give_up)
    return engine


def _begin(connection: Connection) -> None:
    connection.info.pop(_COMMITTING, None)


def _commit(connection: Connection) -> None:
    connection.info[_COMMITTING] = True


def _give_up(failed: ExceptionContext) -> None:
    """End a connection that has not answered in time, and say where a commit was sent and nothing came back."""
    connection, fault = failed.connection, failed.original_exception
    if connection is None or connection.closed or connection.invalidated or not isinstance(fault, Exception):
        return
    committing = connection.info.pop(_COMMITTING, False)
    if isinstance(fault, TimeoutError):
        # Closing it in good order would wait for the same server once more.
        driver: Any = connection.connection.driver_connection
        driver.terminate()
        failed.is_disconnect = True
        failed.invalidate_pool_on_disconnect = False
    if committing and not is_refused_commit(fault):
        raise OutcomeUnknown from fault


def read_only(engine: AsyncEngine) -> AsyncEngine:
    """Give the same engine for reading: each transaction sees one state of the database and can write nothing."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def read_latest(engine: AsyncEngine) -> AsyncEngine:
    """Give the same engine for reading what others commit meanwhile: each statement sees the state of its own."""
    return engine.execution_options(isolation_level="READ COMMITTED", postgresql_readonly=True)


def _milliseconds(span: timedelta) -> str:
    return str(max(1, round(span / timedelta(milliseconds=1))))
