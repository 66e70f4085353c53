"""YAML is read with lines, and its traps are refused with their place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cab_registry.register.yaml_text import read_yaml

TEXT = """\
# a comment
type: route
list:
  - {a: 1,
     b: [x, y]}
  - c/d~e: 2020-01-01
---
- one
- null
- {n: -7, t: true, f: false, e: }
"""


def told(text: str) -> list[str]:
    return [str(fault) for fault in read_yaml(text, "f.yaml")[1]]


def test_values_are_plain_and_days_stay_texts() -> None:
    (first, second), faults = read_yaml(TEXT, "f.yaml")
    assert faults == []
    assert first.value == {"type": "route", "list": [{"a": 1, "b": ["x", "y"]}, {"c/d~e": "2020-01-01"}]}
    assert second.value == ["one", None, {"n": -7, "t": True, "f": False, "e": None}]


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("", 2),
        ("/type", 2),
        ("/list", 4),
        ("/list/0/a", 4),
        ("/list/0/b/1", 5),
        ("/list/1/c~1d~0e", 6),
        ("/list/0/missing/deep", 4),
        ("/nothing", 2),
    ],
)
def test_each_node_knows_its_line_and_what_is_missing_that_of_its_parent(pointer: str, line: int) -> None:
    first = read_yaml(TEXT, "f.yaml")[0][0]
    assert first.place(pointer) == f"f.yaml:{line}"


def test_a_part_keeps_its_lines() -> None:
    first = read_yaml(TEXT, "f.yaml")[0][0]
    part = first.part("/list/0")
    assert part.value == {"a": 1, "b": ["x", "y"]}
    assert (part.place(""), part.place("/b/1")) == ("f.yaml:4", "f.yaml:5")
    assert first.part("/list/1/c~1d~0e").value == "2020-01-01"


def test_anchors_and_merges_are_followed() -> None:
    text = "base: &b {x: 1, y: 2}\nother: &o {y: 3, z: 4}\nmade: {<<: [*b, *o], x: 9}\nsingle: {<<: *o}\n"
    (document,), faults = read_yaml(text, "f.yaml")
    assert faults == []
    assert document.value["made"] == {"x": 9, "y": 2, "z": 4}
    assert document.value["single"] == {"y": 3, "z": 4}


def test_what_is_merged_in_keeps_its_line_and_the_rest_its_own() -> None:
    text = "base: &b\n  x: 1\n  y: {z: 2}\nmade:\n  y: 3\n  <<: *b\n"
    (document,), _ = read_yaml(text, "f.yaml")
    assert document.value["made"] == {"x": 1, "y": 3}
    assert [document.place(f"/made{part}") for part in ("", "/x", "/y")] == ["f.yaml:5", "f.yaml:2", "f.yaml:5"]


@pytest.mark.parametrize("word", ["NO", "no", "No", "on", "off", "yes", "OFF", "Yes"])
def test_words_that_are_booleans_by_accident_are_refused(word: str) -> None:
    assert told(f"a: 1\ncode: {word}\n") == [
        f"f.yaml:2 /code: unquoted {word} is read as a boolean: write it in quotes"
    ]
    assert told(f"a: 1\n{word}: x\n") == [f"f.yaml:2: the key {word!r} is read as a boolean: write it in quotes"]
    assert told(f"a: 1\ncode: '{word}'\n'{word}': x\n") == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3 /a: the key 'a' stands twice"),
        ("a: 1.5\n", "f.yaml:1 /a: '1.5' is read as a fraction: write it in quotes"),
        ("a: 1:30\n", "f.yaml:1 /a: '1:30' is read as a number: write it in quotes"),
        ("a: 0x1F\n", "f.yaml:1 /a: '0x1F' is read as a number: write it in quotes"),
    ],
)
def test_other_traps_are_refused(text: str, fault: str) -> None:
    assert told(text) == [fault]


@pytest.mark.parametrize(("text", "line"), [("a: [1\n", 2), ("a: b: c\n", 1), ("x: 1\ny: *none\n", 2), ("\x07", 1)])
def test_text_that_is_no_yaml_is_told_with_its_line(text: str, line: int) -> None:
    (fault,) = told(text)
    assert fault.startswith(f"f.yaml:{line}: no valid YAML: ")


def test_an_empty_stream_holds_nothing() -> None:
    assert read_yaml("", "f.yaml") == ([], [])
    assert read_yaml("---\n# nothing\n", "f.yaml")[1] == []


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="ascii", categories=("L", "N", "P"))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc/~x", min_size=1), inner, max_size=3),
    max_leaves=12,
)


@given(PLAIN)
def test_what_is_written_as_json_is_read_back(value: object) -> None:
    import json

    documents, faults = read_yaml(json.dumps(value, indent=1), "f.yaml")
    assert faults == []
    assert [document.value for document in documents] == [value]
