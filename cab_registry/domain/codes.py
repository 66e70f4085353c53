"""The closed vocabularies of the field (domain.md, sections 2, 4, 5, 6 and 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Verdict = Literal["accepted", "accepted_with_conditions", "not_accepted", "not_covered", "cannot_tell"]

ResultKind = Literal[
    "test_report",
    "certificate",
    "eu_type_examination",
    "qms_approval",
    "qms_certificate",
    "gmp_inspection",
    "gmp_certificate",
    "batch_certificate",
    "glp_study",
    "type_approval",
    "inspection_report",
    "manufacturer_declaration",
    "aeo_status",
    "non_compliance_statement",
]

KIND_PROCEDURES: Final[dict[ResultKind, tuple[str, ...]]] = {
    "eu_type_examination": ("module_b", "ec_type_examination"),
}
"""The procedures that a kind of result follows by its nature, the usual one first."""

CheckCode = Literal[
    "direction",
    "result_kind",
    "procedure",
    "requirement",
    "product",
    "activity",
    "site",
    "instrument",
    "operational",
    "issuer",
    "designation",
    "recognition",
    "accreditation",
    "suspension",
    "survival",
    "document",
    "position",
]

Clock = Literal["performed", "ordered", "issued", "submitted", "presented"]

Confidence = Literal["high", "medium", "low"]

BodyKind = Literal["testing_laboratory", "certification_body", "inspection_body", "inspectorate"]

RecordType = Literal[
    "economy",
    "authority",
    "requirement",
    "agreement",
    "route",
    "body",
    "accreditation",
    "designation",
    "recognition",
    "position",
    "notice",
    "coverage",
]

InstrumentState = Literal[
    "proposed",
    "identified",
    "informal_review",
    "work_plan_signed",
    "comparing",
    "observing",
    "formalised",
    "negotiating",
    "text_agreed",
    "signed",
    "provisionally_applied",
    "in_force",
    "suspension_notified",
    "suspended",
    "reinstated",
    "termination_notified",
    "terminated",
    "superseded",
    "lapsed",
    "abandoned",
]
"""States of a treaty, an arrangement or a domestic rule, and of one of its annexes (legal force only).

What is proposed is before whoever may decide on it, and no law.
"""

OperationState = Literal[
    "planned", "transition", "receiving_designations", "pilot", "operational", "paused", "ended", "given_up"
]
"""States of the working of one direction (lifecycle sheet, A10, axes 2 and 3)."""

EventName = Literal[
    "granted",
    "proposed",
    "notified",
    "objected",
    "contested",
    "verified",
    "recognised",
    "designated",
    "notice_of_withdrawal",
    "proceedings_opened",
    "suspended",
    "restricted",
    "reduced",
    "extended",
    "reinstated",
    "withdrawn",
    "resigned",
    "expired",
    "renewal_requested",
    "renewed",
    "renewal_denied",
    "annulled",
    "edition_ended",
    "inactive",
    "confirmed",
]

NoticeEffect = Literal[
    "non_compliance",
    "refused",
    "cancelled",
    "restricted",
    "not_signed",
    "statement_missing",
    "superseded",
    "taken_over",
    "not_taken_over",
    "prohibited_entity",
]

LossReason = Literal[
    "suspension",
    "withdrawal",
    "expiry",
    "instrument",
    "annex",
    "operation",
    "listing",
    "membership",
    "exclusion",
    "any",
]
"""Why the ground of an older result fell away between issue and presentation."""

Duty = Literal["must", "may", "discretion"]

OUTCOMES: Final[Mapping[str, tuple[str, ...]]] = {
    "NAI": ("No action indicated",),
    "VAI": ("Voluntary action indicated",),
    "OAI": ("Official action indicated",),
    "compliant": ("complies", "in compliance", "GMP compliant", "complies with GMP", "compliant with GMP"),
    "non_compliant": ("non-compliance", "not compliant", "does not comply", "not in compliance", "GMP non-compliant"),
}
"""Words in which documents state the outcome of an inspection, by the code that stands for it in rules."""
