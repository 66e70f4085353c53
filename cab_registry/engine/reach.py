"""Whether a route reaches the question at all (domain.md, section 2, "Reach").

Each criterion is three-valued: NO means outside, UNKNOWN means reached with an open point.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cab_registry.domain.days import ALWAYS, Period, Truth
from cab_registry.domain.records.route import OriginRule, TerritoryRule
from cab_registry.engine.attested import judge_attests, stand_in
from cab_registry.engine.criteria import Criterion, find_listed, find_unread, leave_open, leave_out
from cab_registry.engine.early import judge_early
from cab_registry.engine.facts import Force, ForceState, RouteFacts, Ruled, begins_then
from cab_registry.engine.inquiry import Inquiry, View

_MET: Final = {
    code: Criterion(code, Truth.YES)
    for code in (
        "direction",
        "result_kind",
        "procedure",
        "requirement",
        "product",
        "activity",
        "site",
        "instrument",
        "operational",
    )
}


def _any_party(parties: frozenset[str], listed: tuple[tuple[str, Period], ...], view: View, clock: str) -> Truth:
    best = Truth.NO
    for code, period in listed:
        if code in parties or code == "WORLD":
            best = max(best, view.held_on(period, clock))
    return best


def direction(view: View, rf: RouteFacts) -> Criterion:
    """The market is the importer on the day of presentation, the issuer's economy the exporter on the day of issue."""
    inquiry = view.inquiry
    if rf.undated_parties and rf.importer_codes & view.markets:
        if not rf.exporter_codes or rf.exporter_codes & inquiry.issuer_parties:
            if not rf.route.not_exporter:
                return _MET["direction"]
    values = {"destination": view.question.destination, "economy": inquiry.economy}
    into = _any_party(view.destination_parties, rf.importers, view, "presented")
    if into is Truth.NO:
        return Criterion("direction", Truth.NO, "direction.not_into", values)
    if inquiry.economy is None:
        if not rf.exporters:
            return _MET["direction"]
        return Criterion("direction", Truth.UNKNOWN, "direction.no_economy", values, missing=("result.issuer_economy",))
    if inquiry.issuer_parties & set(rf.route.not_exporter):
        return Criterion("direction", Truth.NO, "direction.not_from", values)
    out = _any_party(inquiry.issuer_parties, rf.exporters, view, "issued") if rf.exporters else Truth.YES
    if out is Truth.NO and not inquiry.issued.every and rf.exporter_codes & _ever_parties(inquiry):
        return Criterion("direction", Truth.UNKNOWN, "direction.issue_open", values, missing=("result.issued_on",))
    if out is Truth.NO:
        return Criterion("direction", Truth.NO, "direction.not_from", values)
    met = min(into, out)
    return _MET["direction"] if met is Truth.YES else Criterion("direction", met, "direction.window", values)


def _ever_parties(inquiry: Inquiry) -> frozenset[str]:
    """Return the issuer's economy with the unions of which it is a member on the last day of issue that is possible."""
    return inquiry.facts.side(inquiry.economy or "", inquiry.issued.last)


def result_kind(view: View, rf: RouteFacts) -> Criterion:
    """The route carries this kind of result."""
    kind = view.question.result.kind
    if kind in rf.result_kinds:
        return _MET["result_kind"]
    return Criterion("result_kind", Truth.NO, "result_kind.not_carried", {"kind": kind, "kinds": rf.route.result_kinds})


def procedure(view: View, rf: RouteFacts) -> Criterion:
    """Where the route names procedures, the result must have followed one of them; one left out is open."""
    asked = view.question.subject.procedure
    if not rf.procedures or asked in rf.procedures:
        return _MET["procedure"]
    if view.inquiry.is_unread("subject.procedure"):
        return leave_open(view, "procedure", "subject.procedure")
    values = {"procedure": asked, "procedures": rf.route.procedures}
    if asked is None:
        return Criterion("procedure", Truth.UNKNOWN, "procedure.not_named", values, missing=("subject.procedure",))
    return Criterion("procedure", Truth.NO, "procedure.other", values)


def requirement(view: View, rf: RouteFacts) -> Criterion:
    """The requirement, and a rule that the document attests, stand in the route's list, whatever the dates."""
    inquiry, subject = view.inquiry, view.question.subject
    unread = find_unread(view, rf)
    if unread is not None:
        return unread
    if not rf.listed:
        if not rf.sectors or subject.sector in rf.sectors:
            return _MET["requirement"]
        if subject.sector is None:
            return Criterion("requirement", Truth.UNKNOWN, "requirement.no_sector", missing=("subject.sector",))
        return Criterion("requirement", Truth.NO, "requirement.other_sector", {"sector": subject.sector})
    if not inquiry.requirements:
        if subject.sector is not None and rf.sectors and subject.sector not in rf.sectors:
            return Criterion("requirement", Truth.NO, "requirement.other_sector", {"sector": subject.sector})
        return Criterion("requirement", Truth.UNKNOWN, "requirement.not_stated", missing=("subject.requirement",))
    listed = [find_listed(view, rf, rule) is not None for rule in inquiry.requirements]
    values = {"requirement": subject.requirement}
    if not any(listed):
        return _MET["requirement"] if stand_in(inquiry, rf) else leave_out(view, rf)
    attests = judge_attests(inquiry, rf)
    if attests is not Truth.YES:
        return _attests_other(inquiry, attests)
    if len(listed) > 1:
        return Criterion(
            "requirement", Truth.UNKNOWN, "requirement.ambiguous", {**values, "candidates": inquiry.requirements}
        )
    return _MET["requirement"]


def _attests_other(inquiry: Inquiry, met: Truth) -> Criterion:
    values = {"attests": inquiry.attests, "requirement": inquiry.requirements[0]}
    if met is Truth.NO:
        return Criterion("requirement", met, "requirement.attests_other", values)
    return Criterion("requirement", met, "requirement.attests_unknown", values, missing=("result.attests",))


def product(view: View, rf: RouteFacts) -> Criterion:
    """The product class is covered and not excluded on the day of presentation."""
    if not rf.classes and not rf.excluded:
        return _MET["product"]
    asked = view.question.subject.product_class
    if view.inquiry.is_unread("subject.product_class"):
        return leave_open(view, "product", "subject.product_class")
    if asked is None:
        if not rf.classes and all(item.if_stated for ruled in rf.excluded.values() for item, _ in ruled):
            return _MET["product"]
        return Criterion("product", Truth.UNKNOWN, "product.not_stated", missing=("subject.product_class",))
    values: dict[str, Any] = {"product": asked}
    for item, period in rf.excluded.get(asked, ()):
        out = view.holds(period)
        if out is Truth.NO or _excluded_later(view, rf, period):
            continue
        met = Truth.UNKNOWN if item.why == "silent" or out is Truth.UNKNOWN else Truth.NO
        return Criterion("product", met, f"product.{item.why}", values, item)
    if not rf.classes:
        return _MET["product"]
    return _dated("product", rf.classes.get(asked, ()), view, rf, values, "product")


def _excluded_later(view: View, rf: RouteFacts, period: Period) -> bool:
    """A class excluded only after issue stays reached where the route says what becomes of older results."""
    return rf.outlives_exclusion and period.holds(view.inquiry.issued.last) is Truth.NO


def activity(view: View, rf: RouteFacts) -> Criterion:
    """The activity (kind of inspection) is inside the route."""
    if not rf.activities:
        return _MET["activity"]
    asked = view.question.subject.activity
    if view.inquiry.is_unread("subject.activity"):
        return leave_open(view, "activity", "subject.activity")
    if asked is None:
        return Criterion("activity", Truth.UNKNOWN, "activity.not_stated", missing=("subject.activity",))
    values = {"activity": asked}
    ruled = rf.activities.get(asked, ())
    for rule, period in ruled:
        if rule.rule != "covered" and view.holds(period) is not Truth.NO:
            met = Truth.UNKNOWN if rule.rule == "silent" else Truth.NO
            return Criterion("activity", met, f"activity.{rule.rule}", values, rule)
    covered = tuple(item for item in ruled if item.item.rule == "covered")
    return _dated("activity", covered, view, rf, values, "activity")


def _dated(
    code: str, items: tuple[Ruled, ...], view: View, rf: RouteFacts, values: dict[str, Any], about: str
) -> Criterion:
    """Judge dated items on the day of presentation; a start after issue goes by the rule for early results."""
    best, chosen = Truth.NO, None
    for ruled in items:
        held = view.holds(ruled.period)
        if held > best or chosen is None:
            best, chosen = held, ruled
    if chosen is None:
        return Criterion(code, Truth.NO, f"{code}.not_covered", values)
    dated = {**values, "period": chosen.period}
    if best is Truth.NO:
        return Criterion(code, Truth.NO, f"{code}.not_in_period", dated, chosen.item)
    if best is Truth.UNKNOWN:
        return Criterion(code, best, f"{code}.window", dated, chosen.item)
    if chosen.period.start is ALWAYS:
        return _MET[code]
    early = judge_early(view, rf, about, chosen.period.start)
    if early is None:
        return _MET[code]
    return Criterion(code, early.met, f"{code}.early", dated, early.sourced or chosen.item, early=True)


def site(view: View, rf: RouteFacts) -> Criterion:
    """The place of work and the origin of the product are inside the route."""
    if not rf.territory and not rf.origin:
        return _MET["site"]
    place = _territory(view, rf)
    if place.met is Truth.NO:
        return place
    origin = _origin(view, rf)
    return origin if origin.met < place.met else place


def _territory(view: View, rf: RouteFacts) -> Criterion:
    if not rf.territory:
        return _MET["site"]
    where = view.inquiry.work_economy
    if where is None:
        if any(ruled.item.where == "any" for ruled in rf.territory):
            return _MET["site"]
        return Criterion("site", Truth.UNKNOWN, "site.no_place", missing=("result.performed_in",))
    items = tuple(ruled for ruled in rf.territory if _inside(view, rf, ruled.item, where))
    return _dated("site", items, view, rf, {"place": where}, "territory")


def _inside(view: View, rf: RouteFacts, rule: TerritoryRule, where: str) -> bool:
    inquiry, facts = view.inquiry, view.facts
    if rule.where == "any":
        return True
    home = inquiry.economy is not None and facts.state_of(where) == facts.state_of(inquiry.economy)
    if rule.where in ("own", "outside"):
        return home is (rule.where == "own")
    place = facts.side(where, inquiry.performed.last)
    if rule.where == "listed":
        return bool(place & set(rule.economies))
    exports = home or bool(place & rf.exporter_codes & inquiry.issuer_parties)
    if rule.where == "party":
        return exports
    imports = bool(place & rf.importer_codes & view.destination_parties)
    return imports if rule.where == "importer" else not exports and not imports


def _origin(view: View, rf: RouteFacts) -> Criterion:
    if not rf.origin:
        return _MET["site"]
    held = [(ruled.item, view.holds(ruled.period)) for ruled in rf.origin]
    held = [(rule, truth) for rule, truth in held if truth is not Truth.NO]
    if any(rule.where == "any" and truth is Truth.YES for rule, truth in held):
        return _MET["site"]
    origin = view.question.subject.origin
    if origin is None:
        return Criterion("site", Truth.UNKNOWN, "site.no_origin", missing=("subject.origin",))
    best = max((truth for rule, truth in held if _originates(view, rf, rule, origin)), default=Truth.NO)
    if best is Truth.YES:
        return _MET["site"]
    return Criterion("site", best, "site.origin", {"origin": origin}, rf.origin[0].item)


def _originates(view: View, rf: RouteFacts, rule: OriginRule, origin: str) -> bool:
    inquiry = view.inquiry
    facts = view.facts
    parties = facts.side(origin, inquiry.issued.last)
    if rule.where == "any" or parties & set(rule.economies):
        return True
    if rule.where == "listed":
        return False
    if inquiry.economy is not None and facts.state_of(origin) == facts.state_of(inquiry.economy):
        return True
    if parties & rf.exporter_codes & inquiry.issuer_parties:
        return True
    return rule.where == "parties" and bool(parties & rf.importer_codes & view.destination_parties)


def instrument(view: View, rf: RouteFacts) -> Criterion:
    """In force on the day of issue or of presentation, and not ended before the route's end clock."""
    shown = view.now(rf.force)
    values = {"state": shown}
    states = list(rf.force.over(view.inquiry.issued.first, view.inquiry.issued.last))
    if view.inquiry.issued.every:
        states = [min(states, key=lambda state: state.force)]
    found = {_in_force(view, rf, issued, shown) for issued in states}
    if len(found) > 1:
        return Criterion("instrument", Truth.UNKNOWN, "instrument.issue_open", values, missing=("result.issued_on",))
    met = found.pop()
    if met is Truth.YES:
        return _MET["instrument"]
    open_key = "instrument.begin_window" if begins_then(shown) else "instrument.window"
    key = {Force.NONE: "instrument.not_in_force", Force.UNKNOWN: open_key}.get(shown.force, "instrument.ended")
    return Criterion("instrument", met, key, values)


def _in_force(view: View, rf: RouteFacts, issued: ForceState, shown: ForceState) -> Truth:
    if Force.IN_FORCE in (issued.force, shown.force):
        met = Truth.YES
    elif Force.UNKNOWN in (issued.force, shown.force):
        met = Truth.UNKNOWN
    else:
        met = Truth.NO
    end = view.clock(rf.route.clocks.end)
    if met is not Truth.NO and rf.route.clocks.end != "issued":
        return min(met, _not_ended(rf, end.first if rf.route.clocks.end == "performed" else end.last))
    if met is Truth.YES and issued.force in (Force.ENDED, Force.SUSPENDED):
        return Truth.NO
    return met


def _not_ended(rf: RouteFacts, day: int) -> Truth:
    state = rf.force.at(day)
    if state.force in (Force.ENDED, Force.SUSPENDED):
        return Truth.NO
    return Truth.UNKNOWN if state.force is Force.UNKNOWN else Truth.YES


def operational(_view: View, rf: RouteFacts) -> Criterion:
    """A direction that never came to work and was given up reaches nothing."""
    if rf.given_up:
        return Criterion("operational", Truth.NO, "operational.given_up")
    return _MET["operational"]


CRITERIA: Final[tuple[Callable[[View, RouteFacts], Criterion], ...]] = (
    direction,
    result_kind,
    procedure,
    requirement,
    product,
    activity,
    site,
    instrument,
    operational,
)


def find_candidates(inquiry: Inquiry) -> tuple[RouteFacts, ...]:
    """Return the routes into the market that no criterion without a date rules out: kind, procedure, exporter, list."""
    question = inquiry.question
    routes = inquiry.facts.routes_by_kind
    kind, sector = question.result.kind, question.subject.sector
    into = routes.get((question.destination, kind)) or routes.get(("WORLD", kind), ())
    undated = Undated(inquiry)
    return tuple(
        rf
        for rf in into
        if not undated.count(rf)
        and undated.runs(rf)
        and (rf.listed or not rf.sectors or sector is None or sector in rf.sectors)
    )


def judge_reach(view: View, rf: RouteFacts) -> list[Criterion] | None:
    """Return the criteria that stay open where the route reaches the question; None where it does not."""
    open_points: list[Criterion] = []
    for criterion in CRITERIA:
        found = criterion(view, rf)
        if found.met is Truth.YES:
            continue
        if found.met is Truth.NO and not found.early:
            return None
        open_points.append(found)
    return open_points


class Undated:
    """Counts what routes miss whatever the day: kind, procedure, exporter, list of requirements."""

    __slots__ = ("ever", "ids", "kind", "procedure", "stranger")

    def __init__(self, inquiry: Inquiry) -> None:
        self.kind = inquiry.question.result.kind
        self.procedure = inquiry.question.subject.procedure
        self.stranger = inquiry.economy is None
        self.ever = inquiry.issuer_ever
        ids: set[str] = set()
        for rule in (*inquiry.requirements, *inquiry.attests) if inquiry.requirements else ():
            ids |= inquiry.facts.spell(rule)
        self.ids = ids

    def runs(self, rf: RouteFacts) -> bool:
        """Whether the issuer's economy, or a union that it ever belonged to, is an exporter of the route."""
        return self.stranger or not rf.exporter_codes or not rf.exporter_codes.isdisjoint(self.ever)

    def count(self, rf: RouteFacts) -> int:
        """Count the criteria without a date that a route misses, its exporter apart."""
        misses = 0 if self.kind in rf.result_kinds else 1
        if rf.procedures and self.procedure is not None and self.procedure not in rf.procedures:
            misses += 1
        if self.ids and rf.listed and rf.listed.keys().isdisjoint(self.ids):
            misses += 1
        return misses


def list_misses(view: View, rf: RouteFacts) -> list[Criterion]:
    """Return every criterion that fails, in the order of reach."""
    return [found for criterion in CRITERIA if (found := criterion(view, rf)).met is Truth.NO and not found.early]
