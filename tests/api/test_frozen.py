"""The database freezes: every process of it stops, so that nothing is refused and nothing is answered."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import timedelta
from time import monotonic, sleep
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from cab_cli import databases
from cab_cli.exits import Exit
from cab_cli.main import app as command_line
from cab_registry.api.problems import kind_of
from cab_registry.app import create_app
from cab_registry.services.principals import init_registrar
from cab_registry.services.submissions import load_catalogue
from cab_registry.settings import Settings
from cab_registry.storage import migration
from cab_registry.storage.cluster import Cluster, find_binaries
from cab_registry.storage.engine import create_engine
from cab_registry.storage.errors import OutcomeUnknown, StorageBusy, operational_faults
from cab_registry.storage.migration import upgrade
from tests.api.conftest import Asker, client_of, eventually, question
from tests.api.test_accounts import Clock
from tests.api.test_following import accept, given_documents, law_documents
from tests.api.test_problems import check_shape
from tests.frozen import frozen

PATIENCE = 0.5
POOL = 2
READ = "/v1/bodies?known_at=2026-01-01T00:00:00Z"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A server of the test's own, since others would freeze with it."""
    with Cluster.throwaway(find_binaries(os.environ)) as made:
        yield made


@pytest.fixture
def settings(cluster: Cluster) -> Settings:
    return Settings(
        database_url=cluster.url(),
        metrics_port=0,
        poll_seconds=0.5,
        pool_size=POOL,
        database_patience_seconds=PATIENCE,
        environment="test",
    )


@pytest.fixture
async def token(cluster: Cluster) -> str:
    upgrade(cluster.url())
    engine = create_engine(cluster.url())
    await load_catalogue(engine, [*law_documents(), *given_documents()], validate=accept)
    made = await init_registrar(engine, "First Registrar", Clock(), os.urandom)
    await engine.dispose()
    return made


@pytest.fixture
async def client(token: str, served: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(served) as made:
        made.headers["authorization"] = f"Bearer {token}"
        yield made


async def connections_to(cluster: Cluster) -> int:
    """How many connections the server has, the one that asks left out."""
    engine = create_engine(cluster.url())
    async with engine.connect() as connection:
        count = text(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        found = int(await connection.scalar(count) or 0)
    await engine.dispose()
    return found


async def timed(client: httpx.AsyncClient, method: str, path: str, **more: object) -> tuple[float, httpx.Response]:
    began = monotonic()
    response = await client.request(method, path, **more)  # type: ignore[arg-type]
    return monotonic() - began, response


async def is_ready(client: httpx.AsyncClient) -> bool:
    took, response = await timed(client, "GET", "/ready")
    assert took < 2
    return response.status_code == 200


async def test_a_frozen_database_holds_nobody_up(cluster: Cluster, client: httpx.AsyncClient) -> None:
    await eventually(lambda: is_ready(client))
    assert (await client.get(READ)).status_code == 200
    person = {"name": "Somebody", "kind": "person"}
    async with asyncio.timeout(40):
        with frozen(cluster):
            began = monotonic()
            reads = [timed(client, "GET", READ) for _ in range(8 * POOL)]
            writes = [timed(client, "POST", "/v1/principals", json=person) for _ in range(2 * POOL)]
            waiting = [asyncio.create_task(each) for each in (*reads, *writes)]
            while (took := monotonic() - began) < 4 * PATIENCE:
                await is_ready(client)
                assert (await Asker(client).post(question())).json()["verdict"] == "accepted"
                await asyncio.sleep(0.1)
            assert not await is_ready(client), took
            for seconds, response in await asyncio.gather(*waiting):
                assert check_shape(response)["status"] == 503, response.text
                assert response.headers["retry-after"]
                assert seconds < 15
            seconds, response = await timed(client, "GET", READ)
            assert (response.status_code, seconds < 1) == (503, True)

        async def serves() -> bool:
            return await is_ready(client) and (await client.get(READ)).status_code == 200

        await eventually(serves)
    made = await client.post("/v1/principals", json=person)
    assert made.status_code == 201

    # The pool with its peak, the follower, the pulse.
    async def few() -> bool:
        return await connections_to(cluster) <= 2 * POOL + 2

    await eventually(few)


async def test_a_lock_that_exhausts_the_pool_is_not_taken_for_silence(
    database_url: str, owner_database_url: str
) -> None:
    settings = Settings(
        database_url=database_url,
        metrics_port=0,
        pool_size=POOL,
        database_patience_seconds=PATIENCE,
        statement_timeout_seconds=4 * PATIENCE,
        environment="test",
    )
    app = create_app(settings)
    engine = create_engine(owner_database_url)
    await load_catalogue(engine, [*law_documents(), *given_documents()], validate=accept)
    token = await init_registrar(engine, "First Registrar", Clock(), os.urandom)
    async with app.lifespan(), client_of(app) as client:
        await eventually(lambda: is_ready(client))
        client.headers["authorization"] = f"Bearer {token}"
        async with engine.connect() as holder:
            await holder.execute(text("LOCK TABLE principal, scheduler_beat IN ACCESS EXCLUSIVE MODE"))
            waiting = [asyncio.create_task(client.get("/v1/me")) for _ in range(2 * POOL)]
            await asyncio.sleep(3 * PATIENCE)
            assert await is_ready(client)
            assert {response.status_code for response in await asyncio.gather(*waiting)} == {503}
            await holder.rollback()
    await engine.dispose()


async def test_ready_says_within_two_seconds_that_the_database_is_silent(
    cluster: Cluster, token: str, settings: Settings
) -> None:
    assert token
    app = create_app(msgspec.structs.replace(settings, database_patience_seconds=Settings().database_patience_seconds))
    async with app.lifespan(), client_of(app) as client:
        await eventually(lambda: is_ready(client))
        with frozen(cluster):
            began = monotonic()
            while await is_ready(client):
                assert monotonic() - began < 2
                await asyncio.sleep(0.05)
        await eventually(lambda: is_ready(client))


async def test_ready_says_that_the_database_has_no_place_for_a_connection(
    database_url: str, owner_database_url: str
) -> None:
    engine = create_engine(owner_database_url)
    await load_catalogue(engine, [*law_documents(), *given_documents()], validate=accept)

    async def allow(most: int) -> None:
        async with engine.connect() as connection:
            made = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await made.execute(
                text(f'ALTER DATABASE "{make_url(owner_database_url).database}" CONNECTION LIMIT {most}')
            )

    app = create_app(Settings(database_url=database_url, metrics_port=0, pool_size=POOL, environment="test"))
    async with app.lifespan(), client_of(app) as client:
        await eventually(lambda: is_ready(client))
        await allow(1)
        found = await asyncio.gather(*(client.get(READ) for _ in range(2 * POOL)))
        assert 503 in {response.status_code for response in found}
        assert not await is_ready(client)
        await asyncio.sleep(1.5)
        assert not await is_ready(client)
        await allow(-1)
        await eventually(lambda: is_ready(client))
    await engine.dispose()


@pytest.mark.parametrize("lost", ["network", "names"])
async def test_what_never_connects_holds_nobody_up(lost: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = socket.getaddrinfo

    def look_up(host: str | None, *more: Any, **named: Any) -> Any:
        if host != "db.example":
            return known(host, *more, **named)
        sleep(6 * PATIENCE)
        raise OSError("no name server")

    if lost == "names":
        monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with closing(socket.create_server(("127.0.0.1", 0))) as hole:
        url = f"postgresql://nobody@{'db.example' if lost == 'names' else '127.0.0.1'}:{hole.getsockname()[1]}/none"
        app = create_app(Settings(database_url=url, metrics_port=0, database_patience_seconds=PATIENCE))
        began = monotonic()
        async with app.lifespan(), client_of(app) as client:
            assert monotonic() - began < 10 * PATIENCE
            for _ in range(5):
                assert not await is_ready(client)
            took, response = await timed(client, "GET", "/v1/changes")
            assert (check_shape(response)["status"], took < 1) == (503, True)


def test_commands_end_where_the_database_is_silent(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (databases, migration):
        monkeypatch.setattr(module, "PATIENCE_SECONDS", PATIENCE)
    with frozen(cluster):
        for words in (("db", "status"), ("db", "upgrade"), ("catalogue", "load")):
            began = monotonic()
            done = CliRunner().invoke(command_line, [*words, "--database-url", cluster.url()])
            assert (done.exit_code, done.stdout) == (Exit.UNAVAILABLE, ""), done.output
            assert "Traceback" not in done.stderr
            assert monotonic() - began < 40 * PATIENCE
    done = CliRunner().invoke(command_line, ["db", "status", "--database-url", cluster.url()])
    assert done.exit_code == Exit.FAILURE
    assert "run cab db upgrade" in done.stderr


async def test_a_command_at_work_ends_where_the_database_falls_silent(cluster: Cluster) -> None:
    engine = create_engine(cluster.url())
    pulse = migration.Pulse(cluster.url(), migration.ask_nothing, patience=PATIENCE)
    pulse.guard(engine)
    async with pulse.beating(), engine.connect() as connection, asyncio.timeout(20):
        working = asyncio.create_task(connection.execute(text("SELECT pg_sleep(60)")))
        await asyncio.sleep(2 * PATIENCE)
        assert not working.done()
        with frozen(cluster):
            with pytest.raises(StorageBusy), operational_faults():
                await working
            assert not pulse.answers
            assert "has not answered" in str(pulse.fault)
    await engine.dispose()


WAITING = """
CREATE FUNCTION wait_or_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.address_digest = sha256('refused') THEN
        RAISE EXCEPTION 'no' USING ERRCODE = 'serialization_failure';
    END IF;
    PERFORM pg_sleep(60);
    RETURN NULL;
END
$$
"""
TRIGGER = """
CREATE CONSTRAINT TRIGGER waiting AFTER INSERT ON mail_block DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wait_or_refuse()
"""


@pytest.fixture
async def engines(database_url: str, owner_database_url: str) -> AsyncIterator[tuple[AsyncEngine, AsyncEngine]]:
    """Engines of the service, which waits a second at most, and of the owner."""
    service = create_engine(database_url, statement_timeout=timedelta(seconds=1))
    owner = create_engine(owner_database_url)
    yield service, owner
    for each in (service, owner):
        await each.dispose()


async def test_a_commit_without_an_answer_is_said_to_be_unknown(engines: tuple[AsyncEngine, AsyncEngine]) -> None:
    engine, owner = engines
    async with owner.begin() as connection:
        for statement in (WAITING, TRIGGER):
            await connection.exec_driver_sql(statement)

    async def write(digest: str) -> None:
        with operational_faults():
            async with engine.begin() as connection:
                digested = {"digest": digest.encode()}
                await connection.execute(text("INSERT INTO mail_block VALUES (sha256(:digest), now())"), digested)

    async def end_backend() -> bool:
        async with owner.connect() as connection:
            end = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'COMMIT%'"
            )
            return bool((await connection.execute(text(end))).rowcount)

    with pytest.raises(StorageBusy) as refused:
        await write("refused")
    assert not isinstance(refused.value, OutcomeUnknown)
    ended = asyncio.create_task(write("ended"))
    await eventually(end_backend)
    with pytest.raises(OutcomeUnknown):
        await ended
    # No time limit of the server covers a commit: ours does.
    async with asyncio.timeout(10):
        with pytest.raises(OutcomeUnknown):
            await write("late")
    assert kind_of(OutcomeUnknown()).slug == "outcome-unknown"
