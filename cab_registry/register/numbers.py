"""Whose numbers are entered: a scheme has an owner, and nobody else takes a number that it may give to another body."""

from __future__ import annotations

from typing import NamedTuple

from cab_registry.domain.records import Authority, Body
from cab_registry.domain.records.rights import SchemeIdentifier
from cab_registry.domain.schemes import find_owned
from cab_registry.engine.facts import Facts
from cab_registry.engine.representation import REGISTRAR


class Taking(NamedTuple):
    """What stands against a number, and whether it is for its owner alone or may be another's to tell."""

    message: str
    refused: bool


def find_taking(record: Body | Authority, item: SchemeIdentifier, facts: Facts) -> Taking | None:
    """Say why a number is not its enterer's to give; none where it is, or where nobody knows who gives such numbers.

    Who gives the numbers of a scheme enters them of any body. A number that names an economy is of that one's bodies.
    Others enter a number of a body of their own only, and are told whose it is.
    """
    owned = find_owned(item.scheme, item.value)
    own = facts.economy_of(record.owner)
    if owned is None or record.owner == REGISTRAR or own is None:
        return None
    givers = " and ".join(owned.given_in)
    if set(owned.given_in) & facts.side_ever(own):
        return None
    told = f"the number {item.value!r} of {item.scheme} is given in {givers}"
    if owned.economy is not None and owned.economy != own:
        return Taking(f"{told}, for bodies of {owned.economy}; {record.owner} is of {own}", refused=True)
    if record.economy != own:
        text = f"{told}, and {record.owner} is of {own}, as {record.id} is not"
        return Taking(f"{text}: leave it out, or let an authority there enter it", refused=True)
    if owned.economy is None:
        return Taking(f"{told}, not by {record.owner}: make sure that it was given to {record.id}", refused=False)
    return None
