"""Reading a question as it travels, and saying everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo

import msgspec

from cab_registry.domain.codes import ResultKind
from cab_registry.domain.days import DayError, parse_day
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.domain.folding import fold
from cab_registry.domain.question import AskedQuestion, find_faults
from cab_registry.domain.records import Economy
from cab_registry.register.schema_faults import point
from cab_registry.register.schemas import list_question_faults
from cab_registry.services.flat import FlatField, Unreadable, build_document, list_fields
from cab_registry.services.markets import find_market_fault

_DAY: Final = 10
_MICROSECOND: Final = timedelta(microseconds=1)


class ImpossibleQuestion(Refusal):
    """The question cannot be answered as it is put."""

    def __init__(self, faults: Iterable[Fault], *, more: bool = False) -> None:
        super().__init__("the question cannot be answered as it is put", faults, more=more)


class QuestionReader:
    """Reads questions from JSON and from flat parameters; both give equal questions and equal faults."""

    def __init__(self) -> None:
        self._decoder = msgspec.json.Decoder(AskedQuestion)
        self.fields: dict[str, FlatField] = list_fields(AskedQuestion)

    def read_json(self, raw: bytes, economies: Mapping[str, Economy]) -> AskedQuestion:
        """Read a JSON body.

        Raises:
            Unreadable: it is no JSON.
            ImpossibleQuestion: it is no possible question; every fault is listed.
        """
        try:
            try:
                asked = self._decoder.decode(raw)
            except msgspec.ValidationError:
                asked = self._convert(msgspec.json.decode(raw), economies)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Unreadable(f"the body is no JSON: {error}") from None
        except RecursionError:
            raise Unreadable("the body is nested too deeply") from None
        return self._checked(asked, economies)

    def try_json(self, raw: bytes, economies: Mapping[str, Economy]) -> AskedQuestion | None:
        """Read a JSON body in a moment; none where there is more to say of it, which `read_json` does."""
        try:
            asked = self._decoder.decode(raw)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
        return None if _list_impossible(asked, economies) else asked

    def try_pairs(self, pairs: Iterable[tuple[str, str]], economies: Mapping[str, Economy]) -> AskedQuestion | None:
        """Read flat parameters in a moment; none where there is more to say of them, which `read_pairs` does."""
        given = list(pairs)
        if any(name not in self.fields for name, _ in given):
            return None
        document, faults = build_document(given, self.fields)
        try:
            asked = None if faults else msgspec.convert(tidy_kind(document), AskedQuestion)
        except msgspec.ValidationError:
            return None
        return None if asked is None or _list_impossible(asked, economies) else asked

    def read_pairs(self, pairs: Iterable[tuple[str, str]], economies: Mapping[str, Economy]) -> AskedQuestion:
        """Read flat parameters.

        Raises:
            ImpossibleQuestion: a name is unknown or repeated, or it is no possible question; every fault is listed.
        """
        document, faults = build_document(pairs, self.fields)
        if faults:
            other = _refusal(document, economies)
            known = {fault.pointer for fault in faults}
            rest = (fault for fault in other.faults if fault.pointer not in known)
            raise ImpossibleQuestion((*faults, *rest), more=other.more)
        return self.read_document(document, economies)

    def read_document(self, document: Mapping[str, Any], economies: Mapping[str, Economy]) -> AskedQuestion:
        """Read a plain document.

        Raises:
            ImpossibleQuestion: it is no possible question; every fault is listed.
        """
        return self._checked(self._convert(document, economies), economies)

    @staticmethod
    def _convert(document: object, economies: Mapping[str, Economy]) -> AskedQuestion:
        tidied = tidy_kind(document)
        try:
            return msgspec.convert(tidied, AskedQuestion)
        except msgspec.ValidationError:
            raise _refusal(tidied, economies) from None

    @staticmethod
    def _checked(asked: AskedQuestion, economies: Mapping[str, Economy]) -> AskedQuestion:
        faults = _list_impossible(asked, economies)
        if faults:
            raise ImpossibleQuestion(faults)
        return asked


def _list_impossible(asked: AskedQuestion, economies: Mapping[str, Economy]) -> list[Fault]:
    faults = [*find_faults(asked), *list_market_faults(asked.destination, economies)]
    if asked.known_at is not None:
        try:
            parse_known_at(asked.known_at, ZoneInfo("UTC"))
        except ValueError as error:
            faults.append(Fault("/known_at", str(error)))
    return faults


def tidy_kind(document: object) -> object:
    """Return a document with the kind of its result in the register's own code, where it is one spelled otherwise."""
    result = document.get("result") if isinstance(document, Mapping) else None
    kind = result.get("kind") if isinstance(result, Mapping) else None
    if not isinstance(document, Mapping) or not isinstance(result, Mapping) or not isinstance(kind, str):
        return document
    codes = {fold(code): code for code in get_args(ResultKind)}
    return {**document, "result": {**result, "kind": codes.get(fold(kind), kind)}}


def _refusal(document: object, economies: Mapping[str, Economy]) -> ImpossibleQuestion:
    wrong = list_all_faults(document)
    # What has the wrong shape already, such as a text that is too long, is compared with nothing.
    shaped = all(fault.pointer != "/destination" for fault in wrong)
    return ImpossibleQuestion((*wrong, *(_market_faults(document, economies) if shaped else ())))


def list_all_faults(document: object) -> list[Fault]:
    """List what is wrong with a document that is to be a question, whatever the register knows."""
    if isinstance(document, Mapping) and "result" not in document:
        # What is missing of it is told at once, part by part.
        document = {**document, "result": {}}
    wrong = list_question_faults(document)
    return [*wrong, *_faults_in_the_rest(document, wrong)]


def list_market_faults(destination: str, economies: Mapping[str, Economy]) -> list[Fault]:
    """List what stands against the market of a question; any other economy that is not known leaves the answer open."""
    fault = find_market_fault("/destination", destination, economies)
    return [] if fault is None else [fault]


def _market_faults(document: object, economies: Mapping[str, Economy]) -> list[Fault]:
    """Return what stands against the market in a document that has other faults too."""
    destination = document.get("destination") if isinstance(document, Mapping) else None
    return list_market_faults(destination, economies) if isinstance(destination, str) and destination else []


def _faults_in_the_rest(document: object, wrong: Iterable[Fault]) -> list[Fault]:
    """Find what is impossible in the parts whose shape is right, so that nothing has to be mended twice."""
    pointers = {fault.pointer for fault in wrong}
    rest = _without(document, pointers, "")
    if not isinstance(rest, dict) or not isinstance(rest.setdefault("result", {}), dict):
        return []
    rest.setdefault("destination", "EU")
    rest["result"].setdefault("kind", "certificate")
    try:
        faults = find_faults(msgspec.convert(rest, AskedQuestion))
    except msgspec.ValidationError:
        return []
    return [fault for fault in faults if not any(_rests_on(fault.pointer, each) for each in pointers)]


def _without(value: Any, pointers: Collection[str], here: str) -> Any:
    """Leave out what is wrong; of a list with a wrong item, all of it."""
    if not isinstance(value, Mapping):
        return value
    return {
        key: _without(part, pointers, place)
        for key, part in value.items()
        if (place := f"{here}{point([key])}") not in pointers
        and not (isinstance(part, list) and any(each.startswith(f"{place}/") for each in pointers))
    }


def _rests_on(pointer: str, wrong: str) -> bool:
    """Whether a fault may be there only because something wrong was left out."""
    grounds = (pointer, *_GROUNDS.get(pointer, ()))
    return any(wrong == ground or wrong.startswith(f"{ground}/") for ground in grounds) or pointer.startswith(
        f"{wrong}/"
    )


_GROUNDS: Final = {
    "/result/issued_on": ("/result/performed_on", "/standing_on"),
    "/result/issuer": ("/result/issuer_economy",),
}


def parse_known_at(text: str, zone: ZoneInfo) -> datetime:
    """Read a moment of knowledge: a day stands for its last instant in the zone; an instant states its offset.

    Raises:
        ValueError: it is neither; the message says what is allowed.
    """
    if len(text) <= _DAY:
        try:
            day = date.fromordinal(parse_day(text))
            midnight = datetime.combine(day + timedelta(days=1), time(), zone)
        except (DayError, OverflowError) as error:
            raise ValueError(f"{error}; or an instant with its offset, as 2026-03-01T12:00:00+01:00") from None
        return midnight - _MICROSECOND
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            instant.astimezone(zone)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is neither a day YYYY-MM-DD nor an instant YYYY-MM-DDTHH:MM:SS+HH:MM") from None
    if instant.tzinfo is None:
        raise ValueError("an instant needs its offset from UTC, as 2026-03-01T12:00:00Z")
    return instant
