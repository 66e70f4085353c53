"""A small register with its authorities, and people who work for them; for the tests of what is handed in."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.register.ownership import REGISTRAR
from cab_registry.register.schemas import list_faults
from cab_registry.services.following import RegisterHolder
from cab_registry.services.heads import Held
from cab_registry.services.principals import Principal, Role, authenticate
from cab_registry.services.submissions import load_catalogue
from cab_registry.services.submitting import Desk, GivenRecord, SubmissionRequest, Submitted, submit
from tests.letting_in import Registrars, let_in, open_registry

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = "2026-11-21"

LAW: list[dict[str, Any]] = [
    {"type": "authority", "id": "registrar", "names": {"en": "Registrar"}, "roles": ["registrar"]},
    {"type": "economy", "id": "xu", "code": "XU", "kind": "union", "names": {"en": "Union"}},
    {
        "type": "economy",
        "id": "xa",
        "code": "XA",
        "names": {"en": "A"},
        "member_of": [{"union": "XU", "from": "1999-01-01", "source": "law"}],
    },
    {"type": "economy", "id": "xb", "code": "XB", "names": {"en": "B"}},
    {"type": "authority", "id": "xu-commission", "economy": "XU", "names": {"en": "C"}, "roles": ["regulating"]},
    {"type": "authority", "id": "xu-agency", "economy": "XU", "names": {"en": "Agency"}, "roles": ["regulating"]},
    {"type": "authority", "id": "xa-former", "economy": "XA", "names": {"en": "F"}, "roles": ["designating"]},
    {
        "type": "authority",
        "id": "xa-ministry",
        "economy": "XA",
        "names": {"en": "M"},
        "roles": ["designating"],
        "succeeds": [{"authority": "xa-former", "on": "2015-01-01", "source": "law"}],
    },
    {"type": "authority", "id": "xa-service", "economy": "XA", "names": {"en": "S"}, "roles": ["accrediting"]},
    {"type": "authority", "id": "xb-office", "economy": "XB", "names": {"en": "O"}, "roles": ["regulating"]},
    {
        "type": "requirement",
        "id": "xb-rules",
        "economy": "XB",
        "sector": "telecom_radio",
        "citation": "Rules of B",
        "editions": [{"key": "1", "from": "always", "source": "law"}],
    },
    {
        "type": "requirement",
        "id": "standard-one",
        "citation": "Standard One",
        "editions": [{"key": "2017", "from": "2017-01-01", "source": "law"}],
    },
    {
        "type": "agreement",
        "id": "xa-xb",
        "short": "A-B",
        "family": "technical",
        "parties": ["XA", "XB"],
        "instrument": [{"state": "in_force", "on": "2005-01-01", "source": "law"}],
        "annexes": {
            "radio": {
                "sectors": ["telecom_radio"],
                "timeline": [{"state": "operational", "on": "2006-01-01", "source": "law"}],
            }
        },
        "objection": {"silence": "silent"},
    },
    # It never came to work, so that no answer rests on it; that it says who gives which right is enough.
    {
        "type": "route",
        "id": "a-to-b",
        "citation": "Article 1",
        "source": "law",
        "confidence": "high",
        "agreement": "xa-xb",
        "annex": "radio",
        "importer": ["XB"],
        "exporter": ["XA"],
        "result_kinds": ["test_report"],
        "operation": [{"state": "planned", "on": "2006-01-01", "source": "law"}],
        "issuer": {
            "designation": {"by": ["exporter"], "source": "law"},
            "recognition": {"by": ["importer"], "source": "law"},
        },
        "duty": "must",
    },
]


def law() -> list[dict[str, Any]]:
    source = {"law": {"title": "Gazette", "confidence": "high"}}
    return [{"owner": "registrar", "sources": source, **document} for document in LAW]


def body(number: int = 1, owner: str = "xa-ministry", **more: Any) -> dict[str, Any]:
    return {
        "type": "body",
        "id": f"lab-{number}",
        "owner": owner,
        "economy": "XA",
        "names": [{"name": f"Laboratory {number}", "from": "2010-01-01"}],
        "kinds": ["testing_laboratory"],
        "sites": [{"key": "main", "economy": "XA"}],
        "identifiers": [{"scheme": "numbers", "value": f"A-{number}", "from": "2010-01-01"}],
        **more,
    }


def right(kind: str, number: int = 1, **more: Any) -> dict[str, Any]:
    by = {"designation": "xa-ministry", "accreditation": "xa-service", "recognition": "xb-office"}[kind]
    ground = {"standard": "Standard One", "edition": "2017", "validity": "open_ended"}
    if kind != "accreditation":
        ground = {"agreement": "xa-xb", "annex": "radio"}
    event = {"designation": "designated", "accreditation": "granted", "recognition": "recognised"}[kind]
    return {
        "type": kind,
        "id": f"{kind}-{number}",
        "owner": by,
        "by": by,
        "body": f"lab-{number}",
        "scope": [{"key": "radio", "requirement": "xb-rules", "from": "2018-01-01"}],
        "timeline": [{"event": event, "on": "2018-01-01"}],
        **ground,
        **more,
    }


def notice(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "type": "notice",
        "id": f"notice-{number}",
        "owner": "xb-office",
        "by": "xb-office",
        "about": {"body": f"lab-{number}"},
        "effect": "refused",
        "on": "2020-01-01",
        **more,
    }


class CaughtUp(RegisterHolder):
    """A holder that reads the log when it is asked, so that no task has to follow it."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine, poll_seconds=60, patience_seconds=5)
        self._one = asyncio.Lock()

    async def at_least(self, position: int) -> Held:
        async with self._one:
            if self.position < position or not position:
                await self.catch_up()
        return self.current()


@dataclass
class Office:
    """The desk, a clock that stands still until it is moved, and principals by a name of the test's own."""

    engine: AsyncEngine
    now: datetime = START
    people: dict[str, Principal] = field(default_factory=dict)
    registrars: Registrars = field(default_factory=lambda: Registrars("", ""))
    count: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    more: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._desk = Desk(self.engine, CaughtUp(self.engine), self.clock, self.random)

    def clock(self) -> datetime:
        return self.now

    def random(self, length: int) -> bytes:
        return next(self.count).to_bytes(length, "big")

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    @property
    def desk(self) -> Desk:
        return replace(self._desk, **self.more)

    @property
    def means(self) -> dict[str, Any]:
        return {"clock": self.clock, "random": self.random}

    async def open(self) -> None:
        await load_catalogue(self.engine, law(), validate=list_faults)
        await self.open_accounts()

    async def open_accounts(self) -> None:
        """Make two registrars."""
        self.registrars = await open_registry(self.engine, self.clock, self.random)
        self.people["registrar"], self.people["registrar two"] = [
            await authenticate(self.engine, each, self.clock) for each in self.registrars
        ]

    async def hire(self, name: str, authority: str, *roles: Role) -> Principal:
        """Let somebody in, with a token and the roles, which both registrars agree to."""
        person = f"Person behind {name}"
        made = await let_in(self.engine, self.registrars, authority, *roles, name=person, **self.means)
        self.people[name] = await authenticate(self.engine, made.token, self.clock)
        return self.people[name]

    def request(self, who: str, *documents: dict[str, Any] | GivenRecord, **more: Any) -> SubmissionRequest:
        authority = self.people[who].authority if who in self.people else REGISTRAR
        given: dict[str, Any] = {"authority": authority, "public_reason": "as decided", **more}
        return SubmissionRequest(records=tuple(map(as_given, documents)), **given)

    async def submit(
        self, who: str, *documents: dict[str, Any] | GivenRecord, key: str | None = None, **more: Any
    ) -> Submitted:
        return await submit(self.desk, self.people[who], self.request(who, *documents, **more), key)


def as_given(document: dict[str, Any] | GivenRecord) -> GivenRecord:
    return document if isinstance(document, GivenRecord) else GivenRecord(document=document)


def given(document: dict[str, Any], version: int = 0, change: Any = None) -> GivenRecord:
    return GivenRecord(document=document, expected_version=version, change=change)


@asynccontextmanager
async def opened(engine: AsyncEngine, hires: Sequence[tuple[str, str, tuple[Role, ...]]]) -> AsyncIterator[Office]:
    office = Office(engine)
    await office.open()
    for name, authority, roles in hires:
        await office.hire(name, authority, *roles)
    yield office
