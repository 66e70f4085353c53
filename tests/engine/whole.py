"""The packaged catalogue with its bodies; every list counts as complete."""

from __future__ import annotations

from functools import cache

from cab_registry.domain.records import Coverage
from cab_registry.register.catalogue import load_catalogue
from cab_registry.register.compiled import Register, Versioned, compile_register


@cache
def whole() -> Register:
    """Return the packaged catalogue, compiled once per process."""
    records = (entry.record for entry in load_catalogue())
    return compile_register((Versioned(each, 1) for each in records if not isinstance(each, Coverage)), complete=True)
