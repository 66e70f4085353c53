"""An act stands for those that it replaced."""

from __future__ import annotations

import re

from cab_registry.engine.meaning import find_rule
from tests.engine.whole import whole

SAYS = re.compile(r"(?:replaced by|, before) ((?:Regulation |Directive )?\(?[A-Z0-9][^,;]*?)(?: on \d{4}|;|$)")


def test_an_act_succeeds_those_of_which_the_title_says_that_it_came_after_them() -> None:
    facts = whole().facts
    told = [(key, hit[1]) for key, record in facts.requirements.items() if (hit := SAYS.search(record.title))]
    assert len(told) > 25
    for old, citation in told:
        later = {key for key in find_rule(citation, facts).ids if key != old}
        assert any(old in facts.requirements[key].succeeds for key in later), (old, citation)


def test_spread_spectrum_equipment_went_from_one_mexican_standard_to_the_next() -> None:
    assert whole().facts.requirements["mx-ift-008-2015"].succeeds == ("mx-nom-121",)
