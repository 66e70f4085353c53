"""What drivers say of a database that cannot serve now is told as that, and everything else as it is."""

import asyncpg
import pytest
from sqlalchemy.exc import IntegrityError, InterfaceError, ResourceClosedError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from cab_registry.storage.errors import StorageBusy, operational_faults


@pytest.mark.parametrize(
    "fault",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        PoolExhausted(),
        InterfaceError("SELECT 1", {}, Exception("gone")),
        asyncpg.InterfaceError("the connection is closed"),
        asyncpg.ConnectionDoesNotExistError("gone"),
        asyncpg.CannotConnectNowError("starting up"),
        # Cut while a pool asked its first connection what server that is.
        ResourceClosedError("This Connection is closed"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_database_that_cannot_serve_now_is_busy(fault: Exception) -> None:
    with pytest.raises(StorageBusy) as busy, operational_faults():
        raise fault
    assert busy.value.cause
    assert busy.value.__cause__ is fault


def test_a_first_connection_that_was_cut_is_busy() -> None:
    fault = NotImplementedError()
    fault.__context__ = asyncpg.ConnectionDoesNotExistError("terminating connection due to administrator command")
    with pytest.raises(StorageBusy), operational_faults():
        raise fault


@pytest.mark.parametrize(
    "fault", [KeyError("id"), NotImplementedError("nowhere"), IntegrityError("INSERT", {}, Exception("twice"))]
)
def test_everything_else_stays_what_it_is(fault: Exception) -> None:
    with pytest.raises(type(fault)), operational_faults():
        raise fault
