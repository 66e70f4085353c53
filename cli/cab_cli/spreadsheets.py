"""Tables in files, read and written as text: CSV and XLSX, with limits on what a file may unpack to.

A formula is text here, in both directions: read as it is spelt, and written so that no program takes it for one.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, TextIO

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.services.cells import FORMULA, escape

LARGEST_FILE: Final = 200_000_000
LARGEST_PART: Final = 200_000_000
LARGEST_TEXTS: Final = 50_000_000
LARGEST_TOTAL: Final = 300_000_000
MOST_PARTS: Final = 1000
MOST_ROWS: Final = 200_000
MOST_COLUMNS: Final = 200
MOST_EMPTY: Final = 1000
LONGEST_CELL: Final = 32_767
_DELIMITERS: Final = ",;\t|"


class Line(NamedTuple):
    """A row of a table: the line on which it begins, and its cells as text."""

    number: int
    cells: list[str]


@contextmanager
def open_table(place: Path, sheet: str | None = None, encoding: str = "utf-8-sig") -> Iterator[Iterator[Line]]:
    """Open a table by the ending of its name; what comes is its lines, empty ones left out.

    Raises:
        Refusal: it cannot be read, or is larger than this program takes.
    """
    try:
        size = place.stat().st_size
    except OSError as error:
        raise Refusal(f"{place} cannot be read: {error.strerror}") from None
    if size > LARGEST_FILE:
        raise Refusal(f"{place} has {size} bytes; {LARGEST_FILE} is the most")
    if place.suffix.lower() == ".xlsx":
        with _open_sheet(place, sheet) as lines:
            yield _checked(place, lines)
    elif place.suffix.lower() in {".csv", ".tsv", ".txt"}:
        with place.open(encoding=encoding, newline="") as file:
            yield _checked(place, _read_csv(place, file))
    else:
        raise Refusal(f"{place} is neither .csv nor .xlsx")


def _checked(place: Path, lines: Iterable[Line]) -> Iterator[Line]:
    empty = 0
    for seen, line in enumerate(lines, 1):
        if seen > MOST_ROWS:
            raise Refusal(f"{place} has more than {MOST_ROWS} rows; split it")
        if len(line.cells) > MOST_COLUMNS and any(line.cells[MOST_COLUMNS:]):
            raise Refusal(f"{place}, line {line.number}: more than {MOST_COLUMNS} columns")
        if any(len(cell) > LONGEST_CELL for cell in line.cells):
            raise Refusal(f"{place}, line {line.number}: a cell is longer than {LONGEST_CELL} characters")
        if any(line.cells):
            empty = 0
            yield line
        else:
            empty += 1
            if empty > MOST_EMPTY:
                return


def _read_csv(place: Path, file: TextIO) -> Iterator[Line]:
    try:
        head = file.readline()
        file.seek(0)
        delimiter = max(_DELIMITERS, key=head.count)
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        begin = 1
        for row in reader:
            yield Line(begin, [_plain(cell) for cell in row])
            begin = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise Refusal(f"{place} is not in {error.encoding}; name its `encoding` in the mapping") from None
    except csv.Error as error:
        raise Refusal(f"{place} is no proper CSV: {error}") from None


@contextmanager
def _open_sheet(place: Path, sheet: str | None) -> Iterator[Iterator[Line]]:
    _check_unpacked(place)
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    if not openpyxl.DEFUSEDXML:
        raise Refusal("a spreadsheet is read only where defusedxml is installed: pip install defusedxml")
    # Opened here, since what fails to load leaves its file open otherwise.
    with place.open("rb") as file:
        try:
            book = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
        except (InvalidFileException, KeyError, ValueError, TypeError, OSError, zipfile.BadZipFile) as error:
            raise Refusal(f"{place} is no proper XLSX: {error}") from None
        try:
            names = book.sheetnames
            if sheet is not None and sheet not in names:
                raise Refusal(f"{place} has no sheet {sheet!r}", (Fault("/sheet", f"one of: {', '.join(names)}"),))
            yield _read_sheet(place, book[sheet] if sheet is not None else book.worksheets[0])
        finally:
            book.close()


def _read_sheet(place: Path, sheet: Any) -> Iterator[Line]:
    # What a file says of its own size is often wrong, in both directions.
    sheet.reset_dimensions()
    try:
        for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
            yield Line(number, [_plain(_spell(value)) for value in row])
    except (KeyError, ValueError, TypeError, SyntaxError, zipfile.BadZipFile) as error:
        raise Refusal(f"{place} is no proper XLSX: {error}") from None


def _check_unpacked(place: Path) -> None:
    """Refuse a file that would unpack to more than a spreadsheet is; reading never goes beyond the sizes it states."""
    try:
        with zipfile.ZipFile(place) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise Refusal(f"{place} is no proper XLSX: {error}") from None
    total = sum(part.file_size for part in parts)
    largest = max((part.file_size for part in parts), default=0)
    texts = max((part.file_size for part in parts if part.filename.endswith("sharedStrings.xml")), default=0)
    faults = [
        Fault("", f"{what}: {found}; {most} is the most", str(place))
        for what, found, most in (
            ("parts", len(parts), MOST_PARTS),
            ("bytes when unpacked", total, LARGEST_TOTAL),
            ("bytes of one part", largest, LARGEST_PART),
            ("bytes of texts", texts, LARGEST_TEXTS),
        )
        if found > most
    ]
    if faults:
        raise Refusal("the spreadsheet is too large", tuple(faults))


def _spell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    # An array formula is an object of its own, whose text is the formula.
    return str(getattr(value, "text", value))


def _plain(cell: str) -> str:
    text = cell.strip()
    # The apostrophe is ours or a spreadsheet's own: what follows is text.
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def write_xlsx(title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Write a table as XLSX, every cell as text."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.append(list(headings))
    for row in rows:
        sheet.append([escape(value) for value in row])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()
