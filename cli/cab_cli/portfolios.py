"""Portfolios in files: a table with the names of flat questions as headings, or a document on each line."""

import difflib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from cab_cli.spreadsheets import open_table
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.domain.question import AskedQuestion

LISTS: Final = ";"
"""Stands between the values of a cell, where a question takes several."""

_OWN: Final = ("row", "kind", "id", "requirement", "sector")
_SHARED: Final = "destination"
_ASKING: Final = frozenset({"question", "standing"})
_PREFIX: Final = "/targets/"


class PortfolioRow(NamedTuple):
    """Something to watch, and where it stands in the file."""

    place: str
    target: dict[str, Any]


def read_portfolio(file: Path) -> list[PortfolioRow]:
    """Read a portfolio by the ending of its name: .jsonl, or .csv, .tsv and .xlsx.

    Raises:
        Refusal: it cannot be read; every fault is listed with its line.
    """
    faults: list[Fault] = []
    in_lines = file.suffix.lower() in {".jsonl", ".ndjson"}
    rows = list(_read_lines(file, faults) if in_lines else _read_table(file, faults))
    if not rows and not faults:
        faults.append(Fault("", "holds nothing to watch", str(file)))
    if faults:
        raise Refusal("the portfolio cannot be read", tuple(faults))
    return rows


def place_faults(refusal: Refusal, rows: list[PortfolioRow]) -> Refusal:
    """Return a refusal of the server whose faults name the lines of the file."""
    return Refusal(str(refusal), tuple(_place(each, rows) for each in refusal.faults))


def _place(fault: Fault, rows: list[PortfolioRow]) -> Fault:
    number, slash, rest = fault.pointer.removeprefix(_PREFIX).partition("/")
    if not fault.pointer.startswith(_PREFIX) or not number.isdecimal() or int(number) >= len(rows):
        return fault
    return Fault(slash + rest, fault.message, rows[int(number)].place)


def _read_lines(file: Path, faults: list[Fault]) -> Iterator[PortfolioRow]:
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{file} cannot be read: {error}") from None
    for number, line in enumerate(lines, 1):
        place = f"{file}:{number}"
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except ValueError as error:
            faults.append(Fault("", f"is no JSON: {error}", place))
            continue
        if not isinstance(document, dict):
            faults.append(Fault("", "is no JSON object", place))
        elif "result" in document:
            yield PortfolioRow(place, {"kind": "question", "question": document})
        else:
            yield PortfolioRow(place, document)


def _read_table(file: Path, faults: list[Fault]) -> Iterator[PortfolioRow]:
    from cab_registry.services.flat import list_fields

    fields = list_fields(AskedQuestion)
    known = {*_OWN, *fields}
    with open_table(file) as lines:
        headings = [each.strip() for each in next(lines, (0, []))[1]]
        for heading in headings:
            if heading not in known:
                faults.append(Fault("", _suggest(heading, known), f"{file}:1"))
            elif headings.count(heading) > 1:
                faults.append(Fault("", f"the column {heading} is there more than once", f"{file}:1"))
        for line in lines if not faults else ():
            cells = {name: cell for name, cell in zip(headings, line.cells, strict=False) if cell}
            place = f"{file}:{line.number}"
            target, found = _build(cells, fields)
            faults.extend(Fault(each.pointer, each.message, place) for each in found)
            yield PortfolioRow(place, target)


def _suggest(heading: str, known: set[str]) -> str:
    near = difflib.get_close_matches(heading, known, n=1)
    return f"no column is called {heading!r}" + (f"; did you mean {near[0]}?" if near else "")


def _build(cells: Mapping[str, str], fields: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """Build what is watched from the cells of a row; a row that says no kind is a question."""
    from cab_registry.services.flat import build_document

    target: dict[str, Any] = {"kind": "question", **{name: cells[name] for name in _OWN if name in cells}}
    asked = {name: cell for name, cell in cells.items() if name not in _OWN}
    if target["kind"] not in _ASKING and _SHARED in asked:
        target[_SHARED] = asked.pop(_SHARED)
    pairs = [
        (name, value.strip())
        for name, cell in asked.items()
        for value in (cell.split(LISTS) if fields[name].repeated else [cell])
    ]
    document, faults = build_document(pairs, fields)
    if document:
        target["question"] = document
    return target, faults
