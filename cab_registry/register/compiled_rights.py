"""The rights of one body compiled: lanes per scope item, ends of editions, and recognition that silence brings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from cab_registry.domain.days import ALWAYS, EARLIEST, NEVER, Period, Truth, When, add_days, add_months
from cab_registry.domain.folding import fold
from cab_registry.domain.records import Accreditation, Agreement, Designation, Recognition, Source
from cab_registry.domain.records.law import Edition, Objection
from cab_registry.domain.records.rights import RightEvent, ScopeItem
from cab_registry.engine.facts import ItemFacts, Lane, RightFacts, RightState
from cab_registry.engine.representation import find_actor
from cab_registry.engine.timeline import Timeline
from cab_registry.register.compiled_law import Law
from cab_registry.register.narrowing import part_items, widen_unread
from cab_registry.register.right_timelines import resolve_items, touches

AnyRight = Accreditation | Designation | Recognition

_KINDS = {Accreditation: "accreditation", Designation: "designation", Recognition: "recognition"}


def compile_rights(rights: Iterable[tuple[AnyRight, int]], law: Law) -> Iterator[RightFacts]:
    """Yield every right of one body, those that silence brings included."""
    own = [(widen_unread(right, law), version) for right, version in rights]
    counting = _part_all([each for each in own if _is_own(each[0], law)], law)
    # What somebody entered in another's name neither counts nor touches what the other gave.
    for right, version in own:
        if not _is_own(right, law):
            yield _compile(right, version, law)
    accreditations = [right for right, _ in counting if isinstance(right, Accreditation)]
    for right, version in counting:
        yield _compile(_with_lasting(right, (other for other, _ in counting)), version, law)
        if isinstance(right, Recognition):
            yield from _by_silence(right, version, law, accreditations)


def _is_own(right: AnyRight, law: Law) -> bool:
    return find_actor(right.by, right.owner, law) is not None


def _part_all(rights: list[tuple[AnyRight, int]], law: Law) -> list[tuple[AnyRight, int]]:
    """Part the items of each right by what the events of all periods of the same right name alone."""
    if not any(event.items for right, _ in rights for event in right.timeline):
        return rights
    return [
        (
            part_items(
                right,
                (event for other, _ in rights if _ground(other) == _ground(right) for event in other.timeline),
                law,
            ),
            version,
        )
        for right, version in rights
    ]


def _compile(right: AnyRight, version: int, law: Law) -> RightFacts:
    kind = _KINDS[type(right)]
    right = _with_parts(right, law)
    edition_end = _edition_end(right, law) if isinstance(right, Accreditation) else None
    accreditation = right if isinstance(right, Accreditation) else None
    title = right if not isinstance(right, Accreditation) else None
    return RightFacts(
        kind=kind,
        record=right.id,
        version=version,
        by=right.by,
        agreement=title.agreement if title is not None else None,
        annex=title.annex if title is not None else None,
        scheme=title.scheme if title is not None else None,
        site=right.site,
        items=resolve_items(kind, right, edition_end),
        standard=accreditation.standard if accreditation is not None else None,
        edition=accreditation.edition if accreditation is not None else None,
        source=_read_at(right),
        actor=find_actor(right.by, right.owner, law),
        owner=right.owner,
    )


_LASTING: Final = ("suspended", "inactive", "restricted", "reduced", "reinstated")


def _with_lasting(right: AnyRight, others: Iterable[AnyRight]) -> AnyRight:
    """Add what an earlier period of the same right, kept as a record of its own, was suspended for and lasts on."""
    start = right.from_
    if start is None:
        return right
    lasting: list[RightEvent] = []
    for other in others:
        if other.id == right.id or _ground(other) != _ground(right):
            continue
        for event in other.timeline:
            if event.event not in _LASTING or (event.event != "reinstated" and event.on.latest >= start.earliest):
                continue
            touched = {_limits(item) for item in other.scope if touches(event, item)}
            keys = tuple(item.key for item in right.scope if _limits(item) in touched)
            if keys:
                lasting.append(msgspec.structs.replace(event, items=keys))
    if all(event.event == "reinstated" for event in lasting):
        return right
    return msgspec.structs.replace(right, timeline=(*right.timeline, *lasting))


def _ground(right: AnyRight) -> tuple[object, ...]:
    names = ("site", "by", "agreement", "annex", "scheme", "standard", "number")
    return (type(right), *(getattr(right, name, None) for name in names))


def _limits(item: ScopeItem) -> tuple[object, ...]:
    return (item.requirement, item.standards, item.product_classes, item.procedures, item.result_kinds)


def _with_parts(right: AnyRight, law: Law) -> AnyRight:
    """Give a part of a requirement that an event names alone an item of its own, so that the event touches it."""
    named = {name for event in right.timeline for name in event.items if name in law.wider}
    parts = tuple(
        msgspec.structs.replace(item, key=name, requirement=name)
        for name in sorted(named - {item.requirement for item in right.scope} - {item.key for item in right.scope})
        for item in right.scope
        if item.requirement in law.wider[name]
    )
    return msgspec.structs.replace(right, scope=(*right.scope, *parts)) if parts else right


def _read_at(right: AnyRight) -> Source | None:
    """Return where a right was read: the source of its first scope item or event that names one."""
    for item in (*right.scope, *right.timeline):
        source = right.sources.get(item.source or "")
        if source is not None:
            return msgspec.structs.replace(source, confidence=item.confidence or source.confidence)
    return None


def find_edition(accreditation: Accreditation, law: Law) -> Edition | None:
    """Return the edition of a standard to which a body is accredited, where the catalogue has it."""
    standard = law.standards.get(fold(accreditation.standard))
    if standard is None or accreditation.edition is None:
        return None
    named = accreditation.edition.casefold()
    return next((edition for edition in standard.editions if edition.key.casefold() == named), None)


def _edition_end(accreditation: Accreditation, law: Law) -> When | None:
    """Return the first invalid day of the edition: a fact of the catalogue that a printed end never overrides."""
    edition = find_edition(accreditation, law)
    if edition is None:
        return None
    end = edition.period.end.moved(1)
    return None if end.earliest >= 10**6 * 9 else end


class _Begin(NamedTuple):
    """From when silence recognises a scope item, and why that is in doubt, where it is."""

    on: When
    doubt: str | None


def _by_silence(
    right: Recognition, version: int, law: Law, accreditations: Sequence[Accreditation]
) -> Iterator[RightFacts]:
    """Yield what unused objection periods make of notifications that nobody answered, item by item."""
    agreement = law.agreements.get(right.agreement or "")
    if agreement is None or right.from_ is not None:
        return
    begun: dict[_Begin, list[ScopeItem]] = {}
    for notified in (event for event in right.timeline if event.event == "notified"):
        for items, objection in fit_objections(right, agreement, accreditations, notified, law):
            for item in items:
                begin = _begin_of(right, item, notified, objection)
                if begin is not None:
                    begun.setdefault(begin, []).append(item)
    for begin, found in begun.items():
        events = tuple(event for event in right.timeline if event.event not in ("notified", "proposed", "objected"))
        derived = msgspec.structs.replace(right, from_=begin.on, timeline=events, scope=tuple(found))
        facts = resolve_items("recognition", derived)
        yield RightFacts(
            kind="recognition",
            record=right.id,
            version=version,
            by=right.by,
            agreement=right.agreement,
            annex=right.annex,
            scheme=right.scheme,
            site=right.site,
            items=facts if begin.doubt is None else tuple(_doubtful(item, begin.doubt) for item in facts),
            silence_from=begin.on,
            source=_read_at(right),
            actor=find_actor(right.by, right.owner, law),
            owner=right.owner,
        )


def _begin_of(right: Recognition, item: ScopeItem, notified: RightEvent, objection: Objection) -> _Begin | None:
    """Return from when silence recognises an item after a notification; None where it never does.

    A notification opens a period of its own where it is the first, or where the one before was answered.
    """
    if not touches(notified, item) or objection.silence == "not_recognised":
        return None
    events = [event for event in right.timeline if touches(event, item)]
    if any(event.event in ("recognised", "granted") for event in events):
        return None
    begins = begin_by_silence(notified.on, objection)
    index = events.index(notified)
    asked = [place for place, event in enumerate(events[:index]) if event.event == "notified"]
    if begins is None or (asked and not any(event.event in _CLOSES for event in events[asked[-1] : index])):
        return None
    answers = [_answers(event, notified.on, begins) for event in events[index:] if event.event in _CLOSES]
    if Truth.YES in answers:
        return None
    if objection.silence == "silent":
        return _Begin(begins, "silence_unclear")
    return _Begin(begins, "window" if Truth.UNKNOWN in answers else None)


_CLOSES: Final = ("objected", "withdrawn", "resigned")
"""What answers a notification or takes it back, so that a later one opens a new period."""


def _answers(event: RightEvent, notified: When, begins: When) -> Truth:
    """Whether an event came in the period that a notification opened."""
    if event.on.latest < notified.earliest or event.on.earliest >= begins.latest:
        return Truth.NO
    inside = event.on.earliest >= notified.latest and event.on.latest < begins.earliest
    return Truth.YES if inside else Truth.UNKNOWN


def begin_by_silence(notified: When, objection: Objection) -> When | None:
    """Recognition by silence begins the day after notification plus the clock."""
    if objection.days is not None:
        return notified.moved(objection.days + 1)
    if objection.months is not None:
        return When(
            add_days(add_months(notified.earliest, objection.months), 1),
            add_days(add_months(notified.latest, objection.months), 1),
        )
    return None


def runs_for(objection: Objection, notified: When) -> Truth:
    """Whether a clock is one of the days on which a notification was made."""
    days = Period(objection.from_ or ALWAYS, objection.until or NEVER)
    first, last = days.holds(notified.earliest), days.holds(notified.latest)
    return first if first is last else Truth.UNKNOWN


def fit_objections(
    right: Recognition,
    agreement: Agreement,
    accreditations: Sequence[Accreditation],
    notified: RightEvent,
    law: Law,
) -> list[tuple[tuple[ScopeItem, ...], Objection]]:
    """Give the scope items grouped by the first objection clock that fits each on the day of the notification.

    Where a clause may or may not have begun by then, nobody can tell what silence means.
    """
    objections = agreement.objection if isinstance(agreement.objection, tuple) else (agreement.objection,)
    day = notified.on.earliest
    admitted = [each for each in accreditations if _counts_under(agreement, each.by, day, law)]
    groups: list[tuple[Objection, list[ScopeItem]]] = []
    for item in right.scope:
        accredited = any(_held_on(each, item, day, law) for each in admitted)
        for objection in objections:
            if objection.annexes and right.annex not in objection.annexes:
                continue
            if objection.requirements and item.requirement not in objection.requirements:
                continue
            if objection.accredited is not None and objection.accredited is not accredited:
                continue
            met = runs_for(objection, notified.on)
            if met is Truth.NO:
                continue
            clock = objection if met is Truth.YES else msgspec.structs.replace(objection, silence="silent")
            for known, items in groups:
                if known == clock:
                    items.append(item)
                    break
            else:
                groups.append((clock, [item]))
            break
    return [(tuple(items), objection) for objection, items in groups]


def _counts_under(agreement: Agreement, by: str, day: int, law: Law) -> bool:
    """Whether an accreditation body is one of a party's: any other makes no period shorter."""
    authority = law.authorities.get(by)
    if authority is None or authority.economy is None or "accrediting" not in authority.roles:
        return False
    unions = (union for union, period in law.memberships.get(authority.economy, ()) if period.holds(day))
    return not {authority.economy, *unions}.isdisjoint(agreement.parties)


def _held_on(accreditation: Accreditation, item: ScopeItem, day: int, law: Law) -> bool:
    """Whether an accreditation stands on a day for the requirement of a scope item."""
    asked = law.wider.get(item.requirement or "", {item.requirement})
    items = resolve_items("accreditation", accreditation, _edition_end(accreditation, law)) if day > EARLIEST else ()
    return any(
        each.timeline(day).at(day).state is RightState.HELD
        for each in items
        if each.requirement in asked or (each.requirement is None and not each.standards)
    )


def _doubtful(item: ItemFacts, doubt: str) -> ItemFacts:
    """Where it is in doubt what silence brought, nobody can tell after the period."""
    lanes = tuple(
        Lane(
            lane.presented_from,
            Timeline(
                lane.timeline.starts,
                [
                    status._replace(state=RightState.UNKNOWN, event=doubt)
                    if status.state is RightState.HELD
                    else status
                    for status in lane.timeline.states
                ],
            ),
        )
        for lane in item.lanes
    )
    return ItemFacts(
        item.requirement,
        item.standards,
        item.product_classes,
        item.procedures,
        item.result_kinds,
        item.text_only,
        lanes,
    )
