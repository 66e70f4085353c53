"""`cab cases run`: what it prints and how it ends."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cab_cli.faces import asking_by_command
from cab_cli.main import app
from cab_registry.domain.errors import Defect
from cab_registry.services.cases import Case, ScratchRegisters, read_cases
from tests.case_files import shared_files

Write = Callable[..., str]

GOOD = """
- id: small-1
  title: An FDA inspection used in Germany
  given: []
  ask: &ask
    destination: DE
    presented_on: 2020-04-01
    result: {kind: gmp_inspection, issuer: {id: us-fda}, issuer_economy: "US", performed_in: "US",
             performed_on: {from: 2020-03-02, to: 2020-03-06}, issued_on: 2020-03-10, findings: NAI}
    subject: {sector: pharma_gmp_human, requirement: eu-gmp-human, product_class: human_finished,
              activity: surveillance}
  expect: {verdict: accepted, agreement: us-eu-mra}
  because: Article 8
"""
BAD = """
- id: small-2
  title: A wish
  ask: *ask
  expect: {verdict: not_accepted, agreement: us-eu-mra}
"""
BAD_ALONE = GOOD.replace("verdict: accepted", "verdict: not_accepted")
BROKEN = """
- id: small-3
  title: No question
  ask: {destination: DE, presented_on: 2020-04-01, result: {kind: gmp_inspection}}
  expect: {verdict: accepted}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(text: str, name: str = "small.yaml") -> str:
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write_file


def test_the_last_line_counts(write: Write) -> None:
    done = CliRunner().invoke(app, ["cases", "run", write(GOOD)])
    assert (done.exit_code, done.stdout) == (0, "1 passed, 0 failed\n")


def test_a_miss_is_shown_with_every_check(write: Write) -> None:
    done = CliRunner().invoke(app, ["cases", "run", write(GOOD + BAD)])
    assert done.exit_code == 1
    assert done.stdout.endswith("\n1 passed, 1 failed\n")
    assert "FAILED small-2" in done.stdout
    assert "verdict: expected not_accepted, got accepted" in done.stdout
    assert "pass           recognition" in done.stdout


def test_a_case_that_cannot_be_asked_fails_alone(write: Write) -> None:
    done = CliRunner().invoke(app, ["cases", "run", write(GOOD + BROKEN)])
    assert done.exit_code == 1
    assert "/result/issued_on" in done.stdout
    assert "/result/issuer" in done.stdout
    assert done.stdout.endswith("1 passed, 1 failed\n")


def test_json_is_one_document(write: Write) -> None:
    done = CliRunner().invoke(app, ["cases", "run", write(GOOD + BAD), "--json"])
    document = json.loads(done.stdout)
    assert (document["passed"], document["failed"], document["via"]) == (1, 1, "library")
    assert [case["passed"] for case in document["cases"]] == [True, False]
    assert document["cases"][1]["misses"] == [{"key": "verdict", "expected": "not_accepted", "got": "accepted"}]


def test_only_named_cases_run(write: Write) -> None:
    done = CliRunner().invoke(app, ["cases", "run", write(GOOD + BAD), "--only", "small-1"])
    assert (done.exit_code, done.stdout) == (0, "1 passed, 0 failed\n")


def test_every_fault_in_every_file_is_listed(write: Write) -> None:
    files = [write("- id: a\n  wrong: 1\n", "first.yaml"), write("just: words\n", "second.yaml")]
    done = CliRunner().invoke(app, ["cases", "run", *files, "--only", "nobody"])
    assert done.exit_code == 2
    assert done.stdout == ""
    for words in ("first.yaml:1 /wrong", "/ask", "/expect", "second.yaml:1", "'nobody'"):
        assert words in done.stderr


@pytest.mark.parametrize("face", ["http", "cli"])
def test_the_faces_agree(write: Write, face: str) -> None:
    cases = write(GOOD + BAD + BROKEN)
    by_library = CliRunner().invoke(app, ["cases", "run", cases])
    by_face = CliRunner().invoke(app, ["cases", "run", cases, "--via", face])
    assert by_face.stdout.splitlines()[-1] == by_library.stdout.splitlines()[-1] == "1 passed, 2 failed"
    answers = [json.loads(CliRunner().invoke(app, ["cases", "run", write(BAD_ALONE), "--json", "--via", each]).stdout)
               for each in ("library", face)]  # fmt: skip
    library, other = (each["cases"][0]["answer"] for each in answers)
    for differing in ("position", "recorded", "log"):
        library["asked"].pop(differing)
        other["asked"].pop(differing)
    assert other == library


def test_an_exit_code_that_belies_the_verdict_is_a_miss(
    packaged_law: ScratchRegisters, question: dict[str, Any]
) -> None:
    def lying(arguments: list[str]) -> int:
        assert arguments[0] == "check"
        typer.echo(json.dumps({"verdict": "not_accepted"}))
        return 0

    case = Case("x-1", "", (), question, {"verdict": "not_accepted"}, "", "")
    with asking_by_command(lying) as ask, pytest.raises(Defect, match="ended with 0; not_accepted is 3"):
        ask(case, packaged_law.of_case(case))


@pytest.mark.parametrize("path", shared_files(), ids=lambda path: path.stem)
def test_shared_cases_pass_by_the_command(path: Path) -> None:
    """With no shared suite beside the project there is nothing to run."""
    done = CliRunner().invoke(app, ["cases", "run", str(path), "--via", "cli"])
    assert (done.exit_code, done.stdout) == (0, f"{len(read_cases(path))} passed, 0 failed\n")
