"""Writing notices into the outbox, in the transaction of what causes them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid5

import msgspec
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

CHANNEL: Final = "outbox"
CONFIRMATION: Final = "endpoint.confirm"
"""The only kind of notice that an unconfirmed endpoint gets."""

_NAMES: Final = UUID("6d1f6a2c-52a5-5c0e-9f0b-0d3f7c1a4b58")
_AT_ONCE: Final = 1000


class NewNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice to write, of a watch or, without one, to an endpoint.

    Attributes:
        watch: the watch that it belongs to; it goes to the endpoint of that watch, and is for reading only if none.
        endpoint: where it goes if it belongs to no watch.
        cause: what it tells, once for each watch, or for each endpoint without a watch.
        kind: its type, such as `watch.changed`.
        position: position of the log that it tells of.
        due_on: day that it tells of.
        created: when it is written; it is due at once.
        payload: canonical JSON {"type", "timestamp", "data"}, UTF-8, without its id.
    """

    cause: str
    kind: str
    created: datetime
    payload: bytes
    watch: str | None = None
    endpoint: str | None = None
    position: int | None = None
    due_on: date | None = None

    @property
    def id(self) -> str:
        """What receivers tell repeated deliveries by; the same cause for the same watch gives the same."""
        return str(uuid5(_NAMES, f"{self.watch or self.endpoint} {self.cause}"))


# A concurrent disabling or enabling waits, so that no notice is held or pending against the state of its endpoint.
_LOCK: Final = text("""
    SELECT id FROM endpoint
    WHERE id = ANY(CAST(:endpoint AS text[]))
        OR id IN (SELECT endpoint FROM watch WHERE id = ANY(CAST(:watch AS text[])))
    ORDER BY id FOR SHARE
""")
_ADD: Final = text("""
    INSERT INTO outbox (
        id, watch, endpoint, cause, kind, position, due_on, created, payload, state, next_attempt
    )
    SELECT new.id, new.watch, sent_to.id, new.cause, new.kind, new.position, new.due_on, new.created, new.payload,
        CASE WHEN sent_to.id IS NULL THEN 'unsent' WHEN sent_to.open THEN 'pending' ELSE 'held' END,
        CASE WHEN sent_to.open THEN new.created END
    FROM unnest(
            CAST(:id AS text[]), CAST(:watch AS text[]), CAST(:endpoint AS text[]), CAST(:cause AS text[]),
            CAST(:kind AS text[]), CAST(:position AS bigint[]), CAST(:due_on AS date[]),
            CAST(:created AS timestamptz[]), CAST(:payload AS bytea[])
        ) WITH ORDINALITY
            AS new (id, watch, endpoint, cause, kind, position, due_on, created, payload, place)
        LEFT JOIN watch ON watch.id = new.watch
        LEFT JOIN LATERAL (
            SELECT endpoint.id, endpoint.state = 'active'
                OR endpoint.state = 'unconfirmed' AND new.kind = :confirmation AS open
            FROM endpoint WHERE endpoint.id = CASE WHEN new.watch IS NULL THEN new.endpoint ELSE watch.endpoint END
        ) AS sent_to ON true
    WHERE watch.ended IS NULL
    ORDER BY new.place
    ON CONFLICT DO NOTHING
""")
_FIELDS: Final = ("id", "watch", "endpoint", "cause", "kind", "position", "due_on", "created", "payload")


async def add_notices(connection: AsyncConnection, notices: Sequence[NewNotice]) -> int:
    """Write notices, those left out that were written before; give back how many are new.

    Nothing is written for a watch that ended. The couriers are told when the transaction ends; it must be one that
    sees what others committed meanwhile (READ COMMITTED).

    Raises:
        sqlalchemy.exc.IntegrityError: a watch is unknown, or a notice is for nobody.
    """
    added = 0
    for first in range(0, len(notices), _AT_ONCE):
        batch = notices[first : first + _AT_ONCE]
        columns = {name: [getattr(each, name) for each in batch] for name in _FIELDS}
        await connection.execute(_LOCK, {name: columns[name] for name in ("watch", "endpoint")})
        added += (await connection.execute(_ADD, {**columns, "confirmation": CONFIRMATION})).rowcount
    if added:
        await announce(connection)
    return added


_TOLD: Final = text("""
    SELECT outbox.watch, outbox.cause FROM outbox
        JOIN unnest(CAST(:watches AS text[]), CAST(:causes AS text[])) AS asked (watch, cause)
        ON outbox.watch = asked.watch AND outbox.cause = asked.cause
""")


async def find_told(connection: AsyncConnection, asked: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Find which of some notices, each named by its watch and its cause, were written before."""
    if not asked:
        return set()
    values = {"watches": [watch for watch, _ in asked], "causes": [cause for _, cause in asked]}
    return {(watch, cause) for watch, cause in await connection.execute(_TOLD, values)}


async def announce(connection: AsyncConnection) -> None:
    """Wake the couriers when the transaction ends."""
    await connection.execute(select(func.pg_notify(CHANNEL, "")))
