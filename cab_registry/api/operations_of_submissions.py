"""The operations of submissions as the reference describes them."""

from __future__ import annotations

from typing import Any, Final

from cab_registry.api import problem_kinds
from cab_registry.api.operation import Operation
from cab_registry.api.operations_of_accounts import SECURED, SENT
from cab_registry.api.replies import NoParameters
from cab_registry.api.submissions import (
    PATH,
    Approval,
    Foreseen,
    Reason,
    SubmissionList,
    SubmissionListing,
    SubmissionShown,
)
from cab_registry.services.requests import SubmissionRequest

_CHECKED: Final = (problem_kinds.NOT_OWNER, problem_kinds.STALE, problem_kinds.NOT_LOADED, problem_kinds.NOT_REACHED)
_ONE: Final = (*SECURED, problem_kinds.NO_SUCH_SUBMISSION)
_DECIDED: Final = (*_ONE, *SENT, problem_kinds.DECIDED)
_EXAMPLE: Final[dict[str, Any]] = {
    "kind": "records",
    "authority": "us-nist",
    "public_reason": "Accreditation renewed",
    "evidence": [{"title": "Certificate", "sha256": "0" * 64}],
    "records": [
        {
            "change": "amend",
            "expected_version": 3,
            "document": {"type": "designation", "id": "designation-us-nist-us0001-1", "owner": "us-nist"},
        }
    ],
    "dry_run": True,
}


def list_submission_operations() -> tuple[Operation, ...]:
    """Return the operations of submissions, in the order of the reference."""
    return (*_handing_in(), *_showing(), *_deciding())


def _handing_in() -> tuple[Operation, ...]:
    return (
        Operation(
            method="post",
            path=PATH,
            id="submit",
            tag="Submissions",
            summary="Hand record versions in, or see what they would do",
            description="All of them are entered, or none. `expected_version` of each record is the version that was "
            "seen. With `dry_run` nothing is entered, and the answer (Foreseen, status 200) says in words what would "
            "change and which standing answers flip. 201: it was entered, or waits for another person; 200: the same "
            "request with the same key came before, and this is what became of it. A policy is a document with "
            "`authority`, `four_eyes` and `scope_wider`. In a transfer, each document names its new owner.",
            query=(NoParameters,),
            body=SubmissionRequest,
            gives=SubmissionShown,
            account="needed",
            keyed=True,
            statuses=(200, 201),
            otherwise=Foreseen,
            examples=(_EXAMPLE,),
            kinds=(*SECURED, *SENT, *_CHECKED, problem_kinds.TOO_MANY, problem_kinds.KEY_REUSED),
        ),
    )


def _showing() -> tuple[Operation, ...]:
    return (
        Operation(
            path=PATH,
            id="list_submissions",
            tag="Submissions",
            summary="List submissions of the authority for which the token speaks",
            description="The newest first. An auditor of the registry sees those of all.",
            query=(SubmissionListing,),
            gives=SubmissionList,
            account="needed",
            kinds=(*SECURED, problem_kinds.REFUSED),
        ),
        Operation(
            path=f"{PATH}/{{submission_id}}",
            id="read_submission",
            tag="Submissions",
            summary="Read a submission",
            description="Approved ones are there for everyone, without their private part; others for those concerned.",
            query=(NoParameters,),
            gives=SubmissionShown,
            account="welcome",
            kinds=_ONE,
        ),
        Operation(
            path=f"{PATH}/{{submission_id}}/effect",
            id="read_effect",
            tag="Submissions",
            summary="See what a submission that waits would do, were it approved now",
            query=(NoParameters,),
            gives=Foreseen,
            account="needed",
            kinds=(*_ONE, *_CHECKED, problem_kinds.DECIDED, problem_kinds.REFUSED),
        ),
    )


def _deciding() -> tuple[Operation, ...]:
    return (
        Operation(
            method="post",
            path=f"{PATH}/{{submission_id}}/approve",
            id="approve_submission",
            tag="Submissions",
            summary="Approve a submission as it was seen",
            description="By another person than handed it in. It is checked anew, and entered. To approve again what "
            "one has approved tells that it is so.",
            query=(NoParameters,),
            body=Approval,
            gives=SubmissionShown,
            account="needed",
            examples=({"digest": "0" * 64},),
            kinds=(*_DECIDED, *_CHECKED, problem_kinds.OTHER_CONTENT),
        ),
        Operation(
            method="post",
            path=f"{PATH}/{{submission_id}}/reject",
            id="reject_submission",
            tag="Submissions",
            summary="Reject a submission of another person",
            query=(NoParameters,),
            body=Reason,
            gives=SubmissionShown,
            account="needed",
            examples=({"reason": "The scope is wider than the certificate."},),
            kinds=_DECIDED,
        ),
        Operation(
            method="post",
            path=f"{PATH}/{{submission_id}}/withdraw",
            id="withdraw_submission",
            tag="Submissions",
            summary="Withdraw a submission of one's own",
            query=(NoParameters,),
            body=Reason,
            gives=SubmissionShown,
            account="needed",
            examples=({"reason": "Sent too early."},),
            kinds=_DECIDED,
        ),
    )
