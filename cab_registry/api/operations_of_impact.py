"""The operation of impacts as the reference describes it."""

from __future__ import annotations

from cab_registry.api import problem_kinds
from cab_registry.api.impact import Supposing
from cab_registry.api.operation import Operation
from cab_registry.services.blast import Impact


def list_impact_operations() -> tuple[Operation, ...]:
    """Return the operation of impacts."""
    return (
        Operation(
            path="/v1/impact/{record_id}",
            id="read_impact",
            tag="Acceptance",
            summary="See what would flip, if a body or an accreditation body lost what it has",
            description="Which standing answers, of which bodies, in which markets, from which day on: for a result "
            "that is performed, issued and presented on one day. How many watched answers flip is counted; with a "
            "token, one's own are named. Nothing is stored.",
            query=(Supposing,),
            gives=Impact,
            account="welcome",
            kinds=(
                problem_kinds.UNREADABLE,
                problem_kinds.WRONG_PARAMETERS,
                problem_kinds.REFUSED,
                problem_kinds.NO_SUCH_RECORD,
                problem_kinds.NOT_LOADED,
                problem_kinds.NOT_REACHED,
                problem_kinds.UNAVAILABLE,
            ),
        ),
    )
