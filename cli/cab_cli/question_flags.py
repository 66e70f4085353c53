"""The question as `cab check` takes it, for other commands that take one: as a file, by flags, or both."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

from cab_cli.check import check
from cab_cli.questions import Flags, compose, naming_flags, read_document

Own = ParamSpec("Own")
_SENT = "/targets/0/question"
_OF_THE_QUESTION = frozenset({"file", *Flags.__struct_fields__})


def asks(work: Callable[Concatenate[dict[str, Any], Own], None]) -> Callable[Own, None]:
    """Give a command the argument and the flags of the question; the command itself gets it as a document."""
    flags = {name: each for name, each in inspect.signature(check).parameters.items() if name in _OF_THE_QUESTION}

    @functools.wraps(work)
    def command(*given: Own.args, **named: Own.kwargs) -> None:
        options: dict[str, Any] = {name: named.pop(name) for name in list(named) if name in flags}
        file = options.pop("file", None)
        said = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
        plain: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
        question = compose(Flags(**plain), read_document(file) if file else None, alone=False)
        with naming_flags(file, _SENT):
            work(question, *given, **named)

    _, *own = inspect.signature(work).parameters.values()
    parameters = [*flags.values(), *own]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what inspect looks for
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command
