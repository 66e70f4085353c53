"""What storage refuses, and what it reports when the database cannot serve."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import asyncpg
import msgspec
from sqlalchemy.exc import DBAPIError, InterfaceError, ResourceClosedError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from cab_registry.domain.errors import Defect, Fault, OperationalFault, Refusal

# Lock not available, cancelled by a time limit, serialisation failure, deadlock, too many connections, shutting down,
# read-only (a replica, or a server that just became one).
_BUSY_STATES: Final = frozenset(
    {"55P03", "57014", "40001", "40P01", "53300", "57P01", "57P02", "57P03", "25006", "53100", "53200"}
)

UNAVAILABLE: Final = "the database is unavailable; send the same request again later"
_NO_SUCH_CHARACTER: Final = "22021"


class StorageBusy(OperationalFault):
    """The database is unavailable; nothing was written, the same request may be sent again.

    Attributes:
        cause: what the driver or the system said, with names of hosts and files: for the operator alone.
    """

    def __init__(self, message: str, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause


class OutcomeUnknown(StorageBusy):
    """The database was lost after a commit was sent and before it answered: what was sent was entered, or was not."""

    def __init__(self) -> None:
        super().__init__(
            "the database was lost while this was being entered; it was entered as a whole, or not at all. "
            "Look whether it was, or repeat it with the same Idempotency-Key, which never enters it twice"
        )


class LogDamaged(Defect):
    """The log contradicts itself, or what is derived from it does; nothing more may be derived before it is mended."""


class RecordDamaged(OperationalFault):
    """A record is not what was recorded; nothing is answered that rests on it before it is mended.

    Attributes:
        record: its id.
        position: of its entry in the log, where there is one.
    """

    def __init__(self, record: str, position: int | None, message: str) -> None:
        place = "" if position is None else f" (position {position})"
        super().__init__(f"the register is damaged at {record}{place}: {message}")
        self.record = record
        self.position = position


class Moved(msgspec.Struct, frozen=True):
    """A record whose version is not the one that was read. Zero means that there is no such record."""

    id: str
    expected: int
    found: int


class StaleVersion(Refusal):
    """Records moved between the reading of a submission's checks and its append."""

    def __init__(self, moved: Sequence[Moved]) -> None:
        listed = ", ".join(f"{each.id} (read {each.expected}, now {each.found})" for each in moved)
        faults = tuple(Fault("", f"read version {each.expected}, now {each.found}", each.id) for each in moved)
        super().__init__(f"changed meanwhile: {listed}", faults)
        self.moved = tuple(moved)


class UnfitChange(Refusal):
    """A change does not fit the state of its record: a new one that exists, an amended one that does not, and so on."""

    def __init__(self, record_id: str, reason: str) -> None:
        super().__init__(f"{record_id}: {reason}", (Fault("", reason, record_id),))
        self.record_id = record_id
        self.reason = reason


class NotInitial(Refusal):
    """Only the first submission of an empty log is the initial load."""


class UnfitText(Refusal):
    """A text holds a character that the database cannot keep."""


class RepeatedSubmission(Refusal):
    """The principal's idempotency key was used before.

    Attributes:
        submission: the submission that used it.
    """

    def __init__(self, submission: str) -> None:
        super().__init__(f"this idempotency key belongs to the submission {submission}")
        self.submission = submission


@contextmanager
def operational_faults() -> Iterator[None]:
    """Turn "the database cannot serve now" into StorageBusy, and leave everything else as it is.

    Raises:
        StorageBusy: a lock, time or connection limit was met, or the connection was lost before commit.
        UnfitText: a text holds a NUL, which PostgreSQL cannot keep and which nothing on record has.
    """
    try:
        yield
    except (ResourceClosedError, NotImplementedError) as fault:
        # SQLAlchemy has no better words where the first connection of a pool is cut while it asks what server that is.
        if isinstance(fault, ResourceClosedError) or _comes_of_the_driver(fault):
            raise StorageBusy(UNAVAILABLE, _first_line(fault)) from fault
        raise
    except (DBAPIError, PoolExhausted, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
        if _state_of(fault) == _NO_SUCH_CHARACTER:
            raise UnfitText("a text holds a character that cannot be kept") from fault
        if _is_operational(fault):
            raise StorageBusy(UNAVAILABLE, _first_line(fault)) from fault
        raise


def is_refused_commit(fault: BaseException) -> bool:
    """Whether the server itself said that it did not commit; a server that goes away says nothing of that."""
    state = getattr(fault, "sqlstate", None)
    return isinstance(state, str) and not state.startswith(("08", "57P0"))


def _is_operational(fault: Exception) -> bool:
    state = _state_of(fault)
    if state is not None:
        return state in _BUSY_STATES or state.startswith("08")
    return not isinstance(fault, DBAPIError) or fault.connection_invalidated or isinstance(fault, InterfaceError)


def _state_of(fault: Exception) -> str | None:
    # COPY runs on the driver itself, so that its faults arrive as the driver raises them.
    return getattr(fault.orig if isinstance(fault, DBAPIError) else fault, "sqlstate", None)


def _comes_of_the_driver(fault: BaseException | None) -> bool:
    while fault is not None:
        if isinstance(fault, asyncpg.PostgresError | asyncpg.InterfaceError):
            return True
        fault = fault.__cause__ or fault.__context__
    return False


def _first_line(fault: Exception) -> str:
    text = str(fault.orig) if isinstance(fault, DBAPIError) else str(fault)
    return text.strip().partition("\n")[0] or type(fault).__name__
