"""Endpoints, watches and notices for the tests of their delivery, and a clock that is moved by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.services.delivery.delivering import Courier, Sender
from cab_registry.services.delivery.sealing import Sealer, address_context, secret_context
from cab_registry.services.delivery.sending import NoticeSender, Post
from cab_registry.services.delivery.webhooks import WebhookSender, join_secrets, make_secret
from cab_registry.storage.canonical import canonical_bytes
from cab_registry.storage.outbox import NewNotice, add_notices
from cab_registry.storage.tables import principal
from cab_registry.storage.watch_tables import delivery, endpoint, outbox, watch
from tests.services.delivery.receiving import HERE, resolving

START = datetime(2026, 11, 21, 8, tzinfo=UTC)
SECRET = make_secret(lambda count: bytes(range(count)))
SEALER = Sealer([bytes(32)], bytes)
OWNER = "p-0000000000000001"


@dataclass
class HandClock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


def middling(count: int) -> bytes:
    """Randomness that neither shortens nor lengthens a wait."""
    return b"\x80" + bytes(count - 1)


def sender_of(engine: AsyncEngine, clock: HandClock, post: Post | None = None, **more: Any) -> NoticeSender:
    webhooks = WebhookSender(resolving(["127.0.0.1"]), HERE, **more)
    return NoticeSender(engine, SEALER, webhooks, post, clock)


def courier_of(engine: AsyncEngine, sender: Sender, clock: HandClock) -> Courier:
    return Courier(engine, sender, clock, middling)


async def make_owner(connection: AsyncConnection) -> None:
    owner = insert(principal).values(id=OWNER, kind="machine", name="A", created=START)
    await connection.execute(owner.on_conflict_do_nothing())


async def make_endpoint(
    connection: AsyncConnection,
    number: int,
    address: str,
    *,
    kind: str = "webhook",
    state: str = "active",
    owned: bool = True,
    more: dict[str, Any] | None = None,
) -> str:
    name = f"e-{number:016x}"
    await make_owner(connection)
    await connection.execute(
        endpoint.insert().values(
            id=name,
            kind=kind,
            principal=OWNER if owned else None,
            address=SEALER.seal(address.encode(), address_context(name)),
            address_digest=SEALER.address_digest(address),
            secret=SEALER.seal(join_secrets([SECRET]), secret_context(name)) if kind == "webhook" else None,
            state=state,
            created=START,
            changed=START,
            **(more or {}),
        )
    )
    return name


async def make_watch(connection: AsyncConnection, number: int, to: str | None, *, ended: bool = False) -> str:
    name = f"w-{number:016x}"
    await make_owner(connection)
    await connection.execute(
        watch.insert().values(
            id=name,
            endpoint=to,
            principal=OWNER,
            kind="body",
            target={},
            name="A body",
            created=START,
            ended=START if ended else None,
        )
    )
    return name


def notice(cause: str, now: datetime = START, **more: Any) -> NewNotice:
    data = {"headline": f"About {cause}", "sentences": ["Something changed."], "links": []}
    payload = canonical_bytes({"type": "watch.changed", "timestamp": now, "data": data})
    return NewNotice(**{"cause": cause, "kind": "watch.changed", "created": now, "payload": payload, **more})


async def tell(engine: AsyncEngine, notices: Sequence[NewNotice]) -> list[str]:
    async with engine.begin() as connection:
        await add_notices(connection, notices)
    return [each.id for each in notices]


async def notices_of(engine: AsyncEngine) -> dict[str, Any]:
    async with engine.connect() as connection:
        found = await connection.execute(outbox.select().order_by(outbox.c.number))
        return {row.cause: row for row in found}


async def state_of(engine: AsyncEngine, endpoint_id: str) -> Any:
    async with engine.connect() as connection:
        return (await connection.execute(endpoint.select().where(endpoint.c.id == endpoint_id))).one()


async def outcomes(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        found = await connection.execute(delivery.select().order_by(delivery.c.began, delivery.c.attempt))
        return [row.outcome for row in found]
