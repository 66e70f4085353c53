"""The checks of a submission against a register in memory: what each of them says, and where it keeps silent."""

from typing import Any

import pytest

from cab_registry.domain.days import parse_day
from cab_registry.domain.errors import Refusal
from cab_registry.domain.records import AnyRecord, read_record
from cab_registry.engine.representation import predecessors_of, speaks_for
from cab_registry.register.compiled import Register, Versioned, compile_register
from cab_registry.register.minting import mint_id, slug
from cab_registry.register.ownership import find_foreign
from cab_registry.register.past import find_changed_past, has_past
from cab_registry.register.scopes import find_doubled, find_outside_agreement, find_wider
from cab_registry.services.desk import allow_every_step
from cab_registry.services.refusals import NotOwner
from cab_registry.services.requests import SubmissionRequest, read_records
from cab_registry.services.validation import Checked, Ground, check_submission
from cab_registry.storage.canonical import canonical_hash
from cab_registry.storage.policies import StoredPolicy
from cab_registry.storage.records import RecordVersion
from tests.services.office import body, given, law, notice, right

TODAY = parse_day("2026-11-21")
ITEM = {"key": "a", "requirement": "xb-rules", "from": "2018-01-01"}


@pytest.fixture
def register() -> Register:
    documents = [*law(), body(1), right("designation"), right("accreditation"), right("recognition"), notice()]
    return compile_register([Versioned(read_record(each), 1) for each in documents], position=1)


def read(document: dict[str, Any]) -> AnyRecord:
    return read_record(document)


def current(register: Register, *documents: dict[str, Any]) -> dict[str, RecordVersion]:
    return {
        each["id"]: RecordVersion(
            type=each["type"],
            id=each["id"],
            version=1,
            owner=each["owner"],
            principal="p",
            retired=False,
            body=None,
            from_position=1,
            until_position=None,
            recorded_from=None,
            recorded_until=None,
            digest=canonical_hash(each),
            document=each,
        )
        for each in documents
    }


def check(register: Register, authority: str, *records: Any, stored: tuple[Any, ...] = (), **more: Any) -> Checked:
    request = SubmissionRequest(authority=authority, public_reason="why", records=tuple(records), **more)
    policy = StoredPolicy(authority=authority)
    ground = Ground(register, current(register, *stored), policy, TODAY, allow_every_step)
    return check_submission(request, read_records(request), ground)


def test_everything_that_a_submission_rests_on_is_noted(register: Register) -> None:
    checked = check(register, "xb-office", given(right("recognition", 1, id="recognition-2")))
    assert checked.expected == {
        "recognition-2": 0,
        **dict.fromkeys(
            [
                "lab-1",
                "designation-1",
                "accreditation-1",
                "recognition-1",
                "notice-1",
                "xa-xb",
                "xb-rules",
                "xb-office",
            ],
            1,
        ),
    }
    assert checked.bodies == {"lab-1"}
    economies = check(register, "xa-ministry", given(body(2)))
    assert (economies.expected["xa"], economies.identifiers) == (1, (("numbers", "A-2"),))
    assert economies.changed == ("lab-2",)


def test_the_registers_before_and_after_are_told_apart(register: Register) -> None:
    checked = check(register, "xa-ministry", given(body(2)))
    assert "lab-2" not in checked.before.records
    assert checked.after.records["lab-2"].version == 1
    retired = check(register, "xb-office", given(notice(), 1, "retire"), stored=(notice(),))
    assert "notice-1" not in retired.after.records


ECONOMY = {"type": "economy", "id": "xc", "owner": "registrar", "code": "XB", "names": {"en": "C"}}
RULE = {
    "type": "requirement",
    "id": "xc-rules",
    "owner": "registrar",
    "economy": "XB",
    "sector": "emc",
    "citation": "Rules of C",
    "other_citations": ["rules  of B"],
    "editions": [{"key": "1", "from": "always"}],
}


@pytest.mark.parametrize(
    ("document", "place", "message"),
    [
        (ECONOMY, "/code", "'xb' has it already"),
        (RULE, "/other_citations/0", "'xb-rules' has it already"),
        ({**RULE, "citation": "RULES OF B", "other_citations": []}, "/citation", "'xb-rules' has it already"),
    ],
)
def test_a_code_and_a_citation_lead_to_one_record(
    register: Register, document: dict[str, Any], place: str, message: str
) -> None:
    with pytest.raises(Refusal) as refused:
        check(register, "registrar", given(document))
    assert [fault.pointer for fault in refused.value.faults if message in fault.message] == [
        f"/records/0/document{place}"
    ]


def test_a_name_that_a_body_has_already_is_no_news(register: Register) -> None:
    twin = body(2, names=[{"name": "Laboratory 1", "from": "2010-01-01"}], identifiers=[])
    with pytest.raises(Refusal) as refused:
        check(register, "xa-ministry", given(twin))
    (fault,) = refused.value.faults
    assert fault.pointer == "/records/0/document/names/0"
    assert all(each in fault.message for each in ("'lab-1'", "'lab-2'", "same name", "although"))
    told = check(register, "xa-ministry", given(twin), although="they are two")
    assert any("same name" in each.message for each in told.warnings)
    numbered = {**twin, "identifiers": [{"scheme": "numbers", "value": "B-2", "from": "2010-01-01"}]}
    with pytest.raises(Refusal) as apart:
        check(register, "xa-ministry", given(numbered))
    (fault,) = apart.value.faults
    assert all(each in fault.message for each in ("'lab-1'", "'lab-2'", "number A1", "has B2", "although")), fault
    both = compile_register([*register.records.values(), Versioned(read(twin), 1)], position=2)
    again = check(both, "xa-ministry", given({**twin, "note": "moved"}, 1), stored=(twin,))
    assert not any("same name" in each.message for each in again.warnings)
    abroad = check(register, "xa-ministry", given({**twin, "economy": "XB"}))
    (told,) = [each for each in abroad.warnings if "same name" in each.message]
    assert told.pointer == "/records/0/document/names/0"
    assert "'lab-1'" in told.message


@pytest.mark.parametrize(
    ("scheme", "value", "place", "message"),
    [
        ("nando", "12345", "value", "'12345' is not a number of the scheme nando (EU notified body): these are digits"),
        ("nando", "R006", "value", "'R006' is not a number of the scheme nando"),
        ("fcc-designation", "none", "value", "it has no digit"),
        ("nb", "0123", "scheme", "'nb' is another name of the scheme 'nando': write 'nando'"),
    ],
)
def test_a_new_number_is_one_of_its_scheme(
    register: Register, scheme: str, value: str, place: str, message: str
) -> None:
    number = {"scheme": scheme, "value": value, "from": "2010-01-01"}
    with pytest.raises(Refusal) as refused:
        check(register, "xa-ministry", given(body(2, identifiers=[number])))
    (fault,) = refused.value.faults
    assert (fault.pointer, message in fault.message) == (f"/records/0/document/identifiers/0/{place}", True), fault


def test_a_number_that_stands_already_does_not_hinder_other_changes(register: Register) -> None:
    held = body(2, identifiers=[{"scheme": "nando", "value": "R006", "from": "2010-01-01"}])
    both = compile_register([*register.records.values(), Versioned(read(held), 1)], position=2)
    assert check(both, "xa-ministry", given({**held, "note": "moved"}, 1), stored=(held,)).changed == ("lab-2",)


def test_a_registrar_keeps_what_the_catalogue_transcribed(register: Register) -> None:
    kept = right("designation", owner="registrar", by="XA")
    assert check(register, "registrar", given({**kept, "note": "x"}, 1), stored=(kept,)).changed == ("designation-1",)
    with pytest.raises(NotOwner):
        check(register, "registrar", given({**kept, "by": "XB"}, 1, "correction"), stored=(kept,))


@pytest.mark.parametrize(
    ("authority", "by", "spoken"),
    [
        ("xa-ministry", "xa-ministry", True),
        ("xa-ministry", "xa-former", True),
        ("xa-former", "xa-ministry", False),
        ("xa-ministry", "XA", True),
        ("xa-service", "XA", False),
        ("xa-ministry", "XU", False),
        ("xu-commission", "XU", True),
        ("xu-agency", "XU", False),
        ("xu-commission", "XA", False),
        ("nobody", "XA", False),
        ("xb-office", "nobody", False),
    ],
)
def test_who_speaks_for_whom(register: Register, authority: str, by: str, spoken: bool) -> None:
    assert speaks_for(authority, by, register.law) is spoken


def test_succession_is_followed_however_far_and_never_in_a_circle() -> None:
    chain = [("one", ["two"]), ("two", ["three", "one"]), ("three", [])]
    made = [
        {
            "type": "authority",
            "id": name,
            "owner": "registrar",
            "names": {"en": name},
            "succeeds": [{"authority": other, "on": "2000-01-01"} for other in before],
        }
        for name, before in chain
    ]
    register = compile_register([Versioned(read(each), 1) for each in made])
    assert predecessors_of("one", register.law) == {"one", "two", "three"}
    assert predecessors_of("unknown", register.law) == frozenset()


def test_a_commission_keeps_the_law_of_its_union_alone(register: Register) -> None:
    own = {"owner": "xu-commission"}
    agreement = {**next(each for each in law() if each["id"] == "xa-xb"), "id": "xu-xb", **own, "annexes": {}}
    rule = {**RULE, **own, "economy": "XU"}
    for document, foreign in (
        ({**agreement, "parties": ["XU", "XB"]}, False),
        (agreement, True),
        (rule, False),
        ({**rule, "economy": "XA"}, True),
        ({**rule, "owner": "registrar"}, True),
        ({**ECONOMY, **own, "code": "XU"}, True),
        (route(["XU"]), False),
        (route([{"economy": "XU", "from": "always"}]), False),
        (route(["XU", "XB"]), True),
    ):
        found = find_foreign(read(document), None, "xu-commission", register.law)
        assert (found is not None) == foreign, document
    assert find_foreign(read({**rule, "owner": "xu-agency"}), None, "xu-agency", register.law) is not None
    without = compile_register([each for key, each in register.records.items() if key != "xu-commission"])
    assert find_foreign(read(rule), None, "xu-commission", without.law) is not None


def route(importer: list[Any]) -> dict[str, Any]:
    return {
        "type": "route",
        "id": "xu-route",
        "owner": "xu-commission",
        "title": "T",
        "citation": "C",
        "confidence": "high",
        "scheme": "xu-list",
        "importer": importer,
        "exporter": ["XB"],
        "result_kinds": ["certificate"],
        "issuer": {},
        "duty": "may",
    }


@pytest.mark.parametrize(
    ("change", "old", "new"),
    [
        ({"from": "2018-01-01"}, {"from": "2018-02-01"}, "what begins moved from 2018-01-01 to 2018-02-01"),
        ({"from": "2018-01-01"}, {}, "what begins on 2018-01-01 is gone"),
        ({"from": "2018-01-01", "until": "2020-01-01"}, {"from": "2018-01-01"}, "ended on 2020-01-01, now on an open"),
        ({"from": "2018-01-01", "until": "2027-01-01"}, {"from": "2018-01-01"}, None),
        ({"from": "2028-01-01"}, {"from": "2027-01-01"}, None),
        ({}, {"from": "2018-01-01"}, None),
    ],
)
def test_the_days_of_a_right_as_a_whole_are_a_past_too(
    change: dict[str, Any], old: dict[str, Any], new: str | None
) -> None:
    first = right("accreditation", scope=[], timeline=[], **change)
    second = right("accreditation", scope=[], timeline=[], **old)
    found = [fault.message for fault in find_changed_past(read(first), read(second), TODAY)]
    assert [each for each in found if new is None or (not each.startswith(new) and new not in each)] == []
    assert bool(found) == (new is not None)


def test_what_an_event_answers_is_part_of_it() -> None:
    events = [
        {"event": "suspended", "on": "2018-01-01"},
        {"event": "suspended", "on": "2019-01-01"},
        {"event": "reinstated", "on": "2020-01-01", "refers_to": 1},
    ]
    inserted = [events[0], {"event": "renewed", "on": "2018-06-01"}, events[1], {**events[2], "refers_to": 2}]
    other = [*events[:2], {**events[2], "refers_to": 0}]
    beyond = [*events[:2], {**events[2], "refers_to": 9}]
    old = read(right("designation", timeline=events))
    assert list(find_changed_past(old, read(right("designation", timeline=inserted)), TODAY)) == []
    for changed in (other, beyond):
        (fault,) = find_changed_past(old, read(right("designation", timeline=changed)), TODAY)
        assert fault.message.startswith("event `reinstated` on 2020-01-01 is gone")


def test_a_record_that_only_looks_ahead_has_no_past() -> None:
    assert not has_past(read(right("designation", scope=[], timeline=[])), TODAY)
    assert not has_past(read(right("designation", scope=[{**ITEM, "from": "2027-01-01"}], timeline=[])), TODAY)
    assert has_past(read(notice()), TODAY)


AGREEMENT = next(each for each in law() if each["id"] == "xa-xb")
ENDED = {
    **AGREEMENT,
    "instrument": [*AGREEMENT["instrument"], {"state": "terminated", "on": "2015-01-01", "source": "law"}],
}
BY_ANNEX = {**AGREEMENT, "annexes": {"radio": {"instrument": [{"state": "in_force", "on": "2010-01-01"}]}}}
SIGNED = {**AGREEMENT, "instrument": [{"state": "signed", "on": "2004-01-01"}], "annexes": {}}


@pytest.mark.parametrize(
    ("agreement", "start", "words"),
    [
        (AGREEMENT, "2005-06-01", ["before the work of the annex begins to count"]),
        (AGREEMENT, "always", []),
        (AGREEMENT, "2018-01-01", []),
        (ENDED, "2018-01-01", ["after the end of the agreement"]),
        (ENDED, "2014-01-01", []),
        (BY_ANNEX, "2009-01-01", ["before the annex begins to count"]),
        (SIGNED, "2000-01-01", []),
    ],
)
def test_a_right_lies_in_the_life_of_its_agreement(agreement: dict[str, Any], start: str, words: list[str]) -> None:
    record: Any = read(right("designation", scope=[{**ITEM, "from": start}]))
    found = [fault.message for fault in find_outside_agreement(record, read(agreement))]  # type: ignore[arg-type]
    assert [any(word in each for each in found) for word in words] == [True] * len(words)
    assert len(found) == len(words)
    accreditation: Any = read(right("accreditation"))
    assert list(find_outside_agreement(record, None)) == []
    assert list(find_outside_agreement(accreditation, read(agreement))) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ground", "item", "wider"),
    [
        ({}, {}, False),
        ({"requirement": "xb-whole"}, {}, False),
        ({"requirement": "other"}, {}, True),
        ({"product_classes": ["phones"]}, {}, True),
        ({"product_classes": ["phones"]}, {"product_classes": ["phones"]}, False),
        ({"standards": ["EN 1"]}, {}, False),
        ({"standards": ["EN 1"]}, {"standards": ["EN 2"]}, True),
        ({"text": "radio", "requirement": None}, {}, False),
        ({}, {"text": "radio", "requirement": None}, False),
        ({"until": "2020-01-01"}, {}, False),
        ({"until": "2020-01-01"}, {"until": "2021-01-01"}, True),
        ({"until": "2020-01-01"}, {"from": "2021-01-01"}, True),
        ({"from": "2019-01-01"}, {}, True),
        ({"from": "2019-01-01"}, {"from": "always"}, False),
    ],
)
def test_a_scope_is_no_wider_than_its_ground(ground: dict[str, Any], item: dict[str, Any], wider: bool) -> None:
    parts = {"xb-rules": frozenset({"xb-rules", "xb-whole"})}
    held = read(right("accreditation", scope=[drop_none({**ITEM, **ground})]))
    claimed = read(right("designation", scope=[drop_none({**ITEM, **item})]))
    assert bool(list(find_wider(claimed, [held, claimed], parts))) == wider
    assert list(find_wider(claimed, [claimed], parts)) == []
    assert list(find_wider(held, [claimed], parts)) == []


def drop_none(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if value is not None}


def test_a_right_is_compared_with_what_is_held_at_its_site_under_its_cover() -> None:
    claimed = right("recognition", site="main", **{"from": "2018-01-01", "until": "2030-01-01"})
    narrow = {"scope": [{**ITEM, "product_classes": ["phones"]}]}
    same = read(right("designation", **narrow))
    elsewhere = read(right("designation", site="attic", **narrow))
    other = read(right("designation", annex=None, scheme="list", **narrow))
    assert len(list(find_wider(read(claimed), [same], {}))) == 1
    assert list(find_wider(read(claimed), [elsewhere, other], {})) == []


def test_one_right_has_one_record() -> None:
    one = read(right("accreditation", number="7"))
    again = read({**right("accreditation", number="7"), "id": "accreditation-again"})
    other = read({**right("accreditation", number="8"), "id": "accreditation-other"})
    assert [fault.message for fault in find_doubled(one, [one, again, other])] == [
        "accreditation-again is the same right already: add an item or an event there instead"
    ]
    assert list(find_doubled(read(body(1)), [one])) == []


@pytest.mark.parametrize(
    ("document", "minted"),
    [
        ({"type": "body", "identifiers": [{"scheme": "fcc", "value": "TW 2022"}]}, "fcc-tw-2022"),
        ({"type": "body", "identifiers": [{"scheme": 1}], "names": [{"name": "Łab"}], "economy": "XA"}, "lab-xa"),
        ({"type": "body", "names": [{"name": "Łab"}]}, None),
        ({"type": "body", "names": "Łab"}, None),
        ({"type": "body", "names": [{"name": "試験所"}], "economy": "XA"}, "shiyansuo-xa"),
        ({"type": "notice", "by": "xb-office", "about": {"body": "lab-1"}}, "notice-xb-office-lab-1-1"),
        ({"type": "coverage", "by": "EU"}, "coverage-eu-1"),
        ({"type": "notice", "owner": "xb-office", "about": "lab"}, "notice-xb-office-1"),
        ({"owner": "xb-office"}, None),
        ({}, None),
    ],
)
def test_ids_are_minted_from_what_a_document_says(document: dict[str, Any], minted: str | None) -> None:
    assert mint_id(document, lambda name: False) == minted


def test_a_minted_id_is_free_and_short_enough() -> None:
    taken = {"lab-xa", "lab-xa-2"}
    assert mint_id({"type": "body", "names": [{"name": "Lab"}], "economy": "XA"}, taken.__contains__) == "lab-xa-3"
    assert slug("試験所", "XA") == "shiyansuo-xa"
    assert slug("", "XA") is None
    assert len(slug("x" * 500) or "") <= 114
