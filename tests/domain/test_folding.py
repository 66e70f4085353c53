"""One fold for names, in the engine, in search and on import."""

# ruff: noqa: RUF001 - letters and signs of other scripts are meant

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cab_registry.domain.folding import find_folded, fold, fold_words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("TÜV SÜD Product Service GmbH", "tuv sud product service G.m.b.H."),
        ("TÜV SÜD Product Service GmbH", "TÜV SÜD Product Service Gesellschaft mit beschränkter Haftung"),
        ("VDE Prüf- und Zertifizierungsinstitut", "VDE Prüf und Zertifizierungsinstitut"),
        ("Bureau Veritas Consumer Products Services, Inc.", "Bureau Veritas Consumer Products Services Inc"),
        ("Kiwa Nederland B.V.", "KIWA NEDERLAND BV"),
        ("Straße", "STRASSE"),
        ("Zakład Łódź Sp. z o.o.", "Zaklad Lodz spółka z ograniczoną odpowiedzialnością"),
        ("Søren Ærø A/S", "Soren Aero Aktieselskab"),
        ("Œuvre Þór", "Oeuvre Thor"),
        ("Işık Ltd. Şti.", "Isik Limited Şirketi"),
        ("ＵＬ　Ｊａｐａｎ", "UL Japan"),
        ("UL\u00a0Japan\u200b", "UL Japan"),
        ("In\u00adtertek", "Intertek"),
        ("\u202aIntertek\u202c", "Intertek"),
        ("Hsin Chu Laboratory", "Hsinchu Laboratory"),
        ("㈱検査", "株式会社検査"),
        ("（株）検査", "株式会社検査"),
        ("㈜테스트", "주식회사 테스트"),
        ("A & B Testing", "A and B Testing"),
        ("SGS Testing Co., Ltd.", "SGS Testing Company Limited"),
        ("L'Institut", "L’Institut"),
        ("Société Anonyme Essais", "S.A. Essais"),
        ("Елена й", "елена и"),
        ("ﾃｽﾄ", "テスト"),
    ],
)
def test_spellings_of_one_name_have_one_fold(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A&B", "A+B"),
        ("検査株式会社", "試験研究所"),
        ("バイテスト", "ハイテスト"),
        ("Prüf GmbH", "Prüf AG"),
        ("Testing Ltd", "Testing Inc"),
        ("A=B", "A+B"),
        ("परीक्षण", "परक्षण"),
        ("Lab 1", "Lab 2"),
    ],
)
def test_two_names_have_two_folds(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(st.text(min_size=1))
def test_a_fold_is_total_stable_and_empty_for_blanks_only(text: str) -> None:
    once = fold(text)
    assert fold(once) == once or not once.isalnum()
    assert fold_words(text).replace(" ", "") == once.replace(" ", "")


@given(st.text(st.characters(categories=("L", "N")), min_size=1))
def test_no_name_of_letters_folds_to_nothing(text: str) -> None:
    assert fold(text)


def test_keys_are_found_by_code_by_name_and_by_fold() -> None:
    names = {
        "GB": ["United Kingdom", "UK", "Great Britain"],
        "GR": ["Greece", "EL"],
        "TW": ["Taiwan", "Chinese Taipei"],
        "HK": ["Hong Kong", "Hong Kong, China"],
        "NA": ["Namibia"],
        "AA": ["Twin"],
        "BB": ["Twin"],
    }
    assert find_folded("UK", names) == ("GB",)
    assert find_folded("el", names) == ("GR",)
    assert find_folded("chinese taipei", names) == ("TW",)
    assert find_folded("Hong Kong (China)", names) == ("HK",)
    assert find_folded("na", names) == ("NA",)
    assert find_folded("twin", names) == ("AA", "BB")
    assert find_folded("Atlantis", names) == ()


def test_numbers_beside_each_other_stay_two() -> None:
    assert fold("Laboratory 1-11") == fold("laboratory 1/11")
    assert len({fold(f"Laboratory {number}") for number in ("1-11", "11-1", "111")}) == 3
    assert fold("Hsin Chu 2") == fold("Hsinchu2")
