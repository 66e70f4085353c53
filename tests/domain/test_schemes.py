"""Identifiers are compared in the canonical form of their scheme."""

# ruff: noqa: RUF001 - letters and signs of other scripts are meant

from __future__ import annotations

import pytest

from cab_registry.domain.schemes import (
    SCHEMES,
    canonical_form,
    canonise,
    find_scheme,
    list_numbers,
    read_numbers,
    states_number,
)


@pytest.mark.parametrize(
    ("scheme", "written", "canonical"),
    [
        ("nando", "51", "0051"),
        ("nando", "NB 51", "0051"),
        ("nando", "NB-0051", "0051"),
        ("nando", "0051 ", "0051"),
        ("nando", "CE 0051", "0051"),
        ("nando", "No. 51", "0051"),
        ("nando", "００５１", "0051"),
        ("nando", "0051\u200b", "0051"),
        ("ukmcab", "86", "0086"),
        ("ukmcab", "AB 0086", "0086"),
        ("fcc-designation", "kr0000", "KR0000"),
        ("fcc-designation", "KR 0000", "KR0000"),
        ("fcc-designation", "KR-0000", "KR0000"),
        ("fcc-registration", "98487", "098487"),
        ("ofca", "hk 001", "HK001"),
        ("bsmi", "sl2 in e 013r", "SL2-IN-E-013R"),
        ("mic-rcb", "1", "001"),
        ("a2la", "214.19", "0214.19"),
        ("a2la", "3657.1", None),
        ("nando", "12345", None),
        ("fcc-designation", "K0000", None),
        ("unheard-of", "51", None),
    ],
)
def test_a_value_has_the_form_of_its_scheme(scheme: str, written: str, canonical: str | None) -> None:
    assert canonical_form(scheme, written) == canonical


def test_what_has_no_pattern_is_compared_without_case_and_gaps() -> None:
    assert canonise("unheard-of", "ab 12-3") == canonise("unheard-of", "AB-123")
    assert canonise("unheard-of", "012") != canonise("unheard-of", "12")
    assert canonise("nando", "12345") != canonise("nando", "1234")


def test_a_canonical_form_is_its_own() -> None:
    for scheme in SCHEMES:
        for value in ("1", "12", "123", "1234", "KR0000", "HK001", "214.19"):
            form = canonise(scheme.id, value)
            assert canonise(scheme.id, form) == form


def test_a_number_alone_fits_schemes() -> None:
    assert list_numbers("KR0000") == (("fcc-designation", "KR0000"),)
    assert ("nando", "0123") in list_numbers("0123")
    assert list_numbers("Prüfstelle") == ()


@pytest.mark.parametrize(
    ("written", "stated"),
    [
        ("FCC Designation No. TW0003", {"fcc-designation": "TW0003"}),
        ("FCC Designation No.: TW 0003", {"fcc-designation": "TW0003"}),
        ("FCC Reg. 788550", {"fcc-registration": "788550", "fcc-listing": "788550"}),
        ("FCC registration 788550", {"fcc-registration": "788550"}),
        ("a2la cert 3657.02", {"a2la": "3657.02"}),
        ("A2LA Certificate # 3657.02", {"a2la": "3657.02"}),
        ("UKAB 8505", {"ukmcab": "8505"}),
        ("RCB 001", {"mic-rcb": "001"}),
        ("Notified Body No.0123", {"nando": "0123"}),
        ("OFCA number: US 001", {"ofca": "US001"}),
    ],
)
def test_a_number_is_read_among_words(written: str, stated: dict[str, str]) -> None:
    (readings,) = read_numbers(written)
    assert {scheme.id: form for scheme, form in readings} == stated
    assert states_number(written)


@pytest.mark.parametrize(
    ("written", "stated"),
    [
        ("0123, 0124", ["0123", "0124"]),
        ("0123; 0124", ["0123", "0124"]),
        ("51, 52", ["0051", "0052"]),
        ("0120 (ex 0890)", ["0120", "0890"]),
        ("NB 0120 and NB 0890", ["0120", "0890"]),
        ("0123 0124", ["0123", "0124"]),
    ],
)
def test_several_numbers_in_one_field_are_several(written: str, stated: list[str]) -> None:
    assert [form for readings in read_numbers(written, "nando") for _, form in readings] == stated


@pytest.mark.parametrize("name", ["Lab 51", "Prüfstelle 0123 Nord", "Elevate", "3EC International a.s.", "0123 or so"])
def test_a_number_in_a_name_is_a_part_of_the_name(name: str) -> None:
    assert not states_number(name)


def test_a_scheme_is_found_by_its_names() -> None:
    assert find_scheme("NANDO") == "nando"
    assert find_scheme("Notified Body") == "nando"
    assert find_scheme("FCC designation") == "fcc-designation"
    assert find_scheme("unheard-of") == "unheard-of"
