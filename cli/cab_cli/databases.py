"""Which database a command works on, said in one line, and how its work is run there."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from cab_cli.console import say
from cab_registry.domain.errors import OperationalFault, Refusal
from cab_registry.settings import asyncpg_url, load_settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from cab_registry.storage.cluster import Cluster

Result = TypeVar("Result")
PATIENCE_SECONDS: Final = 5.0
"""Seconds in which the database must answer a small question; after twice as long it counts as silent."""

DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        show_default="CAB_DATABASE_URL, else the database that `cab dev` keeps, if it runs",
        help="The database, as postgresql://user:password@host/name.",
    ),
]


@contextmanager
def chosen_database(named: str | None = None, *, start: bool = False, owner: bool = False) -> Iterator[str]:
    """Give the address of the database to work on, and say which it is.

    Args:
        named: the address on the command line; without it the one of the settings, else the kept server of our own.
        start: whether to start the kept server where it does not run; it ends with the block if this started it.
        owner: whether the work needs the owner of the tables; on the kept server, all else is done by another login.

    Raises:
        Refusal: no database is named and none runs, or the address cannot be read.
        OperationalFault: the kept server cannot run here.
    """
    from cab_registry.storage.database.logins import service_url

    settings = load_settings(os.environ)
    if url := named or settings.database_url:
        checked = _checked(url)
        say(f"Database: {_without_password(checked)}, named by {'--database-url' if named else 'CAB_DATABASE_URL'}.")
        yield checked
        return
    with _kept(settings.data_folder, start=start) as cluster:
        say(f"Database: {cluster.description}.")
        yield cluster.url() if owner else service_url(cluster.url())


@contextmanager
def _kept(folder: Path | None, *, start: bool) -> Iterator["Cluster"]:
    from cab_registry.storage.cluster import Cluster, ClusterError, find_binaries, find_postmaster

    try:
        cluster = Cluster.kept(folder, find_binaries(os.environ))
        if not start and find_postmaster(cluster.folder / "data") is None:
            raise Refusal(
                f"No database is named, and none of our own runs in {cluster.folder}. "
                "Use --database-url or CAB_DATABASE_URL, or start one with cab dev."
            )
        cluster.start()
    except ClusterError as error:
        raise OperationalFault(str(error)) from None
    try:
        yield cluster
    finally:
        cluster.stop()


def chosen_keys() -> str | None:
    """Give the keys that seal addresses: those of CAB_SECRET_KEYS, else those kept beside the database of our own.

    The kept ones are made at the first need, once that database was started. A database that is named has none.

    Raises:
        OperationalFault: the file with the keys cannot be used.
    """
    settings = load_settings(os.environ)
    if settings.secret_keys is not None or settings.database_url is not None:
        return settings.secret_keys
    from cab_registry.services.delivery.sealing import keep_keys
    from cab_registry.storage.cluster import kept_folder

    folder = kept_folder(settings.data_folder)
    try:
        return keep_keys(folder, os.urandom)
    except (OSError, ValueError) as fault:
        raise OperationalFault(f"The keys in {folder} cannot be used: {fault}") from None


def _checked(url: str) -> str:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        checked = asyncpg_url(url)
        make_url(checked)
    except (ValueError, ArgumentError):
        raise Refusal(
            "the address of the database cannot be read; write postgresql://user:password@host/name"
        ) from None
    return checked


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=True)


def run_on(
    url: str, work: "Callable[[AsyncEngine], Coroutine[None, None, Result]]", *, migrated: bool = True
) -> Result:
    """Run work on an engine that is made for it and closed after it.

    Args:
        url: the database.
        work: what to do there.
        migrated: whether the work needs a database at this program's revision.

    Raises:
        Refusal: the database is at another revision, and the work needs this program's.
        OperationalFault: the database refuses the connection, or does not answer.
    """
    from cab_registry.services.database import status
    from cab_registry.storage.database.pulse import Pulse, ask_nothing
    from cab_registry.storage.engine import create_engine
    from cab_registry.storage.errors import OutcomeUnknown, StorageBusy

    async def run() -> Result:
        engine = create_engine(url, application_name="cab", pool_size=2)
        pulse = Pulse(url, ask_nothing, patience=PATIENCE_SECONDS, name="cab")
        pulse.guard(engine)
        try:
            async with pulse.beating():
                if migrated and (found := await status(engine)).revision != found.newest:
                    state = f"at revision {found.revision}" if found.revision else "not migrated"
                    raise Refusal(
                        f"The database is {state}, and this program needs {found.newest}: run cab db upgrade."
                    )
                return await work(engine)
        except StorageBusy as fault:
            unknown = isinstance(fault, OutcomeUnknown)
            raise OperationalFault(str(fault) if unknown else pulse.fault or str(fault)) from fault
        finally:
            await engine.dispose()

    with connection_refusals():
        return asyncio.run(run())


@contextmanager
def connection_refusals() -> Iterator[None]:
    """Turn a database that refuses us (its name, the user, the password, a right) into words; other faults pass."""
    import asyncpg
    from sqlalchemy.exc import DBAPIError

    refused = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
    lacking = asyncpg.InsufficientPrivilegeError
    try:
        yield
    except (DBAPIError, lacking, *refused) as error:
        cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig is not None else error
        if isinstance(cause, refused):
            raise OperationalFault(f"the database refuses the connection: {cause}") from None
        if isinstance(cause, lacking):
            raise Refusal(f"this login lacks a right ({cause}): log in as the owner of the tables") from None
        raise
