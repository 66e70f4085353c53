"""What is wrong with something that is to be watched, found before it is sent, with what was perhaps meant."""

import difflib
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Any, Final

import msgspec

from cab_cli.client import Client, NotFound
from cab_registry.domain.errors import Fault
from cab_registry.domain.folding import find_folded
from cab_registry.domain.records import Economy, read_record

PAGE: Final = "500"
KINDS: Final = ("question", "standing", "scope", "body", "agreement", "authority")
_ASKING: Final = frozenset({"question", "standing"})
_RECORDS: Final = frozenset({"agreement", "authority"})


class RegisterWords:
    """What a register knows, asked when it is first needed."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, bool] = {}

    @cached_property
    def economies(self) -> dict[str, Economy]:
        """Economies by code."""
        found = (read_record(each["record"]) for each in self._list("/v1/records", {"type": "economy"}))
        return {each.code: each for each in found if isinstance(each, Economy)}

    def has(self, kind: str, record_id: str) -> bool:
        """Whether there is a record of a kind; a body may be an authority that inspects."""
        types = {"agreement": {"agreement"}, "authority": {"authority"}}.get(kind, {"body", "authority"})
        key = f"{sorted(types)}{record_id}"
        if key not in self._known:
            self._known[key] = self._find_type(record_id) in types
        return self._known[key]

    def suggest(self, kind: str, record_id: str) -> str:
        """Say which record was perhaps meant."""
        wanted = {"agreement": ("agreement",), "authority": ("authority",)}.get(kind, ("body", "authority"))
        names = {each["id"]: (each["id"], *_names_of(each)) for name in wanted for each in self._records(name)}
        meant = find_folded(record_id, names) or tuple(difflib.get_close_matches(record_id, list(names), n=1))
        return f"; did you mean {' or '.join(meant)}?" if meant else ""

    def _records(self, type_name: str) -> Iterator[dict[str, Any]]:
        return (each["record"] for each in self._list("/v1/records", {"type": type_name}))

    def _find_type(self, record_id: str) -> str | None:
        if not record_id.replace("-", "").isalnum() or not record_id.isascii():
            return None
        try:
            return str(self._client.get(f"/v1/records/{record_id}", {})["record"]["type"])
        except NotFound:
            return None

    def _list(self, path: str, wanted: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            page = self._client.get(path, {**wanted, "limit": PAGE, "cursor": cursor})
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return


def _names_of(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names that a record has, as its type keeps them."""
    names = record.get("names", {})
    yield from names.values() if isinstance(names, Mapping) else (each["name"] for each in names)
    yield from (each if isinstance(each, str) else each["name"] for each in record.get("other_names", []))
    yield from (record[key] for key in ("short", "title") if record.get(key))


def list_target_faults(target: Mapping[str, Any], register: RegisterWords, today: date) -> list[Fault]:
    """List what is wrong with something that is to be watched, with pointers into it.

    Args:
        target: as it is sent.
        register: knows economies and records.
        today: the day on which a standing question is asked.
    """
    kind = target.get("kind")
    if kind not in KINDS:
        near = difflib.get_close_matches(str(kind), KINDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it is one of {', '.join(KINDS)}"
        return [Fault("/kind", f"{kind!r} cannot be watched; {hint}")]
    faults = list(_list_market_faults(target, register))
    told = {fault.pointer for fault in faults}
    record_id = target.get("id")
    if kind not in _ASKING and isinstance(record_id, str) and not register.has(kind, record_id):
        what = kind if kind in _RECORDS else "body"
        faults.append(Fault("/id", f"the register has no such {what}{register.suggest(kind, record_id)}"))
    return [*faults, *(each for each in _list_shape_faults(target, register, today) if each.pointer not in told)]


def _list_shape_faults(target: Mapping[str, Any], register: RegisterWords, today: date) -> Iterator[Fault]:
    from cab_registry.services.asking import ImpossibleQuestion, QuestionReader
    from cab_registry.services.watching.targets import Target, list_own_faults, tidy_target

    target = tidy_target(target)
    try:
        yield from list_own_faults(msgspec.convert(target, Target), today)
    except msgspec.ValidationError as error:
        question = target.get("question")
        found = False
        if isinstance(question, dict):
            asked = {**question, "standing_on": today.isoformat()} if target["kind"] == "standing" else question
            try:
                QuestionReader().read_document(asked, register.economies)
            except ImpossibleQuestion as impossible:
                found = True
                yield from (Fault(f"/question{each.pointer}", each.message) for each in impossible.faults)
        if not found:
            yield Fault("", str(error))


def _list_market_faults(target: Mapping[str, Any], register: RegisterWords) -> Iterator[Fault]:
    """Yield what stands against the market of a question, and against the economy by which a scope is narrowed."""
    from cab_registry.services.markets import find_economies, find_market_fault, list_near, say_unknown_economy

    question, economies = target.get("question"), register.economies
    asked = question.get("destination") if isinstance(question, Mapping) else None
    if isinstance(asked, str) and asked and (fault := find_market_fault("/question/destination", asked, economies)):
        yield fault
    narrowed = target.get("destination")
    if isinstance(narrowed, str) and narrowed and len(found := find_economies(narrowed, economies)) != 1:
        meant = found or list_near(narrowed, economies)
        yield Fault("/destination", say_unknown_economy(narrowed, meant, economies))
