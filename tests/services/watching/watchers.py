"""Watches over the small register of the office, put there without the desk at which people ask for them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cab_registry.services.watching.targets import Target
from cab_registry.services.watching.watch_targets import ask_one
from cab_registry.services.watching.watched_answers import Asker
from cab_registry.services.watching.watcher import Watcher
from cab_registry.storage.log import head
from cab_registry.storage.watches import NewWatch, insert_watch, lock_cursor
from tests.services.office import Office, body, right

ROUTE: dict[str, Any] = {
    "type": "route",
    "id": "xa-xb-radio",
    "owner": "registrar",
    "title": "Reports from A in B",
    "agreement": "xa-xb",
    "annex": "radio",
    "importer": ["XB"],
    "exporter": ["XA"],
    "result_kinds": ["test_report"],
    "requirements": [{"id": "xb-rules", "from": "always"}],
    "issuer": {
        "recognition": {"by": ["xb-office"], "on": ["performed"]},
        "accreditation": {"need": "required", "standards": ["Standard One"], "on": ["performed"]},
    },
    "survival": [{"reason": "any", "effect": "survives"}],
    "citation": "Article 4",
    "duty": "must",
    "confidence": "high",
}

RESULT: dict[str, Any] = {"kind": "test_report", "performed_in": "XA"}
SUBJECT: dict[str, Any] = {"requirement": "xb-rules"}


def report(number: int = 1, performed_on: str = "2026-06-01", **more: Any) -> Target:
    """A report of a laboratory, in hand."""
    result = {**RESULT, "issuer": {"id": f"lab-{number}"}, "performed_on": performed_on, "issued_on": performed_on}
    question = {"destination": "XB", "result": result, "subject": SUBJECT, **more}
    return msgspec.convert({"kind": "question", "question": question}, Target)


def new_reports(number: int = 1, **issuer: str) -> Target:
    """What a laboratory reports from day to day."""
    result = {**RESULT, "issuer": issuer or {"id": f"lab-{number}"}}
    question = {"destination": "XB", "result": result, "subject": SUBJECT}
    return msgspec.convert({"kind": "standing", "question": question}, Target)


async def head_position(connection: AsyncConnection) -> int:
    return (await head(connection)).position


@dataclass
class WatchOffice:
    """The office with a watcher, and watches of one officer."""

    office: Office
    principal: str = ""
    count: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.watcher = self.hire()

    def hire(self) -> Watcher:
        """A watcher that remembers nothing."""
        return Watcher(
            self.office.engine, self.office.clock, lambda: self.office.desk.today, "https://registry.example"
        )

    async def open(self) -> None:
        """Enter a route, and a laboratory with all its rights."""
        self.principal = self.office.people["officer"].id
        await self.office.submit("registrar", ROUTE)
        await self.enter(1)

    async def enter(self, number: int, **accreditation: Any) -> None:
        await self.office.submit("officer", body(number))
        await self.office.submit("accreditor", right("accreditation", number, **accreditation))
        await self.office.submit("regulator", right("recognition", number))

    async def watch(self, *targets: Target, name: str = "") -> str:
        watch_id = f"w-{next(self.count):016x}"
        async with self.office.engine.begin() as connection:
            position = await lock_cursor(connection, share=True)
            held = await self.office.desk.heads.at_least(await head_position(connection))
            assert held.position >= position
            asker = Asker(held.register.facts, self.office.desk.today)
            rows = [ask_one(asker, held.position, target) for target in targets]
            new = NewWatch(
                id=watch_id,
                endpoint=None,
                principal=self.principal,
                authority="xa-ministry",
                kind=targets[0].kind if len(targets) == 1 else "portfolio",
                target={},
                name=name,
                created=self.office.now,
            )
            await insert_watch(connection, new, rows)
        return watch_id

    async def notices(self, watch_id: str | None = None) -> list[dict[str, Any]]:
        """What was written, in order: the events, with the cause beside."""
        async with self.office.engine.connect() as connection:
            rows = await connection.execute(
                text("SELECT watch, cause, kind, payload FROM outbox ORDER BY number"),
            )
            return [
                {**msgspec.json.decode(payload), "cause": cause}
                for watch, cause, _, payload in rows
                if watch_id in (None, watch)
            ]
