"""Changed records beside all others: what they refer to, who refers to them, and who is too much like them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cab_registry.domain.errors import Fault
from cab_registry.domain.folding import fold
from cab_registry.domain.lettering import list_lettering
from cab_registry.domain.records import AnyRecord, Authority, Body, Economy, Requirement, write_record
from cab_registry.domain.records.law import Agreement
from cab_registry.domain.records.rights import ScopeItem
from cab_registry.domain.schemes import canonise, find_misfit, find_scheme
from cab_registry.register.checking import check_record, list_unsourced
from cab_registry.register.compiled import Register
from cab_registry.register.compiled_rights import AnyRight
from cab_registry.register.intervals import overlap, show_period
from cab_registry.register.lookalikes import Bearers, find_borrowed, find_lookalikes, index_bearers
from cab_registry.register.minting import find_contradiction
from cab_registry.register.numbers import find_taking, prevails
from cab_registry.register.references import Known, find_unknown, list_known
from cab_registry.register.scopes import find_doubled, find_outside_agreement, find_repeated, find_wider

_REFERRED_TO_BY_ALL: Final = (Economy, Authority, Requirement, Agreement)
_MOST_NAMED: Final = 20


@dataclass(slots=True)
class Findings:
    """What was found about one record: faults, warnings, and scope that is wider than what it rests on.

    What is `open` stands against the record unless somebody says why it is entered all the same.
    """

    faults: list[Fault] = field(default_factory=list)
    open: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    wider: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class About:
    """Finds what is to be said about records that changed from one register to another."""

    before: Register
    after: Register
    known_before: Known
    known: Known
    spelled: Mapping[tuple[str, str], set[tuple[str, str]]]
    bearers: Bearers

    def of(self, record: AnyRecord, document: Mapping[str, Any], *, retired: bool) -> Findings:
        """Return what is to be said about one changed record; `document` is the plain form it was read from."""
        found = Findings()
        found.faults.extend(self._left_without(record))
        if retired:
            return found
        found.faults.extend(check_record(record, document, self.known, sourced=False, lettering=False))
        found.faults.extend(self._misleading(record, document))
        found.warnings.extend(self._unsourced(record))
        if isinstance(record, Body | Authority):
            self._compare_numbers(record, found)
            found.faults.extend(find_borrowed(record, self._earlier(record), self.bearers, self.after))
            found.warnings.extend(find_lookalikes(record, self._earlier(record), self.bearers, self.after))
        if isinstance(record, Body):
            self._compare_names(record, found)
        if isinstance(record, Economy | Requirement):
            found.faults.extend(self._taken(record))
        if isinstance(record, AnyRight):
            others = [other for other, _ in self.after.records_of(record.body)]
            earlier = self.before.records.get(record.id)
            agreement = self.after.law.agreements.get(getattr(record, "agreement", None) or "")
            found.warnings.extend(find_outside_agreement(record, agreement))
            found.warnings.extend(find_doubled(record, others))
            found.warnings.extend(find_repeated(earlier.record if earlier is not None else None, record))
            found.wider.extend(self._wider(record, others))
        return found

    def _earlier(self, record: AnyRecord) -> AnyRecord | None:
        earlier = self.before.records.get(record.id)
        return earlier.record if earlier is not None else None

    def _misleading(self, record: AnyRecord, document: Mapping[str, Any]) -> Iterator[Fault]:
        """Yield the texts that cannot be read as they stand, or are written in two scripts; not what stood before."""
        earlier = self._earlier(record)
        known = {text for _, text, _ in list_lettering(write_record(earlier))} if earlier is not None else set()
        for pointer, text, message in list_lettering(document):
            if text not in known:
                yield Fault(pointer, message)

    def _wider(self, record: AnyRight, others: Sequence[AnyRecord]) -> Iterator[Fault]:
        """Yield where a right is wider than its ground; what of its scope stood so before was told then."""
        earlier = self.before.records.get(record.id)
        told: list[tuple[ScopeItem, str]] = []
        if earlier is not None and isinstance(earlier.record, AnyRight):
            beside = [other for other, _ in self.before.records_of(record.body)]
            known = find_wider(earlier.record, beside, self.before.law.wider)
            told = [(_item_at(earlier.record, fault), fault.message) for fault in known]
        for fault in find_wider(record, others, self.after.law.wider):
            if (_item_at(record, fault), fault.message) not in told:
                yield fault

    def _unsourced(self, record: AnyRecord) -> Iterator[Fault]:
        """Yield a warning of the facts that name no source, those left out that stood so before."""
        earlier = self.before.records.get(record.id)
        known = [fact for _, fact in list_unsourced(earlier.record)] if earlier is not None else []
        new = [pointer for pointer, fact in list_unsourced(record) if fact not in known]
        if new:
            facts = "fact names" if len(new) == 1 else "facts name"
            hint = "say where it was read: cab takes --source TITLE=ADDRESS"
            yield Fault("/sources", f"{len(new)} {facts} no source, the first at {new[0]}; {hint}")

    def _left_without(self, record: AnyRecord) -> Iterator[Fault]:
        """Yield a fault for each record that would name what this change takes away."""
        if record.id not in self.before.records:
            return
        if isinstance(record, _REFERRED_TO_BY_ALL):
            others = [other for other, _ in self.after.records.values()]
        else:
            others = [other for other, _ in self.after.records_of(record.id)]
        left = 0
        for other in others:
            if other.id == record.id:
                continue
            gone = list(find_unknown(other, self.known))
            before = {fault.pointer for fault in find_unknown(other, self.known_before)} if gone else ()
            if gone and {fault.pointer for fault in gone} != before:
                left += 1
                if left <= _MOST_NAMED:
                    yield Fault("", f"{other.id} refers to it ({gone[0].pointer}): {gone[0].message}")

    def _compare_numbers(self, record: Body | Authority, found: Findings) -> None:
        earlier = self.before.records.get(record.id)
        held = earlier.record.identifiers if earlier and isinstance(earlier.record, Body | Authority) else ()
        known = {(item.scheme, item.value) for item in held}
        for index, item in enumerate(record.identifiers):
            pointer = f"/identifiers/{index}"
            if (item.scheme, item.value) not in known:
                misread = list(_find_misread(item.scheme, item.value, pointer))
                found.faults.extend(misread)
                taking = find_taking(record, item, self.after.facts) if not misread else None
                if taking is not None:
                    (found.faults if taking.refused else found.open).append(Fault(pointer, taking.message))
            canonical = canonise(item.scheme, item.value)
            for other, _, period in self.after.facts.identifiers.get((item.scheme, canonical), ()):
                if other == record.id:
                    continue
                number = f"the number {item.value!r} of {item.scheme}"
                if overlap(item.period, period):
                    text = f"{other!r} has {number} at the same time: {show_period(period)}"
                    theirs = self.after.records[other].record
                    if prevails(record, theirs, item, self.after.facts):
                        text = (
                            f"{text}; {theirs.owner} does not give such numbers, so answers take {record.id!r} for it"
                        )
                        found.warnings.append(Fault(pointer, text))
                    else:
                        found.faults.append(Fault(pointer, text))
                else:
                    found.warnings.append(
                        Fault(pointer, f"{other!r} has {number} on other days: {show_period(period)}")
                    )

            for other, value in self.spelled.get((item.scheme, _spell(item.value)), ()):
                if other != record.id and value != canonical:
                    text = f"{other!r} has the number {value!r} of {item.scheme}: is it another spelling of this one?"
                    found.warnings.append(Fault(pointer, text))

    def _compare_names(self, record: Body, found: Findings) -> None:
        """Hold a new name against the bodies of the same economy; other numbers may be new ones, or another body's."""
        earlier = self.before.records.get(record.id)
        told = (
            {fold(item.name) for item in earlier.record.names} if earlier and isinstance(earlier.record, Body) else ()
        )
        for index, item in enumerate(record.names):
            if fold(item.name) in told:
                continue
            for other in self.after.facts.names.get(fold(item.name), ()):
                held = self.after.records[other].record
                if other == record.id or not isinstance(held, Body) or held.economy != record.economy:
                    continue
                apart = find_contradiction(_identify(held), _identify(record))
                text = (
                    f"{other!r} of {record.economy} has the same name, {item.name!r}: is it the same as {record.id!r}?"
                )
                found.open.append(Fault(f"/names/{index}", f"{text} {apart}" if apart else text))

    def _taken(self, record: Economy | Requirement) -> Iterator[Fault]:
        if isinstance(record, Economy):
            for other, _ in self.after.records.values():
                if isinstance(other, Economy) and other.id != record.id and other.code == record.code:
                    yield Fault("/code", f"{other.id!r} has it already: {record.code!r}")
            return
        for index, text in enumerate((record.citation, *record.other_citations)):
            for other_id in self.after.facts.citations.get(fold(text), ()):
                if other_id != record.id and text not in self.after.facts.requirements[other_id].also:
                    pointer = "/citation" if index == 0 else f"/other_citations/{index - 1}"
                    yield Fault(pointer, f"{other_id!r} has it already: {text!r}")


def find_about(before: Register, after: Register, changed: Sequence[AnyRecord]) -> About:
    """Return what finds everything that is to be said about records that changed."""
    known = list_known(record for record, _ in after.records.values())
    earlier = known
    if any(record.id in before.records for record in changed):
        earlier = list_known(record for record, _ in before.records.values())
    spelled: defaultdict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for (scheme, value), held in after.facts.identifiers.items():
        spelled[scheme, _spell(value)].update((bearer, value) for bearer, _, _ in held)
    named = any(isinstance(record, Body | Authority) for record in changed)
    bearers = index_bearers(after) if named else {}
    return About(before, after, earlier, known, spelled, bearers)


def _item_at(right: AnyRight, fault: Fault) -> ScopeItem:
    """Return the scope item of which a fault speaks."""
    return right.scope[int(fault.pointer.removeprefix("/scope/"))]


def _find_misread(scheme: str, value: str, pointer: str) -> Iterator[Fault]:
    """Yield that a number is none of its scheme, or that the scheme is called otherwise here."""
    if (known := find_scheme(scheme)) != scheme:
        yield Fault(f"{pointer}/scheme", f"{scheme!r} is another name of the scheme {known!r}: write {known!r}")
    if misfit := find_misfit(known, value):
        yield Fault(f"{pointer}/value", f"{value!r} {misfit}")


def _identify(body: Body) -> dict[str, Any]:
    """Return what tells a body apart, in plain form."""
    return {
        "id": body.id,
        "names": [{"name": item.name} for item in body.names],
        "identifiers": [{"scheme": item.scheme, "value": item.value} for item in body.identifiers],
    }


def _spell(value: str) -> str:
    """Return a number without what people leave out or put in: case, blanks, dots, dashes."""
    return "".join(sign for sign in fold(value) if sign.isalnum())
