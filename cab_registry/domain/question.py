"""The one question: is this result accepted in that market (domain.md, section 1)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from cab_registry.domain.codes import ResultKind
from cab_registry.domain.errors import Fault, Refusal
from cab_registry.domain.records.common import Value

Word = Annotated[str, Meta(min_length=1, max_length=300)]
Words = Annotated[tuple[Word, ...], Meta(max_length=100)]
Where = Annotated[
    str,
    Meta(min_length=1, max_length=300, description="An economy: its code, for example DE, DEU or GB-NIR, or a name."),
]


class AskedIssuer(Value, frozen=True, kw_only=True):
    """Who issued the result: by id, by an identifier with its scheme, or by name."""

    id: Annotated[Word | None, Meta(description="Id in the register.")] = None
    scheme: Annotated[
        Word | None, Meta(description="Scheme of the identifier, for example nando; without it, one that fits.")
    ] = None
    value: Annotated[Word | None, Meta(description="The identifier itself.")] = None
    name: Annotated[Word | None, Meta(description="A name that must fit exactly one body or authority.")] = None


class AskedSubcontractor(Value, frozen=True, kw_only=True):
    """Somebody who did a part of the work."""

    id: Word | None = None
    name: Word | None = None
    economy: Where | None = None


class AskedPeriod(Value, frozen=True, kw_only=True):
    """The days of the work, both inclusive."""

    from_: Annotated[date, Meta(description="First day.")] = msgspec.field(name="from")
    to: Annotated[date, Meta(description="Last day, inclusive.")]


class AskedResult(Value, frozen=True, kw_only=True):
    """The document in hand, or planned."""

    kind: Annotated[ResultKind, Meta(description="What it is.")]
    issuer: AskedIssuer | None = None
    issuer_economy: Annotated[Where | None, Meta(description="Economy of the issuer as stated.")] = None
    site: Annotated[Word | None, Meta(description="Key of the site at which the work was done.")] = None
    performed_in: Annotated[Where | None, Meta(description="Economy in which the work was done.")] = None
    performed_on: Annotated[date | AskedPeriod | None, Meta(description="Day or days of the work.")] = None
    ordered_on: Annotated[date | None, Meta(description="Day of the order.")] = None
    issued_on: Annotated[date | None, Meta(description="Day of issue.")] = None
    submitted_on: Annotated[date | None, Meta(description="Day of filing with the regulator.")] = None
    valid_until: Annotated[date | None, Meta(description="Last valid day that the document states.")] = None
    number: Annotated[Word | None, Meta(description="Number of the document.")] = None
    findings: Annotated[Word | None, Meta(description="Outcome of an inspection: NAI, VAI, OAI, compliant ...")] = None
    attests: Annotated[Words, Meta(description="Rules that the document itself states, where they differ.")] = ()
    subcontractors: Annotated[tuple[AskedSubcontractor, ...], Meta(max_length=50)] = ()


class AskedSubject(Value, frozen=True, kw_only=True):
    """What the result is about."""

    sector: Word | None = None
    requirement: Annotated[Word | None, Meta(description="Id or citation of the rule to satisfy.")] = None
    edition: Word | None = None
    product_class: Word | None = None
    activity: Word | None = None
    procedure: Word | None = None
    origin: Annotated[Where | None, Meta(description="Economy in which the product was made.")] = None
    standards: Annotated[Words, Meta(description="Methods or standards on which the result rests.")] = ()


class AskedQuestion(Value, frozen=True, kw_only=True):
    """The question as it travels (JSON body, flat query parameters, file)."""

    destination: Annotated[Where, Meta(description="The market: its code or a name.")]
    presented_on: Annotated[date | None, Meta(description="The day asked about; default: today.")] = None
    known_at: Annotated[
        str | None,
        Meta(description="Day or instant with offset: answer as the register knew it then. Default: the head."),
    ] = None
    standing_on: Annotated[
        date | None, Meta(description="A result performed, issued and presented on this day; no document.")
    ] = None
    result: AskedResult
    subject: AskedSubject = AskedSubject()


class Span(msgspec.Struct, frozen=True):
    """Days of a clock, both inclusive. `every`: it counts on each of them; else on one of them, not known which."""

    first: int
    last: int
    every: bool = True


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question ready for the engine: days as ordinals, defaults resolved at the edge.

    `known_on` is the day of knowledge: from it nobody can tell whether an objection still comes. A document that is
    dated after the day on which it is shown is planned: `presented_on` is then its own day, and `shown_on` the day
    that was stated, or today.
    """

    destination: str
    presented_on: int
    known_on: int
    standing: bool
    result: AskedResult
    subject: AskedSubject
    performed: Span | None
    issued: int | None
    ordered: int | None
    submitted: int | None
    valid_until: int | None
    shown_on: int | None = None
    shown_stated: bool = True

    @property
    def asked_on(self) -> int:
        """The day of presentation as it was stated, or is taken to be where it was not."""
        if self.shown_on is not None and self.shown_stated:
            return self.shown_on
        return self.presented_on

    @property
    def planned(self) -> bool:
        """Whether the document is dated after the day on which it is shown."""
        return self.shown_on is not None


def _ordinal(value: date | None) -> int | None:
    return None if value is None else value.toordinal()


def find_faults(asked: AskedQuestion) -> list[Fault]:
    """List what is impossible in a well-formed question: missing or contradictory clocks, half an identifier."""
    result = asked.result
    faults: list[Fault] = []
    if asked.standing_on is not None:
        faults.extend(
            Fault(f"/result/{name}", "a standing question has no dates of a document")
            for name in ("performed_on", "ordered_on", "issued_on", "submitted_on")
            if getattr(result, name) is not None
        )
        if asked.presented_on is not None:
            faults.append(Fault("/presented_on", "a standing question is presented on its own day"))
    elif result.issued_on is None and result.performed_on is None:
        faults.append(Fault("/result/issued_on", "state issued_on, or performed_on, or standing_on instead"))
    issuer = result.issuer
    if issuer is None and result.issuer_economy is None:
        faults.append(Fault("/result/issuer", "state issuer, or issuer_economy"))
    if issuer is not None:
        faults.extend(_issuer_faults(issuer))
    faults.extend(_order_faults(result))
    return faults


def _issuer_faults(issuer: AskedIssuer) -> list[Fault]:
    if issuer.scheme is not None and issuer.value is None:
        return [Fault("/result/issuer", f"state the number too that it has under {issuer.scheme}")]
    ways = sum(part is not None for part in (issuer.id, issuer.value, issuer.name))
    if ways != 1:
        return [Fault("/result/issuer", "state exactly one of id, value (with its scheme, if known), name")]
    return []


def _order_faults(result: AskedResult) -> list[Fault]:
    work = result.performed_on
    first, last = (work.from_, work.to) if isinstance(work, AskedPeriod) else (work, work)
    pairs = (
        (first, last, "/result/performed_on", "the work ends before it begins"),
        (last, result.issued_on, "/result/performed_on", "the work was done after the day of issue"),
        (result.ordered_on, first, "/result/ordered_on", "the order lies after the start of the work"),
        (result.ordered_on, result.issued_on, "/result/ordered_on", "the order lies after the day of issue"),
        (result.issued_on, result.submitted_on, "/result/submitted_on", "it was filed before it was issued"),
        (result.issued_on, result.valid_until, "/result/valid_until", "it ended before it was issued"),
    )
    return [Fault(where, text) for before, after, where, text in pairs if before and after and before > after]


def pose(asked: AskedQuestion, *, today: date, known_on: date | None = None) -> Question:
    """Resolve defaults: `presented_on` is today, `known_on` the day of `known_at` or today.

    A document is not presented before it is there: one with a later date is presented on the day of its date.

    Raises:
        Refusal: the question is impossible; all faults are listed.
    """
    faults = find_faults(asked)
    if faults:
        raise Refusal("the question cannot be answered as it is put", tuple(faults))
    result = asked.result
    standing = _ordinal(asked.standing_on)
    work = result.performed_on
    performed = None
    if standing is not None:
        performed = Span(standing, standing)
    elif isinstance(work, AskedPeriod):
        performed = Span(work.from_.toordinal(), work.to.toordinal())
    elif work is not None:
        performed = Span(work.toordinal(), work.toordinal())
    shown = standing or _ordinal(asked.presented_on) or today.toordinal()
    dated = standing or _ordinal(result.issued_on) or (performed.last if performed is not None else shown)
    presented = max(shown, dated)
    return Question(
        destination=asked.destination,
        presented_on=presented,
        known_on=(known_on or today).toordinal(),
        standing=standing is not None,
        result=result,
        subject=asked.subject,
        performed=performed,
        issued=standing or _ordinal(result.issued_on),
        ordered=_ordinal(result.ordered_on),
        submitted=standing or _ordinal(result.submitted_on),
        valid_until=_ordinal(result.valid_until),
        shown_on=shown if shown < dated else None,
        shown_stated=shown >= dated or asked.presented_on is not None,
    )


def read_question(document: dict[str, Any]) -> AskedQuestion:
    """Read a plain document.

    Raises:
        msgspec.ValidationError: it is no question; the message names the first fault only.
    """
    return msgspec.convert(document, AskedQuestion)
