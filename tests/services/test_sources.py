"""One suite for the port: from memory and from PostgreSQL a question reaches the same records."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from cab_registry.domain.question import AskedQuestion, pose, read_question
from cab_registry.domain.records import Coverage, Economy, write_record
from cab_registry.engine.answer import answer
from cab_registry.register.compiled import Register, compile_register
from cab_registry.services.answering import load_reachable
from cab_registry.services.heads import Held
from cab_registry.services.runtime.work import Rooms
from cab_registry.services.sources import DatabaseRecords, MemoryRecords, RecordSource, Sought
from cab_registry.services.submissions import load_catalogue
from cab_registry.storage.engine import create_engine
from tests.api.conftest import TODAY, law, question, register

IDS = ("us-", "kr-", "apec-tel-us-kr", "x-", "given-")


def accept(_: Any) -> list[Any]:
    return []


@pytest.fixture(scope="module")
def small() -> Register:
    """The laboratory with the law that its questions need; lists are as complete as their records say."""
    records = (
        each
        for key, each in register().records.items()
        if key.startswith(IDS) or isinstance(each.record, Economy | Coverage)
    )
    return compile_register(records)


@pytest.fixture(params=["memory", "database"])
async def source(request: pytest.FixtureRequest, small: Register, database_url: str) -> AsyncIterator[RecordSource]:
    if request.param == "memory":
        yield MemoryRecords(Held(small, datetime.now(UTC), "log"))
        return
    engine = create_engine(database_url)
    await load_catalogue(engine, [write_record(each.record) for each in small.records.values()], validate=accept)
    yield DatabaseRecords(engine)
    await engine.dispose()


QUESTIONS = [
    question(),
    question(result__issuer={"scheme": "fcc-designation", "value": "KR9999"}),
    question(result__issuer={"name": "PRÜFLABOR  SUWON"}),
    question(result__issuer={"name": "nobody"}, result__issuer_economy="KR"),
    question(result__issuer={"id": "us-fcc"}, destination="KR"),
    question(result__issuer={"name": "Federal Communications Commission"}, destination="KR"),
    question(result__issuer={"name": "federal  Communications"}, destination="KR"),
    question(result__issuer={"name": "Prüflabor"}),
    question(result__issuer={"scheme": "nando", "value": "1408"}),
    question(result__issuer={"scheme": "FCC designation", "value": "kr 9999"}),
    question(result__issuer={"value": "kr9999"}),
    question(result__issuer={"name": "KR-9999"}),
    question(result__issuer={"name": "Pruflabor, Suwon"}),
    question(result__issuer={"name": "Prüflabor Suwom"}),
    question(result__issuer={"name": "Prueflabor Suwon"}),
    question(result__issuer={"name": "Suwon"}),
    question(result__issuer={"name": "Federal Comunications Commission"}, destination="KR"),
    question(result__subcontractors=[{"name": "Prüflabor Suwom", "economy": "KR"}]),
    question(destination="United States of America", result__issuer_economy="South Korea"),
    question(subject__requirement="47 CFR Part 15, Subpart B"),
    question(subject__requirement="asdf", subject__sector="asdf", subject__procedure="asdf"),
    question(result__subcontractors=[{"name": "prüflabor suwon", "economy": "KR"}, {"id": "kr-kolas"}]),
    question(result__number="17"),
]


@pytest.mark.parametrize("asked", QUESTIONS)
async def test_what_a_question_reaches_gives_the_answer_of_all(
    source: RecordSource, small: Register, asked: dict[str, Any]
) -> None:
    posed: AskedQuestion = read_question(asked)
    known = await source.resolve(datetime(2999, 1, 1, tzinfo=UTC))
    law = compile_register(await source.read_law(known.moment), position=known.position)
    reached = await load_reachable(source, known, posed, law, Rooms().readings)
    assert len(reached.records) <= len(small.records)
    ours = answer(pose(posed, today=TODAY), reached.facts)
    assert ours == answer(pose(posed, today=TODAY), small.facts)


async def test_law_and_bodies_are_everything(source: RecordSource, small: Register) -> None:
    known = await source.resolve(datetime(2999, 1, 1, tzinfo=UTC))
    assert known.beyond
    records = [*await source.read_law(known.moment), *await source.read_bodies(known.moment)]
    assert {each.record.id for each in records} == set(small.records)
    assert len(records) == len(small.records)
    described = await source.describe(known.position)
    assert (described.position, described.log_id) == (known.position, known.log_id)


async def test_nothing_sought_is_nothing_found(source: RecordSource) -> None:
    known = await source.resolve(datetime(2999, 1, 1, tzinfo=UTC))
    assert await source.read_reachable(known.moment, Sought()) == []


def test_the_law_has_no_bodies_of_these_tests() -> None:
    assert not [key for key in law().records if key.startswith("x-")]
