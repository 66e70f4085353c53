"""Portfolios in files: a table with the names of flat questions as headings, or a document on each line."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

from cab_cli.cleaning import clean
from cab_cli.client import Client
from cab_cli.csv_reading import say_kind
from cab_cli.spreadsheets import Line, open_table
from cab_cli.target_checks import RegisterWords, list_target_faults
from cab_cli.texts import NotJson, parse_json
from cab_registry.domain.errors import MOST_FAULTS, Fault, Refusal
from cab_registry.domain.nearest import find_nearest
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


class Portfolio(NamedTuple):
    """What a file asks to watch, and what is wrong with the file itself; rows with faults are there, too."""

    rows: list[PortfolioRow]
    faults: list[Fault]


def read_portfolio(file: Path) -> list[PortfolioRow]:
    """Read a portfolio by the ending of its name: .jsonl, or .csv, .tsv and .xlsx.

    Raises:
        Refusal: it cannot be read; every fault is listed with its line.
    """
    rows, faults = list_portfolio(file)
    if faults:
        raise _refuse(faults)
    return rows


def check_portfolio(file: Path, client: Client, today: date) -> list[PortfolioRow]:
    """Read a portfolio, and hold its rows to the register, so that all faults come in one round.

    Args:
        file: the portfolio.
        client: reads the register.
        today: the day on which standing questions are asked.

    Raises:
        Refusal: something cannot be watched; the faults of all lines are listed, the first hundred of them.
    """
    rows, faults = list_portfolio(file)
    register = RegisterWords(client)
    named: dict[str, str] = {}
    for row in rows:
        name = row.target.get("row")
        if isinstance(name, str) and named.setdefault(name, row.place) != row.place:
            faults.append(Fault("/row", f"{named[name]} is called {name!r} already", row.place))
        known = {fault.pointer for fault in faults if fault.place == row.place}
        found = list_target_faults(row.target, register, today)
        faults += [Fault(each.pointer, each.message, row.place) for each in found if each.pointer not in known]
    if faults:
        raise _refuse(faults)
    return rows


def _refuse(faults: list[Fault]) -> Refusal:
    listed = sorted(faults, key=lambda fault: int(fault.place.rpartition(":")[2] or 0) if ":" in fault.place else 0)
    found = f": it has {len(listed)} faults" if len(listed) > MOST_FAULTS else ""
    return Refusal(f"the portfolio cannot be read{found}", listed)


def list_portfolio(file: Path) -> Portfolio:
    """Read a portfolio with all that is wrong with the file.

    Raises:
        Refusal: it is not a table and not lines of JSON, or has more rows than one watch may.
    """
    from cab_registry.services.watching.targets import MOST_ROWS

    faults: list[Fault] = []
    in_lines = file.suffix.lower() in {".jsonl", ".ndjson"}
    rows: list[PortfolioRow] = []
    with closing(_read_lines(file, faults) if in_lines else _read_table(file, faults)) as read:
        for row in read:
            rows.append(row)
            if len(rows) > MOST_ROWS:
                raise Refusal(f"{file} has more than {MOST_ROWS} rows, which is the most for one watch; split it")
    if not rows and not faults:
        faults.append(Fault("", "holds nothing to watch", str(file)))
    return Portfolio(rows, faults)


def place_faults(refusal: Refusal, rows: list[PortfolioRow]) -> Refusal:
    """Return a refusal of the server whose faults name the lines of the file."""
    return Refusal(str(refusal), (_place(each, rows) for each in refusal.faults), more=refusal.more)


def _place(fault: Fault, rows: list[PortfolioRow]) -> Fault:
    number, slash, rest = fault.pointer.removeprefix(_PREFIX).partition("/")
    if not fault.pointer.startswith(_PREFIX) or not number.isdecimal() or int(number) >= len(rows):
        return fault
    return Fault(slash + rest, fault.message, rows[int(number)].place)


def _read_lines(file: Path, faults: list[Fault]) -> Generator[PortfolioRow, None, None]:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise Refusal(f"{file} cannot be read: {error.strerror}") from None
    if kind := say_kind(raw):
        raise Refusal(f"{file} {kind}")
    try:
        lines = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        place = f"{file}:{raw.count(bytes([10]), 0, error.start) + 1}"
        fault = Fault("", "save the file as UTF-8, which JSON is written in", place)
        raise Refusal(f"{file} is not in UTF-8", (fault,)) from None
    for number, line in enumerate(lines, 1):
        place = f"{file}:{number}"
        if not line.strip():
            continue
        try:
            document = parse_json(line)
        except NotJson as error:
            faults.append(Fault("", f"is no JSON: {error}", place))
            continue
        if not isinstance(document, dict):
            faults.append(Fault("", "is no JSON object", place))
        elif "result" in document:
            yield PortfolioRow(place, {"kind": "question", "question": document})
        else:
            yield PortfolioRow(place, document)


def _read_table(file: Path, faults: list[Fault]) -> Generator[PortfolioRow, None, None]:
    from cab_registry.services.flat import list_fields

    fields = list_fields(AskedQuestion)
    known = {*_OWN, *fields}
    words: list[str] = []
    with open_table(file, tell=words.append) as lines:
        first = next(lines, None)
        headings = [clean(each).text for each in first.cells] if first is not None else []
        place = f"{file}:{first.number if first is not None else 1}"
        for heading in dict.fromkeys(headings):
            if heading not in known:
                faults.append(Fault("", _suggest(heading, known), place))
            elif headings.count(heading) > 1:
                faults.append(Fault("", f"the column {heading} is there more than once", place))
        for line in lines:
            place = f"{file}:{line.number}"
            faults += (Fault("", words, place) for words in _list_misfits(line, headings))
            cells = {
                name: text
                for name, cell in zip(headings, line.cells, strict=False)
                if name in known and (text := clean(cell).text)
            }
            target, found = _build(cells, fields)
            faults.extend(Fault(each.pointer, each.message, place) for each in found)
            yield PortfolioRow(place, target)


def _list_misfits(line: Line, headings: list[str]) -> Iterator[str]:
    """Say what a line holds that cannot be a cell below a heading."""
    have, want = len(line.cells), len(headings)
    if line.hidden:
        yield "is hidden in the spreadsheet: show the row, or delete it"
    if any(cell.strip() for cell in line.cells[want:]) or (line.loose and have < want):
        yield f"has {have} cells, and there are {want} headings"
    for index, cell in enumerate(line.cells[:want]):
        mark = line.marks.get(index)
        if mark is not None and mark.kind in {"wrong", "formula", "decimal"}:
            yield f"{headings[index]}: {'is a formula' if mark.kind == 'formula' else mark.words}"
        elif (fault := clean(cell).fault) is not None:
            yield f"{headings[index]}: {fault}"


def _suggest(heading: str, known: set[str]) -> str:
    near = find_nearest(heading, known)
    return f"no column is called {heading!r}" + (f"; did you mean {near}?" if near else "")


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
