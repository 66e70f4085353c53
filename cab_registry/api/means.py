"""What writing needs from outside."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.services.principals import Clock, Random


@dataclass(frozen=True, slots=True)
class Means:
    """The database, the clock and chance."""

    engine: AsyncEngine
    clock: Clock
    random: Random
