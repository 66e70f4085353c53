"""The clocks that run in procedures: who must act on what, and until when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from cab_registry.domain.days import Truth, When
from cab_registry.domain.records import Agreement, Designation, Recognition
from cab_registry.domain.records.law import Objection, WithdrawalRule
from cab_registry.domain.records.rights import RightEvent, ScopeItem
from cab_registry.register.compiled import Register
from cab_registry.register.compiled_rights import begin_by_silence, runs_for
from cab_registry.register.procedure import cite, find_windows, first_day
from cab_registry.register.procedure_case import ASKS, SUSPENDS, TAKES, agreement_of, procedure_of, same_cover
from cab_registry.register.right_timelines import touches

_ANSWERS: Final = ("recognised", "granted", "objected", *TAKES)

ClockKind = Literal["proposal", "objection", "answer", "hearing", "withdrawal", "deadlock"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Something that waits for somebody.

    Attributes:
        kind: proposal: a designation waits to be taken up by the other side; objection: an objection may still come;
            answer: the other side owes an answer; hearing: the body may still answer a notice; withdrawal: a
            withdrawal may take effect; deadlock: a contest waits for a decision.
        record: id of the right.
        body: id of the body.
        agreement: id of the agreement.
        annex: key of its annex.
        waits_for: ids of the authorities, or codes of the parties, whose act it is.
        opened: the day from which it runs.
        last: the last day on which the act is in time; none where the text sets no day.
        then: what follows, in words.
        article: where the text says so.
    """

    kind: ClockKind
    record: str
    body: str
    agreement: str
    annex: str | None
    waits_for: tuple[str, ...]
    opened: When
    last: When | None
    then: str
    article: str | None

    def overdue(self, today: int) -> bool:
        """Whether the last day has certainly passed."""
        return self.last is not None and self.last.latest < today


def find_clocks(register: Register, today: int) -> list[Clock]:
    """Return the clocks that run on a day: those with a last day first, the earliest first."""
    found: list[Clock] = []
    for record, _ in register.records.values():
        if isinstance(record, Recognition) and record.timeline:
            found.extend(_of_recognition(record, register, today))
        elif isinstance(record, Designation) and record.timeline:
            found.extend(_of_designation(record, register, today))
    far = 10**9
    found.sort(key=lambda clock: (far if clock.last is None else clock.last.latest, clock.record, clock.kind))
    return found


def _come(record: Recognition | Designation, today: int) -> list[RightEvent]:
    """Return the events that have certainly come, in the order of their days."""
    come = [event for event in record.timeline if event.on.latest <= today]
    return sorted(come, key=lambda event: (event.on.earliest, event.on.latest))


def _last(events: list[RightEvent], *names: str) -> int:
    return max((place for place, event in enumerate(events) if event.event in names), default=-1)


def _of_recognition(record: Recognition, register: Register, today: int) -> Iterator[Clock]:
    agreement = agreement_of(record, register)
    if agreement is None:
        return
    events = _come(record, today)
    if record.from_ is None:
        yield from _proposed(record, agreement, events, register, today)
    yield from _leaving(record, agreement, events, register, today)


def _proposed(
    record: Recognition, agreement: Agreement, events: list[RightEvent], register: Register, today: int
) -> Iterator[Clock]:
    for asks, items in _open_asks(record, events):
        notified = asks.event == "notified"
        right = msgspec.structs.replace(record, scope=items)
        windows: list[tuple[Objection | None, When | None]] = []
        if notified:
            windows.extend(find_windows(right, asks, register))
        for objection, begins in windows or [(None, None)]:
            last = None if begins is None else begins.moved(-1)
            silence = "silent" if objection is None else objection.silence
            if silence == "recognised" and last is not None and last.latest < today:
                continue
            yield Clock(
                kind="objection" if silence == "recognised" else "answer",
                record=record.id,
                body=record.body,
                agreement=agreement.id,
                annex=record.annex,
                waits_for=(record.by,),
                opened=asks.on,
                last=last,
                then=_after_silence(objection, begins),
                article=cite(objection, agreement) if objection is not None else None,
            )


def _open_asks(record: Recognition, events: list[RightEvent]) -> Iterator[tuple[RightEvent, tuple[ScopeItem, ...]]]:
    """Yield what was asked for and not answered yet, item by item; without items, what was asked for last."""
    asks = [place for place, event in enumerate(events) if event.event in ASKS]
    items: tuple[ScopeItem | None, ...] = record.scope or (None,)
    found: dict[int, list[ScopeItem]] = {}
    for item in items:
        own = [place for place in asks if item is None or touches(events[place], item)]
        place = max((each for each in own if events[each].event == "notified"), default=max(own, default=-1))
        later = events[max(own, default=0) :]
        answered = (each for each in later if each.event in _ANSWERS and (item is None or touches(each, item)))
        if place >= 0 and next(answered, None) is None:
            same = (
                each
                for each in asks
                if (events[each].event, events[each].on) == (events[place].event, events[place].on)
            )
            found.setdefault(next(same), []).extend([] if item is None else [item])
    for place, open_items in sorted(found.items()):
        yield events[place], tuple(open_items)


def _after_silence(objection: Objection | None, begins: When | None) -> str:
    if objection is None or objection.silence == "silent":
        return "the text does not say what silence means"
    if objection.silence == "recognised":
        return "without an objection the body is recognised" + ("" if begins is None else f" from {begins} on")
    return "only an answer recognises the body; silence does not"


def _leaving(
    record: Recognition, agreement: Agreement, events: list[RightEvent], register: Register, today: int
) -> Iterator[Clock]:
    procedure = procedure_of(record, agreement)
    if procedure is None or _last(events, *TAKES) > _last(events, "reinstated", "recognised", "annulled"):
        return
    contested = _last(events, "contested")
    rule = procedure.suspension
    if rule is not None and contested > _last(events, *SUSPENDS, "verified", "reinstated", "recognised"):
        opened = events[contested].on
        days = rule.deadlock_days
        yield Clock(
            kind="deadlock",
            record=record.id,
            body=record.body,
            agreement=agreement.id,
            annex=record.annex,
            waits_for=(record.by,),
            opened=opened,
            last=None if days is None else opened.moved(days),
            then="the parties decide; " + ("until then the body stays" if days is None else "else it is suspended"),
            article=cite(rule, agreement),
        )
    noticed = _last(events, "notice_of_withdrawal")
    if procedure.withdrawal is not None and noticed > _last(events, "objected", "reinstated", "recognised"):
        yield from _withdrawing(record, agreement, procedure.withdrawal, events[noticed].on, register, today)


def _withdrawing(
    record: Recognition, agreement: Agreement, rule: WithdrawalRule, opened: When, register: Register, today: int
) -> Iterator[Clock]:
    first = first_day(opened, rule.notice_days)
    article = cite(rule, agreement)
    hearing = first.earliest > today
    yield Clock(
        kind="hearing" if hearing else "withdrawal",
        record=record.id,
        body=record.body,
        agreement=agreement.id,
        annex=record.annex,
        waits_for=(record.body,) if hearing else (record.by,),
        opened=opened if hearing else first,
        last=first.moved(-1) if hearing else None,
        then=f"a withdrawal may take effect from {first} on",
        article=article,
    )
    if rule.answer_days is not None:
        stays = "; opposed, the body stays" if rule.opposed == "stays" else ""
        yield Clock(
            kind="answer",
            record=record.id,
            body=record.body,
            agreement=agreement.id,
            annex=record.annex,
            waits_for=_designators(record, agreement, register),
            opened=opened,
            last=opened.moved(rule.answer_days),
            then=f"the other side confirms or opposes the withdrawal{stays}",
            article=article,
        )


def _designators(record: Recognition, agreement: Agreement, register: Register) -> tuple[str, ...]:
    """Return who designated the body under the agreement, else the parties of the other side."""
    found = {
        other.by
        for other, _ in register.records_of(record.body)
        if isinstance(other, Designation) and same_cover(record, other)
    }
    return tuple(sorted(found)) or _other_parties(record, agreement, register)


def _other_parties(record: Recognition | Designation, agreement: Agreement, register: Register) -> tuple[str, ...]:
    facts = register.facts
    economy = facts.economy_of(record.by)
    own = {record.by, *({economy, *(union for union, _ in facts.memberships.get(economy, ()))} if economy else ())}
    return tuple(code for code in agreement.parties if code not in own)


def _of_designation(record: Designation, register: Register, today: int) -> Iterator[Clock]:
    """Yield what a proposal waits for as long as the other side has no recognition record for it."""
    agreement = agreement_of(record, register)
    events = _come(record, today)
    asked = _last(events, *ASKS)
    if agreement is None or asked < 0 or _last(events, *TAKES) > asked:
        return
    others = (other for other, _ in register.records_of(record.body) if isinstance(other, Recognition))
    if any(same_cover(record, other) for other in others):
        return
    opened = events[asked].on
    objection = _first_objection(record.scope, record.annex, agreement, opened)
    begins = None if objection is None else begin_by_silence(opened, objection)
    yield Clock(
        kind="proposal",
        record=record.id,
        body=record.body,
        agreement=agreement.id,
        annex=record.annex,
        waits_for=_other_parties(record, agreement, register),
        opened=opened,
        last=None if begins is None else begins.moved(-1),
        then="the other side opens its own record, objects or recognises",
        article=cite(objection, agreement) if objection is not None else None,
    )


def _first_objection(
    scope: tuple[ScopeItem, ...], annex: str | None, agreement: Agreement, opened: When
) -> Objection | None:
    """Return the shortest clock that may run: whether the other side sees an accreditation is its own to say."""
    listed = agreement.objection if isinstance(agreement.objection, tuple) else (agreement.objection,)
    asked = {item.requirement for item in scope}
    fits = [
        each
        for each in listed
        if (not each.annexes or annex in each.annexes)
        and (not each.requirements or asked & set(each.requirements))
        and runs_for(each, opened) is not Truth.NO
    ]
    narrow = [each for each in fits if each.requirements]
    return next(iter(narrow or fits), None)
