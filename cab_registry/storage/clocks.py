"""The clock of the database against the clock of this process: what is recorded must lie in nobody's future."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from cab_registry.domain.errors import OperationalFault
from cab_registry.storage.canonical import spell_instant

TOLERANCE: Final = timedelta(seconds=60)
"""How far the two clocks may lie apart, either way."""

Wall = Callable[[], datetime]
"""Gives the instant that it is by the clock of this process's machine, with its offset."""


class WrongClock(OperationalFault):
    """The clocks do not agree on what time it is, so that nothing can be recorded; nothing was written."""


def tell_wall() -> datetime:
    """Return the instant that it is by the clock of this machine."""
    return datetime.now(UTC)


def find_clock_faults(database: datetime, process: datetime, last: datetime | None) -> tuple[str, ...]:
    """Say what is wrong with the clocks, or with the instant that was recorded last; nothing where all is well.

    Args:
        database: what time it is by the database.
        process: what time it is by this process, at about the same moment.
        last: the last recorded instant, as corrected; none for an empty log.
    """
    faults = []
    if abs(database - process) > TOLERANCE:
        faults.append(
            f"the clock of the database says {spell_instant(database)}, that of this process {spell_instant(process)}:"
            " set both to the right time"
        )
    if last is not None and last - process > TOLERANCE:
        faults.append(
            f"the last recorded instant, {spell_instant(last)}, is later than it is by the clock of this process,"
            f" {spell_instant(process)}: set that clock, or correct what was recorded with `cab db correct-clock`"
        )
    return tuple(faults)


def refuse_wrong_clock(database: datetime, process: datetime, last: datetime | None) -> None:
    """Hold that what is recorded now gets the instant that it is.

    Raises:
        WrongClock: the clocks lie over a minute apart, or what was recorded last lies in the future.
    """
    faults = find_clock_faults(database, process, last)
    if faults:
        raise WrongClock("; ".join(faults))
