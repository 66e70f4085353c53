"""The procedure of an agreement, from its data: which step in the life of a right may come next.

No agreement is named here. What a text asks stands in the agreement's `procedure` and `objection`; a text that
says nothing refuses nothing. What holds for every right, whatever the text, stands in possible_steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from cab_registry.domain.codes import EventName
from cab_registry.domain.days import When
from cab_registry.domain.errors import Fault
from cab_registry.domain.records import Accreditation, Agreement, AnyRecord, Designation, Recognition
from cab_registry.domain.records.common import Sourced
from cab_registry.domain.records.law import Objection, Procedure
from cab_registry.domain.records.rights import RightEvent
from cab_registry.register import possible_steps
from cab_registry.register.compiled import Register
from cab_registry.register.compiled_rights import AnyRight, begin_by_silence, fit_objections
from cab_registry.register.procedure_case import ASKS, GIVES, Case, No, agreement_of, make_case

_STEPS: Final[dict[type, tuple[EventName, ...]]] = {
    Recognition: (
        "proposed", "notified", "objected", "verified", "recognised", "contested", "suspended", "restricted", "reduced",
        "reinstated", "notice_of_withdrawal", "proceedings_opened", "withdrawn", "annulled",
    ),
    Designation: (
        "proposed", "notified", "designated", "extended", "suspended", "restricted", "reduced", "reinstated",
        "withdrawn", "resigned", "annulled",
    ),
    Accreditation: (
        "granted", "extended", "confirmed", "renewal_requested", "renewed", "renewal_denied", "suspended", "restricted",
        "reduced", "inactive", "reinstated", "withdrawn", "resigned", "annulled",
    ),
}  # fmt: skip


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step that a right may or may not take on a day; where it may not, why, by which article, and from when on."""

    event: EventName
    allowed: bool
    reason: str | None = None
    article: str | None = None
    not_before: str | None = None


def check_steps(before: AnyRecord | None, after: AnyRecord, register: Register, today: int) -> list[Fault]:
    """List the steps of a right that its procedure does not allow, each with the article.

    Only events that `before` does not have are looked at: what is recorded already stays as it is.

    Args:
        before: the version on record; none for a new record.
        after: the version that is to follow.
        register: the register with the rest of the submission in it, so that an act of the other side is seen.
        today: the day on which it is entered.
    """
    if not isinstance(after, Recognition | Designation | Accreditation):
        return []
    known = _said(before) if isinstance(before, Recognition | Designation | Accreditation) else []
    said = _said(after)
    faults: list[Fault] = []
    for index in range(len(after.timeline)):
        if said[index] in known:
            known.remove(said[index])
            continue
        for no in judge(make_case(after, index, register, today)):
            article = f" ({no.article})" if no.article else ""
            faults.append(Fault(f"/timeline/{index}/{no.part}", f"{no.reason}{article}"))
    earlier = before if isinstance(before, Recognition | Designation | Accreditation) else None
    return [*faults, *possible_steps.find_unfounded(earlier, after)]


def _said(right: AnyRight) -> list[tuple[RightEvent, RightEvent | None]]:
    """Return the events, each with the one that it answers: an event that goes in before them moves their places."""
    bare = [msgspec.structs.replace(event, refers_to=None) for event in right.timeline]
    answered = [event.refers_to for event in right.timeline]
    return [
        (event, bare[place] if place is not None and place < len(bare) else None)
        for event, place in zip(bare, answered, strict=True)
    ]


def list_steps(right: AnyRight, register: Register, today: int) -> list[Step]:
    """Return the steps of a right with what its procedure says of each, were it taken today."""
    steps = []
    when = When(today, today)
    for name in _STEPS[type(right)]:
        timeline = (*right.timeline, RightEvent(event=name, on=when))
        tried = msgspec.structs.replace(right, timeline=timeline)
        no = next(iter(judge(make_case(tried, len(timeline) - 1, register, today))), None)
        if no is None:
            steps.append(Step(event=name, allowed=True))
        else:
            not_before = None if no.not_before is None else str(no.not_before)
            steps.append(Step(event=name, allowed=False, reason=no.reason, article=no.article, not_before=not_before))
    return steps


def judge(case: Case) -> Iterator[No]:
    """Yield why the event of a case is refused: first what holds for every right, then what the agreement says."""
    for rule in _RULES:
        no = rule(case)
        if no is not None:
            yield no
            return


def _nothing_open(case: Case) -> No | None:
    if case.event.event != "objected":
        return None
    opened, settled = case.last(*ASKS, "notice_of_withdrawal"), case.last(*GIVES)
    if opened > settled or (opened < 0 and settled < 0 and case.asked_elsewhere()):
        return None
    rule = case.procedure.suspension if case.procedure is not None else None
    if settled >= 0 or case.right.from_ is not None:
        return No(
            "the body is recognised already and no withdrawal is proposed; who doubts it contests it",
            rule.citation if rule is not None else None,
        )
    return No("nothing was proposed or notified that could be objected to")


def _too_late(case: Case) -> No | None:
    """Where silence recognises, an objection after the last day changes nothing."""
    asked = case.last("notified")
    if case.event.event != "objected" or asked < case.last("notice_of_withdrawal", *GIVES):
        return None
    if asked < 0 or not isinstance(case.right, Recognition) or case.right.from_ is not None:
        return None
    windows = find_windows(case.right, case.past[asked], case.register)
    starts = [begins for objection, begins in windows if objection.silence == "recognised" and begins is not None]
    if not starts or len(starts) < len(windows) or any(case.event.on.earliest < each.latest for each in starts):
        return None
    last = max(starts, key=lambda each: each.latest).moved(-1)
    reason = f"the time for objections ended on {last} and silence recognised the body; who doubts it contests it"
    return No(reason, cite(windows[0][0], case.agreement), "on")


def find_windows(right: Recognition, notified: RightEvent, register: Register) -> list[tuple[Objection, When | None]]:
    """Return the objection clocks that run for a right's scope items, and what day silence counts from for each."""
    agreement = agreement_of(right, register)
    if agreement is None:
        return []
    accreditations = [each for each, _ in register.records_of(right.body) if isinstance(each, Accreditation)]
    groups = fit_objections(right, agreement, accreditations, notified, register.law)
    return [(objection, begin_by_silence(notified.on, objection)) for _, objection in groups]


def _not_proposed(case: Case) -> No | None:
    rule = case.procedure.proposal if case.procedure is not None else None
    if rule is None or case.event.event not in ("recognised", "granted"):
        return None
    article = cite(rule, case.agreement)
    asked = case.last(*ASKS)
    if asked < 0 and not case.asked_elsewhere():
        return No("the body was not proposed: a proposal or notification comes before recognition", article)
    objected = case.last("objected")
    if objected <= case.last(*GIVES, "notice_of_withdrawal") or not rule.after_objection:
        return None
    earlier = [event for event in case.past[:objected] if event.event in ASKS]
    if earlier and not any(case.meets(event) for event in earlier):
        return None
    mended = case.last("verified") if "verified" in rule.after_objection else -1
    again = asked if "proposed" in rule.after_objection else -1
    if max(mended, again) > objected:
        return None
    ways = " or ".join(
        {"verified": "a verification", "proposed": "a new proposal"}[way] for way in rule.after_objection
    )
    when = case.past[objected].on
    return No(f"there was an objection on {when}; {ways} must follow before the body can be recognised", article)


def _not_contested(case: Case) -> No | None:
    procedure = case.procedure
    rule = procedure.suspension if procedure is not None else None
    if procedure is None or rule is None or case.event.event != "suspended":
        return None
    if case.last("contested") > case.last("reinstated"):
        return None
    if procedure.own_decision is not None and case.decided_at_home():
        return None
    reason = "the body was not contested: a suspension by the importing side follows a contest in writing"
    return No(f"{reason}{_own(procedure)}", cite(rule, case.agreement))


def _own(procedure: Procedure) -> str:
    own = procedure.own_decision
    return "" if own is None else f"; the designating side may decide by itself on its designation, under {own.key}"


def _not_announced(case: Case) -> No | None:
    procedure = case.procedure
    rule = procedure.withdrawal if procedure is not None else None
    if procedure is None or rule is None or case.event.event != "withdrawn":
        return None
    if procedure.own_decision is not None and case.decided_at_home():
        return None
    article = cite(rule, case.agreement)
    if rule.after == "contest":
        if case.last("contested", "suspended") >= 0:
            return None
        return No(f"the body was not contested: the importing side ends no listing by itself{_own(procedure)}", article)
    noticed = case.last("notice_of_withdrawal")
    if noticed <= case.last("reinstated", *GIVES):
        return No("no withdrawal was proposed: a notice to the other side and to the body comes first", article)
    if rule.opposed == "stays" and case.last("objected") > noticed:
        return No("the other side objected, so the body stays listed until a new notice is given", article)
    first = first_day(case.past[noticed].on, rule.notice_days)
    if case.event.on.latest < first.earliest:
        reason = f"the body has at least {rule.notice_days} days from the notice: not before {first}"
        return No(reason, article, "on", first)
    return None


def first_day(notice: When, days: int) -> When:
    """Return the first day after a period that the day of a notice opens; that day itself does not count."""
    return notice.moved(days + 1 if days else 0)


def cite(rule: Sourced, agreement: Agreement | None) -> str | None:
    """Return the article of a rule with the name of its agreement."""
    if agreement is None:
        return None
    name = agreement.short or agreement.title or agreement.id
    return f"{name}, {rule.citation}" if rule.citation else name


_RULES: Final[Sequence[Callable[[Case], No | None]]] = (
    *possible_steps.RULES,
    _nothing_open,
    _too_late,
    _not_proposed,
    _not_contested,
    _not_announced,
)
