import asyncio
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.register.compiled import Register
from cab_registry.services.refusals import (
    AlreadyDecided,
    KeyReused,
    MissingRole,
    NoSuchSubmission,
    NotOwner,
    OtherAuthority,
    OtherContent,
    OwnSubmission,
    StaleSubmission,
    TooMany,
)
from cab_registry.services.submitting import (
    Evidence,
    Submitted,
    approve,
    list_shown,
    list_waiting,
    reject,
    show_submission,
    withdraw,
)
from cab_registry.storage.log import head, read_entries
from cab_registry.storage.records import latest_versions
from tests.services.office import Office, body, given, notice, right

PRIVATE_REASON = "a private matter of Ms Someone"
EVIDENCE = {"title": "Letter of Ms Someone", "sha256": "0" * 64}


def secret() -> dict[str, Any]:
    return {"private_reason": PRIVATE_REASON, "evidence": (Evidence(**EVIDENCE),)}


async def position(office: Office) -> int:
    async with office.engine.connect() as connection:
        return (await head(connection)).position


async def turn_on_four_eyes(office: Office, scope_wider: str = "warn") -> None:
    asked = {"authority": "xa-ministry", "four_eyes": True, "scope_wider": scope_wider}
    waiting = await office.submit("officer", asked, kind="policy")
    await approve(office.desk, office.people["second"], waiting.public.id, waiting.public.digest)


def pointers(refusal: Refusal) -> list[str]:
    return [fault.pointer for fault in refusal.faults]


async def test_a_submission_is_entered_as_a_whole_with_who_when_and_why(office: Office) -> None:
    before = await position(office)
    done = await office.submit("officer", body(1), right("designation"), public_reason="audit passed", **secret())
    public = done.public
    assert [(each.id, each.version, each.change, each.position) for each in public.versions] == [
        ("lab-1", 1, "new", before + 1),
        ("designation-1", 1, "new", before + 2),
    ]
    assert (public.state, public.first, public.last) == ("approved", before + 1, before + 2)
    assert (public.authority, public.principal) == ("xa-ministry", office.people["officer"].id)
    assert public.recorded is not None
    assert done.private is not None
    assert (done.private.private_reason, done.private.evidence[0]["title"]) == (PRIVATE_REASON, EVIDENCE["title"])
    async with office.engine.connect() as connection:
        entries = await read_entries(connection, before)
    assert {(each.principal, each.public_reason, each.submission) for each in entries} == {
        (office.people["officer"].id, "audit passed", public.id)
    }
    assert all(each.private_hash is not None for each in entries)


async def test_everyone_sees_the_public_part_and_no_more(office: Office) -> None:
    done = await office.submit("officer", body(1), **secret())
    for viewer in (None, office.people["regulator"], office.people["registrar"]):
        shown = await show_submission(office.engine, str(done.public.id), viewer)
        assert shown.private is None
        assert "Someone" not in msgspec.json.encode(shown).decode()
        assert shown.public.records is not None
    for name in ("officer", "second", "auditor"):
        shown = await show_submission(office.engine, str(done.public.id), office.people[name])
        assert shown.private is not None
        assert shown.private.private_reason == PRIVATE_REASON
    async with office.engine.connect() as connection:
        content = await connection.scalar(text("SELECT content FROM submission WHERE content IS NOT NULL"))
    assert b"Someone" not in content


async def test_an_auditor_of_the_registry_sees_all(office: Office) -> None:
    done = await office.submit("officer", body(1), **secret())
    auditor = await office.hire("inspector", "registrar", "auditor")
    shown = await show_submission(office.engine, str(done.public.id), auditor)
    assert shown.private is not None
    page = await list_shown(office.engine, auditor, whose="all")
    assert next(each.public.id for each in page.items if each.private is not None) == done.public.id
    with pytest.raises(MissingRole):
        await list_shown(office.engine, office.people["auditor"], whose="all")


async def test_every_fault_of_every_document_is_listed_and_nothing_is_kept(office: Office) -> None:
    before = await position(office)
    with pytest.raises(Refusal) as refused:
        await office.submit(
            "officer",
            {**body(1), "kinds": ["bakery"], "colour": "red"},
            {"type": "spoon", "id": "x", "owner": "xa-ministry"},
            {"type": "body", "owner": "xa-ministry"},
            {**body(2), "known_from": "2020-01-01"},
            body(2),
            given(body(4), 1, "correction"),
            public_reason="",
        )
    assert set(pointers(refused.value)) == {
        "/records/0/document/colour",
        "/records/0/document/kinds/0",
        "/records/1/document/type",
        "/records/2/document/names",
        "/records/2/document/economy",
        "/records/2/document/kinds",
        "/records/2/document/id",
        "/records/3/document/known_from",
        "/records/4/document/id",
        "/public_reason",
    }
    assert await position(office) == before
    assert (await list_shown(office.engine, office.people["officer"])).items == ()


async def test_what_has_no_canonical_form_is_refused_with_its_place(office: Office) -> None:
    with pytest.raises(Refusal) as refused:
        await office.submit("officer", body(1, note="x", sources={"s": {"title": 1.5}}))
    assert pointers(refused.value) == ["/records/0/document/sources/s/title"]


async def test_nothing_and_too_much_are_refused(office: Office) -> None:
    with pytest.raises(Refusal) as refused:
        await office.submit("officer", public_reason=" blank ")
    assert pointers(refused.value) == ["/records", "/public_reason"]
    with pytest.raises(TooMany):
        await office.submit("officer", *(body(number) for number in range(501)))


@pytest.mark.parametrize(
    ("who", "document", "owner"),
    [
        ("officer", body(1, owner="xb-office"), "xb-office"),
        ("officer", right("recognition"), "xb-office"),
        ("regulator", right("recognition", by="xa-ministry"), "xa-ministry"),
        ("regulator", right("recognition", by="XA"), "XA"),
        ("officer", right("designation", by="XU"), "xu-commission"),
        ("accreditor", right("designation", owner="xa-service", by="XA"), "XA"),
        (
            "officer",
            {"type": "economy", "id": "xc", "code": "XC", "names": {"en": "C"}, "owner": "xa-ministry"},
            "registrar",
        ),
        ("registrar", body(1), "xa-ministry"),
        ("registrar", right("designation"), "xa-ministry"),
        ("registrar", right("designation", owner="registrar"), "xa-ministry"),
    ],
)
async def test_nobody_writes_what_is_anothers(office: Office, who: str, document: dict[str, Any], owner: str) -> None:
    await office.submit("officer", body(2))
    before = await position(office)
    with pytest.raises(NotOwner) as refused:
        await office.submit(who, document)
    assert refused.value.owners == (owner,)
    assert owner in str(refused.value)
    assert await position(office) == before


async def test_nobody_takes_a_record_by_naming_themselves_its_owner(office: Office) -> None:
    await office.submit("officer", body(1))
    with pytest.raises(NotOwner) as refused:
        await office.submit("regulator", given(body(1, owner="xb-office"), 1))
    assert refused.value.owners == ("xa-ministry",)
    with pytest.raises(NotOwner) as refused:
        await office.submit("officer", given(body(1, owner="xb-office"), 1))
    assert "transfer" in refused.value.faults[0].message


@pytest.mark.parametrize("by", ["xa-ministry", "xa-former", "XA"])
async def test_an_authority_speaks_for_itself_its_predecessor_and_its_economy(office: Office, by: str) -> None:
    await office.submit("officer", body(1))
    done = await office.submit("officer", right("designation", by=by))
    assert done.public.state == "approved"


async def test_a_commission_speaks_for_its_union_and_keeps_its_law(office: Office) -> None:
    await office.hire("commissioner", "xu-commission", "submitter")
    await office.hire("agent", "xu-agency", "submitter")
    await office.submit("officer", body(1))
    recognition = right("recognition", by="XU", owner="xu-commission", scheme="xu-list")
    recognition = {key: value for key, value in recognition.items() if key not in {"agreement", "annex"}}
    await office.submit("commissioner", recognition, although="the list comes before the rule that refers to it")
    with pytest.raises(NotOwner):
        await office.submit("agent", {**recognition, "id": "recognition-2", "owner": "xu-agency"})
    rule = {"type": "requirement", "id": "xu-rules", "owner": "xu-commission", "economy": "XU", "sector": "emc"}
    rule |= {"citation": "Rules of U", "editions": [{"key": "1", "from": "always"}]}
    await office.submit("commissioner", rule)
    with pytest.raises(NotOwner) as refused:
        await office.submit("commissioner", {**rule, "id": "xb-more", "economy": "XB", "citation": "More"})
    assert refused.value.owners == ("registrar",)


async def test_the_registrar_keeps_the_law_whoever_owns_it(office: Office) -> None:
    rule = {"type": "requirement", "id": "xb-more", "owner": "xb-office", "economy": "XB", "sector": "emc"}
    rule |= {"citation": "More rules", "editions": [{"key": "1", "from": "always"}]}
    await office.submit("registrar", rule)
    with pytest.raises(NotOwner):
        await office.submit("regulator", given({**rule, "note": "mine"}, 1))
    await office.submit("registrar", given({**rule, "note": "kept"}, 1))


async def test_a_token_speaks_for_one_authority_in_its_roles(office: Office) -> None:
    with pytest.raises(OtherAuthority):
        await office.submit("officer", body(1), authority="xb-office")
    for name in ("auditor", "chief"):
        with pytest.raises(MissingRole):
            await office.submit(name, body(1))


async def test_a_version_that_moved_is_refused_with_what_changed_since(office: Office) -> None:
    await office.submit("officer", body(1))
    await office.submit("second", given(body(1, note="second's"), 1), public_reason="a note")
    with pytest.raises(StaleSubmission) as stale:
        await office.submit("officer", given(body(1, note="officer's"), 1))
    (difference,) = stale.value.differences
    assert (difference.expected, difference.found) == (1, 2)
    assert difference.before == body(1)
    (since,) = difference.since
    assert (since.version, since.document["note"], since.public_reason) == (2, "second's", "a note")
    assert since.principal == office.people["second"].id
    with pytest.raises(StaleSubmission) as stale:
        await office.submit("officer", body(1, note="as if new"))
    assert stale.value.differences[0].before is None
    assert len(stale.value.differences[0].since) == 2
    with pytest.raises(StaleSubmission):
        await office.submit("officer", given(body(7), 3))


async def test_of_two_officers_that_saw_the_same_one_enters(office: Office) -> None:
    await office.submit("officer", body(1))
    changes = [given(body(1, note=str(number)), 1) for number in range(6)]
    tried = [office.submit(("officer", "second")[number % 2], each) for number, each in enumerate(changes)]
    results = await asyncio.gather(*tried, return_exceptions=True)
    assert [type(each) for each in results].count(StaleSubmission) == 5
    async with office.engine.connect() as connection:
        assert (await latest_versions(connection, ["lab-1"]))["lab-1"].version == 2


async def test_a_number_is_given_once_even_at_the_same_moment(office: Office) -> None:
    rivals = [
        body(number, identifiers=[{"scheme": "numbers", "value": "A-1", "from": "2010-01-01"}]) for number in range(5)
    ]
    results = await asyncio.gather(*(office.submit("officer", each) for each in rivals), return_exceptions=True)
    assert [type(each) for each in results].count(Submitted) == 1
    refused = [each for each in results if isinstance(each, Refusal)]
    assert len(refused) == 4
    assert all("at the same time" in each.faults[0].message for each in refused)


async def test_what_only_moved_beside_a_submission_is_checked_anew(office: Office) -> None:
    await office.submit("officer", body(1))
    both = await asyncio.gather(
        office.submit("regulator", right("recognition")),
        office.submit("officer", right("designation")),
        office.submit("accreditor", right("accreditation")),
        office.submit("regulator", notice(), although="it concerns our own market"),
    )
    assert [each.public.state for each in both] == ["approved"] * 4


async def test_many_who_write_about_one_body_at_once_all_get_through(office: Office) -> None:
    await office.submit("officer", body(1))
    although = "it concerns our own market"
    tried = [
        office.submit("regulator", notice(1, id=f"notice-{number}"), key=str(number), although=although)
        for number in range(40)
    ]
    done = await asyncio.gather(*tried)
    assert sorted(each.public.versions[0].id for each in done) == sorted(f"notice-{number}" for number in range(40))


async def test_ids_are_minted_by_rule(office: Office) -> None:
    nameless = [{key: value for key, value in each.items() if key != "id"} for each in (body(1), right("designation"))]
    named = {key: value for key, value in body(2).items() if key not in {"id", "identifiers"}}
    done = await office.submit("officer", nameless[0], {**named, "names": [{"name": "Łódź  Lab", "from": "always"}]})
    assert [each.id for each in done.public.versions] == ["numbers-a-1", "lodz-lab-xa"]
    twin = named | {"names": [{"name": "Lodz Lab.", "from": "always"}]}
    again = await office.submit("officer", twin, although="another laboratory of that name")
    assert [each.id for each in again.public.versions] == ["lodz-lab-xa-2"]
    designation = {**nameless[1], "body": "numbers-a-1"}
    first = await office.submit("officer", designation)
    second = await office.submit("officer", {**designation, "scope": []}, designation | {"site": "main"})
    assert [each.id for each in (*first.public.versions, *second.public.versions)] == [
        f"designation-xa-ministry-numbers-a-1-{number}" for number in (1, 2, 3)
    ]


async def test_the_id_of_a_retired_record_is_not_minted_again(office: Office) -> None:
    nameless = {key: value for key, value in body(1).items() if key != "id"}
    done = await office.submit("officer", nameless)
    text_of = {**nameless, "id": "numbers-a-1"}
    await office.submit("officer", given(text_of, 1, "retire"))
    again = await office.submit("officer", nameless)
    assert (done.public.versions[0].id, again.public.versions[0].id) == ("numbers-a-1", "numbers-a-1-2")


async def test_the_same_record_again_changes_nothing(office: Office) -> None:
    await office.submit("officer", body(1))
    before = await position(office)
    again = await office.submit("officer", body(1), body(2))
    assert (again.public.unchanged, [each.id for each in again.public.versions]) == (("lab-1",), ["lab-2"])
    nothing = await office.submit("officer", body(1))
    assert (nothing.public.state, nothing.public.first, nothing.public.versions) == ("approved", None, ())
    assert await position(office) == before + 1


@pytest.mark.parametrize(
    ("documents", "place", "message"),
    [
        ([right("designation", 9)], "/records/0/document/body", "neither a body nor"),
        ([right("designation", agreement="xa-xc")], "/records/0/document/agreement", "no agreement"),
        ([right("designation", annex="emc")], "/records/0/document/annex", "no annex"),
        ([right("designation", site="attic")], "/records/0/document/site", "no site"),
        ([right("designation", until="2017-01-01")], "/records/0/document/scope/0/from", "after the right has ended"),
        (
            [right("designation", scope=[{"key": "a", "from": "2020-01-01", "until": "2019-01-01"}])],
            "/records/0/document/scope/0/until",
            "before it begins",
        ),
        (
            [right("designation", scope=[{"key": "a", "from": "2020-01-01"}, {"key": "a", "from": "2021-01-01"}])],
            "/records/0/document/scope/1",
            "holds twice",
        ),
        (
            [right("designation", timeline=[{"event": "designated", "on": "2020-01-01", "source": "s9"}])],
            "/records/0/document/timeline/0/source",
            "no source 's9'",
        ),
        ([body(2, identifiers=body(1)["identifiers"])], "/records/0/document/identifiers/0", "at the same time"),
    ],
)
async def test_what_contradicts_the_register_is_refused(
    office: Office, documents: list[dict[str, Any]], place: str, message: str
) -> None:
    await office.submit("officer", body(1))
    with pytest.raises(Refusal) as refused:
        await office.submit("officer", *documents)
    assert [fault.pointer for fault in refused.value.faults if message in fault.message] == [place]


async def test_what_deserves_a_look_is_a_warning(office: Office) -> None:
    await office.submit("officer", body(1))
    alike = body(2, names=[{"name": "LABORATORY  1", "from": "2010-01-01"}])
    alike["identifiers"] = [{"scheme": "numbers", "value": "A-1", "from": "2001-01-01", "until": "2002-01-01"}]
    with pytest.raises(Refusal) as refused:
        await office.submit("officer", alike)
    assert any("same name" in each.message and "although" in each.message for each in refused.value.faults)
    done = await office.submit("officer", alike, although="two laboratories of one name")
    spaced = body(3, identifiers=[{"scheme": "numbers", "value": "a 1", "from": "2010-01-01"}])
    with pytest.raises(Refusal) as refused:
        await office.submit("officer", spaced)
    assert any("at the same time" in each.message for each in refused.value.faults)
    messages = [each.message for each in done.public.warnings]
    assert any("same name" in each for each in messages)
    assert any("on other days" in each for each in messages)
    early = right("designation", scope=[{"key": "a", "requirement": "xb-rules", "from": "2004-01-01"}])
    done = await office.submit("officer", early)
    assert any("before the agreement begins" in each.message for each in done.public.warnings)
    done = await office.submit("officer", {**right("designation"), "id": "designation-again"})
    assert any("designation-1 is the same right" in each.message for each in done.public.warnings)


async def test_a_wider_scope_is_a_warning_or_a_refusal_by_policy(office: Office) -> None:
    await office.submit("officer", body(1))
    narrow = {"key": "a", "requirement": "xb-rules", "product_classes": ["phones"], "from": "2018-01-01"}
    await office.submit("accreditor", right("accreditation", scope=[narrow]))
    inside = {**narrow, "until": "2030-01-01"}
    done = await office.submit("officer", right("designation", scope=[inside]))
    assert not any("accredited" in each.message for each in done.public.warnings)
    wider = right("designation", scope=[inside, {**narrow, "key": "b", "product_classes": ["phones", "toys"]}])
    done = await office.submit("officer", given(wider, 1))
    assert [each.pointer for each in done.public.warnings if "accredited" in each.message] == [
        "/records/0/document/scope/1"
    ]
    done = await office.submit("regulator", right("recognition"))
    assert sum("designated" in each.message for each in done.public.warnings) == 1
    earlier = [{**narrow, "key": "c", "from": "2017-01-01", "until": "2017-06-01"}]
    done = await office.submit("officer", given({**wider, "scope": [*wider["scope"], *earlier]}, 2))
    assert any("on all of its days" in each.message for each in done.public.warnings)
    # What stands already was told when it was entered, and hinders nothing that leaves it as it is or takes it away.
    standing = {**wider, "scope": [*wider["scope"], *earlier]}
    taken = [*wider["timeline"], {"event": "restricted", "on": "2020-01-01", "items": ["b", "c"]}]
    done = await office.submit("officer", given({**standing, "timeline": taken}, 3))
    assert not any("accredited" in each.message for each in done.public.warnings)
    await turn_on_four_eyes(office, "refuse")
    more = {**narrow, "key": "d", "product_classes": ["toys"]}
    with pytest.raises(Refusal) as refused:
        await office.submit("officer", given({**standing, "timeline": taken, "scope": [*standing["scope"], more]}, 4))
    assert [fault.pointer for fault in refused.value.faults if "accredited" in fault.message] == [
        "/records/0/document/scope/3"
    ]


PAST = right(
    "designation",
    scope=[
        {"key": "radio", "requirement": "xb-rules", "from": "2018-01-01", "until": "2020-01-01"},
        {"key": "later", "requirement": "xb-rules", "from": "2027-01-01"},
    ],
    timeline=[
        {"event": "designated", "on": "2018-01-01"},
        {"event": "suspended", "on": "2019-01-01", "until": "2030-01-01"},
        {"event": "withdrawn", "on": "2028-01-01"},
    ],
)


def changed_past(**more: Any) -> dict[str, Any]:
    return {**PAST, **more}


@pytest.mark.parametrize(
    ("document", "place", "message"),
    [
        (changed_past(timeline=PAST["timeline"][1:]), "/timeline", "`designated` on 2018-01-01 is gone"),
        (
            changed_past(timeline=[{"event": "designated", "on": "2018-02-01"}, *PAST["timeline"][1:]]),
            "/timeline/0/on",
            "moved from 2018-01-01 to 2018-02-01",
        ),
        (
            changed_past(timeline=[PAST["timeline"][0], {**PAST["timeline"][1], "until": "2020-01-01"}]),
            "/timeline/1",
            "ended on 2030-01-01, now on 2020-01-01",
        ),
        (
            changed_past(scope=[{**PAST["scope"][0], "until": "2021-01-01"}, PAST["scope"][1]]),
            "/scope/0",
            "ended on 2020-01-01",
        ),
        (changed_past(scope=[PAST["scope"][1]]), "/scope", "item `radio` on 2018-01-01 is gone"),
        (changed_past(scope=[{**PAST["scope"][0], "text": "all"}, PAST["scope"][1]]), "/scope", "is gone"),
    ],
)
async def test_a_past_is_changed_by_correction_only(
    office: Office, document: dict[str, Any], place: str, message: str
) -> None:
    await office.submit("officer", body(1), PAST)
    with pytest.raises(Refusal) as refused:
        await office.submit("officer", given(document, 1))
    (fault,) = refused.value.faults
    assert fault.pointer == f"/records/0/document{place}"
    assert message in fault.message
    assert "correction" in fault.message
    with pytest.raises(Refusal) as refused:
        await office.submit("officer", given(document, 1, "correction"), public_reason="")
    assert pointers(refused.value) == ["/public_reason"]
    done = await office.submit("officer", given(document, 1, "correction"), public_reason="a slip of the pen")
    assert done.public.versions[0].change == "correction"


@pytest.mark.parametrize(
    "document",
    [
        changed_past(timeline=PAST["timeline"][:2]),
        changed_past(timeline=[*PAST["timeline"][:2], {"event": "withdrawn", "on": "2029-01-01"}]),
        changed_past(timeline=[{"event": "proposed", "on": "2017-01-01"}, *PAST["timeline"]]),
        changed_past(timeline=[PAST["timeline"][0], {**PAST["timeline"][1], "until": "2026-11-20"}]),
        changed_past(scope=[PAST["scope"][0]]),
        changed_past(scope=[*PAST["scope"], {"key": "more", "requirement": "xb-rules", "from": "2019-01-01"}]),
        changed_past(scope=[{**PAST["scope"][0], "citation": "Article 5"}, PAST["scope"][1]], note="better cited"),
    ],
)
async def test_the_future_and_what_is_added_need_no_correction(office: Office, document: dict[str, Any]) -> None:
    await office.submit("officer", body(1), PAST)
    done = await office.submit("officer", given(document, 1))
    assert done.public.versions[0].change == "amend"


async def test_what_others_refer_to_is_not_taken_away(office: Office) -> None:
    await office.submit("officer", body(1), right("designation", site="main"))
    with pytest.raises(Refusal) as refused:
        await office.submit("officer", given(body(1), 1, "retire"))
    assert "designation-1 refers to it" in refused.value.faults[0].message
    with pytest.raises(Refusal) as refused:
        await office.submit("officer", given(body(1, sites=[]), 1, "correction"))
    assert "designation-1 refers to it (/site)" in refused.value.faults[0].message
    agreement = next(each for each in (await latest(office, "xa-xb")).values())
    with pytest.raises(Refusal):
        await office.submit("registrar", given({**agreement, "annexes": {}}, 1, "correction"))
    done = await office.submit(
        "officer", given(body(1), 1, "retire"), given(right("designation", site="main"), 1, "retire")
    )
    assert any("has a past" in each.message for each in done.public.warnings)
    with pytest.raises(Refusal, match="cannot be entered"):
        await office.submit("officer", given(body(1, note="x"), 2))
    back = await office.submit("officer", given(body(1), 2, "correction"))
    assert back.public.versions[0].version == 3


async def latest(office: Office, *ids: str) -> dict[str, dict[str, Any]]:
    async with office.engine.connect() as connection:
        return {key: each.document for key, each in (await latest_versions(connection, ids)).items()}


@pytest.mark.parametrize(
    ("record", "version", "change"),
    [(body(9), 0, "amend"), (body(1, note="x"), 1, "new"), (body(1, note="x"), 1, "retire")],
)
async def test_a_change_fits_its_record(office: Office, record: dict[str, Any], version: int, change: str) -> None:
    await office.submit("officer", body(1))
    with pytest.raises(Refusal, match="cannot be entered"):
        await office.submit("officer", given(record, version, change))


async def test_an_id_keeps_its_type(office: Office) -> None:
    await office.submit("officer", body(1))
    with pytest.raises(Refusal) as refused:
        await office.submit("officer", given({**right("designation"), "id": "lab-1"}, 1))
    assert pointers(refused.value) == ["/records/0/document/type"]


async def test_the_procedure_can_refuse_a_step(office: Office) -> None:
    office.more["check_steps"] = lambda before, record, after, today: (
        [Fault("/timeline/0/event", "not yet (Article 9)")] if record.id == "recognition-1" else []
    )
    await office.submit("officer", body(1))
    with pytest.raises(Refusal) as refused:
        await office.submit("regulator", right("recognition"))
    assert [str(fault) for fault in refused.value.faults] == [
        "recognition-1 /records/0/document/timeline/0/event: not yet (Article 9)"
    ]


def describe(before: Register, after: Register, changed: Any) -> dict[str, Any]:
    return {"changes": [f"{each}: {each in before.records} to {each in after.records}" for each in changed]}


async def test_a_dry_run_tells_what_would_change_and_keeps_nothing(office: Office) -> None:
    office.more["describe"] = describe
    before = await position(office)
    shown = await office.submit("officer", body(1), dry_run=True, key="k", **secret())
    assert shown.public.effect == {"changes": ["lab-1: False to True"]}
    assert (shown.public.id, shown.public.state, shown.private) == (None, None, None)
    assert [each.id for each in shown.public.versions] == ["lab-1"]
    assert await position(office) == before
    assert (await list_shown(office.engine, office.people["officer"])).items == ()
    with pytest.raises(NotOwner):
        await office.submit("regulator", body(1), dry_run=True)
    done = await office.submit("officer", body(1), key="k")
    assert done.public.effect == shown.public.effect
    assert not done.repeated


async def test_the_same_request_again_tells_the_truth_about_the_first(office: Office) -> None:
    first = await office.submit("officer", body(1), key="k", **secret())
    await office.submit("officer", given(body(1, note="later"), 1))
    again = await office.submit("officer", body(1), key="k", **secret())
    assert again == msgspec.structs.replace(first, repeated=True)
    with pytest.raises(KeyReused):
        await office.submit("officer", body(2), key="k")
    with pytest.raises(KeyReused):
        await office.submit("officer", body(1), key="k")
    other = await office.submit("second", body(2), key="k")
    assert not other.repeated


async def test_one_request_sent_many_times_at_once_is_done_once(office: Office) -> None:
    results = await asyncio.gather(*(office.submit("officer", body(1), key="k") for _ in range(8)))
    assert len({each.public.id for each in results}) == 1
    assert [each.repeated for each in results].count(False) == 1


async def test_a_second_pair_of_eyes_where_the_policy_asks_for_it(office: Office) -> None:
    await turn_on_four_eyes(office)
    before = await position(office)
    office.more["describe"] = describe
    waiting = await office.submit("officer", body(1), key="k", **secret())
    assert (waiting.public.state, waiting.public.first) == ("submitted", None)
    assert await position(office) == before
    for viewer in (None, office.people["regulator"], office.people["registrar"]):
        with pytest.raises(NoSuchSubmission):
            await show_submission(office.engine, str(waiting.public.id), viewer)
    second = office.people["second"]
    (listed,) = await list_waiting(office.engine, second)
    assert listed.public.id == waiting.public.id
    assert await list_waiting(office.engine, office.people["officer"]) == ()
    seen = await show_submission(office.engine, str(waiting.public.id), second)
    assert seen.public.records is not None
    assert seen.public.records[0].document == body(1)
    done = await approve(office.desk, second, str(waiting.public.id), str(seen.public.digest))
    assert (done.public.state, done.public.decided_by, done.public.first) == ("approved", second.id, before + 1)
    assert done.public.principal == office.people["officer"].id
    assert done.public.versions[0].position == before + 1
    assert done.public.decided == done.public.recorded
    again = await approve(office.desk, second, str(waiting.public.id), str(seen.public.digest))
    assert again == msgspec.structs.replace(done, repeated=True)
    told = await office.submit("officer", body(1), key="k", **secret())
    assert (told.repeated, told.public.state) == (True, "approved")
    assert (await show_submission(office.engine, str(waiting.public.id))).private is None
    async with office.engine.connect() as connection:
        (entry,) = await read_entries(connection, before)
    assert entry.principal == office.people["officer"].id
    assert entry.private_hash is not None


async def test_nobody_approves_their_own_nor_without_the_role_nor_another_text(office: Office) -> None:
    await turn_on_four_eyes(office)
    waiting = (await office.submit("second", body(1))).public
    people, desk = office.people, office.desk
    for decide in (
        lambda who: approve(desk, who, waiting.id, waiting.digest),
        lambda who: reject(desk, who, waiting.id, "no"),
    ):
        with pytest.raises(OwnSubmission):
            await decide(people["second"])
        with pytest.raises(MissingRole):
            await decide(people["officer"])
        with pytest.raises(NoSuchSubmission):
            await decide(people["chief"])
    third = await office.hire("third", "xa-ministry", "approver")
    with pytest.raises(OtherContent):
        await approve(desk, third, str(waiting.id), "0" * 64)
    with pytest.raises(NoSuchSubmission):
        await approve(desk, third, "not-there", "0" * 64)
    assert (await approve(desk, third, str(waiting.id), str(waiting.digest))).public.state == "approved"
    with pytest.raises(AlreadyDecided):
        await reject(desk, third, str(waiting.id), "too late")
    with pytest.raises(AlreadyDecided):
        await withdraw(desk, people["second"], str(waiting.id), "too late")


async def test_the_database_itself_lets_nobody_approve_their_own(office: Office) -> None:
    await turn_on_four_eyes(office)
    waiting = (await office.submit("officer", body(1))).public
    statement = "UPDATE submission SET state = 'approved', decided = now(), decided_by = principal WHERE id = :id"
    with pytest.raises(Exception, match="approved_by_another"):
        async with office.engine.begin() as connection:
            await connection.execute(text(statement), {"id": waiting.id})
    changed = "UPDATE submission SET public_reason = 'another' WHERE id = :id"
    with pytest.raises(Exception, match="decided, once"):
        async with office.engine.begin() as connection:
            await connection.execute(text(changed), {"id": waiting.id})


async def test_a_submission_is_rejected_or_withdrawn_with_a_reason_of_its_own(office: Office) -> None:
    await turn_on_four_eyes(office)
    people, desk = office.people, office.desk
    one, two = [(await office.submit("officer", body(number))).public for number in (1, 2)]
    with pytest.raises(Refusal, match="reason"):
        await reject(desk, people["second"], str(one.id), "  ")
    rejected = await reject(desk, people["second"], str(one.id), "the letter of Mr Else is missing")
    assert (rejected.public.state, rejected.public.decided_by) == ("rejected", people["second"].id)
    assert rejected.private is not None
    assert rejected.private.decision_reason == "the letter of Mr Else is missing"
    assert (await reject(desk, people["second"], str(one.id), "again")).repeated
    with pytest.raises(NoSuchSubmission):
        await show_submission(office.engine, str(one.id))
    with pytest.raises(MissingRole):
        await withdraw(desk, people["second"], str(two.id), "not mine")
    withdrawn = await withdraw(desk, people["officer"], str(two.id), "entered twice")
    assert withdrawn.public.state == "withdrawn"
    assert (await withdraw(desk, people["officer"], str(two.id), "entered twice")).repeated
    with pytest.raises(AlreadyDecided) as decided:
        await approve(desk, people["second"], str(two.id), str(two.digest))
    assert decided.value.state == "withdrawn"
    assert await latest(office, "lab-1", "lab-2") == {}


async def test_what_waited_is_checked_anew_when_it_is_approved(office: Office) -> None:
    await office.submit("officer", body(1))
    await turn_on_four_eyes(office)
    people, desk = office.people, office.desk
    amended = (await office.submit("officer", given(body(1, note="mine"), 1))).public
    rival = (await office.submit("officer", given(body(1, note="other"), 1))).public
    twin = body(2, identifiers=[{"scheme": "numbers", "value": "B-1", "from": "2010-01-01"}])
    first = (await office.submit("officer", twin)).public
    second = (await office.submit("officer", {**twin, "id": "lab-3"})).public
    await approve(desk, people["second"], str(rival.id), str(rival.digest))
    with pytest.raises(StaleSubmission) as stale:
        await approve(desk, people["second"], str(amended.id), str(amended.digest))
    assert stale.value.differences[0].since[0].document["note"] == "other"
    await approve(desk, people["second"], str(first.id), str(first.digest))
    with pytest.raises(Refusal) as refused:
        await approve(desk, people["second"], str(second.id), str(second.digest))
    assert "at the same time" in refused.value.faults[0].message
    waiting = await list_waiting(office.engine, people["second"])
    assert [each.public.id for each in waiting] == [amended.id, second.id]


async def test_of_two_who_approve_at_once_one_does(office: Office) -> None:
    await turn_on_four_eyes(office)
    third = await office.hire("third", "xa-ministry", "approver")
    waiting = (await office.submit("officer", body(1))).public
    before = await position(office)
    results = await asyncio.gather(
        *(
            approve(office.desk, who, str(waiting.id), str(waiting.digest))
            for who in (third, office.people["second"]) * 3
        ),
        return_exceptions=True,
    )
    assert {type(each) for each in results} == {Submitted, AlreadyDecided}
    assert await position(office) == before + 1


async def test_a_change_of_policy_is_seen_by_two(office: Office) -> None:
    asked = {"authority": "xa-ministry", "four_eyes": True}
    waiting = (await office.submit("officer", asked, kind="policy")).public
    assert (waiting.state, waiting.kind) == ("submitted", "policy")
    assert (await office.submit("officer", body(1))).public.state == "approved"
    stale = (await office.submit("officer", {**asked, "scope_wider": "refuse"}, kind="policy")).public
    people, desk = office.people, office.desk
    with pytest.raises(MissingRole):
        await approve(desk, people["officer"], str(waiting.id), str(waiting.digest))
    await approve(desk, people["second"], str(waiting.id), str(waiting.digest))
    assert (await office.submit("officer", body(2))).public.state == "submitted"
    with pytest.raises(StaleSubmission) as moved:
        await approve(desk, people["second"], str(stale.id), str(stale.digest))
    assert moved.value.differences[0].since[0].document["four_eyes"] is True
    same = await office.submit("officer", asked, kind="policy")
    assert (same.public.state, same.public.unchanged) == ("approved", ("policy of xa-ministry",))
    with pytest.raises(NoSuchSubmission):
        await show_submission(office.engine, str(waiting.id))
    dry = await office.submit("officer", given({**asked, "four_eyes": False}, 1), kind="policy", dry_run=True)
    assert (dry.public.id, dry.public.effect) == (None, {"changes": ("four_eyes: False, scope_wider: warn",)})


@pytest.mark.parametrize(
    ("documents", "more", "kind"),
    [
        ([], {}, Refusal),
        ([{"authority": "xa-ministry"}], {}, Refusal),
        ([given({"authority": "xa-ministry", "four_eyes": True}, 0, "retire")], {}, Refusal),
        ([{"authority": "xa-ministry", "four_eyes": True}], {"public_reason": ""}, Refusal),
        ([{"authority": "xb-office", "four_eyes": True}], {}, NotOwner),
        ([given({"authority": "xa-ministry", "four_eyes": True}, 3)], {}, StaleSubmission),
    ],
)
async def test_a_policy_is_held_to_its_shape(
    office: Office, documents: list[Any], more: dict[str, Any], kind: type[Refusal]
) -> None:
    with pytest.raises(kind):
        await office.submit("officer", *documents, kind="policy", **more)


async def test_a_body_goes_to_another_authority_with_its_consent(office: Office) -> None:
    await office.submit("officer", body(1))
    moved = given(body(1, owner="xb-office"), 1)
    people, desk = office.people, office.desk
    with pytest.raises(NotOwner):
        await office.submit("accreditor", moved, kind="transfer")
    waiting = (await office.submit("officer", moved, kind="transfer", **secret())).public
    assert (waiting.state, waiting.counterpart) == ("submitted", "xb-office")
    with pytest.raises(OtherAuthority):
        await approve(desk, people["second"], str(waiting.id), str(waiting.digest))
    (listed,) = await list_waiting(office.engine, people["chief"])
    assert (listed.public.id, listed.private) == (waiting.id, None)
    done = await approve(desk, people["chief"], str(waiting.id), str(waiting.digest))
    assert (done.public.state, done.private) == ("approved", None)
    assert (await latest(office, "lab-1"))["lab-1"]["owner"] == "xb-office"
    with pytest.raises(NotOwner):
        await office.submit("officer", given(body(1, note="still mine?"), 2))
    await office.submit("regulator", given(body(1, owner="xb-office", note="ours now"), 2))


async def test_who_takes_may_ask_and_who_gives_agrees(office: Office) -> None:
    await office.submit("officer", body(1))
    asked = (await office.submit("regulator", given(body(1, owner="xb-office"), 1), kind="transfer")).public
    assert asked.counterpart == "xa-ministry"
    await approve(office.desk, office.people["second"], str(asked.id), str(asked.digest))
    assert (await latest(office, "lab-1"))["lab-1"]["owner"] == "xb-office"


async def test_a_succession_is_entered_by_the_registrar_and_taken_by_the_successor(office: Office) -> None:
    await office.hire("former", "xa-former", "submitter")
    old = right("designation", owner="xa-former", by="xa-former")
    await office.submit("former", body(1, owner="xa-former"), old)
    gone = [given(body(1), 1), given({**old, "owner": "xa-ministry"}, 1)]
    waiting = (await office.submit("registrar", *gone, kind="transfer")).public
    assert waiting.counterpart == "xa-ministry"
    await approve(office.desk, office.people["second"], str(waiting.id), str(waiting.digest))
    await office.submit("officer", given({**old, "owner": "xa-ministry", "note": "taken over"}, 2))
    with pytest.raises(NotOwner):
        await office.submit("registrar", given(body(1, owner="xb-office"), 2), kind="transfer")


@pytest.mark.parametrize(
    ("documents", "more", "kind"),
    [
        ([given(body(1), 1)], {}, Refusal),
        ([given(body(1, owner="xb-office", note="and more"), 1)], {}, Refusal),
        ([given(body(1, owner="xz"), 1)], {}, Refusal),
        ([given(body(9, owner="xb-office"), 1)], {}, Refusal),
        ([given(body(1, owner="xb-office"), 1), given(body(2, owner="xa-service"), 1)], {}, Refusal),
        ([given(body(1, owner="xb-office"), 1)], {"public_reason": ""}, Refusal),
        ([given(right("designation", owner="xb-office"), 1)], {}, NotOwner),
        ([given(body(1, owner="xb-office"), 2)], {}, StaleSubmission),
    ],
)
async def test_a_transfer_changes_the_owner_and_nothing_else(
    office: Office, documents: list[Any], more: dict[str, Any], kind: type[Refusal]
) -> None:
    await office.submit("officer", body(1), body(2), right("designation"))
    with pytest.raises(kind):
        await office.submit("officer", *documents, kind="transfer", **more)


async def test_lists_go_page_by_page_and_show_private_parts_to_their_own(office: Office) -> None:
    await turn_on_four_eyes(office)
    for number in range(1, 6):
        await office.submit("officer", body(number), **secret())
    people = office.people
    seen: list[str] = []
    cursor = None
    while True:
        page = await list_shown(office.engine, people["auditor"], whose="authority", after=cursor, limit=2)
        seen += [str(each.public.id) for each in page.items]
        assert all(each.private is not None for each in page.items)
        cursor = page.next
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 6
    waiting = await list_shown(office.engine, people["second"], whose="waiting", limit=4)
    rest = await list_shown(office.engine, people["second"], whose="waiting", limit=4, after=waiting.next)
    assert [each.public.versions[0].id for each in (*waiting.items, *rest.items)] == [f"lab-{n}" for n in range(1, 6)]
    mine = await list_shown(office.engine, people["officer"], states=["submitted"])
    assert len(mine.items) == 5
    assert (await list_shown(office.engine, people["regulator"], whose="authority")).items == ()
    with pytest.raises(Refusal):
        await list_shown(office.engine, people["officer"], limit=0)


async def test_the_catalogues_own_submissions_are_public(office: Office) -> None:
    shown = await show_submission(office.engine, "initial")
    assert (shown.public.state, shown.public.authority, shown.public.records) == ("approved", None, None)
    assert shown.public.versions[0].id == "registrar"
    with pytest.raises(NoSuchSubmission):
        await approve(office.desk, office.people["registrar"], "initial", "")


async def test_a_commit_that_fails_is_a_call_that_failed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    from cab_registry.services import submitting
    from cab_registry.storage.errors import StorageBusy

    before = await position(office)
    shown = submitting.show_kept

    async def cut(connection: Any, submission_id: str, principal: Any) -> Any:
        answer = await shown(connection, submission_id, principal)
        raw = await connection.get_raw_connection()
        raw.driver_connection.terminate()
        return answer

    monkeypatch.setattr(submitting, "show_kept", cut)
    with pytest.raises(StorageBusy):
        await office.submit("officer", body(1), key="k")
    monkeypatch.undo()
    assert await position(office) == before
    done = await office.submit("officer", body(1), key="k")
    assert (done.repeated, done.public.first) == (False, before + 1)
    told = await office.submit("officer", body(1), key="k")
    assert (told.repeated, told.public.first) == (True, before + 1)


async def test_a_ground_that_never_rests_is_told_to_come_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    from cab_registry.services import deciding, submitting
    from cab_registry.storage.errors import Moved, StaleVersion, StorageBusy

    await turn_on_four_eyes(office)
    waiting = (await office.submit("officer", body(1))).public

    async def move(connection: Any, prepared: Any) -> None:
        raise StaleVersion([Moved("lab-1", 0, 1)])

    monkeypatch.setattr(submitting, "refuse_interference", move)
    monkeypatch.setattr(deciding, "refuse_interference", move)
    with pytest.raises(StorageBusy, match="faster"):
        await office.submit("officer", body(2))
    with pytest.raises(StorageBusy, match="faster"):
        await approve(office.desk, office.people["second"], str(waiting.id), str(waiting.digest))
