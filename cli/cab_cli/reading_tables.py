"""A table of an import, read whole: its rows by field, what is wrong with them, and what was done to them."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from cab_cli.csv_reading import USUAL
from cab_cli.mapping import MappingFile, mapping_of_export
from cab_cli.rows import Findings, OnRecord, Row, RowReader
from cab_cli.spreadsheets import Line, open_table
from cab_registry.domain.errors import Fault, Refusal

HEADINGS: Final = ("line", "column", "value", "reason")
"""Stand before the headings of the table in a report of refused rows."""

_MERGED: Final = "#MERGED!"


@dataclass(slots=True)
class Table:
    """A table that was read.

    Attributes:
        file: where it is.
        sheet: of a spreadsheet.
        encoding: of a CSV file.
        header_row: the line of the headings.
        skipped: how many columns of a report of refused rows stand before those of the table.
        headings: as they stand in the file.
        words: what was done to the table as a whole.
        rows: those that were refused, too.
        found: faults and notes.
    """

    file: Path
    sheet: str | None
    encoding: str
    header_row: int
    skipped: int = 0
    headings: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    found: Findings = field(default_factory=Findings)

    @property
    def partial(self) -> bool:
        """Whether it holds the refused rows of another table, and not a whole list."""
        return bool(self.skipped)

    def reread(self, lines: Container[int]) -> Iterator[tuple[int, list[str]]]:
        """Read some lines once more, as they stand in the file."""
        for line in self.read_lines([]):
            if line.number in lines and line.number > self.header_row:
                yield line.number, _show(line, len(self.headings))

    def read_lines(self, words: list[str]) -> Iterator[Line]:
        """Read the lines from the headings on, without the columns of a report."""
        with open_table(self.file, self.sheet, self.encoding, header_row=self.header_row, tell=words.append) as lines:
            for line in lines:
                if self.skipped:
                    yield line._replace(cells=line.cells[self.skipped :])
                elif line.number >= self.header_row:
                    yield line


def read_table(
    file: Path,
    mapping: MappingFile | None,
    encoding: str | None,
    economies: Mapping[str, Iterable[str]],
    on_record: OnRecord | None = None,
) -> tuple[Table, RowReader]:
    """Read a table; without a mapping it is one that `cab export` wrote.

    Raises:
        Refusal: it cannot be read, or does not fit the mapping.
    """
    given = mapping or MappingFile(columns={"": ""})
    table = Table(file, given.sheet, encoding or given.encoding or USUAL, given.header_row)
    table.skipped = _count_report_columns(table)
    if table.skipped:
        table.header_row = 1
        table.words.append("a report of refused rows: its own columns are left out")
    reader: RowReader | None = None
    for line in table.read_lines(table.words):
        if reader is None:
            table.header_row = line.number
            table.headings = list(line.cells)
            found = _find_mapping(file, mapping, table.headings)
            reader = RowReader(found, line.cells, economies, table.words.append, on_record or OnRecord())
            continue
        table.rows.append(reader.read(line, table.found))
    if reader is None:
        raise Refusal(f"{file} has no line {given.header_row} with headings", (Fault("/header_row", "mapping"),))
    odd = reader.find_odd_numbers(table.rows)
    table.found.faults += odd
    wrong = {fault.line for fault in odd}
    table.rows = [replace(row, refused=True) if row.line in wrong else row for row in table.rows]
    return table, reader


def _find_mapping(file: Path, mapping: MappingFile | None, headings: list[str]) -> MappingFile:
    found = mapping or mapping_of_export(headings)
    if found is None:
        hint = "only what cab export wrote is read without one; docs/import.md shows how to write it"
        raise Refusal(f"{file} needs a mapping", (Fault("--mapping", hint),))
    return found


def _count_report_columns(table: Table) -> int:
    """Return how many columns of a report of refused rows come first."""
    with open_table(table.file, table.sheet, table.encoding, header_row=1) as lines:
        first = next(lines, None)
    whole = first is not None and len(first.cells) > len(HEADINGS)
    return len(HEADINGS) if first is not None and whole and tuple(first.cells[: len(HEADINGS)]) == HEADINGS else 0


def _show(line: Line, width: int) -> list[str]:
    cells = [
        _MERGED if index in line.marks and line.marks[index].words.startswith("is merged") else cell
        for index, cell in enumerate(line.cells)
    ]
    # A spreadsheet leaves empty cells at the end out; in CSV a row that is too short stays so.
    return cells if line.loose else [*cells, *[""] * (width - len(cells))]
