"""What the tests of the documentation share: the pages, what makes parts of them, and a served catalogue."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def checkout() -> Path:
    return CHECKOUT


@pytest.fixture(scope="session")
def generate() -> Any:
    """The script docs/generate.py."""
    spec = importlib.util.spec_from_file_location("docs_generate", CHECKOUT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def pages() -> dict[str, str]:
    """Every page by its path from the checkout."""
    files = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
    return {file.relative_to(CHECKOUT).as_posix(): file.read_text("utf-8") for file in files}


@pytest.fixture(scope="session")
def served(generate: Any) -> Iterator[dict[str, str]]:
    """The environment of a shell whose `cab` asks a server over the packaged catalogue."""
    with generate.served() as environment:
        yield environment


@pytest.fixture(scope="session")
def blocks(pages: dict[str, str]) -> dict[str, list[tuple[str, str]]]:
    """The fenced blocks of each page: language and text."""
    fence = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return {name: [(found[1], found[2]) for found in fence.finditer(text)] for name, text in pages.items()}
