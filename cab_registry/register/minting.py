"""Ids minted by rule for records that are new (records.md, first section)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Final

LONGEST: Final = 120
_NO_WORD: Final = re.compile(r"[^a-z0-9]+")
_LETTERS: Final = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "þ": "th", "ð": "d", "œ": "oe"})


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
    """Return texts in kebab-case, or none where nothing of them is left."""
    plain = unicodedata.normalize("NFKD", " ".join(texts).casefold().translate(_LETTERS))
    kebab = _NO_WORD.sub("-", "".join(sign for sign in plain if not unicodedata.combining(sign))).strip("-")
    return kebab[: LONGEST - 6].rstrip("-") or None


def _of_body(document: Mapping[str, Any]) -> str | None:
    identifier = _first(document.get("identifiers"))
    if (
        identifier is not None
        and isinstance(identifier.get("scheme"), str)
        and isinstance(identifier.get("value"), str)
    ):
        return slug(identifier["scheme"], identifier["value"])
    name = _first(document.get("names"))
    if name is None or not isinstance(name.get("name"), str) or not isinstance(document.get("economy"), str):
        return None
    return slug(name["name"], document["economy"])


def _first(items: object) -> Mapping[str, Any] | None:
    if isinstance(items, list) and items and isinstance(items[0], Mapping):
        return items[0]
    return None
