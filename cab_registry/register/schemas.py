"""JSON Schema 2020-12 of every record type, of the question and of the answer, and the complete list of faults.

The schemas are made from the same structs that decode documents, so both say the same. Two things
that JSON Schema cannot say are keywords of ours: `x-notAfter` (a window is not empty), and that
`integer` means a number written without a fraction.

`python -m cab_registry.register.schemas --write` writes `schemas/*.json` and `docs/schemas.md` anew.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
import msgspec
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.protocols import Validator

from cab_registry.domain.answer import Answer
from cab_registry.domain.days import When
from cab_registry.domain.errors import Fault
from cab_registry.domain.question import AskedQuestion, read_question
from cab_registry.domain.records import RECORD_TYPES, read_record
from cab_registry.register.examples import list_examples
from cab_registry.register.meanings import meaning_of
from cab_registry.register.schema_faults import list_wrong
from cab_registry.register.schema_pages import render_page

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
NOT_EMPTY: Final = "x-notAfter"
QUESTION: Final = "question"
ANSWER: Final = "answer"


def _window() -> dict[str, Any]:
    day = {"type": "string", "format": "date"}
    return {
        "title": "When",
        "description": "A moment: `always` (as far back as anyone asks), a day, or the window in which the day lies.",
        "anyOf": [
            {"const": "always"},
            {"description": "A day of the calendar.", **day},
            {
                "description": "A day that is not known exactly; at least one bound, both inclusive.",
                "type": "object",
                "properties": {
                    "not_before": {"description": "The day is not before this one.", **day},
                    "not_after": {"description": "The day is not after this one.", **day},
                },
                "additionalProperties": False,
                "minProperties": 1,
                NOT_EMPTY: ["not_before", "not_after"],
            },
        ],
    }


def _for_custom(kind: type) -> dict[str, Any]:
    if kind is When:
        return {"$ref": "#/$defs/When"}
    raise NotImplementedError(f"no schema for {kind}")


def _in_words(name: str) -> str:
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", name)
    return words[0] + words[1:].lower()


def _mend(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Give one struct's schema its title, its meanings, and no room for unknown keys."""
    mended = {**schema, "title": _in_words(name), "description": inspect.cleandoc(schema["description"])}
    mended["properties"] = {key: _mend_field(name, key, part) for key, part in schema["properties"].items()}
    mended["additionalProperties"] = False
    if not mended.get("required"):
        mended.pop("required", None)
    return mended


def _mend_field(struct: str, field: str, part: dict[str, Any]) -> dict[str, Any]:
    """Say what a field means: in its own words, in those of its name, or in those of the type that it may have."""
    of_types = (branch["description"] for branch in part.get("anyOf", ()) if "description" in branch)
    text = part.get("description") or meaning_of(struct, field) or next(of_types, None)
    rest = {key: value for key, value in part.items() if key != "description"}
    if field == "type" and len(rest.get("enum", ())) == 1:
        rest = {"const": rest["enum"][0]}
    return {"description": text, **rest} if text is not None else rest


def _schema_of(struct: type[msgspec.Struct], identifier: str, examples: list[dict[str, Any]]) -> dict[str, Any]:
    _, parts = msgspec.json.schema_components([struct], schema_hook=_for_custom, ref_template="#/$defs/{name}")
    mended = {name: _mend(name, schema) for name, schema in parts.items()}
    own = mended.pop(struct.__name__)
    definitions = dict(sorted(mended.items()))
    if '"#/$defs/When"' in json.dumps([own, definitions]):
        definitions["When"] = _window()
    head = {"$schema": DIALECT, "$id": identifier, "title": own.pop("title"), "description": own.pop("description")}
    return {**head, "examples": examples, **own, "$defs": definitions}


def make_schema(name: str) -> dict[str, Any]:
    """Return the schema of a record type, of `question` or of `answer`."""
    examples = list_examples(name)
    if name == QUESTION:
        return _schema_of(AskedQuestion, "urn:cab-registry:schema:question:1", examples)
    if name == ANSWER:
        return _schema_of(Answer, "urn:cab-registry:schema:answer:1", examples)
    return _schema_of(RECORD_TYPES[name], f"urn:cab-registry:schema:record:{name}:1", examples)


def schema_names() -> tuple[str, ...]:
    """Return the names of all schemas: the record types, then `question` and `answer`."""
    return (*RECORD_TYPES, QUESTION, ANSWER)


def _check_window(_: Validator, keys: list[str], instance: object, __: object) -> Iterator[ValidationError]:
    """`x-notAfter: [a, b]`: where both texts are there, `a` does not sort after `b`."""
    if isinstance(instance, Mapping):
        first, last = (instance.get(key) for key in keys)
        if isinstance(first, str) and isinstance(last, str) and first > last:
            yield ValidationError("the window is empty")


@cache
def make_validator(name: str) -> Validator:
    """Return the validator of a schema, formats and our own keywords included."""
    types = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    extend: Callable[..., type[Validator]] = jsonschema.validators.extend
    kind = extend(Draft202012Validator, {NOT_EMPTY: _check_window}, type_checker=types)
    return kind(make_schema(name), format_checker=FormatChecker())


def list_faults(document: object) -> list[Fault]:
    """List every fault of a plain record; an empty list means that `read_record` takes it."""
    if not isinstance(document, dict):
        return [Fault("", "a record is an object with keys")]
    kind = document.get("type")
    if not isinstance(kind, str) or kind not in RECORD_TYPES:
        what = "`type` is missing" if "type" not in document else f"{kind!r} is no type of record"
        return [Fault("/type", f"{what}; it is one of: {', '.join(RECORD_TYPES)}")]
    try:
        read_record(document)
    except msgspec.ValidationError as error:
        return _or_first(list_wrong(make_validator(kind), document), error)
    return []


def list_question_faults(document: object) -> list[Fault]:
    """List every fault in the shape of a question; what it says is for `domain.question.find_faults`."""
    if not isinstance(document, dict):
        return [Fault("", "a question is an object with keys")]
    try:
        read_question(document)
    except msgspec.ValidationError as error:
        return _or_first(list_wrong(make_validator(QUESTION), document), error)
    return []


def _or_first(faults: list[Fault], error: msgspec.ValidationError) -> list[Fault]:
    """What the decoder refused stays refused, even if no schema should say why."""
    return faults or [Fault("", str(error))]


def render(schema: Mapping[str, Any]) -> str:
    """Return a schema as the text of its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def render_files() -> dict[str, str]:
    """Return every generated file of the schemas by its path in the checkout."""
    schemas = {name: make_schema(name) for name in schema_names()}
    files = {f"schemas/{name}.json": render(schema) for name, schema in schemas.items()}
    return {**files, "docs/schemas.md": render_page(schemas)}


def write_files(files: Mapping[str, str], checkout: Path) -> list[str]:
    """Write the files that differ; return their paths."""
    changed = []
    for path, text in sorted(files.items()):
        target = checkout / path
        if not target.is_file() or target.read_text("utf-8") != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
            changed.append(path)
    return changed


if __name__ == "__main__":  # pragma: no cover (a tool for a checkout, whose parts are tested)
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m cab_registry.register.schemas --write")
    sys.stdout.write("\n".join(write_files(render_files(), Path(__file__).resolve().parents[2])) + "\n")
