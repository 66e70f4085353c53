"""What waits for an authority: approvals, the clocks of procedures, and rights of its that are about to expire."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from cab_registry.domain.days import LATEST, show_day
from cab_registry.domain.records import Accreditation, Designation, Recognition
from cab_registry.engine.facts import IssuerFacts, RightFacts, RightState
from cab_registry.register.compiled import Register
from cab_registry.register.ownership import speaks_for
from cab_registry.register.procedure_clocks import Clock, find_clocks
from cab_registry.services.desk import Desk
from cab_registry.services.naming import name_in
from cab_registry.services.submitted import LARGEST_PAGE, Submitted, list_waiting
from cab_registry.services.tokens import Principal

AHEAD: Final = 120
"""How many days before its end a right is told."""

WaitingKind = Literal["approval", "proposal", "objection", "answer", "hearing", "withdrawal", "deadlock", "expiry"]


class InboxItem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that waits for somebody's act."""

    kind: Annotated[
        WaitingKind,
        Meta(
            description="approval: of a submission; proposal: to be taken up; objection: one may still be made; "
            "answer: one is owed; hearing: the body may still answer; withdrawal: it may take effect; deadlock: a "
            "contest waits for a decision; expiry: a right ends."
        ),
    ]
    due: Annotated[str | None, Meta(description="The last day on which the act is in time; null: none is set.")]
    overdue: Annotated[bool, Meta(description="Whether that day has certainly passed.")] = False
    since: Annotated[str | None, Meta(description="Since when it waits.")] = None
    record: Annotated[str | None, Meta(description="Id of the right.")] = None
    body: Annotated[str | None, Meta(description="Id of the body.")] = None
    agreement: str | None = None
    submission: Annotated[str | None, Meta(description="Id of the submission that waits for approval.")] = None
    words: Annotated[str, Meta(description="What it is about, and what follows.")]
    article: Annotated[str | None, Meta(description="Where the text says so.")] = None


class Inbox(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for an authority, by its clock: what is due first, then what has no day."""

    authority: str
    as_of: Annotated[str, Meta(description="The day on which it was looked at.")]
    position: Annotated[int, Meta(description="Position of the register that was read.")]
    items: list[InboxItem]


async def read_inbox(desk: Desk, principal: Principal, at_least: int | None = None) -> Inbox:
    """Read what waits for the authority of a principal.

    Raises:
        OperationalFault: the database cannot serve now, or the register is not loaded or not at the position.
    """
    held = desk.heads.current() if at_least is None else await desk.heads.at_least(at_least)
    waiting = [_show_approval(each) for each in await list_waiting(desk.engine, principal, limit=LARGEST_PAGE)]
    found = await asyncio.to_thread(_look_through, held.register, principal.authority, desk.today)
    items = sorted([*waiting, *found], key=lambda each: (each.due or "~", each.since or "", each.words))
    return Inbox(authority=principal.authority, as_of=show_day(desk.today), position=held.position, items=items)


def _look_through(register: Register, authority: str, today: int) -> list[InboxItem]:
    law = register.law
    heard: dict[str, bool] = {}

    def is_theirs(by: str) -> bool:
        if by not in heard:
            heard[by] = speaks_for(authority, by, law)
        return heard[by]

    clocks = (clock for clock in find_clocks(register, today) if any(is_theirs(each) for each in clock.waits_for))
    rights = (
        (issuer, right)
        for issuer in register.facts.issuers.values()
        for right in (*issuer.recognitions, *issuer.designations, *issuer.accreditations)
        if is_theirs(right.by)
    )
    name_of = name_in(register)
    return [
        *(_show_clock(clock, name_of(clock.body), today) for clock in clocks),
        *(each for issuer, right in rights for each in _expiries(register, issuer, right, today)),
    ]


def _show_approval(submitted: Submitted) -> InboxItem:
    shown = submitted.public
    records = ", ".join(version.id for version in shown.versions[:3]) or shown.kind
    more = f" and {len(shown.versions) - 3} more" if len(shown.versions) > 3 else ""
    reason = f": {shown.public_reason}" if shown.public_reason else ""
    return InboxItem(
        kind="approval",
        due=None,
        since=shown.created.date().isoformat(),
        submission=shown.id,
        words=f"{records}{more}{reason}",
    )


def _show_clock(clock: Clock, body: str, today: int) -> InboxItem:
    return InboxItem(
        kind=clock.kind,
        due=None if clock.last is None else show_day(clock.last.latest),
        overdue=clock.overdue(today),
        since=show_day(clock.opened.earliest) if clock.opened.earliest > 0 else None,
        record=clock.record,
        body=clock.body,
        agreement=clock.agreement,
        words=f"{body}: {clock.then}",
        article=clock.article,
    )


def _expiries(register: Register, issuer: IssuerFacts, right: RightFacts, today: int) -> Iterator[InboxItem]:
    """Yield one line for each day within reach on which items of a right expire."""
    ends: dict[int, list[int]] = {}
    for index, item in enumerate(right.items):
        timeline = item.timeline(today)
        _, last = timeline.stretch(today)
        if timeline.at(today).state != RightState.HELD or not today <= last <= min(today + AHEAD, LATEST - 1):
            continue
        if timeline.at(last + 1).state == RightState.EXPIRED:
            ends.setdefault(last, []).append(index)
    record = register.records[right.record].record if right.record in register.records else None
    for last, items in sorted(ends.items()):
        whole = len(items) == len(right.items)
        keys = [
            record.scope[index].key or str(index)
            for index in items
            if isinstance(record, Accreditation | Designation | Recognition) and index < len(record.scope)
        ]
        part = "" if whole else f", items {', '.join(keys)}"
        yield InboxItem(
            kind="expiry",
            due=show_day(last),
            record=right.record,
            body=issuer.id,
            agreement=right.agreement,
            words=f"{name_in(register)(issuer.id)}: the {right.kind}{part} ends after {show_day(last)}",
        )
