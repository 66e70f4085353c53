"""Acceptance cases: read, asked of a scratch register, compared with what the law gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from cab_registry.domain.days import parse_day
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.domain.question import pose, read_question
from cab_registry.domain.records import AnyRecord, Coverage
from cab_registry.engine.answer import answer
from cab_registry.register.catalogue import load_catalogue
from cab_registry.register.compiled import Register, Versioned, change_register, compile_register
from cab_registry.register.short_form import read_given
from cab_registry.register.yaml_text import read_yaml_file

Ask = Callable[["Case", Register], dict[str, Any]]
"""Puts a case's question to a scratch register by one of the faces and returns the plain answer."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case: facts given, question, and the answer that the law gives."""

    id: str
    title: str
    given: tuple[dict[str, Any], ...]
    ask: dict[str, Any]
    expect: dict[str, Any]
    because: str
    place: str

    @property
    def today(self) -> date:
        """The day that counts as today: that of presentation, of a standing question, of issue, or of the work."""
        result = self.ask["result"]
        work = result.get("performed_on")
        last = work["to"] if isinstance(work, dict) else work
        return date.fromisoformat(
            self.ask.get("presented_on") or self.ask.get("standing_on") or result.get("issued_on") or last
        )

    @property
    def known_on(self) -> date | None:
        """The day of knowledge, where the case turns on two clocks."""
        known = self.ask.get("known_at")
        return date.fromisoformat(known) if known else None


@dataclass(frozen=True, slots=True)
class Miss:
    """A key of `expect` that the answer does not meet."""

    key: str
    expected: Any
    got: Any


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of one case."""

    case: Case
    answer: dict[str, Any]
    misses: tuple[Miss, ...]

    @property
    def passed(self) -> bool:
        """Whether every key of `expect` was met."""
        return not self.misses


_KEYS = {"id", "title", "given", "ask", "expect", "because", "source", "confidence"}
_EXPECT = {"verdict", "agreement", "failing"}


def read_cases(path: Path) -> list[Case]:
    """Read a file of cases.

    Raises:
        Refusal: the file is no list of cases; every fault is listed with file and line.
    """
    documents, faults = read_yaml_file(path, path.name)
    cases: list[Case] = []
    for located in documents:
        if not isinstance(located.value, list):
            faults.append(Fault("", "a file of cases is a list", located.place("")))
            continue
        for index, value in enumerate(located.value):
            place = located.place(f"/{index}")
            found = _case_faults(value, place)
            faults.extend(found)
            if not found:
                given = tuple(value.get("given") or ())
                because = str(value.get("because", ""))
                cases.append(
                    Case(value["id"], value.get("title", ""), given, value["ask"], value["expect"], because, place)
                )
    if faults:
        raise Refusal(f"{path.name} holds no valid cases", tuple(faults))
    return cases


def _case_faults(value: Any, place: str) -> list[Fault]:
    if not isinstance(value, dict):
        return [Fault("", "a case is a mapping", place)]
    faults = [Fault(f"/{key}", "no key of a case", place) for key in value if key not in _KEYS]
    faults.extend(Fault(f"/{key}", "is missing", place) for key in ("id", "ask", "expect") if key not in value)
    expect, ask, given = (value.get(key) or {} for key in ("expect", "ask", "given"))
    if not isinstance(expect, dict) or not isinstance(expect.get("verdict"), str):
        faults.append(Fault("/expect", "is a mapping with a verdict", place))
    else:
        faults.extend(Fault(f"/expect/{key}", "no key of expect", place) for key in expect if key not in _EXPECT)
    if not isinstance(ask, dict) or not isinstance(ask.get("result"), dict):
        faults.append(Fault("/ask", "is a question: a mapping with a result", place))
    if given and not (isinstance(given, list) and all(isinstance(each, dict) for each in given)):
        faults.append(Fault("/given", "is a list of mappings", place))
    faults.extend(
        Fault(f"/{key}", "is a text", place)
        for key in ("id", "title", "because")
        if not isinstance(value.get(key, ""), str)
    )
    return faults


class ScratchRegisters:
    """Makes the scratch register of each case: the catalogue's law and what the case gives.

    Every list is complete but those of which the case says otherwise; what the catalogue covers plays no part.
    """

    def __init__(self, records: Iterable[tuple[AnyRecord, int | None]]) -> None:
        law = (pair for pair in records if not isinstance(pair[0], Coverage))
        self._records = sorted(law, key=lambda pair: (pair[0].id, pair[1] or 0))
        self._bases: dict[tuple[int, ...], Register] = {}

    def base(self, known_on: int | None) -> Register:
        """Return the catalogue's register as known on a day."""
        chosen: dict[str, Versioned] = {}
        versions: list[int] = []
        for index, (record, known) in enumerate(self._records):
            if known is None or known_on is None or known <= known_on:
                earlier = chosen.get(record.id)
                chosen[record.id] = Versioned(record, earlier.version + 1 if earlier else 1)
                if known is not None:
                    versions.append(index)
        key = tuple(versions)
        if key not in self._bases:
            self._bases[key] = compile_register(chosen.values(), complete=True)
        return self._bases[key]

    def of_case(self, case: Case) -> Register:
        """Return the scratch register of a case."""
        known = parse_day(case.ask["known_at"]) if case.ask.get("known_at") else None
        base = self.base(known)
        return change_register(base, read_given(case.given, base, known))


def catalogue_scratch() -> ScratchRegisters:
    """Return the scratch registers over the packaged catalogue's law."""
    entries = load_catalogue(("law",))
    return ScratchRegisters(
        (entry.record, entry.record.known_from.earliest if entry.record.known_from else None) for entry in entries
    )


def ask_library(case: Case, register: Register) -> dict[str, Any]:
    """Ask the engine itself."""
    document = {key: value for key, value in case.ask.items() if key != "known_at"}
    question = pose(read_question(document), today=case.today, known_on=case.known_on)
    plain: dict[str, Any] = msgspec.to_builtins(answer(question, register.facts))
    return plain


def run_case(case: Case, registers: ScratchRegisters, ask: Ask = ask_library) -> CaseResult:
    """Run one case by one face."""
    found = ask(case, registers.of_case(case))
    return CaseResult(case, found, tuple(compare(case.expect, found)))


def compare(expect: dict[str, Any], found: dict[str, Any]) -> list[Miss]:
    """Compare every key of `expect` as FORMAT.md says.

    With `not_covered` the answer has no route: a named agreement must be that of a near route, and `failing`
    the first criterion that this route misses (with no agreement named: that of any near route).
    """
    misses = []
    if found["verdict"] != expect["verdict"]:
        misses.append(Miss("verdict", expect["verdict"], found["verdict"]))
    if expect["verdict"] == "not_covered" and found["verdict"] == "not_covered":
        return misses + _compare_near(expect, found["near"])
    route = found["route"] or {}
    if "agreement" in expect and route.get("agreement") != expect["agreement"]:
        misses.append(Miss("agreement", expect["agreement"], route.get("agreement")))
    if "failing" in expect and found["first_failing"] != expect["failing"]:
        misses.append(Miss("failing", expect["failing"], found["first_failing"]))
    return misses


def _compare_near(expect: dict[str, Any], near: list[dict[str, Any]]) -> list[Miss]:
    named = expect.get("agreement")
    fitting = [route for route in near if named is None or route["agreement"] == named]
    if named is not None and not fitting:
        return [Miss("agreement", named, [route["agreement"] for route in near])]
    if "failing" not in expect:
        return []
    codes = [route["first_failing"] for route in (fitting[:1] if named is not None else fitting)]
    return [] if expect["failing"] in codes else [Miss("failing", expect["failing"], codes)]
