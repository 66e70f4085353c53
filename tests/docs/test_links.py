"""Links lead somewhere, and files that are named are there."""

import re
from collections import Counter
from pathlib import Path

LINK = re.compile(r"\]\(([^)\s]+)\)")
HELD = re.compile(r"\[([a-z0-9 ]+)\]\(\.\./(tests/[\w/]+\.py)\)")
NAMED = re.compile(r"`((?:cab_registry|cli|tests|docs|schemas|migrations|bench)/[\w./-]*)`")
HEADING = ("| what stops them | held by |", "| --- | --- |")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
FIGURE = re.compile(r"^\s*(?:[\w./-]+/ ?)+", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: Counter[str] = Counter()
    made = set()
    for heading in re.findall(r"^#+ (.*)$", FENCED.sub("", text), re.MULTILINE):
        base = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        made.add(base if not found[base] else f"{base}-{found[base]}")
        found[base] += 1
    return made


def test_each_relative_link_leads_to_a_file_and_a_heading(pages: dict[str, str], checkout: Path) -> None:
    dead = []
    for name, text in pages.items():
        for target in LINK.findall(FENCED.sub("", text)):
            if "://" in target:
                continue
            path, _, anchor = target.partition("#")
            file = (checkout / name).parent / path if path else checkout / name
            if not file.exists() or (anchor and anchor not in anchors(file.read_text("utf-8"))):
                dead.append(f"{name}: {target}")
    assert dead == []


def test_each_file_that_is_named_is_there(pages: dict[str, str], checkout: Path) -> None:
    dead = [
        f"{name}: {path}"
        for name, text in pages.items()
        for path in NAMED.findall(text)
        if not (checkout / path).exists()
    ]
    assert dead == []


def test_the_layout_in_the_readme_names_folders_that_are_there(pages: dict[str, str], checkout: Path) -> None:
    layout = next(text for text in re.findall(r"```text\n(.*?)```", pages["README.md"], re.DOTALL) if "engine/" in text)
    named = [path for line in FIGURE.findall(layout) for path in line.split()]
    assert len(named) >= 10
    assert [path for path in named if not (checkout / path).is_dir()] == []
    assert [line for line in layout.splitlines() if not (checkout / line.split()[0]).exists()] == []


def test_no_page_names_a_machine(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        assert not re.search(r"(?<![\w.])/(?:work|root|home|Users|tmp)/", text), name


def test_each_claim_of_the_threat_model_names_a_test_that_is_there(pages: dict[str, str], checkout: Path) -> None:
    text = pages["docs/threat-model.md"]
    held = HELD.findall(text)
    assert len(held) >= 20
    gone = [
        f"{file}: {words}"
        for words, file in held
        if f"def test_{words.replace(' ', '_')}(" not in (checkout / file).read_text("utf-8")
    ]
    assert gone == []
    section = text.partition("## What stops them")[2].partition("## What does not stop them")[0]
    claims = [line for line in section.splitlines() if line.startswith("| ")]
    assert [line for line in claims if not HELD.search(line) and line not in HEADING] == []
