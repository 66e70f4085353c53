"""Whom a question means: by id, by number, by name, as they were on the day of issue."""

from __future__ import annotations

from typing import Any, NamedTuple

from cab_registry.domain.days import Period, Truth
from cab_registry.domain.folding import fold
from cab_registry.domain.question import AskedIssuer
from cab_registry.domain.schemes import SCHEMES, canonical_form, canonise, find_fitting, find_scheme
from cab_registry.engine.facts import Facts, IssuerFacts
from cab_registry.engine.meaning import OTHER, Assumption, Fit


class Found(NamedTuple):
    """Who was found, at which site a number places it, what was assumed, and why it is not settled."""

    fit: Fit
    site: str | None = None
    assumptions: tuple[Assumption, ...] = ()
    open: Assumption | None = None
    """The sentence that says why it is not settled who is meant; none where it is, or where nobody is like it."""
    missing: str = "result.issuer"


def find_issuer(asked: AskedIssuer, facts: Facts, day: int, economy: str | None) -> Found:
    """Find whom a question means.

    Args:
        asked: the words.
        facts: what is known.
        day: the day of issue, on which names and numbers are borne.
        economy: the economy that the question states; it settles among several of one name.
    """
    if asked.id is not None:
        return _find_by_id(asked.id, facts, day, economy)
    if asked.value is not None:
        if asked.scheme is None:
            return _find_by_number_alone(asked.value, facts, day, economy)
        return _find_by_number(asked.scheme, asked.value, facts, day)
    return _find_by_name(asked.name or "", facts, day, economy)


def _find_by_id(key: str, facts: Facts, day: int, economy: str | None) -> Found:
    """Find who has an id; one that nobody has may be an id in another spelling, or a name or number in its place."""
    if key in facts.issuers:
        return Found(Fit(key, "id", (key,)))
    if key == OTHER:
        return Found(Fit(key, "unknown"))
    spelled = facts.likeness.ids(key)
    if len(spelled) == 1:
        said = ("assumed.fold", {"words": key, "body": _name(spelled[0], facts)})
        return Found(Fit(key, "fold", spelled), None, (said,))
    found = _find_by_name(key, facts, day, economy)
    near = found.fit.ids
    if not near:
        return Found(Fit(key, "unknown"))
    named = ", ".join(_name(each, facts) for each in near[:3])
    return Found(Fit(key, "near", near), open=("issuer.near", {"words": key, "named": named}))


def _bearers(scheme: str, value: str, facts: Facts, day: int) -> list[tuple[str, str | None, Period]]:
    rows = facts.identifiers.get((scheme, canonise(scheme, value)), ())
    return [row for row in rows if row[2].holds(day) is not Truth.NO]


def _find_by_number(called: str, value: str, facts: Facts, day: int) -> Found:
    scheme, words = find_scheme(called), f"{value} ({called})"
    rows = _bearers(scheme, value, facts, day)
    ids = tuple(sorted({body for body, _, _ in rows}))
    if len(ids) == 1:
        exact = any(item.value == value and item.scheme == called for item in _numbers_of(facts.issuers.get(ids[0])))
        written = value if called == scheme else f"{called} {value}"
        said = ("assumed.number", {"words": written, **_number(scheme, value), "body": _name(ids[0], facts)})
        return Found(Fit(words, "number" if exact else "fold", ids), _site(rows), () if exact else (said,))
    if ids:
        return _several(Fit(words, "several", ids))
    if canonical_form(scheme, value) is None:
        known = any(each.id == scheme for each in SCHEMES)
        key, missing = (
            ("issuer.no_number", "result.issuer.value") if known else ("issuer.no_scheme", "result.issuer.scheme")
        )
        return Found(
            Fit(words, "unknown"),
            open=(key, {"words": value, "scheme": called, **_number(scheme, value)}),
            missing=missing,
        )
    return Found(Fit(words, "unknown"))


def _find_by_number_alone(value: str, facts: Facts, day: int, economy: str | None) -> Found:
    """Find who bears a number whose scheme is not said: one that fits is taken, several are offered."""
    schemes = find_fitting(value)
    rows = {scheme.id: _bearers(scheme.id, value, facts, day) for scheme in schemes}
    held = {key: found for key, found in rows.items() if found}
    ids = tuple(sorted({body for found in held.values() for body, _, _ in found}))
    settled = _settle(ids, facts, economy)
    if settled is not None:
        scheme, own = next((key, found) for key, found in held.items() if any(body == settled for body, _, _ in found))
        said = ("assumed.number", {"words": value, **_number(scheme, value), "body": _name(settled, facts)})
        return Found(Fit(value, "number", (settled,)), _site(own), (said,))
    titles = " or ".join(scheme.title for scheme in schemes if not held or scheme.id in held)
    values = {"words": value, "titles": titles, "candidates": ids}
    key = "issuer.whose_number" if titles else "issuer.no_such_number"
    return Found(Fit(value, "several" if ids else "unknown", ids), open=(key, values), missing="result.issuer.scheme")


def _find_by_name(name: str, facts: Facts, day: int, economy: str | None) -> Found:
    key = fold(name)
    ids = facts.names.get(key, ())
    exact = tuple(each for each in ids if any(called.name == name for called in facts.issuers[each].called))
    bearing = exact or ids
    then = tuple(each for each in bearing if _bore(facts.issuers[each], key, day))
    chosen = then or bearing
    if not chosen:
        return _find_like(name, facts, day, economy)
    how = "exact" if exact else "fold"
    settled = _settle(chosen, facts, economy)
    if settled is None:
        return _several(Fit(name, "several", chosen))
    issuer = facts.issuers[settled]
    others = tuple(each for each in chosen if each != settled) or _also_begin(name, key, issuer, facts)
    said: list[Assumption] = []
    values = {"words": name, "body": issuer.name, "economy": issuer.economy}
    if others:
        if issuer.economy != economy or any(facts.issuers[each].economy == economy for each in others):
            return _several(Fit(name, "several", tuple(sorted({settled, *others}))))
        said.append(("assumed.economy_settles", values))
    elif how == "fold":
        said.append(("assumed.fold", values))
    if not then:
        ends = [called.period.end for called in issuer.called if called.key == key]
        said.append(("assumed.former", {**values, "end": max(ends, key=lambda end: end.latest)}))
    return Found(Fit(name, how, (settled,)), None, tuple(said))


def _also_begin(name: str, key: str, issuer: IssuerFacts, facts: Facts) -> tuple[str, ...]:
    """Return other bodies whose names begin with a short name of one: the short name alone does not tell them apart."""
    if issuer.body is None or any(called.legal for called in issuer.called if called.key == key):
        return ()
    return tuple(each for each in facts.likeness.beginning(name) if each != issuer.id)


def _find_like(name: str, facts: Facts, day: int, economy: str | None) -> Found:
    if find_fitting(name):
        return _find_by_number_alone(name, facts, day, economy)
    near = facts.likeness.issuers(name)
    if not near:
        return Found(Fit(name, "unknown"))
    named = ", ".join(_name(each, facts) for each in near[:3])
    return Found(Fit(name, "near", near), open=("issuer.near", {"words": name, "named": named}))


def _several(fit: Fit) -> Found:
    return Found(fit, open=("issuer.several", {"candidates": fit.ids}))


def _settle(ids: tuple[str, ...], facts: Facts, economy: str | None) -> str | None:
    """Return the only one, or the only one in the economy that the question states."""
    if len(ids) == 1:
        return ids[0]
    own = [each for each in ids if economy is not None and facts.issuers[each].economy == economy]
    return own[0] if len(own) == 1 else None


def _bore(issuer: IssuerFacts, key: str, day: int) -> bool:
    return any(called.period.holds(day) is not Truth.NO for called in issuer.called if called.key == key)


def _site(rows: list[tuple[str, str | None, Period]]) -> str | None:
    sites = {site for _, site, _ in rows}
    return sites.pop() if len(sites) == 1 else None


def _numbers_of(issuer: IssuerFacts | None) -> tuple[Any, ...]:
    record = (issuer.body or issuer.authority) if issuer is not None else None
    return record.identifiers if record is not None else ()


def _number(scheme: str, value: str) -> dict[str, str]:
    title = next((each.title for each in SCHEMES if each.id == scheme), scheme)
    return {"number": canonical_form(scheme, value) or value, "title": title}


def _name(key: str, facts: Facts) -> str:
    return facts.issuers[key].name if key in facts.issuers else key
