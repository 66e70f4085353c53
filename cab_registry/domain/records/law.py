"""Records of law: economies, authorities, requirements, agreements, and how complete a list is."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cab_registry.domain.codes import Clock, InstrumentState, OperationState
from cab_registry.domain.days import When
from cab_registry.domain.records.common import Dated, EconomyCode, Identifier, Names, Record, Sourced, Text, Value
from cab_registry.domain.records.rights import SchemeIdentifier


class Membership(Dated, frozen=True, kw_only=True):
    """Membership of a union; for the EU it lasts as long as Union law applies (for GB to 2020-12-31)."""

    union: Annotated[EconomyCode, Meta(description="Code of the union.")]


class OtherMarket(Dated, frozen=True, kw_only=True):
    """Another market of the same state, with rules of its own."""

    economy: Annotated[EconomyCode, Meta(description="Code of the other market.")]


class Economy(Record, tag_field="type", tag="economy", frozen=True, kw_only=True):
    """A state, customs territory, union or region that imports or exports results."""

    code: Annotated[EconomyCode, Meta(description="Its code; quoted in YAML, where a bare NO is a boolean.")]
    names: Names
    other_names: Annotated[
        tuple[Text, ...], Meta(description="Other names and codes that people write, as `UK` or `Chinese Taipei`.")
    ] = ()
    kind: Annotated[
        Literal["economy", "union", "region"], Meta(description="A region (GB-NIR) is a market of its own.")
    ] = "economy"
    member_of: Annotated[tuple[Membership, ...], Meta(description="Unions of which it is a member, with dates.")] = ()
    is_market: Annotated[
        bool, Meta(description="Whether results are presented in it; no market: a question names one of its members.")
    ] = True
    market: Annotated[
        Names | None, Meta(description="Its name as a market, where that is a part of the state only.")
    ] = None
    part_of: Annotated[
        EconomyCode | None,
        Meta(
            description="The state of which a region is a part: its issuers, its places of work and its products are "
            "on that state's side too. As a market it stands alone."
        ),
    ] = None
    other_markets: Annotated[
        tuple[OtherMarket, ...],
        Meta(description="Other markets of the same state, which an answer for this one names."),
    ] = ()


class Succession(Sourced, frozen=True, kw_only=True):
    """This authority took the place of another."""

    authority: Annotated[Identifier, Meta(description="The predecessor.")]
    on: Annotated[When, Meta(description="First day of the successor.")]


class Signatory(Dated, frozen=True, kw_only=True):
    """An accreditation body's signatory status in a multilateral arrangement."""

    arrangement: Annotated[Identifier, Meta(description="Id of the arrangement's agreement record.")]
    standards: Annotated[
        tuple[str, ...], Meta(description="Accreditation standards for which it is a signatory; empty: all.")
    ] = ()


class Authority(Record, tag_field="type", tag="authority", frozen=True, kw_only=True):
    """A designating, regulating, accrediting, inspecting, notifying or customs authority."""

    names: Names
    economy: Annotated[EconomyCode | None, Meta(description="Its economy; none for an international body.")] = None
    other_names: Annotated[
        tuple[Text, ...], Meta(description="Former names, abbreviations, names in other languages.")
    ] = ()
    roles: Annotated[
        tuple[
            Literal[
                "designating",
                "regulating",
                "accrediting",
                "inspecting",
                "notifying",
                "customs",
                "registering",
                "approving",
                "arrangement",
                "monitoring",
                "market_surveillance",
                "registrar",
            ],
            ...,
        ],
        Meta(description="What it does."),
    ] = ()
    sectors: Annotated[
        tuple[str, ...],
        Meta(description="Sectors in which it has a say on results or bodies; empty: not on record."),
    ] = ()
    inspects: Annotated[
        tuple[str, ...], Meta(description="Sectors in which it is the competent inspectorate (pharma_gmp_human ...).")
    ] = ()
    active: Annotated[
        tuple[Dated, ...], Meta(description="When it existed under this id; empty: for as long as asked.")
    ] = ()
    succeeds: Annotated[tuple[Succession, ...], Meta(description="Predecessors; their acts count as its own.")] = ()
    identifiers: Annotated[
        tuple[SchemeIdentifier, ...], Meta(description="Numbers under schemes that also count authorities.")
    ] = ()
    members: Annotated[
        tuple[Identifier, ...], Meta(description="Authorities behind an umbrella; what the umbrella holds, they hold.")
    ] = ()
    signatory: Annotated[tuple[Signatory, ...], Meta(description="Signatory statuses of an accreditation body.")] = ()


class Tail(Value, frozen=True, kw_only=True):
    """A changeover after an end: the old rule may still be used up to a day, on a clock of its own."""

    until: Annotated[When, Meta(description="Last day of the changeover, inclusive.")]
    clock: Annotated[Clock, Meta(description="The clock on which that day counts, usually submitted.")] = "submitted"
    procedures: Annotated[tuple[str, ...], Meta(description="Procedures to which it applies; empty: all.")] = ()


class Edition(Dated, frozen=True, kw_only=True):
    """An edition of a requirement or standard, with the days on which it is in use."""

    key: Annotated[Text, Meta(description="How documents name the edition.")]
    transition: Annotated[Tail | None, Meta(description="Changeover after its end.")] = None


class Requirement(Record, tag_field="type", tag="requirement", frozen=True, kw_only=True):
    """A technical regulation, act or standard that a result is to satisfy, or to which bodies are accredited."""

    citation: Annotated[Text, Meta(description="How it is cited, as `47 CFR Part 15 Subpart C`.")]
    title: Annotated[str, Meta(description="What it is about.")] = ""
    economy: Annotated[EconomyCode | None, Meta(description="Whose rule it is; none for a voluntary standard.")] = None
    sector: Annotated[str | None, Meta(description="Sector code.")] = None
    other_citations: Annotated[tuple[Text, ...], Meta(description="Other ways to cite it; each resolves to it.")] = ()
    also: Annotated[
        tuple[Text, ...], Meta(description="Everyday names, as `PPE Regulation`; other acts may bear the same one.")
    ] = ()
    sections: Annotated[
        tuple[Text, ...], Meta(description="Sections of a code that it holds, as `15.201-15.257`, for its citation.")
    ] = ()
    product_classes: Annotated[tuple[Text, ...], Meta(description="Classes of products that it tells apart.")] = ()
    procedures: Annotated[tuple[Text, ...], Meta(description="Procedures of conformity assessment that it knows.")] = ()
    part_of: Annotated[Identifier | None, Meta(description="The wider requirement of which it is a part.")] = None
    succeeds: Annotated[
        tuple[Identifier, ...], Meta(description="Acts that it replaced; a document that attests one stands for it.")
    ] = ()
    editions: Annotated[tuple[Edition, ...], Meta(description="Editions with dates; empty: not tracked.")] = ()
    domestic_procedures: Annotated[
        tuple[Text, ...], Meta(description="National procedures to name as alternatives where nothing is recognised.")
    ] = ()


class InstrumentEvent(Sourced, frozen=True, kw_only=True):
    """A dated change of an instrument's legal force."""

    state: Annotated[InstrumentState, Meta(description="suspended, terminated, lapsed: first day without.")]
    on: Annotated[When | None, Meta(description="The day; none where it is not known to have come.")] = None
    until: Annotated[When | None, Meta(description="Last day of the state, where it ends by itself.")] = None
    by: Annotated[str | None, Meta(description="Who says so, where the parties disagree.")] = None


class OperationEvent(Sourced, frozen=True, kw_only=True):
    """A dated change in the working of an annex or a direction; without a day it is foreseen only."""

    state: Annotated[OperationState, Meta(description="State that begins.")]
    on: Annotated[When | None, Meta(description="First day of the state; none: foreseen without a day.")] = None
    until: Annotated[When | None, Meta(description="Last day of the state, where it ends by itself.")] = None


class Annex(Value, frozen=True, kw_only=True):
    """A sectoral annex, chapter or phase with timelines of its own."""

    title: Annotated[str, Meta(description="Title of the annex.")] = ""
    sectors: Annotated[tuple[str, ...], Meta(description="Sectors that it covers.")] = ()
    instrument: Annotated[
        tuple[InstrumentEvent, ...], Meta(description="Legal force where it differs from the agreement's.")
    ] = ()
    timeline: Annotated[
        tuple[OperationEvent, ...], Meta(description="Working of the annex; routes may state their own.")
    ] = ()


class Objection(Sourced, frozen=True, kw_only=True):
    """The clock that runs from the notification of a body to the other side.

    It applies to notifications of the days from `from` to `until`: what came before the clause, it does not touch.
    """

    days: Annotated[int, Meta(ge=0, description="Length in days.")] | None = None
    months: Annotated[int, Meta(ge=0, description="Length in months.")] | None = None
    silence: Annotated[
        Literal["recognised", "not_recognised", "silent"],
        Meta(description="What an unused objection period means; silent: the text does not say."),
    ]
    accredited: Annotated[
        bool | None, Meta(description="Applies only where the body holds (true) or lacks (false) accreditation.")
    ] = None
    annexes: Annotated[tuple[str, ...], Meta(description="Annexes to which it applies; empty: all.")] = ()
    requirements: Annotated[
        tuple[Identifier, ...], Meta(description="Requirements to which it applies; empty: all.")
    ] = ()
    from_: Annotated[
        When | None, Meta(description="First day of notifications to which it applies; none: as long as the agreement.")
    ] = msgspec.field(default=None, name="from")
    until: Annotated[When | None, Meta(description="Last day of notifications to which it applies.")] = None


class Article(Sourced, frozen=True, kw_only=True):
    """An article in a few own words."""

    key: Text
    says: Text


class ProposalRule(Sourced, frozen=True, kw_only=True):
    """A body comes on the other side's list only by a proposal in writing, which opens the objection clock."""

    after_objection: Annotated[
        tuple[Literal["verified", "proposed"], ...],
        Meta(description="What must follow an objection before the body can be recognised; empty: nothing is said."),
    ] = ()


class SuspensionRule(Sourced, frozen=True, kw_only=True):
    """The importing side suspends a body only after it has contested it in writing."""

    deadlock_days: (
        Annotated[int, Meta(ge=0, description="Days without a decision, after which the contest suspends.")] | None
    ) = None


class WithdrawalRule(Sourced, frozen=True, kw_only=True):
    """How the importing side takes a body from its list."""

    after: Annotated[
        Literal["notice", "contest"],
        Meta(description="notice: a proposal in writing first; contest: contesting the body is the only way."),
    ]
    notice_days: Annotated[int, Meta(ge=0, description="Days that the body has at least, from the notice on.")] = 0
    answer_days: Annotated[int, Meta(ge=0, description="Days in which the other side answers.")] | None = None
    opposed: Annotated[
        Literal["stays", "silent"],
        Meta(description="stays: an objection of the other side keeps the body on the list until a new notice."),
    ] = "silent"


class Procedure(Sourced, frozen=True, kw_only=True):
    """The steps by which a body comes on the importing side's list and leaves it; what is absent is not asked."""

    annexes: Annotated[tuple[str, ...], Meta(description="Annexes to which it applies; empty: all.")] = ()
    proposal: Annotated[ProposalRule | None, Meta(description="How a body comes on the list.")] = None
    suspension: Annotated[SuspensionRule | None, Meta(description="How a listed body is suspended.")] = None
    withdrawal: Annotated[WithdrawalRule | None, Meta(description="How a listed body is withdrawn.")] = None
    own_decision: Annotated[
        Article | None,
        Meta(description="The designating side suspends or withdraws its own body at any time, under this article."),
    ] = None


class Review(Sourced, frozen=True, kw_only=True):
    """A review that the text foresees; it switches nothing on by itself."""

    subject: Text
    on: When


class DatedName(Dated, frozen=True, kw_only=True):
    """A name under which an agreement is known beside its own, as a mark that it took over."""

    name: Text


class Agreement(Record, tag_field="type", tag="agreement", frozen=True, kw_only=True):
    """A treaty, arrangement or body of law on which routes rest."""

    title: Annotated[str, Meta(description="Official title.")] = ""
    short: Annotated[str, Meta(description="The name used in answers, as `A-B MRA`.")] = ""
    parties: Annotated[tuple[EconomyCode, ...], Meta(description="Parties; empty for an arrangement of bodies.")]
    family: Annotated[
        Literal["technical", "aeo", "accreditation", "unilateral", "internal_market"],
        Meta(description="What kind of recognition it gives."),
    ]
    instrument: Annotated[tuple[InstrumentEvent, ...], Meta(min_length=1, description="Timeline of its legal force.")]
    annexes: Annotated[dict[str, Annex], Meta(description="Annexes, chapters or phases by key.")] = {}
    objection: Annotated[
        Objection | tuple[Objection, ...], Meta(description="Objection clocks; the first that fits applies.")
    ] = ()
    procedure: Annotated[
        tuple[Procedure, ...], Meta(description="Steps by which bodies are listed and taken off; the first that fits.")
    ] = ()
    articles: Annotated[tuple[Article, ...], Meta(description="Articles that answers cite.")] = ()
    continues: Annotated[tuple[Identifier, ...], Meta(description="Arrangements whose place it took.")] = ()
    other_names: Annotated[
        tuple[DatedName, ...], Meta(description="Other names and marks, with days; none of an end: not settled.")
    ] = ()
    reviews: Annotated[tuple[Review, ...], Meta(description="Review dates.")] = ()
    signatories: Annotated[tuple[Text, ...], Meta(description="Who signed, for whom.")] = ()


class OfficialList(Value, frozen=True, kw_only=True):
    """The official list to look at."""

    title: Text
    address: str = ""


class Coverage(Record, tag_field="type", tag="coverage", frozen=True, kw_only=True):
    """How complete the register's list is for one recogniser and scheme or annex: decides "no record"."""

    by: Annotated[str, Meta(description="Authority id or party code whose list it is.")]
    kinds: Annotated[
        tuple[Literal["designation", "recognition", "accreditation"], ...],
        Meta(description="Empty: all kinds of right."),
    ] = ()
    agreement: Identifier | None = None
    annex: str | None = None
    scheme: Identifier | None = None
    completeness: Annotated[
        Literal["complete", "partial", "none"], Meta(description="complete: what is not listed was not given.")
    ]
    as_of: Annotated[When, Meta(description="The day to which this holds.")]
    list: OfficialList | None = None
