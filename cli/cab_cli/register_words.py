"""What an import asks of the register before it begins: bodies, economies, rules, and who is not in the list."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import cache, lru_cache
from typing import Any, Final

from cab_cli.desk import RIGHTS, Desk
from cab_cli.drafts import end_of, today
from cab_cli.identities import Identifier, KnownBody, known_body
from cab_cli.planning import Group, Unsettled
from cab_cli.row_lists import KnownCodes
from cab_registry.domain.folding import fold
from cab_registry.domain.records import read_record
from cab_registry.register.indexes import list_codes

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
    by_fold: dict[str, set[str]] = {}
    ids: set[str] = set()
    cursor: str | None = None
    while True:
        page = desk.client.get("/v1/requirements", {"limit": str(PAGE), "cursor": cursor})
        for each in page["items"]:
            record = each["record"]
            ids.add(record["id"])
            for name in (record["id"], record["citation"], *record.get("other_citations", []), *record.get("also", [])):
                by_fold.setdefault(fold(name), set()).add(record["id"])
        cursor = page["next"]
        if cursor is None:
            # Each citation is looked up once, however many rows have it.
            return lru_cache(maxsize=_KEPT)(lambda written: _settle(written, ids, by_fold))


def _settle(written: str, ids: set[str], by_fold: Mapping[str, set[str]]) -> str | Unsettled:
    if written in ids:
        return written
    found = sorted(by_fold.get(fold(written), ()))
    if len(found) == 1:
        return found[0]
    if found:
        return Unsettled(f"can mean {' or '.join(found)}: write the id of the rule")
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
