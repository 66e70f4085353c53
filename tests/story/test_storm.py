"""Fifty writers while servers, jobs, PostgreSQL and connections are killed: nothing is lost, doubled or half.

The suite rides one round of a hundred kills; `make soak` rides ten thousand.
"""

import asyncio
import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.services.watching.watch_targets import ask_one
from cab_registry.services.watching.watched_answers import Asker
from cab_registry.storage.cluster import find_binaries
from cab_registry.storage.database.logins import make_service_login, service_url
from cab_registry.storage.engine import create_engine
from cab_registry.storage.entries import Entry
from cab_registry.storage.log import head, stream_entries
from cab_registry.storage.migration import upgrade
from cab_registry.storage.rebuilding import rebuild
from cab_registry.storage.verification import verify
from cab_registry.storage.watches import NewWatch, insert_watch, lock_cursor
from tests.jobs.test_year import Large
from tests.letting_in import let_in
from tests.services.office import Office, body, law
from tests.services.watching.watchers import ROUTE, new_reports, report
from tests.sizes import SOAK, sized
from tests.soak import KILLS, rounds_of, was_ridden, write_round
from tests.story.killable import JOBS
from tests.story.storm import REGULATORS, SHARED, WRITERS, Storm, count_amendments, is_regulator, recognition
from tests.story.strikes import PATIENCE_SECONDS, Crashing, killable, strike_all

KILLS_OF_A_ROUND = 500
SUBMISSIONS_BETWEEN = sized(1, whole=2)
ROUNDS = rounds_of(KILLS, KILLS_OF_A_ROUND)


def enter_all() -> list[dict[str, Any]]:
    """A small law under which reports of recognised laboratories are accepted, and laboratories that are shared."""
    issuer = {"recognition": ROUTE["issuer"]["recognition"]}
    route = {**ROUTE, "issuer": issuer, "sources": {"law": {"title": "Gazette", "confidence": "high"}}}
    numbers = range(1, SHARED + 1)
    return [*law(), route, *map(body, numbers), *(recognition(number, suspended=False) for number in numbers)]


async def open_office(engine: AsyncEngine) -> tuple[list[str], list[int]]:
    """Let the writers in, and watch answers that turn with each right; give tokens, and the numbers of these answers.

    An answer about a report of before the suspensions is watched as well: it never turns.
    """
    from datetime import UTC, datetime

    office = Large(engine, now=datetime.now(UTC), documents=enter_all())
    await office.open()
    writers = []
    for writer in range(WRITERS):
        authority = "xb-office" if is_regulator(writer) else "xa-ministry"
        writers.append(await let_in(engine, office.registrars, authority, "submitter", **office.means))
    return [each.token for each in writers], await watch(office, writers[0].principal)


async def watch(office: Office, principal: str) -> list[int]:
    held = await office.desk.heads.at_least(1)
    asker = Asker(held.register.facts, office.desk.today)
    turning = [
        target
        for number in range(1, SHARED + 1)
        for target in (new_reports(number), new_reports(number, name=f"Laboratory {number}"))
    ]
    still = [report(number, "2026-01-01") for number in range(1, SHARED + 1)]
    async with office.engine.begin() as connection:
        assert await lock_cursor(connection, share=True) == held.position
        new = NewWatch(
            id=f"w-{0:016x}",
            endpoint=None,
            principal=principal,
            authority="xa-ministry",
            kind="portfolio",
            target={},
            name="all",
            created=office.now,
        )
        await insert_watch(connection, new, [ask_one(asker, held.position, each) for each in [*turning, *still]])
        found = await connection.scalars(text("SELECT id FROM watched ORDER BY id"))
        return list(found)[: len(turning)]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("seed", "kills"), ROUNDS)
async def test_nothing_acknowledged_is_lost_or_doubled(seed: int, kills: int, tmp_path: Path) -> None:
    if SOAK and was_ridden("kills", seed, kills):
        pytest.skip("ridden already, by the journal")
    print(f"seed {seed}, {kills} kills")  # noqa: T201 - shown where it fails
    chance, began = random.Random(seed), time.monotonic()
    with Crashing.throwaway(find_binaries(os.environ)) as cluster:
        url = cluster.url(through_socket=True)
        await asyncio.to_thread(upgrade, url)
        owner = create_engine(url)
        await make_service_login(owner)
        await owner.dispose()
        owner_url, url = url, service_url(url)
        engine = create_engine(url)
        tokens, turning = await open_office(engine)
        await engine.dispose()
        storm = Storm(tokens, kills, max(1, kills * SUBMISSIONS_BETWEEN // WRITERS), chance)
        async with killable(url, tmp_path / "service.log") as service:
            storm.address = await service.read()
            async with asyncio.TaskGroup() as group:
                striking = group.create_task(strike_all(storm, service, cluster, owner_url, chance))
                group.create_task(storm.ride())
            # Jobs that were often let down wait up to half a minute before they look again; new ones look at once.
            await service.kill(JOBS)
            engine = create_engine(owner_url)
            await until_told(engine)
        assert storm.struck == striking.result().total() == kills
        assert storm.known == storm.size
        try:
            entries = await hold_the_log(engine, storm)
            notices = await hold_the_notices(engine, entries, turning)
        finally:
            await engine.dispose()
    if SOAK:
        found = {"submissions": storm.size, "tried_again": storm.tried_again, "entries": len(entries)}
        seconds = round(time.monotonic() - began, 1)
        write_round("kills", seed, kills, **striking.result(), **found, notices=notices, seconds=seconds)


async def until_told(engine: AsyncEngine) -> None:
    """Wait until the jobs have asked again what is watched, as far as the log goes."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with engine.connect() as connection:
                position = await connection.scalar(text("SELECT position FROM watch_cursor"))
                if position == (await head(connection)).position:
                    return
            await asyncio.sleep(0.1)


async def hold_the_log(engine: AsyncEngine, storm: Storm) -> list[Entry]:
    async with engine.begin() as connection:
        rebuilt = await rebuild(connection)
    assert (rebuilt.differing, rebuilt.faults) == ({}, ())
    async with engine.connect() as connection:
        assert await verify(connection) == []
        entries = [each async for each in stream_entries(connection)]
    handed_in = [each for each in entries if str(each.submission) != str(entries[0].submission)]
    hold_what_was_acknowledged(handed_in, storm)
    # No update is lost: each acknowledged change of a shared record rests on the one before it.
    shared = [f"lab-{number}" for number in range(1, SHARED + 1)]
    for name in shared:
        versions = [each.version for each in entries if each.id == name]
        assert versions == list(range(1, len(versions) + 1))
    assert sum(each.id in shared for each in handed_in) == count_amendments(storm.each)
    turned = Counter(each.id for each in handed_in if each.type == "recognition")
    assert set(turned.values()) == {storm.each}
    assert len(turned) == REGULATORS
    return handed_in


def hold_what_was_acknowledged(handed_in: list[Entry], storm: Storm) -> None:
    """Each version that a writer was told of is in the log once, in that submission, and nothing else is."""
    found = Counter((str(each.submission), each.id, each.version) for each in handed_in)
    acknowledged = Counter(
        (answer["id"], each["id"], each["version"])
        for status, answer in storm.told.values()
        if status in {200, 201}
        for each in answer["versions"]
    )
    assert found.keys() == acknowledged.keys()
    assert set(found.values()) == set(acknowledged.values()) == {1}
    reasons = {each.public_reason for each in handed_in}
    assert reasons == {key for key, (status, _) in storm.told.items() if status in {200, 201}}


async def hold_the_notices(engine: AsyncEngine, entries: list[Entry], turning: list[int]) -> int:
    """Each turn of a right is told once of each answer that turned with it, and nothing else is told."""
    names = [f"recognition-{number}" for number in range(1, SHARED + 1)]
    answers = {name: turning[2 * place : 2 * place + 2] for place, name in enumerate(names)}
    due = Counter(
        f"change/{each.position}/{watched}"
        for each in entries
        if each.type == "recognition"
        for watched in answers[each.id]
    )
    async with engine.connect() as connection:
        written = Counter(await connection.scalars(text("SELECT cause FROM outbox")))
        ran = Counter(await connection.scalars(text("SELECT job FROM job_run WHERE state = 'done'")))
    assert written == due
    assert ran.keys() >= {"expiry-horizon"}
    return written.total()
