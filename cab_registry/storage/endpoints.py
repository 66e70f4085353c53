"""Rows of endpoints: where notices go, and what becomes of those that wait when an endpoint opens or closes.

Whoever changes an endpoint and its notices locks the endpoint first.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final, Literal

import msgspec
from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.outbox import CONFIRMATION, announce
from cab_registry.storage.watch_tables import endpoint, mail_block, outbox

EndpointKind = Literal["webhook", "mail"]
EndpointState = Literal["unconfirmed", "active", "disabled", "ended"]


class StoredEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint as it is kept; address and secret are sealed.

    Attributes:
        id: opaque.
        kind: how it is reached.
        principal: whose it is; none for an address that confirmed by mail.
        authority: for which authority the principal keeps it.
        address: sealed; none once it ended.
        secret: the sealed secrets that sign, of a webhook.
        state: whether it gets notices.
        reason: why it is disabled, in words.
        created: when it was made.
        changed: when its state changed last.
        failing_since: since when no delivery succeeded, if the last one failed.
    """

    id: str
    kind: EndpointKind
    principal: str | None
    authority: str | None
    address: bytes | None
    secret: bytes | None
    state: EndpointState
    reason: str
    created: datetime
    changed: datetime
    failing_since: datetime | None


_FOUND: Final = select(*(endpoint.c[name] for name in StoredEndpoint.__struct_fields__))


async def lock_endpoint(connection: AsyncConnection, endpoint_id: str) -> StoredEndpoint | None:
    """Read an endpoint, and keep everybody else from changing it until the transaction ends."""
    row = (
        (await connection.execute(_FOUND.where(endpoint.c.id == endpoint_id).with_for_update()))
        .mappings()
        .one_or_none()
    )
    return None if row is None else StoredEndpoint(**row)


async def set_state(
    connection: AsyncConnection, endpoint_id: str, state: EndpointState, reason: str, now: datetime
) -> None:
    """Change whether an endpoint gets notices; one that ended forgets its address and its secrets."""
    values: dict[str, object] = {"state": state, "reason": reason, "changed": now}
    if state == "active":
        values |= {"failing_since": None, "confirmation_digest": None}
    if state == "ended":
        values |= {"address": None, "secret": None, "confirmation_digest": None, "failing_since": None}
    await connection.execute(update(endpoint).where(endpoint.c.id == endpoint_id).values(**values))


async def note_failure(connection: AsyncConnection, endpoint_id: str, since: datetime) -> None:
    """Note that attempts fail from an instant on, unless they did before."""
    statement = update(endpoint).where(endpoint.c.id == endpoint_id, endpoint.c.failing_since.is_(None))
    await connection.execute(statement.values(failing_since=since))


async def note_success(connection: AsyncConnection, endpoint_id: str) -> None:
    """Note that an attempt succeeded."""
    statement = update(endpoint).where(endpoint.c.id == endpoint_id, endpoint.c.failing_since.is_not(None))
    await connection.execute(statement.values(failing_since=None))


async def hold_pending(connection: AsyncConnection, endpoint_id: str) -> int:
    """Hold every notice that waits to be delivered, and give back how many."""
    statement = update(outbox).where(outbox.c.endpoint == endpoint_id, outbox.c.state == "pending")
    return (await connection.execute(statement.values(state="held", next_attempt=None, gives_up=None))).rowcount


async def release_held(connection: AsyncConnection, endpoint_id: str, now: datetime) -> int:
    """Let every notice that was held be delivered from now on, and give back how many."""
    statement = update(outbox).where(outbox.c.endpoint == endpoint_id, outbox.c.state == "held")
    released = (await connection.execute(statement.values(state="pending", next_attempt=now, gives_up=None))).rowcount
    if released:
        await announce(connection)
    return released


async def find_owners_mail(connection: AsyncConnection, about: StoredEndpoint) -> str | None:
    """Find the mail endpoint at which the owner of another endpoint is reached: the same authority's first."""
    if about.principal is None:
        return None
    same = endpoint.c.authority.is_not_distinct_from(about.authority)
    found = (
        select(endpoint.c.id)
        .where(
            endpoint.c.principal == about.principal,
            endpoint.c.kind == "mail",
            endpoint.c.state == "active",
            endpoint.c.id != about.id,
        )
        .order_by(same.desc(), endpoint.c.created, endpoint.c.id)
    )
    return (await connection.execute(found.limit(1))).scalar_one_or_none()


async def block_mail(connection: AsyncConnection, address_digest: bytes, now: datetime) -> None:
    """Note that an address wants no mail from here, ever."""
    await connection.execute(
        insert(mail_block).values(address_digest=address_digest, blocked=now).on_conflict_do_nothing()
    )


async def is_blocked(connection: AsyncConnection, address_digests: Collection[bytes]) -> bool:
    """Whether an address, known by its digests, wants no mail from here."""
    found = exists().where(mail_block.c.address_digest.in_(address_digests))
    return bool(await connection.scalar(select(found)))


OPEN_FOR: Final = (endpoint.c.state == "active") | (
    (endpoint.c.state == "unconfirmed") & (outbox.c.kind == CONFIRMATION)
)
"""Whether the endpoint of a notice gets it."""
