# ruff: noqa: INP001 - a script beside the pages that it writes
"""Write the parts of the pages that are made from the program: `python docs/generate.py`; a test holds them current.

A part stands between `<!-- made: NAME -->` and `<!-- end -->`; the page on the command line is made as a whole. What
stands in a `console` block below its command is what the command prints; running.py says on which server.
"""

from __future__ import annotations

import enum
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import running
import typer.main
from msgspec import inspect
from prometheus_client import CollectorRegistry

from cab_cli.exits import Exit
from cab_cli.main import app
from cab_registry.api.operations import list_operations
from cab_registry.api.problem_kinds import KINDS
from cab_registry.app import create_scratch_app
from cab_registry.domain.records import RECORD_TYPES
from cab_registry.jobs.metrics import JobMetrics
from cab_registry.jobs.registrar import Job, list_jobs
from cab_registry.services.asking import QuestionReader
from cab_registry.services.flat import list_fields
from cab_registry.services.metrics import Metrics
from cab_registry.services.watching.events import EVENT_TYPES, Told
from cab_registry.services.watching.watch_desk import WatchLimits
from cab_registry.settings import describe_settings
from cab_registry.storage.cluster import Cluster, find_binaries
from cab_registry.storage.migration import upgrade

FOLDER: Final = Path(__file__).resolve().parent
CHECKOUT: Final = FOLDER.parent
CLI_PAGE: Final = FOLDER / "cli.md"
_KINDS: Final = {int: "NUMBER", float: "NUMBER", Path: "FILE", list[Path]: "FILES"}
_PART: Final = re.compile(r"(<!-- made: (?P<name>[a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_CLI_INTRODUCTION: Final = """\
# The command line

Made from the command itself by `python docs/generate.py`; do not edit. `cab COMMAND --help` says the same.

Data go to standard output, words to standard error, so that a result can be piped. `--json` prints the document that
the server sent. The number with which a command ends says what came of it: [exit codes](codes.md#exit-codes).
"""


def _table(headings: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(headings) + " |", "|" + " --- |" * len(headings)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _settings() -> str:
    rows = (
        (f"`{variable}`", meaning, "unset" if default is None else f"`{default}`")
        for variable, meaning, default in describe_settings()
    )
    return _table(("variable", "meaning", "default"), rows)


def _metrics() -> str:
    return _families(Metrics().registry)


def _families(registry: CollectorRegistry) -> str:
    found = sorted(registry.collect(), key=lambda family: family.name)
    rows = (
        (f"`{family.name}{'_total' if family.type == 'counter' else ''}`", family.type, family.documentation)
        for family in found
    )
    return _table(("name", "kind", "what it tells"), rows)


def _problems() -> str:
    rows = ((f"`{kind.type}`", str(kind.status), kind.title, kind.advice) for kind in KINDS)
    return _table(("type", "status", "title", "what to do"), rows)


def _exits() -> str:
    return _table(("code", "name", "meaning"), ((str(each.value), each.name.lower(), each.meaning) for each in Exit))


def _records() -> str:
    rows = (
        (f"[`{name}`](schemas.md#{name})", (kind.__doc__ or "").partition("\n")[0])
        for name, kind in RECORD_TYPES.items()
    )
    return _table(("type", "what it holds"), rows)


def _endpoints() -> str:
    rows = ((f"`{each.method.upper()} {each.path}`", each.summary) for each in list_operations())
    return _table(("operation", "what it gives"), rows)


def _pages() -> str:
    def never() -> Any:
        raise AssertionError("nothing is asked here")

    described = {each.path for each in list_operations()}
    paths = {re.sub(r":[a-z]+}", "}", route.path) for route in create_scratch_app(never, never).routes}
    return _table(("address",), ((f"`{path}`",) for path in sorted(paths - described)))


def _parameters() -> str:
    fields = QuestionReader().fields.values()
    chosen = (field for field in fields if not re.search(r"\.[1-9]\.", field.name))
    rows = ((f"`{field.name}`", "yes" if field.repeated else "", field.description) for field in chosen)
    return _table(("parameter", "repeatable", "meaning"), rows)


def _limits() -> str:
    fields = list_fields(WatchLimits).values()
    given = WatchLimits()
    return _table(("limit", "most"), ((field.description, str(getattr(given, field.name))) for field in fields))


def _jobs() -> str:
    rows = ((f"`{job.name}`", f"{job.hour:02}:{job.minute:02}", job.says, _made_up(job)) for job in list_jobs())
    return _table(("job", "from (UTC)", "what it does", "days that were missed"), rows)


def _made_up(job: Job) -> str:
    return "each is made up for, in order" if job.every_day else "only the latest counts"


def _jobmetrics() -> str:
    return _families(JobMetrics().registry)


def _events() -> str:
    return _table(("type", "what it tells"), ((f"`{kind}`", says) for kind, says in EVENT_TYPES.items()))


def _told() -> str:
    fields = list(inspect.type_info(Told).fields)
    rows = ((f"`{field.encode_name}`", _describe(field.type)) for field in fields)
    return _table(("field of `data`", "what it says"), rows)


def _describe(kind: inspect.Type) -> str:
    """Return what a field says of itself, else what the Struct in it says."""
    if isinstance(kind, inspect.Metadata):
        return str((kind.extra_json_schema or {}).get("description", ""))
    parts = kind.types if isinstance(kind, inspect.UnionType) else (getattr(kind, "item_type", kind),)
    structs = [part.cls for part in parts if isinstance(part, inspect.StructType)]
    return (structs[0].__doc__ or "").partition("\n")[0] if structs else ""


PARTS: Final[dict[str, Callable[[], str]]] = {
    "settings": _settings,
    "metrics": _metrics,
    "problems": _problems,
    "exits": _exits,
    "records": _records,
    "endpoints": _endpoints,
    "pages": _pages,
    "parameters": _parameters,
    "limits": _limits,
    "jobs": _jobs,
    "jobmetrics": _jobmetrics,
    "events": _events,
    "told": _told,
}


def fill(text: str) -> str:
    """Return a page with its made parts as they are now."""
    return _PART.sub(lambda found: f"{found[1]}{PARTS[found['name']]()}{found[3]}", text)


def walk_commands() -> Iterator[tuple[str, Any]]:
    """Yield every command with its full name, groups before what is in them."""
    yield from _walk("cab", typer.main.get_command(app))


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for part, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from _walk(f"{name} {part}", inner)


def make_cli_page() -> str:
    """Return the reference of the command line."""
    lines = [_CLI_INTRODUCTION]
    for name, command in walk_commands():
        lines.append(f"## {name}\n")
        lines.extend(_command(name, command))
    return "\n".join(lines).rstrip("\n") + "\n"


def _command(name: str, command: Any) -> Iterator[str]:
    text, _, examples = (command.help or "").replace("\b", "").partition("Examples:")
    yield " ".join(text.split()) + "\n"
    inner = [part for part, each in getattr(command, "commands", {}).items() if not each.hidden]
    if inner:
        links = (f"[`{name} {part}`](#{f'{name} {part}'.replace(' ', '-')})" for part in inner)
        yield "Commands: " + ", ".join(links) + "\n"
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    words = "".join(f" [{each.name.upper()}]" for each in arguments)
    yield f"```text\n{name}{' COMMAND' if inner else ' [OPTIONS]'}{words}\n```\n"
    rows = [_row(each) for each in command.params if each.name != "help" and not each.hidden]
    if rows:
        yield _table(("option", "value", "meaning"), iter(rows))
    if examples.strip():
        cut = [line.removeprefix("  ") for line in examples.strip("\n").splitlines()]
        # They name what a reader has, and are not run: `text`.
        yield "```text\n" + "\n".join(line.removeprefix("    ") for line in cut).strip() + "\n```\n"


def _row(parameter: Any) -> tuple[str, str, str]:
    if parameter.param_type_name == "argument":
        names = parameter.name.upper()
    else:
        names = ", ".join(f"`{each}`" for each in (*parameter.opts, *parameter.secondary_opts))
    meaning = " ".join((getattr(parameter, "help", None) or "").split())
    default = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
    more = []
    if parameter.envvar:
        more.append(f"From `{parameter.envvar}`.")
    if isinstance(default, str | int | float) and not isinstance(default, bool):
        more.append(f"Default: {getattr(default, 'value', default)}.")
    return names, _value_of(parameter), " ".join([meaning, *more])


def _value_of(parameter: Any) -> str:
    """Say what an option takes: its placeholder, its choices, or nothing for a flag."""
    if getattr(parameter, "is_flag", False):
        return ""
    kind = parameter.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return ", ".join(str(each.value) for each in kind)
    if parameter.metavar:
        return str(parameter.metavar)
    return _KINDS.get(kind, "TEXT")


def pages() -> dict[Path, str]:
    """Return every page that has made parts, as it should be."""
    made = {path: fill(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.md")) if path != CLI_PAGE}
    return {**made, CLI_PAGE: make_cli_page()}


def show_examples() -> dict[Path, str]:
    """Return every page with what its examples print now, its made parts as they are."""
    texts = {name: (CHECKOUT / name).read_text("utf-8") for name in running.list_pages()}
    with running.reading() as environment:
        shown = {name: running.show_again(text, environment) for name, text in texts.items() if _shows(name, text)}
    with Cluster.throwaway(find_binaries(os.environ)) as cluster:
        upgrade(cluster.url())
        with running.office(cluster.url()) as environment:
            shown |= {name: running.show_again(texts[name], environment) for name in running.WRITING}
    return {CHECKOUT / name: text for name, text in shown.items()}


def _shows(name: str, text: str) -> bool:
    return name not in running.WRITING and "```console\n" in text


def main() -> None:
    """Write what changed."""
    for path, text in show_examples().items():
        _write(path, text)
    for path, text in pages().items():
        _write(path, text)


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")
        sys.stdout.write(f"{path.name} written\n")


if __name__ == "__main__":
    main()
