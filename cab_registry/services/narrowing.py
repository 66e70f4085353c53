"""What narrows a list, read as the words of a question are: what names nothing, or several, is a fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from cab_registry.domain.errors import Fault
from cab_registry.engine.facts import Facts
from cab_registry.engine.meaning import Fit, find_code, find_economy, find_rule
from cab_registry.services.markets import say_unknown_economy
from cab_registry.services.meant import find_agreement, find_known_scheme, find_one, list_schemes
from cab_registry.services.views import WrongParameters

_FEW: Final = 5
"""How many are named that may be meant."""


class Narrowing:
    """Brings the words of a list's parameters to the register's ids and codes, and collects what names nothing.

    Each method takes the name of a parameter and its words; no words stay none. After the last one, `close`.
    """

    def __init__(self, facts: Facts, kept: Callable[[str], bool] = lambda _: False) -> None:
        """Begin.

        Args:
            facts: what is known.
            kept: whether an id that the register does not have is taken as it is, for example since it had it once.
        """
        self._facts = facts
        self._kept = kept
        self._faults: list[Fault] = []

    def close(self) -> None:
        """Raise what was found.

        Raises:
            WrongParameters: some words name nothing, or several; all of them are listed.
        """
        if self._faults:
            raise WrongParameters(self._faults)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What was found."""
        return tuple(self._faults)

    def economy(self, name: str, text: str | None) -> str | None:
        """Return the code of an economy or a union."""
        if text is None:
            return None
        fit = find_economy(text, self._facts)
        if fit.id is None:
            self._faults.append(Fault(f"/{name}", say_unknown_economy(text, fit.ids, self._facts.economies)))
        return fit.id

    def sector(self, name: str, text: str | None) -> str | None:
        """Return the code of a sector."""
        if text is None:
            return None
        codes = sorted({code for (table, _), found in self._facts.words.items() if table == "sector" for code in found})
        return self._take(name, find_code("sector", text, self._facts), "sector", f"there are {', '.join(codes)}")

    def requirement(self, name: str, text: str | None) -> str | None:
        """Return the id of a rule."""
        if text is None:
            return None
        return self._take(
            name, find_rule(text, self._facts), "requirement", "write its id or its citation, such as 2014/53/EU"
        )

    def scheme(self, name: str, text: str | None) -> str | None:
        """Return the code of a scheme of identifiers."""
        if text is None:
            return None
        fit = find_known_scheme(text, self._facts)
        return self._take(name, fit, "scheme", f"there are {', '.join(list_schemes(self._facts))}")

    def authority(self, name: str, text: str | None) -> str | None:
        """Return the id of an authority, or the code of a party for which one speaks."""
        if text is None:
            return None
        fit = find_one(text, self._facts, self._facts.authorities)
        party = find_economy(text, self._facts) if fit.id is None else fit
        return self._take(name, fit if party.id is None else party, "authority", "/v1/authorities lists all of them")

    def agreement(self, name: str, text: str | None) -> str | None:
        """Return the id of an agreement."""
        if text is None:
            return None
        return self._take(name, find_agreement(text, self._facts), "agreement", "/v1/agreements lists all of them")

    def body(self, name: str, text: str | None) -> str | None:
        """Return the id of a body, or of an authority that issues results."""
        if text is None:
            return None
        return self._take(name, find_one(text, self._facts), "body", "/v1/bodies?name= finds bodies by their names")

    def _take(self, name: str, fit: Fit, what: str, else_say: str) -> str | None:
        if fit.id is not None:
            return fit.id
        if self._kept(fit.asked):
            return fit.asked
        self._faults.append(Fault(f"/{name}", say_unsettled(fit, what, self._facts, else_say)))
        return None


def say_unsettled(fit: Fit, what: str, facts: Facts, else_say: str) -> str:
    """Say that words name nothing of a kind, or several, with what may be meant or what there is."""
    meant = " or ".join(_shown(fit.ids, facts))
    if fit.how == "several":
        return f"{fit.asked} can mean {meant}; write one of these"
    return f"unknown {what} {fit.asked}. Did you mean {meant}?" if meant else f"unknown {what} {fit.asked}; {else_say}"


def _shown(ids: Iterable[str], facts: Facts) -> list[str]:
    return [f"{key} ({name})" if (name := _name(key, facts)) else key for key in tuple(ids)[:_FEW]]


def _name(key: str, facts: Facts) -> str:
    if key in facts.issuers:
        return facts.issuers[key].name
    if key in facts.requirements:
        return facts.requirements[key].citation
    return facts.agreements[key].short or "" if key in facts.agreements else ""
