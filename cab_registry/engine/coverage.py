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


def _fits(view: View, rf: RouteFacts, record: Coverage, kind: str, by: Iterable[str]) -> bool:
    if record.kinds and kind not in record.kinds:
        return False
    if record.agreement is not None:
        if record.agreement != rf.route.agreement:
            return False
        if record.annex is not None and rf.route.annex is not None and record.annex != rf.route.annex:
            return False
    elif record.scheme is not None and record.scheme != rf.route.scheme:
        return False
    economy = view.facts.economy_of(record.by)
    for word in by:
        if word == "exporter":
            if economy in view.inquiry.issuer_parties:
                return True
        elif word == "importer":
            if economy in view.destination_parties:
                return True
        elif record.by in view.facts.same_authority(word) or economy == word:
            return True
    return False


def listing(view: View, rf: RouteFacts, kind: str, by: Iterable[str]) -> Listing:
    """Return how complete the list of a recogniser is for a route; nothing on record counts as incomplete."""
    if view.facts.complete:
        return Listing(True, "never_given")
    words = tuple(by)
    fitting = [record for record in view.facts.coverage if _fits(view, rf, record, kind, words)]
    exact = [record for record in fitting if record.agreement or record.scheme] or fitting
    if exact and all(record.completeness == "complete" for record in exact):
        return Listing(True, "never_given")
    for record in exact:
        if record.list is not None:
            return Listing(False, "list_incomplete", record.list.title, record.list.address)
    return Listing(False, "list_incomplete")
