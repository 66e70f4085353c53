"""`cab correct` and `cab submit`: a wrong fact mended, and whole records from files."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cab_cli.desk import Desk
from cab_cli.drafts import list_differences, read_value, remove_part, set_part
from cab_cli.submitting import Change, Draft, hand_in
from cab_cli.tables import in_words
from cab_cli.writing import Sending, writes
from cab_registry.domain.errors import Fault, Refusal

SUFFIXES = frozenset({".yaml", ".yml", ".json"})
SHARED = "sources.yaml"
Given = tuple[dict[str, Any], int | None, str | None]
"""A record as a file has it, with the version and the change that it states."""


@writes
def correct(
    sending: Sending,
    record: Annotated[str, typer.Argument(metavar="RECORD", help="Id of the record.")],
    *,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="POINTER=VALUE", help="A place and what it should say; JSON or plain text."),
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option(metavar="POINTER", help="A place that should not be there; repeatable.")
    ] = None,
) -> None:
    """Correct a record that was wrong from the start; answers as of earlier moments of knowledge stay.

    Examples:
      cab correct recognition-us-fcc-fcc-kr0001-1 --set /timeline/1/on=2026-03-02 --reason "Typing error"
      cab correct fcc-kr0001 --set /names/0/name="Suwon EMC Laboratory" --dry-run
    """
    parts = [_part(written) for written in set_ or []]
    if not parts and not remove:
        raise Refusal("say what is wrong", (Fault("--set", "POINTER=VALUE, as /timeline/1/on=2026-03-02"),))

    def prepare(desk: Desk) -> Draft:
        held = desk.read(record)
        document = copy.deepcopy(held.document)
        for pointer, value in parts:
            set_part(document, pointer, value)
        for pointer in sorted(remove or [], reverse=True):
            remove_part(document, pointer)
        found = [
            f"{pointer} from {in_words(before)} to {in_words(after)}"
            for pointer, before, after in list_differences(held.document, document)
        ]
        if not found:
            raise Refusal(f"{record} says so already")
        return Draft(f"{record}: {'; '.join(found)}", [Change.of(held, document, "correction")])

    hand_in(sending, ["correct", record, *(set_ or []), "", *(remove or [])], prepare)


def _part(written: str) -> tuple[str, Any]:
    pointer, equals, value = written.partition("=")
    if not equals:
        raise Refusal("a correction cannot be read", (Fault("--set", "write POINTER=VALUE"),))
    return pointer, read_value(value)


@writes
def submit(
    sending: Sending,
    place: Annotated[
        Path, typer.Argument(metavar="FILE|FOLDER", help="Records in YAML or JSON; a folder with all that is in it.")
    ],
    *,
    correction: Annotated[
        bool, typer.Option("--correction", help="What is there already was wrong from the start.")
    ] = False,
) -> None:
    """Hand in whole records from files, all together or not at all.

    A file holds records, or lists of them. A record without an id gets one; one whose id is there becomes its next
    version. `{expected_version: 3, document: {...}}` in place of a record states the version that it rests on.

    Sources are shared as in the catalogue: records name those of a document of `type: sources` in their file, and of
    `sources.yaml` in their folder or above. So a folder with an agreement of your own is entered as it is.

    Examples:
      cab submit laboratory.yaml --dry-run
      cab submit records/ --reason "Annual review" --yes
      cab submit my-agreement/ --reason "Xanadu-Ybria MRA, as signed" --yes
    """
    given = read_records(place)

    def prepare(desk: Desk) -> Draft:
        changes = []
        for document, version, change in given:
            held = desk.find(document["id"]) if document.get("id") else None
            found = version if version is not None else held.version if held is not None else 0
            kind = change or ("correction" if correction and found else None)
            changes.append(Change(document, found, kind, held.document if held is not None else None))
        return Draft(f"{len(changes)} records from {place.name}", changes)

    import json

    words = [json.dumps(each, sort_keys=True, default=str) for each in given]
    hand_in(sending, ["submit", str(correction), *words], prepare)


def read_records(place: Path) -> list[Given]:
    """Read records from a file or a folder, each with the version and the change that it states.

    Raises:
        Refusal: something cannot be read; every fault is listed with file and line.
    """
    if place.is_dir():
        files = sorted(each for each in place.rglob("*") if each.suffix in SUFFIXES and each.is_file())
    else:
        files = [place]
    found: list[Given] = []
    faults: list[Fault] = []
    shared: dict[Path, dict[str, Any]] = {}
    for file in sorted(files, key=lambda each: each.name != SHARED):
        above = [shared[folder] for folder in reversed(file.parents) if folder in shared]
        sources = {key: part for each in above for key, part in each.items()}
        found += _read_file(file, sources, faults)
        if file.name == SHARED:
            shared[file.parent] = sources
    if not found and not faults:
        faults.append(Fault("", "holds no record in .yaml, .yml or .json", str(place)))
    if faults:
        raise Refusal("the records cannot be read", tuple(faults))
    return found


def _read_file(file: Path, sources: dict[str, Any], faults: list[Fault]) -> Iterator[Given]:
    """Yield the records of a file; sources that it shares are added to those that it was given."""
    from cab_registry.register.yaml_text import read_yaml_file

    # JSON is YAML; read as such it gets lines too.
    documents, wrong = read_yaml_file(file, str(file))
    faults += wrong
    for located in documents:
        values = located.value if isinstance(located.value, list) else [located.value]
        for index, value in enumerate(values):
            pointer = f"/{index}" if isinstance(located.value, list) else ""
            if value is not None and not isinstance(value, dict):
                faults.append(Fault(pointer, "a record is a mapping of keys", located.place(pointer)))
            elif value is not None and not isinstance(_unwrap(value)[0].get("sources") or {}, dict):
                faults.append(Fault(f"{pointer}/sources", "sources are a mapping of keys", located.place(pointer)))
            elif value is not None and value.get("type") == "sources":
                sources |= {key: part for key, part in value.items() if key != "type"}
            elif value is not None:
                document, version, change = _unwrap(value)
                yield _with_sources(document, sources), version, change


def _with_sources(document: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """Give a record those of the shared sources that it names and does not state."""
    from cab_registry.register.catalogue import named_sources

    own = document.get("sources") or {}
    more = {key: shared[key] for key in sorted(set(named_sources(document))) if key in shared and key not in own}
    return {**document, "sources": {**own, **more}} if more else document


def _unwrap(value: dict[str, Any]) -> tuple[dict[str, Any], int | None, str | None]:
    inner = value.get("document")
    if isinstance(inner, dict) and "type" not in value:
        version = value.get("expected_version")
        return inner, version if isinstance(version, int) else None, value.get("change")
    return value, None, None
