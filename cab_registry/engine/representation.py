"""Who speaks for whom: an authority for itself, for those that it succeeded, and for the party for which it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from cab_registry.domain.records import Authority, Economy

REGISTRAR: Final = "registrar"

_NO_STATE: Final = frozenset({"accrediting", "arrangement"})
"""Roles that alone do not make an authority speak for its economy."""


class Offices(Protocol):
    """Authorities by id, and economies by code."""

    @property
    def authorities(self) -> Mapping[str, Authority]:
        """The authorities on record."""

    @property
    def economies(self) -> Mapping[str, Economy]:
        """The economies on record."""


def find_actor(by: str | None, owner: str, offices: Offices) -> str | None:
    """Return who acts in a record: who is named or, where a party is, its authority whose record it is.

    The registrar speaks for nobody: what it enters of a party is told as the party's own act.

    Args:
        by: who is named; none: whoever owns the record.
        owner: whose record it is; where the register does not know it, nothing is held against it.
        offices: authorities and economies.

    Returns:
        An authority, a party or a body; none where the owner does not speak for who is named.
    """
    if by is None or by == owner:
        return owner
    if owner == REGISTRAR or owner not in offices.authorities:
        return by
    if not speaks_for(owner, by, offices):
        return None
    return owner if by in offices.economies else by


def speaks_for(authority: str, by: str, offices: Offices) -> bool:
    """Whether `by` is the authority itself, one that it succeeded, or the party for which it stands."""
    if by == authority:
        return True
    if by in offices.economies:
        return _stands_for(authority, by, offices)
    return by in predecessors_of(authority, offices)


def predecessors_of(authority: str, offices: Offices) -> frozenset[str]:
    """Return all that an authority succeeded, however far back."""
    found: set[str] = set()
    waiting = [authority]
    while waiting:
        record = offices.authorities.get(waiting.pop())
        for item in record.succeeds if record is not None else ():
            if item.authority not in found:
                found.add(item.authority)
                waiting.append(item.authority)
    return frozenset(found)


def commission_of(code: str, offices: Offices) -> str | None:
    """Return the authority that speaks for a union: the one that is called its commission."""
    economy = offices.economies.get(code)
    if economy is None or economy.kind != "union":
        return None
    named = f"{economy.id}-commission"
    return named if named in offices.authorities else None


def is_kept_by_right(owner: str, economies: frozenset[str], offices: Offices) -> bool:
    """Whether a record of law that concerns some economies is kept by the registrar or by an authority of theirs.

    Args:
        owner: whose record it is.
        economies: codes of those whose law it is; empty, or the world, for what an arrangement says of its own.
        offices: authorities and economies.
    """
    authority = offices.authorities.get(owner)
    if owner == REGISTRAR or authority is None:
        return True
    if economies <= {"WORLD"}:
        return authority.economy is None or "arrangement" in authority.roles
    own = offices.economies.get(authority.economy or "")
    unions = {item.union for item in own.member_of} if own is not None else set[str]()
    parts = {code for code, each in offices.economies.items() if each.part_of == authority.economy}
    return economies <= {authority.economy, *unions, *parts}


def _stands_for(authority: str, code: str, offices: Offices) -> bool:
    record = offices.authorities.get(authority)
    if record is None or record.economy != code:
        return False
    if offices.economies[code].kind == "union":
        return authority == commission_of(code, offices)
    return bool(set(record.roles) - _NO_STATE)
