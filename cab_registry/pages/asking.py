"""The form of the question, and the page of its answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from cab_registry.domain.answer import Answer, CheckShown, TakenAs
from cab_registry.domain.errors import Fault
from cab_registry.domain.question import AskedQuestion
from cab_registry.engine.facts import Facts
from cab_registry.pages.form import (
    Choices,
    Field,
    list_choices,
    list_fields_of,
    make_groups,
    place_faults,
    tidy_pairs,
    values_of,
)
from cab_registry.pages.rendering import Site
from cab_registry.pages.words import CHECKS, DUTIES, FITS, OUTCOMES, VERDICTS, Look, in_words
from cab_registry.services.answering import Answering, Prepared
from cab_registry.services.asking import ImpossibleQuestion, QuestionReader
from cab_registry.services.flat import read_pairs, write_flat
from cab_registry.services.heads import Held
from cab_registry.services.runtime.work import WorkRoom
from cab_registry.services.views import state_of
from cab_registry.services.watching.feed_addresses import make_feed_address

AnyRequest = Request[Any, Any, Any]
_NEAR: Final = 5


class Rung(NamedTuple):
    """One check as the ladder shows it."""

    shown: CheckShown
    name: str
    look: Look
    address: str | None
    decides: bool


class ChoicesOf:
    """What can be chosen, worked out once for each state of the register."""

    def __init__(self, readings: WorkRoom) -> None:
        self._readings = readings
        self._found: tuple[Held, Choices] | None = None

    async def find(self, held: Held) -> Choices:
        """Return what the register offers."""
        if self._found is None or self._found[0].register is not held.register:
            self._found = held, await self._readings.run(lambda: list_choices(held.register))
        return self._found[1]


def make_asking_routes(site: Site, answering: Answering, questions: QuestionReader) -> list[HTTPRouteHandler]:
    """Return the handlers of the form and of the answer."""
    choices_of = ChoicesOf(answering.rooms.readings)

    async def show_form(pairs: list[tuple[str, str]], faults: tuple[Fault, ...] = ()) -> Response[bytes]:
        held = answering.head.current()
        values = values_of(pairs)
        groups = make_groups(await choices_of.find(held), values)
        summary, wrong = place_faults(faults, list_fields_of(groups))
        shown = {"groups": groups, "values": values, "faults": summary, "wrong": wrong, "state": state_of(held)}
        return site.show("ask.html", shown, here="ask", status=422 if faults else 200)

    @get("/")
    async def get_form(request: AnyRequest) -> Response[bytes]:
        return await show_form(tidy_pairs(read_pairs(request.scope["query_string"])))

    @get("/answer")
    async def get_answer(request: AnyRequest) -> Response[bytes]:
        pairs = tidy_pairs(read_pairs(request.scope["query_string"]))
        held = answering.head.current()
        economies = held.register.facts.economies
        asked = questions.try_pairs(pairs, economies)
        try:
            if asked is None:
                asked = await answering.rooms.readings.run(lambda: questions.read_pairs(pairs, economies))
        except ImpossibleQuestion as refusal:
            return await show_form(pairs, refusal.faults)
        prepared = await answering.prepare(asked)
        fields = list_fields_of(make_groups(await choices_of.find(held), ()))
        shown = describe_answer(asked, prepared, await answering.answer(prepared), fields)
        # A register without a log has no history that could be followed.
        followed = answering.past is not None
        today = answering.today().isoformat()
        shown["feed"] = make_feed_address(msgspec.to_builtins(asked), today) if followed else None
        return site.show("answer.html", shown, here="ask")

    return [get_form, get_answer]


def describe_answer(
    asked: AskedQuestion, prepared: Prepared, answer: Answer, fields: Mapping[str, Field]
) -> dict[str, Any]:
    """Return everything that the page of an answer shows."""
    facts = prepared.facts
    pairs = write_flat(msgspec.to_builtins(asked))
    agreement = facts.agreements.get(answer.route.agreement or "") if answer.route is not None else None
    return {
        "answer": answer,
        "verdict": VERDICTS[answer.verdict],
        "duty": DUTIES[answer.route.duty] if answer.route is not None else "",
        "agreement_name": (agreement.short or agreement.title or agreement.id) if agreement is not None else "",
        "checks": [_show_check(check, answer) for check in answer.checks],
        "missing": _list_missing(answer, fields),
        "others": [
            {"route": each, "look": VERDICTS[each.verdict], "failing": CHECKS.get(each.first_failing or "", "")}
            for each in answer.other_routes
        ],
        "near": answer.near[:_NEAR],
        "far": answer.near[_NEAR:],
        "bodies": {key: facts.issuers[key].name for key in _named(answer) if _is_body(facts, key)},
        "rules": {key: facts.requirements[key].citation for key in answer.candidates if key in facts.requirements},
        "taken": list(_list_taken(answer)),
        "asked": [
            (_label(name, fields), _value(value, name, fields)) for name, value in pairs if name not in _OWN_LINES
        ],
        "query": urlencode(pairs),
        "kept": "/answer?" + urlencode(_kept(pairs, prepared, standing=asked.standing_on is not None)),
    }


def _list_missing(answer: Answer, fields: Mapping[str, Field]) -> list[tuple[str, str]]:
    """Return what is missing in words, each with the verdicts that it could bring."""
    brings = {
        each.name: " or ".join(VERDICTS[verdict].word for verdict in each.verdicts) for each in answer.could_bring
    }
    return [(_label(name, fields), brings.get(name, "")) for name in answer.missing]


_PARTS: Final = {"issuer": "Issuer", "requirement": "Requirement", "site": "Site"}


def _list_taken(answer: Answer) -> Iterator[dict[str, str | None]]:
    """Yield whom and which rule the question was taken to mean, with how the words fitted."""
    for name, part in _PARTS.items():
        fit: TakenAs | None = getattr(answer.taken, name)
        if fit is not None:
            yield {"part": part, "asked": fit.asked, "id": fit.id, "name": fit.name, "how": FITS[fit.how]}


def _named(answer: Answer) -> list[str]:
    taken = answer.taken.issuer
    return [*answer.candidates, *([taken.id] if taken is not None and taken.id is not None else [])]


_OWN_LINES: Final = frozenset({"presented_on", "known_at"})


def _show_check(check: CheckShown, answer: Answer) -> Rung:
    address = check.address if urlsplit(check.address or "").scheme in ("http", "https") else None
    name = CHECKS.get(check.check, in_words(check.check))
    return Rung(check, name, OUTCOMES[check.outcome], address, check.check == answer.first_failing)


def _show_pair(name: str, value: str, fields: Mapping[str, Field]) -> tuple[str, str]:
    return _label(name, fields), _value(value, name, fields)


def _label(name: str, fields: Mapping[str, Field]) -> str:
    field = fields.get("result.performed_on.from" if name == "result.performed_on" else name)
    if name == "result.performed_on":
        return "Day of the work"
    if name == "result.issuer":
        return "The issuer"
    return field.label if field is not None else in_words(name.rpartition(".")[2])


def _value(value: str, name: str, fields: Mapping[str, Field]) -> str:
    field = fields.get(name)
    named = dict(field.options).get(value) if field is not None else None
    return f"{named} ({value})" if named and field is not None and named.casefold() != value.casefold() else value


def _kept(pairs: list[tuple[str, str]], prepared: Prepared, *, standing: bool) -> list[tuple[str, str]]:
    """Return the parameters under which the same answer is found again whatever is recorded later."""
    rest = [(name, value) for name, value in pairs if name not in _OWN_LINES]
    if not standing:
        rest.append(("presented_on", prepared.asked.presented_on))
    return rest if prepared.known_at is None else [*rest, ("known_at", prepared.known_at)]


def _is_body(facts: Facts, key: str) -> bool:
    return key in facts.issuers and facts.issuers[key].body is not None
