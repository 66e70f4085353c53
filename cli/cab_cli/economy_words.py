"""Economies as people write them: which one was perhaps meant by words that name none."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Final

from cab_registry.domain.folding import fold

_CODE: Final = 3
_CONFUSED: Final = {"na": "NA is the code of Namibia, and means nothing else"}


def suggest_economy(text: str, economies: Mapping[str, Iterable[str]]) -> str:
    """Return what is added to a fault about a name: which economy was perhaps meant, or nothing.

    Args:
        text: as it was written.
        economies: names by code.
    """
    names = {fold(name): code for code, known in economies.items() for name in known}
    wanted = fold(text)
    if len(wanted) <= _CODE:
        return f" ({_CONFUSED[wanted]})" if wanted in _CONFUSED else ""
    near = difflib.get_close_matches(wanted, list(names), n=1, cutoff=0.75)
    within = {code for name, code in names.items() if wanted in name}
    found = names[near[0]] if near else min(within) if len(within) == 1 else None
    return f"; did you mean {found}?" if found else ""
