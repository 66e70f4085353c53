"""Sheets of workbooks: what is shown in each cell, and where what is kept there is something else."""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from cab_registry.domain.errors import Fault, Refusal

BROKEN: Final = (
    LookupError, ValueError, TypeError, AttributeError, SyntaxError, ArithmeticError, OSError, EOFError, RuntimeError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What the reader of workbooks raises for one that is damaged; its own exceptions are not enough."""

MOST_MERGED: Final = 1000
MOST_HIDDEN: Final = 200_000
MOST_LINES: Final = 1_048_576
"""What a spreadsheet holds, empty lines counted."""

_FIRST_YEAR: Final = 1900
_LARGEST_NUMBER: Final = 10**15
_ZEROS: Final = re.compile(r"0+")
_DECIMALS: Final = re.compile(r"0*#*0\.(0+)")
_WITH_WORDS: Final = re.compile(r'(?:"([^"]*)"|((?:\\.|[A-Za-z\-])*))(0+)')
_CHUNK: Final = 1 << 20
_LONGEST_MARK: Final = 32
_ROW: Final = re.compile(rb"<(?:\w{1,16}:)?row[\s/>]")
_NOT_SHOWN: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_PLAIN_FORMATS: Final = frozenset({"General", "0", "@", "#"})
_GROUPED: Final = re.compile(r"#,##0(?:_\)|_-)?(?:;.*)?")


class Mark(NamedTuple):
    """What a spreadsheet keeps in a cell, where that is not the text that it shows.

    Attributes:
        kind: `number`, `decimal`, `day`, `moment`, `formula`, or `wrong` for what cannot be taken.
        words: what was done, or what is wrong.
    """

    kind: str
    words: str


class SheetRow(NamedTuple):
    """A row of a sheet: its number, its cells as text, and marks by place."""

    number: int
    cells: list[str]
    marks: Mapping[int, Mark]
    hidden: bool


@dataclass(slots=True)
class _Layout:
    """What a sheet hides and merges; numbers begin with 1."""

    rows: set[int] = field(default_factory=set)
    columns: list[tuple[int, int]] = field(default_factory=list)
    merged: list[tuple[int, int, int, int, str]] = field(default_factory=list)


@contextmanager
def open_sheet(place: Path, wanted: str | None, tell: Callable[[str], None]) -> Iterator[Iterator[SheetRow]]:
    """Open a sheet of a workbook; without a name the first that is not hidden.

    Raises:
        Refusal: it is not a workbook, or has no such sheet.
    """
    import openpyxl
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.utils.exceptions import InvalidFileException

    if not openpyxl.DEFUSEDXML:
        raise Refusal("a spreadsheet is read only where defusedxml is installed: pip install defusedxml")
    # Opened here, since what fails to load leaves its file open otherwise.
    with place.open("rb") as file:
        try:
            reader = ExcelReader(file, read_only=True, keep_links=False)
            reader.read()
            parts = {sheet.name: relation.target for sheet, relation in reader.parser.find_sheets()}
        except (InvalidFileException, *BROKEN) as error:
            raise describe_damage(place, error) from None
        try:
            sheet = _choose(place, reader.wb, wanted, tell)
            layout = _read_layout(place, parts[sheet.title])
            if layout.columns:
                tell(f"the sheet {sheet.title!r} hides columns; they are read like the others")
            yield _read_rows(place, sheet, layout)
        finally:
            reader.wb.close()


def _choose(place: Path, book: Any, wanted: str | None, tell: Callable[[str], None]) -> Any:
    names = [sheet.title for sheet in book.worksheets]
    if wanted is not None and wanted not in names:
        raise Refusal(f"{place} has no sheet {wanted!r}", (Fault("/sheet", f"one of: {', '.join(names)}"),))
    shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not names:
        raise Refusal(f"{place} is no proper XLSX: it has no sheet")
    chosen = book[wanted] if wanted is not None else (shown or book.worksheets)[0]
    if chosen.sheet_state != "visible":
        tell(f"the sheet {chosen.title!r} is hidden")
    if wanted is None and len(names) > 1:
        others = ", ".join(name for name in names if name != chosen.title)
        tell(f"of its sheets {chosen.title!r} is read, and these are not: {others}; the mapping can name a `sheet`")
    if book.epoch.year > _FIRST_YEAR:
        tell(f"its days are counted from {book.epoch.date()}")
    return chosen


def _read_layout(place: Path, part: str) -> _Layout:
    """Find what is hidden or merged, which the reader of cells does not say."""
    layout = _Layout()
    try:
        with zipfile.ZipFile(place) as packed, packed.open(part.lstrip("/")) as source:
            _walk(source, layout)
    except BROKEN as error:
        raise describe_damage(place, error) from None
    if len(layout.merged) > MOST_MERGED:
        raise Refusal(f"{place} has more than {MOST_MERGED} merged cells; take the merging away first")
    layout.merged.sort()
    return layout


def has_too_many_rows(source: IO[bytes]) -> bool:
    """Whether a sheet has more rows than a spreadsheet holds, counted without reading them, which is quick."""
    count, end = 0, b""
    while chunk := source.read(_CHUNK):
        count += len(_ROW.findall(end + chunk))
        end = chunk[-_LONGEST_MARK:]
        end = end[end.rfind(b"<") :] if b"<" in end and b">" not in end[end.rfind(b"<") :] else b""
        if count > MOST_LINES:
            return True
    return False


def _walk(source: IO[bytes], layout: _Layout) -> None:
    from defusedxml.ElementTree import iterparse
    from openpyxl.utils.cell import range_boundaries

    number, data = 0, None
    for event, part in iterparse(source, events=("start", "end")):
        name = part.tag.rpartition("}")[2]
        if event == "start":
            if name == "sheetData":
                data = part
            continue
        hidden = part.get("hidden") in {"1", "true"}
        if name == "row":
            before, number = number, int(part.get("r", number + 1))
            _require_order(before, number, part)
            if hidden and len(layout.rows) < MOST_HIDDEN:
                layout.rows.add(number)
            if data is not None:
                data.clear()
        elif name == "col" and hidden:
            layout.columns.append((int(part.get("min")), int(part.get("max"))))
        elif name == "mergeCell" and len(layout.merged) <= MOST_MERGED:
            left, top, right, bottom = (each or 1 for each in range_boundaries(part.get("ref")))
            layout.merged.append((top, bottom, left, right, part.get("ref")))


def _require_order(before: int, number: int, row: Any) -> None:
    """Refuse rows and cells that do not follow one another, of which the reader of cells would lose some.

    Raises:
        Refusal: they stand in another order, or twice.
    """
    if number > MOST_LINES:
        raise Refusal(f"the spreadsheet has more than {MOST_LINES} lines, empty ones counted")
    if number <= before:
        hint = "open it in a spreadsheet program and save it again"
        raise Refusal(f"row {number} stands after row {before} in the file", (Fault("", hint),))
    columns = [ref.rstrip("0123456789") for cell in row if (ref := cell.get("r"))]
    if any((len(one), one) >= (len(two), two) for one, two in pairwise(columns)):
        hint = "open it in a spreadsheet program and save it again"
        raise Refusal(f"the cells of row {number} stand twice, or in another order, in the file", (Fault("", hint),))


def _read_rows(place: Path, sheet: Any, layout: _Layout) -> Iterator[SheetRow]:
    # What a file says of its own size is often wrong, in both directions.
    sheet.reset_dimensions()
    waiting, active = list(reversed(layout.merged)), list[tuple[int, int, int, int, str]]()
    number = 0
    try:
        for number, row in enumerate(sheet.iter_rows(), 1):
            if number > MOST_LINES:
                raise Refusal(f"{place} has more than {MOST_LINES} lines, empty ones counted")
            if not row:
                continue
            while waiting and waiting[-1][0] <= number:
                active.append(waiting.pop())
            active = [each for each in active if each[1] >= number]
            cells, marks = _read_cells(row)
            _mark_merged(number, cells, marks, active)
            yield SheetRow(number, cells, marks, number in layout.rows)
    except BROKEN as error:
        raise describe_damage(place, error, f"{place}:{number + 1}") from None


def describe_damage(place: Path, error: Exception, where: str = "") -> Refusal:
    """Say that a workbook is damaged, as far as that can be told in words."""
    from defusedxml import DefusedXmlException

    if isinstance(error, zipfile.BadZipFile | zlib.error | EOFError | OSError):
        why = f"it cannot be unpacked ({error})"
    elif isinstance(error, DefusedXmlException):
        why = "it defines entities, which are not expanded"
    elif isinstance(error, SyntaxError):
        why = f"a part of it breaks off, or is no XML ({error})"
    else:
        why = "a part of it is missing or does not fit the others, such as a cell whose text or format is not there"
    return Refusal(
        f"{place} is no proper XLSX", (Fault("", f"{why}; open and save it in a spreadsheet program", where),)
    )


def _read_cells(row: Any) -> tuple[list[str], dict[int, Mark]]:
    cells: list[str] = []
    marks: dict[int, Mark] = {}
    for place, cell in enumerate(row):
        text, mark = _show(cell)
        cells.append(text)
        if mark is not None:
            marks[place] = mark
    return cells, marks


def _mark_merged(
    number: int, cells: list[str], marks: dict[int, Mark], merged: list[tuple[int, int, int, int, str]]
) -> None:
    for top, bottom, left, right, where in merged:
        for column in range(left, min(right, len(cells) or right, left + 200) + 1):
            if bottom > top or (right > left and (number, column) != (top, left)):
                marks[column - 1] = Mark("wrong", f"is merged ({where}): write the value into each cell of its own")


def _show(cell: Any) -> tuple[str, Mark | None]:
    value, kind = cell.value, cell.data_type
    if value is None:
        return "", None
    if kind == "f":
        # An array formula is an object of its own, whose text is the formula.
        text = str(getattr(value, "text", value) or "=")
        return text, Mark("formula", "a formula; its own text is taken, and not what it comes to")
    if kind == "e":
        return str(value), Mark("wrong", f"is an error of the spreadsheet ({value})")
    if isinstance(value, bool):
        return "true" if value else "false", Mark("wrong", "is a truth value of the spreadsheet, not a text")
    if isinstance(value, datetime | date):
        return _show_day(value, cell.number_format)
    if isinstance(value, time | timedelta):
        return str(value), Mark("wrong", "is a time of day or a duration")
    if isinstance(value, int | float):
        return show_number(value, cell.number_format)
    return str(value), None


def _show_day(value: date, form: str) -> tuple[str, Mark | None]:
    if not _shows_whole_day(form):
        words = f"is kept as a day, and its format {form!r} shows a part of it only: write the whole day"
        return value.isoformat(), Mark("wrong", words)
    day = value
    if isinstance(value, datetime):
        day = value.date()
        if value.time() != time():
            return day.isoformat(), Mark("moment", f"the time of day {value:%H:%M} left out")
    return day.isoformat(), Mark("day", "is a day of the spreadsheet, not a text; format the column as text")


def _shows_whole_day(form: str) -> bool:
    """Whether a format shows day, month and year; `e` and `b` are years of other calendars."""
    shown = set(_NOT_SHOWN.sub("", form).lower())
    return form in _PLAIN_FORMATS or ({"d", "m"} <= shown and bool(shown & {"y", "e", "b"}))


def show_number(value: float, form: str) -> tuple[str, Mark | None]:
    """Write a number as its format shows it, with what that does to it."""
    if not -_LARGEST_NUMBER < value < _LARGEST_NUMBER:
        return repr(value), Mark("wrong", "has more digits than a spreadsheet keeps: write it as text")
    plain = str(int(value)) if value == int(value) else repr(value)
    if form in _PLAIN_FORMATS:
        if "." in plain:
            return plain, Mark("decimal", "is a fraction, of which a zero at the end may be lost: write it as text")
        return plain, Mark("number", "a number and not a text; zeros at its beginning, if it had any, are lost")
    shown = _show_by(value, plain, form)
    if shown is None:
        wrong = "is a percentage" if "%" in form else f"is a number that its format {form!r} shows in another way"
        return plain, Mark("wrong", f"{wrong}: write what is meant as text")
    return shown, Mark("number", f"the number {plain}, read as its format shows it")


def _show_by(value: float, plain: str, form: str) -> str | None:
    """Return what a format shows, for those formats that only add to the digits."""
    if _GROUPED.fullmatch(form) and "." not in plain:
        return plain
    if found := _DECIMALS.fullmatch(form):
        shown = f"{value:.{len(found.group(1))}f}"
        return shown if float(shown) == value else None
    if "." in plain or value < 0:
        return None
    if _ZEROS.fullmatch(form):
        return plain.zfill(len(form))
    if found := _WITH_WORDS.fullmatch(form):
        quoted, escaped, zeros = found.groups()
        words = quoted if quoted is not None else escaped.replace("\\", "")
        # Letters that are not quoted mean days and the like, except where they are escaped.
        bare = quoted is None and re.search(r"(?<!\\)[A-Za-z]", escaped)
        return None if bare else words + plain.zfill(len(zeros))
    return None
