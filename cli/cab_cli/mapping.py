"""The mapping file of an import: which column is which field, what holds for every row, how days are written."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from cab_cli.desk import RIGHTS
from cab_cli.spreadsheets import Line
from cab_registry.domain.days import DayError, parse_day
from cab_registry.domain.errors import Fault, Refusal

BODY_FIELDS: Final = ("id", "name", "other_name", "economy", "kind", "from", "note")
SITE_FIELDS: Final = ("site.key", "site.economy", "site.address")
RIGHT_FIELDS: Final = (
    "by", "agreement", "annex", "scheme", "site", "standard", "edition", "number", "validity", "from", "until",
)  # fmt: skip
LISTS: Final = ("standards", "product_classes", "procedures", "result_kinds")
SCOPE_FIELDS: Final = ("key", "requirement", *LISTS, "text", "from", "until")
_FIELD: Final = re.compile(
    rf"body\.(?:{'|'.join((*BODY_FIELDS, *SITE_FIELDS))}|identifier\.[a-z0-9]+(?:-[a-z0-9]+)*)"
    rf"|(?:{'|'.join(RIGHTS)})\.(?:{'|'.join((*RIGHT_FIELDS, *(f'scope.{each}' for each in SCOPE_FIELDS)))})"
)
_DAYS: Final = ("from", "until")


class MappingFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a mapping file holds."""

    columns: Annotated[dict[str, str], Meta(min_length=1, description="Heading of a column: field.")]
    constants: Annotated[dict[str, str], Meta(description="Field: value, where the row has none.")] = {}
    values: Annotated[
        dict[str, dict[str, str]], Meta(description="Heading of a column: what is in a cell: what it means.")
    ] = {}
    date_formats: Annotated[
        tuple[str, ...], Meta(description="How days are written, as %d.%m.%Y; YYYY-MM-DD always goes.")
    ] = ()
    separator: Annotated[str, Meta(min_length=1, description="Between several values in one cell.")] = ";"
    sheet: Annotated[str | None, Meta(description="Name of the sheet; the first.")] = None
    header_row: Annotated[int, Meta(ge=1, description="Line on which the headings stand.")] = 1
    encoding: Annotated[str, Meta(description="How a CSV file spells its letters.")] = "utf-8-sig"
    reason: Annotated[str | None, Meta(description="Public reason, where the command names none.")] = None


class RowFault(msgspec.Struct, frozen=True):
    """What is wrong with a row, and in which column."""

    line: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table, by field; days are ISO, lists are still one text."""

    line: int
    values: Mapping[str, str]

    def part(self, kind: str) -> dict[str, str]:
        """Return the fields of the body or of one right, without the kind before them."""
        stem = f"{kind}."
        return {name[len(stem) :]: value for name, value in self.values.items() if name.startswith(stem)}


class RowReader:
    """Reads lines as rows, by a mapping and the headings of a table."""

    def __init__(self, mapping: MappingFile, headings: Sequence[str]) -> None:
        self.mapping = mapping
        self.headings = list(headings)
        faults = [
            Fault(f"/columns/{heading}", f"the table has no such column; it has: {', '.join(filter(None, headings))}")
            for heading in mapping.columns
            if heading not in headings
        ]
        faults += [
            Fault(f"/columns/{heading}", "the table has two columns of that name")
            for heading in mapping.columns
            if list(headings).count(heading) > 1
        ]
        if faults:
            raise Refusal("the mapping does not fit the table", tuple(faults))
        self._fields = [(index, name, mapping.columns[name]) for index, name in enumerate(headings) if name in
                        mapping.columns]  # fmt: skip
        self._headings = {field: heading for heading, field in mapping.columns.items()}

    def unread(self) -> list[str]:
        """Return the headings that the mapping does not name."""
        return [heading for heading in self.headings if heading and heading not in self.mapping.columns]

    def heading_of(self, field: str) -> str:
        """Return the column that holds a field; nothing where it is a constant."""
        return self._headings.get(field, "")

    def from_columns(self, kind: str) -> bool:
        """Whether a column holds anything of the body or of a right."""
        return any(field.startswith(f"{kind}.") for field in self.mapping.columns.values())

    def read(self, line: Line, faults: list[RowFault]) -> Row | None:
        """Read a line; what is wrong with it is added to the faults, and nothing comes back."""
        values: dict[str, str] = {}
        found = len(faults)
        for index, heading, field in self._fields:
            cell = line.cells[index] if index < len(line.cells) else ""
            text = self.mapping.values.get(heading, {}).get(cell, cell)
            if not text:
                continue
            if field.rpartition(".")[2] in _DAYS:
                day = self._read_day(text)
                if day is None:
                    ways = ", ".join(("YYYY-MM-DD", *self.mapping.date_formats))
                    faults.append(RowFault(line.number, heading, cell, f"is no day; days are written: {ways}"))
                    continue
                text = day
            values[field] = text
        if len(faults) > found:
            return None
        return Row(line.number, {**self.mapping.constants, **values})

    def _read_day(self, text: str) -> str | None:
        if text == "always":
            return text
        try:
            parse_day(text)
        except DayError:
            pass
        else:
            return text
        for form in self.mapping.date_formats:
            try:
                return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 - a day has no zone
            except ValueError:
                continue
        return None

    def split(self, text: str) -> list[str]:
        """Return the several values of one cell."""
        return [part.strip() for part in text.split(self.mapping.separator) if part.strip()]


def read_mapping(place: Path) -> MappingFile:
    """Read a mapping file.

    Raises:
        Refusal: it cannot be read, or names fields that there are not; every fault is listed.
    """
    from cab_registry.register.yaml_text import read_yaml

    try:
        text = place.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{place} cannot be read: {error}") from None
    documents, faults = read_yaml(text, str(place))
    if faults or len(documents) != 1:
        raise Refusal("the mapping cannot be read", tuple(faults) or (Fault("", "one document", str(place)),))
    try:
        mapping = msgspec.convert(_texts(documents[0].value), MappingFile)
    except msgspec.ValidationError as error:
        raise Refusal(f"the mapping {place} cannot be taken: {error}") from None
    unknown = [
        Fault(f"/{part}/{key}", f"{field!r} is no field", documents[0].place(f"/{part}/{key}"))
        for part, key, field in _named_fields(mapping)
        if not _FIELD.fullmatch(field)
    ]
    doubled = [
        Fault(f"/columns/{heading}", f"{field!r} has another column too", documents[0].place(f"/columns/{heading}"))
        for heading, field in mapping.columns.items()
        if list(mapping.columns.values()).count(field) > 1
    ]
    if unknown or doubled:
        more = (
            Fault(
                "", "fields: body.name, body.identifier.SCHEME, designation.scope.requirement ...; see docs/import.md"
            ),
        )
        raise Refusal("the mapping names what there is not", (*unknown, *doubled, *(more if unknown else ())))
    return mapping


def _named_fields(mapping: MappingFile) -> Iterable[tuple[str, str, str]]:
    yield from (("columns", heading, field) for heading, field in mapping.columns.items())
    yield from (("constants", field, field) for field in mapping.constants)


def _texts(value: Any) -> Any:
    """A constant such as 2017 is meant as it is spelt."""
    if isinstance(value, dict) and isinstance(value.get("constants"), dict):
        constants = {key: str(each) if isinstance(each, int) else each for key, each in value["constants"].items()}
        return {**value, "constants": constants}
    return value
