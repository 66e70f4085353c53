"""The check `document`: life, findings, number, and statements on this one result."""

from __future__ import annotations

import re
from typing import Any

from cab_registry.domain.days import NEVER, Truth
from cab_registry.domain.folding import fold
from cab_registry.domain.records import Notice
from cab_registry.domain.schemes import canonise
from cab_registry.engine.facts import RouteFacts
from cab_registry.engine.finding import FAIL, PASS, UNKNOWN, Finding, Used, worst_of
from cab_registry.engine.inquiry import Inquiry, View
from cab_registry.engine.life import judge_life
from cab_registry.engine.meaning import OTHER
from cab_registry.engine.notices import may_say, name_notifier

_STANDS = Finding("document", PASS, "document.stands")
_VOIDING = ("cancelled", "refused", "not_signed", "statement_missing", "superseded", "non_compliance", "restricted")


def notices_on_result(view: View, rf: RouteFacts) -> list[tuple[Notice, int]]:
    """Return the notices that count and speak of this result by its number, of its site, or of its issuer."""
    return [(notice, version) for notice, version in list_on_result(view) if may_say(view, rf, notice)]


def list_on_result(view: View) -> list[tuple[Notice, int]]:
    """Return the notices that speak of this result, whoever made them."""
    result, issuer, facts = view.question.result, view.inquiry.issuer, view.facts
    found: list[tuple[Notice, int]] = []
    if result.number is not None:
        for notice, version in facts.notices_by_number.get(fold(result.number), ()):
            if notice.about.body is None or issuer is None or notice.about.body == issuer.id:
                found.append((notice, version))
    site = view.inquiry.site
    if site is not None:
        for notice, version in facts.notices_by_site.get(site, ()):
            if notice.about.number is None and (
                notice.about.body is None or issuer is None or notice.about.body == issuer.id
            ):
                found.append((notice, version))
    if issuer is not None:
        for notice, version in issuer.notices:
            if notice.about.number is None and notice.about.site is None and notice.about.body == issuer.id:
                found.append((notice, version))
    return found


def list_numbered(inquiry: Inquiry) -> list[Notice]:
    """Return the notices on single documents of the issuer that may speak of this one, if its number is not known.

    A notice of the issuer itself that names no body speaks of its own documents; one from before the issue of none that
    was still to come.
    """
    issuer = inquiry.issuer
    if issuer is None:
        return []
    numbered = inquiry.facts.notices_by_number.values() if issuer.authority is not None else ()
    own = [notice for pairs in numbered for notice, _ in pairs if notice.by == issuer.id and notice.about.body is None]
    told = [notice for notice, _ in issuer.notices if notice.about.number is not None]
    return [notice for notice in (*told, *own) if notice.on.latest >= inquiry.issued.first]


def check_document(view: View, rf: RouteFacts) -> Finding:
    """The document is alive, its finding passes, it carries what it must, and nobody has voided it."""
    return worst_of((_notices(view, rf), judge_life(view, rf), _findings(view, rf), _number(view, rf))) or _STANDS


def _notices(view: View, rf: RouteFacts) -> Finding | None:
    kind = view.question.result.kind
    for notice, version in notices_on_result(view, rf):
        if notice.effect not in _VOIDING or (notice.effect == "non_compliance" and kind == "non_compliance_statement"):
            continue
        if notice.about.body is not None and notice.about.number is None and notice.about.site is None:
            if notice.effect != "non_compliance":
                continue
        lifted = notice.until is not None and view.reached(notice.until.moved(1)) is Truth.YES
        reached = view.reached(notice.on)
        if reached is Truth.NO or lifted:
            continue
        values = {
            "effect": notice.effect,
            "by": name_notifier(view, notice),
            "on": notice.on,
            "number": notice.about.number,
        }
        used = (Used(notice.id, version, (notice.on, notice.until or NEVER)),)
        outcome = FAIL if reached is Truth.YES else UNKNOWN
        return Finding("document", outcome, f"document.{notice.effect}", values, used)
    return None


def _findings(view: View, rf: RouteFacts) -> Finding | None:
    kind, stated = view.question.result.kind, view.question.result.findings
    for rule in rf.route.findings:
        if kind not in rule.result_kinds:
            continue
        values = {"findings": stated, "passing": rule.passing}
        if stated is None:
            if rule.needed and not view.question.standing:
                assumed: tuple[tuple[str, dict[str, Any]], ...] = (("assumed.findings", {}),)
                return Finding("document", PASS, "document.no_findings", values, sourced=rule, assumptions=assumed)
            return None
        folded = stated.casefold()
        if any(folded == word.casefold() for word in rule.failing):
            return Finding("document", FAIL, "document.bad_findings", values, sourced=rule)
        if rule.passing and not any(folded == word.casefold() for word in rule.passing):
            return Finding("document", UNKNOWN, "document.unknown_findings", values, sourced=rule)
        return Finding("document", PASS, "document.good_findings", values, sourced=rule)
    return None


def _of_issuer(view: View, matched: re.Match[str]) -> bool:
    """Where the pattern has a group `body`, that part is one of the issuer's own numbers, if any is on record."""
    part, issuer = matched.groupdict().get("body"), view.inquiry.issuer
    if part is None or issuer is None or issuer.body is None or not issuer.body.identifiers:
        return True
    return any(canonise(item.scheme, item.value) == canonise(item.scheme, part) for item in issuer.body.identifiers)


def _number(view: View, rf: RouteFacts) -> Finding | None:
    rule, number = rf.route.number, view.question.result.number
    if rule is None or (rule.result_kinds and view.question.result.kind not in rule.result_kinds):
        return None
    values = {"number": number, "text": rule.text}
    if number is None or number == OTHER:
        if view.question.standing:
            return None
        return Finding("document", UNKNOWN, "document.no_number", values, sourced=rule, missing=("result.number",))
    matched = re.fullmatch(rule.pattern, number)
    if matched is not None and _of_issuer(view, matched):
        return Finding("document", PASS, "document.good_number", values, sourced=rule)
    return Finding("document", FAIL, "document.bad_number", values, sourced=rule)
