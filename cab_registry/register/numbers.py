"""Whose numbers are entered: a scheme has an owner, and nobody else takes a number that it may give to another body."""

from __future__ import annotations

from typing import NamedTuple

from cab_registry.domain.records import AnyRecord, Authority, Body
from cab_registry.domain.records.rights import SchemeIdentifier
from cab_registry.domain.schemes import find_owned
from cab_registry.engine.entered import gives_numbers, is_at_home
from cab_registry.engine.facts import Facts
from cab_registry.engine.representation import REGISTRAR, speaks_for
from cab_registry.register.compiled import Register


class Taking(NamedTuple):
    """What stands against a number, and whether it is for its owner alone or may be entered for a stated reason."""

    message: str
    refused: bool


class Taken(NamedTuple):
    """A number that somebody else entered than those who give it: of which record, and whose that is."""

    record: str
    owner: str
    scheme: str
    value: str


def find_taking(record: Body | Authority, item: SchemeIdentifier, facts: Facts) -> Taking | None:
    """Say why a number is not its enterer's to give; none where it is.

    Who gives the numbers of a scheme enters them of any body. A number that names an economy is of that one's bodies.
    Others enter a number of a body of their own only, and say why; so does who enters one of a scheme that nobody knows
    for a body of elsewhere.
    """
    owned = find_owned(item.scheme, item.value)
    own = facts.economy_of(record.owner)
    if record.owner == REGISTRAR or own is None:
        return None
    if owned is None:
        return _of_an_unknown_scheme(record, item, facts)
    if set(owned.given_in) & facts.side_ever(own):
        return None
    givers = " and ".join(owned.given_in)
    told = f"the number {item.value!r} of {item.scheme} is given in {givers}"
    if owned.economy is not None and owned.economy != own:
        return Taking(f"{told}, for bodies of {owned.economy}; {record.owner} is of {own}", refused=True)
    if record.economy != own:
        text = f"{told}, and {record.owner} is of {own}, as {record.id} is not"
        return Taking(f"{text}: leave it out, or let an authority there enter it", refused=True)
    if owned.economy is None:
        return Taking(f"{told}, not by {record.owner}: make sure that it was given to {record.id}", refused=False)
    return None


def prevails(record: Body | Authority, other: AnyRecord, item: SchemeIdentifier, facts: Facts) -> bool:
    """Whether a record has a number by those who give it, and another has it by somebody else."""
    own, theirs = (gives_numbers(each.owner, item.scheme, item.value, facts) for each in (record, other))
    return own and not theirs


def list_taken(register: Register, authority: str) -> list[Taken]:
    """List the numbers that others entered than those who give them, where an authority speaks for who does."""
    facts, law = register.facts, register.law
    found = []
    for (scheme, value), rows in facts.identifiers.items():
        owned = find_owned(scheme, value)
        if owned is None or not any(speaks_for(authority, code, law) for code in owned.given_in):
            continue
        for bearer in dict.fromkeys(bearer for bearer, _, _ in rows):
            owner = register.records[bearer].record.owner
            if not gives_numbers(owner, scheme, value, facts):
                found.append(Taken(bearer, owner, scheme, value))
    return sorted(found)


def _of_an_unknown_scheme(record: Body | Authority, item: SchemeIdentifier, facts: Facts) -> Taking | None:
    if is_at_home(record.owner, record.economy, facts):
        return None
    text = f"the register does not know who gives numbers of {item.scheme}, and {record.id} is of {record.economy}"
    return Taking(f"{text}: make sure that {item.value!r} was given to it", refused=False)
