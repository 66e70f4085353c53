"""Scope items held against what routes cover: rules, kinds of result, procedures, product classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from cab_registry.domain.errors import Fault
from cab_registry.domain.records import Requirement
from cab_registry.domain.records.rights import ScopeItem
from cab_registry.engine.facts import Facts, RouteFacts

_MOST_NAMED: Final = 8


def find_unfit_items(
    items: Iterable[tuple[int, ScopeItem]], routes: Sequence[RouteFacts], facts: Facts, ground: str
) -> Iterator[tuple[Fault, bool]]:
    """Yield what of a right's items no route covers, each with whether the agreement leaves it open.

    Args:
        items: with their places in the record.
        routes: that reach the body, and of which the authority is one that gives the right.
        facts: of the register.
        ground: what the routes rest on, as sentences name it.
    """
    for index, item in items:
        pointer = f"/scope/{index}"
        fitting = routes
        requirement = facts.requirements.get(item.requirement or "")
        if requirement is not None:
            fitting = [rf for rf in routes if _covers(rf, requirement, facts)]
            if not fitting:
                message, left_open = _uncovered(requirement, routes, ground)
                yield Fault(f"{pointer}/requirement", message), left_open
                continue
        for name, claimed, covered in (
            ("result_kinds", set(item.result_kinds), [rf.result_kinds for rf in fitting]),
            ("procedures", set(item.procedures), [rf.procedures for rf in fitting]),
            ("product_classes", set(item.product_classes), [_classes(rf) for rf in fitting]),
        ):
            if claimed and all(taken and not claimed & taken for taken in covered):
                there = list_names({each for taken in covered for each in taken})
                text = f"{ground} does not cover {list_names(claimed)}; it covers: {there}"
                yield Fault(f"{pointer}/{name}", text), False


def _covers(rf: RouteFacts, requirement: Requirement, facts: Facts) -> bool:
    if not rf.listed:
        return not rf.sectors or requirement.sector is None or requirement.sector in rf.sectors
    wider = facts.spell(requirement.id)
    return any(
        name in wider or requirement.id in facts.spell(name)
        for key, listed in rf.listed.items()
        for name in (key, *listed.held_as)
    )


def _uncovered(requirement: Requirement, routes: Sequence[RouteFacts], ground: str) -> tuple[str, bool]:
    """Say what is covered instead; a rule of the market and the sector that is not listed is left open."""
    listed = {key for rf in routes for key in rf.listed}
    sectors = {sector for rf in routes for sector in rf.sectors}
    importers = {code for rf in routes for code in rf.importer_codes}
    about = f" ({requirement.sector})" if requirement.sector else ""
    text = f"{ground} does not cover {requirement.id}{about}; it covers: {list_names(listed or sectors)}"
    same_sector = requirement.sector is None or not sectors or requirement.sector in sectors
    return text, same_sector and (requirement.economy is None or requirement.economy in importers)


def _classes(rf: RouteFacts) -> frozenset[str]:
    items = (ruled.item for every in rf.classes.values() for ruled in every)
    return frozenset(name for item in items for name in (item.product_class, *item.held_as))


def list_names(names: Iterable[str]) -> str:
    """Write names in a row: codes without their underscores, the first few of many."""
    found = list(dict.fromkeys(names)) if isinstance(names, list | tuple) else sorted(set(names))
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return ", ".join(found[:_MOST_NAMED]).replace("_", " ") + more


def join_names(names: Iterable[str]) -> str:
    """Write names of which any one will do."""
    found = list(dict.fromkeys(names)) if isinstance(names, list | tuple) else sorted(set(names))
    return " or ".join(found).replace("_", " ")
