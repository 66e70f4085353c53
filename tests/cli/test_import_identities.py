"""Whom a row is about: a name and a number that mean two bodies enter nothing, and a list never ends what it lacks."""

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from cab_cli.exits import Exit
from tests.cli.officers import Office, Officer

MAPPING = """
columns:
  Name: body.name
  Country: body.economy
  "No": body.identifier.fcc-designation
  Rule: designation.scope.requirement
  Since: designation.from
constants:
  body.kind: testing_laboratory
  designation.scheme: %s
"""
HEADINGS = ("Name", "Country", "No", "Rule", "Since")
ALTHOUGH = ("--although", "the rule that names this scheme is not on record yet")
C, E = "us-47cfr-15c", "us-47cfr-15e"


@pytest.fixture
def rra(office: Office) -> Officer:
    return office.officer("kr-rra")


class Importing:
    """Imports small lists of one scheme."""

    def __init__(self, officer: Officer, folder: Path, scheme: str) -> None:
        self.officer = officer
        self.folder = folder
        self.mapping = folder / "mapping.yaml"
        self.mapping.write_text(MAPPING % scheme, "utf-8")

    def takes(self, *rows: tuple[str, ...], options: tuple[str, ...] = (), file: str = "list.csv") -> Any:
        with (self.folder / file).open("w", encoding="utf-8", newline="") as opened:
            csv.writer(opened).writerows([HEADINGS, *rows])
        return self.takes_file(self.folder / file, *options)

    def takes_file(self, place: Path, *options: str) -> Any:
        words = ("import", place, "--mapping", self.mapping, "--reason", "A list", "--json", *options)
        words += ALTHOUGH
        done = self.officer.types(*words)
        assert done.exit_code in {Exit.DONE, Exit.FAILURE}, f"{done.stderr}{done.exception!r}"
        return json.loads(done.stdout)

    def rules_of(self, body: str) -> list[str]:
        rights = self.officer.does("body", "show", body)["rights"]
        return [item["requirement"] for each in rights for item in each["record"].get("scope", [])]


@pytest.fixture
def importing(rra: Officer, tmp_path: Path, request: pytest.FixtureRequest) -> Importing:
    return Importing(rra, tmp_path, "kr-" + request.node.name.replace("_", "-").partition("[")[0][:60])


def test_the_number_of_another_body_enters_nothing(importing: Importing) -> None:
    first = importing.takes(
        ("Alpha Lab", "KR", "KR1005", C, "2020-01-01"), ("Beta Lab", "KR", "KR1006", C, "2020-01-01")
    )
    assert (first["entered"], first["faults"]) == (2, [])
    second = importing.takes(
        ("Gamma Lab", "KR", "KR1005", E, "2021-01-01"), ("Beta Lab", "KR", "kr 1005", E, "2021-01-01")
    )
    assert (second["entered"], second["refused"]) == (0, 2)
    stranger, both = second["faults"]
    assert (stranger["line"], stranger["column"], stranger["value"]) == (2, "Name", "Gamma Lab")
    assert "'Alpha Lab' (fcc-designation-kr1005, KR, fcc-designation KR1005)" in stranger["reason"]
    assert "--names-from" in stranger["reason"]
    assert [part for part in ("'Alpha Lab'", "'Beta Lab'") if part not in both["reason"]] == []
    assert importing.rules_of("fcc-designation-kr1005") == [C]
    assert importing.rules_of("fcc-designation-kr1006") == [C]
    # With --update as well: the number decides nothing against a name that is somebody else's.
    third = importing.takes(
        ("Beta Lab", "KR", "KR1005", E, "2021-01-01"), options=("--update", "--names-from", "2021-01-01")
    )
    assert (third["entered"], third["refused"]) == (0, 1)


def test_a_name_with_another_number_enters_nothing(importing: Importing) -> None:
    importing.takes(("Delta Lab", "KR", "KR2001", C, "2020-01-01"))
    done = importing.takes(("DELTA-LAB", "KR", "KR2002", E, "2021-01-01"))
    (fault,) = done["faults"]
    assert (fault["column"], fault["value"], done["entered"]) == ("No", "KR2002", 0)
    assert "'Delta Lab' (fcc-designation-kr2001" in fault["reason"]


def test_another_economy_enters_nothing(importing: Importing) -> None:
    importing.takes(("Epsilon Lab", "KR", "KR2101", C, "2020-01-01"))
    done = importing.takes(("Epsilon Lab", "JP", "KR2101", E, "2021-01-01"))
    assert [(each["column"], "is in KR" in each["reason"]) for each in done["faults"]] == [("Country", True)]


def test_two_bodies_within_a_file_are_kept_apart(importing: Importing) -> None:
    done = importing.takes(
        ("Zeta Lab", "KR", "KR2201", C, "2020-01-01"),
        ("Eta Lab", "KR", "KR2201", E, "2020-01-01"),
        ("Zeta Lab", "KR", "KR2202", E, "2020-01-01"),
        ("Zeta Lab", "KR", "", E, "2020-01-01"),
        ("Zeta Lab", "KR", "KR 2201", E, "2020-01-01"),
    )
    assert [each["line"] for each in done["faults"]] == [3, 4, 5]
    assert all("Zeta Lab" in each["reason"] for each in done["faults"])
    assert "line 2" in done["faults"][0]["reason"]
    assert importing.rules_of("fcc-designation-kr2201") == [C, E]


def test_a_row_that_says_what_another_says_is_taken_once(importing: Importing) -> None:
    row = ("Twice Lab", "KR", "KR2251", C, "2020-01-01")
    done = importing.takes(row, ("Other Lab", "KR", "KR2252", C, "2020-01-01"), row)
    assert (done["entered"], done["unchanged"], done["refused"]) == (2, 1, 0)
    assert [(each["line"], each["reason"]) for each in done["notes"]] == [
        (4, "says what line 2 says, and is taken once")
    ]


def test_bodies_never_share_an_id(importing: Importing) -> None:
    rows = [
        ("検査株式会社", "KR"),
        ("試験研究所", "KR"),
        ("A&B Imp", "KR"),
        ("A+B Imp", "KR"),
        ("Ж Imp", "KR"),
        ("Zh Imp", "KR"),
    ]
    table = [(name, economy, "", C, "2020-01-01") for name, economy in rows]
    done = importing.takes(*table)
    assert (done["entered"], done["faults"]) == (6, [])
    assert [each["line"] for each in done["notes"] if each["column"] == "No"] == [2, 3, 4, 5, 6, 7]
    again = importing.takes(*table, file="again.csv")
    assert (again["entered"], again["unchanged"]) == (0, 6)
    found = importing.officer.does("export", "bodies")["items"]
    names = {each["name"]: each["id"] for each in found}
    ids = [names[name] for name, _ in rows]
    assert len(set(ids)) == len(rows)
    assert [importing.rules_of(each) for each in ids] == [[C]] * len(rows)


def test_a_new_name_holds_from_the_day_that_is_asked_for(importing: Importing) -> None:
    importing.takes(("Old Theta", "KR", "KR2301", C, "2020-01-01"))
    new = ("New Theta", "KR", "KR2301", C, "2020-01-01")
    asked = importing.takes(new, options=("--update",))
    assert (asked["entered"], "--names-from" in asked["faults"][0]["reason"]) == (0, True)
    tried = importing.officer.types("import", "x.csv", "--names-from", "2026-03-01")
    assert (tried.exit_code, "--update" in tried.stderr) == (Exit.REFUSED, True)
    done = importing.takes(new, options=("--update", "--names-from", "2026-03-01"))
    assert (done["entered"], done["faults"]) == (1, [])
    names = importing.officer.does("body", "show", "fcc-designation-kr2301")["record"]["names"]
    assert names == [
        {"name": "Old Theta", "from": "always", "until": "2026-02-28", "kind": "legal"},
        {"name": "New Theta", "from": "2026-03-01", "kind": "legal"},
    ] or [(each["name"], each["from"], each.get("until")) for each in names] == [
        ("Old Theta", "always", "2026-02-28"),
        ("New Theta", "2026-03-01", None),
    ]
    # The old name still finds the body, and brings nothing back.
    old = importing.takes(("Old Theta", "KR", "KR2301", C, "2020-01-01"), options=("--update",))
    assert (old["entered"], old["unchanged"], old["faults"]) == (0, 1, [])
    early = importing.takes(
        ("Third Theta", "KR", "KR2301", C, "2020-01-01"), options=("--update", "--names-from", "2026-02-01")
    )
    assert (early["entered"], "began on that day or later" in early["faults"][0]["reason"]) == (0, True)


def test_a_day_for_a_new_name_may_stand_in_the_row(importing: Importing) -> None:
    importing.takes(("Old Iota", "KR", "KR2302", C, "2020-01-01"))
    plain = importing.mapping.read_text("utf-8").replace("Since: designation.from", "Since: body.name_from")
    importing.mapping.write_text(plain, "utf-8")
    done = importing.takes(("New Iota", "KR", "KR2302", "", "2025-07-01"), options=("--update",))
    assert (done["entered"], done["faults"]) == (1, [])
    names = importing.officer.does("body", "show", "fcc-designation-kr2302")["record"]["names"]
    assert [(each["name"], each.get("until")) for each in names] == [("Old Iota", "2025-06-30"), ("New Iota", None)]


def test_a_body_that_is_gone_from_the_list_is_told_and_not_ended(importing: Importing) -> None:
    rows = [(f"Kappa {n}", "KR", f"KR240{n}", C, "2020-01-01") for n in range(3)]
    assert importing.takes(*rows)["gone"] == []
    done = importing.takes(*rows[:1], ("Kappa 2", "KR", "KR2402", "no such rule", "2020-01-01"), file="short.csv")
    assert done["gone"] == ["fcc-designation-kr2401"]
    # Whoever stands in a row that cannot be read is not missed either.
    with (importing.folder / "torn.csv").open("a", encoding="utf-8") as torn:
        torn.write(f"Name,Country,No,Rule,Since\nKappa 0,KR\nKR2401\nKappa 2,KR,KR2402,{C},2020-01-01\n")
    assert importing.takes_file(importing.folder / "torn.csv")["gone"] == []
    shown = importing.officer.does("body", "show", "fcc-designation-kr2401")
    assert len(shown["rights"][0]["record"]["timeline"]) == 1
    words = ("import", importing.folder / "short.csv", "--mapping", importing.mapping, "--dry-run")
    told = importing.officer.types(*words).stderr
    assert "not in this list: fcc-designation-kr2401" in told
    assert "never ends anything" in told


def test_refused_rows_can_be_mended_and_taken_again(importing: Importing) -> None:
    done = importing.takes(
        ("Lambda 1", "KR", "KR2501", C, "2020-01-01"),
        ("=Lambda 2", "Atlantis", "KR2502", C, "soon"),
        ("-Lambda, 3", "KR", "KR2503", "no such rule", "2020-01-01"),
    )
    assert (done["entered"], done["refused"]) == (1, 2)
    report = importing.folder / "list.csv.refused.csv"
    with report.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(each["line"], each["column"], each["Name"]) for each in rows] == [
        ("3", "Country; Since", "'=Lambda 2"),
        ("4", "Rule", "'-Lambda, 3"),
    ]
    unmended = importing.takes_file(report)
    assert (unmended["entered"], unmended["refused"], unmended["gone"]) == (0, 2, [])
    again = importing.folder / "list.csv.refused.csv.refused.csv"
    text = again.read_text("utf-8-sig").replace(",Atlantis,", ",KR,").replace("no such rule,2020", f"{C},2020")
    again.write_text(text.replace(",soon\n", ",2020-01-01\n"), "utf-8-sig")
    mended = importing.takes_file(again)
    assert (mended["entered"], mended["faults"]) == (2, [])
    assert importing.officer.does("body", "show", "fcc-designation-kr2502")["record"]["names"][0]["name"] == "=Lambda 2"


def test_the_report_does_not_overwrite_the_table(importing: Importing) -> None:
    place = importing.folder / "list.csv"
    place.write_text("Name\nx\n", "utf-8")
    done = importing.officer.types("import", place, "--mapping", importing.mapping, "--report", place)
    assert (done.exit_code, place.read_text("utf-8")) == (Exit.REFUSED, "Name\nx\n")


HOSTILE = (
    "Łódź Ω",
    "=x",
    "-x",
    "+x",
    "@x",
    "'=x",
    "''@x",
    'a "b" c',
    "0051",
    "'quoted",
    "a;b,c|d",
    "検査",
)


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.parametrize("what", ["bodies", "rights"])
def test_what_was_exported_changes_nothing(rra: Officer, tmp_path: Path, what: str, suffix: str) -> None:
    for number, name in enumerate(HOSTILE):
        body = f"kr-round-{number}"
        flags = ("--yes", "--economy", "KR", "--kind", "testing_laboratory", "--id", body)
        rra.types("body", "add", *flags, "--identifier", f"kolas:00{number:02}", *ALTHOUGH, "--", name)
        rra.types("designate", body, "--scheme", "kr-round", "--scope", C, "--from", "2020-01-01", *ALTHOUGH)
    place = tmp_path / f"{what}.{suffix}"
    assert rra.types("export", what, "--economy", "KR", "--output", place).exit_code == Exit.DONE
    done = rra.types("import", place, "--json")
    assert done.exit_code == Exit.DONE, f"{done.stdout}{done.stderr}"
    summary = json.loads(done.stdout)
    assert (summary["entered"], summary["faults"], summary["submissions"]) == (0, [], [])
    assert summary["unchanged"] == summary["rows"] >= len(HOSTILE)
    updated = json.loads(rra.types("import", place, "--update", "--json").stdout)
    assert (updated["entered"], updated["faults"]) == (0, [])
    names = [each["name"] for each in rra.does("export", "bodies", "--economy", "KR")["items"]]
    assert [name for name in HOSTILE if name not in names] == []
    if suffix == "xlsx" and what == "bodies":
        shown = {row[1] for row in openpyxl.load_workbook(place).active.iter_rows(values_only=True)}
        assert {"'=x", "''=x", "Łódź Ω"} <= shown


def test_a_name_of_two_lines_is_refused(rra: Officer) -> None:
    flags = ("--yes", "--economy", "KR", "--kind", "testing_laboratory", "--id", "kr-two-lines")
    done = rra.types("body", "add", *flags, "--identifier", "kolas:0099", *ALTHOUGH, "--", "line\nbreak")
    assert (done.exit_code, "U+000A" in done.stderr) == (Exit.REFUSED, True), done.stderr


def test_a_table_without_a_mapping_must_be_an_export(rra: Officer, tmp_path: Path) -> None:
    place = tmp_path / "list.csv"
    place.write_text("Name\nx\n", "utf-8")
    done = rra.types("import", place)
    assert (done.exit_code, "--mapping" in done.stderr) == (Exit.REFUSED, True)


def test_the_first_hundred_faults_are_shown_and_how_many_more(importing: Importing) -> None:
    rows = [(f"Mu {n}", "KR", f"KR{3000 + n}", C, "soon") for n in range(130)]
    importing.takes(*rows, options=("--dry-run",))
    words = ("import", importing.folder / "list.csv", "--mapping", importing.mapping, "--dry-run")
    said = importing.officer.types(*words).stderr
    assert "list.csv:2: Since: 'soon'" in said
    assert said.count("'soon'") == 100
    assert "and 30 more" in said
