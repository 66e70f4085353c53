"""Tables and pairs, readable without colour and without a frame."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

_ORIGIN: Final = ("citation", "source", "confidence")
"""Where a fact comes from is told after the fact."""


def print_table(
    console: Console, columns: Sequence[str], rows: Iterable[Sequence[Any]], whole: Sequence[str] = ()
) -> None:
    """Print rows under headings; what stands in a column that is kept whole can be copied."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in whole)
    for row in rows:
        table.add_row(*(Text(in_words(value)) for value in row))
    console.print(table)


def print_pairs(console: Console, pairs: Mapping[str, Any]) -> None:
    """Print names with their values, one a line."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs.items():
        grid.add_row(Text(name, style="bold"), Text(in_words(value)))
    console.print(grid)


def in_words(value: Any) -> str:
    """Write a plain value as a person would."""
    if value is None or value in ([], {}, ""):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        inner = [in_words(each) for each in value]
        return "\n".join(inner) if any(isinstance(each, dict) for each in value) else ", ".join(inner)
    if isinstance(value, dict):
        ordered = sorted(value, key=_ORIGIN.__contains__)
        return "; ".join(f"{key}: {in_words(value[key])}" for key in ordered)
    return str(value)
