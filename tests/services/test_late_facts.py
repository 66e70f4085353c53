"""Facts that are told late go in where they belong, whichever way a record comes in."""

from cab_registry.storage.records import latest_versions
from tests.services.office import Office, body, given, right

FIRST = {"event": "designated", "on": "2018-01-01"}
LATER = {"event": "extended", "on": "2026-11-01", "items": ["radio"]}
LATE = [{"event": "suspended", "on": "2026-10-10"}, {"event": "reinstated", "on": "2026-10-20", "refers_to": 2}]


async def test_a_suspension_told_after_a_later_event_goes_in_where_it_belongs(office: Office) -> None:
    await office.submit("officer", body(1), right("designation", timeline=[FIRST, LATER]))
    document = right("designation", timeline=[FIRST, LATER, *LATE])
    await office.submit("officer", given(document, version=1))
    async with office.engine.connect() as connection:
        (found,) = (await latest_versions(connection, ["designation-1"])).values()
    timeline = found.document["timeline"]
    assert [event["event"] for event in timeline] == ["designated", "suspended", "reinstated", "extended"]
    assert timeline[2]["refers_to"] == 1


async def test_the_same_in_another_order_is_no_new_version(office: Office) -> None:
    await office.submit("officer", body(1), right("designation", timeline=[FIRST, LATER]))
    done = await office.submit("officer", given(right("designation", timeline=[LATER, FIRST]), version=1))
    assert done.public.unchanged == ("designation-1",)
