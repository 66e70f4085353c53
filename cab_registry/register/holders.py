"""Who may state what in the record of a body.

Who owns or directs it is stated by its home, or by who decides in a market of its own. Where it is and of what kind,
once others gave it rights that rest on this, is changed by its home alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from cab_registry.domain.errors import Fault
from cab_registry.domain.records import Accreditation, AnyRecord, Body, Designation, Recognition
from cab_registry.engine.entered import is_at_home
from cab_registry.engine.representation import REGISTRAR
from cab_registry.engine.say import Say, has_say
from cab_registry.register.compiled import Register
from cab_registry.register.offices import Doubt
from cab_registry.register.subjects import list_names


def find_doubts_of_body(before: AnyRecord | None, after: Body, register: Register) -> Iterator[Doubt]:
    """Yield what stands against new facts on who owns a body, and on where it is and of what kind."""
    if isinstance(before, Body):
        yield from _moved(before, after, register)
    known = before.ownership if isinstance(before, Body) else ()
    new = [index for index, fact in enumerate(after.ownership) if fact not in known]
    if not new or after.owner == REGISTRAR or after.owner not in register.law.authorities:
        return
    own = register.facts.economy_of(after.owner)
    codes = (after.economy, *(site.economy for site in after.sites))
    homes = frozenset[str]().union(*(register.facts.side_ever(code) for code in codes))
    if own in homes or (own is not None and has_say(after.owner, (), register.facts) is Say.YES):
        return
    text = f"{after.owner} is not of {list_names(codes)}, where {after.id} is, and decides on no results of bodies"
    for index in new:
        yield Doubt(Fault(f"/ownership/{index}", f"{text}: leave the fact out, or let an authority there state it"))


def _moved(before: Body, after: Body, register: Register) -> Iterator[Doubt]:
    """Yield the facts on which rights of others rest, and which the body's home did not change."""
    if is_at_home(after.owner, before.economy, register.facts):
        return
    others = sorted({owner for owner in _givers(after, register) if owner != after.owner})
    if not others:
        return
    text = f"{list_names(others)} gave {after.id} a right, and {after.owner} is not of {before.economy}, where it is"
    hint = f"ask an authority of {before.economy} or the registrar to change this, and transfer the record for it"
    for pointer in _changed(before, after):
        yield Doubt(Fault(pointer, f"{text}: {hint}"))


def _givers(body: Body, register: Register) -> Iterator[str]:
    for record, _ in register.records_of(body.id):
        if isinstance(record, Accreditation | Designation | Recognition):
            yield record.owner


def _changed(before: Body, after: Body) -> Iterator[str]:
    if after.economy != before.economy:
        yield "/economy"
    if frozenset(after.kinds) != frozenset(before.kinds):
        yield "/kinds"
    one, two = ({(site.key, site.economy) for site in each.sites} for each in (before, after))
    if one != two:
        yield "/sites"
