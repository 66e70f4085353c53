"""Names that are those of others, or look like them: told to who enters them and to whose name it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from cab_registry.domain.errors import Fault
from cab_registry.domain.folding import fold
from cab_registry.domain.lettering import outline
from cab_registry.domain.records import AnyRecord, Authority, Body
from cab_registry.domain.spelling import split_brackets
from cab_registry.engine.entered import is_at_home
from cab_registry.register.compiled import Register


class Bearer(NamedTuple):
    """Who bears a name."""

    id: str
    name: str


Bearers = Mapping[str, list[Bearer]]
"""Bearers by the outline of their names."""


class Alike(NamedTuple):
    """Two records of different owners with names that look alike; the first is the one that is told."""

    record: str
    name: str
    other: str
    other_name: str


def list_names_of(record: AnyRecord) -> Iterator[tuple[str, str]]:
    """Yield the names that a body or an authority bears, each after its JSON Pointer."""
    if isinstance(record, Body):
        for index, item in enumerate(record.names):
            yield f"/names/{index}", item.name
    elif isinstance(record, Authority):
        for tag, name in record.names.items():
            yield f"/names/{tag}", name
        for index, name in enumerate(record.other_names):
            yield f"/other_names/{index}", name


def index_bearers(register: Register) -> Bearers:
    """Return who bears which names."""
    found: defaultdict[str, list[Bearer]] = defaultdict(list)
    for record, _ in register.records.values():
        for _, name in list_names_of(record):
            found[outline(name)].append(Bearer(record.id, name))
    return found


def find_lookalikes(record: AnyRecord, earlier: AnyRecord | None, bearers: Bearers, register: Register) -> list[Fault]:
    """List new names that are those of others, or look like them; the same name in one economy is told elsewhere."""
    known = {name for _, name in list_names_of(earlier)} if earlier is not None else set()
    found = []
    for pointer, name in list_names_of(record):
        for bearer in dict.fromkeys(bearers.get(outline(name), ())) if name not in known else ():
            if bearer.id == record.id or _is_told(record, name, bearer, register):
                continue
            how = "has the same name" if fold(bearer.name) == fold(name) else "has a name that looks like it"
            text = f"{bearer.id!r} {how}, {bearer.name!r}: is {name!r} meant to be another one?"
            found.append(Fault(pointer, text))
    return found


def find_borrowed(
    record: Body | Authority, earlier: AnyRecord | None, bearers: Bearers, register: Register
) -> Iterator[Fault]:
    """Yield new names of a body that are those of an authority of another economy than its enterer's, or look so."""
    known = {name for _, name in list_names_of(earlier)} if earlier is not None else set()
    if not isinstance(record, Body):
        return
    for pointer, name in list_names_of(record):
        for bearer in _offices_called(name, bearers, register) if name not in known else ():
            office = register.records[bearer.id].record
            if isinstance(office, Authority) and not is_at_home(record.owner, office.economy, register.facts):
                text = f"{bearer.id!r}, an authority of {office.economy}, is called {bearer.name!r}"
                hint = "enter the name in full, or let an authority there or the registrar enter the body"
                yield Fault(pointer, f"{text}, and {record.owner} is not of {office.economy}: {hint}")
                break


def _offices_called(name: str, bearers: Bearers, register: Register) -> Iterator[Bearer]:
    """Yield the authorities that have a name; so may one that is named with its acronym in brackets behind it."""
    base, word = split_brackets(name)
    alike = [bearer for bearer in bearers.get(outline(name), ()) if bearer.id in register.law.authorities]
    yield from alike
    for bearer in bearers.get(outline(base), ()) if word is not None else ():
        issuer = register.facts.issuers.get(bearer.id)
        called = {outline(each.name) for each in issuer.called} if issuer is not None else set()
        if bearer.id in register.law.authorities and outline(word or "") in called:
            yield bearer


def list_alike(register: Register, authority: str) -> list[Alike]:
    """List what of an authority's, or what the authority itself is called, is called alike by a record of others."""
    found: list[Alike] = []
    for bearers in index_bearers(register).values():
        if len(bearers) > 1:
            found.extend(_told(bearers, register, authority))
    return sorted(set(found))


def _told(bearers: list[Bearer], register: Register, authority: str) -> Iterator[Alike]:
    owners = {each.id: register.records[each.id].record.owner for each in bearers}
    for own in bearers:
        for other in bearers:
            theirs = own.id == authority or owners[own.id] == authority
            if theirs and other.id != own.id and owners[other.id] not in (authority, owners[own.id]):
                yield Alike(own.id, own.name, other.id, other.name)


def _is_told(record: AnyRecord, name: str, bearer: Bearer, register: Register) -> bool:
    held = register.records[bearer.id].record
    both = isinstance(record, Body) and isinstance(held, Body) and record.economy == held.economy
    return both and fold(name) == fold(bearer.name)
