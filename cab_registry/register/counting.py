"""What the catalogue holds, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from cab_registry.domain.records import (
    RECORD_TYPES,
    Agreement,
    Authority,
    Body,
    Coverage,
    Recognition,
    Requirement,
    Route,
)
from cab_registry.register.catalogue import Entry

Tally = dict[str, int]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of records; several versions of a record count once, except in `versions`."""

    records: int
    versions: int
    by_type: Tally
    by_part: Tally
    agreements_by_family: Tally
    routes_by_family: Tally
    routes_by_result_kind: Tally
    routes_by_duty: Tally
    routes_by_confidence: Tally
    authorities_by_role: Tally
    requirements_by_sector: Tally
    bodies_by_kind: Tally
    bodies_by_economy: Tally
    recognitions_by_giver: Tally
    recognised_authorities: int
    coverage_by_completeness: Tally
    sources: int


def _tally(values: Iterable[str]) -> Tally:
    return dict(sorted(Counter(values).items()))


def _part(entry: Entry) -> str:
    """Return the first two folders of a record's file."""
    return "/".join(entry.located.file.split("/")[:2])


def count_entries(entries: Sequence[Entry]) -> Counts:
    """Count the records of a catalogue."""
    latest = {entry.record.id: entry for entry in entries}
    records = [entry.record for entry in latest.values()]
    types: dict[type, str] = {struct: name for name, struct in RECORD_TYPES.items()}
    families = {record.id: record.family for record in records if isinstance(record, Agreement)}
    routes = [record for record in records if isinstance(record, Route)]
    authorities = [record for record in records if isinstance(record, Authority)]
    requirements = [record for record in records if isinstance(record, Requirement)]
    bodies = [record for record in records if isinstance(record, Body)]
    recognitions = [record for record in records if isinstance(record, Recognition)]
    inspectorates = {record.id for record in authorities}
    return Counts(
        records=len(records),
        versions=len(entries),
        by_type={name: sum(types[type(record)] == name for record in records) for name in RECORD_TYPES},
        by_part=_tally(_part(entry) for entry in latest.values()),
        agreements_by_family=_tally(families.values()),
        routes_by_family=_tally(families.get(record.agreement or "", "no agreement") for record in routes),
        routes_by_result_kind=_tally(kind for record in routes for kind in record.result_kinds),
        routes_by_duty=_tally(record.duty for record in routes),
        routes_by_confidence=_tally(record.confidence for record in routes),
        authorities_by_role=_tally(role for record in authorities for role in record.roles),
        requirements_by_sector=_tally(record.sector or "no sector" for record in requirements),
        bodies_by_kind=_tally(kind for record in bodies for kind in record.kinds),
        bodies_by_economy=_tally(record.economy for record in bodies),
        recognitions_by_giver=_tally(record.by for record in recognitions),
        recognised_authorities=len({record.body for record in recognitions} & inspectorates),
        coverage_by_completeness=_tally(record.completeness for record in records if isinstance(record, Coverage)),
        sources=len({(source.title, source.address) for record in records for source in record.sources.values()}),
    )
