"""Sentences from findings: the keys and values of the engine filled into the message catalogue of a language."""

from __future__ import annotations

from typing import Any, Final

from cab_registry.domain.days import EARLIEST, Period, When, show_day
from cab_registry.domain.question import Question
from cab_registry.engine.facts import Facts, ForceState, RouteFacts, Status, WorkingState
from cab_registry.engine.finding import Finding
from cab_registry.engine.judge import Trace
from cab_registry.engine.reach import Criterion
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
        return self._template(key).format_map(self._fill(values))

    def tell(self, finding: Finding, rf: RouteFacts) -> str:
        """Return the sentence of a check."""
        values = self._fill(finding.values)
        values["ground"] = rf.name
        values.setdefault("noun", english.NOUNS.get(finding.code, finding.code))
        text = self._template(finding.key).format_map(values)
        return text[0].upper() + text[1:]

    def miss(self, criterion: Criterion, rf: RouteFacts) -> str:
        """Return the sentence on the first criterion that a near route misses."""
        text = self.say(criterion.key, criterion.values)
        return f"{rf.name}: {text}."

    def headline(self, trace: Trace) -> str:
        """Return the one sentence that a reader needs."""
        rf = trace.rf
        ground = f"{rf.name}, {rf.route.citation}"
        reason = ""
        if trace.first is not None:
            reason = self.tell(trace.findings[trace.first], rf).rstrip(".")
            reason = reason if reason[:2].isupper() else reason[0].lower() + reason[1:]
            body = trace.findings[trace.first].values.get("body")
            if isinstance(body, str) and reason.casefold().startswith(body.casefold()):
                reason = body + reason[len(body) :]
        conditions = " ".join(ground.text for ground in trace.conditions)
        return english.VERDICTS[trace.verdict].format(
            market=self.question.destination, ground=ground, reason=reason, conditions=conditions
        )

    def not_covered(self, near: Any) -> str:
        """Return the headline where no route reaches."""
        reason = near.text.rstrip(".") if near is not None else english.MESSAGES["near.none"]
        prefix = "no route reaches this result; the nearest misses: " if near is not None else ""
        return english.VERDICTS["not_covered"].format(market=self.question.destination, reason=prefix + reason)

    def _template(self, key: str) -> str:
        found = english.MESSAGES.get(key)
        if found is not None:
            return found
        code, _, name = key.partition(".")
        if code == "survival" and name.startswith("silent_"):
            return english.SILENT
        return english.RIGHTS[name] if code in _RIGHT_CODES else key

    def _fill(self, values: dict[str, Any]) -> _Values:
        filled = _Values()
        for name, value in values.items():
            filled[name] = self._word(name, value)
        status = values.get("status")
        if isinstance(status, Status):
            filled["start"] = str(status.start)
            filled["end"] = str(status.end)
            filled["since"] = str(status.on) if status.on is not None else str(status.start)
            filled["event"] = (status.event or "taken away").replace("_", " ")
        period = values.get("period")
        if isinstance(period, Period):
            filled["start"], filled["end"] = str(period.start), str(period.end)
        kind = values.get("kind")
        if isinstance(kind, str):
            filled["noun"] = english.NOUNS.get(kind, kind)
            filled["was"] = english.WAS.get(kind, "was recognised")
        if "clock" in values:
            day = values.get("day")
            shown = show_day(day) if isinstance(day, int) and day > EARLIEST else "an unknown day"
            filled["at"] = english.CLOCKS.get(values["clock"], "then").format(day=shown)
        self._fill_state(values, filled)
        if "reason" in values:
            on = values.get("on")
            filled["since"] = str(on) if on is not None else "that day"
            filled["loss"] = english.LOSSES[values["reason"]].format_map(filled)
        filled["see"] = f"; see {values['list']} {values.get('address') or ''}".rstrip() if values.get("list") else ""
        if isinstance(values.get("end"), When):
            filled["end_day"] = str(values["end"])
        return filled

    def _fill_state(self, values: dict[str, Any], filled: _Values) -> None:
        state = values.get("state")
        if isinstance(state, WorkingState):
            filled["begins"] = f" ({state.begins})" if state.begins is not None else ""
            filled["kind"] = english.KINDS[self.question.result.kind]
            clock = values.get("clock")
            filled["made"] = "shown" if clock == "presented" else english.MADE.get(self.question.result.kind, "issued")
        elif isinstance(state, ForceState):
            filled["state"] = state.state or "not in force"

    def _word(self, name: str, value: Any) -> str:
        if value is None:
            return {"body": "the issuer", "by": "the authority", "requirement": "this subject"}.get(name, "not stated")
        if isinstance(value, str):
            if name == "by":
                authority = self.facts.authorities.get(value)
                return authority.names.get("en", value) if authority is not None else value
            if name == "requirement":
                record = self.facts.requirements.get(value)
                return record.citation if record is not None else value
            return value.replace("_", " ") if name in ("kind", "product", "activity", "sector", "procedure") else value
        if isinstance(value, tuple | list | frozenset):
            return ", ".join(self._word("by" if name in ("authorities", "by") else "kind", part) for part in value)
        return str(value)


class _Values(dict[str, str]):
    """Values of a sentence; a name without a value shows itself, so that no sentence ever fails."""

    def __missing__(self, key: str) -> str:
        return key
