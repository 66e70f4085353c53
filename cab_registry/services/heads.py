"""Where questions at the head find the register: held at a position of the log, or given by a caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cab_registry.domain.errors import Fault, OperationalFault, Refusal
from cab_registry.register.compiled import Register


class NotLoaded(OperationalFault):
    """The register was not loaded yet; the same request may be sent again in a moment."""


class PositionNotReached(OperationalFault):
    """The log position that the client asked for was not reached in time."""

    def __init__(self, wanted: int, reached: int) -> None:
        super().__init__(f"the register is at position {reached}, not yet at {wanted}")
        self.wanted = wanted
        self.reached = reached


class PositionNotWritten(Refusal):
    """The log ends before the position that the client asked for, so that waiting is of no use."""

    def __init__(self, wanted: int, end: int) -> None:
        super().__init__(
            f"the log ends at position {end}, before {wanted}", (Fault("/at_least", f"the log ends at position {end}"),)
        )


@dataclass(frozen=True, slots=True)
class Held:
    """A register with what names its state: log, position, and the instant at which that position was recorded."""

    register: Register
    recorded: datetime | None = None
    log_id: str | None = None

    @property
    def position(self) -> int:
        """The position of the log at which the register was compiled."""
        return self.register.position


class HeadSource(Protocol):
    """Gives the register at the head of the log."""

    def current(self) -> Held:
        """Return the register as it is now.

        Raises:
            NotLoaded: there is none yet.
        """

    async def at_least(self, position: int) -> Held:
        """Return the register as soon as it has reached a position.

        Raises:
            PositionNotWritten: the log has no such position yet.
            PositionNotReached: the log could not be read that far within the time that the settings allow.
        """

    def recent(self, position: int) -> Held | None:
        """Return the register at a position that was the head a short while ago, if it is still held."""


class ScratchHead:
    """A head without a log: the register that a caller swaps."""

    def __init__(self, give: Callable[[], Register]) -> None:
        self._give = give

    def current(self) -> Held:
        """Return the caller's register."""
        return Held(self._give())

    async def at_least(self, position: int) -> Held:
        """Return the caller's register; without a log there is nothing to wait for."""
        held = self.current()
        if held.position < position:
            raise PositionNotWritten(position, held.position)
        return held

    def recent(self, position: int) -> Held | None:
        """Return the caller's register where it has that position."""
        held = self.current()
        return held if held.position == position else None
