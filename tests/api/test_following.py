"""The service over a real database: it follows the log, answers at the head from memory, and knows the past."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.domain.records import write_record
from cab_registry.services.flat import write_flat
from cab_registry.services.following import RegisterHolder
from cab_registry.services.heads import PositionNotReached, PositionNotWritten
from cab_registry.services.submissions import load_catalogue
from cab_registry.settings import Settings
from cab_registry.storage.engine import create_engine
from cab_registry.storage.entries import Appended, Change
from cab_registry.storage.log import lock_log
from tests.api.conftest import Asker, client_of, eventually, law, question, register
from tests.services.entering import Entered, enter


def accept(_: Any) -> list[Any]:
    return []


def given_documents(**more: Any) -> list[dict[str, Any]]:
    """The documents of the laboratory, its rights, and the law that the question needs."""
    found = register(**more)
    return [write_record(each.record) for key, each in found.records.items() if key not in law().records]


def law_documents() -> list[dict[str, Any]]:
    wanted = ("us-", "kr-", "apec-tel-us-kr")
    records = (each.record for each in law().records.values())
    return [
        write_record(each)
        for each in records
        if each.id.startswith(wanted) or type(each).__name__ in ("Economy", "Coverage")
    ]


@pytest.fixture
async def writer(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    await load_catalogue(engine, [*law_documents(), *given_documents()], validate=accept)
    yield engine
    await engine.dispose()


@pytest.fixture
async def ask(writer: AsyncEngine, served: Litestar) -> AsyncIterator[Asker]:
    async with client_of(served) as client:
        yield Asker(client)


async def submit(writer: AsyncEngine, document: dict[str, Any], change: Change | None = None) -> Appended:
    appended = await enter(writer, Entered(document, change))
    assert appended is not None
    return appended


def suspended() -> dict[str, Any]:
    """The recognition, suspended while the work was done; known to the register only when it is submitted."""
    events = [{"on": "2019-05-01", "event": "suspended"}]
    return next(each for each in given_documents(events=events) if each["type"] == "recognition")


@contextmanager
def counted(engine: AsyncEngine) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine.sync_engine, "before_cursor_execute", note)


async def test_a_change_is_answered_from_its_position_on(ask: Asker, writer: AsyncEngine) -> None:
    before = await ask.post(question())
    assert before.json()["verdict"] == "accepted"
    receipt = await submit(writer, suspended())
    after = await ask.post(question(), params={"at_least": receipt.last})
    assert after.status_code == 200
    given = after.json()
    assert (given["verdict"], given["first_failing"]) == ("not_accepted", "suspension")
    assert given["asked"]["position"] == receipt.last
    assert datetime.fromisoformat(given["asked"]["recorded"]) == receipt.recorded
    assert after.headers["etag"] != before.headers["etag"]


async def test_what_was_known_then_is_answered_byte_for_byte(ask: Asker, writer: AsyncEngine) -> None:
    now = datetime.now(UTC)
    issuers = ({"id": "x-kr-lab"}, {"scheme": "fcc-designation", "value": "KR9999"}, {"name": "Prüflabor Suwon"})
    befores = [await ask.post(question(result__issuer=issuer)) for issuer in issuers]
    moment = befores[0].json()["asked"]["recorded"]
    receipt = await submit(writer, suspended())
    await ask.post(question(), params={"at_least": receipt.last})
    for issuer, before in zip(issuers, befores, strict=True):
        then = await ask.post(question(known_at=moment, result__issuer=issuer))
        assert then.status_code == 200
        assert then.content == before.content
        assert now.date().isoformat() == before.json()["asked"]["known_on"]


async def test_an_instant_that_is_past_has_one_answer_for_good(ask: Asker, writer: AsyncEngine) -> None:
    """Also where it came after the last entry; day and address stay, whatever is entered later."""
    moment = datetime.now(UTC).isoformat()
    asked = question(known_at=moment)
    path = "/v1/acceptance?" + urlencode(write_flat(asked))
    before, by_address = await ask.post(asked), await ask.get(path)
    assert (before.json()["verdict"], before.json()["asked"]["notes"]) == ("accepted", [])
    receipt = await submit(writer, suspended())
    await ask.post(question(), params={"at_least": receipt.last})
    again, once_more = await ask.post(asked), await ask.get(path)
    assert (again.content, again.headers["etag"]) == (before.content, before.headers["etag"])
    assert (once_more.content, once_more.headers["etag"]) == (by_address.content, by_address.headers["etag"])
    unchanged = await ask.get(path, headers={"if-none-match": by_address.headers["etag"]})
    assert unchanged.status_code == 304
    page = f"/v1/bodies/x-kr-lab?known_at={quote(moment)}"
    assert "suspended" not in (await ask.get(page)).text
    later = await ask.post(question(known_at=datetime.now(UTC).isoformat()))
    assert (later.json()["verdict"], later.json()["asked"]["notes"]) == ("not_accepted", [])


async def test_a_moment_to_come_promises_nothing(ask: Asker, writer: AsyncEngine) -> None:
    moment = (datetime.now(UTC) + timedelta(days=400)).isoformat()
    before = await ask.post(question(known_at=moment))
    today = datetime.now(UTC).date().isoformat()
    assert before.json()["asked"]["known_on"] == today
    assert any("still to come" in note for note in before.json()["asked"]["notes"])
    receipt = await submit(writer, suspended())
    await ask.post(question(), params={"at_least": receipt.last})
    after = await ask.post(question(known_at=moment))
    assert after.json()["verdict"] == "not_accepted"
    assert after.headers["etag"] != before.headers["etag"]
    for answered in (before, after):
        assert "immutable" not in answered.headers["cache-control"]


@pytest.mark.parametrize("known_at", [None, "past", "to come"])
async def test_the_address_to_keep_finds_the_same_answer_again(
    ask: Asker, writer: AsyncEngine, known_at: str | None
) -> None:
    moments = {"past": datetime.now(UTC), "to come": datetime.now(UTC) + timedelta(days=400)}
    asked = question(**({} if known_at is None else {"known_at": moments[known_at].isoformat()}))
    del asked["presented_on"]
    shown = await ask.get("/answer?" + urlencode(write_flat(asked)))
    kept = unescape(re.findall(r'href="(/answer\?[^"]*known_at=[^"]*)"', shown.text)[0])
    first = await ask.get(kept)
    assert first.status_code == 200
    assert "Accepted" in first.text
    named = dict(parse_qsl(kept.partition("?")[2]))
    assert datetime.fromisoformat(named["known_at"]) <= datetime.now(UTC)
    receipt = await submit(writer, suspended())
    await ask.post(question(), params={"at_least": receipt.last})
    assert (await ask.get(kept)).text == first.text


async def test_an_instant_waits_for_who_is_appending(ask: Asker, writer: AsyncEngine) -> None:
    """What is being entered has read the clock already: an instant after that resolves when it is decided."""
    asked: asyncio.Task[httpx.Response]
    async with writer.begin() as connection:
        await lock_log(connection)
        asked = asyncio.create_task(ask.post(question(known_at=datetime.now(UTC).isoformat())))
        await asyncio.sleep(0.2)
        assert not asked.done()
    assert (await asked).status_code == 200


async def test_the_reachable_past_gives_the_answers_of_the_whole_register(ask: Asker) -> None:
    asked = [
        question(),
        question(result__subcontractors=[{"name": "prüflabor suwon"}, {"id": "us-fcc"}]),
        question(result__issuer={"id": "us-fcc"}, destination="KR"),
        question(result__issuer={"name": "nobody"}, result__issuer_economy="KR"),
        question(result__number="17", subject__requirement="47 CFR Part 15 Subpart C"),
    ]
    for each in asked:
        head = (await ask.post(each)).json()
        then = (await ask.post({**each, "known_at": head["asked"]["recorded"]})).json()
        assert then == head


async def test_the_head_is_answered_without_sql(ask: Asker, served: Litestar) -> None:
    with counted(served.state.engine) as statements:
        holder: RegisterHolder = served.state.holder
        polled = holder.lag
        for _ in range(5):
            assert (await ask.post(question())).status_code == 200
        assert polled >= 0
    assert not [each for each in statements if "log_identity" not in each]


async def test_a_retired_record_leaves_the_register(ask: Asker, writer: AsyncEngine) -> None:
    recognition = next(each for each in given_documents() if each["type"] == "recognition")
    receipt = await submit(writer, recognition, change="retire")
    given = (await ask.post(question(), params={"at_least": receipt.last})).json()
    assert given["verdict"] != "accepted"


async def test_a_position_that_never_comes(settings: Settings, writer: AsyncEngine) -> None:
    holder = RegisterHolder(writer, poll_seconds=60, patience_seconds=30)
    async with holder.following():
        with pytest.raises(PositionNotWritten, match="before 10000"):
            await holder.at_least(10_000)


async def test_a_position_while_the_log_cannot_be_read(settings: Settings, writer: AsyncEngine) -> None:
    holder = RegisterHolder(writer, poll_seconds=0.1, patience_seconds=0.05)
    await holder.catch_up()
    with pytest.raises(PositionNotReached) as refused:
        await holder.at_least(10_000)
    assert refused.value.wanted == 10_000


async def test_it_survives_the_loss_of_its_connections(ask: Asker, writer: AsyncEngine, served: Litestar) -> None:
    async with writer.begin() as connection:
        killed = await connection.scalar(
            text(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert killed
    assert (await ask.post(question())).status_code == 200
    receipt = await submit(writer, suspended())
    after = await ask.post(question(), params={"at_least": receipt.last})
    assert after.json()["verdict"] == "not_accepted"

    async def ready() -> bool:
        return (await ask.get("/ready")).status_code == 200

    await eventually(ready)


async def test_without_a_database_it_is_alive_but_not_ready(settings: Settings) -> None:
    from cab_registry.app import create_app

    settings = Settings(database_url="postgresql+asyncpg://nobody@127.0.0.1:1/none", metrics_port=0)
    app = create_app(settings)
    async with app.lifespan(), client_of(app) as client:
        assert (await client.get("/health")).json()["status"] == "alive"
        ready = await client.get("/ready")
        assert (ready.status_code, ready.json()["database"], ready.json()["register"]) == (503, False, False)
        answer = await Asker(client).post(question())
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/not-loaded")
        assert answer.headers["retry-after"]


async def test_metrics_have_a_port_of_their_own(ask: Asker, served: Litestar) -> None:
    await ask.post(question())
    async with httpx.AsyncClient() as client:
        page = (await client.get(f"http://127.0.0.1:{served.state.metrics_port}/metrics")).text
    assert 'cab_answers_total{verdict="accepted"} 1.0' in page
    assert f"cab_register_position {float(served.state.holder.position)}" in page
    assert "cab_follower_lag_seconds" in page
    assert "cab_answer_seconds_bucket" in page
    assert (await ask.get("/metrics")).status_code == 404


async def test_ready_says_how_far_the_register_is(ask: Asker, served: Litestar) -> None:
    ready = (await ask.get("/ready")).json()
    assert ready["ready"]
    assert ready["position"] == served.state.holder.position > 0
    assert ready["lag_seconds"] < 5


async def test_a_notification_wakes_before_the_poll(writer: AsyncEngine) -> None:
    holder = RegisterHolder(writer, poll_seconds=3600, patience_seconds=5)
    async with holder.following():
        statement = text("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%follower'")

        async def listens() -> bool:
            async with writer.connect() as connection:
                return bool(await connection.scalar(statement))

        async def moved() -> bool:
            return holder.position >= receipt.last

        await eventually(listens)
        await asyncio.sleep(0.1)
        receipt = await submit(writer, suspended())
        await eventually(moved)
