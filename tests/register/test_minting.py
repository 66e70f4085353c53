"""Ids are minted from letters of every script, never empty, never shared."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cab_registry.register.minting import find_contradiction, mint_id, slug

ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def body(name: str, economy: str = "JP", **more: Any) -> dict[str, Any]:
    return {"type": "body", "names": [{"name": name, "from": "always"}], "economy": economy, **more}


def free(_: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("one", "other", "economy"),
    [
        ("検査株式会社", "試験研究所", "JP"),
        ("A&B", "A+B", "DE"),
        ("시험원", "검사소", "KR"),
        ("Лаборатория", "Институт", "BG"),
        ("Δοκιμές", "Έλεγχος", "GR"),
        ("مختبر", "معهد", "AE"),
        ("★", "☆", "JP"),
    ],
)
def test_two_names_without_a_number_have_two_ids(one: str, other: str, economy: str) -> None:
    first, second = mint_id(body(one, economy), free), mint_id(body(other, economy), free)
    assert first != second
    for found in (first, second):
        assert found is not None
        assert ID.fullmatch(found)
        assert found.endswith(f"-{economy.lower()}")
        assert found != economy.lower()


def test_known_ids_stay() -> None:
    assert slug("Prüfstelle Süd GmbH", "DE") == "prufstelle-sud-gmbh-de"
    assert slug("Straße", "DE") == "strasse-de"
    assert slug("Łódź", "PL") == "lodz-pl"
    numbered = body("x", identifiers=[{"scheme": "fcc-designation", "value": "KR1005"}])
    assert mint_id(numbered, free) == "fcc-designation-kr1005"


def test_spellings_of_a_number_have_one_id() -> None:
    spelled = [body("x", identifiers=[{"scheme": "nando", "value": value}]) for value in ("51", "NB 0051", "0051")]
    assert {mint_id(each, free) for each in spelled} == {"nando-0051"}


def test_a_taken_id_is_not_shared() -> None:
    assert mint_id(body("A&B", "DE"), {"a-and-b-de"}.__contains__) == "a-and-b-de-2"


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=300))
def test_every_name_gives_an_id_or_nothing(name: str) -> None:
    found = mint_id(body(name), free)
    assert found is None or (ID.fullmatch(found) and len(found) <= 120 and found != "jp")
    assert found is not None or not name.strip() or not name.isprintable()


def test_a_body_with_another_name_or_number_is_named_with_both() -> None:
    held = body("検査株式会社") | {"id": "jian-cha-jp"}
    other = find_contradiction(held, body("試験研究所"))
    assert other is not None
    assert "検査株式会社" in other
    assert "試験研究所" in other
    assert find_contradiction(held, body("検査㈱")) is None
    numbered = body("Lab", identifiers=[{"scheme": "nando", "value": "0051"}])
    clash = find_contradiction(numbered, body("Lab", identifiers=[{"scheme": "nando", "value": "52"}]))
    assert clash is not None
    assert "0051" in clash
    assert "0052" in clash
    assert find_contradiction(numbered, body("Lab", identifiers=[{"scheme": "nando", "value": "51"}])) is None
