"""Everything with a fixed name has its entry, and no entry names what is not there."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from cab_cli.exits import Exit
from cab_registry.api.operations import list_operations
from cab_registry.api.problem_kinds import KINDS
from cab_registry.app import create_scratch_app
from cab_registry.domain import codes
from cab_registry.domain.answer import Outcome
from cab_registry.domain.records import RECORD_TYPES
from cab_registry.jobs.registrar import list_jobs
from cab_registry.services.asking import QuestionReader
from cab_registry.services.metrics import Metrics
from cab_registry.settings import describe_settings

SECTIONS = {
    "Verdicts": get_args(codes.Verdict),
    "Outcomes of a check": get_args(Outcome),
    "Checks": get_args(codes.CheckCode),
    "Record types": tuple(RECORD_TYPES),
    "Result kinds": get_args(codes.ResultKind),
    "Clocks": get_args(codes.Clock),
    "Events of a right": get_args(codes.EventName),
    "States of an instrument": get_args(codes.InstrumentState),
    "States of operation": get_args(codes.OperationState),
    "Effects of a notice": get_args(codes.NoticeEffect),
    "Reasons of a loss": get_args(codes.LossReason),
    "Duties": get_args(codes.Duty),
    "Confidence": get_args(codes.Confidence),
    "Problem types": tuple(kind.type for kind in KINDS),
}
HINT = "run python docs/generate.py"


def section(page: str, heading: str) -> str:
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found is not None, f"there is no section {heading}"
    return found[1]


def entries(text: str) -> list[str]:
    """What the first column of a section's tables names."""
    return re.findall(r"^\| \[?`([^`]+)`", text, re.MULTILINE)


@pytest.mark.parametrize("heading", sorted(SECTIONS))
def test_each_code_has_one_entry_and_no_other_is_told(pages: dict[str, str], heading: str) -> None:
    assert sorted(entries(section(pages["docs/codes.md"], heading))) == sorted(SECTIONS[heading])


def test_the_conditions_that_the_engine_makes_are_told(pages: dict[str, str], checkout: Path) -> None:
    sources = "\n".join(file.read_text("utf-8") for file in (checkout / "cab_registry/engine").glob("*.py"))
    made = set(re.findall(r'Ground\("(\w+)"', sources)) | set(re.findall(r'"((?:show|finish)_takeover)"', sources))
    assert set(entries(section(pages["docs/codes.md"], "Conditions"))) == made


def test_each_exit_code_is_told(pages: dict[str, str]) -> None:
    told = re.findall(r"^\| (\d+) \| (\w+) \|", section(pages["docs/codes.md"], "Exit codes"), re.MULTILINE)
    assert told == [(str(each.value), each.name.lower()) for each in Exit]


def test_each_setting_is_told(pages: dict[str, str]) -> None:
    told = entries(section(pages["docs/operator.md"], "Settings"))
    assert told == [variable for variable, _, _ in describe_settings()]


def test_each_metric_is_told(pages: dict[str, str]) -> None:
    told = set(entries(section(pages["docs/operator.md"], "Metrics")))
    assert {name.removesuffix("_total") for name in told} == {each.name for each in Metrics().registry.collect()}


def test_each_parameter_of_the_question_is_told(pages: dict[str, str]) -> None:
    text = pages["docs/api.md"]
    missing = [name for name in QuestionReader().fields if f"`{re.sub('[1-9]', '0', name)}`" not in text]
    assert missing == []


def test_each_operation_is_told_and_no_other(pages: dict[str, str]) -> None:
    told = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^` ]*)`", pages["docs/api.md"]))
    assert told == {f"{each.method.upper()} {each.path}" for each in list_operations()}


def test_each_address_that_is_served_is_told(pages: dict[str, str]) -> None:
    def never() -> Any:
        raise AssertionError("nothing is asked here")

    served = {re.sub(r":[a-z]+}", "}", route.path) for route in create_scratch_app(never, never).routes}
    assert sorted(path for path in served if f"{path}`" not in pages["docs/api.md"]) == []


def test_each_command_is_told(generate: Any, pages: dict[str, str]) -> None:
    told = re.findall(r"^## (cab.*)$", pages["docs/cli.md"], re.MULTILINE)
    assert told == [name for name, _ in generate.walk_commands()]


def test_each_command_that_a_page_names_is_there(generate: Any, pages: dict[str, str]) -> None:
    names = {name for name, _ in generate.walk_commands()}
    groups = {name.rpartition(" ")[0] for name in names}
    dead = []
    for page, text in pages.items():
        for named in re.findall(r"(?:`|^|\$ )(cab [a-z-]+(?: [a-z][a-z-]*)?)", text, re.MULTILINE):
            wanted = named if named.rpartition(" ")[0] in groups else named.rpartition(" ")[0]
            if wanted not in names:
                dead.append(f"{page}: {named}")
    assert dead == []


def test_each_job_is_told_to_operators(pages: dict[str, str]) -> None:
    assert [job.name for job in list_jobs() if f"`{job.name}`" not in pages["docs/operator.md"]] == []


def test_each_decision_is_listed(pages: dict[str, str]) -> None:
    listed = re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", pages["docs/adr/README.md"])
    assert [f"docs/adr/{name}" for name in listed] == sorted(name for name in pages if "docs/adr/0" in name)
    for name in listed:
        page = pages[f"docs/adr/{name}"]
        assert re.findall(r"^## (.*)$", page, re.MULTILINE) == ["Context", "Decision", "Consequences", "Alternatives"]


def test_what_is_made_is_as_the_program_says_now(generate: Any) -> None:
    for path, text in generate.pages().items():
        assert path.read_text("utf-8") == text, f"{path.name} is behind: {HINT}"


def test_the_sentences_on_exit_codes_agree_with_the_readme(pages: dict[str, str]) -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| .* \| (\d) \|$", pages["README.md"], re.MULTILINE))
    assert told == {
        verdict: str((Exit.DONE if verdict == "accepted" else Exit[verdict.upper()]).value)
        for verdict in get_args(codes.Verdict)
    }
