"""The blast radius of a loss is exactly what asking every question of everyone, on each day, finds."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import date
from itertools import product
from time import process_time
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from cab_registry.domain.days import EARLIEST, LATEST, parse_day, show_day
from cab_registry.domain.errors import OperationalFault
from cab_registry.domain.question import pose, read_question
from cab_registry.engine.answer import answer
from cab_registry.register.catalogue import load_catalogue
from cab_registry.register.compiled import Register, Versioned, compile_register
from cab_registry.services import blast
from cab_registry.services.blast import (
    Impact,
    ImpactTeller,
    Supposition,
    WatchedTold,
    tell_impact,
)
from cab_registry.services.change_days import named_days
from cab_registry.services.heads import Held
from cab_registry.services.snapshots.cursors import CursorSigner
from cab_registry.services.supposing import ImpossibleSupposition, suppose
from cab_registry.services.views import View
from tests.services.accredited import (
    KINDS,
    MARKETS,
    RULES,
    TODAY,
    body,
    compiled,
    day,
    laboratory,
    law,
    right,
    signatory,
)
from tests.sizes import sized

ON = parse_day(day(30))
HORIZON = 60
Asked = tuple[str, str, str, str]
"""Body, destination, kind of result, requirement."""


def view(register: Register) -> View:
    return View(Held(register), TODAY, CursorSigner(bytes(32), lambda: TODAY))


def tell(register: Register, record_id: str, **more: Any) -> Impact:
    given = {"loss": "suspended", "on": ON, "horizon": HORIZON, **more}
    return tell_impact(view(register), Supposition(record_id, **given))


def verdict(register: Register, asked: Asked, on: int) -> str:
    """A standing question, put as anybody puts it."""
    issuer, destination, kind, requirement = asked
    economy = register.facts.issuers[issuer].economy
    document = {
        "destination": destination,
        "standing_on": show_day(on),
        "result": {"kind": kind, "issuer": {"id": issuer}, "performed_in": economy, "issuer_economy": economy},
        "subject": {"sector": "telecom_radio", "requirement": requirement, "origin": economy},
    }
    return answer(pose(read_question(document), today=TODAY), register.facts).verdict


FIRST = {("XC", "certificate"): "recognition", ("XD", "test_report"): "recognition"}
"""The right that a route wants first, where it is not an accreditation; nothing stands without it."""


def ask_everything(before: Register, after: Register, last: int) -> set[tuple[Asked, int, str, str]]:
    """Every question of every body in both registers, on each day on which any record may change something."""
    named = {moment for side in (before, after) for each in side.records.values() for moment in named_days(each.record)}
    days = sorted({ON, *(moment for moment in named if max(ON, EARLIEST) < moment <= min(last, LATEST))})
    bodies = [key for key, issuer in before.facts.issuers.items() if issuer.body is not None]
    found = set()
    for asked in product(bodies, MARKETS, KINDS, RULES):
        if not before.facts.issuers[asked[0]].rights(FIRST.get(asked[1:3], "accreditation")):
            continue
        for moment in days:
            pair = verdict(before, asked, moment), verdict(after, asked, moment)
            if pair[0] != pair[1]:
                found.add((asked, moment, *pair))
    return found


def told_on(found: Impact, moments: set[int]) -> Iterator[tuple[Asked, int, str, str]]:
    for each in found.bodies:
        for flip in each.flips:
            asked = flip.question
            key = (each.id, asked.destination, asked.result_kind, asked.requirement or "")
            until = parse_day(flip.until) if flip.until is not None else LATEST
            for moment in moments:
                if parse_day(flip.on) <= moment <= until:
                    yield key, moment, flip.before, flip.after


def check_exactly(register: Register, record_id: str, loss: Any, what: Any) -> Impact:
    found = tell(register, record_id, loss=loss, what=what)
    after = suppose(register, record_id, loss, ON, what).register
    expected = ask_everything(register, after, ON + HORIZON)
    moments = {moment for _, moment, _, _ in expected}
    starts = {parse_day(flip.on) for each in found.bodies for flip in each.flips}
    assert starts <= moments
    assert set(told_on(found, moments)) == expected
    return found


@pytest.fixture(scope="module")
def register() -> Register:
    return compiled(*laboratory("one"), *laboratory("two", "ab-two"), *laboratory("three", "ab-former"))


@pytest.mark.parametrize(
    ("what", "lost"),
    [
        ("status", {("XC", "test_report", "xc-rules")}),
        (
            "accreditations",
            {
                ("XB", "test_report", "xb-rules"),
                ("XC", "test_report", "xc-rules"),
                ("XD", "certificate", "xb-rules"),
                ("XD", "test_report", "xc-rules"),
            },
        ),
    ],
)
def test_a_route_that_admits_by_name_outlives_the_status(register: Register, what: Any, lost: set[Any]) -> None:
    found = check_exactly(register, "ab-one", "suspended", what)
    assert [each.id for each in found.bodies] == ["one", "three"]
    for each in found.bodies:
        told = {(f.question.destination, f.question.result_kind, f.question.requirement) for f in each.flips}
        assert told >= lost if what == "status" else told == lost
        assert ("XB", "test_report", "xb-rules") not in told or what != "status"
        assert {flip.on for flip in each.flips} == {show_day(ON)}
        assert {flip.falls_with for flip in each.flips} == {what}


def test_each_answer_says_with_what_it_falls(register: Register) -> None:
    found = check_exactly(register, "ab-one", "suspended", "all")
    (one,) = (each for each in found.bodies if each.id == "one")
    falls = {flip.question.destination + " " + flip.question.result_kind: flip.falls_with for flip in one.flips}
    assert falls["XC test_report"] == "status"
    assert falls["XB test_report"] == "accreditations"
    assert (one.scopes, one.destinations) == (["xb-rules", "xc-rules"], ["XB", "XC", "XD"])
    assert found.what == "all"
    assert (found.counts.bodies, found.counts.bodies_looked_at, found.complete) == (2, 2, True)
    assert sum(change.count for change in found.counts.changes) == found.counts.flips
    assert found.counts.flips == sum(len(each.flips) for each in found.bodies)
    assert len(found.sentences) == 3
    assert found.sentences[1].startswith("Laboratory one (XA): ")


def test_who_is_accredited_by_somebody_else_never_appears(register: Register) -> None:
    for loss, what in product(("suspended", "withdrawn", "expired"), ("status", "accreditations", "all")):
        assert "two" not in [each.id for each in tell(register, "ab-one", loss=loss, what=what).bodies]
        assert [each.id for each in tell(register, "ab-two", loss=loss, what=what).bodies] == ["two"]


def test_a_body_loses_what_rests_on_its_rights(register: Register) -> None:
    found = check_exactly(register, "two", "withdrawn", "all")
    assert [each.id for each in found.bodies] == ["two"]
    assert {flip.falls_with for flip in found.bodies[0].flips} == {"rights"}
    assert found.what is None


def test_a_second_accreditation_elsewhere_holds(register: Register) -> None:
    safe = compiled(*laboratory("one"), right("accreditation", "second", "one", "ab-two", *RULES))
    found = check_exactly(safe, "ab-one", "withdrawn", "all")
    assert {flip.question.destination for each in found.bodies for flip in each.flips} == {"XB"}


OFFSETS = st.integers(-20, 110)
LOSSES = st.sampled_from(["suspended", "withdrawn", "expired"])


@st.composite
def worlds(draw: st.DrawFn) -> list[dict[str, Any]]:
    documents = []
    for key in [f"lab-{number}" for number in range(draw(st.integers(1, 3)))]:
        documents.append(body(key))
        for number in range(draw(st.integers(1, 3))):
            kind = draw(st.sampled_from(["accreditation", "accreditation", "recognition"]))
            by = draw(st.sampled_from(["ab-one", "ab-two", "ab-former"])) if kind == "accreditation" else "xc-office"
            more: dict[str, Any] = {}
            if draw(st.booleans()):
                more["until"] = day(draw(OFFSETS))
            elif draw(st.booleans()):
                more["from"] = day(draw(OFFSETS))
            if draw(st.booleans()):
                name = draw(st.sampled_from(["suspended", "withdrawn", "reinstated", "restricted"]))
                more["timeline"] = [{"event": name, "on": day(draw(OFFSETS))}]
            rules = draw(st.lists(st.sampled_from(RULES), min_size=1, max_size=2, unique=True))
            documents.append(right(kind, f"{key}-{number}", key, by, *rules, **more))
    return documents


STATUSES = st.lists(
    st.tuples(OFFSETS, st.integers(0, 90) | st.none()).map(
        lambda span: signatory(day(span[0] - 40), None if span[1] is None else day(span[0] - 40 + span[1]))
    ),
    max_size=2,
)


@settings(max_examples=sized(40, whole=600))
@given(
    documents=worlds(),
    statuses=STATUSES,
    who=st.sampled_from(["ab-one", "ab-former", "ab-two", "lab-0"]),
    loss=LOSSES,
    what=st.sampled_from(["status", "accreditations", "all"]),
)
def test_flips_are_what_asking_everything_finds(
    documents: list[dict[str, Any]], statuses: list[dict[str, Any]], who: str, loss: Any, what: Any
) -> None:
    register = compiled(*documents, of=law(statuses))
    try:
        found = check_exactly(register, who, loss, "all" if who == "lab-0" else what)
    except ImpossibleSupposition:
        event("nothing to lose")
        return
    event("flips" if found.bodies else "no flips")
    givers = {"ab-one": {"ab-one", "ab-former"}, "ab-former": {"ab-one", "ab-former"}, "ab-two": {"ab-two"}}
    for each in found.bodies:
        rights = register.facts.issuers[each.id].accreditations
        assert each.id == who or {each.by for each in rights} & givers[who]


def test_more_questions_than_are_asked_are_told(register: Register) -> None:
    whole = tell(register, "ab-one")
    some = tell(register, "ab-one", most=whole.counts.questions - 1)
    assert (whole.complete, some.complete) == (True, False)
    assert some.counts.questions == whole.counts.questions - 1
    assert "the list goes on" in some.sentences[1]
    assert blast.MOST_QUESTIONS >= 20_000


def test_the_horizon_bounds_what_is_looked_at() -> None:
    later = right("accreditation", "a", "one", "ab-one", *RULES, **{"from": day(50)})
    register = compiled(body("one"), later)
    for horizon, expected in ((19, set()), (20, {day(50)})):
        found = tell(register, "ab-one", what="status", horizon=horizon)
        assert found.until == day(30 + horizon)
        flips = [flip for each in found.bodies for flip in each.flips if flip.question.destination == "XC"]
        assert {flip.on for flip in flips} == expected


def test_watched_answers_are_told_by_whom_it_concerns(register: Register) -> None:
    seen = []

    def watched(before: Register, after: Register) -> WatchedTold:
        seen.append((before, after, threading.current_thread()))
        return WatchedTold(count=7)

    async def ask() -> Impact:
        return await ImpactTeller().tell(view(register), Supposition("ab-one", "suspended", ON), watched)

    found = asyncio.run(ask())
    assert found.watched == WatchedTold(count=7, own=[])
    ((before, after, thread),) = seen
    assert before is register
    assert after.records["one-a"].version == 2
    assert thread is not threading.main_thread()
    assert tell(register, "ab-one").watched is None


async def test_many_at_once_wait_and_too_many_are_turned_away(register: Register) -> None:
    teller, going, running = ImpactTeller(), threading.Event(), []

    def watched(before: Register, after: Register) -> WatchedTold:
        running.append(None)
        assert len(running) == 1
        going.wait(20)
        running.pop()
        return WatchedTold(count=0)

    asked = [Supposition("ab-one", "suspended", ON, horizon=days) for days in range(blast.MOST_WAITING + 1)]
    tasks = [asyncio.create_task(teller.tell(view(register), each, watched)) for each in asked[:-1]]
    await asyncio.sleep(0)
    with pytest.raises(OperationalFault):
        await teller.tell(view(register), asked[-1])
    going.set()
    assert len(await asyncio.gather(*tasks)) == blast.MOST_WAITING
    assert (await teller.tell(view(register), asked[-1])).watched is None


@pytest.fixture(scope="module")
def catalogue() -> Register:
    return compile_register(Versioned(entry.record, 1) for entry in load_catalogue())


def test_the_catalogue_knows_who_rests_on_an_accreditation_body(catalogue: Register) -> None:
    on = date(2026, 12, 1).toordinal()
    started = process_time()
    found = tell_impact(view(catalogue), Supposition("us-nvlap", "suspended", on))
    assert process_time() - started < 2
    given = {
        issuer.id
        for issuer in catalogue.facts.issuers.values()
        for each in issuer.accreditations
        if each.by == "us-nvlap"
    }
    assert found.bodies
    assert {each.id for each in found.bodies} <= given
    assert found.counts.bodies_looked_at == len(given)
    after = suppose(catalogue, "us-nvlap", "suspended", on).register
    for each in found.bodies:
        for flip in each.flips:
            asked = flip.question
            issuer = {"issuer": {"id": each.id}, "site": asked.site, "performed_in": each.economy}
            document = {
                "destination": asked.destination,
                "standing_on": flip.on,
                "result": {"kind": asked.result_kind, **issuer},
                "subject": {
                    "sector": asked.sector,
                    "requirement": asked.requirement,
                    "procedure": asked.procedure,
                    "product_class": asked.product_class,
                    "activity": asked.activity,
                    "origin": each.economy,
                },
            }
            question = pose(read_question(document), today=TODAY)
            pair = [answer(question, side.facts).verdict for side in (catalogue, after)]
            assert pair == [flip.before, flip.after]


def test_a_thousand_bodies_take_seconds() -> None:
    many = [document for number in range(1000) for document in laboratory(f"lab-{number}")]
    register = compiled(*many)
    started = process_time()
    found = tell(register, "ab-one")
    assert process_time() - started < 25
    assert (found.counts.bodies, found.complete) == (1000, True)
    assert found.counts.questions > 500
