"""`cab cases`: acceptance cases put to the engine, and what misses shown with every check."""

import enum
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from cab_cli.console import print_json, say, write
from cab_cli.exits import Exit
from cab_registry.domain.errors import Fault, Refusal

if TYPE_CHECKING:
    from cab_registry.services.cases import Ask, Case, Miss, ScratchRegisters

cases_app = typer.Typer(help="Acceptance cases: questions with the verdict that the law gives.", no_args_is_help=True)


class Face(enum.StrEnum):
    """By which face a case's question is put."""

    LIBRARY = "library"
    HTTP = "http"
    CLI = "cli"


class Outcome(msgspec.Struct, frozen=True):
    """What came of one case: misses, or the exception that it ended in."""

    case: Any
    misses: tuple[Any, ...]
    answer: dict[str, Any] | None
    error: str | None

    @property
    def passed(self) -> bool:
        """Whether the answer is what the law gives."""
        return not self.misses and self.error is None


@cases_app.command("run")
def run_cases(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Files of cases (YAML).", exists=True, dir_okay=False)],
    *,
    via: Annotated[Face, typer.Option(help="By which face the questions are put.")] = Face.LIBRARY,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")] = False,
    only: Annotated[list[str] | None, typer.Option(metavar="ID", help="Run this case only; repeatable.")] = None,
) -> None:
    """Run acceptance cases against the packaged law and what each case gives; no database is needed.

    By http and cli, a server is started in this process for the time of the run. Each miss is shown with what was
    expected, what came, and every check. Exit code 0 where none failed, else 1.

    Examples:
      cab cases run tests/cases/pharma.yaml
      cab cases run tests/cases/telecom.yaml --via http
      cab cases run tests/cases/*.yaml --only gmp-us-eu-001 --json
    """
    from cab_registry.services.cases import catalogue_scratch

    cases = _chosen(files, only or [])
    with _asking(via, context) as ask:
        outcomes = list(_outcomes(cases, catalogue_scratch(), ask))
    failed = sum(not outcome.passed for outcome in outcomes)
    closing = f"{len(outcomes) - failed} passed, {failed} failed"
    if as_json:
        document = {"passed": len(outcomes) - failed, "failed": failed, "via": via.value}
        print_json({**document, "cases": [_plain(outcome) for outcome in outcomes]})
        say(closing)
    else:
        for outcome in outcomes:
            if not outcome.passed:
                write("\n".join(_lines(outcome)))
        write(closing)
    raise typer.Exit(Exit.FAILURE if failed else Exit.DONE)


@contextmanager
def _asking(via: Face, context: typer.Context) -> "Iterator[Ask]":
    from cab_cli.faces import asking_by_command, asking_over_http
    from cab_registry.services.cases import ask_library

    match via:
        case Face.LIBRARY:
            yield ask_library
        case Face.HTTP:
            with asking_over_http() as ask:
                yield ask
        case Face.CLI:
            root = context.find_root().command

            def command(arguments: list[str]) -> int:
                return int(root.main(arguments, prog_name="cab", standalone_mode=False) or 0)

            with asking_by_command(command) as ask:
                yield ask


def _chosen(files: Sequence[Path], only: Sequence[str]) -> "list[Case]":
    from cab_registry.services.cases import read_cases

    cases: list[Case] = []
    faults: list[Fault] = []
    for file in files:
        try:
            cases.extend(read_cases(file))
        except (OSError, UnicodeDecodeError) as error:
            faults.append(Fault("", str(error), file.name))
        except Refusal as refusal:
            faults.extend(refusal.faults)
    counted = Counter(case.id for case in cases)
    faults.extend(Fault("/id", f"{key!r} is the id of {count} cases") for key, count in counted.items() if count > 1)
    faults.extend(Fault("--only", f"no case has the id {key!r}") for key in only if key not in counted)
    if faults:
        raise Refusal("the cases cannot be run", tuple(faults))
    return [case for case in cases if not only or case.id in only]


def _outcomes(cases: "Sequence[Case]", registers: "ScratchRegisters", ask: "Ask") -> Iterator[Outcome]:
    from cab_registry.services.cases import run_case

    for case in cases:
        try:
            result = run_case(case, registers, ask)
        except Exception as error:  # noqa: BLE001 - a case that breaks the engine has failed, and the others still run
            details = "".join(f"\n    {fault}" for fault in getattr(error, "faults", ()))
            yield Outcome(case, (), None, f"{type(error).__name__}: {error}{details}")
        else:
            yield Outcome(case, result.misses, result.answer, None)


def _lines(outcome: Outcome) -> Iterator[str]:
    case: Case = outcome.case
    yield f"FAILED {case.id} ({case.place}): {case.title}"
    misses: tuple[Miss, ...] = outcome.misses
    for miss in misses:
        yield f"  {miss.key}: expected {_word(miss.expected)}, got {_word(miss.got)}"
    if case.because:
        yield f"  because: {' '.join(case.because.split())}"
    if outcome.error is not None:
        yield f"  {outcome.error}"
    if outcome.answer is not None:
        yield f"  answer: {outcome.answer['headline']}"
        for check in outcome.answer["checks"]:
            yield f"    {check['outcome']:<14} {check['check']:<14} {check['text']}"
        for near in outcome.answer["near"]:
            yield f"    {'near':<14} {near['first_failing']:<14} {near['id']}: {near['text']}"
        for missing in outcome.answer["missing"]:
            yield f"    missing: {missing}"
    yield ""


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_word, value)) or "none"
    return "none" if value is None else str(value)


def _plain(outcome: Outcome) -> dict[str, Any]:
    case: Case = outcome.case
    plain: dict[str, Any] = {"id": case.id, "title": case.title, "place": case.place, "passed": outcome.passed}
    plain["expected"] = case.expect
    plain["misses"] = [{"key": miss.key, "expected": miss.expected, "got": miss.got} for miss in outcome.misses]
    plain["error"] = outcome.error
    plain["verdict"] = outcome.answer["verdict"] if outcome.answer else None
    if not outcome.passed:
        plain["answer"] = outcome.answer
    return plain
