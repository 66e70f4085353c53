"""Ids minted by rule for records that are new (records.md, first section)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from itertools import count
from typing import Any, Final

from anyascii import anyascii

from cab_registry.domain.folding import fold
from cab_registry.domain.schemes import canonical_form, canonise

LONGEST: Final = 120
_NO_WORD: Final = re.compile(r"[^a-z0-9]+")
_SIGNS: Final = str.maketrans({"&": " and ", "+": " plus "})


def mint_id(document: Mapping[str, Any], is_taken: Callable[[str], bool]) -> str | None:
    """Return an id for a document without one, or none where it lacks what its id is made of.

    A body's is scheme and value of its first identifier, else a slug of name and economy; another record's is its
    type, who says it, the body that it speaks of, and a number.
    """
    kind = document.get("type")
    if kind == "body":
        stem = _of_body(document)
        if stem is None or not is_taken(stem):
            return stem
        return next(name for number in count(2) if not is_taken(name := f"{stem}-{number}"))
    about = document.get("about")
    body = document.get("body", about.get("body") if isinstance(about, Mapping) else None)
    stem = slug(*(str(part) for part in (kind, document.get("by", document.get("owner")), body) if part is not None))
    if not isinstance(kind, str) or stem is None:
        return None
    return next(name for number in count(1) if not is_taken(name := f"{stem}-{number}"))


def slug(*texts: str) -> str | None:
    """Return texts in kebab-case, letters of every script in Latin ones; none where one of them leaves nothing."""
    parts = [_kebab(text) for text in texts]
    return "-".join(parts)[: LONGEST - 6].rstrip("-") if parts and all(parts) else None


def find_contradiction(held: Mapping[str, Any], given: Mapping[str, Any]) -> str | None:
    """Say why two documents of bodies cannot be the same body though they meet in an id, a name or a number.

    Returns:
        A sentence that names both; none where nothing speaks against it: a name or number in common, or too little
        said to tell.
    """
    ours, theirs = _numbers(held), _numbers(given)
    for scheme in sorted({scheme for scheme, _ in ours} & {scheme for scheme, _ in theirs}):
        one = sorted(value for each, value in ours if each == scheme)
        two = sorted(value for each, value in theirs if each == scheme)
        if not set(one) & set(two):
            return f"{_call(held)} has the {scheme} number {', '.join(one)}, {_call(given)} has {', '.join(two)}"
    known, new = _names(held), _names(given)
    if known and new and not known & new:
        return f"the register has {_call(held)} ({held.get('id')}) there, not {_call(given)}"
    return None


def _kebab(text: str) -> str:
    """Return a text in kebab-case; signs that have no Latin spelling become a number of their own, never nothing."""
    plain = unicodedata.normalize("NFKC", text).translate(_SIGNS)
    bare = "".join(sign for sign in unicodedata.normalize("NFD", plain) if not unicodedata.combining(sign))
    kebab = _NO_WORD.sub("-", anyascii(unicodedata.normalize("NFC", bare)).casefold()).strip("-")
    if kebab or not plain.strip():
        return kebab
    return f"n{blake2b(plain.encode('utf-8', 'surrogatepass'), digest_size=4).hexdigest()}"


def _of_body(document: Mapping[str, Any]) -> str | None:
    identifier = _first(document.get("identifiers"))
    if (
        identifier is not None
        and isinstance(identifier.get("scheme"), str)
        and isinstance(identifier.get("value"), str)
    ):
        scheme, value = identifier["scheme"], identifier["value"]
        return slug(scheme, canonical_form(scheme, value) or value)
    name = _first(document.get("names"))
    if name is None or not isinstance(name.get("name"), str) or not isinstance(document.get("economy"), str):
        return None
    return slug(name["name"], document["economy"])


def _first(items: object) -> Mapping[str, Any] | None:
    return next(iter(_parts(items)), None)


def _parts(items: object) -> Iterable[Mapping[str, Any]]:
    return (each for each in items if isinstance(each, Mapping)) if isinstance(items, list) else ()


def _numbers(document: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {
        (str(each.get("scheme")), canonise(str(each.get("scheme")), str(each.get("value"))))
        for each in _parts(document.get("identifiers"))
    }


def _names(document: Mapping[str, Any]) -> set[str]:
    return {fold(str(each.get("name"))) for each in _parts(document.get("names"))}


def _call(document: Mapping[str, Any]) -> str:
    name = _first(document.get("names"))
    return repr(name.get("name")) if name is not None else str(document.get("id"))
