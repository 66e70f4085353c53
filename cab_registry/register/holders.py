"""Who may state in the record of a body who owns or directs it: its home, or who decides in a market of its own."""

from __future__ import annotations

from collections.abc import Iterator

from cab_registry.domain.errors import Fault
from cab_registry.domain.records import AnyRecord, Body
from cab_registry.engine.representation import REGISTRAR
from cab_registry.engine.say import Say, has_say
from cab_registry.register.compiled import Register
from cab_registry.register.offices import Doubt
from cab_registry.register.subjects import list_names


def find_doubts_of_body(before: AnyRecord | None, after: Body, register: Register) -> Iterator[Doubt]:
    """Yield what stands against new facts on who owns a body."""
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
