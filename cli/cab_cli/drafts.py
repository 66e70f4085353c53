"""Changes of record documents as plain values: days, scope items, events, new rights, parts set by pointer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from cab_cli.desk import Held
from cab_cli.texts import NotJson, parse_json
from cab_registry.domain.days import DayError, parse_when
from cab_registry.domain.errors import Fault, Refusal

Document = dict[str, Any]
GIVES: Final = {
    "accreditation": ("granted",),
    "designation": ("designated", "granted"),
    "recognition": ("recognised", "granted"),
}
ASKS: Final = ("proposed", "notified")
ADVERSE: Final = (
    "suspended",
    "inactive",
    "restricted",
    "reduced",
    "withdrawn",
    "resigned",
    "expired",
    "renewal_denied",
)
_PERIOD: Final = ".."


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is asked of scope items, and for which days: one for each requirement, else one for the rest together."""

    start: Any = "always"
    until: str | None = None
    requirements: tuple[str, ...] = ()
    standards: tuple[str, ...] = ()
    product_classes: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    result_kinds: tuple[str, ...] = ()
    text: str | None = None

    def items(self, right: Document) -> list[Document]:
        """Write the items that are added to a right, each under a key that is free there."""
        used = {item["key"] for item in right.get("scope", [])}
        found = (self.item(requirement, used) for requirement in self.requirements or (None,))
        return [item for item in found if item is not None]

    def item(self, requirement: str | None, used: set[str]) -> Document | None:
        """Write the item for a requirement, else for all of them; none where that would limit nothing."""
        limits = self._limits()
        if requirement is None and not limits:
            return None
        named = {"requirement": requirement} if requirement else {}
        key = free_key(requirement or "all", used)
        return {"key": key, **named, **limits, "from": self.start, **self._end()}

    def narrow(self, item: Document) -> Document:
        """Return an item with the limits and the last day that are asked for in place of its own."""
        return {**item, **self._limits(), **self._end()}

    @property
    def limited(self) -> bool:
        """Whether a limit or a last day is asked for."""
        return bool(self._limits() or self._end())

    def _limits(self) -> Document:
        limits = {
            "standards": list(self.standards),
            "product_classes": list(self.product_classes),
            "procedures": list(self.procedures),
            "result_kinds": list(self.result_kinds),
            "text": self.text,
        }
        return {name: value for name, value in limits.items() if value}

    def _end(self) -> Document:
        return {"until": self.until} if self.until else {}


def free_key(stem: str, used: set[str]) -> str:
    """Return a key that is not used yet, and use it."""
    key, number = stem, 1
    while key in used:
        number += 1
        key = f"{stem}-{number}"
    used.add(key)
    return key


def read_when(flag: str, written: str | None) -> Any:
    """Read a day, or a window as FIRST..LAST, or `always`; today where nothing is written.

    Raises:
        Refusal: it is none of these.
    """
    if written is None:
        return today()
    first, dots, last = written.strip().partition(_PERIOD)
    value: Any = {"not_before": first, "not_after": last} if dots else first
    try:
        return parse_when(value).plain()
    except DayError as error:
        hint = f"write YYYY-MM-DD, or FIRST{_PERIOD}LAST for a day known only as a window"
        raise Refusal("a day cannot be read", (Fault(flag, f"{error}; {hint}"),)) from None


def today() -> str:
    """Return the day that it is where the officer sits."""
    return date.today().isoformat()  # noqa: DTZ011 - legal time is the day at the desk


def find_keys(right: Document, named: Sequence[str]) -> list[str]:
    """Return the keys of scope items that are named by key or by requirement.

    Raises:
        Refusal: some are none of the right's.
    """
    scope = right.get("scope", [])
    found: list[str] = []
    faults = []
    for name in named:
        keys = [item["key"] for item in scope if name in {item["key"], item.get("requirement")}]
        if not keys:
            there = ", ".join(item["key"] for item in scope) or "none"
            faults.append(
                Fault(
                    "--scope", f"{name!r} is no item of {right.get('id', 'what is proposed')}; its items are: {there}"
                )
            )
        found += keys
    if faults:
        raise Refusal("the scope has no such item", tuple(faults))
    return list(dict.fromkeys(found))


def with_event(right: Document, event: str, on: Any, **more: Any) -> Document:
    """Return a right with one more event in its place by day; parts without a value are left out.

    An event may be reported late: later ones then move on by one, with what refers to them.
    """
    parts = {name: value for name, value in more.items() if value is not None and value != []}
    timeline = right.get("timeline", [])
    place = place_of(right, on)
    moved = [
        {**each, "refers_to": each["refers_to"] + 1} if each.get("refers_to", -1) >= place else each
        for each in timeline[place:]
    ]
    return {**right, "timeline": [*timeline[:place], {"event": event, "on": on, **parts}, *moved]}


def place_of(right: Document, on: Any) -> int:
    """Return the place in a timeline of an event of this day: after all that are not later."""
    key = _day_key(on)
    timeline = right.get("timeline", [])
    return next((index for index, each in enumerate(timeline) if _day_key(each["on"]) > key), len(timeline))


def _day_key(on: Any) -> tuple[int, int]:
    when = parse_when(on)
    return when.earliest, when.latest


def with_items(right: Document, items: Sequence[Document]) -> Document:
    """Return a right with more scope items."""
    return {**right, "scope": [*right.get("scope", []), *items]} if items else right


def new_right(kind: str, owner: str, body: str, **heading: Any) -> Document:
    """Return a right with nothing in it yet; the register gives it its id."""
    named = {name: value for name, value in heading.items() if value is not None}
    return {"type": kind, "owner": owner, "body": body, **named}


def last_event(
    right: Document, names: Iterable[str], keys: Sequence[str] = (), *, before: int | None = None
) -> int | None:
    """Return the place of the latest of these events, before a place, that touches one of the items; none without."""
    wanted, found = frozenset(names), None
    for place, event in enumerate(right.get("timeline", [])[:before]):
        items = event.get("items", [])
        if event["event"] in wanted and (not items or not keys or set(items) & set(keys)):
            found = place
    return found


def has_begun(right: Document) -> bool:
    """Whether the right was ever given, and not only asked for."""
    timeline = right.get("timeline", [])
    given = right.get("from") is not None or any(event["event"] in GIVES[right["type"]] for event in timeline)
    return given or not timeline


def end_of(item: Document) -> Any:
    """Return the last day of an item, of which a record may keep the first day without."""
    if "invalid_from" not in item:
        return item.get("until")
    return parse_when(item["invalid_from"]).moved(-1).plain()


def choose_right(rights: Iterable[Held], named: Mapping[str, str | None]) -> list[Held]:
    """Return the rights whose heading fits what is named; what is not named fits all."""
    return [
        held
        for held in rights
        if all(value is None or held.document.get(name) == value for name, value in named.items())
    ]


def set_part(document: Document, pointer: str, value: Any) -> None:
    """Set a part of a document in place; `-` at the end of a list adds to it.

    Raises:
        Refusal: the document has no such place.
    """
    *above, last = _steps(pointer)
    place = _walk(document, above, pointer)
    if isinstance(place, dict):
        place[last] = value
    elif isinstance(place, list) and last == "-":
        place.append(value)
    elif isinstance(place, list) and last.isdigit() and int(last) < len(place):
        place[int(last)] = value
    else:
        raise _absent(pointer)


def remove_part(document: Document, pointer: str) -> None:
    """Remove a part of a document in place.

    Raises:
        Refusal: the document has no such place.
    """
    *above, last = _steps(pointer)
    place = _walk(document, above, pointer)
    if isinstance(place, dict) and last in place:
        del place[last]
    elif isinstance(place, list) and last.isdigit() and int(last) < len(place):
        del place[int(last)]
    else:
        raise _absent(pointer)


def _steps(pointer: str) -> list[str]:
    if not pointer.startswith("/"):
        raise Refusal("a place is named by a JSON Pointer", (Fault(pointer, "starts with /, as /timeline/0/on"),))
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _walk(document: Any, steps: Sequence[str], pointer: str) -> Any:
    place = document
    for step in steps:
        if isinstance(place, dict) and step in place:
            place = place[step]
        elif isinstance(place, list) and step.isdigit() and int(step) < len(place):
            place = place[int(step)]
        else:
            raise _absent(pointer)
    return place


def _absent(pointer: str) -> Refusal:
    return Refusal("the record has no such place", (Fault(pointer, "cab show RECORD --json shows what it has"),))


def read_value(written: str) -> Any:
    """Read a value as JSON, else as the text that it is."""
    try:
        return parse_json(written)
    except NotJson:
        return written


def list_differences(before: Any, after: Any, pointer: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield each place where two documents differ, with both values; None where there is nothing."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            step = str(key).replace("~", "~0").replace("/", "~1")
            yield from list_differences(before.get(key), after.get(key), f"{pointer}/{step}")
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            one, two = (values[index] if index < len(values) else None for values in (before, after))
            yield from list_differences(one, two, f"{pointer}/{index}")
    elif before != after:
        yield pointer, before, after
