"""What is written where: data to standard output, words to standard error, colour only on a terminal."""

import json
import sys
from typing import Any

import typer
from rich.console import Console

PLAIN_WIDTH = 120


def data_console() -> Console:
    """The console for answers and tables. Texts come from records, so nothing in them is taken as markup."""
    width = None if sys.stdout.isatty() else PLAIN_WIDTH
    return Console(file=sys.stdout, width=width, markup=False, highlight=False, emoji=False)


def words_console() -> Console:
    """The console for words to the reader that are no data."""
    return Console(file=sys.stderr, markup=False, highlight=False, emoji=False)


def say(words: str) -> None:
    """Write words for the reader, never data."""
    typer.echo(words, err=True)


def print_json(document: Any) -> None:
    """Write one JSON document."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
