"""A register as it would be if one body, or one accreditation body, lost what it has: for looking ahead, never stored.

A body loses its rights: each right that it holds on the day gets the loss as an event. An accreditation body has
something else to lose: its signatory status in the arrangements, and the accreditations that it gave. What follows for
others is never said here: each route's own rule on accreditation says it, when the register that is made here is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import msgspec

from cab_registry.domain.days import NEVER, When, show_day
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.domain.records import Accreditation, Authority, Body, Designation, Recognition
from cab_registry.domain.records.law import Signatory
from cab_registry.domain.records.rights import RightEvent
from cab_registry.engine.facts import IssuerFacts, RightFacts, RightState
from cab_registry.register.compiled import Register, Versioned, change_register, subject_of
from cab_registry.services.describing import NameOf
from cab_registry.services.meant import list_meant
from cab_registry.services.naming import name_in
from cab_registry.services.views import NoSuchRecord

Loss = Literal["suspended", "withdrawn", "expired"]
What = Literal["status", "accreditations", "all"]
FIRST_DAY: Final = date(1900, 1, 1).toordinal()
LAST_DAY: Final = date(2999, 12, 31).toordinal()
_CURRENT: Final = frozenset((RightState.HELD, RightState.SUSPENDED, RightState.UNKNOWN))
"""States of which more can be lost; a suspension that is to be lifted counts, since it would not be lifted then."""

_MOST_NAMED: Final = 6
"""So many rights are named in the sentence; the list of changed records names all."""


class ImpossibleSupposition(Refusal):
    """The record cannot lose what is supposed: it is no body and no accreditation body, or has nothing to lose."""


@dataclass(frozen=True, slots=True)
class Supposed:
    """A register as it would be.

    Attributes:
        register: it; the register from which it was made is not touched.
        changed: ids of the records that differ.
        bodies: ids of the bodies and inspectorates whose answers may flip.
        words: what is supposed, in a sentence.
    """

    register: Register
    changed: tuple[str, ...]
    bodies: tuple[str, ...]
    words: str


def suppose(register: Register, record_id: str, loss: Loss, on: int, what: What = "all") -> Supposed:
    """Make the register in which a body, an inspectorate or an accreditation body loses what it has, from a day on.

    Rights and accreditations that are held, suspended or uncertain on the day get the loss as an event of that day, in
    full and imposed. What begins later, and what was lost before, stays as it is recorded. A signatory status ends the
    day before, whatever the loss is called; one that was to begin later does not begin. With an accreditation body go
    those that it succeeded and those that succeeded it by the day: their acts are its own.

    Args:
        register: the register from which it is made.
        record_id: id of the body, inspectorate or accreditation body.
        loss: what happens.
        on: the first day of it.
        what: for an accreditation body only. `status`: its signatory status, while its accreditations stand, so that
            routes which admit it by name, or admit any, still hold; `accreditations`: those that it gave, while it
            stays a signatory; `all`: both, and rights of its own.

    Raises:
        NoSuchRecord: there is no such record.
        ImpossibleSupposition: it is neither a body nor an accreditation body, or has nothing to lose on the day; or
            the day is out of all reason.
    """
    versioned = register.records.get(record_id)
    if versioned is None:
        meant = [each for each in list_meant(record_id, register.facts) if each in register.facts.issuers]
        raise NoSuchRecord("body or authority", record_id, meant)
    if not FIRST_DAY <= on <= LAST_DAY:
        span = f"lies between {show_day(FIRST_DAY)} and {show_day(LAST_DAY)}"
        raise ImpossibleSupposition("nothing is supposed for such a day", (Fault("/on", f"{span}, both included"),))
    if is_accreditation_body(register, record_id):
        return _suppose_accreditor(register, record_id, loss, on, what)
    issuer = register.facts.issuers.get(record_id)
    if issuer is None:
        kind = type(versioned.record).__name__.lower()
        raise ImpossibleSupposition(
            f"{record_id} is neither a body nor an accreditation body",
            (Fault("/record_id", f"is the id of a record of type {kind}; name a body or an authority"),),
        )
    if what != "all":
        raise ImpossibleSupposition(
            f"{record_id} is no accreditation body", (Fault("/what", "is for accreditation bodies; leave it out"),)
        )
    return _suppose_holder(register, issuer, loss, on)


def is_accreditation_body(register: Register, record_id: str) -> bool:
    """Whether a record is an authority that accredits: by its role, a signatory status, or an accreditation."""
    versioned = register.records.get(record_id)
    if versioned is None or not isinstance(versioned.record, Authority):
        return False
    authority = versioned.record
    return bool(authority.signatory) or "accrediting" in authority.roles or any(_given_by(register, {record_id}))


def _suppose_holder(register: Register, issuer: IssuerFacts, loss: Loss, on: int) -> Supposed:
    lost = list(_current(register, _rights(issuer), on))
    if not lost:
        raise ImpossibleSupposition(
            f"{issuer.id} has nothing to lose on {show_day(on)}", (Fault("/on", _say_nothing(register, issuer, on)),)
        )
    name_of = name_in(register)
    told = list(dict.fromkeys(_say_right(each.record, name_of) for each in lost))
    rights = "; ".join((*told[:_MOST_NAMED], *([f"and {len(told) - _MOST_NAMED} more"] * (len(told) > _MOST_NAMED))))
    return Supposed(
        change_register(register, _with_loss(lost, loss, on)),
        tuple(each.record.id for each in lost),
        _with_members(register, (issuer.id,)),
        f"{_say_holder(issuer)} loses {_say_count(len(lost), 'right')} ({rights}): {loss} from {show_day(on)} on.",
    )


def _suppose_accreditor(register: Register, record_id: str, loss: Loss, on: int, what: What) -> Supposed:
    line = line_of(register, record_id, on)
    authorities = [register.records[each] for each in sorted(line) if each in register.facts.authorities]
    ended = [each for each in authorities if any(_lapsing(each, on))] if what != "accreditations" else []
    given = list(_current(register, _given_by(register, line), on)) if what != "status" else []
    own = [
        each
        for key in sorted(line)
        if what == "all" and key in register.facts.issuers
        for each in _current(register, _rights(register.facts.issuers[key]), on)
    ]
    if not (ended or given or own):
        nothing = {"status": "no signatory status", "accreditations": "no accreditation"}.get(what, "nothing")
        raise ImpossibleSupposition(
            f"{record_id} has nothing to lose on {show_day(on)}",
            (Fault("/on", f"{nothing} of {record_id} is on record that it could lose from {show_day(on)} on"),),
        )
    lost = list({each.record.id: each for each in (*given, *own)}.values())
    changed = [*(_without_status(each, on) for each in ended), *_with_loss(lost, loss, on)]
    holders = dict.fromkeys((*(body for body, _ in _holders_of(register, line)), *map(_body_of, own)))
    return Supposed(
        change_register(register, changed),
        tuple(each.record.id for each in changed),
        _with_members(register, holders),
        _say_accreditor(register, record_id, (ended, given, own), loss, on)
        + (" The accreditations that it gave stand." if what == "status" else ""),
    )


def has_status(register: Register, line: Iterable[str], on: int) -> bool:
    """Whether one of these authorities has a signatory status, on a day or later, that it could lose."""
    found = (register.records[each] for each in line if each in register.facts.authorities)
    return any(any(_lapsing(each, on)) for each in found)


def line_of(register: Register, record_id: str, on: int) -> frozenset[str]:
    """Return an authority with those that it succeeded by a day, and those that succeeded it by then, however far.

    Not among them are other successors of those that it succeeded: they have become bodies of their own.
    """
    below: dict[str, set[str]] = {}
    above: dict[str, set[str]] = {}
    for key, authority in register.facts.authorities.items():
        for item in authority.succeeds:
            if item.on.earliest <= on:
                below.setdefault(key, set()).add(item.authority)
                above.setdefault(item.authority, set()).add(key)
    return frozenset({record_id} | _follow(below, record_id) | _follow(above, record_id))


def _follow(steps: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    open_ones = [start]
    while open_ones:
        fresh = steps.get(open_ones.pop(), set()) - found
        found |= fresh
        open_ones.extend(fresh)
    return found


def _body_of(versioned: Versioned) -> str:
    return subject_of(versioned.record) or versioned.record.id


def _rights(issuer: IssuerFacts) -> tuple[RightFacts, ...]:
    return (*issuer.recognitions, *issuer.designations, *issuer.accreditations)


def _holders_of(register: Register, line: Iterable[str]) -> Iterator[tuple[str, RightFacts]]:
    """Yield each accreditation that one of these gave, held or not, with its body."""
    givers = frozenset(line)
    for key, issuer in sorted(register.facts.issuers.items()):
        for right in issuer.accreditations:
            if right.by in givers:
                yield key, right


def _given_by(register: Register, line: Iterable[str]) -> Iterator[RightFacts]:
    return (right for _, right in _holders_of(register, line))


def _current(register: Register, rights: Iterable[RightFacts], on: int) -> Iterator[Versioned]:
    """Yield the records of the rights of which something can be lost on a day, each once."""
    told: set[str] = set()
    for right in rights:
        if right.record not in told and any(item.timeline(on).at(on).state in _CURRENT for item in right.items):
            told.add(right.record)
            yield register.records[right.record]


def _with_loss(lost: Iterable[Versioned], loss: Loss, on: int) -> Iterator[Versioned]:
    event = RightEvent(event=loss, on=When(on, on), kind=None if loss == "expired" else "imposed")
    for record, version in lost:
        if isinstance(record, Accreditation | Designation | Recognition):
            timeline = (*record.timeline, event)
            yield Versioned(msgspec.structs.replace(record, timeline=timeline), version + 1)


def _without_status(versioned: Versioned, on: int) -> Versioned:
    """Return an authority that is no signatory from a day on."""
    record, version = versioned
    if not isinstance(record, Authority):
        return versioned
    kept = tuple(_ended(each, on) for each in record.signatory if each.from_.earliest < on)
    return Versioned(msgspec.structs.replace(record, signatory=kept), version + 1)


def _ended(status: Signatory, on: int) -> Signatory:
    if status.period.end.latest < on:
        return status
    return msgspec.structs.replace(status, until=(status.until or NEVER).earlier_of(When(on - 1, on - 1)))


def _with_members(register: Register, holders: Iterable[str]) -> tuple[str, ...]:
    """Return holders with the members of umbrellas among them: what an umbrella holds, they hold."""
    found: dict[str, None] = {}
    for key in holders:
        found[key] = None
        authority = register.facts.authorities.get(key)
        found.update(dict.fromkeys(authority.members if authority is not None else ()))
    return tuple(key for key in found if key in register.facts.issuers)


def _say_holder(issuer: IssuerFacts) -> str:
    return issuer.name if issuer.economy is None else f"{issuer.name} ({issuer.economy})"


def _say_count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _say_right(record: object, name_of: NameOf) -> str:
    if not isinstance(record, Accreditation | Designation | Recognition):
        return ""
    kind = type(record).__name__.lower()
    ground = record.standard if isinstance(record, Accreditation) else name_of(record.agreement or record.scheme or "")
    return f"{kind} by {name_of(record.by)}" + (f", {ground}" if ground else "")


def _say_nothing(register: Register, issuer: IssuerFacts, on: int) -> str:
    umbrellas = register.facts.umbrellas.get(issuer.id, ())
    also = f"; what it uses is held by {', '.join(umbrellas)}" if umbrellas else ""
    noun = "body" if isinstance(register.records[issuer.id].record, Body) else "authority"
    return f"no right of the {noun} is held on {show_day(on)}{also}"


def _say_accreditor(
    register: Register,
    record_id: str,
    parts: tuple[list[Versioned], list[Versioned], list[Versioned]],
    loss: Loss,
    on: int,
) -> str:
    ended, given, own = parts
    name_of = name_in(register)
    issuer = register.facts.issuers.get(record_id)
    name = _say_holder(issuer) if issuer is not None else record_id
    said = []
    if ended:
        lapsing = {status.arrangement: None for each in ended for status in _lapsing(each, on)}
        said.append(f"{name} is no signatory of {', '.join(map(name_of, sorted(lapsing)))} from {show_day(on)} on")
    if given:
        verb = "is" if len(given) == 1 else "are"
        said.append(f"{_say_count(len(given), 'accreditation')} given by {name} {verb} {loss} from {show_day(on)} on")
    if own:
        said.append(f"{_say_count(len(own), 'right')} that it holds itself likewise")
    return f"{'; '.join(said)}."


def _lapsing(versioned: Versioned, on: int) -> Iterator[Signatory]:
    if isinstance(versioned.record, Authority):
        yield from (each for each in versioned.record.signatory if each.period.end.latest >= on)
