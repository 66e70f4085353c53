"""Files and mappings that mislead: another encoding, months kept as days, rows out of order, schemes misspelt."""

import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from cab_cli.mapping import MappingFile, read_mapping
from cab_cli.reading_tables import Table, read_table
from cab_cli.row_days import read_day, show_when
from cab_cli.rows import OnRecord
from cab_registry.domain.errors import Refusal

COLUMNS = {"Name": "body.name", "Country": "body.economy", "No": "body.identifier.nando", "From": "designation.from"}
ECONOMIES = {"DE": ["Germany"], "EU": ["European Union"], "WORLD": ["Every economy"]}
ROW = '<row r="{0}"><c r="A{0}" t="inlineStr"><is><t>{1}</t></is></c></row>'


def read(place: Path, encoding: str | None = None, columns: dict[str, str] | None = None) -> Table:
    table, _ = read_table(place, MappingFile(columns=columns or COLUMNS), encoding, ECONOMIES,
                          OnRecord(unions=frozenset({"EU", "WORLD"})))  # fmt: skip
    return table


def say(refusal: Refusal) -> str:
    return "\n".join([str(refusal), *map(str, refusal.faults)])


def write_sheet(place: Path, rows: str) -> Path:
    """Write a workbook whose sheet has these rows as they are spelt here."""
    whole = place.with_name("whole.xlsx")
    openpyxl.Workbook().save(whole)
    head = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(place, "w") as new:
        for each in old.namelist():
            sheet = each == "xl/worksheets/sheet1.xml"
            new.writestr(each, f"{head}{rows}</sheetData></worksheet>" if sheet else old.read(each))
    return place


@pytest.mark.parametrize(
    "encoding", ["cp949", "gb18030", "shift_jis", "big5", "cp1252", "cp1250", "cp1253", "cp874", "latin-1", "cp437"]
)
def test_a_file_in_utf_8_is_not_read_as_anything_else(tmp_path: Path, encoding: str) -> None:
    place = tmp_path / "a.csv"
    place.write_text("Name,Country,No,From\nPrüfstelle,DE,0051,2020-01-01\n", "utf-8")
    with pytest.raises(Refusal) as refused:
        read(place, encoding)
    assert [
        part for part in ("a.csv:2", "are UTF-8", "Prüfstelle", "name utf-8") if part not in say(refused.value)
    ] == []
    place.write_text("Name,Country,No,From\nAlpha,DE,0051,2020-01-01\n", "utf-8")
    assert len(read(place, encoding).rows) == 1


@pytest.mark.parametrize("economy", ["EU", "European Union", "WORLD"])
def test_no_body_has_its_seat_in_a_union(tmp_path: Path, economy: str) -> None:
    place = tmp_path / "a.csv"
    place.write_text(f"Name,Country,No,From\nAlpha,{economy},0051,2020-01-01\n", "utf-8")
    assert [(each.line, each.column, "is a union" in each.reason) for each in read(place).found.faults] == [
        (2, "Country", True)
    ]


@pytest.mark.parametrize(
    ("form", "whole"),
    [
        ("mmm-yy", False), ("mm/yyyy", False), ("yyyy", False), ("d-mmm", False), ('"d"mm/yyyy', False),
        ("yyyy-mm-dd", True), ("dd.mm.yy", True), ("[$-409]d\\-mmm\\-yyyy;@", True), ("[$-411]ge.m.d", True),
    ],
)  # fmt: skip
def test_a_month_never_becomes_its_first_day(tmp_path: Path, form: str, whole: bool) -> None:
    book = openpyxl.Workbook()
    book.active.append(list(COLUMNS))
    book.active.append(["Alpha", "DE", "0051", datetime(2025, 1, 1)])  # noqa: DTZ001 - a cell has no zone
    book.active["D2"].number_format = form
    book.save(tmp_path / "a.xlsx")
    faults = read(tmp_path / "a.xlsx").found.faults
    assert [(each.line, each.column, form in each.reason) for each in faults] == [(2, "From", True)] * (not whole)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (ROW.format(1, "Name") + ROW.format(5, "Five") + ROW.format(3, "Three"), "row 3 stands after row 5"),
        (ROW.format(1, "Name") + ROW.format(2, "A") + ROW.format(2, "B"), "row 2 stands after row 2"),
        ('<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>2</v></c></row>', "cells of row 1 stand twice"),
        ('<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>', "cells of row 1 stand twice"),
        ('<row r="1"><c r="A1" t="s"><v>99</v></c></row>', "does not fit the others"),
        ('<row r="1"><c r="A1"><v>abc</v></c></row>', "does not fit the others"),
        ("<row/>" * 1_100_000, "more than 1048576 lines"),
    ],
)
def test_a_spreadsheet_of_which_something_would_be_lost_is_refused(tmp_path: Path, rows: str, why: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(write_sheet(tmp_path / "a.xlsx", rows), columns={"Name": "body.name"})
    assert why in say(refused.value)


def test_signs_without_meaning_at_the_end_are_not_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"Name,Country,No,From\nAlpha,DE,0051,2020-01-01\n" + b"\0" * 200)
    table = read(tmp_path / "a.csv")
    assert [each.line for each in table.found.faults] == [3]


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("body.identifier.nadno", "did you mean nando?"),
        ("body.identifier.nb", "did you mean nando?"),
        ("body.identifier.fcc-designatoin", "did you mean fcc-designation?"),
    ],
)
def test_a_scheme_that_is_misspelt_is_refused(tmp_path: Path, field: str, why: str) -> None:
    place = tmp_path / "a.csv"
    place.write_text("Name,Country,No\nAlpha,DE,9901\n", "utf-8")
    with pytest.raises(Refusal) as refused:
        read(place, columns={"Name": "body.name", "No": field})
    assert why in say(refused.value)


def test_a_scheme_that_nobody_knows_is_told(tmp_path: Path) -> None:
    place = tmp_path / "a.csv"
    place.write_text("Name,No,More\nAlpha,1,xyz:1\nBeta,2,nadno:9901\nGamma,3,;;\nDelta,4,:8809\n", "utf-8")
    columns = {"Name": "body.name", "No": "body.identifier.own-list", "More": "body.identifiers"}
    table = read(place, columns=columns)
    assert [words for words in table.words if "'own-list' is not known" in words]
    assert [(each.line, "'xyz' is not known" in each.reason) for each in table.found.notes] == [(2, True)]
    assert [(each.line, each.column) for each in table.found.faults] == [(3, "More"), (4, "More"), (5, "More")]
    assert "did you mean nando?" in table.found.faults[0].reason


def test_a_day_that_can_be_read_in_two_ways_is_a_fault() -> None:
    asked = read_day("2025-02-01", ["%Y-%d-%m"], end=False).fault or ""
    assert [part for part in ("2025-02-01 (YYYY-MM-DD)", "2025-01-02 (%Y-%d-%m)") if part not in asked] == []
    assert read_day("2025-13-02", ["%Y-%d-%m"], end=False).value == "2025-02-13"
    assert read_day("2025-02-01", ["%Y-%m-%d", "%d.%m.%Y"], end=False) == ("2025-02-01", None, None)
    timed = read_day("01.02.2025 13:00", ["%d.%m.%Y %H:%M"], end=False)
    assert timed == ("2025-02-01", "the time of day left out", None)


def test_a_window_is_shown_as_tables_write_it() -> None:
    assert show_when({"not_before": "2027-01-01"}) == "2027-01-01.."
    assert show_when({"not_after": "2027-01-01"}) == "..2027-01-01"
    assert [show_when(each) for each in ("2027-01-01", None)] == ["2027-01-01", ""]


def test_what_a_right_does_not_have_is_no_field_of_it(tmp_path: Path) -> None:
    place = tmp_path / "m.yaml"
    for field in ("designation.number", "recognition.validity", "accreditation.annex"):
        place.write_text(f"columns: {{Name: body.name, X: {field}}}\n", "utf-8")
        with pytest.raises(Refusal) as refused:
            read_mapping(place)
        assert f"{field!r} is no field" in say(refused.value)
    (tmp_path / "a.csv").write_text("Name,Kind,X\nAlpha,designation,7\nBeta,accreditation,7\n", "utf-8")
    table = read(tmp_path / "a.csv", columns={"Name": "body.name", "Kind": "right.kind", "X": "right.number"})
    assert [(each.line, each.column, each.reason) for each in table.found.faults] == [
        (2, "X", "cannot be entered: a designation has no number")
    ]


def test_a_mapping_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        read_mapping(tmp_path / "none.yaml")
    assert "No such file" in say(refused.value)
    assert "Errno" not in say(refused.value)
    (tmp_path / "m.yaml").write_bytes(b"columns: {N\xe4me: body.name}\n")
    with pytest.raises(Refusal) as refused:
        read_mapping(tmp_path / "m.yaml")
    assert "save it as UTF-8" in say(refused.value)
