"""Tables that lie: each damage is a fault or a reading that is listed, by line and column; refused rows never go in."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from cab_cli.cell_kinds import find_placeholder
from cab_cli.cleaning import clean
from cab_cli.mapping import MappingFile
from cab_cli.reading_tables import Table, read_table
from cab_cli.row_days import find_form_fault, read_day
from cab_cli.row_numbers import find_odd_lengths, read_number
from cab_cli.rows import OnRecord
from cab_registry.domain.errors import Refusal

ECONOMIES = {
    "DE": ["Germany"],
    "GB": ["United Kingdom", "UK"],
    "GR": ["Greece", "EL"],
    "HK": ["Hong Kong, China"],
    "KR": ["Republic of Korea"],
    "NA": ["Namibia"],
    "TW": ["Chinese Taipei", "Taiwan"],
    "US": ["United States"],
}
COLUMNS = {
    "Name": "body.name",
    "Country": "body.economy",
    "No": "body.identifier.nando",
    "Rule": "designation.scope.requirement",
    "From": "designation.from",
    "Until": "designation.until",
}
GOOD = ("Prüf GmbH", "DE", "0123", "ppe", "2020-02-01", "")


def mapping(**more: Any) -> MappingFile:
    return MappingFile(columns=COLUMNS, **more)


def read(place: Path, given: MappingFile | None = None, encoding: str | None = None) -> Table:
    table, _ = read_table(place, given or mapping(), encoding, ECONOMIES)
    return table


def write_csv(place: Path, rows: list[tuple[str, ...]], encoding: str = "utf-8") -> Path:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([tuple(COLUMNS), *rows])
    place.write_bytes(text.getvalue().encode(encoding))
    return place


def row(**changed: str) -> tuple[str, ...]:
    return tuple(changed.get(heading, cell) for heading, cell in zip(COLUMNS, GOOD, strict=True))


def told(table: Table) -> list[tuple[int, str]]:
    """List the line and the column of all that is told."""
    return [(each.line, each.column) for each in (*table.found.faults, *table.found.notes)]


def test_a_good_row_is_told_of_in_nothing(tmp_path: Path) -> None:
    table = read(write_csv(tmp_path / "a.csv", [GOOD]))
    assert (told(table), table.words) == ([], [])
    assert table.rows[0].values["body.identifier.nando"] == "0123"


@pytest.mark.parametrize(
    ("column", "cell", "why"),
    [
        ("Name", "PrÃ¼f GmbH", "did you mean 'Prüf GmbH'"),
        ("Name", "Institut lâ€™Environnement", "wrong encoding"),
        ("Name", "Pr\ufffdf", "letters were lost"),
        ("Name", "Pr?fstelle", "question mark"),
        ("Name", "ab\u202ec", "turns the text around"),
        ("Name", "ab\x00c", "control character"),
        ("Name", "N/A", "stands for nothing"),
        ("Name", "#REF!", "error of a spreadsheet"),
        ("Name", "TRUE", "stands for nothing"),
        ("Name", '=HYPERLINK("x")', "formula"),
        ("Name", "???????", "question mark"),
        ("Name", "?????? Lab", "question mark"),
        ("Name", "株式会社?", "question mark"),
        ("Name", "?ilina", "question mark"),
        ("Name", "?ILINA LAB", "question mark"),
        ("Name", "Test?", "question mark"),
        ("Name", "ditto", "what is above it"),
        ("Name", "〃", "what is above it"),
        ("Name", '"', "what is above it"),
        ("Name", "同上", "what is above it"),
        ("Name", "(see above)", "what is above it"),
        ("Name", "…", "stands for nothing"),
        ("Name", "undefined", "stands for nothing"),
        ("Name", "123", "no letter"),
        ("Name", "2024-01-01", "no letter"),
        ("Name", "lab@b.example", "is an address"),
        ("Name", "<b>Bold</b> Lab", "a program wrote"),
        ("Name", "*) withdrawn", "is a remark"),
        ("No", "-7811", "as a calculation does"),
        ("No", "78-12", "between its digits"),
        ("No", "90 37", "between its digits"),
        ("No", "\N{SUPERSCRIPT TWO}\N{SUPERSCRIPT THREE}", "raised or framed"),
        ("No", "0", "no digit but zeros"),
        ("No", "0000", "no digit but zeros"),
        ("No", "(9033)", "'9033' alone"),
        ("No", "9035;", "'9035' alone"),
        ("No", "9032 (expired)", "words beside the number ('expired')"),
        ("No", "1121, 1314, 0833", "several numbers"),
        ("No", "0120 (ex 0890)", "several numbers"),
        ("No", "0120/0121", "several numbers"),
        ("No", "R006", "not a number of the scheme nando"),
        ("No", "1.2E+05", "rounded"),
        ("No", "1,234", "thousands"),
        ("No", "12%", "percentage"),
        ("No", "2020-03-04", "is a day"),
        ("No", "#N/A", "error of a spreadsheet"),
        ("No", "=A2", "formula"),
        ("Country", "N/A", "stands for nothing"),
        ("Country", "Atlantis", "not an economy"),
        ("Country", "Untied States", "did you mean US?"),
        ("From", "03/04/2020", "day and month or month and day"),
        ("From", "01.02.20", "century"),
        ("From", "43922", "2020-04-01"),
        ("From", "9999-12-31", "too far away"),
        ("From", "1900-01-01", "no day"),
        ("From", "unlimited", "does not say"),
        ("From", "2020-02-30", "not a day"),
        ("Until", "N/A", "whether there is an end"),
        ("Until", "-", "whether there is an end"),
        ("Until", "2250-05-06", "too far away"),
    ],
)
def test_a_damaged_cell_is_a_fault_of_its_row(tmp_path: Path, column: str, cell: str, why: str) -> None:
    table = read(write_csv(tmp_path / "a.csv", [GOOD, row(**{column: cell})]))
    (fault,) = table.found.faults
    assert (fault.line, fault.column, fault.value) == (3, column, cell)
    assert why in fault.reason
    assert [each.refused for each in table.rows] == [False, True]


@pytest.mark.parametrize(
    ("column", "cell", "field", "read_as"),
    [
        ("Name", "Prüf\u00a0GmbH", "body.name", "Prüf GmbH"),
        ("Name", "Prüf\u200b GmbH", "body.name", "Prüf GmbH"),
        ("Name", "Prüf_x000D_\nGmbH", "body.name", "Prüf GmbH"),
        ("Name", "Prüf\nGmbH", "body.name", "Prüf GmbH"),
        ("Name", "Prüf  GmbH", "body.name", "Prüf GmbH"),
        ("Name", " Prüf GmbH ", "body.name", "Prüf GmbH"),
        ("No", "51", "body.identifier.nando", "0051"),
        ("No", "NB 0051", "body.identifier.nando", "0051"),
        ("No", "'0051", "body.identifier.nando", "0051"),
        ("Country", "UK", "body.economy", "GB"),
        ("Country", "EL", "body.economy", "GR"),
        ("Country", "germany", "body.economy", "DE"),
        ("Country", "Chinese Taipei", "body.economy", "TW"),
        ("Country", "Hong Kong, China", "body.economy", "HK"),
        ("From", "2020-03-01T10:15:00", "designation.from", "2020-03-01"),
        ("Until", "9999-12-31", "designation.until", None),
        ("Until", "2099-12-31", "designation.until", None),
        ("Until", "unlimited", "designation.until", None),
    ],
)
def test_what_is_read_in_another_way_is_listed(
    tmp_path: Path, column: str, cell: str, field: str, read_as: str | None
) -> None:
    table = read(write_csv(tmp_path / "a.csv", [GOOD, row(**{column: cell})]))
    assert table.found.faults == []
    assert {(each.line, each.column, each.value) for each in table.found.notes} == {(3, column, cell)}
    assert table.rows[1].values.get(field) == read_as


@pytest.mark.parametrize("code", ["DO", "ID", "NA"])
def test_codes_of_economies_are_no_fillers(code: str) -> None:
    assert find_placeholder(code, "economy") is None


def test_na_is_namibia_and_nothing_else(tmp_path: Path) -> None:
    table = read(write_csv(tmp_path / "a.csv", [row(Country="NA"), row(Name="NA")]))
    assert table.rows[0].values["body.economy"] == "NA"
    assert [(each.line, each.column) for each in table.found.faults] == [(3, "Name")]


def test_rows_of_another_length_are_faults(tmp_path: Path) -> None:
    place = tmp_path / "a.csv"
    lines = ["Name,Country,No", "Prüf,DE,0123", "Prüf, GmbH,DE,0123", "Prüf,DE", "Prüf,DE,0124,,"]
    place.write_text("\n".join(lines), "utf-8")
    table = read(place, MappingFile(columns={key: COLUMNS[key] for key in ("Name", "Country", "No")}))
    assert [(each.line, "headings" in each.reason) for each in table.found.faults] == [(3, True), (4, True)]
    assert [(each.line, each.reason) for each in table.found.notes] == [(5, "has 2 empty cells too many at its end")]
    assert [each.refused for each in table.rows] == [False, True, True, False]


def test_formats_that_read_one_cell_differently_are_a_fault() -> None:
    both = ["%d/%m/%Y", "%m/%d/%Y"]
    assert "2020-04-03" in (read_day("03/04/2020", both, end=False).fault or "")
    assert read_day("13/04/2020", both, end=False).value == "2020-04-13"
    assert read_day("04/04/2020", both, end=False).value == "2020-04-04"
    assert read_day("03/04/2020", both[:1], end=False) == ("2020-04-03", None, None)
    short = read_day("03.04.20", ["%d.%m.%y"], end=False)
    assert (short.value, "two digits" in (short.done or "")) == ("2020-04-03", True)
    assert [bool(find_form_fault(form)) for form in ("%d.%m", "%x", "%m/%Y", "%d.%m.%Y", "%d %B %y")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert read_day("..2020-03-01", [], end=True).value == "..2020-03-01"
    assert read_day("2020-03-01..2020-02-01", [], end=True).fault


def test_the_mapping_may_say_what_a_cell_means(tmp_path: Path) -> None:
    given = mapping(values={"Until": {"9999-12-31": "", "-": "unlimited"}, "Country": {"Korea": "KR"}})
    rows = [row(Until="9999-12-31"), row(Until="-", No="0124"), row(Country="Korea", No="0125")]
    table = read(write_csv(tmp_path / "a.csv", rows), given)
    assert told(table) == []
    assert [each.values.get("designation.until") for each in table.rows] == [None, None, None]


@pytest.mark.parametrize(
    "name", ["Why Not?", "1408", "?WHAT IF! LTD", "\N{GREEK CAPITAL LETTER DELTA}T Labs", "=SUM(A1)"]
)
def test_a_name_that_looks_damaged_is_taken_where_the_mapping_or_the_register_says_so(
    tmp_path: Path, name: str
) -> None:
    place = write_csv(tmp_path / "a.csv", [row(Name=name)])
    assert len(read(place).found.faults) == 1
    table = read(place, mapping(values={"Name": {name: name}}))
    assert (told(table), table.rows[0].values["body.name"]) == ([], name)
    table, _ = read_table(place, mapping(), None, ECONOMIES, OnRecord(names=frozenset({name})))
    assert (told(table), table.rows[0].values["body.name"]) == ([], name)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_byte_order_mark_wins(tmp_path: Path, encoding: str) -> None:
    text = "\ufeff" * (encoding in {"utf-16-le", "utf-16-be"}) + "Name;Country\r\nŁódź Ω;DE\r\n"
    place = tmp_path / "a.csv"
    place.write_bytes(text.encode(encoding))
    columns = {"Name": "body.name", "Country": "body.economy"}
    for given in ("utf-8", "cp1252"):
        table = read(place, MappingFile(columns=columns, encoding=given))
        assert [each.values["body.name"] for each in table.rows] == ["Łódź Ω"]
        assert table.found.faults == []
    assert any("mark" in words for words in table.words)


def test_the_separator_may_be_said_in_the_first_line(tmp_path: Path) -> None:
    place = tmp_path / "a.csv"
    place.write_text("sep=;\r\nName;Country\r\nA, B, C, D;DE\r\nE;XX\r\n", "utf-8")
    table = read(place, MappingFile(columns={"Name": "body.name", "Country": "body.economy"}))
    assert table.rows[0].values["body.name"] == "A, B, C, D"
    assert [each.line for each in table.found.faults] == [4]
    assert any("';'" in words for words in table.words)


@pytest.mark.parametrize(
    ("content", "encoding", "words"),
    [
        (b"Name,Country\nPr\xfcf,DE\n", None, ["a.csv:2", "Prüf", "cp1252"]),
        (b"Name,Country\nx,DE\n", "uft-8", ["did you mean", "utf-8"]),
        (b"Name,Country\nx,DE\n", "ANSI", ["did you mean", "windows-1252"]),
        (b"Name,Country\nx,DE\n", "rot13", ["not known"]),
        (b"Name,Country\nx,DE\n", "a\0b", ["not known"]),
        ("Name,Country\nx,DE\n".encode("utf-16-le"), None, ["utf-16-le"]),
        (b'Name,Country\n"x,DE\n', None, ["a.csv:2", "quotation mark"]),
        (b"%PDF-1.7\n\xff\xfe", None, ["is a PDF"]),
        (b"PK\x03\x04xx", None, [".xlsx"]),
        (b"\xd0\xcf\x11\xe0", None, ["old kind"]),
        (b"<html><table>", None, ["web page"]),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, content: bytes, encoding: str | None, words: list[str]) -> None:
    place = tmp_path / "a.csv"
    place.write_bytes(content)
    with pytest.raises(Refusal) as refusal:
        read(place, MappingFile(columns={"Name": "body.name", "Country": "body.economy"}), encoding)
    said = "\n".join([str(refusal.value), *map(str, refusal.value.faults)])
    assert [each for each in words if each not in said] == []


def test_headings_are_cleaned_and_columns_without_one_are_told(tmp_path: Path) -> None:
    place = tmp_path / "a.csv"
    place.write_text("\u200bName ,Country\u00a0,,Note,Note\nx,DE,1,2,3\n", "utf-8")
    table = read(place, MappingFile(columns={"Name": "body.name", "Country": "body.economy"}))
    assert table.rows[0].values == {"body.name": "x", "body.economy": "DE"}
    said = " ".join(table.words)
    assert [part for part in ("no heading", "several columns", "U+200B") if part not in said] == []


def write_xlsx(place: Path, change: Callable[[Any], None] = lambda _: None, rows: Any = (GOOD,)) -> Path:
    book = openpyxl.Workbook()
    for each in (tuple(COLUMNS), *rows):
        book.active.append(each)
    change(book)
    book.save(place)
    return place


def put(cell: str, value: Any, form: str | None = None) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        book.active[cell] = value
        if form is not None:
            book.active[cell].number_format = form

    return change


@pytest.mark.parametrize(
    ("cell", "value", "form", "why"),
    [
        ("C2", 3657.1, None, "fraction"),
        ("C2", 0.51, "0%", "percentage"),
        ("C2", 120000, "0.00E+00", "format"),
        ("C2", 10**16, None, "more digits"),
        ("C2", True, None, "truth value"),
        ("C2", "#REF!", None, "error"),
        ("C2", "#N/A", None, "error"),
        ("C2", "=A2", None, "formula"),
        ("C2", datetime(2020, 3, 4), None, "is a day"),  # noqa: DTZ001 - a cell has no zone
        ("B2", "=A2", None, "formula"),
        ("E2", 43922, None, "count of days"),
        ("E2", "=TODAY()", None, "formula"),
        ("A2", False, None, "truth value"),
    ],
)
def test_what_a_spreadsheet_keeps_and_does_not_show_is_a_fault(
    tmp_path: Path, cell: str, value: Any, form: str | None, why: str
) -> None:
    table = read(write_xlsx(tmp_path / "a.xlsx", put(cell, value, form)))
    (fault,) = table.found.faults
    assert (fault.line, fault.column) == (2, list(COLUMNS)["ABCDEF".index(cell[0])])
    assert why in fault.reason


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        (51, "0000", "0051"),
        (51, None, "0051"),
        (1234, "#,##0", "1234"),
        (51, '"NB "0000', "0051"),
        ("0051", "@", "0051"),
    ],
)
def test_numbers_are_read_as_they_are_shown(tmp_path: Path, value: Any, form: str | None, expected: str) -> None:
    table = read(write_xlsx(tmp_path / "a.xlsx", put("C2", value, form)))
    assert table.found.faults == []
    assert table.rows[0].numbers == (("nando", expected),)
    assert bool(table.found.notes) == (value != "0051")


def test_a_fraction_is_read_as_its_format_shows_it(tmp_path: Path) -> None:
    place = write_xlsx(tmp_path / "a.xlsx", put("C2", 3657.1, "0.00"))
    table = read(place, MappingFile(columns={**COLUMNS, "No": "body.identifier.a2la"}))
    assert table.rows[0].numbers == (("a2la", "3657.10"),)
    assert [(each.line, each.column) for each in table.found.notes] == [(2, "No")]


@pytest.mark.parametrize("column", ["A2", "D2"])
def test_a_formula_of_a_spreadsheet_is_refused_wherever_it_stands(tmp_path: Path, column: str) -> None:
    table = read(write_xlsx(tmp_path / "a.xlsx", put(column, "=TRIM(G2)")))
    assert [(each.line, "write the value itself" in each.reason) for each in table.found.faults] == [(2, True)]


def test_merged_cells_and_hidden_rows_are_faults(tmp_path: Path) -> None:
    def change(book: Any) -> None:
        book.active.merge_cells("A2:A3")
        book.active.row_dimensions[4].hidden = True

    rows = (GOOD, row(No="0124"), row(No="0125"), row(No="0126"))
    table = read(write_xlsx(tmp_path / "a.xlsx", change, rows))
    assert [(each.line, each.column) for each in table.found.faults] == [(2, "Name"), (3, "Name"), (4, "")]
    assert [each.refused for each in table.rows] == [True, True, True, False]


def test_several_sheets_hidden_sheets_and_the_epoch_are_told(tmp_path: Path) -> None:
    def change(book: Any) -> None:
        book.epoch = CALENDAR_MAC_1904
        book.active["E2"] = datetime(2020, 3, 4)  # noqa: DTZ001 - a cell has no zone
        book.create_sheet("Old", 0).sheet_state = "hidden"
        book.create_sheet("More")

    place = write_xlsx(tmp_path / "a.xlsx", change)
    table = read(place)
    said = " ".join(table.words)
    assert [part for part in ("Old", "More", "1904") if part not in said] == []
    assert table.rows[0].values["designation.from"] == "2020-03-04"
    with pytest.raises(Refusal, match="no line 1"):
        read(place, mapping(sheet="Old"))


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml"])
@pytest.mark.parametrize("damage", [b"<", b"", b"<a/>", None])
def test_a_damaged_spreadsheet_is_refused(tmp_path: Path, part: str, damage: bytes | None) -> None:
    place = write_xlsx(tmp_path / "a.xlsx")
    hurt = tmp_path / "hurt.xlsx"
    with zipfile.ZipFile(place) as old, zipfile.ZipFile(hurt, "w") as new:
        for each in old.namelist():
            if each != part:
                new.writestr(each, old.read(each))
            elif damage is not None:
                new.writestr(each, damage)
    with pytest.raises(Refusal, match=r"XLSX|no line 1"):
        read(hurt)


def test_digits_that_one_number_of_a_column_lacks_are_missed() -> None:
    column = [f"{number:04}" for number in range(1000, 1030)]
    odd = find_odd_lengths([*column, "135", "R006"])
    assert set(odd) == {"135", "R006"}
    assert find_odd_lengths(["1", "22", "333"]) == {}
    assert read_number("any", "135") == ("135", (), None)


@pytest.mark.parametrize(
    "number",
    [
        "KR9001 KR9002", "KR9008\N{IDEOGRAPHIC COMMA}KR9009", "1E5", "9005", "KR9006.0", "KR9007*", "KR8009-KR8012",
        "\N{GREEK CAPITAL LETTER KAPPA}R9003", "KR8009+KR8010", "KR 8OO9", "KR0000", "KR90 01",
    ],
)  # fmt: skip
def test_what_is_not_of_the_form_of_its_scheme_is_refused(number: str) -> None:
    assert read_number("fcc-designation", number).fault is not None
    assert read_number("fcc-designation", "kr-9001").value == "KR9001"


@pytest.mark.parametrize(
    "name",
    [
        "£ódŸ", "Žïár", "Èñïûòàíèÿ", "PrŸfzentrum", "ƒcole", "Pr&uuml;f", "Pr=C3=BCf", "Pr%FCf", "Pr\\xfcf", "Pr+APw-f",
        "Pr체fstelle", "Pr眉fstelle", "Prﾃｼfstelle", "Prรผfstelle", "ÇÑ±¹½ÃÇè",
        "\N{GREEK CAPITAL LETTER BETA}SI", "\N{GREEK CAPITAL LETTER NU}ova", "\N{GREEK CAPITAL LETTER TAU}ÜV",
        "\N{LISU LETTER BA}SI", "\N{CHEROKEE LETTER GO}lpha", "B\N{CYRILLIC CAPITAL LETTER ES}I",
        "Nova\uf8ffP", "Nova\ufffcQ", "Nova\uffffR",
    ],
)  # fmt: skip
def test_letters_that_no_name_has_are_damage(name: str) -> None:
    assert clean(name).fault is not None


@pytest.mark.parametrize(
    ("name", "read_as"),
    [
        ("Nova\ufe0fC", "NovaC"),
        ("Nova\u3164D", "Nova D"),
        ("Nova\u115fE", "NovaE"),
        ("Nova\u2800F", "Nova F"),
        ("Nova\u034fG", "NovaG"),
        ("Nova\U000e0041H", "NovaH"),
        ("La_x00A0_b", "La b"),
        ("La_x200B_b", "Lab"),
        ("Pr_x00FC_f", "Prüf"),
        ("_x005F_x000D_", "_x000D_"),
    ],
)
def test_signs_that_nobody_sees_are_left_out_and_listed(name: str, read_as: str) -> None:
    cleaned = clean(name)
    assert (cleaned.text, cleaned.fault) == (read_as, None)
    assert cleaned.done


def test_names_of_every_script_are_left_alone() -> None:
    for name in (
        "Łódź Ω",
        "検査\u3000株式会社",
        "Ã-Werk",
        "شركة",
        "می\u200cخواهم",  # noqa: RUF001 - letters of other scripts are meant
        "O'Neill & Söhne (GmbH)",
        "A+B",
        "Œuvre",
        "?What If! Ltd",
        "ABC試験所",
        "ΕΛΟΤ S.A.",
        "บริษัทABC",
        "L\u2019École d\u2019Évaluation",
        "Ülkü Öğütçü A.Ş.",
        "Þýðandi hf",
        "O\u2018zbekiston",
        "col·lecció",
        "µTest",
        "3M",
        "C++Test-Lab",
        "R&D; Lab",
        "100% FCC Lab",
        "Do & Co",
    ):
        assert clean(name) == (name, (), None)
        assert find_placeholder(name, "name") is None


def test_letters_that_are_lost_within_an_address_are_damage(tmp_path: Path) -> None:
    assert find_placeholder("Pr?fstra?e 5", "address") is not None
    assert find_placeholder("https://x.example/?y=a%20b", "note") is None
    assert clean("https://x.example/?y=a%20b&amp;z").fault is None
