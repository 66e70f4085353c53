"""Economies as people write them: which one was perhaps meant by words that name none."""

from collections.abc import Iterable, Mapping
from typing import Final

from cab_registry.domain.folding import fold

_CODE: Final = 3
_FEW: Final = 3
_CONFUSED: Final = {"na": "NA is the code of Namibia, and means nothing else"}


def suggest_economy(text: str, economies: Mapping[str, Iterable[str]]) -> str:
    """Return what is added to a fault about a name: which economy was perhaps meant, or nothing.

    Args:
        text: as it was written.
        economies: names by code.
    """
    wanted = fold(text)
    if len(wanted) <= _CODE:
        return f" ({_CONFUSED[wanted]})" if wanted in _CONFUSED else ""
    from cab_registry.register.likeness import rank_economies

    found = rank_economies(text, economies)[:_FEW]
    return f"; did you mean {' or '.join(found)}?" if found else ""
