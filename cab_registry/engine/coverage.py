"""How complete the register's list is: decides what "no record" means (domain.md, sections 1 and 6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from cab_registry.domain.records import Coverage
from cab_registry.engine.facts import RouteFacts
from cab_registry.engine.inquiry import View


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


def _same_recogniser(view: View, record: Coverage, by: Iterable[str]) -> bool:
    economy = view.facts.economy_of(record.by)
    for word in by:
        if word == "exporter":
            same = economy in view.inquiry.issuer_parties
        elif word == "importer":
            same = economy in view.destination_parties
        else:
            same = record.by in view.facts.same_authority(word) or economy == word
        if same:
            return True
    return False


def listing(view: View, rf: RouteFacts, kind: str, by: Iterable[str]) -> Listing:
    """Return how complete the list of a recogniser is for a route.

    Nothing on record counts as incomplete; in a scratch register, as complete.
    """
    words = tuple(by)
    fitting = [
        record
        for record in view.facts.coverage
        if _same_subject(rf, record, kind) and _same_recogniser(view, record, words)
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
