"""What is to be watched: read with all its faults, asked for the first time, and shown with its last answer."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from datetime import date
from itertools import chain
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.engine.effort import TooDear
from cab_registry.engine.facts import Facts
from cab_registry.register.compiled import Register
from cab_registry.services.asking import list_market_faults
from cab_registry.services.narrowing import Narrowing
from cab_registry.services.watching.targets import Label, Target, list_target_faults, tidy_target
from cab_registry.services.watching.watch_desk import OverLimit, TooMuchAsked, WatchDesk
from cab_registry.services.watching.watched_answers import Answered, Asker
from cab_registry.storage.canonical import NotCanonical, canonical_bytes
from cab_registry.storage.watch_keeping import StoredTarget
from cab_registry.storage.watches import NewWatched

PORTFOLIO: Final = "portfolio"

_TURN: Final = 100
"""Steps after which others have their turn."""


class WatchRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that somebody wants to be told of."""

    targets: Annotated[
        tuple[Target, ...],
        Meta(
            min_length=1, description="What is watched; several make a portfolio, whose rows have names of their own."
        ),
    ]
    name: Annotated[Label, Meta(description="The watcher's own name for it.")] = ""
    endpoint: Annotated[
        str | None, Meta(description="Id of the endpoint of one's own to which notices go; null: they are only read.")
    ] = None
    mail: Annotated[
        str | None, Meta(description="Without an account: the mail address to which notices go once it is confirmed.")
    ] = None

    @property
    def kind(self) -> str:
        """Kind of the one target, or portfolio."""
        return self.targets[0].kind if len(self.targets) == 1 else PORTFOLIO


def tidy_request(document: Any) -> Any:
    """Return a request in which the kinds of results are the register's own codes, where they are spelled otherwise."""
    targets = document.get("targets") if isinstance(document, dict) else None
    if not isinstance(targets, list):
        return document
    return {**document, "targets": [tidy_target(each) for each in targets]}


class TargetShown(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is watched, with its last answer."""

    number: Annotated[int, Meta(description="Its place; the `after` of what follows it.")]
    target: Target
    position: Annotated[int, Meta(description="Position of the log up to which changes of it are known here.")]
    answered: Annotated[Answered | None, Meta(description="The last answer, of a question.")]
    turns_on: Annotated[date | None, Meta(description="The day on which the answer becomes another one.")]


def show_target(stored: StoredTarget) -> TargetShown:
    """Show what is kept."""
    return TargetShown(
        number=stored.number,
        target=msgspec.convert(stored.target, Target),
        position=stored.position,
        answered=None if stored.answered is None else msgspec.convert(stored.answered, Answered),
        turns_on=stored.turns_on,
    )


def name_rows(request: WatchRequest) -> WatchRequest:
    """Return a request in which each row of a portfolio has a name: its number, where the watcher gave none."""
    if len(request.targets) == 1:
        return request
    named = tuple(
        each if each.row else msgspec.structs.replace(each, row=str(number))
        for number, each in enumerate(request.targets, 1)
    )
    return msgspec.structs.replace(request, targets=named)


async def ask_targets(
    watches: WatchDesk, register: Register, request: WatchRequest, most: int, more: Sequence[Fault] = ()
) -> list[NewWatched]:
    """Ask everything that is to be watched of a register, for today, in a thread.

    Args:
        watches: the desk.
        register: at the position from which changes are told.
        request: what is to be watched.
        most: how many rows there may be.
        more: faults that were found in the request before.

    Raises:
        OverLimit: there are more rows, or their questions take more work than one request may.
        Shed: too many others wait.
        Refusal: something cannot be watched; every fault of every row is listed, and `more` before them.
    """
    if len(request.targets) > most:
        raise OverLimit("rows of one watch", most, pointer="/targets")
    today = watches.desk.today
    steps = max(watches.limits.least_steps, watches.limits.steps * len(request.targets))
    return await watches.room.run_in_turns(_ask(register, today, request, tuple(more), steps))


def _ask(
    register: Register, today: int, request: WatchRequest, more: tuple[Fault, ...], steps: int
) -> Generator[None, None, list[NewWatched]]:
    settled = [_settle(target, register.facts) for target in request.targets]
    unsettled = (
        Fault(f"/targets/{index}{fault.pointer}", fault.message)
        for index, (_, faults) in enumerate(settled)
        for fault in faults
    )
    listed = _list_faults(register, date.fromordinal(today), request)
    refusal = Refusal("this cannot be watched", chain(more, listed, unsettled))
    if refusal.faults:
        raise refusal
    asker = Asker(register.facts, today, most=steps)
    asked: list[NewWatched] = []
    turn = 0
    for number, (target, _) in enumerate(settled):
        if asker.steps - turn >= _TURN:
            turn = asker.steps
            yield
        try:
            asked.append(ask_one(asker, register.position, target))
        except TooDear:
            raise TooMuchAsked(number) from None
    return asked


def _settle(target: Target, facts: Facts) -> tuple[Target, tuple[Fault, ...]]:
    """Return a target whose scope is narrowed by the register's own codes, and what of it names nothing."""
    if target.kind != "scope":
        return target, ()
    narrowing = Narrowing(facts)
    settled = msgspec.structs.replace(
        target,
        requirement=narrowing.requirement("requirement", target.requirement),
        sector=narrowing.sector("sector", target.sector),
        destination=narrowing.economy("destination", target.destination),
    )
    return settled, narrowing.faults


def ask_one(asker: Asker, position: int, target: Target) -> NewWatched:
    """Return what is kept of one target, its question asked of the register at a position."""
    document: dict[str, Any] = msgspec.to_builtins(target)
    if target.question is None:
        return NewWatched(row=target.row, target=document, position=position, keys=target.keys)
    asked = asker.ask(target)
    return NewWatched(
        row=target.row,
        target=document,
        position=position,
        keys=[*target.keys, *asked.reach.own],
        law=asked.reach.law,
        answered=msgspec.to_builtins(asked.answered),
        turns_on=None if asked.turns_on is None else date.fromordinal(asked.turns_on),
    )


def _list_faults(register: Register, today: date, request: WatchRequest) -> Iterator[Fault]:
    if not request.name.isprintable():
        yield Fault("/name", "holds a character that cannot be printed")
    seen: dict[str, int] = {}
    for index, target in enumerate(request.targets):
        for fault in _list_row_faults(register, today, target):
            yield Fault(f"/targets/{index}{fault.pointer}", fault.message)
        first = seen.setdefault(target.row, index)
        if first != index:
            yield Fault(f"/targets/{index}/row", f"row {first} is called {target.row!r} already")


def _list_row_faults(register: Register, today: date, target: Target) -> Iterator[Fault]:
    try:
        canonical_bytes(msgspec.to_builtins(target))
    except NotCanonical as wrong:
        yield Fault(wrong.pointer, wrong.reason)
        return
    if not target.row.isprintable():
        yield Fault("/row", "holds a character that cannot be printed")
    yield from list_target_faults(target, register.facts, today)
    if target.question is not None:
        for fault in list_market_faults(target.question.destination, register.facts.economies):
            yield Fault(f"/question{fault.pointer}", fault.message)
