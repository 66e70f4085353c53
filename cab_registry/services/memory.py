"""How the process keeps what it answers from."""

from __future__ import annotations

import gc
from typing import Final

_YOUNG: Final = 50_000
"""Allocations between two collections: an answer makes a few hundred short-lived values and no cycles."""


def keep_in_memory() -> None:
    """Take what is loaded now out of the collector's way: a register is read often and never changed."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 50)
