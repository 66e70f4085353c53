"""Files that are made to harm end in exit code 2 with the place of the fault, and in no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cab_cli.exits import Exit
from cab_cli.main import app
from cab_cli.texts import NotJson, parse_json

runner = CliRunner()
DEEP = "[" * 200_000
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
)


@pytest.mark.parametrize("command", ["cases run", "submit --dry-run", "catalogue check"])
@pytest.mark.parametrize("text", [DEEP, LAUGHS])
def test_yaml_that_would_take_all_memory_or_the_stack_is_refused(tmp_path: Path, command: str, text: str) -> None:
    (tmp_path / "evil.yaml").write_text(text)
    place = tmp_path if command == "catalogue check" else tmp_path / "evil.yaml"
    ran = runner.invoke(app, [*command.split(), str(place)])
    assert ran.exit_code == (Exit.FAILURE if command == "catalogue check" else Exit.REFUSED), ran.exception
    assert "evil.yaml:1" in ran.output


@pytest.mark.parametrize(
    "text",
    [
        "- 3", "- {id: 3, ask: {result: {}}, expect: {verdict: x}}", "- {id: a, ask: x, expect: {verdict: x}}",
        "- {id: a, ask: {result: x}, expect: {verdict: x}}", "- {id: a, ask: {result: {}}, expect: [verdict]}",
        "- {id: a, ask: {result: {}}, expect: {verdict: x}, given: 3}", "- {id: [a], ask: {result: {}}, expect: {}}",
        "- {id: a, ask: {result: {}}, expect: {verdict: x}, given: [x]}", "{a: b}", "a: !!python/none x", "\x00",
    ],
)  # fmt: skip
def test_what_is_no_case_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "evil.yaml").write_text(text)
    ran = runner.invoke(app, ["cases", "run", str(tmp_path / "evil.yaml")])
    assert ran.exit_code == Exit.REFUSED, ran.exception
    assert "evil.yaml:1" in ran.stderr


@pytest.mark.parametrize("text", [DEEP, '{"a": NaN}', '{"a": -Infinity}', f'{{"a": {"9" * 5000}}}', "{", "\ufeff{"])
def test_json_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(NotJson):
        parse_json(text)
    (tmp_path / "evil.json").write_text(text)
    ran = runner.invoke(app, ["check", str(tmp_path / "evil.json"), "--server", "http://127.0.0.1:1"])
    assert ran.exit_code == Exit.REFUSED, ran.exception
    assert "evil.json" in ran.stderr
