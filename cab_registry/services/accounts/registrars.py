"""Registrars: two at least decide who may act, once there are two."""

from __future__ import annotations

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.domain.errors import Refusal
from cab_registry.storage.principals import list_active_registrars, list_registrars

ENOUGH: Final = 2
"""So many registrars stay, once there were so many."""


async def is_alone(connection: AsyncConnection, registrar: str) -> bool:
    """Whether no other registrar ever had a token, so that there is nobody yet who could agree."""
    return not await list_active_registrars(connection) - {registrar}


async def refuse_third(connection: AsyncConnection, registrar: str, new: str) -> None:
    """Hold that a registrar who is alone makes one other principal a registrar, and no more.

    Raises:
        Refusal: another principal is a registrar already, who has not redeemed an invitation yet.
    """
    others = await list_registrars(connection) - {registrar, new}
    if others:
        named = ", ".join(sorted(others))
        raise Refusal(f"{named} is to be the second registrar; end that role, or wait until the invitation is redeemed")


async def keep_two(connection: AsyncConnection, leaving: str) -> None:
    """Hold that enough registrars stay when one leaves.

    Raises:
        Refusal: it is the last registrar, or one of two.
    """
    active = await list_active_registrars(connection)
    if leaving not in active or len(active) > ENOUGH:
        return
    if len(active) == 1:
        raise Refusal("this is the last registrar; make another first")
    raise Refusal("these are the last two registrars, and one alone could not let anybody in: make a third first")
