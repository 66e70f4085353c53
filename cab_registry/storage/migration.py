"""Migrations, called as functions: no configuration file, no command line of Alembic's own.

Every function is synchronous and may be called where an event loop runs; it then works in a thread with its own loop.
Alembic keeps its state per process, so no two of them may run in one process at once; processes may, and wait.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from typing import Any, Final, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.pool import NullPool

from cab_registry.storage.database.pulse import Pulse, ask_nothing
from cab_registry.storage.engine import create_engine

Result = TypeVar("Result")
PATIENCE_SECONDS: Final = 5.0
"""Seconds in which a question must be answered; after twice as long the database counts as silent."""


def head() -> str:
    """Name the newest revision of this program.

    Raises:
        ValueError: there is no newest revision, or more than one: the installation is broken.
    """
    (newest,) = ScriptDirectory.from_config(_config()).get_heads()
    return newest


def current(url: str) -> str | None:
    """Name the revision that the database is at; none for a database that was never migrated.

    Raises:
        StorageBusy, SQLAlchemyError, OSError: the database cannot be reached.
    """
    return _on_connection(url, lambda connection: MigrationContext.configure(connection).get_current_revision())


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to a revision, by default the newest; one that is there already is left alone.

    Raises:
        SQLAlchemyError: a revision failed and was rolled back; those before it stay.
    """
    _on_connection(url, lambda connection: command.upgrade(_config(connection), revision))


def downgrade(url: str, revision: str) -> None:
    """Take the database back to a revision; `base` is the empty database.

    Raises:
        RuntimeError: the revision holds what cannot be undone, such as a log with entries.
    """
    _on_connection(url, lambda connection: command.downgrade(_config(connection), revision))


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("cab_registry.migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def _on_connection(url: str, work: Callable[[Connection], Result]) -> Result:
    async def run() -> Result:
        engine = create_engine(url, application_name="cab-migration", poolclass=NullPool)
        pulse = Pulse(url, ask_nothing, patience=PATIENCE_SECONDS, name="cab-migration")
        pulse.guard(engine)
        try:
            async with pulse.beating(), engine.connect() as connection:
                return await connection.run_sync(work)
        finally:
            await engine.dispose()

    return _run_anywhere(run)


def _run_anywhere(make: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(make())
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="cab-migration") as pool:
        return pool.submit(lambda: asyncio.run(make())).result()
