"""How complete the register's list is: decides what "no record" means (domain.md, sections 1 and 6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from cab_registry.domain.records import Coverage
from cab_registry.engine.facts import RouteFacts
from cab_registry.engine.inquiry import View
from cab_registry.engine.mandate import accredits, gives_rights
from cab_registry.engine.representation import find_actor


class Listing(NamedTuple):
    """What is known of a list: whether it is complete, the sentence's key, and where the official list stands."""

    complete: bool
    key: str
    title: str | None = None
    address: str | None = None


_COMPLETE = Listing(complete=True, key="never_given")


def _same_subject(rf: RouteFacts, record: Coverage, kind: str) -> bool:
    if record.kinds and kind not in record.kinds:
        return False
    route = rf.route
    if record.agreement is not None:
        either = record.annex is None or route.annex is None
        return record.agreement == route.agreement and (either or record.annex == route.annex)
    return record.scheme is None or record.scheme == route.scheme


def _may_list(view: View, record: Coverage, kind: str) -> bool:
    """Whether a list is whose it says, and of somebody who gives such rights."""
    by = find_actor(record.by, record.owner, view.facts)
    gives = accredits if kind == "accreditation" else gives_rights
    return by is not None and gives(view.facts, by)


def _same_recogniser(view: View, rf: RouteFacts, record: Coverage, by: Iterable[str]) -> bool:
    economy = view.facts.economy_of(record.by)
    for word in by:
        if word == "exporter":
            same = economy in view.inquiry.issuer_parties
        elif word == "importer":
            same = economy in _importers(view, rf)
        else:
            same = record.by in view.facts.same_authority(word) or economy == word
        if same:
            return True
    return False


def _importers(view: View, rf: RouteFacts) -> frozenset[str]:
    wide = "WORLD" in rf.importer_codes
    return view.destination_parties if wide else view.destination_parties & rf.importer_codes


def listing(view: View, rf: RouteFacts, kind: str, by: Iterable[str]) -> Listing:
    """Return how complete the list of a recogniser is for a route.

    Nothing on record counts as incomplete; in a scratch register, as complete.
    """
    words = tuple(by)
    fitting = [
        record
        for record in view.facts.coverage
        if _same_subject(rf, record, kind)
        and _same_recogniser(view, rf, record, words)
        and _may_list(view, record, kind)
    ]
    exact = [record for record in fitting if record.agreement or record.scheme] or fitting
    if not exact and view.facts.complete:
        return _COMPLETE
    if exact and all(record.completeness == "complete" for record in exact):
        return _COMPLETE
    for record in exact:
        if record.list is not None:
            return Listing(complete=False, key="list_incomplete", title=record.list.title, address=record.list.address)
    return Listing(complete=False, key="list_incomplete")
