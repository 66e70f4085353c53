"""Writers who hand in over HTTP by idempotency keys, and try again until they know what became of it."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.services.office import body, right

WRITERS = 50
REGULATORS = 10
"""The last of the writers: each suspends and reinstates one laboratory, turn by turn."""
SHARED = REGULATORS
PATH = "/v1/submissions"
AMENDS, REFUSED, PAIR, KINDS = 5, 6, 7, 8
KNOWN = {200, 201, 403, 409, 422}
UNDER_WAY = 3
"""So many kills' worth of submissions may be under way before a kill falls."""


@dataclass
class Storm:
    """What was handed in and what became of it, by idempotency key; and how far it has come."""

    tokens: list[str]
    kills: int
    each: int
    chance: random.Random
    address: str = ""
    told: dict[str, tuple[int, Any]] = field(default_factory=dict)
    handed_in: int = 0
    known: int = 0
    struck: int = 0
    tried_again: int = 0
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def size(self) -> int:
        return WRITERS * self.each

    async def hold(self) -> None:
        """Wait while the kills are behind, so that each of them falls in the middle of the work."""
        async with self.moved:
            await self.moved.wait_for(lambda: self.handed_in < (self.struck + UNDER_WAY) * self.size / self.kills)
            self.handed_in += 1

    async def learn(self) -> None:
        async with self.moved:
            self.known += 1
            self.moved.notify_all()

    async def strike(self) -> None:
        async with self.moved:
            self.struck += 1
            self.moved.notify_all()

    async def reach(self, count: float) -> None:
        async with self.moved:
            await self.moved.wait_for(lambda: self.known >= count)

    async def ride(self) -> None:
        """Let all writers work to their end."""
        async with asyncio.TaskGroup() as group:
            for writer in range(WRITERS):
                group.create_task(self._work(writer))

    async def _work(self, writer: int) -> None:
        headers = {"authorization": f"Bearer {self.tokens[writer]}"}
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(
            base_url=self.address, headers=headers, limits=limits, timeout=20, trust_env=False
        ) as client:
            for turn in range(self.each):
                await self.hold()
                await self._take_turn(client, writer, turn)
                await self.learn()

    async def _call(self, client: httpx.AsyncClient, method: str, path: str, **parts: Any) -> httpx.Response:
        """Call again and again until the answer is known."""
        while True:
            try:
                answer = await client.request(method, path, **parts)
            except httpx.TransportError:
                pass
            else:
                if answer.status_code < 500:
                    return answer
                assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
            self.tried_again += 1
            await asyncio.sleep(self.chance.uniform(0.02, 0.1))

    async def _submit(
        self, client: httpx.AsyncClient, key: str, *records: dict[str, Any], authority: str = "xa-ministry"
    ) -> int:
        asked = {"authority": authority, "public_reason": key, "private_reason": f"about {key}", "records": records}
        answer = await self._call(client, "POST", PATH, json=asked, headers={"idempotency-key": key})
        assert answer.status_code in KNOWN, answer.text
        self.told[key] = answer.status_code, answer.json()
        return answer.status_code

    async def _take_turn(self, client: httpx.AsyncClient, writer: int, turn: int) -> None:
        key = f"w{writer}-{turn}"
        kind = kind_of(writer, turn)
        if is_regulator(writer):
            await self._turn_right(client, writer, turn)
        elif kind == AMENDS:
            await self._amend(client, writer, key)
        elif kind == REFUSED:
            # One of two records is another's, or wrong in itself: neither may be entered.
            wrong = {"owner": "xb-office"} if (turn // KINDS + writer) % 2 else {"economy": "QQ"}
            assert await self._submit(client, key, new(f"{key}-a"), new(f"{key}-b", **wrong)) in {403, 422}
        elif kind == PAIR:
            pair = new(f"{key}-a"), new(f"{key}-b")
            assert await self._submit(client, key, *pair) in {200, 201}
            known = self.told[key][1]["id"]
            assert (await self._submit(client, key, *pair), self.told[key][1]["id"]) == (200, known)
        else:
            assert await self._submit(client, key, new(key)) in {200, 201}

    async def _amend(self, client: httpx.AsyncClient, writer: int, key: str) -> None:
        """Change a record that others change too, from the version that was read; a refusal tells the one to read."""
        name = f"lab-{writer % SHARED + 1}"
        read = (await self._call(client, "GET", f"/v1/records/{name}")).json()
        version, standing = read["version"], read["record"]
        for attempt in range(1000):
            document = {**standing, "note": f"{key}-{attempt}"}
            record = {"document": document, "expected_version": version, "change": "amend"}
            if await self._submit(client, f"{key}-{attempt}", record) != 409:
                return
            (difference,) = self.told[f"{key}-{attempt}"][1]["differences"]
            version, standing = difference["found"], difference["since"][-1]["document"]
        pytest.fail(f"{key} never came to its turn")

    async def _turn_right(self, client: httpx.AsyncClient, writer: int, turn: int) -> None:
        """Suspend a laboratory or take the suspension back; others may change what that rests on meanwhile."""
        document = recognition(writer - WRITERS + REGULATORS + 1, suspended=turn % 2 == 0)
        record = {"document": document, "expected_version": turn + 1, "change": "correction"}
        for attempt in range(1000):
            key = f"w{writer}-{turn}-{attempt}"
            status = await self._submit(client, key, record, authority="xb-office")
            if status != 409:
                assert status in {200, 201}, self.told[key]
                return
        pytest.fail(f"w{writer}-{turn} never came to its turn")


def is_regulator(writer: int) -> bool:
    return writer >= WRITERS - REGULATORS


def kind_of(writer: int, turn: int) -> int:
    """Say what a writer does next; not all of them the same at once."""
    return (writer // SHARED * 2 + turn) % KINDS


def count_amendments(each: int) -> int:
    return sum(kind_of(writer, turn) == AMENDS for writer in range(WRITERS - REGULATORS) for turn in range(each))


def new(name: str, **more: Any) -> dict[str, Any]:
    document = body(owner="xa-ministry", id=f"lab-{name}", names=[{"name": f"Laboratory {name}", "from": "always"}])
    return {"document": {**document, "identifiers": [], "sites": [], **more}, "expected_version": 0}


def recognition(number: int, *, suspended: bool) -> dict[str, Any]:
    plain = right("recognition", number)
    events = [{"event": "suspended", "on": "2026-02-15"}] if suspended else []
    return {**plain, "timeline": [*plain["timeline"], *events]}
