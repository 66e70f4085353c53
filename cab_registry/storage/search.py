"""Search for bodies at the head of the log: by name, identifier, economy and sector."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.domain.folding import fold, fold_plain
from cab_registry.domain.schemes import canonise, find_scheme
from cab_registry.domain.spelling import parts_spelled
from cab_registry.storage.canonical import Document
from cab_registry.storage.projection import VersionRow, copy_rows
from cab_registry.storage.tables import body_identifier, body_search, record_version

LARGEST_PAGE: Final = 1000
BATCH: Final = 2000

_SECTORS: Final = text(
    'SELECT body, array_agg(DISTINCT sector COLLATE "C" ORDER BY sector COLLATE "C") FROM ('
    " SELECT act.body, jsonb_path_query(rule.payload, '$.sector[*]') #>> '{}' AS sector FROM record_version AS act,"
    " jsonb_path_query(act.payload, '$.scope[*].requirement') AS used"
    " JOIN record_version AS rule ON rule.id = used #>> '{}' AND rule.type = 'requirement'"
    " AND rule.until_position IS NULL AND NOT rule.retired"
    " WHERE act.body = ANY(:bodies) AND act.type <> 'body' AND act.until_position IS NULL AND NOT act.retired"
    " UNION ALL"
    " SELECT act.body, jsonb_path_query(pact.payload -> 'annexes' -> (act.payload ->> 'annex'), '$.sectors[*]')"
    " #>> '{}' FROM record_version AS act JOIN record_version AS pact ON pact.id = act.payload ->> 'agreement'"
    " AND pact.type = 'agreement' AND pact.until_position IS NULL AND NOT pact.retired"
    " WHERE act.body = ANY(:bodies) AND act.type <> 'body' AND act.until_position IS NULL AND NOT act.retired"
    ") AS found WHERE sector IS NOT NULL GROUP BY body"
)

_USERS: Final = text(
    "SELECT DISTINCT body FROM record_version AS act"
    " WHERE body IS NOT NULL AND type <> 'body' AND until_position IS NULL AND NOT retired"
    " AND (payload ->> 'agreement' = ANY(:rules) OR EXISTS ("
    " SELECT FROM jsonb_path_query(payload, '$.scope[*].requirement') AS used WHERE used #>> '{}' = ANY(:rules)))"
)


class BodyFound(msgspec.Struct, frozen=True):
    """A body that a search found, as it stands at the head.

    Attributes:
        body: its record id.
        name: the name that it bears now.
        economies: its own and those of its sites, sorted.
        sectors: those of the requirements and annexes that it is appointed or recognised for, sorted.
        document: its record.
    """

    body: str
    name: str
    economies: tuple[str, ...]
    sectors: tuple[str, ...]
    document: dict[str, Any]


class SearchRow(msgspec.Struct, frozen=True):
    """What the search tables hold of one body; `names` and `identifiers` (scheme and value) are folded."""

    body: str
    name: str
    names: str
    economies: tuple[str, ...]
    sectors: tuple[str, ...]
    identifiers: tuple[tuple[str, str], ...]


async def search_bodies(
    connection: AsyncConnection,
    *,
    name: str | None = None,
    identifier: tuple[str, str] | None = None,
    economy: str | None = None,
    sector: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> list[BodyFound]:
    """Find the bodies that meet every given criterion, in order of id.

    Args:
        connection: where to ask.
        name: a part of one of its names, past ones included, in any spelling that folds to it.
        identifier: scheme and value, in any spelling that the scheme takes for the same number.
        economy: the code of its economy or of one of its sites.
        sector: a sector in which it is appointed or recognised.
        after: the last id of the page before; not included.
        limit: 1 to 1000.

    Raises:
        ValueError: the limit is out of bounds.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"limit {limit} is not within 1 to {LARGEST_PAGE}")
    statement = (
        select(
            body_search.c.body,
            body_search.c.name,
            body_search.c.economies,
            body_search.c.sectors,
            record_version.c.payload,
        )
        .join(record_version, record_version.c.id == body_search.c.body)
        .where(record_version.c.until_position.is_(None))
        .order_by(body_search.c.body)
        .limit(limit)
    )
    if name is not None:
        held = (body_search.c.names.contains(each, autoescape=True) for each in parts_spelled(name))
        statement = statement.where(or_(*held))
    if identifier is not None:
        scheme, value = find_scheme(identifier[0]), identifier[1]
        bearers = select(body_identifier.c.body).where(
            body_identifier.c.scheme == scheme, body_identifier.c.value == canonise(scheme, value)
        )
        statement = statement.where(body_search.c.body.in_(bearers))
    if economy is not None:
        statement = statement.where(body_search.c.economies.contains([economy]))
    if sector is not None:
        statement = statement.where(body_search.c.sectors.contains([sector]))
    if after is not None:
        statement = statement.where(body_search.c.body > after)
    found = await connection.execute(statement)
    return [BodyFound(body, shown, tuple(at), tuple(fields), doc) for body, shown, at, fields, doc in found]


async def refresh_after(connection: AsyncConnection, rows: Collection[VersionRow]) -> None:
    """Bring the search tables up to date after record versions were projected."""
    bodies = {row.body for row in rows if row.body is not None}
    rules = [row.id for row in rows if row.type in {"requirement", "agreement"}]
    if rules:
        bodies.update((await connection.scalars(_USERS, {"rules": rules})).all())
    listed = sorted(bodies)
    for start in range(0, len(listed), BATCH):
        await _refresh(connection, listed[start : start + BATCH])


async def expected_rows(connection: AsyncConnection, bodies: Sequence[str]) -> list[SearchRow]:
    """Derive what the search tables must hold of the given bodies; ids that are no current body give no row."""
    current = await connection.execute(
        select(record_version.c.id, record_version.c.payload).where(
            record_version.c.id.in_(bodies),
            record_version.c.type == "body",
            record_version.c.until_position.is_(None),
            record_version.c.retired.is_(False),
        )
    )
    documents = {row.id: row.payload for row in current}
    found = await connection.execute(_SECTORS, {"bodies": list(documents)})
    sectors = {body: tuple(fields) for body, fields in found}
    return [search_row(body, documents[body], sectors.get(body, ())) for body in sorted(documents)]


def search_row(body: str, document: Document, sectors: tuple[str, ...]) -> SearchRow:
    """Derive what is searched of a body record; parts that have not the shape of records are passed over."""
    names = [each for each in _objects(document.get("names")) if isinstance(each.get("name"), str)]
    present = [each["name"] for each in names if "until" not in each and "invalid_from" not in each]
    written = [each["name"] for each in names]
    economies = {each.get("economy") for each in _objects(document.get("sites"))} | {document.get("economy")}
    identifiers = {
        (each["scheme"], canonise(each["scheme"], str(each["value"])))
        for each in _objects(document.get("identifiers"))
        if isinstance(each.get("scheme"), str) and each.get("value") is not None
    }
    return SearchRow(
        body=body,
        name=(present or written or [body])[-1],
        names="\n".join(dict.fromkeys(spelled for each in written for spelled in (fold(each), fold_plain(each)))),
        economies=tuple(sorted(each for each in economies if isinstance(each, str))),
        sectors=sectors,
        identifiers=tuple(sorted(identifiers)),
    )


async def _refresh(connection: AsyncConnection, bodies: Sequence[str]) -> None:
    rows = await expected_rows(connection, bodies)
    await connection.execute(body_search.delete().where(body_search.c.body.in_(bodies)))
    await connection.execute(body_identifier.delete().where(body_identifier.c.body.in_(bodies)))
    await copy_rows(
        connection,
        "body_search",
        ("body", "name", "names", "economies", "sectors"),
        ((row.body, row.name, row.names, list(row.economies), list(row.sectors)) for row in rows),
    )
    pairs = ((scheme, value, row.body) for row in rows for scheme, value in row.identifiers)
    await copy_rows(connection, "body_identifier", ("scheme", "value", "body"), pairs)


def _objects(value: Any) -> Iterable[dict[str, Any]]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()
