"""Properties of rights and losses on random registers: days, limited rights, silence, one right as one story."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cab_registry.domain.records import Recognition, read_record
from cab_registry.engine.facts import RightState
from cab_registry.register.right_timelines import resolve_items
from cab_registry.services.cases import Case, ScratchRegisters, run_case
from tests.sizes import sized

Document = dict[str, Any]
BRIEF = settings(max_examples=sized(15, whole=200), deadline=None, suppress_health_check=list(HealthCheck))


def _ask(registers: ScratchRegisters, facts: Sequence[Document], asked: Document) -> Document:
    case = Case("property", "", tuple(facts), asked, {"verdict": "accepted"}, "", "")
    return run_case(case, registers).answer


def _body(identifier: str, kind: str, economy: str) -> Document:
    return {"body": {"id": identifier, "name": f"Invented {identifier}", "kind": kind, "economy": economy}}


def _iso(start: date, days: int) -> str:
    return (start + timedelta(days=days)).isoformat()


# NVLAP was recognised for laboratories in Indonesia from this day on.
ADMITTED = date(2017, 3, 23)


@BRIEF
@given(
    first=st.integers(-12, 12),
    length=st.integers(0, 9),
    turns=st.lists(st.integers(-15, 20), min_size=1, max_size=3, unique=True).map(sorted),
    gaps=st.lists(st.integers(0, 1), min_size=3, max_size=3),
)
def test_a_period_counts_on_each_of_its_days(
    first: int, length: int, turns: list[int], gaps: list[int], registers: ScratchRegisters
) -> None:
    """Accreditations that follow one another, with or without a day between, and a body admitted from a day on."""
    bounds = list(zip([-400, *turns], [*turns, 400], strict=True))
    periods = [(start + gap, end - 1) for (start, end), gap in zip(bounds, [0, *gaps], strict=False)]
    facts = [_body("x-id-lab", "testing_laboratory", "ID")]
    facts += [
        {
            "accreditation": {
                "body": "x-id-lab",
                "by": "us-nvlap",
                "standard": "ISO/IEC 17025",
                "edition": "2005",
                "number": f"N-{number}",
                "scope": ["us-47cfr-15b"],
                "from": _iso(ADMITTED, start),
                "until": _iso(ADMITTED, end),
            }
        }
        for number, (start, end) in enumerate(periods)
    ]
    asked = {
        "destination": "US",
        "presented_on": "2017-06-01",
        "result": {
            "kind": "test_report",
            "issuer": {"id": "x-id-lab"},
            "issuer_economy": "ID",
            "performed_in": "ID",
            "performed_on": {"from": _iso(ADMITTED, first), "to": _iso(ADMITTED, first + length)},
            "issued_on": _iso(ADMITTED, first + length),
        },
        "subject": {
            "sector": "emc",
            "requirement": "us-47cfr-15b",
            "product_class": "ite",
            "procedure": "fcc_doc",
        },
    }
    days = range(first, first + length + 1)
    held = all(day >= 0 and any(start <= day <= end for start, end in periods) for day in days)
    assert (_ask(registers, facts, asked)["verdict"] == "accepted") is held


MODULES = ("module_b", "module_d", "module_h")
START = date(2018, 1, 1)


@BRIEF
@given(
    rights=st.lists(
        st.tuples(st.sampled_from(MODULES), st.one_of(st.none(), st.integers(0, 1500))), min_size=1, max_size=5
    ),
    asked=st.sampled_from(MODULES),
    issued=st.integers(0, 1000),
    shown=st.integers(0, 800),
)
def test_a_right_for_another_procedure_changes_no_verdict(
    rights: list[tuple[str, int | None]], asked: str, issued: int, shown: int, registers: ScratchRegisters
) -> None:
    body = {"body": "x-tr-cb", "agreement": "eu-tr-customs-union", "scope": ["eu-ped-2014-68"]}
    facts = [
        _body("x-tr-cb", "certification_body", "TR"),
        {"designation": {**body, "by": "TR", "from": "2017-01-01"}},
    ]
    held = [
        {
            "recognition": {
                **body,
                "by": "EU",
                "procedures": [module],
                "from": START.isoformat(),
                "events": [] if lost is None else [{"on": _iso(START, lost), "event": "withdrawn"}],
            }
        }
        for module, lost in rights
    ]
    question = {
        "destination": "IT",
        "presented_on": _iso(START, issued + shown),
        "result": {
            "kind": "eu_type_examination" if asked == "module_b" else "qms_approval",
            "issuer": {"id": "x-tr-cb"},
            "issuer_economy": "TR",
            "issued_on": _iso(START, issued),
        },
        "subject": {"sector": "pressure_equipment", "requirement": "eu-ped-2014-68", "procedure": asked},
    }
    own = [fact for fact in held if fact["recognition"]["procedures"] == [asked]]
    assert _ask(registers, [*facts, *held], question)["verdict"] == _ask(registers, [*facts, *own], question)["verdict"]


ACTS = ("eu-mid-2014-32", "eu-nawid-2014-31")
CLOCK = 60


def _silent_from(events: list[tuple[int, str, list[str]]], act: str, day: int) -> bool:
    """Whether silence has recognised an act by a day, lived through day by day."""
    opened: int | None = None
    for on, event, scope in events:
        if act not in scope or on > day:
            continue
        if opened is not None and on > opened + CLOCK:
            return True
        if event == "objected":
            opened = None
        elif opened is None:
            opened = on
    return opened is not None and day > opened + CLOCK


@BRIEF
@given(
    steps=st.lists(
        st.tuples(
            st.integers(1, 90), st.sampled_from(["notified", "objected"]), st.sampled_from([ACTS, ACTS[:1], ACTS[1:]])
        ),
        min_size=1,
        max_size=5,
    ),
    act=st.sampled_from(ACTS),
    issued=st.integers(1, 500),
)
def test_silence_recognises_what_was_notified_and_not_objected_to(
    steps: list[tuple[int, str, Sequence[str]]], act: str, issued: int, registers: ScratchRegisters
) -> None:
    day, events = 0, []
    for gap, event, scope in [(1, "notified", ACTS[:1]), *steps]:
        day += gap
        events.append((day, event, list(scope)))
    beginning = date(2022, 1, 3)
    facts = [
        _body("x-ch-met", "certification_body", "CH"),
        {
            "designation": {
                "body": "x-ch-met",
                "by": "ch-seco",
                "agreement": "eu-ch-mra",
                "annex": "ch-11",
                "scope": list(ACTS),
                "from": beginning.isoformat(),
                "events": [{"on": _iso(beginning, on), "event": event, "scope": scope} for on, event, scope in events],
            }
        },
    ]
    asked = {
        "destination": "DE",
        "presented_on": _iso(beginning, 700),
        "result": {
            "kind": "eu_type_examination",
            "issuer": {"id": "x-ch-met"},
            "issuer_economy": "CH",
            "issued_on": _iso(beginning, issued),
        },
        "subject": {"sector": "measuring_instruments", "requirement": act, "procedure": "module_b"},
    }
    assert (_ask(registers, facts, asked)["verdict"] == "accepted") is _silent_from(events, act, issued)


LOSSES = ("withdrawn", "resigned", "expired")


@BRIEF
@given(
    first=st.sampled_from(LOSSES),
    later=st.lists(st.tuples(st.integers(1, 200), st.sampled_from(LOSSES)), min_size=1, max_size=3),
    shown=st.integers(0, 500),
    own_end=st.booleans(),
)
def test_a_further_adverse_event_moves_no_loss(
    first: str, later: list[tuple[int, str]], shown: int, own_end: bool, registers: ScratchRegisters
) -> None:
    lost = date(2023, 1, 31)
    more = [{"on": _iso(lost, days), "event": event} for days, event in sorted(later)]

    def ask(events: list[Document]) -> Document:
        right = {"body": "x-be-md", "agreement": "eu-single-market", "scope": ["eu-mdr-2017-745"]}
        end: Document = {"until": _iso(lost, -1)} if own_end else {}
        story = events if own_end else [{"on": lost.isoformat(), "event": first}, *events]
        facts = [
            _body("x-be-md", "certification_body", "BE"),
            {"designation": {**right, "by": "be-famhp", "from": "2021-06-01", "events": story, **end}},
            {"recognition": {**right, "by": "EU", "from": "2021-07-15"}},
        ]
        asked = {
            "destination": "DE",
            "presented_on": _iso(lost, shown),
            "result": {
                "kind": "qms_approval",
                "issuer": {"id": "x-be-md"},
                "issuer_economy": "BE",
                "issued_on": "2022-01-10",
                "number": "BE-MD-9",
            },
            "subject": {"sector": "medical_devices", "requirement": "eu-mdr-2017-745", "procedure": "mdr_annex_ix"},
        }
        return _ask(registers, facts, asked)

    before, after = ask([]), ask(more)
    for key in ("verdict", "first_failing", "holds"):
        assert before[key] == after[key]


EVENTS = ("suspended", "reinstated", "withdrawn", "expired")


@BRIEF
@given(
    story=st.lists(st.tuples(st.integers(0, 900), st.sampled_from(EVENTS)), max_size=3),
    issued=st.integers(0, 900),
    shown=st.integers(0, 300),
)
def test_a_right_carried_over_is_one_with_the_record_that_continues_it(
    story: list[tuple[int, str]], issued: int, shown: int, registers: ScratchRegisters
) -> None:
    start = date(2021, 1, 1)
    events = [{"on": _iso(start, days), "event": event} for days, event in sorted(story)]
    body = _body("x-gb-cb", "certification_body", "GB")
    right = {"body": "x-gb-cb", "by": "gb-opss"}
    carried = {
        "designation": {
            **right,
            "agreement": "eu-single-market",
            "scope": ["eu-atex-2014-34"],
            "from": "2016-04-20",
            "until": "2020-12-31",
        }
    }
    own = {
        "designation": {
            **right,
            "agreement": None,
            "scope": ["gb-atex-2016"],
            "from": start.isoformat(),
            "events": events,
        }
    }
    told = {"designation": {**carried["designation"], "events": events}}
    asked = {
        "destination": "GB",
        "presented_on": _iso(start, issued + shown),
        "result": {
            "kind": "eu_type_examination",
            "issuer": {"id": "x-gb-cb"},
            "issuer_economy": "GB",
            "issued_on": _iso(start, issued),
        },
        "subject": {"sector": "atex", "requirement": "gb-atex-2016", "procedure": "module_b"},
    }
    alone = _ask(registers, [body, own], asked)["verdict"]
    assert _ask(registers, [body, carried, own], asked)["verdict"] == alone
    assert _ask(registers, [body, told], asked)["verdict"] == alone


@BRIEF
@given(
    begins=st.integers(0, 400),
    suspended=st.integers(0, 400),
    lasts=st.one_of(st.none(), st.integers(0, 200)),
    day=st.integers(0, 900),
)
def test_a_suspension_lasts_over_items_that_begin_while_it_lasts(
    begins: int, suspended: int, lasts: int | None, day: int
) -> None:
    event: Document = {"event": "suspended", "on": _iso(START, suspended)}
    if lasts is not None:
        event["until"] = _iso(START, suspended + lasts)
    document = {
        "type": "recognition",
        "id": "recognition-x",
        "owner": "registrar",
        "body": "x-body",
        "by": "EU",
        "scope": [
            {"key": "a", "requirement": "eu-ped-2014-68", "from": "2016-07-19"},
            {"key": "b", "requirement": "eu-atex-2014-34", "from": _iso(START, begins)},
        ],
        "timeline": [event],
    }
    right = read_record(document)
    assert isinstance(right, Recognition)
    item = resolve_items("recognition", right)[1]
    on = (START + timedelta(days=day)).toordinal()
    over = lasts is not None and day > suspended + lasts
    held = day >= begins and (day < suspended or over)
    assert (item.timeline(on).at(on).state is RightState.HELD) is held
