"""Words outside a question are read as in one: of the market, of what narrows a list, of an id."""

from __future__ import annotations

from typing import Any

import pytest

from cab_registry.domain.folding import fold
from cab_registry.engine.facts import Facts
from cab_registry.engine.meaning import find_economy
from cab_registry.register.catalogue import load_catalogue
from cab_registry.register.compiled import Versioned, compile_register
from cab_registry.services.markets import find_economies, find_market_fault
from cab_registry.services.meant import find_agreement, find_one, list_meant
from cab_registry.services.narrowing import Narrowing
from cab_registry.services.views import WrongParameters


@pytest.fixture(scope="module")
def facts() -> Facts:
    return compile_register([Versioned(entry.record, 1) for entry in load_catalogue()]).facts


def test_every_name_of_an_economy_leads_to_it_alone_at_the_door_and_in_the_engine(facts: Facts) -> None:
    for code, economy in facts.economies.items():
        for name in (code, code.lower(), *economy.names.values(), *economy.other_names):
            assert find_economy(name, facts).id == code, name
            assert find_economies(name, facts.economies) == (code,), name
            assert (find_market_fault("", name, facts.economies) is None) == economy.is_market


def test_no_name_of_an_economy_is_the_code_of_another(facts: Facts) -> None:
    codes = {fold(code) for code in facts.economies}
    for code, economy in facts.economies.items():
        assert not {fold(name) for name in economy.other_names} & (codes - {fold(code)})
    assert find_economy("NI", facts).ids == ()


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("Koera", ("KR",)),
        ("Untied States", ("US",)),
        ("United", ("AE", "GB", "US")),
        *((text, ()) for text in ("TPE", "Nigeria", "Namibia", "Jersey", "Guinea", "Dominica", "North Korea", "Niger")),
    ],
)
def test_economies_are_suggested_where_they_are_really_near(text: str, near: tuple[str, ...], facts: Facts) -> None:
    fit = find_economy(text, facts)
    assert (fit.how, fit.ids) == ("near" if near else "unknown", near)


@pytest.mark.parametrize(
    ("method", "text", "meant"),
    [
        ("economy", "Chinese Taipei", "TW"),
        ("economy", "EL", "GR"),
        ("sector", "Telecom radio", "telecom_radio"),
        ("requirement", "RED", "eu-red-2014-53"),
        ("scheme", "CE", "nando"),
        ("authority", "FDA", "us-fda"),
        ("authority", "US-FDA", "us-fda"),
        ("authority", "UK", "GB"),
        ("agreement", "US-EU MRA", "us-eu-mra"),
        ("body", "nando-51", "nando-0051"),
        ("body", "nando:0051", "nando-0051"),
        ("body", "MHRA", "gb-mhra"),
    ],
)
def test_words_are_brought_to_ids_and_codes(method: str, text: str, meant: str, facts: Facts) -> None:
    narrowing = Narrowing(facts)
    assert getattr(narrowing, method)("part", text) == meant
    narrowing.close()


@pytest.mark.parametrize("method", ["economy", "sector", "requirement", "scheme", "authority", "agreement", "body"])
def test_words_that_name_nothing_are_a_fault(method: str, facts: Facts) -> None:
    narrowing: Any = Narrowing(facts)
    assert getattr(narrowing, method)("part", "qqqq") is None
    assert getattr(narrowing, method)("part", None) is None
    with pytest.raises(WrongParameters) as refused:
        narrowing.close()
    (fault,) = refused.value.faults
    assert fault.pointer == "/part"
    assert fault.message.startswith("unknown ")


def test_an_id_that_the_register_once_had_is_kept(facts: Facts) -> None:
    narrowing = Narrowing(facts, {"gone-lab"}.__contains__)
    assert narrowing.body("body", "gone-lab") == "gone-lab"
    narrowing.close()


def test_who_is_meant_is_found_among_those_who_count(facts: Facts) -> None:
    assert find_one("FDA", facts, facts.authorities).ids == ("us-fda",)
    assert find_one("FDA", facts, ()).how == "unknown"
    assert find_agreement("us eu mra", facts).ids == ("us-eu-mra",)
    assert list_meant("US-FDA", facts) == ("us-fda",)
    assert list_meant("Germany", facts)[0] == "de"
    assert list_meant("qqqq", facts) == ()
