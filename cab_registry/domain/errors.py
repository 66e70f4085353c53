"""Faults in what people send or write, and the three families of exceptions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where (JSON Pointer, and file:line where there is a file), what, and what is allowed."""

    pointer: str
    message: str
    place: str = ""

    def __str__(self) -> str:
        """Return one line: place, pointer, message."""
        where = " ".join(part for part in (self.place, self.pointer) if part)
        return f"{where}: {self.message}" if where else self.message


class RegistryError(Exception):
    """Base of all exceptions that the registry raises on purpose."""


class Refusal(RegistryError):
    """What was sent cannot be taken; nothing was stored. Carries every fault found."""

    def __init__(self, message: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults


class OperationalFault(RegistryError):
    """Something outside is unavailable for now; the same call may succeed later."""


class Defect(RegistryError):
    """A bug of ours: an invariant does not hold."""
