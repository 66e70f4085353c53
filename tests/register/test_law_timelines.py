"""Legal force over the days: what is over is over from the first day on which it was."""

from __future__ import annotations

import msgspec
import pytest

from cab_registry.domain.days import parse_day
from cab_registry.domain.records import Agreement, Route
from cab_registry.domain.records.common import read_custom
from cab_registry.domain.records.law import InstrumentEvent
from cab_registry.engine.facts import Force
from cab_registry.register.catalogue import load_catalogue
from cab_registry.register.law_timelines import own_force, resolve_force

LATER = parse_day("2029-01-01")


def events(*pairs: tuple[str, str]) -> tuple[InstrumentEvent, ...]:
    plain = [{"state": state, "on": day} for state, day in pairs]
    return msgspec.convert(plain, tuple[InstrumentEvent, ...], dec_hook=read_custom)


@pytest.fixture(scope="module")
def device_route() -> tuple[Route, Agreement]:
    records = {entry.record.id: entry.record for entry in load_catalogue(("law",))}
    route, agreement = records["eu-ch-ch-4-devices-into-eu"], records["eu-ch-mra"]
    assert isinstance(route, Route)
    assert isinstance(agreement, Agreement)
    return route, agreement


@pytest.mark.parametrize("day", ["2021-05-26", "2022-05-25", "2022-05-26", "2029-01-01"])
def test_acts_that_ended_before_their_chapter_keep_their_own_day(
    device_route: tuple[Route, Agreement], day: str
) -> None:
    state = resolve_force(*device_route).at(parse_day(day))
    assert (state.force, str(state.on)) == (Force.ENDED, "2021-05-26")


def test_an_agreement_that_ends_after_its_annex_moves_no_day(device_route: tuple[Route, Agreement]) -> None:
    route, agreement = device_route
    ended = msgspec.structs.replace(
        agreement, instrument=(*agreement.instrument, *events(("terminated", "2028-01-01")))
    )
    state = resolve_force(route, ended).at(LATER)
    assert (state.annex, str(state.on)) == (True, "2021-05-26")


@pytest.mark.parametrize("later", ["terminated", "superseded", "suspended"])
def test_what_ended_cannot_end_or_be_suspended_again(later: str) -> None:
    state = own_force(events(("in_force", "2000-01-01"), ("lapsed", "2021-01-01"), (later, "2025-01-01"))).at(LATER)
    assert (state.force, str(state.on)) == (Force.ENDED, "2021-01-01")


def test_what_ended_may_begin_anew() -> None:
    state = own_force(events(("lapsed", "2021-01-01"), ("in_force", "2025-01-01"))).at(LATER)
    assert state.force is Force.IN_FORCE
