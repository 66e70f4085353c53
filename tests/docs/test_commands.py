"""What a reader is told to type does what the page says."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from cab_cli.dev import FIRST_QUESTION
from cab_registry.domain.errors import Fault
from cab_registry.register.catalogue import Entry, load_catalogue, read_folder
from cab_registry.register.checking import check_entries
from cab_registry.services.cases import ScratchRegisters, read_cases, run_case

PAGES = ("README.md", "docs/api.md", "docs/cases.md", "docs/expiries.md", "docs/impact.md", "docs/operator.md")
# They serve until they are ended, need a database, or are held by tests of their own.
NOT_HERE = ("make ", "source ", "cab db ", "cab serve", "cab catalogue load", "docker compose", "CAB_PASSWORD=")
ANSWERED = {"cab check": {0, 3, 4, 5, 8}}


def commands(text: str) -> list[str]:
    joined = text.replace("\\\n", "\x00")
    lines = [line.partition("  #")[0].strip().replace("\x00", "\\\n") for line in joined.splitlines()]
    return [line for line in lines if line]


@pytest.fixture(scope="session")
def tried() -> set[str]:
    """Commands that ran already: pages may repeat each other."""
    return set()


@pytest.mark.parametrize("page", PAGES)
def test_each_command_runs(
    page: str, generate: Any, blocks: dict[str, list[tuple[str, str]]], served: dict[str, str], tried: set[str]
) -> None:
    told = [command for language, text in blocks[page] if language == "sh" for command in commands(text)]
    assert told
    for command in told:
        absent = command.startswith("curl ") and shutil.which("curl") is None
        if command.startswith(NOT_HERE) or command in tried or absent:
            continue
        tried.add(command)
        # A scratch server keeps no log, so it takes a moment of knowledge as a day only, which is what pages use.
        ran = generate.run_in_shell(command, served)
        allowed = next((codes for start, codes in ANSWERED.items() if command.startswith(start)), {0})
        assert ran.returncode in allowed, f"{command}\n{ran.stdout}{ran.stderr}"
        assert ran.stdout, command
        if command.startswith("curl"):
            wanted = '"title"' if "reprot" in command else r'"(verdict|record|items)"'
            assert re.search(wanted, ran.stdout), command


def test_the_answers_in_the_readme_are_printed_now(
    generate: Any, pages: dict[str, str], served: dict[str, str]
) -> None:
    now = generate.fill_answers(pages["README.md"], served)
    assert now == pages["README.md"], "run python docs/generate.py"
    assert now.count("```console\n") == 2


@pytest.fixture
def example(tmp_path: Path, blocks: dict[str, list[tuple[str, str]]]) -> tuple[list[Entry], Path]:
    agreement, case = (text for language, text in blocks["README.md"] if language == "yaml")
    (tmp_path / "agreement").mkdir()
    (tmp_path / "agreement" / "agreement.yaml").write_text(agreement, "utf-8")
    (tmp_path / "case.yaml").write_text(case, "utf-8")
    entries, faults = read_folder(tmp_path / "agreement")
    nothing: list[Fault] = []
    assert faults == nothing
    return entries, tmp_path / "case.yaml"


def test_the_agreement_in_the_readme_loads_and_its_case_passes(example: tuple[list[Entry], Path]) -> None:
    entries, file = example
    assert {"agreement", "route"} <= {entry.document["type"] for entry in entries}
    together = [*load_catalogue(("law",)), *entries]
    assert [str(fault) for fault in check_entries(together) if fault.place.startswith("agreement.yaml")] == []
    registers = ScratchRegisters((entry.record, None) for entry in together)
    (case,) = read_cases(file)
    assert run_case(case, registers).misses == ()


def test_the_example_of_the_readme_is_the_question_of_the_first_start(checkout: Path) -> None:
    assert json.loads((checkout / "docs/examples/gmp.json").read_text("utf-8")) == FIRST_QUESTION
