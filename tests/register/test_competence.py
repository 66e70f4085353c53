"""Who may say what, on the packaged law: the register's data decide, for any agreement."""

from typing import Any

import pytest

from cab_registry.domain.records import AnyRecord, read_record
from cab_registry.register.catalogue import load_catalogue
from cab_registry.register.checking import latest_entries
from cab_registry.register.competence import find_doubts
from cab_registry.register.compiled import Register, Versioned, change_register, compile_register
from cab_registry.register.offices import Doubt


@pytest.fixture(scope="module")
def packaged() -> Register:
    return compile_register(Versioned(entry.record, 1) for entry in latest_entries(load_catalogue()))


def lab(economy: str = "KR", *kinds: str) -> dict[str, Any]:
    return {
        "type": "body",
        "id": "lab-one",
        "owner": "registrar",
        "economy": economy,
        "names": [{"name": "Lab One", "from": "always"}],
        "kinds": list(kinds) or ["testing_laboratory"],
    }


def right(kind: str, by: str, *rules: str, on: str = "2020-01-01", **more: Any) -> dict[str, Any]:
    event = {"designation": "designated", "recognition": "recognised", "accreditation": "granted"}[kind]
    ground = {"standard": "ISO/IEC 17025"} if kind == "accreditation" else {"agreement": "apec-tel-us-kr"}
    scope = [{"key": f"item-{index}", "requirement": rule, "from": on} for index, rule in enumerate(rules)]
    timeline = [{"event": event, "on": on}]
    head = {"type": kind, "id": "right-one", "owner": by.lower(), "by": by, "body": "lab-one"}
    return {**head, **ground, "scope": scope, "timeline": timeline, **more}


def read(document: dict[str, Any]) -> AnyRecord:
    return read_record(document)


def doubts(
    packaged: Register, body: dict[str, Any], document: dict[str, Any], before: dict[str, Any] | None = None
) -> list[Doubt]:
    after = read(document)
    register = change_register(packaged, [Versioned(read(body), 1), Versioned(after, 1)])
    return find_doubts(None if before is None else read(before), after, register)


def said(found: list[Doubt]) -> list[tuple[str, bool]]:
    return [(doubt.fault.pointer, doubt.left_open) for doubt in found]


PHASE_1 = {"annex": "phase-1"}
US_EU = {"agreement": "us-eu-mra", "annex": "telecom"}
JAPAN = {"agreement": "us-jp-mra", "annex": "telecom"}
MEXICO = {"agreement": "us-mx-mra"}


@pytest.mark.parametrize(
    ("body", "document", "pointer", "words"),
    [
        (lab(), right("designation", "us-nist", "us-47cfr-15c", **PHASE_1), "/by", "designated by kr-rra"),
        (lab(), right("designation", "kr-kolas", "us-47cfr-15c", **PHASE_1), "/by", "designated by kr-rra"),
        (lab(), right("accreditation", "us-fcc", "us-47cfr-15c"), "/by", "kr-kolas"),
        (lab(), right("accreditation", "kr-rra", "us-47cfr-15c"), "/by", "kr-kolas"),
        (lab(), right("designation", "kr-rra", "eu-gmp-human", **PHASE_1), "/scope/0/requirement", "us-47cfr-15c"),
        (lab(), right("recognition", "us-fcc", "eu-gmp-human", **PHASE_1), "/scope/0/requirement", "us-47cfr-15c"),
        (lab(), right("recognition", "kr-rra", "us-47cfr-15c", **PHASE_1), "/by", "recognised by us-fcc"),
        (lab(), right("recognition", "us-nist", "us-47cfr-15c", **PHASE_1), "/by", "recognised by us-fcc"),
        (lab("JP"), right("designation", "jp-mic", "us-47cfr-15c", **PHASE_1), "/body", "KR, US"),
        (lab("JP"), right("designation", "jp-jab", **JAPAN), "/by", "designated by jp-mic"),
        (lab("DE"), right("designation", "us-nist", **US_EU), "/by", "an authority of DE"),
        (lab("DE"), right("designation", "de-dakks", **US_EU), "/by", "accrediting"),
        (lab("DE"), right("designation", "de-zoll", **US_EU), "/by", "customs"),
        (lab("FR"), right("designation", "de-bnetza", **US_EU), "/by", "an authority of FR"),
        (lab("US"), right("recognition", "us-fda", **US_EU), "/by", "not by us-fda"),
        (lab("GB"), right("designation", "gb-opss", on="2022-01-01", **US_EU), "/body", "GB"),
        (lab("KR", "certification_body"), right("designation", "kr-rra", **PHASE_1), "/body", "testing laboratory"),
    ],
)
def test_what_an_agreement_speaks_against_is_refused_with_what_fits_instead(
    packaged: Register, body: dict[str, Any], document: dict[str, Any], pointer: str, words: str
) -> None:
    found = doubts(packaged, body, document)
    assert (pointer, False) in said(found)
    assert any(words in doubt.fault.message for doubt in found), found


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (lab(), right("designation", "kr-rra", "us-47cfr-15c", **PHASE_1)),
        (lab(), right("recognition", "us-fcc", "us-47cfr-15c", **PHASE_1)),
        (lab("US"), right("designation", "us-nist", **PHASE_1)),
        (lab("US"), right("recognition", "kr-rra", **PHASE_1)),
        (lab(), right("accreditation", "kr-kolas", "us-47cfr-15c")),
        (lab("DE"), right("designation", "de-bnetza", **US_EU)),
        (lab("GB"), right("designation", "gb-dti", on="2005-01-01", **US_EU)),
        (lab("US", "certification_body"), right("recognition", "EU", **US_EU)),
    ],
)
def test_what_an_agreement_admits_is_not_questioned(
    packaged: Register, body: dict[str, Any], document: dict[str, Any]
) -> None:
    assert doubts(packaged, body, document) == []


@pytest.mark.parametrize(
    ("body", "document", "pointer"),
    [
        # The sides name nobody, and this authority is not known to designate.
        (lab("DE"), right("designation", "de-agmp", **US_EU), "/by"),
        # No direction of the agreement asks for a designation.
        (lab("US"), right("designation", "us-nist", agreement="us-ch-gmp-mra"), "/agreement"),
        # A rule of the market and of the sector that the list does not name.
        (lab(), right("recognition", "us-fcc", "us-47cfr-2-1204", **PHASE_1), "/scope/0/requirement"),
    ],
)
def test_what_an_agreement_leaves_open_is_a_doubt(
    packaged: Register, body: dict[str, Any], document: dict[str, Any], pointer: str
) -> None:
    if "us-47cfr-2-1204" in str(document):
        rule = {"type": "requirement", "id": "us-47cfr-2-1204", "owner": "registrar", "economy": "US"}
        more = {"sector": "telecom_radio", "citation": "47 CFR 2.1204"}
        packaged = change_register(packaged, [Versioned(read({**rule, **more}), 1)])
    assert said(doubts(packaged, body, document)) == [(pointer, True)]


@pytest.mark.parametrize(
    ("body", "kind", "party", "speaker", "ground", "expected"),
    [
        # Whoever the agreement names, in the name of its party.
        ("KR", "designation", "KR", "kr-rra", PHASE_1, []),
        ("KR", "recognition", "US", "us-fcc", PHASE_1, []),
        ("DE", "designation", "DE", "de-bnetza", US_EU, []),
        ("US", "recognition", "EU", "eu-commission", US_EU, []),
        # Others of the same economy: refused as they are in their own name.
        ("KR", "designation", "KR", "kr-kcs", PHASE_1, [("/by", False)]),
        ("KR", "designation", "KR", "kr-mfds", PHASE_1, [("/by", False)]),
        ("KR", "recognition", "US", "us-nist", PHASE_1, [("/by", False)]),
        ("KR", "recognition", "US", "us-cpsc", PHASE_1, [("/by", False)]),
        ("DE", "designation", "DE", "de-zoll", US_EU, [("/by", False)]),
        ("US", "recognition", "GB", "gb-hmrc", {"agreement": "us-uk-mra", "annex": "telecom"}, [("/by", False)]),
        ("DE", "designation", "DE", "de-agmp", US_EU, [("/by", True)]),
        # What the registrar enters of a party is the party's own act.
        ("KR", "designation", "KR", "registrar", PHASE_1, []),
    ],
)
def test_whoever_speaks_for_a_party_is_held_to_its_own_role(
    packaged: Register, body: str, kind: str, party: str, speaker: str, ground: dict[str, str], expected: list[Any]
) -> None:
    seat = lab(body, "testing_laboratory", "certification_body")
    found = doubts(packaged, seat, right(kind, party, owner=speaker, **ground))
    assert said(found) == expected
    assert all(speaker in doubt.fault.message for doubt in found)
    if speaker != "registrar":
        named = doubts(packaged, seat, right(kind, speaker, owner=speaker, **ground))
        assert [doubt.fault for doubt in named] == [doubt.fault for doubt in found]


def test_whoever_speaks_for_a_party_acts_on_the_days_of_its_office(packaged: Register) -> None:
    found = doubts(packaged, lab("MX"), right("designation", "MX", owner="mx-ift", on="2025-10-17", **MEXICO))
    assert said(found) == [("/by", False)]


def test_a_right_in_the_name_of_a_party_goes_to_nobody_without_the_role(packaged: Register) -> None:
    before = right("designation", "KR", "us-47cfr-15c", owner="kr-rra", **PHASE_1)
    assert said(doubts(packaged, lab(), {**before, "owner": "kr-kcs"}, before)) == [("/by", False)]


@pytest.mark.parametrize("by", ["it-aifa", "de-nw-koeln"])
def test_the_roles_of_an_umbrella_are_not_its_members(packaged: Register, by: str) -> None:
    body = lab(by[:2].upper(), "certification_body")
    found = doubts(packaged, body, right("designation", by, agreement="eu-single-market"))
    assert said(found) == [("/by", True)]


@pytest.mark.parametrize(
    ("by", "on", "words"),
    [
        ("mx-ift", "2025-10-16", ""),
        ("mx-crt", "2025-10-17", ""),
        ("mx-ift", "2025-10-17", "mx-crt was"),
        ("mx-crt", "2025-10-16", "not in office"),
    ],
)
def test_an_authority_acts_on_the_days_of_its_office(packaged: Register, by: str, on: str, words: str) -> None:
    found = doubts(packaged, lab("MX"), right("designation", by, on=on, **MEXICO))
    assert [pointer for pointer, _ in said(found)] == (["/by"] if words else [])
    assert all(words in doubt.fault.message for doubt in found)


def test_only_what_a_version_adds_is_looked_at(packaged: Register) -> None:
    before = right("designation", "us-nist", "eu-gmp-human", **PHASE_1)
    suspended = {**before, "timeline": [*before["timeline"], {"event": "suspended", "on": "2021-01-01"}]}
    assert doubts(packaged, lab(), suspended, before) == []
    extended = {**before, "scope": [*before["scope"], {"key": "more", "requirement": "us-47cfr-15c", "from": "always"}]}
    assert said(doubts(packaged, lab(), extended, before)) == [("/by", False)]


def test_every_right_of_the_packaged_catalogue_is_admitted_by_its_agreement(packaged: Register) -> None:
    found = {
        record.id: doubt for record, _ in packaged.records.values() for doubt in find_doubts(None, record, packaged)
    }
    assert found == {}


def position(by: str, about: dict[str, Any], *markets: str, on: str = "2024-03-01") -> dict[str, Any]:
    head = {"type": "position", "id": "position-one", "owner": by.lower(), "by": by, "says": "not_accepted"}
    return {**head, "about": about, "from": on, "binds_in": list(markets)}


def notice(by: str, **about: str) -> dict[str, Any]:
    head = {"type": "notice", "id": "notice-one", "owner": by.lower(), "by": by, "effect": "cancelled"}
    return {**head, "about": about, "on": "2024-03-01"}


US_GMP = {"agreement": "us-eu-mra", "annex": "pharma-gmp"}


@pytest.mark.parametrize(
    ("by", "about", "markets", "pointers"),
    [
        ("us-fda", US_GMP, ["US"], []),
        ("eu-commission", US_GMP, ["EU"], []),
        ("de-agmp", {"agreement": "eu-ch-mra"}, ["DE"], []),
        ("EU", US_GMP, ["EU"], []),
        # No agreement: the routes of the market's own law.
        ("us-fcc", {"body": "lab-one"}, ["US"], []),
        # Another's market.
        ("us-fda", US_GMP, ["EU"], ["/binds_in/0"]),
        ("us-fda", US_GMP, ["US", "DE"], ["/binds_in/1"]),
        ("de-agmp", {"agreement": "eu-ch-mra"}, ["EU"], ["/binds_in/0"]),
        ("de-agmp", {"agreement": "eu-ch-mra"}, ["FR"], ["/binds_in/0"]),
        ("eu-commission", US_GMP, ["DE"], ["/binds_in/0"]),
        ("kr-kolas", {"agreement": "apec-tel-us-kr"}, ["KR"], ["/binds_in/0"]),
        # An agreement of others.
        ("kr-rra", US_GMP, ["KR"], ["/about/agreement"]),
        ("jp-mic", {"agreement": "apec-tel-us-kr"}, ["JP"], ["/about/agreement"]),
        # Great Britain left the Union, and with it its agreements.
        ("gb-opss", {"agreement": "eu-ch-mra"}, ["GB"], ["/about/agreement"]),
        ("kr-rra", US_GMP, ["US"], ["/binds_in/0", "/about/agreement"]),
    ],
)
def test_a_position_binds_where_its_authority_speaks_about_its_own_agreements(
    packaged: Register, by: str, about: dict[str, Any], markets: list[str], pointers: list[str]
) -> None:
    found = doubts(packaged, lab(), position(by, about, *markets))
    assert said(found) == [(pointer, False) for pointer in pointers]


@pytest.mark.parametrize(
    ("by", "owner", "about", "market", "expected"),
    [
        # Whoever the routes into the market name, or has a say where they name nobody.
        ("US", "us-fcc", {"agreement": "apec-tel-us-kr"}, "US", []),
        ("kr-rra", "kr-rra", {"agreement": "apec-tel-us-kr"}, "KR", []),
        ("kr-kcs", "kr-kcs", {"agreement": "aeo-us-kr"}, "KR", []),
        ("gb-mhra", "gb-mhra", {"agreement": "us-uk-mra", "annex": "pharma-gmp"}, "GB", []),
        # Whoever designates, where the routes name nobody.
        ("de-bnetza", "de-bnetza", US_EU, "DE", [("/by", True)]),
        # Whoever works in another field, regulators and inspectorates alike.
        ("us-cpsc", "us-cpsc", {"agreement": "apec-tel-us-kr"}, "US", [("/by", False)]),
        ("de-nw-koeln", "de-nw-koeln", US_EU, "DE", [("/by", False)]),
        ("kr-rra", "kr-rra", {"agreement": "ch-kr-gmp"}, "KR", [("/by", False)]),
        ("KR", "kr-rra", {"agreement": "ch-kr-gmp"}, "KR", [("/by", False)]),
        ("kr-rra", "kr-rra", {"agreement": "aeo-us-kr"}, "KR", [("/by", False)]),
        ("kr-mfds", "kr-mfds", {"agreement": "apec-tel-us-kr"}, "KR", [("/by", False)]),
        ("ie-comreg", "ie-comreg", US_GMP, "IE", [("/by", False)]),
        ("kr-mfds", "kr-mfds", {"agreement": "ch-kr-gmp"}, "KR", []),
        # Customs, and whoever only designates where the routes name another.
        ("kr-kcs", "kr-kcs", {"agreement": "apec-tel-us-kr"}, "KR", [("/by", False)]),
        ("KR", "kr-kcs", {"agreement": "apec-tel-us-kr"}, "KR", [("/by", False)]),
        ("us-nist", "us-nist", {"agreement": "apec-tel-us-kr"}, "US", [("/by", False)]),
        ("US", "us-nist", {"agreement": "apec-tel-us-kr"}, "US", [("/by", False)]),
        ("us-nist", "us-nist", {"scheme": "fcc-2-949"}, "US", [("/by", False)]),
        ("us-cbp", "us-cbp", {"body": "lab-one"}, "US", [("/by", False)]),
    ],
)
def test_a_position_is_taken_by_who_has_a_say_on_results(
    packaged: Register, by: str, owner: str, about: dict[str, Any], market: str, expected: list[Any]
) -> None:
    found = doubts(packaged, lab(), {**position(by, about, market), "owner": owner})
    assert said(found) == expected
    assert all(owner in doubt.fault.message for doubt in found)


def test_a_position_taken_while_its_economy_was_a_member_counts(packaged: Register) -> None:
    assert doubts(packaged, lab(), position("gb-opss", {"agreement": "eu-ch-mra"}, "GB", on="2019-03-01")) == []


NOTHING: list[tuple[str, bool]] = []


@pytest.mark.parametrize(
    ("body", "by", "expected"),
    [
        # Its home, be it its union's.
        (lab(), "kr-rra", NOTHING),
        (lab("DE"), "eu-commission", NOTHING),
        # A market into which its results go.
        (lab(), "us-fcc", NOTHING),
        (lab(), "vn-mic", NOTHING),
        (lab("DE", "certification_body"), "us-fcc", NOTHING),
        # A third country: arrangements of the whole world alone lead into it.
        (lab(), "my-mcmc", [("/by", True)]),
        (lab("DE"), "cl-subtel", [("/by", True)]),
        (lab("MY"), "mx-crt", [("/by", True)]),
        # Accreditation bodies that have nothing to do with it, and arrangements.
        (lab(), "kr-kolas", [("/by", False)]),
        (lab("DE"), "kr-kolas", [("/by", False)]),
        (lab(), "ilac", [("/by", False)]),
    ],
)
def test_a_notice_comes_from_those_who_have_to_do_with_the_body(
    packaged: Register, body: dict[str, Any], by: str, expected: list[tuple[str, bool]]
) -> None:
    assert said(doubts(packaged, body, notice(by, body="lab-one"))) == expected


@pytest.mark.parametrize(
    ("body", "by", "owner", "expected"),
    [
        (lab(), "KR", "kr-rra", NOTHING),
        (lab("DE"), "de-bnetza", "de-bnetza", NOTHING),
        (lab("DE", "inspectorate"), "de-nw-koeln", "de-nw-koeln", NOTHING),
        # Customs, whether at home or in a market.
        (lab(), "kr-kcs", "kr-kcs", [("/by", False)]),
        (lab(), "KR", "kr-kcs", [("/by", False)]),
        (lab(), "us-cbp", "us-cbp", [("/by", False)]),
        # Who only designates has no say on foreign results; a regulator has one where a route names nobody.
        (lab(), "us-nist", "us-nist", [("/by", False)]),
        (lab(), "US", "us-nist", [("/by", False)]),
        # Whoever works in another field than the routes that lead into its market.
        (lab(), "us-osha", "us-osha", [("/by", False)]),
        (lab(), "us-fda", "us-fda", [("/by", False)]),
        # An inspectorate of medicines and a laboratory.
        (lab("DE"), "de-nw-koeln", "de-nw-koeln", [("/by", True)]),
    ],
)
def test_a_notice_comes_from_who_has_the_role(
    packaged: Register, body: dict[str, Any], by: str, owner: str, expected: list[tuple[str, bool]]
) -> None:
    assert said(doubts(packaged, body, {**notice(by, body="lab-one"), "owner": owner})) == expected


@pytest.mark.parametrize(
    ("by", "inspectorate", "expected"),
    [
        ("us-fda", "us-fda", NOTHING),
        ("kr-mfds", "kr-mfds", NOTHING),
        ("ie-hpra", "us-fda", NOTHING),
        ("gb-mhra", "us-fda", NOTHING),
        # At home, and in a market.
        *((by, "us-fda", [("/by", False)]) for by in ("us-fcc", "us-nist", "us-osha", "us-uscg", "us-cpsc")),
        *((by, "us-fda", [("/by", False)]) for by in ("ie-comreg", "de-dibt", "nl-rdi", "ch-bakom", "ca-ised")),
        ("kr-rra", "kr-mfds", [("/by", False)]),
        ("kr-rra", "ch-swissmedic", [("/by", False)]),
        # Whose field is not on record gives a reason.
        ("nl-szw", "us-fda", [("/by", True)]),
    ],
)
def test_a_notice_on_an_inspectorate_comes_from_who_works_in_its_field(
    packaged: Register, by: str, inspectorate: str, expected: list[tuple[str, bool]]
) -> None:
    assert said(doubts(packaged, lab(), notice(by, body=inspectorate))) == expected


def test_the_field_of_a_laboratory_is_that_of_its_rights(packaged: Register) -> None:
    scope = [{"key": "radio", "requirement": "us-47cfr-15c", "from": "2018-01-01"}]
    given = [lab(), {**right("designation", "kr-rra"), "scope": scope}]
    granted = change_register(packaged, [Versioned(read(each), 1) for each in given])
    assert said(doubts(granted, given[0], notice("kr-mfds", body="lab-one"))) == [("/by", False)]
    assert said(doubts(granted, given[0], notice("kr-rra", body="lab-one"))) == NOTHING


def test_who_gave_the_body_a_right_may_speak_of_it(packaged: Register) -> None:
    granted = change_register(
        packaged, [Versioned(read(lab("DE")), 1), Versioned(read(right("accreditation", "kr-kolas")), 1)]
    )
    assert doubts(granted, lab("DE"), notice("kr-kolas", body="lab-one", number="7")) == []
    assert said(doubts(granted, lab("DE"), notice("jp-jab", body="lab-one", number="7"))) == [("/by", False)]


def test_a_notice_on_a_number_alone_needs_an_authority_of_a_market(packaged: Register) -> None:
    assert doubts(packaged, lab(), notice("es-aemps", number="ES/101H/18")) == []
    assert said(doubts(packaged, lab(), notice("kr-kolas", number="ES/101H/18"))) == [("/by", True)]
    assert said(doubts(packaged, lab(), notice("us-nist", number="ES/101H/18"))) == [("/by", True)]
    # Customs issue statuses of their own.
    assert doubts(packaged, lab(), notice("kr-kcs", number="KRAEO01")) == []


def coverage(by: str, owner: str, *kinds: str, **about: str) -> dict[str, Any]:
    head = {"type": "coverage", "id": "coverage-one", "owner": owner, "by": by, "kinds": list(kinds)}
    return {**head, **about, "completeness": "complete", "as_of": "2026-11-01"}


KOREA = {"agreement": "apec-tel-us-kr", "annex": "phase-1"}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (coverage("kr-rra", "kr-rra", "designation", **KOREA), NOTHING),
        (coverage("KR", "kr-rra", "designation", **KOREA), NOTHING),
        (coverage("us-fcc", "us-fcc", "recognition", **KOREA), NOTHING),
        (coverage("kr-kolas", "kr-kolas", "accreditation"), NOTHING),
        (coverage("EU", "eu-commission", agreement="eu-ch-mra"), NOTHING),
        (coverage("KR", "kr-kcs", "designation", **KOREA), [("/by", False)]),
        (coverage("kr-kcs", "kr-kcs", "designation", **KOREA), [("/by", False)]),
        (coverage("US", "us-nist", "recognition", **KOREA), [("/by", False)]),
        (coverage("us-nist", "us-nist", "designation", "recognition", **KOREA), [("/by", False)]),
        (coverage("GB", "gb-hmrc", agreement="gb-nz-mra"), [("/by", False)]),
        (coverage("kr-rra", "kr-rra", "accreditation"), [("/by", False)]),
        (coverage("de-agmp", "de-agmp", "designation", **US_EU), [("/by", True)]),
    ],
)
def test_a_list_is_called_complete_by_who_gives_what_stands_on_it(
    packaged: Register, document: dict[str, Any], expected: list[tuple[str, bool]]
) -> None:
    assert said(doubts(packaged, lab(), document)) == expected
    later = {**document, "as_of": "2026-11-20", "completeness": "partial"}
    assert doubts(packaged, lab(), later, document) == []


def test_a_statement_that_stands_can_still_be_ended(packaged: Register) -> None:
    before = notice("my-mcmc", body="lab-one")
    assert doubts(packaged, lab(), {**before, "until": "2024-06-01"}, before) == []
    stands = position("us-fda", US_GMP, "EU")
    assert doubts(packaged, lab(), {**stands, "until": "2024-06-01"}, stands) == []


@pytest.mark.parametrize("kind", ["designation", "recognition"])
@pytest.mark.parametrize("ground", [{"agreement": "nobody-knows"}, {"agreement": None, "scheme": "asdf"}])
def test_where_no_route_says_who_gives_a_right_a_reason_is_needed(
    packaged: Register, kind: str, ground: dict[str, Any]
) -> None:
    bare: dict[str, Any] = {
        "type": "agreement",
        "id": "nobody-knows",
        "owner": "registrar",
        "short": "Bare",
        "family": "technical",
    }
    bare |= {"parties": ["KR", "US"], "instrument": [{"state": "in_force", "on": "2001-01-01"}]}
    register = change_register(packaged, [Versioned(read(bare), 1)])
    by = "kr-rra" if kind == "designation" else "us-fcc"
    found = doubts(register, lab(), right(kind, by, **ground))
    assert said(found) == [("/agreement" if ground["agreement"] else "/scheme", True)]


@pytest.mark.parametrize("event", ["suspended", "restricted", "withdrawn"])
def test_a_decision_against_a_right_from_before_it_was_given_needs_a_reason(packaged: Register, event: str) -> None:
    before = right("designation", "kr-rra", "us-47cfr-15c", **PHASE_1)
    early = {**before, "timeline": [{"event": event, "on": "2019-12-31"}, *before["timeline"]]}
    assert said(doubts(packaged, lab(), early, before)) == [("/timeline/0/on", True)]
    late = {**before, "timeline": [*before["timeline"], {"event": event, "on": "2020-01-02"}]}
    assert doubts(packaged, lab(), late, before) == []


MOVES: list[dict[str, Any]] = [
    {"economy": "KR"},
    {"kinds": ["certification_body"]},
    {"sites": [{"key": "seoul", "economy": "KR"}]},
]


def brought_in(owner: str, **more: Any) -> dict[str, Any]:
    return {**lab("US"), "owner": owner, **more}


@pytest.mark.parametrize("move", MOVES)
def test_where_a_body_is_and_of_what_kind_is_changed_by_its_home_once_others_gave_it_rights(
    packaged: Register, move: dict[str, Any]
) -> None:
    def change(owner: str, *rights: dict[str, Any], **more: Any) -> list[Doubt]:
        before, after = brought_in(owner), brought_in(owner, **move, **more)
        records = [Versioned(read(each), 1) for each in (after, *rights)]
        return find_doubts(read(before), read(after), change_register(packaged, records))

    given = right("accreditation", "us-a2la")
    (doubt,) = change("kr-rra", given)
    assert doubt.left_open is False
    assert doubt.fault.pointer == f"/{next(iter(move))}"
    assert "us-a2la gave lab-one a right" in doubt.fault.message
    assert change("kr-rra") == []
    assert change("kr-rra", right("accreditation", "kr-rra")) == []
    assert [change(owner, given) for owner in ("us-nist", "registrar")] == [[], []]


def test_who_brought_a_body_in_corrects_its_names_and_addresses(packaged: Register) -> None:
    sites = [{"key": "main", "economy": "US", "address": "1 Street"}]
    before = brought_in("kr-rra", sites=sites)
    after = {**before, "names": [{"name": "Lab 1", "from": "always"}], "sites": [{**sites[0], "address": "2 Street"}]}
    records = [Versioned(read(each), 1) for each in (after, right("accreditation", "us-a2la"))]
    assert find_doubts(read(before), read(after), change_register(packaged, records)) == []


@pytest.mark.parametrize(("by", "admitted"), [("ie-comreg", False), ("mt-ma", False), ("eu-commission", True)])
def test_a_member_does_not_recognise_for_its_union(packaged: Register, by: str, admitted: bool) -> None:
    heading = {"agreement": "us-eu-mra", "annex": "pharma-gmp", "body": "us-fda", "id": "right-two"}
    document = right("recognition", by, **heading)
    doubts = find_doubts(None, read(document), change_register(packaged, [Versioned(read(document), 1)]))
    assert [doubt.fault.pointer for doubt in doubts if not doubt.left_open] == ([] if admitted else ["/by"])
