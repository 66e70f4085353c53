"""How much is done for one answer: counted in steps and never in seconds, so that an answer stays the same everywhere.

A step is the judging of one route, or what takes about as long. When the steps are used up nothing more is begun: what
was not looked at stays open, and the answer says that it was cut short.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from cab_registry.engine.facts import Facts, Likeness

MOST: Final = 1_000
"""Steps of one answer."""

QUICK: Final = 24
"""Steps within which an answer takes a few milliseconds."""

_NAMES: Final = 250
"""Among so many issuers those of a like name are found in the time of a step."""

_IDS: Final = 1_000
"""Among so many issuers an id in another spelling, or a beginning of a name, is found in the time of a step."""

CITATION: Final = 6
"""Steps to read a citation that is not the id of a rule."""

_RULES: Final = 8
_WORDS: Final = 2


class TooDear(Exception):
    """The answer takes more steps than it was to be tried with."""


class Effort:
    """Counts the steps of one answer.

    Attributes:
        left: how many steps may still be taken; below zero where the last ones were more.
        skipped: how much was not begun, since the steps were used up.
    """

    __slots__ = ("_most", "_strict", "left", "skipped")

    def __init__(self, most: int = MOST, *, strict: bool = False) -> None:
        """Begin.

        Args:
            most: how many steps may be taken; the one with which they end is taken as a whole.
            strict: raise TooDear instead of leaving anything out.
        """
        self._most = self.left = most
        self._strict = strict
        self.skipped = 0

    @property
    def spent(self) -> int:
        """How many steps were taken."""
        return self._most - self.left

    def spend(self, steps: int = 1) -> None:
        """Take steps.

        Raises:
            TooDear: there are not so many, and nothing is to be left out.
        """
        self.left -= steps
        if self._strict and self.left < 0:
            raise TooDear

    def stops(self) -> bool:
        """Whether the steps are used up, so that what was to come is left out.

        Raises:
            TooDear: they are, and nothing is to be left out.
        """
        if self.left > 0:
            return False
        if self._strict:
            raise TooDear
        self.skipped += 1
        return True

    def limit(self, facts: Facts) -> Facts:
        """Return facts whose search by likeness takes steps, and finds nothing when they are used up."""
        likeness: Likeness = _Sparing(facts.likeness, self)
        return replace(facts, likeness=likeness)


class _Sparing:
    """Searches by likeness within the steps of an answer; the same words are looked for once."""

    __slots__ = ("_effort", "_found", "_likeness")

    def __init__(self, likeness: Likeness, effort: Effort) -> None:
        self._likeness = likeness
        self._effort = effort
        self._found: dict[tuple[str, str], tuple[str, ...]] = {}

    @property
    def size(self) -> int:
        return self._likeness.size

    def ids(self, text: str) -> tuple[str, ...]:
        return self._find("ids", text, self.size // _IDS, lambda: self._likeness.ids(text))

    def issuers(self, text: str) -> tuple[str, ...]:
        return self._find("issuers", text, self.size // _NAMES, lambda: self._likeness.issuers(text))

    def beginning(self, text: str) -> tuple[str, ...]:
        return self._find("beginning", text, self.size // _IDS, lambda: self._likeness.beginning(text))

    def rules(self, text: str) -> tuple[str, ...]:
        return self._find("rules", text, _RULES, lambda: self._likeness.rules(text))

    def words(self, table: str, text: str) -> tuple[str, ...]:
        return self._find(f"words {table}", text, _WORDS, lambda: self._likeness.words(table, text))

    def economies(self, text: str) -> tuple[str, ...]:
        return self._find("economies", text, _WORDS, lambda: self._likeness.economies(text))

    def _find(self, what: str, text: str, steps: int, find: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
        found = self._found.get((what, text))
        if found is None:
            if self._effort.stops():
                return ()
            self._effort.spend(1 + steps)
            found = self._found[what, text] = find()
        return found
