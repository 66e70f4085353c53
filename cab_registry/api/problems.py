"""One shape for every error: RFC 9457 problem details with a stable type, and all faults listed."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from msgspec import UNSET, Meta, UnsetType

from cab_registry.api.http.audit import note_subject
from cab_registry.api.http.refusals import BodyTooSlow, ClientBusy, NotTrailed, Overloaded
from cab_registry.api.problem_kinds import (
    BODY_TOO_SLOW,
    BUSY,
    DECIDED,
    IMPOSSIBLE,
    INTERNAL,
    INVITATION_REFUSED,
    KEY_REUSED,
    NO_SUCH_ACCOUNT,
    NO_SUCH_RECORD,
    NO_SUCH_SUBMISSION,
    NO_SUCH_WATCH,
    NOT_ALLOWED,
    NOT_FOUND,
    NOT_LOADED,
    NOT_OWNER,
    NOT_PERMITTED,
    NOT_REACHED,
    NOT_TRAILED,
    OTHER,
    OTHER_CONTENT,
    OUTCOME_UNKNOWN,
    OVER_LIMIT,
    PLAIN_HTTP,
    REFUSED,
    REGISTER_DAMAGED,
    SHED,
    STALE,
    TOKEN_REFUSED,
    TOO_LARGE,
    TOO_MANY,
    TOO_MANY_REQUESTS,
    UNAUTHENTICATED,
    UNAVAILABLE,
    UNREADABLE,
    WRONG_CONTENT,
    WRONG_PARAMETERS,
    Kind,
)
from cab_registry.domain.errors import Fault, OperationalFault, Refusal
from cab_registry.services.asking import ImpossibleQuestion
from cab_registry.services.describing import describe_changes
from cab_registry.services.flat import Unreadable
from cab_registry.services.heads import NotLoaded, PositionNotReached, PositionNotWritten
from cab_registry.services.logs import make_logger
from cab_registry.services.refusals import (
    AlreadyDecided,
    Difference,
    InvitationRefused,
    KeyReused,
    MissingRole,
    NoSuchInvitation,
    NoSuchPrincipal,
    NoSuchProposal,
    NoSuchSubmission,
    NoSuchToken,
    NotOwner,
    OtherAuthority,
    OtherContent,
    OwnProposal,
    OwnSubmission,
    StaleSubmission,
    TokenRefused,
    TooMany,
)
from cab_registry.services.runtime.token_buckets import TooManyRequests
from cab_registry.services.runtime.work import Shed
from cab_registry.services.snapshots.cursors import WrongCursor
from cab_registry.services.views import NoSuchRecord, WrongParameters
from cab_registry.services.watching.watch_desk import NoSuchWatch, OverLimit
from cab_registry.storage.errors import OutcomeUnknown, RecordDamaged, StaleVersion, StorageBusy

MEDIA_TYPE: Final = "application/problem+json"
_LONGEST: Final = 1000
"""How many characters of one text are sent."""


class FaultShown(msgspec.Struct, frozen=True):
    """One thing that is wrong."""

    pointer: Annotated[str, Meta(description="JSON Pointer to the place; empty: the whole.")]
    message: Annotated[str, Meta(description="What is wrong there, and what is allowed.")]


class DifferenceShown(Difference, frozen=True, kw_only=True):
    """A record that moved since it was read, and what changed in it, in words."""

    changes: Annotated[list[str], Meta(description="From the version that was read to the one that stands.")]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error as RFC 9457 spells it."""

    type: Annotated[str, Meta(description="Stable address of the kind of problem.")]
    title: Annotated[str, Meta(description="The kind of problem in words.")]
    status: Annotated[int, Meta(description="HTTP status.")]
    detail: Annotated[str, Meta(description="What is wrong this time.")]
    faults: Annotated[
        list[FaultShown], Meta(description="The first hundred faults, where there are places to name.")
    ] = []
    request_id: Annotated[str | None, Meta(description="Names the request in the log of the service.")] = None
    owners: Annotated[list[str] | UnsetType, Meta(description="Whose the records are, where they are others'.")] = UNSET
    differences: Annotated[
        list[DifferenceShown] | UnsetType, Meta(description="What changed in each record since it was read.")
    ] = UNSET
    state: Annotated[str | UnsetType, Meta(description="Where a submission stands that is decided already.")] = UNSET
    more: Annotated[
        Literal[True] | UnsetType, Meta(description="There are more faults than are listed; absent: these are all.")
    ] = UNSET


class WrongContentType(Refusal):
    """The body is not sent as JSON."""


class Unauthenticated(Refusal):
    """No token was shown where one is needed."""


class PlainHttp(Refusal):
    """A token came over a connection that others can read."""


_BY_CLASS: Final[tuple[tuple[type[Exception], Kind], ...]] = (
    (WrongContentType, WRONG_CONTENT),
    (Unauthenticated, UNAUTHENTICATED),
    (TokenRefused, TOKEN_REFUSED),
    (PlainHttp, PLAIN_HTTP),
    (NotOwner, NOT_OWNER),
    (OtherAuthority, NOT_PERMITTED),
    (MissingRole, NOT_PERMITTED),
    (OwnSubmission, NOT_PERMITTED),
    (OwnProposal, NOT_PERMITTED),
    (InvitationRefused, INVITATION_REFUSED),
    (NoSuchSubmission, NO_SUCH_SUBMISSION),
    (NoSuchPrincipal, NO_SUCH_ACCOUNT),
    (NoSuchToken, NO_SUCH_ACCOUNT),
    (NoSuchInvitation, NO_SUCH_ACCOUNT),
    (NoSuchProposal, NO_SUCH_ACCOUNT),
    (StaleVersion, STALE),
    (AlreadyDecided, DECIDED),
    (OtherContent, OTHER_CONTENT),
    (TooMany, TOO_MANY),
    (KeyReused, KEY_REUSED),
    (Unreadable, UNREADABLE),
    (ImpossibleQuestion, IMPOSSIBLE),
    (WrongParameters, WRONG_PARAMETERS),
    (WrongCursor, WRONG_PARAMETERS),
    (PositionNotWritten, WRONG_PARAMETERS),
    (NoSuchRecord, NO_SUCH_RECORD),
    (NoSuchWatch, NO_SUCH_WATCH),
    (OverLimit, OVER_LIMIT),
    (TooManyRequests, TOO_MANY_REQUESTS),
    (ClientBusy, TOO_MANY_REQUESTS),
    (BodyTooSlow, BODY_TOO_SLOW),
    (Refusal, REFUSED),
    (PositionNotReached, NOT_REACHED),
    (NotLoaded, NOT_LOADED),
    (RecordDamaged, REGISTER_DAMAGED),
    (OutcomeUnknown, OUTCOME_UNKNOWN),
    (Shed, BUSY),
    (Overloaded, SHED),
    (NotTrailed, NOT_TRAILED),
    (OperationalFault, UNAVAILABLE),
)
_REASONS: Final = {OtherAuthority: "other-authority", MissingRole: "missing-role", OwnSubmission: "own-submission"}
_BY_STATUS: Final = {404: NOT_FOUND, 405: NOT_ALLOWED, 413: TOO_LARGE, 415: WRONG_CONTENT}


def kind_of(fault: Exception) -> Kind:
    """Return the kind of problem that an exception is."""
    if isinstance(fault, HTTPException):
        return _BY_STATUS.get(fault.status_code, OTHER if fault.status_code < 500 else INTERNAL)
    return next((kind for family, kind in _BY_CLASS if isinstance(fault, family)), INTERNAL)


def show_problem(kind: Kind, fault: Exception, request_id: str | None = None) -> Problem:
    """Return what the client is told; of a bug, nothing but the id under which the log tells more."""
    faults: tuple[Fault, ...] = fault.faults if isinstance(fault, Refusal) else ()
    detail = kind.advice if kind is INTERNAL or isinstance(fault, HTTPException) else str(fault)
    return Problem(
        type=kind.type,
        title=kind.title,
        status=kind.status,
        detail=_cut(detail),
        faults=[FaultShown(_cut(each.pointer), _cut(each.message)) for each in faults],
        more=True if isinstance(fault, Refusal) and fault.more else UNSET,
        request_id=request_id,
        owners=list(fault.owners) if isinstance(fault, NotOwner) else UNSET,
        differences=_show_differences(fault) if isinstance(fault, StaleSubmission) else UNSET,
        state=fault.state if isinstance(fault, AlreadyDecided) else UNSET,
    )


def _cut(text: str) -> str:
    """Return a text without what goes on too long: what was sent is not sent back as a whole."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _show_differences(fault: StaleSubmission) -> list[DifferenceShown]:
    return [
        DifferenceShown(
            **msgspec.structs.asdict(each),
            changes=describe_changes(each.before, each.since[-1].document) if each.since else [],
        )
        for each in fault.differences
    ]


def show_kind(kind: Kind) -> Problem:
    """Return an example of a kind of problem."""
    return Problem(type=kind.type, title=kind.title, status=kind.status, detail=kind.advice)


def answer_problem(request: Request[Any, Any, Any], fault: Exception) -> Response[bytes]:
    """Answer a request that failed."""
    kind = kind_of(fault)
    state = request.scope["state"]
    state["problem"] = kind.slug
    if kind is NOT_PERMITTED:
        state["reason"] = _REASONS.get(type(fault))
    if isinstance(fault, InvitationRefused):
        state["reason"] = fault.reason
        note_subject(request.scope, fault.invitation)
    request_id = state.get("request_id")
    log_failure(kind, fault, request_id)
    problem = show_problem(kind, fault, request_id)
    return Response(
        msgspec.json.encode(problem),
        status_code=kind.status,
        media_type=MEDIA_TYPE,
        headers=problem_headers(kind, fault),
    )


def problem_headers(kind: Kind, fault: Exception) -> dict[str, str]:
    """Return the headers that belong to a problem."""
    headers = {"Cache-Control": "no-store"}
    given: Mapping[str, str] = (fault.headers if isinstance(fault, HTTPException) else None) or {}
    headers.update({name.title(): value for name, value in given.items() if name.lower() == "allow"})
    if kind.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after if isinstance(fault, TooManyRequests) else kind.retry_after)
    if kind.closes:
        headers["Connection"] = "close"
    if kind.challenge is not None:
        headers["WWW-Authenticate"] = kind.challenge
    return headers


def log_failure(kind: Kind, fault: Exception, request_id: str | None) -> None:
    """Log what an operator must see; never the message of a bug, which may hold what was asked."""
    log = make_logger()
    if kind is INTERNAL:
        frames = "".join(traceback.format_tb(fault.__traceback__))
        log.error("failed", request_id=request_id, error=type(fault).__name__, frames=frames)
    elif kind.status >= 500 and kind not in (NOT_REACHED, SHED):
        cause = fault.cause if isinstance(fault, StorageBusy) else ""
        log.warning("unavailable", request_id=request_id, error=type(fault).__name__, cause=cause)
