"""Cells of several values: what is not known, and what another separator hides, never becomes one value."""

from pathlib import Path

import pytest

from cab_cli.mapping import MappingFile
from cab_cli.reading_tables import Table, read_table
from cab_cli.row_lists import find_several_methods, read_list
from cab_cli.rows import OnRecord

CODES = {
    "procedures": frozenset({"certification", "fcc_doc", "module_b", "module_c", "module_d"}),
    "product_classes": frozenset({"ite", "medical_device"}),
}
FIELDS = {
    "Procedure": "designation.scope.procedures",
    "Class": "designation.scope.product_classes",
    "Result": "designation.scope.result_kinds",
    "Method": "designation.scope.standards",
    "Kind": "body.kind",
    "Other": "body.other_name",
    "Standard": "accreditation.standard",
}


def read(folder: Path, column: str, cell: str) -> Table:
    place = folder / "a.csv"
    place.write_text(f'Name,{column}\nAlpha Lab,"{cell}"\n', "utf-8")
    mapping = MappingFile(columns={"Name": "body.name", column: FIELDS[column]})
    return read_table(place, mapping, None, {}, OnRecord(codes=CODES.get))[0]


@pytest.mark.parametrize(
    ("column", "cell", "why"),
    [
        ("Procedure", "certification, fcc_doc", "several values: certification, fcc_doc; write ';'"),
        ("Procedure", "B+C", "did you mean module_b, module_c?"),
        ("Procedure", "B/C", "module_b, module_c"),
        ("Procedure", "Modules B and D", "module_b, module_d"),
        ("Procedure", "asdf", "is not a procedure"),
        ("Procedure", "\N{GREEK CAPITAL LETTER BETA}", "is not a procedure"),
        ("Procedure", "all", "leave the cell empty where there is no limit"),
        ("Class", "ite, radio", "is not a product class"),
        ("Class", "ite; radio", "'radio' is not a product class"),
        ("Class", "all", "names none"),
        ("Class", ";;", "nothing between its separators"),
        ("Result", "test_report, certificate", "several values"),
        ("Result", "reports", "is not a kind of result"),
        ("Kind", "lab", "is not a kind of body"),
        ("Method", "ANSI C63.4, ANSI C63.10", "several standards"),
        ("Method", "ANSI C63.4/ANSI C63.10", "several standards"),
        ("Method", "ANSI C63.4 and ANSI C63.10", "several standards"),
        ("Method", "ANSI C63.4 | ANSI C63.10", "several standards"),
        ("Method", "ANSI C63.4\N{IDEOGRAPHIC COMMA}ANSI C63.10", "several standards"),
        ("Method", "ANSI C63.4\N{FULLWIDTH SEMICOLON}ANSI C63.10", "several standards"),
        ("Method", "EN 55032 55035", "several standards"),
        ("Method", "EN 55032 EN 55035", "several standards"),
        ("Method", "EN 301 489-1, -17", "several standards"),
        ("Method", "CISPR 11/22", "several standards"),
        ("Method", "RED 2014/53/EU, EN 300 328", "several standards"),
        ("Method", ";;", "nothing between its separators"),
        ("Method", "all", "names none"),
        ("Standard", "ISO/IEC 17025 and ISO/IEC 17065", "several standards"),
        ("Other", "ditto", "what is above it"),
        ("Other", "Alpha; n/a", "stands for nothing"),
    ],
)
def test_no_value_is_made_of_what_is_not_one(tmp_path: Path, column: str, cell: str, why: str) -> None:
    table = read(tmp_path, column, cell)
    (fault,) = table.found.faults
    assert (fault.line, fault.column, fault.value) == (2, column, cell)
    assert why in fault.reason
    assert FIELDS[column] not in table.rows[0].values


@pytest.mark.parametrize(
    ("column", "cell", "read_as"),
    [
        ("Procedure", "Certification", "certification"),
        ("Procedure", "Module B; module_c", "module_b;module_c"),
        ("Procedure", "module_b; module_b", "module_b"),
        ("Kind", "Testing Laboratory", "testing_laboratory"),
        ("Method", "; ANSI C63.4", "ANSI C63.4"),
    ],
)
def test_what_is_read_in_another_way_is_listed(tmp_path: Path, column: str, cell: str, read_as: str) -> None:
    table = read(tmp_path, column, cell)
    assert table.found.faults == []
    assert table.rows[0].values[FIELDS[column]] == read_as
    assert {(each.line, each.column) for each in table.found.notes} == {(2, column)}


@pytest.mark.parametrize(
    "standard",
    [
        "ISO/IEC 17025", "EN 55032:2015+A1:2020", "EN 55032:2015 + A1:2020", "ANSI C63.4, 2014", "AS/NZS CISPR 22",
        "EN 60601-1:2006/AC:2010", "RSS-247, Issue 2", "EN 300 328 V2.2.2", "47 CFR Part 15, Subpart C", "ANSI C63",
        "VCCI V-3", "EN 300 328, 2.4 GHz", "IEC/EN 61000-4-2", "EN 60335-1 2012", "ISO/IEC Guide 65", "KN",
        "Regulation (EU) 2016/425", "Directive 89/686/EEC", "RED 2014/53/EU", "S.I. 2017/1206",
    ],
)  # fmt: skip
def test_the_name_of_one_standard_is_one(standard: str) -> None:
    assert find_several_methods(standard) is None
    assert read_list("standards", standard, ";", CODES.get) == ((standard,), (), None)
