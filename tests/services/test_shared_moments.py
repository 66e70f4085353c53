"""Who asks what was known at moments between which the law did not change shares one compiled law."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from cab_registry.domain.question import AskedQuestion
from cab_registry.domain.records import Economy, write_record
from cab_registry.register.compiled import Register, Versioned
from cab_registry.services.answering import Answering
from cab_registry.services.heads import Held, ScratchHead
from cab_registry.services.metrics import Metrics
from cab_registry.services.sources import DatabaseRecords, MemoryRecords, Moment
from cab_registry.services.submissions import load_catalogue
from cab_registry.storage.engine import create_engine
from tests.api.conftest import TODAY, law, question, register


class Counting(MemoryRecords):
    """Counts how often the law is read."""

    def __init__(self, held: Held) -> None:
        super().__init__(held)
        self.reads = 0

    async def read_law(self, moment: Moment) -> list[Versioned]:
        self.reads += 1
        await asyncio.sleep(0)
        return await super().read_law(moment)


def asked_at(moments: Sequence[str]) -> list[AskedQuestion]:
    return [msgspec.convert({**question(), "known_at": each}, AskedQuestion) for each in moments]


async def test_the_law_of_near_moments_is_read_once() -> None:
    known: Register = register()
    past = Counting(Held(known, datetime(2026, 11, 20, tzinfo=UTC), "log"))
    answering = Answering(ScratchHead(lambda: known), past, lambda: TODAY, ZoneInfo("UTC"), Metrics())
    moments = [f"2026-11-{day:02d}T12:00:00Z" for day in range(1, 11)]
    found = await asyncio.gather(*(answering.prepare(each) for each in asked_at(moments)))
    assert past.reads == 1
    verdicts = {(await answering.answer(each)).verdict for each in found}
    assert verdicts == {"accepted"}


async def test_moments_are_told_apart_by_changes_of_the_law(database_url: str) -> None:
    engine = create_engine(database_url)
    documents = [write_record(each.record) for each in law().records.values() if isinstance(each.record, Economy)]
    try:
        past = DatabaseRecords(engine)
        await load_catalogue(engine, documents, validate=lambda _: ())
        assert await past.mark_law(1) != await past.mark_law(2**40)
        assert await past.mark_law(2**40) == await past.mark_law(2**41)
        one, other = [await past.mark_law(datetime(2026, month, 1, tzinfo=UTC)) for month in (6, 7)]
        assert one == other
    finally:
        await engine.dispose()
