"""YAML that is made to harm: a fault with its line, in time and memory that grow with the text alone."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from cab_registry.register.catalogue import read_folder
from cab_registry.register.yaml_text import DEEPEST, LONGEST, read_yaml, read_yaml_file

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
)
MERGED = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n}\n  b: {{<<: *a{n - 1}}}\n  c: {{<<: *a{n - 1}}}\n" for n in range(1, 60)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 3000))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a:\n  - " + "[" * 1_000_000, "levels deep"),
        ("\n" + "{a: " * 1_000_000, "levels deep"),
        ("\n" + "- " * 100_000 + "x", "levels deep"),
        ("\n" + "? " * 100_000 + "x", "a key is a text"),
        (LAUGHS, "aliases repeat"),
        (MERGED, "aliases"),
        (CHAIN, "levels deep"),
        ("a: &a [*a]", "names nothing"),
        ("a: *b", "names nothing"),
        ("a: !!python/object/apply:os.system [x]", "is not taken"),
        ("a: !!binary AAAA", "is not taken"),
        ("a: !secret x", "is not taken"),
        ("<<: 3", "is a mapping"),
        ("? [a, b]\n: c", "a key is a text"),
        ("a: 1\nb: 2\na: 3", "stands twice"),
        ("a: \0", "no valid YAML"),
        ("x" * (LONGEST + 1), "longer than"),
    ],
)
def test_it_is_a_fault_with_its_line(text: str, words: str) -> None:
    tracemalloc.start()
    _, faults = read_yaml(text, "f.yaml")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert words in faults[0].message
    assert faults[0].place.startswith("f.yaml:")
    assert peak < 40_000_000


def test_what_is_shared_a_little_is_read() -> None:
    (document,), faults = read_yaml("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: [*a, *a]\nd: !!str 1\n", "f.yaml")
    assert faults == []
    assert document.value["b"] == {"x": 1, "y": 3}
    assert document.value["c"] == [{"x": 1, "y": 2}] * 2
    assert document.value["d"] == "1"
    (document,), faults = read_yaml("[" * DEEPEST + "]" * DEEPEST, "f.yaml")
    assert faults == []


def test_a_file_that_does_not_end_is_a_fault(tmp_path: Path) -> None:
    assert "longer than" in read_yaml_file(Path("/dev/zero"), "zero")[1][0].message
    assert "cannot be read" in read_yaml_file(tmp_path, "folder")[1][0].message
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: \xfc\n")
    (fault,) = read_yaml_file(tmp_path / "latin.yaml", "latin.yaml")[1]
    assert fault.place == "latin.yaml:2"


def test_a_folder_that_leads_back_to_itself_is_read_once(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).symlink_to(tmp_path)
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nothing")
    (tmp_path / "sources.yaml").write_text("- a list")
    (tmp_path / "a.yaml").write_text("{type: body, id: x, sources: 3}")
    entries, faults = read_folder(tmp_path)
    assert entries == []
    assert [fault.message for fault in faults] == ["sources are a mapping of keys"] * 2
