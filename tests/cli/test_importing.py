"""`cab import` and `cab export`: every row accounted for, nothing in a cell ever run."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from cab_cli import batches, spreadsheets
from cab_cli.exits import Exit
from cab_registry.domain.errors import OperationalFault
from cab_registry.services.cells import write_csv
from tests.cli.officers import Office, Officer

MAPPING = """
columns:
  Laboratory: body.name
  Country: body.economy
  "No": body.identifier.kr-lab
  Rule: designation.scope.requirement
  Since: designation.from
constants:
  body.kind: testing_laboratory
  designation.agreement: apec-tel-us-kr
  designation.annex: phase-1
values:
  Country: {Korea: KR}
date_formats: ["%d.%m.%Y"]
"""
HEADINGS = ("Laboratory", "Country", "No", "Rule", "Since", "Remark")


@pytest.fixture
def rra(office: Office) -> Officer:
    return office.officer("kr-rra")


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    place = tmp_path / "mapping.yaml"
    place.write_text(MAPPING, "utf-8")
    return place


def write_table(place: Path, rows: list[tuple[Any, ...]]) -> Path:
    if place.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in (HEADINGS, *rows):
            book.active.append(row)
        book.save(place)
    else:
        with place.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows((HEADINGS, *rows))
    return place


def rows_of(stem: str, count: int = 3) -> list[tuple[Any, ...]]:
    return [(f"{stem} {n}", "Korea", f"{stem}{n}", "us-47cfr-15c", "01.02.2020", "") for n in range(count)]


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_good_rows_go_in_and_each_bad_row_is_told(rra: Officer, mapping: Path, tmp_path: Path, suffix: str) -> None:
    stem = f"imp{suffix}"
    rows = [
        *rows_of(stem),
        (f"{stem} 0", "Korea", f"{stem}0", "47 CFR Part 15 Subpart E", "02.03.2021", ""),
        (f"{stem} 1", "Korea", f"{stem}1", "no such rule", "02.03.2021", ""),
        (f"{stem} 9", "Korea", f"{stem}9", "us-47cfr-15c", "soon", ""),
        (f"{stem} 8", "Atlantis", f"{stem}8", "us-47cfr-15c", "01.02.2020", ""),
        ("Other name", "Korea", f"{stem}2", "us-47cfr-15e", "01.02.2020", ""),
        ("", "", "", "us-47cfr-15e", "01.02.2020", ""),
        (f'=HYPERLINK("http://x","{stem}")', "Korea", f"{stem}7", "us-47cfr-15c", "01.02.2020", ""),
    ]
    table = write_table(tmp_path / f"labs.{suffix}", rows)
    tried = rra.types("import", table, "--mapping", mapping, "--dry-run", "--json")
    assert tried.exit_code == Exit.FAILURE, tried.stderr
    done = rra.types("import", table, "--mapping", mapping, "--reason", "List of March", "--json")
    assert done.exit_code == Exit.FAILURE, done.stderr
    summary = json.loads(done.stdout)
    assert json.loads(tried.stdout)["faults"] == summary["faults"]
    assert (summary["entered"], summary["unchanged"], summary["refused"]) == (4, 0, 6)
    with (tmp_path / f"labs.{suffix}.refused.csv").open(encoding="utf-8-sig") as file:
        told = {int(row["line"]): row for row in csv.DictReader(file)}
    assert {line: row["column"] for line, row in told.items()} == {
        6: "Rule", 7: "Since", 8: "Country", 9: "Laboratory", 10: "Laboratory",
        11: "Laboratory",
    }  # fmt: skip
    assert told[6]["value"] == "no such rule"
    assert "%d.%m.%Y" in told[7]["reason"]
    assert "line 4 says" in told[9]["reason"]

    body = rra.does("body", "show", f"kr-lab-{stem}0")
    (right,) = [each["record"] for each in body["rights"]]
    assert [(item["requirement"], item["from"]) for item in right["scope"]] == [
        ("us-47cfr-15c", "2020-02-01"),
        ("us-47cfr-15e", "2021-03-02"),
    ]
    again = json.loads(rra.types("import", table, "--mapping", mapping, "--json").stdout)
    assert (again["entered"], again["unchanged"], again["submissions"]) == (0, 4, [])


def test_what_broke_off_goes_on_and_enters_nothing_twice(
    rra: Officer, mapping: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST_ROWS", 2)
    table = write_table(tmp_path / "labs.csv", rows_of("broke", 6))
    deliver = batches.Courier._send
    sent = 0

    def cut(self: Any, planned: Any, **more: Any) -> Any:
        nonlocal sent
        sent += 1
        answer = deliver(self, planned, **more)
        if sent == 2:  # entered, and the answer is lost
            raise OperationalFault("cut")
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(batches.Courier, "_send", cut)
        first = rra.types("import", table, "--mapping", mapping)
    assert (first.exit_code, "goes on from here" in first.stderr) == (Exit.UNAVAILABLE, True)
    second = rra.types("import", table, "--mapping", mapping, "--json")
    assert second.exit_code == Exit.DONE, second.stderr
    assert "broke off after 2 lines" in second.stderr
    summary = json.loads(second.stdout)
    assert (summary["unchanged"], summary["entered"], len(summary["submissions"])) == (2, 2, 1)
    for number in range(6):
        assert rra.does("body", "show", f"kr-lab-broke{number}")["version"] == 1


def test_what_the_server_refuses_is_told_by_row(rra: Officer, mapping: Path, tmp_path: Path) -> None:
    plain = mapping.read_text("utf-8").replace("apec-tel-us-kr", "no-such-agreement")
    mapping.write_text(plain, "utf-8")
    done = rra.types(
        "import", write_table(tmp_path / "labs.csv", rows_of("refused", 2)), "--mapping", mapping, "--json"
    )
    summary = json.loads(done.stdout)
    assert (done.exit_code, summary["entered"], summary["refused"]) == (Exit.FAILURE, 0, 2)
    assert "no-such-agreement" in summary["faults"][0]["reason"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("body.name", "body.nome"), "is no field"),
        (("Laboratory:", "Labor:"), "no such column"),
        (("Country: body.economy", "Country: body.name"), "another column too"),
        (("columns:", "colums:"), "cannot be taken"),
        (("date_formats: [", "date_formats: [["), "cannot be read"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(
    rra: Officer, mapping: Path, tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    mapping.write_text(MAPPING.replace(*change), "utf-8")
    done = rra.types("import", write_table(tmp_path / "labs.csv", rows_of("x")), "--mapping", mapping)
    assert (done.exit_code, told in done.stderr) == (Exit.REFUSED, True), done.stderr


def test_what_unpacks_to_too_much_is_never_unpacked(
    rra: Officer, mapping: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = write_table(tmp_path / "labs.xlsx", rows_of("bomb"))
    with zipfile.ZipFile(table, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet9.xml", b" " * 1_000_000)
    monkeypatch.setattr(spreadsheets, "LARGEST_PART", 900_000)
    done = rra.types("import", table, "--mapping", mapping)
    assert (done.exit_code, "bytes of one part: 1000000" in done.stderr) == (Exit.REFUSED, True)


def test_entities_in_a_spreadsheet_are_not_expanded(rra: Officer, mapping: Path, tmp_path: Path) -> None:
    table = write_table(tmp_path / "labs.xlsx", rows_of("entity"))
    hostile = tmp_path / "hostile.xlsx"
    with zipfile.ZipFile(table) as old, zipfile.ZipFile(hostile, "w") as new:
        for part in old.infolist():
            text = old.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                text = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + text
            new.writestr(part, text)
    done = rra.types("import", hostile, "--mapping", mapping)
    assert (done.exit_code, "no proper XLSX" in done.stderr) == (Exit.REFUSED, True), done.stderr


@pytest.mark.parametrize(
    ("name", "content"), [("x.csv", b"\xff\xfe"), ("x.xlsx", b"no zip"), ("x.pdf", b""), ("y.csv", b"")]
)
def test_what_is_no_table_is_refused(rra: Officer, mapping: Path, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert rra.types("import", tmp_path / name, "--mapping", mapping).exit_code == Exit.REFUSED


def test_cells_that_would_be_formulas_are_escaped_and_read_back() -> None:
    hostile = ["=1+1", "+1", "-1", "@x", "\tx", "plain", "", None, "'quoted"]
    target = io.StringIO()
    write_csv(["a"], [[value] for value in hostile], target)
    cells = [row[0] if row else "" for row in csv.reader(io.StringIO(target.getvalue()))][1:]
    assert cells == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "plain", "", "", "'quoted"]
    assert [spreadsheets._plain(cell) for cell in cells[:4]] == ["=1+1", "+1", "-1", "@x"]


def test_bodies_and_rights_are_exported(rra: Officer, tmp_path: Path) -> None:
    words = ("body", "add", "=cmd()", "--economy", "KR", "--kind", "testing_laboratory", "--id", "kr-export")
    rra.does(*words)
    words = ("designate", "kr-export", "--scheme", "kr-own", "--scope", "us-47cfr-15c", "--from", "2020-01-01")
    rra.does(*words, "--although", "the rule that names this scheme is not on record yet")
    table = rra.types("export", "bodies", "--economy", "KR").stdout
    assert "kr-export,'=cmd(),KR" in table
    listed = rra.does("export", "bodies")["items"]
    assert "=cmd()" in [item["name"] for item in listed]
    place = tmp_path / "rights.xlsx"
    assert rra.types("export", "rights", "--economy", "KR", "--output", place).exit_code == Exit.DONE
    headings, *rows = openpyxl.load_workbook(place).active.iter_rows(values_only=True)
    found = next(dict(zip(headings, row, strict=True)) for row in rows if row[0] == "kr-export")
    assert (found["scheme"], found["requirement"], found["from"]) == ("kr-own", "us-47cfr-15c", "2020-01-01")
    assert rra.types("export", "rights", "--format", "xlsx").exit_code == Exit.REFUSED
    csv_place = tmp_path / "rights.csv"
    assert rra.types("export", "rights", "--economy", "KR", "--output", csv_place).exit_code == Exit.DONE
    assert csv_place.read_bytes().startswith(b"\xef\xbb\xbfbody,")
