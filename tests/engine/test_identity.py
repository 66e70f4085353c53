"""Whom a name or a number means, as people and documents write it."""

from __future__ import annotations

from datetime import date

import pytest

from cab_registry.domain.question import AskedIssuer
from cab_registry.domain.records import read_record
from cab_registry.engine.identity import Found, find_issuer
from cab_registry.register.compiled import Versioned, change_register
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


def bearer(key: str, owner: str, economy: str, name: str, number: str | None = None) -> Versioned:
    numbers = [{"scheme": "nando", "value": number, "from": "always"}] if number else []
    document = {"type": "body", "id": key, "owner": owner, "economy": economy, "kinds": ["testing_laboratory"]}
    more = {"names": [{"name": name, "from": "always"}], "identifiers": numbers}
    return Versioned(read_record({**document, **more}), 1)


def find_among(
    issuer: AskedIssuer, *bearers: Versioned, economy: str | None = None
) -> tuple[tuple[str, ...], list[str]]:
    found = find_issuer(issuer, change_register(whole(), bearers).facts, DAY, economy)
    return found.fit.ids, [key for key, _ in found.assumptions]


@pytest.mark.parametrize("owner", ["eu-commission", "de-bnetza", "registrar"])
@pytest.mark.parametrize("asked", [AskedIssuer(scheme="nando", value="7777"), AskedIssuer(value="NB 7777")])
def test_a_number_is_that_of_whose_record_its_givers_entered(owner: str, asked: AskedIssuer) -> None:
    squat = bearer("kr-squat", "kr-kolas", "KR", "Gwangju Widget Works", "7777")
    true = bearer("de-true", owner, "DE", "Wahrhaftig", "7777")
    assert find_among(asked, squat)[0] == ("kr-squat",)
    ids, said = find_among(asked, squat, true)
    assert (ids, said[-1]) == (("de-true",), "assumed.entered_elsewhere")
    assert len(find_among(asked, squat, true, bearer("de-too", owner, "DE", "Wahrhaft", "7777"))[0]) == 2


FDA = "Food and Drug Administration"


@pytest.mark.parametrize("place", ["US", "KR", "DE"])
@pytest.mark.parametrize("name", [FDA, FDA.upper(), f"{FDA} (FDA)", "FDA"])
@pytest.mark.parametrize("asked", [FDA, FDA.upper()])
def test_the_name_of_an_authority_is_not_taken_from_elsewhere(place: str, name: str, asked: str) -> None:
    alone, _ = find_among(AskedIssuer(name=asked), economy="US")
    assert alone == ("us-fda",)
    squat = bearer("kr-fda-two", "kr-rra", place, name)
    assert find_among(AskedIssuer(name=asked), squat, economy="US")[0] == alone
    if find_among(AskedIssuer(name=asked))[0] == alone:
        assert find_among(AskedIssuer(name=asked), squat)[0] == alone


def test_a_body_of_its_home_is_meant_before_one_of_its_name_from_elsewhere() -> None:
    own = bearer("us-own", "us-fcc", "US", "Ohio Emissions House")
    other = bearer("us-other", "kr-rra", "US", "OHIO EMISSIONS HOUSE")
    for asked in ("Ohio Emissions House", "OHIO EMISSIONS HOUSE"):
        ids, said = find_among(AskedIssuer(name=asked), own, other)
        assert (ids, said[-1]) == (("us-own",), "assumed.entered_elsewhere")
    twin = bearer("us-twin", "us-nist", "US", "Ohio Emissions House")
    assert find_among(AskedIssuer(name="Ohio Emissions House"), own, twin)[0] == ("us-own", "us-twin")
    korean = bearer("kr-own", "kr-rra", "KR", "Ohio Emissions House")
    assert find_among(AskedIssuer(name="Ohio Emissions House"), own, korean)[0] == ("kr-own", "us-own")
