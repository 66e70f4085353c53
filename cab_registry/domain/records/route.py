"""The route: one direction in which results can be accepted, as data (domain.md, section 5).

A route says who and what it reaches, what the issuer must hold, how time counts, and what follows
on acceptance. Whatever the text leaves open is said as `silent`, never guessed.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cab_registry.domain.codes import BodyKind, Clock, Confidence, Duty, LossReason, ResultKind
from cab_registry.domain.days import When
from cab_registry.domain.records.common import Dated, EconomyCode, Identifier, Record, Sourced, Text, Value
from cab_registry.domain.records.document import FindingRule, LifeRule, NumberRule
from cab_registry.domain.records.law import InstrumentEvent, OperationEvent, Tail


class Party(Dated, frozen=True, kw_only=True):
    """A market or an exporter of a route, where it joined or left on a day of its own."""

    economy: EconomyCode


class ListedRequirement(Dated, frozen=True, kw_only=True):
    """A requirement in the route's list. That it stands there at all is reach; the days are the check `requirement`."""

    id: Identifier
    held_as: Annotated[
        tuple[Identifier, ...], Meta(description="Other requirements under which the body may hold its rights for it.")
    ] = ()
    instead_of: Annotated[
        tuple[Identifier, ...],
        Meta(description="Rules of the market in whose place it stands for a document that attests it."),
    ] = ()
    own_rules: Annotated[bool, Meta(description="True for the exporting side's own rules, taken as equivalent.")] = (
        False
    )
    transition: Annotated[Tail | None, Meta(description="Changeover after the end of the listing.")] = None


class CoveredClass(Dated, frozen=True, kw_only=True):
    """A product class that the route covers, judged on the day of presentation."""

    product_class: Text
    held_as: Annotated[
        tuple[Text, ...], Meta(description="Classes of which it is a kind: a right for one of them is enough.")
    ] = ()


class ExcludedClass(Dated, frozen=True, kw_only=True):
    """A product class that is excluded, deferred to a later decision, or on which the text is silent."""

    product_class: Text
    why: Literal["excluded", "deferred", "silent"] = "excluded"
    if_stated: Annotated[
        bool,
        Meta(description="Counts only where the question names the class; else the class is taken not to be meant."),
    ] = False


class ActivityRule(Dated, frozen=True, kw_only=True):
    """Whether an activity (kind of inspection) is inside the route."""

    activity: Text
    rule: Literal["covered", "excluded", "silent"] = "covered"


class TerritoryRule(Dated, frozen=True, kw_only=True):
    """Where the work may have been done.

    own: in the issuer's own economy; party: anywhere in the exporting party; third: outside both parties;
    outside: anywhere but the issuer's own economy; importer: inside the importing party; listed: in `economies`.
    """

    where: Literal["own", "party", "third", "outside", "importer", "listed", "any"]
    economies: tuple[EconomyCode, ...] = ()


class OriginRule(Dated, frozen=True, kw_only=True):
    """Where the product may originate; judged on the day of presentation."""

    where: Literal["own", "parties", "listed", "any"]
    economies: Annotated[tuple[EconomyCode, ...], Meta(description="Further economies of origin that are taken.")] = ()


class Cover(Value, frozen=True, kw_only=True):
    """Under what a right may be held; none stated: under the route's own agreement and annex, or scheme."""

    agreement: Identifier | None = None
    annex: str | None = None
    scheme: Identifier | None = None
    any: Annotated[bool, Meta(description="Under whatever title the same authority gave it.")] = False
    held_on: Annotated[When | None, Meta(description="Carried over by law if held on this day ...")] = None
    from_: Annotated[
        When | None, Meta(description="... from this day on, until a record continues it or a decision touches it.")
    ] = msgspec.field(default=None, name="from")


class RightRule(Sourced, frozen=True, kw_only=True):
    """A designation or recognition that the issuer must hold."""

    by: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            description="Authority ids (any one is enough; successions count), party codes, or the words "
            "`exporter` / `importer`: an authority of the issuer's economy / of the market (their unions included).",
        ),
    ]
    on: Annotated[
        tuple[Clock, ...],
        Meta(
            description="Clocks on which it must hold. Default: recognition of a test report on performed, else issued."
        ),
    ] = ()
    under: Annotated[tuple[Cover, ...], Meta(description="Under what it may be held, any one is enough.")] = ()
    silent: Annotated[
        bool, Meta(description="True where the text does not say whether such a right counts: nobody can tell.")
    ] = False
    begun_before: Annotated[When | None, Meta(description="The right must have begun before this day.")] = None
    on_lifting: Annotated[
        Literal["gap_stays", "heals", "silent"],
        Meta(description="What a lifted suspension means for results that fell into it."),
    ] = "gap_stays"


class AdmittedAccreditor(Dated, frozen=True, kw_only=True):
    """An accreditation body that the route admits, for sites in certain economies, with dates."""

    authority: Identifier
    site_economies: Annotated[tuple[EconomyCode, ...], Meta(description="Economies of the site; empty: any.")] = ()


class AdmittedStandard(Value, frozen=True, kw_only=True):
    """An accreditation standard that the route admits; a predecessor until its last day."""

    standard: Text
    until: When | None = None
    editions: Annotated[
        tuple[Text, ...], Meta(description="Editions that alone count; empty: every edition in use.")
    ] = ()
    from_: When | None = msgspec.field(default=None, name="from")


class AccreditationRule(Sourced, frozen=True, kw_only=True):
    """What is asked of the issuer's accreditation."""

    need: Annotated[
        Literal["required", "supports"],
        Meta(description="required: must hold; supports: asked in support, only a lapse of one on record matters."),
    ] = "required"
    standards: Annotated[tuple[str | AdmittedStandard, ...], Meta(description="Admitted standards; empty: any.")] = ()
    unsettled: Annotated[
        tuple[AdmittedStandard, ...],
        Meta(
            description="Editions of which nobody can say whether they count: the act cites another until it changes."
        ),
    ] = ()
    by: Annotated[
        tuple[str | AdmittedAccreditor, ...],
        Meta(description="Admitted accreditation bodies, or party codes for those of their economies; empty: any."),
    ] = ()
    on: Annotated[
        tuple[Clock, ...], Meta(description="Default: performed for test reports, performed and issued otherwise.")
    ] = ()
    lapse: Annotated[Literal["fails", "alerts", "silent"], Meta(description="What its lapse means before issue.")] = (
        "fails"
    )
    signatory_of: Annotated[
        tuple[Identifier, ...],
        Meta(description="Arrangements (or their successors) of which the accreditation body must be a signatory."),
    ] = ()
    signatory_on: Annotated[tuple[Clock, ...], Meta(description="Clocks of the signatory status.")] = ("performed",)
    loss_after_issue: Annotated[
        Literal["ignored", "survival"],
        Meta(description="survival: an accreditation lost between issue and presentation is judged by `survival`."),
    ] = "ignored"
    scope: Annotated[
        Literal["requirement", "any"], Meta(description="Whether the requirement must stand in its scope.")
    ] = "requirement"


class OwnershipRule(Dated, frozen=True, kw_only=True):
    """What an ownership fact means: the rule weighs on results made, that is issued, from `from` on."""

    fact: Literal["first_party", "prohibited_entity"]
    at_least: Annotated[int | None, Meta(description="Share in per cent from which it matters.")] = None
    effect: Literal["fails", "unknown"] = "fails"


class SubcontractorRule(Sourced, frozen=True, kw_only=True):
    """What subcontractors must hold."""

    need: Literal["recognised", "nothing", "none_allowed", "silent"] = "recognised"
    located: Annotated[tuple[EconomyCode, ...], Meta(description="Economies in which they must be; empty: any.")] = ()
    located_from: Annotated[
        When | None, Meta(description="Day of issue from which the place matters; none: always.")
    ] = None
    under: Annotated[tuple[Cover, ...], Meta(description="Under what their recognition may be held.")] = ()


class IssuerRule(Value, frozen=True, kw_only=True):
    """What the issuer must be and hold."""

    asked: Annotated[
        bool, Meta(description="False where nothing is asked of the issuer but its economy (a maker's declaration).")
    ] = True
    kinds: Annotated[tuple[BodyKind, ...], Meta(description="Admitted kinds of body; empty: any.")] = ()
    kinds_by_result: Annotated[
        dict[str, tuple[BodyKind, ...]], Meta(description="Admitted kinds where they differ by result kind.")
    ] = {}
    authorities: Annotated[
        tuple[Identifier, ...], Meta(description="The issuer must be one of these authorities, while in office.")
    ] = ()
    inspects: Annotated[
        tuple[str, ...], Meta(description="Sectors for which the inspectorate must be competent at home.")
    ] = ()
    ownership: tuple[OwnershipRule, ...] = ()
    findings_bar: Annotated[
        Dated | None,
        Meta(description="From this day an authority's finding on ownership bars what is issued from its own day on."),
    ] = None
    designation: RightRule | None = None
    recognition: RightRule | None = None
    accreditation: AccreditationRule | None = None
    place: Annotated[
        Literal["any", "recognised_site"],
        Meta(description="recognised_site: the work must be done at a site for which the rights are held."),
    ] = "any"
    subcontractors: SubcontractorRule | None = None


class Clause(Sourced, frozen=True, kw_only=True):
    """An optional clause on which the route rests, and its use by the importing side."""

    use: Literal["in_use", "not_yet", "unknown"]
    from_: Annotated[When | None, Meta(description="First day of its use, where it is in use.")] = msgspec.field(
        default=None, name="from"
    )
    condition: Annotated[Text | None, Meta(description="What the reader must know: reliance is voluntary ...")] = None


class EarlyRule(Sourced, frozen=True, kw_only=True):
    """What a result is worth that was made before recognition, scope or operation began, shown after."""

    effect: Literal["no", "counts", "counts_if_alive", "silent"]
    about: Annotated[
        tuple[
            Literal[
                "recognition", "designation", "operational", "requirement", "product", "activity", "territory", "any"
            ],
            ...,
        ],
        Meta(min_length=1),
    ]
    clock: Annotated[Clock, Meta(description="The result's clock that lies before the start.")] = "issued"
    not_before: Annotated[When | None, Meta(description="Results from this day on only.")] = None
    presented_from: When | None = None
    presented_until: When | None = None


class SurvivalRule(Sourced, frozen=True, kw_only=True):
    """What a loss between issue and presentation does to an older result. The narrowest rule that fits applies."""

    reason: Annotated[
        LossReason | tuple[LossReason, ...], Meta(description="The kinds of loss to which it applies, or `any`.")
    ]
    result_kinds: tuple[ResultKind, ...] = ()
    procedures: tuple[str, ...] = ()
    product_classes: tuple[str, ...] = ()
    requirements: tuple[Identifier, ...] = ()
    effect: Annotated[
        Literal["survives", "falls", "needs_active_body", "acquired_rights", "takeover", "silent"],
        Meta(
            description="needs_active_body: production control and the like; acquired_rights: ordered before the "
            "notice and issued before the effect; takeover: for `months` and if another body takes it over."
        ),
    ]
    until: Annotated[When | None, Meta(description="Survives at most to this last day.")] = None
    clock: Annotated[Clock, Meta(description="Clock on which the last day counts; submitted: the filing.")] = (
        "presented"
    )
    months: Annotated[int, Meta(ge=0, description="Survives at most for so many months from the loss.")] | None = None
    condition: Annotated[Text | None, Meta(description="Survives on this condition.")] = None


class Condition(Sourced, frozen=True, kw_only=True):
    """What remains to be done or shown on acceptance, in the case to which it applies."""

    key: Text
    text: Text
    result_kinds: tuple[ResultKind, ...] = ()
    requirements: tuple[Identifier, ...] = ()
    procedures: tuple[str, ...] = ()
    product_classes: tuple[str, ...] = ()
    unless_attests: Annotated[
        tuple[Identifier, ...], Meta(description="Fulfilled where the document attests one of these.")
    ] = ()
    from_: Annotated[When | None, Meta(description="From this day of presentation on.")] = msgspec.field(
        default=None, name="from"
    )
    until: Annotated[When | None, Meta(description="Until this day of presentation, inclusive.")] = None


class Clocks(Value, frozen=True, kw_only=True):
    """Clocks of the checks where they differ from the usual ones."""

    operational: Annotated[
        tuple[Clock, ...],
        Meta(description="Empty: presented for statuses, declarations and rules that ask no issuer, else issued."),
    ] = ()
    reports: Annotated[tuple[Clock, ...], Meta(description="Further clocks of the rights behind a test report.")] = ()
    requirement: tuple[Clock, ...] = ("issued",)
    product: tuple[Clock, ...] = ("presented",)
    activity: tuple[Clock, ...] = ("presented",)
    territory: tuple[Clock, ...] = ("presented",)
    end: Annotated[Clock, Meta(description="The result must reach this clock before the instrument ends.")] = "issued"


class Route(Record, tag_field="type", tag="route", frozen=True, kw_only=True):
    """One direction of acceptance: who, what, by whom, when, and what follows."""

    title: Annotated[str, Meta(description="The route in a few words, as answers name it.")] = ""
    citation: Annotated[Text, Meta(description="Article, section or paragraph on which it rests.")]
    source: Annotated[str | None, Meta(description="Key of the source of the route as a whole.")] = None
    confidence: Confidence = "medium"
    agreement: Annotated[Identifier | None, Meta(description="None for a unilateral scheme or domestic law.")] = None
    annex: str | None = None
    scheme: Annotated[Identifier | None, Meta(description="Id of the scheme, where there is no agreement.")] = None
    instrument: Annotated[
        tuple[InstrumentEvent, ...], Meta(description="Own legal force; needed where there is no agreement.")
    ] = ()
    importer: Annotated[tuple[EconomyCode | Party, ...], Meta(min_length=1)]
    exporter: Annotated[
        tuple[EconomyCode | Party, ...], Meta(description="Exporting economies or unions; empty: any economy.")
    ] = ()
    not_exporter: Annotated[tuple[EconomyCode, ...], Meta(description="Economies that `any` leaves out.")] = ()
    result_kinds: Annotated[tuple[ResultKind, ...], Meta(min_length=1)]
    procedures: Annotated[tuple[str, ...], Meta(description="If named, the question must name one of them.")] = ()
    sectors: Annotated[tuple[str, ...], Meta(description="Sectors; used where no requirement is named.")] = ()
    requirements: tuple[ListedRequirement, ...] = ()
    product_classes: Annotated[tuple[CoveredClass, ...], Meta(description="Covered classes; empty: all.")] = ()
    excluded: tuple[ExcludedClass, ...] = ()
    activities: tuple[ActivityRule, ...] = ()
    territory: Annotated[
        Literal["any"] | tuple[TerritoryRule, ...], Meta(description="`any`, or rules of which any one is enough.")
    ] = "any"
    origin: Annotated[
        Literal["any"] | tuple[OriginRule, ...], Meta(description="`any`, or rules of which any one is enough.")
    ] = "any"
    issuer: IssuerRule
    operation: Annotated[
        tuple[OperationEvent, ...],
        Meta(description="Working of this direction; empty: the annex's timeline, else as soon as it is in force."),
    ] = ()
    clocks: Clocks = Clocks()
    clause: Clause | None = None
    early_results: Annotated[
        Literal["no", "counts", "counts_if_alive", "silent"] | tuple[EarlyRule, ...],
        Meta(description="One word for all starts, or rules of which the first that fits applies; no rule: no."),
    ] = "no"
    survival: Annotated[tuple[SurvivalRule, ...], Meta(description="No rule that fits: the text is silent.")] = ()
    life: tuple[LifeRule, ...] = ()
    findings: tuple[FindingRule, ...] = ()
    number: NumberRule | None = None
    refusals: Annotated[
        str | None, Meta(description="Article under which a single document may be refused (notice refused).")
    ] = None
    duty: Duty
    conditions: tuple[Condition, ...] = ()
    national_procedures: Annotated[
        tuple[Text, ...],
        Meta(description="National procedures, as requirements name them, that this route is: no other way beside it."),
    ] = ()
