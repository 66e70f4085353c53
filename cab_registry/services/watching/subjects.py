"""What is told of a watched body, scope, agreement or authority: its records that changed, and answers that flip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from cab_registry.domain.days import parse_day, show_day
from cab_registry.domain.records import Accreditation, AnyRecord, Authority, Position, write_record
from cab_registry.register.compiled import Register, subject_of
from cab_registry.services.describing import describe_changes, title_of
from cab_registry.services.effects import Flip, describe_flip
from cab_registry.services.history import Reference
from cab_registry.services.impact import FlipTeller
from cab_registry.services.naming import name_in
from cab_registry.services.sameness import are_same
from cab_registry.services.watching.events import CauseTold, ChangeTold, EventType, Link, Recall, Told
from cab_registry.services.watching.noticing import Step, Subject
from cab_registry.services.watching.recalling import tell_owners
from cab_registry.services.watching.targets import Target
from cab_registry.services.watching.watched_answers import ACCEPTED
from cab_registry.storage.canonical import spell_instant
from cab_registry.storage.entries import Entry


def leave_out_same(before: Register, entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that say something else than the register did: not the same in another order."""
    kept = []
    for entry in entries:
        known = before.records.get(entry.id)
        if entry.change == "retire" or known is None or not are_same(write_record(known.record), entry.document()):
            kept.append(entry)
    return kept


def tell_cause(before: Register, after: Register, entries: Sequence[Entry]) -> CauseTold:
    """Say in words what the entries of a submission changed."""
    name_of = name_in(after)
    records = []
    for entry in entries:
        known = before.records.get(entry.id)
        was = None if known is None else write_record(known.record)
        document = entry.document()
        words = describe_changes(was, document, name_of)
        if entry.change == "retire":
            words = [f"Retired: {title_of(document, name_of)}", *words]
        told = ChangeTold(
            id=entry.id,
            type=entry.type,
            version=entry.version,
            change=entry.change,
            title=title_of(document, name_of),
            authority=Reference(entry.owner, name_of(entry.owner)),
            words=words,
        )
        records.append(told)
    last = entries[-1]
    return CauseTold(
        position=last.position,
        recorded=spell_instant(last.recorded),
        submission=last.submission,
        public_reason=last.public_reason,
        records=records,
    )


class Touching:
    """Which watched subjects a submission touches: by records of theirs, or by others on which their bodies rest."""

    def __init__(self, before: Register, after: Register, changed: Sequence[str], issuers: Iterable[str]) -> None:
        """Find them.

        Args:
            before: the register as it was.
            after: the register with the submission.
            changed: ids of the records of the submission.
            issuers: ids of the issuers that are not the same on both sides.
        """
        self.records: Mapping[str, list[str]] = _keys_of_records(before, after, changed)
        touched = {f"body:{issuer}" for issuer in issuers}.union(_accredited_by(before, after, changed))
        self.indirect = frozenset(touched) - self.records.keys()

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all subjects that are touched."""
        return self.indirect.union(self.records)


def _keys_of_records(before: Register, after: Register, changed: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for record_id in changed:
        for side in (before, after):
            versioned = side.records.get(record_id)
            for key in keys_of_record(versioned.record) if versioned is not None else ():
                found[key][record_id] = None
    return {key: list(ids) for key, ids in found.items()}


def keys_of_record(record: AnyRecord) -> Iterator[str]:
    """Yield the keys of the subjects that a record is about: body, agreement, and authorities."""
    body = subject_of(record)
    if body is not None:
        yield f"body:{body}"
    about: Any = getattr(record, "about", None)
    for part in (record, about):
        agreement = getattr(part, "agreement", None)
        if isinstance(agreement, str):
            yield f"agreement:{agreement}"
    if isinstance(record, Position) and record.about.body is not None:
        yield f"body:{record.about.body}"
    yield f"agreement:{record.id}"
    yield f"authority:{record.id}"
    yield f"authority:{record.owner}"
    by = getattr(record, "by", None)
    if isinstance(by, str):
        yield f"authority:{by}"


def _accredited_by(before: Register, after: Register, changed: Iterable[str]) -> Iterator[str]:
    """Yield the keys of bodies whose accreditation body changed its standing."""
    moved = set()
    for record_id in changed:
        signed = [
            versioned.record.signatory
            for side in (before, after)
            if (versioned := side.records.get(record_id)) is not None and isinstance(versioned.record, Authority)
        ]
        if signed and (len(signed) == 1 or signed[0] != signed[1]):
            moved.add(record_id)
    if moved:
        for record, _ in after.records.values():
            if isinstance(record, Accreditation) and record.by in moved:
                yield f"body:{record.body}"


class SubjectTeller:
    """Tells of subjects that a submission touches; what it does to a body is found once."""

    def __init__(self, step: Step, touching: Touching) -> None:
        self._step = step
        self._touching = touching
        self._flips: dict[str, list[Flip]] = {}

    def tell(self, subject: Subject) -> tuple[EventType, Told] | None:
        """Tell what a submission did to a subject; nothing where it did not concern it after all."""
        target, step = subject.target, self._step
        (key,) = target.keys
        records = self._touching.records.get(key, [])
        flips = self._find_flips(target)
        if not flips and not self._concerns(target, records):
            return None
        name_of = name_in(step.after)
        told = [each for each in (step.cause.records if step.cause is not None else []) if each.id in records]
        sentences = [line for each in told for line in each.words]
        sentences += [describe_flip(flip, name_of) for flip in flips]
        reason = "" if step.cause is None else step.cause.public_reason
        recall = self._recall(flips)
        name = name_of(target.id or "")
        what = told[0].title if len(told) == 1 else f"{len(told)} records changed" if told else "answers flip"
        data = Told(
            headline=f"{name}: {what}" if recall is None else f"{name}: answers are taken back",
            sentences=[*([recall.results] if recall is not None else []), *sentences]
            + ([f"Reason: {reason}"] if reason else []),
            links=[_link(step, target)],
            watch=subject.watch,
            target=msgspec.to_builtins(target),
            on=show_day(step.today),
            cause=None if step.cause is None else msgspec.structs.replace(step.cause, records=told),
            flips=flips,
            recall=recall,
        )
        return ("record.changed" if recall is None else "record.recalled"), data

    def _find_flips(self, target: Target) -> list[Flip]:
        if target.kind not in ("body", "scope") or target.id is None:
            return []
        body, step = target.id, self._step
        if body not in self._flips:
            if body in step.before.facts.issuers or body in step.after.facts.issuers:
                effect = FlipTeller(step.today).find(step.before, step.after, step.changed, (body,))
                self._flips[body] = effect.flips
            else:
                self._flips[body] = []
        return [flip for flip in self._flips[body] if _within(flip, target, step.after)]

    def _concerns(self, target: Target, records: Sequence[str]) -> bool:
        """Whether records are about a subject: of a scope, only those that do not limit themselves to other ones."""
        if target.kind != "scope" or target.requirement is None:
            return bool(records)
        for record_id in records:
            for side in (self._step.before, self._step.after):
                versioned = side.records.get(record_id)
                scope: Any = getattr(versioned.record, "scope", None) if versioned is not None else ()
                named = [item.requirement for item in scope or ()]
                if versioned is not None and (
                    not named or None in named or side.facts.spell(target.requirement) & set(named)
                ):
                    return True
        return False

    def _recall(self, flips: Sequence[Flip]) -> Recall | None:
        step = self._step
        lost = [flip for flip in flips if flip.before in ACCEPTED and flip.after not in ACCEPTED]
        first = min((parse_day(flip.on) for flip in lost), default=step.today)
        if first >= step.today:
            return None
        return Recall(
            results=f"Results performed, issued and presented from {show_day(first)} on were held to be accepted and "
            "are not any more.",
            from_=show_day(first),
            by=tell_owners(step.before, step.after, step.changed),
        )


def _within(flip: Flip, target: Target, register: Register) -> bool:
    asked = flip.question
    wanted = target.requirement
    return (
        (wanted is None or wanted == asked.requirement or wanted in register.facts.spell(asked.requirement or ""))
        and target.sector in (None, asked.sector)
        and target.destination in (None, asked.destination)
    )


def _link(step: Step, target: Target) -> Link:
    folder = {"agreement": "agreements", "authority": "v1/authorities"}.get(target.kind, "bodies")
    return Link(title="The record", address=f"{step.base}/{folder}/{target.id}")
