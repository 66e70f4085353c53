"""Who has a say on which results a market takes, as sentences name them."""

from __future__ import annotations

from collections.abc import Iterable

from cab_registry.engine.facts import RouteFacts
from cab_registry.engine.say import named_into
from cab_registry.register.compiled import Register
from cab_registry.register.subjects import join_names


def list_deciding(routes: Iterable[RouteFacts], register: Register) -> str:
    """Name, as a clause, the authorities that some routes name as the ones that recognise; empty where none does."""
    named = sorted({word for rf in routes for word in named_into(rf, register.facts)})
    return f"; who recognises there: {join_names(named)}" if named else ""
