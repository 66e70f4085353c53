"""References between records: everything that a record names by id, code, key or citation is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from cab_registry.domain.errors import Fault
from cab_registry.domain.folding import find_folded, fold
from cab_registry.domain.nearest import find_nearest
from cab_registry.domain.records import (
    Agreement,
    AnyRecord,
    Authority,
    Body,
    Economy,
    Record,
    Requirement,
    Route,
    document,
    law,
    rights,
    route,
    statements,
)
from cab_registry.register.narrowing import names_of
from cab_registry.register.walking import walk


@dataclass(frozen=True, slots=True)
class Known:
    """What records may refer to."""

    economies: frozenset[str]
    unions: frozenset[str]
    authorities: frozenset[str]
    requirements: frozenset[str]
    agreements: Mapping[str, frozenset[str]]
    parties: Mapping[str, frozenset[str]]
    sides: Mapping[str, frozenset[str]]
    bodies: Mapping[str, frozenset[str]]
    standards: Mapping[str, frozenset[str]]
    names: Mapping[str, tuple[str, ...]]


def list_known(records: Iterable[AnyRecord]) -> Known:
    """Gather what the records hold.

    `agreements` has annexes and `parties` the parties by agreement, `bodies` the sites by body, `standards` the
    editions by folded citation, `sides` for each economy and authority the codes for which it may act, and `names` all
    names of each economy by its code.
    """
    economies: dict[str, Economy] = {}
    authorities: dict[str, str | None] = {}
    requirements: set[str] = set()
    agreements: dict[str, set[str]] = defaultdict(set)
    parties: dict[str, set[str]] = defaultdict(set)
    bodies: dict[str, set[str]] = defaultdict(set)
    standards: dict[str, set[str]] = defaultdict(set)
    for record in records:
        if isinstance(record, Economy):
            economies[record.code] = record
        elif isinstance(record, Authority):
            authorities[record.id] = record.economy
        elif isinstance(record, Agreement):
            agreements[record.id].update(record.annexes)
            parties[record.id].update(record.parties)
        elif isinstance(record, Body):
            bodies[record.id].update(site.key for site in record.sites)
        elif isinstance(record, Requirement):
            requirements.add(record.id)
            if record.economy is None:
                for text in (record.citation, *record.other_citations):
                    standards[fold(text)].update(edition.key for edition in record.editions)
    return Known(
        frozenset(economies),
        frozenset(code for code, economy in economies.items() if economy.kind == "union"),
        frozenset(authorities),
        frozenset(requirements),
        {key: frozenset(annexes) for key, annexes in agreements.items()},
        {key: frozenset(codes) for key, codes in parties.items()},
        _list_sides(economies, authorities),
        {key: frozenset(sites) for key, sites in bodies.items()},
        {key: frozenset(editions) for key, editions in standards.items()},
        {code: (*economy.names.values(), *economy.other_names) for code, economy in economies.items()},
    )


def _list_sides(economies: Mapping[str, Economy], authorities: Mapping[str, str | None]) -> dict[str, frozenset[str]]:
    """An economy acts for itself and its unions, a region for its economy too, an authority for its economy."""
    sides = {}
    for code in economies:
        own = {code, code.partition("-")[0]}
        sides[code] = frozenset(own.union(*(_unions_of(economies.get(part)) for part in own)))
    return sides | {key: sides.get(code or "", frozenset()) for key, code in authorities.items()}


def _unions_of(economy: Economy | None) -> set[str]:
    return {item.union for item in economy.member_of} if economy is not None else set()


_WORDS: Final = ("exporter", "importer")

_TESTS: Final[Mapping[str, tuple[str, Callable[[Known, str], bool]]]] = {
    "economy": ("no economy has the code", lambda known, name: name in known.economies),
    "union": ("no union has the code", lambda known, name: name in known.unions),
    "authority": ("no authority has the id", lambda known, name: name in known.authorities),
    "requirement": ("no requirement has the id", lambda known, name: name in known.requirements),
    "agreement": ("no agreement has the id", lambda known, name: name in known.agreements),
    "body": ("no body has the id", lambda known, name: name in known.bodies),
    "standard": ("no accreditation standard is cited as", lambda known, name: fold(name) in known.standards),
    "issuer": (
        "neither a body nor an authority has the id",
        lambda known, name: name in known.bodies or name in known.authorities,
    ),
    "holder": (
        "neither the id of an authority nor the code of a party:",
        lambda known, name: name in known.authorities or name in known.economies,
    ),
    "side": (
        "neither the id of an authority, nor the code of a party, nor `exporter` or `importer`:",
        lambda known, name: name in known.authorities or name in known.economies or name in _WORDS,
    ),
}

_OF_ECONOMIES: Final = frozenset({"economy", "union", "holder", "side"})

_NAMES: Final[Mapping[type[msgspec.Struct], Mapping[str, str]]] = {
    Record: {"owner": "authority"},
    law.Economy: {"part_of": "economy"},
    law.Membership: {"union": "union"},
    law.OtherMarket: {"economy": "economy"},
    law.Succession: {"authority": "authority"},
    law.Signatory: {"arrangement": "agreement", "standards": "standard"},
    law.Authority: {"economy": "economy", "members": "authority"},
    law.Requirement: {"economy": "economy", "part_of": "requirement", "succeeds": "requirement"},
    law.Objection: {"requirements": "requirement"},
    law.Agreement: {"parties": "economy", "continues": "agreement"},
    law.Coverage: {"by": "holder", "agreement": "agreement"},
    route.Party: {"economy": "economy"},
    document.LifeRule: {"issuer_economies": "economy", "requirements": "requirement"},
    route.ListedRequirement: {"id": "requirement", "held_as": "requirement", "instead_of": "requirement"},
    route.TerritoryRule: {"economies": "economy"},
    route.OriginRule: {"economies": "economy"},
    route.Cover: {"agreement": "agreement"},
    route.RightRule: {"by": "side"},
    route.AdmittedAccreditor: {"authority": "authority", "site_economies": "economy"},
    route.AdmittedStandard: {"standard": "standard"},
    route.AccreditationRule: {"standards": "standard", "by": "holder", "signatory_of": "agreement"},
    route.SubcontractorRule: {"located": "economy"},
    route.IssuerRule: {"authorities": "authority"},
    route.SurvivalRule: {"requirements": "requirement"},
    route.Condition: {"requirements": "requirement", "unless_attests": "requirement"},
    route.Route: {
        "agreement": "agreement",
        "importer": "economy",
        "exporter": "economy",
        "not_exporter": "economy",
    },
    rights.Site: {"economy": "economy"},
    rights.Body: {"economy": "economy"},
    rights.ScopeItem: {"requirement": "requirement"},
    rights.Right: {"body": "issuer"},
    rights.Accreditation: {"by": "authority", "standard": "standard"},
    rights.Designation: {"by": "holder", "agreement": "agreement"},
    rights.Recognition: {"by": "holder", "agreement": "agreement"},
    statements.PositionSubject: {
        "agreement": "agreement",
        "body": "issuer",
        "requirement": "requirement",
        "requirements": "requirement",
    },
    statements.Position: {"by": "holder", "binds_in": "economy"},
    statements.NoticeSubject: {"body": "issuer"},
    statements.Notice: {"by": "holder"},
}
"""Fields that name something, by the class that has them; values that are no texts are looked at on their own."""


def find_unknown(record: AnyRecord, known: Known) -> Iterator[Fault]:
    """Yield a fault for everything that the record names and nothing has."""
    for pointer, part in walk(record):
        for kind in reversed(type(part).__mro__):
            for field, what in _NAMES.get(kind, {}).items():
                yield from _unknown(getattr(part, field), f"{pointer}/{field}", what, known)
        yield from _unknown_annex(part, pointer, record, known)
    yield from _unknown_inside(record, known)


def _unknown(value: object, pointer: str, what: str, known: Known) -> Iterator[Fault]:
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _unknown(item, f"{pointer}/{index}", what, known)
    elif isinstance(value, str):
        text, test = _TESTS[what]
        if not test(known, value):
            meant = find_folded(value, known.names) if what in _OF_ECONOMIES else _near(value, what, known)
            hint = f"; did you mean {' or '.join(meant)}?" if meant else ""
            yield Fault(pointer, f"{text} {value!r}{hint}")


def _near(value: str, what: str, known: Known) -> tuple[str, ...]:
    """Return the agreement, or the authority, that may be meant by an id: one with the same words before others."""
    ids = {"agreement": known.agreements, "authority": known.authorities}.get(what, ())
    words = sorted(value.split("-"))
    found = tuple(sorted(each for each in ids if sorted(each.split("-")) == words))
    near = find_nearest(value, ids) if not found else None
    return (near,) if near is not None else found


_WITH_ANNEX: Final = (
    law.Coverage,
    route.Cover,
    route.Route,
    rights.Designation,
    rights.Recognition,
    statements.PositionSubject,
)


def _unknown_annex(part: msgspec.Struct, pointer: str, record: AnyRecord, known: Known) -> Iterator[Fault]:
    if not isinstance(part, _WITH_ANNEX) or part.annex is None:
        return
    agreement = part.agreement
    if agreement is None and isinstance(part, route.Cover) and isinstance(record, Route):
        agreement = record.agreement
    if agreement is None:
        yield Fault(f"{pointer}/annex", "an annex without an agreement")
    elif agreement in known.agreements and part.annex not in known.agreements[agreement]:
        yield Fault(f"{pointer}/annex", f"the agreement {agreement!r} has no annex {part.annex!r}")


def _unknown_inside(record: AnyRecord, known: Known) -> Iterator[Fault]:
    """Check keys that point into a record: its own annexes, sites and scope, or the sites of the body it speaks of."""
    if isinstance(record, Agreement):
        yield from _unknown_own_annex(record)
    elif isinstance(record, Body | Authority):
        for index, item in enumerate(record.identifiers):
            yield from _unknown_site(record.id, item.site, f"/identifiers/{index}/site", known)
    elif isinstance(record, statements.Notice):
        yield from _unknown_site(record.about.body, record.about.site, "/about/site", known)
    elif isinstance(record, rights.Right):
        yield from _unknown_site(record.body, record.site, "/site", known)
        yield from _unknown_in_timeline(record)
        if isinstance(record, rights.Designation | rights.Recognition):
            yield from _of_no_party(record, known)
    if isinstance(record, rights.Accreditation):
        editions = known.standards.get(fold(record.standard))
        if record.edition is not None and editions and record.edition not in editions:
            allowed = ", ".join(sorted(editions))
            yield Fault("/edition", f"{record.standard} has no edition {record.edition!r}; it has: {allowed}")


def _of_no_party(record: rights.Designation | rights.Recognition, known: Known) -> Iterator[Fault]:
    parties = known.parties.get(record.agreement or "")
    side = known.sides.get(record.by)
    if parties and side is not None and not parties & side:
        yield Fault("/by", f"{record.by!r} belongs to no party of {record.agreement!r}: {', '.join(sorted(parties))}")


def _unknown_own_annex(record: Agreement) -> Iterator[Fault]:
    for pointer, part in walk(record):
        annexes = getattr(part, "annexes", ())
        if isinstance(annexes, tuple):
            for index, annex in enumerate(annexes):
                if annex not in record.annexes:
                    yield Fault(f"{pointer}/annexes/{index}", f"the agreement has no annex {annex!r}")


def _unknown_site(body: str | None, site: str | None, pointer: str, known: Known) -> Iterator[Fault]:
    """An authority has no sites; of a body that nobody knows the reference to the body is the fault."""
    sites = known.bodies.get(body or "", frozenset() if body in known.authorities else None)
    if site is not None and sites is not None and site not in sites:
        yield Fault(pointer, f"{body!r} has no site {site!r}")


def _unknown_in_timeline(record: rights.Right) -> Iterator[Fault]:
    names = {name for item in record.scope for name in names_of(item)}
    for index, event in enumerate(record.timeline):
        for place, name in enumerate(event.items):
            if name not in names:
                yield Fault(f"/timeline/{index}/items/{place}", f"no scope item has the key {name!r}")
        if event.refers_to is not None and event.refers_to >= index:
            pointer = f"/timeline/{index}/refers_to"
            yield Fault(pointer, f"names event {event.refers_to}, which does not stand before this one ({index})")
