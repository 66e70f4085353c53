"""An answer in a terminal: readable without colour, and without letters that the terminal does not have."""

import io
from typing import Any

import pytest
from rich.console import Console

from cab_cli.answers import NEAREST, print_answer
from cab_cli.tables import in_words
from cab_registry.services.cases import Case, ScratchRegisters, ask_library

PARTS = ("NOT COVERED", "Near misses", "Alternatives", "presented on 2020-04-01")


def shown(answer: dict[str, Any], **more: Any) -> str:
    console = Console(file=io.StringIO(), width=100, markup=False, highlight=False, **more)
    print_answer(console, answer)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def answer(packaged_law: ScratchRegisters, question: dict[str, Any]) -> dict[str, Any]:
    question["subject"]["activity"] = "pre_approval"
    case = Case("x-1", "", (), question, {}, "", "")
    return ask_library(case, packaged_law.of_case(case))


def test_colour_says_nothing_of_its_own(answer: dict[str, Any]) -> None:
    plain = shown(answer)
    coloured = shown(answer, force_terminal=True, color_system="truecolor", legacy_windows=False)
    assert "\x1b[" in coloured
    assert "\x1b" not in plain
    assert all(part in plain for part in PARTS)


def test_no_color_is_heeded(answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in shown(answer, force_terminal=True, color_system="truecolor")


def test_marks_have_plain_letters_where_there_are_no_others(
    packaged_law: ScratchRegisters, question: dict[str, Any]
) -> None:
    case = Case("x-1", "", (), question, {}, "", "")
    file = io.TextIOWrapper(io.BytesIO(), "ascii", errors="strict")
    print_answer(Console(file=file, width=100), ask_library(case, packaged_law.of_case(case)))
    file.seek(0)
    assert "+  pass" in file.read()


def test_texts_of_records_are_no_markup(answer: dict[str, Any]) -> None:
    answer["headline"] = "see [bold]Art. 5[/bold] [link]"
    assert "see [bold]Art. 5[/bold] [link]" in shown(answer)


def test_of_many_near_routes_the_nearest_are_shown(answer: dict[str, Any]) -> None:
    answer["near"] = [{**answer["near"][0], "id": f"x-{number}"} for number in range(NEAREST + 2)]
    text = shown(answer)
    assert f"x-{NEAREST - 1}," in text
    assert f"x-{NEAREST}," not in text
    assert "and 2 more, which --json lists" in text


def test_every_part_of_an_answer_is_shown(answer: dict[str, Any]) -> None:
    answer |= {
        "conditions": [{"key": "k", "text": "File it.", "citation": "Art. 9"}],
        "missing": ["result.findings"],
        "assumptions": ["Performed when issued."],
        "candidates": ["x-one", "x-two"],
        "positions": [
            {"record": "p", "by": "us-fda", "says": "not_accepted", "binds_in": ["US"], "binding": False,
             "interval": [None, None]}
        ],
        "holds": {"since": "2020-03-10", "until": None, "next_change": "2021-01-01"},
        "other_routes": [{"id": "r", "title": "Other", "agreement": None, "verdict": "not_accepted",
                          "first_failing": "recognition"}],
    }  # fmt: skip
    text = shown(answer)
    for part in (
        *("File it. (Art. 9)", "result.findings", "Performed when issued.", "x-two", "us-fda says not accepted"),
        *("does not bind here (binds in US)", "from 2020-03-10 with no end known", "next change: 2021-01-01"),
        "Other [r]: not accepted, first failing: recognition",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "-"),
        ([], "-"),
        ({}, "-"),
        (False, "no"),
        (0, "0"),
        (["a", "b"], "a, b"),
        ({"source": "s", "id": "x"}, "id: x; source: s"),
        ([{"id": "x"}, {"id": "y"}], "id: x\nid: y"),
    ],
)
def test_plain_values_in_words(value: Any, words: str) -> None:
    assert in_words(value) == words


def test_that_an_answer_was_cut_short_stands_beside_the_verdict(answer: dict[str, Any]) -> None:
    answer["asked"]["notes"] = ["this question was cut short"]
    told = shown(answer)
    assert told.count("was cut short") == 1
    assert told.index("NOT COVERED") < told.index("Note: this question was cut short.") < told.index("Near misses")
