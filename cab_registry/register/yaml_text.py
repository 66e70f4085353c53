"""YAML read with the line of every node, and with the traps of YAML 1.1 refused.

An unquoted `NO` is a boolean in YAML 1.1 and a bare `on` a key `True`: both would corrupt records
silently, so every implicit boolean other than `true` and `false` is a fault here, with its line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from cab_registry.domain.errors import Fault

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PREFIX: Final = "tag:yaml.org,2002:"
_TAGS: Final = frozenset({None, "!", *(f"{_PREFIX}{kind}" for kind in ("str", "int", "bool", "null", "seq", "map"))})

DEEPEST: Final = 64
LONGEST: Final = 8_388_608
"""Characters of a stream."""

MOST_REPEATED: Final = 20_000
"""How many values of a stream may stand there once more by its aliases."""


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


class _Unfit(Exception):
    """What a stream holds that is not taken, with its place."""

    def __init__(self, mark: Any, message: str) -> None:
        super().__init__(message)
        self.mark = mark


class _Composer:
    """Makes nodes of the events of a stream, without recursion: the parser's own composer overruns the C stack."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._anchors: dict[str, yaml.Node] = {}
        self._open: list[yaml.Node] = []
        self._keys: list[yaml.Node | None] = []
        self.made = 0

    def compose_all(self) -> list[yaml.Node]:
        """Return the root of each document.

        Raises:
            _Unfit: it nests too deeply, has tags of its own, or names what is not there.
        """
        roots: list[yaml.Node] = []
        while self._loader.check_event():
            event = self._loader.get_event()
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors = {}
            elif isinstance(event, yaml.CollectionEndEvent):
                self._open.pop()
                self._keys.pop()
            elif isinstance(event, yaml.NodeEvent):
                node = self._take(event)
                if not self._open:
                    roots.append(node)
                else:
                    self._place(node)
                if isinstance(event, yaml.CollectionStartEvent):
                    self._enter(node)
        return roots

    def _take(self, event: Any) -> yaml.Node:
        self.made += 1
        if isinstance(event, yaml.AliasEvent):
            node = self._anchors.get(str(event.anchor))
            if node is None or any(each is node for each in self._open):
                raise _Unfit(event.start_mark, f"no valid YAML: the alias *{event.anchor} names nothing before it")
            return node
        node = self._make(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _make(self, event: Any) -> yaml.Node:
        if event.tag not in _TAGS:
            raise _Unfit(event.start_mark, f"the tag {event.tag} is not taken: leave it out")
        own = None if event.tag == "!" else event.tag
        if isinstance(event, yaml.ScalarEvent):
            tag = own or self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
            made: yaml.Node = yaml.ScalarNode(tag, event.value, *_marks(event))
            return made
        kind = yaml.SequenceNode if isinstance(event, yaml.SequenceStartEvent) else yaml.MappingNode
        return kind(own or self._loader.resolve(kind, None, event.implicit), [], *_marks(event))

    def _enter(self, node: yaml.Node) -> None:
        if len(self._open) >= DEEPEST:
            raise _Unfit(node.start_mark, f"more than {DEEPEST} levels deep")
        self._open.append(node)
        self._keys.append(None)

    def _place(self, node: yaml.Node) -> None:
        parent, key = self._open[-1], self._keys[-1]
        if isinstance(parent, yaml.SequenceNode):
            parent.value.append(node)
        elif key is None:
            if not isinstance(node, yaml.ScalarNode):
                raise _Unfit(node.start_mark, "a key is a text")
            self._keys[-1] = node
        else:
            parent.value.append((key, node))
            self._keys[-1] = None


def _marks(event: Any) -> tuple[Any, Any]:
    return event.start_mark, event.end_mark


class _Builder:
    """Turns composed nodes into plain values, noting lines and faults."""

    def __init__(self, file: str, most: int) -> None:
        self.file = file
        self.lines: dict[str, int] = {}
        self.faults: list[Fault] = []
        self._most = most
        self._depth = 0

    def fault(self, node: yaml.Node, pointer: str, message: str) -> None:
        self.faults.append(Fault(pointer, message, f"{self.file}:{node.start_mark.line + 1}"))

    def build(self, node: yaml.Node, pointer: str) -> Any:
        self.lines[pointer] = node.start_mark.line + 1
        if isinstance(node, yaml.ScalarNode):
            self._count(node)
            return self.scalar(node, pointer)
        self._depth += 1
        self._count(node)
        value: Any = (
            self.mapping(node, pointer)
            if isinstance(node, yaml.MappingNode)
            else [self.build(item, f"{pointer}/{index}") for index, item in enumerate(node.value)]
        )
        self._depth -= 1
        return value

    def _count(self, node: yaml.Node) -> None:
        self._most -= 1
        if self._most < 0:
            raise _Unfit(node.start_mark, f"its aliases repeat more than {MOST_REPEATED} values: write fewer of them")
        if self._depth > DEEPEST:
            raise _Unfit(node.start_mark, f"more than {DEEPEST} levels deep, its aliases followed")

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
        if not isinstance(node, yaml.MappingNode):
            raise _Unfit(node.start_mark, "what is merged in with << is a mapping")
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


def read_yaml_file(path: Path, name: str) -> tuple[list[Located], list[Fault]]:
    """Read a file as `read_yaml` reads a text; what cannot be read at all is a fault, and no more of it is read.

    Args:
        path: the file.
        name: what faults call it.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LONGEST + 1)
    except OSError as error:
        return [], [Fault("", f"cannot be read: {error.strerror}", f"{name}:1")]
    if len(raw) > LONGEST:
        return [], [_too_long(name)]
    try:
        return read_yaml(raw.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return [], [Fault("", "is not in UTF-8: save it as UTF-8", f"{name}:{line}")]


def _too_long(file: str) -> Fault:
    return Fault("", f"longer than {LONGEST} bytes: split it", f"{file}:1")


def read_yaml(text: str, file: str) -> tuple[list[Located], list[Fault]]:
    """Read every document of a YAML stream; days stay texts, faults carry file and line.

    What nests too deeply, repeats too much by aliases or is too long is a fault, found in time and memory that grow
    with the length of the text alone.
    """
    if len(text) > LONGEST:
        return [], [_too_long(file)]
    documents: list[Located] = []
    faults: list[Fault] = []
    try:
        composer = _Composer(_LOADER(text))
        for node in composer.compose_all():
            builder = _Builder(file, composer.made + MOST_REPEATED)
            value = builder.build(node, "")
            documents.append(Located(value, file, builder.lines))
            faults.extend(builder.faults)
    except _Unfit as unfit:
        faults.append(Fault("", str(unfit), f"{file}:{unfit.mark.line + 1}"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or str(error)
        faults.append(Fault("", f"no valid YAML: {problem}", f"{file}:{line}"))
    return documents, faults
