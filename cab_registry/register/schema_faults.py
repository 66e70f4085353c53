"""The errors of a JSON Schema in words: what stands there, and what is allowed instead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from jsonschema import ValidationError
from jsonschema.protocols import Validator

from cab_registry.domain.day_forms import say_day
from cab_registry.domain.errors import MOST_FAULTS, Fault
from cab_registry.domain.nearest import find_nearest
from cab_registry.domain.records.common import FORMS

_KINDS: Final[Mapping[str, str]] = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object with keys",
    "null": "null",
}
MOST_NODES: Final = 20_000
"""How many values of a document are looked at; of a larger one the first items of each list."""

_FIRST: Final = MOST_FAULTS
_REST: Final = Fault("", "is too long to be looked through as a whole: correct this, and send it again")

_LONGEST: Final = 60
"""How much of a value is shown."""

_MOMENT: Final = "write `always`, a day YYYY-MM-DD, or a window {not_before, not_after}; never null"


_SENTENCES: Final[Mapping[str, str]] = {
    "type": "must be {kind}, not {shown}",
    "enum": "{shown} is not one of: {listed}",
    "const": "must be {allowed}, not {shown}",
    "format": "{day}",
    "pattern": "{shown} has not {form}",
    "minLength": "must not be empty",
    "maxLength": "is longer than {allowed} characters",
    "minItems": "must hold at least {allowed}",
    "maxItems": "must hold at most {allowed}",
    "minimum": "must be at least {allowed}, not {shown}",
    "maximum": "must be at most {allowed}, not {shown}",
    "minProperties": "must hold at least one of: {keys}",
    "x-notAfter": "the window is empty: {listed_as_order}",
}

Path = tuple[str | int, ...]


class _Wrong(NamedTuple):
    """What the validator found, with the parts whose shape only our own schemas guarantee."""

    path: Path
    keyword: str
    allowed: Any
    instance: Any
    schema: Any
    context: list[ValidationError]
    message: str


def _read(error: ValidationError) -> _Wrong:
    context = list(error.context or ())
    keyword, path = str(error.validator), tuple(error.absolute_path)
    return _Wrong(path, keyword, error.validator_value, error.instance, error.schema, context, error.message)


def list_wrong(validator: Validator, document: Any) -> list[Fault]:
    """List the faults of a document, each with its JSON Pointer, in the order of their places.

    Nobody looks for more than one beyond those that a refusal lists, nor through more values than `MOST_NODES`: of a
    document that has more, the last fault says so.
    """
    rest = _is_long(document)
    if rest:
        document = _shorten(document)
        if _is_long(document):
            return []
    definitions: Any = validator.schema
    errors = (_explain(_read(error), definitions["$defs"]) for error in validator.iter_errors(document))
    found = dict.fromkeys(islice(chain.from_iterable(errors), MOST_FAULTS + 1))
    ordered = sorted(found, key=lambda key: ([_sortable(step) for step in key[0]], key[1]))
    listed = [Fault(point(path), message) for path, message in ordered]
    return [*listed, _REST] if rest and listed else listed


def _is_long(document: Any) -> bool:
    """Whether a document has more values than are looked at, its own included."""
    left, waiting = MOST_NODES, [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict | list):
            left -= len(value)
            if left < 0:
                return True
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return False


def _shorten(value: Any) -> Any:
    """Leave out all but the first items of each list."""
    if isinstance(value, dict):
        return {key: _shorten(part) for key, part in value.items()}
    return [_shorten(part) for part in value[:_FIRST]] if isinstance(value, list) else value


def point(path: Iterable[str | int]) -> str:
    """Return the JSON Pointer of a path."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def _sortable(step: str | int) -> tuple[int, str]:
    return (step, "") if isinstance(step, int) else (-1, step)


def _explain(wrong: _Wrong, definitions: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    if wrong.keyword == "anyOf":
        yield from _explain_choice(wrong, definitions)
    elif wrong.keyword == "required":
        # There is one error for each missing key, and its message begins with the key.
        missing = next(key for key in wrong.allowed if wrong.message.startswith(f"{key!r} "))
        yield (*wrong.path, missing), f"`{missing}` is missing{_meaning(wrong.schema['properties'][missing])}"
    elif wrong.keyword == "additionalProperties":
        yield from _explain_unknown(wrong)
    else:
        yield wrong.path, _say(wrong)


def _say(wrong: _Wrong) -> str:
    listed = [str(value) for value in wrong.allowed] if isinstance(wrong.allowed, list) else []
    return _SENTENCES[wrong.keyword].format(
        kind=_KINDS.get(str(wrong.allowed), ""),
        shown=_show(wrong.instance),
        allowed=wrong.allowed,
        listed=", ".join(listed),
        listed_as_order=" lies after ".join(listed),
        day=say_day(wrong.instance) if wrong.keyword == "format" else "",
        form=FORMS.get(str(wrong.allowed)) or f"the right form{_meaning(wrong.schema)}",
        keys=", ".join(wrong.schema.get("properties", ("any key",))),
    )


def _meaning(schema: Mapping[str, Any]) -> str:
    text = schema.get("description")
    return f": {text}" if text else ""


def _explain_unknown(wrong: _Wrong) -> Iterator[tuple[Path, str]]:
    allowed = list(wrong.schema["properties"])
    for key in sorted(str(key) for key in wrong.instance if key not in allowed):
        close = find_nearest(key, allowed)
        hint = f"; did you mean `{close}`?" if close else ""
        yield (*wrong.path, key), f"unknown key `{_cut(key)}`{hint}; allowed: {', '.join(allowed)}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _explain_choice(wrong: _Wrong, definitions: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Blame the one branch that was meant, as the kind of the value shows; with none, say what is allowed."""
    branches: dict[int, list[ValidationError]] = defaultdict(list)
    for part in wrong.context:
        branches[int(part.schema_path[0])].append(part)
    meant = [parts for _, parts in sorted(branches.items()) if not any(_of_other_kind(part) for part in parts)]
    is_moment = wrong.schema.get("title") == "When"
    if len(meant) == 1 and not (is_moment and isinstance(wrong.instance, str)):
        for part in meant[0]:
            yield from _explain(_read(part), definitions)
    elif is_moment:
        yield wrong.path, f"{_show(wrong.instance)} is no moment: {_MOMENT}"
    else:
        allowed = dict.fromkeys(_allowed(branch, definitions) for branch in wrong.allowed)
        yield wrong.path, f"{_show(wrong.instance)} does not fit here: write {' or '.join(allowed)}"


def _of_other_kind(part: ValidationError) -> bool:
    """Whether the value is not even of the kind that this branch is about."""
    if part.relative_path:
        return False
    if part.validator in ("const", "enum"):
        return not isinstance(part.instance, str)
    return part.validator == "type"


def _allowed(branch: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "$ref" in branch:
        name = branch["$ref"].rpartition("/")[2]
        return "a moment" if name == "When" else _allowed(definitions[name], definitions)
    if "enum" in branch:
        return f"one of: {', '.join(branch['enum'])}"
    return _KINDS[branch["type"]]


def _show(value: object) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _cut(repr(value[:_LONGEST]) if isinstance(value, str) else repr(value))
