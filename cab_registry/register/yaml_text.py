"""YAML read with the line of every node, and with the traps of YAML 1.1 refused.

An unquoted `NO` is a boolean in YAML 1.1 and a bare `on` a key `True`: both would corrupt records
silently, so every implicit boolean other than `true` and `false` is a fault here, with its line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from cab_registry.domain.errors import Fault

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PREFIX: Final = "tag:yaml.org,2002:"


@dataclass(slots=True)
class Located:
    """A plain document and the line on which each of its nodes stands, by JSON Pointer."""

    value: Any
    file: str
    lines: dict[str, int] = field(default_factory=dict)

    def place(self, pointer: str) -> str:
        """Return `file:line` of the node at a pointer, or of its nearest parent."""
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return f"{self.file}:{self.lines.get(pointer, 1)}"

    def part(self, pointer: str) -> Located:
        """Return the node at a pointer as a document of its own, lines kept."""
        value: Any = self.value
        for step in pointer.split("/")[1:]:
            value = value[int(step)] if isinstance(value, list) else value[step.replace("~1", "/").replace("~0", "~")]
        lines = {key[len(pointer) :]: line for key, line in self.lines.items() if key.startswith(pointer)}
        return Located(value, self.file, lines)


class _Builder:
    """Turns composed nodes into plain values, noting lines and faults."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[str, int] = {}
        self.faults: list[Fault] = []

    def fault(self, node: yaml.Node, pointer: str, message: str) -> None:
        self.faults.append(Fault(pointer, message, f"{self.file}:{node.start_mark.line + 1}"))

    def build(self, node: yaml.Node, pointer: str) -> Any:
        self.lines[pointer] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, pointer)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, f"{pointer}/{index}") for index, item in enumerate(node.value)]
        return self.scalar(node, pointer)

    def mapping(self, node: yaml.MappingNode, pointer: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        own: set[str] = set()
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == f"{_PREFIX}merge":
                parts = value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                for part in parts:
                    for key, value in self.shared(part, pointer).items():
                        merged.setdefault(key, value)
                continue
            key = str(key_node.value)
            if key_node.tag == f"{_PREFIX}bool":
                self.fault(key_node, pointer, f"the key {key!r} is read as a boolean: write it in quotes")
            place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            if key in own:
                self.fault(key_node, place, f"the key {key!r} stands twice")
            own.add(key)
            result[key] = self.build(value_node, place)
        return {**{key: value for key, value in merged.items() if key not in own}, **result}

    def shared(self, node: yaml.Node, pointer: str) -> dict[str, Any]:
        """Build a mapping that is merged in: its lines count only where the merging one has none of its own."""
        own, self.lines = self.lines, {}
        value: dict[str, Any] = self.build(node, pointer)
        self.lines = {**self.lines, **own}
        return value

    def scalar(self, node: yaml.Node, pointer: str) -> Any:
        text: str = node.value
        kind = node.tag.removeprefix(_PREFIX)
        if kind == "null":
            return None
        if kind == "bool":
            if text.lower() not in ("true", "false"):
                self.fault(node, pointer, f"unquoted {text} is read as a boolean: write it in quotes")
            return text.lower() == "true"
        if kind == "int":
            try:
                return int(text)
            except ValueError:
                self.fault(node, pointer, f"{text!r} is read as a number: write it in quotes")
                return text
        if kind == "float":
            self.fault(node, pointer, f"{text!r} is read as a fraction: write it in quotes")
            return text
        return text


def read_yaml(text: str, file: str) -> tuple[list[Located], list[Fault]]:
    """Read every document of a YAML stream; days stay texts, faults carry file and line."""
    documents: list[Located] = []
    faults: list[Fault] = []
    try:
        nodes: list[yaml.Node | None] = list(yaml.compose_all(text, Loader=_LOADER))
        for node in nodes:
            if node is None:
                continue
            builder = _Builder(file)
            value = builder.build(node, "")
            documents.append(Located(value, file, builder.lines))
            faults.extend(builder.faults)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or str(error)
        faults.append(Fault("", f"no valid YAML: {problem}", f"{file}:{line}"))
    return documents, faults
