"""Every row of the tables that the catalogue was made from is carried by records; what is not is told with its line."""

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cab_cli.main import app
from cab_registry.domain.records import Agreement, Authority, Recognition, Route
from cab_registry.register.catalogue import catalogue_folder, load_catalogue
from cab_registry.register.checking import check_catalogue
from cab_registry.register.rows import ROWS, PartCount
from cab_registry.register.yaml_text import read_yaml

HERE = Path(__file__).parent
CHANGES = HERE.parents[2] / "shared" / "domain" / "changes_2026-11.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "law").mkdir()
    shutil.copy(HERE / "good.yaml", tmp_path / "law" / "good.yaml")
    return tmp_path


def told(folder: Path, text: str) -> list[str]:
    (folder / ROWS).write_text(text)
    return [str(fault) for fault in check_catalogue(folder).faults]


def table(*rows: str, part: str = "one") -> str:
    return f"part: {part}\ntitle: Table {part}\nrows:\n" + "".join(f"  - {row}\n" for row in rows)


def packaged() -> dict[str, list[dict[str, object]]]:
    located, faults = read_yaml((catalogue_folder() / ROWS).read_text("utf-8"), ROWS)
    assert faults == []
    return {document.value["part"]: document.value["rows"] for document in located}


def test_without_tables_nothing_is_counted(folder: Path) -> None:
    report = check_catalogue(folder)
    assert (report.tables, report.faults) == ((), ())


def test_rows_and_the_records_that_carry_them_are_counted(folder: Path) -> None:
    first = table(
        '{row: "1", says: Certificates, records: [xa-xb, xa-xb-certificates]}',
        '{row: "2", says: Reports, none: No agreement}',
        '{row: "3", says: The agreement again, key: annexes, records: [xa-xb]}',
    )
    assert told(folder, first + "---\n" + table('{row: "1", says: A, records: [xa]}', part="two")) == []
    assert check_catalogue(folder).tables == (
        PartCount(part="one", title="Table one", rows=3, carried=2, without=1, records=2),
        PartCount(part="two", title="Table two", rows=1, carried=1, without=0, records=1),
    )


def test_a_row_names_records_that_exist(folder: Path) -> None:
    rows = (
        '{row: "1", says: A, records: [xa, nowhere]}',
        '{row: "2", says: B, records: [xb, xb]}',
        '{row: "3", says: C, key: member_of, records: [xa, xb]}',
        '{row: "3", says: D, records: [7]}',
    )
    assert told(folder, table(*rows)) == [
        "rows.yaml:4 /rows/0/records/1: no record has the id 'nowhere'",
        "rows.yaml:5 /rows/1/records/1: 'xb' stands twice",
        "rows.yaml:6 /rows/2/records/1: the record 'xb' has nothing under `member_of`",
        "rows.yaml:7 /rows/3/records/0: no record has the id 7",
        "rows.yaml:7 /rows/3/row: the row '3' stands twice",
    ]
    (count,) = check_catalogue(folder).tables
    assert (count.rows, count.carried, count.without, count.records) == (4, 3, 0, 2)


def test_a_row_names_something_or_says_why_not(folder: Path) -> None:
    either = "a row names the records that carry it, or says in `none` why there is nothing to carry"
    rows = (
        '{row: "1", says: A}',
        '{row: "2", says: B, records: [xa], none: Nothing}',
        '{row: "3", says: C, records: []}',
        '{row: "4", says: D, none: " "}',
        "{row: 5, records: [xa], note: E}",
        "just words",
    )
    assert told(folder, table(*rows)) == [
        f"rows.yaml:4 /rows/0: {either}",
        f"rows.yaml:5 /rows/1: {either}",
        "rows.yaml:6 /rows/2/records: must be a list of ids",
        "rows.yaml:7 /rows/3/none: must be a text",
        "rows.yaml:8 /rows/4: `says` is missing",
        "rows.yaml:8 /rows/4/note: unknown key `note`; allowed: row, says, records, none, key",
        "rows.yaml:8 /rows/4/row: must be a text",
        "rows.yaml:9 /rows/5: a row is a mapping of keys",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("just words\n", "rows.yaml:1: a table has the keys part, title, rows"),
        ("part: one\nrows: []\n", "rows.yaml:1: a table has the keys part, title, rows"),
        ("part: one\ntitle: One\nrows: []\n", "rows.yaml:3 /rows: must be a list of rows"),
        ("part: one\ntitle: 7\nrows: [{row: a, says: b, none: c}]\n", "rows.yaml:2 /title: must be a text"),
        ("part: [\n", "rows.yaml:2: no valid YAML: did not find expected node content"),
        (
            table("{row: a, says: b, none: c}") + "---\n" + table("{row: a, says: b, none: c}"),
            "rows.yaml:6 /part: the table 'one' stands twice",
        ),
    ],
)
def test_a_table_that_cannot_be_read_is_told(text: str, fault: str, folder: Path) -> None:
    assert told(folder, text) == [fault]


def test_the_packaged_tables_hold() -> None:
    counts = {count.part: count for count in check_catalogue().tables}
    assert all(count.carried + count.without == count.rows for count in counts.values())
    wanted = {"telecom-agreements": 48, "eu-ch-chapters": 40, "fda-human": 28, "fda-veterinary": 28}
    wanted |= {"aeo": 32, "bodies-industrial": 96, "bodies-telecom": 58}
    assert {part: counts[part].rows for part in wanted} == wanted
    without = {row["row"] for row in packaged()["telecom-agreements"] if "none" in row}
    assert without == {"47", "48"}


def test_the_changes_of_november_2026_are_counted() -> None:
    counts = {count.part: count for count in check_catalogue().tables}
    wanted = {"changes-corrections": (14, 14), "changes-new": (6, 6), "changes-checked": (7, 6)}
    assert {part: (counts[part].rows, counts[part].carried) for part in wanted} == wanted


def test_each_change_is_carried_by_a_record_that_says_when_and_how_well_it_was_read() -> None:
    records = {entry.record.id: entry.record for entry in load_catalogue(("law",))}
    tables = packaged()
    for row in (*tables["changes-corrections"], *tables["changes-new"]):
        sources = [source for name in row["records"] for source in records[name].sources.values()]  # type: ignore[attr-defined]
        read = [source for source in sources if str(source.read_on) == "2026-11-30"]
        assert read, row
        assert all(source.title and source.confidence for source in read)


@pytest.mark.skipif(not CHANGES.is_file(), reason="the page of the changes is not beside this clone")
@pytest.mark.parametrize(("heading", "part"), [("## 1.", "changes-corrections"), ("## 2.", "changes-new")])
def test_no_row_of_the_changes_is_missed(heading: str, part: str) -> None:
    section = CHANGES.read_text("utf-8").split(heading)[1].split("\n## ")[0]
    numbers = re.findall(r"^\| (\d+) \|", section, re.MULTILINE)
    assert [row["row"] for row in packaged()[part]] == numbers


def test_every_agreement_stands_in_a_table_and_every_recognition_is_one_of_its_state() -> None:
    records = {entry.record.id: entry.record for entry in load_catalogue()}
    tables = packaged()
    named = {name for rows in tables.values() for row in rows for name in row.get("records", ())}  # type: ignore[attr-defined]
    assert [name for name, record in records.items() if isinstance(record, Agreement) and name not in named] == []
    for row in (*tables["fda-human"], *tables["fda-veterinary"]):
        for name in row.get("records", ()):  # type: ignore[attr-defined]
            record = records[name]
            assert isinstance(record, Recognition)
            inspectorate = records[record.body]
            assert isinstance(inspectorate, Authority)
            assert inspectorate.economy == row["row"]


def test_a_chapter_names_routes_of_its_own_direction() -> None:
    records = {entry.record.id: entry.record for entry in load_catalogue(("law",))}
    markets = {"the Union": "EU", "Switzerland": "CH"}
    for row in packaged()["eu-ch-chapters"]:
        chapter, _, market = str(row["row"]).partition(" into ")
        for name in row["records"]:  # type: ignore[attr-defined]
            route = records[name]
            assert isinstance(route, Route)
            assert (route.annex, route.importer) == (f"ch-{chapter}", (markets[market],))


def test_the_command_prints_the_tables_and_fails_on_a_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ROWS).write_text(table('{row: "1", says: A, records: [xa]}', '{row: "2", says: B, none: Nothing}'))
    good = check_catalogue(folder)
    monkeypatch.setattr("cab_registry.register.checking.check_catalogue", lambda: good)
    done = CliRunner().invoke(app, ["catalogue", "check"])
    assert done.exit_code == 0
    (line,) = (line for line in done.stdout.splitlines() if "Table one" in line)
    assert line.split() == ["Table", "one", "2", "1", "1", "1"]
    plain = json.loads(CliRunner().invoke(app, ["catalogue", "check", "--json"]).stdout)
    assert plain["tables"] == [
        {"part": "one", "title": "Table one", "rows": 2, "carried": 1, "without": 1, "records": 1}
    ]
    (folder / ROWS).write_text(table('{row: "1", says: A, records: [nowhere]}'))
    bad = check_catalogue(folder)
    monkeypatch.setattr("cab_registry.register.checking.check_catalogue", lambda: bad)
    done = CliRunner().invoke(app, ["catalogue", "check"])
    assert done.exit_code == 1
    assert "rows.yaml:4 /rows/0/records/0: no record has the id 'nowhere'" in done.stdout
