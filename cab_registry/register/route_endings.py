"""What ends in a route: its listings, its scope, whom it admits, its force and its working."""

from __future__ import annotations

from collections.abc import Iterator

from cab_registry.domain.records import Route
from cab_registry.domain.records.route import AdmittedAccreditor, AdmittedStandard, Party
from cab_registry.register.compiled import Register
from cab_registry.register.ending import Ending
from cab_registry.register.law_timelines import own_force, part_force
from cab_registry.register.stated_endings import Stated, find_lasting, find_losses, find_stops, say, say_clock


def find_route_endings(route: Route, version: int, register: Register) -> Iterator[Ending]:
    """Yield what ends in a route."""
    codes = (party if isinstance(party, str) else party.economy for party in (*route.importer, *route.exporter))
    concerns = tuple(dict.fromkeys(code for code in codes if code != "WORLD"))
    stated = Stated(route, version, register, agreement=route.agreement, concerns=concerns)
    yield from _force(route, stated)
    yield from _listings(route, stated)
    yield from _products(route, stated)
    yield from _places(route, stated)
    yield from _admissions(route, stated)
    yield from _terms(route, stated)


def _force(route: Route, stated: Stated) -> Iterator[Ending]:
    force = own_force if route.agreement is None else part_force
    for last, then in find_losses(force(route.instrument)):
        yield stated.end("route", "force", last, "the legal force of the route", then=then)
    for last, what, then in find_stops(route.operation):
        yield stated.end("route", "operation", last, f"{what} of the route", then=then)


def _listings(route: Route, stated: Stated) -> Iterator[Ending]:
    for listed, last in find_lasting(route.requirements, lambda item: item.id):
        what = f"the listing of {stated.name(listed.id)}"
        yield stated.end("route", f"requirement/{listed.id}", last, what, requirements=(listed.id,))
    for listed in route.requirements:
        tail = listed.transition
        if tail is not None:
            what, then = f"the changeover from {stated.name(listed.id)}", say_clock(tail)
            fact = f"changeover/{listed.id}"
            yield stated.end("route", fact, tail.until, what, then=then, requirements=(listed.id,))


def _products(route: Route, stated: Stated) -> Iterator[Ending]:
    for covered, last in find_lasting(route.product_classes, lambda item: item.product_class):
        named = covered.product_class
        yield stated.end("route", f"class/{named}", last, f"the cover of the product class {say(named)}")
    for excluded in route.excluded:
        if excluded.why != "silent" and excluded.from_.earliest > 0:
            named, last = excluded.product_class, excluded.from_.moved(-1)
            what = f"the cover of the product class {say(named)}"
            yield stated.end("route", f"class/{named}", last, what, then=excluded.why)
    covers = (each for each in route.activities if each.rule == "covered")
    for activity, last in find_lasting(covers, lambda item: item.activity):
        named = activity.activity
        yield stated.end("route", f"activity/{named}", last, f"the cover of the activity {say(named)}")


def _places(route: Route, stated: Stated) -> Iterator[Ending]:
    territory = () if isinstance(route.territory, str) else route.territory
    for place, last in find_lasting(territory, lambda item: f"{item.where} {item.economies}"):
        where = ", ".join(place.economies) or say(place.where)
        yield stated.end("route", f"territory/{where}", last, f"the cover of work done in: {where}")
    origin = () if isinstance(route.origin, str) else route.origin
    for source, last in find_lasting(origin, lambda item: f"{item.where} {item.economies}"):
        where = ", ".join(source.economies) or say(source.where)
        yield stated.end("route", f"origin/{where}", last, f"the cover of products that originate in: {where}")
    for side, role, listed in (
        ("importer", "a market", route.importer),
        ("exporter", "an exporter", route.exporter),
    ):
        dated = (each for each in listed if isinstance(each, Party))
        for party, last in find_lasting(dated, lambda item: item.economy):
            code = party.economy
            yield stated.end("route", f"{side}/{code}", last, f"the part of {code} as {role}")


def _admissions(route: Route, stated: Stated) -> Iterator[Ending]:
    rule = route.issuer.accreditation
    if rule is None:
        return
    dated = (each for each in rule.by if isinstance(each, AdmittedAccreditor))
    for each, last in find_lasting(dated, lambda item: f"{item.authority} {item.site_economies}"):
        sites = f" for sites in {', '.join(each.site_economies)}" if each.site_economies else ""
        fact = "/".join(("accreditor", each.authority, *each.site_economies))
        what = f"the admission of {each.authority}{sites}"
        yield stated.end("route", fact, last, what, accreditation_body=each.authority)
    for standard in rule.standards:
        if isinstance(standard, AdmittedStandard) and standard.until is not None:
            named = standard.standard
            yield stated.end("route", f"standard/{named}", standard.until, f"the admission of {named}")


def _terms(route: Route, stated: Stated) -> Iterator[Ending]:
    for condition in route.conditions:
        if condition.until is not None:
            what = f"the condition that {condition.key} stands for"
            yield stated.end("route", f"condition/{condition.key}", condition.until, what)
    for rule in route.life:
        kinds = ", ".join(map(say, rule.result_kinds))
        mark = "-".join((*rule.result_kinds, *rule.requirements, *rule.product_classes))
        for longer in rule.prolongations:
            yield stated.end("route", f"prolongation/{mark}", longer.until, f"the prolongation of: {kinds}")
        if rule.until is not None:
            yield stated.end("route", f"life/{mark}", rule.until, f"the life of: {kinds}")
    for early in route.early_results if isinstance(route.early_results, tuple) else ():
        if early.presented_until is not None:
            about = ", ".join(map(say, early.about))
            what = f"the time for presenting results older than: {about}"
            yield stated.end("route", f"early/{'-'.join(early.about)}", early.presented_until, what)
    for survival in route.survival:
        if survival.until is not None:
            reasons = survival.reason if isinstance(survival.reason, tuple) else (survival.reason,)
            what = f"what older results are worth after a loss ({', '.join(map(say, reasons))})"
            yield stated.end("route", f"survival/{'-'.join(reasons)}", survival.until, what)
