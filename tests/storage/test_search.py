from itertools import chain
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cab_registry.storage.search import search_bodies, search_row
from cab_registry.storage.verification import verify
from tests.storage.samples import agreement, body, put, recognition, requirement


async def ids(connection: AsyncConnection, **criteria: Any) -> list[str]:
    return [found.body for found in await search_bodies(connection, **criteria)]


async def test_bodies_are_found_by_each_criterion(engine: AsyncEngine, reading: AsyncConnection) -> None:
    await put(engine, requirement(), body(1), body(2, economy="JP"), recognition(1))
    assert await ids(reading) == ["fcc-tw0001", "fcc-tw0002"]
    assert await ids(reading, name="PRUFSTELLE lodz o 2") == ["fcc-tw0002"]
    assert await ids(reading, name="stelle") == ["fcc-tw0001", "fcc-tw0002"]
    assert await ids(reading, name="Pruefstelle Łódź") == ["fcc-tw0001", "fcc-tw0002"]
    assert await ids(reading, name="100%") == await ids(reading, name="_") == []
    assert await ids(reading, identifier=("fcc-designation", "tw0002")) == ["fcc-tw0002"]
    assert await ids(reading, identifier=("FCC designation", "tw 0002")) == ["fcc-tw0002"]
    assert await ids(reading, identifier=("other", "tw0002")) == []
    assert await ids(reading, economy="JP") == ["fcc-tw0002"]
    assert await ids(reading, economy="TW") == ["fcc-tw0001", "fcc-tw0002"]
    assert await ids(reading, sector="telecom_radio") == ["fcc-tw0001"]
    (found,) = await search_bodies(reading, name="lodz", economy="TW", sector="telecom_radio")
    assert (found.name, found.economies, found.sectors) == ("Prüfstelle Łódź Ø 1", ("TW",), ("telecom_radio",))
    assert found.document == body(1)


async def test_pages_follow_each_other_by_id(engine: AsyncEngine, reading: AsyncConnection) -> None:
    await put(engine, *(body(number) for number in range(25)))
    pages, after = [], None
    while page := await ids(reading, after=after, limit=10):
        pages.append(page)
        after = page[-1]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert list(chain(*pages)) == sorted(chain(*pages))
    for limit in (0, 1001):
        with pytest.raises(ValueError, match="limit"):
            await search_bodies(reading, limit=limit)


async def test_the_search_follows_every_change(engine: AsyncEngine) -> None:
    async def found(**criteria: Any) -> list[str]:
        async with engine.connect() as connection:
            assert await verify(connection) == []
            return await ids(connection, **criteria)

    await put(engine, body(1))
    await put(engine, recognition(1))
    assert await found(sector="telecom_radio") == []
    await put(engine, requirement())
    assert await found(sector="telecom_radio") == ["fcc-tw0001"]
    await put(engine, requirement("emc"), change="amend")
    assert await found(sector="telecom_radio") == []
    assert await found(sector="emc") == ["fcc-tw0001"]
    await put(engine, agreement("safety"))
    in_annex = recognition(1, agreement="apec-tel-us-tw", annex="phase-1")
    await put(engine, in_annex, change="amend")
    assert await found(sector="safety") == ["fcc-tw0001"]
    await put(engine, in_annex, change="retire")
    assert await found(sector="safety") == []
    renamed = body(1, names=[{"name": "Ålpha", "from": "always", "until": "2020-01-01"}, {"name": "Beta", "from": "x"}])
    await put(engine, renamed, change="amend")
    assert await found(name="alpha") == await found(name="beta") == ["fcc-tw0001"]
    assert await found(name="stelle") == []
    await put(engine, renamed, change="retire")
    assert await found() == []


def test_a_body_shows_the_name_that_it_bears_now() -> None:
    names = [{"name": "Now", "from": "2020-01-01"}, {"name": "Before", "from": "always", "until": "2019-12-31"}]
    assert search_row("b", {"names": names}, ()).name == "Now"
    assert search_row("b", {"names": names[1:]}, ()).name == "Before"
    assert search_row("b", {"names": "odd", "sites": ["odd"], "identifiers": [{"scheme": 1}]}, ()).name == "b"
