"""What an import asks of the register: codes of the law and of rights on record, unions, rules by their citation."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.officers import Office, Officer

COLUMNS = {
    "Name": "body.name",
    "Country": "body.economy",
    "Number": "body.identifier.kr-words",
    "Rule": "designation.scope.requirement",
    "Class": "designation.scope.product_classes",
    "Procedure": "designation.scope.procedures",
    "From": "designation.from",
}
CONSTANTS = {
    "body.kind": "testing_laboratory",
    "designation.agreement": "apec-tel-us-kr",
    "designation.annex": "phase-1",
}
DAY = "2025-01-01"


@pytest.fixture
def rra(office: Office) -> Officer:
    return office.officer("kr-rra")


def take(officer: Officer, folder: Path, *rows: tuple[str, ...], columns: tuple[str, ...] = tuple(COLUMNS)) -> Any:
    with (folder / "list.csv").open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([columns, *rows])
    constants = CONSTANTS if "Rule" in columns else {"body.kind": "testing_laboratory"}
    mapping = {"columns": {name: COLUMNS[name] for name in columns}, "constants": constants}
    (folder / "mapping.yaml").write_text(json.dumps(mapping), "utf-8")
    words = ("import", folder / "list.csv", "--mapping", folder / "mapping.yaml", "--json", "--dry-run")
    return json.loads(officer.types(*words).stdout)


def test_codes_are_those_of_the_law(rra: Officer, tmp_path: Path) -> None:
    done = take(
        rra,
        tmp_path,
        ("Words One", "KR", "W1", "us-47cfr-15b", "ite", "certification; fcc_doc", DAY),
        ("Words Two", "KR", "W2", "us-47cfr-15b", "ite, radio", "", DAY),
        ("Words Three", "KR", "W3", "us-47cfr-15b", "all", "", DAY),
        ("Words Four", "KR", "W4", "us-47cfr-15b", "", "certification, fcc_doc", DAY),
        ("Words Five", "KR", "W5", "us-47cfr-15b", "", "asdf", DAY),
        ("Words Six", "KR", "W6", "us-47cfr-15b", "", "Certification", DAY),
    )
    assert (done["entered"], done["refused"]) == (2, 4)
    assert [(each["line"], each["column"]) for each in done["faults"]] == [
        (3, "Class"),
        (4, "Class"),
        (5, "Procedure"),
        (6, "Procedure"),
    ]
    assert [(each["line"], each["read_as"]) for each in done["notes"]] == [(7, "certification")]


def test_rules_are_found_by_their_citation_and_listed(rra: Officer, tmp_path: Path) -> None:
    done = take(
        rra,
        tmp_path,
        ("Words One", "KR", "W1", "47 CFR Part 15 Subpart C", "", "", DAY),
        ("Words Two", "KR", "W2", "47 CFR 15.247", "", "", DAY),
        ("Words Three", "KR", "W3", "", "", "", DAY),
        ("Words Four", "EU", "W4", "us-47cfr-15b", "", "", DAY),
        ("Words Five", "KR", "W5", "us-47cfr-15b", "", "", DAY),
        ("Words Five", "KR", "W5", "us-47cfr-15b", "", "", "2025-02-01"),
    )
    assert [(each["line"], each["column"]) for each in done["faults"]] == [
        (3, "Rule"),
        (4, "Rule"),
        (5, "Country"),
        (6, "From"),
        (7, "From"),
    ]
    assert "is a part of us-47cfr-15c" in done["faults"][0]["reason"]
    assert [(each["line"], each["read_as"]) for each in done["notes"]] == [(2, "us-47cfr-15c")]


def test_a_table_of_bodies_is_a_list_of_no_rights(rra: Officer, tmp_path: Path) -> None:
    done = take(rra, tmp_path, ("Words One", "KR", "W1"), columns=("Name", "Country", "Number"))
    assert (done["faults"], done["gone"]) == ([], [])
