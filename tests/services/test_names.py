"""Names and numbers at the door: what cannot be read, what is another's, and what looks like another's."""

# ruff: noqa: RUF001 - letters of other scripts are meant

from typing import Any

import pytest

from cab_registry.domain.errors import Refusal
from cab_registry.domain.records import read_record
from cab_registry.register.compiled import Versioned, change_register
from cab_registry.register.numbers import list_taken
from cab_registry.services.inbox import read_inbox
from cab_registry.services.submitting import show_submission
from cab_registry.services.tokens import checked_name
from tests.register.test_competence import lab
from tests.services.office import Office, body, given
from tests.services.test_nobody_decides import hand_in, register

__all__ = ["register"]

UNREADABLE = ["Lab\u202eeno", "Lab\u200b", "\ufeffLab", "Lab \x1b[31m", "Lab\r\nX-Other: 1", "Lab\ue000", "Lаb"]


def named(name: str, number: int = 7, **more: Any) -> dict[str, Any]:
    return body(number, names=[{"name": name, "from": "2010-01-01"}], **more)


@pytest.mark.parametrize("name", UNREADABLE)
async def test_a_name_that_cannot_be_read_is_refused_wherever_it_stands(office: Office, name: str) -> None:
    documents = {
        "/records/0/document/names/0/name": named(name),
        "/records/0/document/sites/0/address": body(7, sites=[{"key": "main", "economy": "XA", "address": name}]),
        "/records/0/document/sites/0/key": body(7, sites=[{"key": name, "economy": "XA"}]),
        "/records/0/document/note": body(7, note=name),
        "/records/0/document/sources/a/title": body(7, sources={"a": {"title": name}}),
    }
    for pointer, document in documents.items():
        with pytest.raises(Refusal) as refused:
            await office.submit("officer", document)
        assert [fault.pointer for fault in refused.value.faults] == [pointer]
    for part in ("public_reason", "private_reason", "although"):
        with pytest.raises(Refusal) as refused:
            await office.submit("officer", body(7), **{part: name})
        assert f"/{part}" in {fault.pointer for fault in refused.value.faults}


@pytest.mark.parametrize("name", UNREADABLE)
def test_tokens_and_principals_have_names_that_can_be_read(name: str) -> None:
    with pytest.raises(Refusal):
        checked_name(name)
    assert checked_name("  株式会社UL   Japan ") == "株式会社UL Japan"


async def test_a_name_that_looks_like_anothers_is_told_to_both(office: Office) -> None:
    await office.submit("officer", named("Modern Test House", 7))
    done = await office.submit("regulator", named("MODERN TE5T HOUSE", 8, owner="xb-office", economy="XB"))
    assert [each for each in done.public.warnings if "/names/" in each.pointer] == []
    done = await office.submit("regulator", named("Rnodern Test H0use", 10, owner="xb-office", economy="XB"))
    shown = (await show_submission(office.engine, str(done.public.id))).public
    (warned, *_) = [each for each in shown.warnings if each.pointer.endswith("/names/0")]
    assert "lab-7" in warned.message
    inbox = await read_inbox(office.desk, office.people["officer"], done.public.last)
    told = [each.words for each in inbox.items if each.kind == "look_alike"]
    assert [words for words in told if "lab-10" in words and "xb-office" in words]


async def test_the_name_of_an_authority_is_told(office: Office) -> None:
    done = await office.submit("officer", named("Agency", 7))
    (warned,) = [each for each in done.public.warnings if each.pointer.endswith("/names/0")]
    assert "'xu-agency' has the same name" in warned.message


async def test_a_record_that_has_such_a_name_can_still_be_changed(office: Office) -> None:
    done = await office.submit("officer", named("Agency", 7))
    assert done.public.warnings
    later = named("Agency", 7, note="moved")
    again = await office.submit("officer", given(later, 1))
    assert [each for each in again.public.warnings if "/names/" in each.pointer] == []


def numbered(economy: str, scheme: str, value: str, owner: str) -> dict[str, Any]:
    number = {"scheme": scheme, "value": value, "from": "always"}
    names = [{"name": "Lab Nine", "from": "always"}]
    return {**lab(economy), "id": "lab-nine", "owner": owner, "names": names, "identifiers": [number]}


@pytest.mark.parametrize(
    ("economy", "scheme", "value", "owner"),
    [
        ("US", "fcc-designation", "US9999", "kr-rra"),
        ("KR", "fcc-designation", "US9999", "kr-rra"),
        ("JP", "fcc-designation", "JP9999", "kr-rra"),
        ("US", "fcc-registration", "999999", "kr-rra"),
        ("DE", "nando", "9999", "kr-rra"),
        ("GB", "ukmcab", "9999", "us-fcc"),
        ("JP", "mic-rcb", "999", "kr-rra"),
        ("US", "a2la", "9999.99", "kr-rra"),
    ],
)
def test_a_number_of_another_is_refused(register: Any, economy: str, scheme: str, value: str, owner: str) -> None:
    with pytest.raises(Refusal) as refused:
        hand_in(register, owner, numbered(economy, scheme, value, owner), although="because")
    (fault,) = refused.value.faults
    assert fault.pointer.endswith("/identifiers/0")
    assert "is given in" in fault.message


@pytest.mark.parametrize(
    ("economy", "scheme", "value", "owner"),
    [
        ("US", "fcc-designation", "US9999", "us-nist"),
        ("KR", "fcc-designation", "KR9999", "us-fcc"),
        ("KR", "fcc-designation", "KR9999", "kr-rra"),
        ("DE", "nando", "9999", "de-bnetza"),
        ("DE", "nando", "9999", "eu-commission"),
        ("KR", "numbers-of-their-own", "9999", "kr-rra"),
        ("US", "numbers-of-their-own", "9999", "registrar"),
    ],
)
def test_a_number_of_its_own_is_entered(register: Any, economy: str, scheme: str, value: str, owner: str) -> None:
    checked = hand_in(register, owner, numbered(economy, scheme, value, owner))
    assert [each for each in checked.warnings if "/identifiers/" in each.pointer] == []


@pytest.mark.parametrize(
    ("economy", "scheme", "value", "owner", "told"),
    [
        ("KR", "fcc-registration", "999999", "kr-rra", "is given in US"),
        ("CH", "nando", "9999", "ch-seco", "is given in EU"),
        ("KR", "nando", "9999", "kr-kolas", "is given in EU"),
        ("KR", "numbers-of-their-own", "9999", "us-fcc", "does not know who gives numbers"),
        ("US", "isil", "0123", "kr-rra", "does not know who gives numbers"),
    ],
)
def test_a_number_that_others_give_needs_a_reason(
    register: Any, economy: str, scheme: str, value: str, owner: str, told: str
) -> None:
    document = numbered(economy, scheme, value, owner)
    with pytest.raises(Refusal) as refused:
        hand_in(register, owner, document)
    (fault,) = refused.value.faults
    assert told in fault.message
    assert "although" in fault.message
    checked = hand_in(register, owner, document, although="it was given to it")
    assert [told in each.message for each in checked.warnings if "/identifiers/" in each.pointer] == [True]


def squatted(register: Any) -> Any:
    return change_register(register, [Versioned(read_record(numbered("KR", "nando", "7777", "kr-kolas")), 1)])


def bearing(owner: str, economy: str = "DE") -> dict[str, Any]:
    names = [{"name": "Wahrhaftig", "from": "always"}]
    return {**numbered(economy, "nando", "7777", owner), "id": "de-true", "names": names}


@pytest.mark.parametrize("owner", ["eu-commission", "de-bnetza", "registrar"])
def test_who_gives_a_number_enters_it_whoever_took_it_before(register: Any, owner: str) -> None:
    checked = hand_in(squatted(register), owner, bearing(owner))
    (warned,) = [each for each in checked.warnings if "/identifiers/" in each.pointer]
    assert "'lab-nine' has the number" in warned.message
    assert "answers take 'de-true'" in warned.message


@pytest.mark.parametrize("owner", ["eu-commission", "registrar"])
def test_a_number_that_its_giver_entered_is_taken_by_nobody_else(register: Any, owner: str) -> None:
    held = change_register(register, [Versioned(read_record(bearing("eu-commission")), 1)])
    for other in ("kr-kolas", "registrar"):
        economy = "KR" if other == "kr-kolas" else "DE"
        with pytest.raises(Refusal) as refused:
            hand_in(held, other, numbered(economy, "nando", "7777", other), although="because")
        assert "at the same time" in refused.value.faults[-1].message


def test_a_number_that_others_took_is_told_to_who_gives_it(register: Any) -> None:
    taken = squatted(register)
    assert [each.record for each in list_taken(taken, "eu-commission")] == ["lab-nine"]
    assert [list_taken(taken, other) for other in ("kr-kolas", "de-bnetza", "us-fcc")] == [[], [], []]


FDA = "Food and Drug Administration"


@pytest.mark.parametrize("economy", ["US", "KR", "DE"])
@pytest.mark.parametrize(
    "name", [FDA, FDA.upper(), "Food & Drug Administration", f"{FDA} (FDA)", "FDA", "F00d and Drug Administration"]
)
def test_the_name_of_an_authority_of_elsewhere_is_not_taken(register: Any, economy: str, name: str) -> None:
    document = {**lab(economy), "owner": "kr-rra", "id": "lab-nine", "names": [{"name": name, "from": "always"}]}
    with pytest.raises(Refusal) as refused:
        hand_in(register, "kr-rra", document, although="because")
    (fault,) = refused.value.faults
    assert fault.pointer.endswith("/names/0")
    assert "an authority of US" in fault.message


@pytest.mark.parametrize("owner", ["us-fcc", "registrar"])
def test_the_name_of_an_authority_is_entered_by_its_own_side(register: Any, owner: str) -> None:
    document = {**lab("US"), "owner": owner, "id": "lab-nine", "names": [{"name": FDA, "from": "always"}]}
    assert any("'us-fda' has the same name" in each.message for each in hand_in(register, owner, document).warnings)
