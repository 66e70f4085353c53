"""Who acts, whether an authority was in office on a day, and whether it is one that accredits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cab_registry.domain.days import Period, When
from cab_registry.domain.errors import Fault
from cab_registry.domain.records import Accreditation, Coverage, Notice, Position
from cab_registry.engine.representation import REGISTRAR
from cab_registry.register.compiled import Register
from cab_registry.register.compiled_rights import AnyRight
from cab_registry.register.subjects import list_names


class Doubt(NamedTuple):
    """What stands against a record; where the data leave it open, a stated reason settles it."""

    fault: Fault
    left_open: bool = False


def actor_of(record: AnyRight | Coverage | Notice | Position, register: Register) -> str:
    """Return who acts: the authority that is named or, where a party or an economy is, the one that speaks for it.

    The registrar speaks for nobody: what it enters of a party is told as the party's own act.
    """
    by = record.by or record.owner
    speaker = record.owner if by in register.facts.economies else by
    return speaker if speaker in register.law.authorities and speaker != REGISTRAR else by


def economies_of(right: AnyRight, register: Register) -> frozenset[str]:
    """Return the economies of the body's seat and of the one site for which a right is given, a region's state too."""
    issuer = register.facts.issuers.get(right.body)
    if issuer is None:
        return frozenset()
    sites = issuer.body.sites if issuer.body is not None else ()
    found = {issuer.economy, *(site.economy for site in sites if site.key == right.site)}
    codes = {code for code in found if code is not None}
    return frozenset((*codes, *(register.facts.state_of(code) for code in codes)))


def list_out_of_office(right: AnyRight, days: Iterable[When], register: Register) -> Iterator[Doubt]:
    """Yield that an authority acts on a day on which it was not there yet, or not any more.

    Where the register does not say when it was there, a successor proves nothing: one may follow in part only.
    """
    by = actor_of(right, register)
    authority = register.law.authorities.get(by)
    if authority is None or not authority.active:
        return
    for day in days:
        if not any(meets(item.period, day) for item in authority.active):
            yield Doubt(Fault("/by", f"{by} was not in office on {day}{_in_its_place(by, day, register)}"))
            return


def _in_its_place(by: str, day: When, register: Register) -> str:
    """Name the predecessor or successor that was in office on a day."""
    for key in sorted(register.facts.same_authority(by) - {by}):
        other = register.law.authorities.get(key)
        if other is not None and any(meets(item.period, day) for item in other.active):
            return f"; {key} was"
    return ""


def meets(period: Period, day: When) -> bool:
    """Whether a period and a day, either of which may be a window, may meet."""
    return period.start.earliest <= day.latest and day.earliest <= period.end.latest


def list_not_accrediting(right: Accreditation, register: Register) -> Iterator[Doubt]:
    """Yield that whoever accredits is no accreditation body."""
    authority = register.law.authorities.get(right.by)
    if authority is None or accredits(right.by, register):
        return
    seats = economies_of(right, register)
    there = sorted(
        key
        for key, other in register.law.authorities.items()
        if other.economy in seats and "accrediting" in other.roles
    )
    hint = f"; accreditation bodies in {list_names(seats)}: {list_names(there)}" if there else ""
    if not authority.roles:
        text = f"the register does not say that {right.by} is an accreditation body{hint}"
        yield Doubt(Fault("/by", text), left_open=True)
        return
    yield Doubt(
        Fault("/by", f"{right.by} is not an accreditation body; its role is {list_names(authority.roles)}{hint}")
    )


def list_not_accredited(right: Accreditation, register: Register) -> Iterator[Doubt]:
    """Yield that an authority is accredited: an inspectorate is recognised, and an accreditation gives no say on it."""
    issuer = register.facts.issuers.get(right.body)
    if issuer is not None and issuer.authority is not None:
        text = f"{right.body} is an authority: it is recognised, not accredited"
        yield Doubt(Fault("/body", text))


def accredits(by: str, register: Register) -> bool:
    """Whether an authority is an accreditation body."""
    authority = register.law.authorities.get(by)
    return authority is not None and ("accrediting" in authority.roles or bool(authority.signatory))
