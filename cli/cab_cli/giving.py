"""Giving a right: new scope from its own day, what was asked for in answer to it, and nothing that is held already."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from cab_cli.drafts import GIVES, Document, Scope, free_key, has_begun, with_event, with_items
from cab_cli.standing_items import Item, read_items, spell_item
from cab_registry.domain.days import parse_when
from cab_registry.domain.errors import Fault, Refusal

_ENDS: Final = ("withdrawn", "resigned")


class Given(NamedTuple):
    """A right with what was given, the keys of the items, whether it had begun before, and of what less was taken."""

    right: Document
    keys: list[str]
    extends: bool = False
    less: Sequence[str] = ()


def give_first(right: Document, scope: Scope) -> Given:
    """Give a right that is new, with all of its items; a recognition names them, since more may be asked for later."""
    keys = [item["key"] for item in right.get("scope", [])]
    named = keys if right["type"] == "recognition" else []
    event = GIVES[right["type"]][0]
    return Given(with_event(_with_end(right, scope), event, scope.start, items=named), keys)


def _with_end(right: Document, scope: Scope) -> Document:
    """Return a right with its last day, which a right without items has as a whole."""
    return {**right, "until": scope.until} if scope.until and not right.get("scope") else right


def give_more(right: Document, scope: Scope) -> Given:
    """Give scope under a right on record: what was asked for and is named, else all of it, and what is new.

    What was asked for under a recognition stays on record as it was asked for; what is taken of it, where that is
    less, stands beside it. A designation is one's own, and becomes what is designated.

    Raises:
        Refusal: it is held already, nothing is named, or a part of one's own proposal would be left hanging.
    """
    known = read_items(right)
    asked = [item.document for item in known if not item.given]
    begun = has_begun(right)
    as_asked: list[str] = []
    less: list[str] = []
    narrowed: dict[str, Document] = {}
    new: list[Document] = []
    used = {item["key"] for item in right.get("scope", [])}
    for name in scope.requirements or (None,):
        fitting = [each for each in asked if name is None or name in {each["key"], each.get("requirement")}]
        for each in fitting:
            taken = scope.narrow(each)
            if spell_item(taken) == spell_item(each) and "until" not in taken:
                as_asked.append(each["key"])
            elif right["type"] == "designation":
                narrowed[each["key"]] = taken
            elif all(spell_item(other) != spell_item(taken) for other in new):
                new.append({**taken, "key": free_key(each["key"], used), "from": scope.start})
                less.append(each["key"])
        if not fitting and (item := scope.item(name, used)) is not None:
            _refuse_held(right, item, known)
            new.append(item)
    keys = [*as_asked, *narrowed, *(item["key"] for item in new)]
    if not keys and (begun or right.get("scope")):
        words = f"{right['id']} is given already; say what is added"
        raise Refusal(words, (Fault("--scope", "one requirement or more"),))
    whole = right["type"] == "designation" and not begun
    if whole:
        _refuse_part(right, asked, keys)
        right = {**right, "scope": [narrowed.get(item["key"], item) for item in right.get("scope", [])]}
    right = _with_end(with_items(right, new), scope)
    changed = with_event(right, act_on(right, scope.start), scope.start, items=[] if whole else keys)
    return Given(changed, keys, begun, less)


def with_given(right: Document, items: Sequence[Document], *, fresh: bool) -> Document:
    """Return a right with new items, each given on its own day, in whatever order they come; a new right begins so."""
    days: dict[tuple[int, int], list[Document]] = {}
    for item in items:
        days.setdefault(_key(item["from"]), []).append(item)
    right = with_items(right, items)
    if fresh and len(days) == 1 and items[0]["from"] == "always":
        return right
    for place, (_, given) in enumerate(sorted(days.items(), key=lambda each: each[0])):
        on = given[0]["from"]
        event = GIVES[right["type"]][0] if fresh and place == 0 else act_on(right, on)
        whole = fresh and len(days) == 1 and right["type"] != "recognition"
        right = with_event(right, event, on, items=[] if whole else [item["key"] for item in given])
    return right


def act_on(right: Document, on: Any) -> str:
    """Return the event that gives more of a right on a day.

    What has not begun by then, or has ended, is not extended: it is given.
    """
    gives = GIVES[right["type"]]
    timeline = right.get("timeline", [])
    given = [_key(event["on"]) for event in timeline if event["event"] in gives]
    if right["type"] == "recognition" or not has_begun(right) or (given and _key(on) < min(given)):
        return gives[0]
    before = [event for event in timeline if _key(event["on"]) <= _key(on) and not event.get("items")]
    last = next((event["event"] for event in reversed(before) if event["event"] in (*_ENDS, *gives, "reinstated")), "")
    return gives[0] if last in _ENDS else "extended"


def _key(on: Any) -> tuple[int, int]:
    when = parse_when(on)
    return when.earliest, when.latest


def _refuse_held(right: Document, item: Document, known: Iterable[Item]) -> None:
    for held in known:
        standing = held.standing(item["from"], item.get("until")) if held.spell() == spell_item(item) else None
        if standing is not None:
            words = f"{right['id']} has {held.document['key']} already, from {standing.start} on"
            raise Refusal(words, (Fault("--scope", standing.say()),))


def _refuse_part(right: Document, asked: Sequence[Document], keys: Sequence[str]) -> None:
    left = [item["key"] for item in asked if item["key"] not in keys]
    if left:
        scope = [item["key"] for item in right["scope"]]
        places = ", ".join(f"--remove /scope/{scope.index(key)}" for key in left)
        hint = (
            f"name {', '.join(left)} too, or take it back from the proposal first: cab correct {right['id']} {places}"
        )
        raise Refusal(f"{right['id']} was proposed for more than is designated", (Fault("--scope", hint),))
