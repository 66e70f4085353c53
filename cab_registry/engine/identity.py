"""Whom a question means: by id, by number, by name, as they were on the day of issue."""

from __future__ import annotations

from typing import Any, NamedTuple

from cab_registry.domain.days import Period, Truth
from cab_registry.domain.folding import fold
from cab_registry.domain.question import AskedIssuer, AskedSubcontractor
from cab_registry.domain.schemes import SCHEMES, canonical_form, canonise, find_scheme, read_numbers, states_number
from cab_registry.domain.spelling import fold_spellings, key_before_brackets, split_brackets
from cab_registry.engine.effort import Effort
from cab_registry.engine.entered import Bearers, choose_bearers, list_from_elsewhere
from cab_registry.engine.facts import Called, Facts, IssuerFacts
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


def find_subcontractor(part: AskedSubcontractor, facts: Facts, day: int, effort: Effort) -> Found | None:
    """Find whom a question means by a subcontractor; None where it names nobody.

    Where the effort did not allow to look at everybody who may be meant, nobody is settled.
    """
    if part.id is None and part.name is None:
        return None
    asked = AskedIssuer(id=part.id) if part.id is not None else AskedIssuer(name=part.name)
    skipped = effort.skipped
    effort.spend()
    found = find_issuer(asked, facts, day, part.economy)
    return found if effort.skipped == skipped else _nobody(part.id or part.name or "")


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
    for scheme in SCHEMES:
        stem, _, value = key.partition(f"{scheme.id}-")
        if not stem and canonical_form(scheme.id, value) is not None:
            return _find_by_number(scheme.id, value, facts, day)
    found = _find_by_name(key, facts, day, economy)
    near = found.fit.ids
    return Found(Fit(key, "unknown")) if not near and key in facts.authorities else _near(key, near, facts)


def _bearers(scheme: str, value: str, facts: Facts, day: int) -> Bearers:
    rows = facts.identifiers.get((scheme, canonise(scheme, value)), ())
    borne = [row for row in rows if row[2].holds(day) is not Truth.NO]
    return choose_bearers(scheme, value, borne, facts)


def _passed_over(words: str, body: str, others: tuple[str, ...], facts: Facts) -> tuple[Assumption, ...]:
    """Say who was passed over, whose record others entered than those whose number or name it is."""
    if not others:
        return ()
    return (("assumed.entered_elsewhere", {"words": words, "body": _name(body, facts), "candidates": others}),)


def _find_by_number(called: str, value: str, facts: Facts, day: int) -> Found:
    """Find who bears a number of a scheme; of several numbers each bearer is a candidate."""
    scheme, words = find_scheme(called), f"{value} ({called})"
    forms = [form for readings in read_numbers(value, scheme) for _, form in readings] or [value]
    held = [_bearers(scheme, form, facts, day) for form in forms]
    rows = [row for found in held for row in found.rows]
    ids = tuple(sorted({body for body, _, _ in rows}))
    if len(ids) == 1 and all(found.rows for found in held):
        exact = any(item.value == value and item.scheme == called for item in _numbers_of(facts.issuers.get(ids[0])))
        written = value if called == scheme else f"{called} {value}"
        said = ("assumed.number", {"words": written, **_number(scheme, forms[0]), "body": _name(ids[0], facts)})
        others = tuple(sorted({other for found in held for other in found.passed_over}))
        passed = _passed_over(words, ids[0], others, facts)
        return Found(Fit(words, "number" if exact else "fold", ids), _site(rows), passed if exact else (said, *passed))
    if ids:
        return _several(Fit(words, "several", ids)) if len(ids) > 1 else _near(words, ids, facts)
    if canonical_form(scheme, forms[0]) is None:
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
    stated = read_numbers(value)
    held = {
        (scheme.id, form): found
        for readings in stated
        for scheme, form in readings
        if (found := _bearers(scheme.id, form, facts, day)).rows
    }
    ids = tuple(sorted({body for found in held.values() for body, _, _ in found.rows}))
    known = all(any((scheme.id, form) in held for scheme, form in readings) for readings in stated)
    settled = _settle(ids, facts, economy) if known else None
    if settled is not None:
        (scheme, form), own = next(
            (key, found) for key, found in held.items() if any(body == settled for body, _, _ in found.rows)
        )
        said = ("assumed.number", {"words": value, **_number(scheme, form), "body": _name(settled, facts)})
        passed = _passed_over(value, settled, own.passed_over, facts)
        return Found(Fit(value, "number", (settled,)), _site(own.rows), (said, *passed))
    if len(stated) > 1 and ids:
        return _several(Fit(value, "several", ids)) if len(ids) > 1 else _near(value, ids, facts)
    schemes = {scheme.id: scheme.title for readings in stated for scheme, _ in readings}
    bearing = {scheme for scheme, _ in held}
    titles = " or ".join(title for scheme, title in schemes.items() if not held or scheme in bearing)
    values = {"words": value, "titles": titles, "candidates": ids}
    key = "issuer.whose_number" if titles else "issuer.no_such_number"
    return Found(Fit(value, "several" if ids else "unknown", ids), open=(key, values), missing="result.issuer.scheme")


def _find_by_name(name: str, facts: Facts, day: int, economy: str | None) -> Found:
    found, keys = _bear(name, facts)
    but_for_brackets = _but_for_brackets(name, facts) if found else ()
    everybody = tuple(dict.fromkeys((*found, *but_for_brackets)))
    borne = [each for each in everybody if _bore(facts.issuers[each], keys, day)]
    passed = list_from_elsewhere(everybody, borne, facts, economy)
    ids = tuple(each for each in found if each not in passed)
    exact = tuple(each for each in ids if any(called.name == name for called in facts.issuers[each].called))
    bearing = exact or ids
    then = tuple(each for each in bearing if _bore(facts.issuers[each], keys, day))
    chosen = tuple(dict.fromkeys((*(then or bearing), *(each for each in but_for_brackets if each not in passed))))
    if not chosen:
        return _find_like(name, facts, day, economy)
    how = "exact" if exact else "fold"
    settled = _settle(chosen, facts, economy)
    if settled is None:
        return _several(Fit(name, "several", tuple(sorted(chosen))))
    issuer = facts.issuers[settled]
    others = (
        tuple(each for each in chosen if each != settled)
        or _also_begin(name, keys, issuer, facts)
        or _like_in(name, economy, issuer, facts)
    )
    said: list[Assumption] = []
    values = {"words": name, "body": issuer.name, "economy": issuer.economy}
    if others:
        if issuer.economy != economy or any(facts.issuers[each].economy == economy for each in others):
            return _several(Fit(name, "several", tuple(sorted({settled, *others}))))
        said.append(("assumed.economy_settles", values))
    elif how == "fold":
        said.append(("assumed.fold", values))
    said.extend(_passed_over(name, settled, passed, facts))
    ends = [called.period.end for called in issuer.called if _is_called(called, keys)]
    if not then and ends:
        said.append(("assumed.former", {**values, "end": max(ends, key=lambda end: end.latest)}))
    return Found(Fit(name, how, (settled,)), None, tuple(said))


def _bear(name: str, facts: Facts) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return who bears a name, or else who bears it in another spelling, and the keys under which they bear it."""
    key = fold(name)
    if ids := facts.names.get(key, ()):
        return ids, frozenset((key,))
    spelled = fold_spellings(name)
    found = {each: None for other in spelled[1:] for each in facts.names.get(other, ())}
    found.update((each, None) for other in spelled for each in facts.spellings.get(other, ()))
    return tuple(sorted(found)), frozenset(spelled)


def _but_for_brackets(name: str, facts: Facts) -> tuple[str, ...]:
    """Return issuers one of whose names is this one but for the acronym in brackets at its end.

    It must not contradict: where the name asked for has one, they are called so too.
    """
    base, word = split_brackets(name)
    found = facts.spellings.get(key_before_brackets(base), ())
    if word is None:
        return found
    asked = fold(word)
    alike = (*facts.names.get(fold(base), ()), *found)
    return tuple(key for key in alike if any(asked in _short_names(called) for called in facts.issuers[key].called))


def _short_names(called: Called) -> tuple[str, ...]:
    """Return a name, and the acronym in brackets at its end, folded."""
    word = split_brackets(called.name)[1]
    return (called.key,) if word is None else (called.key, fold(word))


def _also_begin(name: str, keys: frozenset[str], issuer: IssuerFacts, facts: Facts) -> tuple[str, ...]:
    """Return other bodies whose names begin with a short name of one: the short name alone does not tell them apart."""
    legal = [called.name for called in issuer.called if called.legal]
    if issuer.body is None or any(not keys.isdisjoint(fold_spellings(each)) for each in legal):
        return ()
    return tuple(each for each in facts.likeness.beginning(name) if each != issuer.id)


def _like_in(name: str, economy: str | None, issuer: IssuerFacts, facts: Facts) -> tuple[str, ...]:
    """Return those in the economy that is stated whose names are like it, where the bearer of the name is elsewhere."""
    sites = issuer.body.sites if issuer.body is not None else ()
    if economy in {None, issuer.economy, *(site.economy for site in sites)}:
        return ()
    return tuple(each for each in facts.likeness.issuers(name) if facts.issuers[each].economy == economy)


def _find_like(name: str, facts: Facts, day: int, economy: str | None) -> Found:
    if states_number(name):
        return _find_by_number_alone(name, facts, day, economy)
    return _near(name, facts.likeness.issuers(name), facts)


def _near(words: str, ids: tuple[str, ...], facts: Facts) -> Found:
    """Offer those who may be meant, where there are any."""
    if not ids:
        return _nobody(words)
    named = ", ".join(_name(each, facts) for each in ids[:3])
    return Found(Fit(words, "near", ids), open=("issuer.near", {"words": words, "named": named}))


def _nobody(words: str) -> Found:
    """Leave open who is meant by words that name nobody: a list proves something of a number, nothing of a name."""
    return Found(Fit(words, "unknown"), open=("issuer.nobody", {"words": words}))


def _several(fit: Fit) -> Found:
    return Found(fit, open=("issuer.several", {"candidates": fit.ids}))


def _settle(ids: tuple[str, ...], facts: Facts, economy: str | None) -> str | None:
    """Return the only one, or the only one in the economy that the question states."""
    if len(ids) == 1:
        return ids[0]
    own = [each for each in ids if economy is not None and facts.issuers[each].economy == economy]
    return own[0] if len(own) == 1 else None


def _bore(issuer: IssuerFacts, keys: frozenset[str], day: int) -> bool:
    return any(called.period.holds(day) is not Truth.NO for called in issuer.called if _is_called(called, keys))


def _is_called(called: Called, keys: frozenset[str]) -> bool:
    return called.key in keys or not keys.isdisjoint(called.other_keys)


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
