"""Whom a name or a number means, as people and documents write it."""

from __future__ import annotations

from datetime import date

import pytest

from cab_registry.domain.question import AskedIssuer
from cab_registry.engine.identity import Found, find_issuer
from cab_registry.services.sources import find_called
from tests.engine.whole import whole

DAY = date(2025, 3, 10).toordinal()


def find(issuer: AskedIssuer, economy: str | None = None) -> Found:
    return find_issuer(issuer, whole().facts, DAY, economy)


@pytest.mark.parametrize(
    ("name", "meant", "how"),
    [
        ("Swissmedic", "ch-swissmedic", "exact"),
        ("スイスメディック", "ch-swissmedic", "exact"),
        ("IMQ", "nando-0051", "exact"),
        ("GMED", "nando-0459", "fold"),
        ("Telefication", "nl-telefication", "fold"),
        ("TÜV SÜD Product Service", "nando-0123", "fold"),
        ("TUEV SUED Product Service GmbH", "nando-0123", "fold"),
        ("UL Japan", "mic-uljapan", "fold"),
        ("Bezirksregierung Koeln", "de-nw-koeln", "fold"),
        ("Regierungspraesidium Tuebingen", "de-bw-tuebingen", "fold"),
        ("Regional Council Tübingen", "de-bw-tuebingen", "exact"),
        ("BASG", "at-ages", "exact"),
        ("Santé Canada", "ca-health-canada", "exact"),
        ("Italian Medicines Agency", "it-aifa", "exact"),
        ("ИАЛ", "bg-bda", "exact"),
        ("食品医薬品局", "us-fda", "exact"),
        ("AFSSAPS", "fr-ansm", "exact"),
        ("Irish Medicines Board", "ie-hpra", "exact"),
    ],
)
def test_a_usual_name_is_taken(name: str, meant: str, how: str) -> None:
    found = find(AskedIssuer(name=name))
    assert (found.fit.ids, found.fit.how) == ((meant,), how)
    assert bool(found.assumptions) == (how == "fold")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("USFDA", {"us-fda"}),
        ("USAFDA", {"us-fda"}),
        ("U.S. FDA", {"us-fda"}),
        ("US FDA", {"us-fda"}),
        ("The FDA", {"us-fda"}),
        ("UK MHRA", {"gb-mhra"}),
        ("UKMHRA", {"gb-mhra"}),
        ("British MHRA", {"gb-mhra"}),
        ("French ANSM", {"fr-ansm"}),
        ("Swedish MPA", {"se-mpa"}),
        ("Italian Medicine Agency (AIFA)", {"it-aifa"}),
        ("Zentralstelle der Laender", {"de-zlg", "de-zls"}),
        ("Reg. von Oberbayern", {"de-by-oberbayern"}),
        ("㈱KCTL", {"kctl"}),
        ("KCTL주식회사", {"kctl"}),
        ("State Agency of Medicines", {"ee-sam", "lv-zva"}),
    ],
)
def test_a_known_name_among_other_words_is_offered(name: str, meant: set[str]) -> None:
    found = find(AskedIssuer(name=name))
    assert found.fit.id is None
    assert set(found.fit.ids) == meant
    assert meant <= set(find_called([name], whole().facts))


@pytest.mark.parametrize("name", ["State Institute for Drug Control", "State Institute for Drug Control (SUKL)"])
def test_an_acronym_in_brackets_does_not_tell_two_bodies_apart_that_both_bear_it(name: str) -> None:
    both = ("cz-sukl", "sk-sukl")
    open_one = find(AskedIssuer(name=name))
    assert (open_one.fit.how, open_one.fit.ids) == ("several", both)
    for economy, meant in zip(("CZ", "SK"), both, strict=True):
        assert find(AskedIssuer(name=name), economy).fit.ids == (meant,)
    assert set(both) <= set(find_called([name], whole().facts))


def test_an_acronym_in_brackets_that_one_of_two_bears_tells_them_apart() -> None:
    name = "Agency for Medicinal Products and Medical Devices"
    assert find(AskedIssuer(name=f"{name} (HALMED)")).fit.ids == ("hr-halmed",)
    assert set(find(AskedIssuer(name=name)).fit.ids) >= {"hr-halmed", "si-jazmp"}


def test_a_name_without_its_legal_form_is_open_where_two_bear_it() -> None:
    found = find(AskedIssuer(name="DEKRA Certification"))
    assert (found.fit.how, set(found.fit.ids)) == ("several", {"nando-0124", "nando-0344"})
    assert find(AskedIssuer(name="DEKRA Certification"), "DE").fit.ids == ("nando-0124",)


def test_another_legal_form_is_another_name() -> None:
    assert find(AskedIssuer(name="GMED GmbH")).fit.id is None


@pytest.mark.parametrize(
    ("issuer", "meant"),
    [
        (AskedIssuer(value="FCC Designation No. TW0003"), "TW0003"),
        (AskedIssuer(name="FCC Designation No. TW0003"), "TW0003"),
        (AskedIssuer(scheme="fcc-designation", value="FCC Designation No. TW0003"), "TW0003"),
        (AskedIssuer(value="FCC Reg. 788550"), "788550"),
        (AskedIssuer(scheme="fcc-registration", value="FCC registration 788550"), "788550"),
        (AskedIssuer(value="a2la cert 3657.02"), "3657.02"),
        (AskedIssuer(value="UKAB 0086"), "0086"),
        (AskedIssuer(value="Notified Body No. 0123"), "0123"),
        (AskedIssuer(value="0120 (ex 0120)"), "0120"),
    ],
)
def test_words_around_a_number_do_not_hide_it(issuer: AskedIssuer, meant: str) -> None:
    found = find(issuer)
    assert found.fit.id is not None
    body = whole().facts.issuers[found.fit.id].body
    assert body is not None
    assert meant in {each.value for each in body.identifiers}
    assert found.assumptions


@pytest.mark.parametrize("scheme", [None, "nando"])
def test_several_numbers_in_one_field_are_all_candidates(scheme: str | None) -> None:
    found = find(AskedIssuer(scheme=scheme, value="0123, 0124"))
    assert (found.fit.how, found.fit.ids) == ("several", ("nando-0123", "nando-0124"))
    lone = find(AskedIssuer(scheme=scheme, value="0123 (ex 9999)"))
    assert (lone.fit.id, lone.fit.ids) == (None, ("nando-0123",))


def test_a_name_borne_elsewhere_is_not_settled_against_the_economy_stated() -> None:
    name = "DEKRA Certification GmbH"
    assert find(AskedIssuer(name=name)).fit.ids == ("nando-0124",)
    assert find(AskedIssuer(name=name), "DE").fit.ids == ("nando-0124",)
    assert find(AskedIssuer(name=name), "GB").fit.how == "several"
    assert set(find(AskedIssuer(name=name), "GB").fit.ids) == {"nando-0124", "gb-dekra"}
    assert find(AskedIssuer(name=name), "FI").fit.ids == ("nando-0124",)


def test_an_id_made_of_a_number_is_asked_as_the_number() -> None:
    assert find(AskedIssuer(id="nando-51")).fit.ids == ("nando-0051",)
    gone = find(AskedIssuer(id="fcc-designation-uk9998"))
    assert (gone.fit.how, gone.fit.ids, gone.open) == ("unknown", (), None)
