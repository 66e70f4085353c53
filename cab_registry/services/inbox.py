"""What waits for an authority: approvals, the clocks of procedures, and what of its concerns is about to end."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cab_registry.domain.days import ALWAYS, show_day
from cab_registry.domain.records import Designation, Recognition
from cab_registry.engine.representation import speaks_for
from cab_registry.register.compiled import Register
from cab_registry.register.ending import RIGHTS, Ending
from cab_registry.register.endings import due_within, find_late
from cab_registry.register.lookalikes import Alike, list_alike
from cab_registry.register.numbers import Taken, list_taken
from cab_registry.register.procedure_clocks import Clock, find_clocks
from cab_registry.services.describing import NameOf
from cab_registry.services.desk import Desk
from cab_registry.services.expiries import AHEAD, is_overdue, tell_ending
from cab_registry.services.naming import name_in
from cab_registry.services.other_side import OtherStep, find_own_titles, read_other_steps
from cab_registry.services.submitted import LARGEST_PAGE, Submitted, list_waiting
from cab_registry.services.tokens import Principal

WaitingKind = Literal[
    "approval",
    "step",
    "proposal",
    "objection",
    "answer",
    "hearing",
    "withdrawal",
    "deadlock",
    "expiry",
    "edition",
    "signatory",
    "agreement",
    "annex",
    "route",
    "requirement",
    "membership",
    "confirmation",
    "review",
    "look_alike",
]


class InboxItem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that waits for somebody's act."""

    kind: Annotated[
        WaitingKind,
        Meta(
            description="approval: of a submission; step: the other side took one, which is told until it is answered, "
            "or for some weeks; proposal: to be taken up; objection: one may still be made; "
            "answer: one is owed; hearing: the body may still answer; withdrawal: it may take effect; deadlock: a "
            "contest waits for a decision; expiry: a right ends; edition: the edition to which a body is accredited; "
            "signatory: a status in an arrangement; agreement, annex: its force or its working; route, requirement, "
            "membership: something in it ends; confirmation: an open-ended accreditation is to be confirmed; review: "
            "one that the text foresees; look_alike: a record of others has the name of one of the authority's, or one "
            "that looks like it, or a number that others give than whoever entered it."
        ),
    ]
    due: Annotated[str | None, Meta(description="The last day on which the act is in time; null: none is set.")]
    overdue: Annotated[bool, Meta(description="Whether that day has certainly passed.")] = False
    since: Annotated[str | None, Meta(description="Since when it waits.")] = None
    record: Annotated[str | None, Meta(description="Id of the right.")] = None
    body: Annotated[str | None, Meta(description="Id of the body.")] = None
    agreement: str | None = None
    submission: Annotated[
        str | None, Meta(description="Id of the submission that waits for approval, or that entered the step.")
    ] = None
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
    found, heard = await asyncio.to_thread(_look_through, desk, held.register, principal.authority)
    titles = await asyncio.to_thread(find_own_titles, held.register, principal.authority, heard)
    steps = await read_other_steps(desk.engine, principal.authority, titles)
    name_of = cache(name_in(held.register))
    # A proposal that waits to be taken up is told by its clock.
    proposals = {each.record for each in found if each.kind == "proposal"}
    told = [_show_step(each, name_of) for each in steps if each.record not in proposals]
    items = sorted([*waiting, *found, *told], key=lambda each: (each.due or "~", each.since or "", each.words))
    return Inbox(authority=principal.authority, as_of=show_day(desk.today), position=held.position, items=items)


def _look_through(desk: Desk, register: Register, authority: str) -> tuple[list[InboxItem], list[str]]:
    """Return what waits by the register, and the authorities and codes met for which the authority speaks."""
    today = desk.today
    heard: dict[str, bool] = {}

    def is_theirs(by: str) -> bool:
        if by not in heard:
            heard[by] = speaks_for(authority, by, register.law)
        return heard[by]

    givers = {record.by for record, _ in register.records.values() if isinstance(record, Designation | Recognition)}
    clocks = (clock for clock in find_clocks(register, today) if any(is_theirs(each) for each in clock.waits_for))
    endings = desk.horizon.endings_of(register)
    late = (ending for ending in find_late(register, endings, today) if is_overdue(ending, today))
    soon = (
        ending
        for ending in (*late, *due_within(endings, today, AHEAD))
        if any(is_theirs(each) for each in ending.concerned)
    )
    name_of = cache(name_in(register))
    items = [
        *(_show_clock(clock, name_of(clock.body), today) for clock in clocks),
        *(_show_ending(ending, name_of, today) for ending in soon),
        *(_show_alike(each, register) for each in list_alike(register, authority)),
        *map(_show_taken, list_taken(register, authority)),
    ]
    return items, [by for by in givers if is_theirs(by)]


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


def _show_step(step: OtherStep, name_of: NameOf) -> InboxItem:
    reason = f": {step.reason}" if step.reason else ""
    return InboxItem(
        kind="step",
        due=None,
        since=step.on,
        record=step.record,
        body=step.body,
        agreement=step.agreement,
        submission=step.submission,
        words=f"{name_of(step.body)}: {name_of(step.by)} {step.did} on {step.on}{reason}",
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


def _show_alike(alike: Alike, register: Register) -> InboxItem:
    owner = register.records[alike.other].record.owner
    return InboxItem(
        kind="look_alike",
        due=None,
        record=alike.record,
        words=f"{alike.other} of {owner} is called {alike.other_name!r}; {alike.record} is called {alike.name!r}",
    )


def _show_taken(taken: Taken) -> InboxItem:
    number = f"the number {taken.value!r} of {taken.scheme}, which {taken.owner} does not give"
    return InboxItem(kind="look_alike", due=None, record=taken.record, words=f"{taken.record} has {number}")


def _show_ending(ending: Ending, name_of: NameOf, today: int) -> InboxItem:
    return InboxItem(
        kind="expiry" if ending.kind in RIGHTS else ending.kind,  # type: ignore[arg-type]  # the kinds beside rights
        due=None if ending.on == ALWAYS else show_day(ending.due),
        overdue=is_overdue(ending, today),
        record=ending.record,
        body=ending.body,
        agreement=ending.agreement,
        words=tell_ending(ending, name_of),
    )
