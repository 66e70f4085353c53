"""Nobody decides for others, where such a record stands already: the answer is the one without it, and says so."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from cab_registry.domain.answer import Answer
from cab_registry.domain.question import pose, read_question
from cab_registry.domain.records import read_record
from cab_registry.engine.answer import answer
from cab_registry.register.compiled import Register, Versioned, change_register
from tests.engine.whole import whole

US_GMP = {"agreement": "us-eu-mra", "annex": "pharma-gmp"}
KOREA = {"agreement": "apec-tel-us-kr", "annex": "phase-1"}


def ask(register: Register, *documents: dict[str, Any], **asked: Any) -> Answer:
    """Ask a register into which records came without going through the door."""
    changed = [Versioned(read_record(each), 1) for each in documents]
    return answer(pose(read_question(asked), today=date(2026, 12, 1)), change_register(register, changed).facts)


def inspection(market: str = "DE", **more: Any) -> dict[str, Any]:
    result = {"kind": "gmp_inspection", "issuer": {"id": "us-fda"}, "performed_in": "US", "issued_on": "2024-03-10"}
    subject = {"sector": "pharma_gmp_human", "requirement": "eu-gmp-human", "product_class": "human_finished"}
    subject["activity"] = "surveillance"
    result |= {"performed_on": "2024-03-02", "findings": "NAI"}
    return {"destination": market, "presented_on": "2024-06-01", "result": {**result, **more}, "subject": subject}


def report(**more: Any) -> dict[str, Any]:
    """A report of a Korean laboratory, shown to the FCC."""
    result = {"kind": "test_report", "issuer": {"id": "lab-one"}, "performed_on": "2024-03-02"}
    subject = {"sector": "telecom_radio", "requirement": "us-47cfr-15c"}
    result |= {"issued_on": "2024-03-10", "performed_in": "KR"}
    return {"destination": "US", "presented_on": "2024-06-01", "result": {**result, **more}, "subject": subject}


def position(owner: str, *markets: str, **more: Any) -> dict[str, Any]:
    head = {"type": "position", "id": "position-one", "owner": owner, "by": owner, "says": "not_accepted"}
    return {**head, "about": US_GMP, "from": "2024-01-01", "binds_in": list(markets), **more}


def notice(owner: str, body: str = "us-fda", **more: Any) -> dict[str, Any]:
    head = {"type": "notice", "id": "notice-one", "owner": owner, "by": owner, "effect": "non_compliance"}
    return {**head, "about": {"body": body}, "on": "2024-01-15", **more}


def right(kind: str, owner: str, body: str = "us-fda", **more: Any) -> dict[str, Any]:
    event = {"designation": "designated", "recognition": "recognised", "accreditation": "granted"}[kind]
    head = {"type": kind, "id": f"{kind}-{owner}", "owner": owner, "by": owner, "body": body}
    scope = [{"key": "all", "from": "2015-01-01"}]
    return {**head, "scope": scope, "timeline": [{"event": event, "on": "2015-01-01"}], **more}


def lab(**more: Any) -> dict[str, Any]:
    head = {"type": "body", "id": "lab-one", "owner": "registrar", "economy": "KR", "kinds": ["testing_laboratory"]}
    return {**head, "names": [{"name": "Lab One", "from": "always"}], **more}


def listed(owner: str, **more: Any) -> dict[str, Any]:
    head = {"type": "coverage", "id": f"coverage-{owner}", "owner": owner, "by": owner, "completeness": "partial"}
    return {**head, "as_of": "2024-01-01", **more}


GRANT = {"standard": "ISO/IEC 17025", "validity": "open_ended"}
ASDF = {"scheme": "asdf"}

FOREIGN: dict[str, list[dict[str, Any]]] = {
    # The attack of issue 8.
    "a position on another's market": [position("kr-mfds", "DE")],
    "a notice on another's inspectorate": [notice("kr-mfds")],
    # Its kind.
    "a position on the whole union": [position("kr-mfds", "EU", "DE", "KR")],
    "a position on a body": [position("kr-mfds", "DE", about={**US_GMP, "body": "us-fda"})],
    "a position in another's name": [position("kr-mfds", "DE", by="de-agmp")],
    "a position in a union's name": [position("kr-mfds", "EU", by="EU")],
    "a position in a union's name by another agency of it": [position("de-zoll", "EU", by="EU")],
    "a position of the exporting side": [position("us-fda", "DE", "EU")],
    "a position of another member": [position("fr-ansm", "DE", "EU")],
    "a position of an accreditation body": [position("de-dakks", "DE")],
    "a position of customs": [position("de-zoll", "DE")],
    "a position of customs in the name of the state": [position("de-zoll", "DE", by="DE")],
    "a notice in nobody's name": [notice("kr-mfds", by=None)],
    "a notice in another's name": [notice("kr-mfds", by="us-fda")],
    "a notice in a union's name": [notice("kr-mfds", by="EU")],
    "a notice of an accreditation body of the market": [notice("de-dakks")],
    "a notice of customs of the market": [notice("de-zoll")],
    "a notice of customs at home": [notice("us-cbp")],
    "a notice of an accreditation body at home": [notice("us-a2la")],
    "a notice of another partner of the union": [notice("ch-swissmedic")],
    "a notice of whoever accredited it unasked": [right("accreditation", "kr-kolas", **GRANT), notice("kr-kolas")],
    "a notice of whoever recognised it unasked": [right("recognition", "kr-mfds", **ASDF), notice("kr-mfds")],
    "a notice of whoever recognised it in another's name": [
        right("recognition", "kr-mfds", by="EU", **US_GMP),
        notice("kr-mfds"),
    ],
    "a recognition that is suspended in another's name": [
        right(
            "recognition",
            "kr-mfds",
            by="EU",
            timeline=[{"event": "recognised", "on": "2015-01-01"}, {"event": "suspended", "on": "2024-01-01"}],
            **US_GMP,
        )
    ],
    "a notice of a regulator of another field at home": [notice("us-fcc")],
    "a notice of whoever designates in another field at home": [notice("us-nist")],
    "a notice of a regulator of another field in another member": [notice("ie-comreg")],
    "a notice of a designating authority of another field of the market": [notice("de-bnetza")],
    "a notice of whoever is not known to decide in another member": [notice("nl-szw")],
    "a notice on its document": [notice("kr-mfds", about={"number": "NO-1"}, effect="cancelled")],
    "an authority that gives itself a market": [
        {
            "type": "authority",
            "id": "kr-mfds-two",
            "owner": "kr-mfds",
            "economy": "DE",
            "names": {"en": "Two"},
            "roles": ["regulating", "inspecting"],
        },
        position("kr-mfds-two", "DE"),
        notice("kr-mfds-two"),
    ],
    "an authority that succeeds another's": [
        {
            "type": "authority",
            "id": "kr-mfds-two",
            "owner": "kr-mfds",
            "economy": "KR",
            "names": {"en": "Two"},
            "roles": ["regulating"],
            "succeeds": [{"authority": "us-fda", "on": "2020-01-01"}],
        },
        notice("kr-mfds-two"),
    ],
    "a route into another's market": [
        {
            "type": "route",
            "id": "kr-route",
            "owner": "kr-mfds",
            "citation": "Article 1",
            "scheme": "korean",
            "instrument": [{"state": "in_force", "on": "2000-01-01"}],
            "importer": ["DE"],
            "exporter": ["US"],
            "result_kinds": ["gmp_inspection"],
            "sectors": ["pharma_gmp_human"],
            "issuer": {},
            "duty": "must",
        }
    ],
}
"""Records that came to stand without a right, by what they try; the question is an inspection by FDA, in Germany."""


def same(one: Answer, other: Answer) -> bool:
    """Whether two answers say the same on the result, whatever they say was disregarded."""

    def kept(each: Answer) -> Any:
        parts = ("verdict", "headline", "route", "first_failing", "conditions", "missing", "holds", "candidates")
        checks = [(check.check, check.outcome, check.text) for check in each.checks]
        return [*(msgspec.to_builtins(getattr(each, part)) for part in parts), checks]

    return bool(kept(one) == kept(other))


@pytest.mark.parametrize("records", FOREIGN.values(), ids=FOREIGN)
def test_what_another_says_changes_no_answer(records: list[dict[str, Any]]) -> None:
    asked = inspection(number="NO-1")
    before = ask(whole(), **asked)
    assert before.verdict in ("accepted", "accepted_with_conditions")
    assert same(ask(whole(), *records, **asked), before)


DISREGARDED = {
    "a position on another's market": "position-one",
    "a notice on another's inspectorate": "notice-one",
    "a position in another's name": "position-one",
    "a notice in nobody's name": "notice-one",
    "a notice in another's name": "notice-one",
    "a notice of customs of the market": "notice-one",
}


@pytest.mark.parametrize(("tried", "record"), DISREGARDED.items(), ids=DISREGARDED)
def test_an_answer_says_what_it_left_out(tried: str, record: str) -> None:
    said = ask(whole(), *FOREIGN[tried], **inspection()).assumptions
    assert [each for each in said if record in each]


@pytest.mark.parametrize(
    "record",
    [
        position("de-agmp", "DE"),
        position("eu-commission", "EU"),
        position("eu-commission", "EU", by="EU"),
        position("registrar", "DE", by="de-agmp"),
        notice("us-fda"),
        notice("registrar"),
        notice("de-agmp"),
        notice("eu-commission"),
        # A member speaks for the union on what it found.
        notice("fr-ansm"),
    ],
    ids=lambda record: f"{record['type']}-{record['owner']}-{record['by']}",
)
def test_what_its_own_authorities_say_counts(record: dict[str, Any]) -> None:
    assert ask(whole(), record, **inspection()).verdict == "not_accepted"


@pytest.mark.parametrize("record", [position("ie-comreg", "IE", about=US_GMP), notice("ie-comreg"), notice("us-osha")])
def test_who_works_in_another_field_closes_no_market_of_its_own(record: dict[str, Any]) -> None:
    assert ask(whole(), position("registrar", "IE", by="IE"), **inspection("IE")).verdict == "not_accepted"
    after = ask(whole(), record, **inspection("IE"))
    assert same(after, ask(whole(), **inspection("IE")))
    assert [each for each in after.assumptions if str(record["id"]) in each]


def test_a_union_speaks_for_a_market_while_that_is_a_member() -> None:
    about = {"agreement": "us-uk-mra"}
    asked = inspection("GB")
    asked["subject"] = {**asked["subject"], "requirement": "gb-gmp-human"}
    before = ask(whole(), **asked)
    assert same(ask(whole(), position("eu-commission", "GB", about=about), **asked), before)
    assert ask(whole(), position("gb-mhra", "GB", about=about), **asked).verdict == "not_accepted"


RIGHTS = [right("designation", "kr-rra", "lab-one", **KOREA), right("recognition", "us-fcc", "lab-one", **KOREA)]
ACCREDITED = right("accreditation", "kr-kolas", "lab-one", **GRANT)


@pytest.mark.parametrize(
    "more",
    [
        [right("designation", "jp-mic", "lab-one", by="kr-rra", id="two", until="2020-01-01", **KOREA)],
        [
            right(
                "recognition",
                "jp-mic",
                "lab-one",
                by="us-fcc",
                id="two",
                timeline=[{"event": "suspended", "on": "2010-01-01"}],
                **KOREA,
            )
        ],
        [notice("jp-mic", "lab-one", effect="prohibited_entity")],
        [
            right("accreditation", "jp-jab", "lab-one", **GRANT),
            notice("jp-jab", "lab-one", effect="prohibited_entity"),
        ],
        [listed("jp-mic", by="US", kinds=["recognition"], **KOREA)],
        [lab(owner="jp-mic", id="lab-two", names=[{"name": "Lab Two", "from": "always"}])],
    ],
    ids=["designation", "suspension", "finding", "accreditation", "list", "body"],
)
def test_the_rights_of_a_body_are_those_of_its_own_authorities(more: list[dict[str, Any]]) -> None:
    stands = [lab(), *RIGHTS, ACCREDITED]
    before = ask(whole(), *stands, **report())
    assert before.verdict in ("accepted", "accepted_with_conditions"), before.headline
    assert same(ask(whole(), *stands, *more, **report()), before)


def voluntary() -> dict[str, Any]:
    """A report of a laboratory to a standard, for whoever asks for accreditation alone."""
    asked = report()
    return asked | {"destination": "SG", "subject": {"requirement": "en-81-20", "sector": "voluntary_testing"}}


def test_who_accredited_a_body_unasked_says_nothing_where_another_did_too() -> None:
    other = right("accreditation", "us-a2la", "lab-one", **GRANT)
    said = notice("us-a2la", "lab-one", effect="non_compliance")
    before = ask(whole(), lab(), ACCREDITED, **voluntary())
    assert before.verdict in ("accepted", "accepted_with_conditions"), before.headline
    assert same(ask(whole(), lab(), ACCREDITED, other, said, **voluntary()), before)
    # Where nobody else did, the one that did is asked.
    alone = ask(whole(), lab(), other, **voluntary())
    assert alone.verdict in ("accepted", "accepted_with_conditions"), alone.headline
    assert ask(whole(), lab(), other, said, **voluntary()).verdict == "not_accepted"


@pytest.mark.parametrize("missing", [0, 1])
@pytest.mark.parametrize(
    ("owner", "by"), [("jp-mic", None), ("jp-mic", "KR"), ("jp-mic", "US"), ("kr-kcs", "KR"), ("kr-kolas", "KR")]
)
def test_a_right_of_another_is_not_the_right_that_is_missing(missing: int, owner: str, by: str | None) -> None:
    kind = str(RIGHTS[missing]["type"])
    stands = [lab(), RIGHTS[1 - missing], ACCREDITED]
    given = right(kind, owner, "lab-one", by=by or owner, **KOREA)
    after = ask(whole(), *stands, given, **report())
    assert after.verdict not in ("accepted", "accepted_with_conditions")
    if after.route is not None and after.route.agreement == KOREA["agreement"]:
        assert [each for each in after.assumptions if str(given["id"]) in each]
