"""The mapping file of an import: which column is which field, what holds for every row, how days are written."""

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from cab_cli.csv_reading import USUAL, look_up
from cab_cli.desk import RIGHTS
from cab_cli.row_days import find_form_fault
from cab_cli.texts import read_text
from cab_registry.domain.errors import Fault, Refusal

BODY_FIELDS: Final = ("id", "name", "name_from", "other_name", "economy", "kind", "identifiers", "from", "note")
SITE_FIELDS: Final = ("site.key", "site.economy", "site.address")
_OF_EVERY_RIGHT: Final = ("by", "site", "from", "until")
_OF_ACCREDITATIONS: Final = (*_OF_EVERY_RIGHT, "standard", "edition", "number", "validity")
_OF_TREATIES: Final = (*_OF_EVERY_RIGHT, "agreement", "annex", "scheme")
RIGHT_FIELDS: Final = {kind: _OF_ACCREDITATIONS if kind == "accreditation" else _OF_TREATIES for kind in RIGHTS}
"""By kind of right what it has beside its scope."""

LISTS: Final = ("standards", "product_classes", "procedures", "result_kinds")
ANY_RIGHT: Final = "right"
"""Stands for the right that the row itself names with `right.kind`."""

SCOPE_FIELDS: Final = ("key", "requirement", *LISTS, "text", "from", "until")
_FIELD: Final = re.compile(
    rf"body\.(?:{'|'.join((*BODY_FIELDS, *SITE_FIELDS))}|identifier\.[a-z0-9]+(?:-[a-z0-9]+)*)"
    rf"|(?:{'|'.join((*RIGHTS, ANY_RIGHT))})\.scope\.(?:{'|'.join(SCOPE_FIELDS)})"
    rf"|{ANY_RIGHT}\.(?:{'|'.join({each: 0 for fields in RIGHT_FIELDS.values() for each in fields})})"
    + "".join(rf"|{kind}\.(?:{'|'.join(fields)})" for kind, fields in RIGHT_FIELDS.items())
    + rf"|{ANY_RIGHT}\.kind"
)


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
    encoding: Annotated[str, Meta(description="How a CSV file spells its letters; a byte order mark in it wins.")] = (
        USUAL
    )
    reason: Annotated[str | None, Meta(description="Public reason, where the command names none.")] = None


def read_mapping(place: Path) -> MappingFile:
    """Read a mapping file.

    Raises:
        Refusal: it cannot be read, or names fields that there are not; every fault is listed.
    """
    from cab_registry.register.yaml_text import read_yaml

    text = read_text(place, "a mapping in YAML")
    documents, faults = read_yaml(text, str(place))
    if faults or len(documents) != 1:
        raise Refusal("the mapping cannot be read", tuple(faults) or (Fault("", "one document", str(place)),))
    try:
        mapping = msgspec.convert(_texts(documents[0].value), MappingFile)
    except msgspec.ValidationError as error:
        raise Refusal(f"the mapping {place} cannot be taken: {error}") from None
    unknown = [
        Fault(f"/{part}/{key}", f"{field!r} is no field{_suggest(field)}", documents[0].place(f"/{part}/{key}"))
        for part, key, field in _named_fields(mapping)
        if not _FIELD.fullmatch(field)
    ]
    doubled = [
        Fault(f"/columns/{heading}", f"{field!r} has another column too", documents[0].place(f"/columns/{heading}"))
        for heading, field in mapping.columns.items()
        if list(mapping.columns.values()).count(field) > 1
    ]
    forms = [
        Fault(f"/date_formats/{index}", words, documents[0].place(f"/date_formats/{index}"))
        for index, form in enumerate(mapping.date_formats)
        if (words := find_form_fault(form))
    ]
    look_up(mapping.encoding)
    if unknown or doubled or forms:
        more = (
            Fault(
                "", "fields: body.name, body.identifier.SCHEME, designation.scope.requirement ...; see docs/import.md"
            ),
        )
        raise Refusal("the mapping cannot be used", (*unknown, *doubled, *forms, *(more if unknown else ())))
    return mapping


_OF_BODIES: Final = {
    "id": "body.id", "name": "body.name", "economy": "body.economy", "kinds": "body.kind",
    "identifiers": "body.identifiers",
}  # fmt: skip
_OF_RIGHTS: Final = {
    "body": "body.id", "name": "body.name", "economy": "body.economy", "kind": "right.kind", "by": "right.by",
    "agreement": "right.agreement", "annex": "right.annex", "scheme": "right.scheme", "standard": "right.standard",
    "edition": "right.edition", "number": "right.number", "site": "right.site", "item": "right.scope.key",
    "requirement": "right.scope.requirement", "standards": "right.scope.standards",
    "product_classes": "right.scope.product_classes", "procedures": "right.scope.procedures",
    "result_kinds": "right.scope.result_kinds", "text": "right.scope.text", "from": "right.scope.from",
    "until": "right.scope.until",
}  # fmt: skip


def mapping_of_export(headings: Sequence[str]) -> MappingFile | None:
    """Return the mapping of a table that `cab export` wrote, by its headings; none for another table."""
    for columns in (_OF_RIGHTS, _OF_BODIES):
        if set(columns) <= set(headings):
            return MappingFile(columns=columns)
    return None


def _suggest(field: str) -> str:
    rights = (
        f"{kind}.{name}"
        for kind, fields in RIGHT_FIELDS.items()
        for name in (*fields, *(f"scope.{each}" for each in SCOPE_FIELDS))
    )
    known = [*(f"body.{name}" for name in (*BODY_FIELDS, *SITE_FIELDS)), *rights]
    near = difflib.get_close_matches(field, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _named_fields(mapping: MappingFile) -> Iterable[tuple[str, str, str]]:
    yield from (("columns", heading, field) for heading, field in mapping.columns.items())
    yield from (("constants", field, field) for field in mapping.constants)


def _texts(value: Any) -> Any:
    """A constant such as 2017 is meant as it is spelt."""
    if isinstance(value, dict) and isinstance(value.get("constants"), dict):
        constants = {key: str(each) if isinstance(each, int) else each for key, each in value["constants"].items()}
        return {**value, "constants": constants}
    return value
