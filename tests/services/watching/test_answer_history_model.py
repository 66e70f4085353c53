"""Histories of answers beside the plain way: ask the whole register as known at every position, compare neighbours."""

from __future__ import annotations

import asyncio
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.domain.days import parse_day
from cab_registry.register.compiled import compile_register
from cab_registry.services.following import RegisterHolder
from cab_registry.services.runtime.work import WorkRoom
from cab_registry.services.sources import DatabaseRecords
from cab_registry.services.submissions import load_catalogue
from cab_registry.services.watching.answer_history import Following, tell_history
from cab_registry.services.watching.targets import Target
from cab_registry.services.watching.touching import read_stretch
from cab_registry.services.watching.watched_answers import Answered, Asker
from cab_registry.storage.engine import create_engine
from tests.conftest import DatabaseServer
from tests.services.entering import Entered
from tests.services.entering import enter as enter_records
from tests.services.office import TODAY, body, notice, right
from tests.services.watching.followed import ROUTE, document, law_with_route, recognition, standing
from tests.sizes import sized

DAY = parse_day(TODAY)
Step = list[Entered]
UMBRELLA: dict[str, Any] = {
    "type": "authority",
    "id": "xa-group",
    "owner": "registrar",
    "economy": "XA",
    "names": {"en": "Group"},
    "roles": ["inspecting"],
    "identifiers": [{"scheme": "numbers", "value": "G-1", "from": "2010-01-01"}],
}

TARGETS = (
    standing(),
    standing({"scheme": "numbers", "value": "A-1"}),
    document(),
    document(presented_on="2026-11-01"),
    document({"scheme": "numbers", "value": "A-1"}),
    document({"name": "laboratory 1"}),
    document({"name": "Laboratory"}),
    document({"id": "xa-group"}),
    document({"scheme": "numbers", "value": "G-1"}),
    document(result={"number": "17", "site": "main"}),
    document({"name": "nobody\0"}),
)


def numbered(number: int, *, until: bool = False) -> dict[str, Any]:
    end = {"until": "2026-09-30"} if until else {}
    return {"scheme": "numbers", "value": f"A-{number}", "from": "2010-01-01", **end}


def bodies() -> st.SearchStrategy[dict[str, Any]]:
    """Two laboratories, of which each may come to bear the other's number or name, or no longer."""
    numbers = st.lists(st.builds(numbered, st.integers(1, 2), until=st.booleans()), max_size=1)
    names = st.sampled_from(["Laboratory 1", "Laboratory 2", "Another"])
    return st.builds(
        lambda number, name, borne: body(number, names=[{"name": name, "from": "2010-01-01"}], identifiers=borne),
        st.integers(1, 2),
        names,
        numbers,
    )


def rights() -> st.SearchStrategy[dict[str, Any]]:
    """Recognitions that are lost, come back, or go to another body."""
    events = st.lists(
        st.tuples(
            st.sampled_from(["suspended", "reinstated", "withdrawn"]),
            st.sampled_from(["2026-05-01", "2026-10-15", "2026-11-20", "2027-03-01"]),
        ),
        max_size=2,
    ).map(lambda found: sorted(found, key=lambda each: each[1]))
    holders = st.sampled_from(["lab-1", "lab-2", "xa-group"])
    until = st.sampled_from([{}, {"until": "2026-12-31"}, {"until": "2026-08-31"}])
    return st.builds(
        lambda number, several, holder, end: recognition(
            *several,
            number=number,
            body=holder,
            scope=[{"key": "radio", "requirement": "xb-rules", "from": "2018-01-01", **end}],
        ),
        st.integers(1, 2),
        events,
        holders,
        until,
    )


def statements() -> st.SearchStrategy[dict[str, Any]]:
    """Notices on a body, a number or a site, and positions on the agreement or on a body."""
    about = st.sampled_from(
        [{"body": "lab-1"}, {"body": "lab-2"}, {"number": "17"}, {"number": "18"}, {"site": "main"}, {"site": "other"}]
    )
    subjects = st.sampled_from(
        [{"agreement": "xa-xb"}, {"agreement": "xa-xb", "body": "lab-1"}, {"agreement": "xa-xb", "body": "lab-2"}]
    )
    says = st.sampled_from(["accepted", "not_accepted"])
    return st.one_of(
        st.builds(lambda number, of: notice(number, about=of), st.integers(1, 2), about),
        st.builds(
            lambda of, word: {
                "type": "position",
                "id": "position-1",
                "owner": "xb-office",
                "by": "xb-office",
                "about": of,
                "says": word,
                "from": "2020-01-01",
                "binds_in": ["XB"],
            },
            subjects,
            says,
        ),
    )


def rules() -> st.SearchStrategy[dict[str, Any]]:
    """Changes of the law: the route's working, how complete the list is, and an authority that is an umbrella."""
    operation = st.sampled_from(["operational", "paused", "ended"]).map(
        lambda state: {**ROUTE, "operation": [{"state": state, "on": "2026-01-01", "source": "law"}]}
    )
    coverage = st.sampled_from(["complete", "partial"]).map(
        lambda word: {
            "type": "coverage",
            "id": "coverage-1",
            "owner": "xb-office",
            "by": "xb-office",
            "agreement": "xa-xb",
            "completeness": word,
            "as_of": "2026-11-01",
        }
    )
    borne = st.sampled_from([{}, {"identifiers": []}])
    members = st.sampled_from([{}, {"members": ["lab-1"]}, {"members": ["xa-ministry", "lab-1"]}])
    group = st.builds(lambda one, two: {**UMBRELLA, **one, **two}, borne, members)
    return st.one_of(operation, coverage, group, st.just(ROUTE))


def steps() -> st.SearchStrategy[list[Step]]:
    """What is handed in, at times together with what concerns nobody here."""
    change = st.builds(
        lambda record, gone: Entered(record, "retire" if gone else None),
        st.one_of(bodies(), rights(), rights(), statements(), rules()),
        st.sampled_from([False, False, False, True]),
    )
    other = st.builds(lambda text: Entered(body(9, note=text)), st.sampled_from(["one", "two", "three"]))
    together = st.lists(
        st.one_of(change, change, other), min_size=1, max_size=3, unique_by=lambda each: each.document["id"]
    )
    return st.lists(together, min_size=3, max_size=9)


async def enter(engine: AsyncEngine, step: Step, known: dict[str, str]) -> None:
    """Enter a step as far as each record can go that way: what is not there cannot go, what is gone comes back."""
    fit = []
    for each in step:
        key = each.document["id"]
        if each.change == "retire" and known.get(key) != "there":
            continue
        back = known.get(key) == "gone"
        fit.append(Entered(each.document, "correction" if back else each.change))
        known[key] = "gone" if each.change == "retire" else "there"
    if fit:
        await enter_records(engine, *fit)


async def ask_at_each(engine: AsyncEngine, target: Target) -> list[tuple[int, Answered, Answered]]:
    """Ask the whole register as known at the instant of each submission; tell where neighbours differ."""
    source = DatabaseRecords(engine)
    async with engine.connect() as connection:
        found = await connection.execute(
            text("SELECT last_position, recorded FROM submission WHERE recorded IS NOT NULL ORDER BY last_position")
        )
        moments = list(found)
    answers = []
    for position, recorded in moments:
        known = await source.resolve(recorded)
        assert known.position == position
        records = [*await source.read_law(recorded), *await source.read_bodies(recorded)]
        answers.append((position, Asker(compile_register(records).facts, DAY).ask(target).answered))
    return [(position, was, now) for (_, was), (position, now) in pairwise(answers) if not now.same(was)]


async def compare(url: str, several: list[Step]) -> int:
    engine = create_engine(url)
    documents = [*law_with_route(), UMBRELLA, body(), recognition(), right("recognition", 2, body="xa-group")]
    await load_catalogue(engine, documents, validate=lambda _: ())
    known = {str(each["id"]): "there" for each in documents}
    for step in several:
        await enter(engine, step, known)
    holder = RegisterHolder(engine, poll_seconds=60, patience_seconds=5)
    await holder.catch_up()
    held, changes, room = holder.current(), 0, WorkRoom("test", waiting=1)
    for target in TARGETS:
        plain = await ask_at_each(engine, target)
        changes += len(plain)
        for after in (None, 0):
            assert target.question is not None
            async with engine.connect() as connection:
                asked = target.asked(date.fromordinal(DAY))
                stretch = await read_stretch(connection, asked, after, held.position, room)
            told = await room.run_in_turns(tell_history(held, stretch, Following(target, after, 50), DAY))
            assert [(each.position, each.before, each.after) for each in told.entries] == plain, target
            assert told.complete
    room.close()
    await engine.dispose()
    return changes


@pytest.mark.timeout(240)
def test_the_changes_are_those_that_asking_at_every_position_finds(
    database_server: DatabaseServer, migrated_template: str
) -> None:
    @settings(max_examples=sized(3, whole=40), suppress_health_check=list(HealthCheck), deadline=None)
    @given(steps())
    def check(several: list[Step]) -> None:
        url = database_server.url(database_server.create(migrated_template))
        changes = asyncio.run(compare(url, several))
        event("changes" if changes else "no change")

    check()
