"""What ends soon: found for a day, narrowed, counted by authority, and shown in pages."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from cab_registry.domain.days import ALWAYS, LAST_DAY, show_day
from cab_registry.domain.errors import Fault
from cab_registry.engine.representation import speaks_for
from cab_registry.register.compiled import Register
from cab_registry.register.ending import CLOCKS, RIGHTS
from cab_registry.register.endings import (
    Ending,
    EndingKind,
    due_within,
    find_endings,
    find_late,
    find_running,
    is_of,
)
from cab_registry.services.describing import NameOf
from cab_registry.services.naming import name_in
from cab_registry.services.narrowing import Narrowing
from cab_registry.services.views import LARGEST_PAGE, Given, State, View, Viewing, WrongParameters, cut_page

AHEAD: Final = 120
"""How many days one looks ahead where nothing else is said."""

FURTHEST: Final = 3660
"""How many days one may look ahead: ten years."""

_KEPT: Final = 2


class ExpiryFilter(Viewing, frozen=True, kw_only=True):
    """Which endings are meant; all parameters that are given must be met."""

    within: Annotated[
        str,
        Meta(
            pattern=r"^[0-9]{1,4}d?$(?!\n)",
            description=f"How many days ahead, as `120d` or `120`; at most {FURTHEST}.",
        ),
    ] = f"{AHEAD}d"
    as_of: Annotated[date | None, Meta(description="The day on which one looks. Default: today.")] = None
    authority: Annotated[
        Given | None,
        Meta(
            description="Id of an authority that owns or gives what ends, or whom it concerns, be it as the successor "
            "of another or as the one that speaks for its economy."
        ),
    ] = None
    accreditation_body: Annotated[
        Given | None, Meta(description="Id of the accreditation body whose accreditation or status it is.")
    ] = None
    body: Annotated[Given | None, Meta(description="Id of the body.")] = None
    agreement: Annotated[Given | None, Meta(description="Id of the agreement or arrangement.")] = None
    kind: Annotated[EndingKind | None, Meta(description="What ends.")] = None


class ExpirySearch(ExpiryFilter, frozen=True, kw_only=True):
    """The same, page by page."""

    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE, description="Items on a page.")] = 100
    cursor: Annotated[
        Given | None, Meta(description="Where the page before ended; bound to its state of the register.")
    ] = None


class Expiry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that ends, or that is to be done by a day."""

    key: Annotated[str, Meta(description="Names the fact and its last day; stays the same while these do.")]
    kind: EndingKind
    due_on: Annotated[
        str | None,
        Meta(description="The last valid day, the earliest possible one of a window; null: no day is on record."),
    ]
    on: Annotated[Any, Meta(description="The last valid day, or the window in which it lies.")]
    remaining: Annotated[int | None, Meta(description="Days from the day asked about to `due_on`.")]
    overdue: Annotated[bool, Meta(description="Whether the last day has passed and the act is still owed.")]
    words: Annotated[str, Meta(description="It in one sentence.")]
    record: Annotated[str, Meta(description="Id of the record that says so.")]
    version: int
    owner: Annotated[str, Meta(description="Id of the authority whose record it is.")]
    by: Annotated[str | None, Meta(description="The authority, or the party's code, that gives it.")]
    body: str | None
    agreement: str | None
    accreditation_body: str | None
    items: Annotated[tuple[str, ...], Meta(description="Keys of the scope items that end; empty: the whole.")]
    requirements: tuple[str, ...]
    concerns: Annotated[
        tuple[str, ...], Meta(description="Further authorities or economies whom it concerns, by id or code.")
    ]


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a list are somebody's."""

    id: str
    name: str
    count: int


class ExpirySummary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over the whole list, the largest first."""

    total: int
    overdue: int
    by_authority: Annotated[list[Counted], Meta(description="By who gives it; where nobody does, by the owner.")]
    by_accreditation_body: list[Counted]
    by_kind: list[Counted]


class ExpiryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of what ends, what is due first above."""

    items: list[Expiry]
    next: Annotated[str | None, Meta(description="Cursor of the next page; null: this is the last.")]
    as_of: str
    until: Annotated[str, Meta(description="The last day up to which was looked.")]
    summary: ExpirySummary
    state: State


class Horizon:
    """What ends in a register, found once for each register; the last few are kept."""

    def __init__(self) -> None:
        self._kept: list[tuple[Register, tuple[Ending, ...]]] = []
        self._lock = threading.Lock()

    def endings_of(self, register: Register) -> tuple[Ending, ...]:
        """Return what `find_endings` gives; blocks while it is found."""
        with self._lock:
            for kept, endings in self._kept:
                if kept is register:
                    return endings
            found = find_endings(register)
            self._kept = [(register, found), *self._kept[: _KEPT - 1]]
            return found


def list_expiries(view: View, wanted: ExpirySearch, horizon: Horizon) -> ExpiryPage:
    """Return a page of what fits, in the order of last days, with counts over all of it.

    Raises:
        WrongParameters: one looks further ahead than is allowed.
    """
    day = (wanted.as_of or view.today).toordinal()
    found = find_expiring(view.held.register, horizon.endings_of(view.held.register), day, wanted)
    page, following = cut_page(found, _place, wanted, view)
    name_of = cache(name_in(view.held.register))
    return ExpiryPage(
        items=[show_expiry(ending, day, name_of) for ending in page],
        next=following,
        as_of=show_day(day),
        until=show_day(min(day + read_within(wanted.within), LAST_DAY)),
        summary=_count(found, day, name_of),
        state=view.state,
    )


def list_whole(view: View, wanted: ExpiryFilter, horizon: Horizon) -> list[Expiry]:
    """Return all that fits, in the order of last days, for what has no pages: tables and calendars.

    Raises:
        WrongParameters: one looks further ahead than is allowed.
    """
    register = view.held.register
    day = (wanted.as_of or view.today).toordinal()
    name_of = cache(name_in(register))
    return [
        show_expiry(ending, day, name_of)
        for ending in find_expiring(register, horizon.endings_of(register), day, wanted)
    ]


def find_expiring(register: Register, endings: Sequence[Ending], today: int, wanted: ExpiryFilter) -> list[Ending]:
    """Return what fits of what is due, running or late on a day, in the order of last days.

    Args:
        register: the register.
        endings: its endings, as `find_endings` gives them.
        today: the day on which one looks.
        wanted: what is meant.

    Raises:
        WrongParameters: one looks further ahead than is allowed, or what narrows the list names nothing.
    """
    days, meant = read_within(wanted.within), _read_words(wanted, register, endings)
    running = (each for each in find_running(register, today) if each.due <= today + days)
    found = (*find_late(register, endings, today), *due_within(endings, today, days), *running)
    return sorted((each for each in found if _fits(each, meant, register)), key=_place)


def _read_words(wanted: ExpiryFilter, register: Register, endings: Sequence[Ending]) -> ExpiryFilter:
    """Return a filter in the register's own ids; one that stands on record is taken, be there no record that has it."""

    def stands(text: str) -> bool:
        ends = (each for each in endings if text in (each.by, each.body, each.agreement, each.accreditation_body))
        return any(ends) or any(text == versioned.record.owner for versioned in register.records.values())

    narrowing = Narrowing(register.facts, stands)
    meant = msgspec.structs.replace(
        wanted,
        authority=narrowing.authority("authority", wanted.authority),
        accreditation_body=narrowing.authority("accreditation_body", wanted.accreditation_body),
        body=narrowing.body("body", wanted.body),
        agreement=narrowing.agreement("agreement", wanted.agreement),
    )
    narrowing.close()
    return meant


def read_within(written: str) -> int:
    """Read how many days ahead one looks.

    Raises:
        WrongParameters: further than is allowed.
    """
    days = int(written.removesuffix("d"))
    if days > FURTHEST:
        raise WrongParameters([Fault("/within", f"{FURTHEST} days is the most")])
    return days


def _fits(ending: Ending, wanted: ExpiryFilter, register: Register) -> bool:
    if wanted.kind not in (None, ending.kind) or wanted.body not in (None, ending.body):
        return False
    if wanted.agreement not in (None, ending.agreement):
        return False
    if wanted.accreditation_body is not None:
        given = ending.accreditation_body
        if given is None or not speaks_for(wanted.accreditation_body, given, register.law):
            return False
    return wanted.authority is None or is_of(ending, wanted.authority, register)


def _place(ending: Ending) -> str:
    """Where an ending stands in a list: a text, since cursors compare texts."""
    return f"{show_day(ending.due)} {ending.key}"


def _count(found: Iterable[Ending], today: int, name_of: NameOf) -> ExpirySummary:
    authorities: Counter[str] = Counter()
    accreditors: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    overdue = 0
    for ending in found:
        authorities[ending.by or ending.owner] += 1
        kinds[ending.kind] += 1
        overdue += is_overdue(ending, today)
        if ending.accreditation_body is not None:
            accreditors[ending.accreditation_body] += 1
    return ExpirySummary(
        total=kinds.total(),
        overdue=overdue,
        by_authority=_show_counts(authorities, name_of),
        by_accreditation_body=_show_counts(accreditors, name_of),
        by_kind=_show_counts(kinds, str),
    )


def _show_counts(counts: Counter[str], name_of: NameOf) -> list[Counted]:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Counted(id=key, name=name_of(key), count=number) for key, number in ordered]


def is_overdue(ending: Ending, today: int) -> bool:
    """Whether an act is owed whose last day has certainly passed: of what merely ends, nothing is owed."""
    return ending.certain < today and (ending.kind == "confirmation" or ending.kind in CLOCKS)


def show_expiry(ending: Ending, today: int, name_of: NameOf) -> Expiry:
    """Return an ending as it is shown on a day."""
    known = ending.on != ALWAYS
    return Expiry(
        key=ending.key,
        kind=ending.kind,
        due_on=show_day(ending.due) if known else None,
        on=ending.on.plain(),
        remaining=ending.due - today if known else None,
        overdue=is_overdue(ending, today),
        words=tell_ending(ending, name_of),
        record=ending.record,
        version=ending.version,
        owner=ending.owner,
        by=ending.by,
        body=ending.body,
        agreement=ending.agreement,
        accreditation_body=ending.accreditation_body,
        items=ending.items,
        requirements=ending.requirements,
        concerns=ending.concerns,
    )


def tell_ending(ending: Ending, name_of: NameOf) -> str:
    """Say in one sentence what ends, of whom, and when."""
    subject = name_of(ending.body or ending.record)
    then = f" ({ending.then})" if ending.then else ""
    if ending.kind in CLOCKS:
        return f"{subject}: {ending.what}{then}; in time up to {ending.on}"
    if ending.kind == "review":
        return f"{subject}: review on {ending.on}: {ending.what}"
    if ending.kind == "confirmation":
        if ending.on == ALWAYS:
            return f"{subject}: {ending.what} was never confirmed"
        return f"{subject}: {ending.what} is to be confirmed by {ending.on}"
    part = f", items {', '.join(ending.items)}" if ending.items else ""
    by = f" by {name_of(ending.by)}" if ending.kind in RIGHTS and ending.by is not None else ""
    ends = f"ends after {ending.on}" if ending.on.exact else f"ends, last valid day: {ending.on}"
    return f"{subject}: {ending.what}{by}{part} {ends}{then}"
