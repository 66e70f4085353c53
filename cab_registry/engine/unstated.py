"""Which rule a result may have to satisfy, and on which day it may have been issued, where neither is stated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cab_registry.domain.days import Period, show_day
from cab_registry.engine.facts import RouteFacts
from cab_registry.engine.inquiry import Inquiry, turns_of
from cab_registry.engine.issuers import Possible
from cab_registry.engine.meaning import OTHER

MANY: Final = 40
"""How many rules, or stretches of days, are tried, before nobody can tell."""


def list_rules(inquiry: Inquiry, routes: list[RouteFacts]) -> list[Possible]:
    """Return the question once for each rule that the routes list for its sector, and for one that none lists.

    None where no route lists any. With more than `MANY`, the last question names no rule.
    """
    sector = inquiry.question.subject.sector
    listed = sorted({rule for rf in routes for rule in rf.listed})
    own = [rule for rule in listed if sector is None or sector_of(inquiry, rule) in (sector, None)]
    rules = own or listed
    if not rules:
        return []
    found = [Possible(inquiry.asked_about(rule), (rule,)) for rule in (*rules[:MANY], OTHER)]
    return found if len(rules) <= MANY else [*found, Possible(inquiry, ())]


def sector_of(inquiry: Inquiry, rule: str) -> str | None:
    """Return the sector of a rule, where the register names one."""
    record = inquiry.facts.requirements.get(rule)
    return record.sector if record is not None else None


def list_days(inquiry: Inquiry, routes: list[RouteFacts]) -> list[Possible]:
    """Return the question once for each stretch of days on which it may have been issued and nothing turns.

    With more than `MANY` stretches, the last question states no day.
    """
    first, last = inquiry.issued.first, inquiry.issued.last
    turns = {*_turns_of_routes(routes), *_turns_of_rights(inquiry)}
    starts = sorted({first, last, *(day for day in turns if first < day < last)})
    found = [
        Possible(inquiry.issued_at(start), (_show_stretch(start, following - 1),))
        for start, following in zip(starts[:MANY], [*starts[1:], last + 1], strict=False)
    ]
    return found if len(starts) <= MANY else [*found, Possible(inquiry, ())]


def _show_stretch(first: int, last: int) -> str:
    return show_day(first) if first >= last else f"{show_day(first)} to {show_day(last)}"


def _turns_of_routes(routes: list[RouteFacts]) -> Iterator[int]:
    for rf in routes:
        yield from rf.force.starts
        yield from rf.working.starts
        dated = [period for _, period in rf.exporters]
        dated += [listed.period for listed in rf.listed.values()]
        for table in (rf.classes, rf.excluded, rf.activities):
            dated += [ruled.period for group in table.values() for ruled in group]
        dated += [ruled.period for ruled in (*rf.territory, *rf.origin)]
        dated += [rule.period for rule in rf.route.issuer.ownership]
        dated += [] if rf.route.issuer.findings_bar is None else [rf.route.issuer.findings_bar.period]
        yield from _turns(dated)


def _turns_of_rights(inquiry: Inquiry) -> Iterator[int]:
    for holder in inquiry.right_holders:
        for right in (*holder.designations, *holder.recognitions, *holder.accreditations):
            for item in right.items:
                for lane in item.lanes:
                    yield from lane.timeline.starts
        if holder.body is not None:
            yield from _turns([fact.period for fact in holder.body.ownership])
        if holder.authority is not None:
            yield from _turns([office.period for office in holder.authority.active])
        for notice, _ in holder.notices:
            yield from (notice.on.earliest, notice.on.latest)


def _turns(periods: list[Period]) -> Iterator[int]:
    for period in periods:
        yield from turns_of(period)
