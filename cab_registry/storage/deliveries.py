"""Claiming notices that are due, recording what came of each attempt, and sending again.

A claim is a lease: it moves the next attempt ahead before anything is sent, so that another courier takes the notice
up if this one dies. Receivers may get a notice twice, and tell it by its id.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, TextClause, and_, func, or_, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.endpoints import OPEN_FOR, EndpointKind
from cab_registry.storage.outbox import CONFIRMATION, announce
from cab_registry.storage.watch_tables import delivery, endpoint, outbox

_LOOKED_AT: Final = 2000
"""How many due notices are looked at for one claim, so that a claim stays quick over a long queue."""


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that this courier is to deliver now.

    Attributes:
        id: of the notice, the same at each attempt.
        kind: type of the notice.
        payload: what is sent.
        attempt: number of the attempt, from 1.
        tried: how many attempts were recorded since it was first tried, or since it was sent again on request.
        claimed: when it was claimed.
        gives_up: when it is given up, if no attempt succeeds.
        endpoint: where it goes.
        endpoint_kind: how that is reached.
        address: sealed.
        secret: the sealed secrets that sign, of a webhook.
        together: further notices to the same mail address that were claimed with it, to go in one mail.
    """

    id: str
    kind: str
    payload: bytes
    attempt: int
    tried: int
    claimed: datetime
    gives_up: datetime
    endpoint: str
    endpoint_kind: EndpointKind
    address: bytes
    secret: bytes | None
    together: tuple[Claimed, ...] = ()

    @property
    def all(self) -> tuple[Claimed, ...]:
        """It and what goes with it, the oldest first."""
        return (self, *self.together)


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt, as the log of deliveries keeps it.

    Attributes:
        notice: id of the notice.
        number: its place in the outbox.
        kind: its type.
        watch: whose notice it was.
        position: position of the log that it told of.
        attempt: number of the attempt, from 1.
        began: when it began.
        seconds: how long it took.
        outcome: what came of it.
        status: what the receiver answered, if it answered.
        words: the same in words.
    """

    notice: str
    number: int
    kind: str
    watch: str | None
    position: int | None
    attempt: int
    began: datetime
    seconds: float
    outcome: str
    status: int | None
    words: str


_TAKE: Final = """
    UPDATE outbox
    SET attempts = attempts + 1, next_attempt = :leased, gives_up = coalesce(outbox.gives_up, :gives_up)
    FROM chosen, endpoint
    WHERE outbox.id = chosen.id AND endpoint.id = outbox.endpoint
    RETURNING outbox.id, outbox.number, outbox.kind, outbox.payload, outbox.attempts AS attempt, outbox.gives_up,
        outbox.endpoint, endpoint.kind AS endpoint_kind, endpoint.address, endpoint.secret,
        (
            SELECT count(*) FROM delivery
            WHERE notice = outbox.id AND began >= outbox.gives_up - CAST(:patience AS interval)
        ) AS tried
"""
# The ranks are taken over due notices only; a row that another courier holds, or has moved, is left out.
_CLAIM: Final = """
    WITH busy AS (
        SELECT * FROM unnest(CAST(:busy AS text[]), CAST(:flying AS integer[])) AS busy (endpoint, flying)
    ), due AS (
        SELECT outbox.id, outbox.endpoint, outbox.next_attempt, outbox.number, coalesce(busy.flying, 0) AS flying
        FROM outbox JOIN endpoint ON endpoint.id = outbox.endpoint LEFT JOIN busy ON busy.endpoint = outbox.endpoint
        WHERE outbox.state = 'pending' AND outbox.next_attempt <= :now
            AND endpoint.kind = :kind AND (endpoint.failing_since IS NOT NULL) = :failing
            AND (endpoint.state = 'active' OR endpoint.state = 'unconfirmed' AND outbox.kind = :confirmation)
            AND coalesce(busy.flying, 0) < :each
            AND NOT EXISTS (
                SELECT FROM record_version
                WHERE record_version.id = endpoint.authority AND until_position IS NULL AND retired
            )
        ORDER BY outbox.next_attempt LIMIT :looked_at
    ), ranked AS (
        SELECT due.*, due.flying + row_number() OVER (PARTITION BY due.endpoint ORDER BY next_attempt, number) AS rank
        FROM due
    ), chosen AS (
        SELECT outbox.id FROM outbox JOIN ranked USING (id)
        WHERE ranked.rank <= :each AND outbox.state = 'pending' AND outbox.next_attempt <= :now
        ORDER BY ranked.next_attempt, ranked.number LIMIT :most
        FOR UPDATE OF outbox SKIP LOCKED
    )
"""


# What is due for one endpoint beside what was claimed; what another courier holds is left out.
_CLAIM_TOGETHER: Final = """
    WITH chosen AS (
        SELECT id FROM outbox
        WHERE endpoint = :endpoint AND state = 'pending' AND next_attempt <= :now AND kind <> :confirmation
        ORDER BY number LIMIT :most
        FOR UPDATE SKIP LOCKED
    )
"""


async def claim_due(  # noqa: PLR0913 - what is claimed, how much of it, and for how long
    connection: AsyncConnection,
    now: datetime,
    *,
    kind: EndpointKind,
    failing: bool,
    most: int,
    each: int,
    busy: Mapping[str, int],
    lease: timedelta,
    patience: timedelta,
) -> list[Claimed]:
    """Claim notices that are due, the longest due first.

    Args:
        connection: in a transaction; the claim holds when it commits.
        now: what time it is.
        kind: of the endpoints.
        failing: whether from endpoints whose last delivery failed, or from the others.
        most: how many at most.
        each: how many of one endpoint may be in flight at once, those counted that are.
        busy: how many are in flight already, by endpoint.
        lease: for how long nobody else takes them.
        patience: how long after the first attempt a notice is given up.
    """
    asked = {
        "now": now,
        "kind": kind,
        "failing": failing,
        "most": most,
        "each": each,
        "busy": list(busy),
        "flying": list(busy.values()),
        "leased": now + lease,
        "gives_up": now + patience,
        "patience": patience,
        "looked_at": _LOOKED_AT,
        "confirmation": CONFIRMATION,
    }
    return await _claim(connection, text(_CLAIM + _TAKE), asked, now)


async def claim_together(
    connection: AsyncConnection, first: Claimed, most: int, lease: timedelta, patience: timedelta
) -> Claimed:
    """Claim what else is due for the endpoint of a notice, to go with it; a confirmation always goes alone.

    Args:
        connection: in the transaction in which that notice was claimed.
        first: that notice.
        most: how many more at most.
        lease: for how long nobody else takes them.
        patience: how long after the first attempt a notice is given up.
    """
    if first.kind == CONFIRMATION:
        return first
    asked = {
        "endpoint": first.endpoint,
        "now": first.claimed,
        "confirmation": CONFIRMATION,
        "most": most,
        "leased": first.claimed + lease,
        "gives_up": first.claimed + patience,
        "patience": patience,
    }
    more = await _claim(connection, text(_CLAIM_TOGETHER + _TAKE), asked, first.claimed)
    return msgspec.structs.replace(first, together=tuple(more))


async def _claim(
    connection: AsyncConnection, statement: TextClause, asked: Mapping[str, object], now: datetime
) -> list[Claimed]:
    found = (await connection.execute(statement, asked)).mappings().all()
    fields = [name for name in Claimed.__struct_fields__ if name not in ("claimed", "together")]
    oldest_first = sorted(found, key=lambda row: int(row["number"]))
    return [Claimed(claimed=now, **{name: row[name] for name in fields}) for row in oldest_first]


async def next_due(connection: AsyncConnection) -> datetime | None:
    """Say when the next notice is due, those in flight by the end of their lease; none where none waits."""
    found = (
        select(outbox.c.next_attempt)
        .join(endpoint, endpoint.c.id == outbox.c.endpoint)
        .where(outbox.c.state == "pending", OPEN_FOR)
        .order_by(outbox.c.next_attempt)
        .limit(1)
    )
    return (await connection.execute(found)).scalar_one_or_none()


async def record_attempt(
    connection: AsyncConnection,
    claimed: Claimed,
    *,
    began: datetime,
    seconds: float,
    outcome: str,
    status: int | None,
    words: str,
) -> None:
    """Keep what came of an attempt."""
    await connection.execute(
        delivery.insert().values(
            notice=claimed.id,
            attempt=claimed.attempt,
            began=began,
            seconds=seconds,
            outcome=outcome,
            status=status,
            words=words,
        )
    )


async def set_delivered(connection: AsyncConnection, notice: str, now: datetime) -> None:
    """Note that a notice was delivered, whatever else became of it meanwhile."""
    statement = update(outbox).where(outbox.c.id == notice, outbox.c.state != "delivered")
    await connection.execute(statement.values(state="delivered", delivered=now, next_attempt=None))


async def set_retry(connection: AsyncConnection, claimed: Claimed, next_attempt: datetime, gives_up: datetime) -> None:
    """Let a notice be tried again at an instant, unless it was held or claimed anew meanwhile."""
    statement = update(outbox).where(_still(claimed))
    await connection.execute(statement.values(next_attempt=next_attempt, gives_up=gives_up))


async def set_failed(connection: AsyncConnection, claimed: Claimed) -> None:
    """Give a notice up, unless it was held or claimed anew meanwhile."""
    await connection.execute(update(outbox).where(_still(claimed)).values(state="failed", next_attempt=None))


async def replay(
    connection: AsyncConnection,
    now: datetime,
    *,
    endpoint_id: str | None = None,
    watch_id: str | None = None,
    after_position: int | None = None,
    after_number: int | None = None,
) -> int:
    """Send again what was delivered, or given up, after a position of the log or a place in the outbox, exclusive.

    Notices keep their ids. One that tells of no position counts from the last one before it that does. While the
    endpoint is closed they are held until it opens. Confirmations are never sent again.

    Args:
        connection: in a transaction.
        now: what time it is; they are due at once.
        endpoint_id: of all watches of this endpoint.
        watch_id: of this watch only.
        after_position: a position of the log.
        after_number: a place in the outbox.

    Returns:
        how many notices are sent again.

    Raises:
        ValueError: neither endpoint nor watch is named, or neither position nor number.
    """
    if endpoint_id is None and watch_id is None:
        raise ValueError("expected an endpoint or a watch")
    named = {"endpoint": endpoint_id, "watch": watch_id}
    of = [outbox.c[name] == value for name, value in named.items() if value is not None]
    await connection.execute(
        select(endpoint.c.id)
        .where(endpoint.c.id.in_(select(outbox.c.endpoint).where(*of)))
        .order_by(endpoint.c.id)
        .with_for_update(read=True)
    )
    wanted = and_(
        *of,
        _after(named, after_position, after_number),
        outbox.c.state.in_(("delivered", "failed")),
        outbox.c.kind != CONFIRMATION,
        outbox.c.endpoint == endpoint.c.id,
    )
    afresh = {"delivered": None, "gives_up": None}
    sent = await connection.execute(
        update(outbox).where(wanted, endpoint.c.state == "active").values(state="pending", next_attempt=now, **afresh)
    )
    held = await connection.execute(
        update(outbox).where(wanted, endpoint.c.state != "active").values(state="held", next_attempt=None, **afresh)
    )
    if sent.rowcount:
        await announce(connection)
    return sent.rowcount + held.rowcount


async def list_deliveries(
    connection: AsyncConnection,
    *,
    endpoint_id: str | None = None,
    watch_id: str | None = None,
    notice: str | None = None,
    before: tuple[int, int] | None = None,
    limit: int = 100,
) -> list[Delivery]:
    """Read attempts: of the newest notice first, and of each notice the newest first.

    Args:
        connection: for reading.
        endpoint_id: to this endpoint only.
        watch_id: of this watch only.
        notice: of this notice only.
        before: number and attempt of the last one that was read, to read on.
        limit: how many at most.
    """
    named = {"endpoint": endpoint_id, "watch": watch_id, "id": notice}
    wanted: list[ColumnElement[bool]] = [outbox.c[name] == value for name, value in named.items() if value is not None]
    if before is not None:
        wanted.append(tuple_(outbox.c.number, delivery.c.attempt) < before)
    columns = {column.name: column for table in (delivery, outbox) for column in table.c}
    found = (
        select(*(columns[name].label(name) for name in Delivery.__struct_fields__))
        .join_from(delivery, outbox, outbox.c.id == delivery.c.notice)
        .where(*wanted)
        .order_by(outbox.c.number.desc(), delivery.c.attempt.desc())
        .limit(limit)
    )
    return [Delivery(**row) for row in (await connection.execute(found)).mappings()]


def _still(claimed: Claimed) -> ColumnElement[bool]:
    return and_(outbox.c.id == claimed.id, outbox.c.state == "pending", outbox.c.attempts == claimed.attempt)


def _after(
    named: Mapping[str, str | None], after_position: int | None, after_number: int | None
) -> ColumnElement[bool]:
    if after_number is not None:
        return outbox.c.number > after_number
    if after_position is None:
        raise ValueError("expected a position or a number")
    earlier = outbox.alias("earlier")
    same = [earlier.c[name] == value for name, value in named.items() if value is not None]
    last = select(func.coalesce(func.max(earlier.c.number), 0)).where(*same, earlier.c.position <= after_position)
    return or_(
        outbox.c.position > after_position,
        and_(outbox.c.position.is_(None), outbox.c.number > last.scalar_subquery()),
    )
