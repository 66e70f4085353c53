"""Sentences from findings: the keys and values of the engine filled into the message catalogue of a language."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from string import Formatter
from typing import Any, Final

from cab_registry.domain.days import EARLIEST, LAST_DAY, show_day
from cab_registry.domain.question import Question
from cab_registry.engine.criteria import Criterion
from cab_registry.engine.facts import Facts, RightState, RouteFacts, Status, WorkingState
from cab_registry.engine.finding import UNKNOWN, Finding
from cab_registry.engine.judge import Trace
from cab_registry.engine.meaning import OTHER
from cab_registry.engine.wording import english

_RIGHT_CODES: Final = ("designation", "recognition")


class Speech:
    """Speaks one language about one question."""

    __slots__ = ("facts", "question")

    def __init__(self, facts: Facts, question: Question) -> None:
        self.facts = facts
        self.question = question

    def say(self, key: str, values: dict[str, Any]) -> str:
        """Fill one message."""
        return self._fill(key, key.partition(".")[0], values)

    def tell(self, finding: Finding) -> str:
        """Return the sentence of a check."""
        text = self._fill(finding.key, finding.code, finding.values)
        return text[0].upper() + text[1:]

    def reason(self, finding: Finding) -> str:
        """Return the sentence of a check as a part of another."""
        return self._fill(finding.key, finding.code, finding.values).rstrip(".")

    def miss(self, criterion: Criterion, rf: RouteFacts) -> str:
        """Return the sentence on the first criterion that a near route misses, with what the text says on it."""
        says = criterion.sourced.citation if criterion.sourced is not None else None
        aside = f" ({says})" if says else ""
        return f"{rf.name}: {self.say(criterion.key, criterion.values)}{aside}."

    def headline(self, trace: Trace) -> str:
        """Return the one sentence that a reader needs."""
        rf = trace.rf
        citation = rf.route.citation
        plain = rf.agreement is None or citation.startswith(rf.name)
        ground = citation if plain else f"{rf.name}, {citation}"
        reason = rf.route.title or rf.name
        if trace.first is not None:
            finding = self._decisive(trace, trace.findings[trace.first])
            reason = self.reason(finding)
            if finding.key == "open.depends":
                reason = self._fill("open.asked", finding.code, finding.values)
        conditions = " ".join(item.text for item in trace.conditions)
        return english.VERDICTS[trace.verdict].format(
            market=self.question.destination, ground=ground, reason=reason, conditions=conditions
        )

    def _decisive(self, trace: Trace, first: Finding) -> Finding:
        """Return the check that a headline tells: one that asks for something before one that only would fail."""
        asking = (each for each in trace.findings if each.outcome == UNKNOWN and each.key != "open.would_fail")
        return next(asking, first) if first.key == "open.would_fail" else first

    def undecided(self, name: str, traces: list[Trace]) -> str:
        """Return the headline where the sector or the rule is left out and routes of several grounds may apply."""
        names = list(dict.fromkeys(trace.rf.name for trace in traces))
        values = {"routes": join_words([*names[:_WAYS], *(["others"] if len(names) > _WAYS else [])])}
        return english.UNDECIDED[name].format(market=self.question.destination, **values)

    def unread(self, finding: Finding) -> str:
        """Return the headline where words name nothing in the register, and no route can be named for the rest."""
        reason = self.reason(finding)
        stop = "" if reason.endswith("?") else "."
        return english.UNREAD.format(market=self.question.destination, reason=reason, stop=stop)

    def not_covered(self, near: str | None) -> str:
        """Return the headline where no route reaches."""
        if near is None:
            reason = english.MESSAGES["near.none"]
        else:
            reason = f"no route reaches this result; the nearest misses: {near.rstrip('.')}"
        return english.VERDICTS["not_covered"].format(market=self.question.destination, reason=reason)

    def _fill(self, key: str, code: str, values: dict[str, Any]) -> str:
        template, names = _template(key)
        if not names:
            return template
        return template.format_map({name: self.value(name, code, values) for name in names})

    def value(self, name: str, code: str, values: dict[str, Any]) -> str:
        """Return what fills one placeholder of a sentence."""
        derive = _DERIVED.get(name)
        if derive is not None:
            found = derive(self, code, values)
            if found is not None:
                return found
        return self.word(name, values.get(name))

    def label(self, value: str) -> str:
        """Return a value of what is left out in words: a body or authority by its name, a code with blanks."""
        if value == OTHER:
            return english.OTHERS["label"]
        issuer, rule = self.facts.issuers.get(value), self.facts.requirements.get(value)
        if issuer is not None:
            return issuer.name
        return rule.citation if rule is not None else value.replace("_", " ")

    def word(self, name: str, value: Any) -> str:
        """Return one value in words: authorities by name, requirements by citation, codes with blanks."""
        if value is None:
            return _ABSENT.get(name, "not stated")
        if value == OTHER:
            return english.OTHERS.get(name, english.OTHERS["label"])
        if isinstance(value, str):
            if name in ("by", "owner"):
                bearer = self.facts.authorities.get(value) or self.facts.economies.get(value)
                return bearer.names.get("en", value) if bearer is not None else english.SIDES.get(value, value)
            if name == "requirement":
                record = self.facts.requirements.get(value)
                return record.citation if record is not None else value
            return value.replace("_", " ") if name in _CODES else value
        if name == "candidates":
            return join_words([f"{self.label(item)} [{item}]" for item in value], "or")
        if isinstance(value, tuple | list | frozenset):
            part = "by" if name in ("authorities", "by") else _PARTS.get(name, "kind")
            return ", ".join(self.word(part, item) for item in value)
        return str(value)


def join_words(words: list[str], last: str = "and") -> str:
    """Write words as a list in a sentence: a, b and c; names with commas of their own are parted by semicolons."""
    comma = "; " if any("," in word for word in words) else ", "
    return comma.join(words[:-1]) + (f" {last} " if words[1:] else "") + words[-1] if words else ""


_LABELS: Final = 6
"""How many values of what is left out are named one by one."""

_WAYS: Final = 3
"""How many ways in which a check may come out are told."""

_ABSENT: Final = {"body": "the issuer", "by": "the authority", "requirement": "this subject"}
_PARTS: Final = {"attests": "requirement"}
_CODES: Final = frozenset(("kind", "product", "activity", "sector", "procedure", "findings"))


@cache
def _template(key: str) -> tuple[str, tuple[str, ...]]:
    """Return a message with the names of its placeholders."""
    text = english.MESSAGES.get(key)
    if text is None:
        code, _, name = key.partition(".")
        if code == "survival" and name.startswith("silent_"):
            text = english.SILENT
        else:
            text = english.RIGHTS[name] if code in _RIGHT_CODES else key
    return text, tuple(sorted({field for _, field, _, _ in Formatter().parse(text) if field}))


def _status(values: dict[str, Any]) -> Status | None:
    status = values.get("status")
    return status if isinstance(status, Status) else None


def _start(_speech: Speech, _code: str, values: dict[str, Any]) -> str | None:
    found = _status(values) or values.get("period")
    return str(found.start) if found is not None else None


def _end(_speech: Speech, _code: str, values: dict[str, Any]) -> str | None:
    status = _status(values)
    if status is not None and status.state is RightState.EXPIRED and status.on is not None:
        return str(status.on.moved(-1))
    found = status or values.get("period")
    return str(found.end) if found is not None else None


def _known_from(_speech: Speech, _code: str, values: dict[str, Any]) -> str | None:
    status = _status(values)
    return show_day(status.start.latest) if status is not None and status.start.latest <= LAST_DAY else None


def _known_to(_speech: Speech, _code: str, values: dict[str, Any]) -> str | None:
    status = _status(values)
    return show_day(status.end.earliest) if status is not None and 0 < status.end.earliest <= LAST_DAY else None


def _since(_speech: Speech, _code: str, values: dict[str, Any]) -> str | None:
    if "reason" in values:
        return str(values["on"]) if values.get("on") is not None else "that day"
    status = _status(values)
    return str(status.on or status.start) if status is not None else None


def _event(_speech: Speech, _code: str, values: dict[str, Any]) -> str | None:
    status = _status(values)
    return (status.event or "taken away").replace("_", " ") if status is not None else None


def _noun(_speech: Speech, code: str, values: dict[str, Any]) -> str:
    kind = values.get("kind")
    return english.NOUNS.get(kind if isinstance(kind, str) else code, code)


def _was(_speech: Speech, code: str, values: dict[str, Any]) -> str:
    return english.WAS.get(values.get("kind") or code, "was recognised")


def _at(_speech: Speech, _code: str, values: dict[str, Any]) -> str:
    return english.CLOCKS.get(values.get("clock") or "", "then").format(day=_on_day(_speech, _code, values))


def _kind(speech: Speech, _code: str, values: dict[str, Any]) -> str | None:
    return english.KINDS[speech.question.result.kind] if isinstance(values.get("state"), WorkingState) else None


def _made(speech: Speech, _code: str, values: dict[str, Any]) -> str:
    clock = values.get("clock")
    return english.ACTS.get(clock or "") or english.MADE.get(speech.question.result.kind, "issued")


def _on_day(speech: Speech, _code: str, values: dict[str, Any]) -> str:
    day, asked = values.get("day"), speech.question
    if asked.issued is None and asked.performed is not None and values.get("clock") == "issued":
        first, last = asked.performed.last, max(asked.performed.last, asked.presented_on)
        if day in (first, last) and first < last:
            return f"not stated; {show_day(first)} to {show_day(last)}"
    return show_day(day) if isinstance(day, int) and day > EARLIEST else "an unknown day"


def _begins(_speech: Speech, _code: str, values: dict[str, Any]) -> str:
    state = values.get("state")
    return f" ({state.begins})" if isinstance(state, WorkingState) and state.begins is not None else ""


def _loss(speech: Speech, code: str, values: dict[str, Any]) -> str:
    reason = values["reason"]
    if values.get("lost") is not None:
        reason = f"{reason}_while_suspended"
    return english.LOSSES[reason].format_map({name: speech.value(name, code, values) for name in _loss_names(reason)})


@cache
def _loss_names(reason: str) -> tuple[str, ...]:
    return tuple(sorted({field for _, field, _, _ in Formatter().parse(english.LOSSES[reason]) if field}))


def _see(_speech: Speech, _code: str, values: dict[str, Any]) -> str:
    return f"; see {values['list']} {values.get('address') or ''}".rstrip() if values.get("list") else ""


def _what(_speech: Speech, _code: str, values: dict[str, Any]) -> str | None:
    names = values.get("what")
    return join_words([english.LEFT_OUT.get(name, name) for name in names]) if names else None


def _cases(speech: Speech, _code: str, values: dict[str, Any]) -> str:
    """Say for which values a check comes out how; each way with its own sentence."""
    parts = []
    for labels, finding in values["cases"][:_WAYS]:
        shown = [OTHER] if OTHER in labels else labels[:_LABELS]
        named = ", ".join(map(speech.label, shown)) + (" ..." if len(labels) > len(shown) > 1 else "")
        reason = speech.reason(finding)
        parts.append(reason if reason.startswith(named) else f"{named}: {reason}")
    return "; ".join(parts)


def _would(speech: Speech, _code: str, values: dict[str, Any]) -> str:
    return speech.reason(values["finding"])


def _meant(speech: Speech, _code: str, values: dict[str, Any]) -> str:
    """Ask whether one of a few was meant by words that name nothing."""
    economies = speech.facts.economies
    names = dict.fromkeys(
        f"{economies[each].names.get('en', each)} ({each})" if each in economies else speech.label(each)
        for each in values.get("meant") or ()
    )
    return f". Did you mean {join_words(list(names)[:_WAYS], 'or')}?" if names else ""


def _end_day(_speech: Speech, _code: str, values: dict[str, Any]) -> str:
    return str(values.get("end"))


_DERIVED: Final[dict[str, Callable[[Speech, str, dict[str, Any]], str | None]]] = {
    "start": _start,
    "end": _end,
    "known_from": _known_from,
    "known_to": _known_to,
    "since": _since,
    "event": _event,
    "noun": _noun,
    "was": _was,
    "at": _at,
    "kind": _kind,
    "made": _made,
    "on_day": _on_day,
    "begins": _begins,
    "loss": _loss,
    "see": _see,
    "end_day": _end_day,
    "what": _what,
    "cases": _cases,
    "would": _would,
    "meant": _meant,
}
