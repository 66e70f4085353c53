"""Which of some fixed words was perhaps meant by one that is none of them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_SHORTEST: Final = 3
_LONGEST: Final = 100
"""A word longer than this is a misspelling of none; comparing takes longer the longer it is."""


def find_nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the shortest word that goes on after this one, else the one that is spelled most alike."""
    if len(word) > _LONGEST:
        return None
    words = sorted(known)
    begun = [each for each in words if each.startswith(word)] if len(word) >= _SHORTEST else []
    near = sorted(begun, key=len) or get_close_matches(word, words, n=1)
    return near[0] if near else None
