"""Whose entry counts where several records bear one number or one name: that of whoever has it to give, or of its home.

Nobody takes the number or the name of another by an entry of its own. A number is its bearer's whose record was entered
by those who give the numbers of the scheme. A name is an authority's, or that of a body that its own home entered,
whatever bodies others entered under it from elsewhere. What the registrar enters counts as entered by either.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cab_registry.domain.days import Period
from cab_registry.domain.schemes import find_owned
from cab_registry.engine.facts import Facts, IssuerFacts
from cab_registry.engine.representation import REGISTRAR

Bearing = tuple[str, str | None, Period]
"""Who bears a number, at which site, on which days."""


class Bearers(NamedTuple):
    """Who bears a number, and who only has it in a record of others than those who give it."""

    rows: list[Bearing]
    passed_over: tuple[str, ...] = ()


def gives_numbers(owner: str, scheme: str, value: str, facts: Facts) -> bool:
    """Whether somebody may enter a number of any body: it is of an economy that gives them, or of the one it names."""
    owned, own = find_owned(scheme, value), facts.economy_of(owner)
    if owner == REGISTRAR or owned is None:
        return True
    if own is None:
        return False
    return owned.economy == own or bool(set(owned.given_in) & facts.side_ever(own))


def choose_bearers(scheme: str, value: str, rows: Sequence[Bearing], facts: Facts) -> Bearers:
    """Return the bearers of a number that those entered who give it, where there are any; else all."""
    if len({body for body, _, _ in rows}) < 2:
        return Bearers(list(rows))
    given = [row for row in rows if gives_numbers(_owner_of(facts.issuers.get(row[0])), scheme, value, facts)]
    kept = {body for body, _, _ in given or rows}
    return Bearers(given or list(rows), tuple(sorted({body for body, _, _ in rows} - kept)))


def is_at_home(owner: str, economy: str | None, facts: Facts) -> bool:
    """Whether a record of a body or authority of an economy is entered by one of its own side, or by the registrar."""
    own = facts.economy_of(owner)
    if owner == REGISTRAR or economy is None:
        return True
    return own is not None and (own in facts.side_ever(economy) or economy in facts.side_ever(own))


def list_from_elsewhere(
    ids: Iterable[str], bearing: Iterable[str], facts: Facts, economy: str | None
) -> tuple[str, ...]:
    """Return the bodies that do not count beside others of one name.

    Args:
        ids: all who bear it, or may be meant by it.
        bearing: those of them who bear it on the day that counts.
        facts: what is known.
        economy: the economy that is stated; a body that its own home entered there is not passed over.
    """
    found, borne = [facts.issuers[key] for key in ids], set(bearing)
    offices = [each.economy for each in found if each.authority is not None]
    settled = any(each.body is not None and each.id in borne and _is_of_home(each, facts) for each in found)
    passed = []
    for each in found:
        if each.body is None:
            continue
        home = _is_of_home(each, facts)
        taken = any(not is_at_home(each.body.owner, office, facts) for office in offices)
        if (taken and not (home and each.economy == economy)) or (settled and not home):
            passed.append(each.id)
    return tuple(passed)


def _is_of_home(issuer: IssuerFacts, facts: Facts) -> bool:
    return is_at_home(_owner_of(issuer), issuer.economy, facts)


def _owner_of(issuer: IssuerFacts | None) -> str:
    record = (issuer.body or issuer.authority) if issuer is not None else None
    return record.owner if record is not None else REGISTRAR
