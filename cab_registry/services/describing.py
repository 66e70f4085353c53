"""What changes in a record, in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from cab_registry.domain.days import DayError, parse_when
from cab_registry.services.sameness import BY_PLACE, Document, are_same, spell_alike, state

NameOf = Callable[[str], str]

# By which of its keys an item of a list is the same one in two versions; the first that fits counts.
_IDENTITIES: Final = (
    ("key",),
    ("event",),
    ("state",),
    ("scheme", "value"),
    ("id",),
    ("product_class",),
    ("activity",),
    ("union",),
    ("economy",),
    ("authority",),
    ("arrangement",),
    ("fact",),
    ("name",),
    ("standard",),
    ("subject",),
    ("reason",),
    ("where",),
)
_NAMED: Final = frozenset(
    (
        "agreement", "arrangement", "authorities", "authority", "body", "by", "continues", "id", "members", "owner",
        "part_of", "requirement", "requirements", "held_as", "instead_of", "economy", "economies", "parties",
        "importer", "exporter", "binds_in", "union", "unless_attests", "signatory_of", "items",
    )
)  # fmt: skip
_DAYS: Final = frozenset(("from", "until", "invalid_from", "on", "read_on", "as_of", "issued_before", "held_on"))
_CODES: Final = frozenset(
    (
        "event", "state", "kind", "kinds", "result_kinds", "roles", "effect", "says", "silence", "duty", "need", "fact",
        "validity", "completeness", "family", "confidence", "product_class", "product_classes", "procedures", "sector",
        "sectors", "activity", "why", "rule", "where", "use",
    )
)  # fmt: skip
_LABELS: Final = {
    "names": "name", "sites": "site", "identifiers": "identifier", "scope": "scope item", "timeline": "event",
    "editions": "edition", "articles": "article", "conditions": "condition", "sources": "source",
    "requirements": "requirement", "product_classes": "product class", "excluded": "excluded class",
    "activities": "activity", "member_of": "membership", "succeeds": "succession", "signatory": "signatory status",
    "annexes": "annex", "reviews": "review", "instrument": "event of the instrument",
    "operation": "event of its working", "by": "given by", "from": "begins", "until": "last day",
    "invalid_from": "first day without", "on": "day", "read_on": "read on", "members": "member", "kinds": "kind",
    "importer": "market", "exporter": "exporter", "result_kinds": "kind of result", "survival": "rule on survival",
    "ownership": "fact of ownership", "objection": "objection period", "owner": "owner",
}  # fmt: skip
_HEADS: Final = {
    "economy": "economy", "authority": "authority", "requirement": "requirement", "agreement": "agreement",
    "route": "route", "body": "conformity assessment body", "accreditation": "accreditation",
    "designation": "designation", "recognition": "recognition", "position": "position", "notice": "notice",
    "coverage": "coverage of a list",
}  # fmt: skip
_ALWAYS_SHOWN: Final = ("scope", "timeline", "from", "until", "names", "identifiers", "sites", "effect", "on", "says")


def describe_changes(before: Document | None, after: Document, name_of: NameOf = str) -> list[str]:
    """Say in plain words what changes in a record, one line for each change; no line where nothing does.

    Nothing changes by the order of a list that decides nothing, by a null, or by a default that is stated.

    Args:
        before: the version on record; none for a new record.
        after: the version that follows it.
        name_of: gives the name of an authority, body, requirement, agreement or economy by its id or code.
    """
    speech = _Speech(name_of)
    if before is None:
        return speech.introduce(after)
    if are_same(before, after):
        return []
    return list(speech.compare(state(before), state(after), ""))


def title_of(document: Document, name_of: NameOf = str) -> str:
    """Name a record in a few words: what it is, of whom, by whom, under what."""
    words = [_HEADS.get(str(document.get("type")), "record")]
    about = document.get("about")
    subject = document.get("body") or (about.get("body") if isinstance(about, Mapping) else None)
    if isinstance(subject, str):
        words.append(f"of {name_of(subject)}")
    elif not isinstance(document.get("by"), str):
        words.append(own_name(document) or str(document.get("id", "")))
    if isinstance(by := document.get("by"), str):
        words.append(f"by {name_of(by)}")
    if isinstance(under := document.get("agreement") or document.get("scheme"), str):
        annex = document.get("annex")
        words.append(f"under {name_of(under)}" + (f", {annex}" if isinstance(annex, str) else ""))
    return " ".join(word for word in words if word)


def own_name(document: Document) -> str | None:
    """Return the name by which a record is called, if its type has one."""
    for key in ("short", "citation", "title"):
        if document.get("type") == "route" and key == "citation":
            continue
        if isinstance(value := document.get(key), str) and value:
            return value
    names = document.get("names")
    if isinstance(names, Mapping):
        value = names.get("en") or next(iter(names.values()), None)
        return value if isinstance(value, str) else None
    if isinstance(names, Sequence) and not isinstance(names, str):
        borne = [each for each in names if isinstance(each, Mapping) and isinstance(each.get("name"), str)]
        legal = [each for each in borne if each.get("kind", "legal") == "legal"]
        return str((legal or borne)[-1]["name"]) if borne else None
    return None


class _Speech:
    """Speaks of values with the names that a reader knows."""

    def __init__(self, name_of: NameOf) -> None:
        self._name_of = name_of

    def introduce(self, document: Document) -> list[str]:
        """Say what a new record holds: what it is, and the facts that decide."""
        lines = [f"New {title_of(document, self._name_of)}"]
        for key in _ALWAYS_SHOWN:
            value = document.get(key)
            if isinstance(value, list | tuple):
                lines.extend(f"{_label(key)}: {self.phrase(item, key)}" for item in value)
            elif isinstance(value, Mapping) and key == "names":
                lines.append(f"Names: {self.phrase(value, key)}")
            elif value is not None:
                lines.append(f"{_label(key)}: {self.phrase(value, key)}")
        return lines

    def compare(self, before: Document, after: Document, where: str) -> Iterator[str]:
        """Yield what differs between two objects; `where` is how the object is called."""
        for key in (*before, *(key for key in after if key not in before)):
            one, two = before.get(key), after.get(key)
            if spell_alike(one, str(key)) == spell_alike(two, str(key)):
                continue
            yield from self._differ(one, two, str(key), where)

    def _differ(self, one: Any, two: Any, key: str, where: str) -> Iterator[str]:
        if (_lists(one, two) or _objects(one, two)) and not one and not two:
            yield f"{_inside(where, key)}: none stated"
        elif _lists(one, two):
            if _of_objects(one or []) and _of_objects(two or []):
                yield from self._pair(list(one or []), list(two or []), key, where)
            else:
                yield from self._members(list(one or []), list(two or []), key, where)
        elif _objects(one, two) and not _is_window(one) and not _is_window(two):
            if key in ("sources", "annexes"):
                yield from self._keyed(one or {}, two or {}, key, where)
            elif one is None or two is None:
                yield self._replaced(one, two, key, where)
            else:
                yield from self.compare(one, two, _inside(where, key))
        else:
            yield self._replaced(one, two, key, where)

    def _replaced(self, one: Any, two: Any, key: str, where: str) -> str:
        label = _inside(where, key)
        if one is None:
            return f"{label}: {self.phrase(two, key)} (not stated before)"
        if two is None:
            return f"{label}: no longer stated (was {self.phrase(one, key)})"
        return f"{label}: {self.phrase(one, key)} becomes {self.phrase(two, key)}"

    def _members(self, one: list[Any], two: list[Any], key: str, where: str) -> Iterator[str]:
        label = _inside(where, key)
        gone, come = _take_apart(one, two, key)
        if come:
            yield f"{label}: {', '.join(self.phrase(item, key) for item in come)} added"
        if gone:
            yield f"{label}: {', '.join(self.phrase(item, key) for item in gone)} removed"

    def _keyed(self, one: Document, two: Document, key: str, where: str) -> Iterator[str]:
        for name in (*one, *(name for name in two if name not in one)):
            label = f"{_inside(where, key)} {name}"
            if one.get(name) is None and two.get(name) is None:
                continue
            if one.get(name) is None:
                yield f"{label} added: {self.phrase(two[name], key)}"
            elif two.get(name) is None:
                yield f"{label} removed"
            elif spell_alike(one[name], str(name)) != spell_alike(two[name], str(name)):
                yield from self._differ(one[name], two[name], str(name), _inside(where, key))

    def _pair(self, one: list[Document], two: list[Document], key: str, where: str) -> Iterator[str]:
        """Compare two lists of objects item by item: equal ones first, then those of the same identity in order."""
        label = _inside(where, key)
        left, rest = _take_apart(one, two, key)
        if not left and not rest:
            why = "the first that fits applies" if key in BY_PLACE else "it counts on one day, and for references"
            yield f"{label}: the order changes ({why})"
        for item in rest:
            same = next((other for other in left if _identity(other) == _identity(item)), None)
            if same is None:
                yield f"{label} added: {self.phrase(item, key)}"
                continue
            left.remove(same)
            yield from self.compare(same, item, f"{label} {self.call(item, key)}".strip())
        for item in left:
            yield f"{label} removed: {self.phrase(item, key)}"

    def call(self, item: Document, key: str) -> str:
        """Name an item of a list by what it is recognised by."""
        named = [self.phrase(item[name], name) for name in _identity_keys(item) if item.get(name) is not None]
        if key == "scope" and isinstance(item.get("requirement"), str):
            named.append(f"({self._name_of(item['requirement'])})")
        return " ".join(named)

    def phrase(self, value: Any, key: str) -> str:
        """Return a value in words."""
        if isinstance(value, Mapping):
            if _is_window(value):
                return _say_day(value)
            if "event" in value or "state" in value:
                return self._say_event(value)
            return self._say_object(value, key)
        if isinstance(value, list | tuple):
            return ", ".join(self.phrase(item, key) for item in value) or "nothing"
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, str):
            return self._say_text(value, key)
        return "nothing" if value is None else str(value)

    def _say_text(self, value: str, key: str) -> str:
        if not value:
            return "nothing"
        if key in _DAYS:
            return _say_day(value)
        if key in _NAMED:
            return self._name_of(value)
        return _plain(value) if key in _CODES else value

    def _say_event(self, event: Document) -> str:
        words = [self.phrase(event.get("event") or event.get("state"), "event")]
        if event.get("on") is not None:
            words.append(f"on {_say_day(event['on'])}")
        if event.get("until") is not None:
            words.append(f"until {_say_day(event['until'])}")
        if event.get("items"):
            words.append(f"for {self.phrase(event['items'], 'items')}")
        more = [key for key in event if key not in ("event", "state", "on", "until", "items", "source", "confidence")]
        if more:
            words.append(f"({', '.join(self._say_part(key, event[key]) for key in more)})")
        return " ".join(words)

    def _say_object(self, item: Document, key: str) -> str:
        named = [name for name in _identity_keys(item) if item.get(name) is not None]
        words = [self.phrase(item[name], name) for name in named]
        if key == "scope" and item.get("requirement") is not None:
            words.append(self.phrase(item["requirement"], "requirement"))
            named.append("requirement")
        for name, value in item.items():
            if name not in named and name not in ("source", "confidence"):
                words.append(self._say_part(name, value))
        return ", ".join(words) or "nothing"

    def _say_part(self, key: str, value: Any) -> str:
        said = self.phrase(value, key)
        if key in ("from", "until"):
            return f"{key} {said}"
        return f"{_label(key).lower()} {said}"


def _say_day(value: Any) -> str:
    try:
        return str(parse_when(value))
    except DayError:
        days = value.values() if isinstance(value, Mapping) else [value]
        return " to ".join(map(str, days))


def _plain(code: str) -> str:
    return code.replace("_", " ")


def _label(key: str) -> str:
    words = _LABELS.get(key, _plain(key))
    return words[:1].upper() + words[1:]


def _inside(where: str, key: str) -> str:
    label = _label(key)
    return f"{where}, {label[:1].lower()}{label[1:]}" if where else label


def _take_apart(one: Sequence[Any], two: Sequence[Any], key: str) -> tuple[list[Any], list[Any]]:
    """Return what is in the first list only and what is in the second only, each as often as it is."""
    left = [(spell_alike(item, key), item) for item in one]
    kept = Counter(spelled for spelled, _ in left)
    rest = []
    for item in two:
        spelled = spell_alike(item, key)
        if kept[spelled] > 0:
            kept[spelled] -= 1
        else:
            rest.append(item)
    gone = []
    for spelled, item in reversed(left):
        if kept[spelled] > 0:
            kept[spelled] -= 1
            gone.append(item)
    return gone[::-1], rest


def _lists(one: Any, two: Any) -> bool:
    return any(isinstance(each, list | tuple) for each in (one, two)) and all(
        each is None or isinstance(each, list | tuple) for each in (one, two)
    )


def _objects(one: Any, two: Any) -> bool:
    return any(isinstance(each, Mapping) for each in (one, two)) and all(
        each is None or isinstance(each, Mapping) for each in (one, two)
    )


def _of_objects(items: Sequence[Any]) -> bool:
    return all(isinstance(item, Mapping) for item in items)


def _is_window(value: Any) -> bool:
    if not isinstance(value, Mapping) or not value or set(value) - {"not_before", "not_after"}:
        return False
    return all(isinstance(day, str) for day in value.values())


def _identity_keys(item: Document) -> tuple[str, ...]:
    return next((keys for keys in _IDENTITIES if all(key in item for key in keys)), ())


def _identity(item: Document) -> tuple[Any, ...]:
    keys = _identity_keys(item)
    return (keys, tuple(str(item[key]) for key in keys))
