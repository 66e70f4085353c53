"""Words of a rule in a table: read as a question's words are, and a part of a rule never taken for all of it."""

from collections.abc import Callable

import pytest

from cab_cli.planning import Unsettled
from cab_cli.register_words import settle_rules
from cab_registry.services.cases import ScratchRegisters


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("us-47cfr-15c", "us-47cfr-15c"),
        ("47 CFR Part 15 Subpart C", "us-47cfr-15c"),
        ("47 CFR Part 15, Subpart C", "us-47cfr-15c"),
        ("FCC Part 15C", "us-47cfr-15c"),
        ("47CFR15C", "us-47cfr-15c"),
    ],
)
def test_a_rule_is_found_by_its_citation(packaged_law: ScratchRegisters, written: str, rule: str) -> None:
    assert settle(packaged_law)(written) == rule


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("47 CFR 15.247", "is a part of us-47cfr-15c (47 CFR Part 15 Subpart C)"),
        ("47 CFR § 15.247", "if all of that is meant, write us-47cfr-15c"),
        ("us-47cfr-15c, us-47cfr-15b", "is not a rule"),
        ("no such rule at all", "is not a rule"),
    ],
)
def test_a_part_of_a_rule_is_not_all_of_it(packaged_law: ScratchRegisters, written: str, why: str) -> None:
    found = settle(packaged_law)(written)
    assert isinstance(found, Unsettled)
    assert why in found.words


def settle(law: ScratchRegisters) -> Callable[[str], str | Unsettled]:
    return settle_rules(law.base(None).facts.requirements.values())
