"""Lines of a table that are no rows of it: too short, hidden, the headings once more, a sum, a note under the table."""

from collections.abc import Sequence
from typing import Final

from cab_cli.cleaning import clean
from cab_cli.spreadsheets import Line

_SUMS: Final = frozenset({
    "total", "totals", "grand total", "sub total", "subtotal", "sum", "count", "summe", "gesamt", "gesamtsumme",
    "insgesamt", "anzahl", "total general", "totale", "totaal", "razem", "suma", "somme", "合計", "总计", "합계",
})  # fmt: skip
_AFTER_SUMS: Final = " :.=,'0123456789"
_FEWEST_HEADINGS: Final = 3
_DELIMITERS: Final = ",;\t|"


def find_misfit(line: Line, headings: Sequence[str], mapped: int, name: int | None) -> tuple[str, str] | None:
    """Say why a line does not fit below the headings.

    Args:
        line: of the table.
        headings: cleaned.
        mapped: how many of the columns are read.
        name: the place of the cell that names a body, where it is one that the register does not hold.

    Returns:
        The value that shows it, and the reason; nothing where the line is a row.
    """
    if line.hidden:
        return "", "is hidden in the spreadsheet: show the row, or delete it"
    have, want = len(line.cells), len(headings)
    more = [cell for cell in line.cells[want:] if cell.strip()]
    if more:
        return more[0], (
            f"has {have} cells, and there are {want} headings: is a sign that stands between cells part of one? "
            "put that cell in quotation marks"
        )
    if line.loose and have < want:
        return "", f"has {have} cells, and there are {want} headings: which are missing?"
    if any(line.marks[place].kind == "wrong" for place in line.marks):
        return None
    return _find_stranger(line, headings, mapped, name)


def _find_stranger(line: Line, headings: Sequence[str], mapped: int, name: int | None) -> tuple[str, str] | None:
    said = [(place, cell) for place, cell in enumerate(line.cells) if cell.strip()]
    if len(said) > 1 and all(clean(cell).text.casefold() == headings[place].casefold() for place, cell in said):
        return "", "repeats the headings: delete the row"
    if len(said) == 1 and mapped >= _FEWEST_HEADINGS:
        return said[0][
            1
        ], "has one cell alone: is it a note, or a heading within the table? write the rest, or delete it"
    named = line.cells[name] if name is not None and name < len(line.cells) else ""
    if clean(named).text.casefold().rstrip(_AFTER_SUMS) in _SUMS:
        return named, "is the sum of a column, and names no body: delete the row"
    if line.loose and "\n" in named and _holds_a_row(named, len(headings)):
        return named, "has another row within one cell: is a quotation mark open, or one too many?"
    return None


def _holds_a_row(cell: str, want: int) -> bool:
    """Whether a name of several lines has as many signs that stand between cells as a row has."""
    return want >= _FEWEST_HEADINGS and any(cell.count(sign) >= want - 1 for sign in _DELIMITERS)
