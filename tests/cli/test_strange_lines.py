"""Lines that are no rows, constants that are read as cells are, numbers of another shape, and what is no table."""

import os
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from cab_cli.cleaning import clean
from cab_cli.import_reports import require_place
from cab_cli.mapping import MappingFile
from cab_cli.reading_tables import Table, read_table
from cab_cli.row_numbers import read_number
from cab_cli.rows import OnRecord
from cab_cli.spreadsheets import require_file
from cab_registry.domain.errors import Refusal

HEADINGS = "Name,Country,No,Rule\n"
COLUMNS = {
    "Name": "body.name",
    "Country": "body.economy",
    "No": "body.identifier.fcc-designation",
    "Rule": "designation.scope.requirement",
}
ECONOMIES = {"GB": ["United Kingdom", "UK"], "KR": ["Republic of Korea", "Korea"]}
GOOD = "Alpha Lab,KR,KR1001,us-47cfr-15c\n"


def read(folder: Path, text: str, on_record: OnRecord | None = None, **given: Any) -> Table:
    place = folder / "list.csv"
    place.write_text(text, "utf-8", newline="")
    mapping = MappingFile(**{"columns": COLUMNS, **given})
    table, _ = read_table(place, mapping, None, ECONOMIES, on_record)
    return table


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (HEADINGS, "repeats the headings"),
        ("NAME, Country ,no,\n", "repeats the headings"),
        ("Total,KR,KR1009,x\n", "sum of a column"),
        ("Summe:,,2,\n", "sum of a column"),
        ("* suspended,,,\n", "one cell alone"),
        (",,,as of 2024\n", "one cell alone"),
        ('"Beta,KR,KR1002,us-47cfr-15c\nGamma",KR,KR1003,us-47cfr-15c\n', "quotation mark"),
    ],
)
def test_a_line_that_is_no_row_is_told_once(tmp_path: Path, line: str, why: str) -> None:
    table = read(tmp_path, HEADINGS + GOOD + line)
    assert [(each.line, why in each.reason) for each in table.found.faults] == [(3, True)]
    assert [each.refused for each in table.rows] == [False, True]


@pytest.mark.parametrize("between", ["\n", ",,,\n"])
def test_nothing_below_empty_lines_is_lost(tmp_path: Path, between: str) -> None:
    table = read(tmp_path, HEADINGS + GOOD + between * 1500 + "Beta Lab,KR,KR1002,us-47cfr-15c\n")
    assert [each.line for each in table.rows] == [2, 1503]


def test_nothing_below_empty_rows_of_a_spreadsheet_is_lost(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(list(COLUMNS))
    for column, value in enumerate(GOOD.strip().split(","), 1):
        book.active.cell(5000, column, value)
    book.save(tmp_path / "list.xlsx")
    table, _ = read_table(tmp_path / "list.xlsx", MappingFile(columns=COLUMNS), None, ECONOMIES)
    assert [each.line for each in table.rows] == [5000]


def test_constants_are_read_as_cells_are(tmp_path: Path) -> None:
    columns = {key: value for key, value in COLUMNS.items() if key != "Country"}
    constants = {"body.economy": "UK", "designation.until": "9999-12-31", "designation.from": "01.02.2020"}
    table = read(tmp_path, "Name,No,Rule\nAlpha,KR1001,x\n", columns=columns, constants=constants,
                 date_formats=("%d.%m.%Y",))  # fmt: skip
    values = table.rows[0].values
    assert (values["body.economy"], values["designation.from"]) == ("GB", "2020-02-01")
    assert "designation.until" not in values
    assert [words.partition(",")[0] for words in table.words] == [
        "the constant body.economy",
        "the constant designation.until",
    ]


def test_what_is_wrong_with_constants_is_told_together(tmp_path: Path) -> None:
    constants = {"designation.from": "31.12.2020", "designation.until": "N/A", "body.site.economy": "Atlantis"}
    with pytest.raises(Refusal) as refused:
        read(tmp_path, HEADINGS + GOOD, constants=constants)
    assert [each.pointer for each in refused.value.faults] == [f"/constants/{each}" for each in constants]


@pytest.mark.parametrize("number", ["No", "see note", "pending", "KR"])
def test_a_number_without_a_digit_is_a_fault(number: str) -> None:
    fault = read_number("fcc-designation", number).fault
    assert fault is not None
    assert "no digit" in fault


def test_a_number_that_the_register_holds_is_right_as_it_stands(tmp_path: Path) -> None:
    held = OnRecord(frozenset({"Total", "Pr?f Lab"}), frozenset({("fcc-designation", "ODD 1")}))
    table = read(tmp_path, HEADINGS + "Total,KR,ODD 1,x\nPr?f Lab,KR,KR1001,x\n", held)
    assert table.found.faults == []
    assert table.rows[0].numbers == (("fcc-designation", "ODD 1"),)


def test_a_number_that_cannot_be_read_is_not_told_to_be_missing(tmp_path: Path) -> None:
    table = read(tmp_path, HEADINGS + 'Alpha,KR,"KR1001, KR1002",x\nBeta,KR,,x\n')
    assert [(each.line, each.column) for each in table.found.faults] == [(2, "No")]
    assert [(each.line, each.column) for each in table.found.notes] == [(3, "No")]


@pytest.mark.parametrize(
    ("spelt", "read_as"),
    [("cp1252", "cp1251"), ("cp1252", "cp437"), ("cp1252", "cp850"), ("utf-8", "latin-1")],
)
def test_letters_of_another_encoding_are_damage(spelt: str, read_as: str) -> None:
    fault = clean("Müller Straße".encode(spelt).decode(read_as)).fault
    assert fault is not None
    assert "encoding" in fault or "one word" in fault


def test_names_with_signs_are_no_damage() -> None:
    for name in (
        "L\u00b4Oréal",
        "Lab™",
        "A·B",
        "Ω Lab",
        "Яндекс Lab",
        "A&B",
        "5µm Lab",
        "«Тест»",
        "Straße 3²",
        "L\u2019Oréal",
    ):
        assert clean(name).fault is None, name


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "list.csv")
    with pytest.raises(Refusal, match="save the table first"):
        require_file(tmp_path / "list.csv")


def test_a_report_that_cannot_be_written_is_said_first(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere" / "refused.csv"):
        with pytest.raises(Refusal) as refused:
            require_place(place)
        assert refused.value.faults[0].pointer == "--report"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("list.csv", b"", "is empty"),
        ("list.xlsx", b"Name,Country\n", "ends in .csv"),
        (
            "list.xlsx",
            b"PK\3\4" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
            "OpenDocument",
        ),
        (
            "list.ods",
            b"PK\3\4" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
            "OpenDocument",
        ),
        ("list.csv", b"A list\n\nName,Country,No,Rule\n", "headings"),
    ],
)
def test_what_is_no_table_says_what_it_is(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Refusal) as refused:
        read_table(tmp_path / name, MappingFile(columns=COLUMNS), None, ECONOMIES)
    said = f"{refused.value} {' '.join(map(str, refused.value.faults))}"
    assert why in said
