"""Who and what is meant: one fold, several fits, near ones, what names nothing (domain.md, section 9, 14 and 16)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cab_registry.domain.answer import Answer
from cab_registry.domain.question import pose, read_question
from cab_registry.engine.answer import answer
from cab_registry.engine.inquiry import Inquiry
from cab_registry.engine.meaning import find_edition
from cab_registry.services.cases import ScratchRegisters
from tests.engine.whole import whole

TODAY = date(2026, 11, 21)
PPE = {
    "destination": "DE",
    "presented_on": "2024-06-01",
    "result": {
        "kind": "eu_type_examination",
        "issuer": {"scheme": "nando", "value": "0051"},
        "issued_on": "2023-05-01",
    },
    "subject": {"requirement": "eu-ppe-2016-425", "procedure": "module_b"},
}
FCC = {
    "destination": "US",
    "presented_on": "2020-06-01",
    "result": {
        "kind": "test_report",
        "issuer": {"scheme": "fcc-designation", "value": "TW2022"},
        "performed_on": "2020-03-01",
        "issued_on": "2020-03-10",
    },
    "subject": {"requirement": "us-47cfr-15c", "sector": "telecom_radio"},
}


def ask(document: dict[str, Any], **changed: Any) -> Answer:
    posed: dict[str, Any] = {key: dict(part) if isinstance(part, dict) else part for key, part in document.items()}
    for name, value in changed.items():
        part, _, key = name.rpartition("__")
        (posed[part] if part else posed)[key] = value
    return answer(pose(read_question(posed), today=TODAY), whole().facts)


@pytest.mark.parametrize(
    "issuer",
    [
        {"scheme": "nando", "value": "51"},
        {"scheme": "nando", "value": "NB 51"},
        {"scheme": "nando", "value": "0051 "},
        {"scheme": "nando", "value": "\u200b0051"},
        {"scheme": "NANDO", "value": "0051"},
        {"scheme": "notified body", "value": "51"},
    ],
)
def test_a_number_is_asked_in_any_spelling_of_its_scheme(issuer: dict[str, str]) -> None:
    exact, found = ask(PPE), ask(PPE, result__issuer=issuer)
    assert exact.taken.issuer is not None
    assert found.taken.issuer is not None
    assert (found.verdict, found.taken.issuer.id) == (exact.verdict, exact.taken.issuer.id)
    assert exact.taken.issuer.how == "number"
    assert not exact.assumptions


@pytest.mark.parametrize("value", ["tw2022", "TW 2022", "tw-2022", "ＴＷ２０２２"])  # noqa: RUF001 - width is meant
def test_a_designation_number_is_asked_in_any_case_and_width(value: str) -> None:
    exact = ask(FCC)
    found = ask(FCC, result__issuer={"scheme": "fcc-designation", "value": value})
    assert (found.verdict, found.first_failing) == (exact.verdict, exact.first_failing)
    assert found.taken.issuer is not None
    assert found.taken.issuer.how == "fold"
    assert any("TW2022" in text for text in found.assumptions)


HSIN_CHU = "Bureau Veritas Consumer Products Services (H.K.) Ltd., Taoyuan Branch, Hsin Chu Laboratory"


@pytest.mark.parametrize(
    "name",
    [
        HSIN_CHU.replace(",", ""),
        HSIN_CHU.replace("Hsin Chu", "Hsinchu"),
        HSIN_CHU.replace("Ltd.", "Limited"),
        HSIN_CHU.upper(),
        HSIN_CHU.replace(" ", "\u00a0"),
    ],
)
def test_a_name_is_asked_in_any_spelling(name: str) -> None:
    exact, found = ask(FCC, result__issuer={"name": HSIN_CHU}), ask(FCC, result__issuer={"name": name})
    assert found.taken.issuer is not None
    assert (found.verdict, found.taken.issuer.how) == (exact.verdict, "fold")
    assert found.assumptions


@pytest.mark.parametrize(
    "name",
    [
        HSIN_CHU.replace("Bureau", "Bureu"),
        "Bureau Veritas Consumer Products Services (H.K.) Ltd., Taoyuan Branch",
        "Hsin Chu Laboratory",
        HSIN_CHU.replace("Taoyuan", "Taoyüen"),
    ],
)
def test_a_name_that_is_only_like_another_is_not_off_the_list(name: str) -> None:
    found = ask(FCC, result__issuer={"name": name})
    assert found.verdict == "cannot_tell"
    assert found.taken.issuer is not None
    assert (found.taken.issuer.id, found.taken.issuer.how) == (None, "near")
    assert "result.issuer" in found.missing
    assert len(found.candidates) >= 1
    assert any("Did you mean" in check.text for check in found.checks)


@pytest.mark.parametrize("words", [{"name": "Qwertz Yxcvbn"}, {"id": "qwertz-yxcvbn"}])
def test_a_name_that_is_like_nobodys_decides_nothing(words: dict[str, str]) -> None:
    found = ask(FCC, result__issuer=words, result__issuer_economy="TW")
    assert (found.verdict, found.missing) == ("cannot_tell", ["result.issuer"])
    assert "we found nobody called 'qwertz" in found.headline.casefold()
    assert found.taken.issuer is not None
    assert found.taken.issuer.how == "unknown"


def test_a_number_that_is_on_no_list_is_refused() -> None:
    number = {"scheme": "fcc-designation", "value": "TW9998"}
    assert ask(FCC, result__issuer=number, result__issuer_economy="TW").verdict == "not_accepted"


def test_a_short_name_of_two_bodies_is_never_settled_silently() -> None:
    found = ask(PPE, result__issuer={"name": "BSI"})
    assert found.verdict == "cannot_tell"
    assert {issuer.split("-")[0] for issuer in found.candidates} >= {"bsi"} or len(found.candidates) >= 2
    assert "result.issuer" in found.missing
    settled = ask(PPE, result__issuer={"name": "BSI"}, result__issuer_economy="GB")
    assert settled.taken.issuer is not None
    assert settled.taken.issuer.name == "BSI Assurance UK Ltd"
    assert any("BSI" in text for text in settled.assumptions)


def test_a_number_alone_is_taken_where_one_scheme_has_it() -> None:
    for issuer in ({"value": "0051"}, {"name": "0051"}, {"name": "NB 51"}):
        found = ask(PPE, result__issuer=issuer)
        assert found.verdict == ask(PPE).verdict
        assert found.taken.issuer is not None
        assert found.taken.issuer.how == "number"
        assert any("EU notified body" in text for text in found.assumptions)
    open_one = ask(PPE, result__issuer={"value": "7777"}, result__issuer_economy="DE")
    assert open_one.verdict == "cannot_tell"
    assert "result.issuer.scheme" in open_one.missing
    assert any("Whose number is this?" in check.text.capitalize() for check in open_one.checks)


@pytest.mark.parametrize(
    ("written", "meant", "how"),
    [
        ("47 CFR Part 15, Subpart C", "us-47cfr-15c", "fold"),
        ("47 CFR 15.247", "us-47cfr-15c", "section"),
        ("47 CFR § 15.247(a)(2)", "us-47cfr-15c", "section"),
        ("FCC 15.407", "us-47cfr-15e", "section"),
        ("47 CFR 15.109", "us-47cfr-15-109", "exact"),
        ("47 CFR 90.210", "us-47cfr-90", "section"),
        ("21 CFR 820.30", "us-21cfr-820", "section"),
        ("PPE Regulation", "eu-ppe-2016-425", "exact"),
        ("ppe regulation", "eu-ppe-2016-425", "fold"),
        ("(EU) 2016/425", "eu-ppe-2016-425", "fold"),
        ("Regulation (EU) 2016/425", "eu-ppe-2016-425", "exact"),
        ("2016/425/EU", "eu-ppe-2016-425", "fold"),
        ("Directive 93/42/EEC concerning medical devices", None, "near"),
        ("Council Directive 93/42/EEC of 14 June 1993 concerning medical devices", "eu-mdd-93-42", "fold"),
        ("EU-PPE-2016-425", "eu-ppe-2016-425", "fold"),
        ("47 CFR Part 15", None, "near"),
        ("47 CFR 15.9999", None, "near"),
        ("asdf", None, "unknown"),
        ("FCC 47 CFR Part 15, Subpart C", "us-47cfr-15c", "fold"),
        ("FCC CFR 47 Part 15C", "us-47cfr-15c", "fold"),
        ("Title 47, Part 18 of the CFR", "us-47cfr-18", "fold"),
        ("Title 47 of the Code of Federal Regulations", None, "unknown"),
        ("47 C.F.R. pt. 18", "us-47cfr-18", "fold"),
        ("Radio Equipment Directive 2014/53/EU", "eu-red-2014-53", "fold"),
        ("2014/53/EU (RED)", "eu-red-2014-53", "fold"),
        ("MDR (EU) 2017/745", "eu-mdr-2017-745", "fold"),
        ("MDR 2014/53/EU", None, "near"),
        ("SR 819.14", "ch-maschv", "fold"),
        ("MaschV", "ch-maschv", "fold"),
        ("S.I. 2017 No. 1206", "gb-rer-2017", "fold"),
        ("Radio Equipment Regulations 2017 (SI 2017/1206)", "gb-rer-2017", "fold"),
        ("RSS-247 Issue 2", "ca-rss-247", "fold"),
        ("RSS-Gen Issue 5", "ca-rss-gen", "fold"),
        ("RSS-Gen Issue 5, section 8.8", "ca-rss-gen", "section"),
        ("ICES-003 Issue 7", "ca-ices-003", "fold"),
        ("RSS-210 Issue 10 (2019-12)", "ca-rss-210", "fold"),
        ("RSS-247 Issue 2, February 2017", "ca-rss-247", "fold"),
        ("IMDA TS SRD Issue 1 Rev 7", "sg-imda-ts-srd", "fold"),
        ("LP0002 (2020-07)", "tw-ncc-lp0002", "fold"),
        ("ISO/IEC 17025:2017", "iso-iec-17025", "fold"),
        ("AS/CA S002:2010", "au-as-ca-s002", "fold"),
        ("CS-03 Part I", "ca-cs-03", "section"),
        ("VCCI-CISPR 32", "jp-vcci-cispr-32", "fold"),
        ("VCCI-CISPR 32:2022", None, "near"),
        ("HKCA 1035", "hk-hkca-10xx", "section"),
        ("HKCA1035", "hk-hkca-10xx", "section"),
        ("HKCA 1201 Issue 3", "hk-hkca-12xx", "section"),
        ("HKCA 2015", "hk-hkca-2xxx", "section"),
        ("HKCA 3015", None, "unknown"),
        ("15.247", None, "near"),
        ("§ 15.247(a)(1)", None, "near"),
        ("15C", None, "near"),
        ("Part 15 Subpart C", None, "near"),
        ("FCC 15.107", "us-47cfr-15-107", "fold"),
        ("Art. 3.2 RED", "eu-red-2014-53", "section"),
        ("RED Article 3.3", "eu-red-2014-53", "section"),
        ("Article 3(3)(d) of the RED", "eu-red-2014-53", "section"),
        ("MDR Annex IX", "eu-mdr-2017-745", "section"),
        ("Directive 2001/83/EC Art. 51", "eu-batch-human", "exact"),
        ("R&TTE", "eu-rtte-1999-5", "exact"),
        ("MD", "eu-machinery-2006-42", "exact"),
        ("RER", "gb-rer-2017", "exact"),
        ("EMC Regulations 2016", "gb-emc-2016", "exact"),
        ("PPE Regulations 2018", "gb-ppe-2016-425", "exact"),
        ("電波法", "jp-radio-law", "exact"),
        ("K-GMP", None, "unknown"),
        ("Directiva 2014/35/UE", "eu-lvd-2014-35", "fold"),
        ("Dyrektywa 2014/35/UE", "eu-lvd-2014-35", "fold"),
        ("Verordening (EU) 2016/425", "eu-ppe-2016-425", "fold"),
    ],
)
def test_a_citation_is_read(written: str, meant: str | None, how: str) -> None:
    found = ask(PPE | {"destination": "DE"}, subject__requirement=written)
    assert found.taken.requirement is not None
    assert (found.taken.requirement.id, found.taken.requirement.how) == (meant, how)
    if meant is None:
        assert found.verdict == "cannot_tell"
        assert "subject.requirement" in found.missing
        assert bool(found.candidates) == (how == "near")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("MED", {"eu-med-96-98", "eu-med-2014-90"}),
        ("MIC Ordinance", {"jp-radio-law", "jp-telecom-business-law"}),
        ("전파법", {"kr-kc-emc", "kr-kc-radio", "kr-kc-sar"}),
    ],
)
def test_an_everyday_name_of_several_rules_offers_them(written: str, meant: set[str]) -> None:
    found = ask(PPE, subject__requirement=written)
    assert found.taken.requirement is not None
    assert (found.taken.requirement.how, set(found.candidates)) == ("several", meant)


@pytest.mark.parametrize("written", ["47 CFR Part 15", "FCC Part 15", "47 CFR 15", "Part 15"])
def test_candidates_of_a_part_of_the_code_are_what_stands_in_it(written: str) -> None:
    found = ask(FCC, subject__requirement=written)
    assert found.verdict == "cannot_tell"
    assert found.candidates == ["us-47cfr-15-107", "us-47cfr-15-109", "us-47cfr-15b", "us-47cfr-15c", "us-47cfr-15e"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("15.247", "us-47cfr-15c"),
        ("Section 15.247(a)", "us-47cfr-15c"),
        ("15C", "us-47cfr-15c"),
        ("Part 15 Subpart C", "us-47cfr-15c"),
        ("15.107", "us-47cfr-15-107"),
        ("90.210", "us-47cfr-90"),
        ("Part 18", "us-47cfr-18"),
    ],
)
def test_a_bare_section_is_taken_where_one_rule_of_the_market_has_it(written: str, meant: str) -> None:
    here, elsewhere = ask(FCC, subject__requirement=written), ask(PPE, subject__requirement=written)
    assert here.taken.requirement is not None
    assert (here.taken.requirement.id, here.taken.requirement.how) == (meant, "section")
    assert any(written in text for text in here.assumptions)
    assert (elsewhere.verdict, elsewhere.candidates) == ("cannot_tell", [meant])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("KN 22", "KN 22 / KN 24"),
        ("kn24", "KN 22 / KN 24"),
        ("KN 22 / KN 24", "KN 22 / KN 24"),
        ("KN 24, KN 22", "KN 22 / KN 24"),
        ("KN 35", "KN 32 / KN 35"),
        ("KN 22, KN 32", None),
        ("KN 2", None),
    ],
)
def test_an_edition_is_found_by_a_part_of_its_name(written: str, meant: str | None) -> None:
    editions = whole().facts.requirements["kr-kc-emc"].editions
    assert find_edition(written, editions, date(2014, 1, 1).toordinal()) == meant


def test_an_edition_behind_a_citation_is_the_edition_asked_about() -> None:
    def settle(requirement: str, edition: str | None) -> str | None:
        document = PPE | {"subject": {"requirement": requirement, "edition": edition}}
        return Inquiry(pose(read_question(document), today=TODAY), whole().facts).question.subject.edition

    assert settle("ISO/IEC 17025:2005", None) == "2005"
    assert settle("ISO/IEC 17025:1988", None) == "1988"
    assert settle("ISO/IEC 17025:2005", "2017") == "2017"
    assert settle("RSS-247 Issue 2", None) is None
    assert settle("Machinery Directive (2009)", None) is None
    assert settle("kr-kc-emc", "KN 22") == "KN 22 / KN 24"
    assert settle("kr-kc-emc", "KN 99") == "KN 99"
    assert settle("eu-toys-2025-2509", "2025/2509") == "2025/2509"


def test_an_everyday_name_means_the_act_in_use_on_the_side_of_the_market() -> None:
    def meant(name: str, destination: str, issued_on: str) -> str | None:
        found = ask(PPE, destination=destination, subject__requirement=name, result__issued_on=issued_on)
        assert found.taken.requirement is not None
        return found.taken.requirement.id

    assert meant("EMC Directive", "DE", "2012-01-01") == "eu-emcd-2004-108"
    assert meant("EMC Directive", "DE", "2020-01-01") == "eu-emcd-2014-30"
    assert meant("PPE Regulation", "DE", "2023-01-01") == "eu-ppe-2016-425"


def test_a_name_of_the_markets_act_and_of_one_that_its_routes_take_is_never_settled_silently() -> None:
    found = ask(PPE, destination="GB", subject__requirement="PPE Regulation", result__issued_on="2023-01-01")
    assert found.taken.requirement is not None
    assert (found.verdict, found.taken.requirement.how) == ("cannot_tell", "several")
    assert set(found.candidates) == {"gb-ppe-2016-425", "eu-ppe-2016-425"}
    assert "subject.requirement" in found.missing
    assert "Regulation (EU) 2016/425 [eu-ppe-2016-425]" in found.headline


def test_a_citation_that_fits_several_acts_refuses_nothing() -> None:
    found = ask(PPE, destination="CH", subject__requirement="MedDO", result__issued_on="2026-04-01")
    assert (found.verdict, found.missing[0]) == ("cannot_tell", "subject.requirement")
    assert set(found.candidates) == {"ch-meddo", "ch-meddo-2001"}


GMP = {
    "destination": "DE",
    "presented_on": "2025-06-01",
    "result": {"kind": "gmp_inspection", "issuer": {"id": "us-fda"}, "performed_in": "US", "issued_on": "2025-03-10"},
    "subject": {"requirement": "eu-gmp-human", "product_class": "human_finished", "activity": "surveillance"},
}


@pytest.mark.parametrize(
    ("written", "verdict"),
    [
        ("NAI", "accepted"),
        ("No action indicated", "accepted"),
        ("Voluntary Action Indicated", "accepted"),
        ("official action indicated", "not_accepted"),
    ],
)
def test_the_outcome_of_an_inspection_is_stated_in_words(written: str, verdict: str) -> None:
    found = ask(GMP, result__findings=written)
    assert found.verdict == verdict
    assert any(written in text for text in found.assumptions) == (written != "NAI")


@pytest.mark.parametrize("written", ["GMP compliant", "not compliant", "non-compliant"])
def test_an_outcome_that_other_rules_know_is_read_too(written: str) -> None:
    found = ask(GMP, result__findings=written)
    assert (found.verdict, found.missing) == ("cannot_tell", [])
    assert "NAI" in found.headline


@pytest.mark.parametrize(("written", "offered"), [("fine", 5), ("No action indicatd", 1)])
def test_an_outcome_that_names_nothing_decides_nothing(written: str, offered: int) -> None:
    found = ask(GMP, result__findings=written)
    assert (found.verdict, found.missing) == ("cannot_tell", ["result.findings"])
    assert written in found.headline
    assert "Did you mean NAI" in found.headline
    assert len(found.candidates) == offered


def test_an_outcome_of_what_is_no_inspection_is_passed_over() -> None:
    assert ask(FCC, result__findings="passed").verdict == ask(FCC).verdict == "not_accepted"


def test_a_headline_asks_for_what_may_be_meant() -> None:
    rule = ask(PPE, subject={"requirement": "PPE"})
    assert "'PPE'. Did you mean Regulation (EU) 2016/425" in rule.headline
    assert not any("neither a sector nor a rule" in text for text in rule.assumptions)
    assert any("neither a sector nor a rule" in text for text in ask(FCC, subject={}).assumptions)
    sector = ask(PPE, subject={"sector": "radio"})
    assert "'radio'. Did you mean radio equipment or telecom radio?" in sector.headline
    assert "Did you mean Germany (DE)?" in ask(PPE, result__issuer_economy="Germny").headline


def test_rules_that_a_document_may_attest_are_offered_where_several_fit() -> None:
    found = ask(PPE, result__attests=["eu-ppe-2016-425", "LVD"])
    assert "'LVD' fits several rules. Did you mean Directive 2006/95/EC" in found.headline
    assert set(found.candidates) == {"eu-lvd-73-23", "eu-lvd-2006-95", "eu-lvd-2014-35"}


@pytest.mark.parametrize("word", ["asdf", "Bluetooth", "47 CFR Part 999"])
@pytest.mark.parametrize(
    "part",
    [
        *(f"subject.{name}" for name in ("requirement", "sector", "product_class", "procedure", "activity", "origin")),
        *(f"result.{name}" for name in ("attests", "issuer_economy", "performed_in")),
    ],
)
@pytest.mark.parametrize("base", [PPE, FCC, PPE | {"destination": "JP"}, FCC | {"destination": "MX"}])
def test_what_names_nothing_never_refuses(base: dict[str, Any], part: str, word: str) -> None:
    assert ask(base).verdict in {"not_accepted", "not_covered"}
    found = ask(base, **{part.replace(".", "__"): [word] if part == "result.attests" else word})
    assert found.verdict == "cannot_tell"
    assert part in found.missing
    assert word in found.headline
    if found.route is not None:
        assert found.first_failing == next(check.check for check in found.checks if check.outcome == "unknown")


def test_a_site_that_is_like_none_of_a_body_never_refuses() -> None:
    sited = next(each for each in whole().facts.issuers.values() if each.body is not None and each.body.sites)
    assert sited.body is not None
    found = ask(FCC, result__issuer={"id": sited.id}, result__site="Nowhere in particular")
    assert found.verdict == "cannot_tell"
    assert "result.site" in found.missing
    assert {site.key for site in sited.body.sites} <= set(found.candidates)


@pytest.mark.parametrize(
    ("given", "how"), [("NANDO-0051", "fold"), ("nando 0051", "fold"), ("IMQ", "near"), ("NB 0051", "near")]
)
def test_an_id_in_another_spelling_and_a_name_in_its_place_are_not_off_the_list(given: str, how: str) -> None:
    found = ask(PPE, result__issuer={"id": given})
    assert found.taken.issuer is not None
    assert found.taken.issuer.how == how
    if how == "near":
        assert found.verdict == "cannot_tell"
        assert "nando-0051" in found.candidates
    else:
        assert found.taken.issuer.id == "nando-0051"
        assert any(given in text for text in found.assumptions)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Intertek Italia S.p.A., Milano", "it-intertek"),
        ("TÜV Rheinland Hong Kong Limited, Kowloon Bay Laboratory", "ofca-tuvrhk"),
        ("The Sertio Oy", "nando-3018"),
        ("Sertio Oy, Helsinki", "nando-3018"),
        ("AEPMS", "es-aemps"),
        ("FMHP", "be-famhp"),
        ("Telefcation", "nl-telefication"),
        ("Swissmedik", "ch-swissmedic"),
        ("TGA Australia", "au-tga"),
    ],
)
def test_a_name_with_more_words_and_a_short_one_mistyped_are_near(name: str, meant: str) -> None:
    found = ask(PPE, result__issuer={"name": name})
    assert found.verdict == "cannot_tell"
    assert meant in found.candidates


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("UK", "GB"),
        ("United Kingdom", "GB"),
        ("XI", "GB-NIR"),
        ("EL", "GR"),
        ("Taiwan", "TW"),
        ("Chinese Taipei", "TW"),
        ("South Korea", "KR"),
        ("Hong Kong", "HK"),
        ("hong kong, china", "HK"),
        ("germany", "DE"),
        ("Türkiye", "TR"),
        ("Turkey", "TR"),
    ],
)
def test_an_economy_is_asked_by_name(written: str, code: str) -> None:
    named, coded = ask(FCC, destination=written), ask(FCC, destination=code)
    assert named.verdict == coded.verdict
    assert any(written in text and code in text for text in named.assumptions)


def test_the_united_kingdom_means_great_britain() -> None:
    found = ask(PPE, destination="United Kingdom")
    assert any("Great Britain" in text and "Northern Ireland" in text for text in found.assumptions)


def test_a_former_name_is_taken_and_said(registers: ScratchRegisters) -> None:
    del registers
    register = whole()
    body = next(
        issuer for issuer in register.facts.issuers.values() if issuer.body is not None and len(issuer.called) > 1
    )
    for called in body.called:
        found = ask(PPE, result__issuer={"name": called.name}, result__issuer_economy=body.economy)
        assert found.taken.issuer is not None
        assert found.taken.issuer.how in {"exact", "several"}


@pytest.mark.parametrize(
    "name",
    [
        "Regierung von Oberbayern",
        "regierungsprasidium tubingen",
        "LAGeSo Berlin",
        "Bezirksregierung Köln",
        "LAsD",
        "BJV Hamburg",
    ],
)
def test_an_inspectorate_behind_an_umbrella_is_asked_by_its_own_name(name: str) -> None:
    asked = {
        "destination": "US",
        "presented_on": "2022-06-01",
        "result": {
            "kind": "gmp_inspection",
            "issuer": {"id": "de-zlg"},
            "performed_in": "DE",
            "performed_on": "2022-04-04",
            "issued_on": "2022-05-02",
            "findings": "compliant",
        },
        "subject": {
            "sector": "pharma_gmp_human",
            "requirement": "us-cgmp-human",
            "product_class": "human_finished",
            "activity": "surveillance",
        },
    }
    umbrella, member = ask(asked), ask(asked, result__issuer={"name": name})
    assert umbrella.verdict in {"accepted", "accepted_with_conditions"}
    assert member.verdict == umbrella.verdict


def test_of_several_rules_attested_those_that_name_nothing_are_told() -> None:
    found = ask(PPE, result__attests=["eu-ppe-2016-425", "asdf"])
    assert not any("eu-ppe-2016-425, asdf" in text for text in (found.headline, *found.assumptions))
    assert any("'asdf'" in text for text in (found.headline, *found.assumptions))


def test_what_a_candidate_would_bring_is_told() -> None:
    asked = {**PPE, "result": {**PPE["result"], "issuer": {"name": "IMQ S.p.A"}}}
    exact = ask(asked, result__issuer={"id": "nando-0051"})
    near = ask(asked, result__issuer={"name": "Istituto Italiano del Marchio di Qualita IMQ"})
    assert (near.verdict, "nando-0051" in near.candidates) == ("cannot_tell", True)
    brought = {value.name: value.verdicts for value in near.could_bring}
    assert exact.verdict in brought["result.issuer"]
