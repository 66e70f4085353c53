"""What the tests of the documentation share: the pages, what makes parts of them, and a served catalogue."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import DatabaseServer

CHECKOUT = Path(__file__).resolve().parents[2]
# The scripts beside the pages, which are no package.
sys.path.append(str(CHECKOUT / "docs"))


@pytest.fixture(scope="session")
def checkout() -> Path:
    return CHECKOUT


@pytest.fixture(scope="session")
def generate() -> Any:
    """The script docs/generate.py."""
    return importlib.import_module("generate")


@pytest.fixture(scope="session")
def running() -> Any:
    """What runs the examples of the pages, docs/running.py."""
    return importlib.import_module("running")


@pytest.fixture(scope="session")
def pages() -> dict[str, str]:
    """Every page by its path from the checkout."""
    files = [CHECKOUT / "README.md", CHECKOUT / "SECURITY.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
    return {file.relative_to(CHECKOUT).as_posix(): file.read_text("utf-8") for file in files}


@pytest.fixture(scope="session")
def reading(running: Any) -> Iterator[dict[str, str]]:
    """The environment of a shell whose `cab` asks a server over the packaged catalogue."""
    with running.reading() as environment:
        yield environment


@pytest.fixture(scope="session")
def writing(running: Any, database_server: DatabaseServer, migrated_template: str) -> Iterator[dict[str, str]]:
    """The environment of a shell whose `cab` works on a fresh registry."""
    with running.office(database_server.url(database_server.create(migrated_template, kept=True))) as environment:
        yield environment


@pytest.fixture(scope="session")
def blocks(pages: dict[str, str]) -> dict[str, list[tuple[str, str]]]:
    """The fenced blocks of each page: language and text."""
    fence = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return {name: [(found[1], found[2]) for found in fence.finditer(text)] for name, text in pages.items()}
