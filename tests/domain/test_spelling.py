"""Other spellings of a name lead to its bearer: umlauts as two letters, no legal form, an acronym in brackets."""

# ruff: noqa: RUF001 - letters and signs of other scripts are meant

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cab_registry.domain.folding import fold, fold_words
from cab_registry.domain.spelling import (
    asked_keys,
    drop_forms,
    fold_spellings,
    narrow_spellings,
    other_keys,
    split_brackets,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("TÜV SÜD", "TUEV SUED"),
        ("TÜV SÜD", "TUEV SÜD"),
        ("Bezirksregierung Köln", "Bezirksregierung Koeln"),
        ("Regierungspräsidium Tübingen", "REGIERUNGSPRAESIDIUM TUEBINGEN"),
        ("Sønderborg Prøvning", "Soenderborg Proevning"),
        ("Ålborg", "Aalborg"),
        ("Überprüfungsbehörde für Öl und Gas in Thüringen", "Ueberpruefungsbehoerde fuer Oel und Gas in Thueringen"),
    ],
)
def test_umlauts_are_also_spelled_with_two_letters(one: str, other: str) -> None:
    assert fold(other) in fold_spellings(one)
    assert fold(one) in narrow_spellings(other)


@given(st.text(min_size=1))
def test_the_fold_itself_is_the_first_spelling(text: str) -> None:
    assert fold_spellings(text)[0] == narrow_spellings(text)[0] == fold(text)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("State Institute for Drug Control (SUKL)", ("State Institute for Drug Control", "SUKL")),
        ("Finnish Medicines Agency （Fimea）", ("Finnish Medicines Agency", "Fimea")),
        ("TÜV SÜD (UK medical devices approved body)", ("TÜV SÜD (UK medical devices approved body)", None)),
        ("AUDIX Technology (Shenzhen) Co., Ltd.", ("AUDIX Technology (Shenzhen) Co., Ltd.", None)),
        ("(SUKL)", ("(SUKL)", None)),
        ("SUKL", ("SUKL", None)),
    ],
)
def test_an_acronym_in_brackets_is_split_off(name: str, parts: tuple[str, str | None]) -> None:
    assert split_brackets(name) == parts


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("GMED", "GMED SAS"),
        ("TÜV SÜD Product Service", "TÜV SÜD Product Service GmbH"),
        ("TUEV SUED Product Service", "TÜV SÜD Product Service GmbH"),
        ("Mueller Pruefung", "Müller Prüfung GmbH"),
        ("Müller Prüfung GmbH", "Mueller Pruefung GmbH"),
        ("KCTL", "KCTL주식회사"),
        ("検査", "㈱検査"),
        ("Drug Agency", "Drug Agency (BDA)"),
        ("Drug Agency (BDA)", "Drug Agency"),
    ],
)
def test_a_name_is_found_beside_its_own_key(asked: str, name: str) -> None:
    assert asked_keys(asked) & {fold(name), *other_keys(name, fold_words(name))}


def test_a_legal_form_is_one_word_wherever_it_stands() -> None:
    assert drop_forms(fold_words("㈱KCTL")) == drop_forms(fold_words("KCTL주식회사")) == "kctl"
    assert drop_forms(fold_words("北京检验有限公司")) == "北京检验"
    assert drop_forms("gmbh") == "gmbh"
