"""The address under which an answer is followed: it carries the question itself, so that nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.services.flat import MOST_PARTS, write_flat

CHANGES_PATH: Final = "/v1/acceptance/changes"
FEED_PATH: Final = f"{CHANGES_PATH}.atom"


def make_feed_address(question: Mapping[str, Any], today: str) -> str:
    """Return the path and query under which a question's answer is followed as a feed.

    What the question was to be answered as known of is left out, since the feed follows what becomes known. A standing
    question on the day that it is goes on to be asked for each day.

    Args:
        question: the plain document.
        today: the day that it is, ISO 8601.

    Raises:
        Refusal: the question names more subcontractors than an address has names for.
    """
    rest = {key: value for key, value in question.items() if key != "known_at"}
    parts = (rest.get("result") or {}).get("subcontractors") or ()
    if len(parts) > MOST_PARTS:
        fault = Fault("/result/subcontractors", f"an address has names for {MOST_PARTS} of them")
        raise Refusal("the question does not fit into an address", (fault,))
    rolling = rest.get("standing_on") == today
    pairs = [(name, value) for name, value in write_flat(rest) if not (rolling and name == "standing_on")]
    return f"{FEED_PATH}?{urlencode([*pairs, *([('standing', 'true')] if rolling else [])])}"
