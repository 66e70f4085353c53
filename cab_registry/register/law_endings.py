"""What ends in the law: agreements, annexes, scopes of routes, editions, memberships, statuses in arrangements."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from cab_registry.domain.records import Agreement, Authority, Economy, Requirement, Route
from cab_registry.register.compiled import Register
from cab_registry.register.ending import Ending
from cab_registry.register.law_timelines import own_force, part_force
from cab_registry.register.route_endings import find_route_endings
from cab_registry.register.stated_endings import Stated, find_lasting, find_losses, find_stops, say_clock


def find_law_endings(register: Register) -> Iterator[Ending]:
    """Yield what ends in the records of law."""
    law = register.law
    kept = (*law.agreements, *law.routes, *law.requirements, *law.authorities)
    for key in (*kept, *(economy.id for economy in law.economies.values())):
        record, version = register.records[key]
        if isinstance(record, Route):
            yield from find_route_endings(record, version, register)
        elif isinstance(record, Agreement):
            common = {"agreement": record.id, "concerns": record.parties}
            yield from _of_agreement(record, Stated(record, version, register, **common))
        elif isinstance(record, Requirement):
            concerns = () if record.economy is None else (record.economy,)
            common = {"requirements": (record.id,), "concerns": concerns}
            yield from _of_requirement(record, Stated(record, version, register, **common))
        elif isinstance(record, Authority):
            yield from _of_authority(record, Stated(record, version, register))
        elif isinstance(record, Economy):
            yield from _of_economy(record, Stated(record, version, register))


def _of_agreement(agreement: Agreement, stated: Stated) -> Iterator[Ending]:
    for last, then in find_losses(own_force(agreement.instrument)):
        yield stated.end("agreement", "force", last, "the agreement", then=then)
    for key, annex in agreement.annexes.items():
        for last, then in find_losses(part_force(annex.instrument)):
            yield stated.end("annex", f"{key}/force", last, f"the annex {key}", then=then)
        for last, what, then in find_stops(annex.timeline):
            yield stated.end("annex", f"{key}/operation", last, f"{what} of the annex {key}", then=then)
    for review in agreement.reviews:
        # Two reviews may be foreseen for one day; the subject tells them apart.
        mark = blake2b(review.subject.encode(), digest_size=4).hexdigest()
        yield stated.end("review", f"review/{mark}", review.on, review.subject)


def _of_requirement(requirement: Requirement, stated: Stated) -> Iterator[Ending]:
    for edition, last in find_lasting(requirement.editions, lambda item: item.key):
        yield stated.end("requirement", f"edition/{edition.key}", last, f"the edition {edition.key}")
    for edition in requirement.editions:
        tail = edition.transition
        if tail is not None:
            what, fact = f"the changeover from the edition {edition.key}", f"changeover/{edition.key}"
            yield stated.end("requirement", fact, tail.until, what, then=say_clock(tail))


def _of_authority(authority: Authority, stated: Stated) -> Iterator[Ending]:
    for status, last in find_lasting(authority.signatory, lambda item: f"{item.arrangement} {item.standards}"):
        standards = f" for {', '.join(status.standards)}" if status.standards else ""
        yield stated.end(
            "signatory",
            "/".join(("signatory", status.arrangement, *status.standards)),
            last,
            f"the signatory status under {stated.name(status.arrangement)}{standards}",
            agreement=status.arrangement,
            accreditation_body=authority.id,
            concerns=(authority.id,),
        )


def _of_economy(economy: Economy, stated: Stated) -> Iterator[Ending]:
    for item, last in find_lasting(economy.member_of, lambda item: item.union):
        concerns = (economy.code, item.union)
        what = f"the membership of {item.union}"
        yield stated.end("membership", f"membership/{item.union}", last, what, concerns=concerns)
