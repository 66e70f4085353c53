"""The form of the question: fields, what can be chosen, and where a fault belongs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, get_args

from cab_registry.domain.codes import ResultKind
from cab_registry.domain.errors import Fault
from cab_registry.pages.words import in_words
from cab_registry.register.compiled import Register

Options = tuple[tuple[str, str], ...]
_MOST_NAMES: Final = 800


class Field(NamedTuple):
    """One control."""

    name: str
    label: str
    kind: str = "text"
    hint: str = ""
    options: Options = ()
    required: bool = False

    @property
    def id(self) -> str:
        """Id of the control."""
        return "f-" + self.name.replace(".", "-").replace("_", "-")

    @property
    def codes(self) -> frozenset[str]:
        """What can be chosen."""
        return frozenset(code for code, _ in self.options)


@dataclass(frozen=True, slots=True)
class Group:
    """A part of the form; `more` is folded until something in it is filled in."""

    title: str
    hint: str
    fields: tuple[Field, ...]
    more: tuple[Field, ...] = ()
    more_title: str = ""
    more_open: bool = False


class Choices(NamedTuple):
    """What the register offers to choose from."""

    economies: Options
    sectors: Options
    requirements: Options
    product_classes: Options
    procedures: Options
    activities: Options
    schemes: Options
    names: Options


def list_choices(register: Register) -> Choices:
    """Collect what can be chosen from a register."""
    facts = register.facts
    routes = [rf.route for rf in facts.routes.values()]
    schemes = {scheme for scheme, _ in facts.identifiers}
    names = sorted({issuer.name for issuer in facts.issuers.values()}, key=str.casefold)
    economies = [(code, each.names.get("en") or code) for code, each in facts.economies.items() if each.is_market]
    return Choices(
        economies=tuple(sorted(economies, key=lambda pair: pair[1])),
        sectors=_coded(each.sector for each in facts.requirements.values()),
        requirements=tuple((key, facts.requirements[key].citation) for key in sorted(facts.requirements)),
        product_classes=_coded(item.product_class for route in routes for item in route.product_classes),
        procedures=_coded(each for route in routes for each in route.procedures),
        activities=_coded(item.activity for route in routes for item in route.activities),
        schemes=_coded(schemes),
        names=tuple((name, "") for name in names) if len(names) <= _MOST_NAMES else (),
    )


def _coded(codes: Iterable[str | None]) -> Options:
    return tuple((code, in_words(code)) for code in sorted({code for code in codes if code}))


def make_groups(choices: Choices, filled: Iterable[str]) -> tuple[Group, ...]:
    """Return the groups of the form; folded parts in which something is filled are open."""
    kinds = tuple((kind, in_words(kind)) for kind in sorted(get_args(ResultKind)))
    groups = (
        Group(
            "Market and result",
            "",
            (
                Field("destination", "Market", "select", "Where it is presented.", choices.economies, required=True),
                Field("result.kind", "Kind of result", "select", "What the document is.", kinds, required=True),
            ),
        ),
        Group(
            "Who issued it",
            "By name, or by a number, with its scheme if you know it. An issuer that is not known here gets an answer "
            "too; then state its economy.",
            (
                Field("result.issuer.name", "Name of the issuer", options=choices.names),
                Field("result.issuer_economy", "Economy of the issuer", "select", options=choices.economies),
                Field(
                    "result.issuer.scheme",
                    "Scheme of its number",
                    hint="For example nando. Without it we look for a scheme that the number fits.",
                    options=choices.schemes,
                ),
                Field("result.issuer.value", "Its number"),
            ),
            (
                Field("result.issuer.id", "Id in this register"),
                Field("result.site", "Site", hint="Key of the site at which the work was done."),
                Field("result.performed_in", "Work done in", "select", options=choices.economies),
                Field("result.subcontractors.0.name", "Subcontractor"),
                Field(
                    "result.subcontractors.0.economy",
                    "Economy of the subcontractor",
                    "select",
                    options=choices.economies,
                ),
            ),
            "Id, site, place of work, subcontractor",
        ),
        Group(
            "Days",
            "The day of issue, or the days of the work, must be stated.",
            (
                Field("result.performed_on.from", "Work began on", "date"),
                Field("result.performed_on.to", "Work ended on", "date", "Not needed for a single day."),
                Field("result.issued_on", "Issued on", "date"),
                Field("presented_on", "Presented on", "date", "The day asked about; today if not stated."),
            ),
            (
                Field("result.ordered_on", "Ordered on", "date"),
                Field("result.submitted_on", "Filed with the regulator on", "date"),
                Field("result.valid_until", "Valid until, as the document says", "date"),
                Field(
                    "known_at",
                    "As known on",
                    hint="A day, or an instant with offset: as the register knew it.",
                ),
                Field("standing_on", "No document: standing on", "date", "A result made and presented on this day."),
            ),
            "More days",
        ),
        Group(
            "What it is about",
            "",
            (
                Field("subject.sector", "Sector", "select", options=choices.sectors),
                Field(
                    "subject.requirement",
                    "Requirement",
                    hint="Id or citation of the rule.",
                    options=choices.requirements,
                ),
                Field("subject.product_class", "Product class", options=choices.product_classes),
                Field("subject.procedure", "Procedure", options=choices.procedures),
            ),
            (
                Field("subject.activity", "Activity", hint="Kind of inspection.", options=choices.activities),
                Field("subject.edition", "Edition of the requirement"),
                Field("subject.origin", "Origin of the product", "select", options=choices.economies),
                Field("subject.standards", "Method or standard"),
                Field("result.number", "Number of the document"),
                Field("result.findings", "Finding of an inspection", hint="NAI, VAI, OAI, compliant ..."),
                Field("result.attests", "Rule that the document itself states"),
            ),
            "Activity, edition, origin, number, findings",
        ),
    )
    open_names = set(filled)
    return tuple(_opened(group, open_names) for group in groups)


def _opened(group: Group, filled: set[str]) -> Group:
    is_open = any(field.name in filled for field in group.more)
    return Group(group.title, group.hint, group.fields, group.more, group.more_title, is_open)


def list_fields_of(groups: Iterable[Group]) -> dict[str, Field]:
    """Return the fields of a form by name."""
    return {field.name: field for group in groups for field in (*group.fields, *group.more)}


def tidy_pairs(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Drop what a form sends empty; one day of work is a day, not a period."""
    kept = [(name, value.strip()) for name, value in pairs if value.strip()]
    first, last = "result.performed_on.from", "result.performed_on.to"
    names = {name for name, _ in kept}
    if first in names and last not in names:
        return [("result.performed_on" if name == first else name, value) for name, value in kept]
    return kept


def values_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return what the form shows as filled in."""
    values: dict[str, str] = {}
    for name, value in pairs:
        values.setdefault("result.performed_on.from" if name == "result.performed_on" else name, value)
    return values


def place_faults(faults: Iterable[Fault], fields: Mapping[str, Field]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the summary of faults with links to their fields, and the message of each field."""
    summary: list[dict[str, Any]] = []
    wrong: dict[str, str] = {}
    for fault in faults:
        name = fault.pointer.removeprefix("/").replace("/", ".")
        field = fields.get(_NEAREST.get(name, name))
        message = _shorten(fault.message)
        if field is None:
            summary.append({"id": None, "label": name or "The question", "message": message})
        else:
            summary.append({"id": field.id, "label": field.label, "message": message})
            wrong.setdefault(field.name, message)
    return summary, wrong


def _shorten(message: str) -> str:
    """Return a message as the form says it, where the control itself shows what is allowed."""
    if message.startswith("`") and "` is missing" in message:
        return "must be stated"
    return message if len(message) <= 200 else message.partition("; ")[0]


_NEAREST: Final = {"result.issuer": "result.issuer.name", "result.performed_on": "result.performed_on.from"}
