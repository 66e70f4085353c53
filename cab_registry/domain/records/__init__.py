"""The register's records: documents of one type each, read into frozen values (records.md)."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from cab_registry.domain.records.common import Record, Source, read_custom, write_custom
from cab_registry.domain.records.law import Agreement, Authority, Coverage, Economy, Requirement
from cab_registry.domain.records.rights import Accreditation, Body, Designation, Recognition
from cab_registry.domain.records.route import Route
from cab_registry.domain.records.statements import Notice, Position

AnyRecord = (
    Economy
    | Authority
    | Requirement
    | Agreement
    | Route
    | Body
    | Accreditation
    | Designation
    | Recognition
    | Position
    | Notice
    | Coverage
)

RECORD_TYPES: Final[dict[str, type[Record]]] = {
    "economy": Economy,
    "authority": Authority,
    "requirement": Requirement,
    "agreement": Agreement,
    "route": Route,
    "body": Body,
    "accreditation": Accreditation,
    "designation": Designation,
    "recognition": Recognition,
    "position": Position,
    "notice": Notice,
    "coverage": Coverage,
}


def read_record(document: dict[str, Any]) -> AnyRecord:
    """Read one plain document into its record.

    Raises:
        msgspec.ValidationError: the document is no valid record; the message names the first fault only.
    """
    record: AnyRecord = msgspec.convert(document, AnyRecord, dec_hook=read_custom)
    return record


def write_record(record: Record) -> dict[str, Any]:
    """Return the plain document of a record."""
    plain: dict[str, Any] = msgspec.to_builtins(record, enc_hook=write_custom)
    return plain


__all__ = [
    "RECORD_TYPES",
    "Accreditation",
    "Agreement",
    "AnyRecord",
    "Authority",
    "Body",
    "Coverage",
    "Designation",
    "Economy",
    "Notice",
    "Position",
    "Recognition",
    "Record",
    "Requirement",
    "Route",
    "Source",
    "read_record",
    "write_record",
]
