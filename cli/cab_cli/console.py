"""What is written where: data to standard output, words to standard error, colour only on a terminal.

Whatever is printed goes through here. Texts come from records, servers and files: nothing in them is taken as markup,
and no character of theirs reaches the terminal as a command.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import typer
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook
from rich.segment import Segment

from cab_registry.domain.controls import escape_controls, show_controls

PLAIN_WIDTH = 120


class _Shown:
    """What a renderable renders to, with its control characters made visible; colours are the console's own."""

    def __init__(self, inner: ConsoleRenderable) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for segment in console.render(self._inner, options):
            yield segment if segment.control else Segment(show_controls(segment.text), segment.style)


class _ShowControls(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Shown(each) for each in renderables]


def data_console() -> Console:
    """The console for answers and tables."""
    width = None if sys.stdout.isatty() else PLAIN_WIDTH
    return _guard(Console(file=sys.stdout, width=width, markup=False, highlight=False, emoji=False))


def words_console() -> Console:
    """The console for words to the reader that are no data."""
    return _guard(Console(file=sys.stderr, markup=False, highlight=False, emoji=False))


def _guard(console: Console) -> Console:
    console.push_render_hook(_ShowControls())
    return console


def say(words: str) -> None:
    """Write words for the reader, never data."""
    typer.echo(show_controls(words), err=True)


def write(text: str, *, nl: bool = True) -> None:
    """Write a text as data."""
    typer.echo(show_controls(text), nl=nl)


def write_json(text: str) -> None:
    """Write a JSON document as it was sent."""
    typer.echo(escape_controls(text), nl=not text.endswith("\n"))


def print_json(document: Any) -> None:
    """Write one JSON document."""
    write_json(json.dumps(document, ensure_ascii=False, indent=2))
