"""The operations of what ends soon as the reference describes them."""

from __future__ import annotations

from typing import Final

from cab_registry.api import problem_kinds
from cab_registry.api.operation import Operation
from cab_registry.services.expiries import ExpiryFilter, ExpiryPage, ExpirySearch
from cab_registry.services.expiry_renderings import CALENDAR, CSV

_KINDS: Final = (
    problem_kinds.UNREADABLE,
    problem_kinds.WRONG_PARAMETERS,
    problem_kinds.NOT_LOADED,
    problem_kinds.NOT_REACHED,
    problem_kinds.UNAVAILABLE,
)
_MEANT: Final = (
    "Accreditations, designations, recognitions, editions of standards, statuses of accreditation bodies, agreements "
    "and their annexes, scopes of routes, confirmations of open-ended accreditations, clocks of procedures, reviews; "
    "confirmations and answers that are overdue stay listed."
)


def list_expiry_operations() -> tuple[Operation, ...]:
    """Return the operations of what ends soon, in the order of the reference."""
    return (
        Operation(
            path="/v1/expiries",
            id="list_expiries",
            tag="Register",
            summary="List what ends soon",
            description=f"What is due first comes first, with counts over all pages. {_MEANT}",
            query=(ExpirySearch,),
            gives=ExpiryPage,
            tagged=True,
            kinds=_KINDS,
        ),
        Operation(
            path="/v1/expiries.csv",
            id="list_expiries_as_table",
            tag="Register",
            summary="List what ends soon as a table",
            description="All lines of the list with the same parameters; no cell begins a formula.",
            query=(ExpiryFilter,),
            media_type=CSV,
            tagged=True,
            kinds=_KINDS,
        ),
        Operation(
            path="/v1/expiries.ics",
            id="list_expiries_as_calendar",
            tag="Register",
            summary="Subscribe to what ends soon in a calendar",
            description="All lines of the list with the same parameters (RFC 5545), each on its last valid day.",
            query=(ExpiryFilter,),
            media_type=CALENDAR,
            tagged=True,
            kinds=_KINDS,
        ),
    )
