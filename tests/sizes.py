"""How large the long tests are: a short form in the suite, the whole of each by `make soak`."""

import os

SOAK = os.environ.get("CAB_SOAK") == "1"


def sized(short: int, *, whole: int) -> int:
    """Return how many of something a long test takes today."""
    return whole if SOAK else short
