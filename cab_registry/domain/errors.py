"""Faults in what people send or write, and the three families of exceptions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

MOST_FAULTS: Final = 100
"""How many faults are listed at most; that there are more is said."""


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
    """What was sent cannot be taken; nothing was stored.

    Attributes:
        faults: the first hundred that were found.
        more: whether there are others, which nobody looked for.
    """

    def __init__(self, message: str, faults: Iterable[Fault] = (), *, more: bool = False) -> None:
        """Make a refusal; of faults that are found one by one no more are looked for than are listed."""
        super().__init__(message)
        found = tuple(islice(faults, MOST_FAULTS + 1))
        self.faults = found[:MOST_FAULTS]
        self.more = more or len(found) > MOST_FAULTS


class OperationalFault(RegistryError):
    """Something outside is unavailable for now; the same call may succeed later."""


class Defect(RegistryError):
    """A bug of ours: an invariant does not hold."""
