"""The page that shows what the catalogue holds: numbers, and every route of every agreement with its status.

`python -m cab_registry.register.overview --write` writes `docs/catalogue.md` anew.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from cab_registry.domain.days import ALWAYS, NEVER, show_day
from cab_registry.domain.records import Agreement, Route, Source
from cab_registry.domain.records.route import Party
from cab_registry.engine.facts import Force, RouteFacts, Working
from cab_registry.register.catalogue import Entry, load_catalogue
from cab_registry.register.checking import latest_entries
from cab_registry.register.compiled import Versioned
from cab_registry.register.compiled_law import compile_law
from cab_registry.register.counting import Counts, Tally, count_entries

PAGE: Final = "docs/catalogue.md"

_INTRODUCTION: Final = """\
# The catalogue

Made from the catalogue by `python -m cab_registry.register.overview --write`; do not edit.

Which results are accepted where: every route, under its agreement or scheme. The status is that of {day}, the newest
day on which a source was read. A day that is known only roughly is shown as a month, a year or a window.
"""

_FAMILIES: Final[Mapping[str, str]] = {
    "technical": "Agreements on conformity assessment and inspections",
    "internal_market": "Internal markets",
    "unilateral": "Unilateral recognition",
    "accreditation": "Arrangements of accreditation bodies",
    "aeo": "Arrangements on trusted traders",
}

_TALLIES: Final[Mapping[str, str]] = {
    "by_type": "records",
    "agreements_by_family": "agreements by family",
    "routes_by_family": "routes by family",
    "routes_by_result_kind": "routes by kind of result",
    "routes_by_duty": "routes by duty",
    "routes_by_confidence": "routes by confidence",
    "authorities_by_role": "authorities by role",
    "requirements_by_sector": "requirements by sector",
    "bodies_by_kind": "bodies by kind",
    "coverage_by_completeness": "lists by completeness",
}

_FORCES: Final[Mapping[Force, str]] = {
    Force.NONE: "not in force",
    Force.ENDED: "ended",
    Force.SUSPENDED: "suspended",
    Force.UNKNOWN: "uncertain",
}

_WORKS: Final[Mapping[Working, str]] = {
    Working.OPERATIONAL: "operational",
    Working.PILOT: "pilot",
    Working.NOT_YET: "in force, not yet operational",
    Working.UNKNOWN: "in force, uncertain whether operational",
}


def render_overview(entries: Sequence[Entry]) -> str:
    """Return the page as Markdown; it depends on the entries alone."""
    latest = latest_entries(entries)
    compiled = compile_law({entry.record.id: Versioned(entry.record, 1) for entry in latest})
    routes = list(compiled.routes.values())
    day = newest_reading(latest)
    lines = [_INTRODUCTION.format(day=show_day(day))]
    lines.extend(_numbers(count_entries(entries), Counter(status_on(facts, day) for facts in routes)))
    for family, heading in _FAMILIES.items():
        agreements = [record for record in compiled.agreements.values() if record.family == family]
        if agreements:
            lines.extend((f"## {heading}", ""))
            for agreement in sorted(agreements, key=lambda record: record.id):
                own = [facts for facts in routes if facts.route.agreement == agreement.id]
                lines.extend(_section(agreement, own, day))
    lines.extend(("## Schemes and domestic law", ""))
    schemes = sorted({facts.route.scheme or "" for facts in routes if facts.route.agreement is None})
    for scheme in schemes:
        lines.extend((f"### {scheme}", ""))
        own = [facts for facts in routes if facts.route.agreement is None and facts.route.scheme == scheme]
        lines.extend(_table(own, day))
    return "\n".join(lines).rstrip() + "\n"


def newest_reading(entries: Iterable[Entry]) -> int:
    """Return the newest day on which a source of the catalogue was read."""
    days = (
        source.read_on.latest
        for entry in entries
        for source in entry.record.sources.values()
        if source.read_on is not None
    )
    return max(days, default=1)


def status_on(facts: RouteFacts, day: int) -> str:
    """Return in words what a route is worth on a day."""
    force = facts.force.at(day)
    if force.force is Force.NONE and facts.given_up:
        return "given up"
    if force.force is not Force.IN_FORCE:
        return _FORCES[force.force]
    working = facts.working.at(day)
    if working.working is Working.ENDED:
        return f"in force, operation {(working.state or 'ended').replace('_', ' ')}"
    return _WORKS[working.working]


def _numbers(counts: Counts, statuses: Mapping[str, int]) -> Iterator[str]:
    yield f"{counts.records} records, {counts.sources} sources, {counts.recognised_authorities} recognised authorities."
    yield ""
    yield "| what | how many |"
    yield "| --- | --- |"
    for name, words in _TALLIES.items():
        yield f"| {words} | {_show_tally(getattr(counts, name))} |"
    yield f"| routes by status | {_show_tally(dict(sorted(statuses.items())))} |"
    yield ""


def _show_tally(tally: Tally) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {number}" for key, number in tally.items())


def _section(agreement: Agreement, routes: Sequence[RouteFacts], day: int) -> Iterator[str]:
    yield f"### {agreement.short or agreement.title or agreement.id}"
    yield ""
    parties = ", ".join(agreement.parties) or "bodies of many economies"
    events = "; ".join(
        f"{event.state.replace('_', ' ')} {event.on if event.on is not None else 'on no known day'}"
        for event in agreement.instrument
    )
    yield f"`{agreement.id}` between {parties}: {events}."
    yield ""
    if routes:
        yield from _table(routes, day)
    else:
        yield "No route."
        yield ""


def _table(routes: Sequence[RouteFacts], day: int) -> Iterator[str]:
    columns = "route", "into", "from", "results", "in force", "operational", "status", "duty", "citation", "source"
    yield f"| {' | '.join((*columns, 'confidence'))} |"
    yield f"|{' --- |' * (len(columns) + 1)}"
    for facts in sorted(routes, key=lambda found: found.route.id):
        yield f"| {' | '.join(_cell(text) for text in _row(facts, day))} |"
    yield ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _row(facts: RouteFacts, day: int) -> Iterator[str]:
    route = facts.route
    yield f"`{route.id}`"
    yield _parties(route.importer)
    yield _exporters(route)
    yield ", ".join(route.result_kinds)
    yield _since_force(facts)
    yield _since_working(facts)
    yield status_on(facts, day)
    yield route.duty
    yield route.citation
    yield _link(route.sources.get(route.source or ""))
    yield route.confidence


def _parties(listed: Sequence[str | Party]) -> str:
    return ", ".join(item if isinstance(item, str) else f"{item.economy} ({_days(item)})" for item in listed)


def _days(party: Party) -> str:
    start, end = party.period.start, party.period.end
    if end == NEVER:
        return "always" if start == ALWAYS else f"from {start}"
    return f"to {end}" if start == ALWAYS else f"{start} to {end}"


def _exporters(route: Route) -> str:
    named = _parties(route.exporter) or "any"
    return f"{named} but {', '.join(route.not_exporter)}" if route.not_exporter else named


def _since_force(facts: RouteFacts) -> str:
    for state in facts.force.states:
        if state.force is Force.IN_FORCE:
            return str(state.on or ALWAYS)
    return "never"


def _since_working(facts: RouteFacts) -> str:
    for state in facts.working.states:
        if state.working is Working.OPERATIONAL:
            return str(state.begins or state.on or ALWAYS)
    return "never"


def _link(source: Source | None) -> str:
    if source is None:
        return "none"
    title = source.title.replace("[", "(").replace("]", ")")
    return f"[{title}](<{source.address}>)" if source.address else title


def render_files() -> dict[str, str]:
    """Return the generated page of the packaged catalogue by its path in the checkout."""
    return {PAGE: render_overview(load_catalogue())}


if __name__ == "__main__":  # pragma: no cover (a tool for a checkout, whose parts are tested)
    from cab_registry.register.schemas import write_files

    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m cab_registry.register.overview --write")
    sys.stdout.write("\n".join(write_files(render_files(), Path(__file__).resolve().parents[2])) + "\n")
