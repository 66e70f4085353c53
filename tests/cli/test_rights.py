"""The verbs of rights where what is meant could be mistaken: on whose behalf, for which site, in which order."""

from collections.abc import Callable
from typing import Any

import pytest

from cab_cli.exits import Exit
from tests.cli.officers import Office, Officer

MRA = ("--agreement", "apec-tel-us-kr", "--annex", "phase-1")
RULE, OTHER = "us-47cfr-15c", "us-47cfr-15e"
Rights = Callable[[str], list[Any]]


@pytest.fixture
def rra(office: Office) -> Officer:
    return office.officer("kr-rra")


@pytest.fixture
def fcc(office: Office) -> Officer:
    return office.officer("us-fcc")


@pytest.fixture
def lab(rra: Officer, request: pytest.FixtureRequest) -> str:
    """A Korean laboratory of the test's own, with two sites."""
    words = ("body", "add", f"Rights {request.node.name}", "--economy", "KR", "--kind", "testing_laboratory")
    sites = ("--site", "suwon:KR:Suwon", "--site", "busan:KR:Busan")
    return str(rra.does(*words, *sites)["versions"][0]["id"])


@pytest.fixture
def rights(rra: Officer, lab: str) -> Rights:
    def of_kind(kind: str) -> list[Any]:
        found = rra.does("body", "show", lab)["rights"]
        return [each["record"] for each in found if each["kind"] == kind]

    return of_kind


def refused(officer: Officer, *words: str) -> str:
    done = officer.types(*words, "--reason", "x")
    assert (done.exit_code, done.stdout) == (Exit.REFUSED, ""), done.stdout
    return str(done.stderr)


@pytest.mark.parametrize(
    ("verb", "more"),
    [
        ("designate", ("--scope", OTHER, "--from", "2021-01-01")),
        ("propose", ("--on", "2021-01-01")),
    ],
)
def test_by_never_changes_a_record_of_another_by(
    office: Office, rra: Officer, lab: str, rights: Rights, verb: str, more: tuple[str, ...]
) -> None:
    rra.does("designate", lab, *MRA, "--scope", RULE, "--from", "2020-01-01")
    before = rights("designation")
    assert "kr-rra does not speak for us-nist" in refused(rra, verb, lab, *MRA, *more, "--by", "us-nist")
    assert rights("designation") == before
    rra.does(verb, lab, *MRA, *more, "--by", "kr-rra", "--reason", "More")
    assert [each["id"] for each in rights("designation")] == [each["id"] for each in before]
    assert rights("designation") != before


@pytest.mark.parametrize("verb", ["receive", "object", "recognise"])
def test_by_means_what_it_says_on_the_other_side_too(
    rra: Officer, fcc: Officer, lab: str, rights: Rights, verb: str
) -> None:
    rra.does("designate", lab, *MRA, "--scope", RULE, "--from", "2020-01-01")
    rra.does("propose", lab, *MRA, "--on", "2020-02-01", "--reason", "New")
    fcc.does("receive", lab, *MRA, "--on", "2020-02-10")
    before = rights("recognition")
    day = ("--from" if verb == "recognise" else "--on", "2020-03-01")
    assert "us-fcc does not speak for us-nist" in refused(fcc, verb, lab, *MRA, *day, "--by", "us-nist")
    assert rights("recognition") == before


def test_a_late_fact_goes_in_where_it_belongs(fcc: Officer, rra: Officer, lab: str, rights: Rights) -> None:
    rra.does("designate", lab, *MRA, "--scope", RULE, "--from", "2020-01-01")
    rra.does("propose", lab, *MRA, "--on", "2020-02-01", "--reason", "New")
    fcc.does("recognise", lab, *MRA, "--from", "2020-03-01", "--reason", "Verified")
    name = rights("recognition")[0]["id"]
    fcc.does("contest", name, "--on", "2020-09-01", "--reason", "Doubts")
    fcc.does("suspend", name, "--on", "2021-01-01", "--reason", "Failed")
    fcc.does("annul", name, "--on", "2021-02-01", "--reason", "On appeal")
    receipt = fcc.does("suspend", name, "--on", "2020-10-10", "--until", "2020-10-20", "--reason", "Reported late")
    assert receipt["versions"][0]["change"] == "amend"
    timeline = rights("recognition")[0]["timeline"]
    assert [(each["event"], each["on"]) for each in timeline[-4:]] == [
        ("contested", "2020-09-01"),
        ("suspended", "2020-10-10"),
        ("suspended", "2021-01-01"),
        ("annulled", "2021-02-01"),
    ]
    assert timeline[timeline[-1]["refers_to"]]["on"] == "2021-01-01"
    # What is made good is what was lost before that day, not what was lost later.
    fcc.does("reinstate", name, "--on", "2020-10-15", "--reason", "Reported late too")
    timeline = rights("recognition")[0]["timeline"]
    late = next(each for each in timeline if each["event"] == "reinstated")
    assert timeline[late["refers_to"]]["on"] == "2020-10-10"
    assert timeline[timeline[-1]["refers_to"]]["on"] == "2021-01-01"


@pytest.mark.parametrize(
    ("late", "place"),
    [
        (("restrict", "--scope", OTHER), "restricted"),
        (("withdraw", "--scope", OTHER), "withdrawn"),
        (("withdraw", "--scope", OTHER, "--resigned"), "resigned"),
    ],
)
def test_every_verb_takes_an_earlier_day(
    rra: Officer, lab: str, rights: Rights, late: tuple[str, ...], place: str
) -> None:
    rra.does("designate", lab, *MRA, "--scope", RULE, "--scope", OTHER, "--from", "2020-01-01")
    rra.does("suspend", lab, "--on", "2022-01-01", "--reason", "Later")
    rra.does(late[0], lab, *late[1:], "--on", "2021-01-01", "--reason", "Late")
    rra.does("propose", lab, *MRA, "--on", "2020-06-01", "--reason", "Late")
    rra.does("designate", lab, *MRA, "--scope", "us-47cfr-15b", "--from", "2020-03-01", "--reason", "Late")
    events = [each["event"] for each in rights("designation")[0]["timeline"]]
    assert events == ["designated", "extended", "proposed", place, "suspended"]


def test_late_facts_of_accreditations(office: Office, lab: str, rights: Rights) -> None:
    kolas = office.officer("kr-kolas")
    words = ("--standard", "ISO/IEC 17025", "--scope", RULE, "--scope", OTHER, "--from", "2018-01-01")
    kolas.does("accreditation", "add", lab, *words)
    kolas.does("suspend", lab, "--on", "2022-01-01", "--reason", "Later")
    kolas.does("accreditation", "confirm", lab, "--on", "2021-06-01", "--reason", "Late")
    kolas.does("accreditation", "reduce", lab, "--scope", OTHER, "--on", "2021-01-01", "--reason", "Late")
    kolas.does("accreditation", "renew", lab, "--until", "2030-12-31", "--on", "2020-01-01", "--reason", "Late")
    events = [each["event"] for each in rights("accreditation")[0]["timeline"]]
    assert events == ["granted", "renewed", "reduced", "confirmed", "suspended"]


def test_the_site_of_the_designation_is_taken(rra: Officer, fcc: Officer, lab: str, rights: Rights) -> None:
    rra.does("designate", lab, *MRA, "--scope", RULE, "--from", "2020-01-01", "--site", "suwon")
    done = rra.types("propose", lab, *MRA, "--on", "2020-02-01", "--reason", "New")
    assert (done.exit_code, "site suwon" in done.stdout) == (Exit.DONE, True), done.stderr
    (designation,) = rights("designation")
    assert [each["event"] for each in designation["timeline"]] == ["designated", "proposed"]
    fcc.does("receive", lab, *MRA, "--on", "2020-02-10")
    fcc.does("object", lab, *MRA, "--on", "2020-02-20", "--reason", "Range")
    fcc.does("verify", lab, "--agreement", "apec-tel-us-kr", "--on", "2020-02-25", "--reason", "Visit")
    fcc.does("recognise", lab, *MRA, "--from", "2020-03-01", "--reason", "Verified")
    (recognition,) = rights("recognition")
    assert (recognition["site"], recognition["scope"][0]["requirement"]) == ("suwon", RULE)
    events = [each["event"] for each in recognition["timeline"]]
    assert events == ["notified", "objected", "verified", "recognised"]


def test_of_several_sites_one_is_asked_for(rra: Officer, fcc: Officer, lab: str, rights: Rights) -> None:
    for site in ("suwon", "busan"):
        rra.does("designate", lab, *MRA, "--scope", RULE, "--from", "2020-01-01", "--site", site)
    assert "busan, suwon" in refused(rra, "propose", lab, *MRA, "--on", "2020-02-01")
    for site in ("suwon", "busan"):
        rra.does("propose", lab, *MRA, "--on", "2020-02-01", "--site", site, "--reason", "New")
    for verb, day in (("receive", "--on"), ("object", "--on"), ("recognise", "--from")):
        assert "busan, suwon" in refused(fcc, verb, lab, *MRA, day, "2020-03-01")
    fcc.does("recognise", lab, *MRA, "--from", "2020-03-01", "--site", "busan", "--reason", "Verified")
    assert [each["site"] for each in rights("recognition")] == ["busan"]
    assert len(rights("designation")) == 2


def told(officer: Officer, body: str) -> list[str]:
    """What the other side did about a body, as the inbox tells it."""
    return [each["words"] for each in officer.does("inbox")["items"] if (each["body"], each["kind"]) == (body, "step")]


def test_each_step_tells_the_other_side(office: Office, rra: Officer, fcc: Officer, lab: str) -> None:
    rra.does("designate", lab, *MRA, "--scope", RULE, "--from", "2020-01-01")
    rra.does("propose", lab, *MRA, "--on", "2020-02-01", "--reason", "New")
    assert any(each["body"] == lab for each in fcc.does("inbox")["items"])
    assert told(rra, lab) == []
    steps = [
        (("receive", lab, *MRA, "--on", "2020-02-10"), "received the proposal"),
        (("object", lab, *MRA, "--on", "2020-02-20"), "objected"),
        (("verify", lab, "--agreement", MRA[1], "--on", "2020-02-25"), "verified"),
        (("recognise", lab, *MRA, "--from", "2020-03-01"), "recognised"),
        (("contest", lab, "--agreement", MRA[1], "--on", "2020-09-01"), "contested"),
        (("withdraw", lab, "--agreement", MRA[1], "--notice", "--on", "2020-10-01"), "notice"),
        (("withdraw", lab, "--agreement", MRA[1], "--proceedings", "--on", "2020-10-02"), "proceedings"),
        (("suspend", lab, "--agreement", MRA[1], "--on", "2020-11-01"), "suspended"),
        (("reinstate", lab, "--agreement", MRA[1], "--on", "2020-12-01"), "reinstated"),
    ]
    for words, did in steps:
        if did == "notice":
            tried = fcc.types(*words, "--reason", "x", "--dry-run").stdout
            assert ": notice of its withdrawal is given on 2020-10-01" in tried, tried
        fcc.does(*words, "--reason", f"Because of {did}")
        assert any(did in each and f"Because of {did}" in each for each in told(rra, lab)), (words, told(rra, lab))
    assert told(fcc, lab) == []
    # What the designating side does goes the other way, and is its answer.
    rra.does("suspend", lab, "--agreement", MRA[1], "--on", "2021-01-01", "--reason", "We do too")
    assert told(rra, lab) == []
    assert any("suspended" in each and "We do too" in each for each in told(fcc, lab))
    # Whom it does not concern is told nothing.
    assert told(office.officer("ca-ised"), lab) == []


def test_the_loss_of_an_accreditation_tells_who_rests_on_it(office: Office, rra: Officer, lab: str) -> None:
    kolas = office.officer("kr-kolas")
    kolas.does("accreditation", "add", lab, "--standard", "ISO/IEC 17025", "--scope", RULE, "--from", "2018-01-01")
    rra.does("designate", lab, *MRA, "--scope", RULE, "--from", "2020-01-01")
    kolas.does("suspend", lab, "--on", "2022-01-01", "--reason", "Failed")
    assert any("suspended" in each for each in told(rra, lab))
