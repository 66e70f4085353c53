"""What a submission means for the register as it stands: whose it is, what it rests on, and everything against it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cab_registry.domain.errors import Fault, Refusal
from cab_registry.domain.records import AnyRecord, Body
from cab_registry.engine.representation import REGISTRAR, predecessors_of
from cab_registry.register.competence import find_doubts
from cab_registry.register.compiled import Register, Versioned, change_register
from cab_registry.register.neighbours import About, find_about
from cab_registry.register.offices import Doubt
from cab_registry.register.ownership import Foreign, find_foreign, find_untransferable
from cab_registry.register.past import find_changed_past, has_past
from cab_registry.register.statements import find_remarks_on_statement
from cab_registry.services.refusals import NotOwner
from cab_registry.services.requests import ReadRecord, SubmissionRequest
from cab_registry.services.sameness import are_same
from cab_registry.services.sources import read_version
from cab_registry.storage.canonical import canonical_hash
from cab_registry.storage.entries import Change, NewRecord, Private
from cab_registry.storage.errors import Moved, StaleVersion
from cab_registry.storage.policies import StoredPolicy
from cab_registry.storage.projection import body_of
from cab_registry.storage.records import RecordVersion

_REMEDY: Final = "if it is right all the same, say why in `although` (--although on the command line)"

CheckSteps = Callable[[AnyRecord | None, AnyRecord, Register, int], Sequence[Fault]]
"""Lists the steps that a procedure does not allow, from: the record before, after, the register after, today."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a submission is checked against.

    Attributes:
        register: as it stands.
        current: the latest versions of the submission's own records, retired ones included.
        policy: of the authority.
        today: the day on which it is entered.
        check_steps: the procedure of the agreements.
    """

    register: Register
    current: Mapping[str, RecordVersion]
    policy: StoredPolicy
    today: int
    check_steps: CheckSteps


@dataclass(frozen=True, slots=True)
class Planned:
    """A record version that is to be entered; `document` is the whole record."""

    read: ReadRecord
    change: Change
    version: int
    before: AnyRecord | None


@dataclass(frozen=True, slots=True)
class Checked:
    """A submission that nothing stands against, and what it does.

    Attributes:
        counterpart: who must approve it, for a transfer.
        planned: the versions that are to be entered, in order.
        unchanged: ids of records that are the same already.
        expected: by id the versions that the checks rest on, the submission's own records included; zero for none.
        bodies: bodies that it speaks of: nothing else may have come up about them meanwhile.
        identifiers: scheme and value of the numbers that its bodies have: nobody else may have got one meanwhile.
        warnings: what the submitter should look at.
        before: the register as it stands.
        after: the register as it would be.
    """

    counterpart: str | None
    planned: tuple[Planned, ...]
    unchanged: tuple[str, ...]
    expected: Mapping[str, int]
    bodies: frozenset[str]
    identifiers: tuple[tuple[str, str], ...]
    warnings: tuple[Fault, ...]
    before: Register
    after: Register

    @property
    def changed(self) -> tuple[str, ...]:
        """Ids of the records that change."""
        return tuple(each.read.record.id for each in self.planned)

    def new_records(self, private: Private | None) -> tuple[NewRecord, ...]:
        """Spell the versions for the log."""
        return tuple(NewRecord.of(each.read.given.document, each.change, private) for each in self.planned)


@dataclass(slots=True)
class _Found:
    """What comes to light on the way."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)


def check_submission(request: SubmissionRequest, records: Sequence[ReadRecord], ground: Ground) -> Checked:
    """Check well-formed records against the register: whose they are, on what ground they stand, what they say.

    Raises:
        NotOwner: some are others'.
        StaleVersion: some are not at the version that the submitter saw.
        Refusal: something stands against what they say; every fault is listed.
    """
    counterpart = _check_owners(request, records, ground)
    fresh = [each for each in records if not _is_unchanged(each, ground)]
    _refuse_stale(fresh, ground)
    found = _Found()
    planned = [each for record in fresh if (each := _plan(request, record, ground, found)) is not None]
    _refuse(found)
    register = ground.register
    after = change_register(
        register,
        [Versioned(each.read.record, each.version) for each in planned if each.change != "retire"],
        removed=[each.read.record.id for each in planned if each.change == "retire"],
    )
    about = find_about(register, after, [each.read.record for each in planned])
    for each in planned:
        _check_meaning(each, after, about, ground, request.although, found)
    _refuse(found)
    unchanged = tuple(each.record.id for each in records if each not in fresh)
    return Checked(
        counterpart=counterpart,
        planned=tuple(planned),
        unchanged=unchanged,
        expected=_list_expected(records, planned, ground),
        bodies=frozenset(_bodies_of(planned)),
        identifiers=tuple(_identifiers_of(planned)),
        warnings=tuple(found.warnings),
        before=register,
        after=after,
    )


def _refuse(found: _Found) -> None:
    if found.faults:
        raise Refusal("the submission cannot be entered", tuple(dict.fromkeys(found.faults)))


def _check_owners(request: SubmissionRequest, records: Sequence[ReadRecord], ground: Ground) -> str | None:
    pair = _pair_of(request, records, ground) if request.kind == "transfer" else None
    foreign: list[tuple[ReadRecord, Foreign]] = []
    for each in records:
        before = _before(each, ground)
        if pair is None:
            why = find_foreign(each.record, before, request.authority, ground.register.law)
        else:
            why = find_untransferable(each.record, pair[1], ground.register.law)
        if why is not None:
            foreign.append((each, why))
    if foreign:
        faults = [each.fault(Fault(why.pointer, why.message)) for each, why in foreign]
        raise NotOwner([why.owner for _, why in foreign], faults)
    if pair is None:
        return None
    giver, taker = pair
    return giver if request.authority == taker else taker


def _pair_of(request: SubmissionRequest, records: Sequence[ReadRecord], ground: Ground) -> tuple[str, str]:
    """Return who gives and who takes in a transfer, of which the submitting authority is one.

    The registrar may enter the succession of authorities that the register knows.
    """
    pairs: set[tuple[str, str]] = set()
    faults: list[Fault] = []
    for each in records:
        stored = ground.current.get(each.record.id)
        if stored is None or stored.retired:
            faults.append(each.fault(Fault("/id", "there is no such record to transfer")))
            continue
        if stored.owner == each.record.owner:
            faults.append(each.fault(Fault("/owner", f"{stored.owner} owns it already: a transfer names another")))
        if canonical_hash({**stored.document, "owner": ""}) != canonical_hash({**each.given.document, "owner": ""}):
            faults.append(each.fault(Fault("", "a transfer changes the owner and nothing else")))
        if each.record.owner not in ground.register.law.authorities:
            faults.append(each.fault(Fault("/owner", f"no authority has the id {each.record.owner!r}")))
        pairs.add((stored.owner, each.record.owner))
    if len(pairs) > 1:
        faults.append(Fault("/records", "one transfer has one giver and one taker"))
    if not request.public_reason:
        faults.append(Fault("/public_reason", "a transfer needs a public reason"))
    if faults:
        raise Refusal("the transfer cannot be entered", tuple(faults))
    (pair,) = pairs
    giver, taker = pair
    succession = request.authority == REGISTRAR and giver in predecessors_of(taker, ground.register.law)
    if request.authority not in pair and not succession:
        raise NotOwner([giver], [each.fault(Fault("/owner", f"the record belongs to {giver}")) for each in records])
    return pair


def _before(each: ReadRecord, ground: Ground) -> AnyRecord | None:
    stored = ground.current.get(each.record.id)
    return None if stored is None else read_version(stored.id, stored.document, stored.version).record


def _is_unchanged(each: ReadRecord, ground: Ground) -> bool:
    stored = ground.current.get(each.record.id)
    if stored is None or stored.retired != (each.given.change == "retire"):
        return False
    same = stored.digest == canonical_hash(each.given.document)
    return same or (each.given.change != "retire" and are_same(stored.document, each.given.document))


def _refuse_stale(records: Iterable[ReadRecord], ground: Ground) -> None:
    moved = []
    for each in records:
        stored = ground.current.get(each.record.id)
        found = 0 if stored is None else stored.version
        if found != each.given.expected_version:
            moved.append(Moved(each.record.id, each.given.expected_version, found))
    if moved:
        raise StaleVersion(moved)


def _plan(request: SubmissionRequest, each: ReadRecord, ground: Ground, found: _Found) -> Planned | None:
    """Say what kind of change a record is, and hold it to what that kind allows."""
    stored, before = ground.current.get(each.record.id), _before(each, ground)
    change: Change = each.given.change or ("new" if stored is None else "amend")
    if stored is None or before is None:
        wrong = [] if change == "new" else [Fault("/id", f"there is no such record to {change}")]
    else:
        wrong = list(_misfits(each, change, stored, before, ground))
    if change == "retire" and before is not None and has_past(before, ground.today):
        found.warnings.append(each.fault(Fault("", "the record has a past, which no answer will show any more")))
    found.faults.extend(each.fault(fault) for fault in wrong)
    if change != "new" and not request.public_reason:
        found.faults.append(Fault("/public_reason", "a change of what is recorded needs a public reason"))
    return None if wrong else Planned(each, change, (0 if stored is None else stored.version) + 1, before)


def _misfits(
    each: ReadRecord, change: Change, stored: RecordVersion, before: AnyRecord, ground: Ground
) -> Iterator[Fault]:
    if change == "new":
        yield Fault("/id", "the record exists already, and ids are never reused")
    elif stored.type != each.given.document["type"]:
        yield Fault("/type", f"this id belongs to a record of type {stored.type}")
    elif stored.retired and change != "correction":
        yield Fault("/id", "the record is retired; only a correction can bring it back")
    elif change == "retire":
        if canonical_hash(stored.document) != canonical_hash(each.given.document):
            yield Fault("", "a record is retired as it stands: send its current text")
    elif change == "amend":
        yield from find_changed_past(before, each.record, ground.today)


def _check_meaning(
    each: Planned, after: Register, about: About, ground: Ground, although: str | None, found: _Found
) -> None:
    read = each.read
    neighbours = about.of(read.record, read.given.document, retired=each.change == "retire")
    found.faults.extend(read.fault(fault) for fault in neighbours.faults)
    found.warnings.extend(read.fault(fault) for fault in neighbours.warnings)
    _weigh(read, (Doubt(fault, left_open=True) for fault in neighbours.open), although, found)
    wider = [read.fault(fault) for fault in neighbours.wider]
    (found.faults if ground.policy.scope_wider == "refuse" else found.warnings).extend(wider)
    if each.change != "retire":
        steps = ground.check_steps(each.before, read.record, after, ground.today)
        found.faults.extend(read.fault(fault) for fault in steps)
        if not neighbours.faults:
            _weigh(read, find_doubts(each.before, read.record, after), although, found)
            remarks = find_remarks_on_statement(each.before, read.record, after)
            found.warnings.extend(read.fault(fault) for fault in remarks)


def _weigh(read: ReadRecord, doubts: Iterable[Doubt], although: str | None, found: _Found) -> None:
    """Refuse what the agreement speaks against, and what it leaves open unless somebody says why it is entered."""
    for doubt in doubts:
        fault = read.fault(doubt.fault)
        if not doubt.left_open:
            found.faults.append(fault)
        elif although is None:
            found.faults.append(Fault(fault.pointer, f"{fault.message}; {_REMEDY}", fault.place))
        else:
            found.warnings.append(fault)


def _list_expected(records: Sequence[ReadRecord], planned: Sequence[Planned], ground: Ground) -> dict[str, int]:
    """Return by id the versions of all records that the submission names or stands beside."""
    register = ground.register
    read: dict[str, int] = {}
    for each in planned:
        for name in _texts(each.read.given.document):
            economy = register.facts.economies.get(name)
            for record_id in (name, economy.id if economy is not None else ""):
                if record_id in register.records:
                    read[record_id] = register.records[record_id].version
    for body in _bodies_of(planned):
        read.update({record.id: version for record, version in register.records_of(body)})
    for record in records:
        stored = ground.current.get(record.record.id)
        read[record.record.id] = 0 if stored is None else stored.version
    return read


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, Sequence):
        for part in value:
            yield from _texts(part)


def _bodies_of(planned: Sequence[Planned]) -> Iterator[str]:
    for each in planned:
        document = each.read.given.document
        body = body_of(document["type"], document)
        if body is not None:
            yield body


def _identifiers_of(planned: Sequence[Planned]) -> Iterator[tuple[str, str]]:
    for each in planned:
        if isinstance(each.read.record, Body):
            yield from ((item.scheme, item.value) for item in each.read.record.identifiers)
