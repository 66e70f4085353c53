"""What is wrong with something that is to be watched, found before it is sent, with what was perhaps meant."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Any, Final

import msgspec

from cab_cli.client import Client, NotFound
from cab_cli.economy_words import suggest_economy
from cab_registry.domain.errors import Fault
from cab_registry.domain.folding import find_folded
from cab_registry.domain.records import Economy

PAGE: Final = "500"
KINDS: Final = ("question", "standing", "scope", "body", "agreement", "authority")
_ASKING: Final = frozenset({"question", "standing"})
_RECORDS: Final = frozenset({"agreement", "authority"})
_ECONOMIES: Final = (
    ("destination",),
    ("question", "destination"),
    ("question", "result", "issuer_economy"),
    ("question", "result", "performed_in"),
    ("question", "subject", "origin"),
)


class RegisterWords:
    """What a register knows, asked when it is first needed."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, bool] = {}

    @cached_property
    def economies(self) -> dict[str, list[str]]:
        """Names of economies by code."""
        found = (each["record"] for each in self._list("/v1/records", {"type": "economy"}))
        return {each["code"]: [*each.get("names", {}).values(), *each.get("other_names", [])] for each in found}

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
        ids = [each for type_name in wanted for each in self._ids(type_name)]
        near = difflib.get_close_matches(record_id, ids, n=1)
        return f"; did you mean {near[0]}?" if near else ""

    def _ids(self, type_name: str) -> list[str]:
        return [each["record"]["id"] for each in self._list("/v1/records", {"type": type_name})]

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
    faults = list(_list_economy_faults(_stated_economies(target), register))
    told = {fault.pointer for fault in faults}
    record_id = target.get("id")
    if kind not in _ASKING and isinstance(record_id, str) and not register.has(kind, record_id):
        what = kind if kind in _RECORDS else "body"
        faults.append(Fault("/id", f"the register has no such {what}{register.suggest(kind, record_id)}"))
    return [*faults, *(each for each in _list_shape_faults(target, register, today) if each.pointer not in told)]


def _list_shape_faults(target: Mapping[str, Any], register: RegisterWords, today: date) -> Iterator[Fault]:
    from cab_registry.services.asking import ImpossibleQuestion, QuestionReader
    from cab_registry.services.watching.targets import Target, list_own_faults

    try:
        yield from list_own_faults(msgspec.convert(target, Target), today)
    except msgspec.ValidationError as error:
        question = target.get("question")
        found = False
        if isinstance(question, dict):
            asked = {**question, "standing_on": today.isoformat()} if target["kind"] == "standing" else question
            try:
                QuestionReader().read_document(asked, _as_records(register.economies))
            except ImpossibleQuestion as impossible:
                found = True
                yield from (Fault(f"/question{each.pointer}", each.message) for each in impossible.faults)
        if not found:
            yield Fault("", str(error))


def _as_records(economies: Mapping[str, list[str]]) -> dict[str, Economy]:
    return {
        code: Economy(id=code.lower(), owner="registrar", code=code, names={"en": names[0]}, other_names=tuple(names))
        for code, names in economies.items()
    }


def _list_economy_faults(stated: Iterable[tuple[str, str]], register: RegisterWords) -> Iterator[Fault]:
    for pointer, code in stated:
        if code in register.economies:
            continue
        meant = find_folded(code, register.economies)
        hint = f"; did you mean {' or '.join(meant)}?" if meant else suggest_economy(code, register.economies)
        yield Fault(pointer, f"the register has no economy {code!r}{hint or '; write its code, such as KR'}")


def _stated_economies(target: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for path in _ECONOMIES:
        value: Any = target
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        if isinstance(value, str):
            yield "/" + "/".join(path), value
    question = target.get("question")
    result = question.get("result") if isinstance(question, Mapping) else None
    parts = result.get("subcontractors") if isinstance(result, Mapping) else None
    for index, part in enumerate(parts if isinstance(parts, list) else ()):
        if isinstance(part, Mapping) and isinstance(code := part.get("economy"), str):
            yield f"/question/result/subcontractors/{index}/economy", code
