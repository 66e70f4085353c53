"""Rows of one table that contradict one another: none of them goes in, and each names the line of the other."""

from pathlib import Path
from typing import Any

import pytest

from cab_cli.desk import Held
from cab_cli.mapping import MappingFile
from cab_cli.planning import Group, Planned, Planner
from cab_cli.reading_tables import read_table
from cab_cli.rows import Row, RowFault

COLUMNS = {
    "Name": "body.name",
    "Other": "body.other_name",
    "Note": "body.note",
    "Site": "body.site.key",
    "Address": "body.site.address",
    "Rule": "designation.scope.requirement",
    "From": "designation.from",
    "Until": "designation.until",
    "By": "accreditation.by",
    "Standard": "accreditation.standard",
    "Number": "accreditation.number",
    "Validity": "accreditation.validity",
    "Text": "accreditation.scope.text",
    "Key": "designation.scope.key",
}
CONSTANTS = {
    "body.economy": "KR",
    "body.kind": "testing_laboratory",
    "designation.agreement": "apec-tel-us-kr",
    "designation.annex": "phase-1",
}
RULES = {"47 CFR Part 15 Subpart C": "us-47cfr-15c"}


def plan(
    folder: Path, headings: str, *lines: str, held: Held | None = None, rights: tuple[Held, ...] = ()
) -> tuple[list[Planned], list[RowFault]]:
    planner, rows = read(folder, headings, *lines)
    faults: list[RowFault] = []
    return planner.plan(Group("alpha-lab", rows, held, list(rights)), faults), faults


def told(folder: Path, headings: str, *lines: str) -> list[str]:
    """Return what is told of rows that are taken."""
    planner, rows = read(folder, headings, *lines)
    planner.plan(Group("alpha-lab", rows), [])
    return [each.reason for each in planner.notes]


def read(folder: Path, headings: str, *lines: str) -> tuple[Planner, list[Row]]:
    place = folder / "a.csv"
    place.write_text("\n".join((headings, *lines)), "utf-8")
    columns = {name: COLUMNS[name] for name in headings.split(",")}
    table, reader = read_table(place, MappingFile(columns=columns, constants=CONSTANTS), None, {"KR": ["Korea"]})
    assert table.found.faults == []
    return Planner(reader, "kr-rra", lambda words: RULES.get(words, words), update=False), table.rows


def said(faults: list[RowFault]) -> list[tuple[int, str, str]]:
    return [(each.line, each.column, each.reason) for each in faults]


HEADINGS = "Name,Rule,From,Until"


@pytest.mark.parametrize(
    ("second", "column"),
    [
        ("Alpha,us-47cfr-15c,2025-02-01,", "From"),
        ("Alpha,us-47cfr-15c,2025-01-01,2026-01-01", "Until"),
        ("Alpha,47 CFR Part 15 Subpart C,2025-01-01,2026-01-01", "Until"),
        ("Alpha,47 CFR Part 15 Subpart C,2024-01-01,2025-06-30", "From"),
    ],
)
def test_two_beginnings_or_two_ends_of_one_thing_enter_neither(tmp_path: Path, second: str, column: str) -> None:
    planned, faults = plan(tmp_path, HEADINGS, "Alpha,us-47cfr-15c,2025-01-01,", second, "Alpha,us-47cfr-15b,always,")
    assert [(line, where) for line, where, _ in said(faults)] == [(2, column), (3, column)]
    assert "contradicts line 3" in faults[0].reason
    assert "contradicts line 2, which says of the same: from 2025-01-01 without an end" in faults[1].reason
    items = [item["requirement"] for each in planned for item in each.change.document.get("scope", [])]
    assert items == ["us-47cfr-15b"]


def test_the_same_by_another_citation_is_said_before(tmp_path: Path) -> None:
    lines = ("Alpha,us-47cfr-15c,2025-01-01,", "Alpha,47 CFR Part 15 Subpart C,2025-01-01,")
    _, faults = plan(tmp_path, HEADINGS, *lines)
    assert said(faults) == [(3, "", "says what line 2 says")]


def test_periods_that_follow_one_another_do_not_contradict(tmp_path: Path) -> None:
    lines = ("Alpha,us-47cfr-15c,2020-01-01,2021-12-31", "Alpha,us-47cfr-15c,2022-01-01,", "Alpha,us-47cfr-15b,always,")
    planned, faults = plan(tmp_path, HEADINGS, *lines)
    assert faults == []
    assert len(planned[1].change.document["scope"]) == 3


def test_what_stands_so_on_record_is_no_contradiction(tmp_path: Path) -> None:
    item = {"requirement": "us-47cfr-15c", "from": "2025-01-01"}
    right = {
        "type": "designation", "id": "d", "body": "alpha-lab", "by": "kr-rra", "agreement": "apec-tel-us-kr",
        "annex": "phase-1", "owner": "kr-rra",
        "scope": [{**item, "key": "a"}, {**item, "key": "b", "until": "2026-01-01"}],
    }  # fmt: skip
    body = {"type": "body", "id": "alpha-lab", "owner": "kr-rra", "names": [{"name": "Alpha"}], "economy": "KR"}
    lines = ("Alpha,us-47cfr-15c,2025-01-01,", "Alpha,us-47cfr-15c,2025-01-01,2026-01-01")
    _, faults = plan(tmp_path, HEADINGS, *lines, held=Held(body, 1), rights=(Held(right, 1),))
    assert faults == []


@pytest.mark.parametrize(
    ("headings", "first", "second", "column"),
    [
        ("Name,Rule,Note", "Alpha,a,old", "Alpha,b,new", "Note"),
        ("Name,Rule,Other", "Alpha,a,One", "Alpha,b,Two", "Other"),
        ("Name,Rule,Site,Address", "Alpha,a,s,Street 1", "Alpha,b,s,Street 2", "Address"),
    ],
)
def test_two_things_said_of_one_body_are_told(
    tmp_path: Path, headings: str, first: str, second: str, column: str
) -> None:
    _, faults = plan(tmp_path, headings, first, second)
    assert [(line, where, "line 2 says" in why) for line, where, why in said(faults)] == [(3, column, True)]


def test_two_kinds_of_validity_of_one_certificate_enter_neither(tmp_path: Path) -> None:
    lines = ("Alpha,kr-kolas,ISO/IEC 17025,1,a,dated", "Alpha,kr-kolas,ISO/IEC 17025,1,b,open_ended")
    _, faults = plan(tmp_path, "Name,By,Standard,Number,Text,Validity", *lines)
    assert [(line, where) for line, where, _ in said(faults)] == [(2, "Validity"), (3, "Validity")]


def test_rows_that_say_more_of_a_body_may_say_the_same_of_a_right(tmp_path: Path) -> None:
    lines = ("Alpha,us-47cfr-15c,s,Street 1", "Alpha,47 CFR Part 15 Subpart C,t,Street 2")
    planned, faults = plan(tmp_path, "Name,Rule,Site,Address", *lines)
    assert faults == []
    assert [each["key"] for each in planned[0].change.document["sites"]] == ["s", "t"]
    assert len(planned[1].change.document["scope"]) == 1


def test_what_a_later_row_alone_says_of_a_body_is_not_lost(tmp_path: Path) -> None:
    planned, faults = plan(tmp_path, "Name,Rule,Note", "Alpha,a,", "Alpha,b,A note")
    assert faults == []
    assert planned[0].change.document["note"] == "A note"


def test_two_names_that_one_body_has_on_record_may_both_stand(tmp_path: Path) -> None:
    names: list[dict[str, Any]] = [{"name": "KCTL Inc."}, {"name": "KCTL", "kind": "other"}]
    body = {"type": "body", "id": "alpha-lab", "owner": "kr-rra", "names": names, "economy": "KR"}
    _, faults = plan(tmp_path, "Name,Rule", "KCTL,a", "KCTL Inc.,b", held=Held(body, 1))
    assert faults == []


def test_a_row_that_does_not_say_for_what_is_refused_or_told(tmp_path: Path) -> None:
    planned, faults = plan(tmp_path, HEADINGS, "Alpha,us-47cfr-15c,2025-01-01,", "Alpha,,2025-02-01,")
    assert [(line, column, "for what" in why) for line, column, why in said(faults)] == [(3, "Rule", True)]
    assert len(planned[1].change.document["scope"]) == 1
    planned, faults = plan(tmp_path, "Name,Rule,From", "Alpha,,2025-02-01")
    assert planned == []
    assert [line for line, _, _ in said(faults)] == [2]
    assert told(tmp_path, "Name,Rule", "Alpha,") == ["says nothing of a designation: the body alone is taken"]
    (words,) = told(tmp_path, "Name,From", "Alpha,2025-02-01")
    assert "without a scope" in words


def test_a_right_that_has_no_scope_on_record_may_stand_in_a_row_without_one(tmp_path: Path) -> None:
    right = {
        "type": "designation", "id": "d", "body": "alpha-lab", "by": "kr-rra", "agreement": "apec-tel-us-kr",
        "annex": "phase-1", "owner": "kr-rra", "from": "always",
    }  # fmt: skip
    body = {"type": "body", "id": "alpha-lab", "owner": "kr-rra", "names": [{"name": "Alpha"}], "economy": "KR"}
    planned, faults = plan(tmp_path, "Name,Rule", "Alpha,", held=Held(body, 1), rights=(Held(right, 1),))
    assert (planned, faults) == ([], [])
