"""What ends in a register: every kind of fact with its last day, once, whatever the day on which one looks."""

import time
from datetime import date
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cab_registry.domain.days import ALWAYS, LATEST, When, show_day
from cab_registry.domain.records import Route
from cab_registry.domain.records import route as parts
from cab_registry.domain.records.document import LifeRule, Prolongation
from cab_registry.domain.records.law import OperationEvent, Tail
from cab_registry.engine.facts import RightState
from cab_registry.register.catalogue import load_catalogue
from cab_registry.register.compiled import Register, Versioned, change_register, compile_register
from cab_registry.register.endings import (
    CONFIRMATION_THRESHOLDS,
    THRESHOLDS,
    Ending,
    due_within,
    find_endings,
    find_late,
    find_running,
    is_of,
    threshold_of,
)
from tests.register.scratch import body, day, endings_of, keys_of, office, right, scratch
from tests.sizes import sized

RIGHTS = ("accreditation", "designation", "recognition")


@pytest.fixture(scope="module")
def catalogue() -> Register:
    return compile_register([Versioned(entry.record, 1) for entry in load_catalogue()])


@pytest.fixture(scope="module")
def endings(catalogue: Register) -> tuple[Ending, ...]:
    return find_endings(catalogue)


def dated(kind: str, until: Any = "2027-01-02", **more: Any) -> dict[str, Any]:
    """A right whose one scope item ends."""
    ground = {"validity": "dated"} if kind == "accreditation" else {}
    scope = [{"key": "radio", "requirement": "xb-rules", "from": "2018-01-01", "until": until}]
    return right(kind, **ground, scope=scope, **more)


def with_events(document: dict[str, Any], *events: dict[str, Any]) -> dict[str, Any]:
    return {**document, "timeline": [*document["timeline"], *events]}


# Rights


@pytest.mark.parametrize("kind", RIGHTS)
def test_a_right_that_runs_out_ends_on_its_last_day(kind: str) -> None:
    (ending,) = endings_of(dated(kind), kind=kind)
    assert (ending.key, ending.on) == (f"{kind}-1/expiry/2027-01-02", When(day("2027-01-02"), day("2027-01-02")))
    assert (ending.body, ending.items, ending.requirements) == ("lab-1", (), ("xb-rules",))
    assert ending.accreditation_body == ("xa-service" if kind == "accreditation" else None)
    assert ending.agreement == (None if kind == "accreditation" else "xa-xb")
    assert (ending.owner, ending.by) == (right(kind)["owner"], right(kind)["by"])


def test_items_of_one_last_day_are_one_ending_that_names_them() -> None:
    scope = [
        {"key": key, "requirement": "xb-rules", "from": "2018-01-01", "until": until, "product_classes": [key]}
        for key, until in (("a", "2027-01-02"), ("b", "2027-01-02"), ("c", "2028-01-02"))
    ]
    found = endings_of(right("designation", scope=scope), kind="designation")
    assert [(show_day(each.due), each.items) for each in found] == [("2027-01-02", ("a", "b")), ("2028-01-02", ("c",))]


def test_the_key_stays_while_the_fact_and_its_day_do() -> None:
    before = dated("designation")
    after = {
        **with_events(before, {"event": "proceedings_opened", "on": "2026-01-01"}),
        "note": "Moved house.",
        "scope": [*before["scope"], {"key": "more", "requirement": "xb-rules", "from": "2020-01-01"}],
    }
    assert keys_of(before, kind="designation") == keys_of(after, kind="designation")


def test_the_end_of_a_suspension_is_no_expiry() -> None:
    suspended = {"event": "suspended", "on": "2026-01-01", "until": "2026-12-31"}
    assert keys_of(with_events(right("designation"), suspended), kind="designation") == []
    assert keys_of(with_events(dated("designation"), suspended)) == ["designation-1/expiry/2027-01-02"]


def test_what_is_renewed_ends_on_its_new_day() -> None:
    renewed = {"event": "renewed", "on": "2026-12-01", "until": "2029-01-02"}
    assert keys_of(with_events(dated("accreditation"), renewed)) == ["accreditation-1/expiry/2029-01-02"]


@pytest.mark.parametrize("kind", ["accreditation", "designation", "recognition"])
@pytest.mark.parametrize(
    ("event", "then"), [("withdrawn", "withdrawn"), ("resigned", "given up by the body"), ("renewal_denied", None)]
)
def test_what_a_decision_ends_ends_on_the_day_before_and_does_not_run_out(
    kind: str, event: str, then: str | None
) -> None:
    (ending,) = endings_of(with_events(dated(kind), {"event": event, "on": "2026-12-01"}), kind=kind)
    if then is None:
        assert ending.key == f"{kind}-1/expiry/2027-01-02"
    else:
        assert (ending.key, ending.then) == (f"{kind}-1/withdrawal/2026-11-30", then)


def test_of_what_a_decision_takes_away_in_part_the_items_end() -> None:
    scope = [{"key": key, "from": "2019-01-01", "product_classes": [key]} for key in "ab"]
    document = right("designation", scope=scope)
    (ending,) = endings_of(with_events(document, {"event": "withdrawn", "on": "2026-12-01", "items": ["a"]}))
    assert (ending.key, ending.items) == ("designation-1/withdrawal/2026-11-30", ("a",))


def test_the_end_of_a_designation_concerns_who_recognised_and_the_other_way_round() -> None:
    withdrawn = {"event": "withdrawn", "on": "2026-12-01"}
    for ended, other in (("designation", "recognition"), ("recognition", "designation")):
        (ending,) = endings_of(with_events(right(ended), withdrawn), right(other), kind=ended)
        assert ending.concerns == (right(other)["by"],)


def test_an_event_that_says_expired_is_an_end_too() -> None:
    document = with_events(right("designation"), {"event": "expired", "on": "2027-01-03"})
    assert keys_of(document) == ["designation-1/expiry/2027-01-02"]


def test_a_decision_that_was_annulled_gives_the_end_back() -> None:
    withdrawn = {"event": "withdrawn", "on": "2026-05-01"}
    annulled = {"event": "annulled", "on": "2026-08-01"}
    assert keys_of(with_events(dated("designation"), withdrawn, annulled)) == [
        "designation-1/withdrawal/2026-04-30",
        "designation-1/expiry/2027-01-02",
    ]
    # Seen from the last day itself, a decision that is annulled only later had taken the right away.
    late = {"event": "annulled", "on": "2027-08-01"}
    assert keys_of(with_events(dated("designation"), withdrawn, late)) == ["designation-1/withdrawal/2026-04-30"]


def test_of_a_window_both_days_are_kept_and_the_first_counts() -> None:
    window = {"not_before": "2027-01-02", "not_after": "2027-06-30"}
    (ending,) = endings_of(dated("recognition", window))
    assert ending.on == When(day("2027-01-02"), day("2027-06-30"))
    assert (show_day(ending.due), ending.key) == ("2027-01-02", "recognition-1/expiry/2027-01-02..2027-06-30")


def test_a_window_without_a_first_or_a_last_day() -> None:
    (open_end,) = endings_of(dated("recognition", {"not_before": "2027-01-02"}))
    assert (show_day(open_end.due), open_end.certain) == ("2027-01-02", LATEST)
    (open_start,) = endings_of(dated("recognition", {"not_after": "2027-01-02"}))
    assert (show_day(open_start.due), open_start.key) == ("2027-01-02", "recognition-1/expiry/..2027-01-02")


def test_an_accreditation_of_unread_validity_ends_on_the_day_that_it_states() -> None:
    unread = {**dated("accreditation"), "validity": "unknown"}
    assert keys_of(unread) == ["accreditation-1/expiry/2027-01-02"]


def test_items_that_silence_recognises_are_named_as_the_record_names_them() -> None:
    objection = [
        {"days": 10, "silence": "not_recognised", "requirements": ["xb-rules"]},
        {"days": 30, "silence": "recognised"},
    ]
    scope = [
        {"key": "rules", "requirement": "xb-rules", "from": "2018-01-01"},
        {"key": "short", "from": "2018-01-01", "until": "2027-01-02", "product_classes": ["phone"]},
        {"key": "long", "from": "2018-01-01", "until": "2028-01-02", "product_classes": ["router"]},
    ]
    silent = right("recognition", scope=scope, timeline=[{"event": "notified", "on": "2026-01-01"}])
    found = endings_of(office("xa-xb", objection=objection), silent, kind="recognition")
    assert [(show_day(each.due), each.items) for each in found] == [
        ("2027-01-02", ("short",)),
        ("2028-01-02", ("long",)),
    ]


_DAYS = st.integers(min_value=day("2020-01-01"), max_value=day("2022-12-31")).map(show_day)
_EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "event": st.sampled_from(
                ("suspended", "reinstated", "withdrawn", "expired", "renewed", "annulled", "confirmed", "extended")
            ),
            "on": _DAYS,
        },
        optional={"until": _DAYS, "items": st.just(["a"])},
    ),
    max_size=5,
)


@settings(max_examples=sized(60, whole=600))
@given(events=_EVENTS, untils=st.lists(st.none() | _DAYS, min_size=2, max_size=2))
def test_endings_are_where_a_day_that_holds_is_followed_by_one_without(
    events: list[dict[str, Any]], untils: list[str | None]
) -> None:
    scope = [
        {"key": key, "from": "2019-01-01", "product_classes": [key], **({"until": until} if until else {})}
        for key, until in zip("ab", untils, strict=True)
    ]
    document = right("designation", scope=scope, timeline=[{"event": "designated", "on": "2019-01-01"}, *events])
    register = scratch(document)
    (facts,) = register.facts.issuers["lab-1"].designations
    expected = set()
    for today in range(day("2019-12-30"), day("2023-01-03")):
        for item in facts.items:
            timeline = item.timeline(today)
            after = timeline.at(today + 1).state
            if timeline.at(today).state is RightState.HELD and after in (RightState.EXPIRED, RightState.WITHDRAWN):
                expected.add(today)
    found = {each.due for each in find_endings(register) if each.kind == "designation"}
    assert found == expected


@settings(max_examples=50)
@given(events=_EVENTS, on=_DAYS)
def test_a_confirmation_changes_nothing_of_a_right(events: list[dict[str, Any]], on: str) -> None:
    def lanes(*more: dict[str, Any]) -> Any:
        document = with_events(right("accreditation"), *more)
        return [
            (lane.presented_from, lane.timeline.starts, lane.timeline.states)
            for item in scratch(document).facts.issuers["lab-1"].accreditations[0].items
            for lane in item.lanes
        ]

    events = [event for event in events if event["event"] != "confirmed"]
    assert lanes(*events) == lanes(*events, {"event": "confirmed", "on": on})


# Editions


def standard(**more: Any) -> dict[str, Any]:
    return office("standard-one", editions=[{"key": "2017", "from": "2017-01-01", "source": "law", **more}])


def test_an_accreditation_ends_with_the_edition_to_which_it_is_given() -> None:
    (ending,) = endings_of(standard(invalid_from="2027-03-01"), right("accreditation"), kind="edition")
    assert (ending.key, ending.record) == ("accreditation-1/edition/2027-02-28", "accreditation-1")
    assert (ending.accreditation_body, ending.body, ending.by) == ("xa-service", "lab-1", "xa-service")
    other = right("accreditation", edition="2025")
    assert endings_of(standard(invalid_from="2027-03-01"), other, kind="edition") == []


def test_an_edition_that_outlives_the_accreditation_ends_nothing_of_it() -> None:
    found = keys_of(standard(until="2027-03-01"), dated("accreditation"), kind="edition")
    assert found == []


def test_the_changeover_from_an_edition_is_told_for_each_accreditation() -> None:
    document = standard(until="2027-03-01", transition={"until": "2027-09-01"})
    assert keys_of(document, right("accreditation"), kind="edition") == [
        "accreditation-1/edition/2027-03-01",
        "accreditation-1/changeover/2027-09-01",
    ]


def test_an_edition_of_the_catalogue_that_ended_in_a_window(catalogue: Register) -> None:
    old = next(
        each.record
        for each in catalogue.records.values()
        if getattr(each.record, "edition", None) == "2005" and getattr(each.record, "standard", "") == "ISO/IEC 17025"
    )
    still = msgspec.structs.replace(old, timeline=(), until=None, from_=When(day("2015-01-01"), day("2015-01-01")))
    scope = tuple(msgspec.structs.replace(item, from_=ALWAYS, until=None, invalid_from=None) for item in old.scope)
    register = change_register(
        catalogue, [Versioned(msgspec.structs.replace(still, scope=scope, validity="open_ended"), 2)]
    )
    found = [each for each in find_endings(register) if each.kind == "edition" and each.record == old.id]
    assert [each.on for each in found] == [When(day("2021-05-31"), day("2021-06-01"))]


# Law


def test_a_status_in_an_arrangement_ends_unless_it_goes_on() -> None:
    arrangement = office("xa-xb", id="world-mra", short="World MRA", parties=[], family="accreditation", annexes={})
    status = {"arrangement": "world-mra", "source": "law"}
    ending_status = {**status, "from": "2010-01-01", "until": "2027-04-30", "standards": ["Standard One"]}
    authority = office("xa-service", signatory=[ending_status])
    (ending,) = endings_of(arrangement, authority, kind="signatory")
    assert ending.key == "xa-service/signatory/world-mra/Standard One/2027-04-30"
    assert (ending.accreditation_body, ending.agreement) == ("xa-service", "world-mra")
    goes_on = {**ending_status, "from": "2027-05-01", "until": "2030-01-01"}
    assert keys_of(arrangement, office("xa-service", signatory=[ending_status, goes_on]), kind="signatory") == [
        "xa-service/signatory/world-mra/Standard One/2030-01-01"
    ]


def test_the_statuses_of_the_catalogue_end(endings: tuple[Ending, ...]) -> None:
    mine = [each.key for each in endings if each.kind == "signatory" and each.record == "au-nata"]
    assert mine == ["au-nata/signatory/ilac-mra/ISO/IEC 17025/ISO/IEC 17020/ISO/IEC 17043/2025-12-31"]


@pytest.mark.parametrize("state", ["terminated", "superseded", "lapsed", "suspended"])
def test_an_agreement_and_its_annexes_end(state: str) -> None:
    end = {"state": state, "on": "2027-07-01", "source": "law"}
    before = office("xa-xb")
    agreement = {**before, "instrument": [*before["instrument"], end]}
    (ending,) = endings_of(agreement)
    assert (ending.key, ending.kind, ending.then) == ("xa-xb/force/2027-06-30", "agreement", state)
    assert (ending.agreement, ending.concerns) == ("xa-xb", ("XA", "XB"))
    annex = {**before["annexes"]["radio"], "instrument": [end]}
    (ending,) = endings_of({**before, "annexes": {"radio": annex}})
    assert (ending.key, ending.kind) == ("xa-xb/radio/force/2027-06-30", "annex")


def test_a_notice_alone_ends_nothing() -> None:
    before = office("xa-xb")
    notice = {"state": "termination_notified", "on": "2027-07-01", "source": "law"}
    assert keys_of({**before, "instrument": [*before["instrument"], notice]}) == []


@pytest.mark.parametrize(
    ("event", "key"),
    [
        ({"state": "paused", "on": "2027-07-01"}, "xa-xb/radio/operation/2027-06-30"),
        ({"state": "ended", "on": "2027-07-01"}, "xa-xb/radio/operation/2027-06-30"),
        ({"state": "operational", "on": "2026-01-01", "until": "2027-06-30"}, "xa-xb/radio/operation/2027-06-30"),
        ({"state": "transition", "on": "2026-01-01", "until": "2027-06-30"}, "xa-xb/radio/operation/2025-12-31"),
    ],
)
def test_the_working_of_an_annex_ends(event: dict[str, Any], key: str) -> None:
    before = office("xa-xb")
    timeline = [*before["annexes"]["radio"]["timeline"], {**event, "source": "law"}]
    found = endings_of({**before, "annexes": {"radio": {**before["annexes"]["radio"], "timeline": timeline}}})
    assert key in [each.key for each in found]
    assert {each.kind for each in found} == {"annex"}


def test_a_transition_ends_on_its_own_last_day() -> None:
    before = office("xa-xb")
    event = {"state": "transition", "on": "2026-01-01", "until": "2027-06-30", "source": "law"}
    annex = {"sectors": ["telecom_radio"], "timeline": [event]}
    assert keys_of({**before, "annexes": {"radio": annex}}) == ["xa-xb/radio/operation/2027-06-30"]


def test_annexes_of_the_catalogue_that_lapsed(endings: tuple[Ending, ...]) -> None:
    lapsed = {each.key: each.then for each in endings if each.kind == "annex"}
    assert lapsed["eu-ch-mra/ch-4/force/2022-05-25"] == "lapsed"
    assert {each.key for each in endings if each.kind == "agreement"} >= {"ilac-mra/force/2025-12-31"}


def test_scopes_of_routes_of_the_catalogue_end(endings: tuple[Ending, ...]) -> None:
    found = {each.key: each for each in endings if each.kind == "route"}
    listing = found["eu-au-machinery-into-eu/requirement/eu-machinery-2006-42/2027-01-19"]
    assert (listing.requirements, listing.concerns) == (("eu-machinery-2006-42",), ("EU", "AU"))
    assert found["gb-ce-devices-mdr/force/2030-06-30"].then == "terminated"


def a_route(catalogue: Register, **more: Any) -> set[str]:
    """Which endings a route of the catalogue gets by a change."""
    name = "us-eu-mra-telecom-eu-red"
    before = catalogue.records[name].record
    assert isinstance(before, Route)
    changed = msgspec.structs.replace(before, **more)
    known = {each.key for each in find_endings(catalogue)}
    found = find_endings(change_register(catalogue, [Versioned(changed, 2)]))
    return {each.key.removeprefix(f"{name}/") for each in found} - known


def test_every_dated_part_of_a_route_ends(catalogue: Register) -> None:
    first, last = (When(day(text), day(text)) for text in ("2010-01-01", "2027-08-31"))
    span = {"from_": first, "until": last}
    rule = catalogue.law.routes["us-eu-mra-telecom-eu-red"].route.issuer
    admitted = parts.AccreditationRule(
        by=(parts.AdmittedAccreditor(authority="us-a2la", site_economies=("US",), **span),),
        standards=(parts.AdmittedStandard(standard="Guide 65", until=last),),
    )
    changes: dict[str, dict[str, Any]] = {
        "class/phone/2027-08-31": {"product_classes": (parts.CoveredClass(product_class="phone", **span),)},
        "class/toy/2027-08-31": {
            "excluded": (parts.ExcludedClass(product_class="toy", from_=last.moved(1)),),
        },
        "activity/surveillance/2027-08-31": {"activities": (parts.ActivityRule(activity="surveillance", **span),)},
        "territory/third/2027-08-31": {"territory": (parts.TerritoryRule(where="third", **span),)},
        "origin/JP/2027-08-31": {"origin": (parts.OriginRule(where="listed", economies=("JP",), **span),)},
        "importer/EU/2027-08-31": {"importer": (parts.Party(economy="EU", **span),)},
        "accreditor/us-a2la/US/2027-08-31": {"issuer": msgspec.structs.replace(rule, accreditation=admitted)},
        "standard/Guide 65/2027-08-31": {"issuer": msgspec.structs.replace(rule, accreditation=admitted)},
        "operation/2027-08-31": {"operation": (OperationEvent(state="operational", on=first, until=last),)},
        "condition/now/2027-08-31": {"conditions": (parts.Condition(key="now", text="Now.", until=last),)},
        "early/recognition/2027-08-31": {
            "early_results": (parts.EarlyRule(effect="counts", about=("recognition",), presented_until=last),)
        },
        "survival/expiry/2027-08-31": {
            "survival": (parts.SurvivalRule(reason="expiry", effect="survives", until=last),)
        },
        "prolongation/certificate/2027-08-31": {
            "life": (
                LifeRule(
                    result_kinds=("certificate",),
                    months=12,
                    prolongations=(Prolongation(ends_from=first, ends_until=first, until=last),),
                ),
            )
        },
        "changeover/eu-red-2014-53/2027-08-31": {
            "requirements": (
                parts.ListedRequirement(
                    id="eu-red-2014-53", from_=first, until=last.moved(-30), transition=Tail(until=last)
                ),
            )
        },
    }
    for key, change in changes.items():
        assert key in a_route(catalogue, **change), key


def test_editions_of_requirements_and_memberships_end(endings: tuple[Ending, ...]) -> None:
    keys = {each.key: each.kind for each in endings}
    assert keys["eu-machinery-2006-42/edition/2006/42/EC/2027-01-19"] == "requirement"
    assert keys["gb/membership/EU/2020-12-31"] == "membership"
    changed = office(
        "xb-rules",
        editions=[
            {
                "key": "1",
                "from": "always",
                "until": "2027-02-01",
                "source": "law",
                "transition": {"until": "2027-05-01"},
            }
        ],
    )
    assert keys_of(changed) == ["xb-rules/edition/1/2027-02-01", "xb-rules/changeover/1/2027-05-01"]


def test_reviews_of_one_day_are_told_apart(endings: tuple[Ending, ...]) -> None:
    review = {"on": "2027-10-01", "source": "law"}
    agreement = office("xa-xb", reviews=[{**review, "subject": "Phones"}, {**review, "subject": "Routers"}])
    found = endings_of(agreement, kind="review")
    assert sorted(each.what for each in found) == ["Phones", "Routers"]
    assert len({each.key for each in found}) == 2
    due = ["2025-12-16", "2027-01-20", "2027-01-20", "2027-05-28", "2030-08-01"]
    assert sorted(show_day(each.due) for each in endings if each.kind == "review") == due


# Confirmations


def open_ended(*confirmed: str, read_on: str | None = None, **more: Any) -> dict[str, Any]:
    source = {"sources": {"list": {"title": "List", "read_on": read_on}}} if read_on else {}
    events = ({"event": "confirmed", "on": on} for on in confirmed)
    return with_events(right("accreditation", **source, **more), *events)


@pytest.mark.parametrize(
    ("document", "last"),
    [
        (open_ended(read_on="2026-10-01"), "2026-11-01"),
        (open_ended("2026-11-05", read_on="2026-10-01"), "2026-12-06"),
        (open_ended("2026-09-05", read_on="2026-10-01"), "2026-11-01"),
        (open_ended("2026-11-05"), "2026-12-06"),
        (open_ended(), "2018-02-01"),
    ],
)
def test_an_open_ended_accreditation_is_to_be_confirmed_for_31_days(document: dict[str, Any], last: str) -> None:
    (ending,) = endings_of(document, kind="confirmation")
    assert (ending.key, show_day(ending.due)) == (f"accreditation-1/confirmation/{last}", last)
    assert (ending.by, ending.accreditation_body, ending.body) == ("xa-service", "xa-service", "lab-1")


def test_one_that_has_an_end_needs_no_confirmation() -> None:
    assert keys_of(dated("accreditation"), kind="confirmation") == []


def test_one_that_was_never_confirmed_is_not_forgotten() -> None:
    scope = [{"key": "radio", "requirement": "xb-rules", "from": "always"}]
    document = right("accreditation", scope=scope, timeline=[])
    register = scratch(document)
    found = find_endings(register)
    (ending,) = [each for each in found if each.kind == "confirmation"]
    assert (ending.on, ending.key) == (ALWAYS, "accreditation-1/confirmation/always")
    assert ending in find_late(register, found, day("2026-11-21"))


def test_an_overdue_confirmation_stays_until_it_comes_or_the_accreditation_is_lost() -> None:
    today = day("2026-12-20")

    def late(*events: dict[str, Any]) -> list[str]:
        register = scratch(with_events(open_ended("2026-10-01"), *events))
        return [each.key for each in find_late(register, find_endings(register), today)]

    assert late() == ["accreditation-1/confirmation/2026-11-01"]
    assert late({"event": "confirmed", "on": "2026-12-19"}) == []
    assert late({"event": "withdrawn", "on": "2026-12-20"}) == []
    assert late({"event": "withdrawn", "on": "2026-12-21"}) == ["accreditation-1/confirmation/2026-11-01"]
    assert late({"event": "suspended", "on": "2026-12-01"}) == ["accreditation-1/confirmation/2026-11-01"]
    assert late({"event": "withdrawn", "on": "2026-10-20"}) == []


# Clocks of procedures


def test_objection_windows_run_on_the_day_on_which_one_looks() -> None:
    agreement = office("xa-xb", objection={"days": 30, "silence": "recognised", "source": "law"})
    notified = right("recognition", timeline=[{"event": "notified", "on": "2026-11-01"}])
    register = scratch(agreement, notified)
    (ending,) = find_running(register, day("2026-11-21"))
    assert (ending.key, ending.kind) == ("recognition-1/objection/2026-12-01", "objection")
    assert (ending.body, ending.agreement, ending.concerns) == ("lab-1", "xa-xb", ("xb-office",))
    assert find_running(register, day("2026-12-02")) == ()
    assert find_running(register, day("2026-10-31")) == ()


def test_a_clock_without_a_last_day_ends_nothing() -> None:
    proposed = right("designation", timeline=[{"event": "proposed", "on": "2026-11-01"}])
    assert find_running(scratch(proposed), day("2026-11-21")) == ()


# The whole


def test_each_fact_is_told_once_in_the_order_of_last_days(endings: tuple[Ending, ...]) -> None:
    assert len({each.key for each in endings}) == len(endings) > 500
    assert all((one.due, one.key) < (two.due, two.key) for one, two in pairwise(endings))


@settings(max_examples=60)
@given(today=st.dates(date(2000, 1, 1), date(2035, 1, 1)).map(date.toordinal), days=st.integers(0, 3660))
def test_what_is_due_is_what_a_look_at_all_finds(endings: tuple[Ending, ...], today: int, days: int) -> None:
    assert list(due_within(endings, today, days)) == [each for each in endings if today <= each.due <= today + days]


def test_an_authority_is_concerned_by_its_predecessors_and_its_economy() -> None:
    former = dated("designation", owner="xa-former", by="xa-former")
    register = scratch(former, office("xa-xb", reviews=[{"subject": "Phones", "on": "2027-10-01", "source": "law"}]))
    found = find_endings(register)
    mine = {each.kind for each in found if is_of(each, "xa-ministry", register)}
    assert mine == {"designation", "review"}
    assert {each.kind for each in found if is_of(each, "xb-office", register)} == {"review"}
    assert {each.kind for each in found if is_of(each, "xa-service", register)} == set()


def test_a_register_of_ten_thousand_bodies_is_searched_in_a_moment() -> None:
    documents = [
        document
        for number in range(10_000)
        for document in (
            body(number),
            {**dated("designation"), "id": f"designation-{number}", "body": f"lab-{number}"},
            {**open_ended(read_on="2026-10-01"), "id": f"accreditation-{number}", "body": f"lab-{number}"},
            {**dated("recognition"), "id": f"recognition-{number}", "body": f"lab-{number}"},
        )
    ]
    register = scratch(*documents)
    began = time.process_time()
    found = find_endings(register)
    took = time.process_time() - began
    assert len(found) == 30_000
    assert took < 3
    began = time.process_time()
    assert len(due_within(found, day("2027-01-01"), 7)) == 20_000
    assert time.process_time() - began < 0.2


# Thresholds


def test_the_threshold_is_the_tightest_that_is_reached() -> None:
    told = {121: None, 120: 120, 91: 120, 90: 90, 31: 90, 30: 30, 8: 30, 7: 7, 1: 7, 0: 0, -1: None}
    assert {remaining: threshold_of(remaining) for remaining in told} == told
    assert threshold_of(31, CONFIRMATION_THRESHOLDS) is None
    assert endings_of(open_ended())[0].thresholds == CONFIRMATION_THRESHOLDS


@settings(max_examples=sized(80, whole=800))
@given(skipped=st.sets(st.integers(0, 130), max_size=120))
def test_days_on_which_nobody_looked_lose_no_notice(skipped: set[int]) -> None:
    """Trap P10: a reminder that fires only on its own day is lost with that day."""
    told: dict[int, int] = {}
    for remaining in range(130, -1, -1):
        if remaining in skipped:
            continue
        threshold = threshold_of(remaining)
        if threshold is not None and threshold not in told:
            told[threshold] = remaining
    for threshold, tighter in pairwise((*THRESHOLDS, -1)):
        looked = [remaining for remaining in range(threshold, tighter, -1) if remaining not in skipped]
        assert told.get(threshold) == (looked[0] if looked else None)
    assert all(remaining <= threshold for threshold, remaining in told.items())


# Who rests on an accreditation


def _concerned_by_accreditation(*documents: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    register = scratch(body(1), *documents)
    return {each.kind: each.concerns for each in find_endings(register) if each.record == "accreditation-1"}


ACCREDITED = {**right("accreditation"), "validity": "dated", "until": "2027-06-01"}


def test_who_designated_or_recognised_on_an_accreditation_is_concerned_by_its_end() -> None:
    found = _concerned_by_accreditation(ACCREDITED, right("designation"), right("recognition"))
    assert found == {"accreditation": ("xa-ministry", "xb-office")}
    register = scratch(body(1), ACCREDITED, right("designation"), right("recognition"))
    (ending,) = [each for each in find_endings(register) if each.kind == "accreditation"]
    assert {who for who in ("xa-ministry", "xb-office", "xa-service", "xu-agency") if is_of(ending, who, register)} == {
        "xa-ministry",
        "xb-office",
        "xa-service",
    }


@pytest.mark.parametrize(
    "resting",
    [
        right("designation", scope=[{"key": "other", "requirement": "standard-one", "from": "always"}]),
        right("designation", until="2027-05-31"),
        right("recognition", timeline=[*right("recognition")["timeline"], {"event": "withdrawn", "on": "2026-01-01"}]),
    ],
)
def test_who_rests_on_something_else_is_not(resting: dict[str, Any]) -> None:
    assert _concerned_by_accreditation(ACCREDITED, resting) == {"accreditation": ()}


def test_the_end_of_an_edition_concerns_them_too() -> None:
    editions = [{"key": "2017", "from": "always", "until": "2027-03-01", "source": "law"}]
    register = scratch(office("standard-one", editions=editions), body(1), right("accreditation"), right("recognition"))
    (ending,) = [each for each in find_endings(register) if each.kind == "edition"]
    assert ending.concerns == ("xb-office",)
