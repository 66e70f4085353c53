"""Applications to ask, over a scratch register and over a real database."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from functools import cache
from typing import Any

import httpx
import pytest
from litestar import Litestar

from cab_registry.app import create_app, create_scratch_app
from cab_registry.register.compiled import Register, change_register
from cab_registry.register.short_form import read_given
from cab_registry.services.cases import catalogue_scratch
from cab_registry.settings import Settings

TODAY = date(2026, 11, 20)


@cache
def law() -> Register:
    """The catalogue's law, compiled once."""
    return catalogue_scratch().base(None)


def laboratory(**more: Any) -> list[dict[str, Any]]:
    """A laboratory that the FCC recognises under the arrangement with Korea, in the short form."""
    return [
        {
            "body": {
                "id": "x-kr-lab",
                "name": "Prüflabor Suwon",
                "kind": "testing_laboratory",
                "economy": "KR",
                "identifiers": [{"scheme": "fcc-designation", "value": "KR9999"}],
                "sites": [{"id": "suwon", "economy": "KR"}],
            }
        },
        {
            "accreditation": {
                "body": "x-kr-lab",
                "by": "kr-kolas",
                "standard": "ISO/IEC 17025",
                "scope": ["us-47cfr-15c"],
                "from": "2017-01-01",
            }
        },
        {
            "designation": {
                "body": "x-kr-lab",
                "by": "kr-rra",
                "agreement": "apec-tel-us-kr",
                "annex": "phase-1",
                "scope": ["us-47cfr-15c"],
                "from": "2017-02-01",
            }
        },
        {
            "recognition": {
                "body": "x-kr-lab",
                "by": "us-fcc",
                "agreement": "apec-tel-us-kr",
                "annex": "phase-1",
                "scope": ["us-47cfr-15c"],
                "from": "2017-03-01",
                **more,
            }
        },
    ]


def register(**more: Any) -> Register:
    return change_register(law(), read_given(laboratory(**more), law(), None))


def question(**more: Any) -> dict[str, Any]:
    """A question that is accepted with the laboratory on record; keys may be dotted."""
    asked: dict[str, Any] = {
        "destination": "US",
        "presented_on": "2019-06-10",
        "result": {
            "kind": "test_report",
            "issuer": {"id": "x-kr-lab"},
            "performed_in": "KR",
            "performed_on": {"from": "2019-05-14", "to": "2019-05-15"},
            "issued_on": "2019-05-16",
        },
        "subject": {"sector": "telecom_radio", "requirement": "us-47cfr-15c", "procedure": "certification"},
    }
    for key, value in more.items():
        *above, last = key.split("__")
        place = asked
        for step in above:
            place = place.setdefault(step, {})
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return asked


class Asker:
    """A client of one application."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def post(self, asked: object, **more: Any) -> httpx.Response:
        content = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
        headers = {"content-type": "application/json", **more.pop("headers", {})}
        return await self.client.post("/v1/acceptance", content=content, headers=headers, **more)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.client.get(path, **more)


def client_of(app: Litestar) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://register.test")


@pytest.fixture(scope="session")
def scratch_register() -> Register:
    return register()


@pytest.fixture(scope="session")
def scratch_app(scratch_register: Register) -> Litestar:
    return create_scratch_app(lambda: scratch_register, lambda: TODAY)


@pytest.fixture
async def ask(scratch_app: Litestar) -> AsyncIterator[Asker]:
    async with client_of(scratch_app) as client:
        yield Asker(client)


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, metrics_port=0, poll_seconds=0.5, environment="test")


@pytest.fixture
async def served(settings: Settings) -> AsyncIterator[Litestar]:
    app = create_app(settings)
    started, over = asyncio.Event(), asyncio.Event()

    async def run() -> None:  # entered and left in one task, as a server does
        try:
            async with app.lifespan():
                started.set()
                await over.wait()
        finally:
            started.set()

    task = asyncio.create_task(run())
    await started.wait()
    yield app
    over.set()
    await task


async def eventually(look: Callable[[], Awaitable[Any]]) -> None:
    """Look again and again, for ten seconds at most, until something is there."""
    for _ in range(500):
        if await look():
            return
        await asyncio.sleep(0.02)
    pytest.fail("it never came")
