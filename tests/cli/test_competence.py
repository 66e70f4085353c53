"""Who may say what, typed by officers: a right that its agreement speaks against comes through no door."""

import json
from pathlib import Path
from typing import Any

import pytest

from cab_cli.exits import Exit
from tests.cli.officers import Office, Officer

MRA = ("--agreement", "apec-tel-us-kr", "--annex", "phase-1")
RULE = "us-47cfr-15c"
SINCE = ("--from", "2020-01-01")


@pytest.fixture
def lab(office: Office, request: pytest.FixtureRequest) -> str:
    """A Korean laboratory of the test's own."""
    name = f"Who {request.node.name}"
    words = ("body", "add", name, "--economy", "KR", "--kind", "testing_laboratory")
    return str(office.officer("kr-rra").does(*words)["versions"][0]["id"])


def refused(officer: Officer, *words: str) -> str:
    done = officer.types(*words, "--reason", "x")
    assert (done.exit_code, done.stdout) == (Exit.REFUSED, ""), done.stdout
    return str(done.stderr)


def test_roles_jurisdiction_and_subject_are_held_to_the_agreement(office: Office, lab: str) -> None:
    nist, kolas, fcc, rra = (office.officer(name) for name in ("us-nist", "kr-kolas", "us-fcc", "kr-rra"))
    admitted = "under apec-tel-us-kr, annex phase-1, bodies in KR are designated by kr-rra"
    assert admitted in refused(nist, "designate", lab, *MRA, "--scope", RULE, *SINCE)
    assert admitted in refused(kolas, "designate", lab, *MRA, "--scope", RULE, *SINCE)
    assert admitted in refused(nist, "propose", lab, *MRA, "--scope", RULE)
    standard = ("--standard", "ISO/IEC 17025", "--scope", RULE, *SINCE)
    assert "not an accreditation body" in refused(fcc, "accreditation", "add", lab, *standard)
    assert RULE in refused(rra, "designate", lab, *MRA, "--scope", "eu-gmp-human", *SINCE)
    assert "recognised by us-fcc" in refused(nist, "recognise", lab, *MRA, "--scope", RULE, *SINCE)
    assert not rra.does("body", "show", lab)["rights"]


def test_a_reason_does_not_help_against_the_agreement(office: Office, lab: str) -> None:
    words = ("designate", lab, *MRA, "--scope", RULE, *SINCE, "--although", "we agreed by telephone")
    assert "designated by kr-rra" in refused(office.officer("us-nist"), *words)


def test_what_is_left_open_is_entered_with_a_reason(office: Office) -> None:
    agmp = office.officer("de-agmp")
    made = agmp.does("body", "add", "Who in Germany", "--economy", "DE", "--kind", "testing_laboratory")
    words = ("designate", made["versions"][0]["id"], "--agreement", "us-eu-mra", "--annex", "telecom", *SINCE)
    assert "--although" in refused(agmp, *words)
    done: dict[str, Any] = agmp.does(*words, "--although", "the task was given to us", "--reason", "Decree 12")
    assert (done["state"], done["although"]) == ("approved", "the task was given to us")
    assert "the task was given to us" in agmp.types("body", "history", made["versions"][0]["id"]).stdout


def test_files_come_through_the_same_door(office: Office, lab: str, tmp_path: Path) -> None:
    nist = office.officer("us-nist")
    document = {
        "type": "designation",
        "owner": "us-nist",
        "by": "us-nist",
        "body": lab,
        "agreement": "apec-tel-us-kr",
        "annex": "phase-1",
        "scope": [{"key": "a", "requirement": RULE, "from": "2020-01-01"}],
        "timeline": [{"event": "designated", "on": "2020-01-01"}],
    }
    file = tmp_path / "right.json"
    file.write_text(json.dumps(document))
    assert "designated by kr-rra" in refused(nist, "submit", str(file))


def test_nobody_gets_round_its_role_in_the_name_of_its_economy(office: Office, lab: str, tmp_path: Path) -> None:
    kcs, nist, rra = (office.officer(name) for name in ("kr-kcs", "us-nist", "kr-rra"))
    told = refused(kcs, "designate", lab, *MRA, "--scope", RULE, *SINCE, "--by", "KR")
    assert "designated by kr-rra, not by kr-kcs" in told
    told = refused(nist, "recognise", lab, *MRA, "--scope", RULE, *SINCE, "--by", "US")
    assert "recognised by us-fcc, not by us-nist" in told
    position = {"about": {"agreement": "apec-tel-us-kr"}, "says": "not_accepted", "from": "2024-01-01"}
    for about in (
        {"type": "position", **position, "binds_in": ["US"], "by": "US"},
        {"type": "position", **position, "binds_in": ["US"], "by": "us-nist"},
        {"type": "notice", "about": {"body": lab}, "effect": "prohibited_entity", "on": "2024-01-01", "by": "US"},
        {
            "type": "coverage",
            "by": "US",
            "agreement": "apec-tel-us-kr",
            "completeness": "complete",
            "as_of": "2024-01-01",
        }
        | {"kinds": ["recognition"]},
    ):
        file = tmp_path / f"{about['type']}.json"
        file.write_text(json.dumps({"owner": "us-nist", **about}))
        assert "us-nist" in refused(nist, "submit", str(file))
    done = rra.does("designate", lab, *MRA, "--scope", RULE, *SINCE, "--by", "KR", "--reason", "x")
    assert done["state"] == "approved"


@pytest.mark.parametrize("name", ["Zero\u200bWidth", "L\u0430b"])
def test_a_name_that_cannot_be_read_is_told_where_the_name_stands(office: Office, name: str) -> None:
    words = ("body", "add", name, "--economy", "KR", "--kind", "testing_laboratory", "--id", "kr-unread")
    done = office.officer("kr-rra").types(*words)
    assert done.exit_code == Exit.REFUSED
    assert "/names/0/name" in done.stderr
    assert "public_reason" not in done.stderr
