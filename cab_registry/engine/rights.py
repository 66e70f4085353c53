"""What the issuer holds on the days that count: designation, recognition, accreditation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from cab_registry.domain.days import ALWAYS, EARLIEST, LATEST, NEVER, Truth, When
from cab_registry.domain.folding import fold
from cab_registry.domain.question import Span
from cab_registry.domain.records.route import Cover, RightRule
from cab_registry.engine.attested import replaced
from cab_registry.engine.facts import Facts, ItemFacts, RightFacts, RightState, RouteFacts, Status
from cab_registry.engine.inquiry import View
from cab_registry.engine.mandate import gives_rights, in_office

NOTHING = Status(RightState.NONE, None, None, NEVER, ALWAYS)

_YEAR: Final = 365

TAKEN = (RightState.SUSPENDED, RightState.WITHDRAWN)

Pairs = list[tuple[RightFacts, ItemFacts, Cover]]


class Held(NamedTuple):
    """The best status on one day, and the right and item that give it."""

    status: Status
    right: RightFacts | None = None
    item: ItemFacts | None = None
    clock: str = ""
    day: int = 0
    scope_open: bool = False

    @property
    def state(self) -> RightState:
        """State of the right."""
        return self.status.state


def name_window(status: Status) -> str:
    """Name what is not known to the day of a right: its beginning, its end, or another change."""
    if RightState.NOT_YET in status.possible:
        begins = status.possible <= {RightState.NOT_YET, RightState.HELD} and status.start.latest < LATEST
        return "begin_window" if begins else "window"
    ends = status.possible == {RightState.HELD, RightState.EXPIRED} and status.end.earliest > EARLIEST
    return "end_window" if ends else "window"


class Gate(NamedTuple):
    """What a route asks, day by day, of whoever gave a right, and the days on which that may change."""

    admits: Callable[[RightFacts, int], Truth]
    turns: frozenset[int] = frozenset()


class Wanted(NamedTuple):
    """What a scope must name: ids of the requirement under which rights may be held, and product classes."""

    ids: frozenset[str]
    classes: frozenset[str]


def given_by(view: View, rf: RouteFacts, accepted: Iterable[str], right: RightFacts) -> bool:
    """Whether a right was given by one of those that a rule accepts, whose office it was on that day."""
    by = right.actor
    if by is None:
        return False
    named = _is_named(view, rf, accepted, by)
    return (named or (named is None and gives_rights(view.facts, by))) and in_office(view.facts, right)


def is_named(view: View, rf: RouteFacts, accepted: Iterable[str], by: str) -> bool:
    """Whether an authority, or a party that stands for its authority, is one of those that a rule accepts."""
    return _is_named(view, rf, accepted, by) is not False


def _is_named(view: View, rf: RouteFacts, accepted: Iterable[str], by: str) -> bool | None:
    """Whether a rule accepts an authority; None where it is accepted as any authority of its side.

    The importing side of a route into a union is the union: a member does not recognise for it.
    """
    facts = view.facts
    economy = facts.economy_of(by)
    of_side = False
    for word in accepted:
        if word == "exporter":
            of_side = of_side or (economy is not None and economy in view.inquiry.issuer_parties)
        elif word == "importer":
            wide = "WORLD" in rf.importer_codes
            importers = view.destination_parties if wide else view.destination_parties & rf.importer_codes
            of_side = of_side or (economy is not None and economy in importers)
        elif by in facts.same_authority(word) or word == by:
            return True
        elif word in facts.authorities:
            if by not in facts.authorities and by == facts.authorities[word].economy:
                return True
        elif economy == word:
            of_side = True
        elif economy is not None and word not in rf.importer_codes:
            of_side = of_side or word in facts.side(economy, view.inquiry.issued.first)
    return None if of_side else False


def covered(right: RightFacts, rf: RouteFacts, covers: tuple[Cover, ...]) -> Cover | None:
    """Return the cover under which a right counts for a route, or None."""
    if not covers:
        return _OWN if _own_cover(right, rf) else None
    for cover in covers:
        if cover.any:
            return cover
        if cover.agreement is None and cover.scheme is None:
            if _own_cover(right, rf):
                return cover
        elif cover.agreement is not None:
            if right.agreement == cover.agreement and (
                cover.annex is None or right.annex is None or right.annex == cover.annex
            ):
                return cover
        elif right.agreement is None and right.scheme in (None, cover.scheme):
            return cover
    return None


_OWN = Cover()


def _own_cover(right: RightFacts, rf: RouteFacts) -> bool:
    route = rf.route
    if route.agreement is not None:
        return right.agreement == route.agreement and (
            right.annex is None or route.annex is None or right.annex == route.annex
        )
    return right.agreement is None and (right.scheme is None or right.scheme == route.scheme)


def find_wanted(view: View, rf: RouteFacts) -> Wanted:
    """Return what the scopes of the issuer's rights must name for a route."""
    return Wanted(held_as(view, rf), asked_classes(view, rf))


def item_fits(view: View, item: ItemFacts, wanted: Wanted) -> bool:
    """Whether a scope item speaks of the question's requirement, product class and kind of result.

    Where no requirement is stated, the scope cannot speak against it: the check `requirement` is open then.
    """
    if item.requirement is not None:
        if wanted.ids and item.requirement not in wanted.ids:
            return False
    elif item.standards:
        return False
    if item.product_classes and wanted.classes and not item.product_classes & wanted.classes:
        return False
    if item.without and (item.without & wanted.classes or view.question.result.kind in item.without):
        return False
    return not item.result_kinds or view.question.result.kind in item.result_kinds


def for_procedure(view: View, item: ItemFacts) -> bool:
    """Whether a scope item counts for the procedure of the question; one that is left out fits every item."""
    asked = view.question.subject.procedure
    return asked is None or (asked not in item.without and (not item.procedures or asked in item.procedures))


def names_method(view: View, item: ItemFacts, method: str) -> bool:
    """Whether a scope item names a method of the question, within what else it is limited to."""
    if item.text_only:
        return False
    ids = {method, *view.facts.citations.get(fold(method), ())}
    if item.requirement not in ids and fold(method) not in {fold(standard) for standard in item.standards}:
        return False
    asked, kind = view.question.subject.product_class, view.question.result.kind
    if item.product_classes and asked is not None and asked not in item.product_classes:
        return False
    if item.without & {asked, kind}:
        return False
    return (not item.result_kinds or kind in item.result_kinds) and for_procedure(view, item)


def held_as(view: View, rf: RouteFacts) -> frozenset[str]:
    """Return the ids under which the body may hold its rights for the question's requirement.

    Under another act it holds them on the days on which the route lists that act, for the classes of which the act
    speaks. A rule that the document attests in place of the one asked about is held as that one, where it may be.
    """
    ids: set[str] = set()
    for rule in view.inquiry.requirements:
        spelled = view.facts.spell(rule)
        ids |= spelled
        names = (rule,) if rule in rf.listed else tuple(spelled)
        others = frozenset[str]().union(*(rf.listed[name].held_as for name in names if name in rf.listed))
        ids.update(other for other in others if other in spelled or _stands_for(view, rf, other, others))
    return frozenset(ids)


def _stands_for(view: View, rf: RouteFacts, act: str, others: frozenset[str]) -> bool:
    asked = view.inquiry.in_place_of & others
    if asked and act not in asked and not any(act in replaced(view.facts, rule) for rule in asked):
        return False
    listed = rf.listed.get(act)
    if listed is not None and view.held_on(listed.period, "issued") is Truth.NO:
        return False
    stated = view.question.subject.product_class
    return stated is None or told_apart(view.facts, act, stated, others)


def told_apart(facts: Facts, act: str, product_class: str, others: Iterable[str]) -> bool:
    """Whether an act may be the one that speaks of a class: not where only another one of several names it."""
    names = {other: facts.requirements[other].product_classes for other in others if other in facts.requirements}
    own = names.get(act, ())
    return not own or product_class in own or not any(product_class in classes for classes in names.values())


def asked_classes(view: View, rf: RouteFacts) -> frozenset[str]:
    """Return the question's product class with those of which the route says it is a kind."""
    asked = view.question.subject.product_class
    if asked is None:
        return frozenset()
    kinds = {asked}
    for item in rf.route.product_classes:
        if item.product_class == asked:
            kinds.update(item.held_as)
    return frozenset(kinds)


def find_pairs(view: View, rf: RouteFacts, kind: str, rule: RightRule, fits: Callable[[ItemFacts], bool]) -> Pairs:
    """Return the rights and scope items that could satisfy a rule, whatever the day."""
    pairs: Pairs = []
    for holder in view.inquiry.right_holders:
        for right in holder.rights(kind):
            cover = covered(right, rf, rule.under)
            if cover is None or not given_by(view, rf, rule.by, right):
                continue
            pairs.extend((right, item, cover) for item in right.items if item.text_only or fits(item))
    return pairs


def status_of(view: View, right: RightFacts, item: ItemFacts, day: int) -> Status:
    """Return a right's status on a day as the question sees it; silence is sure only when it is over by `known_on`."""
    timeline = item.timeline(view.presented)
    if day == view.presented:
        view.see(*timeline.stretch(day))
    if len(item.lanes) > 1:
        for lane in item.lanes:
            if lane.presented_from > view.presented:
                view.see(EARLIEST, lane.presented_from - 1)
                break
            view.see(lane.presented_from, 10**9)
    status = timeline.at(day)
    if right.silence_from is not None and status.state is RightState.HELD:
        if right.silence_from.latest > view.question.known_on:
            return status._replace(state=RightState.UNKNOWN, event="silence_open")
    return status


def best_on(view: View, pairs: Pairs, day: int, clock: str, gate: Gate | None = None) -> Held:
    """Return the best of several rights on one day; one that the gate does not admit on that day is not counted."""
    best = Held(NOTHING, clock=clock, day=day)
    narrowed = _taken_parts(view, pairs, day) if len(pairs) > 1 else frozenset[int]()
    for index, (right, item, cover) in enumerate(pairs):
        admitted = Truth.YES if gate is None else gate.admits(right, day)
        if admitted is Truth.NO or index in narrowed:
            continue
        if cover.held_on is not None:
            status = _carried(view, pairs, index, cover.held_on, day)
        else:
            status = status_of(view, right, item, day)
        if status.state is RightState.HELD:
            if item.text_only:
                status = status._replace(state=RightState.UNKNOWN, event="scope_in_words")
            elif admitted is Truth.UNKNOWN:
                status = status._replace(state=RightState.UNKNOWN, event="admission_window")
        if best.right is None or _betters(status, best.status):
            best = Held(status, right, item, clock, day, item.text_only)
    return best


def _betters(status: Status, best: Status) -> bool:
    """Whether a status is worth more than the best so far; of two rights that are to come the earlier one is."""
    if status.state is RightState.NOT_YET is best.state:
        return status.start.earliest < best.start.earliest
    return status.state > best.state


def _taken_parts(view: View, pairs: Pairs, day: int) -> frozenset[int]:
    """Return the pairs that do not count on a day, since a part of their requirement was taken from the same right."""
    parts = [
        (right, item)
        for right, item, cover in pairs
        if cover.held_on is None
        and item.requirement in view.facts.wider
        and status_of(view, right, item, day).state in TAKEN
    ]
    return frozenset(
        index
        for index, (right, item, _) in enumerate(pairs)
        for part_of, part in parts
        if part_of is right
        and part.requirement is not None
        and item.requirement != part.requirement
        and item.requirement in view.facts.spell(part.requirement)
    )


def _carried(view: View, pairs: Pairs, index: int, held_on: When, day: int) -> Status:
    """A right carried over by law: one right with the record that continues it, and later decisions touch it."""
    right, item, cover = pairs[index]
    status = status_of(view, right, item, held_on.earliest)
    if status.state is not RightState.HELD:
        return status._replace(state=min(status.state, RightState.NOT_YET))
    start = cover.from_ or held_on
    begun = start.reached(day)
    if begun is Truth.NO and day <= held_on.latest:
        return status_of(view, right, item, day)
    if begun is not Truth.NO:
        own_end = status.end.earliest <= start.latest
        later = item.timeline(view.presented, beyond=own_end).at(day)
        if later.state in TAKEN or (later.state is RightState.EXPIRED and not (own_end and not item.beyond)):
            return later
        if any(_has_begun(view, pair, day) for pair in pairs if pair[2].held_on is None):
            return Status(RightState.NOT_YET, "continued", start, start, NEVER)
    state = {Truth.YES: RightState.HELD, Truth.NO: RightState.NOT_YET, Truth.UNKNOWN: RightState.UNKNOWN}[begun]
    return Status(state, "carried_over", start, start, NEVER)


def _has_begun(view: View, pair: tuple[RightFacts, ItemFacts, Cover], day: int) -> bool:
    status = status_of(view, pair[0], pair[1], day)
    return status.state not in (RightState.NONE, RightState.NOT_YET) and RightState.NOT_YET not in status.possible


def _days(pairs: Pairs, view: View, span: Span, gate: Gate | None) -> list[int]:
    if span.first in (span.last, EARLIEST):
        return [span.last]
    turns = set(gate.turns) if gate is not None else set()
    for _, item, cover in pairs:
        turns.update(item.timeline(view.presented).starts)
        turns.update(item.timeline(view.presented, beyond=True).starts)
        turns.update(day for when in (cover.held_on, cover.from_) if when for day in (when.earliest, when.latest))
    return sorted({span.first, *(day for day in turns if span.first < day <= span.last)})


def worst_over(view: View, pairs: Pairs, clock: str, gate: Gate | None = None) -> tuple[Held, tuple[str, ...]]:
    """Return the worst of the best statuses over the days of a clock, and what is missing to tell.

    A missing day of performance counts as the day of issue, unless the facts changed in the year before.
    """
    span = _span_of(view, clock)
    if span.first == span.last:
        return best_on(view, pairs, span.last, clock, gate), ()
    found = _each_day(view, pairs, clock, gate)
    worst = min(found, key=lambda held: held.status.state)
    if span.every:
        return worst, ()
    if len({held.status.state for held in found}) == 1:
        return found[-1]._replace(day=span.last), ()
    unknown = worst.status._replace(state=RightState.UNKNOWN, event="clock_missing")
    return worst._replace(status=unknown), (f"result.{clock}_on",)


def states_over(view: View, pairs: Pairs, clock: str, gate: Gate | None = None) -> frozenset[RightState]:
    """Return the best states of several rights over the days of a clock."""
    return frozenset(held.state for held in _each_day(view, pairs, clock, gate))


def _each_day(view: View, pairs: Pairs, clock: str, gate: Gate | None) -> list[Held]:
    span = _span_of(view, clock)
    return [best_on(view, pairs, day, clock, gate) for day in _days(pairs, view, span, gate)]


def _span_of(view: View, clock: str) -> Span:
    """Return the days of a clock; a day of performance that is not stated may be any of the year before the issue."""
    span = view.clock(clock)
    assumed = clock == "performed" and view.inquiry.performed_assumed and not view.question.standing
    return Span(span.last - _YEAR, span.last, every=False) if assumed else span


def find_loss(view: View, pairs: Pairs) -> Held:
    """Return how a right that is not held on the day of presentation was lost: by those who held it to the last.

    What came later on a right that was lost already, or earlier on a period before, is another story.
    """
    shown = best_on(view, pairs, view.presented, "presented")
    span = Span(view.inquiry.issued.last, view.presented)
    for day in reversed(_days(pairs, view, span, None)[1:]):
        last = [pair for pair in pairs if best_on(view, [pair], day - 1, "presented").state is RightState.HELD]
        if last:
            lost = best_on(view, last, view.presented, "presented")
            return shown if lost.state is RightState.HELD else lost
    return shown
