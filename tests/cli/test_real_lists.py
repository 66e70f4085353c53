"""A list as an authority publishes it: every damaged row is named, and no body gets a number that is none."""

import csv
import re
from pathlib import Path

import pytest

from cab_cli.identities import Identifier
from cab_cli.mapping import MappingFile
from cab_cli.reading_tables import Table, read_table

EXCERPT = Path(__file__).parent / "lists" / "ukmcab_excerpt.csv"
WHOLE = Path(__file__).parents[2].parent / "shared" / "data" / "lists" / "ukmcab_legislative_file_lookup.csv"
LISTS = [pytest.param(EXCERPT, id="excerpt"), *([pytest.param(WHOLE, id="whole")] if WHOLE.exists() else [])]
FEWEST_DAMAGED = 59
FOUR_DIGITS = re.compile(r"\d{4}")
WRONG_LETTERS = ("Ã", "â€")


def read(place: Path, scheme: str) -> tuple[Table, Identifier]:
    columns = {"Name": "body.name", "CABNumber": f"body.identifier.{scheme}", "LegislativeArea": "body.note"}
    mapping = MappingFile(columns=columns, constants={"body.economy": "GB"})
    table, reader = read_table(place, mapping, None, {"GB": ["United Kingdom"]})
    identifier = Identifier(reader, "gb-opss", table.found)
    for row in table.rows:
        identifier.settle(row)
    return table, identifier


@pytest.mark.parametrize("place", LISTS)
@pytest.mark.parametrize("scheme", ["ukmcab", "nando", "own-numbers"])
def test_every_damaged_row_is_named_and_no_wrong_body_is_made(place: Path, scheme: str) -> None:
    table, identifier = read(place, scheme)
    with place.open(encoding="utf-8-sig", newline="") as file:
        lines = dict(zip((row.line for row in table.rows), csv.DictReader(file), strict=True))
    numbered = {line for line, each in lines.items() if not FOUR_DIGITS.fullmatch(each["CABNumber"])}
    spoiled = {line for line, each in lines.items() if any(sign in each["Name"] for sign in WRONG_LETTERS)}
    distinct = {each["CABNumber"] for each in lines.values()} - {""}
    # Of 147 numbers 59 have not four signs; R006 has four, which are not four digits, and some rows have none at all.
    odd = {each for each in distinct if len(each) != len("0000")}
    assert len(odd) >= FEWEST_DAMAGED
    assert {lines[line]["CABNumber"] for line in numbered} == {*odd, "R006", ""}
    if place == WHOLE:
        assert (len(distinct), len(odd)) == (147, FEWEST_DAMAGED)
    assert spoiled
    assert numbered <= {each.line for each in (*table.found.faults, *table.found.notes) if each.column == "CABNumber"}
    assert spoiled <= {each.line for each in table.found.faults if each.column == "Name"}
    values = {value for body in identifier.bodies.values() for each in body.numbers.values() for value in each}
    assert [value for value in values if not FOUR_DIGITS.fullmatch(value)] == []
    names = {name for body in identifier.bodies.values() for name in body.names}
    assert [name for name in names if any(sign in name for sign in WRONG_LETTERS)] == []


def test_a_number_without_its_zeros_and_one_with_them_are_one_body(tmp_path: Path) -> None:
    place = tmp_path / "list.csv"
    place.write_text("Name,CABNumber,LegislativeArea\nA Ltd,0086,x\nA Limited,86,y\nB Ltd,86,z\n", "utf-8")
    table, identifier = read(place, "ukmcab")
    assert list(identifier.bodies) == ["ukmcab-0086"]
    assert [(each.line, each.column) for each in table.found.faults] == [(4, "Name")]
    spelt = [each for each in table.found.notes if each.column == "Name"]
    assert [(each.line, each.value, each.read_as) for each in spelt] == [(3, "A Limited", "A Ltd")]
