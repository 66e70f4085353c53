"""Whose record a record is, and for whom an authority may speak."""

from __future__ import annotations

from typing import Final, NamedTuple

from cab_registry.domain.records import Agreement, AnyRecord, Authority, Economy, Requirement, Route
from cab_registry.engine.representation import REGISTRAR, commission_of, speaks_for
from cab_registry.register.compiled_law import Law

_LAW: Final = (Economy, Authority, Requirement, Agreement, Route)
_OF_A_COMMISSION: Final = (Requirement, Agreement, Route)


__all__ = ["REGISTRAR", "Foreign", "find_foreign", "find_untransferable"]


class Foreign(NamedTuple):
    """Why an authority may not write a record: the key concerned, whose it is, and a sentence."""

    pointer: str
    owner: str
    message: str


def find_foreign(new: AnyRecord, before: AnyRecord | None, authority: str, law: Law) -> Foreign | None:
    """Return what stands against an authority's writing a version of a record, if anything does.

    Args:
        new: the version that is to be written.
        before: the version that stands, if there is one, be it retired.
        authority: who writes.
        law: the law as it stands.
    """
    holder = before.owner if before is not None else new.owner
    if isinstance(new, _LAW):
        if authority != REGISTRAR and not _keeps_union_law(new, holder, authority, law):
            return Foreign("/owner", REGISTRAR, f"a record of type {_type(new)} is kept by the registrar")
    elif holder != authority:
        return Foreign("/owner", holder, f"the record belongs to {holder}")
    if new.owner != holder:
        return Foreign("/owner", holder, f"the record belongs to {holder}; a transfer alone changes its owner")
    by = getattr(new, "by", None)
    if by is None or speaks_for(authority, by, law):
        return None
    if authority == REGISTRAR and before is not None and getattr(before, "by", None) == by:
        return None
    spoken = commission_of(by, law) or by
    return Foreign("/by", spoken, f"{authority} does not speak for {by}")


def find_untransferable(new: AnyRecord, taker: str, law: Law) -> Foreign | None:
    """Return what stands against a record's going to another authority, if anything does."""
    by = getattr(new, "by", None)
    if isinstance(new, _LAW):
        if taker == REGISTRAR or _keeps_union_law(new, taker, taker, law):
            return None
        return Foreign("/owner", REGISTRAR, f"a record of type {_type(new)} is kept by the registrar")
    if by is None or taker == REGISTRAR or speaks_for(taker, by, law):
        return None
    return Foreign("/by", by, f"{taker} does not speak for {by}")


def _keeps_union_law(record: AnyRecord, holder: str, authority: str, law: Law) -> bool:
    """Whether a commission keeps a record of its own, about its own union."""
    own = law.authorities.get(authority)
    code = own.economy if own is not None else None
    if holder != authority or code is None or commission_of(code, law) != authority:
        return False
    if isinstance(record, Requirement):
        return record.economy == code
    if isinstance(record, Agreement):
        return code in record.parties
    return isinstance(record, Route) and all(
        (party if isinstance(party, str) else party.economy) == code for party in record.importer
    )


def _type(record: AnyRecord) -> str:
    return str(record.__struct_config__.tag)
