"""What waits for an authority: beside its rights, all that ends and concerns it."""

from typing import Any

from cab_registry.register.schemas import list_faults
from cab_registry.services.inbox import read_inbox
from cab_registry.services.submissions import load_catalogue
from tests.register.scratch import office as law_of
from tests.services.office import Office, body, given, right


async def waits(office: Office, who: str) -> list[tuple[str, str | None, str | None]]:
    inbox = await read_inbox(office.desk, office.people[who])
    return [(each.kind, each.due, each.record) for each in inbox.items]


async def enter(office: Office, *documents: dict[str, Any]) -> None:
    source = {"law": {"title": "Gazette", "confidence": "high"}}
    entered = [{"owner": "registrar", "sources": source, **document} for document in documents]
    position = (await load_catalogue(office.engine, entered, validate=list_faults)).position
    await office.desk.heads.at_least(position)


async def test_what_ends_waits_for_whom_it_concerns(office: Office) -> None:
    by_law = {"source": "law"}
    ending = [{"key": "radio", "requirement": "xb-rules", "from": "2018-01-01", "until": "2027-01-02"}]
    await enter(
        office,
        law_of("standard-one", editions=[{"key": "2017", "from": "always", "until": "2027-03-01", **by_law}]),
        law_of("xa-xb", id="world", short="World", parties=[], family="accreditation", annexes={}),
        law_of(
            "xa-service", signatory=[{"arrangement": "world", "from": "2010-01-01", "until": "2026-12-31", **by_law}]
        ),
        law_of(
            "xa-xb",
            instrument=[
                {"state": "in_force", "on": "2005-01-01", **by_law},
                {"state": "terminated", "on": "2027-02-01", **by_law},
            ],
            reviews=[{"subject": "Phones", "on": "2026-12-24", **by_law}],
        ),
        body(),
        right("accreditation", sources={"list": {"title": "List", "read_on": "2026-11-10"}}),
        right("designation", scope=ending),
    )
    of_the_agreement = [("review", "2026-12-24", "xa-xb"), ("agreement", "2027-01-31", "xa-xb")]
    assert await waits(office, "accreditor") == [
        ("confirmation", "2026-12-11", "accreditation-1"),
        ("signatory", "2026-12-31", "xa-service"),
        ("edition", "2027-03-01", "accreditation-1"),
    ]
    assert await waits(office, "officer") == [
        of_the_agreement[0],
        ("expiry", "2027-01-02", "designation-1"),
        of_the_agreement[1],
    ]
    assert await waits(office, "regulator") == of_the_agreement
    # Who merely keeps the records of the law is not told of each.
    assert await waits(office, "registrar") == []


async def test_an_overdue_confirmation_waits_until_it_comes(office: Office) -> None:
    await enter(office, body(), right("accreditation", timeline=[{"event": "granted", "on": "2026-11-01"}]))
    assert await waits(office, "accreditor") == [("confirmation", "2026-12-02", "accreditation-1")]
    office.wait(days=30)
    (item,) = (await read_inbox(office.desk, office.people["accreditor"])).items
    assert (item.kind, item.due, item.overdue) == ("confirmation", "2026-12-02", True)
    assert item.words == "Laboratory 1: the open-ended accreditation to Standard One is to be confirmed by 2026-12-02"
    confirmed = {"event": "confirmed", "on": office.now.date().isoformat()}
    granted = {"event": "granted", "on": "2026-11-01"}
    sent = await office.submit("accreditor", given(right("accreditation", timeline=[granted, confirmed]), 1), key="k")
    await office.desk.heads.at_least(sent.public.versions[0].position or 0)
    assert await waits(office, "accreditor") == [("confirmation", "2027-01-21", "accreditation-1")]


async def test_the_end_of_an_accreditation_waits_for_who_rests_on_it(office: Office) -> None:
    await enter(
        office,
        body(),
        right("accreditation", validity="dated", until="2026-12-21"),
        right("designation"),
        right("recognition"),
    )
    for who in ("accreditor", "officer", "regulator"):
        assert ("expiry", "2026-12-21", "accreditation-1") in await waits(office, who)


async def test_the_reason_of_a_submission_stands_with_its_last_step_alone(office: Office) -> None:
    await office.submit("officer", body())
    await office.submit("officer", right("designation"))
    both = [{"event": "notified", "on": "2019-01-01"}, {"event": "recognised", "on": "2019-02-01"}]
    await office.submit("regulator", right("recognition", timeline=both), public_reason="No doubt is left")
    inbox = await read_inbox(office.desk, office.people["officer"])
    words = [each.words for each in inbox.items if each.record == "recognition-1"]
    assert [("received" in each, "No doubt is left" in each) for each in sorted(words)] == [
        (True, False),
        (False, True),
    ], words
