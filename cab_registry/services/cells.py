"""Tables as CSV, written so that no program takes a cell for a formula. Light clients write with it too."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, TextIO

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""With one of these a cell begins that a spreadsheet would calculate."""

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")


def escape(value: Any) -> str:
    """Write a value as a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    # One more apostrophe before those that stand there already, so that taking one away gives the text back.
    return f"'{text}" if _FORMULA.match(text) else text


def unescape(cell: str) -> str:
    """Return the text of a cell that was written so."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def write_csv(headings: Sequence[str], rows: Iterable[Sequence[Any]], file: TextIO) -> None:
    """Write a table as CSV."""
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([escape(value) for value in row])
