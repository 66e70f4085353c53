"""History of a record and of a body, and the feed of changes: everything public, nothing private, nothing twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree.ElementTree import fromstring

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.services.feeds import ATOM, render_atom
from cab_registry.services.history import (
    ChangeFilter,
    History,
    read_body_history,
    read_changes,
    read_record_history,
)
from cab_registry.services.views import NoSuchRecord
from cab_registry.storage.engine import create_engine, read_only
from cab_registry.storage.entries import Private
from tests.storage.samples import agreement, body, notice, put, recognition, requirement

HIDDEN = "the inspector's private remark"
RECOGNITION = "recognition-fcc-fcc-tw0001-1"


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_engine(database_url)
    yield made
    await made.dispose()


@pytest.fixture
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with read_only(engine).connect() as connection:
        yield connection


def authority(**more: Any) -> dict[str, Any]:
    names = {"en": "Federal Communications Commission"}
    return {"type": "authority", "id": "us-fcc", "owner": "us-fcc", "names": names, "economy": "US", **more}


def right(number: int = 1, **more: Any) -> dict[str, Any]:
    return recognition(number, by="us-fcc", agreement="apec-tel-us-tw", annex="phase-1", **more)


def position_on(number: int = 1) -> dict[str, Any]:
    about = {"body": f"fcc-tw{number:04d}", "agreement": "apec-tel-us-tw"}
    return {"type": "position", "id": "position-1", "owner": "us-fcc", "by": "us-fcc", "about": about}


@pytest.fixture
async def filled(engine: AsyncEngine) -> AsyncEngine:
    """Eleven entries: a first load, a recognition with a private part, changes, statements, and a retirement."""
    law = requirement(citation="47 CFR Part 15 Subpart C")
    pact = agreement("telecom_radio", "emc") | {"short": "APEC TEL, US-TW"}
    await put(engine, authority(), law, pact, body(1), body(2, known_from="2020-05-01"), initial=True)
    private = Private(HIDDEN, ({"file": HIDDEN},))
    await put(engine, right(1), private=private, public_reason="Application of May")
    suspended = {"timeline": [{"event": "suspended", "on": "2026-03-01", "items": ["a"]}]}
    await put(engine, right(1, **suspended), change="amend", private=private, public_reason="Order <7> & more")
    await put(engine, body(1, note="moved"), body(2, note="moved"), change="amend")
    await put(engine, notice(1), position_on(1))
    return engine


def shown(history: History) -> list[tuple[int, str, int, str]]:
    return [(each.position, each.id, each.version, each.change) for each in history.entries]


async def test_the_history_of_a_record_has_each_version_with_reason_and_words(
    filled: AsyncEngine, reading: AsyncConnection
) -> None:
    history = await read_record_history(reading, RECOGNITION)
    assert shown(history) == [(6, RECOGNITION, 1, "new"), (7, RECOGNITION, 2, "amend")]
    first, second = history.entries
    assert first.authority.name == first.owner.name == "Federal Communications Commission"
    assert first.body is not None
    assert first.body.id == "fcc-tw0001"
    assert first.title == (
        "recognition of Prüfstelle Łódź Ø 1 by Federal Communications Commission under APEC TEL, US-TW, phase-1"
    )
    assert first.before is None
    assert second.before == first.after == right(1)
    assert second.words == ["Event added: suspended on 2026-03-01 for a"]
    assert second.public_reason == "Order <7> & more"
    assert (history.position, history.complete, history.next) == (11, True, 11)


async def test_the_history_of_a_body_has_all_that_is_about_it(filled: AsyncEngine, reading: AsyncConnection) -> None:
    history = await read_body_history(reading, "fcc-tw0001")
    assert [entry.type for entry in history.entries] == [
        "body",
        "recognition",
        "recognition",
        "body",
        "notice",
        "position",
    ]
    assert history.entries[0].recorded is None
    assert history.entries[1].recorded is not None
    assert history.entries[3].words == ["Note: moved (not stated before)"]


async def test_who_is_not_known_has_no_history(filled: AsyncEngine, reading: AsyncConnection) -> None:
    for read in (read_body_history, read_record_history):
        with pytest.raises(NoSuchRecord):
            await read(reading, "nobody")
        with pytest.raises(ValueError, match="limit"):
            await read(reading, "fcc-tw0001", limit=0)


async def test_history_as_known_ends_where_knowledge_did(filled: AsyncEngine, reading: AsyncConnection) -> None:
    known = await read_body_history(reading, "fcc-tw0001", known_at=6)
    assert [entry.position for entry in known.entries] == [4, 6]
    assert (known.position, known.complete) == (6, True)
    whole = await read_body_history(reading, "fcc-tw0001")
    for entry in whole.entries[1:]:
        assert entry.recorded is not None
        instant = datetime.fromisoformat(entry.recorded)
        then = await read_body_history(reading, "fcc-tw0001", known_at=instant)
        assert all(other.recorded is None or other.recorded <= entry.recorded for other in then.entries)
        assert entry.position in [other.position for other in then.entries]
        before = await read_body_history(reading, "fcc-tw0001", known_at=instant - timedelta(microseconds=1))
        assert entry.position not in [other.position for other in before.entries]


async def test_what_became_known_on_a_day_of_the_first_load_was_not_known_before(
    filled: AsyncEngine, reading: AsyncConnection
) -> None:
    with pytest.raises(NoSuchRecord):
        await read_body_history(reading, "fcc-tw0002", known_at=datetime(2020, 4, 30, tzinfo=UTC))
    known = await read_body_history(reading, "fcc-tw0002", known_at=datetime(2020, 5, 1, tzinfo=UTC))
    assert [entry.position for entry in known.entries] == [5]
    with pytest.raises(ValueError, match="offset"):
        await read_body_history(reading, "fcc-tw0002", known_at=datetime(2020, 5, 1))  # noqa: DTZ001 - the fault itself


async def test_pages_join_without_loss_or_repetition(filled: AsyncEngine, reading: AsyncConnection) -> None:
    for filters in (None, ChangeFilter(body="fcc-tw0001"), ChangeFilter(agreement="apec-tel-us-tw")):
        whole = await read_changes(reading, 0, 500, filters)
        for limit in (1, 2, 3):
            after, found = 0, []
            while True:
                page = await read_changes(reading, after, limit, filters)
                found.extend(shown(page))
                assert page.next >= after
                after = page.next
                if page.complete:
                    break
            assert found == shown(whole)
        assert whole.next == 11
        assert (await read_changes(reading, whole.next, 500, filters)).entries == []


@pytest.mark.parametrize(
    ("filters", "positions"),
    [
        (ChangeFilter(), list(range(1, 12))),
        (ChangeFilter(authority="us-fcc"), list(range(1, 12))),
        (ChangeFilter(authority="us-nist"), []),
        (ChangeFilter(body="fcc-tw0002"), [5, 9]),
        (ChangeFilter(agreement="apec-tel-us-tw"), [3, 6, 7, 11]),
        (ChangeFilter(sector="telecom_radio"), [2, 3, 4, 6, 7, 8, 10]),
        (ChangeFilter(sector="emc"), [3, 4, 6, 7, 8, 10]),
        (ChangeFilter(sector="toys"), []),
        (ChangeFilter(sector="telecom_radio", agreement="apec-tel-us-tw"), [3, 6, 7]),
        (ChangeFilter(sector="\0", authority="\0"), []),
        (ChangeFilter(sector="' OR true --", authority='"', body="%", agreement="\\"), []),
    ],
)
async def test_filters_choose_what_is_about_their_subject(
    filled: AsyncEngine, reading: AsyncConnection, filters: ChangeFilter, positions: list[int]
) -> None:
    found = await read_changes(reading, 0, 500, filters)
    # A body's sectors are those of its rights, so that its own changes are news there, and notices on it.
    assert [entry.position for entry in found.entries] == positions


async def test_a_record_that_leaves_an_agreement_is_news_to_those_who_follow_it(
    filled: AsyncEngine, reading: AsyncConnection
) -> None:
    moved = recognition(1, by="us-fcc", agreement="other-mra")
    await put(filled, moved, change="correction")
    found = await read_changes(reading, 11, 10, ChangeFilter(agreement="apec-tel-us-tw"))
    assert shown(found) == [(12, RECOGNITION, 3, "correction")]


async def test_a_retired_record_keeps_its_history(filled: AsyncEngine, reading: AsyncConnection) -> None:
    await put(filled, right(1), change="retire", public_reason="Entered twice")
    last = (await read_record_history(reading, RECOGNITION)).entries[-1]
    assert (last.change, last.after) == ("retire", None)
    assert last.before is not None
    assert last.words[0].startswith("Retired: recognition of")


async def test_the_newest_page_is_the_end_of_the_feed(filled: AsyncEngine, reading: AsyncConnection) -> None:
    found = await read_changes(reading, 0, 3, newest=True)
    assert [entry.position for entry in found.entries] == [9, 10, 11]
    assert (found.next, found.complete) == (11, True)


async def test_names_are_those_of_the_time(filled: AsyncEngine, reading: AsyncConnection) -> None:
    await put(filled, authority(names={"en": "Another name"}), change="amend")
    assert (await read_record_history(reading, RECOGNITION)).entries[0].owner.name == "Another name"
    then = await read_record_history(reading, RECOGNITION, known_at=7)
    assert then.entries[0].owner.name == "Federal Communications Commission"


async def test_no_private_part_appears(filled: AsyncEngine, reading: AsyncConnection) -> None:
    whole = await read_changes(reading, 0, 500)
    pages = [whole, await read_body_history(reading, "fcc-tw0001"), await read_record_history(reading, RECOGNITION)]
    for page in pages:
        assert HIDDEN.encode() not in msgspec.json.encode(page)
        assert HIDDEN.encode() not in atom(page)
        assert b'"p-1"' not in msgspec.json.encode(page)


def atom(history: History) -> bytes:
    return render_atom(
        history,
        title="Changes & more",
        base_address="https://registry.example/",
        self_address="https://registry.example/v1/changes.atom?sector=emc&agreement=a",
    )


async def test_an_atom_feed_is_well_formed_and_keeps_its_ids(filled: AsyncEngine, reading: AsyncConnection) -> None:
    odd = "bad \x01 sign, \ufffe, <b>bold</b> & ]]> more \U0001f600"
    await put(filled, right(1), change="amend", public_reason=odd)
    whole = await read_changes(reading, 0, 500)
    feed = fromstring(atom(whole))  # noqa: S314 - our own text
    space = {"a": ATOM}
    assert feed.tag == f"{{{ATOM}}}feed"
    entries = feed.findall("a:entry", space)
    assert len(entries) == len(whole.entries) == 12
    ids = [entry.findtext("a:id", namespaces=space) for entry in entries]
    assert len(set(ids)) == 12
    for name in ("id", "title", "updated", "author/a:name", "summary"):
        assert all(entry.findtext(f"a:{name}", namespaces=space) for entry in entries)
    summary = entries[0].findtext("a:summary", namespaces=space)
    assert summary is not None
    assert "bad \ufffd sign, \ufffd, <b>bold</b> & ]]> more \U0001f600" in summary
    link = entries[0].find("a:link[@rel='related']", space)
    assert link is not None
    assert link.get("href") == "https://registry.example/v1/bodies/fcc-tw0001/history"
    page = fromstring(atom(await read_changes(reading, 11, 5)))  # noqa: S314 - our own text
    assert page.findtext("a:entry/a:id", namespaces=space) == ids[0]
    assert feed.findtext("a:updated", namespaces=space) == whole.entries[-1].recorded
    empty = fromstring(atom(await read_changes(reading, 12, 5)))  # noqa: S314 - our own text
    assert empty.findtext("a:updated", namespaces=space) == whole.recorded
