"""Tables as CSV, written so that no program takes a cell for a formula. Light clients write with it too."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import Any, Final, TextIO

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""With one of these a cell begins that a spreadsheet would calculate."""


def escape(value: Any) -> str:
    """Write a value as a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def write_csv(headings: Sequence[str], rows: Iterable[Sequence[Any]], file: TextIO) -> None:
    """Write a table as CSV."""
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([escape(value) for value in row])
