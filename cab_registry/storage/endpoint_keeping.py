"""Rows of endpoints as their owners see them, and as mail addresses without an account confirm and stop them."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.storage.endpoints import EndpointKind, EndpointState, StoredEndpoint
from cab_registry.storage.outbox import CONFIRMATION
from cab_registry.storage.watch_tables import endpoint, outbox, watch, watched

_FOUND: Final = select(*(endpoint.c[name] for name in StoredEndpoint.__struct_fields__))
_USED: Final = endpoint.c.state != "ended"
_OF_NOBODY: Final = endpoint.c.principal.is_(None)


class NewEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint that is to be kept.

    Attributes:
        id: opaque.
        kind: how it is reached.
        principal: whose it is; none for an address that confirms by mail.
        authority: for which authority the principal keeps it.
        address: sealed.
        address_digest: finds it without opening it.
        secret: the sealed secrets that sign, of a webhook.
        state: whether it gets notices.
        created: the instant.
        confirmation_digest: of the token that confirms it.
    """

    id: str
    kind: EndpointKind
    principal: str | None
    authority: str | None
    address: bytes
    address_digest: bytes
    secret: bytes | None
    state: EndpointState
    created: datetime
    confirmation_digest: bytes | None


class MailKept(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail address without an account has.

    Attributes:
        watches: that did not end, unconfirmed ones that are too old left out.
        watched: what they watch.
        unconfirmed: how many of them wait to be confirmed.
    """

    watches: int
    watched: int
    unconfirmed: int


async def insert_endpoint(connection: AsyncConnection, new: NewEndpoint) -> None:
    """Keep an endpoint."""
    await connection.execute(endpoint.insert().values(**msgspec.structs.asdict(new), changed=new.created))


async def find_endpoint(connection: AsyncConnection, endpoint_id: str) -> StoredEndpoint | None:
    """Read an endpoint."""
    row = (await connection.execute(_FOUND.where(endpoint.c.id == endpoint_id))).mappings().one_or_none()
    return None if row is None else StoredEndpoint(**row)


async def find_unconfirmed(
    connection: AsyncConnection, confirmation_digest: bytes, since: datetime
) -> StoredEndpoint | None:
    """Read the endpoint that a token confirms, if it was made after an instant and waits for it."""
    found = _FOUND.where(
        endpoint.c.confirmation_digest == confirmation_digest,
        endpoint.c.state == "unconfirmed",
        endpoint.c.created > since,
    )
    row = (await connection.execute(found)).mappings().one_or_none()
    return None if row is None else StoredEndpoint(**row)


async def read_address_digest(connection: AsyncConnection, endpoint_id: str) -> bytes:
    """Read what finds the address of an endpoint; it is there after the endpoint ended, too."""
    found = await connection.scalar(select(endpoint.c.address_digest).where(endpoint.c.id == endpoint_id))
    return bytes(found or b"")


async def list_endpoints(
    connection: AsyncConnection, *, principal: str | None, authority: str | None, ended: bool
) -> list[StoredEndpoint]:
    """Read endpoints for an authority or for all, the oldest first; of one principal or of all that are somebody's."""
    wanted: list[ColumnElement[bool]] = [endpoint.c.principal.is_not(None)]
    if authority is not None:
        wanted.append(endpoint.c.authority == authority)
    if principal is not None:
        wanted.append(endpoint.c.principal == principal)
    if not ended:
        wanted.append(_USED)
    found = await connection.execute(_FOUND.where(*wanted).order_by(endpoint.c.created, endpoint.c.id))
    return [StoredEndpoint(**row) for row in found.mappings()]


async def list_owned(connection: AsyncConnection, principal: str, authority: str | None = None) -> list[str]:
    """Read the ids of the endpoints of a principal that did not end, for one authority or for all, in order of id."""
    found = select(endpoint.c.id).where(endpoint.c.principal == principal, _USED)
    if authority is not None:
        found = found.where(endpoint.c.authority == authority)
    return list((await connection.scalars(found.order_by(endpoint.c.id))).all())


async def list_active_mail(connection: AsyncConnection, principal: str) -> list[str]:
    """Read the ids of the mail endpoints of a principal that get notices, in order of id."""
    found = select(endpoint.c.id).where(
        endpoint.c.principal == principal, endpoint.c.kind == "mail", endpoint.c.state == "active"
    )
    return list((await connection.scalars(found.order_by(endpoint.c.id))).all())


async def list_mail_endpoints(connection: AsyncConnection, address_digests: Collection[bytes]) -> list[str]:
    """Read the ids of all mail endpoints of an address that did not end, those of accounts too, in order of id."""
    found = select(endpoint.c.id).where(
        endpoint.c.address_digest.in_(address_digests), endpoint.c.kind == "mail", _USED
    )
    return list((await connection.scalars(found.order_by(endpoint.c.id))).all())


async def list_unconfirmed(connection: AsyncConnection, until: datetime) -> list[str]:
    """Read the ids of the endpoints that wait to be confirmed and were made at an instant or before."""
    found = select(endpoint.c.id).where(endpoint.c.state == "unconfirmed", endpoint.c.created <= until)
    return list((await connection.scalars(found.order_by(endpoint.c.id))).all())


async def count_endpoints(connection: AsyncConnection, principal: str, authority: str) -> int:
    """Count the endpoints of an owner that did not end."""
    return await _count(connection, endpoint.c.principal == principal, endpoint.c.authority == authority, _USED)


async def count_waiting(connection: AsyncConnection, since: datetime) -> int:
    """Count the addresses without an account that wait to be confirmed and were made after an instant."""
    return await _count(connection, endpoint.c.state == "unconfirmed", _OF_NOBODY, endpoint.c.created > since)


async def list_waiting_longest(connection: AsyncConnection, since: datetime, most: int) -> list[str]:
    """Read the ids of the addresses without an account that wait longest to be confirmed, of those after an instant."""
    found = select(endpoint.c.id).where(endpoint.c.state == "unconfirmed", _OF_NOBODY, endpoint.c.created > since)
    return list((await connection.scalars(found.order_by(endpoint.c.created, endpoint.c.id).limit(most))).all())


async def _count(connection: AsyncConnection, *wanted: object) -> int:
    return int(await connection.scalar(select(func.count()).select_from(endpoint).where(*wanted)) or 0)  # type: ignore[arg-type]


async def count_confirmations(connection: AsyncConnection, address_digests: Collection[bytes], since: datetime) -> int:
    """Count the confirmations that were asked of an address after an instant, for accounts too."""
    found = (
        select(func.count())
        .select_from(outbox.join(endpoint, endpoint.c.id == outbox.c.endpoint))
        .where(endpoint.c.address_digest.in_(address_digests), outbox.c.kind == CONFIRMATION, outbox.c.created > since)
    )
    return int(await connection.scalar(found) or 0)


async def count_of_mail(connection: AsyncConnection, address_digests: Collection[bytes], since: datetime) -> MailKept:
    """Count what a mail address without an account has; of what is not confirmed, that made after an instant."""
    waits = endpoint.c.state == "unconfirmed"
    row = (
        await connection.execute(
            select(
                func.count(watch.c.id.distinct()),
                func.count(watched.c.id),
                func.count(endpoint.c.id.distinct()).filter(waits),
            )
            .select_from(
                endpoint.outerjoin(watch, (watch.c.endpoint == endpoint.c.id) & watch.c.ended.is_(None)).outerjoin(
                    watched, watched.c.watch == watch.c.id
                )
            )
            .where(
                endpoint.c.address_digest.in_(address_digests),
                _OF_NOBODY,
                _USED,
                ~waits | (endpoint.c.created > since),
            )
        )
    ).one()
    return MailKept(watches=int(row[0]), watched=int(row[1]), unconfirmed=int(row[2]))


async def set_secret(connection: AsyncConnection, endpoint_id: str, secret: bytes) -> None:
    """Keep other sealed secrets for a webhook."""
    await connection.execute(update(endpoint).where(endpoint.c.id == endpoint_id).values(secret=secret))
