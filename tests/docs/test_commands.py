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
from tests.docs.conftest import CHECKOUT

VERDICTS = {0, 3, 4, 5, 8}
RUN = ("cab ", "curl ")
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (CHECKOUT / "docs").glob("*.md"))]


def allowed(command: str) -> set[int]:
    return VERDICTS if command.startswith("cab check") and "|" not in command else {0}


@pytest.mark.parametrize("page", PAGES)
def test_what_is_not_to_be_run_is_text(page: str, running: Any, blocks: dict[str, list[tuple[str, str]]]) -> None:
    for language, text in blocks[page]:
        assert language in {"sh", "console", "text", "yaml", "json", "python", "sql"}, language
        if language == "text":
            assert "\n$ " not in f"\n{text}", f"what is shown with a prompt is a console block:\n{text}"
    for command, _ in running.list_examples(blocks_text(blocks[page])):
        assert command.startswith(RUN), f"{page}: what is not run is `text`: {command}"


def blocks_text(found: list[tuple[str, str]]) -> str:
    return "\n".join(f"```{language}\n{text}```" for language, text in found)


@pytest.mark.timeout(240)
@pytest.mark.xdist_group("docs")
def test_every_example_runs_and_prints_what_is_shown(
    running: Any, pages: dict[str, str], reading: dict[str, str], request: pytest.FixtureRequest
) -> None:
    names = running.list_pages()
    assert set(names) | running.MADE == {name for name in pages if "/adr/" not in name}
    wrong: list[str] = []
    tried: set[str] = set()
    for name in names:
        writes = name in running.WRITING
        environment = request.getfixturevalue("writing") if writes else reading
        for command, printed in running.list_examples(pages[name]):
            absent = command.startswith("curl ") and shutil.which("curl") is None
            if absent or (not writes and printed is None and command in tried):
                continue
            tried.add(command)
            code, said = running.run_example(command, environment)
            if printed is None and (code not in allowed(command) or not said):
                wrong.append(f"{name}: {command}\nends with {code}:\n{said}")
            if command.startswith("curl") and (
                not re.search('"title"' if "reprot" in command else r'"(verdict|record|items)"', said)
            ):
                wrong.append(f"{name}: {command}\nis refused:\n{said}")
            if printed is not None and running.leave_out_varying(said) != running.leave_out_varying(printed):
                wrong.append(f"{name}: {command}\nprints now (run python docs/generate.py):\n{said}")
    assert not wrong, "\n\n".join(wrong)


def test_what_varies_is_not_compared_and_the_rest_is(running: Any) -> None:
    leave_out = running.leave_out_varying
    one = "on 2026-11-21T08:00:00.000000Z p-0123456789abcdef, position 7; engine 1.0.0  at http://127.0.0.1:8000"
    two = "on 2027-01-01T09:00:00.123456Z p-fedcba9876543210, position 7123; engine 1.2.0 at http://127.0.0.1:41234"
    assert leave_out(one).split() == leave_out(two).split()
    assert leave_out("accepted in DE on 2026-11-21") != leave_out("accepted in DE on 2026-11-22")


def test_a_page_shows_again_what_it_prints_now(running: Any, reading: dict[str, str]) -> None:
    page = "A\n\n```console\n$ cab --version\ncab 0\n$ echo b\nb\n```\n\n```text\n$ no\n```\n"
    again = running.show_again(page, reading)
    assert again != page
    assert "$ echo b\nb\n```" in again
    assert again.endswith("```text\n$ no\n```\n")
    assert running.show_again(again, reading) == again


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
