"""How codes are shown: a word, a sign and a tone, so that colour is never the only sign."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from cab_registry.engine.facts import Working, WorkingState

_DASH: Final = "\N{EN DASH}"


class Look(NamedTuple):
    """How a state is shown."""

    word: str
    tone: str
    sign: str
    advice: str = ""


VERDICTS: Final = {
    "accepted": Look("Accepted", "good", "✓", "A route reaches the result and every check passes: present it."),
    "accepted_with_conditions": Look(
        "Accepted with conditions", "part", "✓", "A route reaches the result; fulfil the conditions that remain."
    ),
    "not_accepted": Look(
        "Not accepted", "bad", "✕", "A route reaches the result, but a check fails: mend it, or use an alternative."
    ),
    "not_covered": Look(
        "Not covered", "none", _DASH, "No route reaches the result: use the market's national procedure."
    ),
    "cannot_tell": Look(
        "Cannot tell", "open", "?", "A fact that decides is missing or open: supply it, or ask the authority named."
    ),
}
FITS: Final = {
    "id": "its id",
    "exact": "as the register has it",
    "number": "its number",
    "fold": "spelled otherwise",
    "section": "a part of it",
    "several": "several fit; it is not settled which is meant",
    "near": "we found only others like it",
    "unknown": "we found nothing like it in the register",
}
OUTCOMES: Final = {
    "pass": Look("Passes", "good", "✓"),
    "fail": Look("Fails", "bad", "✕"),
    "unknown": Look("Not known", "open", "?"),
    "not_applicable": Look("Not asked", "none", _DASH),
}
STATUSES: Final = {
    "held": Look("Held", "good", "✓"),
    "suspended": Look("Suspended", "bad", "✕"),
    "withdrawn": Look("Withdrawn", "bad", "✕"),
    "expired": Look("Expired", "bad", "✕"),
    "edition_ended": Look("Edition ended", "bad", "✕"),
    "not_yet": Look("Not yet", "none", _DASH),
    "unknown": Look("Not known", "open", "?"),
    "none": Look("None", "none", _DASH),
}
_WORKING: Final = {
    Working.NOT_YET: Look("Does not work yet", "none", _DASH),
    Working.ENDED: Look("Ended", "none", "✕"),
    Working.UNKNOWN: Look("Not known", "open", "?"),
    Working.PILOT: Look("Pilot", "part", "✓"),
    Working.OPERATIONAL: Look("Works", "good", "✓"),
}
CHECKS: Final = {
    "direction": "Direction",
    "result_kind": "Kind of result",
    "procedure": "Procedure",
    "requirement": "Requirement and edition",
    "product": "Product",
    "activity": "Activity",
    "site": "Site, territory and subcontractors",
    "instrument": "Legal force of the instrument",
    "operational": "Working of this direction",
    "issuer": "The issuer",
    "designation": "Designation by the exporting side",
    "recognition": "Recognition by the importing side",
    "accreditation": "Accreditation",
    "suspension": "Suspension, restriction, withdrawal",
    "survival": "What happened since",
    "document": "The document itself",
    "position": "Positions of authorities",
}
DUTIES: Final = {
    "must": "the market must accept it where every check passes",
    "may": "the market may accept it where every check passes",
    "discretion": "an authority decides case by case",
}
FAMILIES: Final = {
    "technical": "Mutual recognition of results",
    "internal_market": "Internal markets",
    "unilateral": "Unilateral recognition",
    "aeo": "Trusted traders",
    "accreditation": "Arrangements of accreditation bodies",
}


def look_of_working(state: WorkingState) -> Look:
    """Return how the working of a direction is shown."""
    return _WORKING[state.working]


def best_working(states: list[WorkingState]) -> Look:
    """Return how an agreement is shown: by the direction that works best."""
    if not states:
        return Look("No route on record", "none", _DASH)
    return _WORKING[max(state.working for state in states)]


def in_words(code: Any) -> str:
    """Return a code in plain words."""
    text = str(code).replace("_", " ").replace("-", " ")
    spelled = " ".join(_SHORT.get(part, part) for part in text.split())
    return spelled[:1].upper() + spelled[1:]


_SHORT: Final = {
    "gmp": "GMP",
    "glp": "GLP",
    "eu": "EU",
    "aeo": "AEO",
    "qms": "QMS",
    "mra": "MRA",
    "emc": "EMC",
    "ivd": "IVD",
}


def show_moment(value: Any) -> str:
    """Return a moment of a record in words: a day, `always`, or a window."""
    if isinstance(value, dict):
        first, last = value.get("not_before"), value.get("not_after")
        if first and last:
            return f"between {first} and {last}"
        return f"not before {first}" if first else f"not after {last}"
    return "for as long back as asked" if value == "always" else str(value)


def show_span(interval: list[Any]) -> str:
    """Return `[from, until]` in words; of several moments, each."""
    if len(interval) != 2:
        return ", ".join(show_moment(part) for part in interval if part is not None)
    first, last = interval
    start = "" if first in (None, "always") else f"from {show_moment(first)}"
    end = "" if last is None else f"until {show_moment(last)}"
    return " ".join(part for part in (start, end) if part) or "with no dates"


def show_form(schema: dict[str, Any]) -> str:
    """Return what a JSON Schema allows, in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(show_form(part) for part in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {show_form(schema.get('items', {}))}"
    if schema.get("format") == "date":
        return "day, YYYY-MM-DD"
    kind = {"string": "text", "integer": "whole number", "object": "object", "null": "null", "boolean": "true or false"}
    return kind.get(str(schema.get("type")), str(schema.get("type", "any value")))
