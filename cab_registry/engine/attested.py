"""What a document attests beside the rule asked about: which of it stands for that rule on a route."""

from __future__ import annotations

from collections.abc import Iterator

from cab_registry.domain.days import Truth
from cab_registry.engine.facts import Facts, RouteFacts
from cab_registry.engine.inquiry import Inquiry


def stand_for(inquiry: Inquiry, rf: RouteFacts) -> tuple[str, ...]:
    """Return the attested rules on which a route judges the result.

    The rule asked about, or one that holds it as a part, stands for itself. Else it is each attested rule that the
    route lists and that is a part of it, an act that it replaced, or one that the route puts in its place.
    """
    asked, attested = inquiry.requirements, inquiry.attests
    facts = inquiry.facts
    if any(set(attested) & facts.spell(rule) for rule in asked):
        return asked
    listed = [rule for rule in attested if not rf.listed or not facts.spell(rule).isdisjoint(rf.listed)]
    return tuple(rule for rule in listed if any(_takes_place(facts, rf, rule, other) for other in asked))


def stand_in(inquiry: Inquiry, rf: RouteFacts) -> bool:
    """Whether an attested act reaches a route that lists it, and not the later act asked about."""
    asked = inquiry.requirements
    return bool(inquiry.attests) and stand_for(inquiry, rf) not in ((), asked)


def _takes_place(facts: Facts, rf: RouteFacts, attested: str, asked: str) -> bool:
    if asked in facts.spell(attested):
        return True
    if asked in _put_in_place(facts, rf, attested):
        return True
    own = _held_as(facts, rf, attested)
    if asked in own or attested in _held_as(facts, rf, asked):
        return True
    return any(attested == old or old in own for old in replaced(facts, asked))


def _held_as(facts: Facts, rf: RouteFacts, rule: str) -> frozenset[str]:
    """Return the rules under which a route lets the body hold its rights for this one."""
    found = (rf.listed[wider].held_as for wider in facts.spell(rule) if wider in rf.listed)
    return frozenset[str]().union(*found)


def _put_in_place(facts: Facts, rf: RouteFacts, attested: str) -> frozenset[str]:
    """Return the market's own rules in whose place a route puts one that a document attests."""
    found = (rf.listed[wider].item.instead_of for wider in facts.spell(attested) if wider in rf.listed)
    return frozenset[str]().union(*found)


def replaced(facts: Facts, rule: str) -> Iterator[str]:
    """Yield the acts that a rule replaced, and those that these had replaced."""
    todo, seen = [rule], {rule}
    while todo:
        record = facts.requirements.get(todo.pop())
        for old in record.succeeds if record is not None else ():
            if old not in seen:
                seen.add(old)
                todo.append(old)
                yield old


def judge_attests(inquiry: Inquiry, rf: RouteFacts) -> Truth:
    """Whether what the document attests stands for the rule asked about; open where a rule is not in the register."""
    if not inquiry.attests or not inquiry.requirements or stand_for(inquiry, rf):
        return Truth.YES
    known = inquiry.facts.requirements
    return Truth.NO if all(rule in known for rule in inquiry.attests) else Truth.UNKNOWN
