"""A desk of watches over the small register of the office, and what the tests of it look at."""

from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.services.delivery.sealing import Sealer
from cab_registry.services.watching.targets import Target
from cab_registry.services.watching.watch_desk import WatchDesk, WatchLimits
from cab_registry.services.watching.watch_targets import WatchRequest
from cab_registry.settings import read_networks
from tests.services.office import Office

LOCAL = "http://127.0.0.1:9/hook?key=of-theirs"
MAIL = "Ana.Example@importer.example"


def open_watches(office: Office, *, keyed: bool = True, mail: bool = True, **limits: int) -> WatchDesk:
    return WatchDesk(
        office.desk,
        sealer=Sealer([b"k" * 32], office.random) if keyed else None,
        sends_mail=mail,
        networks=read_networks("127.0.0.0/8"),
        limits=WatchLimits(**limits),
    )


def record(kind: Any = "body", name: str = "lab-1", **more: str) -> Target:
    return Target(kind=kind, id=name, **more)


def asking(*targets: Target, **more: Any) -> WatchRequest:
    return WatchRequest(targets=targets, **more)


async def rows(engine: AsyncEngine, statement: str) -> list[dict[str, Any]]:
    async with engine.connect() as connection:
        return [dict(each) for each in (await connection.execute(text(statement))).mappings()]


async def read_mails(engine: AsyncEngine) -> list[dict[str, Any]]:
    """The confirmations that were written, the oldest first: the endpoint, and what the mail says."""
    found = await rows(engine, "SELECT * FROM outbox WHERE kind = 'endpoint.confirm' ORDER BY number")
    return [{**each, "says": msgspec.json.decode(each["payload"])["data"]} for each in found]


def token_of(mail: dict[str, Any]) -> str:
    address: str = mail["says"]["links"][0]["address"]
    return address.partition("?token=")[2]
