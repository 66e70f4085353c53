"""What an import asks of the register before it begins: bodies, economies, rules, and who is not in the list."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import cache, lru_cache
from typing import Any, Final

from cab_cli.desk import RIGHTS, Desk
from cab_cli.drafts import end_of, today
from cab_cli.identities import Identifier, KnownBody, known_body
from cab_cli.planned import Group, Unsettled
from cab_cli.row_lists import KnownCodes
from cab_registry.domain.citing import key_citation, key_section, read_section
from cab_registry.domain.folding import fold
from cab_registry.domain.records import Requirement, read_record
from cab_registry.register.indexes import index_citations, list_codes

PAGE: Final = 500
_LAW: Final = ("requirement", "route", "position")
_CODED: Final = {"product_class": "product_classes", "procedure": "procedures"}
"""The tables of codes, and the fields of scope items that take them."""

_KEPT: Final = 10_000
_LISTED: Final = 3
_NEAR: Final = 75
_ENDS: Final = frozenset({"withdrawn", "resigned", "expired", "renewal_denied", "edition_ended"})


def list_bodies(desk: Desk) -> list[KnownBody]:
    """Read all bodies that the register holds."""
    return [known_body(each) for each in _list_records(desk, {"type": "body"})]


def read_economies(desk: Desk) -> dict[str, list[str]]:
    """Read the economies of the register: by code all the names that it has for each."""
    return {each["code"]: _names_of(each) for each in _list_records(desk, {"type": "economy"})}


def _names_of(economy: Mapping[str, Any]) -> list[str]:
    return [*economy.get("names", {}).values(), *economy.get("other_names", [])]


def read_unions(desk: Desk) -> frozenset[str]:
    """Read the codes of unions, in which no body has its seat."""
    return frozenset(each["code"] for each in _list_records(desk, {"type": "economy"}) if each.get("kind") == "union")


def read_codes(desk: Desk) -> KnownCodes:
    """Return what gives the codes that the law, or a right on record, uses for a field; each is read when asked for."""

    @cache
    def list_all() -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {field: set() for field in _CODED.values()}
        for kind in (*_LAW, *RIGHTS):
            for document in _list_records(desk, {"type": kind}):
                for part, code in list_codes(read_record(document)):
                    if part in _CODED:
                        found[_CODED[part]].add(code)
        return {field: frozenset(codes) for field, codes in found.items()}

    return lambda field: list_all()[field] if field in _CODED.values() else None


def read_requirements(desk: Desk) -> Callable[[str], str | Unsettled]:
    """Read the rules of the register, and return how their words are settled."""
    rules: list[Requirement] = []
    cursor: str | None = None
    while True:
        page = desk.client.get("/v1/requirements", {"limit": str(PAGE), "cursor": cursor})
        records = (read_record(each["record"]) for each in page["items"])
        rules += (each for each in records if isinstance(each, Requirement))
        cursor = page["next"]
        if cursor is None:
            return settle_rules(rules)


def settle_rules(rules: Iterable[Requirement]) -> Callable[[str], str | Unsettled]:
    """Return what gives the rule that words mean, as a question's words are read; a part of a rule is not all of it."""
    known = {each.id: each for each in rules}
    citations = index_citations(known.values())
    names = {each.id: list(_citations_of(each)) for each in known.values()}
    whole = {(key, rule) for rule, texts in names.items() for text in texts for key in key_citation(text)}
    by_fold: dict[str, list[str]] = {}
    for rule, texts in names.items():
        for text in texts:
            by_fold.setdefault(fold(text), []).append(rule)

    # Each citation is looked up once, however many rows have it.
    @lru_cache(maxsize=_KEPT)
    def settle(written: str) -> str | Unsettled:
        if written in known:
            return written
        for key in key_citation(written):
            found = citations.get(key, ())
            if len(found) > 1:
                return Unsettled(f"can mean {' or '.join(found)}: write the id of the rule")
            if found:
                return found[0] if (key, found[0]) in whole else _say_part(known[found[0]])
        section = read_section(written)
        above = citations.get(key_section(section._replace(section=None)), ()) if section and section.section else ()
        return _say_part(known[above[0]]) if len(above) == 1 else _say_unknown(written, by_fold)

    return settle


def _citations_of(rule: Requirement) -> Iterator[str]:
    yield from (rule.id, rule.citation, *rule.other_citations, *rule.also)


def _say_part(rule: Requirement) -> Unsettled:
    words = f"is a part of {rule.id} ({rule.citation}): if all of that is meant, write {rule.id}"
    return Unsettled(f"{words}; else say it in scope.text, beside {rule.id}")


def _say_unknown(written: str, by_fold: Mapping[str, list[str]]) -> Unsettled:
    from rapidfuzz import fuzz, process

    near = process.extract(fold(written), list(by_fold), scorer=fuzz.WRatio, limit=_LISTED, score_cutoff=_NEAR)
    meant = list(dict.fromkeys(each for name, _, _ in near for each in sorted(by_fold[name])))[:_LISTED]
    hint = f"; did you mean {', '.join(meant)}?" if meant else ""
    return Unsettled(f"is not a rule of the register{hint}")


def list_gone(desk: Desk, groups: Iterable[Group], identifier: Identifier) -> list[str]:
    """List the bodies that hold what the table is a list of, and are not in it.

    These are bodies with a standing right of the caller's under the same agreements and schemes; a table without any
    right is a list of nothing.
    """
    lists = {
        (kind, *_heading(part, desk.authority))
        for group in groups
        for row in group.rows
        for kind in RIGHTS
        if (part := row.part(kind))
    }
    held = set()
    for kind in RIGHTS:
        if not any(each[0] == kind for each in lists):
            continue
        for right in _list_records(desk, {"type": kind, "owner": desk.authority}):
            if (kind, *_heading(right, desk.authority)) in lists and _stands(right):
                held.add(right["body"])
    return sorted(held - identifier.named)


def _heading(right: Mapping[str, Any], authority: str) -> tuple[str | None, ...]:
    return right.get("by", authority), right.get("agreement"), right.get("annex"), right.get("scheme")


def _stands(right: Mapping[str, Any]) -> bool:
    """Whether a right has not ended for all that is known here."""
    whole = [each["event"] for each in right.get("timeline", []) if not each.get("items")]
    if whole and whole[-1] in _ENDS:
        return False
    ends = [end_of(each) for each in (right, *right.get("scope", []))]
    last = max((each for each in ends if isinstance(each, str)), default=None)
    open_ended = any(each is None for each in ends[1:] or ends)
    return open_ended or last is None or date.fromisoformat(last) >= date.fromisoformat(today())


def _list_records(desk: Desk, wanted: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        page = desk.client.get("/v1/records", {**wanted, "limit": str(PAGE), "cursor": cursor})
        for each in page["items"]:
            yield each["record"]
        cursor = page["next"]
        if cursor is None:
            return
