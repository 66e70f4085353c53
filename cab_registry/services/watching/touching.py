"""What of the log an answer can rest on: the submissions that may change it, and the register before them.

A question is found by all that it ever reached: a body that came to bear its number later, or bore it once, counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.domain.question import AskedQuestion
from cab_registry.register.compiled import Register, Versioned, change_register
from cab_registry.services.answering import seek
from cab_registry.services.bearers import find_bearing, find_named_in_turns, find_numbered
from cab_registry.services.runtime.work import WorkRoom
from cab_registry.services.sources import Changes, Sought, read_versions
from cab_registry.storage.entries import INITIAL_SUBMISSION, Entry
from cab_registry.storage.log import COLUMNS, entry_of
from cab_registry.storage.projection import LAW_TYPES
from cab_registry.storage.records import records_as_known
from cab_registry.storage.tables import entry as entry_table

MOST_WORK: Final = 50
"""How much is looked at at once: a submission that only concerns bodies counts one."""

LAW_WORK: Final = 4
"""What a submission counts with which the law has to be compiled anew."""

_RULES: Final = sorted(LAW_TYPES - {"position"})
_COMPILED: Final = frozenset(LAW_TYPES - {"position", "coverage"})

# The version that follows one about a body may be about another; it stands where the former ends.
_SUBMISSIONS: Final = (
    "WITH about AS ("
    " SELECT from_position, until_position FROM record_version WHERE body = ANY(:bodies)"
    " UNION ALL SELECT from_position, until_position FROM record_version WHERE type = 'notice'"
    " AND (payload -> 'about' ->> 'site' = ANY(:sites) OR payload -> 'about' ->> 'number' = ANY(:numbers)"
    " OR (NOT payload -> 'about' ? 'body' AND payload ->> 'by' = ANY(:bodies)))"
    " UNION ALL SELECT from_position, until_position FROM record_version WHERE type = 'position' AND body IS NULL"
    " UNION ALL SELECT from_position, NULL FROM record_version WHERE type = ANY(:rules)"
    "), touching AS ("
    " SELECT from_position AS position FROM about UNION SELECT until_position FROM about"
    ") SELECT act.first_position, act.last_position, array_agg(entry.position), array_agg(entry.type)"
    " FROM touching JOIN entry ON entry.position = touching.position"
    " JOIN submission AS act ON act.id = entry.submission"
    " WHERE act.id <> :initial AND act.last_position > :after AND act.last_position <= :upto"
    " GROUP BY act.id ORDER BY act.last_position {order} LIMIT :most"
)
_OLDEST: Final = text(_SUBMISSIONS.format(order="ASC"))
_NEWEST: Final = text(_SUBMISSIONS.format(order="DESC"))
_BEARERS: Final = text(
    "SELECT id, payload -> 'identifiers' FROM record_version WHERE type IN ('body', 'authority')"
    " AND from_position <= :upto"
    " AND jsonb_path_query_array(payload, '$.identifiers[*].scheme') ?| CAST(:schemes AS text[])"
)
_NAMES: Final = text(
    "SELECT id, CASE type WHEN 'body' THEN jsonb_path_query_array(payload, '$.names[*].name')"
    " ELSE jsonb_path_query_array(payload, '$.names.*') || coalesce(payload -> 'other_names', '[]') END"
    " FROM record_version WHERE type IN ('body', 'authority') AND from_position <= :upto"
)
_UMBRELLAS: Final = text(
    "SELECT DISTINCT id FROM record_version WHERE type = 'authority' AND from_position <= :upto"
    " AND payload -> 'members' ?| CAST(:ids AS text[])"
)
_SITES: Final = text(
    "SELECT jsonb_path_query_array(payload, '$.sites[*].key')"
    " || jsonb_path_query_array(payload, '$.identifiers[*].site ? (@ != null)')"
    " FROM record_version WHERE type IN ('body', 'authority') AND id = ANY(:ids) AND from_position <= :upto"
)
_NOTICES: Final = text(
    "SELECT DISTINCT id FROM record_version WHERE type = 'notice' AND from_position <= :upto"
    " AND (payload -> 'about' ->> 'site' = ANY(:sites) OR payload -> 'about' ->> 'number' = ANY(:numbers)"
    " OR (NOT payload -> 'about' ? 'body' AND payload ->> 'by' = ANY(:bodies)))"
)
_NUMBERS: Final = text(
    "SELECT DISTINCT payload -> 'about' ->> 'number' FROM record_version WHERE type = 'notice'"
    " AND payload -> 'about' ? 'number' AND from_position <= :upto"
)
_CHANGED_LAW: Final = text(
    "SELECT DISTINCT id FROM record_version WHERE type = ANY(:law) AND from_position > :base AND from_position <= :upto"
)


@dataclass(frozen=True, slots=True)
class TouchingSubmission:
    """A submission that may change an answer.

    Attributes:
        last: its last position.
        entries: those of its entries that may change it, in order.
    """

    last: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the log as one question sees it.

    Attributes:
        submissions: those that may change its answer, in order.
        more: whether there are others, later ones or, where the newest were asked for, earlier ones.
        state: what stood before the first of them: all that the question reaches, and the law that changed since.
        law: ids of the law that changed since.
    """

    submissions: tuple[TouchingSubmission, ...]
    more: bool
    state: tuple[Versioned, ...] = ()
    law: tuple[str, ...] = ()


async def read_stretch(
    connection: AsyncConnection, asked: AskedQuestion, after: int | None, upto: int, readings: WorkRoom
) -> Stretch:
    """Read what may have changed the answer of a question, the initial load left out.

    Args:
        connection: where to read; read-only, so that one state of the log is seen.
        asked: the question.
        after: the position after which is looked, the oldest first; none: the newest, as far back as is looked at once.
        upto: the last position that is looked at.
        readings: where names are compared.
    """
    sought = await _reach(connection, _storable(seek(asked)), upto, readings)
    sites = await _find_sites(connection, sought.ids, asked.result.site, upto)
    known = [] if sought.number is None else (await connection.scalars(_NUMBERS, {"upto": upto})).all()
    numbers = find_numbered(sought.number, known)
    wanted = {"bodies": list(sought.ids), "sites": sites, "numbers": numbers, "upto": upto}
    found = await connection.execute(
        _NEWEST if after is None else _OLDEST,
        {**wanted, "rules": _RULES, "initial": INITIAL_SUBMISSION, "after": after or 0, "most": MOST_WORK + 1},
    )
    chosen, more = _choose([tuple(row) for row in found])
    if not chosen:
        return Stretch((), more)
    chosen.sort()
    entries = await _read_entries(connection, [position for _, _, positions, _ in chosen for position in positions])
    submissions = tuple(
        TouchingSubmission(last, tuple(entries[position] for position in sorted(positions)))
        for _, last, positions, _ in chosen
    )
    base = chosen[0][0] - 1
    notices = (
        await connection.scalars(_NOTICES, {key: wanted[key] for key in ("bodies", "sites", "numbers", "upto")})
    ).all()
    own = await records_as_known(connection, base, ids=notices, bodies=sought.ids)
    law = (await connection.scalars(_CHANGED_LAW, {"law": sorted(LAW_TYPES), "base": base, "upto": upto})).all()
    rules = await records_as_known(connection, base, ids=law)
    state = [*read_versions(each for each in own if each.type not in LAW_TYPES), *read_versions(rules)]
    return Stretch(submissions, more, tuple(state), tuple(law))


def rewind(register: Register, stretch: Stretch) -> Register:
    """Return the register before a stretch of the log, made from one after it; of bodies only what is reached."""
    bodies = [key for key, versioned in register.records.items() if not _is_law(versioned)]
    return change_register(register, stretch.state, removed=[*bodies, *stretch.law])


def apply(register: Register, submission: TouchingSubmission) -> Register:
    """Return the register with a submission."""
    return Changes(submission.entries).apply(register, submission.last)


def pass_over(register: Register, submissions: Sequence[TouchingSubmission]) -> Register:
    """Return the register with several submissions at once."""
    return Changes(entry for each in submissions for entry in each.entries).apply(register, submissions[-1].last)


def _choose(rows: Sequence[Any]) -> tuple[list[Any], bool]:
    """Take as many as are looked at at once, at least one."""
    work = 0
    chosen: list[Any] = []
    for row in rows:
        work += LAW_WORK if _COMPILED.intersection(row[3]) else 1
        if chosen and work > MOST_WORK:
            return chosen, True
        chosen.append(row)
    return chosen, False


async def _reach(connection: AsyncConnection, sought: Sought, upto: int, readings: WorkRoom) -> Sought:
    """Find everyone whom a question ever named, and the umbrellas under which they ever were."""
    ids = set(sought.ids)
    if sought.identifiers:
        schemes = sorted({scheme for scheme, _ in sought.identifiers})
        found = await connection.execute(_BEARERS, {"schemes": schemes, "upto": upto})
        numbered = [(key, borne or []) for key, borne in found]
        ids.update(await readings.run(lambda: find_bearing(sought.identifiers, numbered)))
    if sought.names:
        rows = [(key, names) for key, names in await connection.execute(_NAMES, {"upto": upto})]
        borne = [(key, name) for key, names in rows for name in names]
        ids.update(await readings.run_in_turns(find_named_in_turns(sought.names, borne, len(borne))))
    ids.update((await connection.scalars(_UMBRELLAS, {"ids": sorted(ids), "upto": upto})).all())
    return replace(sought, ids=tuple(sorted(ids)))


async def _find_sites(connection: AsyncConnection, ids: Sequence[str], asked: str | None, upto: int) -> list[str]:
    found = (await connection.scalars(_SITES, {"ids": list(ids), "upto": upto})).all()
    sites = {site for several in found for site in several}
    return sorted(sites if asked is None else {*sites, asked.replace("\0", "\ufffd")})


async def _read_entries(connection: AsyncConnection, positions: Sequence[int]) -> dict[int, Entry]:
    columns = [entry_table.c[name] for name in COLUMNS]
    rows = await connection.execute(select(*columns).where(entry_table.c.position.in_(positions)))
    return {each.position: each for each in map(entry_of, rows)}


def _is_law(versioned: Versioned) -> bool:
    return versioned.record.__struct_config__.tag in LAW_TYPES


def _storable(sought: Sought) -> Sought:
    """PostgreSQL has no NUL in texts: what holds one is the name of nothing."""

    def spell(word: str) -> str:
        return word.replace("\0", "\ufffd")

    return Sought(
        ids=tuple(map(spell, sought.ids)),
        identifiers=tuple((spell(scheme), spell(value)) for scheme, value in sought.identifiers),
        names=tuple(map(spell, sought.names)),
        number=None if sought.number is None else spell(sought.number),
    )
