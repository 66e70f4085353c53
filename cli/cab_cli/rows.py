"""Rows of a table by field: what each cell is taken to mean, what was done to it, and what is wrong with it."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import msgspec

from cab_cli.cell_kinds import DAYS, ENDS, LONG, NUMBER, find_placeholder, fits_mark
from cab_cli.cleaning import clean
from cab_cli.desk import RIGHTS
from cab_cli.economy_words import suggest_economy
from cab_cli.headings import clean_heading, match_headings, tell_unread
from cab_cli.mapping import ANY_RIGHT, LISTS, RIGHT_FIELDS, MappingFile
from cab_cli.misfits import find_misfit
from cab_cli.row_days import read_day
from cab_cli.row_lists import KnownCodes, find_several_methods, read_list, split_values
from cab_cli.row_numbers import find_odd_lengths, read_named_number, read_number, require_schemes
from cab_cli.spreadsheets import Line
from cab_cli.workbooks import Mark
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.domain.folding import find_folded
from cab_registry.domain.schemes import SCHEMES


class RowFault(msgspec.Struct, frozen=True):
    """What is wrong with a row, and in which column."""

    line: int
    column: str
    value: str
    reason: str


class RowNote(msgspec.Struct, frozen=True):
    """What was done to a cell, or to a row, without making it wrong."""

    line: int
    column: str
    value: str
    read_as: str
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table, by field; days are ISO, lists are still one text.

    Attributes:
        line: on which it begins.
        values: by field.
        numbers: scheme and value of each number of the body.
        refused: whether something is wrong with it; then it only says whom it may be about.
        cells: of a refused row, as they stand.
    """

    line: int
    values: Mapping[str, str]
    numbers: tuple[tuple[str, str], ...] = ()
    refused: bool = False
    cells: tuple[str, ...] = ()

    def part(self, kind: str) -> dict[str, str]:
        """Return the fields of the body or of one right, without the kind before them."""
        stem = f"{kind}."
        return {name[len(stem) :]: value for name, value in self.values.items() if name.startswith(stem)}


class Findings:
    """What is told of rows: faults, and what was done to cells."""

    def __init__(self) -> None:
        self.faults: list[RowFault] = []
        self.notes: list[RowNote] = []


def _any_word(_field: str) -> None:
    """Give no codes: any word is taken."""


class OnRecord(NamedTuple):
    """What the register holds, as it is written there; a cell that says the same is right.

    Attributes:
        names: of bodies.
        numbers: of bodies, with their schemes.
        codes: gives the codes that a field takes.
        unions: codes of economies in which no body has its seat.
    """

    names: frozenset[str] = frozenset()
    numbers: frozenset[tuple[str, str]] = frozenset()
    codes: KnownCodes = _any_word
    unions: frozenset[str] = frozenset()


_NOTHING: Final = OnRecord()


class _Cell(NamedTuple):
    """A cell that a field is read from."""

    line: int
    heading: str
    field: str
    raw: str

    def fault(self, reason: str) -> RowFault:
        return RowFault(self.line, self.heading, self.raw, reason)

    def note(self, read_as: str, reason: str) -> RowNote:
        return RowNote(self.line, self.heading, self.raw, read_as, reason)


class RowReader:
    """Reads lines as rows, by a mapping, the headings of a table and the economies of the register."""

    def __init__(
        self,
        mapping: MappingFile,
        headings: Sequence[str],
        economies: Mapping[str, Iterable[str]] | None = None,
        tell: Callable[[str], None] = lambda _: None,
        on_record: OnRecord = _NOTHING,
    ) -> None:
        self._on_record = on_record
        self.mapping = mapping
        self.headings = [clean_heading(heading, tell) for heading in headings]
        self._economies = economies
        # Each word is looked up once, however many rows have it.
        self._meant: dict[str, tuple[str, ...]] = {}
        self._hints: dict[str, str] = {}
        self._fields = match_headings(mapping, self.headings)
        self._headings = {field: self.headings[index] for index, field in self._fields}
        tell_unread(self.headings, {index for index, _ in self._fields}, tell)
        self._schemes = frozenset(scheme for scheme, _ in on_record.numbers)
        columns = {field: f"/columns/{heading}" for field, heading in self._headings.items()}
        fields = columns | {field: f"/constants/{field}" for field in mapping.constants}
        named = {field.removeprefix(NUMBER): place for field, place in fields.items() if field.startswith(NUMBER)}
        require_schemes(named, self._schemes, tell)
        self._constants = self._read_constants(tell)

    def _read_constants(self, tell: Callable[[str], None]) -> dict[str, str]:
        """Read what the mapping states for every row as cells are read; what is wrong is told once."""
        found = Findings()
        constants: dict[str, str] = {}
        for field, raw in self.mapping.constants.items():
            text = self._read_text(_Cell(0, field, field, raw), None, found, [])
            if text is not None:
                constants[field] = text
        if found.faults:
            wrong = (Fault(f"/constants/{each.column}", f"{each.value!r} {each.reason}") for each in found.faults)
            raise Refusal("the mapping cannot be used", tuple(wrong))
        for note in found.notes:
            tell(f"the constant {note.column}, {note.value!r}: {note.reason}")
        return constants

    def unread(self) -> list[str]:
        """Return the headings that the mapping does not name."""
        mapped = {index for index, _ in self._fields}
        return [heading for index, heading in enumerate(self.headings) if heading and index not in mapped]

    def heading_of(self, field: str) -> str:
        """Return the column that holds a field; nothing where it is a constant."""
        kind, dot, rest = field.partition(".")
        anyhow = f"{ANY_RIGHT}{dot}{rest}" if kind in RIGHTS else ""
        return self._headings.get(field) or self._headings.get(anyhow, "")

    def field_of(self, heading: str) -> str:
        """Return the field that a column holds."""
        return next((field for field, each in self._headings.items() if each == heading), "")

    def schemes(self) -> list[str]:
        """Return the schemes of the columns that hold numbers."""
        return [field.removeprefix(NUMBER) for field in self._headings if field.startswith(NUMBER)]

    def from_columns(self, kind: str) -> bool:
        """Whether a column holds anything of the body or of a right."""
        return any(field.startswith((f"{kind}.", f"{ANY_RIGHT}.")) for field in self._headings)

    def read(self, line: Line, found: Findings) -> Row:
        """Read a line; what is wrong with it is added to what was found, and the row says that it is refused."""
        before = len(found.faults)
        if (fault := self._find_misfit(line, found)) is not None:
            found.faults.append(fault)
            return Row(line.number, {}, refused=True, cells=tuple(line.cells))
        values: dict[str, str] = {}
        numbers: list[tuple[str, str]] = []
        for index, field in self._fields:
            raw = line.cells[index] if index < len(line.cells) else ""
            cell = _Cell(line.number, self.headings[index], field, raw)
            text = self._read_cell(cell, line, index, found, numbers)
            if text is not None:
                values[field] = text
        merged = {name: value for name, value in ({**self._constants, **values}).items() if value}
        row = Row(line.number, self._settle_kind(merged, line.number, found), self._all_numbers(merged, numbers))
        refused = len(found.faults) > before
        self._note_missing_number(row, found, {each.column for each in found.faults[before:]})
        return replace(row, refused=refused, cells=tuple(line.cells) if refused else ())

    def _find_misfit(self, line: Line, found: Findings) -> RowFault | None:
        """Say why a line does not fit below the headings."""
        names = (index for index, field in self._fields if field == "body.name" and index < len(line.cells))
        name = next((index for index in names if line.cells[index] not in self._on_record.names), None)
        if (misfit := find_misfit(line, self.headings, len(self._fields), name)) is not None:
            return RowFault(line.number, "", *misfit)
        if line.loose and len(line.cells) > len(self.headings):
            more = len(line.cells) - len(self.headings)
            found.notes.append(RowNote(line.number, "", "", "", f"has {more} empty cells too many at its end"))
        return None

    def _read_cell(
        self, cell: _Cell, line: Line, index: int, found: Findings, numbers: list[tuple[str, str]]
    ) -> str | None:
        """Return what a cell means; nothing where it is empty or wrong, an empty text where it says: nothing."""
        name = cell.field.rpartition(".")[2]
        said = self.mapping.values.get(cell.heading, {})
        if (meaning := said.get(cell.raw, said.get(cell.raw.strip()))) is not None:
            quiet = Findings()
            text = self._read_field(cell, name, meaning, quiet, numbers)
            found.faults += quiet.faults
            return text
        mark = line.marks.get(index)
        if mark is not None and (mark.kind == "wrong" or not fits_mark(mark.kind, cell.field, name)):
            found.faults.append(
                cell.fault("is a formula: write the value itself" if mark.kind == "formula" else mark.words)
            )
            return None
        return self._read_text(cell, mark, found, numbers)

    def _read_text(self, cell: _Cell, mark: Mark | None, found: Findings, numbers: list[tuple[str, str]]) -> str | None:
        """Return what a text means for a field; nothing where it is empty or wrong."""
        name = cell.field.rpartition(".")[2]
        if not cell.raw:
            return None
        if cell.field == "body.name" and cell.raw in self._on_record.names:
            return cell.raw
        cleaned = clean(cell.raw, lines=name in LONG)
        if cleaned.fault is not None:
            found.faults.append(cell.fault(cleaned.fault))
            return None
        if not cleaned.text:
            return None
        for words in (*cleaned.done, *((mark.words,) if mark is not None and mark.kind != "day" else ())):
            found.notes.append(cell.note(cleaned.text, words))
        if (fault := find_placeholder(cleaned.text, name)) is not None:
            found.faults.append(cell.fault(fault))
            return None
        return self._read_field(cell, name, cleaned.text, found, numbers)

    def _read_field(
        self, cell: _Cell, name: str, text: str, found: Findings, numbers: list[tuple[str, str]]
    ) -> str | None:
        if not text:
            return ""
        if name in DAYS:
            return self._read_day(cell, text, found, end=name in ENDS)
        if name == "economy":
            return self._read_economy(cell, text, found)
        if cell.field.startswith(NUMBER) or name == "number":
            scheme = cell.field.removeprefix(NUMBER) if cell.field.startswith(NUMBER) else None
            return self._read_number(cell, scheme, text, found, numbers)
        if name == "identifiers":
            return self._read_numbers(cell, text, found, numbers)
        if name in LISTS or cell.field in {"body.kind", "body.other_name"}:
            return self._read_list(cell, name, text, found)
        if name == "standard" and (several := find_several_methods(text)) is not None:
            found.faults.append(cell.fault(f"{several}: write one in a row"))
            return None
        return text

    def _read_list(self, cell: _Cell, name: str, text: str, found: Findings) -> str | None:
        separator = self.mapping.separator
        read = read_list(name, text, separator, self._on_record.codes)
        if read.fault is not None:
            found.faults.append(cell.fault(read.fault))
            return None
        whole = separator.join(read.values)
        found.notes += [cell.note(whole, words) for words in read.done]
        return whole

    def _read_day(self, cell: _Cell, text: str, found: Findings, *, end: bool) -> str | None:
        day = read_day(text, self.mapping.date_formats, end=end)
        if day.fault is not None:
            found.faults.append(cell.fault(day.fault))
            return None
        if day.done is not None:
            found.notes.append(cell.note(day.value, day.done))
        return day.value

    def _read_economy(self, cell: _Cell, text: str, found: Findings) -> str | None:
        if self._economies is None:
            return text
        if text not in self._meant:
            self._meant[text] = find_folded(text, self._economies)
        codes = self._meant[text]
        if len(codes) == 1 and codes[0] in self._on_record.unions and cell.field.startswith("body."):
            found.faults.append(cell.fault("is a union of economies, in which no body has its seat: name the economy"))
            return None
        if len(codes) == 1:
            if codes[0] != text:
                name = next(iter(self._economies[codes[0]]), "")
                found.notes.append(cell.note(codes[0], f"read as {codes[0]}{f' ({name})' if name else ''}"))
            return codes[0]
        if text not in self._hints:
            unknown = f"is not an economy of the register{suggest_economy(text, self._economies)}"
            self._hints[text] = f"can mean {' or '.join(codes)}: write the code" if codes else unknown
        found.faults.append(cell.fault(self._hints[text]))
        return None

    def _read_number(
        self, cell: _Cell, scheme: str | None, text: str, found: Findings, numbers: list[tuple[str, str]]
    ) -> str | None:
        if scheme is not None and (scheme, text) in self._on_record.numbers:
            numbers.append((scheme, text))
            return text
        read = read_number(scheme, text)
        if read.fault is not None:
            found.faults.append(cell.fault(read.fault))
            return None
        found.notes += [cell.note(read.value, words) for words in read.done]
        if scheme is not None:
            numbers.append((scheme, read.value))
        return read.value

    def _read_numbers(self, cell: _Cell, text: str, found: Findings, numbers: list[tuple[str, str]]) -> str | None:
        if not (parts := self.split(text)):
            found.faults.append(cell.fault("has nothing between its separators: leave it empty, or write numbers"))
        for part in parts:
            number = read_named_number(part, self._schemes)
            if number.fault is not None:
                found.faults.append(cell.fault(number.fault))
                return None
            found.notes += [cell.note(text, words) for words in number.done]
            self._read_number(cell, number.scheme, number.value, found, numbers)
        return text

    @staticmethod
    def _all_numbers(values: Mapping[str, str], numbers: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        constants = [(name.removeprefix(NUMBER), value) for name, value in values.items() if name.startswith(NUMBER)]
        return tuple(dict.fromkeys((*numbers, *constants)))

    def _settle_kind(self, values: dict[str, str], line: int, found: Findings) -> dict[str, str]:
        """Give the fields of the right that a row names itself the kind of that right."""
        kind = values.pop(f"{ANY_RIGHT}.kind", "")
        named = [name for name in values if name.startswith(f"{ANY_RIGHT}.")]
        if not named and not kind:
            return values
        if kind not in RIGHTS:
            heading = self.heading_of(f"{ANY_RIGHT}.kind")
            words = f"does not say what it is: {', '.join(RIGHTS)}" if kind else "says nothing of what kind it is"
            found.faults.append(RowFault(line, heading, kind, words))
            return values
        for name in named:
            part = name.removeprefix(f"{ANY_RIGHT}.")
            if not part.startswith("scope.") and part not in RIGHT_FIELDS[kind]:
                words = f"cannot be entered: a {kind} has no {part}"
                found.faults.append(RowFault(line, self.heading_of(name), values[name], words))
        return {
            f"{kind}{name.removeprefix(ANY_RIGHT)}" if name in named else name: each for name, each in values.items()
        }

    def _note_missing_number(self, row: Row, found: Findings, wrong: Container[str]) -> None:
        column = next((heading for field, heading in self._headings.items() if field.startswith(NUMBER)), None)
        if column is not None and column not in wrong and not row.numbers and "body.id" not in row.values:
            found.notes.append(
                RowNote(row.line, column, "", "", "has no number; the body is known by its name and economy alone")
            )

    def find_odd_numbers(self, rows: Iterable[Row]) -> list[RowFault]:
        """List the numbers that lost digits, as far as the rest of their column shows it."""
        known = {scheme.id for scheme in SCHEMES}
        columns = [field for field in self._headings if field.startswith(NUMBER)]
        faults: list[RowFault] = []
        for field in columns:
            if field.removeprefix(NUMBER) in known:
                continue
            have = [(row, row.values[field]) for row in rows if field in row.values]
            odd = find_odd_lengths(value for _, value in have)
            faults += [
                RowFault(row.line, self._headings[field], value, odd[value]) for row, value in have if value in odd
            ]
        return faults

    def split(self, text: str) -> list[str]:
        """Return the several values of one cell."""
        return split_values(text, self.mapping.separator)
