"""Tables in files, read and written as text: CSV and XLSX, with limits on what a file may unpack to.

A formula is text here, in both directions: read as it is spelt, and written so that no program takes it for one.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from cab_cli.csv_reading import USUAL, Tell, read_csv, say_kind
from cab_cli.workbooks import BROKEN, MOST_LINES, Mark, describe_damage, has_too_many_rows, open_sheet
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.services.cells import escape, unescape

LARGEST_FILE: Final = 200_000_000
LARGEST_PART: Final = 200_000_000
LARGEST_TEXTS: Final = 50_000_000
LARGEST_TOTAL: Final = 300_000_000
MOST_PARTS: Final = 1000
MOST_ROWS: Final = 200_000
MOST_COLUMNS: Final = 200
LONGEST_CELL: Final = 32_767
_TEXTS: Final = frozenset({".csv", ".tsv", ".txt"})
_WORKBOOKS: Final = frozenset({".xlsx", ".xlsm"})
_OPEN_DOCUMENT: Final = b"application/vnd.oasis.opendocument"
_HEAD: Final = 1024
_UNWRITABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\r]")
_NO_MARKS: Final[Mapping[int, Mark]] = {}


class Line(NamedTuple):
    """A row of a table.

    Attributes:
        number: the line on which it begins.
        cells: as text.
        marks: by the place of a cell, where a spreadsheet keeps something else than the text.
        hidden: whether the spreadsheet hides it.
        loose: whether its cells are separated by signs, so that their count says whether it is whole.
    """

    number: int
    cells: list[str]
    marks: Mapping[int, Mark] = _NO_MARKS
    hidden: bool = False
    loose: bool = False


def _keep_quiet(_words: str) -> None:
    pass


@contextmanager
def open_table(
    place: Path, sheet: str | None = None, encoding: str = USUAL, *, header_row: int = 1, tell: Tell = _keep_quiet
) -> Iterator[Iterator[Line]]:
    """Open a table by the ending of its name; what comes is its lines, empty ones left out.

    Args:
        place: the file.
        sheet: of a spreadsheet; without it the first that is shown.
        encoding: of a CSV file, unless a mark at its beginning names another.
        header_row: the line on which the headings stand.
        tell: is told what was done without having been asked for.

    Raises:
        Refusal: it cannot be read, or is larger than this program takes.
    """
    require_file(place)
    try:
        size = place.stat().st_size
        with place.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise Refusal(f"{place} cannot be read: {error.strerror}") from None
    if size > LARGEST_FILE:
        raise Refusal(f"{place} has {size} bytes; {LARGEST_FILE} is the most")
    suffix = place.suffix.lower()
    if not size:
        raise Refusal(f"{place} is empty")
    kind = say_kind(head)
    if kind is not None and not (suffix in _WORKBOOKS and head.startswith(b"PK") and _OPEN_DOCUMENT not in head):
        raise Refusal(f"{place} {kind}")
    if suffix in _WORKBOOKS:
        if kind is None:
            raise Refusal(f"{place} is no proper XLSX, perhaps a text: if it is one, give it a name that ends in .csv")
        _check_unpacked(place)
        with open_sheet(place, sheet, tell) as rows:
            yield _checked(
                place, (Line(row.number, _plain_all(row.cells), row.marks, hidden=row.hidden) for row in rows)
            )
    elif suffix in _TEXTS:
        read = read_csv(place, encoding, header_row, tell)
        with closing(read):
            yield _checked(place, (Line(number, _plain_all(row), loose=True) for number, row in read))
    else:
        raise Refusal(f"{place} is neither .csv nor .xlsx")


def require_file(place: Path) -> None:
    """Refuse a pipe or a device, which would be waited for, or would never end.

    Raises:
        Refusal: it is none that can be read twice.
    """
    if place.exists() and not (place.is_file() or place.is_dir()):
        raise Refusal(f"{place} is no file that can be read twice: save the table first")


def _checked(place: Path, lines: Iterable[Line]) -> Iterator[Line]:
    # Empty lines are left out, and what stands below them, however many they are, is not.
    full = 0
    for seen, line in enumerate(lines, 1):
        if seen > MOST_LINES:
            raise Refusal(f"{place} has more than {MOST_LINES} lines, empty ones counted; split it")
        if not any(cell.strip() for cell in line.cells):
            continue
        full += 1
        if full > MOST_ROWS + 1:
            raise Refusal(f"{place} has more than {MOST_ROWS} rows; split it")
        if len(line.cells) > MOST_COLUMNS and any(line.cells[MOST_COLUMNS:]):
            raise Refusal(f"{place}, line {line.number}: more than {MOST_COLUMNS} columns")
        if any(len(cell) > LONGEST_CELL for cell in line.cells):
            raise Refusal(f"{place}, line {line.number}: a cell is longer than {LONGEST_CELL} characters")
        yield line


def _check_unpacked(place: Path) -> None:
    """Refuse a file that would unpack to more than a spreadsheet is; reading never goes beyond the sizes it states."""
    try:
        with zipfile.ZipFile(place) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise describe_damage(place, error) from None
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
    _require_few_rows(place, [part.filename for part in parts if part.filename.endswith(".xml")])


def _require_few_rows(place: Path, sheets: Iterable[str]) -> None:
    """Refuse a small file that unpacks to millions of empty rows, before any is read."""
    try:
        with zipfile.ZipFile(place) as packed:
            for name in sheets:
                with packed.open(name) as source:
                    if has_too_many_rows(source):
                        raise Refusal(f"{place} has more than {MOST_LINES} lines, empty ones counted; split it")
    except BROKEN as error:
        raise describe_damage(place, error) from None


def _plain_all(cells: Iterable[str]) -> list[str]:
    return [_plain(cell) for cell in cells]


def _plain(cell: str) -> str:
    # The apostrophe is ours or a spreadsheet's own: what follows is text.
    return unescape(cell)


def write_xlsx(title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Write a table as XLSX, every cell as text."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.append(list(headings))
    for row in rows:
        sheet.append([_UNWRITABLE.sub(_name_sign, escape(value)) for value in row])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _name_sign(found: re.Match[str]) -> str:
    """Write a sign that XML does not keep, as spreadsheets do."""
    return f"_x{ord(found.group()):04X}_"
