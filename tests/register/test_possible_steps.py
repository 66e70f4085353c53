"""Steps that cannot be, whatever the agreement says, and scope that no event gives."""

from __future__ import annotations

from typing import Any

import pytest

from cab_registry.domain.days import parse_day
from cab_registry.domain.records import Accreditation, AnyRecord, Designation, Recognition, read_record
from cab_registry.register.catalogue import load_catalogue
from cab_registry.register.compiled import Register, Versioned, change_register, compile_register
from cab_registry.register.compiled_rights import AnyRight, compile_rights
from cab_registry.register.procedure import check_steps

TODAY = parse_day("2026-11-21")
SINGLE = {"by": "eu-commission", "agreement": "eu-single-market"}
KINDS: dict[str, dict[str, Any]] = {
    "recognition": {"by": "us-fcc", "agreement": "apec-tel-us-tw", "annex": "phase-1"},
    "designation": {"by": "tw-bsmi", "agreement": "apec-tel-us-tw", "annex": "phase-1"},
    "accreditation": {"by": "tw-taf", "standard": "ISO/IEC 17025"},
}
GIVES = {"recognition": "recognised", "designation": "designated", "accreditation": "granted"}


@pytest.fixture(scope="module")
def law() -> Register:
    return compile_register([Versioned(entry.record, 1) for entry in load_catalogue(("law",))])


def item(key: str, start: str = "always", **more: Any) -> dict[str, Any]:
    return {"key": key, "requirement": f"us-47cfr-{key}", "from": start, **more}


def event(name: str, day: str, *items: str, **more: Any) -> dict[str, Any]:
    return {"event": name, "on": day, **({"items": list(items)} if items else {}), **more}


def right(kind: str, *events: dict[str, Any], scope: Any = None, **more: Any) -> AnyRight:
    items = [item("15c"), item("15e")] if scope is None else scope
    head = {"type": kind, "id": f"x-{kind}", "owner": "registrar", "body": "x-body"}
    record = read_record({**head, **KINDS[kind], "scope": items, "timeline": list(events), **more})
    assert isinstance(record, Accreditation | Designation | Recognition)
    return record


def told(register: Register, before: AnyRecord | None, after: AnyRecord) -> list[str]:
    return [str(fault) for fault in check_steps(before, after, register, TODAY)]


def steps(register: Register, kind: str, *events: dict[str, Any], scope: Any = None) -> list[str]:
    """What is said against the last of these events, where those before it are on record."""
    begun = (event(GIVES[kind], "2020-01-01"), *events)
    return told(register, right(kind, *begun[:-1], scope=scope), right(kind, *begun, scope=scope))


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize(
    "said",
    [
        event("suspended", "2026-03-01"),
        event("suspended", "2026-03-01", "15c"),
        event("suspended", "2026-03-01", until="2026-08-31"),
        event("restricted", "2026-03-01", "15c", "15e"),
        event("withdrawn", "2026-03-01", "15c"),
    ],
)
def test_one_event_is_entered_once(law: Register, kind: str, said: dict[str, Any]) -> None:
    (fault,) = steps(law, kind, said, said)
    assert "has this event already" in fault or "not given again since" in fault
    other = said | {"items": ["15e"]} if said.get("items") == ["15c"] else said | {"on": "2026-02-01"}
    assert steps(law, kind, said, other) == []


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize(
    ("past", "lost", "reason"),
    [
        ([event("suspended", "2026-01-01")], True, ""),
        ([event("suspended", "2026-01-01"), event("reinstated", "2026-02-01")], False, "reinstated on 2026-02-01"),
        ([event("suspended", "2026-01-01", until="2026-02-01")], False, "the suspension ended on 2026-02-01"),
        ([event("suspended", "2026-01-01", until="2026-09-01")], True, ""),
        ([event("suspended", "2026-01-01"), event("annulled", "2026-02-01", refers_to=1)], False, "annulled"),
        ([event("restricted", "2026-01-01", "15c")], True, ""),
        ([event("restricted", "2026-01-01", "15c"), event("reinstated", "2026-02-01", "15c")], False, ""),
        ([event("withdrawn", "2026-01-01"), event("reinstated", "2026-02-01", "15c")], True, ""),
    ],
)
def test_only_what_is_lost_still_can_be_reinstated(
    law: Register, kind: str, past: list[dict[str, Any]], lost: bool, reason: str
) -> None:
    faults = steps(law, kind, *past, event("reinstated", "2026-06-01"))
    assert (faults == []) is lost
    assert all("nothing is suspended, restricted or withdrawn on 2026-06-01 any more" in each for each in faults)
    assert all(reason in each for each in faults)


def test_a_reinstatement_answers_a_loss(law: Register) -> None:
    past = (event("suspended", "2026-01-01"), event("reinstated", "2026-02-01"), event("suspended", "2026-03-01"))
    (fault,) = steps(law, "designation", *past, event("reinstated", "2026-06-01", refers_to=2))
    assert fault.startswith("/timeline/4/refers_to: names no event")
    assert steps(law, "designation", *past, event("reinstated", "2026-06-01", refers_to=3)) == []


@pytest.mark.parametrize("name", ["renewed", "renewal_requested", "confirmed", "extended", "withdrawn", "suspended"])
@pytest.mark.parametrize("gone", ["withdrawn", "resigned"])
def test_nothing_is_renewed_or_taken_after_the_end(law: Register, name: str, gone: str) -> None:
    more = {"until": "2029-12-31"} if name == "renewed" else {}
    (fault,) = steps(law, "accreditation", event(gone, "2026-01-01"), event(name, "2026-06-01", **more))
    assert f"was {gone} on 2026-01-01, and not given again since" in fault
    again = (event(gone, "2026-01-01"), event("reinstated", "2026-03-01"), event(name, "2026-06-01", **more))
    assert steps(law, "accreditation", *again) == []


@pytest.mark.parametrize("name", ["renewed", "withdrawn", "restricted"])
def test_an_item_that_is_gone_is_not_taken_again_and_the_others_are(law: Register, name: str) -> None:
    gone = event("withdrawn", "2026-01-01", "15c")
    (fault,) = steps(law, "accreditation", gone, event(name, "2026-06-01", "15c"))
    assert "15c was withdrawn on 2026-01-01" in fault
    assert steps(law, "accreditation", gone, event(name, "2026-06-01", "15e")) == []
    assert steps(law, "accreditation", gone, event(name, "2026-06-01")) == []


@pytest.mark.parametrize("kind", ["designation", "accreditation"])
def test_an_extension_before_the_beginning_is_refused_and_an_act_of_its_own_counts(law: Register, kind: str) -> None:
    scope = [item("15c"), item("15e", "2018-01-01")]
    begun = right(kind, event(GIVES[kind], "2020-01-01"), scope=scope[:1])
    late = event("extended", "2018-01-01", "15e")
    faults = told(law, begun, right(kind, late, *map(_plain, begun.timeline), scope=scope))
    assert any("cannot be extended on 2018-01-01, before that" in each for each in faults)
    given = event(GIVES[kind], "2018-01-01", "15e")
    after = right(kind, given, *map(_plain, begun.timeline), scope=scope)
    assert told(law, begun, after) == []
    (facts,) = compile_rights([(after, 1)], law.law)
    held = [each.timeline(TODAY).at(parse_day("2019-01-01")).state.name for each in facts.items]
    assert held == ["NOT_YET", "HELD"]


def _plain(each: Any) -> dict[str, Any]:
    return {"event": each.event, "on": each.on.plain()}


def test_an_item_that_begins_before_any_act_gives_it_is_refused(law: Register) -> None:
    scope = [item("15c", "2018-01-01")]
    (fault,) = told(law, None, right("designation", event("designated", "2020-01-01"), scope=scope))
    assert fault.startswith("/scope/0/from: 15c begins on 2018-01-01, and was designated on 2020-01-01 only")
    # What stood so already is left as it is.
    old = right("designation", event("designated", "2020-01-01"), scope=scope)
    assert told(law, old, right("designation", event("designated", "2020-01-01"), scope=[*scope, item("15e")])) == []


def test_an_item_that_no_act_names_is_refused(law: Register) -> None:
    asked = right("designation", event("proposed", "2019-01-01"))
    part = event("designated", "2020-01-01", "15c")
    (fault,) = told(law, asked, right("designation", event("proposed", "2019-01-01"), part))
    assert fault.startswith("/scope/1/from: no event gives 15e")
    both = event("designated", "2020-01-01", "15c", "15e")
    assert told(law, asked, right("designation", event("proposed", "2019-01-01"), both)) == []
    # What the importing side was only asked for stays asked for.
    notified = event("notified", "2019-01-01")
    assert told(law, None, right("recognition", notified, event("recognised", "2020-01-01", "15c"))) == []


def test_only_what_the_other_side_asks_for_is_notified(law: Register) -> None:
    asks = right("designation", event("designated", "2019-01-01"), event("notified", "2020-01-01", "15c"))
    register = change_register(law, [Versioned(asks, 1)])
    (fault,) = told(register, None, right("recognition", event("notified", "2020-01-01")))
    assert fault.startswith("/timeline/0/items: the other side did not propose or notify 15e: x-designation asks for ")
    assert told(register, None, right("recognition", event("notified", "2020-01-01", "15c"))) == []
    # Without its record, or before it asks, the importing side alone knows what arrived.
    assert told(law, None, right("recognition", event("notified", "2020-01-01"))) == []
    assert told(register, None, right("recognition", event("notified", "2019-06-01"))) == []


def test_a_proposal_without_items_asks_for_what_was_there_then(law: Register) -> None:
    events = (
        event("designated", "2019-01-01"),
        event("notified", "2020-01-01"),
        event("extended", "2021-01-01", "15e"),
    )
    asks = right("designation", *events, scope=[item("15c"), item("15e", "2021-01-01")])
    register = change_register(law, [Versioned(asks, 1)])
    (fault,) = told(register, None, right("recognition", event("notified", "2021-02-01")))
    assert "did not propose or notify 15e" in fault


def test_an_objection_to_one_item_holds_up_that_item_alone(law: Register) -> None:
    cover = {"by": "ch-seco", "agreement": "eu-ch-mra", "annex": "ch-7"}
    past = (event("notified", "2026-08-01"), event("objected", "2026-09-01", "15e"))
    before = right("recognition", *past, **cover)
    (fault,) = told(law, before, right("recognition", *past, event("recognised", "2026-09-10", "15e"), **cover))
    assert "there was an objection on 2026-09-01" in fault
    assert told(law, before, right("recognition", *past, event("recognised", "2026-09-10", "15c"), **cover)) == []


def test_an_objection_to_an_earlier_proposal_does_not_hold_up_what_was_not_in_it(law: Register) -> None:
    cover = {"by": "gb-opss", "agreement": "gb-ch-mra", "annex": "emc"}
    past = [
        event("notified", "2023-03-01", "15c"),
        event("objected", "2023-04-12"),
        event("notified", "2023-06-01", "15c"),
        event("recognised", "2023-07-03", "15c"),
        event("notified", "2024-01-10", "15e"),
    ]
    before = right("recognition", *past, **cover)
    assert told(law, before, right("recognition", *past, event("recognised", "2024-02-01", "15e"), **cover)) == []
    extended = right("recognition", *past[:4], event("recognised", "2024-02-01", "15e"), **cover)
    (fault,) = told(law, right("recognition", *past[:4], **cover), extended)
    assert "the body was not proposed" in fault
