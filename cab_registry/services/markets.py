"""The market of a question: the one economy that must be known, since what is asked about is its law."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cab_registry.domain.days import LATEST
from cab_registry.domain.errors import Fault
from cab_registry.domain.folding import find_folded
from cab_registry.domain.records import Economy
from cab_registry.register.likeness import rank_economies

_OFFERED: Final = 3
"""How many are named that may be meant."""

_FEW: Final = 6
"""How many members are named one by one."""


def find_market_fault(pointer: str, text: str, economies: Mapping[str, Economy]) -> Fault | None:
    """Return what stands against an economy as a market: it is not in the register, or nothing is presented there."""
    found = find_economies(text, economies)
    if len(found) != 1:
        return Fault(pointer, say_unknown_economy(text, found or list_near(text, economies), economies))
    if economies[found[0]].is_market:
        return None
    return Fault(pointer, _say_no_market(found[0], economies))


def find_economies(text: str, economies: Mapping[str, Economy]) -> tuple[str, ...]:
    """Return the codes of the economies that a code or a name means; one alone is meant for certain."""
    return find_folded(text, _names_of(economies))


def list_near(text: str, economies: Mapping[str, Economy]) -> tuple[str, ...]:
    """Return the codes of the economies that may be meant by words that name none."""
    return rank_economies(text, _names_of(economies))


def _names_of(economies: Mapping[str, Economy]) -> dict[str, tuple[str, ...]]:
    return {code: (*each.names.values(), *each.other_names) for code, each in economies.items()}


def say_unknown_economy(text: str, meant: tuple[str, ...], economies: Mapping[str, Economy]) -> str:
    """Say that an economy is not known, with those that may be meant."""
    if not meant:
        return f"unknown economy {text}; write a code such as DE, or a name such as Germany"
    return f"unknown economy {text}. Did you mean {' or '.join(_name(each, economies) for each in meant[:_OFFERED])}?"


def _say_no_market(code: str, economies: Mapping[str, Economy]) -> str:
    members = _list_markets(code, economies)
    named = " or ".join(members) if len(members) <= _FEW else f"one of its members, such as {members[0]}"
    return f"{_name(code, economies)} is not a single market; name {named or 'one economy, such as DE'}"


def _list_markets(union: str, economies: Mapping[str, Economy]) -> list[str]:
    """Return the members of a union as markets: those that make one market together are that one."""
    members = _members(union, economies)
    for code, each in economies.items():
        inner = _members(code, economies)
        if each.is_market and inner and inner <= members:
            members = members - inner | {code}
    return sorted(members)


def _members(union: str, economies: Mapping[str, Economy]) -> set[str]:
    return {
        code
        for code, each in economies.items()
        if any(member.union == union and member.period.end.latest >= LATEST for member in each.member_of)
    }


def _name(code: str, economies: Mapping[str, Economy]) -> str:
    return f"{code} ({economies[code].names.get('en', code)})"
