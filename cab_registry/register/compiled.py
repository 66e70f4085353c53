"""The register compiled at one position: records by id, and the facts that the engine asks of.

Compiling resolves everything that does not depend on a question. A change compiles anew only what
it can touch: the law as a whole, or the bodies whose records changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from cab_registry.domain.records import (
    Accreditation,
    Agreement,
    AnyRecord,
    Authority,
    Body,
    Coverage,
    Designation,
    Economy,
    Notice,
    Position,
    Recognition,
    Requirement,
    Route,
)
from cab_registry.engine.facts import Facts, IssuerFacts, RightFacts
from cab_registry.register.compiled_law import Law, compile_law
from cab_registry.register.compiled_rights import compile_rights
from cab_registry.register.indexes import (
    call,
    index_identifiers,
    index_names,
    index_notices,
    index_spellings,
    index_words,
)
from cab_registry.register.likeness import Likeness


class Versioned(NamedTuple):
    """A record and its version."""

    record: AnyRecord
    version: int


_LAW = (Economy, Authority, Requirement, Agreement, Route)
_RIGHTS = (Accreditation, Designation, Recognition)


@dataclass(frozen=True, slots=True)
class Register:
    """An immutable register: swap it, never change it."""

    records: Mapping[str, Versioned]
    facts: Facts
    law: Law
    by_body: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    position: int = 0

    def records_of(self, body: str) -> list[Versioned]:
        """Return the rights and notices of a body or inspectorate."""
        return [self.records[key] for key in self.by_body.get(body, ())]


def subject_of(record: AnyRecord) -> str | None:
    """Return the body of which a record speaks, if it speaks of one."""
    if isinstance(record, _RIGHTS):
        return record.body
    if isinstance(record, Notice):
        return record.about.body
    return record.id if isinstance(record, Body | Authority) else None


def compile_register(records: Iterable[Versioned], *, complete: bool = False, position: int = 0) -> Register:
    """Compile a register from nothing."""
    by_id = {versioned.record.id: versioned for versioned in records}
    law = compile_law(by_id)
    by_body = _group(by_id)
    issuers = {key: issuer for key in _issuer_ids(by_id) if (issuer := _issuer(key, by_id, by_body, law)) is not None}
    return _assemble(by_id, by_body, law, issuers, complete=complete, position=position)


def change_register(
    register: Register, changed: Iterable[Versioned], *, removed: Iterable[str] = (), position: int | None = None
) -> Register:
    """Return the register after a change; what the change cannot touch is taken over as it is."""
    by_id = dict(register.records)
    touched: set[str] = set()
    new_law = False
    gone = [by_id.pop(key) for key in removed if key in by_id]
    fresh = list(changed)
    for versioned in (*gone, *fresh, *(by_id[v.record.id] for v in fresh if v.record.id in by_id)):
        new_law = new_law or isinstance(versioned.record, _LAW)
        subject = subject_of(versioned.record)
        if subject is not None:
            touched.add(subject)
    for versioned in fresh:
        by_id[versioned.record.id] = versioned
    law = compile_law(by_id, register.law) if new_law else register.law
    by_body = _group(by_id) if touched or gone else register.by_body
    if law.standards is not register.law.standards or law.agreements is not register.law.agreements:
        touched |= set(register.by_body)
    if speakers := _speak_otherwise(register.law, law):
        touched.update(
            body for body, keys in by_body.items() if any(by_id[key].record.owner in speakers for key in keys)
        )
    issuers = dict(register.facts.issuers)
    for key in touched:
        issuer = _issuer(key, by_id, by_body, law)
        if issuer is not None:
            issuers[key] = issuer
        else:
            issuers.pop(key, None)
    complete = register.facts.complete
    return _assemble(
        by_id, by_body, law, issuers, complete=complete, position=register.position if position is None else position
    )


def _speak_otherwise(before: Law, after: Law) -> frozenset[str]:
    """Return the authorities that may speak for others than before."""
    if before is after:
        return frozenset()
    names = ("economy", "succeeds", "roles")
    changed = {
        key
        for key in before.authorities.keys() | after.authorities.keys()
        if _differ(before.authorities.get(key), after.authorities.get(key), names)
    }
    moved = {
        code
        for code in before.economies.keys() | after.economies.keys()
        if _differ(before.economies.get(code), after.economies.get(code), ("id", "kind"))
    }
    changed |= {key for law in (before, after) for key, each in law.authorities.items() if each.economy in moved}
    return frozenset(changed).union(*(law.kin.get(key, ()) for law in (before, after) for key in changed))


def _differ(one: Authority | Economy | None, other: Authority | Economy | None, names: tuple[str, ...]) -> bool:
    if one is other:
        return False
    return one is None or other is None or any(getattr(one, name) != getattr(other, name) for name in names)


def _group(by_id: Mapping[str, Versioned]) -> dict[str, tuple[str, ...]]:
    grouped: dict[str, list[str]] = defaultdict(list)
    for key, (record, _) in by_id.items():
        if isinstance(record, Body | Authority):
            continue
        subject = subject_of(record)
        if subject is not None:
            grouped[subject].append(key)
    return {subject: tuple(sorted(keys)) for subject, keys in grouped.items()}


def _issuer_ids(by_id: Mapping[str, Versioned]) -> list[str]:
    return [key for key, (record, _) in by_id.items() if isinstance(record, Body | Authority)]


def _issuer(
    key: str, by_id: Mapping[str, Versioned], by_body: Mapping[str, tuple[str, ...]], law: Law
) -> IssuerFacts | None:
    versioned = by_id.get(key)
    record = versioned.record if versioned is not None else None
    if versioned is None or not isinstance(record, Body | Authority) or not _counts(record, law):
        return None
    body = record if isinstance(record, Body) else None
    authority = record if isinstance(record, Authority) else None
    rights: dict[str, list[RightFacts]] = {"accreditation": [], "designation": [], "recognition": []}
    notices: list[tuple[Notice, int]] = []
    own = [by_id[other] for other in by_body.get(key, ())]
    for other, version in own:
        if isinstance(other, Notice):
            notices.append((other, version))
    for right in compile_rights([(v.record, v.version) for v in own if isinstance(v.record, _RIGHTS)], law):
        rights[right.kind].append(right)
    name, economy = _named(record)
    return IssuerFacts(
        key,
        name,
        economy,
        body,
        authority,
        versioned.version,
        tuple(rights["accreditation"]),
        tuple(rights["designation"]),
        tuple(rights["recognition"]),
        tuple(notices),
        call(record),
    )


def _counts(record: Body | Authority, law: Law) -> bool:
    """Whether a record is one of an issuer; an authority that somebody else entered than the registrar is none."""
    return isinstance(record, Body) or record.id in law.authorities


def _named(record: Body | Authority) -> tuple[str, str | None]:
    """Return the name by which answers call an issuer, and its economy."""
    if isinstance(record, Body):
        legal = [item.name for item in record.names if item.kind == "legal"]
        return (legal or [record.names[0].name])[-1], record.economy
    return record.names.get("en") or next(iter(record.names.values())), record.economy


def _assemble(
    by_id: Mapping[str, Versioned],
    by_body: Mapping[str, tuple[str, ...]],
    law: Law,
    issuers: dict[str, IssuerFacts],
    *,
    complete: bool,
    position: int,
) -> Register:
    records = [versioned for _, versioned in sorted(by_id.items())]
    notices = [(record, version) for record, version in records if isinstance(record, Notice)]
    numbers, sites = index_notices(notices)
    positions = tuple((record, version) for record, version in records if isinstance(record, Position))
    rules = law.requirements
    words = index_words(law.economies, law.codes, law.routes.values(), (record for record, _ in positions))
    facts = Facts(
        economies=law.economies,
        memberships=law.memberships,
        authorities=law.authorities,
        kin=law.kin,
        umbrellas=law.umbrellas,
        requirements=rules,
        citations=law.citations,
        wider=law.wider,
        standards=law.standards,
        agreements=law.agreements,
        routes=law.routes,
        routes_by_importer=law.routes_by_importer,
        routes_by_kind=law.routes_by_kind,
        issuers=issuers,
        identifiers=index_identifiers(
            record for record, _ in records if isinstance(record, Body | Authority) and _counts(record, law)
        ),
        names=index_names(issuers.values()),
        spellings=index_spellings(issuers.values()),
        positions=positions,
        notices_by_number=numbers,
        notices_by_site=sites,
        coverage=tuple(record for record, _ in records if isinstance(record, Coverage)),
        words=words,
        likeness=Likeness(issuers, rules, words, law.economies),
        complete=complete,
    )
    return Register(by_id, facts, law, by_body, position)
