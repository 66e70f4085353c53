"""The page on the schemas: every record type with its fields and their meaning, made from the schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

_INTRODUCTION: Final = """\
# Schemas

Made from the schemas by `python -m cab_registry.register.schemas --write`; do not edit.

Each record type has a [JSON Schema 2020-12](https://json-schema.org/draft/2020-12) in `schemas/`; so have the
question and the answer. The service gives each at `/v1/schemas/{name}`, and its `$id` ends with a number that moves
only when documents that were good are good no longer. The record's `type` chooses the schema. Unknown keys are
refused everywhere. Formats are checked. Two things go beyond the standard's keywords and are checked by the registry:
`x-notAfter` on a window says that its first bound does not lie after its second, and a whole number is written
without a fraction.

A moment is `always`, a day such as `2021-05-26`, or a window `{not_before, not_after}` with at least one bound.
What has no end on record leaves its end out; a day is never null.
"""


def render_page(schemas: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the Markdown page of all schemas."""
    lines = [_INTRODUCTION, "| schema | file | what it is |", "| --- | --- | --- |"]
    for name, schema in schemas.items():
        lines.append(f"| [{name}](#{name}) | `schemas/{name}.json` | {_flat(schema['description'])} |")
    for name, schema in schemas.items():
        lines.extend(("", f"## {name}", "", schema["description"], "", f"`{schema['$id']}`", ""))
        lines.extend(_table(schema))
        example = json.dumps(schema["examples"][0], indent=2, ensure_ascii=False)
        lines.extend(("", "Example (all names are made up):", "", "```json", example, "```"))
    parts = _shared_parts(schemas)
    lines.extend(("", "## Parts", "", "What several schemas, or several fields of one, are made of."))
    for name in sorted(parts):
        lines.extend(("", f"### {name}", "", parts[name]["description"], ""))
        if "properties" in parts[name]:
            lines.extend(_table(parts[name]))
        else:
            lines.append(f"Allowed: {_kind(parts[name])}.")
    return "\n".join(lines) + "\n"


def _shared_parts(schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {name: part for schema in schemas.values() for name, part in schema["$defs"].items()}


def _table(schema: Mapping[str, Any]) -> Iterator[str]:
    yield "| field | | value | meaning |"
    yield "| --- | --- | --- | --- |"
    required = schema.get("required", ())
    for key, part in schema["properties"].items():
        needed = "required" if key in required else ""
        yield f"| `{key}` | {needed} | {_kind(part)} | {_flat(part.get('description', ''))} |"


def _flat(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _kind(part: Mapping[str, Any]) -> str:
    """Return what a value may be, in words."""
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in part:
        return " or ".join(_kind(branch) for branch in part["anyOf"] if branch != {"type": "null"})
    if "const" in part:
        return f"`{part['const']}`"
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    return _plain_kind(part)


def _plain_kind(part: Mapping[str, Any]) -> str:
    kind = part.get("type")
    if kind == "array":
        least = ", at least one" if part.get("minItems") else ""
        return f"list of {_kind(part['items'])}{least}" if part.get("items") else "list"
    if kind == "object" and isinstance(part.get("additionalProperties"), Mapping):
        return f"object of {_kind(part['additionalProperties'])} by key"
    if kind == "object":
        return f"object with {' and/or '.join(f'`{key}`' for key in part['properties'])}"
    if kind == "string":
        form = f" of the form `{part['pattern']}`".replace("|", "\\|") if "pattern" in part else ""
        return "day" if part.get("format") == "date" else f"text{form}"
    return {"integer": "whole number", "boolean": "true or false"}.get(str(kind), "anything")
