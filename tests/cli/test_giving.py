"""What a verb or a table gives is what is named, from its day on, once; what was not proposed is not given."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cab_cli.exits import Exit
from tests.cli.officers import Office, Officer

MRA = ("--agreement", "apec-tel-us-kr", "--annex", "phase-1")
RULE, OTHER, THIRD = "us-47cfr-15c", "us-47cfr-15e", "us-47cfr-15b"
Rights = Callable[[str], list[Any]]


@pytest.fixture
def rra(office: Office) -> Officer:
    return office.officer("kr-rra")


@pytest.fixture
def fcc(office: Office) -> Officer:
    return office.officer("us-fcc")


@pytest.fixture
def kolas(office: Office) -> Officer:
    return office.officer("kr-kolas")


@pytest.fixture
def lab(rra: Officer, request: pytest.FixtureRequest) -> str:
    words = ("body", "add", f"Giving {request.node.name}", "--economy", "KR", "--kind", "testing_laboratory")
    return str(rra.does(*words)["versions"][0]["id"])


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


def events(right: Any) -> list[tuple[str, Any, list[str]]]:
    return [(each["event"], each["on"], each.get("items", [])) for each in right["timeline"]]


def scope(right: Any) -> list[tuple[Any, ...]]:
    return [(each["key"], each["from"], each.get("until"), each.get("standards", [])) for each in right["scope"]]


@pytest.mark.parametrize("received", [True, False])
def test_recognition_gives_what_is_named_of_what_was_proposed(
    rra: Officer, fcc: Officer, lab: str, rights: Rights, received: bool
) -> None:
    rra.does("designate", lab, *MRA, "--scope", RULE, "--scope", OTHER, "--from", "2025-01-01")
    rra.does("propose", lab, *MRA, "--on", "2025-01-05", "--notified", "2025-01-05", "--reason", "p")
    if received:
        fcc.does("receive", lab, *MRA, "--on", "2025-01-06", "--reason", "r")
    limits = ("--scope", RULE, "--standard", "ANSI C63.10", "--from", "2025-02-01", "--until", "2026-06-30")
    fcc.does("recognise", lab, *MRA, *limits, "--reason", "15C only, to June")
    (right,) = rights("recognition")
    given = {key for event, _, items in events(right) if event == "recognised" for key in items}
    items = [each[2:] for each in scope(right) if each[0] in given]
    assert items == [("2026-06-30", ["ANSI C63.10"])]
    asked = ("check", "--destination", "US", "--kind", "test_report", "--issuer", lab, "--performed-in", "KR", "--json")
    for rule, day, there in ((RULE, "2026-06-30", True), (RULE, "2026-11-15", False), (OTHER, "2026-06-30", False)):
        answer = fcc.types(*asked, "--requirement", rule, "--standing-on", day).stdout
        found = '"check":"recognition","outcome":"pass"' in answer.replace(" ", "")
        assert found is there, (rule, day)
    # What was left is given by the same verb later, with no limit of its own.
    fcc.does("recognise", lab, *MRA, "--scope", OTHER, "--from", "2025-03-01", "--reason", "15E too")
    (right,) = rights("recognition")
    assert events(right)[-1] == ("recognised", "2025-03-01", [OTHER])


def test_recognition_as_proposed_names_what_was_proposed(rra: Officer, fcc: Officer, lab: str, rights: Rights) -> None:
    rra.does("designate", lab, *MRA, "--scope", RULE, "--scope", OTHER, "--from", "2025-01-01")
    rra.does("propose", lab, *MRA, "--on", "2025-01-05", "--reason", "p")
    fcc.does("receive", lab, *MRA, "--on", "2025-01-06", "--reason", "r")
    fcc.does("recognise", lab, *MRA, "--from", "2025-02-01", "--reason", "as proposed")
    (right,) = rights("recognition")
    assert events(right)[-1] == ("recognised", "2025-02-01", [RULE, OTHER])
    assert [each[1:] for each in scope(right)] == [("always", None, []), ("always", None, [])]


def test_designation_after_a_proposal_gives_what_is_named(rra: Officer, lab: str, rights: Rights) -> None:
    rra.does("propose", lab, *MRA, "--scope", RULE, "--scope", OTHER, "--on", "2025-01-05", "--reason", "p")
    limits = ("--from", "2025-02-01", "--until", "2026-06-30", "--standard", "ANSI C63.10")
    told = refused(rra, "designate", lab, *MRA, "--scope", RULE, *limits)
    assert f"name {OTHER} too" in told
    assert "--remove /scope/1" in told
    rra.does("designate", lab, *MRA, "--scope", RULE, "--scope", OTHER, *limits, "--reason", "d")
    (right,) = rights("designation")
    assert [each[2:] for each in scope(right)] == [("2026-06-30", ["ANSI C63.10"])] * 2
    assert events(right)[-1] == ("designated", "2025-02-01", [])


def test_a_last_day_without_a_scope_is_kept(rra: Officer, lab: str, rights: Rights) -> None:
    rra.does("designate", lab, *MRA, "--from", "2025-01-01", "--until", "2026-06-30")
    assert rights("designation")[0]["until"] == "2026-06-30"


def test_only_what_is_proposed_is_received(rra: Officer, fcc: Officer, lab: str, rights: Rights) -> None:
    rra.does("designate", lab, *MRA, "--scope", RULE, "--scope", OTHER, "--from", "2025-01-01")
    rra.does("propose", lab, *MRA, "--scope", RULE, "--on", "2025-01-10", "--notified", "2025-01-10", "--reason", "p")
    told = refused(fcc, "receive", lab, *MRA, "--scope", OTHER, "--on", "2025-01-10")
    assert f"did not propose or notify {OTHER}" in told
    fcc.does("receive", lab, *MRA, "--on", "2025-01-10", "--reason", "r")
    (right,) = rights("recognition")
    assert ([each[0] for each in scope(right)], events(right)) == ([RULE], [("notified", "2025-01-10", [RULE])])
    # What is proposed later arrives later, and its own clock begins then.
    rra.does("propose", lab, *MRA, "--scope", OTHER, "--on", "2025-05-10", "--notified", "2025-05-10", "--reason", "p")
    fcc.does("receive", lab, *MRA, "--on", "2025-05-11", "--reason", "r")
    (right,) = rights("recognition")
    assert [each[0] for each in scope(right)] == [RULE, OTHER]
    assert events(right) == [("notified", "2025-01-10", [RULE]), ("notified", "2025-05-11", [OTHER])]


@pytest.mark.parametrize("verb", ["object", "recognise"])
def test_a_record_opened_by_another_verb_has_what_is_proposed_alone(
    rra: Officer, fcc: Officer, lab: str, rights: Rights, verb: str
) -> None:
    rra.does("designate", lab, *MRA, "--scope", RULE, "--scope", OTHER, "--from", "2025-01-01")
    rra.does("propose", lab, *MRA, "--scope", RULE, "--on", "2025-01-10", "--notified", "2025-01-11", "--reason", "p")
    rra.does("designate", lab, *MRA, "--scope", THIRD, "--from", "2025-01-15", "--reason", "Not proposed")
    fcc.does(verb, lab, *MRA, "--from" if verb == "recognise" else "--on", "2025-02-01", "--reason", "r")
    (right,) = rights("recognition")
    assert [each[0] for each in scope(right)] == [RULE]
    assert events(right)[0] == ("notified", "2025-01-11", [RULE])


def test_an_objection_to_some_items_stops_these_only(rra: Officer, fcc: Officer, lab: str, rights: Rights) -> None:
    rra.does("designate", lab, *MRA, "--scope", RULE, "--scope", OTHER, "--from", "2025-01-01")
    rra.does("propose", lab, *MRA, "--on", "2025-01-10", "--notified", "2025-01-10", "--reason", "p")
    assert "is no item" in refused(fcc, "object", lab, *MRA, "--scope", THIRD, "--on", "2025-01-20")
    fcc.does("object", lab, *MRA, "--scope", OTHER, "--on", "2025-01-20", "--reason", "No method for it")
    fcc.does("verify", lab, "--scope", OTHER, "--on", "2025-01-25", "--reason", "Visit")
    (right,) = rights("recognition")
    assert events(right)[-2:] == [("objected", "2025-01-20", [OTHER]), ("verified", "2025-01-25", [OTHER])]


def test_less_than_proposed_is_not_taken_where_silence_takes_the_rest(office: Office) -> None:
    zls, com = office.officer("de-zls"), office.officer("eu-commission")
    words = ("--economy", "DE", "--kind", "certification_body", "--identifier", "nando:2961")
    body = str(zls.does("body", "add", "Stille GmbH", *words)["versions"][0]["id"])
    single, rule = ("--agreement", "eu-single-market"), ("--scope", "eu-machinery-2006-42")
    zls.does("designate", body, *single, *rule, "--from", "2025-01-01")
    zls.does("propose", body, *single, "--on", "2025-01-10", "--notified", "2025-01-10", "--reason", "p")
    com.does("receive", body, *single, "--on", "2025-01-10", "--reason", "r")
    less = ("recognise", body, *single, *rule, "--from", "2025-02-01", "--until", "2026-06-30")
    told = refused(com, *less)
    assert "silence recognises all that was proposed" in told
    assert f"cab object {body} --scope eu-machinery-2006-42" in told
    com.does("object", body, *single, *rule, "--on", "2025-01-20", "--reason", "Not all of it")
    com.does(*less, "--reason", "To June")


@pytest.mark.parametrize("kind", ["designation", "accreditation"])
def test_an_extension_from_an_earlier_day_counts_from_that_day(
    rra: Officer, kolas: Officer, lab: str, rights: Rights, kind: str
) -> None:
    who = rra if kind == "designation" else kolas
    add = (
        ("designate", lab, *MRA)
        if kind == "designation"
        else ("accreditation", "add", lab, "--standard", "ISO/IEC 17025")
    )
    who.does(*add, "--scope", RULE, "--from", "2025-01-01")
    who.does(*add, "--scope", OTHER, "--from", "2022-01-01", "--reason", "Found late")
    who.does(*add, "--scope", THIRD, "--from", "2026-01-01", "--reason", "More")
    (right,) = rights(kind)
    gives = "designated" if kind == "designation" else "granted"
    assert events(right) == [
        (gives, "2022-01-01", [OTHER]),
        (gives, "2025-01-01", []),
        ("extended", "2026-01-01", [THIRD]),
    ]
    if kind == "designation":
        standing = ("check", "--destination", "US", "--kind", "test_report", "--issuer", lab, "--performed-in", "KR")
        answer = rra.types(*standing, "--requirement", OTHER, "--standing-on", "2023-01-01", "--json").stdout
        assert '"check":"designation","outcome":"pass"' in answer.replace(" ", "")


def test_what_is_held_already_is_not_given_again(rra: Officer, lab: str, rights: Rights) -> None:
    rra.does("designate", lab, *MRA, "--scope", RULE, "--from", "2025-03-01", "--until", "2026-02-28")
    for day in ("2025-09-01", "2025-03-01", "2024-01-01"):
        told = refused(rra, "designate", lab, *MRA, "--scope", RULE, "--from", day)
        assert f"has {RULE} already, from 2025-03-01 on" in told
        assert "a new period begins on 2026-03-01" in told
    rra.does("designate", lab, *MRA, "--scope", RULE, "--standard", "M", "--from", "2025-09-01", "--reason", "Other")
    rra.does("designate", lab, *MRA, "--scope", RULE, "--from", "2026-03-01", "--reason", "Renewed")
    (right,) = rights("designation")
    assert [each[1] for each in scope(right)] == ["2025-03-01", "2025-09-01", "2026-03-01"]
    rra.does("suspend", right["id"], "--on", "2026-05-01", "--reason", "s")
    assert "cab reinstate lifts that" in refused(rra, "designate", lab, *MRA, "--scope", RULE, "--from", "2026-06-01")
    rra.does("withdraw", right["id"], "--on", "2026-07-01", "--reason", "w")
    rra.does("designate", lab, *MRA, "--scope", RULE, "--from", "2026-08-01", "--reason", "Anew")
    assert events(rights("designation")[0])[-1][0] == "designated"


def test_a_certificate_of_another_edition_or_number_is_another_record(kolas: Officer, lab: str, rights: Rights) -> None:
    add = ("accreditation", "add", lab, "--standard", "ISO/IEC 17025")
    kolas.does(
        *add, "--edition", "2005", "--number", "KT1", "--scope", RULE, "--from", "2015-01-01", "--until", "2020-12-31"
    )
    kolas.does(*add, "--edition", "2017", "--number", "KT2", "--scope", OTHER, "--from", "2021-01-01")
    kolas.does(*add, "--number", "KT2", "--scope", THIRD, "--from", "2022-01-01", "--reason", "More")
    found = {
        each["number"]: (each["edition"], [item["key"] for item in each["scope"]]) for each in rights("accreditation")
    }
    assert found == {"KT1": ("2005", [RULE]), "KT2": ("2017", [OTHER, THIRD])}
    assert "name --edition and --number" in refused(kolas, *add, "--scope", "us-47cfr-18", "--from", "2023-01-01")
    told = refused(
        kolas, *add, "--number", "KT2", "--validity", "unknown", "--scope", "us-47cfr-18", "--from", "2023-01-01"
    )
    assert "its validity is open_ended" in told


def test_a_number_that_is_not_on_record_is_asked_for(kolas: Officer, lab: str, rights: Rights) -> None:
    add = ("accreditation", "add", lab, "--standard", "ISO/IEC 17025")
    kolas.does(*add, "--scope", RULE, "--from", "2021-01-01")
    (right,) = rights("accreditation")
    told = refused(kolas, *add, "--number", "KT1", "--scope", OTHER, "--from", "2022-01-01")
    assert f"cab correct {right['id']} --set /number=KT1" in told
    assert rights("accreditation") == [right]


@pytest.mark.parametrize("verb", ["suspend", "restrict", "withdraw"])
def test_a_step_is_taken_once(rra: Officer, lab: str, rights: Rights, verb: str) -> None:
    rra.does("designate", lab, *MRA, "--scope", RULE, "--scope", OTHER, "--from", "2025-01-01")
    words = (verb, lab, "--scope", RULE, "--on", "2026-03-01")
    rra.does(*words, "--reason", "once")
    refused(rra, *words)
    if verb != "withdraw":
        rra.does("reinstate", lab, "--scope", RULE, "--on", "2026-04-01", "--reason", "lifted")
        told = refused(rra, "reinstate", lab, "--scope", RULE, "--on", "2026-05-01")
        assert "any more: reinstated on 2026-04-01" in told


def test_what_was_withdrawn_is_not_renewed(kolas: Officer, lab: str, rights: Rights) -> None:
    add = ("accreditation", "add", lab, "--standard", "ISO/IEC 17025", "--scope", RULE)
    kolas.does(*add, "--from", "2024-03-01", "--until", "2026-12-31")
    (right,) = rights("accreditation")
    kolas.does("withdraw", right["id"], "--on", "2026-02-01", "--reason", "w")
    renew = ("accreditation", "renew", right["id"], "--until", "2029-06-30", "--on", "2026-03-01")
    assert "was withdrawn on 2026-02-01, and not given again since" in refused(kolas, *renew)


MAPPING = """
columns:
  Laboratory: body.name
  "No": body.identifier.fcc-designation
  Rule: {kind}.scope.requirement
  Since: {kind}.from
  Until: {kind}.until
  Edition: accreditation.edition
  Cert: accreditation.number
constants: {{body.kind: testing_laboratory, body.economy: KR{more}}}
"""
UNDER = ", designation.agreement: apec-tel-us-kr, designation.annex: phase-1"


@pytest.fixture
def imports(tmp_path: Path) -> Callable[..., tuple[dict[str, Any], list[str]]]:
    """Import rows of a kind; returns the summary, and why rows were refused or read in another way."""

    def run(who: Officer, kind: str, *rows: tuple[str, ...]) -> tuple[dict[str, Any], list[str]]:
        standard = ", accreditation.standard: ISO/IEC 17025"
        text = MAPPING.format(kind=kind, more=UNDER if kind == "designation" else standard)
        wide = kind == "accreditation"
        (tmp_path / "mapping.yaml").write_text(
            text if wide else "".join(line for line in text.splitlines(keepends=True) if ": accreditation" not in line),
            "utf-8",
        )
        headings = ("Laboratory", "No", "Rule", "Since", "Until", *(("Edition", "Cert") if wide else ()))
        with (tmp_path / "t.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([headings, *rows])
        done = who.types(
            "import", tmp_path / "t.csv", "--mapping", tmp_path / "mapping.yaml", "--reason", "x", "--json"
        )
        summary = json.loads(done.stdout)
        return summary, [each["reason"] for each in (*summary["faults"], *summary["notes"])]

    return run


@pytest.mark.parametrize("kind", ["designation", "accreditation"])
def test_the_order_of_rows_decides_nothing(
    office: Office, rra: Officer, kolas: Officer, imports: Any, kind: str
) -> None:
    who = rra if kind == "designation" else kolas
    more = ("2017", "KT1") if kind == "accreditation" else ()
    stem = "KR810" if kind == "designation" else "KR820"
    for number, turn in (("1", 1), ("2", -1)):
        name = (f"Order {kind} {number}", f"{stem}{number}")
        rows = [(*name, RULE, "2025-01-01", "", *more), (*name, OTHER, "2024-01-01", "2027-12-31", *more)][::turn]
        imports(who, kind, *rows)
    found = []
    for number in ("1", "2"):
        shown = rra.does("body", "show", f"fcc-designation-{stem.lower()}{number}")["rights"]
        (right,) = [each["record"] for each in shown if each["kind"] == kind]
        found.append((sorted(scope(right)), events(right), right.get("validity")))
    gives = "designated" if kind == "designation" else "granted"
    assert found[0] == found[1]
    assert found[0][1] == [(gives, "2024-01-01", [OTHER]), ("extended", "2025-01-01", [RULE])]


def test_another_day_of_what_is_held_is_told_and_left(rra: Officer, imports: Any) -> None:
    name = ("Day Lab", "KR8301")
    imports(rra, "designation", (*name, RULE, "2025-03-01", ""))
    for day in ("2025-09-01", "2024-09-01"):
        summary, told = imports(rra, "designation", (*name, RULE, day, ""))
        assert (summary["entered"], summary["unchanged"]) == (0, 1)
        assert any(
            "the first day differs from the one on record (2025-03-01), which is left as it is" in each for each in told
        )
    # A late row for another rule counts from its own day.
    imports(rra, "designation", (*name, OTHER, "2022-01-01", ""))
    (right,) = [each["record"] for each in rra.does("body", "show", "fcc-designation-kr8301")["rights"]]
    assert events(right) == [("designated", "2022-01-01", [OTHER]), ("designated", "2025-03-01", [])]


def test_rows_of_one_table_that_differ_in_a_day_are_told(rra: Officer, imports: Any) -> None:
    name = ("Two Days Lab", "KR8401")
    rows = [(*name, RULE, "2025-03-01", ""), (*name, RULE, "2025-09-01", "")]
    summary, told = imports(rra, "designation", *rows)
    assert (summary["entered"], summary["refused"]) == (0, 2)
    assert [each.split(",")[0] for each in told] == ["contradicts line 3", "contradicts line 2"]
    periods = [(*name, OTHER, "2020-01-01", "2020-12-31"), (*name, OTHER, "2022-01-01", "")]
    assert imports(rra, "designation", *periods)[0]["refused"] == 0


def test_rows_of_two_certificates_are_two_records(rra: Officer, kolas: Officer, imports: Any) -> None:
    name = ("Cert Lab", "KR8501")
    rows = [(*name, RULE, "2015-01-01", "2020-12-31", "2005", "KT1"), (*name, RULE, "2018-01-01", "", "2017", "KT2")]
    imports(kolas, "accreditation", *rows)
    found = [each["record"] for each in rra.does("body", "show", "fcc-designation-kr8501")["rights"]]
    assert sorted((each["edition"], each["number"], len(each["scope"])) for each in found) == [
        ("2005", "KT1", 1),
        ("2017", "KT2", 1),
    ]
    assert imports(kolas, "accreditation", *rows)[0]["unchanged"] == 2
    _, told = imports(kolas, "accreditation", (*name, OTHER, "2019-01-01", "", "", ""))
    assert any("several certificates fit" in each for each in told)
